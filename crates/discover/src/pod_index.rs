//! Workloads by namespace, label and service account, so that a thousand selectors do not look at ten thousand
//! workloads each.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{LabelSelector, Labels};
use kubestride_policy::network::{NamespaceMatcher, PodMatcher};

use crate::world::WorkloadInfo;

/// Positions of workloads; each list is in order.
#[derive(Default)]
pub(crate) struct PodIndex<'a> {
    namespaces: BTreeMap<String, Pods<'a>>,
}

#[derive(Default)]
struct Pods<'a> {
    namespace_labels: Labels<'a>,
    all: Vec<usize>,
    by_label: BTreeMap<&'a str, BTreeMap<&'a str, Vec<usize>>>,
    by_account: BTreeMap<String, Vec<usize>>,
}

impl<'a> PodIndex<'a> {
    pub(crate) fn new(workloads: &[WorkloadInfo<'a>]) -> Self {
        let mut index = Self::default();
        for (at, workload) in workloads.iter().enumerate() {
            let pods = index.namespaces.entry(workload.namespace.clone()).or_default();
            if pods.all.is_empty() {
                pods.namespace_labels = workload.namespace_labels.clone();
            }
            pods.all.push(at);
            pods.by_account.entry(workload.service_account().to_owned()).or_default().push(at);
            for (key, value) in workload.labels.iter() {
                pods.by_label.entry(key).or_default().entry(value).or_default().push(at);
            }
        }
        index
    }

    /// All workloads of a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> &[usize] {
        self.namespaces.get(namespace).map(|pods| pods.all.as_slice()).unwrap_or_default()
    }

    /// The workloads of a namespace that have a label.
    pub(crate) fn labelled(&self, namespace: &str, key: &str, value: &str) -> &[usize] {
        let pods = self.namespaces.get(namespace).and_then(|pods| pods.by_label.get(key)?.get(value));
        pods.map(Vec::as_slice).unwrap_or_default()
    }

    /// The workloads of a namespace that run as a service account.
    pub(crate) fn running_as(&self, namespace: &str, account: &str) -> &[usize] {
        let pods = self.namespaces.get(namespace).and_then(|pods| pods.by_account.get(account));
        pods.map(Vec::as_slice).unwrap_or_default()
    }

    /// The workloads of a namespace that can fulfil a selector: all that do, and perhaps others.
    pub(crate) fn candidates(&self, namespace: &str, selector: &LabelSelector) -> Vec<usize> {
        match selector.one_of() {
            Some((key, values)) => {
                let of_value = |value: &String| self.labelled(namespace, key, value).iter().copied();
                values.iter().flat_map(of_value).collect::<BTreeSet<_>>().into_iter().collect()
            }
            None => self.in_namespace(namespace).to_vec(),
        }
    }

    /// The workloads of any namespace that can fulfil a selector: all that do, and perhaps others, in order.
    pub(crate) fn candidates_anywhere(&self, selector: &LabelSelector) -> Vec<usize> {
        let mut out: Vec<usize> = self.namespaces.keys().flat_map(|name| self.candidates(name, selector)).collect();
        out.sort_unstable();
        out
    }

    /// The workloads that can be meant by a peer of a policy: all that are, and perhaps others, in order.
    pub(crate) fn meant(&self, matcher: &PodMatcher) -> Vec<usize> {
        let mut out: Vec<usize> = match &matcher.namespaces {
            NamespaceMatcher::Named(name) => self.candidates(name, &matcher.pods),
            NamespaceMatcher::Labelled(selector) => {
                let chosen = self.namespaces.iter().filter(|(_, pods)| selector.matches(&pods.namespace_labels));
                chosen.flat_map(|(name, _)| self.candidates(name, &matcher.pods)).collect()
            }
        };
        out.sort_unstable();
        out
    }
}
