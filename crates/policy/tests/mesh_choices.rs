//! What operators and callers choose: the configuration of the mesh, DestinationRules, waypoints, and whom all of it admits.

mod common;
mod meshed;

use common::both_orders;
use kubestride_policy::mesh::{Mesh, limits};
use kubestride_policy::{Admits, Call};
use meshed::istio::{DISABLED, STRICT, ambient, ask, destination, member, outsider, policy, stranger};
use meshed::{Member, shown};

/// Which TLS the caller's sidecar uses, seen by what becomes of a rule that names the caller: it is somebody with the
/// certificate of the mesh only.
#[test]
fn destination_rules_choose_the_tls_of_callers() {
    let named = policy("p", "shop", "{rules: [{from: [{source: {principals: ['cluster.local/ns/cart/sa/web']}}]}]}");
    let of = |mode: &str| format!("{{tls: {{mode: {mode}}}}}");
    let rule = |name: &str, namespace: &str, host: &str, rest: &str| {
        destination(name, namespace, &format!("{{host: '{host}', {rest}}}"))
    };
    let sets = |mode: &str| format!("trafficPolicy: {}", of(mode));
    let full = "db.shop.svc.cluster.local";
    let off = rule("d", "shop", "db", &sets("DISABLE"));
    let in_client = |rest: &str| rule("c", "cart", full, rest);
    let for_port = |number: u16, tls: &str| {
        format!("trafficPolicy: {{tls: {{mode: DISABLE}}, portLevelSettings: [{{port: {{number: {number}}}{tls}}}]}}")
    };
    let subset =
        |labels: &str| format!("subsets: [{{name: s, labels: {labels}, trafficPolicy: {{tls: {{mode: DISABLE}}}}}}]");
    let (yes, no, maybe) = ("Allowed by p named", "Denied by p", "Undetermined by p");
    let table: [(&[&str], &str); 30] = [
        (&[], yes),
        // "DISABLE: Do not setup a TLS connection to the upstream endpoint."
        (&[&off], no),
        // "ISTIO_MUTUAL: [...] this mode uses certificates generated automatically by Istio for mTLS authentication."
        (&[&rule("d", "shop", "db", &sets("ISTIO_MUTUAL"))], yes),
        // "SIMPLE: Originate a TLS connection to the upstream endpoint", without a certificate of the mesh.
        (&[&rule("d", "shop", "db", &sets("SIMPLE"))], no),
        (&[&rule("d", "shop", "db", &sets("MUTUAL"))], no),
        (&[&rule("d", "shop", "db", &sets("ODD"))], maybe),
        (&[&off.replace("/v1,", "/v9,")], maybe),
        // A rule that does not set TLS leaves it to the mesh.
        (&[&rule("d", "shop", "db", "trafficPolicy: {loadBalancer: {simple: RANDOM}}")], yes),
        // "Istio will interpret the short name based on the namespace of the rule, not the service."
        (&[&rule("d", "cart", "db", &sets("DISABLE"))], yes),
        (&[&rule("d", "shop", full, &sets("DISABLE"))], no),
        (&[&rule("d", "shop", "other", &sets("DISABLE"))], yes),
        // "Rules in the client's namespace, then the service's, then the root namespace."
        (&[&off, &in_client(&sets("ISTIO_MUTUAL"))], yes),
        (&[&rule("d", "shop", "db", &sets("ISTIO_MUTUAL")), &in_client(&sets("DISABLE"))], no),
        (&[&off, &in_client("trafficPolicy: {}")], yes),
        (&[&rule("r", "istio-system", "*.local", &sets("DISABLE"))], no),
        (
            &[&rule("r", "istio-system", "*.local", &sets("DISABLE")), &rule("d", "shop", "db", &sets("ISTIO_MUTUAL"))],
            yes,
        ),
        (&[&rule("x", "other", full, &sets("DISABLE"))], yes),
        // The most special host.
        (
            &[
                &rule("d", "shop", "*.shop.svc.cluster.local", &sets("ISTIO_MUTUAL")),
                &rule("e", "shop", "*.local", &sets("DISABLE")),
            ],
            yes,
        ),
        // "The value '.' is reserved and defines an export to the same namespace that the rule is declared in."
        (&[&rule("d", "shop", "db", &format!("exportTo: ['.'], {}", sets("DISABLE")))], yes),
        (&[&rule("d", "shop", "db", &format!("exportTo: ['*'], {}", sets("DISABLE")))], no),
        (&[&rule("d", "shop", "db", &format!("exportTo: [cart], {}", sets("DISABLE")))], no),
        // "Criteria used to select the specific set of pods/VMs on which this DestinationRule configuration should be applied."
        (&[&in_client(&format!("workloadSelector: {{matchLabels: {{app: web}}}}, {}", sets("DISABLE")))], no),
        (&[&in_client(&format!("workloadSelector: {{matchLabels: {{app: db}}}}, {}", sets("DISABLE")))], yes),
        // "Destination-level settings will be overridden by port-level settings": what they omit has its default.
        (&[&rule("d", "shop", "db", &for_port(8080, ", tls: {mode: ISTIO_MUTUAL}"))], yes),
        (&[&rule("d", "shop", "db", &for_port(8080, ""))], yes),
        (&[&rule("d", "shop", "db", &for_port(9090, ", tls: {mode: ISTIO_MUTUAL}"))], no),
        // "Policies specified for subsets will not take effect until a route rule explicitly sends traffic to this subset."
        (&[&rule("d", "shop", "db", &subset("{app: db}"))], maybe),
        (&[&rule("d", "shop", "db", &subset("{app: old}"))], yes),
        // Of two for one host the older one counts.
        (&[&off, &rule("e", "shop", full, &sets("ISTIO_MUTUAL"))], maybe),
        (&[&off, &rule("e", "shop", full, "trafficPolicy: {}")], maybe),
    ];
    for (documents, expected) in table {
        let documents: Vec<&str> = documents.iter().copied().chain([named.as_str()]).collect();
        let found = ask(&documents, &member("cart", "web"), &member("shop", "db"));
        assert!(found == expected || expected == maybe && found.starts_with("Undetermined"), "{found}: {documents:?}");
    }
    // "STRICT: Connection is an mTLS tunnel": what comes without is refused, by the rule and the policy together.
    let (web, db) = (member("cart", "web"), member("shop", "db"));
    assert_eq!(ask(&[STRICT, &off], &web, &db), "Denied by d, strict");
    assert_eq!(ask(&[STRICT, &off.replace("DISABLE", "SIMPLE")], &web, &db), "Denied by d, strict");
    assert_eq!(ask(&[STRICT, &off.replace("DISABLE", "MUTUAL")], &web, &db), "Undetermined by d, strict");
    // Without its sidecar the caller has no such rule to follow.
    assert_eq!(ask(&[&off, &named], &ambient("cart", "web"), &ambient("shop", "db")), yes);
}

