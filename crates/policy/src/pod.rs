//! What policies select.

use std::collections::BTreeMap;

use kubestride_manifest::{Labels, Manifests, NAMESPACE_NAME, PodSpec};
use kubestride_source::Span;

/// An object that an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cited {
    /// The identity of the object.
    pub identity: String,
    /// The part of it that decides.
    pub span: Span,
}

/// A named port of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodPort<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub number: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: &'a str,
}

/// The pods of a workload, as policies see them.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    /// Their namespace.
    pub namespace: &'a str,
    /// Their labels.
    pub labels: &'a Labels<'a>,
    /// The labels of their namespace, see [`Namespaces::labels`].
    pub namespace_labels: &'a Labels<'a>,
    /// Their named ports, see [`PodPort::read`].
    pub ports: &'a [PodPort<'a>],
    /// The name of their service account.
    pub service_account: &'a str,
    /// Whether they share the network of the node, in which case network policies do not see them as pods.
    pub host_network: bool,
}

impl<'a> PodPort<'a> {
    /// The named ports of all containers, in order.
    pub fn read(spec: PodSpec<'a>) -> Vec<PodPort<'a>> {
        let ports = spec.containers().flat_map(|container| container.ports().collect::<Vec<_>>());
        ports
            .filter_map(|port| Some(PodPort { name: port.name?, number: port.number, protocol: port.protocol }))
            .collect()
    }
}

/// The labels of namespaces.
#[derive(Debug, Default)]
pub struct Namespaces<'a> {
    labels: BTreeMap<&'a str, Labels<'a>>,
}

impl<'a> Namespaces<'a> {
    /// Reads all Namespace objects.
    pub fn read(manifests: &'a Manifests) -> Self {
        let namespaces = manifests.by_kind("Namespace").map(|object| (object.name(), object.label_set()));
        Self { labels: namespaces.collect() }
    }

    /// The names of all Namespace objects.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.labels.keys().copied()
    }

    /// Whether the Namespace object is part of the input. If not, its labels are not known.
    pub fn is_declared(&self, namespace: &str) -> bool {
        self.labels.contains_key(namespace)
    }

    /// The labels of a namespace, with the one that Kubernetes gives to each ([`NAMESPACE_NAME`]).
    pub fn labels(&self, namespace: &'a str) -> Labels<'a> {
        let mut labels = self.labels.get(namespace).cloned().unwrap_or_default();
        labels.set(NAMESPACE_NAME, namespace);
        labels
    }
}
