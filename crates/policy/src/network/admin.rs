//! Policies of administrators, of the API group `policy.networking.k8s.io`: AdminNetworkPolicy and
//! BaselineAdminNetworkPolicy (`v1alpha1`), and ClusterNetworkPolicy (`v1alpha2`), which is both by its tier.
//!
//! Source: <https://network-policy-api.sigs.k8s.io/reference/spec/>.

use std::sync::Arc;

use kubestride_manifest::{Field, LabelSelector, Manifests, Object, PortRef};
use kubestride_source::Span;
use kubestride_yaml::Value;

use super::tier::{Decision, Member, Question, Ruling};
use super::{Action, Block, Direction, End, Match, NamespaceMatcher, PodMatcher, PortRange, Ports};
use crate::{Cited, Pod};

const GROUP: &str = "policy.networking.k8s.io";

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
    /// Hosts outside of this name, which may begin with `*.`.
    Name(String),
    /// Somebody that manifests do not tell: nodes, or a field that is not known.
    Undetermined(Span),
}

impl AdminPolicies {
    /// Reads all of them.
    pub fn read(manifests: &Manifests) -> Self {
        let of = |kind, tier| {
            let in_tier = |object: &Object<'_>| object.spec().text("tier") == Some(tier);
            let of_cluster = manifests.by_custom_kind(GROUP, "ClusterNetworkPolicy").filter(in_tier);
            let mut policies: Vec<Arc<AdminPolicy>> =
                manifests.by_custom_kind(GROUP, kind).chain(of_cluster).map(|o| Arc::new(policy(o))).collect();
            policies.sort_by(|a, b| (a.priority, &a.identity, a.span).cmp(&(b.priority, &b.identity, b.span)));
            policies
        };
        Self { admin: of("AdminNetworkPolicy", "Admin"), baseline: of("BaselineAdminNetworkPolicy", "Baseline") }
    }
}

impl Member for Arc<AdminPolicy> {
    fn cite(&self) -> Cited {
        Cited { identity: self.identity.clone(), span: self.span }
    }

    fn namespace(&self) -> Option<&str> {
        None
    }

    fn order(&self) -> f64 {
        self.priority as f64
    }

    fn selects(&self, pod: &Pod<'_>) -> Match {
        self.subject.matches(pod).into()
    }

    fn isolates(&self, _: Direction) -> bool {
        false
    }

    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision) {
        for rule in self.rules(question.direction) {
            decision.rule(&Ruling {
                action: rule.action,
                matched: selected.min(Match::any(rule.peers.iter().map(|peer| peer.is(&question.peer)))),
                ports: &|| PortRange::union(&rule.ports, question.named_ports()),
                names: true,
                cited: &|| Cited { identity: self.identity.clone(), span: rule.span },
            });
        }
    }

    fn open_rule(&self, _: Direction) -> Option<Cited> {
        None
    }

    fn edges(&self) -> Vec<u64> {
        let peers = self.ingress.iter().chain(&self.egress).flat_map(|rule| &rule.peers);
        let block = |peer| match peer {
            &AdminPeer::Block(ref block) => Some(block),
            AdminPeer::Pods(_) | AdminPeer::Name(_) | AdminPeer::Undetermined(_) => None,
        };
        peers.filter_map(block).flat_map(Block::edges).collect()
    }
}

impl AdminPeer {
    fn is(&self, peer: &End<'_>) -> Match {
        match (self, peer) {
            (Self::Pods(matcher), peer) => matcher.is(peer),
            (Self::Block(block), peer) => block.is(peer),
            (Self::Name(name), End::Host(host)) => name_fits(name, host).into(),
            // Which addresses a name has is not known.
            (Self::Name(_), End::Outside(_)) => Match::Unknown,
            (Self::Name(_), End::Pod(_) | End::SomePod) => Match::No,
            // It may be nodes, of which some are outside, and what the field will mean is not known.
            (Self::Undetermined(_), End::Outside(_) | End::Host(_)) => Match::Unknown,
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
    let names = value.list("domainNames").filter_map(Value::scalar_text);
    let blocks: Vec<AdminPeer> = names.map(|n| AdminPeer::Name(n.to_owned())).chain(blocks).collect();
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
