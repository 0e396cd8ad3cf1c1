//! Kinds of network policies by who enforces them, and what else decides which of them hold.

use crate::Version;

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
    /// The family that the catalogue of technologies calls so.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "kubernetes" => Some(Self::Kubernetes),
            "admin" => Some(Self::Admin),
            "cilium" => Some(Self::Cilium),
            "calico" => Some(Self::Calico),
            _ => None,
        }
    }
}

/// What else decides which network policies hold.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The version of Kubernetes, which serves some versions of objects and others not.
    pub kubernetes: Version,
    /// Families of which it is shown that nobody enforces them.
    pub ignored: Vec<Family>,
}

impl Circumstances {
    /// Whether somebody may enforce the policies of a family.
    pub(crate) fn holds(&self, family: Family) -> bool {
        !self.ignored.contains(&family)
    }
}

/// The newest version, and nothing is known of who enforces policies.
impl Default for Circumstances {
    fn default() -> Self {
        Self { kubernetes: Version::NEWEST, ignored: Vec::new() }
    }
}
