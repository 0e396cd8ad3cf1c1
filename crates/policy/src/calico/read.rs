//! Objects of Calico to plain types, and its tiers.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_source::Diagnostic;
use kubestride_yaml::{Kind, Value};

use super::read_rule::{self, selector};
use super::surroundings::Surroundings;
use super::{Policy, Rule, Scope, Selector, Side, Who};
use crate::doubts::Doubts;
use crate::network::tier::{Member, Tier};
use crate::network::{Direction, Match};

/// The groups with the version of each that is known.
const GROUPS: [(&str, &str); 2] = [(OWN_GROUP, "v3"), (STORED_GROUP, "v1")];
const OWN_GROUP: &str = "projectcalico.org";
/// How Calico keeps its objects; the fields are the same.
const STORED_GROUP: &str = "crd.projectcalico.org";

/// Kinds that are tried before they hold.
const STAGED: [&str; 3] = ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"];

const OF_POLICY: &str = "what the policy allows and stops is not known";
const OF_TIER: &str = "what its policies decide, and before which others, is not known";

/// Fields of policies of one namespace and of all.
const FIELDS: [&str; 11] = [
    "tier",
    "order",
    "ingress",
    "egress",
    "selector",
    "types",
    "serviceAccountSelector",
    "performanceHints",
    "doNotTrack",
    "preDNAT",
    "applyOnForward",
];

/// The tiers that are there always, each in its place, whatever is written of them.
const WELL_KNOWN: [&str; 5] =
    ["default", "kube-admin", "kube-baseline", "adminnetworkpolicy", "baselineadminnetworkpolicy"];

/// All policies of Calico, with their tiers.
#[derive(Debug, Default)]
pub(crate) struct Calico {
    /// In the order of their identities.
    pub(crate) policies: Vec<Arc<Policy>>,
    tiers: BTreeMap<String, TierView>,
    /// What is not understood, and what has no effect.
    pub(crate) doubts: Vec<Diagnostic>,
}

/// A tier of which the object is in the input.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TierView {
    order: f64,
    passes: bool,
    doubtful: bool,
}

impl Calico {
    /// Reads all of them.
    pub(crate) fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let objects = |kind: &'static str| -> Vec<Object<'_>> {
            GROUPS.into_iter().flat_map(|(group, _)| manifests.by_custom_kind(group, kind)).collect()
        };
        let mut doubts = Vec::new();
        for object in STAGED.into_iter().flat_map(objects) {
            let identity = object.identity(default_namespace);
            let message = format!("{identity} is staged: it allows and stops nothing before it is enforced");
            doubts.push(Diagnostic::note("policy-without-effect", message).at(object.span()));
        }
        let surroundings = Arc::new(Surroundings::read(manifests, default_namespace, &objects, &mut doubts));
        let tiers = tiers(objects("Tier"), &mut doubts);
        let mut policies = Vec::new();
        for object in objects("NetworkPolicy").into_iter().chain(objects("GlobalNetworkPolicy")) {
            let mut found = Doubts::new(object.identity(default_namespace));
            let mut policy = policy(object, default_namespace, &surroundings, &mut found);
            let known = found.knows_version(object, &versions(object), OF_POLICY);
            let tier_known = match tiers.get(&policy.tier) {
                Some(tier) => !tier.doubtful,
                None => WELL_KNOWN.contains(&policy.tier.as_str()),
            };
            if !tiers.contains_key(&policy.tier) && !tier_known {
                let span = object.spec().field("tier").map_or(object.span(), Value::span);
                found.add("its tier is not in the input, so its place is not known", span, OF_POLICY);
            }
            policy.doubtful |= !known || !tier_known;
            policy.passes = match tiers.get(&policy.tier) {
                Some(tier) => tier.passes && !tier.doubtful,
                None => tier_known && policy.tier != "default",
            };
            policies.push(Arc::new(policy));
            doubts.extend(found.finish());
            doubts.extend(of_requests(object, default_namespace));
        }
        policies.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span)));
        Self { policies, tiers, doubts }
    }

    /// Puts the policies into tiers, among which there are those of other kinds of policies.
    pub(crate) fn add_to(&self, tiers: &mut Vec<Tier>) {
        let mut by_tier: BTreeMap<&str, Vec<Box<dyn Member>>> = BTreeMap::new();
        for policy in &self.policies {
            by_tier.entry(&policy.tier).or_default().push(Box::new(policy.clone()));
        }
        for (name, members) in by_tier {
            if let Some(tier) = tiers.iter_mut().find(|tier| tier.name == name) {
                tier.add(members);
                continue;
            }
            // Where a tier is not known its policies are doubtful, so that they decide nothing but make unknown what
            // comes after them: as they may be the first of all, they stand in front.
            let known = self.tiers.get(name).filter(|tier| !tier.doubtful);
            let (order, passes) = known.map_or((f64::NEG_INFINITY, false), |tier| (tier.order, tier.passes));
            tiers.push(Tier::new(order, name, passes, members));
        }
    }
}

