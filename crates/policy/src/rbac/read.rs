//! RBAC objects to plain types.

use std::collections::BTreeSet;

use kubestride_manifest::{Field, LabelSelector, Manifests, Object};
use kubestride_yaml::Value;

use super::{Binding, GROUP, Rbac, Role, RoleRef, Rule, Scope, Subject, builtin};

impl Rbac {
    /// Reads all roles and bindings. Roles that Kubernetes brings along are there too, unless the input has its own.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut rbac = Self::default();
        for role in builtin::roles() {
            rbac.roles.insert(role.identity.clone(), role);
        }
        for kind in ["Role", "ClusterRole"] {
            for object in manifests.by_kind(kind).filter(|object| object.group() == GROUP) {
                let role = role(object, default_namespace);
                rbac.roles.insert(role.identity.clone(), role);
            }
        }
        for kind in ["RoleBinding", "ClusterRoleBinding"] {
            let objects = manifests.by_kind(kind).filter(|object| object.group() == GROUP);
            rbac.bindings.extend(objects.map(|object| binding(object, default_namespace)));
        }
        rbac.bindings.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span)));
        rbac.aggregate();
        rbac.index();
        rbac
    }
}

fn role(object: Object<'_>, default_namespace: &str) -> Role {
    let aggregation = object.root().mapping("aggregationRule");
    let labels = object.labels().filter_map(|e| Some((e.key.to_owned(), e.value.scalar_text()?.to_owned())));
    Role {
        identity: object.identity(default_namespace),
        span: Some(object.span()),
        rules: object.root().list("rules").map(rule).collect(),
        labels: labels.collect(),
        aggregates: aggregation.map(|rule| rule.list("clusterRoleSelectors").map(LabelSelector::read).collect()),
    }
}

fn rule(value: Value<'_>) -> Rule {
    Rule {
        api_groups: texts(value, "apiGroups"),
        resources: texts(value, "resources"),
        verbs: texts(value, "verbs"),
        resource_names: texts(value, "resourceNames"),
        non_resource_urls: texts(value, "nonResourceURLs"),
        span: Some(value.span()),
        written_in: None,
    }
}

fn texts(value: Value<'_>, key: &str) -> Vec<String> {
    value.list(key).filter_map(Value::scalar_text).map(str::to_owned).collect()
}

fn binding(object: Object<'_>, default_namespace: &str) -> Binding {
    let namespace = object.effective_namespace(default_namespace);
    let scope = namespace.map_or(Scope::Cluster, |namespace| Scope::Namespaces(BTreeSet::from([namespace.to_owned()])));
    Binding {
        identity: object.identity(default_namespace),
        span: object.span(),
        scope,
        role: object.root().mapping("roleRef").and_then(|reference| role_ref(reference, namespace)),
        subjects: object.root().list("subjects").filter_map(|s| Some((subject(s, namespace)?, s.span()))).collect(),
    }
}

fn role_ref(reference: Value<'_>, namespace: Option<&str>) -> Option<RoleRef> {
    let name = reference.field("name")?;
    let text = name.scalar_text()?;
    let identity = match (reference.text("kind")?, namespace) {
        ("ClusterRole", _) => format!("ClusterRole/{text}"),
        ("Role", Some(namespace)) => format!("Role/{namespace}/{text}"),
        // A ClusterRoleBinding cannot give a Role; the API server refuses it.
        _ => return None,
    };
    Some(RoleRef { identity, span: name.span() })
}

/// A service account without a namespace is one of the binding's own.
fn subject(value: Value<'_>, namespace: Option<&str>) -> Option<Subject> {
    let name = value.text("name")?;
    match value.text("kind")? {
        "ServiceAccount" => {
            let stated = value.text("namespace").filter(|namespace| !namespace.is_empty());
            Some(Subject::service_account(stated.or(namespace)?, name))
        }
        "User" => Some(Subject::user(name)),
        "Group" => Some(Subject::group(name)),
        _ => None,
    }
}
