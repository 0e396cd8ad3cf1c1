//! Routes, hosts and declared callers of an Istio mesh.

mod shown;

use kubestride_model::SubjectRef;
use shown::{app, flows, model, pods, service};

fn virtual_service(spec: &str) -> String {
    format!("---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{{spec}}}\n")
}

fn gateway(selector: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec: {{selector: {{app: {selector}}}}}\n"
    )
}

fn versions() -> String {
    let one = |version: &str| {
        format!(
            "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop-{version}}}
spec: {{template: {{metadata: {{labels: {{app: shop, version: {version}}}}}, spec: {{containers: [{{name: c, image: example/shop}}]}}}}}}
"
        )
    };
    let rule = "---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec: {host: shop.default.svc.cluster.local, subsets: [{name: one, labels: {version: v1}}, {name: two, labels: {version: v2}}]}
";
    one("v1") + &one("v2") + &service("shop", 80, "") + rule
}

#[test]
fn a_subset_is_a_part_of_the_workloads() {
    let of = |routes: &str| {
        let spec = format!("hosts: ['*'], gateways: [edge], http: [{{route: [{routes}]}}]");
        flows(&(virtual_service(&spec) + &gateway("absent") + &versions()))
    };
    let entered = |version: &str| format!("external/internet -> shop-{version} certain");
    assert_eq!(of("{destination: {host: shop, subset: two}}"), [entered("v2")]);
    assert_eq!(of("{destination: {host: shop}}"), [entered("v1"), entered("v2")]);
    // What is defined elsewhere may be all of them.
    assert_eq!(of("{destination: {host: shop, subset: other}}"), [entered("v1"), entered("v2")]);
    let weights =
        "{destination: {host: shop, subset: one}, weight: 100}, {destination: {host: shop, subset: two}, weight: 0}";
    assert_eq!(of(weights), [entered("v1")]);
}

#[test]
fn a_gateway_for_what_leaves_the_mesh_lets_nobody_in() {
    let spec = "hosts: [news.example], gateways: [edge, mesh], http: [
  {match: [{gateways: [mesh], port: 80}], route: [{destination: {host: proxy, port: {number: 80}}}]},
  {match: [{gateways: [edge], port: 80}], route: [{destination: {host: news.example, port: {number: 443}}}]}]";
    let routes = virtual_service(spec) + &gateway("proxy");
    assert_eq!(flows(&(routes.clone() + &app("proxy", 80, ""))), ["proxy -> external/news.example:443 certain"]);
    assert!(flows(&(routes + &service("proxy", 80, ""))).is_empty());
}

#[test]
fn copies_of_requests_are_sent_too() {
    let spec = "hosts: ['*'], gateways: [edge], http: [{route: [{destination: {host: shop}}], mirror: {host: cart}}]";
    let text =
        virtual_service(spec) + &gateway("proxy") + &app("proxy", 80, "") + &app("shop", 1, "") + &app("cart", 2, "");
    assert_eq!(flows(&text), ["proxy -> cart:2 certain", "proxy -> shop:1 certain"]);
}

#[test]
fn hosts_of_service_entries_may_stand_for_pods_and_for_other_names() {
    let entry = |more: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [db.corp.example], {more}}}\n"
        )
    };
    let all = app("shop", 80, "env: [{name: DB, value: 'db.corp.example:5432'}]")
        + &pods("db", "db", 5432, "", "")
        + &app("other", 1, "");
    let of = |more: &str| flows(&(entry(more) + &all));
    assert_eq!(of("workloadSelector: {labels: {app: db}}"), ["shop -> db:5432 likely"]);
    assert_eq!(of("endpoints: [{address: other.default.svc.cluster.local}]"), ["shop -> other:5432 certain"]);
    let outside = ["shop -> external/db.corp.example:5432 likely"];
    assert_eq!(of("location: MESH_EXTERNAL"), outside);
    assert_eq!(of("endpoints: [{address: 192.0.2.1}]"), outside);
    // A name that stands for itself is followed so far and no further.
    assert_eq!(of("endpoints: [{address: db.corp.example}]"), outside);
}

