//! What of roles and bindings was ignored or is not known, and how that limits answers.

use std::collections::BTreeMap;

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::{Kind, Value};

use super::eval::{MOST_AGGREGATED, Selections};
use super::{GROUP, Rbac, Role};
use crate::doubts::strangers;

/// Fields of `PolicyRule`.
const RULE_FIELDS: [&str; 5] = ["apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"];

/// The group in which OpenShift has kinds of the same names.
const OPENSHIFT: &str = "authorization.openshift.io";

/// Everything that makes answers about rights uncertain, in the order of places.
pub fn limits(manifests: &Manifests, rbac: &Rbac, default_namespace: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for kind in ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] {
        for object in manifests.by_kind(kind).filter(|object| object.group() == GROUP) {
            let identity = object.identity(default_namespace);
            match kind {
                "Role" | "ClusterRole" => role(object, &identity, &mut found),
                _ => binding(object, &identity, &mut found),
            }
        }
        for object in manifests.by_custom_kind(OPENSHIFT, kind) {
            let (kind, name) = (object.kind(), object.name());
            let message = format!("{kind} {name} is of {OPENSHIFT} and is not evaluated: what it allows is not known");
            found.push(Diagnostic::warning("role-not-evaluated", message).at(object.span()));
        }
    }
    found.extend(missing_roles(rbac));
    found.extend(aggregations(rbac));
    found.extend(too_large(rbac));
    found.sort_by_key(|diagnostic| diagnostic.span);
    found
}

fn role(object: Object<'_>, identity: &str, found: &mut Vec<Diagnostic>) {
    for rule in object.root().list("rules") {
        rule_fields(rule, identity, object.is_namespaced(), found);
    }
    if let Some(aggregation) = object.root().mapping("aggregationRule") {
        for selector in aggregation.list("clusterRoleSelectors") {
            found.extend(kubestride_manifest::LabelSelector::read(selector).diagnostics());
        }
        if object.root().list("rules").next().is_some() {
            let message = format!(
                "{identity} has rules beside its aggregationRule: the controller replaces them, so they are left out"
            );
            found.push(Diagnostic::warning("rules-replaced", message).at(object.span()));
        }
    }
}

fn rule_fields(rule: Value<'_>, identity: &str, of_namespace: bool, found: &mut Vec<Diagnostic>) {
    let mut warn = |code, message: String, span: Span| found.push(Diagnostic::warning(code, message).at(span));
    if rule.kind() != Kind::Mapping {
        warn("wrong-type", format!("a rule of {identity} must be a mapping: it is left out"), rule.span());
        return;
    }
    for entry in strangers(rule, &RULE_FIELDS) {
        let message =
            format!("rules have no field `{}`: it is left out, and the rule of {identity} holds without it", entry.key);
        warn("unknown-field", message, entry.key_span);
    }
    for key in RULE_FIELDS {
        let Some(value) = rule.field(key) else { continue };
        if value.kind() != Kind::Sequence || value.items().any(|item| item.scalar_text().is_none()) {
            let message = format!("`{key}` of a rule of {identity} must be a list of texts: what is none is left out");
            warn("wrong-type", message, value.span());
        }
    }
    let has = |key: &str| rule.list(key).next().is_some();
    if !has("verbs") {
        warn("rule-without-effect", format!("a rule of {identity} names no verbs: it allows nothing"), rule.span());
    } else if has("resources") && !has("apiGroups") {
        let message = format!(
            "a rule of {identity} names no apiGroups: it allows nothing, and the API server refuses it; the core group is \"\""
        );
        warn("rule-without-effect", message, rule.span());
    } else if !has("resources") && !has("nonResourceURLs") {
        warn("rule-without-effect", format!("a rule of {identity} names no resources: it allows nothing"), rule.span());
    }
    if of_namespace && has("nonResourceURLs") {
        let message = format!("{identity} is of a namespace, where nonResourceURLs allow nothing: they are left out");
        warn("rule-without-effect", message, rule.span());
    }
    // `*/scale` is a subresource of everything, `pods/*` is nothing.
    let half_wild = |item: &Value<'_>| item.scalar_text().is_some_and(|text| text.ends_with("/*"));
    if let Some(item) = rule.list("resources").find(half_wild) {
        let message =
            format!("a rule of {identity} names a resource that ends in `/*`, which is none: it allows nothing");
        warn("rule-without-effect", message, item.span());
    }
    let unnamed = |item: &Value<'_>| matches!(item.scalar_text(), Some("create" | "deletecollection"));
    if let Some(verb) = rule.list("verbs").find(unnamed)
        && has("resourceNames")
        && rule.list("resources").filter_map(Value::scalar_text).any(|resource| !resource.contains('/'))
    {
        let message = format!(
            "a rule of {identity} has resourceNames, with which this verb allows nothing: its request has no name to compare"
        );
        warn("rule-without-effect", message, verb.span());
    }
}

