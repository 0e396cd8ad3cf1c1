//! Policies of the mesh to plain types.

use kubestride_manifest::{Field, LabelSelector, Labels, Manifests, Object, PortRef};
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::{Action, AuthorizationPolicy, AuthorizationRule, GROUP, Mesh, Mode, MutualTls, PeerAuthentication};
use crate::Cited;

impl Mesh {
    /// Reads all PeerAuthentications and AuthorizationPolicies.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut authentications: Vec<_> = manifests
            .by_custom_kind(GROUP, "PeerAuthentication")
            .map(|object| authentication(object, default_namespace))
            .collect();
        let mut authorizations: Vec<_> = manifests
            .by_custom_kind(GROUP, "AuthorizationPolicy")
            .map(|object| authorization(object, default_namespace))
            .collect();
        authentications.sort_by(|a, b| a.cited.cmp(&b.cited));
        authorizations.sort_by(|a, b| a.cited.cmp(&b.cited));
        Self { authentications, authorizations }
    }
}

fn cite(object: Object<'_>, default_namespace: &str) -> Cited {
    Cited { identity: object.identity(default_namespace), span: object.span() }
}

/// Istio's selectors have `matchLabels` only. One without labels is for all workloads.
fn workloads(spec: Option<Value<'_>>) -> Option<LabelSelector> {
    let labels = Labels::read(spec.field("selector").mapping("matchLabels"));
    (!labels.is_empty()).then(|| LabelSelector::from_labels(&labels))
}

fn authentication(object: Object<'_>, default_namespace: &str) -> PeerAuthentication {
    let spec = object.spec();
    let ports = spec.mapping("portLevelMtls").into_iter().flat_map(Value::entries);
    PeerAuthentication {
        cited: cite(object, default_namespace),
        namespace: object.namespace().unwrap_or(default_namespace).to_owned(),
        workloads: workloads(spec),
        mode: mode(spec.field("mtls"), object.span()),
        ports: ports.filter_map(|e| Some((e.key.parse().ok()?, mode(Some(e.value), e.key_span)))).collect(),
    }
}

fn mode(mtls: Option<Value<'_>>, elsewhere: Span) -> Mode {
    let mutual_tls = match mtls.text("mode") {
        Some("STRICT") => Some(MutualTls::Strict),
        Some("PERMISSIVE") => Some(MutualTls::Permissive),
        Some("DISABLE") => Some(MutualTls::Disabled),
        _ => None,
    };
    Mode { mutual_tls, span: mtls.field("mode").map_or(elsewhere, Value::span) }
}

fn authorization(object: Object<'_>, default_namespace: &str) -> AuthorizationPolicy {
    let spec = object.spec();
    AuthorizationPolicy {
        cited: cite(object, default_namespace),
        namespace: object.namespace().unwrap_or(default_namespace).to_owned(),
        workloads: workloads(spec),
        has_targets: spec.list("targetRefs").next().is_some() || spec.field("targetRef").is_some(),
        action: match spec.text("action") {
            Some("DENY") => Action::Deny,
            Some("AUDIT") => Action::Audit,
            Some("CUSTOM") => Action::Custom,
            _ => Action::Allow,
        },
        rules: spec.list("rules").map(rule).collect(),
    }
}

fn rule(value: Value<'_>) -> AuthorizationRule {
    let has = |key: &str| value.field(key).is_some_and(|list| list.kind() != Kind::Sequence || !list.is_empty());
    let sources = |key: &str| {
        let names = value.list("from").flat_map(|from| from.field("source").list(key).collect::<Vec<_>>());
        names.filter_map(|name| Some((name.scalar_text()?.to_owned(), name.span()))).collect()
    };
    let ports = value.list("to").flat_map(|to| to.field("operation").list("ports").collect::<Vec<_>>());
    let number = |port| match PortRef::read(port) {
        Some(PortRef::Number(number)) => Some(number),
        _ => None,
    };
    AuthorizationRule {
        fits_all: !has("from") && !has("to") && !has("when"),
        principals: sources("principals"),
        namespaces: sources("namespaces"),
        ports: ports.filter_map(number).collect(),
        span: value.span(),
    }
}
