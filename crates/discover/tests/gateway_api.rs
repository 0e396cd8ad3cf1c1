//! Which routes the listeners of a Gateway take, as the Gateway API says.

mod shown;

use kubestride_discover::Scope;
use kubestride_model::SubjectRef;
use shown::{app, discovered, flows, model};

/// A Gateway of the namespace `edge` with listeners.
fn gateway(listeners: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: g, namespace: edge}}
spec: {{gatewayClassName: c, listeners: [{listeners}]}}
"
    )
}

/// A route of the default namespace to `shop`.
fn route(kind: &str, parent: &str, more: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: r}}
spec: {{parentRefs: [{{{parent}}}], {more} rules: [{{backendRefs: [{{name: shop, port: 8080}}]}}]}}
"
    )
}

fn namespace(labels: &str) -> String {
    format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: default, labels: {{{labels}}}}}\n")
}

/// How sure it is that the route lets anybody in; empty if nothing says so.
fn entered(text: &str) -> String {
    let found = flows(&(text.to_owned() + &app("shop", 8080, "")));
    assert!(found.len() <= 1, "{found:?}");
    let line = found.first().map(String::as_str).unwrap_or_default();
    line.strip_prefix("external/internet -> shop ").unwrap_or(line).to_owned()
}

const OF_EDGE: &str = "name: g, namespace: edge";
const ALL: &str = "allowedRoutes: {namespaces: {from: All}}";

#[test]
fn listeners_take_the_routes_of_namespaces_that_they_name() {
    let with = |allowed: &str, namespace: &str| {
        let listener = format!("{{name: web, protocol: HTTP, port: 80{allowed}}}");
        entered(&(gateway(&listener) + &route("HTTPRoute", OF_EDGE, "") + namespace))
    };
    let allowed = |namespaces: &str| format!(", allowedRoutes: {{namespaces: {{{namespaces}}}}}");
    let selector = allowed("from: Selector, selector: {matchLabels: {shared: 'yes'}}");
    let by_name = |name: &str| {
        allowed(&format!("from: Selector, selector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}"))
    };
    // Only routes of its own namespace, unless it says otherwise.
    assert_eq!(with("", ""), "");
    assert_eq!(with(&allowed("from: Same"), ""), "");
    assert_eq!(with(&allowed("from: None"), ""), "");
    assert_eq!(with(&allowed("from: All"), ""), "certain");
    assert_eq!(with(&selector, &namespace("shared: 'yes'")), "certain");
    assert_eq!(with(&selector, &namespace("shared: 'no'")), "");
    // The labels of a namespace that is not in the input are not known, but for its name.
    assert_eq!(with(&selector, ""), "possible");
    assert_eq!(with(&by_name("default"), ""), "certain");
    assert_eq!(with(&by_name("other"), ""), "");
    // What is not understood is not known.
    assert_eq!(with(&allowed("from: Some"), ""), "possible");
    assert_eq!(
        with(&allowed("from: Selector, selector: {matchExpressions: [{key: a, operator: Like}]}"), ""),
        "possible"
    );
}

#[test]
fn routes_of_the_gateways_own_namespace_are_taken() {
    let gateway = gateway("{name: web, protocol: HTTP, port: 80}").replace("namespace: edge", "namespace: default");
    assert_eq!(entered(&(gateway + &route("HTTPRoute", "name: g", ""))), "certain");
    // A Gateway that is not in the input may take them.
    assert_eq!(entered(&route("HTTPRoute", "name: g", "")), "likely");
}

#[test]
fn listeners_take_the_kinds_of_routes_that_they_name_or_that_fit_their_protocol() {
    let with = |protocol: &str, kinds: &str, kind: &str| {
        let listener = format!(
            "{{name: web, protocol: {protocol}, port: 80, allowedRoutes: {{namespaces: {{from: All}}{kinds}}}}}"
        );
        entered(&(gateway(&listener) + &route(kind, OF_EDGE, "")))
    };
    let only = |kind: &str| format!(", kinds: [{{kind: {kind}}}]");
    assert_eq!(with("HTTP", "", "HTTPRoute"), "certain");
    assert_eq!(with("HTTPS", "", "GRPCRoute"), "certain");
    assert_eq!(with("HTTP", "", "TCPRoute"), "");
    assert_eq!(with("TCP", "", "HTTPRoute"), "");
    assert_eq!(with("TLS", "", "TLSRoute"), "certain");
    assert_eq!(with("UDP", "", "UDPRoute"), "certain");
    assert_eq!(with("HTTP", &only("GRPCRoute"), "HTTPRoute"), "");
    assert_eq!(with("HTTP", &only("HTTPRoute"), "HTTPRoute"), "certain");
    assert_eq!(with("HTTP", ", kinds: [{group: example.com, kind: HTTPRoute}]", "HTTPRoute"), "");
    assert_eq!(with("example.com/own", "", "HTTPRoute"), "possible");
}

