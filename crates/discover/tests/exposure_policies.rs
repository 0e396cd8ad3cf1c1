//! What network policies say about ways in from outside.

mod shown;

use kubestride_discover::Scope;
use kubestride_model::{FlowKind, SubjectRef};
use kubestride_stencils::attributes as attr;
use shown::model_in;

/// A workload behind a Service of a type, with an Ingress.
fn shop(kind: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec: {{containers: [{{name: c, image: example/web, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{type: {kind}, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
    )
}

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
";

const CONTROLLER: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: edge, labels: {app: edge}}
spec:
  selector: {matchLabels: {app: edge}}
  template:
    metadata: {labels: {app: edge}}
    spec: {containers: [{name: c, image: registry.k8s.io/ingress-nginx/controller:v1.11}]}
";

fn policy(ingress: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: web}}\n\
         spec: {{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Ingress], ingress: [{ingress}]}}"
    )
}

/// Verdict and denial of the only way in, and whether the workload counts as exposed.
fn learned(parts: &[&str], scope: Scope) -> [String; 3] {
    let model = model_in(&parts.join("\n---\n"), scope);
    let element = model.elements().find(|(_, e)| model.text(e.identity) == "Pod/default/web").expect("web").0;
    let into = |f: &kubestride_model::Flow| f.kind == FlowKind::Exposure && f.target == element;
    let flows: Vec<_> = model.flows().filter(|(_, f)| into(f)).collect();
    assert_eq!(flows.len(), 1, "one way in");
    let text = |subject, id| model.value(subject, id).map_or("-".to_owned(), |v| model.value_text(id, v));
    let flow = SubjectRef::Flow(flows[0].0);
    // What nobody can use is no way in that is certain, and raises no severity.
    let sure = flows[0].1.confidence == kubestride_model::Confidence::Certain;
    assert!(!sure || text(flow, attr::POLICY_DENIED.id) != "Yes");
    [
        text(flow, attr::POLICY_VERDICT.id),
        text(flow, attr::POLICY_DENIED.id),
        text(SubjectRef::Element(element), attr::EXPOSED.id),
    ]
}

const FREE: [&str; 3] = ["Unrestricted", "No", "Yes"];
const ALLOWED: [&str; 3] = ["Allowed", "No", "Yes"];
const DENIED: [&str; 3] = ["Denied", "Yes", "No"];
const UNKNOWN: [&str; 3] = ["Unknown", "No", "Yes"];

#[test]
fn ports_of_nodes_and_load_balancers_are_shut_where_no_rule_can_admit_somebody_outside() {
    let table = [
        ("", DENIED),
        ("{from: [{podSelector: {}}]}", DENIED),
        ("{from: [{namespaceSelector: {}}]}", DENIED),
        ("{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 9090}]}", DENIED),
        ("{}", ALLOWED),
        ("{ports: [{port: 8080}]}", ALLOWED),
        ("{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}", UNKNOWN),
        ("{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}", UNKNOWN),
        // Nodes may have these addresses.
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", UNKNOWN),
        // Of IPv6 nothing is known.
        ("{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}", UNKNOWN),
    ];
    for kind in ["LoadBalancer", "NodePort"] {
        assert_eq!(learned(&[&shop(kind)], Scope::Application), FREE);
        for (rules, expected) in table {
            assert_eq!(learned(&[&shop(kind), &policy(rules)], Scope::Application), expected, "{kind} {rules}");
            // Another policy may be elsewhere.
            let fragment = learned(&[&shop(kind), &policy(rules)], Scope::Fragment);
            assert_eq!(fragment, UNKNOWN, "{kind} {rules} in a fragment");
        }
    }
}

#[test]
fn other_kinds_of_policies_shut_ways_in_too() {
    let cilium = |from: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: web}}\nspec: {{endpointSelector: {{}}, ingress: [{from}]}}"
        )
    };
    let admin = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: web}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}";
    let table = [
        (cilium("{}"), DENIED),
        (cilium("{fromEndpoints: [{}]}"), DENIED),
        (cilium("{fromEntities: [cluster]}"), UNKNOWN),
        (cilium("{fromEntities: [remote-node]}"), UNKNOWN),
        (cilium("{fromEntities: [world]}"), UNKNOWN),
        (cilium("{fromEntities: [all]}"), ALLOWED),
        // It is about pods only.
        (admin.to_owned(), FREE),
    ];
    for (policy, expected) in table {
        assert_eq!(learned(&[&shop("NodePort"), &policy], Scope::Application), expected, "{policy}");
    }
}

#[test]
fn routes_lead_where_their_controller_may_go() {
    let plain = shop("ClusterIP");
    let of = |rules: &str, controller: Option<&str>| {
        let policy = policy(rules);
        let mut parts = vec![plain.as_str(), INGRESS, policy.as_str()];
        parts.extend(controller);
        learned(&parts, Scope::Application)
    };
    assert_eq!(learned(&[&plain, INGRESS], Scope::Application), FREE);
    let edge = "{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]}";
    let host = CONTROLLER.replace("{containers:", "{hostNetwork: true, containers:");
    let table = [
        // Nothing at all gets through.
        ("", [DENIED, DENIED, UNKNOWN]),
        ("{}", [ALLOWED, ALLOWED, ALLOWED]),
        // What the controller does from its node, the network plugin may let through always.
        (edge, [UNKNOWN, ALLOWED, UNKNOWN]),
        ("{from: [{podSelector: {}}]}", [UNKNOWN, DENIED, UNKNOWN]),
        ("{from: [{namespaceSelector: {}}]}", [UNKNOWN, ALLOWED, UNKNOWN]),
        // The load balancer of a cloud may call pods itself.
        ("{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}", [UNKNOWN, UNKNOWN, UNKNOWN]),
    ];
    for (rules, [without, with, on_node]) in table {
        assert_eq!(of(rules, None), without, "{rules} without a controller");
        assert_eq!(of(rules, Some(CONTROLLER)), with, "{rules} with one");
        assert_eq!(of(rules, Some(&host)), on_node, "{rules} with one on its node");
    }
}
