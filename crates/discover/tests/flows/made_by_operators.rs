//! Services and stores that operators make, and resources that configure what they make.

use kubestride_model::FlowKind;

use super::{app, flows, flows_of, stores};

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
fn resources_of_elastic_name_each_other() {
    let text = "---
apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
metadata: {name: es}
---
apiVersion: kibana.k8s.elastic.co/v1
kind: Kibana
metadata: {name: kb}
spec: {config: {xpack.fleet.agents.fleet_server.hosts: ['https://fleet-agent-http.default.svc:8220']}}
---
apiVersion: logstash.k8s.elastic.co/v1alpha1
kind: Logstash
metadata: {name: ls}
spec:
  elasticsearchRefs: [{clusterName: a, name: es}]
  services: [{name: beats, service: {spec: {type: ClusterIP, ports: [{port: 5044}]}}}]
---
apiVersion: beat.k8s.elastic.co/v1beta1
kind: Beat
metadata: {name: fb}
spec: {config: {output.logstash: {hosts: ['ls-ls-beats:5044']}}}
---
apiVersion: agent.k8s.elastic.co/v1alpha1
kind: Agent
metadata: {name: fleet}
spec: {kibanaRef: {name: kb}, elasticsearchRefs: [{name: es}, {name: other}]}
---
apiVersion: agent.k8s.elastic.co/v1alpha1
kind: Agent
metadata: {name: node}
spec: {fleetServerRef: {name: fleet}}
";
    let expected = [
        "Agent/default/fleet -> Elasticsearch/default/es:9200 likely",
        "Agent/default/fleet -> Kibana/default/kb:5601 likely",
        "Agent/default/node -> Agent/default/fleet:8220 likely",
        "Beat/default/fb -> Logstash/default/ls:5044 likely",
        "Logstash/default/ls -> Elasticsearch/default/es:9200 likely",
    ];
    assert_eq!(flows(text), expected);
}

#[test]
fn templates_in_resources_give_labels_and_accounts() {
    let text = "---
apiVersion: beat.k8s.elastic.co/v1beta1
kind: Beat
metadata: {name: fb}
spec: {daemonSet: {podTemplate: {metadata: {labels: {scrape: 'yes'}}, spec: {serviceAccountName: fb}}}}
---
apiVersion: v1
kind: Service
metadata: {name: fb}
spec: {selector: {scrape: 'yes'}, ports: [{port: 5066}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: fb}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: fb, namespace: default}]
";
    let shop = app("shop", 8080, "env: [{name: BEAT_URL, value: 'http://fb:5066'}]");
    assert_eq!(flows(&(text.to_owned() + &shop)), ["Deployment/default/shop -> Beat/default/fb:5066 certain"]);
    assert_eq!(flows_of(text, &[FlowKind::Api]), ["Beat/default/fb -> apiserver:443 certain"]);
}

#[test]
fn data_sources_are_for_the_grafanas_that_they_select() {
    let text = |label: &str| {
        format!(
            "---
apiVersion: grafana.integreatly.org/v1beta1
kind: Grafana
metadata: {{name: g, labels: {{boards: a}}}}
---
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaDatasource
metadata: {{name: d}}
spec: {{instanceSelector: {{matchLabels: {{boards: {label}}}}}, datasource: {{type: prometheus, url: 'http://metrics:9090'}}}}
{}",
            app("metrics", 9090, "")
        )
    };
    assert_eq!(flows(&text("a")), ["Grafana/default/g -> Deployment/default/metrics:9090 likely"]);
    assert!(flows(&text("b")).is_empty());
}

#[test]
fn secrets_that_operators_make_are_stores_without_a_manifest() {
    let shop = app("shop", 8080, "env: [{name: P, valueFrom: {secretKeyRef: {name: pg-app, key: password}}}]");
    assert_eq!(stores(&shop), ["Deployment/default/shop -> Secret/default/pg-app certain"]);
}

#[test]
fn hosts_by_which_a_resource_is_reached_are_not_called() {
    let keycloak = |spec: &str| {
        let head = "---\napiVersion: k8s.keycloak.org/v2alpha1\nkind: Keycloak\nmetadata: {name: k}\n";
        flows(&format!("{head}spec: {spec}\n"))
    };
    assert!(keycloak("{hostname: login.example.com}").is_empty());
    assert!(keycloak("{hostname: {hostname: login.example.com, admin: 'https://admin.example.com/'}}").is_empty());
    assert!(keycloak("{ingress: {enabled: false, annotations: {hostname: login.example.com}}}").is_empty());
    // A host that stands beside what it is for is called.
    let called = ["Keycloak/default/k -> external/db.example.com likely"];
    assert_eq!(keycloak("{db: {host: db.example.com}}"), called);
    assert_eq!(keycloak("{database: {hostname: db.example.com}}"), called);
}

