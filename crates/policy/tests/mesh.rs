//! Policies of the mesh.

mod common;
mod meshed;

use common::{both_orders, pod};
use kubestride_policy::mesh::{Mesh, MutualTls, TokenCheck, limits};
use meshed::Member;
use meshed::istio::{DISABLED, STRICT, ambient, ask, destination, member, outsider, peers, policy, stranger};

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

/// Rules of one policy, asked by `shop/web` for `shop/db` on port 8080, both members.
#[test]
fn rules_fit_as_the_reference_says() {
    let from = |source: &str| format!("{{rules: [{{from: [{{source: {source}}}]}}]}}");
    let to = |operation: &str| format!("{{rules: [{{to: [{{operation: {operation}}}]}}]}}");
    let deny = |spec: &str| spec.replacen('{', "{action: DENY, ", 1);
    let web = "cluster.local/ns/shop/sa/web";
    let table = [
        // "If not set, the match will never occur. This is equivalent to setting a default of deny."
        ("{}".to_owned(), "Denied by p"),
        ("{rules: []}".to_owned(), "Denied by p"),
        ("{action: DENY}".to_owned(), "Unrestricted"),
        // "An empty rule is always matched."
        ("{rules: [{}]}".to_owned(), "Allowed by p"),
        ("{action: DENY, rules: [{}]}".to_owned(), "Denied by p"),
        // "AUDIT policies do not affect whether requests are allowed or denied to the workload."
        ("{action: AUDIT, rules: [{}]}".to_owned(), "Unrestricted"),
        // "Deny the request if the evaluation result is deny": what the other service says is not known.
        ("{action: CUSTOM, provider: {name: x}, rules: [{}]}".to_owned(), "Undetermined by p"),
        // "A list of peer identities derived from the peer certificate."
        (from(&format!("{{principals: ['{web}']}}")), "Allowed by p named"),
        (from("{principals: ['cluster.local/ns/shop/sa/db']}"), "Denied by p"),
        (from("{principals: ['*/sa/web']}"), "Allowed by p named"),
        (from("{principals: ['cluster.local/ns/shop/*']}"), "Allowed by p of namespace"),
        (from("{principals: ['*']}"), "Allowed by p"),
        // The trust domain of the mesh is not known.
        (from("{principals: ['corp/ns/shop/sa/web']}"), "Undetermined by p"),
        // "A list of negative match of peer identities."
        (from(&format!("{{notPrincipals: ['{web}']}}")), "Denied by p"),
        (from("{notPrincipals: ['cluster.local/ns/shop/sa/db']}"), "Allowed by p"),
        (deny(&from(&format!("{{notPrincipals: ['{web}']}}"))), "Allowed by p named"),
        // "A list of namespaces derived from the peer certificate."
        (from("{namespaces: [shop]}"), "Allowed by p of namespace"),
        (from("{namespaces: ['sh*']}"), "Allowed by p of namespace"),
        (from("{namespaces: [cart]}"), "Denied by p"),
        (from("{notNamespaces: [shop]}"), "Denied by p"),
        // Service accounts are written with their namespace, or stand for one of the policy's own.
        (from("{serviceAccounts: [shop/web]}"), "Allowed by p named"),
        (from("{serviceAccounts: [web]}"), "Allowed by p named"),
        (from("{serviceAccounts: [cart/web]}"), "Denied by p"),
        (from("{notServiceAccounts: [web]}"), "Denied by p"),
        // "Fields in the source are ANDed together."
        (from(&format!("{{principals: ['{web}'], namespaces: [cart]}}")), "Denied by p"),
        (from(&format!("{{principals: ['{web}'], namespaces: [shop]}}")), "Allowed by p named"),
        // "A match occurs when at least one source [...] matches the request."
        (
            format!(
                "{{rules: [{{from: [{{source: {{namespaces: [cart]}}}}, {{source: {{principals: ['{web}']}}}}]}}]}}"
            ),
            "Allowed by p named",
        ),
        // Which addresses pods have, and what tokens requests bring, manifests do not tell.
        (from("{ipBlocks: [10.0.0.0/8]}"), "Undetermined by p"),
        (from("{notIpBlocks: [10.0.0.0/8]}"), "Undetermined by p"),
        (from("{requestPrincipals: ['*']}"), "Undetermined by p with token"),
        (deny(&from("{notRequestPrincipals: ['*']}")), "Undetermined by p with token"),
        // "A list of ports as specified in the connection."
        (to("{ports: ['8080']}"), "Allowed by p"),
        (to("{ports: ['9090']}"), "Denied by p"),
        (to("{notPorts: ['8080']}"), "Denied by p"),
        (deny(&to("{ports: ['8080']}")), "Denied by p"),
        (deny(&to("{ports: ['9090']}")), "Allowed by p"),
        // Some requests get through, some do not.
        (to("{methods: [GET]}"), "Undetermined by p"),
        (to("{paths: ['/info*']}"), "Undetermined by p"),
        (to("{hosts: [a.example]}"), "Undetermined by p"),
        (to("{notPaths: ['/admin*']}"), "Undetermined by p"),
        (deny(&to("{methods: [DELETE]}")), "Undetermined by p"),
        // "Fields in the operation are ANDed together."
        (to("{methods: [GET], ports: ['9090']}"), "Denied by p"),
        // Conditions: all of them must hold.
        (format!("{{rules: [{{when: [{{key: source.principal, values: ['{web}']}}]}}]}}"), "Allowed by p named"),
        ("{rules: [{when: [{key: source.namespace, notValues: [shop]}]}]}".to_owned(), "Denied by p"),
        ("{rules: [{when: [{key: destination.port, values: ['8080']}]}]}".to_owned(), "Allowed by p"),
        ("{rules: [{when: [{key: 'request.headers[x]', values: [a]}]}]}".to_owned(), "Undetermined by p"),
        (
            "{rules: [{when: [{key: 'request.headers[x]', values: [a]}, {key: source.namespace, values: [cart]}]}]}"
                .to_owned(),
            "Denied by p",
        ),
        (
            "{rules: [{when: [{key: 'request.auth.claims[iss]', values: [a]}]}]}".to_owned(),
            "Undetermined by p with token",
        ),
        // What is not understood is never taken for a yes or a no.
        ("{action: PERMIT, rules: [{}]}".to_owned(), "Undetermined by p"),
        ("{rules: {}}".to_owned(), "Undetermined by p"),
        ("{rules: [1]}".to_owned(), "Undetermined by p"),
        ("{rules: [null]}".to_owned(), "Undetermined by p"),
        ("{rules: [{from: x}]}".to_owned(), "Undetermined by p"),
        ("{rules: [{from: [x]}]}".to_owned(), "Undetermined by p"),
        ("{rules: [{to: {}}]}".to_owned(), "Undetermined by p"),
        ("{rules: [{when: x}]}".to_owned(), "Undetermined by p"),
        ("{rules: [{from: [{source: x}]}]}".to_owned(), "Undetermined by p"),
        ("{targetRefs: x}".to_owned(), "Undetermined by p"),
        ("{targetRefs: [x]}".to_owned(), "Undetermined by p"),
        ("[]".to_owned(), "Undetermined by p"),
        ("{rule: [{}]}".to_owned(), "Undetermined by p"),
        ("{rules: [{form: []}]}".to_owned(), "Undetermined by p"),
        (from("{principal: [x]}"), "Undetermined by p"),
        (from("{}"), "Undetermined by p"),
        ("{rules: [{when: [{key: source.colour, values: [a]}]}]}".to_owned(), "Undetermined by p"),
        ("{selector: {matchExpressions: []}, rules: [{}]}".to_owned(), "Undetermined by p"),
        // "Selector will match with workloads in the same namespace."
        ("{selector: {matchLabels: {app: web}}}".to_owned(), "Unrestricted"),
        ("{selector: {matchLabels: {app: db}}}".to_owned(), "Denied by p"),
        // Without a waypoint, only a proxy that is a gateway looks at such policies.
        ("{targetRefs: [{kind: Service, name: db}]}".to_owned(), "Unrestricted"),
    ];
    for (spec, expected) in table {
        let documents = [STRICT, &policy("p", "shop", &spec)];
        assert_eq!(ask(&documents, &member("shop", "web"), &member("shop", "db")), expected, "{spec}");
    }
}

