//! The closed sets of the diagram. Their names are those of the JSON output.

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant),*
        }

        impl $name {
            /// The name in outputs.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text),*
                }
            }
        }
    };
}

named! {
    /// The three kinds of DFD elements.
    ElementKind {
        /// Runs code: drawn as an ellipse.
        Process = "process",
        /// A party outside the modelled system: drawn as a rectangle.
        External = "external",
        /// Keeps data: drawn as parallel lines.
        Store = "store",
    }
}

named! {
    /// Why data moves.
    FlowKind {
        /// A network connection between workloads, or between a workload and an outside party.
        Traffic = "traffic",
        /// Reachable from outside the cluster.
        Exposure = "exposure",
        /// A workload reads or writes a store.
        Store = "store",
        /// A workload or a person calls the Kubernetes API.
        Api = "api",
        /// An image comes from a registry.
        Supply = "supply",
        /// A name is resolved.
        Dns = "dns",
        /// The kubelet probes a container.
        Probe = "probe",
    }
}

named! {
    /// What a workload may do with a store.
    Access {
        /// Reads only.
        Read = "read",
        /// Writes only.
        Write = "write",
        /// Reads and writes.
        ReadWrite = "read-write",
    }
}

named! {
    /// How sure it is that a flow exists.
    Confidence {
        /// A hint: a name that fits, a shared configuration.
        Possible = "possible",
        /// An address is configured, but its use is not proven.
        Likely = "likely",
        /// The manifests say so.
        Certain = "certain",
    }
}

named! {
    /// The operational borders that trust boundaries stand for.
    BoundaryKind {
        /// Parties outside.
        Internet = "internet",
        /// The account that holds the cluster.
        CloudAccount = "cloud-account",
        /// The cluster.
        Cluster = "cluster",
        /// API server and its kind.
        ControlPlane = "control-plane",
        /// What belongs to nodes: host paths, sockets, kubelet, metadata service.
        Node = "node",
        /// Drawn by a person, who knows what it stands for.
        Drawn = "drawn",
        /// A namespace.
        Namespace = "namespace",
        /// One workload.
        Workload = "workload",
    }
}
