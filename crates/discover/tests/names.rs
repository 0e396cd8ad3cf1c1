//! What stands behind the names of Services, and who refers to them in other ways than by name.

mod shown;

use kubestride_model::{FlowKind, SubjectRef};
use shown::{app, flows, model, pods, service};

const CALLER: &str = "env: [{name: DB_URL, value: 'mysql://db:3306/x'}]";

#[test]
fn a_service_without_a_selector_leads_to_the_addresses_that_are_written_for_it() {
    let bare = "---\napiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {ports: [{port: 3306}]}\n";
    let of = |more: &str| flows(&(app("shop", 80, CALLER) + bare + more));
    let endpoints = "---
apiVersion: v1
kind: Endpoints
metadata: {name: db}
subsets: [{addresses: [{ip: 192.0.2.7}, {ip: 192.0.2.8, targetRef: {kind: Pod, name: one}}], ports: [{port: 3306}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: c, image: example/db}]}
";
    assert_eq!(of(endpoints), ["shop -> Pod/default/one:3306 certain", "shop -> external/192.0.2.7:3306 likely"]);
    let slice = "---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
addressType: FQDN
endpoints: [{addresses: [db.corp.example]}]
";
    assert_eq!(of(slice), ["shop -> external/db.corp.example:3306 likely"]);
    // With a selector Kubernetes writes them.
    let selecting = app("shop", 80, CALLER) + &app("db", 3306, "");
    assert_eq!(flows(&(selecting.clone() + slice)), flows(&selecting));
}

#[test]
fn an_external_name_may_be_the_name_of_another_service() {
    let alias = |target: &str| {
        let service = format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: db}}\nspec: {{type: ExternalName, externalName: {target}}}\n"
        );
        flows(&(app("shop", 80, CALLER) + &app("store", 3306, "") + &service))
    };
    assert_eq!(alias("store.default.svc.cluster.local"), ["shop -> store:3306 certain"]);
    assert_eq!(alias("db.corp.example"), ["shop -> external/db.corp.example:3306 likely"]);
    // One that stands for itself leads nowhere.
    assert_eq!(alias("db.default.svc.cluster.local"), ["shop -> Service/default/db:3306 certain"]);
}

#[test]
fn references_to_variables_of_services_are_calls() {
    let args = "args: ['--to=http://$(ORDERS_DB_SERVICE_HOST):$(ORDERS_DB_SERVICE_PORT)']";
    let with = |pod: &str| flows(&(pods("shop", "shop", 80, args, pod) + &app("orders-db", 5432, "")));
    assert_eq!(with(""), ["shop -> orders-db:5432 likely"]);
    assert!(with("enableServiceLinks: false").is_empty());
}

#[test]
fn a_name_with_a_namespace_is_not_a_host_outside() {
    let shop = |host: &str| flows(&app("shop", 80, &format!("env: [{{name: URL, value: 'http://{host}:80'}}]")));
    assert_eq!(shop("pilot.mesh-system"), ["shop -> Service/mesh-system/pilot:80 possible"]);
    assert_eq!(shop("pilot.default"), ["shop -> Service/default/pilot:80 possible"]);
    assert_eq!(shop("pilot.example"), ["shop -> external/pilot.example:80 likely"]);
}

#[test]
fn consul_says_who_calls_whom() {
    let intentions = "---
apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceIntentions
metadata: {name: db}
spec: {destination: {name: db}, sources: [{name: shop, action: allow}, {name: cart, action: deny}, {name: '*', action: allow}]}
";
    let all = app("shop", 80, "") + &app("cart", 81, "") + &app("db", 82, "");
    assert_eq!(flows(&(all.clone() + intentions)), ["shop -> db likely"]);
    let upstream = "---
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {consul.hashicorp.com/connect-service-upstreams: 'shop:1234, absent:1235'}}
spec: {containers: [{name: c, image: example/web}]}
";
    assert_eq!(flows(&(all + upstream)), ["Pod/default/web -> shop likely"]);
}

