//! Network policies: those of Kubernetes (`networking.k8s.io`), of administrators (`policy.networking.k8s.io`), and what
//! all kinds have in common. Every kind puts its policies into tiers, which are asked in order. Those of network plugins
//! are added to them in `network_plugins`.

mod address;
mod admin;
mod admin_read;
pub(crate) mod asked;
mod declared;
mod end;
mod eval;
mod kubernetes;
mod label;
mod outside;
mod port_set;
mod read;
mod refused;
mod served;
pub(crate) mod tier;

use std::sync::Arc;

use kubestride_manifest::{LabelSelector, Labels, NAMESPACE_NAME};
use kubestride_source::{Diagnostic, Span};

use crate::{Cited, Pod, PodPort};
use tier::{Member, Tier};

pub use crate::Match;
pub use address::Block;
pub use admin::{AdminPeer, AdminPolicies, AdminPolicy, AdminRule};
pub use declared::{Declared, DeclaredHost, DeclaredPeer, Direction, NamedPods};
pub use end::{End, Range};
pub use eval::{Answer, Isolation, Isolations, Listed, MetadataReach, Side, Verdict};
pub use label::Label;
pub use port_set::PortSet;
pub use tier::{Action, Effect, Reason, Subjects};

/// All network policies of the input.
#[derive(Debug, Default)]
pub struct NetworkPolicies {
    policies: Vec<Arc<Policy>>,
    admin: AdminPolicies,
    pub(crate) tiers: Vec<Tier>,
    /// Policies that decide nothing, as nobody enforces them.
    pub(crate) idle: Vec<Box<dyn Member>>,
    pub(crate) doubts: Vec<Diagnostic>,
    /// Whether there are policies that are not evaluated, or that one of two network plugins does not heed.
    pub(crate) is_partial: bool,
}

/// A NetworkPolicy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its identity.
    pub identity: String,
    /// Where it is named.
    pub span: Span,
    /// Its namespace.
    pub namespace: String,
    /// Which pods of its namespace it is for.
    pub pods: LabelSelector,
    /// What may come in; none if it does not restrict that.
    pub ingress: Option<Vec<Rule>>,
    /// What may go out; none if it does not restrict that.
    pub egress: Option<Vec<Rule>>,
    /// Whether part of it is not understood, so that what it does is not known.
    pub doubtful: bool,
}

/// `NetworkPolicyIngressRule` or `NetworkPolicyEgressRule`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Who is admitted; everybody if there are none.
    pub peers: Vec<Peer>,
    /// Which ports are admitted; all if there are none.
    pub ports: Vec<PortRange>,
    /// Whether part of it is not understood, so that whom it admits is not known.
    pub doubtful: bool,
    /// Where it stands.
    pub span: Span,
}

/// `NetworkPolicyPeer`.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who it is.
    pub kind: PeerKind,
    /// Where it stands.
    pub span: Span,
}

/// Who is admitted.
#[derive(Debug, Clone)]
pub enum PeerKind {
    /// Pods.
    Pods(PodMatcher),
    /// Addresses outside of the cluster.
    Block(Block),
    /// Nobody, because the peer is broken.
    Nobody,
}

/// Which pods are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMatcher {
    /// In which namespaces.
    pub namespaces: NamespaceMatcher,
    /// With which labels.
    pub pods: LabelSelector,
}

/// Which namespaces are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceMatcher {
    /// The one of this name.
    Named(String),
    /// Those with these labels.
    Labelled(LabelSelector),
}

/// `NetworkPolicyPort`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRange {
    /// `TCP`, `UDP` or `SCTP`; empty where a name alone tells the port, whatever its protocol.
    pub protocol: String,
    /// Which ports of the receiving pod.
    pub ports: Ports,
}

/// Ports of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// All of them.
    All,
    /// From the first to the last, both included.
    Numbers(u16, u16),
    /// The one that the receiving pod calls so.
    Name(String),
    /// None, because the port is broken.
    None,
}

impl PodMatcher {
    /// Whether `pod` is meant. Pods in the network of their node have its address and are not seen as pods.
    pub fn matches(&self, pod: &Pod<'_>) -> bool {
        !pod.host_network && self.matches_labels(pod.namespace, pod.namespace_labels, pod.labels)
    }

    /// Whether a pod with these labels, in such a namespace, is meant.
    pub fn matches_labels(&self, namespace: &str, namespace_labels: &Labels<'_>, labels: &Labels<'_>) -> bool {
        let in_namespace = match &self.namespaces {
            NamespaceMatcher::Named(name) => name == namespace,
            NamespaceMatcher::Labelled(selector) => selector.matches(namespace_labels),
        };
        in_namespace && self.pods.matches(labels)
    }

