//! What policies say about connections that come into the cluster: to node ports, load balancers and host ports.
//!
//! They arrive with the address of their client or, where a node hands them on, with that of a node; which one, depends
//! on the network plugin and on `externalTrafficPolicy`. So there is an answer only if all addresses have the same.
//!
//! Source: <https://kubernetes.io/docs/tutorials/services/source-ip/>.

use std::collections::BTreeSet;

use kubestride_manifest::Labels;

use super::{Answer, Direction, End, NetworkPolicies, Range, Reason, Verdict};
use crate::Pod;

impl NetworkPolicies {
    /// The answer for connections from outside to one port of a pod; for some port, if it is not known.
    pub fn from_outside(&self, pod: Pod<'_>, protocol: &str, port: Option<u16>) -> Answer {
        let from = |source: End<'_>| self.verdict(source, End::Pod(pod)).answer(protocol, port);
        let selecting = self.tiers.iter().flat_map(|tier| tier.selecting(&pod));
        let ranges = Range::parts(selecting.flat_map(|(member, _)| member.edges()));
        let clients = ranges.into_iter().map(|range| from(End::Outside(range)));
        // Of addresses of IPv6 nothing is known but that they are outside.
        let others = [from(End::SomeHost), self.node_verdict(pod).answer(protocol, port)];
        Answer::of_all(clients.chain(others))
    }

    /// What the policies of a pod say about its nodes, without what network plugins let through for the kubelet.
    fn node_verdict(&self, pod: Pod<'_>) -> Verdict {
        let none = Labels::default();
        let node = Pod {
            namespace: "",
            labels: &none,
            namespace_labels: &none,
            ports: &[],
            service_account: "",
            host_network: true,
        };
        let side = |direction| self.decide(End::Pod(node), End::Pod(pod), direction, true);
        Verdict { egress: side(Direction::Egress), ingress: side(Direction::Ingress) }
    }
}

impl Answer {
    /// The answer that all have; not determined if some get through and others do not. Then no more answers are asked for,
    /// as there may be one for each of many blocks of addresses.
    pub fn of_all(answers: impl IntoIterator<Item = Self>) -> Self {
        let (mut allowed, mut denied, mut unknown) = (None, None, false);
        let mut reasons: BTreeSet<Reason> = BTreeSet::new();
        let mut count = 0;
        for answer in answers {
            count += 1;
            match answer {
                Self::Allowed(by) => {
                    allowed = Some(true);
                    reasons.extend(by);
                }
                Self::Unrestricted => allowed = allowed.or(Some(false)),
                Self::Denied(by) => {
                    denied = Some(());
                    reasons.extend(by);
                }
                Self::Undetermined(by) => {
                    unknown = true;
                    reasons.extend(by);
                }
            }
            if allowed.is_some() && denied.is_some() {
                break;
            }
        }
        let reasons: Vec<Reason> = reasons.into_iter().collect();
        match (allowed, denied) {
            _ if unknown || count == 0 => Self::Undetermined(reasons),
            (Some(true), None) => Self::Allowed(reasons),
            (Some(false), None) => Self::Unrestricted,
            (None, Some(())) => Self::Denied(reasons),
            _ => Self::Undetermined(reasons),
        }
    }
}
