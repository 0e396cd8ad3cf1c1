//! What policies of admission engines refuse, found out by putting their rules to pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use kubestride_manifest::{Labels, Manifests};
use kubestride_policy::admission::{Action, AdmissionPolicies, Check, Namespace};
use kubestride_source::FileId;
use kubestride_yaml::{Limits, read};

fn policies(text: &str) -> AdmissionPolicies {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        manifests.add(document.tree.expect("a document"), 0);
    }
    AdmissionPolicies::read(&manifests, "default")
}

/// What is refused in a namespace without labels.
fn refused_in(policies: &AdmissionPolicies, name: &str, labels: &[(&str, &str)]) -> BTreeSet<Check> {
    let mut labels = Labels::from_pairs(labels.iter().copied());
    labels.set("kubernetes.io/metadata.name", name);
    let namespace = Namespace { name, labels: &labels, declared: true };
    policies.refused(&namespace, |_| true).into_iter().map(|(check, _)| check).collect()
}

fn set<const N: usize>(checks: [Check; N]) -> BTreeSet<Check> {
    BTreeSet::from(checks)
}

fn codes(policies: &AdmissionPolicies) -> Vec<&'static str> {
    policies.diagnostics().iter().map(|d| d.code).collect()
}

/// A ClusterPolicy with one rule for pods.
fn kyverno(spec: &str, rule: &str, validate: &str) -> String {
    format!(
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: p}}\nspec:\n  {spec}\n  rules:\n    - name: r\n      \
         {rule}\n      validate: {validate}\n"
    )
}

const PODS: &str = "match: {any: [{resources: {kinds: [Pod]}}]}";
const PRIVILEGED: &str = "{message: no, pattern: {spec: {'=(initContainers)': [{'=(securityContext)': {'=(privileged)': 'false'}}], containers: [{'=(securityContext)': {'=(privileged)': 'false'}}]}}}";

fn enforced(rule: &str, validate: &str) -> BTreeSet<Check> {
    refused_in(&policies(&kyverno("validationFailureAction: Enforce", rule, validate)), "shop", &[])
}

#[test]
fn patterns_check_what_they_ask_of_pods() {
    assert_eq!(enforced(PODS, PRIVILEGED), set([Check::Privileged]));
    // Init containers are forgotten.
    let forgets = "{pattern: {spec: {containers: [{'=(securityContext)': {'=(privileged)': 'false'}}]}}}";
    assert_eq!(enforced(PODS, forgets), set([]));
    let namespaces = "{pattern: {spec: {'=(hostPID)': 'false', '=(hostIPC)': 'false', '=(hostNetwork)': 'false'}}}";
    assert_eq!(enforced(PODS, namespaces), set([Check::HostPid, Check::HostIpc, Check::HostNetwork]));
    let paths = "{pattern: {spec: {'=(volumes)': [{'X(hostPath)': 'null'}]}}}";
    assert_eq!(enforced(PODS, paths), set([Check::HostPaths]));
    // Only some paths are refused.
    let socket = "{pattern: {spec: {'=(volumes)': [{'=(hostPath)': {path: '!/var/run/docker.sock'}}]}}}";
    assert_eq!(enforced(PODS, socket), set([]));
    let root = "{anyPattern: [{spec: {securityContext: {runAsNonRoot: 'true'}, '=(initContainers)': [{'=(securityContext)': {'=(runAsNonRoot)': 'true'}}], containers: [{'=(securityContext)': {'=(runAsNonRoot)': 'true'}}]}}, {spec: {'=(initContainers)': [{securityContext: {runAsNonRoot: 'true'}}], containers: [{securityContext: {runAsNonRoot: 'true'}}]}}]}";
    assert_eq!(enforced(PODS, root), set([Check::Root]));
    let memory = "{pattern: {spec: {containers: [{resources: {limits: {memory: '?*'}}}]}}}";
    assert_eq!(enforced(PODS, memory), set([Check::NoLimits]));
    // It refuses the pod that nothing is wrong with, so it checks something else.
    let label = "{pattern: {metadata: {labels: {team: '?*'}}, spec: {'=(hostPID)': 'false'}}}";
    assert_eq!(enforced(PODS, label), set([]));
    let variable = "{pattern: {spec: {'=(hostPID)': '{{ allowed }}'}}}";
    assert_eq!(enforced(PODS, variable), set([]));
    let unknown = "{pattern: {spec: {'=(hostPID)': 'false'}}, assert: {}}";
    assert_eq!(enforced(PODS, unknown), set([]));
}

