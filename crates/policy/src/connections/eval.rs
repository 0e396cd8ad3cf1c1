//! What policies say about one pair.

use std::net::IpAddr;

use super::{PortSet, Range, Workload};
use crate::network::{Action, AdminPeer, AdminPolicy, AdminRule, Direction, NetworkPolicies, PeerKind, Rule};
use crate::{Cited, Pod};

/// An end of a connection.
#[derive(Debug, Clone, Copy)]
pub enum End<'e> {
    /// Pods of a workload.
    Workload(&'e Workload<'e>),
    /// Addresses outside, which all policies treat alike.
    Outside(Range),
    /// A pod of which nothing is known but that it is one, such as one of an ingress controller.
    SomePod,
}

/// The answer for one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What gets through.
    pub ports: PortSet,
    /// What the source may send, and by which rules.
    pub egress: (PortSet, Vec<Cited>),
    /// What the target may accept, and by which rules.
    pub ingress: (PortSet, Vec<Cited>),
}

/// Answers questions about pairs.
#[derive(Debug, Clone, Copy)]
pub struct Evaluator<'p> {
    policies: &'p NetworkPolicies,
}

impl<'p> Evaluator<'p> {
    /// Makes one of policies.
    pub fn new(policies: &'p NetworkPolicies) -> Self {
        Self { policies }
    }

    /// The ports of the target that the source reaches.
    pub fn ports(&self, source: End<'_>, target: End<'_>) -> PortSet {
        if !see_each_other(source, target) {
            return PortSet::none();
        }
        let egress = self.direction(source, target, Direction::Egress, &mut |_| {});
        if egress.is_empty() {
            return egress;
        }
        egress.intersection(&self.direction(source, target, Direction::Ingress, &mut |_| {}))
    }

    /// The same with the rules that decide.
    pub fn verdict(&self, source: End<'_>, target: End<'_>) -> Verdict {
        let ask = |direction| {
            let mut by = Vec::new();
            let ports = self.direction(source, target, direction, &mut |cited| by.push(cited()));
            by.dedup();
            (ports, by)
        };
        let (egress, ingress) = (ask(Direction::Egress), ask(Direction::Ingress));
        let both = egress.0.intersection(&ingress.0);
        let ports = if see_each_other(source, target) { both } else { PortSet::none() };
        Verdict { ports, egress, ingress }
    }

    /// What one direction allows. Every rule that decides about some port is named to `cite`.
    fn direction(&self, source: End<'_>, target: End<'_>, direction: Direction, cite: Cite<'_>) -> PortSet {
        let (subject, peer) = match direction {
            Direction::Egress => (source, target),
            Direction::Ingress => (target, source),
        };
        // Policies are for pods of workloads; nothing is known of others.
        let End::Workload(subject) = subject else { return PortSet::all() };
        let subject = subject.pod();
        let mut open = Open { allowed: PortSet::none(), left: PortSet::all(), passed: PortSet::none() };
        for policy in &self.policies.admin().admin {
            open.ask(policy, &subject, peer, target, direction, cite);
        }
        let undecided = open.left.union(&open.passed);
        if undecided.is_empty() {
            return open.allowed;
        }
        let below = self.network(&subject, peer, target, direction, cite).unwrap_or_else(|| {
            let mut open = Open { allowed: PortSet::none(), left: PortSet::all(), passed: PortSet::none() };
            for policy in &self.policies.admin().baseline {
                open.ask(policy, &subject, peer, target, direction, cite);
            }
            open.allowed.union(&open.left).union(&open.passed)
        });
        open.allowed.union(&undecided.intersection(&below))
    }

    /// What NetworkPolicies allow; nothing if none is for the pod in this direction.
    fn network(
        &self,
        subject: &Pod<'_>,
        peer: End<'_>,
        target: End<'_>,
        direction: Direction,
        cite: Cite<'_>,
    ) -> Option<PortSet> {
        let mut allowed: Option<PortSet> = None;
        for policy in self.policies.selecting(subject) {
            let Some(rules) = policy.rules(direction) else { continue };
            let mut all = allowed.unwrap_or_default();
            let mut admits = false;
            for rule in rules.iter().filter(|rule| is_peer(rule, peer)) {
                admits = true;
                cite(&mut || policy.cite_at(rule.span));
                all = all.union(&ports(&rule.ports, target));
            }
            if !admits {
                cite(&mut || policy.cite());
            }
            allowed = Some(all);
        }
        allowed
    }
}

/// Where rules that decide are named; they are made only if they are wanted.
type Cite<'c> = &'c mut dyn FnMut(&mut dyn FnMut() -> Cited);

/// How far the rules of a tier have decided.
struct Open {
    allowed: PortSet,
    /// What no rule was about yet.
    left: PortSet,
    /// What is left to the next tier.
    passed: PortSet,
}

impl Open {
    fn ask(
        &mut self,
        policy: &AdminPolicy,
        subject: &Pod<'_>,
        peer: End<'_>,
        target: End<'_>,
        direction: Direction,
        cite: Cite<'_>,
    ) {
        if !policy.subject.matches(subject) {
            return;
        }
        for rule in policy.rules(direction).iter().filter(|rule| is_admin_peer(rule, peer)) {
            let about = ports(&rule.ports, target).intersection(&self.left);
            if about.is_empty() {
                continue;
            }
            cite(&mut || Cited { identity: policy.identity.clone(), span: rule.span });
            self.left = self.left.difference(&about);
            match rule.action {
                Action::Allow => self.allowed = self.allowed.union(&about),
                Action::Pass => self.passed = self.passed.union(&about),
                Action::Deny => {}
            }
        }
    }
}

/// Whether both ends are in one network, so that policies decide.
fn see_each_other(source: End<'_>, target: End<'_>) -> bool {
    match (source, target) {
        (End::Workload(source), End::Workload(target)) => source.sees(target),
        _ => true,
    }
}

/// The ports of a rule; all if it names none.
fn ports(ranges: &[crate::network::PortRange], target: End<'_>) -> PortSet {
    if ranges.is_empty() {
        return PortSet::all();
    }
    let named = match target {
        End::Workload(workload) => workload.ports(),
        End::Outside(_) | End::SomePod => &[],
    };
    ranges.iter().fold(PortSet::none(), |all, range| all.union(&range.set(named)))
}

fn is_peer(rule: &Rule, peer: End<'_>) -> bool {
    rule.peers.is_empty()
        || rule.peers.iter().any(|named| match (&named.kind, peer) {
            (PeerKind::Pods(matcher), End::Workload(workload)) => matcher.matches(&workload.pod()),
            (PeerKind::Pods(matcher), End::SomePod) => matcher.is_everybody(),
            (PeerKind::Block(block), End::Outside(range)) => block.contains(IpAddr::V4(range.0)),
            _ => false,
        })
}

fn is_admin_peer(rule: &AdminRule, peer: End<'_>) -> bool {
    rule.peers.iter().any(|named| match (named, peer) {
        (AdminPeer::Pods(matcher), End::Workload(workload)) => matcher.matches(&workload.pod()),
        (AdminPeer::Pods(matcher), End::SomePod) => matcher.is_everybody(),
        (AdminPeer::Block(block), End::Outside(range)) => block.contains(IpAddr::V4(range.0)),
        _ => false,
    })
}
