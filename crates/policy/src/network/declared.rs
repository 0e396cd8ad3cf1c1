//! What network policies declare about who talks to whom.

use kubestride_source::Span;

use super::{NetworkPolicies, PeerKind, PodMatcher, Policy, PortRange};

/// Which traffic a rule is about, seen from the pods that the policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What they accept.
    Ingress,
    /// What they send.
    Egress,
}

/// A rule that names pods, which says that its author expects them to talk.
#[derive(Debug, Clone)]
pub struct DeclaredPeer {
    /// The identity of the policy.
    pub policy: String,
    /// Which pods it selects.
    pub selected: PodMatcher,
    /// Which way.
    pub direction: Direction,
    /// Which pods it names.
    pub peer: PodMatcher,
    /// On which ports of the receiving pods; all if there are none.
    pub ports: Vec<PortRange>,
    /// Where the peer is named.
    pub span: Span,
}

impl NetworkPolicies {
    /// The pods that the rules of `policy` name. Rules that admit whole namespaces or everybody name nobody.
    pub fn declared_peers(&self, policy: &Policy) -> Vec<DeclaredPeer> {
        let mut declared = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            for rule in policy.rules(direction).unwrap_or_default() {
                for peer in &rule.peers {
                    let PeerKind::Pods(matcher) = &peer.kind else { continue };
                    if matcher.pods.is_everything() {
                        continue;
                    }
                    declared.push(DeclaredPeer {
                        policy: policy.identity.clone(),
                        selected: policy.selects(),
                        direction,
                        peer: matcher.clone(),
                        ports: rule.ports.clone(),
                        span: peer.span,
                    });
                }
            }
        }
        declared
    }
}
