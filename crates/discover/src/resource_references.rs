//! Secrets, ConfigMaps and volumes that a custom resource names for the pods that an operator makes from it.
//!
//! Resources of different operators name them in much the same way: with the types of Kubernetes (`secretKeyRef`,
//! volumes, `SecretKeySelector`), or with a field that ends in `Secret` or `secretName`. A text in a field such as
//! `clientSecret` may be the secret itself, so only fields that are known to hold names are read as names.

use kubestride_source::Span;
use kubestride_yaml::Value;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    Secret(&'a str),
    ConfigMap(&'a str),
    Claim(&'a str),
    HostPath(&'a str),
}

/// A place where something is named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'a> {
    pub(crate) named: Named<'a>,
    /// The field that names it.
    pub(crate) field: &'a str,
    /// The one entry that is used, if it is said.
    pub(crate) key: Option<&'a str>,
    pub(crate) span: Span,
}

/// Parts of resources that are not for the pods themselves: images and how they are built, routes from outside, and
/// what others are given.
const OTHERS: [&str; 7] =
    ["imagePullSecrets", "imagePullSecret", "build", "ingress", "pushSecret", "metadata", "selector"];
/// Fields with the name of a Secret, beside those that end in `secretName`.
const NAMES: [&str; 6] = ["caSecret", "configSecret", "credentialsSecret", "existingSecret", "secretPath", "tlsSecret"];
const MAX_DEPTH: usize = 24;

/// All references in the specification of a resource.
pub(crate) fn references(spec: Value<'_>) -> Vec<Reference<'_>> {
    let mut out = Vec::new();
    walk("", spec, 0, &mut out);
    out
}

fn walk<'a>(key: &'a str, value: Value<'a>, depth: usize, out: &mut Vec<Reference<'a>>) {
    if depth > MAX_DEPTH || OTHERS.contains(&key) {
        return;
    }
    if let Some(reference) = named(key, value) {
        out.push(reference);
        return;
    }
    for entry in value.entries() {
        walk(entry.key, entry.value, depth + 1, out);
    }
    for item in value.items() {
        if let Some(reference) = item_of(key, item) {
            out.push(reference);
        } else {
            walk(key, item, depth + 1, out);
        }
    }
}

fn text<'a>(value: Value<'a>, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|name| is_name(name))
}

/// Whether a text can be the name of an object (RFC 1123 subdomain).
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !text.is_empty() && text.len() <= 253 && text.chars().all(fits)
}

fn named<'a>(key: &'a str, value: Value<'a>) -> Option<Reference<'a>> {
    let lower = key.to_ascii_lowercase();
    let used = value.get("key").and_then(|k| k.as_str());
    let reference = |named| Some(Reference { named, field: key, key: used, span: value.span() });
    if let Some(name) = value.as_str() {
        let is_secret = lower.ends_with("secretname") || NAMES.contains(&key);
        return if is_secret && is_name(name) { reference(Named::Secret(name)) } else { None };
    }
    match key {
        "hostPath" => return reference(Named::HostPath(value.get("path")?.as_str()?)),
        "persistentVolumeClaim" => return reference(Named::Claim(text(value, "claimName")?)),
        "configMap" | "configMapRef" | "configMapKeyRef" => return reference(Named::ConfigMap(text(value, "name")?)),
        "secretRef" | "secretKeyRef" => return reference(Named::Secret(text(value, "name")?)),
        _ => {}
    }
    // `SecretKeySelector` under a name of its own.
    let is_selector = used.is_some() && value.entries().all(|e| matches!(e.key, "name" | "key" | "optional"));
    // Rules of relabelling are no secret; VictoriaMetrics' operator keeps them in ConfigMaps.
    // <https://docs.victoriametrics.com/operator/api/#vmagentspec>
    if is_selector && (lower.contains("configmap") || lower.ends_with("relabelconfig")) {
        return reference(Named::ConfigMap(text(value, "name")?));
    }
    if is_selector || lower.ends_with("secret") { reference(Named::Secret(text(value, "name")?)) } else { None }
}

/// Lists of names, and the templates of claims.
fn item_of<'a>(key: &'a str, item: Value<'a>) -> Option<Reference<'a>> {
    let reference = |named| Some(Reference { named, field: key, key: None, span: item.span() });
    match (key, item.as_str().filter(|name| is_name(name))) {
        ("secrets", Some(name)) => reference(Named::Secret(name)),
        ("configMaps", Some(name)) => reference(Named::ConfigMap(name)),
        ("volumeClaimTemplates", None) => reference(Named::Claim(text(item.get("metadata")?, "name")?)),
        _ => None,
    }
}
