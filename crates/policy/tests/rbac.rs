//! Roles, bindings and what they allow.

mod common;

use common::both_orders;
use kubestride_manifest::Manifests;
use kubestride_policy::rbac::{Capabilities, Capability, Rbac, Scope, Subject, capabilities, limits};

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
    capabilities.held().map(|(c, permission)| (c, permission.scope() == Some(Scope::Cluster))).collect()
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

fn named(group: &str, resource: &str, verbs: &str, name: &str) -> String {
    format!("{{apiGroups: ['{group}'], resources: ['{resource}'], verbs: [{verbs}], resourceNames: [{name}]}}")
}

fn both(a: &str, b: &str) -> String {
    format!("{a}, {b}")
}

/// Rules to create and approve certificate signing requests, with a right over a signer.
fn csr(verb: &str, signer: &str) -> String {
    const GROUP: &str = "certificates.k8s.io";
    [
        rule(GROUP, "certificatesigningrequests", "create"),
        rule(GROUP, "certificatesigningrequests/approval", "update"),
        named(GROUP, "signers", verb, &format!("'{signer}'")),
    ]
    .join(", ")
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
        (rule("*", "secrets", "'*'"), vec![ReadSecrets, MakeTokenSecrets]),
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
        (
            format!("{}, {}", rule("", "secrets", "create"), rule("", "secrets", "list")),
            vec![ReadSecrets, MakeTokenSecrets],
        ),
        (rule("", "nodes/proxy", "get"), vec![ProxyNodes]),
        (rule("", "nodes", "get"), vec![]),
        (rule("", "namespaces", "patch"), vec![ChangeNamespaces]),
        (rule("", "configmaps", "update"), vec![WriteConfigMaps, WriteSystemConfig]),
        (rule("", "configmaps", "create"), vec![WriteConfigMaps]),
        (named("", "configmaps", "update", "coredns"), vec![WriteSystemConfig]),
        (named("", "configmaps", "update", "mine"), vec![]),
        (named("", "configmaps", "create", "coredns"), vec![]),
        (rule("", "configmaps", "get"), vec![]),
        (rule("events.k8s.io", "events", "deletecollection"), vec![DeleteEvents]),
        (rule("apps", "statefulsets", "delete"), vec![DeleteData]),
        (rule("", "persistentvolumes", "delete"), vec![DeleteData]),
        (rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"), vec![ChangeAdmission]),
        (rule("", "users", "impersonate"), vec![Impersonate]),
        // A request that takes on a group must take on a user, too.
        (rule("", "groups", "impersonate"), vec![]),
        (named("", "groups", "impersonate", "'system:masters'"), vec![]),
        (named("", "users", "impersonate", "jane"), vec![]),
        (
            both(&named("", "groups", "impersonate", "'system:masters'"), &named("", "users", "impersonate", "jane")),
            vec![Impersonate],
        ),
        (both(&named("", "groups", "impersonate", "dev"), &named("", "users", "impersonate", "jane")), vec![]),
        (rule(RBAC, "clusterroles", "escalate"), vec![]),
        (rule(RBAC, "clusterroles", "escalate, patch"), vec![Escalate]),
        (format!("{}, {}", rule(RBAC, "clusterroles", "escalate"), rule(RBAC, "roles", "update")), vec![]),
        (rule(RBAC, "clusterroles", "bind"), vec![]),
        (rule(RBAC, "clusterrolebindings", "create"), vec![]),
        (format!("{}, {}", rule(RBAC, "clusterroles", "bind"), rule(RBAC, "rolebindings", "create")), vec![Escalate]),
        (format!("{}, {}", rule(RBAC, "roles", "bind"), rule(RBAC, "clusterrolebindings", "create")), vec![]),
        // What may be bound is what others wrote into the namespace.
        (both(&rule(RBAC, "roles", "bind"), &rule(RBAC, "rolebindings", "create")), vec![]),
        (rule("", "secrets", "create"), vec![]),
        (both(&rule("", "secrets", "create"), &rule("", "pods", "create")), vec![CreatePods, MakeTokenSecrets]),
        (csr("approve", "kubernetes.io/kube-apiserver-client"), vec![IssueCertificates]),
        (csr("approve", "kubernetes.io/*"), vec![IssueCertificates]),
        (csr("approve", "issuers.example/*"), vec![]),
        (csr("sign", "kubernetes.io/kube-apiserver-client"), vec![]),
        (csr("approve", "kubernetes.io/*").replace("requests/approval", "requests/status"), vec![]),
        (rule("certificates.k8s.io", "certificatesigningrequests", "create"), vec![]),
        (rule("apiregistration.k8s.io", "apiservices", "patch"), vec![ChangeApis]),
        (rule("apiextensions.k8s.io", "customresourcedefinitions", "create"), vec![ChangeApis]),
        (rule("apiextensions.k8s.io", "customresourcedefinitions", "get, delete"), vec![]),
        (named("apiregistration.k8s.io", "apiservices", "patch", "v1.example"), vec![]),
        (
            named("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch", "mine"),
            vec![ChangeAdmission],
        ),
        (named("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create", "mine"), vec![]),
        (named("admissionregistration.k8s.io", "validatingadmissionpolicies", "patch", "mine"), vec![]),
        (rule("", "persistentvolumes", "create"), vec![]),
        (both(&rule("", "persistentvolumes", "create"), &rule("", "persistentvolumeclaims", "create")), vec![]),
        (
            [
                rule("", "persistentvolumes", "create"),
                rule("", "persistentvolumeclaims", "create"),
                rule("", "pods", "create"),
            ]
            .join(", "),
            vec![CreatePods, CreateVolumes],
        ),
        (rule("", "pods/eviction", "create"), vec![]),
        (rule("", "nodes", "patch"), vec![]),
        (both(&rule("", "pods/eviction", "create"), &rule("", "nodes", "patch")), vec![MovePods]),
        (both(&rule("", "pods", "delete"), &rule("", "nodes/status", "update")), vec![MovePods]),
        (both(&rule("", "pods", "delete"), &rule("", "nodes", "get")), vec![]),
        (rule("", "pods/binding", "create"), vec![MovePods]),
        (rule("", "endpoints", "update"), vec![RedirectServices]),
        (rule("discovery.k8s.io", "endpointslices", "create"), vec![RedirectServices]),
        (rule("", "services/status", "patch"), vec![RedirectServices]),
        (rule("", "services", "get, delete"), vec![]),
        (rule("", "pods/portforward", "create"), vec![ReachPods]),
        (rule("", "services/proxy", "get"), vec![ReachPods]),
        (rule("networking.k8s.io", "networkpolicies", "delete"), vec![ChangeNetworkRules]),
        (rule("cilium.io", "ciliumclusterwidenetworkpolicies", "create"), vec![ChangeNetworkRules]),
        (rule("security.istio.io", "authorizationpolicies", "patch"), vec![ChangeNetworkRules]),
        (rule("networking.k8s.io", "networkpolicies", "get, list"), vec![]),
        (rule("security.kubearmor.com", "kubearmorpolicies", "delete"), vec![ChangeRuntimeRules]),
        (rule("security.kubearmor.com", "kubearmorhostpolicies", "'*'"), vec![ChangeRuntimeRules]),
        (rule("security.kubearmor.com", "kubearmorpolicies", "create"), vec![]),
        ("{nonResourceURLs: ['*'], verbs: ['*']}".to_owned(), vec![]),
        (rule("*", "*", "'*'"), Capability::ALL.to_vec()),
        (rule("*", "*", "get, list, watch"), vec![ReadSecrets, Exec, ProxyNodes, ReachPods]),
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
        assert_eq!(permission.scope(), Some(Scope::Namespaces(namespaces)));
        assert_eq!(permission.evidence().len(), 2);
        assert_eq!(capabilities.get(Capability::ProxyNodes).scope(), None, "nodes belong to the cluster");
    });
    let wide = bind("ClusterRoleBinding", "w", "", "r", ME);
    both_orders(&[&role, &narrow, &wide], |manifests| {
        let capabilities = of_me(manifests);
        let permission = capabilities.get(Capability::ReadSecrets);
        assert_eq!(permission.scope(), Some(Scope::Cluster));
        let bindings: Vec<_> = permission.evidence().iter().map(|e| e.binding.as_str()).collect();
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
            let evidence = capabilities.get(Capability::Escalate).evidence().len();
            assert_eq!(evidence, 2 * expected.len(), "both rules");
        });
    }
}

