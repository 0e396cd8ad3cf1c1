//! Policies of the mesh.

mod common;

use common::{both_orders, pod};
use kubestride_policy::mesh::{Mesh, MutualTls};

fn peers(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {spec}}}"
    )
}

fn policy(name: &str, namespace: &str, spec: &str) -> String {
    peers(name, namespace, spec).replace("PeerAuthentication", "AuthorizationPolicy")
}

#[test]
fn the_most_special_policy_sets_mutual_tls() {
    let mesh = peers("default", "istio-system", "{mtls: {mode: STRICT}}");
    let unset_mesh = peers("default", "istio-system", "{}");
    let namespace = peers("default", "shop", "{mtls: {mode: PERMISSIVE}}");
    let unset = peers("default", "shop", "{mtls: {mode: UNSET}}");
    let workload = peers(
        "web",
        "shop",
        "{selector: {matchLabels: {app: web}}, mtls: {mode: DISABLE}, portLevelMtls: {8080: {mode: STRICT}, 9: {mode: UNSET}}}",
    );
    let in_root = peers("odd", "istio-system", "{selector: {matchLabels: {app: web}}, mtls: {mode: DISABLE}}");
    /// Documents, a port, the mode and the policy that sets it.
    type Row<'a> = (&'a [&'a str], Option<u16>, MutualTls, Option<&'a str>);
    let table: [Row<'_>; 11] = [
        (&[], None, MutualTls::None, None),
        (&[&mesh], None, MutualTls::Strict, Some("istio-system/default")),
        (&[&mesh, &namespace], None, MutualTls::Permissive, Some("shop/default")),
        (&[&mesh, &unset], None, MutualTls::Strict, Some("istio-system/default")),
        (&[&unset], None, MutualTls::Permissive, Some("shop/default")),
        (&[&unset_mesh], None, MutualTls::Permissive, Some("istio-system/default")),
        (&[&mesh, &namespace, &workload], None, MutualTls::Disabled, Some("shop/web")),
        (&[&mesh, &namespace, &workload], Some(8080), MutualTls::Strict, Some("shop/web")),
        (&[&mesh, &namespace, &workload], Some(9), MutualTls::Disabled, Some("shop/web")),
        (&[&mesh, &in_root], None, MutualTls::Strict, Some("istio-system/default")),
        (&[&in_root], None, MutualTls::None, None),
    ];
    for (documents, port, expected, source) in table {
        both_orders(documents, |manifests| {
            let mesh = Mesh::read(manifests, "default");
            let (mode, cited) = mesh.mutual_tls(&pod("shop", "web", "a").get(), port);
            assert_eq!(mode, expected, "{documents:?} {port:?}");
            let source = source.map(|name| format!("PeerAuthentication.security.istio.io/{name}"));
            assert_eq!(cited.map(|cited| cited.identity), source, "{documents:?}");
        });
    }
    both_orders(&[&mesh, &workload], |manifests| {
        let (mode, _) = Mesh::read(manifests, "default").mutual_tls(&pod("shop", "db", "a").get(), None);
        assert_eq!(mode, MutualTls::Strict, "not the workload that is selected");
        let (mode, _) = Mesh::read(manifests, "default").mutual_tls(&pod("cart", "web", "a").get(), None);
        assert_eq!(mode, MutualTls::Strict, "not the namespace of the policy");
    });
}

#[test]
fn authorization_admits_as_istio_says() {
    let nothing = policy("nothing", "shop", "{}");
    let everyone = policy("everyone", "shop", "{rules: [{}]}");
    let by_name = policy("named", "shop", "{rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/x]}}]}]}");
    let by_path = policy("path", "shop", "{action: ALLOW, rules: [{to: [{operation: {paths: [/public]}}]}]}");
    let deny = policy("deny", "shop", "{action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}");
    let deny_nothing = policy("deny-nothing", "shop", "{action: DENY}");
    let audit = policy("audit", "shop", "{action: AUDIT, rules: [{}]}");
    let custom = policy("custom", "shop", "{action: CUSTOM, provider: {name: x}, rules: [{}]}");
    let root = policy("root", "istio-system", "{selector: {matchLabels: {app: web}}}");
    let other_workload = policy("other", "shop", "{selector: {matchLabels: {app: db}}}");
    let other_namespace = policy("far", "cart", "{}");
    let target = policy("gate", "shop", "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}");
    let table: [(&[&str], usize, bool); 15] = [
        (&[], 0, true),
        (&[&nothing], 1, false),
        (&[&everyone], 1, true),
        (&[&nothing, &everyone], 2, true),
        (&[&by_name], 1, false),
        (&[&by_path], 1, false),
        (&[&deny], 1, false),
        (&[&everyone, &deny], 2, false),
        (&[&deny_nothing], 1, true),
        (&[&audit], 1, true),
        (&[&custom], 1, false),
        (&[&root], 1, false),
        (&[&other_workload], 0, true),
        (&[&other_namespace], 0, true),
        (&[&target], 0, true),
    ];
    for (documents, selected, admits) in table {
        both_orders(documents, |manifests| {
            let answer = Mesh::read(manifests, "default").authorization(&pod("shop", "web", "a").get());
            assert_eq!((answer.selected.len(), answer.admits_everyone), (selected, admits), "{documents:?}");
        });
    }
}

#[test]
fn callers_that_are_named_are_declared() {
    let text = policy(
        "p",
        "shop",
        "{rules: [{from: [{source: {principals: [cluster.local/ns/cart/sa/web, '*/ns/mail/sa/out', 'cluster.local/ns/x/sa/*', \
         '*']}}], to: [{operation: {ports: ['8080']}}]}]}",
    );
    let sources = |text: &str| Mesh::read(&common::manifests(text), "default").authorizations()[0].declared_sources();
    let found = sources(&text);
    let names: Vec<_> =
        found.iter().map(|s| (s.namespace.as_str(), s.service_account.as_str(), s.ports.as_slice())).collect();
    assert_eq!(names, [("cart", "web", &[8080][..]), ("mail", "out", &[8080][..])]);
    assert!(sources(&text.replace("{rules", "{action: DENY, rules")).is_empty());
}
