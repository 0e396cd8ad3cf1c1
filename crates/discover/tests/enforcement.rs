//! Network policies count where the network plugin enforces them or nothing tells, and not where it does not.

mod shown;

use kubestride_discover::Scope;
use kubestride_model::{FlowKind, Model, SubjectRef};
use kubestride_stencils::attributes as attr;
use shown::{discovered, model_in};

/// A DaemonSet with containers, each an image and its arguments.
fn agent(containers: &[(&str, &str)]) -> String {
    let mut text = "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node, namespace: kube-system}
spec:
  selector: {matchLabels: {app: node}}
  template:
    metadata: {labels: {app: node}}
    spec:
      hostNetwork: true
      containers:
"
    .to_owned();
    for (at, (image, args)) in containers.iter().enumerate() {
        text.push_str(&format!("        - {{name: c{at}, image: {image}, args: [{args}]}}\n"));
    }
    text
}

const SHOP: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: example/web, env: [{name: API_URL, value: 'http://api:80'}, {name: DB_URL, value: 'http://db:80'}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: example/api, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec: {containers: [{name: c, image: example/db, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{podSelector: {}}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
";

/// What policies achieve: default deny of the namespace, isolation of `api`, whether the metadata service is out of
/// reach, and whether the flows from `web` are admitted or denied.
fn achieved(model: &Model) -> Vec<String> {
    let text = |subject, id| model.value(subject, id).map_or("-".to_owned(), |v| model.value_text(id, v));
    let subject = |identity: &str| {
        let of = |(id, e): (_, &kubestride_model::Element)| {
            (model.text(e.identity) == identity).then_some(SubjectRef::Element(id))
        };
        model.elements().find_map(of).expect(identity)
    };
    let default = |(id, b): (_, &kubestride_model::Boundary)| {
        (model.text(b.identity) == "Namespace/default").then_some(SubjectRef::Boundary(id))
    };
    let namespace = model.boundaries().find_map(default).expect("the namespace");
    let api = subject("Pod/default/api");
    let mut out = vec![
        text(namespace, attr::DEFAULT_DENY_INGRESS.id),
        text(namespace, attr::DEFAULT_DENY_EGRESS.id),
        text(api, attr::INGRESS_ISOLATION.id),
        text(api, attr::EGRESS_ISOLATION.id),
        text(api, attr::METADATA_REACHABLE.id),
    ];
    for target in ["api", "db"] {
        let to = |f: &kubestride_model::Flow| {
            f.kind == FlowKind::Traffic && SubjectRef::Element(f.target) == subject(&format!("Pod/default/{target}"))
        };
        let (flow, _) = model.flows().find(|(_, f)| to(f)).expect("a flow");
        for attribute in [attr::POLICY_ADMITTED, attr::POLICY_DENIED] {
            out.push(text(SubjectRef::Flow(flow), attribute.id));
        }
    }
    out
}

fn enforced(model: &Model) -> String {
    let (id, _) = model.boundaries().find(|(_, b)| model.text(b.identity) == "cluster").expect("the cluster");
    let attribute = attr::POLICY_ENFORCEMENT.id;
    model.value(SubjectRef::Boundary(id), attribute).map_or("-".to_owned(), |v| model.value_text(attribute, v))
}

const COUNTS: [&str; 9] = ["Yes", "Yes", "Restricted", "Restricted", "No", "Yes", "No", "No", "Yes"];
const WITHDRAWN: [&str; 9] = ["No", "No", "None", "None", "Yes", "No", "No", "No", "No"];

#[test]
fn policies_count_unless_it_is_shown_that_nobody_enforces_them() {
    let with = |agents: &str| model_in(&format!("{SHOP}{agents}"), Scope::Application);
    let unknown = with("");
    assert_eq!((enforced(&unknown), achieved(&unknown)), ("Unknown".to_owned(), COUNTS.map(str::to_owned).to_vec()));
    let calico = with(&agent(&[("docker.io/calico/node:v3.29.1", "")]));
    assert_eq!((enforced(&calico), achieved(&calico)), ("Yes".to_owned(), COUNTS.map(str::to_owned).to_vec()));
    let flannel = with(&agent(&[("ghcr.io/flannel-io/flannel:v0.26.2", "")]));
    assert_eq!((enforced(&flannel), achieved(&flannel)), ("No".to_owned(), WITHDRAWN.map(str::to_owned).to_vec()));
    // They are still there to be seen.
    assert_eq!(flannel.controls().count(), unknown.controls().count());
}

#[test]
fn agents_are_known_by_their_images_and_settings() {
    let of = |containers: &[(&str, &str)], more: &str, scope| {
        enforced(&model_in(&format!("{SHOP}{}{more}", agent(containers)), scope))
    };
    let seen = |containers: &[(&str, &str)]| of(containers, "", Scope::Application);
    let (flannel, vpc, agent) =
        ("rancher/mirrored-flannel:v0.26", "amazon-k8s-cni:v1.19", "aws-network-policy-agent:v1.2");
    assert_eq!(seen(&[("docker.io/calico/node:v3.29", ""), (flannel, "--ip-masq")]), "Yes");
    assert_eq!(seen(&[("antrea/antrea-agent-ubuntu:v2.2.0", "")]), "Yes");
    assert_eq!(seen(&[("docker.io/cloudnativelabs/kube-router", "")]), "Yes");
    assert_eq!(seen(&[("docker.io/cloudnativelabs/kube-router", "--run-firewall=false")]), "No");
    assert_eq!(seen(&[(vpc, "")]), "No");
    assert_eq!(seen(&[(vpc, ""), (agent, "--enable-network-policy=true")]), "Yes");
    assert_eq!(seen(&[(vpc, ""), (agent, "--enable-network-policy=false")]), "No");
    // Its default is a setting of the add-on, which the input does not show.
    assert_eq!(seen(&[(vpc, ""), (agent, "")]), "Unknown");
    assert_eq!(seen(&[("example/node", "")]), "Unknown");
    // What enforces them may be in another fragment.
    assert_eq!(of(&[(flannel, "")], "", Scope::Fragment), "Unknown");
    let never = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {enable-policy: never}\n";
    assert_eq!(of(&[("quay.io/cilium/cilium:v1.16", "")], "", Scope::Application), "Yes");
    assert_eq!(of(&[("quay.io/cilium/cilium:v1.16", "")], never, Scope::Application), "No");
    let operator = "---\napiVersion: operator.tigera.io/v1\nkind: Installation\nmetadata: {name: default}\nspec: {variant: Calico}\n";
    assert_eq!(of(&[(vpc, "")], operator, Scope::Application), "Yes");
}

/// One policy for all pods of a kind that only one network plugin knows, or only some know.
fn own_policy(kind: &str) -> &'static str {
    match kind {
        "cilium" => {
            "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: own}\nspec: {endpointSelector: {}, ingress: [{}]}\n"
        }
        "calico" => {
            "---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: own}\nspec: {types: [Ingress]}\n"
        }
        "admin" => {
            "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: own}\nspec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}\n"
        }
        _ => {
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: own}\nspec: {podSelector: {}}\n"
        }
    }
}

/// The application without policies.
fn bare() -> &'static str {
    SHOP.split("---\napiVersion: networking.k8s.io/v1\n").next().expect("the application")
}

#[test]
fn each_kind_of_policies_counts_where_somebody_may_enforce_it() {
    let calico: &[(&str, &str)] = &[("docker.io/calico/node:v3.29.1", "")];
    let cilium: &[(&str, &str)] = &[("quay.io/cilium/cilium:v1.16", "")];
    let flannel: &[(&str, &str)] = &[("ghcr.io/flannel-io/flannel:v0.26.2", "")];
    let canal: &[(&str, &str)] = &[flannel[0], calico[0]];
    let chained: &[(&str, &str)] = &[cilium[0], calico[0]];
    let vpc: &[(&str, &str)] = &[("amazon-k8s-cni:v1.19", "")];
    let undecided: &[(&str, &str)] = &[vpc[0], ("aws-network-policy-agent:v1.2", "")];
    let without_kubernetes: &[(&str, &str)] = &[("quay.io/cilium/cilium:v1.16", "--enable-k8s-networkpolicy=false")];
    // Which of kubernetes, admin, cilium and calico isolate the pod.
    let table = [
        ("nothing", &[][..], [true, true, true, true]),
        ("Calico", calico, [true, true, false, true]),
        ("Canal", canal, [true, true, false, true]),
        ("Cilium", cilium, [true, true, true, false]),
        ("Cilium, told so", without_kubernetes, [false, true, true, false]),
        ("both", chained, [true, true, true, true]),
        ("flannel", flannel, [false, false, false, false]),
        ("Amazon VPC CNI", vpc, [false, false, false, false]),
        ("with its agent", undecided, [true, true, false, false]),
    ];
    for (name, agents, expected) in table {
        let agents = if agents.is_empty() { String::new() } else { agent(agents) };
        for (kind, counts) in ["kubernetes", "admin", "cilium", "calico"].into_iter().zip(expected) {
            let text = format!("{}{}{agents}", bare(), own_policy(kind));
            let found = discovered(&text, Scope::Application);
            let isolation = achieved(&found.model)[2].clone();
            assert_eq!(isolation, if counts { "Restricted" } else { "None" }, "{kind} where {name} runs");
            let said = found.diagnostics.iter().filter(|d| d.code == "not-enforced").count();
            assert_eq!(said, usize::from(!counts), "{kind} where {name} runs");
            assert_eq!(found.model.controls().count(), 1, "it stays visible");
        }
    }
}