/// Rules of other namespaces, and bindings that a wider one makes needless, are no evidence.
#[test]
fn evidence_is_what_contributes_and_nothing_else() {
    let create = role("c", &format!("[{}]", rule("", "secrets", "create")));
    let read = role("r", &format!("[{}]", rule("", "secrets", "get")));
    let bindings = [("c", "shop"), ("c", "cart"), ("r", "shop"), ("r", "till")]
        .map(|(role, namespace)| bind("RoleBinding", role, namespace, role, ME));
    let wide = bind("ClusterRoleBinding", "w", "", "r", ME);
    let documents: Vec<&str> = [&create, &read].into_iter().chain(&bindings).map(String::as_str).collect();
    let evidence = |capabilities: &Capabilities| -> Vec<String> {
        let permission = capabilities.get(Capability::MakeTokenSecrets);
        permission.evidence().iter().map(|e| format!("{} {}", e.binding, e.role)).collect()
    };
    both_orders(&documents, |manifests| {
        let capabilities = of_me(manifests);
        let shop = ["shop".to_owned()].into();
        assert_eq!(capabilities.get(Capability::MakeTokenSecrets).scope(), Some(Scope::Namespaces(shop)));
        assert_eq!(evidence(&capabilities), ["RoleBinding/shop/c ClusterRole/c", "RoleBinding/shop/r ClusterRole/r"]);
    });
    let documents: Vec<&str> = documents.into_iter().chain([wide.as_str()]).collect();
    both_orders(&documents, |manifests| {
        let capabilities = of_me(manifests);
        let both = ["cart", "shop"].map(str::to_owned).into();
        assert_eq!(capabilities.get(Capability::MakeTokenSecrets).scope(), Some(Scope::Namespaces(both)));
        let expected = [
            "ClusterRoleBinding/w ClusterRole/r",
            "RoleBinding/cart/c ClusterRole/c",
            "RoleBinding/shop/c ClusterRole/c",
        ];
        assert_eq!(evidence(&capabilities), expected);
    });
}