#[test]
fn policies_that_name_both_ends_declare_flows() {
    let account = |name: &str, account: &str| pods(name, name, 80, "", &format!("serviceAccountName: {account}"));
    let all = account("shop", "shop") + &account("cart", "default") + &account("db", "db");
    let shown = service("shown", 5432, "").replace("{app: shown}, ports", "{app: db}, ports");
    let policy = |selector: &str, action: &str, principal: &str| {
        let all = all.clone() + if selector.contains("name: shown") { &shown } else { "" };
        let text = format!(
            "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: p}}
spec: {{{selector}action: {action}, rules: [{{from: [{{source: {{principals: [{principal}]}}}}], to: [{{operation: {{ports: ['5432']}}}}]}}]}}
"
        );
        flows(&(text + &all))
    };
    let db = "selector: {matchLabels: {app: db}}, ";
    let shop = "cluster.local/ns/default/sa/shop";
    assert_eq!(policy(db, "ALLOW", shop), ["shop -> db:5432 likely"]);
    assert!(policy(db, "DENY", shop).is_empty());
    assert!(policy("", "ALLOW", shop).is_empty());
    let reference = "targetRefs: [{kind: Service, group: '', name: db}], ";
    assert!(policy(reference, "ALLOW", shop).is_empty(), "there is no such Service");
    assert_eq!(policy(&reference.replace("db", "shown"), "ALLOW", shop), ["shop -> db:5432 likely"]);
    assert!(policy(db, "ALLOW", "'*'").is_empty());
    assert!(policy(db, "ALLOW", "cluster.local/ns/default/sa/default").is_empty());
}

#[test]
fn a_sidecar_for_chosen_workloads_names_what_they_call() {
    let sidecar = |selector: &str| {
        format!(
            "---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: s}}
spec: {{{selector}egress: [{{hosts: ['./cart.default.svc.cluster.local', '*/pay.example', 'other/*', './*']}}]}}
"
        )
    };
    let all = app("shop", 80, "") + &app("cart", 81, "");
    let expected = ["shop -> cart likely", "shop -> external/pay.example likely"];
    assert_eq!(flows(&(sidecar("workloadSelector: {labels: {app: shop}}, ") + &all)), expected);
    assert!(flows(&(sidecar("") + &all)).is_empty());
}

#[test]
fn proxies_call_what_filters_and_policies_have_them_call() {
    let filter = "---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f}
spec:
  workloadSelector: {labels: {app: shop}}
  configPatches:
  - applyTo: HTTP_FILTER
    patch: {value: {rate_limit_service: {grpc_service: {envoy_grpc: {cluster_name: 'outbound|8081||limits.default.svc.cluster.local', authority: limits}}}}}
";
    let all = app("shop", 80, "") + &app("limits", 8081, "") + &app("checks", 9000, "");
    assert_eq!(flows(&(filter.to_owned() + &all)), ["shop -> limits:8081 likely"]);
    let policy = "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p}
spec: {selector: {matchLabels: {app: shop}}, action: CUSTOM, provider: {name: mine}, rules: [{}]}
";
    let mesh = "---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    extensionProviders:
    - name: other
    - name: mine
      envoyExtAuthzHttp: {service: default/checks.default.svc.cluster.local, port: 9000}
";
    assert_eq!(flows(&(policy.to_owned() + mesh + &all)), ["shop -> checks:9000 likely"]);
    assert!(flows(&(policy.to_owned() + &all)).is_empty());
}

#[test]
fn proxies_speak_tls_where_a_destination_rule_says_so() {
    let rule = |policy: &str| {
        format!(
            "---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: r}}
spec: {{host: pay.example, trafficPolicy: {{{policy}}}}}
"
        )
    };
    let encryption = |rule: &str, pod: &str| {
        let env = "env: [{name: PAY_URL, value: 'http://pay.example:80/x'}]";
        let model = model(&(pods("shop", "shop", 80, env, pod) + rule));
        let (id, _) = model.flows().find(|(_, f)| f.port == Some(80)).expect("a flow");
        let attribute = model.vocabulary().find_attribute("encryption").expect("an attribute");
        let value = model.value(SubjectRef::Flow(id), attribute).expect("a value");
        model.value_text(attribute, value).to_owned()
    };
    let proxy = "initContainers: [{name: istio-proxy, restartPolicy: Always, image: example/proxy}]";
    let of_port = "portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]";
    assert_eq!(encryption(&rule(of_port), proxy), "Encrypted");
    assert_eq!(encryption(&rule("tls: {mode: MUTUAL}"), proxy), "Encrypted");
    let cases = [
        (rule(of_port), ""),
        (rule("portLevelSettings: [{port: {number: 81}, tls: {mode: SIMPLE}}]"), proxy),
        (rule("portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}], tls: {mode: SIMPLE}"), proxy),
        (String::new(), proxy),
    ];
    for (rule, pod) in cases {
        assert_eq!(encryption(&rule, pod), "Plain", "{rule}{pod}");
    }
    // Rules that do not say the same, in each order.
    let (simple, off) = (rule("tls: {mode: SIMPLE}"), rule("tls: {mode: DISABLE}").replace("name: r", "name: s"));
    assert_eq!(encryption(&(simple.clone() + &off), proxy), encryption(&(off + &simple), proxy));
    assert_eq!(encryption(&rule("tls: {mode: SIMPLE}}, exportTo: ['.'], x: {"), proxy), "Plain");
}

