//! What is granted to whom.

use std::collections::BTreeSet;

use kubestride_source::Span;

use super::{Rbac, Role, RoleRef, Rule};

/// Whom a binding names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A user.
    User(String),
    /// A group.
    Group(String),
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    Cluster,
    /// In one namespace.
    Namespace(String),
}

/// A role that a binding gives to a subject.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The binding.
    pub binding: String,
    /// Where the binding names the subject.
    pub binding_span: Span,
    /// The role.
    pub role: String,
    /// Where it holds.
    pub reach: Reach,
    /// What it allows.
    pub rules: Vec<Rule>,
    /// The role is not in the input and is none that Kubernetes brings.
    pub role_missing: bool,
}

impl Subject {
    /// Whether what is given to `other` is given to this one: groups of service accounts are made by Kubernetes.
    fn is_named_by(&self, other: &Subject) -> bool {
        match (self, other) {
            (Subject::ServiceAccount { namespace, .. }, Subject::Group(group)) => {
                group == "system:serviceaccounts"
                    || group == "system:authenticated"
                    || group.strip_prefix("system:serviceaccounts:") == Some(namespace)
            }
            // A service account can be named as the user that it is.
            (Subject::ServiceAccount { namespace, name }, Subject::User(user)) => {
                user.strip_prefix("system:serviceaccount:").and_then(|r| r.split_once(':')) == Some((namespace, name))
            }
            _ => self == other,
        }
    }
}

impl Rbac {
    /// The role that a reference means, and whether it is missing.
    pub fn role(&self, namespace: Option<&str>, reference: &RoleRef) -> (Role, bool) {
        let (known, identity) = match reference {
            RoleRef::Role(name) => {
                let namespace = namespace.unwrap_or("");
                let known = self.roles.get(&(namespace.to_owned(), name.clone()));
                (known.cloned(), format!("Role/{namespace}/{name}"))
            }
            RoleRef::ClusterRole(name) => {
                let known = self.cluster_roles.get(name).cloned();
                (known.or_else(|| builtin(name)), format!("ClusterRole/{name}"))
            }
        };
        match known {
            Some(role) => (role, false),
            None => (Role { identity, rules: Vec::new(), span: None }, true),
        }
    }

    /// Everything that bindings give to a subject.
    pub fn grants(&self, subject: &Subject) -> Vec<Grant> {
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for binding in &self.bindings {
            let Some((_, span)) = binding.subjects.iter().find(|(s, _)| subject.is_named_by(s)) else { continue };
            if !seen.insert(&binding.identity) {
                continue;
            }
            let (role, role_missing) = self.role(binding.namespace.as_deref(), &binding.role);
            let reach = binding.namespace.clone().map_or(Reach::Cluster, Reach::Namespace);
            out.push(Grant {
                binding: binding.identity.clone(),
                binding_span: *span,
                role: role.identity,
                reach,
                rules: role.rules,
                role_missing,
            });
        }
        out
    }
}

/// Roles that every cluster has (Kubernetes documentation, "User-facing roles"), as far as threats ask for them.
fn builtin(name: &str) -> Option<Role> {
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Rule { groups: own(groups), resources: own(resources), verbs: own(verbs), names: Vec::new(), span: None }
    };
    let read = ["get", "list", "watch"];
    let write = ["create", "delete", "deletecollection", "patch", "update"];
    let pods = ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "replicationcontrollers"];
    let workloads = ["daemonsets", "deployments", "replicasets", "statefulsets"];
    let data = ["configmaps", "persistentvolumeclaims", "services", "events", "serviceaccounts"];
    let edit = || {
        vec![
            rule(&[""], &["secrets"], &read),
            rule(&[""], &["secrets"], &write),
            rule(&[""], &pods, &write),
            rule(&[""], &data, &write),
            rule(&[""], &["serviceaccounts"], &["impersonate"]),
            rule(&["apps"], &workloads, &write),
            rule(&["batch"], &["cronjobs", "jobs"], &write),
        ]
    };
    let rules = match name {
        "cluster-admin" => vec![rule(&["*"], &["*"], &["*"])],
        "admin" => {
            let mut rules = edit();
            rules.push(rule(&["rbac.authorization.k8s.io"], &["roles", "rolebindings"], &write));
            rules.push(rule(&[""], &["serviceaccounts/token"], &["create"]));
            rules
        }
        "edit" => {
            let mut rules = edit();
            rules.push(rule(&[""], &["serviceaccounts/token"], &["create"]));
            rules
        }
        "view" => vec![rule(&[""], &["pods", "configmaps", "services"], &read), rule(&["apps"], &workloads, &read)],
        _ if name.starts_with("system:") => Vec::new(),
        _ => return None,
    };
    Some(Role { identity: format!("ClusterRole/{name}"), rules, span: None })
}
