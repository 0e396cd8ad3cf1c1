//! What network policies allow.

use std::net::{IpAddr, Ipv4Addr};

use super::admin::Question;
use super::{Action, AdminPolicies, Direction, NetworkPolicies, PeerKind, Policy, Rule};
use crate::{Cited, Pod};

/// Where the metadata service of all big clouds is.
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// How far a pod is cut off in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// No policy selects it.
    None,
    /// Only what policies name gets through.
    Restricted,
    /// Policies select it and let everything through.
    Open,
}

/// How far a pod is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolations {
    /// For what comes in.
    pub ingress: Isolation,
    /// For what goes out.
    pub egress: Isolation,
    /// The policies that select it.
    pub policies: Vec<Cited>,
    /// The rules because of which a direction is open.
    pub open_rules: Vec<Cited>,
}

/// Whether a connection gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These rules let it through.
    Allowed(Vec<Cited>),
    /// These policies stop it.
    Denied(Vec<Cited>),
    /// No policy is about it.
    Unrestricted,
    /// It depends on the network plugin, because one end is in the network of its node.
    Undetermined(Vec<Cited>),
}

/// Whether the metadata service of the cloud can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataReach {
    /// Whether policies let it through.
    pub reachable: bool,
    /// The rules that let it through, or the policies that stop it; none if no policy selects the pod.
    pub by: Vec<Cited>,
}

/// The policies that deny by default in a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefaultDenies {
    /// For what comes in.
    pub ingress: Option<Cited>,
    /// For what goes out.
    pub egress: Option<Cited>,
}

impl NetworkPolicies {
    /// All policies in order of their identities.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policies of administrators.
    pub fn admin(&self) -> &AdminPolicies {
        &self.admin
    }

    /// The NetworkPolicies that select a pod.
    pub fn selecting<'p>(&'p self, pod: &'p Pod<'_>) -> impl Iterator<Item = &'p Policy> {
        let indices = self.by_namespace.get(pod.namespace).map(Vec::as_slice).unwrap_or_default();
        let policies = indices.iter().filter_map(|index| self.policies.get(*index));
        policies.filter(|policy| !pod.host_network && policy.pods.matches(pod.labels))
    }

    /// How far a pod is cut off.
    pub fn isolation(&self, pod: &Pod<'_>) -> Isolations {
        let mut answer = Isolations {
            ingress: Isolation::None,
            egress: Isolation::None,
            policies: self.selecting(pod).map(Policy::cite).collect(),
            open_rules: Vec::new(),
        };
        for policy in self.selecting(pod) {
            for direction in [Direction::Ingress, Direction::Egress] {
                let Some(rules) = policy.rules(direction) else { continue };
                let open: Vec<_> =
                    rules.iter().filter(|rule| rule.names_nobody(direction)).map(|r| policy.cite_at(r.span)).collect();
                let isolation = if open.is_empty() { Isolation::Restricted } else { Isolation::Open };
                let known = match direction {
                    Direction::Ingress => &mut answer.ingress,
                    Direction::Egress => &mut answer.egress,
                };
                *known = isolation.max(*known);
                answer.open_rules.extend(open);
            }
        }
        answer
    }

    /// Whether a connection gets through, seen from both ends. `port` is the port of the target pod, not of a Service
    /// in front of it; if it is not known, whether some port gets through.
    pub fn allows(&self, source: &Pod<'_>, target: &Pod<'_>, port: Option<u16>, protocol: &str) -> Answer {
        let mut allowed = Vec::new();
        let mut restricted = false;
        for direction in [Direction::Egress, Direction::Ingress] {
            let (pod, peer) = match direction {
                Direction::Egress => (source, target),
                Direction::Ingress => (target, source),
            };
            let question = Question { pod, peer, target, port, protocol, direction };
            let decide = |tier| AdminPolicies::decide(tier, &question);
            let policies = || self.selecting(pod).filter(|policy| policy.rules(direction).is_some());
            let none = policies().next().is_none();
            let above = decide(&self.admin.admin).filter(|(action, _)| *action != Action::Pass);
            let decided = above.or_else(|| if none { decide(&self.admin.baseline) } else { None });
            match decided {
                Some((Action::Deny, by)) => return Answer::Denied(vec![by]),
                Some((_, by)) => {
                    restricted = true;
                    allowed.push(by);
                    continue;
                }
                None if none => continue,
                None => restricted = true,
            }
            let admitting: Vec<_> = policies()
                .flat_map(|policy| policy.rules(direction).unwrap_or_default().iter().map(move |rule| (policy, rule)))
                .filter(|(_, rule)| rule.admits(peer, target, port, protocol))
                .map(|(policy, rule)| policy.cite_at(rule.span))
                .collect();
            if admitting.is_empty() {
                let by = policies().map(Policy::cite).collect();
                // Its node's address could be admitted by a block, or always, as the kubelet's is.
                return if peer.host_network { Answer::Undetermined(by) } else { Answer::Denied(by) };
            }
            allowed.extend(admitting);
        }
        if restricted { Answer::Allowed(allowed) } else { Answer::Unrestricted }
    }

    /// Whether the metadata service of the cloud can be reached, which listens on TCP port 80.
    pub fn metadata_reachable(&self, pod: &Pod<'_>) -> MetadataReach {
        let policies = || self.selecting(pod).filter(|policy| policy.egress.is_some());
        if policies().next().is_none() {
            return MetadataReach { reachable: true, by: Vec::new() };
        }
        let admitting: Vec<_> = policies()
            .flat_map(|policy| policy.egress.iter().flatten().map(move |rule| (policy, rule)))
            .filter(|(_, rule)| rule.admits_metadata())
            .map(|(policy, rule)| policy.cite_at(rule.span))
            .collect();
        let reachable = !admitting.is_empty();
        MetadataReach { reachable, by: if reachable { admitting } else { policies().map(Policy::cite).collect() } }
    }

    /// The policies that deny by default: they select all pods of the namespace and admit nobody.
    pub fn default_denies(&self, namespace: &str) -> DefaultDenies {
        let mut denies = DefaultDenies::default();
        let indices = self.by_namespace.get(namespace).map(Vec::as_slice).unwrap_or_default();
        for policy in indices.iter().filter_map(|index| self.policies.get(*index)) {
            if !policy.pods.is_everything() {
                continue;
            }
            let empty = |rules: &Option<Vec<Rule>>| rules.as_ref().is_some_and(Vec::is_empty);
            if empty(&policy.ingress) {
                denies.ingress.get_or_insert_with(|| policy.cite());
            }
            if empty(&policy.egress) {
                denies.egress.get_or_insert_with(|| policy.cite());
            }
        }
        denies
    }
}