/// A service account of one namespace is enough to take on a group whose rights hold everywhere.
#[test]
fn a_group_is_taken_on_with_any_account() {
    let groups = role("g", &format!("[{}]", named("", "groups", "impersonate", "'system:masters'")));
    let accounts = role("a", &format!("[{}]", named("", "serviceaccounts", "impersonate", "one")));
    let of_groups = bind("ClusterRoleBinding", "g", "", "g", ME);
    let of_accounts = bind("RoleBinding", "a", "shop", "a", ME);
    both_orders(&[&groups, &accounts, &of_groups, &of_accounts], |manifests| {
        let capabilities = of_me(manifests);
        assert_eq!(names(&capabilities), [(Capability::Impersonate, true)]);
        assert_eq!(capabilities.get(Capability::Impersonate).evidence().len(), 2);
    });
    let narrow = bind("RoleBinding", "g", "shop", "g", ME);
    both_orders(&[&groups, &accounts, &narrow, &of_accounts], |manifests| {
        assert_eq!(names(&of_me(manifests)), [], "groups belong to no namespace");
    });
}

#[test]
fn configuration_of_the_cluster_is_in_one_namespace() {
    let role = role("r", &format!("[{}]", rule("", "configmaps", "update")));
    for (namespace, expected) in [("shop", false), ("kube-system", true)] {
        let binding = bind("RoleBinding", "b", namespace, "r", ME);
        both_orders(&[&role, &binding], |manifests| {
            let scope = of_me(manifests).get(Capability::WriteSystemConfig).scope();
            let there = Scope::Namespaces(["kube-system".to_owned()].into());
            assert_eq!(scope, expected.then_some(there), "{namespace}");
        });
    }
}

