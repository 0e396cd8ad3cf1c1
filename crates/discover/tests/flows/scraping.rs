//! Who is scraped, by configuration files of Prometheus.

use super::flows;

const PODS: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}, annotations: {example.org/metrics: 'yes', example.org/port: '9100'}}
spec: {containers: [{name: c, image: example/shop, ports: [{name: web, containerPort: 80}, {name: metrics, containerPort: 81}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, labels: {team: a}}
spec: {selector: {app: shop}, ports: [{name: web, port: 80}, {name: metrics, port: 8081, targetPort: 81}]}
---
apiVersion: v1
kind: Pod
metadata: {name: exporter, labels: {app: exporter}}
spec: {containers: [{name: c, image: example/exporter, ports: [{containerPort: 9115}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: exporter}
spec: {selector: {app: exporter}, ports: [{port: 9115}]}
---
apiVersion: v1
kind: Pod
metadata: {name: scraper}
spec:
  containers: [{name: c, image: example/scraper}]
  volumes: [{name: v, configMap: {name: scraper}}]
";

/// What the jobs in a file of the scraper lead to.
fn scraped(jobs: &str) -> Vec<String> {
    let indented: String = jobs.lines().map(|line| format!("    {line}\n")).collect();
    let map =
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: scraper}\ndata:\n  p.yml: |\n    scrape_configs:\n";
    flows(&format!("{PODS}{map}{indented}"))
}

#[test]
fn rules_choose_what_is_scraped() {
    let pods =
        |rules: &str| scraped(&format!("- kubernetes_sd_configs: [{{role: pod}}]\n  relabel_configs: [{rules}]"));
    let to = |port: &str| [format!("Pod/default/scraper -> Pod/default/shop:{port} likely")];
    let keep = |label: &str, regex: &str| format!("{{action: keep, source_labels: [{label}], regex: {regex}}}");
    let annotated = keep("__meta_kubernetes_pod_annotation_example_org_metrics", "'yes'");
    let metrics = keep("__meta_kubernetes_pod_container_port_name", "metrics");
    assert_eq!(pods(&format!("{annotated}, {metrics}")), to("81"));
    let port = "{source_labels: [__address__, __meta_kubernetes_pod_annotation_example_org_port], regex: '(.+):.*;(.+)', target_label: __address__}";
    assert_eq!(pods(&format!("{annotated}, {port}")), to("9100"));
    assert!(pods(&keep("__meta_kubernetes_pod_annotation_example_org_metrics", "'no'")).is_empty());
    // Pods that an annotation can take out are scraped if it does not.
    let out = |value: &str| {
        format!(
            "{{action: drop, source_labels: [__meta_kubernetes_pod_annotation_example_org_metrics], regex: {value}}}"
        )
    };
    assert_eq!(pods(&format!("{}, {metrics}", out("'no'"))), to("81"));
    let others = pods(&out("'no'"));
    assert!(others.iter().any(|f| f == "Pod/default/scraper -> Pod/default/exporter:9115 likely"), "{others:?}");
    assert!(pods(&out("'yes'")).iter().all(|f| f.contains("exporter")));
    // What keeps everything, or cannot be followed, is not sure.
    for unsure in [String::new(), keep("__meta_kubernetes_pod_node_name", "a")] {
        let found = pods(&unsure);
        assert!(!found.is_empty() && found.iter().all(|f| f.ends_with("possible")), "{unsure}: {found:?}");
    }
    let endpoints = |namespace: &str| {
        let rules = keep("__meta_kubernetes_service_label_team, __meta_kubernetes_endpoint_port_name", "a;metrics");
        let discovery = format!("{{role: endpoints, namespaces: {{names: [{namespace}]}}}}");
        scraped(&format!("- kubernetes_sd_configs: [{discovery}]\n  relabel_configs: [{rules}]"))
    };
    assert_eq!(endpoints("default"), to("8081"));
    assert!(endpoints("other").is_empty());
}

#[test]
fn an_exporter_calls_what_it_probes() {
    let direct = "- static_configs: [{targets: ['shop:80', 'db.example.org:9100']}]";
    let expected = [
        "Pod/default/scraper -> Pod/default/shop:80 likely",
        "Pod/default/scraper -> external/db.example.org:9100 likely",
    ];
    assert_eq!(scraped(direct), expected);
    let probed = format!("{direct}\n  relabel_configs: [{{target_label: __address__, replacement: 'exporter:9115'}}]");
    let expected = [
        "Pod/default/exporter -> Pod/default/shop:80 likely",
        "Pod/default/exporter -> external/db.example.org:9100 likely",
        "Pod/default/scraper -> Pod/default/exporter:9115 likely",
    ];
    assert_eq!(scraped(&probed), expected);
}

#[test]
fn a_job_that_reads_files_calls_nobody() {
    let rules = "{source_labels: [__meta_kubernetes_pod_uid], target_label: __path__}";
    let keep = "{action: keep, source_labels: [__meta_kubernetes_pod_label_app], regex: shop}";
    let job = format!("- kubernetes_sd_configs: [{{role: pod}}]\n  relabel_configs: [{keep}, {rules}]");
    assert!(scraped(&job).is_empty());
}

#[test]
fn a_beat_that_looks_for_hints_calls_the_pods_that_give_them() {
    let hinting = |hints: &str, config: &str| {
        let objects = format!(
            "---
apiVersion: v1
kind: Pod
metadata: {{name: shop, annotations: {{{hints}}}}}
spec: {{containers: [{{name: c, image: example/shop, ports: [{{containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: beat}}
spec: {{containers: [{{name: c, image: example/beat}}], volumes: [{{name: v, configMap: {{name: beat}}}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: beat}}
data:
  b.yml: |
    {config}
"
        );
        flows(&objects)
    };
    let hints = "co.elastic.metrics/module: prometheus, co.elastic.metrics/hosts: '${data.host}:9100'";
    let config = "{metricbeat.autodiscover: {providers: [{type: kubernetes, hints.enabled: true}]}}";
    let to = |port: &str| [format!("Pod/default/beat -> Pod/default/shop{port} likely")];
    assert_eq!(hinting(hints, config), to(":9100"));
    let nested = "{metricbeat: {autodiscover.providers: [{type: kubernetes, hints: {enabled: true}}]}}";
    assert_eq!(hinting(hints, nested), to(":9100"));
    assert_eq!(hinting(&hints.replace("9100", "${data.port}"), config), to(""));
    // Hints for others, hints that are taken back and a Beat that does not look for any.
    for (hints, config) in [
        (hints.replace("metrics", "logs"), config.to_owned()),
        (hints.replace("module", "period"), config.to_owned()),
        (hints.replace("${data.host}", "other"), config.to_owned()),
        (format!("{hints}, co.elastic.metrics/enabled: 'false'"), config.to_owned()),
        (hints.to_owned(), config.replace("true", "false")),
        (hints.to_owned(), config.replace("hints.enabled: true", "hints.enabled: true, namespace: other")),
        (hints.to_owned(), config.replace("metricbeat", "filebeat")),
    ] {
        assert!(hinting(&hints, &config).is_empty(), "{hints} {config}");
    }
}
