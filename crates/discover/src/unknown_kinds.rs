//! Kinds of objects of which nothing is known.

use kubestride_manifest::{Manifests, Object};
use kubestride_source::Diagnostic;

/// Kinds, by group, that are known and read only where another object needs them: a Component where a workload has
/// Dapr's sidecar, a ReferenceGrant where a route leads into another namespace. Without one they do nothing, or nothing
/// that a model shows.
const WHERE_NEEDED: [(&str, &str); 9] = [
    ("apiserver.config.k8s.io", "EncryptionConfiguration"),
    ("cilium.io", "CiliumCIDRGroup"),
    ("config.gatekeeper.sh", "Config"),
    ("dapr.io", "Component"),
    ("dapr.io", "Configuration"),
    ("gateway.networking.k8s.io", "ReferenceGrant"),
    ("monitoring.coreos.com", "AlertmanagerConfig"),
    ("operator.victoriametrics.com", "VMUser"),
    ("templates.gatekeeper.sh", "ConstraintTemplate"),
];

/// Custom kinds that nothing here knows, each said once, when everybody has asked for what they know.
pub(crate) fn not_read(manifests: &Manifests) -> Vec<Diagnostic> {
    let is_known = |object: &Object<'_>| {
        let kind = (object.group(), object.kind());
        // Gatekeeper makes a kind for each of its templates; what is behind it is read by group.
        kind.0 == "constraints.gatekeeper.sh" || WHERE_NEEDED.contains(&kind)
    };
    let unknown = manifests.never_asked_for().filter(|(object, _)| !is_known(object));
    let say = |(object, count): (Object<'_>, usize)| {
        let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
        let is_name =
            |text: &str| text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        let kind = if is_name(object.kind()) && is_name(object.group()) {
            format!("the kind {} of {}", object.kind(), object.group())
        } else {
            "a kind".to_owned()
        };
        let message = format!("{objects} of {kind}, which is not known here: what they do is not in the model");
        Diagnostic::note("unknown-kind", message).at(object.span())
    };
    unknown.map(say).collect()
}
