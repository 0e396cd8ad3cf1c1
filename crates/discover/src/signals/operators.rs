//! Custom resources of operators: who the pods that are made from them call.

use kubestride_manifest::LabelSelector;
use kubestride_model::{AttributeId, Confidence, FlowKind, Value as ModelValue};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Encryption;
use kubestride_yaml::{Kind, Value};

use super::{Signal, arguments};
use crate::claims::{Claims, FlowClaim, Note, Party, Subject};
use crate::traffic;
use crate::world::{WorkloadInfo, World};

pub(crate) struct Operators;

impl Signal for Operators {
    fn name(&self) -> &'static str {
        "operators"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let Some(kind) = workload.operated else { continue };
            pods(index, workload, claims);
            let Some(spec) = workload.object().spec() else { continue };
            settings(world, index, workload, ("", spec), None, claims);
            for (path, target) in kind.references {
                reference(world, index, workload, spec, (path, target), claims);
            }
            for alertmanager in spec.get("alerting").and_then(|a| a.get("alertmanagers")).iter().flat_map(|l| l.items())
            {
                alerts(world, index, workload, alertmanager, claims);
            }
        }
        parts(world, claims);
        data_sources(world, claims);
    }
}

/// What manifests leave open where they have no pods.
const OPEN: [AttributeId; 10] = [
    attr::HOST_NETWORK.id,
    attr::HOST_PID.id,
    attr::HOST_IPC.id,
    attr::RUNTIME_CLASS.id,
    attr::SERVICE_ACCOUNT.id,
    attr::TOKEN_MOUNTED.id,
    attr::INGRESS_ISOLATION.id,
    attr::EGRESS_ISOLATION.id,
    attr::METADATA_REACHABLE.id,
    attr::ANONYMOUS_ACCESS.id,
];

fn pods(index: usize, workload: &WorkloadInfo<'_>, claims: &mut Claims) {
    let subject = || Subject::Party(Party::Workload(index));
    let kind = workload.object().kind();
    for attribute in OPEN {
        let note = Note::absent(Some(workload.span()), format!("an operator makes the pods of this {kind}"));
        claims.set(subject(), attribute, ModelValue::Unknown, note);
    }
    let note = Note::stated(workload.span(), "the kind of the resource");
    claims.set_text(subject(), attr::TECHNOLOGY.id, kind, note.clone());
    if let Some(technology) = workload.operated.and_then(|kind| kind.technology()) {
        let class = attr::TECHNOLOGY_CLASS.value(technology.class);
        claims.set(subject(), attr::TECHNOLOGY_CLASS.id, class, note);
    }
    if !workload.service_account().is_empty() {
        let note = Note::merged(workload.span(), "named by the resource, or what the operator calls it");
        claims.set_text(subject(), attr::SERVICE_ACCOUNT_NAME.id, workload.service_account(), note);
    }
}

/// Parts of a specification that say how the workload is reached from outside, not what it calls.
pub(super) const REACHED_BY: [&str; 3] = ["httpRoute", "ingress", "route"];

/// Whether a field says where the workload itself is found: a host that stands alone in the specification, or a part
/// that is about that (`hostname: {hostname: …, admin: …}`). Hosts of others stand beside what they are for.
fn is_own(parent: &str, key: &str, value: Value<'_>) -> bool {
    let host = matches!(key, "host" | "hostname");
    REACHED_BY.contains(&key) || (host && (parent.is_empty() || value.kind() == Kind::Mapping))
}

/// Addresses in any field of the specification.
fn settings(
    world: &World<'_>,
    index: usize,
    workload: &WorkloadInfo<'_>,
    (key, value): (&str, Value<'_>),
    port: Option<u16>,
    claims: &mut Claims,
) {
    // A setting whose name is a value too, as in `env`.
    if let Some((name, value)) = named_setting(value) {
        return settings(world, index, workload, (name, value), None, claims);
    }
    for entry in value.entries() {
        if is_own(key, entry.key, entry.value) {
            continue;
        }
        // What containers are told is read as everywhere else.
        if CONTAINERS.contains(&key) && matches!(entry.key, "command" | "args") {
            let name = value.get("name").and_then(|n| n.as_str()).unwrap_or("");
            let words: Vec<Value<'_>> = entry.value.items().collect();
            arguments::claim_words(world, index, name, &words, Confidence::Likely, &|_| None, claims);
            continue;
        }
        // Pods are made with an image and what it is built from; they do not call it.
        if !entry.key.to_ascii_lowercase().ends_with("image") && entry.key != "build" {
            settings(world, index, workload, (entry.key, entry.value), port_beside(value, entry.key), claims);
        }
    }
    for item in value.items() {
        settings(world, index, workload, (key, item), None, claims);
    }
    if value.kind() == Kind::Str {
        let outside = if traffic::is_address_key(key) { Confidence::Likely } else { Confidence::Possible };
        let why = format!("{key} of {}", workload.identity);
        traffic::claim_field_with(world, index, (key, value), port, outside, &why, claims);
    }
}

/// Lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "sidecars"];

/// `{name: db-url-host, value: db}`.
fn named_setting<'a>(value: Value<'a>) -> Option<(&'a str, Value<'a>)> {
    let (name, text) = (value.get("name")?.as_str()?, value.get("value")?);
    (value.entries().count() == 2).then_some((name, text))
}

/// The port that stands beside a host: `database.port` beside `database.hostname`.
fn port_beside(mapping: Value<'_>, key: &str) -> Option<u16> {
    let stem = ["hostname", "hostName", "host", "Host"].iter().find_map(|end| key.strip_suffix(end))?;
    let end = if stem.ends_with(|c: char| c.is_ascii_alphanumeric()) { "Port" } else { "port" };
    mapping.get(&format!("{stem}{end}"))?.scalar_text()?.parse().ok().filter(|p| *p > 0)
}

