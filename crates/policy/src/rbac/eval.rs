//! Who has which role, and what rules match.

use std::collections::BTreeSet;

use kubestride_manifest::{Identity, Labels};

use super::{Binding, Grant, Rbac, Role, Rule, Scope, Subject};

impl Rbac {
    /// All roles by identity, those that Kubernetes brings along too.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// The role of this identity.
    pub fn role(&self, identity: &str) -> Option<&Role> {
        self.roles.get(identity)
    }

    /// All bindings in order of their identities.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The roles that `subject` has by its name and by the groups that it is always in.
    pub fn grants(&self, subject: &Subject) -> Vec<Grant<'_>> {
        let names = std::iter::once(subject.clone()).chain(groups_of(subject));
        let places: BTreeSet<(usize, usize)> =
            names.filter_map(|name| self.by_subject.get(&name)).flatten().copied().collect();
        places.iter().filter_map(|(binding, place)| self.grant(self.bindings.get(*binding)?, *place)).collect()
    }

    /// The role that a binding gives to the subject at `place` among its subjects.
    pub fn grant<'r>(&'r self, binding: &'r Binding, place: usize) -> Option<Grant<'r>> {
        let (subject, span) = binding.subjects.get(place)?;
        let role = binding.role.as_ref().and_then(|reference| self.roles.get(&reference.identity));
        Some(Grant {
            binding: &binding.identity,
            binding_span: *span,
            subject,
            role: binding.role.as_ref().map_or("", |reference| &reference.identity),
            role_span: role.and_then(|role| role.span),
            scope: &binding.scope,
            rules: role.map(|role| role.rules.as_slice()).unwrap_or_default(),
            role_missing: role.is_none(),
        })
    }

    /// Gives aggregated roles their rules: those of all roles that they select, which may be aggregated themselves.
    pub(super) fn aggregate(&mut self) {
        let selections = Selections::of(self);
        let mut all = Vec::new();
        for (at, (role, _)) in selections.roles.iter().enumerate() {
            if role.aggregates.is_some() {
                all.push((role.identity.clone(), selections.rules(at)));
            }
        }
        for (identity, rules) in all {
            if let Some(role) = self.roles.get_mut(&identity) {
                role.rules = rules;
            }
        }
    }

    pub(super) fn index(&mut self) {
        for (index, binding) in self.bindings.iter().enumerate() {
            for (place, (subject, _)) in binding.subjects.iter().enumerate() {
                self.by_subject.entry(subject.clone()).or_default().push((index, place));
            }
        }
    }
}

/// Which roles aggregated roles select.
pub(super) struct Selections<'r> {
    /// All roles in order of their identities, and the positions of the ClusterRoles that each selects. A role may
    /// select itself; the controller leaves it out.
    roles: Vec<(&'r Role, Vec<usize>)>,
}

impl<'r> Selections<'r> {
    pub(super) fn of(rbac: &'r Rbac) -> Self {
        let mut selectable = Vec::new();
        for (at, role) in rbac.roles.values().enumerate().filter(|(_, r)| Identity(&r.identity).kind() == "ClusterRole")
        {
            let labels = role.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            selectable.push((at, Labels::from_pairs(labels)));
        }
        let selected_by = |role: &Role| -> Vec<usize> {
            let Some(selectors) = &role.aggregates else { return Vec::new() };
            let chosen = selectable.iter().filter(|(_, labels)| selectors.iter().any(|s| s.matches(labels)));
            chosen.map(|(at, _)| *at).collect()
        };
        Self { roles: rbac.roles.values().map(|role| (role, selected_by(role))).collect() }
    }

    /// All roles with their positions.
    pub(super) fn roles(&self) -> impl Iterator<Item = (usize, &'r Role)> {
        self.roles.iter().map(|(role, _)| *role).enumerate()
    }

    /// The positions of the roles that the one at `at` selects beside itself.
    pub(super) fn others(&self, at: usize) -> impl Iterator<Item = usize> {
        let selected = self.roles.get(at).map(|(_, selected)| selected.as_slice()).unwrap_or_default();
        selected.iter().copied().filter(move |other| *other != at)
    }

    /// The rules of all that the role at `first` aggregates. The controller replaces what an aggregated role itself has
    /// as `rules`.
    fn rules(&self, first: usize) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut seen = vec![false; self.roles.len()];
        let mut todo = vec![first];
        while let Some(at) = todo.pop() {
            let (Some((role, _)), Some(seen_here)) = (self.roles.get(at), seen.get_mut(at)) else { continue };
            if std::mem::replace(seen_here, true) {
                continue;
            }
            if role.aggregates.is_none() {
                let written_in = |rule: &Rule| Rule { written_in: Some(role.identity.clone()), ..rule.clone() };
                rules.extend(role.rules.iter().map(written_in));
            }
            todo.extend(self.others(at).filter(|other| seen.get(*other) == Some(&false)));
        }
        rules
    }
}

/// The groups that a subject is in whatever the identity provider says.
fn groups_of(subject: &Subject) -> Vec<Subject> {
    match subject {
        Subject::ServiceAccount { namespace, .. } => vec![
            Subject::group("system:serviceaccounts"),
            Subject::group(format!("system:serviceaccounts:{namespace}")),
            Subject::group("system:authenticated"),
        ],
        Subject::User(name) if name == "system:anonymous" => vec![Subject::group("system:unauthenticated")],
        Subject::User(_) => vec![Subject::group("system:authenticated")],
        Subject::Group(_) => Vec::new(),
    }
}

impl Rule {
    /// Whether it allows `verb` on `resource` (`pods`, `pods/exec`) of `group`, not looking at `resourceNames`.
    pub fn matches(&self, verb: &str, group: &str, resource: &str) -> bool {
        let any = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
        any(&self.verbs, verb)
            && any(&self.api_groups, group)
            && self.resources.iter().any(|item| resource_matches(item, resource))
    }

    /// Whether it is about single objects, and one of these among them.
    pub(super) fn names_one_of(&self, names: &[&str]) -> bool {
        self.resource_names.iter().any(|name| names.contains(&name.as_str()))
    }

    /// Whether it is about all objects and not only some by name.
    pub fn is_unnamed(&self) -> bool {
        self.resource_names.is_empty()
    }
}

fn resource_matches(item: &str, resource: &str) -> bool {
    if item == "*" || item == resource {
        return true;
    }
    let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
    subresource.is_some() && item.strip_prefix("*/") == subresource
}

impl Scope {
    /// Whether a role with this scope applies in `namespace`.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Scope::Cluster => true,
            Scope::Namespaces(names) => names.contains(namespace),
        }
    }
}