fn binding(object: Object<'_>, identity: &str, found: &mut Vec<Diagnostic>) {
    let mut warn = |code, message: String, span: Span| found.push(Diagnostic::warning(code, message).at(span));
    let reference = object.root().mapping("roleRef");
    let refers = match (reference.text("kind"), reference.text("name")) {
        (Some("ClusterRole"), Some(_)) => true,
        (Some("Role"), Some(_)) => object.is_namespaced(),
        _ => false,
    };
    if !refers {
        let message =
            format!("the roleRef of {identity} names no role that it can give: nothing is known of what it allows");
        warn("unknown-role", message, reference.map_or(object.span(), |value| value.span()));
    }
    for subject in object.root().list("subjects") {
        let wrong = match (subject.text("kind"), subject.text("name")) {
            (_, None) => "has no name",
            (Some("User" | "Group"), _) => continue,
            (Some("ServiceAccount"), _) if object.is_namespaced() => continue,
            (Some("ServiceAccount"), _) => match subject.text("namespace") {
                Some(namespace) if !namespace.is_empty() => continue,
                _ => "is a service account without a namespace",
            },
            _ => "is neither a User, a Group nor a ServiceAccount",
        };
        let message =
            format!("a subject of {identity} {wrong}: it is left out, and who has the role is not known in full");
        warn("unknown-subject", message, subject.span());
    }
}

/// Roles that bindings give and nobody knows, each said once.
fn missing_roles(rbac: &Rbac) -> Vec<Diagnostic> {
    let mut missing: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
    for reference in rbac.bindings().iter().filter_map(|binding| binding.role.as_ref()) {
        if rbac.role(&reference.identity).is_none() {
            missing.entry(&reference.identity).or_insert((reference.span, 0)).1 += 1;
        }
    }
    let say = |(identity, (span, bindings)): (&str, (Span, usize))| {
        let by = if bindings == 1 { String::new() } else { format!(" by {bindings} bindings") };
        let message = format!("{identity} is given{by} and is not in the input: what it allows is not known");
        let help = "add the role to the input; until then, what its holders may do is less than the truth";
        Diagnostic::warning("missing-role", message).at(span).with_help(help)
    };
    missing.into_iter().map(say).collect()
}

/// What is wrong with the aggregation of roles of the input.
fn aggregations(rbac: &Rbac) -> Vec<Diagnostic> {
    if !rbac.roles().any(|role| role.span.is_some() && role.aggregates.is_some()) {
        return Vec::new();
    }
    let selections = Selections::of(rbac);
    let followed = selections.roles().filter(|(_, role)| !rbac.too_large.contains(&role.identity));
    followed.filter_map(|(at, role)| aggregation(&selections, at, role)).collect()
}

/// Aggregated roles that were not followed, said once.
fn too_large(rbac: &Rbac) -> Option<Diagnostic> {
    let first = rbac.role(rbac.too_large.first()?)?;
    let others = match rbac.too_large.len() {
        1 => String::new(),
        n => format!(" and {} other roles", n - 1),
    };
    let message = format!(
        "{}{others} aggregate too much: {MOST_AGGREGATED} rules are taken over at most; what these roles allow is not known",
        first.identity
    );
    let diagnostic = Diagnostic::warning("too-much-aggregated", message);
    Some(first.span.into_iter().fold(diagnostic, |diagnostic, span| diagnostic.at(span)))
}

fn aggregation(selections: &Selections<'_>, first: usize, role: &Role) -> Option<Diagnostic> {
    let (span, _) = (role.span?, role.aggregates.as_ref()?);
    let mut todo: Vec<usize> = selections.others(first).collect();
    if todo.is_empty() {
        let message = format!("{} selects no ClusterRole of the input: what it allows is not known", role.identity);
        return Some(Diagnostic::warning("selects-no-role", message).at(span));
    }
    let mut seen = vec![false; selections.roles().count()];
    while let Some(at) = todo.pop() {
        if at == first {
            let message = format!(
                "{} selects itself through other aggregated roles: it gets the rules of all that are not aggregated; rules \
                 that once stood in the circle stay in it, and are not known",
                role.identity
            );
            return Some(Diagnostic::warning("aggregation-cycle", message).at(span));
        }
        if let Some(seen_here) = seen.get_mut(at)
            && !std::mem::replace(seen_here, true)
        {
            todo.extend(selections.others(at).filter(|other| seen.get(*other) == Some(&false)));
        }
    }
    None
}
