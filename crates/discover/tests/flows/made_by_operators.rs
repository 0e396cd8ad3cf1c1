//! Services and stores that operators make, and resources that configure what they make.

use super::{app, flows, stores};

#[test]
fn services_for_outside_are_asked_for_in_several_ways() {
    let rows = [
        ("rabbitmq.com/v1beta1/RabbitmqCluster", "{service: {type: LoadBalancer}}", ""),
        ("elasticsearch.k8s.elastic.co/v1/Elasticsearch", "{http: {service: {spec: {type: NodePort}}}}", ""),
        ("acid.zalan.do/v1/postgresql", "{enableMasterLoadBalancer: true}", ""),
        ("pxc.percona.com/v1/PerconaXtraDBCluster", "{haproxy: {expose: {enabled: true, type: LoadBalancer}}}", ""),
        (
            "kafka.strimzi.io/v1beta2/Kafka",
            "{kafka: {listeners: [{name: x, port: 9094, type: loadbalancer}]}}",
            ":9094",
        ),
    ];
    for (kind, spec, port) in rows {
        let (version, kind) = kind.rsplit_once('/').expect("group, version and kind");
        let object =
            |spec: &str| format!("---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n");
        let expected = format!("external/internet -> {kind}/default/a{port} likely");
        assert_eq!(flows(&object(spec)), [expected], "{kind}");
        let inside = spec.replace("LoadBalancer}", "ClusterIP}").replace("NodePort", "ClusterIP");
        let inside = inside.replace("loadbalancer", "internal").replace("true}", "false}");
        assert!(flows(&object(&inside)).is_empty(), "{kind}");
    }
}

#[test]
fn an_ingress_leads_to_a_service_that_an_operator_makes() {
    let text = "---
apiVersion: kibana.k8s.elastic.co/v1
kind: Kibana
metadata: {name: logs}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec: {defaultBackend: {service: {name: logs-kb-http, port: {number: 5601}}}}
";
    assert_eq!(flows(text), ["external/internet -> Kibana/default/logs certain"]);
}

#[test]
fn a_connector_is_part_of_the_connect_cluster_that_its_label_names() {
    let text = "---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnect
metadata: {name: c}
spec: {build: {plugins: [{artifacts: [{url: 'https://files.example.org/x.jar'}]}]}}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata: {name: k, labels: {strimzi.io/cluster: c}}
spec: {config: {database.hostname: db, database.port: 5433, database.password: 'db:1'}}
";
    let text = text.to_owned() + &app("db", 5433, "");
    assert_eq!(flows(&text), ["KafkaConnect/default/c -> Deployment/default/db:5433 likely"]);
    assert!(flows(&text.replace("strimzi.io/cluster: c", "strimzi.io/cluster: d")).is_empty());
}

#[test]
fn secrets_that_operators_make_are_stores_without_a_manifest() {
    let shop = app("shop", 8080, "env: [{name: P, valueFrom: {secretKeyRef: {name: pg-app, key: password}}}]");
    assert_eq!(stores(&shop), ["Deployment/default/shop -> Secret/default/pg-app certain"]);
}
