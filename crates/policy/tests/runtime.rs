//! What policies of KubeArmor do, by action and posture.

use std::sync::Arc;

use kubestride_manifest::{Labels, Manifests};
use kubestride_policy::runtime::{Effect, RuntimePolicies};
use kubestride_source::FileId;
use kubestride_yaml::{Limits, read};

fn policies(text: &str) -> RuntimePolicies {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        manifests.add(document.tree.expect("a document"), 0);
    }
    RuntimePolicies::read(&manifests, "default")
}

fn policy(spec: &str) -> String {
    format!(
        "---\napiVersion: security.kubearmor.com/v1\nkind: KubeArmorPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {{selector: {{matchLabels: {{app: web}}}}, {spec}}}\n"
    )
}

fn namespace(annotations: &str) -> String {
    format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, annotations: {{{annotations}}}}}\n")
}

fn effect(text: &str) -> Option<Effect> {
    let all = policies(text);
    all.effect(&all.policies()[0]).map(|(effect, ..)| effect)
}

#[test]
fn the_innermost_action_counts() {
    let paths = |action: &str| format!("matchPaths: [{{path: /bin/sh{action}}}]");
    let of = |spec: String| effect(&policy(&spec));
    assert_eq!(of(format!("process: {{{}}}, action: Audit", paths(""))), Some(Effect::Alerts));
    assert_eq!(of(format!("process: {{{}, action: Block}}, action: Audit", paths(""))), Some(Effect::Blocks));
    assert_eq!(
        of(format!("process: {{{}, action: Block}}, action: Audit", paths(", action: Audit"))),
        Some(Effect::Alerts)
    );
    assert_eq!(of(format!("process: {{{}}}", paths(""))), Some(Effect::Blocks));
    assert_eq!(of("syscalls: {matchSyscalls: [{syscall: [unlink]}]}, action: Block".to_owned()), Some(Effect::Alerts));
    assert_eq!(of("presets: [{name: filelessExec, action: Block}]".to_owned()), Some(Effect::Blocks));
    assert_eq!(of("process: {matchPaths: []}, action: Block".to_owned()), None);
}

#[test]
fn what_is_not_allowed_meets_the_posture_of_its_class() {
    let allow = |section: &str| policy(&format!("{section}, action: Allow"));
    let process = allow("process: {matchPaths: [{path: /bin/app}]}");
    let network = allow("network: {matchProtocols: [{protocol: tcp}]}");
    let of = |policy: &str, annotations: &str| effect(&format!("{policy}{}", namespace(annotations)));
    assert_eq!(of(&process, ""), Some(Effect::Alerts));
    assert_eq!(of(&process, "kubearmor-file-posture: block"), Some(Effect::Blocks));
    assert_eq!(of(&process, "kubearmor-network-posture: block"), Some(Effect::Alerts));
    assert_eq!(of(&network, "kubearmor-network-posture: block"), Some(Effect::Blocks));
    assert_eq!(of(&network, "kubearmor-file-posture: block"), Some(Effect::Alerts));
    let config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubearmor-config, namespace: kubearmor}\ndata: {defaultFilePosture: block}\n";
    assert_eq!(effect(&format!("{process}{config}")), Some(Effect::Blocks));
    assert_eq!(
        effect(&format!("{process}{config}{}", namespace("kubearmor-file-posture: audit"))),
        Some(Effect::Alerts)
    );
    let odd = policies(&format!("{process}{}", namespace("kubearmor-file-posture: perhaps")));
    assert_eq!(odd.diagnostics().iter().map(|d| d.code).collect::<Vec<_>>(), ["unknown-posture"]);
}