/// "By default, a waypoint will only handle traffic destined for services": what is sent to the address of a pod goes around
/// it.
#[test]
fn the_address_of_a_pod_goes_around_a_waypoint() {
    let attached = policy(
        "attached",
        "shop",
        "{targetRefs: [{kind: Service, name: db}], rules: [{from: [{source: {namespaces: [x]}}]}]}",
    );
    let db = ambient("shop", "db").namespace_label("istio.io/use-waypoint", "way");
    let manifests = common::manifests(&attached);
    let mesh = Mesh::read(&manifests, "default");
    let by = |service: Option<&'static str>| {
        let (source, target) = (ambient("shop", "web"), db.clone());
        let (source, target) = (source.get(), target.get());
        let port = Some(8080);
        shown(mesh.answer(&Call { source: &source, target: &target, dialled: port, port, service }))
    };
    assert_eq!(by(Some("db")), "Denied by attached");
    assert_eq!(by(None), "Undetermined by attached");
}

/// Whom policies let through, whoever calls.
#[test]
fn policies_say_whom_a_workload_admits() {
    let shut = policy("shut", "shop", "{}");
    let for_all = policy("shut", "istio-system", "{}");
    let tried = shut.replace("name: shut", "name: shut, annotations: {istio.io/dry-run: 'true'}");
    let from = |source: &str| policy("p", "shop", &format!("{{rules: [{{from: [{{source: {source}}}]}}]}}"));
    let deny = |source: &str| from(source).replace("{rules", "{action: DENY, rules");
    let at_port = from("{namespaces: [x]}").replace("]}}]}", "]}}, {source: {namespaces: [y]}}]}");
    let open_port =
        policy("p", "shop", "{rules: [{from: [{source: {namespaces: [x]}}]}, {to: [{operation: {ports: ['9090']}}]}]}");
    let by_method = policy("p", "shop", "{rules: [{to: [{operation: {methods: [GET]}}]}]}");
    let custom = policy("custom", "shop", "{action: CUSTOM, provider: {name: x}, rules: [{}]}");
    let attached = policy("p", "shop", "{targetRefs: [{kind: Service, name: db}]}");
    let (db, exclude) = (|| member("shop", "db"), "traffic.sidecar.istio.io/excludeInboundPorts");
    type Row<'a> = (&'a [&'a str], Member, &'a [u16], Option<Admits>);
    let (nobody, members, all) = (Some(Admits::Named), Some(Admits::Members), Some(Admits::Everybody));
    let table: [Row<'_>; 30] = [
        (&[], db(), &[8080], all),
        (&[], stranger("shop", "db"), &[8080], None),
        (&[], outsider("shop", "db"), &[8080], all),
        (&[&shut], db(), &[8080], nobody),
        (&[&shut], db(), &[], nobody),
        (&[&for_all], db(), &[8080], nobody),
        (&[&shut.replace("shop", "cart")], db(), &[8080], all),
        (&[&tried], db(), &[8080], all),
        // Who is no member of the mesh is stopped by nothing.
        (&[&shut], stranger("shop", "db"), &[8080], None),
        (&[&shut], outsider("shop", "db"), &[8080], all),
        (&[&shut], db().annotation(exclude, "8080"), &[8080], all),
        (&[&shut], db().annotation(exclude, "9090"), &[8080], nobody),
        (&[&shut], db().annotation(exclude, "9090"), &[8080, 9090], all),
        // "Connection is an mTLS tunnel (TLS with client cert must be presented)."
        (&[STRICT], db(), &[8080], members),
        (&[DISABLED], db(), &[8080], all),
        (&[STRICT, &from("{namespaces: [x]}")], db(), &[8080], nobody),
        // "These mTLS-only fields will never match when the traffic is plain text", without `STRICT` too.
        (&[&from("{namespaces: [x]}")], db(), &[8080], nobody),
        (&[&from("{principals: ['cluster.local/ns/x/sa/y']}")], db(), &[8080], nobody),
        (&[&from("{principals: ['*']}")], db(), &[8080], members),
        (&[&from("{notNamespaces: [x]}")], db(), &[8080], all),
        (&[&deny("{notPrincipals: ['cluster.local/ns/x/sa/y']}")], db(), &[8080], nobody),
        (&[&deny("{notNamespaces: [x]}")], db(), &[8080], nobody),
        (&[&deny("{notPrincipals: ['*']}")], db(), &[8080], members),
        (&[&deny("{namespaces: [x]}")], db(), &[8080], all),
        (&[&at_port], db(), &[8080, 9090], nobody),
        (&[&open_port], db(), &[8080], nobody),
        (&[&open_port], db(), &[8080, 9090], all),
        (&[&by_method], db(), &[8080], None),
        (&[&custom], db(), &[8080], None),
        // What is sent to the address of a pod goes around the waypoint.
        (&[&attached], ambient("shop", "db").namespace_label("istio.io/use-waypoint", "way"), &[8080], all),
    ];
    for (documents, target, ports, expected) in table {
        both_orders(documents, |manifests| {
            let found = Mesh::read(manifests, "default").admits(&target.get(), ports);
            assert_eq!(found.map(|(admits, _)| admits), expected, "{documents:?} {ports:?}");
        });
    }
}

