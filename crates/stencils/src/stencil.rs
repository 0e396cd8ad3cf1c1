//! All stencils. A stencil has the attributes of its parent as well.

use std::borrow::Cow;

use kubestride_model::{Role, StencilDef, StencilId};

use crate::{attributes, declare_stencils};

declare_stencils! {
    /// Anything that runs code.
    PROCESS: Process "Process" [];
    /// A controller of pods, or a bare pod.
    WORKLOAD: Process "Workload" < PROCESS [
        HOST_NETWORK, HOST_PID, HOST_IPC, SHARED_PROCESSES, POD_SECURITY_LEVEL, RUNTIME_CLASS, USER_NAMESPACE, CAPABILITIES_BLOCKED, TOKEN_GUARDED, WRITES_BLOCKED, SERVICE_ACCOUNT, SERVICE_ACCOUNT_NAME,
        TOKEN_MOUNTED, API_ACCESS, CLOUD_IDENTITY, EXPOSED, REPLICAS, AUTOSCALED, INGRESS_ISOLATION, EGRESS_ISOLATION,
        METADATA_REACHABLE, MUTUAL_TLS, MESH_AUTHORIZATION, MESH_ADMITS, TOKEN_CHECK, MESH_BYPASS,
        TECHNOLOGY, TECHNOLOGY_CLASS, ANONYMOUS_ACCESS,
    ];
    /// A Deployment, a ReplicaSet or a ReplicationController.
    DEPLOYMENT: Process "Deployment" < WORKLOAD [];
    /// A StatefulSet.
    STATEFUL_SET: Process "StatefulSet" < WORKLOAD [];
    /// A DaemonSet: one pod on every node.
    DAEMON_SET: Process "DaemonSet" < WORKLOAD [];
    /// A ReplicaSet.
    REPLICA_SET: Process "ReplicaSet" < WORKLOAD [];
    /// A ReplicationController.
    REPLICATION_CONTROLLER: Process "ReplicationController" < WORKLOAD [];
    /// A Job.
    JOB: Process "Job" < WORKLOAD [];
    /// A CronJob.
    CRON_JOB: Process "CronJob" < WORKLOAD [];
    /// A pod without a controller.
    POD: Process "Pod" < WORKLOAD [];
    /// The Kubernetes API server.
    API_SERVER: Process "API server" < PROCESS [];
    /// The kubelet of a node.
    KUBELET: Process "Kubelet" < PROCESS [];
    /// The name server of the cluster.
    CLUSTER_DNS: Process "Cluster DNS" < PROCESS [];
    /// A Service that selects nothing in the input.
    UNRESOLVED_SERVICE: Process "Unresolved service" < PROCESS [];

    /// Any party outside the modelled system.
    EXTERNAL: External "External interactor" [];
    /// Anybody outside the cluster.
    INTERNET: External "Internet" < EXTERNAL [];
    /// A host outside the cluster that is named in the input.
    EXTERNAL_HOST: External "External host" < EXTERNAL [];
    /// A person or a program that calls the Kubernetes API: a user or a service account without a workload.
    API_USER: External "API user" < EXTERNAL [];
    /// A group of users.
    API_GROUP: External "API group" < API_USER [];
    /// A registry of images.
    REGISTRY: External "Image registry" < EXTERNAL [];
    /// The metadata service of the cloud.
    METADATA_SERVICE: External "Cloud metadata service" < EXTERNAL [];

    /// Anything that keeps data.
    STORE: Store "Store" [USERS];
    /// A Secret.
    SECRET: Store "Secret" < STORE [SECRET_TYPE, VALUES_IN_MANIFEST, IMMUTABLE];
    /// A ConfigMap.
    CONFIG_MAP: Store "ConfigMap" < STORE [IMMUTABLE, HOLDS_CREDENTIAL, HOLDS_CODE];
    /// A volume claim.
    VOLUME_CLAIM: Store "Volume claim" < STORE [SHARED_WRITE];
    /// A path of the node.
    HOST_PATH: Store "Host path" < STORE [HOST_PATH_CLASS];
    /// A volume from outside the cluster, such as NFS.
    EXTERNAL_VOLUME: Store "External volume" < STORE [];

    /// Any container.
    CONTAINER: Container "Container" [
        PRIVILEGED, RUN_AS, READ_ONLY_ROOT, PRIVILEGE_ESCALATION, SECCOMP, APP_ARMOR, SE_LINUX, CAPABILITIES_DROPPED, CAPABILITIES_ADDED,
        PROC_UNMASKED, CPU_LIMIT, MEMORY_LIMIT, IMAGE_REFERENCE, IMAGE_REGISTRY, IMAGE_TECHNOLOGY, PLAIN_CREDENTIAL,
        ARGUMENT_CREDENTIAL, SECRET_ENVIRONMENT, DOWNLOADS_CODE, HOST_PORT, REMOTE_SHELL,
    ];
    /// A container that runs before the others.
    INIT_CONTAINER: Container "Init container" < CONTAINER [];
    /// An init container that goes on running beside the others.
    SIDECAR_CONTAINER: Container "Sidecar container" < CONTAINER [];

    /// Any flow.
    FLOW: Flow "Flow" [];
    /// A network connection between workloads or to an outside party.
    TRAFFIC: Flow "Traffic" < FLOW [
        PORT, ENCRYPTION, AUTHENTICATION, POLICY_ADMITTED, POLICY_DENIED, CREDENTIAL_IN_ADDRESS, LEAVES_CLUSTER,
        OBSERVED, POLICY_VERDICT, MESH_VERDICT, CALLER_NAMED, AROUND_MESH,
    ];
    /// Reachability from outside the cluster.
    EXPOSURE: Flow "Exposure" < FLOW [
        PORT, ENCRYPTION, ENTRY, SOURCE_RESTRICTED, CLIENT_ADDRESS_KEPT, EDGE_AUTHENTICATION, RATE_LIMITED, SNIPPETS,
        POLICY_DENIED, POLICY_VERDICT,
    ];
    /// Use of a store.
    STORE_ACCESS: Flow "Store access" < FLOW [READ_ONLY, FILES_GUARDED, MOUNTED_AS];
    /// Calls of the Kubernetes API.
    API_CALLS: Flow "API calls" < FLOW [
        AUTHENTICATION, CAN_EVERYTHING, CAN_READ_SECRETS, CAN_CREATE_PODS, CAN_CHANGE_WORKLOADS, CAN_EXEC, CAN_ESCALATE,
        CAN_IMPERSONATE, CAN_ISSUE_TOKENS, CAN_PROXY_NODES, CAN_CHANGE_ADMISSION, CAN_DELETE_EVENTS,
        CAN_CHANGE_NAMESPACES, CAN_DELETE_DATA, CAN_WRITE_CONFIG, CAN_MAKE_TOKEN_SECRETS, CAN_ISSUE_CERTIFICATES,
        CAN_CHANGE_APIS, CAN_WRITE_SYSTEM_CONFIG, CAN_CREATE_VOLUMES, CAN_MOVE_PODS, CAN_REDIRECT_SERVICES,
        CAN_REACH_PODS, CAN_CHANGE_NETWORK_RULES, CAN_CHANGE_RUNTIME_RULES,
    ];
    /// An image comes from a registry.
    SUPPLY: Flow "Image supply" < FLOW [];
    /// A name is resolved.
    DNS: Flow "Name resolution" < FLOW [];
    /// The kubelet probes a container.
    PROBE: Flow "Probe" < FLOW [];

    /// Any trust boundary.
    BOUNDARY: Boundary "Trust boundary" [];
    /// What lies outside.
    INTERNET_BOUNDARY: Boundary "Internet boundary" < BOUNDARY [];
    /// The cloud account that holds the cluster.
    CLOUD_BOUNDARY: Boundary "Cloud account boundary" < BOUNDARY [];
    /// The cluster.
    CLUSTER_BOUNDARY: Boundary "Cluster boundary" < BOUNDARY [
        RUNTIME_SENSOR, AUDIT_LOGGING, ETCD_ENCRYPTION, POLICY_ENFORCEMENT, IMAGE_VERIFICATION,
    ];
    /// The control plane.
    CONTROL_PLANE_BOUNDARY: Boundary "Control plane boundary" < BOUNDARY [];
    /// The nodes.
    NODE_BOUNDARY: Boundary "Node boundary" < BOUNDARY [];
    /// A namespace.
    NAMESPACE_BOUNDARY: Boundary "Namespace boundary" < BOUNDARY [
        DECLARED, POD_SECURITY, QUOTA, LIMIT_RANGE, DEFAULT_DENY_INGRESS, DEFAULT_DENY_EGRESS, WORKLOADS,
        POD_SECURITY_REPORTED, ADMISSION_LEVEL, REFUSES_PRIVILEGED, REFUSES_HOST_PID, REFUSES_HOST_IPC, REFUSES_HOST_NETWORK, REFUSES_HOST_PATHS, REFUSES_CAPABILITIES, REFUSES_UNMASKED_PROC, REFUSES_ROOT, REFUSES_WEAK_ISOLATION, REFUSES_UNCONFINED, REFUSES_APP_ARMOR_OFF, REFUSES_SE_LINUX_CUSTOM, REFUSES_WRITABLE_ROOT, REFUSES_NO_LIMITS, REFUSES_LATEST,
    ];
    /// One workload.
    WORKLOAD_BOUNDARY: Boundary "Workload boundary" < BOUNDARY [];

    /// Any control.
    CONTROL: Control "Control" [SELECTS_NOTHING];
    /// A NetworkPolicy.
    NETWORK_POLICY: Control "NetworkPolicy" < CONTROL [ADMITS_EVERYONE, DNS_TO_ANYWHERE];
    /// A policy of an administrator: AdminNetworkPolicy, BaselineAdminNetworkPolicy or ClusterNetworkPolicy.
    ADMIN_NETWORK_POLICY: Control "AdminNetworkPolicy" < NETWORK_POLICY [];
    /// A CiliumNetworkPolicy or a CiliumClusterwideNetworkPolicy.
    CILIUM_NETWORK_POLICY: Control "CiliumNetworkPolicy" < NETWORK_POLICY [];
    /// A NetworkPolicy or a GlobalNetworkPolicy of Calico.
    CALICO_NETWORK_POLICY: Control "Calico NetworkPolicy" < NETWORK_POLICY [];
    /// An Istio PeerAuthentication.
    PEER_AUTHENTICATION: Control "PeerAuthentication" < CONTROL [MUTUAL_TLS];
    /// An AuthorizationPolicy of Istio or Linkerd, or a ServerAuthorization of the latter.
    AUTHORIZATION_POLICY: Control "AuthorizationPolicy" < CONTROL [ADMITS_EVERYONE, ADMITS_ANY_IDENTITY];
    /// An Istio RequestAuthentication: which tokens are valid.
    REQUEST_AUTHENTICATION: Control "RequestAuthentication" < CONTROL [];
    /// A Linkerd Server: a port that only authorized callers reach.
    MESH_SERVER: Control "Mesh server" < CONTROL [];
    /// A RoleBinding or a ClusterRoleBinding.
    ROLE_BINDING: Control "Role binding" < CONTROL [BINDING_SUBJECT, GRANTS_POWER, CLUSTER_ADMIN, POWER];
    /// A validating or mutating admission webhook.
    ADMISSION_WEBHOOK: Control "Admission webhook" < CONTROL [FAILURE_POLICY, MUTATES, CALLED_OUTSIDE, SEES_SECRETS];
    /// A policy of an admission engine: Kyverno, Gatekeeper, Sigstore, or a ValidatingAdmissionPolicy.
    ADMISSION_POLICY: Control "Admission policy" < CONTROL [ADMISSION_EFFECT, CHECKS];
    /// The Pod Security label of a namespace.
    POD_SECURITY_LABEL: Control "Pod Security label" < CONTROL [POD_SECURITY];
    /// A ResourceQuota or a LimitRange.
    RESOURCE_LIMIT: Control "Resource limit" < CONTROL [];
    /// A policy for run time: KubeArmor.
    RUNTIME_POLICY: Control "Runtime policy" < CONTROL [RUNTIME_EFFECT, ONLY_RECORDS];

    /// A Kubernetes Service.
    SERVICE: Name "Service" [EXTERNAL_IPS, EXTERNAL_NAME, SELECTS_NOTHING];
}