impl Policy {
    /// The rule because of which everybody gets through in some direction on all ports.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let rules = self.ingress.iter().chain(&self.egress).flatten();
        rules.into_iter().find(|rule| rule.is_open()).map(|rule| self.cite_at(rule.span))
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster.
    pub fn dns_to_anywhere(&self) -> Option<Cited> {
        let dns = |rule: &&Rule| {
            let port = ["UDP", "TCP"].iter().any(|p| rule.ports.iter().any(|range| range.includes_number(53, p)));
            (rule.ports.is_empty() || port) && rule.admits_anywhere()
        };
        self.egress.iter().flatten().find(dns).map(|rule| self.cite_at(rule.span))
    }
}

impl Rule {
    /// Whether `peer` may use a port of `target`, who is the peer itself for outgoing traffic.
    fn admits(&self, peer: &Pod<'_>, target: &Pod<'_>, port: Option<u16>, protocol: &str) -> bool {
        let port_fits = self.ports.is_empty() || self.ports.iter().any(|range| range.includes(target, port, protocol));
        let peer_fits = |kind: &PeerKind| match kind {
            PeerKind::Pods(matcher) => matcher.matches(peer),
            // Blocks are for addresses outside; those of pods come and go.
            PeerKind::Block(_) | PeerKind::Nobody => false,
        };
        port_fits && (self.peers.is_empty() || self.peers.iter().any(|peer| peer_fits(&peer.kind)))
    }

    fn admits_metadata(&self) -> bool {
        let port = self.ports.is_empty() || self.ports.iter().any(|range| range.includes_number(80, "TCP"));
        let address = |kind: &PeerKind| matches!(kind, PeerKind::Block(block) if block.contains(METADATA));
        port && (self.peers.is_empty() || self.peers.iter().any(|peer| address(&peer.kind)))
    }

    /// Whether any address outside of the cluster is admitted, save perhaps some exceptions.
    fn admits_anywhere(&self) -> bool {
        let anywhere = |kind: &PeerKind| matches!(kind, PeerKind::Block(block) if block.is_anywhere());
        self.peers.is_empty() || self.peers.iter().any(|peer| anywhere(&peer.kind))
    }
}