#[test]
fn several_rules_check_together() {
    let text = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: tags}
spec:
  validationFailureAction: Enforce
  rules:
    - {name: a, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {containers: [{image: '*:*'}]}}}}
    - {name: b, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {containers: [{image: '!*:latest'}]}}}}
";
    assert_eq!(refused_in(&policies(text), "shop", &[]), set([Check::LatestTag]));
    assert_eq!(refused_in(&policies(&text.replace("rules:", "applyRules: One\n  rules:")), "shop", &[]), set([]));
}

#[test]
fn conditions_and_loops_are_asked_of_pods() {
    let added = "{deny: {conditions: {all: [{key: '{{ request.object.spec.[initContainers, containers][].securityContext.capabilities.add[] }}', operator: AnyNotIn, value: [CHOWN, KILL]}]}}}";
    let rule = format!(
        "{PODS}\n      preconditions: {{all: [{{key: \"{{{{ request.operation || 'BACKGROUND' }}}}\", operator: NotEquals, value: DELETE}}]}}"
    );
    assert_eq!(enforced(&rule, added), set([Check::Capabilities]));
    assert_eq!(enforced(&rule.replace("NotEquals", "Equals"), added), set([]));
    let with_admin = added.replace("KILL", "SYS_ADMIN");
    assert_eq!(enforced(PODS, &with_admin), set([]));
    let dropped = "{foreach: [{list: 'request.object.spec.[initContainers, containers][]', deny: {conditions: {all: [{key: ALL, operator: AnyNotIn, value: '{{ element.securityContext.capabilities.drop[] || `[]` }}'}]}}}]}";
    assert_eq!(enforced(PODS, dropped), set([Check::KeptCapabilities]));
    // Other ways to write what stands in for nothing.
    let dropped = dropped.replace("drop[] || `[]`", "drop || ''''");
    assert_eq!(enforced(PODS, &dropped), set([Check::KeptCapabilities]));
    let range = "{deny: {conditions: {all: [{key: '{{ request.object.spec.containers[].ports[].hostPort }}', operator: AnyNotIn, value: ['0-70000']}]}}}";
    assert_eq!(enforced(PODS, range), set([]));
}

#[test]
fn levels_without_their_exceptions() {
    let baseline = enforced(PODS, "{podSecurity: {level: baseline, version: latest}}");
    assert!(baseline.contains(&Check::Baseline) && !baseline.contains(&Check::Restricted), "{baseline:?}");
    let restricted = enforced(PODS, "{podSecurity: {level: restricted}}");
    assert!(restricted.contains(&Check::Restricted));
    let without = enforced(
        PODS,
        "{podSecurity: {level: baseline, exclude: [{controlName: Privileged Containers, images: ['*/agent:*']}]}}",
    );
    assert!(!without.contains(&Check::Privileged) && without.contains(&Check::HostPid));
    assert_eq!(enforced(PODS, "{podSecurity: {level: baseline, exclude: [{controlName: Some New Control}]}}"), set([]));
    assert_eq!(enforced(PODS, "{podSecurity: {level: strict}}"), set([]));
    // Before v1.22 capabilities did not have to be dropped.
    assert!(!enforced(PODS, "{podSecurity: {level: restricted, version: v1.21}}").contains(&Check::KeptCapabilities));
}

