//! Libraries and collectors that are put into pods.

use super::{app, flows};

fn injected(annotation: &str, more: &str) -> Vec<String> {
    let text = format!(
        "---
apiVersion: opentelemetry.io/v1alpha1
kind: Instrumentation
metadata: {{name: lib}}
spec: {{exporter: {{endpoint: 'http://gather:4317'}}}}
---
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: beside, namespace: other}}
spec:
  mode: sidecar
  config: {{receivers: {{otlp: {{endpoint: '0.0.0.0:4317'}}}}, exporters: {{otlp: {{endpoint: 'gather.default:4317'}}}}}}
{more}
---
apiVersion: v1
kind: Pod
metadata: {{name: shop, annotations: {{{annotation}}}}}
spec: {{containers: [{{name: c, image: example/shop}}]}}
{}",
        app("gather", 4317, "")
    );
    flows(&text).into_iter().filter(|f| f.starts_with("Pod")).collect()
}

#[test]
fn annotations_choose_what_is_put_into_pods() {
    let called = ["Pod/default/shop -> Deployment/default/gather:4317 likely"];
    let library = "instrumentation.opentelemetry.io/inject-java";
    for value in ["'true'", "lib", "default/lib"] {
        assert_eq!(injected(&format!("{library}: {value}"), ""), called, "{value}");
    }
    for value in ["'false'", "other", "other/lib"] {
        assert!(injected(&format!("{library}: {value}"), "").is_empty(), "{value}");
    }
    // Which of two is meant is not said.
    let second = "---\napiVersion: opentelemetry.io/v1alpha1\nkind: Instrumentation\nmetadata: {name: lib2}\n";
    assert!(injected(&format!("{library}: 'true'"), second).is_empty());
    assert_eq!(injected("sidecar.opentelemetry.io/inject: other/beside", ""), called);
    assert!(injected("sidecar.opentelemetry.io/inject: 'true'", "").is_empty());
}

#[test]
fn pods_take_what_their_namespace_asks_for() {
    let namespace = |value: &str| {
        let annotation = format!("annotations: {{instrumentation.opentelemetry.io/inject-go: {value}}}");
        injected("", &format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: default, {annotation}}}\n"))
    };
    assert_eq!(namespace("'true'"), ["Pod/default/shop -> Deployment/default/gather:4317 likely"]);
    assert!(namespace("'false'").is_empty());
}

#[test]
fn agents_that_are_put_into_pods_call_the_collector_they_are_of() {
    let jaeger =
        |name: &str| format!("---\napiVersion: jaegertracing.io/v1\nkind: Jaeger\nmetadata: {{name: {name}}}\n");
    let shop = |value: &str| {
        let annotated = format!("metadata: {{name: shop, annotations: {{sidecar.jaegertracing.io/inject: {value}}}}}");
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\n{annotated}
spec: {{template: {{spec: {{containers: [{{name: c, image: example/shop}}]}}}}}}\n"
        )
    };
    let sent = ["Deployment/default/shop -> Jaeger/default/traces:14250 likely"];
    assert_eq!(flows(&(jaeger("traces") + &shop("'true'"))), sent);
    assert_eq!(flows(&(jaeger("traces") + &jaeger("more") + &shop("traces"))), sent);
    assert!(flows(&(jaeger("traces") + &jaeger("more") + &shop("'true'"))).is_empty());
    assert!(flows(&(jaeger("traces") + &shop("'false'"))).is_empty());
}