#[test]
fn two_identities_are_used_one_at_a_time() {
    let create = role("c", &format!("[{}, {}]", rule("", "secrets", "create"), rule("", "pods/exec", "create")));
    let read = role("r", &format!("[{}]", rule("", "secrets", "get")));
    let first = bind("RoleBinding", "c", "shop", "c", ME);
    let second = bind("ClusterRoleBinding", "r", "", "r", "{kind: ServiceAccount, name: you, namespace: shop}");
    both_orders(&[&create, &read, &first, &second], |manifests| {
        let rbac = Rbac::read(manifests, "default");
        let of = |name: &str| capabilities(&rbac.grants(&Subject::service_account("shop", name)));
        let expected = [(Capability::ReadSecrets, true), (Capability::Exec, false)];
        assert_eq!(names(&of("me").or(of("you"))), expected, "no Secret is created by one and read by the other");
    });
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
    let table: Vec<(&str, bool, Vec<Capability>)> = vec![
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
                MakeTokenSecrets,
                DeleteEvents,
                DeleteData,
                WriteConfigMaps,
                WriteSystemConfig,
                RedirectServices,
                ReachPods,
                ChangeNetworkRules,
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
                MakeTokenSecrets,
                DeleteEvents,
                DeleteData,
                WriteConfigMaps,
                WriteSystemConfig,
                RedirectServices,
                ReachPods,
                ChangeNetworkRules,
            ],
        ),
        ("system:auth-delegator", false, vec![]),
        ("system:kube-scheduler", false, vec![MovePods]),
        ("system:kubelet-api-admin", false, vec![ProxyNodes]),
        ("system:persistent-volume-provisioner", false, vec![DeleteData]),
        ("system:node-proxier", false, vec![]),
        ("system:certificates.k8s.io:kube-apiserver-client-approver", false, vec![]),
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
fn many_roles_that_aggregate_each_other_share_the_work() {
    let head = "apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole";
    let selects = "aggregationRule: {clusterRoleSelectors: [{matchLabels: {x: z}}]}";
    let one = |i: usize| format!("{{{head}, metadata: {{name: r{i}, labels: {{x: z}}}}, {selects}}}");
    let own = format!("{{{head}, metadata: {{name: own, labels: {{x: z}}}}, rules: [{}]}}", rule("", "secrets", "get"));
    let roles: Vec<String> = (0..400).map(one).chain([own]).collect();
    let manifests = common::manifests(&roles.join("\n---\n"));
    let rbac = Rbac::read(&manifests, "default");
    assert!((0..400).all(|i| rbac.role(&format!("ClusterRole/r{i}")).is_some_and(|role| role.rules.len() == 1)));
    assert_eq!(limits(&manifests, &rbac, "default").len(), 400, "each is in a circle");
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
    let evidence = capabilities.get(Capability::ReadSecrets).evidence().into_iter().next().expect("evidence");
    let at = |span: kubestride_source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(evidence.rule_span.map(at), Some(rule("", "secrets", "get").as_str()));
    assert_eq!(at(evidence.binding_span), ME);
    assert_eq!((evidence.binding.as_str(), evidence.role.as_str()), ("ClusterRoleBinding/b", "ClusterRole/r"));
    assert_eq!(evidence.written_in, "ClusterRole/r");
}

#[test]
fn rules_of_an_aggregated_role_say_where_they_are_written() {
    let part = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: part, labels: {to: all}}, \
                rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]}";
    let all = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: all}, aggregationRule: \
               {clusterRoleSelectors: [{matchLabels: {to: nobody}}, {matchLabels: {to: all}}]}}";
    let binding = bind("ClusterRoleBinding", "b", "", "all", ME);
    both_orders(&[part, all, &binding], |manifests| {
        let capabilities = of_me(manifests);
        let evidence = capabilities.get(Capability::ReadSecrets).evidence();
        let found: Vec<_> = evidence.iter().map(|e| (e.role.as_str(), e.written_in.as_str())).collect();
        assert_eq!(found, [("ClusterRole/all", "ClusterRole/part")]);
    });
}

