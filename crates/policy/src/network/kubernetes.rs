//! What a NetworkPolicy of Kubernetes does.

use std::sync::Arc;

use kubestride_manifest::{Identity, Labels};

use super::asked::Asked;
use super::tier::{Action, Decision, Member, NETWORK_POLICY_ORDER, Question, Ruling, Subjects};
use super::{Block, Declared, Direction, End, Match, PeerKind, PodMatcher, Policy, PortRange, Rule};
use crate::{Cited, Family, Pod};

/// Its rules let through what they are about; everything else is stopped.
impl Member for Arc<Policy> {
    fn family(&self) -> Family {
        Family::Kubernetes
    }

    fn cite(&self) -> Cited {
        Policy::cite(self)
    }

    fn namespace(&self) -> Option<&str> {
        Some(&self.namespace)
    }

    fn order(&self) -> f64 {
        NETWORK_POLICY_ORDER
    }

    fn name(&self) -> &str {
        Identity(&self.identity).name()
    }

    fn selects(&self, pod: &Pod<'_>) -> Match {
        let is = !pod.host_network && pod.namespace == self.namespace && self.pods.matches(pod.labels);
        if is && self.doubtful { Match::Unknown } else { is.into() }
    }

    fn candidates(&self) -> Option<PodMatcher> {
        Some(Policy::selects(self))
    }

    fn subjects(&self) -> Subjects {
        if self.pods.is_everything() { Subjects::All } else { Subjects::Chosen }
    }

    fn covers(&self, namespace: &str, _: &Labels<'_>) -> Match {
        let covers = Match::from(namespace == self.namespace && self.pods.is_everything());
        if self.doubtful { covers.min(Match::Unknown) } else { covers }
    }

    fn isolates(&self, direction: Direction) -> bool {
        self.rules(direction).is_some()
    }

    fn can_deny(&self) -> bool {
        false
    }

    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision) {
        for rule in self.rules(question.direction).unwrap_or_default() {
            decision.rule(&Ruling {
                action: Action::Allow,
                matched: rule.is_about(&question.peer).min(selected),
                contested: false,
                ports: &|| PortRange::union(&rule.ports, question.named_ports()),
                names: rule.admits_everybody(question.direction) == Match::No,
                cited: &|| self.cite_at(rule.span),
            });
        }
    }

    fn open_rule(&self, direction: Direction) -> Option<Cited> {
        let rule = self.rules(direction)?.iter().find(|rule| rule.names_nobody(direction) == Match::Yes)?;
        Some(self.cite_at(rule.span))
    }

    fn admits_everyone(&self) -> Option<Cited> {
        Policy::admits_everyone(self)
    }

    fn dns_to_anywhere(&self) -> Option<Cited> {
        Policy::dns_to_anywhere(self)
    }

    fn lets_others(&self, direction: Direction) -> Match {
        Match::any(self.rules(direction).unwrap_or_default().iter().map(|rule| rule.names_nobody(direction)))
    }

    fn asks(&self, asked: &mut Asked) {
        asked.pods(&Policy::selects(self));
        for rule in self.ingress.iter().chain(&self.egress).flatten() {
            asked.ports(&rule.ports);
            for peer in &rule.peers {
                if let PeerKind::Pods(matcher) = &peer.kind {
                    asked.pods(matcher);
                }
            }
        }
    }

    fn edges(&self) -> Vec<u64> {
        let peers = self.ingress.iter().chain(&self.egress).flatten().flat_map(|rule| &rule.peers);
        let blocks = peers.filter_map(|peer| if let PeerKind::Block(block) = &peer.kind { Some(block) } else { None });
        blocks.flat_map(Block::edges).collect()
    }

    /// A policy for all pods of a namespace declares nothing about any of them.
    fn declared(&self) -> Declared {
        let peers = if self.pods.is_everything() { Vec::new() } else { self.declared_peers() };
        Declared { peers, hosts: Vec::new() }
    }
}

impl Rule {
    /// Whether an end is one of its peers.
    fn is_about(&self, peer: &End<'_>) -> Match {
        if self.doubtful {
            return Match::Unknown;
        }
        if self.peers.is_empty() {
            return Match::Yes;
        }
        Match::any(self.peers.iter().map(|named| match &named.kind {
            PeerKind::Pods(matcher) => matcher.is(peer),
            PeerKind::Block(block) => block.is(peer),
            PeerKind::Nobody => Match::No,
        }))
    }

    /// Whether any address outside of the cluster is admitted, save perhaps some exceptions.
    fn admits_anywhere(&self) -> bool {
        let anywhere = |kind: &PeerKind| matches!(kind, PeerKind::Block(block) if block.is_anywhere());
        self.peers.is_empty() || self.peers.iter().any(|peer| anywhere(&peer.kind))
    }
}

impl Policy {
    /// The rule because of which everybody gets through in some direction on all ports.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let open = |direction| {
            let mut rules = self.rules(direction).unwrap_or_default().iter();
            rules.find(|rule| rule.ports.is_empty() && rule.admits_everybody(direction) == Match::Yes)
        };
        let rule = open(Direction::Ingress).or_else(|| open(Direction::Egress)).filter(|_| !self.doubtful)?;
        Some(self.cite_at(rule.span))
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster.
    pub fn dns_to_anywhere(&self) -> Option<Cited> {
        let dns = |rule: &&Rule| {
            let port = ["UDP", "TCP"].iter().any(|p| rule.ports.iter().any(|range| range.includes_number(53, p)));
            (rule.ports.is_empty() || port) && rule.admits_anywhere() && !rule.doubtful
        };
        self.egress.iter().flatten().find(dns).filter(|_| !self.doubtful).map(|rule| self.cite_at(rule.span))
    }
}
