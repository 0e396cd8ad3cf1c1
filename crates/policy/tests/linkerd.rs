//! Policies of Linkerd, each case with what its documentation says.

mod common;
mod meshed;
mod worlds;

use common::both_orders;
use kubestride_policy::linkerd::{Linkerd, limits};
use kubestride_policy::{Match, MeshAnswer, MeshVerdict};
use meshed::{Member, shown};
use worlds::Random;

fn object(version: &str, kind: &str, name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: policy.linkerd.io/{version}, kind: {kind}, metadata: {{name: {name}, namespace: shop, labels: {{of: \
         {name}}}}}, spec: {spec}}}"
    )
}

fn server(spec: &str) -> String {
    object("v1beta3", "Server", "db", &format!("{{podSelector: {{matchLabels: {{app: db}}}}, {spec}}}"))
}

fn policy(name: &str, spec: &str) -> String {
    object("v1alpha1", "AuthorizationPolicy", name, spec)
}

/// An AuthorizationPolicy for the Server `db`.
fn policy_for(reference: &str) -> String {
    policy(
        "p",
        &format!(
            "{{targetRef: {{group: policy.linkerd.io, kind: Server, name: db}}, requiredAuthenticationRefs: [{reference}]}}"
        ),
    )
}

/// A ServerAuthorization for the Server `db`.
fn authorization(client: &str) -> String {
    object("v1beta1", "ServerAuthorization", "p", &format!("{{server: {{name: db}}, client: {client}}}"))
}

fn identities(spec: &str) -> String {
    object("v1alpha1", "MeshTLSAuthentication", "who", spec)
}

/// A member of the mesh by the annotation of its namespace.
fn member(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app).namespace_annotation("linkerd.io/inject", "enabled")
}

fn outsider(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app).annotation("linkerd.io/inject", "disabled")
}

fn stranger(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app)
}

fn ask(documents: &[&str], source: &Member, target: &Member) -> String {
    let answers = std::cell::RefCell::new(Vec::new());
    both_orders(documents, |manifests| {
        let linkerd = Linkerd::read(manifests, "default");
        answers.borrow_mut().push(shown(source.calls(target, Some(8080), |call| linkerd.answer(call))));
    });
    let mut answers = answers.into_inner();
    assert_eq!(answers[0], answers[1], "the order matters: {documents:?}");
    answers.remove(0)
}

const OPEN_PORT: &str = "port: 8080";

