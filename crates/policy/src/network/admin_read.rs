//! Policies of administrators to plain types.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubestride_manifest::{Field, Identity, LabelSelector, Manifests, Object, PortRef};
use kubestride_source::Diagnostic;
use kubestride_yaml::{Kind, Value};

use super::read::{OF_POLICY, OF_RULE};
use super::{
    Action, AdminPeer, AdminPolicies, AdminPolicy, AdminRule, Block, NamespaceMatcher, PodMatcher, PortRange, Ports,
};
use crate::doubts::Doubts;

const GROUP: &str = "policy.networking.k8s.io";

/// Each kind with the version of it that is known.
const OLD_ADMIN: (&str, &str) = ("AdminNetworkPolicy", "v1alpha1");
const OLD_BASELINE: (&str, &str) = ("BaselineAdminNetworkPolicy", "v1alpha1");
const OF_CLUSTER: (&str, &str) = ("ClusterNetworkPolicy", "v1alpha2");

/// How a port is read, and the fields that are known of it.
type PortReader = (&'static [&'static str], fn(Value<'_>) -> PortRange);
const OLD_PORT: PortReader = (&["portNumber", "portRange", "namedPort"], port);
const PORT: PortReader = (&["tcp", "udp", "sctp", "destinationNamedPort"], protocol);

/// What is not known where a port is not understood.
const OF_PORTS: &str = "which ports the rule is about is not known";

/// More than one of them have the same place, so that it is not known which is asked first.
const SAME_PRIORITY: &str = "another policy has the same priority, so which is asked first is not known";

/// The API server asks for one.
const NO_PRIORITY: &str = "it has no priority from 0 to 1000";

impl AdminPolicies {
    /// Reads all of them, and says what is not understood.
    pub fn read(manifests: &Manifests) -> (Self, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let (mut admin, mut baseline) = (Vec::new(), Vec::new());
        for (kind, version) in [OLD_ADMIN, OLD_BASELINE, OF_CLUSTER] {
            for object in manifests.by_custom_kind(GROUP, kind) {
                let mut doubts = Doubts::new(object.identity(""));
                let known = doubts.knows_version(object, &[version], OF_POLICY);
                let mut policy = policy(object, &mut doubts);
                policy.doubtful |= !known;
                if kind != OLD_BASELINE.0 && priority(object).is_none() {
                    doubts.add(NO_PRIORITY, object.span(), OF_POLICY);
                    policy.doubtful = true;
                }
                match (kind, object.spec().text("tier")) {
                    ("AdminNetworkPolicy", _) | ("ClusterNetworkPolicy", Some("Admin")) => admin.push(policy),
                    ("BaselineAdminNetworkPolicy", _) | ("ClusterNetworkPolicy", Some("Baseline")) => {
                        baseline.push(policy);
                    }
                    _ => {
                        // It may be asked first, and let through or stop whatever it is about.
                        doubts.add("its tier is not known", object.span(), OF_POLICY);
                        admin.push(AdminPolicy { doubtful: true, ..policy });
                    }
                }
                found.extend(doubts.finish());
            }
        }
        let sorted = |mut policies: Vec<AdminPolicy>, found: &mut Vec<Diagnostic>| -> Vec<Arc<AdminPolicy>> {
            policies.sort_by(|a, b| (a.priority, &a.identity, a.span).cmp(&(b.priority, &b.identity, b.span)));
            // Each kind has an order of its own, and the baseline is one policy without a priority.
            let place = |policy: &AdminPolicy| match Identity(&policy.identity).kind() {
                "BaselineAdminNetworkPolicy" => None,
                kind => Some((kind == OF_CLUSTER.0, policy.priority)),
            };
            let mut places: BTreeMap<(bool, i64), usize> = BTreeMap::new();
            for place in policies.iter().filter_map(place) {
                *places.entry(place).or_default() += 1;
            }
            for policy in &mut policies {
                policy.contested = place(policy).and_then(|place| places.get(&place)).is_some_and(|count| *count > 1);
                if policy.contested {
                    let mut doubts = Doubts::new(policy.identity.clone());
                    doubts.add(SAME_PRIORITY, policy.span, "what they decide together is not known");
                    found.extend(doubts.finish());
                }
            }
            policies.into_iter().map(Arc::new).collect()
        };
        (Self { admin: sorted(admin, &mut found), baseline: sorted(baseline, &mut found) }, found)
    }
}

/// The priority, if it is one that the API server takes.
fn priority(object: Object<'_>) -> Option<i64> {
    object.spec().field("priority").and_then(|value| value.as_i64()).filter(|number| (0..=1000).contains(number))
}

fn policy(object: Object<'_>, doubts: &mut Doubts) -> AdminPolicy {
    let spec = object.spec();
    let known = spec.is_none_or(|s| doubts.knows(s, &["tier", "priority", "subject", "ingress", "egress"], OF_POLICY));
    let subject = spec.field("subject").and_then(pods);
    if subject.is_none() {
        doubts.add("its subject is not understood", object.span(), "which pods it is for is not known");
    }
    let understood = spec.field("subject").is_none_or(|s| selectors(s, doubts, OF_POLICY));
    let doubtful = !known || !understood || subject.is_none();
    let everybody = || PodMatcher {
        namespaces: NamespaceMatcher::Labelled(LabelSelector::everything()),
        pods: LabelSelector::everything(),
    };
    let mut rules = |direction: &str, peers: &str| spec.list(direction).map(|r| rule(r, peers, doubts)).collect();
    AdminPolicy {
        identity: object.identity(""),
        span: object.span(),
        // Without one it is asked first, so that it is about whatever others decide.
        priority: priority(object).unwrap_or(0),
        subject: subject.filter(|_| understood).unwrap_or_else(everybody),
        ingress: rules("ingress", "from"),
        egress: rules("egress", "to"),
        doubtful,
        contested: false,
    }
}

fn rule(value: Value<'_>, peers: &str, doubts: &mut Doubts) -> AdminRule {
    let before = doubts.count();
    doubts.knows(value, &["name", "action", peers, "ports", "protocols"], OF_RULE);
    value.list(peers).for_each(|peer| {
        selectors(peer, doubts, OF_RULE);
    });
    let of_peers = doubts.count();
    for (value, (known, port)) in
        value.list("ports").map(|p| (p, OLD_PORT)).chain(value.list("protocols").map(|p| (p, PORT)))
    {
        if doubts.knows(value, known, OF_PORTS) && matches!(port(value).ports, Ports::None) {
            doubts.add("this port is none", value.span(), OF_PORTS);
        }
    }
    for (key, value) in [peers, "ports", "protocols"].into_iter().filter_map(|key| Some((key, value.field(key)?))) {
        if value.kind() != Kind::Sequence {
            doubts.add(&format!("`{key}` must be a list"), value.span(), OF_RULE);
        }
    }
    let doubtful_ports = doubts.count() > of_peers;
    let action = match value.text("action") {
        Some("Allow" | "Accept") => Action::Allow,
        Some("Deny") => Action::Deny,
        Some("Pass") => Action::Pass,
        _ => {
            let span = value.field("action").unwrap_or(value).span();
            doubts.add("its action is not known", span, "whether it allows or stops is not known");
            // What is left to others may be allowed or stopped.
            Action::Pass
        }
    };
    let doubtful = doubts.count() > before;
    let ports = value.list("ports").map(port).chain(value.list("protocols").map(protocol));
    AdminRule {
        action,
        peers: value.list(peers).flat_map(peer).collect(),
        // Where ports are not understood, the rule may be about all.
        ports: if doubtful_ports { Vec::new() } else { ports.collect() },
        doubtful,
        span: value.span(),
    }
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

/// Whether the selectors of a subject or a peer are understood; others are said.
fn selectors(value: Value<'_>, doubts: &mut Doubts, limits: &str) -> bool {
    let of_pods = value.field("pods");
    let all = [value.field("namespaces"), of_pods.field("namespaceSelector"), of_pods.field("podSelector")];
    all.into_iter().flatten().all(|s| doubts.selector(&LabelSelector::read(s), limits))
}

fn peer(value: Value<'_>) -> Vec<AdminPeer> {
    if let Some(matcher) = pods(value) {
        return vec![AdminPeer::Pods(matcher)];
    }
    let block = |cidr: Value<'_>| {
        let block = cidr.scalar_text().and_then(Block::of_cidr);
        block.map_or(AdminPeer::Undetermined(cidr.span()), AdminPeer::Block)
    };
    let names = value.list("domainNames").filter_map(Value::scalar_text).map(|n| AdminPeer::Name(n.to_owned()));
    let peers: Vec<AdminPeer> = names.chain(value.list("networks").map(block)).collect();
    if peers.is_empty() { vec![AdminPeer::Undetermined(value.span())] } else { peers }
}

fn number(value: Option<Value<'_>>) -> Option<u16> {
    match value.and_then(PortRef::read) {
        Some(PortRef::Number(number)) => Some(number),
        _ => None,
    }
}

fn numbers(ends: Option<(u16, u16)>) -> Ports {
    match ends {
        Some((first, last)) if first <= last => Ports::Numbers(first, last),
        _ => Ports::None,
    }
}

/// `portNumber`, `portRange` or `namedPort`.
fn port(value: Value<'_>) -> PortRange {
    let protocol = |value: Value<'_>| value.text("protocol").unwrap_or("TCP").to_owned();
    if let Some(one) = value.field("portNumber") {
        let port = number(one.field("port"));
        return PortRange { protocol: protocol(one), ports: numbers(port.zip(port)) };
    }
    if let Some(range) = value.field("portRange") {
        let ends = number(range.field("start")).zip(number(range.field("end")));
        return PortRange { protocol: protocol(range), ports: numbers(ends) };
    }
    named(value.text("namedPort"))
}

/// `tcp`, `udp` or `sctp` with a `destinationPort`, without which all ports are meant; or `destinationNamedPort`.
fn protocol(value: Value<'_>) -> PortRange {
    for (key, protocol) in [("tcp", "TCP"), ("udp", "UDP"), ("sctp", "SCTP")] {
        let Some(transport) = value.field(key) else { continue };
        let ports = transport.field("destinationPort").map_or(Ports::All, |port| {
            let (one, range) = (number(port.field("number")), port.field("range"));
            numbers(one.zip(one).or_else(|| number(range.field("start")).zip(number(range.field("end")))))
        });
        return PortRange { protocol: protocol.to_owned(), ports };
    }
    named(value.text("destinationNamedPort"))
}

/// A port by its name, which tells the protocol too.
fn named(name: Option<&str>) -> PortRange {
    PortRange { protocol: String::new(), ports: name.map_or(Ports::None, |name| Ports::Name(name.to_owned())) }
}