/// "When CUSTOM, DENY and ALLOW actions are used for a workload at the same time, the CUSTOM action is evaluated first, then
/// the DENY action, and finally the ALLOW action."
#[test]
fn policies_are_asked_in_order() {
    let (web, db) = (member("shop", "web"), member("shop", "db"));
    let open = policy("open", "shop", "{rules: [{}]}");
    let shut = policy("shut", "shop", "{}");
    let deny = policy("deny", "shop", "{action: DENY, rules: [{from: [{source: {namespaces: [shop]}}]}]}");
    let maybe = policy("maybe", "shop", "{action: DENY, rules: [{to: [{operation: {methods: [PUT]}}]}]}");
    let custom = policy("custom", "shop", "{action: CUSTOM, provider: {name: x}, rules: [{}]}");
    let other = policy("other", "cart", "{}");
    let mesh_wide = policy("root", "istio-system", "{}");
    let of_root = policy("ofroot", "istio-system", "{selector: {matchLabels: {app: db}}}");
    let odd = policy("odd", "shop", "{action: X}");
    let future = policy("future", "shop", "{}").replace("/v1,", "/v7,");
    let tried =
        policy("tried", "shop", "{}").replace("name: tried", "name: tried, annotations: {istio.io/dry-run: 'true'}");
    let table: [(&[&str], &str); 14] = [
        (&[], "Unrestricted"),
        (&[&open, &shut], "Allowed by open"),
        (&[&open, &deny], "Denied by deny"),
        (&[&open, &maybe], "Undetermined by maybe"),
        (&[&shut, &maybe], "Denied by shut"),
        (&[&custom, &deny], "Denied by deny"),
        // "The extension cannot bypass the authorization decision made by ALLOW and DENY action."
        (&[&custom, &shut], "Denied by shut"),
        (&[&custom, &open], "Undetermined by custom"),
        (&[&other], "Unrestricted"),
        // "If set to root namespace, the policy applies to all namespaces in a mesh."
        (&[&mesh_wide], "Denied by root"),
        (&[&of_root], "Denied by ofroot"),
        (&[&odd, &shut], "Undetermined by odd"),
        (&[&future], "Undetermined by future"),
        // "The dry-run annotation allows you to better understand the effect of an authorization policy before applying it."
        (&[&tried], "Unrestricted"),
    ];
    for (documents, expected) in table {
        assert_eq!(ask(documents, &web, &db), expected, "{documents:?}");
    }
}

