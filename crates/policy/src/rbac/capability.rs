//! What rules add up to. Some capabilities need two rights together; the conjunctions are worked out here and nowhere else.

use std::collections::BTreeMap;

use kubestride_source::Span;

use super::{Grant, Reach, Rule};

/// Something that a subject can do and that matters for a threat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// All verbs on all resources.
    Everything,
    /// Read Secrets.
    ReadSecrets,
    /// Create pods, or controllers that create pods.
    CreatePods,
    /// Change pods or controllers.
    ChangeWorkloads,
    /// Run commands in pods.
    Exec,
    /// Give itself more rights.
    Escalate,
    /// Act as somebody else.
    Impersonate,
    /// Issue tokens of service accounts.
    IssueTokens,
    /// Reach the kubelet through the API server.
    ProxyNodes,
    /// Change admission webhooks or policies.
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

/// A capability that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whether it holds in the whole cluster.
    pub cluster: bool,
    /// The rule that gives it, if it is in the input, else the binding.
    pub span: Span,
    /// The binding that brings it.
    pub binding: String,
    /// The role that brings it.
    pub role: String,
}

/// What a subject can do.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    held: BTreeMap<Capability, Held>,
}

impl Capabilities {
    /// The widest form in which a capability is held.
    pub fn get(&self, capability: Capability) -> Option<&Held> {
        self.held.get(&capability)
    }

    /// All that are held.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, &Held)> {
        self.held.iter().map(|(c, h)| (*c, h))
    }
}

fn any(list: &[String], wanted: &[&str]) -> bool {
    list.iter().any(|item| item == "*" || wanted.contains(&item.as_str()))
}

impl Rule {
    fn verb(&self, wanted: &[&str]) -> bool {
        any(&self.verbs, wanted)
    }

    /// Whether it covers a resource. `pods/*` covers subresources of pods, `*` and `*/*` everything.
    fn covers(&self, group: &str, resources: &[&str]) -> bool {
        let resource = |r: &String| {
            r == "*"
                || resources.contains(&r.as_str())
                || resources.iter().any(|w| match (r.split_once('/'), w.split_once('/')) {
                    (Some(("*", sub)), Some((_, wanted))) => sub == wanted || sub == "*",
                    (Some((parent, "*")), Some((wanted, _))) => parent == wanted,
                    _ => false,
                })
        };
        any(&self.groups, &[group]) && self.resources.iter().any(resource)
    }

