//! Questions about policies. All of them are additive: a connection is let through if no policy isolates the pod, or
//! any rule of any policy that does admits it.

use kubestride_manifest::Labels;
use kubestride_source::Span;

use super::{Direction, NetworkPolicies, Peer, Policy, PolicyPort, PortNumber, Rule};

/// A pod, as policies see it.
#[derive(Debug, Clone)]
pub struct Pod<'p> {
    /// Its namespace.
    pub namespace: &'p str,
    /// Its labels.
    pub labels: &'p Labels<'p>,
    /// The labels of its namespace.
    pub namespace_labels: &'p Labels<'p>,
    /// Its named ports.
    pub named_ports: &'p [(&'p str, u16)],
}

/// What policies let reach a pod, or let it reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// No policy selects it.
    None,
    /// Named peers only.
    Restricted,
    /// A policy selects it and admits everybody.
    Open,
}

/// Both directions, with the policies that decide.
#[derive(Debug, Clone)]
pub struct Isolations {
    /// For incoming traffic.
    pub ingress: Isolation,
    /// For outgoing traffic.
    pub egress: Isolation,
    /// The policies that isolate for incoming traffic; of an open one those that open it first.
    pub ingress_by: Vec<(String, Span)>,
    /// The same for outgoing traffic.
    pub egress_by: Vec<(String, Span)>,
}

/// Whether a connection is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Policies select one end at least and admit it; the rules that do.
    Allowed(Vec<Span>),
    /// A policy isolates an end and none admits it; the policies that isolate.
    Denied(Vec<Span>),
    /// No policy selects either end.
    Unrestricted,
}

impl Policy<'_> {
    /// Whether it selects a pod.
    pub fn selects(&self, pod: &Pod<'_>) -> bool {
        self.namespace == pod.namespace && self.selector.matches(pod.labels)
    }

    /// Whether it isolates in a direction.
    pub fn isolates(&self, direction: Direction) -> bool {
        match direction {
            Direction::Ingress => self.ingress,
            Direction::Egress => self.egress,
        }
    }

    /// Whether it denies everything in a direction to all pods of its namespace.
    pub fn is_default_deny(&self, direction: Direction) -> bool {
        self.isolates(direction)
            && self.selector.is_everything()
            && !self.rules.iter().any(|r| r.direction == direction)
    }

    /// A rule that lets questions for the name server go to any address.
    pub fn dns_to_anywhere(&self) -> Option<Span> {
        let dns = |p: &PolicyPort<'_>| matches!(p.number, PortNumber::Range(a, b) if a <= 53 && 53 <= b);
        let rule =
            self.rules.iter().filter(|r| r.direction == Direction::Egress && r.ports.iter().any(dns)).find(|r| {
                r.peers.is_empty() || r.peers.iter().any(|(p, _)| matches!(p, Peer::Block(b) if is_everywhere(&b.cidr)))
            });
        rule.map(|r| r.span)
    }
}

fn is_everywhere(cidr: &str) -> bool {
    matches!(cidr, "0.0.0.0/0" | "::/0")
}

impl Rule<'_> {
    /// Whether a peer of this rule, in a policy of `namespace`, stands for a pod.
    pub fn names(&self, peer: &Peer, namespace: &str, pod: &Pod<'_>) -> bool {
        peer_matches(peer, namespace, pod)
    }

    /// Whether it admits everybody on every port.
    pub fn admits_everybody(&self) -> bool {
        self.ports.is_empty() && self.admits_every_peer()
    }

    /// Whether it admits everybody, on some ports at least.
    pub fn admits_every_peer(&self) -> bool {
        let everybody = |peer: &Peer| match peer {
            Peer::Pods { pods, namespaces } => {
                namespaces.as_ref().is_some_and(|n| n.is_everything())
                    && pods.as_ref().is_none_or(|p| p.is_everything())
            }
            Peer::Block(block) => is_everywhere(&block.cidr) && block.except.is_empty(),
        };
        self.peers.is_empty() || self.peers.iter().any(|(p, _)| everybody(p))
    }
}

/// Whether a peer of a policy in `namespace` stands for a pod.
fn peer_matches(peer: &Peer, namespace: &str, pod: &Pod<'_>) -> bool {
    let Peer::Pods { pods, namespaces } = peer else { return false };
    let in_namespace = match namespaces {
        Some(selector) => selector.matches(pod.namespace_labels),
        None => pod.namespace == namespace,
    };
    in_namespace && pods.as_ref().is_none_or(|p| p.matches(pod.labels))
}