/// Kinds whose resources are parts of the configuration of another one, and the label that names that one.
const PARTS: [(&str, &str, &str, &str); 1] =
    [("kafka.strimzi.io", "KafkaConnector", "strimzi.io/cluster", "KafkaConnect")];

/// Addresses in resources that configure a workload which is made from another resource.
fn parts(world: &World<'_>, claims: &mut Claims) {
    for (group, kind, label, whole) in PARTS {
        for object in world.manifests.by_custom_kind(group, kind) {
            let (Some(spec), Some(name)) = (object.spec(), object.label_set().get(label).map(str::to_owned)) else {
                continue;
            };
            let identity = format!("{whole}/{}/{name}", world.namespace_of(object));
            let found = world.workloads.iter().enumerate().find(|(_, w)| w.identity == identity);
            if let Some((index, workload)) = found {
                settings(world, index, workload, ("", spec), None, claims);
            }
        }
    }
}

/// Data sources of the Grafanas whose labels they select. <https://grafana.github.io/grafana-operator/docs/api/#grafanadatasourcespec>
fn data_sources(world: &World<'_>, claims: &mut Claims) {
    for object in world.manifests.by_custom_kind("grafana.integreatly.org", "GrafanaDatasource") {
        let Some(spec) = object.spec() else { continue };
        let Some(selector) = spec.get("instanceSelector").map(LabelSelector::read) else { continue };
        let everywhere = spec.get("allowCrossNamespaceImport").and_then(|a| a.as_bool()) == Some(true);
        let namespace = world.namespace_of(object);
        for (index, workload) in world.workloads.iter().enumerate() {
            let is_grafana = workload.operated.is_some_and(|k| k.kind == "Grafana");
            let here = everywhere || workload.namespace == namespace;
            if is_grafana && here && selector.matches(&workload.object().label_set()) {
                settings(world, index, workload, ("", spec), None, claims);
            }
        }
    }
}

/// A field that names another resource of an operator.
fn reference(
    world: &World<'_>,
    index: usize,
    workload: &WorkloadInfo<'_>,
    spec: Value<'_>,
    (path, kind): (&[&str], &str),
    claims: &mut Claims,
) {
    let Some((last, path)) = path.split_last() else { return };
    let Some(named) = path.iter().try_fold(spec, |value, key| value.get(key)) else { return };
    for name in named.items().chain([named]).filter_map(|one| one.get(last)) {
        call(world, index, workload, (name, kind), claims);
    }
}

/// A call of the resource with a name.
fn call(
    world: &World<'_>,
    index: usize,
    workload: &WorkloadInfo<'_>,
    (name, kind): (Value<'_>, &str),
    claims: &mut Claims,
) {
    let fits = |w: &WorkloadInfo<'_>| {
        w.operated.is_some_and(|k| k.kind == kind)
            && w.namespace == workload.namespace
            && Some(w.object().name()) == name.as_str()
    };
    let Some(target) = world.workloads.iter().position(fits) else { return };
    let port = world.workloads.get(target).and_then(|w| w.operated?.services(w.object()).into_values().min());
    let note = Note::stated(name.span(), format!("{} names it", workload.identity));
    let mut claim = FlowClaim::new(Party::Workload(index), Party::Workload(target), FlowKind::Traffic, note);
    (claim.port, claim.target_port) = (port, port);
    claim.confidence = Confidence::Likely;
    claims.flows.push(claim);
}

/// `AlertmanagerEndpoints`: Service, namespace and port, by number or name.
fn alerts(world: &World<'_>, index: usize, workload: &WorkloadInfo<'_>, endpoint: Value<'_>, claims: &mut Claims) {
    let Some(name) = endpoint.get("name").and_then(|n| n.as_str()) else { return };
    let namespace = endpoint.get("namespace").and_then(|n| n.as_str()).unwrap_or(&workload.namespace);
    let note = Note::stated(endpoint.span(), format!("{} sends alerts to Service {name}", workload.identity));
    let port = endpoint.get("port");
    let scheme = endpoint.get("scheme").filter(|scheme| !scheme.is_null());
    let (encryption, said) = match scheme {
        Some(s) if s.as_str().is_some_and(|text| text.eq_ignore_ascii_case("https")) => {
            (Encryption::Encrypted, Note::stated(s.span(), "the scheme for alerts"))
        }
        Some(s) => (Encryption::Plain, Note::stated(s.span(), "the scheme for alerts")),
        None => {
            let note = Note::default(endpoint.span(), "alerts are sent by HTTP where no scheme is named");
            (Encryption::Plain, note)
        }
    };
    let mut push = |target: Party, port: Option<u16>, via: Option<String>| {
        let mut claim = FlowClaim::new(Party::Workload(index), target, FlowKind::Traffic, note.clone());
        (claim.port, claim.target_port, claim.via) = (port, port, via);
        claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(encryption), said.clone());
        claims.flows.push(claim);
    };
    let number = port.and_then(|p| u16::try_from(p.as_i64()?).ok());
    let Some(service) = world.service(namespace, name) else {
        match world.made_service(namespace, name) {
            Some((target, usual)) => push(Party::Workload(target), number.or(Some(usual)), None),
            None => {
                push(Party::UnresolvedService { namespace: namespace.to_owned(), name: name.to_owned() }, number, None);
            }
        }
        return;
    };
    let named = service.service.ports().find(|p| p.name.is_some() && p.name == port.and_then(|p| p.as_str()));
    let number = number.or(named.map(|p| p.number)).or_else(|| service.only_port());
    for target in &service.workloads {
        push(Party::Workload(*target), number, Some(service.identity.clone()));
    }
}