    /// Whether it only lets read what every user of a cluster may read: discovery, health, version, own access.
    pub fn is_public_reading(&self) -> bool {
        let own = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];
        self.resources.iter().all(|r| own.contains(&r.as_str()))
    }

    fn unnamed(&self) -> bool {
        self.names.is_empty()
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: [&str; 8] = [
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhooks",
    "validatingwebhooks",
];

/// Rules on resources that exist only once for the cluster mean nothing in one namespace.
fn needs_cluster(capability: Capability) -> bool {
    matches!(capability, Capability::ProxyNodes | Capability::ChangeAdmission)
}

fn has_workloads(rule: &Rule, verbs: &[&str]) -> bool {
    rule.verb(verbs)
        && (rule.covers("apps", &["deployments", "statefulsets", "daemonsets", "replicasets"])
            || rule.covers("batch", &["jobs", "cronjobs"])
            || rule.covers("", &["replicationcontrollers"]))
}

/// Whether one rule alone gives a capability.
fn gives(rule: &Rule, capability: Capability) -> bool {
    let write = ["create", "update", "patch"];
    match capability {
        Capability::Everything => {
            rule.verbs.iter().any(|v| v == "*")
                && rule.resources.iter().any(|r| r == "*")
                && any(&rule.groups, &["*"])
                && rule.unnamed()
        }
        // A name limits `get` alone; `list` and `watch` with a name still show only that one.
        Capability::ReadSecrets => {
            rule.verb(&["get", "list", "watch"]) && rule.covers("", &["secrets"]) && rule.unnamed()
        }
        Capability::CreatePods => {
            (rule.verb(&["create"]) && rule.covers("", &["pods"])) || has_workloads(rule, &["create"])
        }
        Capability::ChangeWorkloads => {
            rule.unnamed()
                && ((rule.verb(&["update", "patch"]) && rule.covers("", &["pods"]))
                    || has_workloads(rule, &["update", "patch"]))
        }
        Capability::Exec => {
            (rule.verb(&["create"]) && rule.covers("", &["pods/exec", "pods/attach"]) && rule.unnamed())
                || (rule.verb(&["update", "patch"]) && rule.covers("", &["pods/ephemeralcontainers"]) && rule.unnamed())
        }
        // Two rights together: see `conjunction`.
        Capability::Escalate => false,
        Capability::Impersonate => {
            let named = rule.unnamed() || rule.names.iter().any(|n| n == "system:masters");
            rule.verb(&["impersonate"]) && rule.covers("", &["users", "groups", "serviceaccounts"]) && named
        }
        Capability::IssueTokens => {
            rule.verb(&["create"]) && rule.covers("", &["serviceaccounts/token"]) && rule.unnamed()
        }
        // `get` is enough: the connection is upgraded to a stream.
        Capability::ProxyNodes => rule.verb(&["get", "create"]) && rule.covers("", &["nodes/proxy"]),
        Capability::ChangeAdmission => {
            rule.verb(&write) && rule.covers("admissionregistration.k8s.io", &ADMISSION) && rule.unnamed()
        }
        Capability::DeleteEvents => {
            let events = rule.covers("", &["events"]) || rule.covers("events.k8s.io", &["events"]);
            rule.verb(&["delete", "deletecollection"]) && events && rule.unnamed()
        }
        Capability::ChangeNamespaces => {
            rule.verb(&["update", "patch"]) && rule.covers("", &["namespaces"]) && rule.unnamed()
        }
        Capability::DeleteData => {
            rule.unnamed()
                && rule.verb(&["delete", "deletecollection"])
                && (rule.covers("", &["namespaces", "persistentvolumeclaims", "persistentvolumes"])
                    || has_workloads(rule, &["delete", "deletecollection"]))
        }
        Capability::WriteConfigMaps => {
            rule.verb(&["update", "patch"]) && rule.covers("", &["configmaps"]) && rule.unnamed()
        }
    }
}

const ALL: [Capability; 14] = [
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

/// `escalate` counts with a right to write roles, `bind` with one to create bindings, both of the same reach.
fn conjunction(grants: &[&Grant]) -> Option<(Span, String, String)> {
    let rules = || grants.iter().flat_map(|g| g.rules.iter().map(move |r| (*g, r)));
    let find = |verbs: &[&str], resources: &[&str]| rules().find(|(_, r)| r.verb(verbs) && r.covers(RBAC, resources));
    let place = |(grant, rule): (&Grant, &Rule)| {
        (rule.span.unwrap_or(grant.binding_span), grant.binding.clone(), grant.role.clone())
    };
    let roles = ["roles", "clusterroles"];
    let bindings = ["rolebindings", "clusterrolebindings"];
    let escalate = find(&["escalate"], &roles).filter(|_| find(&["create", "update", "patch"], &roles).is_some());
    let bind = find(&["bind"], &roles).filter(|_| find(&["create", "update", "patch"], &bindings).is_some());
    escalate.or(bind).map(place)
}

/// What a set of grants adds up to.
pub fn capabilities(grants: &[Grant]) -> Capabilities {
    let mut held: BTreeMap<Capability, Held> = BTreeMap::new();
    let mut add = |capability, cluster: bool, span, binding: String, role: String| {
        let new = Held { cluster, span, binding, role };
        match held.get(&capability) {
            Some(old) if old.cluster || !cluster => {}
            _ => {
                held.insert(capability, new);
            }
        }
    };
    for grant in grants {
        let cluster = grant.reach == Reach::Cluster;
        for rule in &grant.rules {
            for capability in ALL {
                if gives(rule, capability) && (cluster || !needs_cluster(capability)) {
                    let span = rule.span.unwrap_or(grant.binding_span);
                    add(capability, cluster, span, grant.binding.clone(), grant.role.clone());
                }
            }
        }
    }
    let everywhere: Vec<&Grant> = grants.iter().filter(|g| g.reach == Reach::Cluster).collect();
    if let Some((span, binding, role)) = conjunction(&everywhere) {
        add(Capability::Escalate, true, span, binding, role);
    }
    let mut namespaces: Vec<&String> = Vec::new();
    for grant in grants {
        if let Reach::Namespace(namespace) = &grant.reach
            && !namespaces.contains(&namespace)
        {
            namespaces.push(namespace);
        }
    }
    for namespace in namespaces {
        // What is granted everywhere is granted in the namespace, too.
        let here = |g: &&Grant| matches!(&g.reach, Reach::Namespace(n) if n == namespace) || g.reach == Reach::Cluster;
        let here: Vec<&Grant> = grants.iter().filter(here).collect();
        if let Some((span, binding, role)) = conjunction(&here) {
            add(Capability::Escalate, false, span, binding, role);
        }
    }
    Capabilities { held }
}
