//! Objects of Cilium to plain types.

use std::sync::Arc;

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::{Kind, Value};

use super::peers::{endpoints, peers};
use super::ports::ports;
use super::{CiliumPolicies, CiliumPolicy, CiliumRule, Section, Selector, Subject};
use crate::doubts::Doubts;
use crate::network::Direction;

pub(super) const GROUP: &str = "cilium.io";
const OWN: &str = "CiliumNetworkPolicy";
const WIDE: &str = "CiliumClusterwideNetworkPolicy";
const VERSION: &str = "v2";
/// What is not known where something is not understood.
const LIMITS: &str = "whether the policy holds is not known";

const FIELDS: [&str; 10] = [
    "endpointSelector",
    "nodeSelector",
    "ingress",
    "ingressDeny",
    "egress",
    "egressDeny",
    "enableDefaultDeny",
    "labels",
    "description",
    "log",
];

/// Fields of rules, in either direction.
const INGRESS: [&str; 9] = [
    "fromEndpoints",
    "fromRequires",
    "fromCIDR",
    "fromCIDRSet",
    "fromEntities",
    "fromGroups",
    "fromNodes",
    "toPorts",
    "icmps",
];
const EGRESS: [&str; 10] = [
    "toEndpoints",
    "toRequires",
    "toCIDR",
    "toCIDRSet",
    "toEntities",
    "toGroups",
    "toNodes",
    "toServices",
    "toPorts",
    "icmps",
];
/// Further fields of rules that allow.
const ALLOWING: [&str; 2] = ["authentication", "toFQDNs"];

impl CiliumPolicies {
    /// Reads all of them, with what was not understood and what of the answer is not exact.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> (Self, Vec<Diagnostic>) {
        let (mut all, mut found) = (Self::default(), Vec::new());
        for kind in [OWN, WIDE] {
            for object in manifests.by_custom_kind(GROUP, kind) {
                let (policies, diagnostics) = read(object, kind == OWN, manifests, default_namespace);
                all.policies.extend(policies.into_iter().map(Arc::new));
                found.extend(diagnostics);
            }
        }
        all.policies.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span)));
        found.sort_by_key(|diagnostic| diagnostic.span);
        (all, found)
    }
}

/// Reads one object and keeps what it did not understand.
pub(super) struct Reader<'a> {
    pub(super) manifests: &'a Manifests,
    pub(super) default_namespace: &'a str,
    /// The namespace of the object; none if it is of the cluster.
    pub(super) namespace: Option<&'a str>,
    identity: String,
    certain: bool,
    doubts: Doubts,
    /// What of the answer is not exact.
    notes: Vec<Diagnostic>,
}

fn read<'a>(
    object: Object<'a>,
    of_namespace: bool,
    manifests: &'a Manifests,
    default_namespace: &'a str,
) -> (Vec<CiliumPolicy>, Vec<Diagnostic>) {
    let mut reader = Reader {
        manifests,
        default_namespace,
        namespace: of_namespace.then(|| object.namespace().unwrap_or(default_namespace)),
        identity: object.identity(default_namespace),
        certain: true,
        doubts: Doubts::new(object.identity(default_namespace)),
        notes: Vec::new(),
    };
    reader.certain = reader.doubts.knows_version(object, &[VERSION], LIMITS);
    let mut specs: Vec<Value<'a>> = object.spec().into_iter().collect();
    specs.extend(reader.items(object.root(), "specs"));
    if specs.is_empty() {
        reader.refuse(object.span(), "it has neither spec nor specs");
    }
    let mut policies: Vec<CiliumPolicy> = specs.into_iter().map(|spec| policy(object, spec, &mut reader)).collect();
    for policy in &mut policies {
        policy.certain = reader.certain;
    }
    let mut found = reader.doubts.finish();
    found.append(&mut reader.notes);
    (policies, found)
}

fn policy<'a>(object: Object<'a>, spec: Value<'a>, reader: &mut Reader<'a>) -> CiliumPolicy {
    reader.known(spec, &FIELDS);
    let (ingress, egress) = (section(spec, Direction::Ingress, reader), section(spec, Direction::Egress, reader));
    let has_rules = |section: &Section| !section.allow.is_empty() || !section.deny.is_empty();
    if !has_rules(&ingress) && !has_rules(&egress) {
        let message = format!("{}: it has no rules and so no effect", reader.identity);
        reader.notes.push(Diagnostic::warning("policy-without-rules", message).at(spec.span()));
    }
    CiliumPolicy {
        identity: reader.identity.clone(),
        span: object.span(),
        namespace: reader.namespace.map(str::to_owned),
        subject: subject(spec, reader),
        ingress,
        egress,
        certain: true,
    }
}