/// Identities are those of certificates, so they need mutual TLS.
#[test]
fn without_a_certificate_a_caller_is_nobody() {
    let named = policy("p", "shop", "{rules: [{from: [{source: {principals: ['cluster.local/ns/shop/sa/web']}}]}]}");
    let any = policy("p", "shop", "{rules: [{from: [{source: {namespaces: ['*']}}]}]}");
    let not_cart = policy("p", "shop", "{rules: [{from: [{source: {notNamespaces: [cart]}}]}]}");
    let deny_others = policy(
        "p",
        "shop",
        "{action: DENY, rules: [{from: [{source: {notPrincipals: ['cluster.local/ns/shop/sa/web']}}]}]}",
    );
    let plain = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: d, namespace: shop}, spec: \
                 {host: db, trafficPolicy: {tls: {mode: DISABLE}}}}";
    let mutual = plain.replace("DISABLE", "ISTIO_MUTUAL");
    let table: [(&[&str], Member, &str); 15] = [
        // "A client sidecar sends mTLS to workloads with sidecars" and "plaintext" otherwise.
        (&[&named], member("shop", "web"), "Allowed by p named"),
        (&[&named], outsider("shop", "web"), "Denied by p"),
        (&[&named], stranger("shop", "web"), "Undetermined by p"),
        (&[&named, DISABLED], member("shop", "web"), "Denied by p"),
        (&[&named, plain], member("shop", "web"), "Denied by p"),
        (&[&named, &mutual], member("shop", "web"), "Allowed by p named"),
        (&[&any], outsider("shop", "web"), "Denied by p"),
        // "A plain text request from the namespace foo will actually be allowed. The mTLS-only field notNamespaces will be
        // compared to an empty value."
        (&[&not_cart], outsider("cart", "web"), "Allowed by p"),
        (&[&not_cart], member("cart", "web"), "Denied by p"),
        (&[&deny_others], outsider("shop", "web"), "Denied by p"),
        // "Connection is an mTLS tunnel (TLS with client cert must be presented)."
        (&[&not_cart, STRICT], outsider("cart", "web"), "Denied by strict"),
        (&[STRICT], outsider("shop", "web"), "Denied by strict"),
        (&[STRICT], member("shop", "web"), "Unrestricted"),
        (&[STRICT], stranger("shop", "web"), "Undetermined by strict"),
        (&[&any, STRICT], member("x", "y"), "Allowed by p"),
    ];
    for (documents, source, expected) in table {
        assert_eq!(ask(documents, &source, &member("shop", "db")), expected, "{documents:?}");
    }
}