#[test]
fn policies_count_where_they_surely_refuse_all_pods() {
    let of = |spec: &str, rule: &str, namespace: &str, labels: &[(&str, &str)]| {
        !refused_in(&policies(&kyverno(spec, rule, PRIVILEGED)), namespace, labels).is_empty()
    };
    let enforce = "validationFailureAction: Enforce";
    assert!(of(enforce, PODS, "shop", &[]));
    assert!(!of("background: true", PODS, "shop", &[]), "what is reported is not refused");
    assert!(!of("validationFailureAction: Audit", PODS, "shop", &[]));
    assert!(of("validationFailureAction: enforce", PODS, "shop", &[]));
    assert!(!of(enforce, PODS, "kube-system", &[]), "Kyverno leaves it alone");
    let matching = |resources: &str| format!("match: {{any: [{{resources: {{kinds: [Pod], {resources}}}}}]}}");
    assert!(of(enforce, &matching("namespaces: ['sh*']"), "shop", &[]));
    assert!(!of(enforce, &matching("namespaces: ['sh*']"), "bank", &[]));
    assert!(!of(enforce, &matching("selector: {matchLabels: {app: web}}"), "shop", &[]));
    assert!(!of(enforce, &matching("operations: [DELETE]"), "shop", &[]));
    assert!(!of(enforce, "match: {any: [{resources: {kinds: [Deployment]}}]}", "shop", &[]));
    assert!(of(enforce, "match: {resources: {kinds: [Pod]}}", "shop", &[]));
    let selector = matching("namespaceSelector: {matchLabels: {team: a}}");
    assert!(of(enforce, &selector, "shop", &[("team", "a")]));
    assert!(!of(enforce, &selector, "shop", &[("team", "b")]));
    let excluding = |resources: &str| format!("{PODS}\n      exclude: {{any: [{{resources: {{{resources}}}}}]}}");
    assert!(!of(enforce, &excluding("namespaces: [shop]"), "shop", &[]));
    assert!(of(enforce, &excluding("namespaces: [bank]"), "shop", &[]));
    assert!(!of(enforce, &excluding("names: ['agent-*']"), "shop", &[]), "some pods are let through");
    assert!(!of(enforce, &format!("{PODS}\n      exclude: {{any: [{{clusterRoles: [cluster-admin]}}]}}"), "shop", &[]));
    let spec =
        "validationFailureAction: Enforce\n  validationFailureActionOverrides: [{action: Audit, namespaces: [shop]}]";
    assert!(!of(spec, PODS, "shop", &[]));
    assert!(of(spec, PODS, "bank", &[]));
}

#[test]
fn labels_that_are_not_known_decide_nothing() {
    let rule = "match: {any: [{resources: {kinds: [Pod], namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}}]}";
    let all = policies(&kyverno("validationFailureAction: Enforce", rule, PRIVILEGED));
    let mut labels = Labels::default();
    labels.set("kubernetes.io/metadata.name", "shop");
    let refuses = |declared| !all.refused(&Namespace { name: "shop", labels: &labels, declared }, |_| true).is_empty();
    assert!(refuses(true) && !refuses(false));
}

#[test]
fn rules_have_actions_of_their_own() {
    let own = PRIVILEGED.replace("{message: no", "{failureAction: Enforce, message: no");
    assert_eq!(refused_in(&policies(&kyverno("background: true", PODS, &own)), "shop", &[]), set([Check::Privileged]));
    let not_asked = kyverno("validationFailureAction: Enforce\n  admission: false", PODS, PRIVILEGED);
    assert_eq!(refused_in(&policies(&not_asked), "shop", &[]), set([]));
    let odd = policies(&kyverno("validationFailureAction: Maybe", PODS, PRIVILEGED));
    assert_eq!(refused_in(&odd, "shop", &[]), set([]));
    assert_eq!(codes(&odd), ["unknown-failure-action"]);
    let future = policies(
        &kyverno("validationFailureAction: Enforce", PODS, PRIVILEGED).replace("kyverno.io/v1", "kyverno.io/v9"),
    );
    assert_eq!((refused_in(&future, "shop", &[]), codes(&future)), (set([]), vec!["unknown-policy-version"]));
    let exception = "---\napiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: {name: e, namespace: x}\nspec: {exceptions: [{policyName: p, ruleNames: ['*']}], match: {any: [{resources: {kinds: [Pod]}}]}}\n";
    let text = format!("{}{exception}", kyverno("validationFailureAction: Enforce", PODS, PRIVILEGED));
    assert_eq!(refused_in(&policies(&text), "shop", &[]), set([]));
}

#[test]
fn a_policy_is_about_its_own_namespace() {
    let text = kyverno("validationFailureAction: Enforce", PODS, PRIVILEGED)
        .replace("ClusterPolicy", "Policy")
        .replace("name: p}", "name: p, namespace: shop}");
    let all = policies(&text);
    assert_eq!(refused_in(&all, "shop", &[]), set([Check::Privileged]));
    assert_eq!(refused_in(&all, "bank", &[]), set([]));
}

