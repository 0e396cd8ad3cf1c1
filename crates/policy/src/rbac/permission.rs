//! How far something is allowed, and what allows it.

use std::collections::BTreeSet;

use kubestride_source::Span;

use super::{Capability, Scope};

/// A rule that gives something, and the binding through which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The identity of the binding.
    pub binding: String,
    /// Where the binding names the subject.
    pub binding_span: Span,
    /// The identity of the role.
    pub role: String,
    /// Where the rule stands; none for roles that Kubernetes brings along.
    pub rule_span: Option<Span>,
}

/// How far something is allowed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// Where it is allowed; none if nowhere.
    pub scope: Option<Scope>,
    /// The rules that allow it that far.
    pub evidence: BTreeSet<Evidence>,
}

/// What somebody can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    permissions: Vec<Permission>,
}

impl Capabilities {
    /// Permissions in the order of [`Capability::ALL`].
    pub(super) fn new(permissions: Vec<Permission>) -> Self {
        Self { permissions }
    }

    /// How far one capability goes.
    pub fn get(&self, capability: Capability) -> &Permission {
        static NOTHING: Permission = Permission { scope: None, evidence: BTreeSet::new() };
        self.permissions.get(capability as usize).unwrap_or(&NOTHING)
    }

    /// The capabilities that are there at all.
    pub fn held(&self) -> impl Iterator<Item = (Capability, &Permission)> {
        Capability::ALL.into_iter().map(|c| (c, self.get(c))).filter(|(_, permission)| permission.scope.is_some())
    }
}

impl Permission {
    /// Adds a rule that allows it in `scope`. The widest scope counts, with the rules that reach it.
    pub(super) fn add(&mut self, scope: &Scope, evidence: Evidence) {
        match (&mut self.scope, scope) {
            (Some(Scope::Cluster), Scope::Namespaces(_)) => return,
            (Some(Scope::Namespaces(mine)), Scope::Namespaces(new)) => mine.extend(new.iter().cloned()),
            (Some(Scope::Cluster), Scope::Cluster) => {}
            (mine, _) => {
                // The widest scope needs no evidence for narrower ones.
                *mine = Some(scope.clone());
                self.evidence.clear();
            }
        }
        self.evidence.insert(evidence);
    }

    /// What either allows.
    pub(super) fn or(mut self, other: Permission) -> Permission {
        if let Some(scope) = &other.scope {
            for evidence in other.evidence {
                self.add(scope, evidence);
            }
        }
        self
    }

    /// What both allow, with the evidence of both.
    pub(super) fn and(self, other: Permission) -> Permission {
        let scope = match (self.scope, other.scope) {
            (Some(Scope::Cluster), Some(scope)) | (Some(scope), Some(Scope::Cluster)) => scope,
            (Some(Scope::Namespaces(a)), Some(Scope::Namespaces(b))) => {
                let both: BTreeSet<_> = a.intersection(&b).cloned().collect();
                if both.is_empty() {
                    return Permission::default();
                }
                Scope::Namespaces(both)
            }
            _ => return Permission::default(),
        };
        Permission { scope: Some(scope), evidence: self.evidence.into_iter().chain(other.evidence).collect() }
    }

    /// For resources that belong to the cluster, which a RoleBinding cannot give.
    pub(super) fn in_cluster(self) -> Permission {
        if self.scope == Some(Scope::Cluster) { self } else { Permission::default() }
    }
}