fn subject<'a>(spec: Value<'a>, reader: &mut Reader<'a>) -> Subject {
    let (endpoints, nodes) = (spec.field("endpointSelector"), spec.field("nodeSelector"));
    let selector = match (endpoints, nodes) {
        (Some(endpoints), nodes) => {
            if nodes.is_some() {
                reader.refuse(spec.span(), "it selects both endpoints and nodes");
            }
            reader.selector(endpoints)
        }
        (None, Some(nodes)) => {
            if reader.namespace.is_some() {
                reader.refuse(nodes.span(), "a policy of a namespace selects nodes");
            }
            return Subject::Nodes;
        }
        (None, None) => {
            reader.refuse(spec.span(), "it selects neither endpoints nor nodes");
            Default::default()
        }
    };
    Subject::Endpoints(Selector::of_subject(&selector, reader.namespace).unwrap_or_else(|| {
        reader.refuse(spec.span(), "it asks for endpoints of another namespace than its own");
        Selector::of_peer(&Default::default(), reader.namespace)
    }))
}

/// Without `enableDefaultDeny` a section isolates if it has a rule, even one that is about nobody.
fn section(spec: Value<'_>, direction: Direction, reader: &mut Reader<'_>) -> Section {
    let (key, deny) = match direction {
        Direction::Ingress => ("ingress", "ingressDeny"),
        Direction::Egress => ("egress", "egressDeny"),
    };
    let mut rules = |key: &str, denies: bool| -> Vec<CiliumRule> {
        reader.items(spec, key).into_iter().map(|value| rule(value, direction, denies, reader)).collect()
    };
    let (allow, deny) = (rules(key, false), rules(deny, true));
    let default = spec.field("enableDefaultDeny");
    if let Some(value) = default {
        reader.known(value, &["ingress", "egress"]);
    }
    let chosen = default.field(key);
    if chosen.is_some_and(|value| value.as_bool().is_none()) {
        reader.refuse(spec.span(), "the default is neither true nor false");
    }
    let isolates = chosen.and_then(Value::as_bool).unwrap_or(!allow.is_empty() || !deny.is_empty());
    Section { isolates, allow, deny }
}

fn rule(value: Value<'_>, direction: Direction, denies: bool, reader: &mut Reader<'_>) -> CiliumRule {
    let (own, prefix): (&[&str], _) = match direction {
        Direction::Ingress => (&INGRESS, "from"),
        Direction::Egress => (&EGRESS, "to"),
    };
    let further: &[&str] = match (direction, denies) {
        (_, true) => &[],
        (Direction::Ingress, false) => &ALLOWING[..1],
        (Direction::Egress, false) => &ALLOWING,
    };
    reader.known(value, &[own, further].concat());
    let named = peers(value, prefix, reader);
    let requires = reader.items(value, &format!("{prefix}Requires"));
    let requires: Vec<Selector> = requires.into_iter().map(|one| endpoints(one, reader)).collect();
    let on_ports = ports(value, denies, reader);
    CiliumRule {
        // A rule that says neither whom nor on which ports is about nobody.
        peers: if on_ports.is_none() { Some(named.unwrap_or_default()) } else { named },
        requires,
        some_requests: on_ports.as_ref().is_some_and(|on| on.some_requests),
        some_names: on_ports.as_ref().is_some_and(|on| on.some_names),
        ports: on_ports.map(|on| on.ports).unwrap_or_default(),
        authenticated: value.field("authentication").text("mode") == Some("required"),
        span: value.span(),
    }
}

impl<'a> Reader<'a> {
    /// Cilium does not take the object, or this version does not know what it means: nothing of it is certain.
    pub(super) fn refuse(&mut self, span: Span, why: &str) {
        self.certain = false;
        self.doubts.add(why, span, LIMITS);
    }

    /// Refuses fields of a mapping that are not among these, and what is no mapping.
    pub(super) fn known(&mut self, value: Value<'_>, fields: &[&str]) {
        if !matches!(value.kind(), Kind::Mapping | Kind::Null) {
            self.refuse(value.span(), "it is no mapping");
        }
        self.certain &= self.doubts.knows(value, fields, LIMITS);
    }

    /// The items of a list; nothing for other types, which are refused.
    pub(super) fn items<'v>(&mut self, value: Value<'v>, key: &str) -> Vec<Value<'v>> {
        let Some(list) = value.field(key) else { return Vec::new() };
        if list.kind() != Kind::Sequence {
            self.refuse(list.span(), "it is no list");
        }
        list.items().collect()
    }

    /// Manifests do not tell who a peer is.
    pub(super) fn unknown_peer(&mut self, span: Span) {
        let message = format!(
            "{}: who this peer is, manifests do not tell; what the rule does to it is not known",
            self.identity
        );
        self.notes.push(Diagnostic::warning("unknown-peer", message).at(span));
    }

    /// Connections get through here, but not all requests.
    pub(super) fn some_requests(&mut self, span: Span) {
        let message = format!(
            "{}: only some requests get through here; connections are shown as allowed, whatever they ask for",
            self.identity
        );
        self.notes.push(Diagnostic::new(kubestride_source::Level::Note, "some-requests", message).at(span));
    }
}