#[test]
fn policies_select_pods_in_their_own_way() {
    let selects = |kind: &str, selector: &str, namespace: &str| {
        let text = format!(
            "apiVersion: security.kubearmor.com/v1\nkind: {kind}\nmetadata: {{name: p, namespace: shop}}\nspec: {{{selector}, action: Block}}\n"
        );
        let all = policies(&text);
        all.policies()[0].selects(namespace, &Labels::from_pairs([("app", "web")]))
    };
    let label = "selector: {matchLabels: {app: web}}";
    assert!(selects("KubeArmorPolicy", label, "shop") && !selects("KubeArmorPolicy", label, "bank"));
    let expression = |key: &str, operator: &str, value: &str| {
        format!("selector: {{matchExpressions: [{{key: {key}, operator: {operator}, values: [{value}]}}]}}")
    };
    assert!(selects("KubeArmorPolicy", &expression("label", "In", "app=web"), "shop"));
    assert!(!selects("KubeArmorPolicy", &expression("label", "NotIn", "app=web"), "shop"));
    assert!(selects("KubeArmorClusterPolicy", &expression("namespace", "In", "shop"), "shop"));
    assert!(!selects("KubeArmorClusterPolicy", &expression("namespace", "NotIn", "shop"), "shop"));
    assert!(!selects("KubeArmorClusterPolicy", &expression("namespace", "Exists", "shop"), "shop"), "not understood");
    assert!(!selects("KubeArmorClusterPolicy", &expression("namespace", "In", "kube-system"), "kube-system"));
    assert!(!selects("KubeArmorHostPolicy", "nodeSelector: {matchLabels: {app: web}}", "shop"));
    assert!(!selects("KubeArmorNetworkPolicy", "nodeSelector: {matchLabels: {app: web}}", "shop"));
    assert!(selects("KubeArmorNetworkPolicy", label, "shop"));
}

#[test]
fn the_token_is_guarded_by_a_rule_or_by_a_list_of_what_is_allowed() {
    let guarded = |text: &str| policies(text).token_guard("shop", &Labels::from_pairs([("app", "web")])).is_some();
    let directory =
        |more: &str| format!("file: {{matchDirectories: [{{dir: /run/secrets/kubernetes.io/serviceaccount/{more}}}]}}");
    let of = |more: &str, action: &str| guarded(&policy(&format!("{}, action: {action}", directory(more))));
    assert!(of(", recursive: true", "Block"));
    assert!(!of(", recursive: true", "Audit"));
    assert!(!of("", "Block"), "the token is deeper");
    assert!(!of(", recursive: true, readOnly: true", "Block"));
    assert!(!of(", recursive: true, fromSource: [{path: /bin/cat}]", "Block"));
    assert!(guarded(&policy("file: {matchDirectories: [{dir: /run/, recursive: true}]}, action: Block")));
    // A link is not followed.
    assert!(!guarded(&policy("file: {matchDirectories: [{dir: /var/run/secrets/, recursive: true}]}, action: Block")));
    let one = policy(&format!("{}, action: Block", directory(", recursive: true")))
        .replace("app: web", "app: web, kubearmor.io/container.name: log");
    assert!(!guarded(&one), "another container may read it");
    let allow =
        |dir: &str| policy(&format!("file: {{matchDirectories: [{{dir: {dir}, recursive: true}}]}}, action: Allow"));
    let block = namespace("kubearmor-file-posture: block");
    assert!(guarded(&format!("{}{block}", allow("/app/"))));
    assert!(!guarded(&format!("{}{block}", allow("/run/"))));
    assert!(!guarded(&allow("/app/")));
}

#[test]
fn what_is_not_known_is_said() {
    let codes = |text: &str| policies(text).diagnostics().iter().map(|d| d.code).collect::<Vec<_>>();
    let shell = "process: {matchPaths: [{path: /bin/sh}]}";
    assert_eq!(codes(&policy(&format!("{shell}, action: Perhaps"))), ["unknown-action"]);
    assert_eq!(effect(&policy(&format!("{shell}, action: Perhaps"))), None);
    assert_eq!(
        codes(&policy(&format!("{shell}, action: Block")).replace("com/v1", "com/v9")),
        ["unknown-policy-version"]
    );
}
