//! The named values of attributes.

use crate::Choice;

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant),*
        }

        impl Choice for $name {
            const NAMES: &'static [&'static str] = &[$($text),*];
            fn position(self) -> u8 {
                self as u8
            }
        }
    )*};
}

choices! {
    /// A yes-or-no question.
    YesNo {
        /// It is so.
        Yes = "Yes",
        /// It is not so.
        No = "No",
    }

    /// How what is declared and what was seen at run time agree.
    Observed {
        /// Declared and seen.
        Confirmed = "Confirmed",
        /// Seen, and nothing declares it.
        OnlySeen = "Only seen",
        /// Declared, and not seen as long as somebody looked.
        NeverSeen = "Never seen",
    }

    /// What network policies say about a connection, seen from both ends.
    PolicyVerdict {
        /// Rules let it through.
        Allowed = "Allowed",
        /// Policies stop it.
        Denied = "Denied",
        /// No policy is about it.
        Unrestricted = "Unrestricted",
    }

    /// What the policies of a mesh say about a connection.
    MeshVerdict {
        /// Rules let it through.
        Allowed = "Allowed",
        /// Policies stop it.
        Denied = "Denied",
        /// No policy is about it, or it goes around the proxy of the target.
        Unrestricted = "Unrestricted",
        /// Some requests get through, others may not.
        Partly = "Some requests",
        /// Nothing says that there is a mesh.
        NoMesh = "No mesh",
    }

    /// How closely policies of a mesh name a caller that they let through.
    CallerNamed {
        /// Others get through as well, or nobody does.
        No = "No",
        /// Callers from other namespaces are stopped.
        Namespace = "Namespace",
        /// Callers with another service account are stopped.
        Account = "Service account",
    }

    /// Whom policies of a mesh let through to a workload.
    MeshAdmits {
        /// Everybody, or there is no mesh.
        Everybody = "Everybody",
        /// All members of the mesh.
        Members = "Members of the mesh",
        /// Those that policies name, or nobody.
        Named = "Named callers",
    }

    /// What becomes of requests without a token.
    TokenCheck {
        /// Nobody looks at tokens.
        None = "None",
        /// Tokens that are there are checked; requests without one are let through.
        IfPresent = "If present",
        /// A policy asks for a token, for some requests at least.
        Demanded = "Demanded",
    }

    /// What goes around the mesh of the namespace.
    MeshBypass {
        /// Nothing is known to.
        None = "None",
        /// All of it: the pods have no proxy.
        NoProxy = "No proxy",
        /// What annotations exclude.
        Excluded = "Excluded ports",
    }

    /// What a policy about running processes does with what it forbids.
    RuntimeEffect {
        /// It is stopped.
        Blocks = "Blocks",
        /// It happens, and somebody is told.
        Alerts = "Alerts",
    }

    /// Which user a container runs as.
    RunAs {
        /// The manifest sets user 0.
        Root = "Root",
        /// The manifest makes sure that it is not root.
        NonRoot = "Non-root",
        /// The image decides; root unless its author chose another.
        Image = "Image decides",
    }

    /// The system call filter.
    Seccomp {
        /// Switched off.
        Unconfined = "Unconfined",
        /// The default profile of the container runtime.
        RuntimeDefault = "Runtime default",
        /// A profile of one's own.
        Localhost = "Localhost",
        /// Nothing sets it: unconfined unless the kubelet sets a default.
        NotSet = "Not set",
    }

    /// The AppArmor profile of a container.
    AppArmor {
        /// Switched off.
        Unconfined = "Unconfined",
        /// The default profile of the container runtime.
        RuntimeDefault = "Runtime default",
        /// A profile of one's own.
        Localhost = "Localhost",
        /// Nothing sets it: the default of the runtime, on nodes that have AppArmor.
        NotSet = "Not set",
    }

    /// The SELinux label of a container.
    SeLinux {
        /// A user, a role or a type that is none of those made for containers.
        Custom = "Custom",
        /// A type that is made for containers.
        Container = "Container type",
        /// Nothing sets it: the default of the runtime, on nodes that have SELinux.
        NotSet = "Not set",
    }

    /// How many of the default capabilities are dropped.
    CapabilitiesDropped {
        /// `ALL`.
        All = "All",
        /// Some by name.
        Some = "Some",
        /// None.
        None = "None",
    }

    /// Linux capabilities beyond the default ones that matter for a threat.
    Capability {
        /// `SYS_ADMIN`.
        SysAdmin = "SYS_ADMIN",
        /// `NET_ADMIN`.
        NetAdmin = "NET_ADMIN",
        /// `SYS_PTRACE`.
        SysPtrace = "SYS_PTRACE",
        /// `SYS_MODULE`.
        SysModule = "SYS_MODULE",
        /// `DAC_READ_SEARCH`.
        DacReadSearch = "DAC_READ_SEARCH",
        /// `BPF`.
        Bpf = "BPF",
        /// `SYS_RAWIO`.
        SysRawio = "SYS_RAWIO",
        /// `NET_RAW`, which runtimes also give by default.
        NetRaw = "NET_RAW",
        /// `ALL`.
        All = "ALL",
        /// Any other.
        Other = "Other",
    }

    /// How an image is named.
    ImageReference {
        /// By digest: always the same bytes.
        Digest = "Digest",
        /// By a tag, which its owner can move.
        Tag = "Tag",
        /// By `latest` or no tag.
        Latest = "Latest",
    }

    /// What a known technology is for.
    TechnologyClass {
        /// Keeps data: PostgreSQL, MongoDB and the like.
        Database = "Database",
        /// Keeps data in memory: Redis, Memcached.
        Cache = "Cache",
        /// Passes messages: RabbitMQ, Kafka, NATS.
        Queue = "Queue",
        /// A user interface for administrators.
        AdminInterface = "Admin interface",
        /// Takes traffic from outside and passes it on.
        IngressController = "Ingress controller",
        /// Collects metrics, logs or traces.
        Monitoring = "Monitoring",
        /// Watches processes at run time: KubeArmor, Falco, Tetragon.
        RuntimeSensor = "Runtime sensor",
        /// Network plugin, storage driver, certificate manager and other parts of a platform.
        Platform = "Platform",
        /// Deploys what it finds in git: Argo CD, Flux.
        Deployer = "Deployer",
        /// Not a known technology.
        Application = "Application",
    }

    /// The RuntimeClass of a pod.
    RuntimeClass {
        /// gVisor, Kata Containers and the like.
        Sandboxed = "Sandboxed",
        /// Another one.
        Other = "Other",
        /// The default of the node.
        Default = "Default",
    }

    /// Which service account a pod runs as.
    ServiceAccount {
        /// The namespace's `default`.
        Default = "Default",
        /// One of its own.
        Dedicated = "Dedicated",
        /// One that it shares with other workloads.
        Shared = "Shared",
    }

    /// The cloud in which a service account can act.
    CloudIdentity {
        /// AWS, through a role.
        Aws = "AWS",
        /// Azure, through workload identity.
        Azure = "Azure",
        /// Google Cloud, through workload identity.
        Google = "Google Cloud",
        /// None that the input shows.
        None = "None",
    }

    /// What a network policy lets reach, or be reached by, a workload.
    Isolation {
        /// No policy selects it for this direction.
        None = "None",
        /// A policy selects it and admits named peers only.
        Restricted = "Restricted",
        /// A policy selects it and admits everything.
        Open = "Open",
    }

    /// A level of the Pod Security Standards, as a namespace enforces it.
    PodSecurity {
        /// Anything goes.
        Privileged = "Privileged",
        /// Known escapes are refused.
        Baseline = "Baseline",
        /// Hardening is required.
        Restricted = "Restricted",
        /// The namespace says nothing.
        None = "None",
    }

    /// What an admission policy does with an object that breaks it.
    AdmissionEffect {
        /// It is refused.
        Denies = "Denies",
        /// It is refused in some namespaces, or by some rules only.
        Partly = "Denies in part",
        /// It is let in, and somebody is told.
        Reports = "Reports",
        /// Nothing, because no binding puts the policy into force.
        Unbound = "Nothing",
    }

    /// What an admission policy checks, as far as its rules can be understood.
    AdmissionCheck {
        /// Privileged containers are refused.
        Privileged = "privileged containers",
        /// The processes of the node.
        HostPid = "processes of the node",
        /// The memory segments of the node.
        HostIpc = "memory of the node",
        /// The network of the node.
        HostNetwork = "network of the node",
        /// Paths of the node.
        HostPaths = "paths of the node",
        /// Ports of the node.
        HostPorts = "ports of the node",
        /// Capabilities beyond those of `baseline`.
        Capabilities = "added capabilities",
        /// An unmasked `/proc`.
        ProcMount = "unmasked /proc",
        /// Containers that may run as root.
        Root = "root",
        /// Processes that may gain rights.
        Escalation = "gaining rights",
        /// Default capabilities that are kept.
        KeptCapabilities = "kept capabilities",
        /// Containers without a filter of system calls.
        NoSeccomp = "no system call filter",
        /// A filter of system calls that is switched off.
        SeccompUnconfined = "unconfined system calls",
        /// AppArmor that is switched off.
        AppArmorUnconfined = "unconfined by AppArmor",
        /// SELinux labels of one's own.
        SeLinuxCustom = "SELinux labels of one's own",
        /// A root file system that can be written.
        WritableRoot = "writable root file systems",
        /// Containers without a limit of memory.
        NoLimits = "no memory limit",
        /// Images by `latest` or no tag.
        LatestTag = "images by latest",
        /// Images of other registries than some.
        Registries = "other registries",
        /// Images without a valid signature.
        Signatures = "images that nobody signed",
        /// Everything that `baseline` forbids.
        Baseline = "whatever baseline forbids",
        /// Everything that `restricted` forbids.
        Restricted = "whatever restricted forbids",
    }

    /// For which images signatures are checked.
    ImageVerification {
        /// For all images of the input.
        Yes = "Yes",
        /// For some of them.
        Some = "Some",
        /// For none.
        No = "No",
    }

    /// The highest level of the Pod Security Standards that a pod meets.
    PodSecurityLevel {
        /// None: some field opens a known way to more rights.
        Privileged = "privileged",
        /// Known ways to more rights are shut.
        Baseline = "baseline",
        /// It is hardened as far as is usual.
        Restricted = "restricted",
    }

    /// Whether a mesh makes peers prove who they are.
    MutualTls {
        /// Plain text is refused.
        Strict = "Strict",
        /// Plain text is accepted as well.
        Permissive = "Permissive",
        /// Switched off.
        Disabled = "Disabled",
        /// No mesh policy applies.
        None = "None",
    }

    /// Whether data can be read on its way.
    Encryption {
        /// TLS or mutual TLS.
        Encrypted = "Encrypted",
        /// The ends send plain text, and the proxies of a mesh beside them encrypt it.
        Mesh = "Encrypted by the mesh",
        /// The address or the port says plain text.
        Plain = "Plain",
    }

    /// How a called party knows its caller.
    Authentication {
        /// Certificates on both sides.
        MutualTls = "Mutual TLS",
        /// A service account token or another bearer token.
        Token = "Token",
        /// A password or key from a Secret.
        Credential = "Credential",
        /// Not at all.
        None = "None",
    }

    /// How traffic from outside gets in.
    Entry {
        /// An Ingress.
        Ingress = "Ingress",
        /// A Gateway and a route.
        Gateway = "Gateway",
        /// A Service of type LoadBalancer.
        LoadBalancer = "Load balancer",
        /// A Service of type NodePort.
        NodePort = "Node port",
        /// A Service with external addresses.
        ExternalIp = "External IP",
        /// A port of the host.
        HostPort = "Host port",
        /// The network of the host.
        HostNetwork = "Host network",
    }

    /// How far a permission reaches.
    Scope {
        /// In all namespaces.
        Cluster = "Cluster",
        /// In one namespace or a few.
        Namespace = "Namespace",
        /// Not held.
        No = "No",
    }

    /// What a path of the host gives to who may read or write it.
    HostPathClass {
        /// The root directory, or one above most others.
        Root = "Root directory",
        /// The socket of the container runtime or a folder that holds it.
        RuntimeSocket = "Runtime socket",
        /// Files of the kubelet, with the tokens of all pods of the node.
        Kubelet = "Kubelet",
        /// Credentials, keys or the configuration of the host.
        Credentials = "Credentials",
        /// Places from which the host runs code.
        Code = "Code",
        /// Kernel interfaces below `/proc`, `/sys` or `/dev`.
        Kernel = "Kernel",
        /// Log files.
        Logs = "Logs",
        /// Another path.
        Other = "Other",
    }

    /// What processes are kept from doing with files.
    FileGuard {
        /// Nothing.
        None = "None",
        /// Writing them.
        Writing = "Writing",
        /// Reading and writing them.
        Everything = "Everything",
    }
    /// How a workload gets the content of a store.
    MountedAs {
        /// As files.
        Files = "Files",
        /// As environment variables.
        Environment = "Environment",
        /// Both ways.
        Both = "Both",
    }

    /// The type of a Secret.
    SecretType {
        /// Any data.
        Opaque = "Opaque",
        /// A service account token that does not expire.
        ServiceAccountToken = "Service account token",
        /// A certificate with its key.
        Tls = "TLS",
        /// A login for a registry.
        Registry = "Registry login",
        /// Another type.
        Other = "Other",
    }

    /// What happens when an admission webhook does not answer.
    FailurePolicy {
        /// The request is refused.
        Fail = "Fail",
        /// The request is admitted unchecked.
        Ignore = "Ignore",
    }

    /// Who is named by a role binding.
    BindingSubject {
        /// Nobody needs to log in.
        Anonymous = "Anonymous",
        /// Everybody who can log in, or every service account.
        Everyone = "Everyone",
        /// Every service account of a namespace.
        NamespaceAccounts = "Namespace accounts",
        /// A service account as which no workload of the input runs with a token.
        Account = "Account",
        /// A user.
        User = "User",
        /// A group of users.
        Group = "Group",
        /// Service accounts with whose tokens workloads of the input run: what these may do is said of their calls.
        Workloads = "Workloads",
        /// Parts of Kubernetes itself, with rights that are meant for them; or nobody.
        System = "System",
    }
    /// How far somebody gets with rights.
    Power {
        /// No rights from which others could be made.
        Limited = "Limited",
        /// To rights that are not bounded by anything in the cluster.
        TakesOver = "Takes over",
    }
}
