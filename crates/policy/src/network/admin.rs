//! Policies of administrators, of the API group `policy.networking.k8s.io`: AdminNetworkPolicy and
//! BaselineAdminNetworkPolicy (`v1alpha1`), and ClusterNetworkPolicy (`v1alpha2`), which is both by its tier.
//!
//! Source: <https://network-policy-api.sigs.k8s.io/reference/spec/>.

use kubestride_manifest::{Field, LabelSelector, Manifests, Object, PortRef};
use kubestride_source::Span;
use kubestride_yaml::Value;

use super::{Block, Direction, NamespaceMatcher, PodMatcher, PortRange, Ports};
use crate::{Cited, Pod};

const GROUP: &str = "policy.networking.k8s.io";

/// All policies of administrators, those that are asked first in front.
#[derive(Debug, Default)]
pub struct AdminPolicies {
    /// Asked before NetworkPolicies, by priority.
    pub admin: Vec<AdminPolicy>,
    /// Asked where no NetworkPolicy selects a pod.
    pub baseline: Vec<AdminPolicy>,
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
}

/// What a rule does with connections that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// They get through, whatever comes later.
    Allow,
    /// They do not.
    Deny,
    /// NetworkPolicies decide, and the baseline where there are none.
    Pass,
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
    /// Somebody that manifests do not tell: nodes, domain names, or a field that is not known.
    Undetermined(Span),
}

impl AdminPolicies {
    /// Reads all of them.
    pub fn read(manifests: &Manifests) -> Self {
        let of = |kind, tier| {
            let in_tier = |object: &Object<'_>| object.spec().text("tier") == Some(tier);
            let of_cluster = manifests.by_custom_kind(GROUP, "ClusterNetworkPolicy").filter(in_tier);
            let mut policies: Vec<AdminPolicy> =
                manifests.by_custom_kind(GROUP, kind).chain(of_cluster).map(policy).collect();
            policies.sort_by(|a, b| (a.priority, &a.identity, a.span).cmp(&(b.priority, &b.identity, b.span)));
            policies
        };
        Self { admin: of("AdminNetworkPolicy", "Admin"), baseline: of("BaselineAdminNetworkPolicy", "Baseline") }
    }
}

/// A connection, seen from one of its ends.
pub(super) struct Question<'q> {
    pub(super) pod: &'q Pod<'q>,
    pub(super) peer: &'q Pod<'q>,
    /// One of both: who is called.
    pub(super) target: &'q Pod<'q>,
    /// None if it is not known.
    pub(super) port: Option<u16>,
    pub(super) protocol: &'q str,
    pub(super) direction: Direction,
}

impl AdminPolicies {
    /// The first rule of a tier that is about a connection, and what it does.
    pub(super) fn decide(tier: &[AdminPolicy], question: &Question<'_>) -> Option<(Action, Cited)> {
        let mine = tier.iter().filter(|policy| policy.subject.matches(question.pod));
        let rules = mine.flat_map(|p| p.rules(question.direction).iter().map(move |rule| (p, rule)));
        let (policy, rule) = rules.into_iter().find(|(_, rule)| rule.is_about(question))?;
        Some((rule.action, Cited { identity: policy.identity.clone(), span: rule.span }))
    }
}