const REGO: &str =
    "package k\nviolation[{}] { c := input.review.object.spec.initContainers[_]; c.securityContext.privileged }";

fn gatekeeper(kind: &str, rego: &str, spec: &str) -> String {
    format!(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {{name: t}}\nspec: {{crd: {{spec: {{names: {{kind: {kind}}}}}}}, targets: [{{target: admission.k8s.gatekeeper.sh, rego: {rego:?}}}]}}\n---\n\
         apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: {kind}\nmetadata: {{name: c}}\nspec: {spec}\n"
    )
}

#[test]
fn constraints_of_known_templates_check_what_their_program_does() {
    let of = |rego: &str, spec: &str| {
        refused_in(&policies(&gatekeeper("K8sPSPPrivilegedContainer", rego, spec)), "shop", &[])
    };
    let pods = "match: {kinds: [{apiGroups: [''], kinds: [Pod]}]}";
    assert_eq!(of(REGO, &format!("{{{pods}}}")), set([Check::Privileged]));
    assert_eq!(
        of("package k\nviolation[{}] { false }", &format!("{{{pods}}}")),
        set([]),
        "another program under the same name"
    );
    assert_eq!(of(REGO, &format!("{{{pods}, enforcementAction: dryrun}}")), set([]));
    assert_eq!(of(REGO, &format!("{{{pods}, enforcementAction: warn}}")), set([]));
    assert_eq!(of(REGO, &format!("{{{pods}, parameters: {{exemptImages: ['x/*']}}}}")), set([]));
    assert_eq!(of(REGO, "{match: {excludedNamespaces: ['sh*']}}"), set([]));
    assert_eq!(of(REGO, "{match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}]}}"), set([]));
    assert_eq!(of(REGO, "{match: {labelSelector: {matchLabels: {app: web}}}}"), set([]));
    let scoped = |name: &str| {
        format!(
            "{{enforcementAction: scoped, scopedEnforcementActions: [{{action: deny, enforcementPoints: [{{name: {name}}}]}}]}}"
        )
    };
    assert_eq!(of(REGO, &scoped("validation.gatekeeper.sh")), set([Check::Privileged]));
    assert_eq!(of(REGO, &scoped("audit.gatekeeper.sh")), set([]));
    let odd = policies(&gatekeeper("K8sPSPPrivilegedContainer", REGO, "{enforcementAction: perhaps}"));
    assert_eq!((refused_in(&odd, "shop", &[]), codes(&odd)), (set([]), vec!["unknown-failure-action"]));
    let config = "---\napiVersion: config.gatekeeper.sh/v1alpha1\nkind: Config\nmetadata: {name: config, namespace: gatekeeper-system}\nspec: {match: [{excludedNamespaces: [shop], processes: ['*']}]}\n";
    assert_eq!(
        refused_in(&policies(&format!("{}{config}", gatekeeper("K8sPSPPrivilegedContainer", REGO, "{}"))), "shop", &[]),
        set([])
    );
    let alone = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sPSPPrivilegedContainer\nmetadata: {name: c}\n";
    assert_eq!(
        (refused_in(&policies(alone), "shop", &[]), codes(&policies(alone))),
        (set([]), vec!["unknown-constraint"])
    );
}

#[test]
fn parameters_of_constraints_say_how_much_is_refused() {
    let of = |kind: &str, reads: &str, parameters: &str| {
        let rego = format!("package k\nviolation[{{}}] {{ {reads} input.review.object.spec.initContainers }}");
        refused_in(&policies(&gatekeeper(kind, &rego, &format!("{{parameters: {parameters}}}"))), "shop", &[])
    };
    let paths = "hostPath allowedHostPaths";
    assert_eq!(of("K8sPSPHostFilesystem", paths, "{}"), set([Check::HostPaths]));
    assert_eq!(of("K8sPSPHostFilesystem", paths, "{allowedHostPaths: [{pathPrefix: /foo}]}"), set([]));
    let capabilities = "capabilities requiredDropCapabilities";
    assert_eq!(
        of("K8sPSPCapabilities", capabilities, "{requiredDropCapabilities: [ALL]}"),
        set([Check::Capabilities, Check::KeptCapabilities])
    );
    assert_eq!(of("K8sPSPCapabilities", capabilities, "{allowedCapabilities: ['*']}"), set([]));
    assert_eq!(
        of("K8sPSPSeccomp", "seccomp allowedProfiles", "{allowedProfiles: [RuntimeDefault]}"),
        set([Check::NoSeccomp, Check::SeccompUnconfined])
    );
    assert_eq!(of("K8sPSPSeccomp", "seccomp allowedProfiles", "{allowedProfiles: ['*']}"), set([]));
    assert_eq!(
        of("K8sAllowedRepos", "input.parameters.repos startswith", "{repos: [registry.example/]}"),
        set([Check::Registries])
    );
}

