//! ValidatingAdmissionPolicy with its bindings, and Kyverno's policies of the same form.
//!
//! Fields: `admissionregistration.k8s.io/v1`, and <https://kyverno.io/docs/policy-types/validating-policy>.

use kubestride_manifest::{Field, LabelSelector, Manifests, Object};
use kubestride_source::Span;
use kubestride_yaml::Value;

use super::cel;
use super::kyverno::LEFT_ALONE;
use super::reach::{Clause, Reach, selector};
use super::{Action, AdmissionPolicies, Engine, Policy, Refused, Rule};

/// The group of Kyverno's policies of this form.
pub(super) const KYVERNO: &str = "policies.kyverno.io";
const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

pub(super) fn read(manifests: &Manifests, default: &str, all: &mut AdmissionPolicies) {
    let bindings: Vec<Object<'_>> = manifests.by_kind("ValidatingAdmissionPolicyBinding").collect();
    let policies: Vec<Object<'_>> = manifests.by_kind("ValidatingAdmissionPolicy").collect();
    for object in &policies {
        let bound = bindings.iter().filter(|b| b.spec().text("policyName") == Some(object.name()));
        let refuses = refuses(*object);
        let mut rules: Vec<Rule> = bound.map(|binding| bound_rule(*object, *binding, refuses, all)).collect();
        let identity = object.identity(default);
        if rules.is_empty() {
            let text =
                format!("no binding of the input puts {identity} into force: it counts as if it refused nothing");
            all.warn("unbound-policy", text, object.span());
            rules.push(rule(refuses, object.span(), Reach::default(), Action::Nothing, None));
        }
        let name = object.name().to_owned();
        all.policies.push(Policy {
            identity,
            name,
            namespace: None,
            span: object.span(),
            engine: Engine::ApiServer,
            rules,
        });
    }
    for binding in bindings {
        let named = binding.spec().text("policyName");
        if !policies.iter().any(|p| Some(p.name()) == named) {
            let text = format!(
                "the policy of {} is not in the input: what it refuses is not known",
                binding.identity(default)
            );
            all.warn("binding-without-policy", text, binding.span());
        }
    }
    for kind in ["ValidatingPolicy", "NamespacedValidatingPolicy"] {
        for object in manifests.by_custom_kind(KYVERNO, kind) {
            if let Some(policy) = of_kyverno(object, default, all) {
                all.policies.push(policy);
            }
        }
    }
}

/// What a policy refuses, by whichever binding. It costs most of all.
fn refuses(policy: Object<'_>) -> Refused {
    policy.spec().map(cel::refuses).unwrap_or_default()
}

fn rule(refuses: Refused, span: Span, reach: Reach, action: Action, action_span: Option<Span>) -> Rule {
    Rule { span, refuses, images: None, reach, action, action_span, overrides: Vec::new() }
}

fn bound_rule(object: Object<'_>, binding: Object<'_>, refuses: Refused, all: &mut AdmissionPolicies) -> Rule {
    let (spec, of_binding) = (object.spec(), binding.spec());
    let actions = of_binding.field("validationActions");
    let mut action = action(actions, Action::Unknown);
    let span = actions.map_or(binding.span(), Value::span);
    if action == Action::Unknown {
        let text = format!("the actions of {} are not known: it counts as if it refused nothing", binding.name());
        all.warn("unknown-failure-action", text, span);
    }
    if spec.field("paramKind").is_some() && of_binding.field("paramRef").is_none() {
        let text = format!("{} names no parameters, which its policy needs: what it does is not known", binding.name());
        all.warn("missing-parameters", text, binding.span());
        action = Action::Unknown;
    }
    let reach = both(clause(spec.field("matchConstraints"), true), clause(of_binding.field("matchResources"), false));
    rule(refuses, binding.span(), reach, action, Some(span))
}

