//! What settings say about the encryption of flows, and how callers are known.

mod shown;

use kubestride_model::{FlowKind, SubjectRef};
use shown::{app, flows, model, pods};

/// Every flow between workloads and from outside with one of its attributes.
fn attribute(text: &str, name: &str) -> Vec<String> {
    let model = model(text);
    let attribute = model.vocabulary().find_attribute(name).expect("an attribute");
    let shown = model.flows().filter(|(_, f)| !f.implicit && matches!(f.kind, FlowKind::Traffic | FlowKind::Exposure));
    let line = |(id, flow): (kubestride_model::FlowId, &kubestride_model::Flow)| {
        let value = model.values(SubjectRef::Flow(id)).iter().find(|(a, _)| *a == attribute).map(|(_, v)| *v);
        let value = value.map(|v| model.value_text(attribute, v).to_string()).unwrap_or_default();
        let target = model.identity_of(SubjectRef::Element(flow.target)).rsplit('/').next().unwrap_or("").to_owned();
        format!("{target}:{} {value}", flow.port.unwrap_or_default()).trim_end().to_owned()
    };
    let mut lines: Vec<String> = shown.map(line).collect();
    lines.sort();
    lines
}

/// What is said about the encryption of the only flow, with the evidence.
fn encrypted(text: &str) -> (String, String) {
    let model = model(text);
    let attribute = model.vocabulary().find_attribute("encryption").expect("an attribute");
    let (id, _) = model.flows().find(|(_, f)| !f.implicit && f.kind == FlowKind::Traffic).expect("a flow");
    let subject = SubjectRef::Flow(id);
    let value = model.values(subject).iter().find(|(a, _)| *a == attribute).map(|(_, v)| *v);
    let notes: Vec<&str> = model.value_evidence(subject, attribute).iter().map(|e| model.text(e.note)).collect();
    (value.map(|v| model.value_text(attribute, v).to_string()).unwrap_or_default(), notes.join(", "))
}

#[test]
fn variables_beside_a_host_say_whether_tls_is_used() {
    let with = |variables: &[(&str, &str)]| {
        let one = |(name, value): &(&str, &str)| format!("{{name: {name}, value: '{value}'}}");
        let env = format!("env: [{}]", variables.iter().map(one).collect::<Vec<_>>().join(", "));
        encrypted(&(app("shop", 80, &env) + &app("db", 5432, ""))).0
    };
    let host = ("DB_HOST", "db:5432");
    assert_eq!(with(&[host]), "");
    assert_eq!(with(&[host, ("DB_SSLMODE", "require")]), "Encrypted");
    assert_eq!(with(&[host, ("DB_SSL_MODE", "VERIFY-FULL")]), "Encrypted");
    assert_eq!(with(&[host, ("DB_SSLMODE", "disable")]), "Plain");
    // These go on without TLS where the server has none.
    assert_eq!(with(&[host, ("DB_SSLMODE", "prefer")]), "Plain");
    assert_eq!(with(&[host, ("DB_USE_TLS", "true")]), "Encrypted");
    assert_eq!(with(&[host, ("DB_SSL", "0")]), "Plain");
    assert_eq!(with(&[host, ("DB_SSLMODE", "$(MODE)")]), "");
    assert_eq!(with(&[host, ("CACHE_SSLMODE", "require")]), "");
    assert_eq!(with(&[("PGHOST", "db"), ("PGPORT", "5432"), ("PGSSLMODE", "verify-ca")]), "Encrypted");
    assert_eq!(with(&[("DATABASE_URL", "postgres://db:5432/x"), ("PGSSLMODE", "require")]), "Encrypted");
    assert_eq!(with(&[("DATABASE_URL", "mysql://db:5432/x"), ("PGSSLMODE", "require")]), "");
    // The scheme is that of the way to the proxy, not of what goes through it.
    assert_eq!(with(&[("HTTPS_PROXY", "http://db:5432")]), "");
    assert_eq!(with(&[("HTTP_PROXY", "http://db:5432")]), "Plain");
    // The address itself is nearer.
    let stated = ("DATABASE_URL", "postgres://db:5432/x?sslmode=disable");
    assert_eq!(with(&[stated, ("PGSSLMODE", "require")]), "Plain");
    assert_eq!(with(&[("DB_URL", "http://db:5432"), ("DB_SSL", "true")]), "Plain");
    let text = app("shop", 80, "env: [{name: DB_HOST, value: 'db:5432'}, {name: DB_SSLMODE, value: require}]");
    let (_, evidence) = encrypted(&(text + &app("db", 5432, "")));
    assert_eq!(evidence, "container c has DB_SSLMODE");
}

