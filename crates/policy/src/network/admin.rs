//! Policies of administrators, of the API group `policy.networking.k8s.io`: AdminNetworkPolicy and
//! BaselineAdminNetworkPolicy (`v1alpha1`), and ClusterNetworkPolicy (`v1alpha2`), which is both by its tier.
//!
//! Source: <https://network-policy-api.sigs.k8s.io/reference/spec/>.

use std::sync::Arc;

use kubestride_manifest::{Identity, Labels};
use kubestride_source::Span;

use super::asked::Asked;
use super::tier::{Decision, Member, NETWORK_POLICY_ORDER, Question, Ruling};
use super::{Action, Block, Direction, End, Match, PodMatcher, PortRange};
use crate::{Cited, Family, Pod};

/// All policies of administrators, those that are asked first in front.
#[derive(Debug, Default)]
pub struct AdminPolicies {
    /// Asked before NetworkPolicies, by priority.
    pub admin: Vec<Arc<AdminPolicy>>,
    /// Asked where no NetworkPolicy selects a pod.
    pub baseline: Vec<Arc<AdminPolicy>>,
}

/// One policy.
#[derive(Debug, Clone)]
pub struct AdminPolicy {
    /// Its identity.
    pub identity: String,
    /// Where it is named.
    pub span: Span,
    /// Lower numbers are asked first.
    pub priority: i64,
    /// Which pods it is for.
    pub subject: PodMatcher,
    /// Rules in order for what comes in.
    pub ingress: Vec<AdminRule>,
    /// Rules in order for what goes out.
    pub egress: Vec<AdminRule>,
    /// Whether part of it is not understood, so that what it does is not known.
    pub doubtful: bool,
    /// Whether another policy of its kind has the same priority, so that it is not known which is asked first.
    pub contested: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct AdminRule {
    /// What is done.
    pub action: Action,
    /// With whom.
    pub peers: Vec<AdminPeer>,
    /// On which ports; all if there are none.
    pub ports: Vec<PortRange>,
    /// Whether part of it is not understood, so that what it does is not known.
    pub doubtful: bool,
    /// Where it stands.
    pub span: Span,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub enum AdminPeer {
    /// Pods.
    Pods(PodMatcher),
    /// Addresses outside of the cluster.
    Block(Block),
    /// Hosts outside of this name, which may begin with `*.`.
    Name(String),
    /// Somebody that manifests do not tell: nodes, or a field that is not known.
    Undetermined(Span),
}

impl Member for Arc<AdminPolicy> {
    fn family(&self) -> Family {
        Family::Admin
    }

    fn cite(&self) -> Cited {
        Cited { identity: self.identity.clone(), span: self.span }
    }

    fn namespace(&self) -> Option<&str> {
        None
    }

    fn order(&self) -> f64 {
        // The baseline has no priority; among other policies of its tier it has this place.
        let of_baseline = Identity(&self.identity).kind() == "BaselineAdminNetworkPolicy";
        if of_baseline { NETWORK_POLICY_ORDER } else { self.priority as f64 }
    }

    fn name(&self) -> &str {
        Identity(&self.identity).name()
    }

    fn selects(&self, pod: &Pod<'_>) -> Match {
        let matched: Match = self.subject.matches(pod).into();
        if self.doubtful { matched.min(Match::Unknown) } else { matched }
    }

    fn candidates(&self) -> Option<PodMatcher> {
        Some(self.subject.clone())
    }

    fn isolates(&self, _: Direction) -> bool {
        false
    }

    fn covers(&self, namespace: &str, namespace_labels: &Labels<'_>) -> Match {
        let whole = self.subject.pods.is_everything();
        let covers: Match =
            (whole && self.subject.matches_labels(namespace, namespace_labels, &Labels::default())).into();
        if self.doubtful || self.contested { covers.min(Match::Unknown) } else { covers }
    }

    /// The first rules about all pods, and about all addresses for what goes out, must deny them on all ports. Rules about
    /// what comes in know pods only.
    fn stops_others(&self, direction: Direction) -> bool {
        let first = |everybody: &dyn Fn(&AdminPeer) -> bool| {
            let about = |rule: &&AdminRule| !rule.doubtful && rule.ports.is_empty() && rule.peers.iter().any(everybody);
            let partly = |rule: &AdminRule| rule.action != Action::Deny && rule.peers.iter().any(everybody);
            let before = self.rules(direction).iter().take_while(|rule| !partly(rule));
            before.into_iter().find(|rule| about(rule)).is_some_and(|rule| rule.action == Action::Deny)
        };
        let pods = first(&AdminPeer::holds_all_pods);
        let outside = || {
            first(
                &|peer| matches!(peer, AdminPeer::Block(block) if block.is_everybody(Direction::Egress) == Match::Yes),
            )
        };
        pods && (direction == Direction::Ingress || outside())
    }

    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision) {
        for rule in self.rules(question.direction) {
            decision.rule(&Ruling {
                action: rule.action,
                matched: rule.is_about(&question.peer).min(selected),
                contested: self.contested,
                ports: &|| PortRange::union(&rule.ports, question.named_ports()),
                names: !rule.peers.iter().any(|peer| peer.is_everybody(question.direction)),
                cited: &|| Cited { identity: self.identity.clone(), span: rule.span },
            });
        }
    }

    fn open_rule(&self, _: Direction) -> Option<Cited> {
        None
    }

    fn lets_others(&self, direction: Direction) -> Match {
        let may = |rule: &AdminRule| rule.doubtful && rule.action != Action::Deny;
        if self.rules(direction).iter().any(may) { Match::Unknown } else { Match::No }
    }

    fn asks(&self, asked: &mut Asked) {
        asked.pods(&self.subject);
        for rule in self.ingress.iter().chain(&self.egress) {
            asked.ports(&rule.ports);
            for peer in &rule.peers {
                if let AdminPeer::Pods(matcher) = peer {
                    asked.pods(matcher);
                }
            }
        }
    }

    fn edges(&self) -> Vec<u64> {
        let peers = self.ingress.iter().chain(&self.egress).flat_map(|rule| &rule.peers);
        let blocks = peers.filter_map(|peer| if let AdminPeer::Block(block) = peer { Some(block) } else { None });
        blocks.flat_map(Block::edges).collect()
    }
}

impl AdminRule {
    fn is_about(&self, peer: &End<'_>) -> Match {
        let matched = Match::any(self.peers.iter().map(|named| named.is(peer)));
        if self.doubtful { Match::Unknown } else { matched }
    }
}

impl AdminPeer {
    /// Whether it names nobody: all pods, or all addresses outside.
    fn is_everybody(&self, direction: Direction) -> bool {
        match self {
            Self::Pods(matcher) => matcher.is_everybody(),
            Self::Block(block) => block.is_everybody(direction) == Match::Yes,
            Self::Name(_) | Self::Undetermined(_) => false,
        }
    }

