//! Policies decide nothing where the API server does not serve them, or nobody enforces them.

mod common;

use kubestride_policy::connections::Connections;
use kubestride_policy::network::{Direction, Match, NetworkPolicies};
use kubestride_policy::pod_security::Version;
use kubestride_policy::{Circumstances, Family};

const PODS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: example/web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: example/api}]}
";

/// Whether `web` may call `api`, and the codes of what is said about policies.
fn web_may_call_api(policy: &str, circumstances: &Circumstances) -> (bool, Vec<&'static str>) {
    let manifests = common::manifests(&format!("{PODS}\n---\n{policy}"));
    let connections = Connections::read_in(&manifests, "default", circumstances);
    let is = |c: &kubestride_policy::connections::Connection| {
        (c.source.as_str(), c.target.as_str()) == ("default/web[Pod]", "default/api[Pod]")
    };
    let codes = connections.diagnostics().iter().map(|d| d.code).collect();
    (connections.allowed().iter().any(is), codes)
}

#[test]
fn policies_of_a_version_that_is_not_served_decide_nothing() {
    let of = |api: &str| {
        format!("apiVersion: {api}\nkind: NetworkPolicy\nmetadata: {{name: deny}}\nspec: {{podSelector: {{}}}}")
    };
    let at = |minor| Circumstances { kubernetes: Version(minor), ignored: Vec::new() };
    assert_eq!(web_may_call_api(&of("networking.k8s.io/v1"), &Circumstances::default()), (false, vec![]));
    assert_eq!(web_may_call_api(&of("extensions/v1beta1"), &at(15)), (false, vec![]));
    for minor in [16, Version::NEWEST.0] {
        assert_eq!(web_may_call_api(&of("extensions/v1beta1"), &at(minor)), (true, vec!["policy-not-served"]));
    }
    // This kind was never in that group.
    assert_eq!(web_may_call_api(&of("apps/v1"), &Circumstances::default()), (true, vec!["policy-not-served"]));
    // A version that may come: what it means is not known.
    for newer in ["networking.k8s.io/v1beta1", "networking.k8s.io/v2"] {
        let (_, codes) = web_may_call_api(&of(newer), &Circumstances::default());
        assert_eq!(codes, ["policy-not-understood"], "{newer}");
    }
}

#[test]
fn policies_that_nobody_enforces_decide_nothing_and_leave_others_certain() {
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: deny}\nspec: {endpointSelector: {}, ingress: [{}]}";
    let calico =
        "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {types: [Ingress]}";
    let ignoring = |ignored: &[Family]| Circumstances { ignored: ignored.to_vec(), ..Circumstances::default() };
    assert!(!web_may_call_api(cilium, &ignoring(&[])).0);
    assert_eq!(web_may_call_api(cilium, &ignoring(&[Family::Cilium])), (true, vec![]));
    assert!(!web_may_call_api(calico, &ignoring(&[Family::Cilium])).0);
    let both = format!("{cilium}\n---\n{calico}");
    let manifests = common::manifests(&format!("{PODS}\n---\n{both}"));
    let known = |ignored: &[Family]| {
        let connections = Connections::read_in(&manifests, "default", &ignoring(ignored));
        connections.all(None, None).iter().all(|c| c.unknown.is_empty())
    };
    // A cluster has one network plugin; without evidence it is not known which.
    assert!(!known(&[]));
    assert!(known(&[Family::Cilium]) && known(&[Family::Calico]));
    assert!(web_may_call_api(&both, &ignoring(&[Family::Cilium, Family::Calico])).0);
    let listed = NetworkPolicies::read_in(&manifests, "default", &ignoring(&[Family::Cilium]));
    let holds: Vec<_> = listed.all().iter().map(|policy| (policy.family, policy.holds)).collect();
    assert_eq!(holds, [(Family::Calico, true), (Family::Cilium, false)]);
}

/// Whether a policy denies by default what comes in, and what goes out, for `shop`.
fn defaults(policy: &str) -> (Match, Match) {
    let manifests = common::manifests(policy);
    let policies = NetworkPolicies::read(&manifests, "default");
    let labels = kubestride_manifest::Labels::from_pairs([("team", "red")]);
    let all = policies.all();
    let listed = all.first().expect("one policy");
    let of = |direction| listed.denies_by_default(direction, "shop", &labels);
    (of(Direction::Ingress), of(Direction::Egress))
}

