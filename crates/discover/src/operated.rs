//! Workloads that an operator makes from a custom resource: their pods are in no manifest, the resource stands for them.
//!
//! Names of Services, labels and ports are those of the operators' documentation; where a version changed them, both
//! are listed. What such pods run with is not known, so nothing is said about it.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Labels, Manifests, Object};
use kubestride_policy::PodPort;

use crate::elasticsearch_nodes;
use crate::technology::{self, Technology};
use kubestride_yaml::Value;

/// A kind that an operator makes pods from. `{}` stands for the name of the resource.
pub(crate) struct OperatedKind {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    /// What the pods run, as `technologies.yaml` names it; empty where the port of the first Service tells, or nothing.
    technology: &'static str,
    /// Services that lead to the pods, with the port of the pods.
    services: &'static [(&'static str, u16)],
    /// Ports of the pods that others ask for by name.
    ports: &'static [(&'static str, u16)],
    /// Labels of the pods.
    labels: &'static [(&'static str, &'static str)],
    /// A label that tells the pods apart by what they are at the moment, and its values.
    role: Option<(&'static str, &'static [&'static str])>,
    /// The service account of the pods where the resource names none; empty if it is not known.
    account: &'static str,
    /// Fields of the specification that name another resource, in a list or alone, and its kind.
    pub(crate) references: &'static [(&'static [&'static str], &'static str)],
}

/// What most of them leave out.
const PLAIN: OperatedKind = OperatedKind {
    group: "",
    kind: "",
    technology: "",
    services: &[],
    ports: &[],
    labels: &[],
    role: None,
    account: "",
    references: &[],
};

const ELASTIC: &[(&[&str], &str)] = &[
    (&["elasticsearchRef", "name"], "Elasticsearch"),
    (&["elasticsearchRefs", "name"], "Elasticsearch"),
    (&["fleetServerRef", "name"], "Agent"),
    (&["kibanaRef", "name"], "Kibana"),
    (&["monitoring", "logs", "elasticsearchRefs", "name"], "Elasticsearch"),
    (&["monitoring", "metrics", "elasticsearchRefs", "name"], "Elasticsearch"),
];

