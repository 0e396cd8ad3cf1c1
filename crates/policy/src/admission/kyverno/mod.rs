//! Kyverno's ClusterPolicy and Policy of `kyverno.io`.
//!
//! Fields: <https://kyverno.io/docs/policy-types/cluster-policy/>.

mod conditions;
mod pattern;
mod query;
mod rules;

use std::collections::BTreeSet;

use kubestride_manifest::{Field, LabelSelector, Manifests, Object};
use kubestride_yaml::Value;

use super::reach::{Clause, Reach, texts};
use super::{Action, AdmissionPolicies, Engine, Policy, Rule, images};

const GROUP: &str = "kyverno.io";
/// Versions whose fields are known.
const VERSIONS: [&str; 4] = ["v1", "v2beta1", "v2", "v2alpha1"];
/// Namespaces that Kyverno leaves alone unless its configuration says otherwise.
pub(super) const LEFT_ALONE: [&str; 4] = ["kyverno", "kube-system", "kube-public", "kube-node-lease"];

/// Most rules of one policy that are read.
const MAX_RULES: usize = 200;

pub(super) fn read(manifests: &Manifests, default: &str, all: &mut AdmissionPolicies) {
    let exceptions: Vec<Object<'_>> = manifests.by_custom_kind(GROUP, "PolicyException").collect();
    for kind in ["ClusterPolicy", "Policy"] {
        for object in manifests.by_custom_kind(GROUP, kind) {
            let namespace =
                (kind == "Policy").then(|| object.effective_namespace(default).unwrap_or_default().to_owned());
            let mut policy = Policy {
                identity: object.identity(default),
                name: object.name().to_owned(),
                namespace,
                span: object.span(),
                engine: Engine::Kyverno,
                rules: Vec::new(),
            };
            if VERSIONS.contains(&object.version()) {
                policy.rules = rules_of(object, &policy, &exceptions, all);
                if policy.rules.is_empty() && changes_only(object) {
                    // It changes or makes objects, and refuses none.
                    continue;
                }
            } else {
                let text =
                    format!("{} is of a version that is not known: what it refuses is not known", policy.identity);
                all.warn("unknown-policy-version", text, object.span());
            }
            all.policies.push(policy);
        }
    }
}

/// Whether no rule validates anything.
fn changes_only(object: Object<'_>) -> bool {
    let mut rules = object.spec().list("rules").peekable();
    rules.peek().is_some() && rules.all(|r| ["mutate", "generate"].iter().any(|key| r.field(key).is_some()))
}

fn rules_of(object: Object<'_>, policy: &Policy, exceptions: &[Object<'_>], all: &mut AdmissionPolicies) -> Vec<Rule> {
    let Some(spec) = object.spec() else { return Vec::new() };
    let mut rules = Vec::new();
    for rule in spec.list("rules").take(MAX_RULES) {
        let (validate, verify) = (rule.field("validate"), rule.field("verifyImages"));
        if validate.is_none() && verify.is_none() {
            continue;
        }
        let mut reach = reach(rule, policy.namespace.as_deref());
        // Kyverno stops at the first rule that applies.
        let first_only = spec.text("applyRules") == Some("One") && !rules.is_empty();
        if first_only || exceptions.iter().any(|e| excepts(*e, policy, rule.text("name"))) {
            reach.includes.iter_mut().for_each(|clause| clause.only_some = true);
        }
        let stated = validate
            .field("failureAction")
            .or_else(|| verify.and_then(|v| v.items().find_map(|v| v.field("failureAction"))));
        let stated = stated.or_else(|| spec.field("validationFailureAction"));
        let (mut action, action_span) = (stated.map_or(Action::Reports, action), stated.map(Value::span));
        if action == Action::Unknown {
            let text = format!(
                "{} does something on failure that is not known: it counts as if it refused nothing",
                policy.identity
            );
            all.warn("unknown-failure-action", text, action_span.unwrap_or(policy.span));
        }
        // Not asked when objects are made, only when what is there is looked through.
        if spec.flag("admission") == Some(false) {
            action = Action::Reports;
        }
        let own = validate.list("failureActionOverrides").collect::<Vec<_>>();
        let overrides = own.into_iter().chain(spec.list("validationFailureActionOverrides"));
        rules.push(Rule {
            span: rule.field("name").unwrap_or(rule).span(),
            refuses: validate.map(|v| rules::refuses(rule, v)).unwrap_or_default(),
            images: verify.and_then(images::of_kyverno),
            reach,
            action,
            action_span,
            overrides: overrides
                .map(|o| (o.field("action").map_or(Action::Unknown, self::action), override_reach(o)))
                .collect(),
        });
    }
    if spec.list("rules").nth(MAX_RULES).is_some() {
        let text = format!("{} has more than {MAX_RULES} rules: what the others refuse is not known", policy.identity);
        all.warn("too-many-rules", text, policy.span);
    }
    rules
}