#[test]
fn settings_may_be_pairs_of_a_name_and_a_value() {
    let text = "---
apiVersion: k8s.keycloak.org/v2alpha1
kind: Keycloak
metadata: {name: k}
spec: {serverConfiguration: [{name: db, value: postgres}, {name: db-url-host, value: db}, {name: db-schema, value: cart}]}
";
    let text = text.to_owned() + &app("db", 5432, "") + &app("cart", 8080, "");
    assert_eq!(flows(&text), ["Keycloak/default/k -> Deployment/default/db:5432 likely"]);
}

#[test]
fn ingresses_and_routes_are_asked_for_in_several_ways() {
    let grafana = |spec: &str| {
        let head = "---\napiVersion: grafana.integreatly.org/v1beta1\nkind: Grafana\nmetadata: {name: g}\n";
        flows(&format!("{head}spec: {spec}\n"))
    };
    let asked = [
        "{ingress: {enabled: true}}",
        "{ingress: {hosts: [boards.example.com]}}",
        "{ingress: {type: route, hostname: boards.example.com}}",
        "{ingress: {spec: {rules: [{host: boards.example.com, http: {paths: []}}], tls: [{hosts: [boards.example.com]}]}}}",
        "{route: {spec: {to: {kind: Service, name: g-service}}}}",
    ];
    for spec in asked {
        assert_eq!(grafana(spec), ["external/internet -> Grafana/default/g likely"], "{spec}");
    }
    let open =
        ["{ingress: {}}", "{ingress: {enabled: false, hosts: [boards.example.com]}}", "{route: {receiver: team}}"];
    for spec in open {
        assert!(grafana(spec).is_empty(), "{spec}");
    }
}

/// What keeps data is known by the port of the Service that the operator makes.
#[test]
fn databases_of_operators_are_databases() {
    let resource = |group: &str, kind: &str| {
        format!("---\napiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n")
    };
    let table = [
        ("postgresql.cnpg.io", "Cluster", "Database"),
        ("rabbitmq.com", "RabbitmqCluster", "Queue"),
        ("kafka.strimzi.io", "KafkaBridge", ""),
    ];
    for (group, kind, expected) in table {
        let model = super::model(&resource(group, kind));
        let attribute = model.vocabulary().find_attribute("technologyClass").expect("an attribute");
        let (id, _) = model.elements().find(|(_, e)| model.text(e.name) == "x").expect("an element");
        let values = model.values(kubestride_model::SubjectRef::Element(id));
        let value = values.iter().find(|(a, _)| *a == attribute).map(|(_, v)| model.value_text(attribute, *v));
        assert_eq!(value.unwrap_or_default(), expected, "{kind}");
    }
}

#[test]
fn services_of_others_find_the_pods_that_operators_make() {
    let rows = [
        (
            "kafka.strimzi.io/v1beta2/Kafka",
            "strimzi.io/cluster: a, strimzi.io/name: a-kafka",
            "strimzi.io/name: b-kafka",
        ),
        (
            "kafka.strimzi.io/v1beta2/Kafka",
            "strimzi.io/component-type: kafka, strimzi.io/kind: Kafka",
            "strimzi.io/component-type: zookeeper",
        ),
        ("kafka.strimzi.io/v1beta2/KafkaConnect", "strimzi.io/name: a-connect", "strimzi.io/name: a-kafka"),
        (
            "postgresql.cnpg.io/v1/Cluster",
            "cnpg.io/instanceRole: primary, cnpg.io/cluster: a",
            "cnpg.io/cluster: a, cnpg.io/instanceRole: other",
        ),
        (
            "postgresql.cnpg.io/v1/Cluster",
            "cnpg.io/cluster: a, cnpg.io/podRole: instance",
            "cnpg.io/cluster: b, cnpg.io/podRole: instance",
        ),
        (
            "acid.zalan.do/v1/postgresql",
            "application: spilo, cluster-name: a, spilo-role: master",
            "cluster-name: b, spilo-role: master",
        ),
        ("acid.zalan.do/v1/postgresql", "cluster-name: a, spilo-role: replica", "cluster-name: a, spilo-role: none"),
        (
            "postgres-operator.crunchydata.com/v1beta1/PostgresCluster",
            "postgres-operator.crunchydata.com/cluster: a, postgres-operator.crunchydata.com/role: master",
            "postgres-operator.crunchydata.com/cluster: b, postgres-operator.crunchydata.com/role: master",
        ),
        ("mongodbcommunity.mongodb.com/v1/MongoDBCommunity", "app: a-svc", "app: b-svc"),
        (
            "opentelemetry.io/v1beta1/OpenTelemetryCollector",
            "app.kubernetes.io/name: a-collector",
            "app.kubernetes.io/name: a",
        ),
        (
            "kibana.k8s.elastic.co/v1/Kibana",
            "common.k8s.elastic.co/type: kibana, kibana.k8s.elastic.co/name: a",
            "common.k8s.elastic.co/type: beat",
        ),
        (
            "elasticsearch.k8s.elastic.co/v1/Elasticsearch",
            "common.k8s.elastic.co/type: elasticsearch",
            "common.k8s.elastic.co/type: kibana",
        ),
        ("rabbitmq.com/v1beta1/RabbitmqCluster", "app.kubernetes.io/name: a", "app.kubernetes.io/name: b"),
        ("monitoring.coreos.com/v1/Prometheus", "app.kubernetes.io/name: prometheus, prometheus: a", "prometheus: b"),
    ];
    for (kind, selected, other) in rows {
        let (version, kind) = kind.rsplit_once('/').expect("group, version and kind");
        let with = |selector: &str| {
            flows(&format!(
                "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{type: LoadBalancer, selector: {{{selector}}}, ports: [{{port: 7000}}]}}\n"
            ))
        };
        assert_eq!(with(selected), [format!("external/internet -> {kind}/default/a:7000 certain")], "{selected}");
        assert!(!with(other).iter().any(|flow| flow.contains(kind)), "{other}");
    }
}