#[test]
fn a_route_is_attached_to_the_listeners_that_its_parent_reference_means() {
    let listeners = format!("{{name: web, protocol: HTTP, port: 80, {ALL}}}, {{name: own, protocol: HTTP, port: 81}}");
    let with = |parent: &str| entered(&(gateway(&listeners) + &route("HTTPRoute", parent, "")));
    assert_eq!(with(OF_EDGE), "certain");
    assert_eq!(with(&format!("{OF_EDGE}, sectionName: web")), "certain");
    assert_eq!(with(&format!("{OF_EDGE}, sectionName: own")), "");
    assert_eq!(with(&format!("{OF_EDGE}, sectionName: none")), "");
    assert_eq!(with(&format!("{OF_EDGE}, port: 80")), "certain");
    assert_eq!(with(&format!("{OF_EDGE}, port: 81")), "");
    assert_eq!(with(&format!("{OF_EDGE}, sectionName: web, port: 81")), "");
}

#[test]
fn the_hosts_of_a_listener_and_of_a_route_must_meet() {
    let with = |listener: &str, kind: &str, hosts: &str| {
        let protocol = if kind == "TCPRoute" { "TCP" } else { "HTTP" };
        let listener = format!("{{name: web, protocol: {protocol}, port: 80, {listener} {ALL}}}");
        entered(&(gateway(&listener) + &route(kind, OF_EDGE, hosts)))
    };
    let shop = "hostnames: [shop.example.com, shop.example.org],";
    assert_eq!(with("hostname: shop.example.com,", "HTTPRoute", shop), "certain");
    assert_eq!(with("hostname: '*.example.org',", "HTTPRoute", shop), "certain");
    assert_eq!(with("hostname: example.org,", "HTTPRoute", shop), "");
    assert_eq!(with("hostname: '*.shop.example.org',", "HTTPRoute", shop), "");
    assert_eq!(with("hostname: a.b.example.com,", "HTTPRoute", "hostnames: ['*.Example.com'],"), "certain");
    assert_eq!(with("hostname: '*.b.example.com',", "HTTPRoute", "hostnames: ['*.example.com'],"), "certain");
    assert_eq!(with("hostname: '*.example.com',", "HTTPRoute", "hostnames: ['*.example.org'],"), "");
    assert_eq!(with("", "HTTPRoute", shop), "certain");
    assert_eq!(with("hostname: a.example,", "HTTPRoute", ""), "certain");
    // Without a protocol that knows host names they say nothing.
    assert_eq!(with("hostname: a.example,", "TCPRoute", ""), "certain");
}

#[test]
fn only_listeners_that_take_a_route_say_whether_it_is_encrypted() {
    let listeners =
        format!("{{name: web, protocol: HTTP, port: 80}}, {{name: safe, protocol: HTTPS, port: 443, {ALL}}}");
    let model = model(&(gateway(&listeners) + &route("HTTPRoute", OF_EDGE, "") + &app("shop", 8080, "")));
    let (id, _) = model.flows().find(|(_, f)| !f.implicit).expect("a flow");
    let attribute = model.vocabulary().find_attribute("encryption").expect("an attribute");
    let values = model.values(SubjectRef::Flow(id));
    let value = values.iter().find(|(a, _)| *a == attribute).map(|(_, v)| model.value_text(attribute, *v).to_string());
    assert_eq!(value.as_deref(), Some("Encrypted"));
}

#[test]
fn a_backend_without_weight_gets_nothing() {
    let text = route("HTTPRoute", "name: g", "").replace("port: 8080", "port: 8080, weight: 0");
    assert_eq!(entered(&text), "");
}

#[test]
fn what_is_not_taken_or_not_known_to_be_is_said() {
    let said = |listener: &str| {
        let text = gateway(listener) + &route("HTTPRoute", OF_EDGE, "");
        let found = discovered(&text, Scope::Application).diagnostics;
        found.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect::<Vec<_>>()
    };
    let unknown = "allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {shared: 'yes'}}}}";
    assert!(said(&format!("{{name: web, protocol: HTTP, port: 80, {ALL}}}")).is_empty());
    let not_taken = "route-not-taken no listener takes HTTPRoute r, so nobody gets in by it";
    assert_eq!(said("{name: web, protocol: HTTP, port: 80}"), [not_taken]);
    let not_known =
        "route-not-known whether a listener takes HTTPRoute r is not known, so its ways in are only possible";
    assert_eq!(said(&format!("{{name: web, protocol: HTTP, port: 80, {unknown}}}")), [not_known]);
}
