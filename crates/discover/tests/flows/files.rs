//! Addresses in files of which a line does not tell everything.

use super::{app, flows};

/// What a workload calls that mounts a file with this text.
fn calls(text: &str) -> Vec<String> {
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let objects = format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: c, image: example/p}}], volumes: [{{name: v, configMap: {{name: m}}}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: m}}
data:
  f: |
{indented}{}",
        app("cart", 7070, "")
    );
    flows(&objects)
}

#[test]
fn items_belong_to_the_key_of_their_list() {
    let called = ["Pod/default/p -> Deployment/default/cart:7070 likely"];
    assert_eq!(calls("ring:\n  join_members:\n    - cart\n"), called);
    assert_eq!(calls("ring:\n  join_members:\n  - other\n  - cart\n"), called);
    assert!(calls("ring:\n  names:\n  - cart\n").is_empty());
    assert!(calls("join_members:\n  - other\nnames:\n  - cart\n").is_empty());
    let possible = ["Pod/default/p -> external/a.example.org possible"];
    assert_eq!(calls("hosts:\n- a.example.org\n"), possible);
    let outside = ["Pod/default/p -> external/a.example.org:443 likely"];
    assert_eq!(calls("endpoints:\n- https://a.example.org\n"), outside);
}

#[test]
fn addresses_in_prose_and_dashboards_are_not_called() {
    let called = ["Pod/default/p -> Deployment/default/cart:7070 likely"];
    assert_eq!(calls("{\"n\": 1, \"url\": \"http://cart:7070/\"}"), called);
    for text in [
        "{\"items\": [{\"description\": \"see http://cart:7070/\"}]}",
        "{\"panels\": [], \"links\": [{\"url\": \"http://cart:7070/\"}]}",
        "runbook_url: http://cart:7070/",
    ] {
        assert!(calls(text).is_empty(), "{text}");
    }
}

#[test]
fn names_of_service_records_lead_to_the_service() {
    let called = ["Pod/default/p -> Deployment/default/cart:7070 likely"];
    assert_eq!(calls("addresses: dnssrvnoa+_main._tcp.cart.default.svc"), called);
    assert_eq!(calls("endpoint: dns+cart:7070"), called);
}

#[test]
fn files_that_a_container_collects_by_label_count() {
    let objects = |variables: &str, namespace: &str| {
        format!(
            "---
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: c, image: example/p}}, {{name: s, image: 'example/k8s-sidecar:1', env: [{variables}]}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: m, namespace: {namespace}, labels: {{source: '1'}}}}
data: {{f: 'url: http://cart.default:7070'}}
{}",
            app("cart", 7070, "")
        )
    };
    let called = ["Pod/default/p -> Deployment/default/cart:7070 likely"];
    let (label, all) = ("{name: LABEL, value: source}", "{name: NAMESPACE, value: ALL}");
    assert_eq!(flows(&objects(label, "default")), called);
    assert_eq!(flows(&objects(&format!("{label}, {all}"), "other")), called);
    assert!(flows(&objects(label, "other")).is_empty());
    assert!(flows(&objects("{name: LABEL, value: board}", "default")).is_empty());
    assert!(flows(&objects(&format!("{label}, {{name: LABEL_VALUE, value: '2'}}"), "default")).is_empty());
}

#[test]
fn names_in_a_certificate_are_not_called() {
    let job = |secret: &str| {
        let args = format!("args: [create, '--host=cart,cart.default.svc'{secret}]");
        flows(&(app("make", 1, &args) + &app("cart", 7070, "")))
    };
    assert_eq!(job(""), ["Deployment/default/make -> Deployment/default/cart:7070 likely"]);
    assert!(job(", --secret-name=cart").is_empty());
}

#[test]
fn an_alertmanager_sends_mail_only_to_receivers_of_mail() {
    let with = |receivers: &str| {
        let config = format!(
            "---
apiVersion: v1
kind: ConfigMap
metadata: {{name: m}}
data:
  alertmanager.yml: |
    global: {{smtp_smarthost: 'mail.example.org:587', slack_api_url: 'https://chat.example.org/x', smtp_from: a}}
    route: {{receiver: all}}
    receivers: [{receivers}]
"
        );
        let pod = app("alerts", 9093, "")
            .replace("containers:", "volumes: [{name: v, configMap: {name: m}}]\n      containers:");
        flows(&(config + &pod))
    };
    let mail = "Deployment/default/alerts -> external/mail.example.org:587 likely";
    let chat = "Deployment/default/alerts -> external/chat.example.org:443 likely";
    assert!(with("{name: all}").is_empty());
    assert!(with("{name: all, email_configs: []}").is_empty());
    assert_eq!(with("{name: all, email_configs: [{to: b}]}"), [mail]);
    assert_eq!(with("{name: all}, {name: c, slack_configs: [{channel: d}]}"), [chat]);
    // A receiver with one of its own does not need the one for all.
    let own = "{name: all, email_configs: [{to: b, smarthost: 'own.example.org:25'}]}";
    assert_eq!(with(own), ["Deployment/default/alerts -> external/own.example.org:25 likely"]);
}
