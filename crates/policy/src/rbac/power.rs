//! Which rules, alone or together, give an ability.
//!
//! Rules with `resourceNames` count only where said so. They never give `create` or `deletecollection`, for such a
//! request has no name to compare, and `list` and `watch` only to who asks for one object by `metadata.name`: what they
//! give is about single objects, and whether those matter is not known.

use super::{Capability, Evidence, GROUP, Grant, Permission, Rule};

const CHANGE: &[&str] = &["create", "update", "patch"];
const MODIFY: &[&str] = &["update", "patch"];
const DELETE: &[&str] = &["delete", "deletecollection"];
const READ: &[&str] = &["get", "list", "watch"];
const CREATE: &[&str] = &["create"];
const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const MODIFY_OR_DELETE: &[&str] = &["update", "patch", "delete", "deletecollection"];

/// API groups, each with resources of it.
type Resources = &'static [(&'static str, &'static [&'static str])];

const SECRETS: Resources = &[("", &["secrets"])];
const WORKLOADS: Resources = &[
    ("", &["pods", "replicationcontrollers"]),
    ("apps", &["deployments", "daemonsets", "statefulsets", "replicasets"]),
    ("batch", &["jobs", "cronjobs"]),
];
const WEBHOOKS: Resources =
    &[("admissionregistration.k8s.io", &["validatingwebhookconfigurations", "mutatingwebhookconfigurations"])];
const ADMISSION_POLICIES: Resources = &[(
    "admissionregistration.k8s.io",
    &[
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ],
)];
const APIS: Resources =
    &[("apiregistration.k8s.io", &["apiservices"]), ("apiextensions.k8s.io", &["customresourcedefinitions"])];
const CERTIFICATES: &str = "certificates.k8s.io";
/// Signers whose certificates the API server takes for a login.
const LOGIN_SIGNERS: [&str; 3] =
    ["kubernetes.io/*", "kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet"];
/// ConfigMaps of `kube-system` that say who is who, how names are resolved and how traffic is led.
const SYSTEM_CONFIG: [&str; 6] =
    ["aws-auth", "coredns", "extension-apiserver-authentication", "kube-dns", "kube-proxy", "kubeadm-config"];
const NETWORK_RULES: Resources = &[
    ("networking.k8s.io", &["networkpolicies"]),
    ("cilium.io", &["ciliumnetworkpolicies"]),
    ("crd.projectcalico.org", &["networkpolicies"]),
    ("projectcalico.org", &["networkpolicies"]),
    ("security.istio.io", &["authorizationpolicies", "peerauthentications", "requestauthentications"]),
    (
        "policy.linkerd.io",
        &[
            "authorizationpolicies",
            "meshtlsauthentications",
            "networkauthentications",
            "serverauthorizations",
            "servers",
        ],
    ),
];
const NETWORK_RULES_OF_CLUSTER: Resources = &[
    ("policy.networking.k8s.io", &["adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"]),
    ("cilium.io", &["ciliumclusterwidenetworkpolicies"]),
    ("crd.projectcalico.org", &["globalnetworkpolicies"]),
    ("projectcalico.org", &["globalnetworkpolicies"]),
];
const RUNTIME_RULES: Resources =
    &[("security.kubearmor.com", &["kubearmorpolicies"]), ("cilium.io", &["tracingpoliciesnamespaced"])];
const RUNTIME_RULES_OF_CLUSTER: Resources = &[
    ("security.kubearmor.com", &["kubearmorclusterpolicies", "kubearmorhostpolicies"]),
    ("cilium.io", &["tracingpolicies"]),
];