/// All kinds, by group and kind.
const KINDS: &[OperatedKind] = &[
    OperatedKind {
        group: "acid.zalan.do",
        kind: "postgresql",
        services: &[("{}", 5432), ("{}-repl", 5432), ("{}-pooler", 5432), ("{}-pooler-repl", 5432)],
        ports: &[("postgresql", 5432)],
        labels: &[("application", "spilo"), ("cluster-name", "{}")],
        account: "postgres-pod",
        role: Some(("spilo-role", &["master", "replica", "standby_leader"])),
        ..PLAIN
    },
    OperatedKind {
        group: "agent.k8s.elastic.co",
        kind: "Agent",
        services: &[("{}-agent-http", 8220)],
        labels: &[("common.k8s.elastic.co/type", "agent"), ("agent.k8s.elastic.co/name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "apm.k8s.elastic.co",
        kind: "ApmServer",
        services: &[("{}-apm-http", 8200)],
        labels: &[("common.k8s.elastic.co/type", "apm-server"), ("apm.k8s.elastic.co/name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "beat.k8s.elastic.co",
        kind: "Beat",
        labels: &[("common.k8s.elastic.co/type", "beat"), ("beat.k8s.elastic.co/name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "databases.spotahome.com",
        kind: "RedisFailover",
        services: &[("rfs-{}", 26379), ("rfr-{}", 6379), ("rfrm-{}", 6379), ("rfrs-{}", 6379)],
        labels: &[("app.kubernetes.io/name", "{}"), ("app.kubernetes.io/part-of", "redis-failover")],
        ..PLAIN
    },
    OperatedKind {
        group: "elasticsearch.k8s.elastic.co",
        kind: "Elasticsearch",
        technology: "Elasticsearch",
        services: &[("{}-es-http", 9200), ("{}-es-internal-http", 9200), ("{}-es-transport", 9300)],
        ports: &[("https", 9200)],
        labels: &[("common.k8s.elastic.co/type", "elasticsearch"), ("elasticsearch.k8s.elastic.co/cluster-name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "grafana.integreatly.org",
        kind: "Grafana",
        technology: "Grafana",
        services: &[("{}-service", 3000)],
        ports: &[("grafana-http", 3000)],
        labels: &[("app", "{}")],
        account: "{}-sa",
        ..PLAIN
    },
    OperatedKind {
        group: "jaegertracing.io",
        kind: "Jaeger",
        technology: "Jaeger",
        services: &[("{}-collector", 14250), ("{}-collector-headless", 14250), ("{}-query", 16686), ("{}-agent", 6831)],
        labels: &[("app", "jaeger"), ("app.kubernetes.io/instance", "{}")],
        account: "{}",
        ..PLAIN
    },
    OperatedKind {
        group: "k8s.keycloak.org",
        kind: "Keycloak",
        services: &[("{}-service", 8443)],
        ports: &[("https", 8443), ("http", 8080)],
        labels: &[("app", "keycloak"), ("app.kubernetes.io/instance", "{}")],
        ..PLAIN
    },
    OperatedKind {
        group: "kafka.strimzi.io",
        kind: "Kafka",
        services: &[
            ("{}-kafka-bootstrap", 9092),
            ("{}-kafka-brokers", 9091),
            ("{}-zookeeper-client", 2181),
            ("{}-kafka-external-bootstrap", 9094),
        ],
        ports: &[("tcp-prometheus", 9404)],
        labels: &[
            ("strimzi.io/component-type", "kafka"),
            ("strimzi.io/cluster", "{}"),
            ("strimzi.io/kind", "Kafka"),
            ("strimzi.io/name", "{}-kafka"),
            ("app.kubernetes.io/name", "kafka"),
        ],
        account: "{}-kafka",
        ..PLAIN
    },
    OperatedKind {
        group: "kafka.strimzi.io",
        kind: "KafkaBridge",
        services: &[("{}-bridge-service", 8080)],
        ports: &[("tcp-prometheus", 9404)],
        labels: &[("strimzi.io/name", "{}-bridge"), ("strimzi.io/cluster", "{}"), ("strimzi.io/kind", "KafkaBridge")],
        account: "{}-bridge",
        ..PLAIN
    },
    OperatedKind {
        group: "kafka.strimzi.io",
        kind: "KafkaConnect",
        services: &[("{}-connect-api", 8083)],
        ports: &[("tcp-prometheus", 9404)],
        labels: &[("strimzi.io/name", "{}-connect"), ("strimzi.io/cluster", "{}"), ("strimzi.io/kind", "KafkaConnect")],
        account: "{}-connect",
        ..PLAIN
    },
    OperatedKind {
        group: "kafka.strimzi.io",
        kind: "KafkaMirrorMaker2",
        services: &[("{}-mirrormaker2-api", 8083)],
        ports: &[("tcp-prometheus", 9404)],
        labels: &[
            ("strimzi.io/name", "{}-mirrormaker2"),
            ("strimzi.io/cluster", "{}"),
            ("strimzi.io/kind", "KafkaMirrorMaker2"),
        ],
        account: "{}-mirrormaker2",
        ..PLAIN
    },
    OperatedKind {
        group: "kibana.k8s.elastic.co",
        kind: "Kibana",
        technology: "Kibana",
        services: &[("{}-kb-http", 5601)],
        labels: &[("common.k8s.elastic.co/type", "kibana"), ("kibana.k8s.elastic.co/name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "logstash.k8s.elastic.co",
        kind: "Logstash",
        services: &[("{}-ls-api", 9600)],
        labels: &[("common.k8s.elastic.co/type", "logstash"), ("logstash.k8s.elastic.co/name", "{}")],
        references: ELASTIC,
        ..PLAIN
    },
    OperatedKind {
        group: "minio.min.io",
        kind: "Tenant",
        technology: "MinIO",
        services: &[("minio", 9000), ("{}-hl", 9000), ("{}-console", 9090)],
        labels: &[("v1.min.io/tenant", "{}")],
        ..PLAIN
    },
    OperatedKind {
        group: "mongodbcommunity.mongodb.com",
        kind: "MongoDBCommunity",
        services: &[("{}-svc", 27017)],
        labels: &[("app", "{}-svc")],
        account: "mongodb-database",
        ..PLAIN
    },
    OperatedKind {
        group: "monitoring.coreos.com",
        kind: "Alertmanager",
        technology: "Alertmanager",
        services: &[("alertmanager-operated", 9093)],
        ports: &[("web", 9093)],
        labels: &[
            ("alertmanager", "{}"),
            ("app", "alertmanager"),
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ("app.kubernetes.io/name", "alertmanager"),
        ],
        account: "default",
        ..PLAIN
    },
    OperatedKind {
        group: "monitoring.coreos.com",
        kind: "Prometheus",
        technology: "Prometheus",
        services: &[("prometheus-operated", 9090)],
        ports: &[("web", 9090)],
        labels: &[
            ("app", "prometheus"),
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ("app.kubernetes.io/name", "prometheus"),
            ("operator.prometheus.io/name", "{}"),
            ("prometheus", "{}"),
        ],
        account: "default",
        ..PLAIN
    },
    OperatedKind {
        group: "monitoring.coreos.com",
        kind: "PrometheusAgent",
        technology: "Prometheus",
        ports: &[("web", 9090)],
        labels: &[("app.kubernetes.io/name", "prometheus-agent"), ("operator.prometheus.io/name", "{}")],
        account: "default",
        ..PLAIN
    },
    OperatedKind {
        group: "monitoring.coreos.com",
        kind: "ThanosRuler",
        services: &[("thanos-ruler-operated", 10902)],
        ports: &[("web", 10902)],
        labels: &[("app.kubernetes.io/name", "thanos-ruler"), ("thanos-ruler", "{}")],
        account: "default",
        ..PLAIN
    },
    OperatedKind {
        group: "mysql.oracle.com",
        kind: "InnoDBCluster",
        services: &[("{}", 6446), ("{}-instances", 3306)],
        labels: &[("mysql.oracle.com/cluster", "{}")],
        account: "{}-sa",
        ..PLAIN
    },
    OperatedKind {
        group: "opentelemetry.io",
        kind: "OpenTelemetryCollector",
        technology: "OpenTelemetry Collector",
        services: &[
            ("{}-collector", 4317),
            ("{}-collector-headless", 4317),
            ("{}-collector-monitoring", 8888),
            ("{}-targetallocator", 8080),
        ],
        labels: &[
            ("app.kubernetes.io/component", "opentelemetry-collector"),
            ("app.kubernetes.io/name", "{}-collector"),
        ],
        account: "{}-collector",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VLSingle",
        services: &[("vlsingle-{}", 9428)],
        ports: &[("http", 9428)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vlsingle"),
            ("managed-by", "vm-operator"),
        ],
        account: "vlsingle-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VLogs",
        services: &[("vlogs-{}", 9428)],
        ports: &[("http", 9428)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vlogs"),
            ("managed-by", "vm-operator"),
        ],
        account: "vlogs-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMAgent",
        services: &[("vmagent-{}", 8429)],
        ports: &[("http", 8429)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vmagent"),
            ("managed-by", "vm-operator"),
        ],
        account: "vmagent-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMAlert",
        services: &[("vmalert-{}", 8080)],
        ports: &[("http", 8080)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vmalert"),
            ("managed-by", "vm-operator"),
        ],
        account: "vmalert-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMAlertmanager",
        technology: "Alertmanager",
        services: &[("vmalertmanager-{}", 9093)],
        ports: &[("http", 9093)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vmalertmanager"),
            ("managed-by", "vm-operator"),
        ],
        account: "vmalertmanager-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMAuth",
        services: &[("vmauth-{}", 8427)],
        ports: &[("http", 8427)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vmauth"),
            ("managed-by", "vm-operator"),
        ],
        account: "vmauth-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMCluster",
        services: &[("vminsert-{}", 8480), ("vmselect-{}", 8481), ("vmstorage-{}", 8482)],
        labels: &[("app.kubernetes.io/instance", "{}"), ("managed-by", "vm-operator")],
        ..PLAIN
    },
    OperatedKind {
        group: "operator.victoriametrics.com",
        kind: "VMSingle",
        services: &[("vmsingle-{}", 8428)],
        ports: &[("http", 8428)],
        labels: &[
            ("app.kubernetes.io/instance", "{}"),
            ("app.kubernetes.io/name", "vmsingle"),
            ("managed-by", "vm-operator"),
        ],
        account: "vmsingle-{}",
        ..PLAIN
    },
    OperatedKind {
        group: "postgres-operator.crunchydata.com",
        kind: "PostgresCluster",
        services: &[("{}-primary", 5432), ("{}-replicas", 5432), ("{}-ha", 5432), ("{}-pgbouncer", 5432)],
        labels: &[("postgres-operator.crunchydata.com/cluster", "{}")],
        account: "{}-instance",
        role: Some(("postgres-operator.crunchydata.com/role", &["master", "primary", "replica"])),
        ..PLAIN
    },
    OperatedKind {
        group: "postgresql.cnpg.io",
        kind: "Cluster",
        services: &[("{}-rw", 5432), ("{}-ro", 5432), ("{}-r", 5432)],
        ports: &[("postgresql", 5432), ("metrics", 9187)],
        labels: &[("cnpg.io/podRole", "instance"), ("cnpg.io/cluster", "{}"), ("postgresql", "{}")],
        account: "{}",
        role: Some(("cnpg.io/instanceRole", &["primary", "replica"])),
        ..PLAIN
    },
    OperatedKind {
        group: "postgresql.cnpg.io",
        kind: "Pooler",
        services: &[("{}", 5432)],
        labels: &[("cnpg.io/poolerName", "{}")],
        account: "{}",
        references: &[(&["cluster", "name"], "Cluster")],
        ..PLAIN
    },
    OperatedKind {
        group: "psmdb.percona.com",
        kind: "PerconaServerMongoDB",
        services: &[("{}-rs0", 27017), ("{}-mongos", 27017)],
        labels: &[("app.kubernetes.io/instance", "{}"), ("app.kubernetes.io/name", "percona-server-mongodb")],
        ..PLAIN
    },
    OperatedKind {
        group: "pxc.percona.com",
        kind: "PerconaXtraDBCluster",
        services: &[("{}-haproxy", 3306), ("{}-proxysql", 3306), ("{}-pxc", 3306)],
        labels: &[("app.kubernetes.io/instance", "{}"), ("app.kubernetes.io/name", "percona-xtradb-cluster")],
        ..PLAIN
    },
    OperatedKind {
        group: "rabbitmq.com",
        kind: "RabbitmqCluster",
        services: &[("{}", 5672), ("{}-nodes", 25672)],
        ports: &[("amqp", 5672), ("management", 15672), ("prometheus", 15692)],
        labels: &[
            ("app.kubernetes.io/component", "rabbitmq"),
            ("app.kubernetes.io/name", "{}"),
            ("app.kubernetes.io/part-of", "rabbitmq"),
        ],
        account: "{}-server",
        ..PLAIN
    },
    OperatedKind {
        group: "redis.redis.opstreelabs.in",
        kind: "Redis",
        services: &[("{}", 6379), ("{}-headless", 6379)],
        labels: &[("app", "{}"), ("redis_setup_type", "standalone")],
        ..PLAIN
    },
    OperatedKind {
        group: "redis.redis.opstreelabs.in",
        kind: "RedisCluster",
        services: &[("{}-leader", 6379), ("{}-follower", 6379), ("{}-master", 6379)],
        labels: &[("redis_setup_type", "cluster")],
        ..PLAIN
    },
    OperatedKind {
        group: "redis.redis.opstreelabs.in",
        kind: "RedisReplication",
        services: &[("{}", 6379), ("{}-master", 6379), ("{}-replica", 6379)],
        labels: &[("app", "{}"), ("redis_setup_type", "replication")],
        ..PLAIN
    },
];

/// A kind that the manifests use, and the resources of it.
pub(crate) fn resources(manifests: &Manifests) -> impl Iterator<Item = (&'static OperatedKind, Object<'_>)> {
    KINDS.iter().flat_map(|kind| manifests.by_custom_kind(kind.group, kind.kind).map(move |object| (kind, object)))
}

/// The values of labels that operators put together from the names of resources.
pub(crate) fn made_labels(manifests: &Manifests) -> BTreeSet<String> {
    let of = |(kind, object): (&'static OperatedKind, Object<'_>)| {
        let composed = kind.labels.iter().map(|(_, value)| *value).filter(|value| value.len() > 2);
        composed.filter(|v| v.contains("{}")).map(|v| v.replace("{}", object.name())).collect::<Vec<_>>()
    };
    resources(manifests).flat_map(of).collect()
}

/// Whether operators use a label for what a pod is, which not all pods of a resource are.
pub(crate) fn is_role(label: &str) -> bool {
    KINDS.iter().filter_map(|kind| kind.role).any(|(own, _)| own == label) || elasticsearch_nodes::is_label(label)
}

/// Where resources hold templates of their pods.
const TEMPLATES: [&[&str]; 7] = [
    &["podTemplate"],
    &["daemonSet", "podTemplate"],
    &["deployment", "podTemplate"],
    &["statefulSet", "podTemplate"],
    &["kafka", "template", "pod"],
    &["template", "pod"],
    &["override", "statefulSet", "spec", "template"],
];

/// The templates of the pods of a resource.
fn pod_templates(spec: Value<'_>) -> Vec<Value<'_>> {
    let sets = spec.get("nodeSets").into_iter().flat_map(|s| s.items());
    let of_sets = sets.filter_map(|set| set.get("podTemplate"));
    TEMPLATES.iter().filter_map(|path| at(spec, path)).chain(of_sets).collect()
}

fn at<'a>(value: Value<'a>, path: &[&str]) -> Option<Value<'a>> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

impl OperatedKind {
    /// The names of the Services that the operator makes for a resource, with the port of the pods behind.
    pub(crate) fn services(&self, object: Object<'_>) -> BTreeMap<String, u16> {
        let name = object.name();
        let mut made: BTreeMap<String, u16> =
            self.services.iter().map(|(pattern, port)| (pattern.replace("{}", name), *port)).collect();
        // <https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s/logstash-services>
        let asked = object.spec().and_then(|s| s.get("services")).filter(|_| self.kind == "Logstash");
        for service in asked.into_iter().flat_map(|s| s.items()) {
            let ports = at(service, &["service", "spec", "ports"]).into_iter().flat_map(|p| p.items());
            let number = |p: Value<'_>| u16::try_from(p.get("targetPort").or_else(|| p.get("port"))?.as_i64()?).ok();
            if let (Some(own), Some(port)) =
                (service.get("name").and_then(|n| n.as_str()), ports.filter_map(number).next())
            {
                made.insert(format!("{name}-ls-{own}"), port);
            }
        }
        made
    }

    /// Whether some of the pods have all of these labels because of what they are.
    pub(crate) fn some_have(&self, object: Object<'_>, labels: &[(&str, &str)]) -> bool {
        if self.kind == "Elasticsearch" {
            return elasticsearch_nodes::some_have(object, labels);
        }
        let is = |(label, value): &(&str, &str)| {
            self.role.is_some_and(|(own, values)| own == *label && values.contains(value))
        };
        labels.iter().all(is)
    }

    /// The labels of the pods: the operator's, and those that the resource adds. `made` are those of [`made_labels`].
    pub(crate) fn labels<'a>(&self, object: Object<'a>, made: &'a BTreeSet<String>) -> Labels<'a> {
        let text = |value: &'static str| match value {
            "{}" => Some(object.name()),
            value if value.contains("{}") => made.get(&value.replace("{}", object.name())).map(String::as_str),
            value => Some(value),
        };
        let own = self.labels.iter().filter_map(|(key, value)| Some((*key, text(value)?)));
        let spec = object.spec();
        let templates = spec.into_iter().flat_map(pod_templates).filter_map(|t| at(t, &["metadata", "labels"]));
        let others = [&["podMetadata", "labels"][..], &["inheritedMetadata", "labels"]];
        let others = others.iter().filter_map(|path| at(spec?, path));
        let added: Vec<Labels<'a>> = others.chain(templates).map(|l| Labels::read(Some(l))).collect();
        Labels::from_pairs(own.chain(added.iter().flat_map(|l| l.iter())))
    }

    /// What the pods run: what the kind is known for, or the database, cache or queue that its first Service leads to,
    /// as the port tells.
    pub(crate) fn technology(&self) -> Option<&'static Technology> {
        if !self.technology.is_empty() {
            return technology::all().iter().find(|t| t.name == self.technology);
        }
        let (_, port) = self.services.first()?;
        technology::datastore_of_port(*port)
    }

    /// The ports of the pods that have names.
    pub(crate) fn ports<'a>(&self) -> Vec<PodPort<'a>> {
        let port = |(name, number): &(&'static str, u16)| PodPort { name, number: *number, protocol: "TCP" };
        self.ports.iter().map(port).collect()
    }

    /// The service account of the pods, as far as it is known.
    pub(crate) fn service_account(&self, object: Object<'_>) -> String {
        let of_pods = |template: Value<'_>| {
            at(template, &["spec", "serviceAccountName"]).and_then(|v| v.as_str()).map(str::to_owned)
        };
        let spec = object.spec();
        let stated = spec.and_then(|s| s.get("serviceAccountName").or_else(|| s.get("serviceAccount")));
        let stated = stated.and_then(|v| v.as_str()).map(str::to_owned);
        let stated = stated.or_else(|| spec.into_iter().flat_map(pod_templates).find_map(of_pods));
        stated.unwrap_or_else(|| self.account.replace("{}", object.name()))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn kinds_are_sorted_and_named_once() {
        let keys: Vec<_> = super::KINDS.iter().map(|k| (k.group, k.kind)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }

    #[test]
    fn technologies_are_those_of_the_table() {
        let unknown = super::KINDS.iter().filter(|k| !k.technology.is_empty() && k.technology().is_none());
        assert_eq!(unknown.map(|k| k.kind).collect::<Vec<_>>(), [""; 0]);
    }
}
