//! Abilities that threats depend on.

use super::{Capabilities, Grant, power};

/// Lists the abilities once: the variants, their order and their documentation.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An ability that a threat depends on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $($(#[$doc])* $name,)*
        }

        impl Capability {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Capability] = &[$(Capability::$name),*];
        }
    };
}

capabilities! {
    /// All verbs on all resources.
    Everything,
    /// Read Secrets; `list` and `watch` show their contents too.
    ReadSecrets,
    /// Create pods, or controllers that create pods.
    CreatePods,
    /// Change pods or their controllers.
    ChangeWorkloads,
    /// Run commands in pods: exec, attach, ephemeral containers.
    Exec,
    /// Give itself more rights: escalate with changing roles, or bind with changing bindings.
    Escalate,
    /// Act as another user, group or service account.
    Impersonate,
    /// Request tokens of service accounts.
    IssueTokens,
    /// Create Secrets into which a token of a service account is put, and read or mount them.
    MakeTokenSecrets,
    /// Request client certificates and approve them itself.
    IssueCertificates,
    /// Reach the kubelet through `nodes/proxy`.
    ProxyNodes,
    /// Change admission webhooks or admission policies.
    ChangeAdmission,
    /// Register API servers, or change custom kinds and with them who converts their objects.
    ChangeApis,
    /// Delete events.
    DeleteEvents,
    /// Change labels of namespaces.
    ChangeNamespaces,
    /// Delete workloads, volumes or namespaces.
    DeleteData,
    /// Write ConfigMaps.
    WriteConfigMaps,
    /// Write the ConfigMaps of `kube-system` that components of the cluster follow.
    WriteSystemConfig,
    /// Create volumes of paths of the node and pods that use them.
    CreateVolumes,
    /// Decide on which nodes pods run: bind them, or drive them away from nodes that it closes.
    MovePods,
    /// Decide where the traffic of Services goes.
    RedirectServices,
    /// Reach ports of pods through the API server.
    ReachPods,
    /// Change policies of the network or of a mesh.
    ChangeNetworkRules,
    /// Change or delete policies about running processes.
    ChangeRuntimeRules,
}

/// What the holder of all these grants can do.
pub fn capabilities(grants: &[Grant<'_>]) -> Capabilities {
    Capabilities::new(Capability::ALL.iter().map(|capability| power::permission(grants, *capability)).collect())
}