#[test]
fn sidecars_send_requests_where_a_virtual_service_says() {
    let namespace =
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: enabled}}\n";
    let apps = |port: &str| {
        let caller = pods("shop", "shop", 1, "env: [{name: CART_URL, value: 'cart:80'}]", "");
        let ports = service("cart", 80, "").replace("name: web", &format!("name: {port}"));
        caller + &pods("cart", "cart", 80, "", "") + &ports + &app("next", 82, "")
    };
    let of = |spec: &str| flows(&(virtual_service(spec) + namespace + &apps("http")));
    let (cart, next) = ("shop -> cart:80 certain", "shop -> next:82 certain");
    let to = |host: &str, weight: u8| format!("{{destination: {{host: {host}}}, weight: {weight}}}");
    let routes = |list: &[String]| format!("hosts: [cart], http: [{{route: [{}]}}]", list.join(", "));
    assert_eq!(of(&routes(&[to("cart", 100)])), [cart]);
    assert_eq!(of(&routes(&[to("next.default.svc.cluster.local", 100)])), [next]);
    assert_eq!(of(&routes(&[to("cart", 50), to("next", 50)])), [cart, next]);
    assert_eq!(of(&routes(&[to("cart", 0), to("next", 100)])), [next]);
    assert_eq!(of(&(routes(&[to("cart", 100)]).replace("http: [{", "http: [{mirror: {host: next}, "))), [cart, next]);
    // Only behind a gateway it is nothing to sidecars.
    let next_only = routes(&[to("next", 100)]);
    assert_eq!(
        of(&format!("{next_only}, gateways: [edge]")).first().map(String::as_str),
        Some("external/internet -> next certain")
    );
    assert!(of(&format!("{next_only}, gateways: [edge]")).contains(&cart.to_owned()));
    assert!(of(&format!("{next_only}, gateways: [edge, mesh]")).contains(&next.to_owned()));
    // Rules about other callers and other ports do not count; those behind one that takes everything are not reached.
    let ruled = |condition: &str, then: &str| {
        of(&format!(
            "hosts: [cart], http: [{{match: [{condition}], route: [{}]}}, {{route: [{}]}}]",
            to("next", 100),
            to(then, 100)
        ))
    };
    assert_eq!(ruled("{uri: {prefix: /v2}}", "cart"), [cart, next]);
    assert_eq!(ruled("{sourceLabels: {app: other}}", "cart"), [cart]);
    assert_eq!(ruled("{sourceLabels: {app: shop}}", "cart"), [next]);
    assert_eq!(ruled("{sourceNamespace: other}", "cart"), [cart]);
    assert_eq!(ruled("{port: 81}", "cart"), [cart]);
    assert_eq!(ruled("{port: 80}", "cart"), [next]);
    assert_eq!(ruled("{gateways: [edge]}", "cart"), [cart]);
    // Routes of HTTP are not about other protocols.
    assert_eq!(flows(&(virtual_service(&next_only) + namespace + &apps("mysql"))), [cart]);
    let tcp = next_only.replace("http:", "tcp:");
    assert_eq!(flows(&(virtual_service(&tcp) + namespace + &apps("mysql"))), [next]);
    // Whom it is not exported to does not see it.
    let elsewhere = |export: &str| {
        let spec = format!(
            "hosts: [cart.default.svc.cluster.local], http: [{{route: [{}]}}]{export}",
            to("next.default.svc.cluster.local", 100)
        );
        let text = virtual_service(&spec).replace("{name: v}", "{name: v, namespace: other}");
        flows(&(text + namespace + &apps("http")))
    };
    assert_eq!(elsewhere(""), [next]);
    assert_eq!(elsewhere(", exportTo: ['.']"), [cart]);
    assert_eq!(elsewhere(", exportTo: [third]"), [cart]);
    assert_eq!(elsewhere(", exportTo: [third, default]"), [next]);
    assert_eq!(elsewhere(", exportTo: ['*']"), [next]);
    // Whether the caller has a sidecar may not be known, and it may have none.
    let unknown = flows(&(virtual_service(&next_only) + &apps("http")));
    assert_eq!(unknown, ["shop -> cart:80 possible", "shop -> next:82 likely"]);
    let without = namespace.replace("enabled", "disabled");
    assert_eq!(flows(&(virtual_service(&next_only) + &without + &apps("http"))), [cart]);
}
