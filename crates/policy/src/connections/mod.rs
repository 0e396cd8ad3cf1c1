//! Which connections policies allow: between all workloads, and between them and addresses outside.
//!
//! A connection gets through where its source may send it and its target may accept it, on the ports that both allow.
//! In each direction all policies are asked in the order of their tiers, see [`crate::network`]; what nothing forbids is
//! allowed. A pod always reaches itself. Pods in different primary networks do not see each other; further networks that
//! they share have policies of their own.

mod classes;
mod endpoints;
mod entry;
mod limits;
mod lines;
mod networks;
mod secondary;

use std::convert::Infallible;

use kubestride_manifest::Manifests;
use kubestride_source::Diagnostic;

use crate::network::{End, NetworkPolicies, PortSet, Range, Verdict};
use crate::{Circumstances, Namespaces};
use classes::Classes;
use lines::{Lines, Wanted};
use secondary::Secondary;

pub use endpoints::Workload;
pub use limits::limits;
pub use lines::Line;
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

    /// Every connection that is allowed or of which that is not known, in order. With `from` or `to`, only those from or
    /// to that workload.
    pub fn all(&self, from: Option<&Workload<'_>>, to: Option<&Workload<'_>>) -> Vec<Connection> {
        let mut all = Vec::new();
        let each: Result<(), Infallible> = self.each(from, to, &mut |line| {
            all.push(line.to_connection());
            Ok(())
        });
        match each {
            Ok(()) => all,
            Err(never) => match never {},
        }
    }

    /// The same one after the other, without keeping them: there may be many millions. What goes from further networks
    /// to addresses outside is not among them.
    ///
    /// # Errors
    /// The first error of `write`, which is not called again.
    pub fn each<E>(
        &self,
        from: Option<&Workload<'_>>,
        to: Option<&Workload<'_>>,
        write: &mut dyn FnMut(&Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (from, to) = (Wanted::new(from), Wanted::new(to));
        let workloads = self.workloads.iter().map(|workload| (workload.name.clone(), workload));
        let primary = Classes::new(&self.policies, workloads, |name| to.is(name), true);
        let entries = entry::connections(self.manifests, &self.workloads, &self.policies, self.default_namespace);
        Lines { network: None, classes: vec![primary], ranges: &self.ranges, entries }.each(&from, &to, write)?;
        for same in self.secondary.chunk_by(|a, b| a.name == b.name) {
            let network = same.first().map(|network| network.name.as_str());
            let classes = same.iter().map(|network| {
                let members = network.members.iter().filter_map(|at| self.workloads.get(*at));
                let members = members.map(|workload| (workload.plain_name(), workload));
                Classes::new(&network.policies, members, |name| to.is(name), false)
            });
            let lines = Lines { network, classes: classes.collect(), ranges: &[], entries: Vec::new() };
            lines.each(&from, &to, write)?;
        }
        Ok(())
    }
}
