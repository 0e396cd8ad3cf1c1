//! Roles and bindings as plain types.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{LabelSelector, Manifests, Object};
use kubestride_source::Span;
use kubestride_yaml::Value;

use super::Subject;

/// A rule of a role (`rbac.authorization.k8s.io/v1 PolicyRule`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// API groups, `*` for all.
    pub groups: Vec<String>,
    /// Resources with subresources, `*` for all.
    pub resources: Vec<String>,
    /// Verbs, `*` for all.
    pub verbs: Vec<String>,
    /// Names that the rule is limited to; none: all.
    pub names: Vec<String>,
    /// Where it is; none for roles that Kubernetes brings.
    pub span: Option<Span>,
}

/// A Role or a ClusterRole.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its identity.
    pub identity: String,
    /// Its rules, those of aggregated roles too.
    pub rules: Vec<Rule>,
    /// Where it is named.
    pub span: Option<Span>,
}

/// What a binding refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleRef {
    /// A Role of the binding's namespace.
    Role(String),
    /// A ClusterRole.
    ClusterRole(String),
}

/// A RoleBinding or a ClusterRoleBinding.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// The namespace in which it holds; none: everywhere.
    pub namespace: Option<String>,
    /// What it gives.
    pub role: RoleRef,
    /// To whom.
    pub subjects: Vec<(Subject, Span)>,
    /// Where it is named.
    pub span: Span,
}

/// All roles and bindings of the input.
#[derive(Debug, Default)]
pub struct Rbac {
    pub(crate) roles: BTreeMap<(String, String), Role>,
    pub(crate) cluster_roles: BTreeMap<String, Role>,
    pub(crate) bindings: Vec<Binding>,
}

fn texts(value: Option<Value<'_>>) -> Vec<String> {
    value.into_iter().flat_map(|v| v.items()).filter_map(|i| i.scalar_text()).map(str::to_owned).collect()
}

fn rules(object: Object<'_>) -> Vec<Rule> {
    let list = object.root().get("rules").into_iter().flat_map(|r| r.items());
    let rule = |v: Value<'_>| Rule {
        groups: texts(v.get("apiGroups")),
        resources: texts(v.get("resources")),
        verbs: texts(v.get("verbs")),
        names: texts(v.get("resourceNames")),
        span: Some(v.span()),
    };
    list.map(rule).filter(|r| !r.resources.is_empty()).collect()
}

fn subjects(object: Object<'_>, namespace: Option<&str>) -> Vec<(Subject, Span)> {
    let list = object.root().get("subjects").into_iter().flat_map(|s| s.items());
    let subject = |v: Value<'_>| {
        let text = |key: &str| v.get(key).and_then(|t| t.scalar_text()).map(str::to_owned);
        let name = text("name")?;
        let subject = match text("kind")?.as_str() {
            "ServiceAccount" => {
                let namespace = text("namespace").or_else(|| namespace.map(str::to_owned))?;
                Subject::ServiceAccount { namespace, name }
            }
            "Group" => Subject::Group(name),
            _ => Subject::User(name),
        };
        Some((subject, v.span()))
    };
    list.filter_map(subject).collect()
}

impl Rbac {
    /// Reads all roles and bindings.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut rbac = Self::default();
        let ours = |kind| manifests.by_kind(kind).filter(|o| o.group() == "rbac.authorization.k8s.io");
        let role =
            |o: Object<'_>| Role { identity: o.identity(default_namespace), rules: rules(o), span: Some(o.span()) };
        for object in ours("Role") {
            let namespace = object.effective_namespace(default_namespace).unwrap_or_default().to_owned();
            rbac.roles.insert((namespace, object.name().to_owned()), role(object));
        }
        for object in ours("ClusterRole") {
            rbac.cluster_roles.insert(object.name().to_owned(), role(object));
        }
        aggregate(&mut rbac, &ours("ClusterRole").collect::<Vec<_>>());
        for kind in ["RoleBinding", "ClusterRoleBinding"] {
            for object in ours(kind) {
                let namespace = (kind == "RoleBinding")
                    .then(|| object.effective_namespace(default_namespace).unwrap_or_default().to_owned());
                let reference = object.root().get("roleRef");
                let text = |key: &str| reference.and_then(|r| r.get(key)).and_then(|v| v.scalar_text());
                let Some(name) = text("name").map(str::to_owned) else { continue };
                let role = if text("kind") == Some("Role") { RoleRef::Role(name) } else { RoleRef::ClusterRole(name) };
                rbac.bindings.push(Binding {
                    identity: object.identity(default_namespace),
                    name: object.name().to_owned(),
                    subjects: subjects(object, namespace.as_deref()),
                    namespace,
                    role,
                    span: object.span(),
                });
            }
        }
        rbac.bindings.sort_by(|a, b| a.identity.cmp(&b.identity));
        rbac
    }

    /// All bindings, sorted by identity.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }
}

/// Gives ClusterRoles with an `aggregationRule` the rules of those that it selects, over any number of steps.
fn aggregate(rbac: &mut Rbac, objects: &[Object<'_>]) {
    let mut selected: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for object in objects {
        let selectors = object.root().get("aggregationRule").and_then(|a| a.get("clusterRoleSelectors"));
        for selector in selectors.into_iter().flat_map(|s| s.items()).map(LabelSelector::read) {
            for other in objects {
                let labels = other.label_set();
                if selector.matches(&labels) && other.name() != object.name() {
                    selected.entry(object.name()).or_default().insert(other.name());
                }
            }
        }
    }
    let own: BTreeMap<String, Vec<Rule>> =
        rbac.cluster_roles.iter().map(|(name, role)| (name.clone(), role.rules.clone())).collect();
    for name in selected.keys() {
        let (mut seen, mut open) = (BTreeSet::from([*name]), vec![*name]);
        let mut rules = own.get(*name).cloned().unwrap_or_default();
        while let Some(next) = open.pop() {
            for other in selected.get(next).into_iter().flatten().filter(|o| seen.insert(**o)).collect::<Vec<_>>() {
                rules.extend(own.get(*other).cloned().unwrap_or_default());
                open.push(other);
            }
        }
        if let Some(role) = rbac.cluster_roles.get_mut(*name) {
            role.rules = rules;
        }
    }
}
