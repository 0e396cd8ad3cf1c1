//! Kinds of network policies by who enforces them.

/// Policies that a network plugin enforces together, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `NetworkPolicy` of Kubernetes.
    Kubernetes,
    /// `AdminNetworkPolicy`, `BaselineAdminNetworkPolicy` and `ClusterNetworkPolicy` of `policy.networking.k8s.io`.
    Admin,
    /// `CiliumNetworkPolicy` and `CiliumClusterwideNetworkPolicy`.
    Cilium,
    /// `NetworkPolicy` and `GlobalNetworkPolicy` of Calico.
    Calico,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kubernetes, Self::Admin, Self::Cilium, Self::Calico];

    /// What its policies are called together in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "network policies of Kubernetes",
            Self::Admin => "network policies of administrators",
            Self::Cilium => "network policies of Cilium",
            Self::Calico => "network policies of Calico",
        }
    }
}
