//! All attributes. Each has a domain and always a value; what nothing sets has the default given here.

use std::borrow::Cow;

use kubestride_model::{AttributeDef, Value};

use crate::values::*;
use crate::{Attribute, DomainOf, Number, SetOf, Text, declare_attributes};

const UNKNOWN: Value = Value::Unknown;
const NO: Value = Value::Choice(YesNo::No as u8);
const EMPTY: Value = Value::Set(0);

declare_attributes! {
    // Containers.
    /// Has all rights on the node: `securityContext.privileged`, or a Windows HostProcess container.
    PRIVILEGED: YesNo = "privileged", NO;
    /// The user that its processes run as, after pod and container security context are merged.
    RUN_AS: RunAs = "runAs", Value::Choice(RunAs::Image as u8);
    /// Its root file system cannot be written.
    READ_ONLY_ROOT: YesNo = "readOnlyRootFilesystem", NO;
    /// A process may gain more rights than its parent (setuid). Always so for privileged containers.
    PRIVILEGE_ESCALATION: YesNo = "allowPrivilegeEscalation", Value::Choice(YesNo::Yes as u8);
    /// The system call filter.
    SECCOMP: Seccomp = "seccomp", Value::Choice(Seccomp::NotSet as u8);
    /// Its AppArmor profile.
    APP_ARMOR: AppArmor = "appArmor", Value::Choice(AppArmor::NotSet as u8);
    /// Its SELinux label.
    SE_LINUX: SeLinux = "seLinux", Value::Choice(SeLinux::NotSet as u8);
    /// Default capabilities that are dropped.
    CAPABILITIES_DROPPED: CapabilitiesDropped = "capabilitiesDropped", Value::Choice(CapabilitiesDropped::None as u8);
    /// Capabilities added to the default ones.
    CAPABILITIES_ADDED: SetOf<Capability> = "capabilitiesAdded", EMPTY;
    /// The mount of `/proc` is unmasked.
    PROC_UNMASKED: YesNo = "procUnmasked", NO;
    /// CPU use is limited.
    CPU_LIMIT: YesNo = "cpuLimit", NO;
    /// Memory use is limited.
    MEMORY_LIMIT: YesNo = "memoryLimit", NO;
    /// How its image is named.
    IMAGE_REFERENCE: ImageReference = "imageReference", Value::Choice(ImageReference::Tag as u8);
    /// The registry that its image comes from.
    IMAGE_REGISTRY: Text = "imageRegistry", UNKNOWN;
    /// Which technology its image is known to be, such as PostgreSQL.
    IMAGE_TECHNOLOGY: Text = "imageTechnology", UNKNOWN;
    /// A credential stands in an environment value in plain text.
    PLAIN_CREDENTIAL: YesNo = "plainCredential", NO;
    /// A credential stands in a command or an argument in plain text.
    ARGUMENT_CREDENTIAL: YesNo = "argumentCredential", NO;
    /// Secrets are given to it as environment variables.
    SECRET_ENVIRONMENT: YesNo = "secretsInEnvironment", NO;
    /// It downloads code and runs it when it starts.
    DOWNLOADS_CODE: YesNo = "downloadsCode", NO;
    /// It listens on a port of the host.
    HOST_PORT: YesNo = "hostPort", NO;
    /// It runs a login service such as sshd.
    REMOTE_SHELL: YesNo = "remoteShell", NO;

    // Workloads.
    /// Shares the network of the node.
    HOST_NETWORK: YesNo = "hostNetwork", NO;
    /// Sees the processes of the node.
    HOST_PID: YesNo = "hostPID", NO;
    /// Shares the memory segments of the node.
    HOST_IPC: YesNo = "hostIPC", NO;
    /// Its containers see each other's processes.
    SHARED_PROCESSES: YesNo = "shareProcessNamespace", NO;
    /// The highest level of the Pod Security Standards that its pods meet.
    POD_SECURITY_LEVEL: PodSecurityLevel = "podSecurityLevel", UNKNOWN, answered by "the workload's pod template";
    /// Its RuntimeClass. Unknown where nothing tells what its handler is.
    RUNTIME_CLASS: RuntimeClass = "runtimeClass", Value::Choice(RuntimeClass::Default as u8);
    /// Users of its containers are others on the node (`hostUsers: false`), so that root in it is not root there.
    USER_NAMESPACE: YesNo = "userNamespace", NO;
    /// Capabilities that a runtime policy keeps its processes from using.
    CAPABILITIES_BLOCKED: SetOf<Capability> = "capabilitiesBlocked", EMPTY;
    /// A runtime policy keeps its processes from reading the token of its service account.
    TOKEN_GUARDED: YesNo = "tokenGuarded", NO;
    /// A runtime policy keeps its processes from writing anywhere in its root file system.
    WRITES_BLOCKED: YesNo = "writesBlocked", NO;
    /// The service account that it runs as.
    SERVICE_ACCOUNT: ServiceAccount = "serviceAccount", Value::Choice(ServiceAccount::Default as u8);
    /// The name of its service account.
    SERVICE_ACCOUNT_NAME: Text = "serviceAccountName", UNKNOWN;
    /// A token for the Kubernetes API is mounted.
    TOKEN_MOUNTED: YesNo = "tokenMounted", Value::Choice(YesNo::Yes as u8);
    /// A role is bound to its service account, or it is a known client of the Kubernetes API.
    API_ACCESS: YesNo = "apiAccess", NO;
    /// The cloud in which its service account can act.
    CLOUD_IDENTITY: CloudIdentity = "cloudIdentity", Value::Choice(CloudIdentity::None as u8);
    /// It can be reached from outside the cluster.
    EXPOSED: YesNo = "exposed", NO;
    /// Number of replicas; unset for DaemonSets and jobs.
    REPLICAS: Number = "replicas", UNKNOWN;
    /// It is scaled by load.
    AUTOSCALED: YesNo = "autoscaled", NO;
    /// Network policies for incoming traffic.
    INGRESS_ISOLATION: Isolation = "ingressIsolation", Value::Choice(Isolation::None as u8);
    /// Network policies for outgoing traffic.
    EGRESS_ISOLATION: Isolation = "egressIsolation", Value::Choice(Isolation::None as u8);
    /// Network policies let it reach the metadata service of the cloud.
    METADATA_REACHABLE: YesNo = "metadataReachable", Value::Choice(YesNo::Yes as u8);
    /// Mutual TLS that applies to what it accepts.
    MUTUAL_TLS: MutualTls = "mutualTls", Value::Choice(MutualTls::None as u8);
    /// An authorization policy of a mesh selects it.
    MESH_AUTHORIZATION: YesNo = "meshAuthorization", NO;
    /// Whom policies of a mesh let through to it, whoever calls.
    MESH_ADMITS: MeshAdmits = "meshAdmits", Value::Choice(MeshAdmits::Everybody as u8);
    /// What becomes of requests to it that hold no token, as policies of a mesh say.
    TOKEN_CHECK: TokenCheck = "tokenCheck", Value::Choice(TokenCheck::None as u8);
    /// What goes around the mesh that its namespace is part of.
    MESH_BYPASS: MeshBypass = "meshBypass", Value::Choice(MeshBypass::None as u8);
    /// What it is known to be.
    TECHNOLOGY: Text = "technology", UNKNOWN;
    /// What it is known to be for.
    TECHNOLOGY_CLASS: TechnologyClass = "technologyClass", Value::Choice(TechnologyClass::Application as u8);
    /// It accepts callers without a password, as its configuration says. Unknown where nothing says so.
    ANONYMOUS_ACCESS: YesNo = "anonymousAccess", UNKNOWN, answered by "the configuration of the server, or its image's documentation";

    // Boundaries.
    /// The object that makes it (a Namespace) is part of the input.
    DECLARED: YesNo = "declared", NO;
    /// The level of the Pod Security Standards that it enforces.
    POD_SECURITY: PodSecurity = "podSecurityEnforce", UNKNOWN, answered by "the Namespace object with its `pod-security.kubernetes.io/enforce` label";
    /// The strictest level of the Pod Security Standards about which it warns or writes audit records.
    POD_SECURITY_REPORTED: PodSecurity = "podSecurityReported", Value::Choice(PodSecurity::None as u8);
    /// The level of the Pod Security Standards that policies of an admission engine enforce.
    ADMISSION_LEVEL: PodSecurity = "admissionLevel", Value::Choice(PodSecurity::None as u8);
    /// Admission policies refuse privileged containers.
    REFUSES_PRIVILEGED: YesNo = "refusesPrivileged", NO;
    /// Admission policies refuse pods that see the processes of the node.
    REFUSES_HOST_PID: YesNo = "refusesHostPid", NO;
    /// Admission policies refuse pods that share the memory segments of the node.
    REFUSES_HOST_IPC: YesNo = "refusesHostIpc", NO;
    /// Admission policies refuse pods in the network of the node.
    REFUSES_HOST_NETWORK: YesNo = "refusesHostNetwork", NO;
    /// Admission policies refuse pods that mount paths of the node.
    REFUSES_HOST_PATHS: YesNo = "refusesHostPaths", NO;
    /// Admission policies refuse capabilities beyond those that the level `baseline` lets add.
    REFUSES_CAPABILITIES: YesNo = "refusesCapabilities", NO;
    /// Admission policies refuse an unmasked `/proc`.
    REFUSES_UNMASKED_PROC: YesNo = "refusesUnmaskedProc", NO;
    /// Admission policies refuse containers that may run as root.
    REFUSES_ROOT: YesNo = "refusesRoot", NO;
    /// Admission policies refuse pods that harden nothing: by asking for one of the settings of `restricted`.
    REFUSES_WEAK_ISOLATION: YesNo = "refusesWeakIsolation", NO;
    /// Admission policies refuse a filter of system calls that is switched off.
    REFUSES_UNCONFINED: YesNo = "refusesUnconfined", NO;
    /// Admission policies refuse AppArmor that is switched off.
    REFUSES_APP_ARMOR_OFF: YesNo = "refusesAppArmorOff", NO;
    /// Admission policies refuse SELinux labels of one's own.
    REFUSES_SE_LINUX_CUSTOM: YesNo = "refusesSeLinuxCustom", NO;
    /// Admission policies refuse root file systems that can be written.
    REFUSES_WRITABLE_ROOT: YesNo = "refusesWritableRoot", NO;
    /// Admission policies refuse containers without a limit of memory.
    REFUSES_NO_LIMITS: YesNo = "refusesNoLimits", NO;
    /// Admission policies refuse images by `latest` or without a tag.
    REFUSES_LATEST: YesNo = "refusesLatest", NO;
    /// Limits or quotas apply to what runs in it.
    QUOTA: YesNo = "resourceQuota", NO;
    /// Default limits apply to containers that set none.
    LIMIT_RANGE: YesNo = "limitRange", NO;
    /// A policy denies incoming traffic by default.
    DEFAULT_DENY_INGRESS: YesNo = "defaultDenyIngress", NO;
    /// A policy denies outgoing traffic by default.
    DEFAULT_DENY_EGRESS: YesNo = "defaultDenyEgress", NO;
    /// Number of workloads in it.
    WORKLOADS: Number = "workloads", Value::Number(0);
    /// A sensor that watches processes at run time is part of the input.
    RUNTIME_SENSOR: YesNo = "runtimeSensor", UNKNOWN, answered by "the manifests of the runtime sensor (KubeArmor, Falco, Tetragon), or a statement that there is none";
    /// Requests to the Kubernetes API are logged.
    AUDIT_LOGGING: YesNo = "auditLogging", UNKNOWN, answered by "the flags and the audit policy of the API server";
    /// Secrets are encrypted in etcd.
    ETCD_ENCRYPTION: YesNo = "etcdEncryption", UNKNOWN, answered by "the EncryptionConfiguration of the API server, or the cloud provider's setting";
    /// The network plugin enforces the network policies of Kubernetes. As long as nothing tells, they count as if it did.
    POLICY_ENFORCEMENT: YesNo = "networkPolicyEnforcement", UNKNOWN, answered by "the manifests of the network plugin";
    /// Images are admitted only with a valid signature.
    IMAGE_VERIFICATION: ImageVerification = "imageVerification", UNKNOWN, answered by "the admission policy that verifies images";

    // Flows.
    /// The port that the caller uses.
    PORT: Number = "port", UNKNOWN;
    /// Whether it can be read on its way.
    ENCRYPTION: Encryption = "encryption", UNKNOWN, answered by "the scheme of the address, a TLS setting, or a mesh policy";
    /// How the called party knows the caller.
    AUTHENTICATION: Authentication = "authentication", UNKNOWN, answered by "the configuration of both parties, or a mesh policy";
    /// A network policy that selects the target admits the source and not everybody.
    POLICY_ADMITTED: YesNo = "policyAdmitted", NO;
    /// Network policies forbid it, although an address for it is configured.
    POLICY_DENIED: YesNo = "policyDenied", NO;
    /// What network policies say about it, without those of which it is shown that nobody enforces them.
    POLICY_VERDICT: PolicyVerdict = "policyVerdict", UNKNOWN;
    /// What the policies of a mesh say about it.
    MESH_VERDICT: MeshVerdict = "meshVerdict", Value::Choice(MeshVerdict::NoMesh as u8), answered by "all policies of the mesh, and what tells which pods have a proxy";
    /// How closely the rules of a mesh that let it through name the caller.
    CALLER_NAMED: CallerNamed = "callerNamed", Value::Choice(CallerNamed::No as u8);
    /// It goes around the proxy of the mesh that serves the target: annotations of the target exclude its port.
    AROUND_MESH: YesNo = "aroundMesh", NO;
    /// Its address holds a password.
    CREDENTIAL_IN_ADDRESS: YesNo = "credentialInAddress", NO;
    /// It leaves the cluster.
    LEAVES_CLUSTER: YesNo = "leavesCluster", NO;
    /// Whether traffic that was recorded agrees with it.
    OBSERVED: Observed = "observed", UNKNOWN;
    /// What a runtime policy does with what it forbids.
    RUNTIME_EFFECT: RuntimeEffect = "runtimeEffect", UNKNOWN;
    /// It seems to stop what it only records.
    ONLY_RECORDS: YesNo = "onlyRecords", NO, answered by "the configuration of KubeArmor (ConfigMap kubearmor-config), or annotations `kubearmor-*-posture` of the namespace";
    /// How it gets in.
    ENTRY: Entry = "entry", UNKNOWN;
    /// Only some source addresses are let in, or the load balancer is internal.
    SOURCE_RESTRICTED: YesNo = "sourceRestricted", NO;
    /// The address of the caller is kept.
    CLIENT_ADDRESS_KEPT: YesNo = "clientAddressKept", NO;
    /// The proxy in front asks for a login.
    EDGE_AUTHENTICATION: YesNo = "edgeAuthentication", NO;
    /// A limit on requests is set at the edge.
    RATE_LIMITED: YesNo = "rateLimited", NO;
    /// Who writes the route may put configuration of his own into the proxy.
    SNIPPETS: YesNo = "snippets", NO;
    /// The store is read only for this workload.
    READ_ONLY: YesNo = "readOnly", Value::Choice(YesNo::Yes as u8);
    /// What a runtime policy keeps the processes of the workload from doing with the files.
    FILES_GUARDED: FileGuard = "filesGuarded", Value::Choice(FileGuard::None as u8);
    /// How the content reaches the workload.
    MOUNTED_AS: MountedAs = "mountedAs", Value::Choice(MountedAs::Files as u8);

    // Flows to the Kubernetes API: what the caller may do.
    /// Everything: all verbs on all resources.
    CAN_EVERYTHING: Scope = "everything", Value::Choice(Scope::No as u8);
    /// Read Secrets.
    CAN_READ_SECRETS: Scope = "readSecrets", Value::Choice(Scope::No as u8);
    /// Create pods, or controllers that create pods.
    CAN_CREATE_PODS: Scope = "createPods", Value::Choice(Scope::No as u8);
    /// Change existing pods or their controllers.
    CAN_CHANGE_WORKLOADS: Scope = "changeWorkloads", Value::Choice(Scope::No as u8);
    /// Run commands in pods (exec, attach, ephemeral containers).
    CAN_EXEC: Scope = "execInPods", Value::Choice(Scope::No as u8);
    /// Give itself more rights: escalate, or bind together with creating bindings.
    CAN_ESCALATE: Scope = "escalateRoles", Value::Choice(Scope::No as u8);
    /// Act as another user, group or service account.
    CAN_IMPERSONATE: Scope = "impersonate", Value::Choice(Scope::No as u8);
    /// Issue tokens of service accounts.
    CAN_ISSUE_TOKENS: Scope = "issueTokens", Value::Choice(Scope::No as u8);
    /// Reach the kubelet through `nodes/proxy`.
    CAN_PROXY_NODES: Scope = "proxyNodes", Value::Choice(Scope::No as u8);
    /// Change admission webhooks or admission policies.
    CAN_CHANGE_ADMISSION: Scope = "changeAdmission", Value::Choice(Scope::No as u8);
    /// Delete events, which are a trace of what happened.
    CAN_DELETE_EVENTS: Scope = "deleteEvents", Value::Choice(Scope::No as u8);
    /// Change labels of namespaces.
    CAN_CHANGE_NAMESPACES: Scope = "changeNamespaces", Value::Choice(Scope::No as u8);
    /// Delete workloads, volumes or namespaces.
    CAN_DELETE_DATA: Scope = "deleteData", Value::Choice(Scope::No as u8);
    /// Write ConfigMaps.
    CAN_WRITE_CONFIG: Scope = "writeConfigMaps", Value::Choice(Scope::No as u8);
    /// Create Secrets into which a token of a service account is put, and read or mount them.
    CAN_MAKE_TOKEN_SECRETS: Scope = "makeTokenSecrets", Value::Choice(Scope::No as u8);
    /// Request client certificates and approve them itself.
    CAN_ISSUE_CERTIFICATES: Scope = "issueCertificates", Value::Choice(Scope::No as u8);
    /// Register API servers, or change who converts objects of custom kinds.
    CAN_CHANGE_APIS: Scope = "changeApis", Value::Choice(Scope::No as u8);
    /// Write the ConfigMaps of `kube-system` that components of the cluster follow.
    CAN_WRITE_SYSTEM_CONFIG: Scope = "writeSystemConfig", Value::Choice(Scope::No as u8);
    /// Create volumes of paths of the node, and pods that use them.
    CAN_CREATE_VOLUMES: Scope = "createVolumes", Value::Choice(Scope::No as u8);
    /// Decide on which nodes pods run.
    CAN_MOVE_PODS: Scope = "movePods", Value::Choice(Scope::No as u8);
    /// Decide where the traffic of Services goes.
    CAN_REDIRECT_SERVICES: Scope = "redirectServices", Value::Choice(Scope::No as u8);
    /// Reach ports of pods through the API server.
    CAN_REACH_PODS: Scope = "reachPods", Value::Choice(Scope::No as u8);
    /// Change policies of the network or of a mesh.
    CAN_CHANGE_NETWORK_RULES: Scope = "changeNetworkRules", Value::Choice(Scope::No as u8);
    /// Change or delete policies about running processes.
    CAN_CHANGE_RUNTIME_RULES: Scope = "changeRuntimeRules", Value::Choice(Scope::No as u8);

    // Stores.
    /// What a path of the host gives.
    HOST_PATH_CLASS: HostPathClass = "hostPathClass", Value::Choice(HostPathClass::Other as u8);
    /// The type of a Secret.
    SECRET_TYPE: SecretType = "secretType", UNKNOWN, answered by "the Secret object";
    /// Its values stand in the manifests.
    VALUES_IN_MANIFEST: YesNo = "valuesInManifest", NO;
    /// It cannot be changed.
    IMMUTABLE: YesNo = "immutable", NO;
    /// Its data holds a credential in plain text.
    HOLDS_CREDENTIAL: YesNo = "holdsCredential", NO;
    /// Its data is run as a program.
    HOLDS_CODE: YesNo = "holdsCode", NO;
    /// Number of workloads that use it.
    USERS: Number = "users", Value::Number(0);
    /// Several pods may write it at once.
    SHARED_WRITE: YesNo = "sharedWrite", NO;

    // Controls and names.
    /// What a network policy, binding or webhook selects is not in the input.
    SELECTS_NOTHING: YesNo = "selectsNothing", NO;
    /// Admits everybody in some direction.
    ADMITS_EVERYONE: YesNo = "admitsEveryone", NO;
    /// Admits every identity of the mesh, or all but some.
    ADMITS_ANY_IDENTITY: YesNo = "admitsAnyIdentity", NO;
    /// Lets DNS questions go to any address.
    DNS_TO_ANYWHERE: YesNo = "dnsToAnywhere", NO;
    /// What happens when it does not answer.
    FAILURE_POLICY: FailurePolicy = "failurePolicy", Value::Choice(FailurePolicy::Fail as u8);
    /// What it does with an object that breaks it.
    ADMISSION_EFFECT: AdmissionEffect = "admissionEffect", UNKNOWN;
    /// What it refuses, or reports. Unknown where its rules are not understood: then it answers nothing.
    CHECKS: SetOf<AdmissionCheck> = "checks", UNKNOWN;
    /// It is called at a URL outside the cluster.
    CALLED_OUTSIDE: YesNo = "calledOutside", NO;
    /// Its rules send it Secrets.
    SEES_SECRETS: YesNo = "seesSecrets", NO;
    /// It changes objects.
    MUTATES: YesNo = "mutates", NO;
    /// Who it names; of several, those whose rights are the worst to give away.
    BINDING_SUBJECT: BindingSubject = "bindingSubject", Value::Choice(BindingSubject::System as u8);
    /// The role it gives has more than reading of public information.
    GRANTS_POWER: YesNo = "grantsPower", NO;
    /// Its role is `cluster-admin`, or has all verbs on all resources as that has.
    CLUSTER_ADMIN: YesNo = "clusterAdmin", NO;
    /// How far those it names get with its role, in all namespaces.
    POWER: Power = "power", Value::Choice(Power::Limited as u8);
    /// It has addresses that anybody who may write Services can claim.
    EXTERNAL_IPS: YesNo = "externalIPs", NO;
    /// It sends callers to a host outside.
    EXTERNAL_NAME: YesNo = "externalName", NO;
}