/// How far the holder of the grants has the ability.
pub(super) fn permission(grants: &[Grant<'_>], capability: Capability) -> Permission {
    let may = |verbs: &[&str], resources: Resources| find(grants, verbs, resources, Rule::is_unnamed);
    match capability {
        Capability::Everything => may(&["*"], &[("*", &["*"])]),
        Capability::ReadSecrets => may(READ, SECRETS),
        Capability::CreatePods => may(CREATE, WORKLOADS),
        Capability::ChangeWorkloads => may(MODIFY, WORKLOADS),
        // Before Kubernetes 1.35 `get` was enough to exec through a websocket.
        Capability::Exec => may(&["create", "get"], &[("", &["pods/exec", "pods/attach"])])
            .or(may(MODIFY, &[("", &["pods/ephemeralcontainers"])])),
        Capability::Escalate => escalate(grants),
        Capability::Impersonate => impersonate(grants),
        Capability::IssueTokens => may(CREATE, &[("", &["serviceaccounts/token"])]),
        Capability::MakeTokenSecrets => may(CREATE, SECRETS).and(may(READ, SECRETS).or(may(CREATE, WORKLOADS))),
        Capability::IssueCertificates => issue_certificates(grants),
        Capability::ProxyNodes => may(&["get", "create"], &[("", &["nodes/proxy"])]).in_cluster(),
        Capability::ChangeAdmission => may(WRITE, WEBHOOKS)
            .or(may(WRITE, ADMISSION_POLICIES))
            // What a webhook is asked about stands in its configuration: to change any one is to change that.
            .or(find(grants, MODIFY, WEBHOOKS, |_| true))
            .in_cluster(),
        Capability::ChangeApis => may(CHANGE, APIS).in_cluster(),
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
        Capability::WriteSystemConfig => {
            let fits = |rule: &Rule| rule.is_unnamed() || rule.names_one_of(&SYSTEM_CONFIG);
            find(grants, MODIFY, &[("", &["configmaps"])], fits).within("kube-system")
        }
        Capability::CreateVolumes => may(CREATE, &[("", &["persistentvolumes"])])
            .in_cluster()
            .and(may(CREATE, &[("", &["persistentvolumeclaims"])]))
            .and(may(CREATE, WORKLOADS)),
        Capability::MovePods => {
            let drive_away = may(DELETE, &[("", &["pods"])]).or(may(CREATE, &[("", &["pods/eviction"])]));
            let close = may(MODIFY_OR_DELETE, &[("", &["nodes"])]).or(may(MODIFY, &[("", &["nodes/status"])]));
            drive_away.and(close.in_cluster()).or(may(CREATE, &[("", &["pods/binding", "bindings"])]))
        }
        // A new Service can claim any address in `externalIPs`.
        Capability::RedirectServices => {
            may(CHANGE, &[("", &["services", "endpoints"]), ("discovery.k8s.io", &["endpointslices"])])
                .or(may(MODIFY, &[("", &["services/status"])]))
        }
        Capability::ReachPods => may(&["create", "get"], &[("", &["pods/portforward"])])
            .or(may(&["get", "create", "update", "patch", "delete"], &[("", &["pods/proxy", "services/proxy"])])),
        Capability::ChangeNetworkRules => {
            may(WRITE, NETWORK_RULES).or(may(WRITE, NETWORK_RULES_OF_CLUSTER).in_cluster())
        }
        Capability::ChangeRuntimeRules => {
            may(MODIFY_OR_DELETE, RUNTIME_RULES).or(may(MODIFY_OR_DELETE, RUNTIME_RULES_OF_CLUSTER).in_cluster())
        }
    }
}

/// `bind` on `roles` alone is not counted: it gives the Roles that somebody else wrote into the namespace.
fn escalate(grants: &[Grant<'_>]) -> Permission {
    let may = |verbs: &[&str], resources: Resources| find(grants, verbs, resources, Rule::is_unnamed);
    // With names, `bind` and `escalate` give everything only if the most powerful role is among them.
    let strong = |rule: &Rule| rule.is_unnamed() || rule.names_one_of(&["cluster-admin"]);
    let power = |verb: &str, resources: Resources| find(grants, &[verb], resources, strong);
    let (roles, cluster_roles): (Resources, Resources) = (&[(GROUP, &["roles"])], &[(GROUP, &["clusterroles"])]);
    let bind = power("bind", cluster_roles);
    power("escalate", roles)
        .and(may(CHANGE, roles))
        .or(power("escalate", cluster_roles).and(may(CHANGE, cluster_roles)).in_cluster())
        .or(bind.clone().and(may(CHANGE, &[(GROUP, &["rolebindings"])])))
        .or(bind.and(may(CHANGE, &[(GROUP, &["clusterrolebindings"])])).in_cluster())
}

/// A group can be taken on only together with a user or a service account.
fn impersonate(grants: &[Grant<'_>]) -> Permission {
    let may = |resources: Resources, fits: &dyn Fn(&Rule) -> bool| find(grants, &["impersonate"], resources, fits);
    let (users, accounts): (Resources, Resources) = (&[("", &["users"])], &[("", &["serviceaccounts"])]);
    let masters = |rule: &Rule| rule.is_unnamed() || rule.names_one_of(&["system:masters"]);
    let anybody = may(users, &|_| true).in_cluster().or(may(accounts, &|_| true));
    may(accounts, &Rule::is_unnamed).or(may(users, &Rule::is_unnamed).in_cluster()).or(may(
        &[("", &["groups"])],
        &masters,
    )
    .in_cluster()
    .given(&anybody))
}

/// Three rights together. Who may sign needs the key of the signer, too, so `sign` gives nothing here. Its request has
/// the name that its author chooses, so names do not limit what he approves.
fn issue_certificates(grants: &[Grant<'_>]) -> Permission {
    let login = |rule: &Rule| rule.is_unnamed() || rule.names_one_of(&LOGIN_SIGNERS);
    find(grants, CREATE, &[(CERTIFICATES, &["certificatesigningrequests"])], Rule::is_unnamed)
        .and(find(grants, MODIFY, &[(CERTIFICATES, &["certificatesigningrequests/approval"])], |_| true))
        .and(find(grants, &["approve"], &[(CERTIFICATES, &["signers"])], login))
        .in_cluster()
}

/// Where any of `verbs` is allowed on any of the resources, by rules that fit.
fn find(grants: &[Grant<'_>], verbs: &[&str], resources: Resources, fits: impl Fn(&Rule) -> bool) -> Permission {
    let mut permission = Permission::default();
    for grant in grants {
        for rule in grant.rules.iter().filter(|rule| fits(rule)) {
            let any = |group: &str, names: &[&str]| {
                names.iter().any(|name| verbs.iter().any(|verb| rule.matches(verb, group, name)))
            };
            if resources.iter().any(|(group, names)| any(group, names)) {
                let evidence = Evidence {
                    binding: grant.binding.to_owned(),
                    binding_span: grant.binding_span,
                    role: grant.role.to_owned(),
                    written_in: rule.written_in.as_deref().unwrap_or(grant.role).to_owned(),
                    rule_span: rule.span,
                };
                permission.add(grant.scope, evidence);
            }
        }
    }
    permission
}
