//! Roles, bindings and what they allow.

mod common;

use common::both_orders;
use kubestride_manifest::Manifests;
use kubestride_policy::rbac::{Capabilities, Capability, Rbac, Scope, Subject, capabilities};

fn role(name: &str, rules: &str) -> String {
    format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}}}, rules: {rules}}}"
    )
}

fn bind(kind: &str, name: &str, namespace: &str, role: &str, subject: &str) -> String {
    format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{name: {name}, namespace: {namespace}}}, \
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: '{role}'}}, subjects: [{subject}]}}"
    )
}

const ME: &str = "{kind: ServiceAccount, name: me, namespace: shop}";

fn of_me(manifests: &Manifests) -> Capabilities {
    let rbac = Rbac::read(manifests, "default");
    capabilities(&rbac.grants(&Subject::service_account("shop", "me")))
}

fn names(capabilities: &Capabilities) -> Vec<(Capability, bool)> {
    capabilities.held().map(|(c, permission)| (c, permission.scope == Some(Scope::Cluster))).collect()
}

/// What `me` holds with these rules bound in the whole cluster.
fn held(rules: &str) -> Vec<Capability> {
    let (role, binding) = (role("r", rules), bind("ClusterRoleBinding", "b", "", "r", ME));
    let manifests = common::manifests(&format!("{role}\n---\n{binding}\n"));
    names(&of_me(&manifests)).into_iter().map(|(c, _)| c).collect()
}

fn rule(group: &str, resource: &str, verbs: &str) -> String {
    format!("{{apiGroups: ['{group}'], resources: ['{resource}'], verbs: [{verbs}]}}")
}

