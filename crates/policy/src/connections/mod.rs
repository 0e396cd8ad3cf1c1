//! Which connections policies allow: between all workloads, and between them and addresses outside.
//!
//! A connection gets through where its source may send it and its target may accept it, on the ports that both allow.
//! In each direction policies of administrators are asked first, then NetworkPolicies, then the baseline; what nothing
//! forbids is allowed. A pod always reaches itself.

mod endpoints;
mod entry;
mod limits;
mod networks;

use std::fmt;

use kubestride_manifest::Manifests;
use kubestride_source::Diagnostic;

use crate::Namespaces;
use crate::network::{End, NetworkPolicies, PortSet, Range, Verdict};

pub use endpoints::Workload;
pub use limits::{are_all_evaluated, limits};
pub use networks::Network;

/// A connection that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// `shop/orders[Deployment]`, `10.0.0.0-10.255.255.255[External]` or `{ingress-controller}`.
    pub source: String,
    /// The same for the other end.
    pub target: String,
    /// Ports of the target's pods.
    pub ports: PortSet,
}

/// `source => target : ports`.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} => {} : {}", self.source, self.target, self.ports)
    }
}

/// All that is known of who may talk to whom.
pub struct Connections<'a> {
    workloads: Vec<Workload<'a>>,
    ranges: Vec<Range>,
    policies: NetworkPolicies,
    manifests: &'a Manifests,
    default_namespace: &'a str,
}

impl<'a> Connections<'a> {
    /// Reads workloads and policies.
    pub fn read(manifests: &'a Manifests, default_namespace: &'a str) -> Self {
        let namespaces = Namespaces::read(manifests);
        let policies = NetworkPolicies::read(manifests, default_namespace);
        Self {
            workloads: Workload::read(manifests, &namespaces, default_namespace),
            ranges: policies.ranges(),
            policies,
            manifests,
            default_namespace,
        }
    }

    /// What limits the answer: peers that manifests do not tell, networks that are not understood.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut found = limits(self.manifests, self.policies.admin(), self.default_namespace);
        found.extend(limits::in_network_of_node(&self.workloads));
        found
    }

    /// The workloads in the order of their names.
    pub fn workloads(&self) -> &[Workload<'a>] {
        &self.workloads
    }

    /// The answer for one pair, with the rules that decide; none if they are in different networks.
    pub fn between(&self, source: &Workload<'_>, target: &Workload<'_>) -> Option<Verdict> {
        source.sees(target).then(|| self.policies.verdict(End::Pod(source.pod()), End::Pod(target.pod())))
    }

    /// Every connection that is allowed, in order.
    pub fn allowed(&self) -> Vec<Connection> {
        let mut all = Vec::new();
        for source in &self.workloads {
            let pod = End::Pod(source.pod());
            for target in self.workloads.iter().filter(|t| t.name != source.name && source.sees(t)) {
                let ports = self.policies.ports(pod, End::Pod(target.pod()));
                all.push(Connection { source: source.name.clone(), target: target.name.clone(), ports });
            }
            let outside = |ports: &dyn Fn(End<'_>) -> PortSet| {
                merged(self.ranges.iter().map(|range| (*range, ports(End::Outside(*range)))))
            };
            for (range, ports) in outside(&|o| self.policies.ports(pod, o)) {
                all.push(Connection { source: source.name.clone(), target: range.to_string(), ports });
            }
            for (range, ports) in outside(&|o| self.policies.ports(o, pod)) {
                all.push(Connection { source: range.to_string(), target: source.name.clone(), ports });
            }
        }
        all.extend(entry::connections(self.manifests, &self.workloads, &self.policies));
        all.retain(|c| !c.ports.is_empty());
        all.sort();
        joined(all)
    }
}

/// Ranges beside each other with the same ports, as one.
fn merged(parts: impl Iterator<Item = (Range, PortSet)>) -> Vec<(Range, PortSet)> {
    let mut out: Vec<(Range, PortSet)> = Vec::new();
    for (range, ports) in parts {
        match out.last_mut() {
            Some((last, same)) if *same == ports && last.touches(&range) => last.1 = range.1,
            _ => out.push((range, ports)),
        }
    }
    out
}

/// One line for each pair: a workload whose pods have different labels stands several times in the list.
fn joined(sorted: Vec<Connection>) -> Vec<Connection> {
    let mut out: Vec<Connection> = Vec::with_capacity(sorted.len());
    for connection in sorted {
        match out.last_mut() {
            Some(last) if (&last.source, &last.target) == (&connection.source, &connection.target) => {
                last.ports = last.ports.union(&connection.ports);
            }
            _ => out.push(connection),
        }
    }
    out
}
