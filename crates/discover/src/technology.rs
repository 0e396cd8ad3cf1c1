//! Which technology an image is, from `catalog/technologies/technologies.yaml`.

use std::sync::{Arc, OnceLock};

use kubestride_policy::Family;
use kubestride_source::FileId;
use kubestride_stencils::Choice;
use kubestride_stencils::values::TechnologyClass;
use kubestride_yaml::{Limits, Value};

/// A known technology.
#[derive(Debug, Clone)]
pub(crate) struct Technology {
    pub(crate) name: String,
    pub(crate) class: TechnologyClass,
    images: Vec<String>,
    pub(crate) ports: Vec<u16>,
    pub(crate) protocol: String,
    /// Accepts everybody unless told otherwise; none if that is not known.
    pub(crate) open_by_default: Option<bool>,
    /// Texts that switch authentication on.
    pub(crate) secured_by: Vec<String>,
    /// Environment variables and the values that switch it off.
    pub(crate) opened_by: Vec<(String, Vec<String>)>,
    /// Authentication may be set in a mounted file.
    pub(crate) configured_by_file: bool,
    /// The kinds of network policies that it enforces, or may enforce by its version, for what runs on every node as
    /// part of the network.
    pub(crate) network_policies: Option<Vec<Family>>,
    /// Arguments one of which it needs in order to enforce them.
    pub(crate) switched_on: Vec<String>,
    /// Arguments that keep it from enforcing them.
    pub(crate) switched_off: Vec<String>,
    /// Arguments that keep it from enforcing those of Kubernetes itself.
    pub(crate) kubernetes_off: Vec<String>,
    /// The ConfigMap of its namespace in which the same settings may stand.
    pub(crate) config_map: Option<String>,
}

impl Technology {
    /// Whether it or one of its images is called so.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.images.iter().any(|image| image.eq_ignore_ascii_case(name))
    }
}

const TABLE: &str = include_str!("../../../catalog/technologies/technologies.yaml");

/// All technologies in the order of the file.
pub(crate) fn all() -> &'static [Technology] {
    static ALL: OnceLock<Vec<Technology>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text: Arc<str> = Arc::from(TABLE);
        let documents = kubestride_yaml::read(FileId(u32::MAX), &text, &Limits::default());
        let trees = documents.iter().filter_map(|d| d.tree.as_ref());
        trees.flat_map(|t| t.root().items().filter_map(read).collect::<Vec<_>>()).collect()
    })
}

fn texts(value: Option<Value<'_>>) -> Vec<String> {
    value.map_or(Vec::new(), |v| v.items().filter_map(|i| i.scalar_text()).map(str::to_owned).collect())
}

fn read(entry: Value<'_>) -> Option<Technology> {
    let class = class(entry.get("class")?.as_str()?)?;
    let open_by_default = entry.get("password").and_then(|v| v.as_str()).map(|p| p == "none");
    let opened_by = entry
        .get("opened-by")
        .map_or(Vec::new(), |map| map.entries().map(|e| (e.key.to_owned(), texts(Some(e.value)))).collect());
    Some(Technology {
        name: entry.get("name")?.as_str()?.to_owned(),
        class,
        images: texts(entry.get("images")),
        ports: texts(entry.get("ports")).iter().filter_map(|p| p.parse().ok()).collect(),
        protocol: entry.get("protocol")?.as_str()?.to_owned(),
        open_by_default,
        secured_by: texts(entry.get("secured-by")),
        opened_by,
        configured_by_file: entry.get("configured-by-file").and_then(|v| v.as_bool()).unwrap_or(false),
        network_policies: entry
            .get("network-policies")
            .map(|list| texts(Some(list)).iter().filter_map(|f| Family::parse(f)).collect()),
        switched_on: texts(entry.get("switched-on")),
        switched_off: texts(entry.get("switched-off")),
        kubernetes_off: texts(entry.get("kubernetes-off")),
        config_map: entry.get("config-map").and_then(|v| v.as_str()).map(str::to_owned),
    })
}

fn class(name: &str) -> Option<TechnologyClass> {
    use TechnologyClass::*;
    let all = [
        Database,
        Cache,
        Queue,
        AdminInterface,
        IngressController,
        Monitoring,
        RuntimeSensor,
        Platform,
        Deployer,
        Application,
    ];
    all.into_iter().find(|c| TechnologyClass::NAMES.get(c.position() as usize) == Some(&name))
}

