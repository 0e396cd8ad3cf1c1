//! What policies ask about pods. Pods that differ in nothing of it are alike to all of them, as ends of a connection.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{LabelSelector, Labels, RequirementTest};

use super::{NamespaceMatcher, NetworkPolicies, PodMatcher, PortRange, Ports};
use crate::{Pod, PodPort};

/// Keys of labels, each with the values that are asked for.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// All that policies ask about pods.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    labels: Keys,
    namespace_labels: Keys,
    namespaces: BTreeSet<String>,
    ports: BTreeSet<String>,
    accounts: bool,
    /// Whether it is not known what is asked, so that everything counts.
    everything: bool,
}

/// What of a pod is asked. A label whose value nobody asks for is there, with no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traits<'t> {
    labels: Vec<(&'t str, Option<&'t str>)>,
    namespace_labels: Vec<(&'t str, Option<&'t str>)>,
    namespace: Option<&'t str>,
    ports: Vec<PodPort<'t>>,
    account: Option<&'t str>,
    host_network: bool,
}

impl Asked {
    /// What the policies ask that hold.
    pub(crate) fn by(policies: &NetworkPolicies) -> Self {
        let mut asked = Self::default();
        for member in policies.tiers.iter().flat_map(|tier| tier.members()) {
            // Policies of a namespace are asked for its pods only.
            asked.namespaces.extend(member.namespace().map(str::to_owned));
            member.asks(&mut asked);
        }
        asked
    }

    /// Everything may be asked.
    pub(crate) fn everything(&mut self) {
        self.everything = true;
    }

    /// What a matcher asks.
    pub(crate) fn pods(&mut self, matcher: &PodMatcher) {
        add(&mut self.labels, &matcher.pods);
        match &matcher.namespaces {
            NamespaceMatcher::Named(name) => self.namespaces.extend([name.clone()]),
            NamespaceMatcher::Labelled(selector) => add(&mut self.namespace_labels, selector),
        }
    }

    /// The names of ports that are asked for.
    pub(crate) fn ports(&mut self, ranges: &[PortRange]) {
        let name = |range: &PortRange| if let Ports::Name(name) = &range.ports { Some(name.clone()) } else { None };
        self.ports.extend(ranges.iter().filter_map(name));
    }

    /// The service accounts of pods are asked for.
    pub(crate) fn accounts(&mut self) {
        self.accounts = true;
    }

    /// What of a pod is asked.
    pub(crate) fn of<'t>(&self, pod: &Pod<'t>) -> Traits<'t> {
        let ports = pod.ports.iter().filter(|port| self.everything || self.ports.contains(port.name));
        let namespace = self.everything || self.namespaces.contains(pod.namespace);
        Traits {
            labels: self.seen(&self.labels, pod.labels),
            namespace_labels: self.seen(&self.namespace_labels, pod.namespace_labels),
            namespace: namespace.then_some(pod.namespace),
            ports: ports.copied().collect(),
            account: (self.everything || self.accounts).then_some(pod.service_account),
            host_network: pod.host_network,
        }
    }

    fn seen<'t>(&self, keys: &Keys, labels: &Labels<'t>) -> Vec<(&'t str, Option<&'t str>)> {
        let seen = |(key, value): (&'t str, &'t str)| {
            if self.everything {
                return Some((key, Some(value)));
            }
            keys.get(key).map(|values| (key, values.contains(value).then_some(value)))
        };
        labels.iter().filter_map(seen).collect()
    }
}

fn add(keys: &mut Keys, selector: &LabelSelector) {
    for requirement in &selector.requirements {
        let values = keys.entry(requirement.key.clone()).or_default();
        match &requirement.test {
            RequirementTest::In(asked) | RequirementTest::NotIn(asked) => values.extend(asked.iter().cloned()),
            RequirementTest::Exists | RequirementTest::DoesNotExist | RequirementTest::Unknown => {}
        }
    }
}
