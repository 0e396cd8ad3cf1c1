//! Policies decide nothing where the API server does not serve them, or nobody enforces them.

#[allow(dead_code, reason = "other tests use the rest")]
mod common;

use kubestride_policy::connections::Connections;
use kubestride_policy::network::{Circumstances, Family, NetworkPolicies};
use kubestride_policy::pod_security::Version;

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