#[test]
fn admission_policies_need_a_binding() {
    let policy = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}]}
  validations: [{expression: 'true'}]
";
    let binding = |more: &str| {
        format!(
            "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: b}}\nspec: {{policyName: p, {more}}}\n"
        )
    };
    let actions = |text: &str| {
        let all = policies(text);
        (all.policies()[0].actions().into_iter().collect::<Vec<_>>(), codes(&all))
    };
    assert_eq!(actions(policy), (vec![Action::Nothing], vec!["unbound-policy"]));
    let with = |more: &str| actions(&format!("{policy}{}", binding(more)));
    assert_eq!(with("validationActions: [Deny]"), (vec![Action::Denies], vec![]));
    assert_eq!(with("validationActions: [Warn, Audit]"), (vec![Action::Reports], vec![]));
    assert_eq!(with("validationActions: [Deny, Audit]"), (vec![Action::Denies], vec![]));
    assert_eq!(with("validationActions: [Perhaps]"), (vec![Action::Unknown], vec!["unknown-failure-action"]));
    let lone = policies(&binding("validationActions: [Deny]"));
    assert_eq!((lone.policies().len(), codes(&lone)), (0, vec!["binding-without-policy"]));
}

#[test]
fn image_rules_cover_what_their_patterns_match() {
    let rule = |references: &str, more: &str| {
        let text = format!(
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: p}}\nspec: {{validationFailureAction: Enforce, rules: [{{name: r, {PODS}, verifyImages: [{{imageReferences: [{references}], attestors: [{{count: 1}}]{more}}}]}}]}}\n"
        );
        policies(&text).policies()[0].rules[0].images.clone()
    };
    let covers = |references: &str, image: &str| rule(references, "").expect("a rule").covers(image);
    assert!(covers("'registry.example/*'", "registry.example/team/app:1"));
    assert!(!covers("'registry.example/*'", "other.example/app:1"));
    assert!(covers("'docker.io/library/*'", "nginx") && covers("'*:latest'", "registry.example/app"));
    assert_eq!(rule("'*'", ", required: false"), None);
    let sigstore = |glob: &str, authorities: &str| {
        let text = format!(
            "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata: {{name: p}}\nspec: {{images: [{{glob: '{glob}'}}], authorities: {authorities}}}\n"
        );
        policies(&text).policies()[0].rules[0].images.clone()
    };
    let keyed = "[{key: {data: x}}]";
    assert!(sigstore("**", keyed).expect("a rule").covers("registry.example/team/app:1"));
    assert!(!sigstore("registry.example/*", keyed).expect("a rule").covers("registry.example/team/app:1"));
    assert_eq!(sigstore("**", "[{static: {action: pass}}]"), None);
}

/// A ValidatingAdmissionPolicy with some expressions, bound to all namespaces.
fn native(more: &str, expressions: &[&str]) -> String {
    let validations: Vec<String> = expressions.iter().map(|e| format!("{{expression: {e:?}}}")).collect();
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: p}}
spec:
  matchConstraints: {{resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}}]}}
  {more}
  validations: [{}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: b}}
spec: {{policyName: p, validationActions: [Deny]}}
",
        validations.join(", ")
    )
}