/// `Enforce` and `Audit`, formerly in small letters.
fn action(value: Value<'_>) -> Action {
    match value.as_str() {
        Some("Enforce" | "enforce") => Action::Denies,
        Some("Audit" | "audit") => Action::Reports,
        _ => Action::Unknown,
    }
}

fn override_reach(value: Value<'_>) -> Reach {
    let clause = Clause {
        names: texts(value.field("namespaces")),
        selector: value.field("namespaceSelector").map(LabelSelector::read),
        only_some: false,
    };
    Reach { includes: vec![clause], excludes: Vec::new() }
}

/// Whether an exception is about a rule of a policy. For whom is not looked at: what may be let through is not refused.
fn excepts(exception: Object<'_>, policy: &Policy, rule: Option<&str>) -> bool {
    exception.spec().list("exceptions").any(|e| {
        let named = e.text("policyName").is_some_and(|name| name.rsplit('/').next() == Some(policy.name.as_str()));
        let rules: BTreeSet<&str> = e.list("ruleNames").filter_map(Value::scalar_text).collect();
        named && (rules.is_empty() || rule.is_none_or(|rule| rules.iter().any(|r| super::reach::wildcard(r, rule))))
    })
}

/// The pods to which a rule applies.
fn reach(rule: Value<'_>, namespace: Option<&str>) -> Reach {
    let (matched, excluded) = (rule.field("match"), rule.field("exclude"));
    let mut includes: Vec<Clause> = clauses(matched).filter(|(pods, _)| *pods).map(|(_, clause)| clause).collect();
    if matched.list("all").count() > 1 {
        includes.iter_mut().for_each(|clause| clause.only_some = true);
    }
    let mut excludes: Vec<Clause> = clauses(excluded).filter(|(pods, _)| *pods).map(|(_, clause)| clause).collect();
    excludes.push(Clause { names: Some(LEFT_ALONE.map(str::to_owned).to_vec()), ..Clause::default() });
    if let Some(namespace) = namespace {
        // A Policy is about its own namespace, whatever its rules name.
        let own = Clause { names: Some(vec![namespace.to_owned()]), ..Clause::default() };
        let named =
            |c: &Clause| c.names.as_ref().is_none_or(|n| n.iter().any(|n| super::reach::wildcard(n, namespace)));
        includes.retain(named);
        includes.iter_mut().for_each(|clause| clause.names.clone_from(&own.names));
    }
    Reach { includes, excludes }
}

/// The parts of `match` or `exclude`: whether they are about pods, and where.
fn clauses<'a>(filter: Option<Value<'a>>) -> impl Iterator<Item = (bool, Clause)> + use<'a> {
    // The oldest form has the resources themselves where `any` stands now.
    let oldest = filter.filter(|f| f.field("resources").is_some());
    let parts =
        oldest.into_iter().chain(filter.list("any").collect::<Vec<_>>()).chain(filter.list("all").collect::<Vec<_>>());
    parts.map(|part| {
        let resources = part.field("resources");
        let kinds: Vec<&str> = resources.list("kinds").filter_map(Value::scalar_text).collect();
        let pods =
            kinds.is_empty() || kinds.iter().any(|kind| matches!(kind.rsplit('/').next(), Some("Pod" | "*" | "P*d")));
        let narrower = ["name", "names", "selector", "annotations"].iter().any(|key| match resources.field(key) {
            Some(value) => value.scalar_text() != Some("*") && !value.items().any(|v| v.scalar_text() == Some("*")),
            None => false,
        });
        let of_users = ["subjects", "roles", "clusterRoles"].iter().any(|key| part.field(key).is_some());
        let operations: Vec<&str> = resources.list("operations").filter_map(Value::scalar_text).collect();
        let when_made = operations.is_empty() || operations.contains(&"CREATE");
        let clause = Clause {
            names: texts(resources.field("namespaces")),
            selector: resources.field("namespaceSelector").map(LabelSelector::read),
            only_some: narrower || of_users || !when_made,
        };
        (pods, clause)
    })
}
