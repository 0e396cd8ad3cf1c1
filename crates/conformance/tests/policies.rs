//! What network policies say about flows that were found elsewhere: admitted, refused, or nothing.

use kubestride_conformance::Analysed;
use kubestride_stencils::Attribute;
use kubestride_stencils::attributes::{POLICY_ADMITTED, POLICY_DENIED};
use kubestride_stencils::values::YesNo;

const PODS: &str = "apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  containers:
    - name: web
      image: registry.example/web:1.2
      env:
        - { name: API_URL, value: 'http://api:80' }
        - { name: PARTNER_URL, value: 'http://partner.example.com/v1' }
---
apiVersion: v1
kind: Pod
metadata: { name: api, labels: { app: api } }
spec:
  containers:
    - name: api
      image: registry.example/api:1.2
      ports: [{ name: http, containerPort: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec:
  selector: { app: api }
  ports: [{ port: 80, targetPort: http }]
";

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Admitted,
    Refused,
}

/// What a policy says about the flow from `web` to port 80 of `target`. A policy that names both ends may declare others.
fn said(spec: &str, target: &str) -> Said {
    let policy =
        format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{ name: p }}\nspec: {spec}\n");
    let analysed = Analysed::new(&format!("{PODS}---\n{policy}"), &[]);
    assert_eq!(analysed.complaints, Vec::<String>::new());
    let model = &analysed.model;
    let of = |attribute: Attribute<YesNo>| {
        let flows: Vec<bool> = model
            .flows()
            .filter(|(_, f)| model.text(f.identity) == format!("Pod/default/web->{target}:traffic:HTTP/80"))
            .map(|(id, _)| {
                let value = model.value(kubestride_model::SubjectRef::Flow(id), attribute.id);
                value == Some(attribute.value(YesNo::Yes))
            })
            .collect();
        assert_eq!(flows.len(), 1, "flows from web to {target}");
        flows == [true]
    };
    match (of(POLICY_ADMITTED), of(POLICY_DENIED)) {
        (false, false) => Said::Nothing,
        (true, false) => Said::Admitted,
        (false, true) => Said::Refused,
        (true, true) => panic!("{target} is admitted and refused"),
    }
}

#[test]
fn policies_of_the_target() {
    let api = |rules: &str| {
        said(
            &format!("{{ podSelector: {{ matchLabels: {{ app: api }} }}, policyTypes: [Ingress], ingress: {rules} }}"),
            "Pod/default/api",
        )
    };
    let web = "from: [{ podSelector: { matchLabels: { app: web } } }]";
    assert_eq!(api("[]"), Said::Refused);
    assert_eq!(api(&format!("[{{ {web} }}]")), Said::Admitted);
    // Ports are those of the pod, not of the Service in front of it.
    assert_eq!(api(&format!("[{{ {web}, ports: [{{ port: 8080 }}] }}]")), Said::Admitted);
    assert_eq!(api(&format!("[{{ {web}, ports: [{{ port: http }}] }}]")), Said::Admitted);
    assert_eq!(api(&format!("[{{ {web}, ports: [{{ port: 9090 }}] }}]")), Said::Refused);
    // HTTP is on top of TCP.
    assert_eq!(api(&format!("[{{ {web}, ports: [{{ port: 8080, protocol: UDP }}] }}]")), Said::Refused);
    assert_eq!(api("[{ from: [{ podSelector: { matchLabels: { app: other } } }] }]"), Said::Refused);
    // Who lets everybody in names nobody.
    assert_eq!(api("[{}]"), Said::Nothing);
    assert_eq!(api("[{ from: [{ namespaceSelector: {} }] }]"), Said::Nothing);
}

#[test]
fn policies_of_the_source() {
    let web = |rules: &str, target: &str| {
        said(
            &format!("{{ podSelector: {{ matchLabels: {{ app: web }} }}, policyTypes: [Egress], egress: {rules} }}"),
            target,
        )
    };
    let (api, partner) = ("Pod/default/api", "external/partner.example.com");
    assert_eq!((web("[]", api), web("[]", partner)), (Said::Refused, Said::Refused));
    let to_api = "[{ to: [{ podSelector: { matchLabels: { app: api } } }] }]";
    assert_eq!((web(to_api, api), web(to_api, partner)), (Said::Nothing, Said::Refused));
    // Which address a host has is not known.
    let block = "[{ to: [{ ipBlock: { cidr: 203.0.113.0/24 } }] }]";
    assert_eq!((web(block, api), web(block, partner)), (Said::Refused, Said::Nothing));
    let block_443 = "[{ to: [{ ipBlock: { cidr: 0.0.0.0/0 } }], ports: [{ port: 443 }] }]";
    assert_eq!(web(block_443, partner), Said::Refused);
    assert_eq!((web("[{}]", api), web("[{}]", partner)), (Said::Nothing, Said::Nothing));
}
