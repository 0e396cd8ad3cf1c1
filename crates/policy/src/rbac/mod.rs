//! Role-based access control.
//!
//! What rules match follows `pkg/apis/rbac/v1/evaluation_helpers.go` of Kubernetes. In particular `*` covers all
//! resources with their subresources, `*/exec` one subresource of all, and `pods/*` nothing.

mod builtin;
mod capability;
mod eval;
mod limits;
mod permission;
mod power;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

pub use capability::{Capability, capabilities};
pub use limits::limits;
pub use permission::{Capabilities, Evidence, Permission};

/// The group of roles and bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Somebody who can be given a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// A group of users or service accounts.
    Group(String),
}

/// `PolicyRule`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// API groups; the empty one is the core group.
    pub api_groups: Vec<String>,
    /// Resources, with subresources as `pods/exec`.
    pub resources: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// The only objects it is about; all if there are none.
    pub resource_names: Vec<String>,
    /// Paths that are no resources.
    pub non_resource_urls: Vec<String>,
    /// Where it stands; none for roles that Kubernetes brings along.
    pub span: Option<Span>,
    /// The identity of the role that it is written in, where an aggregated role took it from there.
    pub written_in: Option<String>,
}

/// A Role or ClusterRole.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its identity, such as `ClusterRole/view`.
    pub identity: String,
    /// Where it is named; none for roles that Kubernetes brings along.
    pub span: Option<Span>,
    /// Its rules. Those of an aggregated role are the rules of the roles it selects.
    pub rules: Vec<Rule>,
    /// Its labels.
    labels: Vec<(String, String)>,
    /// `aggregationRule`: what it takes its rules from.
    aggregates: Option<Vec<LabelSelector>>,
}

/// The role that a binding gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleRef {
    /// Its identity: `ClusterRole/name`, or `Role/namespace/name`.
    pub identity: String,
    /// Where it is named.
    pub span: Span,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Its identity.
    pub identity: String,
    /// Where it is named.
    pub span: Span,
    /// What its role applies to.
    pub scope: Scope,
    /// The role; none if it names none.
    pub role: Option<RoleRef>,
    /// Who gets it, each with its place.
    pub subjects: Vec<(Subject, Span)>,
}

/// Where a role applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// In all namespaces and for what belongs to the cluster.
    Cluster,
    /// In these namespaces.
    Namespaces(BTreeSet<String>),
}

/// A role as somebody has it.
#[derive(Debug, Clone)]
pub struct Grant<'r> {
    /// The identity of the binding.
    pub binding: &'r str,
    /// Where the binding names the subject.
    pub binding_span: Span,
    /// The subject it names: the one that was asked for, or a group that it is in.
    pub subject: &'r Subject,
    /// The identity of the role; empty if the binding names none.
    pub role: &'r str,
    /// Where the role is named; none where it is not part of the input.
    pub role_span: Option<Span>,
    /// Where it applies.
    pub scope: &'r Scope,
    /// Its rules; none if the role is missing.
    pub rules: &'r [Rule],
    /// The role is not part of the input, and none of those that Kubernetes brings along.
    pub role_missing: bool,
}

/// All roles and bindings.
#[derive(Debug, Default)]
pub struct Rbac {
    roles: BTreeMap<String, Role>,
    bindings: Vec<Binding>,
    /// Bindings by subject, with the position among their subjects.
    by_subject: BTreeMap<Subject, Vec<(usize, usize)>>,
    /// Aggregated roles that take too many rules to be followed, and have none here.
    too_large: BTreeSet<String>,
}

impl Subject {
    /// A service account.
    pub fn service_account(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::ServiceAccount { namespace: namespace.into(), name: name.into() }
    }

    /// A user. The name that service accounts have as users gives the service account.
    pub fn user(name: &str) -> Self {
        let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        account.map_or_else(|| Self::User(name.to_owned()), |(namespace, name)| Self::service_account(namespace, name))
    }

    /// A group.
    pub fn group(name: impl Into<String>) -> Self {
        Self::Group(name.into())
    }
}
