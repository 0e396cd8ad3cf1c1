//! NetworkPolicies to plain types.

use std::sync::Arc;

use kubestride_manifest::{Field, LabelSelector, Manifests, Object, PortRef};
use kubestride_yaml::{Kind, Value};

use super::tier::{ADMIN_TIER, BASELINE_TIER, DEFAULT_TIER, Member, Tier};
use super::{
    AdminPolicies, AdminPolicy, Block, NamespaceMatcher, NetworkPolicies, Peer, PeerKind, PodMatcher, Policy,
    PortRange, Ports, Rule,
};

impl NetworkPolicies {
    /// Reads all network policies.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut policies: Vec<_> =
            manifests.by_kind("NetworkPolicy").map(|object| Arc::new(policy(object, default_namespace))).collect();
        policies.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span)));
        let admin = AdminPolicies::read(manifests);
        let boxed = |policies: &[Arc<AdminPolicy>]| -> Vec<Box<dyn Member>> {
            policies.iter().map(|p| Box::new(p.clone()) as Box<dyn Member>).collect()
        };
        let own = policies.iter().map(|p| Box::new(p.clone()) as Box<dyn Member>).collect();
        let mut tiers = vec![
            Tier::new(ADMIN_TIER, "adminnetworkpolicy", true, boxed(&admin.admin)),
            Tier::new(DEFAULT_TIER, "default", false, own),
            Tier::new(BASELINE_TIER, "baselineadminnetworkpolicy", true, boxed(&admin.baseline)),
        ];
        tiers.sort_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.name.cmp(&b.name)));
        Self { policies, admin, tiers }
    }
}

impl NetworkPolicies {
    /// Reads objects of other kinds that have the fields of NetworkPolicies.
    pub(crate) fn of_objects<'a>(objects: impl Iterator<Item = Object<'a>>, default_namespace: &str) -> Self {
        let policies: Vec<_> = objects.map(|object| Arc::new(policy(object, default_namespace))).collect();
        let own = policies.iter().map(|p| Box::new(p.clone()) as Box<dyn Member>).collect();
        Self { tiers: vec![Tier::new(DEFAULT_TIER, "default", false, own)], policies, admin: AdminPolicies::default() }
    }
}

fn policy(object: Object<'_>, default_namespace: &str) -> Policy {
    let spec = object.spec();
    let namespace = object.namespace().unwrap_or(default_namespace).to_owned();
    let rules = |direction: &str, peers: &str| {
        spec.list(direction).filter_map(|value| rule(value, peers, &namespace)).collect::<Vec<_>>()
    };
    // Without `policyTypes` a policy is for incoming traffic, and for outgoing traffic if it has a rule about it.
    let types: Vec<_> = spec.list("policyTypes").filter_map(Value::scalar_text).collect();
    let (for_ingress, for_egress) = if types.is_empty() {
        (true, spec.list("egress").next().is_some())
    } else {
        (types.contains(&"Ingress"), types.contains(&"Egress"))
    };
    Policy {
        identity: object.identity(default_namespace),
        span: object.span(),
        pods: spec.field("podSelector").map_or_else(LabelSelector::everything, LabelSelector::read),
        ingress: for_ingress.then(|| rules("ingress", "from")),
        egress: for_egress.then(|| rules("egress", "to")),
        namespace,
    }
}

fn rule(value: Value<'_>, peers: &str, namespace: &str) -> Option<Rule> {
    // The API server reads null as an empty rule, which admits everybody.
    if !matches!(value.kind(), Kind::Mapping | Kind::Null) {
        return None;
    }
    Some(Rule {
        peers: items(
            value,
            peers,
            |item| Peer { kind: peer(item, namespace), span: item.span() },
            |span| Peer { kind: PeerKind::Nobody, span },
        ),
        ports: items(value, "ports", port, |_| PortRange { protocol: "TCP".to_owned(), ports: Ports::None }),
        span: value.span(),
    })
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