#[test]
fn policies_of_administrators_deny_by_default_what_they_deny_to_everybody() {
    let all = "from: [{namespaces: {}}]";
    let everywhere = "to: [{namespaces: {}}, {networks: [0.0.0.0/0]}]";
    let table = [
        (format!("ingress: [{{action: Deny, {all}}}]"), (Match::Yes, Match::No)),
        (format!("egress: [{{action: Deny, {everywhere}}}]"), (Match::No, Match::Yes)),
        // Pods are not everybody that can be called.
        ("egress: [{action: Deny, to: [{namespaces: {}}]}]".to_owned(), (Match::No, Match::No)),
        (
            "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: blue}}}]}]".to_owned(),
            (Match::No, Match::No),
        ),
        (
            format!(
                "ingress: [{{action: Allow, from: [{{namespaces: {{matchLabels: {{team: blue}}}}}}]}}, {{action: Deny, {all}}}]"
            ),
            (Match::Yes, Match::No),
        ),
        (format!("ingress: [{{action: Allow, {all}}}, {{action: Deny, {all}}}]"), (Match::No, Match::No)),
        (format!("ingress: [{{action: Pass, {all}}}, {{action: Deny, {all}}}]"), (Match::No, Match::No)),
        (
            format!("ingress: [{{action: Deny, {all}, ports: [{{portNumber: {{port: 80, protocol: TCP}}}}]}}]"),
            (Match::No, Match::No),
        ),
        (format!("ingress: [{{action: Unheard, {all}}}, {{action: Deny, {all}}}]"), (Match::No, Match::No)),
        (
            format!("ingress: [{{action: Allow, from: [{{unheardOf: 1}}], unheardOf: 1}}, {{action: Deny, {all}}}]"),
            (Match::Unknown, Match::No),
        ),
    ];
    let kinds = [("AdminNetworkPolicy", "priority: 1, "), ("BaselineAdminNetworkPolicy", "")];
    for (kind, place) in kinds {
        for (subject, covers) in
            [("{namespaces: {matchLabels: {team: red}}}", true), ("{namespaces: {matchLabels: {team: blue}}}", false)]
        {
            for (rules, expected) in &table {
                let spec = format!("{place}subject: {subject}, {rules}");
                let policy = format!(
                    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: {kind}\nmetadata: {{name: default}}\nspec: {{{spec}}}"
                );
                let expected = if covers { *expected } else { (Match::No, Match::No) };
                assert_eq!(defaults(&policy), expected, "{policy}");
            }
        }
    }
    let some_pods = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\nspec: {tier: Baseline, priority: 1, subject: {pods: {podSelector: {matchLabels: {app: web}}}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}";
    assert_eq!(defaults(some_pods), (Match::No, Match::No));
    let whole = some_pods.replace("{pods: {podSelector: {matchLabels: {app: web}}}}", "{namespaces: {}}");
    assert_eq!(defaults(&whole), (Match::Yes, Match::No));
}

#[test]
fn policies_of_plugins_for_the_whole_cluster_deny_by_default() {
    let cilium = |rest: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: a}}\nspec: {{endpointSelector: {{}}, {rest}}}"
        )
    };
    let calico = |rest: &str| {
        format!("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{name: a}}\nspec: {{{rest}}}")
    };
    let table = [
        (cilium("ingress: [{}]"), Match::Yes),
        (cilium("ingress: [{fromEntities: [world]}]"), Match::Yes),
        (cilium("ingress: [{fromEntities: [cluster]}]"), Match::No),
        (cilium("ingressDeny: [{fromEntities: [all]}], enableDefaultDeny: {ingress: false}"), Match::Yes),
        (cilium("ingressDeny: [{fromEntities: [world]}], enableDefaultDeny: {ingress: false}"), Match::No),
        (cilium("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [world]}]"), Match::No),
        (calico("types: [Ingress]"), Match::Yes),
        (calico("ingress: [{action: Deny}]"), Match::Yes),
        (calico("tier: kube-admin, ingress: [{action: Deny}]"), Match::Yes),
        (calico("tier: kube-admin, ingress: [{action: Deny, source: {selector: app == 'x'}}]"), Match::No),
    ];
    for (policy, expected) in table {
        assert_eq!(defaults(&policy).0, expected, "{policy}");
    }
}