    /// Whether an end is meant.
    pub(crate) fn is(&self, end: &End<'_>) -> Match {
        match end {
            End::Pod(pod) => self.matches(pod).into(),
            End::SomePod if self.is_everybody() => Match::Yes,
            End::SomePod => Match::Unknown,
            End::Outside(_) | End::Host(_) | End::SomeHost => Match::No,
        }
    }

    /// Whether all pods of all namespaces are meant.
    pub fn is_everybody(&self) -> bool {
        self.pods.is_everything()
            && matches!(&self.namespaces, NamespaceMatcher::Labelled(selector)
                if selector.is_everything() || selector.only_asks_for(NAMESPACE_NAME))
    }
}

impl Peer {
    /// Whether it admits everybody.
    pub fn is_everybody(&self, direction: Direction) -> Match {
        match &self.kind {
            PeerKind::Pods(matcher) => matcher.is_everybody().into(),
            PeerKind::Block(block) => block.is_everybody(direction),
            PeerKind::Nobody => Match::No,
        }
    }
}

impl Rule {
    /// Whether it admits everybody, on some port at least; of a rule that is not understood, that is not known.
    pub fn admits_everybody(&self, direction: Direction) -> Match {
        let everybody = Match::any(self.peers.iter().map(|peer| peer.is_everybody(direction)));
        if self.doubtful { Match::Unknown } else { everybody.max(self.peers.is_empty().into()) }
    }

    /// Whether it names nobody: everybody gets through, on some port at least. Questions to DNS are sent by everybody
    /// and do not count for outgoing traffic.
    pub fn names_nobody(&self, direction: Direction) -> Match {
        match direction == Direction::Egress && only_dns(&self.ports) {
            true => Match::No,
            false => self.admits_everybody(direction),
        }
    }
}

/// Whether ports are those of DNS only.
pub(crate) fn only_dns(ports: &[PortRange]) -> bool {
    let dns = |range: &PortRange| matches!(range.ports, Ports::Numbers(53, 53) | Ports::Numbers(853, 853));
    !ports.is_empty() && ports.iter().all(dns)
}

impl PortRange {
    /// Whether a port can be in it.
    pub(crate) fn has_ports(&self) -> bool {
        !matches!(self.ports, Ports::None)
    }

    /// The ports that are in one of several; all if there are none.
    pub(crate) fn union(ranges: &[Self], named: &[PodPort<'_>]) -> PortSet {
        match ranges {
            [] => PortSet::all(),
            ranges => ranges.iter().fold(PortSet::none(), |all, range| all.union(&range.set(named))),
        }
    }

    /// The ports of a receiver with these named ports.
    pub fn set(&self, named: &[PodPort<'_>]) -> PortSet {
        match &self.ports {
            Ports::All => PortSet::protocol(&self.protocol),
            Ports::Numbers(first, last) => PortSet::range(&self.protocol, *first, *last),
            Ports::Name(name) => {
                let fits =
                    |p: &&PodPort<'_>| p.name == name && (self.protocol.is_empty() || p.protocol == self.protocol);
                let ports = named.iter().filter(fits).map(|p| PortSet::range(p.protocol, p.number, p.number));
                ports.fold(PortSet::none(), |all, port| all.union(&port))
            }
            Ports::None => PortSet::none(),
        }
    }

    /// Whether the port of this number is in it, whatever the receiver calls its ports.
    pub fn includes_number(&self, port: u16, protocol: &str) -> bool {
        let numbers = match self.ports {
            Ports::All => true,
            Ports::Numbers(first, last) => (first..=last).contains(&port),
            Ports::Name(_) | Ports::None => false,
        };
        self.protocol == protocol && numbers
    }
}

impl Policy {
    /// The pods that it is for.
    pub fn selects(&self) -> PodMatcher {
        PodMatcher { namespaces: NamespaceMatcher::Named(self.namespace.clone()), pods: self.pods.clone() }
    }

    /// The policy itself as the source of an answer.
    pub fn cite(&self) -> Cited {
        self.cite_at(self.span)
    }

    pub(crate) fn cite_at(&self, span: Span) -> Cited {
        Cited { identity: self.identity.clone(), span }
    }

    /// The rules of a direction; none if it does not restrict that direction.
    pub fn rules(&self, direction: Direction) -> Option<&[Rule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}
