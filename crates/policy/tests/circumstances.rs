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

/// What `pkg/apis/networking/validation` of Kubernetes refuses is no policy.
#[test]
fn policies_that_are_not_valid_decide_nothing() {
    let of = |spec: &str| {
        let policy = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {{podSelector: {{}}, {spec}}}"
        );
        web_may_call_api(&policy, &Circumstances::default())
    };
    let peer = |peer: &str| of(&format!("ingress: [{{from: [{peer}]}}]"));
    let port = |port: &str| {
        of(&format!("ingress: [{{from: [{{podSelector: {{matchLabels: {{app: x}}}}}}], ports: [{port}]}}]"))
    };
    let pods = |expression: &str| peer(&format!("{{podSelector: {{matchExpressions: [{expression}]}}}}"));
    let refused = [
        peer("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}"),
        peer("{}"),
        peer("{podSelector: null}"),
        peer("{ipBlock: {}}"),
        peer("{ipBlock: {cidr: 10.0.0.1}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/33}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.1.1]}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8, except: [0.0.0.0/0]}}"),
        peer("{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}}"),
        pods("{key: app, operator: Like}"),
        pods("{key: app}"),
        pods("{operator: Exists}"),
        pods("{key: app, operator: In}"),
        pods("{key: app, operator: NotIn, values: []}"),
        pods("{key: app, operator: Exists, values: [a]}"),
        pods("{key: app, operator: DoesNotExist, values: [a]}"),
        peer("{namespaceSelector: {matchExpressions: [{key: app, operator: In}]}}"),
        port("{port: '5432'}"),
        port("{port: Web}"),
        port("{port: a-name-of-sixteen}"),
        port("{port: a--b}"),
        port("{port: -a}"),
        port("{port: ''}"),
        port("{port: 0}"),
        port("{port: 65536}"),
        port("{port: -1}"),
        port("{port: 80, endPort: 79}"),
        port("{port: 80, endPort: 65536}"),
        port("{port: web, endPort: 90}"),
        port("{endPort: 90}"),
        port("{protocol: ICMP}"),
        port("{port: 80, protocol: tcp}"),
        of("policyTypes: [Ingres]"),
        of("policyTypes: [Ingress, Egress, Ingress]"),
        of("ingress: [], egress: [{to: [{}]}]"),
        of("policyTypes: [Ingress], egress: [{to: [{}]}]"),
    ];
    for (at, found) in refused.iter().enumerate() {
        assert_eq!(*found, (true, vec!["policy-refused"]), "{at}");
    }
    let taken = [
        peer("{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.0/25]}}"),
        pods("{key: app, operator: In, values: [x]}"),
        pods("{key: other, operator: Exists}"),
        port("{port: 80, endPort: 80}"),
        port("{port: 80, endPort: 90, protocol: UDP}"),
        port("{port: a-name-of-15-ok}"),
        port("{protocol: SCTP}"),
        port("null"),
        of("policyTypes: [Ingress, Egress]"),
    ];
    for (at, found) in taken.iter().enumerate() {
        assert_eq!(*found, (false, vec![]), "{at}");
    }
    // Something else will stand here.
    assert!(!peer("{ipBlock: {cidr: '${CLIENTS}'}}").0);
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
