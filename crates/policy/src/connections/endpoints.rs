//! Who can be at an end of a connection.

use std::collections::BTreeSet;

use kubestride_manifest::{Field, Labels, Manifests, Object, PodSpec};
use kubestride_yaml::Value;

use super::networks::{Network, Networks};
use crate::network::PortSet;
use crate::{Namespaces, Pod, PodPort};

/// The kinds of KubeVirt that run in pods of their own: a machine, and what runs of it while it is switched on, which
/// has the machine's name.
const MACHINE: &str = "VirtualMachine";
const INSTANCE: &str = "VirtualMachineInstance";
pub(super) const KUBEVIRT: &str = "kubevirt.io";

/// The pods of one workload that have the same labels.
#[derive(Debug, Clone)]
pub struct Workload<'a> {
    /// `shop/orders[Deployment]`; pods with an owner have their owner's name, and `shop[udn]` is a namespace with a
    /// primary network of its own.
    pub name: String,
    /// Their namespace.
    pub namespace: &'a str,
    labels: Labels<'a>,
    namespace_labels: Labels<'a>,
    ports: Vec<PodPort<'a>>,
    service_account: &'a str,
    declared: PortSet,
    /// The further networks that they are attached to, by namespace and name.
    pub(super) attached: Vec<(String, String)>,
    /// Their primary network; none if it is that of the cluster.
    pub network: Option<Network>,
    /// Whether they are in the network of their node, where it depends on the network plugin what policies do.
    pub host_network: bool,
}

impl<'a> Workload<'a> {
    /// All workloads in the order of their names. A workload whose pods have different labels is there several times.
    pub fn read(manifests: &'a Manifests, namespaces: &Namespaces<'a>, default_namespace: &'a str) -> Vec<Self> {
        let networks = Networks::read(manifests, default_namespace);
        let machines = manifests.by_custom_kind(KUBEVIRT, MACHINE);
        let machines: BTreeSet<(&str, &str)> =
            machines.map(|m| (m.effective_namespace(default_namespace).unwrap_or_default(), m.name())).collect();
        let mut found: Vec<Self> = Vec::new();
        let mut known: BTreeSet<(String, Labels<'a>)> = BTreeSet::new();
        for object in manifests.objects() {
            let Some((labels, spec)) = pods(object) else { continue };
            let namespace = object.effective_namespace(default_namespace).unwrap_or(default_namespace);
            let (kind, name) = owner(object).unwrap_or((object.kind(), object.name()));
            if kind == INSTANCE && machines.contains(&(namespace, name)) {
                continue;
            }
            let namespace_labels = namespaces.labels(namespace);
            if networks.is_missing(namespace, &namespace_labels) {
                continue;
            }
            let network = networks.of(namespace, &namespace_labels).cloned();
            let mark = if network.as_ref().is_some_and(|n| n.namespace.is_some()) { "[udn]" } else { "" };
            let name = format!("{namespace}{mark}/{name}[{kind}]");
            if !known.insert((name.clone(), labels.clone())) {
                continue;
            }
            found.push(Self {
                name,
                namespace,
                labels,
                namespace_labels,
                network,
                attached: super::secondary::attached(object, namespace),
                declared: spec.map(declared).unwrap_or_default(),
                ports: spec.map(PodPort::read).unwrap_or_default(),
                service_account: spec.map_or("default", service_account),
                host_network: spec.and_then(|s| s.host_network()).is_some_and(|v| v.as_bool() == Some(true)),
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Its name without the mark of a primary network of its own.
    pub fn plain_name(&self) -> String {
        self.name.replacen("[udn]/", "/", 1)
    }

    /// Its pods as policies see them. Those in the network of their node are taken for others here.
    pub fn pod(&self) -> Pod<'_> {
        Pod {
            namespace: self.namespace,
            labels: &self.labels,
            namespace_labels: &self.namespace_labels,
            ports: &self.ports,
            service_account: self.service_account,
            host_network: false,
        }
    }

    /// Whether a port is among those that the containers declare; none need to be.
    pub fn may_listen(&self, protocol: &str, port: u16) -> bool {
        self.declared.is_empty() || self.declared.contains(protocol, port)
    }

    /// Whether both are in the same primary network.
    pub fn sees(&self, other: &Self) -> bool {
        self.network == other.network
    }

    /// Its named ports.
    pub fn ports(&self) -> &[PodPort<'a>] {
        &self.ports
    }
}

/// Labels of the pods of an object and, where there is one, their specification.
fn pods(object: Object<'_>) -> Option<(Labels<'_>, Option<PodSpec<'_>>)> {
    if let Some(workload) = object.workload() {
        return Some((workload.template.label_set(), Some(workload.template.spec())));
    }
    if object.group() != KUBEVIRT || !matches!(object.kind(), MACHINE | INSTANCE) {
        return None;
    }
    let template = object.root().path(&["spec", "template", "metadata", "labels"]);
    Some((Labels::read(template.or_else(|| object.metadata().field("labels"))), None))
}

fn service_account(spec: PodSpec<'_>) -> &str {
    spec.service_account_name().and_then(|v| v.as_str()).filter(|name| !name.is_empty()).unwrap_or("default")
}

/// The ports that containers declare.
fn declared(spec: PodSpec<'_>) -> PortSet {
    let ports = spec.containers().flat_map(|container| container.ports().collect::<Vec<_>>());
    ports.fold(PortSet::none(), |all, port| all.union(&PortSet::range(port.protocol, port.number, port.number)))
}

/// Kind and name of what made a pod.
fn owner(object: Object<'_>) -> Option<(&str, &str)> {
    let all = || object.metadata().list("ownerReferences");
    let first = all().find(|o| o.flag("controller") == Some(true)).or_else(|| all().next());
    let first: Value<'_> = first.filter(|_| matches!(object.kind(), "Pod" | INSTANCE))?;
    Some((first.text("kind").unwrap_or(object.kind()), first.text("name")?))
}