/// Whether a port of a rule covers a port of the target.
fn port_matches(spec: &PolicyPort<'_>, target: &Pod<'_>, port: Option<u16>, protocol: &str) -> bool {
    if spec.protocol != protocol {
        return false;
    }
    let Some(port) = port else { return true };
    match spec.number {
        PortNumber::Any => true,
        PortNumber::Range(first, last) => first <= port && port <= last,
        PortNumber::Named(name) => target.named_ports.iter().any(|(n, p)| *n == name && *p == port),
    }
}

impl<'a> NetworkPolicies<'a> {
    /// What isolates a pod.
    pub fn isolation(&self, pod: &Pod<'_>) -> Isolations {
        let (ingress, ingress_by) = self.one_direction(pod, Direction::Ingress);
        let (egress, egress_by) = self.one_direction(pod, Direction::Egress);
        Isolations { ingress, egress, ingress_by, egress_by }
    }

    fn one_direction(&self, pod: &Pod<'_>, direction: Direction) -> (Isolation, Vec<(String, Span)>) {
        let selecting: Vec<&Policy<'_>> =
            self.policies.iter().filter(|p| p.isolates(direction) && p.selects(pod)).collect();
        let opens = |p: &&&Policy<'_>| p.rules.iter().any(|r| r.direction == direction && r.admits_everybody());
        if let Some(open) = selecting.iter().find(opens) {
            return (Isolation::Open, vec![(open.identity.clone(), open.span)]);
        }
        let by: Vec<(String, Span)> = selecting.iter().map(|p| (p.identity.clone(), p.span)).collect();
        (if by.is_empty() { Isolation::None } else { Isolation::Restricted }, by)
    }

    /// Whether `source` can connect to a port of `target`: egress of the one and ingress of the other must admit it.
    pub fn allows(&self, source: &Pod<'_>, target: &Pod<'_>, port: Option<u16>, protocol: &str) -> Answer {
        let mut rules = Vec::new();
        let mut restricted = false;
        for (selected, other, direction) in [(source, target, Direction::Egress), (target, source, Direction::Ingress)]
        {
            let selecting: Vec<&Policy<'_>> =
                self.policies.iter().filter(|p| p.isolates(direction) && p.selects(selected)).collect();
            if selecting.is_empty() {
                continue;
            }
            restricted = true;
            let admitted = selecting.iter().find_map(|policy| {
                let admits = |r: &&Rule<'_>| {
                    r.direction == direction
                        && (r.peers.is_empty()
                            || r.peers.iter().any(|(p, _)| peer_matches(p, &policy.namespace, other)))
                        && (r.ports.is_empty() || r.ports.iter().any(|p| port_matches(p, target, port, protocol)))
                };
                policy.rules.iter().find(admits).map(|r| r.span)
            });
            match admitted {
                Some(span) => rules.push(span),
                None => return Answer::Denied(selecting.iter().map(|p| p.span).collect()),
            }
        }
        if restricted { Answer::Allowed(rules) } else { Answer::Unrestricted }
    }

    /// Whether rules let a pod reach the metadata service of a cloud, 169.254.169.254, and the place that decides.
    pub fn metadata_reachable(&self, pod: &Pod<'_>) -> (bool, Option<Span>) {
        let selecting: Vec<&Policy<'_>> =
            self.policies.iter().filter(|p| p.isolates(Direction::Egress) && p.selects(pod)).collect();
        let http = |r: &Rule<'_>| {
            let port = |p: &PolicyPort<'_>| {
                p.protocol == "TCP"
                    && match p.number {
                        PortNumber::Any => true,
                        PortNumber::Range(first, last) => first <= 80 && 80 <= last,
                        PortNumber::Named(_) => false,
                    }
            };
            r.ports.is_empty() || r.ports.iter().any(port)
        };
        for rule in selecting.iter().flat_map(|p| &p.rules).filter(|r| r.direction == Direction::Egress && http(r)) {
            let block = rule.peers.iter().find(|(p, _)| {
                matches!(p, Peer::Block(b) if holds_metadata(&b.cidr) && !b.except.iter().any(|e| holds_metadata(e)))
            });
            if rule.peers.is_empty() {
                return (true, Some(rule.span));
            }
            if let Some((_, span)) = block {
                return (true, Some(*span));
            }
        }
        (selecting.is_empty(), selecting.first().map(|p| p.span))
    }
}

/// Whether a range holds 169.254.169.254.
fn holds_metadata(cidr: &str) -> bool {
    let (address, length) = cidr.split_once('/').unwrap_or((cidr, "32"));
    let (Ok(address), Ok(length)) = (address.parse::<std::net::Ipv4Addr>(), length.parse::<u32>()) else {
        return false;
    };
    let metadata = u32::from(std::net::Ipv4Addr::new(169, 254, 169, 254));
    let mask = if length == 0 { 0 } else { u32::MAX << (32 - length.min(32)) };
    u32::from(address) & mask == metadata & mask
}