#[test]
fn servers_deny_what_nothing_authorizes() {
    let named = policy_for("{kind: ServiceAccount, name: web}");
    let foreign = policy_for("{kind: ServiceAccount, name: web, namespace: cart}");
    let all = identities("{identities: ['*']}");
    let domain = identities("{identities: ['*.shop.serviceaccount.identity.linkerd.cluster.local']}");
    let exact = identities("{identities: [web.shop.serviceaccount.identity.linkerd.cluster.local]}");
    let other = identities("{identities: [db.shop.serviceaccount.identity.linkerd.cluster.local]}");
    let corp = identities("{identities: [web.shop.serviceaccount.identity.linkerd.corp.example]}");
    let references = identities("{identityRefs: [{kind: ServiceAccount, name: web}]}");
    let by_tls = policy_for("{group: policy.linkerd.io, kind: MeshTLSAuthentication, name: who}");
    let by_network = policy_for("{group: policy.linkerd.io, kind: NetworkAuthentication, name: net}");
    let network = object("v1alpha1", "NetworkAuthentication", "net", "{networks: [{cidr: 10.0.0.0/8}]}");
    let both = policy_for("{kind: ServiceAccount, name: cart}, {kind: MeshTLSAuthentication, name: who}");
    let whole = policy(
        "p",
        "{targetRef: {kind: Namespace, name: shop}, requiredAuthenticationRefs: [{kind: ServiceAccount, name: web}]}",
    );
    let route = policy(
        "p",
        "{targetRef: {group: policy.linkerd.io, kind: HTTPRoute, name: r}, requiredAuthenticationRefs: [{kind: ServiceAccount, name: web}]}",
    );
    let attached = object(
        "v1beta3",
        "HTTPRoute",
        "r",
        "{parentRefs: [{kind: Server, group: policy.linkerd.io, name: db}], rules: []}",
    );
    let elsewhere = attached.replace("name: db}", "name: web}");
    let db = server(OPEN_PORT);
    let table: [(&[&str], &str); 29] = [
        // "All traffic to the port on its pods will be denied (regardless of the default policy) unless explicitly authorized."
        (&[&db], "Denied by db"),
        (&[&server("port: 9090")], "Unrestricted"),
        (&[&server("port: web")], "Denied by db"),
        (&[&server("port: admin")], "Unrestricted"),
        (&[&object("v1beta3", "Server", "db", "{podSelector: {}, port: 8080}")], "Denied by db"),
        (&[&object("v1beta3", "Server", "db", "{externalWorkloadSelector: {}, port: 8080}")], "Unrestricted"),
        // "Default access policy to apply when the traffic doesn't match any of the policy rules."
        (&[&server("port: 8080, accessPolicy: all-unauthenticated")], "Allowed by db"),
        (&[&server("port: 8080, accessPolicy: audit")], "Allowed by db"),
        (&[&server("port: 8080, accessPolicy: all-authenticated")], "Allowed by db"),
        (&[&server("port: 8080, accessPolicy: often")], "Undetermined by db"),
        (&[&server("port: 8080, accessPolicy: all-unauthenticated"), &by_network, &network], "Allowed by db"),
        // An AuthorizationPolicy for "all traffic to the Server", for its namespace, and for one route.
        (&[&db, &named], "Allowed by p named"),
        (&[&db, &foreign], "Denied by db"),
        (&[&db, &whole], "Allowed by p named"),
        (&[&db, &route, &attached], "Undetermined by p"),
        (&[&db, &route, &elsewhere], "Denied by db"),
        (&[&db, &named.replace("name: db}", "name: web}")], "Denied by db"),
        // "Clients must be in the mesh and must have one of the specified identities."
        (&[&db, &by_tls, &all], "Allowed by p"),
        (&[&db, &by_tls, &domain], "Allowed by p of namespace"),
        (&[&db, &by_tls, &exact], "Allowed by p named"),
        (&[&db, &by_tls, &other], "Denied by db"),
        (&[&db, &by_tls, &corp], "Undetermined by p"),
        (&[&db, &by_tls, &references], "Allowed by p named"),
        (&[&db, &by_tls], "Undetermined by p"),
        // "In the case of multiple entries, all authentications must match."
        (&[&db, &both, &all], "Denied by db"),
        // "Clients must be in one of the specified networks": which addresses they have is not known.
        (&[&db, &by_network, &network], "Undetermined by p"),
        // Others may come from these addresses, so what lets the caller in is not his name alone.
        (&[&db, &by_network, &network, &named.replace("name: p,", "name: q,")], "Allowed by q"),
        (&[&server("port: 8080, colour: red")], "Undetermined by db"),
        (&[&db.replace("v1beta3", "v9")], "Undetermined by db"),
    ];
    for (documents, expected) in table {
        assert_eq!(ask(documents, &member("shop", "web"), &member("shop", "db")), expected, "{documents:?}");
    }
}

