//! NetworkPolicies to plain types.

use std::sync::Arc;

use kubestride_manifest::{Field, Identity, LabelSelector, Manifests, Object, PortRef};
use kubestride_source::Diagnostic;
use kubestride_yaml::{Kind, Value};

use super::served::{served, versions};
use super::tier::{ADMIN_TIER, BASELINE_TIER, DEFAULT_NAME, DEFAULT_TIER, Member, Tier};
use super::{
    AdminPolicies, AdminPolicy, Block, NamespaceMatcher, NetworkPolicies, Peer, PeerKind, PodMatcher, Policy,
    PortRange, Ports, Rule,
};
use crate::doubts::Doubts;
use crate::{Circumstances, Family};

/// What is not known where part of a policy, or of a rule, is not understood.
pub(super) const OF_POLICY: &str = "what the policy allows and stops is not known";
pub(super) const OF_RULE: &str = "whom the rule is about is not known";
/// What the API server refuses.
const NOBODY: &str = "nobody is admitted by it";

impl NetworkPolicies {
    /// Reads the policies of Kubernetes, and those of administrators.
    pub(crate) fn of_kubernetes(manifests: &Manifests, default_namespace: &str, circumstances: &Circumstances) -> Self {
        let (objects, mut doubts) = served(manifests, default_namespace, circumstances.kubernetes);
        let (policies, of_kubernetes) = of_kubernetes(objects.into_iter(), versions, default_namespace);
        doubts.extend(of_kubernetes);
        doubts.retain(|_| circumstances.holds(Family::Kubernetes));
        let (admin, of_admin) = AdminPolicies::read(manifests);
        doubts.extend(of_admin.into_iter().filter(|_| circumstances.holds(Family::Admin)));
        let boxed = |policies: &[Arc<AdminPolicy>], of_cluster: bool| -> Vec<Box<dyn Member>> {
            let own =
                policies.iter().filter(|p| (Identity(&p.identity).kind() == "ClusterNetworkPolicy") == of_cluster);
            own.map(|p| Box::new(p.clone()) as Box<dyn Member>).collect()
        };
        let own = policies.iter().map(|p| Box::new(p.clone()) as Box<dyn Member>).collect();
        let tiers = vec![
            Tier::new(ADMIN_TIER, "adminnetworkpolicy", true, boxed(&admin.admin, false)),
            Tier::new(ADMIN_TIER, "kube-admin", true, boxed(&admin.admin, true)),
            Tier::new(DEFAULT_TIER, DEFAULT_NAME, false, own),
            Tier::new(BASELINE_TIER, "baselineadminnetworkpolicy", true, boxed(&admin.baseline, false)),
            Tier::new(BASELINE_TIER, "kube-baseline", true, boxed(&admin.baseline, true)),
        ];
        Self { policies, admin, tiers, doubts, ..Self::default() }
    }

    /// Reads objects of other kinds that have the fields of NetworkPolicies.
    pub(crate) fn of_objects<'a>(
        objects: impl Iterator<Item = Object<'a>>,
        versions: &'static [&'static str],
        default_namespace: &str,
    ) -> Self {
        let (policies, doubts) = of_kubernetes(objects, |_| versions, default_namespace);
        let own = policies.iter().map(|p| Box::new(p.clone()) as Box<dyn Member>).collect();
        let tiers = vec![Tier::new(DEFAULT_TIER, DEFAULT_NAME, false, own)];
        Self { policies, tiers, doubts, ..Self::default() }
    }
}

fn of_kubernetes<'a>(
    objects: impl Iterator<Item = Object<'a>>,
    versions: impl Fn(Object<'a>) -> &'static [&'static str],
    default_namespace: &str,
) -> (Vec<Arc<Policy>>, Vec<Diagnostic>) {
    let (mut policies, mut found) = (Vec::new(), Vec::new());
    for object in objects {
        let mut doubts = Doubts::new(object.identity(default_namespace));
        let known = doubts.knows_version(object, versions(object), OF_POLICY);
        let mut policy = policy(object, default_namespace, &mut doubts);
        policy.doubtful |= !known;
        policies.push(Arc::new(policy));
        found.extend(doubts.finish());
    }
    policies.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span)));
    (policies, found)
}

fn policy(object: Object<'_>, default_namespace: &str, doubts: &mut Doubts) -> Policy {
    let spec = object.spec();
    let namespace = object.namespace().unwrap_or(default_namespace).to_owned();
    let known = spec.is_none_or(|s| doubts.knows(s, &["podSelector", "ingress", "egress", "policyTypes"], OF_POLICY));
    // Without `policyTypes` a policy is for incoming traffic, and for outgoing traffic if it has a rule about it.
    let types: Vec<_> = spec.list("policyTypes").filter_map(Value::scalar_text).collect();
    let (for_ingress, for_egress) = if types.is_empty() {
        (true, spec.list("egress").next().is_some())
    } else {
        (types.contains(&"Ingress"), types.contains(&"Egress"))
    };
    let of_types = |value: &Value<'_>| !matches!(value.scalar_text(), Some("Ingress" | "Egress"));
    let unknown_types: Vec<_> = spec.list("policyTypes").filter(of_types).collect();
    for value in &unknown_types {
        doubts.add("this policy type is not known", value.span(), OF_POLICY);
    }
    for (key, heeded) in [("ingress", for_ingress), ("egress", for_egress)] {
        if let Some(rule) = spec.list(key).next().filter(|_| !heeded && unknown_types.is_empty()) {
            doubts.note(&format!("`policyTypes` leaves out its rules for {key}, so nothing heeds them"), rule.span());
        }
    }
    let mut rules = |direction: &str, peers: &str| -> Vec<Rule> {
        spec.list(direction).filter_map(|value| rule(value, peers, &namespace, doubts)).collect()
    };
    let (ingress, egress) = (for_ingress.then(|| rules("ingress", "from")), for_egress.then(|| rules("egress", "to")));
    let pods = spec.field("podSelector").map_or_else(LabelSelector::everything, LabelSelector::read);
    let understood = doubts.selector(&pods, "which pods the policy is for is not known");
    Policy {
        identity: object.identity(default_namespace),
        span: object.span(),
        // Of pods that a selector is not understood for, it is said that they may be selected.
        pods: if understood { pods } else { LabelSelector::everything() },
        ingress,
        egress,
        doubtful: !known || !understood || !unknown_types.is_empty(),
        namespace,
    }
}

