//! What the tests share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod calico;
pub(crate) mod cilium;

use std::sync::Arc;

use kubestride_manifest::{Labels, Manifests};
use kubestride_policy::{Pod, PodPort};
use kubestride_source::FileId;
use kubestride_yaml::{Limits, read};

/// The objects of `documents`, in the order given and then the other way round: no answer may depend on it.
pub(crate) fn both_orders(documents: &[&str], test: impl Fn(&Manifests)) {
    let forward: Vec<_> = documents.to_vec();
    let backward: Vec<_> = documents.iter().rev().copied().collect();
    for documents in [forward, backward] {
        test(&manifests(&documents.join("\n---\n")));
    }
}

pub(crate) fn manifests(text: &str) -> Manifests {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        assert!(document.diagnostics.is_empty(), "{text}: {:?}", document.diagnostics);
        manifests.add(document.tree.expect("a document"), 0);
    }
    let diagnostics = manifests.finish("default");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    manifests
}

/// A pod that is described in one line, with what it borrows from.
pub(crate) struct Described {
    namespace: &'static str,
    labels: Labels<'static>,
    namespace_labels: Labels<'static>,
    ports: Vec<PodPort<'static>>,
    pub(crate) service_account: &'static str,
    pub(crate) host_network: bool,
}

/// A pod with the labels `app` and `team` of its namespace, and the port `web` (8080, TCP).
pub(crate) fn pod(namespace: &'static str, app: &'static str, team: &'static str) -> Described {
    Described {
        namespace,
        labels: Labels::from_pairs([("app", app)]),
        namespace_labels: Labels::from_pairs([("kubernetes.io/metadata.name", namespace), ("team", team)]),
        ports: vec![PodPort { name: "web", number: 8080, protocol: "TCP" }],
        service_account: "default",
        host_network: false,
    }
}

impl Described {
    pub(crate) fn get(&self) -> Pod<'_> {
        Pod {
            namespace: self.namespace,
            labels: &self.labels,
            namespace_labels: &self.namespace_labels,
            ports: &self.ports,
            service_account: self.service_account,
            host_network: self.host_network,
        }
    }
}