/// What is said about a document, by code, in the order of places.
fn codes(text: &str) -> Vec<&'static str> {
    let manifests = common::manifests(text);
    let found = limits(&manifests, &Rbac::read(&manifests, "default"), "default");
    assert!(found.iter().all(|diagnostic| diagnostic.span.is_some()), "{found:?}");
    found.into_iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn what_is_ignored_is_said() {
    let of_rules = |rules: &str| role("r", rules);
    let bound = |role: &str| bind("ClusterRoleBinding", "b", "", role, ME);
    let table: Vec<(String, Vec<&str>)> = vec![
        (of_rules("[{apiGroups: [''], resources: [pods], verbs: [get]}]"), vec![]),
        (of_rules("[{nonResourceURLs: [/metrics], verbs: [get]}]"), vec![]),
        (of_rules("[{apiGroups: [''], resources: [pods], verbs: [get], resourcename: [a]}]"), vec!["unknown-field"]),
        (of_rules("[{resources: [pods], verbs: [get]}]"), vec!["rule-without-effect"]),
        (of_rules("[{apiGroups: [''], resources: [pods]}]"), vec!["rule-without-effect"]),
        (of_rules("[{apiGroups: [''], verbs: [get]}]"), vec!["rule-without-effect"]),
        (of_rules("[{apiGroups: [''], resources: ['pods/*'], verbs: [get]}]"), vec!["rule-without-effect"]),
        (of_rules("[{apiGroups: [''], resources: ['*/scale'], verbs: [get]}]"), vec![]),
        (of_rules(&format!("[{}]", named("", "pods", "get, create", "a"))), vec!["rule-without-effect"]),
        (of_rules(&format!("[{}]", named("", "serviceaccounts/token", "create", "a"))), vec![]),
        (of_rules(&format!("[{}]", named("", "pods", "list, watch", "a"))), vec![]),
        (of_rules("[{apiGroups: '', resources: [pods], verbs: [get]}]"), vec!["rule-without-effect", "wrong-type"]),
        (of_rules("[pods]"), vec!["wrong-type"]),
        (
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [{nonResourceURLs: \
             [/metrics], verbs: [get]}]}"
                .to_owned(),
            vec!["rule-without-effect"],
        ),
        (bound("view"), vec![]),
        (bound("system:auth-delegator"), vec![]),
        (bound("elsewhere"), vec!["missing-role"]),
        (bound("view").replace("kind: ClusterRole,", "kind: Role,"), vec!["unknown-role"]),
        (bound("view").replace("kind: ClusterRole,", "kind: Part,"), vec!["unknown-role"]),
        (bound("view").replace("kind: ServiceAccount", "kind: Robot"), vec!["unknown-subject"]),
        (bound("view").replace(", namespace: shop}", "}"), vec!["unknown-subject"]),
        (bound("view").replace(ME, "{kind: User}"), vec!["unknown-subject"]),
        (bound("view").replace("rbac.authorization.k8s.io", "authorization.openshift.io"), vec!["role-not-evaluated"]),
    ];
    for (text, mut expected) in table {
        let mut found = codes(&text);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
    // Each missing role once.
    let twice = format!("{}\n---\n{}", bound("elsewhere"), bind("RoleBinding", "c", "shop", "elsewhere", ME));
    assert_eq!(codes(&twice), ["missing-role"]);
}

#[test]
fn circles_of_aggregated_roles_are_said() {
    let aggregated = |name: &str, labels: &str, selects: &str, rules: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}, labels: \
             {{{labels}}}}}, aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{{selects}}}}}]}}{rules}}}"
        )
    };
    let part = role("part", "[]").replace("name: part", "name: part, labels: {to: a}");
    let a = aggregated("a", "to: b", "to: a", "");
    let b = aggregated("b", "to: a", "to: b", "");
    let join = |documents: &[&String]| documents.iter().map(|d| d.as_str()).collect::<Vec<_>>().join("\n---\n");
    assert_eq!(codes(&join(&[&part, &a])), [] as [&str; 0]);
    assert_eq!(codes(&join(&[&part, &a, &b])), ["aggregation-cycle", "aggregation-cycle"]);
    // The controller leaves a role itself out.
    assert_eq!(codes(&aggregated("c", "to: c", "to: c", "")), ["selects-no-role"]);
    let rules = ", rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]";
    assert_eq!(codes(&join(&[&part, &aggregated("c", "to: nobody", "to: a", rules)])), ["rules-replaced"]);
    assert_eq!(
        codes(&join(&[&part, &a.replace("matchLabels", "matchExpressions: [{operator: Near}], matchLabels")])),
        ["selects-no-role", "unknown-selector"]
    );
}