#[test]
fn parameters_of_addresses_say_whether_tls_is_used() {
    let with = |url: &str| {
        encrypted(&(app("shop", 80, &format!("env: [{{name: DB_DSN, value: '{url}'}}]")) + &app("db", 1, ""))).0
    };
    let encrypted = [
        "postgres://db:1/x?sslmode=no-verify",
        "mysql://db:1/x?tls=skip-verify",
        "mysql://db:1/x?ssl-mode=REQUIRED",
        "jdbc:mysql://db:1/x?sslMode=VERIFY_CA",
        "jdbc:sqlserver://db:1;encrypt=strict",
        "Host=db;Port=1;Database=x;SSL Mode=Require",
        "host=db port=1 dbname=x sslmode=verify-full",
        "mongodb://db:1/x?a=b&tls=true",
    ];
    for url in encrypted {
        assert_eq!(with(url), "Encrypted", "{url}");
    }
    let plain = [
        "mysql://db:1/x?tls=preferred",
        "jdbc:mysql://db:1/x?useSSL=false",
        "host=db port=1 dbname=x sslmode=disable",
        "jdbc:sqlserver://db:1;encrypt=optional",
    ];
    for url in plain {
        assert_eq!(with(url), "Plain", "{url}");
    }
    // Only whole names of parameters count.
    for url in ["postgres://db:1/x?nossl=true", "postgres://db:1/ssl=true", "postgres://db:1/x?hint=tls"] {
        assert_eq!(with(url), "", "{url}");
    }
}

#[test]
fn monitors_scrape_by_the_scheme_that_they_name() {
    let with = |endpoint: &str| {
        let text = format!(
            "---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {{name: p}}
spec: {{serviceMonitorSelector: {{}}, podMonitorSelector: {{}}}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: m}}
spec: {{selector: {{matchLabels: {{app: cart}}}}, endpoints: [{{port: web{endpoint}}}]}}
"
        );
        let text = text + &app("cart", 81, "");
        let pods = text.replace("ServiceMonitor", "PodMonitor").replace("endpoints:", "podMetricsEndpoints:");
        let pods = pods.replace("port: web", "port: main");
        assert_eq!(encrypted(&pods), encrypted(&text), "{endpoint}");
        (encrypted(&text), attribute(&text, "authentication"))
    };
    let owned = |value: &str, note: &str| (value.to_owned(), note.to_owned());
    assert_eq!(with("").0, owned("Plain", "a monitor that names no scheme scrapes by HTTP"));
    assert_eq!(with(", scheme: http").0, owned("Plain", "the scheme of the monitor"));
    assert_eq!(with(", scheme: HTTPS").0, owned("Encrypted", "the scheme of the monitor"));
    let unchecked = with(", scheme: https, tlsConfig: {insecureSkipVerify: true}");
    assert_eq!(unchecked.0, owned("Encrypted", "the scheme of the monitor; the certificate is not checked"));
    assert_eq!(with("").1, ["cart:81"]);
    assert_eq!(with(", authorization: {credentials: {name: s, key: k}}").1, ["cart:81 Token"]);
    assert_eq!(with(", bearerTokenSecret: {name: s, key: k}").1, ["cart:81 Token"]);
    assert_eq!(with(", bearerTokenSecret: {key: ''}").1, ["cart:81"]);
    assert_eq!(with(", basicAuth: {username: {name: s, key: k}}").1, ["cart:81 Credential"]);
    assert_eq!(with(", tlsConfig: {cert: {secret: {name: s, key: k}}}, scheme: https").1, ["cart:81 Mutual TLS"]);
}

#[test]
fn listeners_of_kafka_say_how_clients_are_known() {
    let kafka = "---
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {name: events}
spec:
  kafka:
    listeners:
    - {name: plain, port: 9092, type: internal, tls: false}
    - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: tls}}
    - {name: scram, port: 9095, type: internal, tls: true, authentication: {type: scram-sha-512}}
    - {name: out, port: 9094, type: loadbalancer, tls: true, authentication: {type: oauth}}