fn rule(value: Value<'_>, peers: &str, namespace: &str, doubts: &mut Doubts) -> Option<Rule> {
    // The API server reads null as an empty rule, which admits everybody.
    if !matches!(value.kind(), Kind::Mapping | Kind::Null) {
        doubts.add("a rule must be a mapping", value.span(), NOBODY);
        return None;
    }
    let before = doubts.count();
    doubts.knows(value, &[peers, "ports"], OF_RULE);
    for item in value.list(peers) {
        doubts.knows(item, &["podSelector", "namespaceSelector", "ipBlock"], OF_RULE);
        if let Some(block) = item.field("ipBlock") {
            doubts.knows(block, &["cidr", "except"], OF_RULE);
        }
        for selector in ["podSelector", "namespaceSelector"].into_iter().filter_map(|key| item.field(key)) {
            doubts.selector(&LabelSelector::read(selector), OF_RULE);
        }
    }
    let of_peers = doubts.count();
    for item in value.list("ports") {
        doubts.knows(item, &["port", "protocol", "endPort"], "which ports the rule is about is not known");
        if let Some(protocol) = item.field("protocol").filter(|p| !is_protocol(*p)) {
            doubts.add("this protocol is not known", protocol.span(), "which ports the rule is about is not known");
        }
    }
    let (doubtful, doubtful_ports) = (doubts.count() > before, doubts.count() > of_peers);
    let mut broken = |what: &str, span| doubts.add(what, span, NOBODY);
    let all_peers = items(
        value,
        peers,
        |item| Peer { kind: peer(item, namespace), span: item.span() },
        |span| Peer { kind: PeerKind::Nobody, span },
    );
    for peer in all_peers.iter().filter(|peer| matches!(peer.kind, PeerKind::Nobody)) {
        broken("this peer is neither pods nor a block of addresses", peer.span);
    }
    for item in value.list("ports").filter(|item| matches!(port(*item).ports, Ports::None)) {
        broken("this port is none", item.span());
    }
    let ports = items(value, "ports", port, |_| PortRange { protocol: "TCP".to_owned(), ports: Ports::None });
    Some(Rule {
        peers: all_peers,
        // Where ports are not understood, the rule may be about all.
        ports: if doubtful_ports { Vec::new() } else { ports },
        doubtful,
        span: value.span(),
    })
}

fn is_protocol(value: Value<'_>) -> bool {
    matches!(value.scalar_text(), Some("TCP" | "UDP" | "SCTP"))
}

/// The items of a list. What is no list becomes one item that matches nothing, as an empty list matches everything.
fn items<'a, T>(
    value: Value<'a>,
    key: &str,
    read: impl Fn(Value<'a>) -> T,
    broken: impl Fn(kubestride_source::Span) -> T,
) -> Vec<T> {
    match value.field(key) {
        Some(list) if list.kind() != Kind::Sequence => vec![broken(list.span())],
        list => list.into_iter().flat_map(Value::items).map(read).collect(),
    }
}

fn peer(value: Value<'_>, namespace: &str) -> PeerKind {
    let pods = value.field("podSelector");
    let namespaces = value.field("namespaceSelector");
    match (value.field("ipBlock"), pods, namespaces) {
        (Some(block), None, None) => Block::read(block).map_or(PeerKind::Nobody, PeerKind::Block),
        (Some(_), ..) | (None, None, None) => PeerKind::Nobody,
        (None, pods, namespaces) => PeerKind::Pods(PodMatcher {
            namespaces: namespaces.map_or_else(
                || NamespaceMatcher::Named(namespace.to_owned()),
                |selector| NamespaceMatcher::Labelled(LabelSelector::read(selector)),
            ),
            pods: pods.map_or_else(LabelSelector::everything, LabelSelector::read),
        }),
    }
}

fn port(value: Value<'_>) -> PortRange {
    let protocol = value.text("protocol").unwrap_or("TCP").to_owned();
    let Some(port) = value.field("port") else { return PortRange { protocol, ports: Ports::All } };
    let ports = match PortRef::read(port) {
        Some(PortRef::Number(first)) => match value.field("endPort").map(PortRef::read) {
            None => Ports::Numbers(first, first),
            Some(Some(PortRef::Number(last))) if last >= first => Ports::Numbers(first, last),
            Some(_) => Ports::None,
        },
        Some(PortRef::Name(name)) => Ports::Name(name.to_owned()),
        None => Ports::None,
    };
    PortRange { protocol, ports }
}
