//! What is known about kinds: their groups, whether they live in a namespace, and names that tools generate.

/// The API groups of Kubernetes itself; the core group is the empty one.
const GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Kinds of Kubernetes that live in a namespace.
const NAMESPACED: &[&str] = &[
    "ConfigMap",
    "ControllerRevision",
    "CSIStorageCapacity",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Lease",
    "LimitRange",
    "LocalSubjectAccessReview",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// Kinds of Kubernetes that belong to the cluster.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "SelfSubjectAccessReview",
    "SelfSubjectReview",
    "SelfSubjectRulesReview",
    "ServiceCIDR",
    "StorageClass",
    "SubjectAccessReview",
    "TokenReview",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

/// Well-known custom kinds that belong to the cluster although their names do not start with `Cluster`.
const CUSTOM_CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("AdminNetworkPolicy", "policy.networking.k8s.io"),
    ("BGPConfiguration", "crd.projectcalico.org"),
    ("BGPPeer", "crd.projectcalico.org"),
    ("BaselineAdminNetworkPolicy", "policy.networking.k8s.io"),
    ("CiliumCIDRGroup", "cilium.io"),
    ("CiliumClusterwideNetworkPolicy", "cilium.io"),
    ("CiliumNode", "cilium.io"),
    ("EC2NodeClass", "karpenter.k8s.aws"),
    ("ConstraintTemplate", "templates.gatekeeper.sh"),
    ("FelixConfiguration", "crd.projectcalico.org"),
    ("GatewayClass", "gateway.networking.k8s.io"),
    ("GlobalNetworkPolicy", "crd.projectcalico.org"),
    ("GlobalNetworkPolicy", "projectcalico.org"),
    ("GlobalNetworkSet", "crd.projectcalico.org"),
    ("GlobalNetworkSet", "projectcalico.org"),
    ("HostEndpoint", "crd.projectcalico.org"),
    ("HostEndpoint", "projectcalico.org"),
    ("IPPool", "crd.projectcalico.org"),
    ("ImageValidatingPolicy", "policies.kyverno.io"),
    ("Installation", "operator.tigera.io"),
    ("KubeArmorClusterPolicy", "security.kubearmor.com"),
    ("KubeArmorHostPolicy", "security.kubearmor.com"),
    ("KubeArmorNetworkPolicy", "security.kubearmor.com"),
    ("NodePool", "karpenter.sh"),
    ("Provider", "pkg.crossplane.io"),
    ("SecurityContextConstraints", "security.openshift.io"),
    ("StagedGlobalNetworkPolicy", "crd.projectcalico.org"),
    ("StagedGlobalNetworkPolicy", "projectcalico.org"),
    ("Tier", "crd.projectcalico.org"),
    ("Tier", "projectcalico.org"),
    ("TracingPolicy", "cilium.io"),
    ("ValidatingPolicy", "policies.kyverno.io"),
    ("VolumeSnapshotClass", "snapshot.storage.k8s.io"),
    ("VolumeSnapshotContent", "snapshot.storage.k8s.io"),
];

/// Whether an API group is one of Kubernetes itself. `gateway.networking.k8s.io` is not: its kinds are installed.
pub fn is_kubernetes_group(group: &str) -> bool {
    GROUPS.contains(&group)
}

/// Whether the fields of a kind are known: kinds of Kubernetes itself, of Istio and of the Gateway API. Not those that
/// carry configuration of any form for something else.
pub fn is_known_kind(group: &str, kind: &str) -> bool {
    if matches!(kind, "EnvoyFilter" | "WasmPlugin") {
        return false;
    }
    let mesh = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "gateway.networking.k8s.io"];
    mesh.contains(&group)
        || (is_kubernetes_group(group) && (NAMESPACED.contains(&kind) || CLUSTER_SCOPED.contains(&kind)))
}

/// Whether objects of a kind live in a namespace, as far as that is known without its CustomResourceDefinition.
/// Most custom kinds do, so an unknown one does too.
pub(crate) fn is_namespaced(group: &str, kind: &str) -> bool {
    if is_kubernetes_group(group) {
        return !CLUSTER_SCOPED.contains(&kind);
    }
    // Gatekeeper makes a kind for each of its templates.
    if group == "constraints.gatekeeper.sh" {
        return false;
    }
    // ClusterIssuer, ClusterPolicy, ClusterSecretStore and the like; cluster-api's `Cluster` itself is namespaced.
    let named_so = kind.strip_prefix("Cluster").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let exception = group.ends_with("cluster.x-k8s.io");
    !((named_so && !exception) || CUSTOM_CLUSTER_SCOPED.contains(&(kind, group)))
}

/// The name of an object without the hash that kustomize adds to generated ConfigMaps and Secrets (`-` and ten
/// characters of `bcdfghkmt2456789`), which changes with the content. References to them are treated alike.
pub fn stable_name<'a>(kind: &str, name: &'a str) -> &'a str {
    if !matches!(kind, "ConfigMap" | "Secret") {
        return name;
    }
    match name.rsplit_once('-') {
        Some((base, hash)) if !base.is_empty() && hash.len() == 10 && hash.bytes().all(is_hash_byte) => base,
        _ => name,
    }
}

/// The alphabet of kustomize's hashes, which avoids vowels and characters that look alike.
fn is_hash_byte(byte: u8) -> bool {
    b"bcdfghkmt2456789".contains(&byte)
}