#[test]
fn rules_give_what_kubernetes_says() {
    use Capability::*;
    const RBAC: &str = "rbac.authorization.k8s.io";
    let table: Vec<(String, Vec<Capability>)> = vec![
        (rule("", "secrets", "get"), vec![ReadSecrets]),
        (rule("", "secrets", "list"), vec![ReadSecrets]),
        (rule("", "secrets", "delete"), vec![]),
        (rule("apps", "secrets", "get"), vec![]),
        (rule("*", "secrets", "'*'"), vec![ReadSecrets, IssueTokens]),
        ("{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [one]}".to_owned(), vec![]),
        (rule("", "pods", "create"), vec![CreatePods]),
        (rule("apps", "deployments", "patch"), vec![ChangeWorkloads]),
        (rule("batch", "cronjobs", "create, update"), vec![CreatePods, ChangeWorkloads]),
        (rule("", "pods/exec", "create"), vec![Exec]),
        (rule("", "pods/exec", "delete"), vec![]),
        (rule("", "*/exec", "create"), vec![Exec]),
        (rule("", "pods/*", "create"), vec![]),
        (rule("", "pods", "create, get, update").replace("pods", "*/*"), vec![]),
        (rule("", "pods/ephemeralcontainers", "patch"), vec![Exec]),
        (rule("", "serviceaccounts/token", "create"), vec![IssueTokens]),
        (rule("", "secrets", "create"), vec![]),
        (format!("{}, {}", rule("", "secrets", "create"), rule("", "secrets", "list")), vec![ReadSecrets, IssueTokens]),
        (rule("", "nodes/proxy", "get"), vec![ProxyNodes]),
        (rule("", "nodes", "get"), vec![]),
        (rule("", "namespaces", "patch"), vec![ChangeNamespaces]),
        (rule("", "configmaps", "update"), vec![WriteConfigMaps]),
        (rule("", "configmaps", "get"), vec![]),
        (rule("events.k8s.io", "events", "deletecollection"), vec![DeleteEvents]),
        (rule("apps", "statefulsets", "delete"), vec![DeleteData]),
        (rule("", "persistentvolumes", "delete"), vec![DeleteData]),
        (rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"), vec![ChangeAdmission]),
        (rule("", "users", "impersonate"), vec![Impersonate]),
        ("{apiGroups: [''], resources: [groups], verbs: [impersonate], resourceNames: [dev]}".to_owned(), vec![]),
        (
            "{apiGroups: [''], resources: [groups], verbs: [impersonate], resourceNames: ['system:masters']}"
                .to_owned(),
            vec![Impersonate],
        ),
        (rule(RBAC, "clusterroles", "escalate"), vec![]),
        (rule(RBAC, "clusterroles", "escalate, patch"), vec![Escalate]),
        (format!("{}, {}", rule(RBAC, "clusterroles", "escalate"), rule(RBAC, "roles", "update")), vec![]),
        (rule(RBAC, "clusterroles", "bind"), vec![]),
        (rule(RBAC, "clusterrolebindings", "create"), vec![]),
        (format!("{}, {}", rule(RBAC, "clusterroles", "bind"), rule(RBAC, "rolebindings", "create")), vec![Escalate]),
        (format!("{}, {}", rule(RBAC, "roles", "bind"), rule(RBAC, "clusterrolebindings", "create")), vec![]),
        ("{nonResourceURLs: ['*'], verbs: ['*']}".to_owned(), vec![]),
        (rule("*", "*", "'*'"), Capability::ALL.to_vec()),
        (rule("*", "*", "get, list, watch"), vec![ReadSecrets, Exec, ProxyNodes]),
    ];
    for (rules, expected) in table {
        assert_eq!(held(&format!("[{rules}]")), expected, "{rules}");
    }
}

#[test]
fn named_bind_counts_for_the_most_powerful_role_only() {
    let rules = |name: &str| {
        format!(
            "[{{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind], resourceNames: [{name}]}}, {}]",
            rule("rbac.authorization.k8s.io", "rolebindings", "create")
        )
    };
    assert_eq!(held(&rules("view")), []);
    assert_eq!(held(&rules("cluster-admin")), [Capability::Escalate]);
}

#[test]
fn a_role_binding_narrows_a_cluster_role() {
    let rules = format!("[{}, {}]", rule("", "secrets", "get"), rule("", "nodes/proxy", "get"));
    let (role, narrow) = (role("r", &rules), bind("RoleBinding", "b", "shop", "r", ME));
    let other = bind("RoleBinding", "b", "cart", "r", ME);
    both_orders(&[&role, &narrow, &other], |manifests| {
        let capabilities = of_me(manifests);
        let permission = capabilities.get(Capability::ReadSecrets);
        let namespaces = ["cart", "shop"].map(str::to_owned).into();
        assert_eq!(permission.scope, Some(Scope::Namespaces(namespaces)));
        assert_eq!(permission.evidence.len(), 2);
        assert_eq!(capabilities.get(Capability::ProxyNodes).scope, None, "nodes belong to the cluster");
    });
    let wide = bind("ClusterRoleBinding", "w", "", "r", ME);
    both_orders(&[&role, &narrow, &wide], |manifests| {
        let capabilities = of_me(manifests);
        let permission = capabilities.get(Capability::ReadSecrets);
        assert_eq!(permission.scope, Some(Scope::Cluster));
        let bindings: Vec<_> = permission.evidence.iter().map(|e| e.binding.as_str()).collect();
        assert_eq!(bindings, ["ClusterRoleBinding/w"], "the one that gives the widest scope");
    });
}

#[test]
fn conjunctions_must_meet_in_one_namespace() {
    let group = "rbac.authorization.k8s.io";
    let escalate = role("e", &format!("[{}]", rule(group, "roles", "escalate")));
    let change = role("c", &format!("[{}]", rule(group, "roles", "patch")));
    let first = bind("RoleBinding", "e", "shop", "e", ME);
    for (namespace, expected) in [("shop", vec![(Capability::Escalate, false)]), ("cart", vec![])] {
        let second = bind("RoleBinding", "c", namespace, "c", ME);
        both_orders(&[&escalate, &change, &first, &second], |manifests| {
            let capabilities = of_me(manifests);
            assert_eq!(names(&capabilities), expected, "{namespace}");
            let evidence = capabilities.get(Capability::Escalate).evidence.len();
            assert_eq!(evidence, 2 * expected.len(), "both rules");
        });
    }
}

#[test]
fn subjects_are_found_by_name_and_group() {
    let table = [
        (ME, true),
        ("{kind: ServiceAccount, name: me}", true),
        ("{kind: ServiceAccount, name: me, namespace: cart}", false),
        ("{kind: ServiceAccount, name: you, namespace: shop}", false),
        ("{kind: User, name: 'system:serviceaccount:shop:me'}", true),
        ("{kind: User, name: me}", false),
        ("{kind: Group, name: 'system:serviceaccounts'}", true),
        ("{kind: Group, name: 'system:serviceaccounts:shop'}", true),
        ("{kind: Group, name: 'system:serviceaccounts:cart'}", false),
        ("{kind: Group, name: 'system:authenticated'}", true),
        ("{kind: Group, name: 'system:unauthenticated'}", false),
    ];
    let role = role("r", &format!("[{}]", rule("", "secrets", "get")));
    for (subject, expected) in table {
        let binding = bind("RoleBinding", "b", "shop", "r", subject);
        both_orders(&[&role, &binding], |manifests| {
            let rbac = Rbac::read(manifests, "default");
            let grants = rbac.grants(&Subject::service_account("shop", "me"));
            assert_eq!(grants.len(), usize::from(expected), "{subject}");
        });
    }
}

#[test]
fn a_subject_is_not_granted_twice_by_one_name() {
    let binding = bind("ClusterRoleBinding", "b", "", "view", "{kind: User, name: jane}");
    let manifests = common::manifests(&binding);
    let rbac = Rbac::read(&manifests, "default");
    assert_eq!(rbac.grants(&Subject::user("jane")).len(), 1);
    assert_eq!(rbac.grants(&Subject::group("jane")).len(), 0);
}

#[test]
fn roles_of_kubernetes_are_known_and_others_are_missing() {
    use Capability::*;
    let table: [(&str, bool, Vec<Capability>); 6] = [
        ("cluster-admin", false, Capability::ALL.to_vec()),
        ("view", false, vec![]),
        (
            "edit",
            false,
            vec![
                ReadSecrets,
                CreatePods,
                ChangeWorkloads,
                Exec,
                Impersonate,
                IssueTokens,
                DeleteEvents,
                DeleteData,
                WriteConfigMaps,
            ],
        ),
        (
            "admin",
            false,
            vec![
                ReadSecrets,
                CreatePods,
                ChangeWorkloads,
                Exec,
                Impersonate,
                IssueTokens,
                DeleteEvents,
                DeleteData,
                WriteConfigMaps,
            ],
        ),
        ("system:auth-delegator", false, vec![]),
        ("elsewhere", true, vec![]),
    ];
    for (name, missing, expected) in table {
        let manifests = common::manifests(&bind("ClusterRoleBinding", "b", "", name, ME));
        let rbac = Rbac::read(&manifests, "default");
        let grants = rbac.grants(&Subject::service_account("shop", "me"));
        assert_eq!(grants.iter().map(|g| g.role_missing).collect::<Vec<_>>(), [missing], "{name}");
        assert!(grants.iter().all(|g| g.role_span.is_none()));
        assert_eq!(capabilities(&grants).held().map(|(c, _)| c).collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn aggregated_roles_have_the_rules_of_what_they_select() {
    let labelled = |name: &str, label: &str, rest: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}, labels: \
             {{{label}: 'true'}}}}, {rest}}}"
        )
    };
    let selects =
        |label: &str| format!("aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{{label}: 'true'}}}}]}}");
    // a selects b, b selects a and c: what c has comes to both, and the circle ends.
    let a = labelled("a", "to-b", &selects("to-a"));
    let b = labelled("b", "to-a", &format!("{}, rules: [{}]", selects("to-b"), rule("", "nodes/proxy", "get")));
    let c = labelled("c", "to-b", &format!("rules: [{}]", rule("", "secrets", "get")));
    for name in ["a", "b"] {
        let binding = bind("ClusterRoleBinding", "x", "", name, ME);
        both_orders(&[&a, &b, &c, &binding], |manifests| {
            assert_eq!(names(&of_me(manifests)), [(Capability::ReadSecrets, true)], "{name}");
        });
    }
    // A role of the input becomes part of a role of Kubernetes.
    let more = labelled(
        "m",
        "rbac.authorization.k8s.io/aggregate-to-view",
        &format!("rules: [{}]", rule("", "secrets", "get")),
    );
    let binding = bind("ClusterRoleBinding", "x", "", "view", ME);
    both_orders(&[&more, &binding], |manifests| {
        assert_eq!(names(&of_me(manifests)), [(Capability::ReadSecrets, true)]);
    });
}

#[test]
fn evidence_points_into_the_input() {
    let text = format!(
        "{}\n---\n{}\n",
        role("r", &format!("[{}]", rule("", "secrets", "get"))),
        bind("ClusterRoleBinding", "b", "", "r", ME)
    );
    let manifests = common::manifests(&text);
    let capabilities = of_me(&manifests);
    let evidence = capabilities.get(Capability::ReadSecrets).evidence.first().expect("evidence");
    let at = |span: kubestride_source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(evidence.rule_span.map(at), Some(rule("", "secrets", "get").as_str()));
    assert_eq!(at(evidence.binding_span), ME);
    assert_eq!((evidence.binding.as_str(), evidence.role.as_str()), ("ClusterRoleBinding/b", "ClusterRole/r"));
}