/// The version of a group that is known.
fn versions(object: Object<'_>) -> Vec<&'static str> {
    GROUPS.into_iter().filter(|(group, _)| *group == object.group()).map(|(_, version)| version).collect()
}

/// Rules about requests, which are more than what is asked here.
fn of_requests(object: Object<'_>, default_namespace: &str) -> Vec<Diagnostic> {
    let identity = object.identity(default_namespace);
    let note = |http: Value<'_>| {
        let message =
            format!("{identity}: a rule is about some requests of HTTP only; what it allows counts as allowed");
        Diagnostic::note("some-requests-only", message).at(http.span())
    };
    object.spec().list("ingress").filter_map(|rule| rule.field("http")).map(note).collect()
}

fn tiers(objects: Vec<Object<'_>>, found: &mut Vec<Diagnostic>) -> BTreeMap<String, TierView> {
    let mut tiers: BTreeMap<String, TierView> = BTreeMap::new();
    for object in objects {
        if WELL_KNOWN.contains(&object.name()) {
            continue;
        }
        let mut doubts = Doubts::new(object.identity(""));
        let before = doubts.count();
        doubts.knows_version(object, &versions(object), OF_TIER);
        let spec = object.spec();
        if let Some(spec) = spec {
            doubts.knows(spec, &["order", "defaultAction"], OF_TIER);
        }
        let order = order(spec, OF_TIER, &mut doubts);
        let passes = match spec.field("defaultAction") {
            None => false,
            Some(action) => match action.as_str() {
                Some("Deny") => false,
                Some("Pass") => true,
                _ => {
                    doubts.add("this action is not known", action.span(), OF_TIER);
                    false
                }
            },
        };
        let mut tier = TierView { order, passes, doubtful: doubts.count() > before };
        if let Some(other) = tiers.get(object.name()).filter(|other| **other != tier) {
            doubts.add("another tier has the same name", object.span(), OF_TIER);
            tier = TierView { doubtful: true, ..*other };
        }
        tiers.insert(object.name().to_owned(), tier);
        found.extend(doubts.finish());
    }
    tiers
}

/// `order`; without it, something is the last.
fn order(spec: Option<Value<'_>>, limits: &str, doubts: &mut Doubts) -> f64 {
    let Some(value) = spec.field("order") else { return f64::INFINITY };
    value.as_f64().filter(|order| order.is_finite()).unwrap_or_else(|| {
        doubts.add("this order is no number", value.span(), limits);
        f64::NEG_INFINITY
    })
}