/// What enforces nothing stops nothing, and where it is not known whether something does, neither is the answer.
#[test]
fn only_proxies_enforce_policies() {
    let shut = policy("shut", "shop", "{}");
    let exclude = "traffic.sidecar.istio.io/excludeInboundPorts";
    let include = "traffic.sidecar.istio.io/includeInboundPorts";
    let table = [
        (member("shop", "db"), "Denied by shut"),
        (outsider("shop", "db"), "-"),
        (stranger("shop", "db"), "Undetermined by shut"),
        // "A comma separated list of inbound ports to be excluded from redirection to Envoy."
        (member("shop", "db").annotation(exclude, "9090, 8080"), "Unrestricted"),
        (member("shop", "db").annotation(exclude, "9090"), "Denied by shut"),
        // "A comma separated list of inbound ports for which traffic is to be redirected to Envoy."
        (member("shop", "db").annotation(include, ""), "Unrestricted"),
        (member("shop", "db").annotation(include, "*"), "Denied by shut"),
        (member("shop", "db").annotation(include, "8080"), "Denied by shut"),
        // "Only applies when all inbound traffic (i.e. '*') is being redirected."
        (member("shop", "db").annotation(include, "8080").annotation(exclude, "8080"), "Denied by shut"),
        (member("shop", "db").annotation(include, "*").annotation(exclude, "8080"), "Unrestricted"),
        // "If either label is disabled, the pod is not injected."
        (member("shop", "db").label("sidecar.istio.io/inject", "false"), "-"),
        (member("shop", "db").annotation("sidecar.istio.io/inject", "false"), "-"),
        (
            stranger("shop", "db")
                .namespace_label("istio-injection", "disabled")
                .label("sidecar.istio.io/inject", "true"),
            "-",
        ),
        (stranger("shop", "db").label("sidecar.istio.io/inject", "true"), "Denied by shut"),
        // The injector is asked about pods because of labels only.
        (stranger("shop", "db").annotation("sidecar.istio.io/inject", "true"), "Undetermined by shut"),
        (stranger("shop", "db").namespace_label("istio.io/rev", "canary"), "Denied by shut"),
        // "Automatic sidecar injection will be ignored for pods that are on the host network."
        (member("shop", "db").host_network(), "-"),
        // A proxy that is written into the manifest.
        (stranger("shop", "db").container("istio-proxy"), "Denied by shut"),
        (ambient("shop", "db"), "Denied by shut"),
        // "When specified on a Pod enrolled in ambient mesh, only outbound traffic will be captured."
        (ambient("shop", "db").annotation("ambient.istio.io/bypass-inbound-capture", "true"), "Unrestricted"),
        (ambient("shop", "db").annotation(exclude, "8080"), "Denied by shut"),
        (ambient("shop", "db").label("istio.io/dataplane-mode", "none"), "Undetermined by shut"),
    ];
    for (target, expected) in table {
        assert_eq!(ask(&[&shut], &member("shop", "web"), &target), expected);
    }
    let named = policy("p", "shop", "{rules: [{from: [{source: {namespaces: [shop]}}]}]}");
    let out = "traffic.sidecar.istio.io/excludeOutboundPorts";
    let around = member("shop", "web").annotation(out, "8080");
    assert_eq!(ask(&[&named], &around, &member("shop", "db")), "Denied by p");
    assert_eq!(
        ask(&[&named], &member("shop", "web").annotation(out, "9"), &member("shop", "db")),
        "Allowed by p of namespace"
    );
    let addresses = member("shop", "web").annotation("traffic.sidecar.istio.io/excludeOutboundIPRanges", "10.0.0.0/8");
    assert_eq!(ask(&[&named], &addresses, &member("shop", "db")), "Undetermined by p");
    // "An empty list will disable all outbound redirection", but for ports "regardless of the destination IP".
    let nothing = member("shop", "web").annotation("traffic.sidecar.istio.io/includeOutboundIPRanges", "");
    assert_eq!(ask(&[&named], &nothing, &member("shop", "db")), "Denied by p");
    let port = nothing.annotation("traffic.sidecar.istio.io/includeOutboundPorts", "8080");
    assert_eq!(ask(&[&named], &port, &member("shop", "db")), "Allowed by p of namespace");
    assert_eq!(ask(&[], &member("shop", "web"), &stranger("shop", "db")), "-", "nothing says that there is a mesh");
}

