//! The mesh on small random worlds, against an evaluator that is written anew here: it looks at single requests in single
//! states of what manifests do not tell, and knows yes and no only.

mod common;
mod meshed;
mod worlds;

use kubestride_policy::mesh::Mesh;
use kubestride_policy::{MeshAnswer, MeshVerdict, Named};
use meshed::{Member, shown};
use worlds::Random;

const NAMESPACES: [&str; 2] = ["shop", "cart"];
const APPS: [&str; 2] = ["web", "db"];
const PORTS: [u16; 2] = [8080, 9090];
/// The last one is in no rule.
const METHODS: [&str; 3] = ["GET", "PUT", "HEAD"];

#[derive(Debug, Clone)]
struct Test {
    field: &'static str,
    values: Vec<&'static str>,
    negated: bool,
}

#[derive(Debug, Clone, Default)]
struct Rule {
    from: Vec<Vec<Test>>,
    to: Vec<Vec<Test>>,
    when: Vec<Test>,
}

#[derive(Debug, Clone)]
struct Policy {
    namespace: &'static str,
    app: Option<&'static str>,
    action: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Peers {
    namespace: &'static str,
    app: Option<&'static str>,
    mode: Option<&'static str>,
    port: Option<(u16, &'static str)>,
}

/// A DestinationRule.
#[derive(Debug, Clone)]
struct Destination {
    namespace: &'static str,
    host: &'static str,
    mode: Option<&'static str>,
    port: Option<(u16, Option<&'static str>)>,
    /// `exportTo` has only its own namespace.
    private: bool,
    callers: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
struct World {
    policies: Vec<Policy>,
    peers: Vec<Peers>,
    destinations: Vec<Destination>,
    /// What configurations of the mesh choose, one for each.
    automatic: Vec<bool>,
    /// The root namespace, if a configuration chooses one.
    root: Option<&'static str>,
    /// Whether rules look at requests.
    requests: bool,
}

impl Random {
    fn source(&mut self) -> Vec<Test> {
        let principals = ["cluster.local/ns/shop/sa/web", "*/sa/db", "cluster.local/ns/cart/*", "*"];
        let of = [
            ("principals", &principals[..]),
            ("namespaces", &["shop", "c*", "*"]),
            ("serviceAccounts", &["shop/web", "db"]),
        ];
        self.tests(&of)
    }

    fn operation(&mut self, requests: bool) -> Vec<Test> {
        let of: &[(&str, &[&'static str])] = match requests {
            true => &[("ports", &["8080", "9090"]), ("methods", &["GET", "PUT"])],
            false => &[("ports", &["8080", "9090"])],
        };
        self.tests(of)
    }

    /// At least one test, of each field and sign at most one.
    fn tests(&mut self, of: &[(&'static str, &[&'static str])]) -> Vec<Test> {
        let mut tests: Vec<Test> = Vec::new();
        for _ in 0..=self.below(2) {
            let (field, values) = self.one(of);
            let negated = self.below(3) == 0;
            let values = (0..=self.below(2)).map(|_| self.one(values)).collect();
            if tests.iter().all(|t| (t.field, t.negated) != (field, negated)) {
                tests.push(Test { field, values, negated });
            }
        }
        tests
    }

    fn rule(&mut self, requests: bool) -> Rule {
        let when: &[(&str, &[&'static str])] =
            &[("source.namespace", &["shop", "cart"]), ("destination.port", &["8080"])];
        Rule {
            from: (0..self.below(3)).map(|_| self.source()).collect(),
            to: (0..self.below(2)).map(|_| self.operation(requests)).collect(),
            when: if self.below(4) == 0 { self.tests(when) } else { Vec::new() },
        }
    }

    /// A policy by which some callers get through and no others.
    fn naming(&mut self) -> Policy {
        let (field, values) = self.one(&[
            ("principals", &["cluster.local/ns/shop/sa/web", "cluster.local/ns/cart/sa/db"][..]),
            ("namespaces", &["shop", "cart"]),
            ("serviceAccounts", &["shop/web", "cart/web"]),
        ]);
        let negated = self.below(2) == 0;
        let test = Test { field, values: vec![self.one(values)], negated };
        let rules = vec![Rule { from: vec![vec![test]], ..Rule::default() }];
        let action = if negated { "DENY" } else { "ALLOW" };
        Policy { namespace: self.one(&["shop", "cart"]), app: None, action, rules }
    }

    fn world(&mut self) -> World {
        let requests = self.below(2) == 0;
        let policy = |random: &mut Self| Policy {
            namespace: random.one(&["shop", "shop", "cart", "istio-system"]),
            app: random.one(&[None, Some("db"), Some("web")]),
            action: random.one(&["ALLOW", "ALLOW", "DENY", "AUDIT", "CUSTOM"]),
            rules: (0..random.below(3)).map(|_| random.rule(requests)).collect(),
        };
        let modes = ["STRICT", "PERMISSIVE", "DISABLE"];
        let peers = |random: &mut Self| {
            let app = random.one(&[None, None, Some("db")]);
            Peers {
                namespace: random.one(&["shop", "istio-system", "cart"]),
                app,
                mode: random.one(&[None, Some("STRICT"), Some("PERMISSIVE"), Some("DISABLE")]),
                port: if random.below(3) == 0 { Some((random.one(&PORTS), random.one(&modes))) } else { None },
            }
        };
        let tls = ["DISABLE", "SIMPLE", "ISTIO_MUTUAL"];
        let destination = |random: &mut Self| Destination {
            namespace: random.one(&["shop", "cart", "istio-system"]),
            host: random.one(&["db", "web", "db.shop.svc.cluster.local", "*.cart.svc.cluster.local", "*.local", "*"]),
            mode: if random.below(3) == 0 { None } else { Some(random.one(&tls)) },
            port: match random.below(3) {
                0 => Some((random.one(&PORTS), if random.below(2) == 0 { None } else { Some(random.one(&tls)) })),
                _ => None,
            },
            private: random.below(4) == 0,
            callers: if random.below(4) == 0 { Some(random.one(&APPS)) } else { None },
        };
        let mut policies: Vec<Policy> = (0..self.below(4)).map(|_| policy(self)).collect();
        if self.below(5) == 0 {
            policies = vec![self.naming()];
        }
        let peers = (0..self.below(4)).map(|_| peers(self)).collect();
        let destinations = (0..self.below(3)).map(|_| destination(self)).collect();
        let automatic = match self.below(8) {
            0 => vec![false],
            1 => vec![true, false],
            _ => Vec::new(),
        };
        let root = if self.below(4) == 0 { Some("cart") } else { None };
        World { policies, peers, destinations, automatic, root, requests }
    }
}

fn tests_yaml(tests: &[Test]) -> String {
    let one = |test: &Test| {
        let mut name = test.field.to_owned();
        if test.negated {
            name = format!("not{}{}", name[..1].to_uppercase(), &name[1..]);
        }
        let values: Vec<String> = test.values.iter().map(|v| format!("'{v}'")).collect();
        format!("{name}: [{}]", values.join(", "))
    };
    format!("{{{}}}", tests.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn selector(app: Option<&str>) -> String {
    app.map(|app| format!("selector: {{matchLabels: {{app: {app}}}}}, ")).unwrap_or_default()
}

impl World {
    fn documents(&self) -> Vec<String> {
        let rule = |rule: &Rule| {
            let list = |list: &[Vec<Test>], part: &str| {
                list.iter().map(|tests| format!("{{{part}: {}}}", tests_yaml(tests))).collect::<Vec<_>>().join(", ")
            };
            let when = |test: &Test| {
                let values: Vec<String> = test.values.iter().map(|v| format!("'{v}'")).collect();
                let field = if test.negated { "notValues" } else { "values" };
                format!("{{key: {}, {field}: [{}]}}", test.field, values.join(", "))
            };
            let when: Vec<String> = rule.when.iter().map(when).collect();
            let (from, to) = (list(&rule.from, "source"), list(&rule.to, "operation"));
            format!("{{from: [{from}], to: [{to}], when: [{}]}}", when.join(", "))
        };
        let head = |kind: &str, name: String, namespace: &str| {
            format!(
                "apiVersion: security.istio.io/v1, kind: {kind}, metadata: {{name: {name}, namespace: {namespace}}}"
            )
        };
        let policies = self.policies.iter().enumerate().map(|(at, p)| {
            let rules: Vec<String> = p.rules.iter().map(rule).collect();
            let spec = format!("{}action: {}, rules: [{}]", selector(p.app), p.action, rules.join(", "));
            format!("{{{}, spec: {{{spec}}}}}", head("AuthorizationPolicy", format!("p{at}"), p.namespace))
        });
        let peers = self.peers.iter().enumerate().map(|(at, p)| {
            let mode = p.mode.map(|m| format!("mtls: {{mode: {m}}}, ")).unwrap_or_default();
            let port = p.port.map(|(n, m)| format!("portLevelMtls: {{{n}: {{mode: {m}}}}}")).unwrap_or_default();
            let spec = format!("{}{mode}{port}", selector(p.app));
            format!("{{{}, spec: {{{spec}}}}}", head("PeerAuthentication", format!("m{at}"), p.namespace))
        });
        let destinations = self.destinations.iter().enumerate().map(|(at, d)| {
            let tls = |mode: Option<&str>| mode.map(|m| format!("tls: {{mode: {m}}}")).unwrap_or_default();
            let port = d
                .port
                .map(|(number, mode)| format!(", portLevelSettings: [{{port: {{number: {number}}}, {}}}]", tls(mode)));
            let export = if d.private { "exportTo: ['.'], " } else { "" };
            let callers = d.callers.map(|app| format!("workloadSelector: {{matchLabels: {{app: {app}}}}}, "));
            let policy = format!("trafficPolicy: {{{}{}}}", tls(d.mode), port.unwrap_or_default()).replace("{, ", "{");
            let spec = format!("host: '{}', {export}{}{policy}", d.host, callers.unwrap_or_default());
            let head = head("DestinationRule", format!("d{at}"), d.namespace).replace("security", "networking");
            format!("{{{head}, spec: {{{spec}}}}}")
        });
        let config = |(at, mesh): (usize, String)| {
            format!(
                "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: istio-{at}, namespace: istio-system}}, data: {{mesh: \
                 '{mesh}'}}}}"
            )
        };
        let automatic = self.automatic.iter().map(|automatic| format!("enableAutoMtls: {automatic}"));
        let root = self.root.map(|root| format!("rootNamespace: {root}"));
        let configs = automatic.chain(root).enumerate().map(config);
        policies.chain(peers).chain(destinations).chain(configs).collect()
    }

    fn root(&self) -> &'static str {
        self.root.unwrap_or("istio-system")
    }
}

/// What manifests do not tell, told.
#[derive(Debug, Clone, Copy)]
struct State {
    source_inside: bool,
    target_inside: bool,
    /// Which PeerAuthentication is the oldest: the one that this number counts to, of each level.
    oldest: usize,
    /// What the other service says.
    custom: bool,
    /// Which configuration of the mesh holds, and which of several DestinationRules.
    choice: usize,
    /// The caller is served by a ztunnel, and not by a sidecar.
    ztunnel: bool,
}

/// A pod: namespace, label and account, and whether it is in the mesh if that is known.
type Pod = (&'static str, &'static str, Option<bool>);

/// The mode for a port: the oldest policy of each level, the most special first.
fn mode(world: &World, target: Pod, port: u16, oldest: usize) -> &'static str {
    let pick = |list: Vec<&Peers>| if list.is_empty() { None } else { Some(list[oldest % list.len()].clone()) };
    let level = |namespace: &str, app: bool| {
        let fits =
            |p: &&Peers| p.namespace == namespace && p.app.is_some() == app && p.app.is_none_or(|a| a == target.1);
        pick(world.peers.iter().filter(fits).collect())
    };
    let levels = match target.0 == world.root() {
        true => [None, None, level(target.0, false)],
        false => [level(target.0, true), level(target.0, false), level(world.root(), false)],
    };
    let of_port = levels[0].as_ref().and_then(|p| p.port).filter(|(number, _)| *number == port).map(|(_, mode)| mode);
    of_port.or(levels.iter().flatten().find_map(|p| p.mode)).unwrap_or("PERMISSIVE")
}

/// Which TLS the caller's sidecar is told to use; none if no rule says.
fn told(world: &World, source: Pod, target: Pod, port: u16, choice: usize) -> Option<&'static str> {
    let name = format!("{}.{}.svc.cluster.local", target.1, target.0);
    let full = |d: &Destination| match d.host.contains(['.', '*']) {
        true => d.host.to_owned(),
        false => format!("{}.{}.svc.cluster.local", d.host, d.namespace),
    };
    let fits = |d: &&Destination| {
        let host = full(d);
        host == name || host.strip_prefix('*').is_some_and(|end| name.ends_with(end))
    };
    let in_root = source.0 == world.root();
    let stages: [&dyn Fn(&&Destination) -> bool; 3] = [
        &|d| d.namespace == source.0 && (!in_root || d.private),
        &|d| d.namespace == target.0 && (!d.private || source.0 == target.0),
        &|d| d.namespace == world.root() && (!d.private || in_root),
    ];
    for stage in stages {
        let found: Vec<&Destination> = world.destinations.iter().filter(|d| stage(d) && fits(d)).collect();
        let length = |d: &&Destination| if full(d) == name { 1000 } else { full(d).len() };
        let Some(most) = found.iter().map(length).max() else { continue };
        let best = || found.iter().filter(|d| length(d) == most);
        let mut for_caller: Vec<_> = best().filter(|d| d.callers == Some(source.1)).collect();
        if for_caller.is_empty() {
            for_caller = best().filter(|d| d.callers.is_none()).collect();
        }
        let rule = for_caller.get(choice % for_caller.len().max(1))?;
        return rule.port.filter(|(number, _)| *number == port).map_or(rule.mode, |(_, mode)| mode);
    }
    None
}

fn like(pattern: &str, text: &str) -> bool {
    match pattern {
        "*" => !text.is_empty(),
        _ if pattern.starts_with('*') => text.ends_with(&pattern[1..]),
        _ if pattern.ends_with('*') => text.starts_with(&pattern[..pattern.len() - 1]),
        _ => pattern == text,
    }
}

/// `caller` is nobody in plain text.
fn holds(test: &Test, policy: &Policy, caller: Option<Pod>, port: u16, method: &str) -> bool {
    let (namespace, account) = caller.map_or(("", ""), |pod| (pod.0, pod.1));
    let principal = caller.map_or(String::new(), |_| format!("cluster.local/ns/{namespace}/sa/{account}"));
    let one = |value: &&str| match test.field {
        "principals" => like(value, &principal),
        "namespaces" | "source.namespace" => like(value, namespace),
        "serviceAccounts" => {
            let full = if value.contains('/') { (*value).to_owned() } else { format!("{}/{value}", policy.namespace) };
            caller.is_some() && full == format!("{namespace}/{account}")
        }
        "ports" | "destination.port" => *value == port.to_string(),
        "methods" => *value == method,
        other => panic!("{other}"),
    };
    test.values.iter().any(one) != test.negated
}

/// One request in one state: whether it gets through, and whether a policy was about it.
fn gets_through(world: &World, source: Pod, target: Pod, port: u16, method: &str, state: State) -> (bool, bool) {
    if !state.target_inside {
        return (true, false);
    }
    let mode = mode(world, target, port, state.oldest);
    // Whether a ztunnel or a sidecar serves the caller, if nothing says: rules and settings are for sidecars only.
    let automatic = world.automatic.get(state.choice % world.automatic.len().max(1)) != Some(&false);
    let certified = match told(world, source, target, port, state.choice) {
        _ if state.ztunnel => true,
        None => automatic,
        Some(told) => told == "ISTIO_MUTUAL",
    };
    let encrypted = state.source_inside && mode != "DISABLE" && certified;
    if mode == "STRICT" && !encrypted {
        return (false, true);
    }
    let caller = encrypted.then_some(source);
    let selects = |p: &&Policy| {
        (p.namespace == target.0 || p.namespace == world.root()) && p.app.is_none_or(|app| app == target.1)
    };
    let matches = |p: &Policy| {
        let all = |tests: &[Test]| tests.iter().all(|t| holds(t, p, caller, port, method));
        let any = |list: &[Vec<Test>]| list.is_empty() || list.iter().any(|tests| all(tests));
        p.rules.iter().any(|rule| any(&rule.from) && any(&rule.to) && all(&rule.when))
    };
    let of = |action: &str| world.policies.iter().filter(selects).filter(|p| p.action == action).collect::<Vec<_>>();
    let limits = !of("ALLOW").is_empty() || of("DENY").iter().chain(&of("CUSTOM")).any(|p| !p.rules.is_empty());
    if of("CUSTOM").iter().any(|p| matches(p)) && !state.custom {
        return (false, limits);
    }
    if of("DENY").iter().any(|p| matches(p)) {
        return (false, limits);
    }
    (of("ALLOW").is_empty() || of("ALLOW").iter().any(|p| matches(p)), limits)
}

/// What the other service says, which of several rules and configurations holds, and what serves the caller.
fn hidden(source: Pod) -> Vec<(bool, usize, bool)> {
    let served: &[bool] = if source.2.is_none() { &[true, false] } else { &[false] };
    let choices = (0..2).flat_map(|choice| served.iter().map(move |ztunnel| (choice, *ztunnel)));
    choices.flat_map(|(choice, ztunnel)| [true, false].map(|custom| (custom, choice, ztunnel))).collect()
}

/// What all requests in all states have in common.
fn expected(world: &World, source: Pod, target: Pod, port: u16) -> MeshVerdict {
    let may_be = |known: Option<bool>| known.map_or(vec![true, false], |known| vec![known]);
    let mut found: Vec<MeshVerdict> = Vec::new();
    for source_inside in may_be(source.2) {
        for target_inside in may_be(target.2) {
            for oldest in 0..6 {
                for (custom, choice, ztunnel) in hidden(source) {
                    let state = State { source_inside, target_inside, oldest, custom, choice, ztunnel };
                    for method in METHODS {
                        found.push(match gets_through(world, source, target, port, method, state) {
                            (true, true) => MeshVerdict::Allowed,
                            (true, false) => MeshVerdict::Unrestricted,
                            (false, _) => MeshVerdict::Denied,
                        });
                    }
                }
            }
        }
    }
    match found.iter().all(|verdict| *verdict == found[0]) {
        true => found[0],
        false => MeshVerdict::Undetermined,
    }
}

fn member((namespace, app, inside): Pod) -> Member {
    let member = Member::new(namespace, app);
    match inside {
        Some(true) => member.label("sidecar.istio.io/inject", "true"),
        Some(false) => member.label("sidecar.istio.io/inject", "false"),
        None => member,
    }
}

/// Pairs to ask about, with ports.
fn questions() -> Vec<(Pod, Pod, u16)> {
    let mut questions = Vec::new();
    for source in NAMESPACES.iter().flat_map(|n| APPS.map(|a| (*n, a))) {
        for insides in [(Some(true), Some(true)), (Some(false), Some(true)), (None, Some(true)), (Some(true), None)] {
            for target in [("shop", "db"), ("cart", "web")] {
                let pods = ((source.0, source.1, insides.0), (target.0, target.1, insides.1));
                questions.extend(PORTS.map(|port| (pods.0, pods.1, port)));
            }
        }
    }
    questions
}

fn answers(documents: &[String]) -> Vec<Option<MeshAnswer>> {
    let manifests = common::manifests(&documents.join("\n---\n"));
    let mesh = Mesh::read(&manifests, "default");
    let ask = |(source, target, port): (Pod, Pod, u16)| {
        member(source).calls(&member(target), Some(port), |call| mesh.answer(call))
    };
    questions().into_iter().map(ask).collect()
}

#[test]
fn answers_agree_with_single_requests() {
    let mut random = Random(5);
    let mut seen = std::collections::BTreeMap::new();
    let mut names = std::collections::BTreeMap::new();
    for round in 0..250 {
        let world = random.world();
        let mut documents = world.documents();
        let found = answers(&documents);
        documents.reverse();
        let all_shown = |answers: Vec<Option<MeshAnswer>>| answers.into_iter().map(shown).collect::<Vec<_>>();
        let backwards = all_shown(answers(&documents));
        assert_eq!(all_shown(found.clone()), backwards, "the order of objects matters in round {round}");
        for ((source, target, port), answer) in questions().into_iter().zip(found) {
            let expected = expected(&world, source, target, port);
            let Some(answer) = answer else {
                // Where nothing says that there is a mesh, nothing is claimed.
                let unknown = target.2.is_none() && expected == MeshVerdict::Undetermined;
                assert!(
                    unknown || expected == MeshVerdict::Unrestricted,
                    "{source:?} to {target:?}:{port} is {expected:?}\n{}",
                    documents.join("\n")
                );
                continue;
            };
            // Whether rules cover all requests together, several rules each some of them, is not worked out.
            if answer.verdict != MeshVerdict::Undetermined || !world.requests {
                assert_eq!(answer.verdict, expected, "{source:?} to {target:?}:{port}\n{}", documents.join("\n"));
            }
            let others = |namespace: &'static str| {
                let others = [(namespace, "nobody", Some(true)), (namespace, "nobody", Some(false))];
                others.into_iter().all(|other| stopped(&world, other, target, port))
            };
            let named = match answer.verdict == MeshVerdict::Allowed && others("nowhere") {
                false => Named::Not,
                true if others(source.0) => Named::Account,
                true => Named::Namespace,
            };
            if !world.requests {
                assert_eq!(answer.named, named, "{source:?} to {target:?}:{port}\n{}", documents.join("\n"));
            }
            *names.entry(answer.named).or_insert(0) += 1;
            *seen.entry(answer.verdict).or_insert(0) += 1;
        }
    }
    assert!(seen.len() == 4 && seen.values().all(|n| *n > 250), "{seen:?}: the worlds are too much alike");
    assert!(names.len() == 3 && names.values().all(|n| *n > 25), "{names:?}: the worlds are too much alike");
}

/// Whether a caller is stopped in all states. Its certificate is that of the mesh if it is inside.
fn stopped(world: &World, caller: Pod, target: Pod, port: u16) -> bool {
    let inside = caller.2 == Some(true);
    (0..6).all(|oldest| {
        let state =
            State { source_inside: inside, target_inside: true, oldest, custom: true, choice: 0, ztunnel: true };
        !gets_through(world, caller, target, port, "HEAD", state).0
    })
}

#[test]
fn a_rule_that_allows_takes_nothing_away() {
    let rank = |answer: &Option<MeshAnswer>| match answer.as_ref().map(|a| a.verdict) {
        Some(MeshVerdict::Denied) => 0,
        Some(MeshVerdict::Undetermined) => 1,
        Some(MeshVerdict::Allowed | MeshVerdict::Unrestricted) | None => 2,
    };
    let mut random = Random(17);
    let mut opened = 0;
    for _ in 0..400 {
        let mut world = random.world();
        let before = answers(&world.documents());
        let rule = random.rule(world.requests);
        let Some(policy) = world.policies.iter_mut().find(|p| p.action == "ALLOW") else { continue };
        policy.rules.push(rule);
        for ((question, before), after) in questions().into_iter().zip(before).zip(answers(&world.documents())) {
            assert!(rank(&after) >= rank(&before), "{question:?}: {before:?}, then {after:?}\n{:?}", world.documents());
            opened += usize::from(rank(&after) > rank(&before));
        }
    }
    assert!(opened > 100, "{opened}: the rules change too little");
}