fn policy(
    object: Object<'_>,
    default_namespace: &str,
    surroundings: &Arc<Surroundings>,
    doubts: &mut Doubts,
) -> Policy {
    let spec = object.spec();
    let global = object.kind() == "GlobalNetworkPolicy";
    let before = doubts.count();
    if let Some(spec) = spec {
        // A policy of one namespace has neither the last three nor a selector of namespaces.
        let mut fields: Vec<&str> = FIELDS.into_iter().take(if global { 11 } else { 8 }).collect();
        fields.extend(global.then_some("namespaceSelector"));
        doubts.knows(spec, &fields, OF_POLICY);
    }
    let tier = spec.field("tier").map_or(Some("default"), Value::as_str);
    if tier.is_none() {
        doubts.add("this names no tier", spec.field("tier").map_or(object.span(), Value::span), OF_POLICY);
    }
    let order = order(spec, OF_POLICY, doubts);
    let doubtful = doubts.count() > before;
    let (ingress, egress) = types(object, doubts);
    let limits = "which pods the policy is for is not known";
    let namespace = (!global).then(|| object.namespace().unwrap_or(default_namespace).to_owned());
    let scope = match &namespace {
        Some(namespace) => Scope::Namespace(namespace.clone()),
        None => selector(spec, "namespaceSelector", false, limits, doubts).map_or(Scope::Anywhere, Scope::Selected),
    };
    let subject = Who {
        scope,
        labels: selector(spec, "selector", false, limits, doubts),
        accounts: Vec::new(),
        account_labels: selector(spec, "serviceAccountSelector", false, limits, doubts),
        sets: Vec::new(),
    };
    let of_hosts = |key: &str| global && spec.flag(key) == Some(true);
    let for_hosts = of_hosts("doNotTrack") || of_hosts("preDNAT");
    let mut rules = |key: &str, direction: Direction| {
        if let Some(rules) = spec.field(key).filter(|rules| rules.kind() != Kind::Sequence) {
            doubts.add("rules must be a list", rules.span(), OF_POLICY);
            return vec![Rule::unknown(rules.span())];
        }
        spec.list(key)
            .filter_map(|rule| read_rule::rule(rule, direction, namespace.as_deref(), surroundings, doubts))
            .collect()
    };
    let tier = tier.filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    let name = object.name();
    Policy {
        identity: object.identity(default_namespace),
        span: object.span(),
        // Calico puts the name of the tier in front of names, if it is not there.
        name: name.strip_prefix(tier.as_str()).and_then(|n| n.strip_prefix('.')).unwrap_or(name).to_owned(),
        order,
        subject,
        for_hosts,
        ingress: Side { applies: ingress, rules: rules("ingress", Direction::Ingress) },
        egress: Side { applies: egress, rules: rules("egress", Direction::Egress) },
        doubtful,
        passes: false,
        surroundings: Arc::clone(surroundings),
        namespace,
        tier,
    }
}

/// Whether a policy is for what comes in and for what goes out.
fn types(object: Object<'_>, doubts: &mut Doubts) -> (Match, Match) {
    let spec = object.spec();
    let types: Vec<Value<'_>> = spec.list("types").collect();
    let broken = spec.field("types").is_some_and(|types| types.kind() != Kind::Sequence);
    if broken || types.iter().any(|value| !matches!(value.as_str(), Some("Ingress" | "Egress"))) {
        let span = spec.field("types").map_or(object.span(), Value::span);
        doubts.add("this policy type is not known", span, "in which directions the policy holds is not known");
        return (Match::Unknown, Match::Unknown);
    }
    let has = |direction: &str| types.iter().any(|value| value.as_str() == Some(direction));
    if !types.is_empty() {
        return (has("Ingress").into(), has("Egress").into());
    }
    let rules = |key: &str| spec.field(key).is_some_and(|rules| rules.kind() != Kind::Sequence || !rules.is_empty());
    let (ingress, egress) = (rules("ingress") || !rules("egress"), rules("egress"));
    if object.group() == STORED_GROUP && !(ingress && egress) {
        // Who goes through Calico's API gets `types`. Without them Calico takes a policy to be for both directions.
        doubts.add(
            "without `types`, it depends on how it is applied in which directions it holds",
            object.span(),
            "what it does in the direction without rules is not known",
        );
        let or_unknown = |is: bool| if is { Match::Yes } else { Match::Unknown };
        return (or_unknown(ingress), or_unknown(egress));
    }
    (ingress.into(), egress.into())
}

impl Selector {
    /// Reads a selector where it is written; one that is not understood is said.
    pub(super) fn read(value: Value<'_>, of_scopes: bool, limits: &str, doubts: &mut Doubts) -> Self {
        let read = value.as_str().map(Self::parse).filter(|read| of_scopes || !read.names_global());
        let read = read.unwrap_or_else(Self::broken);
        if read.is_broken() {
            doubts.add("this selector is not understood", value.span(), limits);
        }
        read
    }
}
