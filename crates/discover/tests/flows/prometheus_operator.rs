//! What the resources of the Prometheus operator say beyond monitors.

use super::{app, flows, stores};

fn prometheus(spec: &str, objects: &str) -> String {
    let resource = "---\napiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s}\n";
    format!("{resource}spec: {{{spec}}}\n---\n{objects}\n{}", app("shop", 8080, ""))
}

#[test]
fn scrape_configurations_lead_to_their_targets() {
    let config = "apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata: {name: s}
spec:
  staticConfigs: [{targets: ['db.example.org:9100']}]
  kubernetesSDConfigs: [{role: Pod}]
  relabelings: [{action: Keep, sourceLabels: [__meta_kubernetes_pod_label_app], regex: shop}]";
    let expected = [
        "Prometheus/default/k8s -> Deployment/default/shop:8080 likely",
        "Prometheus/default/k8s -> external/db.example.org:9100 likely",
    ];
    assert_eq!(flows(&prometheus("scrapeConfigSelector: {}", config)), expected);
    assert!(flows(&prometheus("", config)).is_empty());
    let added = "apiVersion: v1
kind: Secret
metadata: {name: more}
stringData: {jobs: '[{job_name: a, static_configs: [{targets: [\"shop:8080\"]}]}]', other: 'http://shop:8080'}";
    let named = "additionalScrapeConfigs: {name: more, key: jobs}, bearer: {name: more, key: other}";
    assert_eq!(flows(&prometheus(named, added)), ["Prometheus/default/k8s -> Deployment/default/shop:8080 likely"]);
}

#[test]
fn a_collector_scrapes_what_its_target_allocator_selects() {
    let scraped = |version: &str, allocator: &str| {
        let text = format!(
            "---
apiVersion: opentelemetry.io/{version}
kind: OpenTelemetryCollector
metadata: {{name: c, namespace: watch}}
spec: {{targetAllocator: {{enabled: true, prometheusCR: {{{allocator}}}}}}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: m}}
spec: {{selector: {{}}, endpoints: [{{targetPort: 8080}}]}}
"
        );
        flows(&(text + &app("shop", 8080, "")))
    };
    let found = ["OpenTelemetryCollector/watch/c -> Deployment/default/shop:8080 certain"];
    assert_eq!(scraped("v1beta1", "enabled: true, serviceMonitorSelector: {}"), found);
    let selecting = |more: &str| scraped("v1beta1", &format!("enabled: true, serviceMonitorSelector: {{}}, {more}"));
    assert_eq!(selecting("allowNamespaces: [default]"), found);
    assert!(selecting("allowNamespaces: [watch]").is_empty());
    assert!(selecting("denyNamespaces: [default]").is_empty());
    assert!(scraped("v1beta1", "enabled: true").is_empty());
    assert!(scraped("v1beta1", "serviceMonitorSelector: {}").is_empty());
    assert!(scraped("v1alpha1", "enabled: true, serviceMonitorSelector: {team: a}").is_empty());
}

#[test]
fn the_prober_of_a_probe_calls_its_targets() {
    let probe = "apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: p}
spec: {prober: {url: 'prober:9115'}, targets: {staticConfig: {static: ['http://shop:8080/health', 'https://a.example.org']}}}";
    let expected = [
        "Deployment/default/prober -> Deployment/default/shop:8080 likely",
        "Deployment/default/prober -> external/a.example.org:443 likely",
        "Prometheus/default/k8s -> Deployment/default/prober:9115 certain",
    ];
    assert_eq!(flows(&(prometheus("probeSelector: {}", probe) + &app("prober", 9115, ""))), expected);
}

#[test]
fn an_alertmanager_calls_the_receivers_that_it_selects() {
    let objects = |spec: &str| {
        format!(
            "---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {{name: main}}
spec: {{{spec}}}
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {{name: a, namespace: team}}
spec:
  receivers:
  - webhookConfigs: [{{url: 'http://shop.default.svc:8080/'}}]
    emailConfigs: [{{smarthost: 'mail.example.org:587'}}]
    slackConfigs: [{{titleLink: 'https://wiki.example.org', iconURL: 'https://i.example.org'}}]
{}",
            app("shop", 8080, "")
        )
    };
    let expected = [
        "Alertmanager/default/main -> Deployment/default/shop:8080 likely",
        "Alertmanager/default/main -> external/mail.example.org:587 likely",
    ];
    let selecting = "alertmanagerConfigSelector: {}, alertmanagerConfigNamespaceSelector: {}";
    assert_eq!(flows(&objects(selecting)), expected);
    assert!(flows(&objects("alertmanagerConfigSelector: {}")).is_empty());
}

#[test]
fn resources_name_stores_for_their_pods() {
    let spec = "additionalScrapeConfigs: {name: more, key: Jobs}, secrets: [certs], configMaps: [extra],
  imagePullSecrets: [{name: registry}], oauth: {clientSecret: tr0ub4dor, existingSecret: oauth}, tolerations: [{key: a, operator: Exists}],
  remoteWrite: [{basicAuth: {username: {name: remote, key: user}}}],
  web: {tlsConfig: {keySecret: {name: web, key: tls.key}}},
  volumes: [{name: v, hostPath: {path: /var/log/}}, {name: w, persistentVolumeClaim: {claimName: data}}]";
    let expected = [
        "Prometheus/default/k8s -> ConfigMap/default/extra likely",
        "Prometheus/default/k8s -> PersistentVolumeClaim/default/data likely",
        "Prometheus/default/k8s -> Secret/default/certs likely",
        "Prometheus/default/k8s -> Secret/default/more likely",
        "Prometheus/default/k8s -> Secret/default/oauth likely",
        "Prometheus/default/k8s -> Secret/default/remote likely",
        "Prometheus/default/k8s -> Secret/default/web likely",
        "Prometheus/default/k8s -> hostPath/var/log likely",
    ];
    assert_eq!(stores(&prometheus(spec, "")), expected);
}
