//! Environment variables of a container.

use kubestride_source::Span;
use kubestride_yaml::Value;

use crate::Field;

/// What an environment variable, or a whole set of them, is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvSourceKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
    /// A field of the pod.
    Field,
    /// A resource request or limit of a container.
    Resource,
}

/// `EnvVarSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvSource<'a> {
    /// What it is.
    pub kind: EnvSourceKind,
    /// The name of the ConfigMap or Secret; empty for the pod itself.
    pub name: &'a str,
    /// The key in it, the path of the field, or the resource.
    pub key: &'a str,
    /// Whether it may be missing.
    pub optional: bool,
    /// Where it stands: the name, else the whole reference.
    pub span: Span,
}

/// `EnvVar`.
#[derive(Debug, Clone, Copy)]
pub struct EnvVar<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, if it is written here.
    pub value: Option<Value<'a>>,
    /// What it is taken from otherwise.
    pub source: Option<EnvSource<'a>>,
    /// Where its name stands.
    pub span: Span,
}

/// `EnvFromSource`: all entries of a ConfigMap or Secret become variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvFrom<'a> {
    /// [`EnvSourceKind::ConfigMap`] or [`EnvSourceKind::Secret`].
    pub kind: EnvSourceKind,
    /// The name of the ConfigMap or Secret.
    pub name: &'a str,
    /// What is put before each key; empty if nothing is.
    pub prefix: &'a str,
    /// Whether it may be missing.
    pub optional: bool,
    /// Where its name stands.
    pub span: Span,
}

pub(crate) fn read_var(entry: Value<'_>) -> Option<EnvVar<'_>> {
    let name = entry.field("name")?;
    let value = entry.field("value").filter(|value| value.scalar_text().is_some());
    let source = entry.field("valueFrom").and_then(read_source);
    Some(EnvVar { name: name.scalar_text()?, value, source, span: name.span() })
}

fn read_source(from: Value<'_>) -> Option<EnvSource<'_>> {
    let kinds = [
        ("secretKeyRef", EnvSourceKind::Secret, "key"),
        ("configMapKeyRef", EnvSourceKind::ConfigMap, "key"),
        ("fieldRef", EnvSourceKind::Field, "fieldPath"),
        ("resourceFieldRef", EnvSourceKind::Resource, "resource"),
    ];
    kinds.into_iter().find_map(|(field, kind, key)| {
        let reference = from.field(field)?;
        Some(EnvSource {
            kind,
            name: reference.text("name").unwrap_or(""),
            key: reference.text(key).unwrap_or(""),
            optional: reference.flag("optional").unwrap_or(false),
            span: reference.field("name").unwrap_or(reference).span(),
        })
    })
}

pub(crate) fn read_from(entry: Value<'_>) -> Option<EnvFrom<'_>> {
    let kinds = [("secretRef", EnvSourceKind::Secret), ("configMapRef", EnvSourceKind::ConfigMap)];
    kinds.into_iter().find_map(|(field, kind)| {
        let reference = entry.field(field)?;
        let name = reference.field("name")?;
        Some(EnvFrom {
            kind,
            name: name.scalar_text()?,
            prefix: entry.text("prefix").unwrap_or(""),
            optional: reference.flag("optional").unwrap_or(false),
            span: name.span(),
        })
    })
}
