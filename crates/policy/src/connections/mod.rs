//! Which connections policies allow: between all workloads, and between them and addresses outside.
//!
//! A connection gets through where its source may send it and its target may accept it, on the ports that both allow.
//! In each direction all policies are asked in the order of their tiers, see [`crate::network`]; what nothing forbids is
//! allowed. A pod always reaches itself. Pods in different primary networks do not see each other; further networks that
//! they share have policies of their own.

mod endpoints;
mod entry;
mod limits;
mod networks;
mod secondary;

use std::fmt;

use kubestride_manifest::Manifests;
use kubestride_source::Diagnostic;

use crate::network::{End, NetworkPolicies, PortSet, Range, Verdict};
use crate::{Circumstances, Namespaces};
use secondary::Secondary;

pub use endpoints::Workload;
pub use limits::limits;
pub use networks::Network;

/// A connection that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// The network in which it is, beside the primary one of its ends.
    pub network: Option<String>,
    /// `shop/orders[Deployment]`, `10.0.0.0-10.255.255.255[External]` or `{ingress-controller}`.
    pub source: String,
    /// The same for the other end.
    pub target: String,
    /// Ports of the target's pods that are allowed; parts of policies that are not understood, or about parties that
    /// manifests do not tell, are left out.
    pub ports: PortSet,
    /// Ports that such a part would decide otherwise about.
    pub unknown: PortSet,
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
    secondary: Vec<Secondary>,
    manifests: &'a Manifests,
    default_namespace: &'a str,
}

impl<'a> Connections<'a> {
    /// Reads workloads and policies, as if somebody enforced them, for the newest version of Kubernetes.
    pub fn read(manifests: &'a Manifests, default_namespace: &'a str) -> Self {
        Self::read_in(manifests, default_namespace, &Circumstances::default())
    }

    /// Reads workloads and policies under some circumstances.
    pub fn read_in(manifests: &'a Manifests, default_namespace: &'a str, circumstances: &Circumstances) -> Self {
        let namespaces = Namespaces::read(manifests);
        let policies = NetworkPolicies::read_in(manifests, default_namespace, circumstances);
        let workloads = Workload::read(manifests, &namespaces, default_namespace);
        Self {
            secondary: secondary::read_all(manifests, &namespaces, &workloads, default_namespace),
            workloads,
            ranges: policies.ranges(),
            policies,
            manifests,
            default_namespace,
        }
    }

    /// What limits the answer: peers that manifests do not tell, networks that are not understood.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let namespaces = Namespaces::read(self.manifests);
        let mut found = limits(self.manifests, &self.policies, self.default_namespace);
        found.extend(limits::in_network_of_node(&self.workloads));
        found.extend(limits::meshes(self.manifests));
        found.extend(limits::select_nothing(&self.policies, &self.workloads));
        let missing = secondary::missing(self.manifests, &namespaces, &self.workloads, self.default_namespace);
        found.extend(self.secondary.iter().flat_map(|network| network.policies.doubts().iter().cloned()));
        found.extend(limits::missing_networks(&missing));
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

