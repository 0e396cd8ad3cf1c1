//! Names that outlive a change: of objects, and of references to them.

use crate::Object;

/// Groups of Kubernetes itself; kinds of other groups are named with their group.
const OWN_GROUPS: [&str; 18] = [
    "", "apps", "batch", "autoscaling", "policy", "extensions", "networking.k8s.io", "rbac.authorization.k8s.io",
    "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
    "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "node.k8s.io", "certificates.k8s.io",
];

const CLUSTER_SCOPED: [(&str, &str); 25] = [
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("node.k8s.io", "RuntimeClass"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("networking.k8s.io", "IngressClass"),
    ("policy", "PodSecurityPolicy"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
];

/// Whether objects of a kind live outside namespaces. Kinds of other groups are told by their names.
pub(crate) fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&(group, kind))
        || (!OWN_GROUPS.contains(&group) && (kind.starts_with("Cluster") && kind != "Cluster"))
}

/// A name without the hash that kustomize adds to generated ConfigMaps and Secrets. References are treated alike.
///
/// The hash has ten characters of `bcdfghkmt2456789` (kustomize, `api/hasher`).
pub fn stable_name<'n>(kind: &str, name: &'n str) -> &'n str {
    if !matches!(kind, "ConfigMap" | "Secret") {
        return name;
    }
    match name.rsplit_once('-') {
        Some((stem, hash)) if is_hash(hash) && !stem.is_empty() => stem,
        _ => name,
    }
}

fn is_hash(text: &str) -> bool {
    // A word such as `background` would need letters that the alphabet has not; digits make sure that it is none.
    text.len() == 10
        && text.bytes().all(|b| b"bcdfghkmt2456789".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit())
}

/// The name to show: of generated names the prefix and `*`.
pub fn display_name(object: Object<'_>) -> String {
    let name = stable_name(object.kind(), object.name());
    if object.is_generated() { format!("{name}*") } else { name.to_owned() }
}

pub(crate) fn of(object: &Object<'_>, default_namespace: &str) -> String {
    let group = object.group();
    let kind = if OWN_GROUPS.contains(&group) {
        object.kind().to_owned()
    } else {
        format!("{}.{group}", object.kind())
    };
    let name = display_name(*object);
    match object.effective_namespace(default_namespace) {
        "" => format!("{kind}/{name}"),
        namespace => format!("{kind}/{namespace}/{name}"),
    }
}
