//! How far something is allowed, and what allows it.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_source::Span;

use super::{Capability, Scope};

/// A rule that gives something, and the binding through which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The identity of the binding.
    pub binding: String,
    /// Where the binding names the subject.
    pub binding_span: Span,
    /// The identity of the role that is bound.
    pub role: String,
    /// The identity of the role in which the rule is written: another one where the bound role is aggregated.
    pub written_in: String,
    /// Where the rule stands; none for roles that Kubernetes brings along.
    pub rule_span: Option<Span>,
}

/// How far something is allowed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// What allows it in all namespaces and for what belongs to the cluster.
    cluster: BTreeSet<Evidence>,
    /// What allows it in single namespaces; nothing where the whole cluster is allowed.
    namespaces: BTreeMap<String, BTreeSet<Evidence>>,
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
        static NOTHING: Permission = Permission { cluster: BTreeSet::new(), namespaces: BTreeMap::new() };
        self.permissions.get(capability as usize).unwrap_or(&NOTHING)
    }

    /// The capabilities that are there at all.
    pub fn held(&self) -> impl Iterator<Item = (Capability, &Permission)> {
        Capability::ALL.iter().map(|c| (*c, self.get(*c))).filter(|(_, permission)| permission.scope().is_some())
    }

    /// What the holder of two identities can do, each used alone: one request has one identity.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let both = |capability: &Capability| self.get(*capability).clone().or(other.get(*capability).clone());
        Self::new(Capability::ALL.iter().map(both).collect())
    }
}

impl Permission {
    /// Where it is allowed; none if nowhere.
    pub fn scope(&self) -> Option<Scope> {
        match (self.cluster.is_empty(), self.namespaces.is_empty()) {
            (false, _) => Some(Scope::Cluster),
            (true, false) => Some(Scope::Namespaces(self.namespaces.keys().cloned().collect())),
            (true, true) => None,
        }
    }

    /// The rules that allow it that far: all that contribute and no others.
    pub fn evidence(&self) -> BTreeSet<&Evidence> {
        self.cluster.iter().chain(self.namespaces.values().flatten()).collect()
    }

    /// Adds a rule that allows it in `scope`. The widest scope counts, with the rules that reach it.
    pub(super) fn add(&mut self, scope: &Scope, evidence: Evidence) {
        match scope {
            Scope::Cluster => {
                self.cluster.insert(evidence);
                self.namespaces.clear();
            }
            Scope::Namespaces(_) if !self.cluster.is_empty() => {}
            Scope::Namespaces(names) => {
                for name in names {
                    self.namespaces.entry(name.clone()).or_default().insert(evidence.clone());
                }
            }
        }
    }

    /// What either allows.
    pub(super) fn or(mut self, other: Permission) -> Permission {
        self.cluster.extend(other.cluster);
        for (name, evidence) in other.namespaces {
            self.namespaces.entry(name).or_default().extend(evidence);
        }
        if !self.cluster.is_empty() {
            self.namespaces.clear();
        }
        self
    }

    /// What both allow, each with the evidence of both.
    pub(super) fn and(self, other: Permission) -> Permission {
        let joined = |a: &BTreeSet<Evidence>, b: &BTreeSet<Evidence>| a.union(b).cloned().collect();
        match (self.cluster.is_empty(), other.cluster.is_empty()) {
            (false, false) => {
                Permission { cluster: joined(&self.cluster, &other.cluster), namespaces: BTreeMap::new() }
            }
            (true, false) => other.and(self),
            (false, true) => {
                let namespaces = other.namespaces.iter().map(|(name, e)| (name.clone(), joined(&self.cluster, e)));
                Permission { cluster: BTreeSet::new(), namespaces: namespaces.collect() }
            }
            (true, true) => {
                let both = |(name, mine): (&String, &BTreeSet<Evidence>)| {
                    Some((name.clone(), joined(mine, other.namespaces.get(name)?)))
                };
                let namespaces = self.namespaces.iter().filter_map(both).collect();
                Permission { cluster: BTreeSet::new(), namespaces }
            }
        }
    }

    /// This, if `other` is allowed anywhere, with the evidence of both.
    pub(super) fn given(self, other: &Permission) -> Permission {
        let reasons = other.evidence();
        if reasons.is_empty() {
            return Permission::default();
        }
        let with = |evidence: BTreeSet<Evidence>| -> BTreeSet<Evidence> {
            if evidence.is_empty() {
                evidence
            } else {
                evidence.iter().chain(reasons.iter().copied()).cloned().collect()
            }
        };
        let namespaces = self.namespaces.into_iter().map(|(name, evidence)| (name, with(evidence))).collect();
        Permission { cluster: with(self.cluster), namespaces }
    }

    /// For resources that belong to the cluster, which a RoleBinding cannot give.
    pub(super) fn in_cluster(self) -> Permission {
        Permission { namespaces: BTreeMap::new(), ..self }
    }

    /// What is left of it for one namespace. What is allowed everywhere stays so.
    pub(super) fn within(mut self, namespace: &str) -> Permission {
        self.namespaces.retain(|name, _| name == namespace);
        self
    }
}