#[test]
fn ztunnels_see_connections_and_waypoints_requests() {
    let get = |action: &str| {
        policy(
            "get",
            "shop",
            &format!(
                "{{action: {action}, rules: [{{from: [{{source: {{namespaces: [shop]}}}}], to: [{{operation: {{methods: [GET]}}}}]}}]}}"
            ),
        )
    };
    let (allow_get, deny_get) = (get("ALLOW"), get("DENY"));
    let by_namespace = policy("ns", "shop", "{rules: [{from: [{source: {namespaces: [shop]}}]}]}");
    let attach = |kind: &str, name: &str| {
        policy(
            "attached",
            "shop",
            &format!(
                "{{targetRefs: [{{kind: {kind}, name: {name}}}], rules: [{{from: [{{source: {{principals: \
                 ['cluster.local/ns/shop/sa/web']}}}}]}}]}}"
            ),
        )
    };
    let (service, gateway, other) = (attach("Service", "db"), attach("Gateway", "way"), attach("Service", "cart"));
    let db = || ambient("shop", "db").service("db", None);
    let behind = || db().namespace_label("istio.io/use-waypoint", "way");
    // "Ztunnel does not support the CUSTOM action": it does not get such a policy.
    let custom = policy("custom", "shop", "{action: CUSTOM, provider: {name: x}, rules: [{}]}");
    // "Rules matching HTTP attributes are omitted" as a whole.
    let either = policy(
        "either",
        "shop",
        "{rules: [{from: [{source: {namespaces: [shop]}}, {source: {requestPrincipals: ['*']}}]}]}",
    );
    let way = |kind: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: way, namespace: shop, labels: \
             {{istio.io/waypoint-for: {kind}}}}}}}"
        )
    };
    let table: [(&[&str], Member, Member, &str); 22] = [
        (&[], ambient("shop", "web"), db(), "Unrestricted"),
        (&[&custom], ambient("shop", "web"), db(), "Unrestricted"),
        (&[&custom, &by_namespace], ambient("shop", "web"), db(), "Allowed by ns of namespace"),
        (&[&either], ambient("shop", "web"), db(), "Denied by either"),
        // "The types of traffic that will be redirected to the waypoint are determined by the istio.io/waypoint-for label."
        (&[&service, &way("service")], ambient("shop", "cart"), behind(), "Denied by attached"),
        (&[&service, &way("all")], ambient("shop", "cart"), behind(), "Denied by attached"),
        (&[&service, &way("workload")], ambient("shop", "cart"), behind(), "Unrestricted"),
        (&[&service, &way("none")], ambient("shop", "cart"), behind(), "Unrestricted"),
        // It is the ztunnel of the caller that sends to the waypoint.
        (&[&service], outsider("shop", "cart"), behind(), "Unrestricted"),
        (&[&by_namespace], ambient("shop", "web"), db(), "Allowed by ns of namespace"),
        (&[&by_namespace], outsider("shop", "web"), db(), "Denied by ns"),
        // "If a policy with rules matching L7 attributes is targeted such that it will be enforced by a receiving ztunnel, it
        // will fail safe by becoming a DENY policy."
        (&[&allow_get], ambient("shop", "web"), db(), "Denied by get"),
        (&[&deny_get], ambient("shop", "web"), db(), "Denied by get"),
        (&[&deny_get], ambient("cart", "web"), db(), "Allowed by get"),
        // "Service | client pod | waypoint" and "Gateway | client pod | waypoint".
        (&[&service], ambient("shop", "web"), behind(), "Allowed by attached named"),
        (&[&service], ambient("shop", "cart"), behind(), "Denied by attached"),
        (&[&gateway], ambient("shop", "cart"), behind(), "Denied by attached"),
        (&[&other], ambient("shop", "cart"), behind(), "Unrestricted"),
        (&[&service], ambient("shop", "cart"), db(), "Unrestricted"),
        (&[&service], ambient("shop", "cart"), ambient("shop", "db").service("db", Some("way")), "Denied by attached"),
        (&[&service], ambient("shop", "cart"), behind().label("istio.io/use-waypoint", "none"), "Unrestricted"),
        // "The destination ztunnel will see traffic with the waypoint's identity, not the source identity."
        (&[&by_namespace, &service], ambient("shop", "web"), behind(), "Undetermined by ns"),
    ];
    for (documents, source, target, expected) in table {
        assert_eq!(ask(documents, &source, &target), expected, "{documents:?}");
    }
    // "It is not possible to use the DISABLE mode in a policy. Such policies will be ignored."
    assert_eq!(ask(&[DISABLED, &by_namespace], &ambient("shop", "web"), &db()), "Allowed by ns of namespace");
}