/// The configuration of a mesh: "rootNamespace: The namespace to treat as the administrative root namespace for Istio
/// configuration."
#[test]
fn the_configuration_of_the_mesh_is_read() {
    let map = |name: &str, mesh: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: istio-system}}, data: {{mesh: '{mesh}'}}}}"
        )
    };
    let operator = |spec: &str| {
        format!(
            "{{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {{name: o, namespace: x}}, spec: {spec}}}"
        )
    };
    let sail = |spec: &str| {
        format!("{{apiVersion: sailoperator.io/v1, kind: Istio, metadata: {{name: default}}, spec: {spec}}}")
    };
    let shut = |namespace: &str| policy("shut", namespace, "{}");
    let named = |domain: &str| {
        policy(
            "p",
            "shop",
            &format!("{{rules: [{{from: [{{source: {{principals: ['{domain}/ns/shop/sa/web']}}}}]}}]}}"),
        )
    };
    let root = map("istio", "rootNamespace: mesh");
    let manual = map("istio", "enableAutoMtls: false");
    let corp = map("istio", "{trustDomain: corp, trustDomainAliases: [old]}");
    let mutual = destination("d", "shop", "{host: db, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}");
    let (open, yes, no) = ("Unrestricted", "Allowed by p named", "Denied by p");
    let table: [(&[&str], &str); 31] = [
        (&[&shut("istio-system")], "Denied by shut"),
        (&[&root, &shut("istio-system")], open),
        (&[&root, &shut("mesh")], "Denied by shut"),
        (&[&map("istio-canary", "rootNamespace: mesh"), &shut("mesh")], "Denied by shut"),
        (&[&map("other", "rootNamespace: mesh"), &shut("mesh")], open),
        (&[&map("istio", "{rootNamespace: "), &shut("mesh")], open),
        (&[&operator("{meshConfig: {rootNamespace: mesh}}"), &shut("mesh")], "Denied by shut"),
        (&[&operator("{values: {meshConfig: {rootNamespace: mesh}}}"), &shut("mesh")], "Denied by shut"),
        (&[&operator("{values: {global: {istioNamespace: mesh}}}"), &shut("mesh")], "Denied by shut"),
        (&[&sail("{namespace: mesh}"), &shut("mesh")], "Denied by shut"),
        (&[&sail("{namespace: mesh, values: {meshConfig: {rootNamespace: other}}}"), &shut("other")], "Denied by shut"),
        (&[&sail("{namespace: mesh, values: {meshConfig: {rootNamespace: other}}}"), &shut("mesh")], open),
        // Where two disagree, neither is taken.
        (&[&root, &sail("{namespace: other}"), &shut("mesh")], "Undetermined by shut"),
        (&[&root, &sail("{namespace: other}"), &shut("other")], "Undetermined by shut"),
        (&[&root, &sail("{namespace: other}"), &shut("istio-system")], open),
        (&[&root, &sail("{namespace: mesh}"), &shut("mesh")], "Denied by shut"),
        (
            &[&root, &sail("{namespace: other}"), &STRICT.replace("istio-system", "mesh"), &named("*")],
            "Undetermined by p, strict",
        ),
        // "trustDomain: The trust domain corresponds to the trust root of a system", and its aliases.
        (&[&named("corp")], "Undetermined by p"),
        (&[&named("cluster.local")], yes),
        (&[&corp, &named("corp")], yes),
        (&[&corp, &named("old")], yes),
        (&[&corp, &named("cluster.local")], yes),
        (&[&corp, &named("other")], no),
        (&[&root, &named("other")], no),
        (&[&operator("{meshConfig: {rootNamespace: istio-system}}"), &named("other")], "Undetermined by p"),
        (&[&corp, &sail("{values: {meshConfig: {trustDomain: other}}}"), &named("other")], "Undetermined by p"),
        // "enableAutoMtls: This flag is used to enable mutual TLS automatically for service to service communication."
        (&[&manual, &named("*")], no),
        (&[&manual, &mutual, &named("*")], yes),
        (&[&manual, STRICT], "Denied by strict"),
        (&[&map("istio", "enableAutoMtls: true"), &named("*")], yes),
        (&[&manual, &sail("{values: {meshConfig: {enableAutoMtls: true}}}"), &named("*")], "Undetermined by p"),
    ];
    for (documents, expected) in table {
        let found = ask(documents, &member("shop", "web"), &member("shop", "db"));
        assert_eq!(found, expected, "{documents:?}");
    }
    let disagreeing = [
        root.clone(),
        sail("{namespace: other, values: {meshConfig: {trustDomain: a, enableAutoMtls: false}}}"),
        operator("{meshConfig: {trustDomain: b, enableAutoMtls: true}}"),
    ];
    let documents: Vec<&str> = disagreeing.iter().map(String::as_str).collect();
    both_orders(&documents, |manifests| {
        let found = limits(manifests, &Mesh::read(manifests, "default"), "default");
        let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, ["mesh-configs-disagree"; 3], "{found:?}");
    });
}