#[test]
fn a_route_to_nothing_known_is_possible_only() {
    let ingress = |name: &str| {
        format!(
            "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: i}}
spec: {{defaultBackend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}
"
        )
    };
    let of = |name: &str| flows(&(ingress(name) + &app("shop", 80, "") + &service("empty", 80, "")));
    assert_eq!(of("shop"), ["external/internet -> shop certain"]);
    assert_eq!(of("absent"), ["external/internet -> Service/default/absent possible"]);
    assert_eq!(of("empty"), ["external/internet -> Service/default/empty possible"]);
}

#[test]
fn kong_lets_in_over_tcp() {
    let route = "---
apiVersion: configuration.konghq.com/v1beta1
kind: TCPIngress
metadata: {name: t}
spec: {rules: [{port: 9000, backend: {serviceName: shop, servicePort: 80}}]}
";
    assert_eq!(flows(&(route.to_owned() + &app("shop", 80, ""))), ["external/internet -> shop certain"]);
}

#[test]
fn a_store_that_is_named_after_a_workload_is_possibly_its_own() {
    let store = |name: &str, image: &str| pods(name, image, 5432, "", "");
    let all = app("orders", 80, "")
        + &store("orders-db", "postgres")
        + &store("orders-ui", "postgres")
        + &store("cart-db", "postgres");
    assert_eq!(flows(&all), ["orders -> orders-db possible"]);
    assert!(flows(&(app("orders", 80, "") + &store("orders-db", "tool"))).is_empty());
    let told = app("orders", 80, "env: [{name: DB, value: 'orders-db:5432'}]") + &app("orders-db", 5432, "");
    assert_eq!(flows(&told.replace("example/orders-db", "postgres")), ["orders -> orders-db:5432 certain"]);
}

#[test]
fn written_endpoints_may_be_at_another_port_than_the_service() {
    let bare = |ports: &str| {
        format!("---\napiVersion: v1\nkind: Service\nmetadata: {{name: db}}\nspec: {{ports: [{ports}]}}\n")
    };
    let of = |ports: &str, more: &str| flows(&(app("shop", 80, CALLER) + &bare(ports) + more));
    let slice = |address: &str, ports: &str| {
        format!(
            "---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: db-1, labels: {{kubernetes.io/service-name: db}}}}
addressType: IPv4
ports: [{ports}]
endpoints: [{{{address}}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: one}}
spec: {{containers: [{{name: c, image: example/db}}]}}
"
        )
    };
    let outside = "addresses: [192.0.2.7]";
    let pod = "addresses: [10.0.0.7], targetRef: {kind: Pod, name: one}";
    assert_eq!(of("{port: 3306}", &slice(outside, "{port: 13306}")), ["shop -> external/192.0.2.7:13306 likely"]);
    // Ports of a Service and of its endpoints belong together by name.
    let named = "{name: web, port: 80}, {name: sql, port: 3306}";
    let both = "{name: sql, port: 13306}, {name: web, port: 8080}";
    assert_eq!(of(named, &slice(outside, both)), ["shop -> external/192.0.2.7:13306 likely"]);
    let endpoints = "---
apiVersion: v1
kind: Endpoints
metadata: {name: db}
subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 13306}]}]
";
    assert_eq!(of("{port: 3306}", endpoints), ["shop -> external/192.0.2.7:13306 likely"]);
    // What a pod is called by is the port of the Service; what its policies see is its own.
    let text = app("shop", 80, CALLER) + &bare("{port: 3306}") + &slice(pod, "{port: 13306}");
    assert_eq!(flows(&text), ["shop -> Pod/default/one:3306 certain"]);
    let policy = |port: u16| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {{podSelector: {{}}, ingress: [{{ports: [{{port: {port}}}]}}]}}\n"
        )
    };
    assert_eq!(verdict(&(text.clone() + &policy(13306))), "Allowed");
    assert_eq!(verdict(&(text.clone() + &policy(3306))), "Denied");
}