#[test]
fn connections_are_encrypted_where_both_ends_must() {
    let at_port = peers("web", "shop", "{selector: {matchLabels: {app: db}}, portLevelMtls: {8080: {mode: DISABLE}}}");
    let permissive = STRICT.replace("STRICT", "PERMISSIVE");
    /// Documents, both ends, whether it is encrypted and whether the caller proves who he is.
    type Row<'a> = (&'a [&'a str], Member, Member, (bool, bool));
    let off = destination("d", "shop", "{host: db, trafficPolicy: {tls: {mode: DISABLE}}}");
    let table: [Row<'_>; 18] = [
        (&[STRICT], member("shop", "web"), member("shop", "db"), (true, true)),
        (&[STRICT, &at_port], member("shop", "web"), member("shop", "db"), (false, false)),
        // "Client sidecars send mTLS to workloads with sidecars", whether or not those insist on it.
        (&[&permissive], member("shop", "web"), member("shop", "db"), (true, false)),
        (&[], member("shop", "web"), member("shop", "db"), (true, false)),
        (&[DISABLED], member("shop", "web"), member("shop", "db"), (false, false)),
        (&[], stranger("shop", "web"), member("shop", "db"), (false, false)),
        (&[], member("shop", "web"), stranger("shop", "db"), (false, false)),
        (&[&off], member("shop", "web"), member("shop", "db"), (false, false)),
        (&[&off, STRICT], member("shop", "web"), member("shop", "db"), (false, false)),
        (&[&off.replace("DISABLE", "SIMPLE"), STRICT], member("shop", "web"), member("shop", "db"), (false, false)),
        (&[&off.replace("DISABLE", "ISTIO_MUTUAL")], member("shop", "web"), member("shop", "db"), (true, false)),
        // Ztunnels do not look at DestinationRules.
        (&[&off], ambient("shop", "web"), ambient("shop", "db"), (true, false)),
        (&[STRICT], outsider("shop", "web"), member("shop", "db"), (false, false)),
        (&[STRICT], stranger("shop", "web"), member("shop", "db"), (false, false)),
        (&[STRICT], member("shop", "web"), stranger("shop", "db"), (false, false)),
        (
            &[STRICT],
            member("shop", "web"),
            member("shop", "db").annotation("traffic.sidecar.istio.io/excludeInboundPorts", "8080"),
            (false, false),
        ),
        // "Ztunnel and HBONE implies the use of mTLS."
        (&[], ambient("shop", "web"), ambient("shop", "db"), (true, false)),
        (&[STRICT], ambient("shop", "web"), ambient("shop", "db"), (true, true)),
    ];
    for (documents, source, target, expected) in table {
        both_orders(documents, |manifests| {
            let mesh = Mesh::read(manifests, "default");
            let found = source.calls(&target, Some(8080), |call| mesh.protection(call));
            assert_eq!((found.encrypted, found.proves_identity), expected, "{documents:?}");
        });
    }
}

/// Istio takes the oldest of several policies of one level; how old they are, manifests do not tell.
#[test]
fn contradictions_have_no_answer() {
    let strict = peers("a", "shop", "{mtls: {mode: STRICT}}");
    let open = peers("b", "shop", "{mtls: {mode: PERMISSIVE}}");
    let same = peers("c", "shop", "{mtls: {mode: STRICT}}");
    let own = peers("d", "shop", "{selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}");
    let unset = peers("e", "shop", "{selector: {matchLabels: {app: web}}}");
    let at_port = peers("f", "shop", "{selector: {matchLabels: {app: web}}, portLevelMtls: {8080: {mode: STRICT}}}");
    let odd = peers("g", "shop", "{mtls: {mode: SOMETIMES}}");
    let odd_tls = peers("i", "shop", "{mtls: STRICT}");
    let odd_ports = peers("k", "shop", "{mtls: {mode: STRICT}, portLevelMtls: [8080]}");
    let odd_field = peers("h", "shop", "{mtls: {mode: STRICT}, selectors: {}}");
    let table: [(&[&str], Option<u16>, MutualTls); 11] = [
        (&[&strict, &open], None, MutualTls::Undetermined),
        (&[&strict, &same], None, MutualTls::Strict),
        (&[&strict, &open, &own], None, MutualTls::Strict),
        (&[&open, &own, &unset], None, MutualTls::Undetermined),
        (&[&strict, &own, &unset], None, MutualTls::Strict),
        (&[&open, &unset, &at_port], None, MutualTls::Permissive),
        (&[&open, &unset, &at_port], Some(8080), MutualTls::Undetermined),
        (&[&odd], None, MutualTls::Undetermined),
        (&[&odd_tls], None, MutualTls::Undetermined),
        (&[&odd_ports], None, MutualTls::Undetermined),
        (&[&odd_field], None, MutualTls::Undetermined),
    ];
    for (documents, port, expected) in table {
        both_orders(documents, |manifests| {
            let (mode, _) = Mesh::read(manifests, "default").mutual_tls(&pod("shop", "web", "a").get(), port);
            assert_eq!(mode, expected, "{documents:?} {port:?}");
        });
    }
}

/// "A request that does not contain any authentication credentials will be accepted but will not have any authenticated
/// identity."
#[test]
fn tokens_are_checked_and_only_asked_for_by_authorization_policies() {
    let check = |spec: &str| policy("jwt", "shop", spec).replace("AuthorizationPolicy", "RequestAuthentication");
    let jwt = check("{jwtRules: [{issuer: a}]}");
    let empty = check("{}");
    let other = check("{selector: {matchLabels: {app: db}}, jwtRules: [{issuer: a}]}");
    let rule = |rule: &str| policy("ask", "shop", &format!("{{rules: [{rule}]}}"));
    let asks = rule("{from: [{source: {requestPrincipals: ['*']}}]}");
    let denies = policy("ask", "shop", "{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*']}}]}]}");
    let claims = rule("{when: [{key: 'request.auth.claims[group]', values: [a]}]}");
    let elsewhere = asks.replace("{rules", "{selector: {matchLabels: {app: db}}, rules");
    let at_service = asks.replace("{rules", "{targetRefs: [{kind: Service, name: web}], rules");
    let table: [(&[&str], &str); 10] = [
        (&[], "None"),
        (&[&empty], "None"),
        (&[&other], "None"),
        (&[&jwt], "IfPresent jwt"),
        (&[&jwt, &rule("{}")], "IfPresent jwt"),
        (&[&jwt, &asks], "Demanded ask"),
        (&[&jwt, &denies], "Demanded ask"),
        (&[&jwt, &claims], "Demanded ask"),
        (&[&jwt, &elsewhere], "IfPresent jwt"),
        (&[&jwt, &at_service], "Undetermined"),
    ];
    for (documents, expected) in table {
        both_orders(documents, |manifests| {
            let name =
                |cited: kubestride_policy::Cited| cited.identity.rsplit('/').next().unwrap_or_default().to_owned();
            let found = match Mesh::read(manifests, "default").token_check(&pod("shop", "web", "a").get()) {
                TokenCheck::None => "None".to_owned(),
                TokenCheck::IfPresent(cited) => format!("IfPresent {}", name(cited)),
                TokenCheck::Demanded(cited) => format!("Demanded {}", name(cited)),
                TokenCheck::Undetermined => "Undetermined".to_owned(),
            };
            assert_eq!(found, expected, "{documents:?}");
        });
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let db = "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {}}";
    let rules = |rules: &str| policy("p", "shop", &format!("{{rules: [{rules}]}}"));
    let table: [(&[&str], &[&str]); 14] = [
        (&[db, &policy("p", "shop", "{action: PERMIT}")], &["unknown-action"]),
        (&[db, &peers("p", "shop", "{mtls: {mode: X}}")], &["unknown-mode"]),
        (&[db, &peers("p", "shop", "{portLevelMtls: {web: {mode: STRICT}}}")], &["unknown-field"]),
        (&[db, &policy("p", "shop", "{rule: []}")], &["unknown-field"]),
        (&[db, &rules("{from: [{source: {user: [x]}}]}")], &["unknown-field"]),
        (&[db, &rules("{from: [{source: {principals: x}}]}")], &["unknown-field"]),
        (&[db, &rules("{when: [{key: x, values: [a]}]}")], &["unknown-field"]),
        (&[db, &policy("p", "shop", "{selector: {matchExpressions: []}}")], &["unknown-selector"]),
        (&[db, &policy("p", "shop", "{}").replace("/v1,", "/v1alpha9,")], &["unknown-version"]),
        (&[db, &policy("p", "shop", "{selector: {matchLabels: {app: web}}}")], &["selects-nothing"]),
        (&[&policy("p", "shop", "{selector: {matchLabels: {app: web}}}")], &[]),
        (
            &[db, &peers("a", "shop", "{mtls: {mode: STRICT}}"), &peers("b", "shop", "{mtls: {mode: DISABLE}}")],
            &["policies-contradict"],
        ),
        (&[db, &peers("a", "shop", "{mtls: {mode: STRICT}}"), &peers("b", "cart", "{mtls: {mode: DISABLE}}")], &[]),
        (
            &[
                db,
                &rules(
                    "{from: [{source: {principals: ['*'], notNamespaces: [a]}}], to: [{operation: {ports: ['1']}}]}",
                ),
            ],
            &[],
        ),
    ];
    for (documents, expected) in table {
        both_orders(documents, |manifests| {
            let found = limits(manifests, &Mesh::read(manifests, "default"), "default");
            let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
            assert_eq!(codes, expected, "{documents:?}: {found:?}");
        });
    }
}

#[test]
fn rules_for_every_identity_are_wide() {
    let table = [
        ("{}", false),
        ("{from: [{source: {principals: ['*']}}]}", true),
        ("{from: [{source: {namespaces: ['*']}}]}", true),
        ("{from: [{source: {principals: ['cluster.local/*']}}]}", true),
        ("{from: [{source: {notNamespaces: [cart]}}]}", true),
        ("{from: [{source: {principals: [a]}}, {source: {namespaces: ['*']}}]}", true),
        ("{from: [{source: {principals: ['cluster.local/ns/shop/sa/web']}}]}", false),
        ("{from: [{source: {namespaces: [shop], notPrincipals: [x]}}]}", false),
        ("{from: [{source: {principals: ['*']}}], to: [{operation: {paths: [/healthz]}}]}", false),
        ("{from: [{source: {requestPrincipals: ['*']}}]}", false),
    ];
    for (rule, expected) in table {
        let manifests = common::manifests(&policy("p", "shop", &format!("{{rules: [{rule}]}}")));
        let wide = Mesh::read(&manifests, "default").authorizations()[0].admits_any_identity().is_some();
        assert_eq!(wide, expected, "{rule}");
    }
}