    /// Whether it is about all pods. Those that have addresses of IPv6, too, are called by those of IPv4 as well.
    fn holds_all_pods(&self) -> bool {
        match self {
            Self::Pods(matcher) => matcher.is_everybody(),
            Self::Block(block) => block.is_anywhere() && block.is_ipv4(),
            Self::Name(_) | Self::Undetermined(_) => false,
        }
    }

    fn is(&self, peer: &End<'_>) -> Match {
        match (self, peer) {
            (Self::Pods(matcher), peer) => matcher.is(peer),
            // "If you Allow or Deny traffic to "0.0.0.0/0", that will allow or deny all IPv4 pod-to-pod traffic as well."
            (Self::Block(_), End::Pod(_) | End::SomePod) if self.holds_all_pods() => Match::Yes,
            (Self::Block(block), peer) => block.is(peer),
            (Self::Name(name), End::Host(host)) => name_fits(name, host).into(),
            // Which addresses a name has is not known.
            (Self::Name(_), End::Outside(_) | End::SomeHost) => Match::Unknown,
            (Self::Name(_), End::Pod(_) | End::SomePod) => Match::No,
            // It may be nodes, of which some are outside, and what the field will mean is not known.
            (Self::Undetermined(_), End::Outside(_) | End::Host(_) | End::SomeHost) => Match::Unknown,
            (Self::Undetermined(_), End::Pod(pod)) if pod.host_network => Match::Unknown,
            (Self::Undetermined(_), End::Pod(_) | End::SomePod) => Match::No,
        }
    }
}

/// Whether a `domainName` is that of a host: `*.example.com` is for all names that end so, but not for that itself.
fn name_fits(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(end) => host.strip_suffix(end).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
        None => name == host,
    }
}

impl AdminPolicy {
    /// The rules of a direction.
    pub fn rules(&self, direction: Direction) -> &[AdminRule] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}