#[test]
fn services_select_nodes_of_elasticsearch_by_what_they_are() {
    let called = |sets: &str, selector: &str| {
        let text = format!(
            "---
apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
metadata: {{name: logs}}
spec: {{nodeSets: [{sets}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: search}}
spec: {{selector: {{{selector}}}, ports: [{{port: 9200}}]}}
"
        );
        !flows(&(text + &app("shop", 80, "env: [{name: SEARCH_URL, value: 'https://search:9200'}]")))
            .iter()
            .filter(|flow| flow.contains("Elasticsearch/default/logs:9200"))
            .collect::<Vec<_>>()
            .is_empty()
    };
    let node = |pairs: &[(&str, &str)]| {
        let one = |(role, value): &(&str, &str)| format!("elasticsearch.k8s.elastic.co/node-{role}: '{value}'");
        pairs.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let plain = "{name: all, count: 1}";
    assert!(called(plain, "common.k8s.elastic.co/type: elasticsearch"));
    assert!(called(plain, "elasticsearch.k8s.elastic.co/statefulset-name: logs-es-all"));
    assert!(!called(plain, "elasticsearch.k8s.elastic.co/statefulset-name: logs-es-hot"));
    // Without a setting a node has all roles but the one that is asked for by itself.
    assert!(called(plain, &node(&[("master", "true"), ("data", "true")])));
    assert!(!called(plain, &node(&[("master", "false")])));
    assert!(!called(plain, &node(&[("voting_only", "true")])));
    assert!(!called(plain, "elasticsearch.k8s.elastic.co/node-master: maybe"));
    for sets in [
        "{name: m, config: {node.roles: [master]}}, {name: d, config: {node: {roles: [data, ingest]}}}",
        "{name: m, config: {node.data: false, node.ingest: 'false'}}, {name: d, config: {node: {master: false}}}",
    ] {
        assert!(called(sets, &node(&[("master", "true")])), "{sets}");
        assert!(called(sets, &node(&[("master", "false"), ("ingest", "true")])), "{sets}");
        // No set is both.
        assert!(!called(sets, &node(&[("master", "true"), ("data", "true")])), "{sets}");
        let cluster =
            |name: &str| format!("elasticsearch.k8s.elastic.co/cluster-name: {name}, {}", node(&[("data", "true")]));
        assert!(called(sets, &cluster("logs")), "{sets}");
        assert!(!called(sets, &cluster("other")), "{sets}");
    }
}

#[test]
fn a_role_alone_selects_pods_of_an_operator() {
    let text = "---
apiVersion: acid.zalan.do/v1
kind: postgresql
metadata: {name: pg}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {spilo-role: master}, ports: [{port: 5432}]}
";
    let text = text.to_owned() + &app("shop", 80, "env: [{name: DB_HOST, value: 'db:5432'}]");
    assert_eq!(flows(&text), ["Deployment/default/shop -> postgresql/default/pg:5432 certain"]);
}

#[test]
fn containers_in_a_custom_resource_are_told_whom_to_call_like_others() {
    let called = |container: &str| {
        let spec = format!("nodeSets: [{{name: a, podTemplate: {{spec: {{initContainers: [{container}]}}}}}}]");
        let kind = "---\napiVersion: elasticsearch.k8s.elastic.co/v1\nkind: Elasticsearch\nmetadata: {name: logs}\n";
        flows(&format!("{kind}spec: {{{spec}}}\n{}", app("files", 80, "")))
    };
    let of = |target: &str| [format!("Elasticsearch/default/logs -> {target}")];
    let outside = of("external/files.example.org:443 likely");
    assert_eq!(
        called("{name: i, command: [sh], args: ['-c', 'curl -L https://files.example.org/x.zip -o x.zip']}"),
        outside
    );
    assert_eq!(called("{name: i, command: [fetch, '--from=https://files.example.org/x.zip']}"), outside);
    assert_eq!(
        called("{name: i, args: ['-c', 'until nc -z files 80; do sleep 1; done']}"),
        of("Deployment/default/files:80 likely")
    );
    // What it tells others is not called.
    assert!(called("{name: i, args: ['--external-url=https://files.example.org']}").is_empty());
}
