//! Policies of Calico: NetworkPolicy and GlobalNetworkPolicy of the groups `projectcalico.org` (`v3`) and
//! `crd.projectcalico.org` (`v1`), which stand in tiers ([`crate::network`]) beside the policies of Kubernetes.
//!
//! What is left at the end of all tiers is decided by the profile of the pod's namespace (`kns.<namespace>`), which lets
//! everything through. Endpoints of hosts, and policies that are only for those, say nothing about pods. Staged policies
//! say nothing about anybody.
//!
//! Source: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy> and the pages beside it; where they
//! leave something open, the types in `api/pkg/apis/projectcalico/v3` and their translation in
//! `libcalico-go/lib/backend/syncersv1/updateprocessors`.

mod declared;
mod eval;
mod ports;
mod read;
mod read_rule;
mod selector;
mod surroundings;

use std::sync::Arc;

use kubestride_source::Span;

use crate::network::{Action, Block, Direction, Match};

pub(crate) use read::Calico;
pub use selector::Selector;
use surroundings::Surroundings;

/// A NetworkPolicy or a GlobalNetworkPolicy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its identity.
    pub identity: String,
    /// Where it is named.
    pub span: Span,
    /// Its namespace; none if it is a global one.
    pub namespace: Option<String>,
    /// The name of its tier.
    pub tier: String,
    /// Its name, which decides where two of a tier have the same order.
    name: String,
    order: f64,
    subject: Who,
    /// `doNotTrack` and `preDNAT`: it is for endpoints of hosts only.
    for_hosts: bool,
    ingress: Side,
    egress: Side,
    /// Whether part of it is not understood, or the place of its tier is not known, so that what it does is not known.
    doubtful: bool,
    /// Whether its tier passes on what no rule is about, so that it isolates nobody.
    passes: bool,
    surroundings: Arc<Surroundings>,
}

/// What it does in one direction.
#[derive(Debug, Clone)]
struct Side {
    /// Whether it is for this direction.
    applies: Match,
    rules: Vec<Rule>,
}

/// A rule. `Log` is left out: it decides nothing.
#[derive(Debug, Clone)]
struct Rule {
    action: Action,
    protocol: Option<Protocol>,
    not_protocol: Option<Protocol>,
    /// Only connections of IPv6.
    of_ipv6: bool,
    source: Entity,
    destination: Entity,
    /// Whether part of it is not understood, so that what it is about is not known.
    doubtful: bool,
    span: Span,
}

/// A protocol: `TCP`, `UDP` or `SCTP`, and others, which have no ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Ported(&'static str),
    /// Whether it is ICMP or ICMPv6.
    Other {
        icmp: bool,
    },
}

/// `EntityRule`: one end of a connection.
#[derive(Debug, Clone, Default)]
struct Entity {
    who: Option<Who>,
    not_who: Option<Who>,
    nets: Vec<Block>,
    not_nets: Vec<Block>,
    /// Whether what is in one of the first and in none of the second names nobody, for what comes in and for what goes
    /// out; none if there are neither.
    everywhere: Option<[Match; 2]>,
    ports: Vec<Port>,
    not_ports: Vec<Port>,
    service: Option<Named>,
    domains: Vec<String>,
}

/// Endpoints and network sets.
#[derive(Debug, Clone)]
struct Who {
    scope: Scope,
    labels: Option<Selector>,
    /// Names of service accounts; all if there are none.
    accounts: Vec<String>,
    account_labels: Option<Selector>,
    /// The network sets that are meant, by their place, or may be.
    sets: Vec<(usize, Match)>,
}

/// In which namespaces.
#[derive(Debug, Clone)]
enum Scope {
    /// The one of the policy.
    Namespace(String),
    /// Those that a selector selects; it may also select what is in none.
    Selected(Selector),
    /// All, and what is in none.
    Anywhere,
}

/// An item of `ports`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Port {
    Numbers(u16, u16),
    Name(String),
}

/// An object by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    namespace: String,
    name: String,
}

impl Policy {
    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

impl Rule {
    /// The end that is not the pod which the policy is for.
    fn peer(&self, direction: Direction) -> &Entity {
        match direction {
            Direction::Ingress => &self.source,
            Direction::Egress => &self.destination,
        }
    }

    /// The end that is the pod which the policy is for.
    fn own(&self, direction: Direction) -> &Entity {
        match direction {
            Direction::Ingress => &self.destination,
            Direction::Egress => &self.source,
        }
    }
}

impl Who {
    /// Whether all pods of all namespaces are meant.
    fn is_everybody(&self) -> bool {
        let everywhere = match &self.scope {
            Scope::Namespace(_) => false,
            Scope::Selected(namespaces) => namespaces.is_everything(),
            Scope::Anywhere => true,
        };
        everywhere && !self.chooses_pods()
    }

    /// Whether pods are chosen by more than their namespaces.
    fn chooses_pods(&self) -> bool {
        !self.labels.as_ref().is_none_or(Selector::is_everything)
            || !self.accounts.is_empty()
            || self.account_labels.is_some()
    }
}

impl Entity {
    /// Whether it names nobody: it is about everybody, on some port at least.
    fn is_everybody(&self, direction: Direction) -> Match {
        let named = self.not_who.is_some() || self.service.is_some() || !self.domains.is_empty();
        if named || !self.who.as_ref().is_none_or(Who::is_everybody) {
            return Match::No;
        }
        let [ingress, egress] = self.everywhere.unwrap_or([Match::Yes; 2]);
        if direction == Direction::Ingress { ingress } else { egress }
    }

    /// Whether it says nothing at all, but perhaps ports.
    fn is_anybody(&self) -> bool {
        self.who.is_none()
            && self.not_who.is_none()
            && self.nets.is_empty()
            && self.not_nets.is_empty()
            && self.service.is_none()
            && self.domains.is_empty()
    }
}