#[test]
fn server_authorizations_say_who() {
    let db = server(OPEN_PORT);
    let table = [
        // "A boolean value that authorizes unauthenticated clients to access a server."
        ("{unauthenticated: true}", "Allowed by p", "Allowed by p"),
        ("{unauthenticated: true, networks: [{cidr: 0.0.0.0/0}, {cidr: '::/0'}]}", "Allowed by p", "Allowed by p"),
        ("{unauthenticated: true, networks: [{cidr: 10.0.0.0/8}]}", "Undetermined by p", "Undetermined by p"),
        // "A list of authorized client serviceAccounts." "If unset, the authorization's namespace is used."
        ("{meshTLS: {serviceAccounts: [{name: web}]}}", "Allowed by p named", "Denied by db"),
        ("{meshTLS: {serviceAccounts: [{name: web, namespace: cart}]}}", "Denied by db", "Denied by db"),
        // "An identity string of * indicates that all authentication clients are authorized."
        ("{meshTLS: {identities: ['*']}}", "Allowed by p", "Denied by db"),
        // "No client identity is required for communication": it may use TLS of its own.
        ("{meshTLS: {unauthenticatedTLS: true}}", "Allowed by p", "Undetermined by p"),
        ("{}", "Undetermined by p", "Undetermined by p"),
        ("{everybody: true}", "Undetermined by p", "Undetermined by p"),
        ("{unauthenticated: true, networks: x}", "Undetermined by p", "Undetermined by p"),
        ("{meshTLS: {identities: x}}", "Undetermined by p", "Undetermined by p"),
        ("{meshTLS: {identities: [[]]}}", "Undetermined by p", "Undetermined by p"),
        ("{meshTLS: {serviceAccounts: [{}]}}", "Undetermined by p", "Undetermined by p"),
        ("x", "Undetermined by p", "Undetermined by p"),
    ];
    for (client, inside, outside) in table {
        let documents = [db.as_str(), &authorization(client)];
        assert_eq!(ask(&documents, &member("shop", "web"), &member("shop", "db")), inside, "{client}");
        assert_eq!(ask(&documents, &outsider("shop", "web"), &member("shop", "db")), outside, "{client}");
    }
    // "A selector selects servers on which this authorization applies in the same namespace."
    let by_label = |label: &str| {
        authorization("{unauthenticated: true}")
            .replace("{name: db}", &format!("{{selector: {{matchLabels: {{of: {label}}}}}}}"))
    };
    assert_eq!(ask(&[&db, &by_label("db")], &outsider("shop", "web"), &member("shop", "db")), "Allowed by p");
    assert_eq!(ask(&[&db, &by_label("x")], &outsider("shop", "web"), &member("shop", "db")), "Denied by db");
}

#[test]
fn without_a_server_the_default_policy_decides() {
    let key = "config.linkerd.io/default-inbound-policy";
    let skip = "config.linkerd.io/skip-inbound-ports";
    let db = || member("shop", "db");
    let table = [
        // "All-unauthenticated: allow all traffic. This is the default."
        (db(), "Unrestricted", "Unrestricted"),
        (db().annotation(key, "all-unauthenticated"), "Unrestricted", "Unrestricted"),
        (db().annotation(key, "audit"), "Unrestricted", "Unrestricted"),
        // "Allow traffic from meshed clients in the same cluster."
        (db().annotation(key, "cluster-authenticated"), "Allowed", "Denied"),
        (db().annotation(key, "all-authenticated"), "Allowed", "Denied"),
        (db().annotation(key, "deny"), "Denied", "Denied"),
        (db().annotation(key, "who-knows"), "Undetermined", "Undetermined"),
        // "Overridden [...] on either a pod spec or its namespace."
        (db().namespace_annotation(key, "deny"), "Denied", "Denied"),
        (db().namespace_annotation(key, "deny").annotation(key, "all-unauthenticated"), "Unrestricted", "Unrestricted"),
        (db().annotation(key, "deny").annotation(skip, "25,8000-9000"), "Unrestricted", "Unrestricted"),
        (db().annotation(key, "deny").annotation(skip, "25"), "Denied", "Denied"),
        (
            db().annotation(key, "deny").annotation("config.linkerd.io/skip-subnets", "10.0.0.0/8"),
            "Undetermined",
            "Undetermined",
        ),
        (db().namespace_label("config.linkerd.io/admission-webhooks", "disabled").annotation(key, "deny"), "-", "-"),
        // "Linkerd can only enforce policy on meshed pods, i.e. pods where the Linkerd proxy has been injected."
        (outsider("shop", "db").annotation(key, "deny"), "-", "-"),
        (stranger("shop", "db").annotation(key, "deny"), "-", "-"),
        (stranger("shop", "db").container("linkerd-proxy").annotation(key, "deny"), "Denied", "Denied"),
        (db().host_network().annotation(key, "deny"), "-", "-"),
    ];
    for (target, inside, outside) in table {
        assert_eq!(ask(&[], &member("shop", "web"), &target), inside);
        assert_eq!(ask(&[], &outsider("shop", "web"), &target), outside);
    }
    let authenticated = db().annotation(key, "all-authenticated");
    assert_eq!(
        ask(&[], &stranger("shop", "web"), &authenticated),
        "Undetermined",
        "nothing says whether it is a member"
    );
    let around = member("shop", "web").annotation("config.linkerd.io/skip-outbound-ports", "8080");
    assert_eq!(ask(&[], &around, &authenticated), "Denied");
    assert_eq!(ask(&[&server(OPEN_PORT)], &member("shop", "web"), &stranger("shop", "db")), "Undetermined by db");
    assert_eq!(ask(&[&server(OPEN_PORT)], &member("shop", "web"), &outsider("shop", "db")), "-");
}