/// What network policies say about the only call.
fn verdict(text: &str) -> String {
    let model = model(text);
    let is_call = |f: &kubestride_model::Flow| f.kind == FlowKind::Traffic && !f.implicit;
    let (id, _) = model.flows().find(|(_, f)| is_call(f)).expect("a flow");
    let attribute = model.vocabulary().find_attribute("policyVerdict").expect("an attribute");
    let value = model.values(SubjectRef::Flow(id)).iter().find(|(a, _)| *a == attribute).map(|(_, v)| *v);
    value.map(|v| model.value_text(attribute, v).to_string()).unwrap_or_default()
}

#[test]
fn a_pod_may_have_addresses_of_its_own_for_names() {
    let with = |aliases: &str| {
        let env = "env: [{name: DB_URL, value: 'mysql://db:3306/x'}]";
        let pod = format!("hostAliases: [{aliases}]");
        flows(&(pods("shop", "shop", 80, env, &pod) + &app("db", 3306, "")))
    };
    assert_eq!(with(""), ["shop -> db:3306 certain"]);
    assert_eq!(with("{ip: 192.0.2.7, hostnames: [other]}"), ["shop -> db:3306 certain"]);
    assert_eq!(with("{ip: 192.0.2.7, hostnames: [other, DB]}"), ["shop -> external/192.0.2.7:3306 likely"]);
    // Itself.
    assert!(with("{ip: 127.0.0.1, hostnames: [db]}").is_empty());
    let service = "---
apiVersion: v1
kind: Service
metadata: {name: cache}
spec: {clusterIP: 10.0.0.7, selector: {app: db}, ports: [{port: 3306}]}
";
    let env = "env: [{name: DB_URL, value: 'mysql://data.corp.example:3306/x'}]";
    let alias = "hostAliases: [{ip: 10.0.0.7, hostnames: [data.corp.example]}]";
    let text = pods("shop", "shop", 80, env, alias) + &pods("db", "db", 3306, "", "") + service;
    assert_eq!(flows(&text), ["shop -> db:3306 certain"]);
}

#[test]
fn pods_of_a_stateful_set_have_names_of_their_own() {
    let set = |env: &str| {
        format!(
            "---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: ring}}
spec:
  serviceName: members
  template:
    metadata: {{labels: {{app: ring}}}}
    spec: {{containers: [{{name: c, image: example/ring, env: [{{name: PEERS, value: '{env}'}}]}}]}}
"
        )
    };
    let headless = "---\napiVersion: v1\nkind: Service\nmetadata: {name: members}\nspec: {clusterIP: None, selector: {app: ring}, ports: [{port: 7000}]}\n";
    for name in [
        "ring-0.members",
        "ring-1.members.default",
        "ring-0.members.default.svc",
        "ring-2.members.default.svc.cluster.local",
    ] {
        // Its peers are itself, with and without the Service in the input.
        assert!(flows(&set(&format!("{name}:7000"))).is_empty(), "{name}");
        assert!(flows(&(set(&format!("{name}:7000")) + headless)).is_empty(), "{name}");
        let caller = app("shop", 80, &format!("env: [{{name: RING_HOST, value: '{name}:7000'}}]"));
        let expected = ["shop -> StatefulSet/default/ring:7000 likely"];
        assert_eq!(flows(&(caller + &set(""))), expected, "{name}");
    }
    let caller =
        |name: &str| flows(&(app("shop", 80, &format!("env: [{{name: RING_HOST, value: '{name}:7000'}}]")) + &set("")));
    assert_eq!(caller("ring-x.members"), ["shop -> Service/members/ring-x:7000 possible"]);
    assert_eq!(caller("ring-0.example"), ["shop -> external/ring-0.example:7000 likely"]);
}
