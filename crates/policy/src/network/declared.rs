//! What network policies declare about who talks to whom.

use kubestride_manifest::RequirementTest;
use kubestride_source::Span;

use super::{PeerKind, PodMatcher, Policy, PortRange, Rule};
use crate::Pod;

/// Which traffic a rule is about, seen from the pods that the policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What they accept.
    Ingress,
    /// What they send.
    Egress,
}

/// Pods that a policy names.
#[derive(Debug, Clone)]
pub struct NamedPods {
    /// Their labels and namespaces.
    pub labels: PodMatcher,
    /// What is asked of the names of their service accounts.
    pub service_accounts: Vec<RequirementTest>,
}

/// What the rules of a policy declare.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Pods that talk.
    pub peers: Vec<DeclaredPeer>,
    /// Hosts outside that pods call.
    pub hosts: Vec<DeclaredHost>,
}

/// A rule that names a host outside.
#[derive(Debug, Clone)]
pub struct DeclaredHost {
    /// The identity of the policy.
    pub policy: String,
    /// Which pods it selects.
    pub selected: NamedPods,
    /// The name of the host, in small letters.
    pub host: String,
    /// On which ports of the host; all if there are none.
    pub ports: Vec<PortRange>,
    /// Where the host is named.
    pub span: Span,
}

/// A rule that names pods, which says that its author expects them to talk.
#[derive(Debug, Clone)]
pub struct DeclaredPeer {
    /// The identity of the policy.
    pub policy: String,
    /// Which pods it selects.
    pub selected: NamedPods,
    /// Which way.
    pub direction: Direction,
    /// Which pods it names.
    pub peer: NamedPods,
    /// On which ports of the receiving pods; all if there are none.
    pub ports: Vec<PortRange>,
    /// Where the peer is named.
    pub span: Span,
}

impl NamedPods {
    /// Whether pods are meant. Those in the network of their node are not seen as pods.
    pub fn matches(&self, pod: &Pod<'_>) -> bool {
        let account = |test: &RequirementTest| test.holds(Some(pod.service_account)) == Some(true);
        self.labels.matches(pod) && self.service_accounts.iter().all(account)
    }
}

impl From<PodMatcher> for NamedPods {
    fn from(labels: PodMatcher) -> Self {
        Self { labels, service_accounts: Vec::new() }
    }
}

impl Policy {
    /// The pods that its rules name. Rules that admit whole namespaces or everybody name nobody.
    pub fn declared_peers(&self) -> Vec<DeclaredPeer> {
        let mut declared = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            let understood = |rule: &&Rule| {
                let some_port = rule.ports.is_empty() || rule.ports.iter().any(PortRange::has_ports);
                !self.doubtful && !rule.doubtful && some_port
            };
            for rule in self.rules(direction).unwrap_or_default().iter().filter(understood) {
                for peer in &rule.peers {
                    let PeerKind::Pods(matcher) = &peer.kind else { continue };
                    if matcher.pods.is_everything() {
                        continue;
                    }
                    declared.push(DeclaredPeer {
                        policy: self.identity.clone(),
                        selected: self.selects().into(),
                        direction,
                        peer: matcher.clone().into(),
                        ports: rule.ports.iter().filter(|range| range.has_ports()).cloned().collect(),
                        span: peer.span,
                    });
                }
            }
        }
        declared
    }
}