/// "Linkerd automatically enables mutually-authenticated Transport Layer Security (mTLS) for all TCP traffic between meshed
/// pods."
#[test]
fn members_encrypt_what_they_say_to_each_other() {
    let named = policy_for("{kind: ServiceAccount, name: web}");
    let open = authorization("{unauthenticated: true}");
    let db = server(OPEN_PORT);
    /// Documents, both ends, whether it is encrypted and whether the caller proves who he is.
    type Row<'a> = (&'a [&'a str], Member, Member, (bool, bool));
    let table: [Row<'_>; 7] = [
        (&[], member("shop", "web"), member("shop", "db"), (true, false)),
        (&[], stranger("shop", "web"), member("shop", "db"), (false, false)),
        (&[], member("shop", "web"), outsider("shop", "db"), (false, false)),
        (
            &[],
            member("shop", "web").annotation("config.linkerd.io/skip-outbound-ports", "8080"),
            member("shop", "db"),
            (false, false),
        ),
        (&[&db, &named], member("shop", "web"), member("shop", "db"), (true, true)),
        (&[&db, &open], member("shop", "web"), member("shop", "db"), (true, false)),
        (&[&db, &named], stranger("shop", "web"), member("shop", "db"), (false, false)),
    ];
    for (documents, source, target, expected) in table {
        both_orders(documents, |manifests| {
            let linkerd = Linkerd::read(manifests, "default");
            let found = source.calls(&target, Some(8080), |call| linkerd.protection(call));
            assert_eq!((found.encrypted, found.proves_identity), expected, "{documents:?}");
        });
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {}}";
    let db = server(OPEN_PORT);
    let named = policy_for("{kind: ServiceAccount, name: web}");
    let table: [(&[&str], &[&str]); 12] = [
        (&[pod, &db, &named], &[]),
        (&[pod, &server("port: 8080, accessPolicy: x")], &["unknown-action"]),
        (&[pod, &server("port: []")], &["unknown-field"]),
        (&[pod, &server("port: 8080, colour: red")], &["unknown-field"]),
        (&[pod, &db.replace("v1beta3", "v9")], &["unknown-version"]),
        (&[pod, &db.replace("app: db", "app: web")], &["selects-nothing"]),
        (&[pod, &named], &["selects-nothing"]),
        (&[pod, &db, &policy_for("{kind: MeshTLSAuthentication, name: gone}")], &["unknown-reference"]),
        (&[pod, &db, &policy_for("{kind: Robot, name: x}")], &["unknown-reference"]),
        (
            &[pod, &db, &policy("p", "{targetRef: {kind: Robot, name: x}, requiredAuthenticationRefs: []}")],
            &["unknown-field"],
        ),
        // "The field is still required so that it's harder for simple misconfigurations to result in allowing traffic."
        (
            &[pod, &db, &policy("p", "{targetRef: {group: policy.linkerd.io, kind: Server, name: db}}")],
            &["unknown-field"],
        ),
        (&[pod, &db, &authorization("{everybody: true}")], &["unknown-field", "unknown-field"]),
    ];
    for (documents, expected) in table {
        both_orders(documents, |manifests| {
            let found = limits(manifests, &Linkerd::read(manifests, "default"), "default");
            let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
            assert_eq!(codes, expected, "{documents:?}: {found:?}");
        });
    }
}

// Small random worlds, against an evaluator that is written anew here and looks at single callers.

/// Who is let through: everybody, members, or one account; all of these must hold.
type Who = Vec<&'static str>;

#[derive(Debug, Clone)]
struct World {
    /// Ports of the pod `db` that have a Server, with its access policy.
    servers: Vec<(u16, &'static str)>,
    /// Which Server is meant, or all of them, and who is.
    rules: Vec<(Option<u16>, Who)>,
    default: Option<&'static str>,
}

fn random_world(random: &mut Random) -> World {
    let access = ["deny", "deny", "all-authenticated", "all-unauthenticated"];
    let ports: &[u16] = random.one(&[&[][..], &[8080], &[9090], &[8080, 9090]]);
    let who = ["anybody", "members", "shop/web", "cart/web", "cart/db"];
    World {
        servers: ports.iter().map(|port| (*port, random.one(&access))).collect(),
        rules: (0..random.below(4))
            .map(|_| {
                let of = random.one(&[None, Some(8080), Some(9090)]);
                (of, (0..=random.below(2)).map(|_| random.one(&who)).collect())
            })
            .collect(),
        default: random.one(&[None, Some("deny"), Some("all-authenticated")]),
    }
}

fn documents(world: &World) -> Vec<String> {
    let mut documents = vec![object("v1alpha1", "MeshTLSAuthentication", "members", "{identities: ['*']}")];
    documents.extend(world.servers.iter().map(|(port, access)| {
        object(
            "v1beta3",
            "Server",
            &format!("s{port}"),
            &format!("{{podSelector: {{}}, port: {port}, accessPolicy: {access}}}"),
        )
    }));
    documents.extend(world.rules.iter().enumerate().map(|(at, (port, who))| {
        let target = match port {
            Some(port) => format!("{{kind: Server, group: policy.linkerd.io, name: s{port}}}"),
            None => "{kind: Namespace, name: shop}".to_owned(),
        };
        let reference = |who: &&str| match who.split_once('/') {
            Some((namespace, name)) => Some(format!("{{kind: ServiceAccount, name: {name}, namespace: {namespace}}}")),
            None if *who == "members" => Some("{kind: MeshTLSAuthentication, name: members}".to_owned()),
            None => None,
        };
        let references: Vec<String> = who.iter().filter_map(reference).collect();
        policy(
            &format!("p{at}"),
            &format!("{{targetRef: {target}, requiredAuthenticationRefs: [{}]}}", references.join(", ")),
        )
    }));
    documents
}

/// Whether a caller gets to a port, and whether a Server or a default policy is about it. Nobody in particular has no
/// account.
fn gets_through(world: &World, port: u16, caller: Option<&str>) -> MeshVerdict {
    let fits = |who: &&str| match *who {
        "anybody" => true,
        "members" => caller.is_some(),
        account => caller == Some(account),
    };
    let by_access = |access: &str| match access {
        "all-unauthenticated" => true,
        "all-authenticated" => caller.is_some(),
        _ => false,
    };
    let verdict = |through: bool| if through { MeshVerdict::Allowed } else { MeshVerdict::Denied };
    match (world.servers.iter().find(|(of, _)| *of == port), world.default) {
        (Some((_, access)), _) => {
            let mut rules = world.rules.iter().filter(|(of, _)| of.is_none_or(|of| of == port));
            verdict(rules.any(|(_, who)| who.iter().all(&fits)) || by_access(access))
        }
        (None, Some(default)) => verdict(by_access(default)),
        (None, None) => MeshVerdict::Unrestricted,
    }
}

/// Callers with what is known of them: in the mesh, not, or maybe.
const CALLERS: [(&str, &str, Option<bool>); 5] = [
    ("shop", "web", Some(true)),
    ("cart", "web", Some(true)),
    ("cart", "web", Some(false)),
    ("cart", "db", None),
    ("shop", "web", None),
];

fn answers(documents: &[String], world: &World) -> Vec<MeshAnswer> {
    let manifests = common::manifests(&documents.join("\n---\n"));
    let linkerd = Linkerd::read(&manifests, "default");
    let mut target = member("shop", "db");
    if let Some(default) = world.default {
        target = target.annotation("config.linkerd.io/default-inbound-policy", default);
    }
    let source = |(namespace, app, inside)| match inside {
        Some(true) => member(namespace, app),
        Some(false) => outsider(namespace, app),
        None => stranger(namespace, app),
    };
    let ask = |caller, port| source(caller).calls(&target, Some(port), |call| linkerd.answer(call)).expect("a member");
    CALLERS.into_iter().flat_map(|caller| [8080, 9090].map(|port| ask(caller, port))).collect()
}

#[test]
fn answers_agree_with_single_callers() {
    let mut random = Random(3);
    let mut seen = std::collections::BTreeMap::new();
    for round in 0..500 {
        let world = random_world(&mut random);
        let mut objects = documents(&world);
        let found = answers(&objects, &world);
        objects.reverse();
        let backwards = answers(&objects, &world);
        let questions = CALLERS.into_iter().flat_map(|caller| [8080, 9090].map(|port| (caller, port)));
        for (((caller, port), answer), other) in questions.zip(found).zip(backwards) {
            assert_eq!(answer.verdict, other.verdict, "the order of objects matters in round {round}");
            let account = format!("{}/{}", caller.0, caller.1);
            let may_be: &[Option<&str>] = match caller.2 {
                Some(true) => &[Some(&account)],
                Some(false) => &[None],
                None => &[None, Some(&account)],
            };
            let all: Vec<_> = may_be.iter().map(|caller| gets_through(&world, port, *caller)).collect();
            let expected = if all.iter().all(|v| *v == all[0]) { all[0] } else { MeshVerdict::Undetermined };
            assert_eq!(answer.verdict, expected, "{caller:?} to {port}: {world:?}");
            *seen.entry(answer.verdict).or_insert(0) += 1;
        }
    }
    assert!(seen.len() == 4 && seen.values().all(|n| *n > 200), "{seen:?}: the worlds are too much alike");
}

#[test]
fn another_authorization_takes_nothing_away() {
    let rank = |answer: &MeshAnswer| match answer.verdict {
        MeshVerdict::Denied => Match::No,
        MeshVerdict::Undetermined => Match::Unknown,
        MeshVerdict::Allowed | MeshVerdict::Unrestricted => Match::Yes,
    };
    let mut random = Random(29);
    let mut opened = 0;
    for _ in 0..300 {
        let mut world = random_world(&mut random);
        let before = answers(&documents(&world), &world);
        let more = random_world(&mut random).rules;
        world.rules.extend(more);
        for (before, after) in before.iter().zip(answers(&documents(&world), &world)) {
            assert!(rank(&after) >= rank(before), "{before:?}, then {after:?}: {world:?}");
            opened += usize::from(rank(&after) > rank(before));
        }
    }
    assert!(opened > 100, "{opened}: the rules change too little");
}
