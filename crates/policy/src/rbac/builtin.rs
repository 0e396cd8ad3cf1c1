//! The roles that Kubernetes brings along and that manifests refer to (`bootstrappolicy/policy.go`), by their meaning.

use kubestride_manifest::{LabelSelector, Labels};

use super::{GROUP, Role, Rule};

/// API groups, resources and verbs of a rule.
type Row = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const ALL: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const WATCH: &[&str] = &["list", "watch"];
const REPORT: &[&str] = &["create", "patch", "update"];

const CLUSTER_ADMIN: &[Row] = &[(&["*"], &["*"], &["*"])];

const VIEW: &[Row] = &[
    (
        &[""],
        &[
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "persistentvolumeclaims",
            "pods",
            "pods/log",
            "pods/status",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
        READ,
    ),
    (&["apps"], &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"], READ),
    (&["autoscaling"], &["horizontalpodautoscalers"], READ),
    (&["batch"], &["cronjobs", "jobs"], READ),
    (&["discovery.k8s.io"], &["endpointslices"], READ),
    (&["networking.k8s.io"], &["ingresses", "networkpolicies"], READ),
    (&["policy"], &["poddisruptionbudgets"], READ),
];

const EDIT: &[Row] = &[
    (&[""], &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], READ),
    (&[""], &["serviceaccounts"], &["impersonate"]),
    (&[""], &["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], WRITE),
    (&[""], &["pods/eviction", "serviceaccounts/token"], CREATE),
    (
        &[""],
        &[
            "configmaps",
            "events",
            "persistentvolumeclaims",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "secrets",
            "serviceaccounts",
            "services",
            "services/proxy",
        ],
        WRITE,
    ),
    (
        &["apps"],
        &["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets"],
        WRITE,
    ),
    (&["autoscaling"], &["horizontalpodautoscalers"], WRITE),
    (&["batch"], &["cronjobs", "jobs"], WRITE),
    (&["networking.k8s.io"], &["ingresses", "networkpolicies"], WRITE),
    (&["policy"], &["poddisruptionbudgets"], WRITE),
    (&["coordination.k8s.io"], &["leases"], ALL),
];

const ADMIN: &[Row] =
    &[(&["authorization.k8s.io"], &["localsubjectaccessreviews"], CREATE), (&[GROUP], &["rolebindings", "roles"], ALL)];

const AUTH_DELEGATOR: &[Row] = &[
    (&["authentication.k8s.io"], &["tokenreviews"], CREATE),
    (&["authorization.k8s.io"], &["subjectaccessreviews"], CREATE),
];

const BASIC_USER: &[Row] = &[
    (&["authorization.k8s.io"], &["selfsubjectaccessreviews", "selfsubjectrulesreviews"], CREATE),
    (&["authentication.k8s.io"], &["selfsubjectreviews"], CREATE),
];

const DNS: &[Row] = &[(&[""], &["endpoints", "services"], WATCH), (&["discovery.k8s.io"], &["endpointslices"], WATCH)];

const PROXIER: &[Row] = &[
    (&[""], &["endpoints", "services"], WATCH),
    (&[""], &["nodes"], READ),
    (&["", "events.k8s.io"], &["events"], REPORT),
    (&["discovery.k8s.io"], &["endpointslices"], WATCH),
];

const SCHEDULER: &[Row] = &[
    (&["", "events.k8s.io"], &["events"], REPORT),
    (&["coordination.k8s.io"], &["leases"], &["create", "get", "list", "watch"]),
    (&[""], &["nodes", "namespaces", "replicationcontrollers", "services"], READ),
    (&[""], &["pods"], &["delete", "get", "list", "watch"]),
    (&[""], &["bindings", "pods/binding"], CREATE),
    (&[""], &["pods/status"], &["patch", "update"]),
    (&["apps"], &["replicasets", "statefulsets"], READ),
    (&["policy"], &["poddisruptionbudgets"], READ),
    (&[""], &["persistentvolumeclaims", "persistentvolumes"], READ),
    (&["authentication.k8s.io"], &["tokenreviews"], CREATE),
    (&["authorization.k8s.io"], &["subjectaccessreviews"], CREATE),
];

const VOLUME_SCHEDULER: &[Row] = &[
    (&[""], &["persistentvolumes", "persistentvolumeclaims"], &["get", "list", "patch", "update", "watch"]),
    (&["storage.k8s.io"], &["storageclasses"], READ),
];

const PROVISIONER: &[Row] = &[
    (&[""], &["persistentvolumes"], &["create", "delete", "get", "list", "watch"]),
    (&[""], &["persistentvolumeclaims"], &["get", "list", "update", "watch"]),
    (&["storage.k8s.io"], &["storageclasses"], READ),
    (&[""], &["events"], &["watch", "create", "update", "patch"]),
];

const PROBLEM_DETECTOR: &[Row] = &[
    (&[""], &["nodes"], &["get"]),
    (&[""], &["nodes/status"], &["patch"]),
    (&["", "events.k8s.io"], &["events"], REPORT),
];

const KUBELET_ADMIN: &[Row] = &[
    (&[""], &["nodes"], &["get", "list", "watch", "proxy"]),
    (&[""], &["nodes/proxy", "nodes/metrics", "nodes/log", "nodes/spec", "nodes/stats"], &["*"]),
];

const BOOTSTRAPPER: &[Row] =
    &[(&["certificates.k8s.io"], &["certificatesigningrequests"], &["create", "get", "list", "watch"])];

const NODE_CLIENT: &[Row] = &[(&["certificates.k8s.io"], &["certificatesigningrequests/nodeclient"], CREATE)];

const SELF_NODE_CLIENT: &[Row] = &[(&["certificates.k8s.io"], &["certificatesigningrequests/selfnodeclient"], CREATE)];

/// Labels that make a role part of an aggregated one.
const TO_ADMIN: &str = "rbac.authorization.k8s.io/aggregate-to-admin";
const TO_EDIT: &str = "rbac.authorization.k8s.io/aggregate-to-edit";
const TO_VIEW: &str = "rbac.authorization.k8s.io/aggregate-to-view";

pub(super) fn roles() -> Vec<Role> {
    let metrics = Rule {
        resource_names: vec!["extension-apiserver-authentication".to_owned()],
        ..rule(&(&[""], &["configmaps"], READ))
    };
    let approver = |signer: &str| {
        let rule = Rule {
            resource_names: vec![format!("kubernetes.io/{signer}")],
            ..rule(&(&["certificates.k8s.io"], &["signers"], &["approve"]))
        };
        let identity = format!("ClusterRole/system:certificates.k8s.io:{signer}-approver");
        Role { rules: vec![rule], ..plain(&identity, None, &[]) }
    };
    let mut reader = plain("Role/kube-system/extension-apiserver-authentication-reader", None, &[]);
    reader.rules.push(metrics);
    vec![
        plain("ClusterRole/cluster-admin", None, CLUSTER_ADMIN),
        aggregated("ClusterRole/admin", None, TO_ADMIN),
        aggregated("ClusterRole/edit", Some(TO_ADMIN), TO_EDIT),
        aggregated("ClusterRole/view", Some(TO_EDIT), TO_VIEW),
        plain("ClusterRole/system:aggregate-to-admin", Some(TO_ADMIN), ADMIN),
        plain("ClusterRole/system:aggregate-to-edit", Some(TO_EDIT), EDIT),
        plain("ClusterRole/system:aggregate-to-view", Some(TO_VIEW), VIEW),
        plain("ClusterRole/system:auth-delegator", None, AUTH_DELEGATOR),
        plain("ClusterRole/system:basic-user", None, BASIC_USER),
        // They give paths only that are no resources.
        plain("ClusterRole/system:discovery", None, &[]),
        plain("ClusterRole/system:monitoring", None, &[]),
        plain("ClusterRole/system:public-info-viewer", None, &[]),
        plain("ClusterRole/system:service-account-issuer-discovery", None, &[]),
        reader,
        plain("ClusterRole/system:certificates.k8s.io:certificatesigningrequests:nodeclient", None, NODE_CLIENT),
        plain(
            "ClusterRole/system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            None,
            SELF_NODE_CLIENT,
        ),
        approver("kube-apiserver-client"),
        approver("kube-apiserver-client-kubelet"),
        approver("kubelet-serving"),
        plain("ClusterRole/system:kube-dns", None, DNS),
        plain("ClusterRole/system:kube-scheduler", None, SCHEDULER),
        plain("ClusterRole/system:kubelet-api-admin", None, KUBELET_ADMIN),
        plain("ClusterRole/system:node-bootstrapper", None, BOOTSTRAPPER),
        plain("ClusterRole/system:node-problem-detector", None, PROBLEM_DETECTOR),
        plain("ClusterRole/system:node-proxier", None, PROXIER),
        plain("ClusterRole/system:persistent-volume-provisioner", None, PROVISIONER),
        plain("ClusterRole/system:volume-scheduler", None, VOLUME_SCHEDULER),
    ]
}

fn plain(identity: &str, label: Option<&str>, rows: &[Row]) -> Role {
    Role {
        identity: identity.to_owned(),
        span: None,
        rules: rows.iter().map(rule).collect(),
        labels: label.iter().map(|label| ((*label).to_owned(), "true".to_owned())).collect(),
        aggregates: None,
    }
}

fn aggregated(identity: &str, label: Option<&str>, of: &str) -> Role {
    let selector = LabelSelector::from_labels(&Labels::from_pairs([(of, "true")]));
    Role { aggregates: Some(vec![selector]), ..plain(identity, label, &[]) }
}

fn rule((api_groups, resources, verbs): &Row) -> Rule {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Rule { api_groups: owned(api_groups), resources: owned(resources), verbs: owned(verbs), ..Rule::default() }
}
