//! What somebody can do with the roles that he has.

use super::{Capabilities, Evidence, GROUP, Grant, Permission, Rule};

/// An ability that a threat depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
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
    /// Issue tokens of service accounts: by request, or as a Secret that it can read.
    IssueTokens,
    /// Reach the kubelet through `nodes/proxy`.
    ProxyNodes,
    /// Change admission webhooks or admission policies.
    ChangeAdmission,
    /// Delete events.
    DeleteEvents,
    /// Change labels of namespaces.
    ChangeNamespaces,
    /// Delete workloads, volumes or namespaces.
    DeleteData,
    /// Write ConfigMaps.
    WriteConfigMaps,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 14] = [
        Capability::Everything,
        Capability::ReadSecrets,
        Capability::CreatePods,
        Capability::ChangeWorkloads,
        Capability::Exec,
        Capability::Escalate,
        Capability::Impersonate,
        Capability::IssueTokens,
        Capability::ProxyNodes,
        Capability::ChangeAdmission,
        Capability::DeleteEvents,
        Capability::ChangeNamespaces,
        Capability::DeleteData,
        Capability::WriteConfigMaps,
    ];
}

const CHANGE: &[&str] = &["create", "update", "patch"];
const MODIFY: &[&str] = &["update", "patch"];
const DELETE: &[&str] = &["delete", "deletecollection"];
const READ: &[&str] = &["get", "list", "watch"];

const WORKLOADS: &[(&str, &[&str])] = &[
    ("", &["pods", "replicationcontrollers"]),
    ("apps", &["deployments", "daemonsets", "statefulsets", "replicasets"]),
    ("batch", &["jobs", "cronjobs"]),
];

const ADMISSION: &[(&str, &[&str])] = &[(
    "admissionregistration.k8s.io",
    &[
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ],
)];

/// What the holder of all these grants can do.
pub fn capabilities(grants: &[Grant<'_>]) -> Capabilities {
    Capabilities::new(Capability::ALL.iter().map(|capability| permission(grants, *capability)).collect())
}

fn permission(grants: &[Grant<'_>], capability: Capability) -> Permission {
    let may = |verbs: &[&str], resources: &[(&str, &[&str])]| find(grants, verbs, resources, Rule::is_unnamed);
    match capability {
        Capability::Everything => may(&["*"], &[("*", &["*"])]),
        Capability::ReadSecrets => may(READ, &[("", &["secrets"])]),
        Capability::CreatePods => may(&["create"], WORKLOADS),
        Capability::ChangeWorkloads => may(MODIFY, WORKLOADS),
        // Before Kubernetes 1.35 `get` was enough to exec through a websocket.
        Capability::Exec => may(&["create", "get"], &[("", &["pods/exec", "pods/attach"])])
            .or(may(MODIFY, &[("", &["pods/ephemeralcontainers"])])),
        Capability::Escalate => escalate(grants),
        Capability::Impersonate => impersonate(grants),
        Capability::IssueTokens => {
            may(&["create"], &[("", &["serviceaccounts/token"])]).or(may(&["create"], &[("", &["secrets"])])
                .and(may(READ, &[("", &["secrets"])]).or(may(&["create"], WORKLOADS))))
        }
        Capability::ProxyNodes => may(&["get", "create"], &[("", &["nodes/proxy"])]).in_cluster(),
        Capability::ChangeAdmission => may(CHANGE, ADMISSION).or(may(DELETE, ADMISSION)).in_cluster(),
        Capability::DeleteEvents => may(DELETE, &[("", &["events"]), ("events.k8s.io", &["events"])]),
        // A RoleBinding is enough: the API server takes a Namespace to be in the namespace that it is.
        Capability::ChangeNamespaces => may(MODIFY, &[("", &["namespaces"])]),
        Capability::DeleteData => may(
            DELETE,
            &[
                ("", &["persistentvolumeclaims", "namespaces"]),
                ("apps", &["deployments", "daemonsets", "statefulsets"]),
            ],
        )
        .or(may(DELETE, &[("", &["persistentvolumes"])]).in_cluster()),
        Capability::WriteConfigMaps => may(CHANGE, &[("", &["configmaps"])]),
    }
}

fn escalate(grants: &[Grant<'_>]) -> Permission {
    let may = |verbs: &[&str], resource: &'static str| find(grants, verbs, &[(GROUP, &[resource])], Rule::is_unnamed);
    // With names, `bind` and `escalate` give everything only if the most powerful role is among them.
    let power = |verb: &str, resource: &'static str| {
        let strong = |rule: &Rule| rule.is_unnamed() || rule.resource_names.iter().any(|name| name == "cluster-admin");
        find(grants, &[verb], &[(GROUP, &[resource])], strong)
    };
    let bind = || power("bind", "clusterroles").or(power("bind", "roles"));
    power("escalate", "roles")
        .and(may(CHANGE, "roles"))
        .or(power("escalate", "clusterroles").in_cluster().and(may(CHANGE, "clusterroles").in_cluster()))
        .or(bind().and(may(CHANGE, "rolebindings")))
        .or(power("bind", "clusterroles").in_cluster().and(may(CHANGE, "clusterrolebindings").in_cluster()))
}

fn impersonate(grants: &[Grant<'_>]) -> Permission {
    let may = |resources: &'static [&'static str], fits: fn(&Rule) -> bool| {
        find(grants, &["impersonate"], &[("", resources)], fits)
    };
    let masters = |rule: &Rule| rule.is_unnamed() || rule.resource_names.iter().any(|name| name == "system:masters");
    may(&["serviceaccounts"], Rule::is_unnamed).or(may(&["users"], Rule::is_unnamed).in_cluster()).or(may(
        &["groups"],
        masters,
    )
    .in_cluster())
}

/// Where any of `verbs` is allowed on any of the resources, by rules that fit.
fn find(
    grants: &[Grant<'_>],
    verbs: &[&str],
    resources: &[(&str, &[&str])],
    fits: impl Fn(&Rule) -> bool,
) -> Permission {
    let mut permission = Permission::default();
    for grant in grants {
        for rule in grant.rules.iter().filter(|rule| fits(rule)) {
            let any = |group: &str, names: &[&str]| {
                names.iter().any(|name| verbs.iter().any(|verb| rule.matches(verb, group, name)))
            };
            if resources.iter().any(|(group, names)| any(group, names)) {
                permission.add(
                    grant.scope,
                    Evidence {
                        binding: grant.binding.to_owned(),
                        binding_span: grant.binding_span,
                        role: grant.role.to_owned(),
                        rule_span: rule.span,
                    },
                );
            }
        }
    }
    permission
}