    /// The same in each of the further networks that both are in, with its name.
    pub fn beside(&self, source: &Workload<'_>, target: &Workload<'_>) -> Vec<(&str, Verdict)> {
        let is_in = |network: &&Secondary, workload: &Workload<'_>| {
            network.members.iter().any(|at| self.workloads.get(*at).is_some_and(|w| w.name == workload.name))
        };
        let both = self.secondary.iter().filter(|network| is_in(network, source) && is_in(network, target));
        let answer = |network: &Secondary| network.policies.verdict(End::Pod(source.pod()), End::Pod(target.pod()));
        both.map(|network| (network.name.as_str(), answer(network))).collect()
    }

    /// Every connection of which some port is allowed, in order.
    pub fn allowed(&self) -> Vec<Connection> {
        let mut all = self.all(None, None);
        all.retain(|c| !c.ports.is_empty());
        all
    }

    /// Every connection that is allowed or of which that is not known, in order. What goes from further networks to
    /// addresses outside is not among them. With `from` or `to`, only those from or to that workload.
    pub fn all(&self, from: Option<&Workload<'_>>, to: Option<&Workload<'_>>) -> Vec<Connection> {
        let is =
            |wanted: Option<&Workload<'_>>, name: &str| wanted.is_none_or(|w| w.name == name || w.plain_name() == name);
        let sources = || self.workloads.iter().filter(|w| is(from, &w.name));
        let targets = || self.workloads.iter().filter(|w| is(to, &w.name));
        let mut all = Vec::new();
        for source in sources() {
            for target in targets().filter(|t| t.name != source.name && source.sees(t)) {
                let verdict = self.policies.unexplained(End::Pod(source.pod()), End::Pod(target.pod()));
                all.push(connection(&source.name, &target.name, verdict));
            }
        }
        let outside = |verdict: &dyn Fn(End<'_>) -> Verdict| {
            merged(self.ranges.iter().map(|range| (*range, verdict(End::Outside(*range)))))
        };
        for source in sources().filter(|_| to.is_none()) {
            let answers = outside(&|o| self.policies.unexplained(End::Pod(source.pod()), o));
            all.extend(answers.into_iter().map(|(range, v)| connection(&source.name, &range.to_string(), v)));
        }
        for target in targets().filter(|_| from.is_none()) {
            let answers = outside(&|o| self.policies.unexplained(o, End::Pod(target.pod())));
            all.extend(answers.into_iter().map(|(range, v)| connection(&range.to_string(), &target.name, v)));
        }
        let others = entry::connections(self.manifests, &self.workloads, &self.policies, self.default_namespace);
        let others = others.into_iter().chain(self.secondary.iter().flat_map(|network| self.within(network)));
        all.extend(others.filter(|c| is(from, &c.source) && is(to, &c.target)));
        all.retain(|c| !c.ports.is_empty() || !c.unknown.is_empty());
        all.sort();
        joined(all)
    }
}

impl Connections<'_> {
    /// The connections inside a further network.
    fn within(&self, network: &Secondary) -> Vec<Connection> {
        let members = || network.members.iter().filter_map(|at| self.workloads.get(*at));
        let pairs = members().flat_map(|source| members().map(move |target| (source, target)));
        let connection = |(source, target): (&Workload<'_>, &Workload<'_>)| Connection {
            network: Some(network.name.clone()),
            ..self::connection(
                &source.plain_name(),
                &target.plain_name(),
                network.policies.unexplained(End::Pod(source.pod()), End::Pod(target.pod())),
            )
        };
        pairs.filter(|(source, target)| source.name != target.name).map(connection).collect()
    }
}

fn connection(source: &str, target: &str, verdict: Verdict) -> Connection {
    let (ports, unknown) = (verdict.ports(), verdict.unknown());
    Connection { network: None, source: source.to_owned(), target: target.to_owned(), ports, unknown }
}

/// Ranges beside each other with the same answer, as one.
fn merged(parts: impl Iterator<Item = (Range, Verdict)>) -> Vec<(Range, Verdict)> {
    let mut out: Vec<(Range, Verdict)> = Vec::new();
    for (range, verdict) in parts {
        match out.last_mut() {
            Some((last, same)) if *same == verdict && last.touches(&range) => last.1 = range.1,
            _ => out.push((range, verdict)),
        }
    }
    out
}

/// One line for each pair: a workload whose pods have different labels stands several times in the list.
fn joined(sorted: Vec<Connection>) -> Vec<Connection> {
    let mut out: Vec<Connection> = Vec::with_capacity(sorted.len());
    for connection in sorted {
        match out.last_mut() {
            Some(last)
                if (&last.network, &last.source, &last.target)
                    == (&connection.network, &connection.source, &connection.target) =>
            {
                last.ports = last.ports.union(&connection.ports);
                last.unknown = last.unknown.union(&connection.unknown);
            }
            _ => out.push(connection),
        }
    }
    out
}