";
    let caller = |port: u16| {
        pods("shop", "shop", 80, &format!("env: [{{name: KAFKA_BROKERS, value: 'events-kafka-bootstrap:{port}'}}]"), "")
    };
    assert_eq!(
        flows(&(kafka.to_owned() + &caller(9093))),
        ["external/internet -> Kafka/default/events:9094 likely", "shop -> Kafka/default/events:9093 likely"]
    );
    let of = |port: u16, name: &str| attribute(&(kafka.to_owned() + &caller(port)), name).join(" | ");
    assert_eq!(of(9092, "encryption"), "events:9092 Plain | events:9094 Encrypted");
    assert_eq!(of(9093, "encryption"), "events:9093 Encrypted | events:9094 Encrypted");
    assert_eq!(of(9092, "authentication"), "events:9092 None | events:9094 Token");
    assert_eq!(of(9093, "authentication"), "events:9093 Mutual TLS | events:9094 Token");
    assert_eq!(of(9095, "authentication"), "events:9094 Token | events:9095 Credential");
    // No listener has this port.
    assert_eq!(of(9999, "encryption"), "events:9094 Encrypted | events:9999");
}

#[test]
fn jobs_of_prometheus_say_whether_they_scrape_over_tls() {
    let with = |job: &str| {
        let text = format!(
            "---
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: c, image: prom/prometheus}}], volumes: [{{name: v, configMap: {{name: p}}}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: p}}
data:
  p.yml: |
    {job}
"
        );
        encrypted(&(text + &app("cart", 81, "")))
    };
    let owned = |value: &str, note: &str| (value.to_owned(), note.to_owned());
    let keep = "{action: keep, source_labels: [__meta_kubernetes_pod_label_app], regex: cart}";
    let discovered = |more: &str| {
        with(&format!("scrape_configs: [{{kubernetes_sd_configs: [{{role: pod}}]{more}, relabel_configs: [{keep}]}}]"))
    };
    let fixed = |more: &str| with(&format!("scrape_configs: [{{static_configs: [{{targets: ['cart:81']}}]{more}}}]"));
    let alerts = |more: &str| {
        with(&format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['cart:81']}}]{more}}}]}}"))
    };
    for found in [&fixed as &dyn Fn(&str) -> (String, String), &discovered, &alerts] {
        assert_eq!(found(""), owned("Plain", "a job that names no scheme calls by HTTP"));
        assert_eq!(found(", scheme: http"), owned("Plain", "the scheme of the job"));
        assert_eq!(found(", scheme: https"), owned("Encrypted", "the scheme of the job"));
        assert_eq!(
            found(", scheme: https, tls_config: {insecure_skip_verify: true}"),
            owned("Encrypted", "the scheme of the job; the certificate is not checked")
        );
    }
    // Nothing is sent to a host outside that is scraped, but alerts are.
    let host = |part: &str| with(&part.replace("TARGETS", "static_configs: [{targets: ['10.0.0.7:9100']}]")).0;
    assert_eq!(host("scrape_configs: [{job_name: nodes, scheme: http, TARGETS}]"), "");
    assert_eq!(host("scrape_configs: [{job_name: nodes, scheme: https, TARGETS}]"), "Encrypted");
    assert_eq!(host("alerting: {alertmanagers: [{TARGETS}]}"), "Plain");
    // A rule that sets the scheme of each target decides.
    let ruled = |rule: &str| {
        with(&format!(
            "scrape_configs: [{{kubernetes_sd_configs: [{{role: pod}}], relabel_configs: [{keep}, {rule}]}}]"
        ))
    };
    assert_eq!(ruled("{target_label: __scheme__, replacement: https}").0, "Encrypted");
    let of_annotation =
        "{source_labels: [__meta_kubernetes_pod_annotation_scheme], regex: '(https?)', target_label: __scheme__}";
    assert_eq!(ruled(of_annotation).0, "Plain");
    // Pods that are found but may be meant by nobody.
    let unsure = "scrape_configs: [{kubernetes_sd_configs: [{role: pod}], scheme: http}]";
    assert_eq!(with(unsure).0, "");
    let of_node = of_annotation.replace("_pod_annotation_scheme", "_node_name");
    assert_eq!(ruled(&of_node).0, "");
}

#[test]
fn the_prometheus_resource_says_whether_it_sends_alerts_over_tls() {
    let with = |more: &str| {
        let text = format!(
            "---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {{name: p}}
spec: {{alerting: {{alertmanagers: [{{name: cart, port: 81{more}}}]}}}}
"
        );
        encrypted(&(text + &app("cart", 81, "")))
    };
    let owned = |value: &str, note: &str| (value.to_owned(), note.to_owned());
    assert_eq!(with(""), owned("Plain", "alerts are sent by HTTP where no scheme is named"));
    assert_eq!(with(", scheme: https"), owned("Encrypted", "the scheme for alerts"));
}