#[test]
fn expressions_check_what_they_ask_of_pods() {
    let of = |more: &str, expressions: &[&str]| refused_in(&policies(&native(more, expressions)), "shop", &[]);
    let fail = "failurePolicy: Fail";
    let host = "!has(object.spec.hostNetwork) || !object.spec.hostNetwork";
    assert_eq!(of(fail, &[host]), set([Check::HostNetwork]));
    let all =
        "variables: [{name: all, expression: 'object.spec.containers + object.spec.?initContainers.orValue([])'}]";
    let privileged = "variables.all.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || c.securityContext.privileged == false)";
    assert_eq!(of(all, &[privileged]), set([Check::Privileged]));
    assert_eq!(of(all, &[privileged, host]), set([Check::Privileged, Check::HostNetwork]));
    assert_eq!(of(fail, &[&privileged.replace("variables.all", "object.spec.containers")]), set([]), "init containers");
    // A field that is missing is an error, which the failure policy decides.
    let escalation = "object.spec.containers.all(c, !c.securityContext.allowPrivilegeEscalation) && object.spec.initContainers.all(c, !c.securityContext.allowPrivilegeEscalation)";
    assert_eq!(of(fail, &[escalation]), set([Check::Escalation]));
    assert_eq!(of("failurePolicy: Ignore", &[escalation]), set([]));
    assert_eq!(of(fail, &["params.allowed || !object.spec.hostPID"]), set([]));
    let exempt = "matchConditions: [{name: a, expression: \"object.metadata.name == 'other'\"}]";
    assert_eq!(of(exempt, &[host]), set([]));
    let selected = native(fail, &[host]).replace(
        "validationActions: [Deny]",
        "validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {team: a}}}",
    );
    assert_eq!(refused_in(&policies(&selected), "shop", &[("team", "a")]), set([Check::HostNetwork]));
    assert_eq!(refused_in(&policies(&selected), "shop", &[]), set([]));
}

#[test]
fn policies_of_the_same_form_for_kyverno_need_no_binding() {
    let text = native("failurePolicy: Fail", &["!object.spec.hostPID"]);
    let text = text.split("---").next().expect("a policy").replace(
        "admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy",
        "policies.kyverno.io/v1\nkind: ValidatingPolicy",
    );
    assert_eq!(refused_in(&policies(&text), "shop", &[]), set([Check::HostPid]));
    assert_eq!(refused_in(&policies(&text), "kube-system", &[]), set([]));
    let audits = text.replace("spec:\n", "spec:\n  validationActions: [Audit]\n");
    assert_eq!(refused_in(&policies(&audits), "shop", &[]), set([]));
    let asked = "{cel: {expressions: [{expression: '!object.spec.hostPID'}]}}";
    assert_eq!(enforced(PODS, asked), set([Check::HostPid]));
}

#[test]
fn conditions_that_compare_too_much_are_given_up() {
    let denies = |count: usize| {
        let list = |text: &str| (0..count).map(|i| format!("'{text}-{i:024}*'")).collect::<Vec<_>>().join(", ");
        let many = format!("{{key: [{}], operator: AnyIn, value: [{}]}}", list("a"), list("b"));
        let pid = "{key: '{{ request.object.spec.hostPID || `false` }}', operator: Equals, value: 'true'}";
        enforced(PODS, &format!("{{deny: {{conditions: {{any: [{many}, {pid}]}}}}}}"))
    };
    assert_eq!(denies(3), set([Check::HostPid]));
    assert_eq!(denies(300), set([]));
}

#[test]
fn hostile_rules_are_given_up() {
    // Each level asks the same of the same field many times.
    let mut text = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n  validationFailureAction: Enforce\n  x:\n    - &a {'=(privileged)': 'false'}\n".to_owned();
    let many = |key: &str, alias: &str| (0..80).map(|_| format!("'=({key})': *{alias}")).collect::<Vec<_>>().join(", ");
    text.push_str(&format!("    - &b [{{{}}}]\n", many("securityContext", "a")));
    text.push_str(&format!("    - &c {{{}}}\n", many("containers", "b")));
    text.push_str("  rules:\n");
    for _ in 0..300 {
        text.push_str(&format!("    - {{name: r, {PODS}, validate: {{pattern: {{{}}}}}}}\n", many("spec", "c")));
    }
    let all = policies(&text);
    assert_eq!((refused_in(&all, "shop", &[]), codes(&all)), (set([]), vec!["too-many-rules"]));
}