/// A policy of Kyverno that has the form of a ValidatingAdmissionPolicy and needs no binding.
pub(super) fn of_kyverno(object: Object<'_>, default: &str, all: &mut AdmissionPolicies) -> Option<Policy> {
    let spec = object.spec()?;
    // Other modes ask it about something else than objects of Kubernetes.
    if spec.field("evaluation").text("mode").is_some_and(|mode| mode != "Kubernetes") {
        return None;
    }
    let identity = object.identity(default);
    let namespaced = object.kind().starts_with("Namespaced");
    let namespace = namespaced.then(|| object.effective_namespace(default).unwrap_or(default).to_owned());
    let mut policy = Policy {
        identity,
        name: object.name().to_owned(),
        namespace,
        span: object.span(),
        engine: Engine::Kyverno,
        rules: Vec::new(),
    };
    if !VERSIONS.contains(&object.version()) {
        let text = format!("{} is of a version that is not known: what it refuses is not known", policy.identity);
        all.warn("unknown-policy-version", text, object.span());
        return Some(policy);
    }
    let actions = spec.field("validationActions");
    let mut action = action(actions, Action::Denies);
    if action == Action::Unknown {
        let text = format!("the actions of {} are not known: it counts as if it refused nothing", policy.identity);
        all.warn("unknown-failure-action", text, actions.map_or(object.span(), Value::span));
    }
    if spec.field("evaluation").field("admission").flag("enabled") == Some(false) {
        action = Action::Reports;
    }
    let own = Clause { names: policy.namespace.clone().map(|n| vec![n]), ..Clause::default() };
    let mut reach = both(clause(spec.field("matchConstraints"), true), Some(own));
    reach.excludes.push(Clause { names: Some(LEFT_ALONE.map(str::to_owned).to_vec()), ..Clause::default() });
    policy.rules.push(rule(refuses(object), object.span(), reach, action, actions.map(Value::span)));
    Some(policy)
}

fn action(actions: Option<Value<'_>>, default: Action) -> Action {
    let Some(actions) = actions.filter(|list| !list.is_empty()) else { return default };
    let mut found = Action::Reports;
    for action in actions.items() {
        match action.scalar_text() {
            Some("Deny") => found = Action::Denies,
            Some("Warn" | "Audit") => {}
            _ => return Action::Unknown,
        }
    }
    found
}

/// What resources are meant: none if pods that are made are not among them. Without rules a policy means nothing, and a
/// binding all that its policy does.
fn clause(resources: Option<Value<'_>>, needs_rules: bool) -> Option<Clause> {
    let about_pods = |rule: Value<'_>| {
        let has = |key: &str, wanted: &[&str]| {
            rule.list(key).filter_map(Value::scalar_text).any(|text| wanted.contains(&text))
        };
        has("apiGroups", &["", "*"]) && has("resources", &["pods", "*", "*/*"]) && has("operations", &["CREATE", "*"])
    };
    let rules: Vec<Value<'_>> = resources.list("resourceRules").collect();
    let named = |rule: &Value<'_>| rule.list("resourceNames").next().is_some();
    let meant = rules.iter().any(|rule| about_pods(*rule)) || (rules.is_empty() && !needs_rules);
    let excluded = resources.list("excludeResourceRules").any(about_pods);
    let by_label = resources.field("objectSelector").is_some_and(|s| !LabelSelector::read(s).is_everything());
    let clause = Clause {
        names: None,
        selector: resources.and_then(selector),
        only_some: by_label || excluded || rules.iter().any(named),
    };
    meant.then_some(clause)
}

/// What two sets have in common.
fn both(one: Option<Clause>, other: Option<Clause>) -> Reach {
    let common = one.zip(other).map(|(one, other)| {
        let selector = match (one.selector, other.selector) {
            (Some(mut a), Some(b)) => {
                a.requirements.extend(b.requirements);
                Some(a)
            }
            (a, b) => a.or(b),
        };
        Clause { names: one.names.or(other.names), selector, only_some: one.only_some || other.only_some }
    });
    Reach { includes: common.into_iter().collect(), excludes: Vec::new() }
}
