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
        let mut left = MOST_AGGREGATED;
        for (at, role) in selections.roles().filter(|(_, role)| role.aggregates.is_some()) {
            let rules = selections.rules(at, left);
            left -= rules.as_ref().map_or(0, Vec::len);
            all.push((role.identity.clone(), rules));
        }
        for (identity, rules) in all {
            if rules.is_none() {
                self.too_large.insert(identity.clone());
            }
            if let Some(role) = self.roles.get_mut(&identity) {
                role.rules = rules.unwrap_or_default();
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

/// So many rules do aggregated roles take over together, and so many roles do they select. In clusters it is thousands;
/// what selects more than that would be larger than the memory, and is left without rules.
pub(super) const MOST_AGGREGATED: usize = 200_000;

/// Which roles aggregated roles select.
pub(super) struct Selections<'r> {
    /// All roles in order of their identities, and the positions of the ClusterRoles that each selects. A role may
    /// select itself; the controller leaves it out. None where they are too many.
    roles: Vec<(&'r Role, Option<Vec<usize>>)>,
}

impl<'r> Selections<'r> {
    pub(super) fn of(rbac: &'r Rbac) -> Self {
        let mut selectable = Vec::new();
        for (at, role) in rbac.roles.values().enumerate().filter(|(_, r)| Identity(&r.identity).kind() == "ClusterRole")
        {
            let labels = role.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            selectable.push((at, Labels::from_pairs(labels)));
        }
        let mut left = MOST_AGGREGATED;
        let mut selected_by = |role: &Role| -> Option<Vec<usize>> {
            let Some(selectors) = &role.aggregates else { return Some(Vec::new()) };
            let chosen = selectable.iter().filter(|(_, labels)| selectors.iter().any(|s| s.matches(labels)));
            let chosen: Vec<usize> = chosen.map(|(at, _)| *at).take(left + 1).collect();
            left = left.checked_sub(chosen.len())?;
            Some(chosen)
        };
        Self { roles: rbac.roles.values().map(|role| (role, selected_by(role))).collect() }
    }

    /// All roles with their positions.
    pub(super) fn roles(&self) -> impl Iterator<Item = (usize, &'r Role)> {
        self.roles.iter().map(|(role, _)| *role).enumerate()
    }

    /// The positions of the roles that the one at `at` selects beside itself.
    pub(super) fn others(&self, at: usize) -> impl Iterator<Item = usize> {
        let selected = self.roles.get(at).and_then(|(_, selected)| selected.as_deref()).unwrap_or_default();
        selected.iter().copied().filter(move |other| *other != at)
    }

    /// The rules of all that the role at `first` aggregates. The controller replaces what an aggregated role itself has
    /// as `rules`. None if they are more than `most`, or not known.
    fn rules(&self, first: usize, most: usize) -> Option<Vec<Rule>> {
        let mut rules = Vec::new();
        let mut seen = vec![false; self.roles.len()];
        let mut todo = vec![first];
        while let Some(at) = todo.pop() {
            let (Some((role, selected)), Some(seen_here)) = (self.roles.get(at), seen.get_mut(at)) else { continue };
            selected.as_ref()?;
            if std::mem::replace(seen_here, true) {
                continue;
            }
            if role.aggregates.is_none() {
                if rules.len() + role.rules.len() > most {
                    return None;
                }
                let written_in = |rule: &Rule| Rule { written_in: Some(role.identity.clone()), ..rule.clone() };
                rules.extend(role.rules.iter().map(written_in));
            }
            todo.extend(self.others(at).filter(|other| seen.get(*other) == Some(&false)));
        }
        Some(rules)
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