/// The technology of an image reference.
pub(crate) fn of_image(image: &str) -> Option<&'static Technology> {
    let path = image.split('@').next()?;
    let path = match path.rsplit_once(':') {
        Some((before, after)) if !after.contains('/') => before,
        _ => path,
    };
    let segments: Vec<&str> = path.split('/').collect();
    // The last parts name the program; parts before are registries and organisations.
    all().iter().find(|t| {
        t.images.iter().any(|pattern| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            segments.ends_with(&pattern)
        })
    })
}

/// What keeps data and is called on a port, where no other kind of server is known to use that port.
pub(crate) fn datastore_of_port(port: u16) -> Option<&'static Technology> {
    let keeps_data =
        |class| matches!(class, TechnologyClass::Database | TechnologyClass::Cache | TechnologyClass::Queue);
    let mut known = all().iter().filter(|t| t.ports.contains(&port));
    let first = known.next().filter(|t| keeps_data(t.class) && !t.protocol.starts_with("HTTP"))?;
    known.all(|t| t.protocol == first.protocol && keeps_data(t.class)).then_some(first)
}

/// The protocol that is spoken on a well-known port.
pub(crate) fn protocol_of_port(port: u16) -> Option<&'static str> {
    match port {
        80 => Some("HTTP"),
        443 => Some("HTTPS"),
        25 | 587 => Some("SMTP"),
        465 => Some("SMTPS"),
        5432 => Some("PostgreSQL"),
        3306 => Some("MySQL"),
        27017 => Some("MongoDB"),
        6379 => Some("Redis"),
        5672 => Some("AMQP"),
        5671 => Some("AMQPS"),
        9092 => Some("Kafka"),
        4222 => Some("NATS"),
        11211 => Some("Memcached"),
        1433 => Some("TDS"),
        2181 => Some("ZooKeeper"),
        _ => None,
    }
}

/// A protocol as outputs name it, and whether it encrypts, by the scheme of a URL.
pub(crate) fn protocol_of_scheme(scheme: &str) -> (String, Option<bool>) {
    let (name, encrypted) = match scheme {
        "http" | "ws" => ("HTTP", Some(false)),
        "https" | "wss" => ("HTTPS", Some(true)),
        "grpc" => ("gRPC", None),
        "grpcs" => ("gRPC", Some(true)),
        "postgres" | "postgresql" => ("PostgreSQL", None),
        "mysql" | "mariadb" => ("MySQL", None),
        "mongodb" => ("MongoDB", None),
        "mongodb+srv" => ("MongoDB", Some(true)),
        "redis" | "valkey" => ("Redis", Some(false)),
        "rediss" => ("Redis", Some(true)),
        "amqp" => ("AMQP", Some(false)),
        "amqps" => ("AMQPS", Some(true)),
        "nats" => ("NATS", None),
        "tls" => ("TLS", Some(true)),
        "smtp" => ("SMTP", None),
        "smtps" => ("SMTPS", Some(true)),
        "ldap" => ("LDAP", Some(false)),
        "ldaps" => ("LDAPS", Some(true)),
        "ftp" => ("FTP", Some(false)),
        "kafka" => ("Kafka", None),
        "mqtt" => ("MQTT", Some(false)),
        "mqtts" => ("MQTT", Some(true)),
        "sqlserver" => ("TDS", None),
        "git" => ("git", Some(false)),
        "ssh" => ("SSH", Some(true)),
        _ => return ("TCP".to_owned(), None),
    };
    (name.to_owned(), encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_last_path_segments() {
        let name = |image| of_image(image).map(|t| t.name.as_str());
        assert_eq!(name("redis:7"), Some("Redis"));
        assert_eq!(name("docker.io/library/redis@sha256:00"), Some("Redis"));
        assert_eq!(name("localhost:5000/bitnami/postgresql"), Some("PostgreSQL"));
        assert_eq!(name("registry.k8s.io/ingress-nginx/controller:v1.9"), Some("ingress-nginx"));
        assert_eq!(name("oliver006/redis_exporter:1"), None);
        assert_eq!(name("example/controller:1"), None);
    }

    #[test]
    fn the_table_is_read_whole() {
        assert_eq!(all().len(), TABLE.lines().filter(|l| l.starts_with("- ")).count());
    }
}
