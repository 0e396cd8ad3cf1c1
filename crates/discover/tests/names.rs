//! What stands behind the names of Services, and who refers to them in other ways than by name.

mod shown;

use shown::{app, flows, pods, service};

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
