//! What the resources of VictoriaMetrics' operator say.

use super::{app, flows, stores};

fn agent(spec: &str, objects: &str) -> String {
    let group = "apiVersion: operator.victoriametrics.com/v1beta1";
    format!(
        "---
{group}
kind: VMAgent
metadata: {{name: a}}
spec: {{{spec}}}
---
{group}
{objects}
{}",
        app("shop", 8080, "")
    )
}

const SCRAPE: &str = "kind: VMServiceScrape
metadata: {name: s, labels: {team: a}}
spec: {selector: {}, endpoints: [{targetPort: 8080}]}";

#[test]
fn agents_scrape_what_they_select() {
    let scraped = ["VMAgent/default/a -> Deployment/default/shop:8080 certain"];
    let selecting = |spec: &str| flows(&agent(spec, SCRAPE));
    assert_eq!(selecting("serviceScrapeSelector: {}"), scraped);
    assert_eq!(selecting("serviceScrapeSelector: {matchLabels: {team: a}}"), scraped);
    assert!(selecting("serviceScrapeSelector: {matchLabels: {team: b}}").is_empty());
    assert_eq!(selecting("serviceScrapeNamespaceSelector: {}"), scraped);
    assert!(selecting("serviceScrapeNamespaceSelector: {matchLabels: {team: a}}").is_empty());
    assert!(selecting("").is_empty());
    assert_eq!(selecting("selectAllByDefault: true"), scraped);
    let pods = "kind: VMPodScrape
metadata: {name: p}
spec: {selector: {matchLabels: {app: shop}}, podMetricsEndpoints: [{targetPort: 8080}]}";
    assert_eq!(flows(&agent("podScrapeSelector: {}", pods)), scraped);
    let fixed = "kind: VMStaticScrape
metadata: {name: f}
spec: {targetEndpoints: [{targets: ['shop:8080', 'db.example.org:9100']}]}";
    let expected = [
        "VMAgent/default/a -> Deployment/default/shop:8080 likely",
        "VMAgent/default/a -> external/db.example.org:9100 likely",
    ];
    assert_eq!(flows(&agent("staticScrapeSelector: {}", fixed)), expected);
}

#[test]
fn the_prober_of_a_probe_calls_its_targets() {
    let probe = "kind: VMProbe
metadata: {name: p}
spec: {vmProberSpec: {url: 'prober:9115'}, targets: {staticConfig: {targets: ['shop:8080']}}}";
    let expected = [
        "Deployment/default/prober -> Deployment/default/shop:8080 likely",
        "VMAgent/default/a -> Deployment/default/prober:9115 certain",
    ];
    assert_eq!(flows(&(agent("probeSelector: {}", probe) + &app("prober", 9115, ""))), expected);
}

#[test]
fn metrics_and_alerts_go_where_the_resources_say() {
    let text = "---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMSingle
metadata: {name: db}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata: {name: a}
spec:
  remoteWrite: [{url: 'http://vmsingle-db.default.svc:8428/api/v1/write', urlRelabelConfig: {name: rules, key: r}}]
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAlert
metadata: {name: rules}
spec: {datasource: {url: 'http://vmsingle-db:8428'}, notifier: {url: 'http://vmalertmanager-main:9093'}}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAlertmanager
metadata: {name: main}
---
apiVersion: v1
kind: Secret
metadata: {name: vmalertmanager-main}
stringData: {alertmanager.yaml: 'receivers: [{webhook_configs: [{url: \"http://shop:8080/\"}]}]'}
";
    let expected = [
        "VMAgent/default/a -> VMSingle/default/db:8428 likely",
        "VMAlert/default/rules -> VMAlertmanager/default/main:9093 likely",
        "VMAlert/default/rules -> VMSingle/default/db:8428 likely",
        "VMAlertmanager/default/main -> Deployment/default/shop:8080 likely",
    ];
    assert_eq!(flows(&(text.to_owned() + &app("shop", 8080, ""))), expected);
    assert_eq!(stores(text), ["VMAgent/default/a -> ConfigMap/default/rules likely"]);
}

#[test]
fn proxies_lead_the_users_that_they_select() {
    let text = |spec: &str| {
        format!(
            "---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMCluster
metadata: {{name: main}}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAuth
metadata: {{name: a}}
spec: {{{spec}}}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMUser
metadata: {{name: u}}
spec:
  targetRefs:
  - crd: {{kind: VMCluster/vmselect, name: main, namespace: default}}
  - crd: {{kind: VMSingle, name: main, namespace: default}}
  - static: {{url: 'http://shop:8080'}}
{}",
            app("shop", 8080, "")
        )
    };
    let led = [
        "VMAuth/default/a -> Deployment/default/shop:8080 likely",
        "VMAuth/default/a -> VMCluster/default/main:8481 likely",
    ];
    assert_eq!(flows(&text("userSelector: {}")), led);
    assert!(flows(&text("")).is_empty());
}