impl AdminRule {
    fn is_about(&self, question: &Question<'_>) -> bool {
        let is_peer = |peer: &AdminPeer| matches!(peer, AdminPeer::Pods(matcher) if matcher.matches(question.peer));
        let set = |range: &PortRange| range.set(question.target.ports);
        let on_port = match question.port {
            _ if self.ports.is_empty() => true,
            Some(port) => self.ports.iter().any(|range| set(range).contains(question.protocol, port)),
            // Of a port that is not known it can be said that some rule lets it through, not that one refuses it.
            None => self.action != Action::Deny && self.ports.iter().any(|range| !set(range).is_empty()),
        };
        on_port && self.peers.iter().any(is_peer)
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

fn policy(object: Object<'_>) -> AdminPolicy {
    let spec = object.spec();
    let rules = |direction: &str, peers: &str| spec.list(direction).filter_map(|r| rule(r, peers)).collect();
    let nobody =
        || PodMatcher { namespaces: NamespaceMatcher::Named(String::new()), pods: LabelSelector::everything() };
    AdminPolicy {
        identity: object.identity(""),
        span: object.span(),
        priority: spec.field("priority").and_then(|v| v.as_i64()).unwrap_or(0),
        subject: spec.field("subject").and_then(pods).unwrap_or_else(nobody),
        ingress: rules("ingress", "from"),
        egress: rules("egress", "to"),
    }
}

/// A rule whose action is none of the three does nothing that could be told.
fn rule(value: Value<'_>, peers: &str) -> Option<AdminRule> {
    let action = match value.text("action")? {
        "Allow" | "Accept" => Action::Allow,
        "Deny" => Action::Deny,
        "Pass" => Action::Pass,
        _ => return None,
    };
    let peers = value.list(peers).flat_map(peer).collect();
    Some(AdminRule {
        action,
        peers,
        ports: value.list("ports").map(port).chain(value.list("protocols").map(protocol)).collect(),
        span: value.span(),
    })
}

/// `namespaces: SELECTOR`, or `pods` with one for namespaces and one for pods.
fn pods(value: Value<'_>) -> Option<PodMatcher> {
    if let Some(namespaces) = value.field("namespaces") {
        let namespaces = NamespaceMatcher::Labelled(LabelSelector::read(namespaces));
        return Some(PodMatcher { namespaces, pods: LabelSelector::everything() });
    }
    let pods = value.field("pods")?;
    Some(PodMatcher {
        // The type has no pointer here: a selector that is not written is an empty one, which selects all.
        namespaces: NamespaceMatcher::Labelled(
            pods.field("namespaceSelector").map_or_else(LabelSelector::everything, LabelSelector::read),
        ),
        pods: pods.field("podSelector").map_or_else(LabelSelector::everything, LabelSelector::read),
    })
}

fn peer(value: Value<'_>) -> Vec<AdminPeer> {
    if let Some(matcher) = pods(value) {
        return vec![AdminPeer::Pods(matcher)];
    }
    let blocks: Vec<AdminPeer> = value
        .list("networks")
        .map(|cidr| {
            cidr.scalar_text().and_then(Block::of_cidr).map_or(AdminPeer::Undetermined(cidr.span()), AdminPeer::Block)
        })
        .collect();
    if blocks.is_empty() { vec![AdminPeer::Undetermined(value.span())] } else { blocks }
}

/// `portNumber`, `portRange` or `namedPort`.
fn port(value: Value<'_>) -> PortRange {
    let number = |value: Value<'_>, key: &str| match value.field(key).and_then(PortRef::read) {
        Some(PortRef::Number(number)) => Some(number),
        _ => None,
    };
    let protocol = |value: Value<'_>| value.text("protocol").unwrap_or("TCP").to_owned();
    if let Some(one) = value.field("portNumber") {
        let ports = number(one, "port").map_or(Ports::None, |n| Ports::Numbers(n, n));
        return PortRange { protocol: protocol(one), ports };
    }
    if let Some(range) = value.field("portRange") {
        let ends = (number(range, "start"), number(range, "end"));
        let ports = match ends {
            (Some(first), Some(last)) if first <= last => Ports::Numbers(first, last),
            _ => Ports::None,
        };
        return PortRange { protocol: protocol(range), ports };
    }
    let ports = value.text("namedPort").map_or(Ports::None, |name| Ports::Name(name.to_owned()));
    PortRange { protocol: String::new(), ports }
}

/// `tcp`, `udp` or `sctp` with a `destinationPort`, without which all ports are meant; or `destinationNamedPort`.
fn protocol(value: Value<'_>) -> PortRange {
    for (key, protocol) in [("tcp", "TCP"), ("udp", "UDP"), ("sctp", "SCTP")] {
        let Some(transport) = value.field(key) else { continue };
        let number = |value: Option<Value<'_>>| match value.and_then(PortRef::read) {
            Some(PortRef::Number(number)) => Some(number),
            _ => None,
        };
        let port = transport.field("destinationPort");
        let range = port.field("range");
        let ends = match number(port.field("number")) {
            Some(one) => Some((one, one)),
            None => number(range.field("start")).zip(number(range.field("end"))),
        };
        let ports = match (port, ends) {
            (None, _) => Ports::All,
            (Some(_), Some((first, last))) if first <= last => Ports::Numbers(first, last),
            _ => Ports::None,
        };
        return PortRange { protocol: protocol.to_owned(), ports };
    }
    let ports = value.text("destinationNamedPort").map_or(Ports::None, |name| Ports::Name(name.to_owned()));
    PortRange { protocol: String::new(), ports }
}
