//! Flows that a few objects show, each written as `source -> target:port kind`.

mod shown;

use kubestride_model::{FlowKind, Model, SubjectRef};
use shown::model;

#[path = "flows/controllers.rs"]
mod controllers;
#[path = "flows/files.rs"]
mod files;
#[path = "flows/made_by_operators.rs"]
mod made_by_operators;
#[path = "flows/policies.rs"]
mod policies;
#[path = "flows/ports.rs"]
mod ports;
#[path = "flows/prometheus_operator.rs"]
mod prometheus_operator;
#[path = "flows/scraping.rs"]
mod scraping;
#[path = "flows/telemetry.rs"]
mod telemetry;
#[path = "flows/variables.rs"]
mod variables;
#[path = "flows/victoria_metrics.rs"]
mod victoria_metrics;
#[path = "flows/webhooks.rs"]
mod webhooks;

/// The flows between workloads and outside, in order.
fn flows(text: &str) -> Vec<String> {
    flows_of(text, &[FlowKind::Traffic, FlowKind::Exposure])
}

/// The stores that workloads use, in order.
fn stores(text: &str) -> Vec<String> {
    flows_of(text, &[FlowKind::Store])
}

fn flows_of(text: &str, kinds: &[FlowKind]) -> Vec<String> {
    let model = model(text);
    let name = |id| model.identity_of(SubjectRef::Element(id)).to_owned();
    let shown = model.flows().filter(|(_, f)| !f.implicit && kinds.contains(&f.kind));
    let mut flows: Vec<String> = shown
        .map(|(_, f)| {
            let port = f.port.map(|p| format!(":{p}")).unwrap_or_default();
            format!("{} -> {}{port} {}", name(f.source), name(f.target), f.confidence.as_str())
        })
        .collect();
    flows.sort();
    flows.dedup();
    flows
}

/// A Deployment with one container, a port, and a Service of the same name.
fn app(name: &str, port: u16, more: &str) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: c, image: example/{name}, ports: [{{name: main, containerPort: {port}}}], {more}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: web, port: {port}}}]}}
"
    )
}

#[test]
fn a_prometheus_of_the_operator_scrapes_what_its_monitors_select() {
    let prometheus = |selector: &str| {
        format!(
            "---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {{name: k8s}}
spec: {{serviceMonitorSelector: {selector}, podMonitorSelector: {selector}, alerting: {{alertmanagers: [{{name: alertmanager-operated, port: web}}]}}}}
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {{name: main}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: a, labels: {{team: x}}}}
spec: {{selector: {{matchLabels: {{app: shop}}}}, endpoints: [{{port: web}}, {{port: absent}}]}}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {{name: b, labels: {{team: x}}}}
spec: {{selector: {{matchLabels: {{app: cart}}}}, podMetricsEndpoints: [{{port: main}}]}}
"
        )
    };
    let apps = app("shop", 8080, "") + &app("cart", 7070, "");
    let alerts = "Prometheus/default/k8s -> Alertmanager/default/main:9093 certain";
    let expected = [
        alerts,
        "Prometheus/default/k8s -> Deployment/default/cart:7070 certain",
        "Prometheus/default/k8s -> Deployment/default/shop:8080 certain",
    ];
    assert_eq!(flows(&(prometheus("{matchLabels: {team: x}}") + &apps)), expected);
    assert_eq!(flows(&(prometheus("{matchLabels: {team: y}}") + &apps)), [alerts]);
}

#[test]
fn annotations_count_where_a_configuration_asks_for_them() {
    let pods = "---
apiVersion: v1
kind: Pod
metadata: {name: shop, annotations: {prometheus.io/scrape: 'true', prometheus.io/port: '9100'}}
spec: {containers: [{name: c, image: example/shop}]}
---
apiVersion: v1
kind: Pod
metadata: {name: scraper}
spec:
  containers: [{name: c, image: example/scraper}]
  volumes: [{name: v, configMap: {name: scraper}}]
";
    let map = |text: &str| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: scraper}}\ndata: {{p.yml: '{text}'}}\n")
    };
    let asks = map("source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]");
    assert_eq!(flows(&(pods.to_owned() + &asks)), ["Pod/default/scraper -> Pod/default/shop:9100 likely"]);
    assert!(flows(&(pods.to_owned() + &map("scrape_configs: []"))).is_empty());
}

#[test]
fn services_of_operators_lead_to_the_resources_that_they_are_made_for() {
    let resources = "---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {name: bus}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnect
metadata: {name: sink}
spec: {bootstrapServers: 'bus-kafka-bootstrap:9092'}
---
apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
metadata: {name: logs}
---
apiVersion: kibana.k8s.elastic.co/v1
kind: Kibana
metadata: {name: logs}
spec: {elasticsearchRef: {name: logs}}
";
    let shop = app(
        "shop",
        8080,
        "env: [{name: DB_HOST, value: pg-rw}, {name: BUS, value: 'bus-kafka-bootstrap.default.svc:9093'}]",
    );
    let expected = [
        "Deployment/default/shop -> Cluster/default/pg:5432 likely",
        "Deployment/default/shop -> Kafka/default/bus:9093 likely",
        "Kibana/default/logs -> Elasticsearch/default/logs:9200 likely",
        "KafkaConnect/default/sink -> Kafka/default/bus:9092 likely",
    ];
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(flows(&(resources.to_owned() + &shop)), expected);
}

#[test]
fn an_istio_gateway_is_a_hop_where_its_pods_are_in_the_input() {
    let routes = "---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec: {selector: {app: proxy}, servers: [{port: {number: 443, protocol: HTTPS}, hosts: ['*']}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outer}
spec: {hosts: ['*'], gateways: [edge], http: [{delegate: {name: inner}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: inner}
spec: {http: [{route: [{destination: {host: shop, port: {number: 8080}}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: inside}
spec: {hosts: [cart], http: [{route: [{destination: {host: cart}}]}]}
";
    let apps = app("shop", 8080, "") + &app("cart", 7070, "");
    let outside = flows(&(routes.to_owned() + &apps));
    assert_eq!(outside, ["external/internet -> Deployment/default/shop certain"]);
    let hop = flows(&(routes.to_owned() + &apps + &app("proxy", 8443, "")));
    assert_eq!(hop, ["Deployment/default/proxy -> Deployment/default/shop:8080 certain"]);
}

#[test]
fn routes_of_other_controllers_let_in_from_outside() {
    let routes = [
        "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r}\nspec: {to: {kind: Service, name: shop}, port: {targetPort: main}}",
        "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: r}\nspec: {routes: [{services: [{name: shop, port: web}]}]}",
        "apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {name: r}\nspec: {routes: [{services: [{name: shop, port: 8080}]}]}",
        "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: r}\nspec: {service: 'http://shop.default:8080'}",
    ];
    for route in routes {
        let found = flows(&format!("---\n{route}\n{}", app("shop", 8080, "")));
        assert_eq!(found, ["external/internet -> Deployment/default/shop certain"], "{route}");
    }
}

#[test]
fn injected_sidecars_call_their_control_plane() {
    let text = "---
apiVersion: v1
kind: Pod
metadata: {name: shop, annotations: {dapr.io/enabled: 'true'}}
spec: {containers: [{name: c, image: example/shop}]}
---
apiVersion: v1
kind: Pod
metadata: {name: sentry, labels: {app: dapr-sentry}}
spec: {containers: [{name: c, image: example/sentry}]}
";
    assert_eq!(flows(text), ["Pod/default/shop -> Pod/default/sentry:50001 likely"]);
}

#[test]
fn policies_about_running_processes_do_what_action_and_posture_say() {
    let policy = |action: &str| {
        format!(
            "---
apiVersion: v1
kind: Namespace
metadata: {{name: default, annotations: {{kubearmor-file-posture: block}}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: other}}
---
apiVersion: security.kubearmor.com/v1
kind: KubeArmorPolicy
metadata: {{name: p, namespace: NAMESPACE}}
spec: {{selector: {{matchLabels: {{app: shop}}}}, process: {{matchPaths: [{{path: /bin/sh}}]}}, action: {action}}}
{}",
            app("shop", 8080, "")
        )
    };
    let cases = [
        ("Block", "other", "Blocks"),
        ("Audit", "default", "Alerts"),
        ("Allow", "other", "Alerts"),
        ("Allow", "default", "Blocks"),
    ];
    for (action, namespace, expected) in cases {
        let model = model(&policy(action).replace("NAMESPACE", namespace));
        let (id, control) = model.controls().next().expect("a control");
        let attribute = model.vocabulary().find_attribute("runtimeEffect").expect("an attribute");
        let value = model.value(SubjectRef::Control(id), attribute).expect("an effect");
        assert_eq!(model.value_text(attribute, value), expected, "{action} in {namespace}");
        assert_eq!(control.applies_to.len(), usize::from(namespace == "default"));
    }
}

#[test]
fn flows_know_which_rules_are_about_them() {
    let apps = app("shop", 8080, "env: [{name: CART_ADDR, value: 'cart:7070'}]") + &app("cart", 7070, "");
    let policy = |kind: &str, from: &str| {
        format!(
            "---
apiVersion: {kind}
metadata: {{name: p}}
spec: {{podSelector: {{matchLabels: {{app: cart}}}}, ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {from}}}}}}}]}}]}}
"
        )
    };
    let native = "networking.k8s.io/v1\nkind: NetworkPolicy";
    let cases = [
        (String::new(), "Unrestricted", "no policy selects either end for it"),
        (policy(native, "shop"), "Allowed", "NetworkPolicy/default/p lets it through"),
        (policy(native, "other"), "Denied", "NetworkPolicy/default/p stops it"),
        // What is not evaluated may say otherwise.
        (policy("crd.antrea.io/v1beta1\nkind: NetworkPolicy", "shop"), "", ""),
    ];
    for (policies, expected, why) in cases {
        let model = model(&(policies + &apps));
        let is_call = |f: &kubestride_model::Flow| f.kind == FlowKind::Traffic && !f.implicit;
        let (id, _) = model.flows().find(|(_, f)| is_call(f)).expect("a flow");
        let attribute = model.vocabulary().find_attribute("policyVerdict").expect("an attribute");
        let subject = SubjectRef::Flow(id);
        let value = model.values(subject).iter().find(|(a, _)| *a == attribute).map(|(_, v)| *v);
        assert_eq!(value.map(|v| model.value_text(attribute, v)).unwrap_or_default(), expected);
        let evidence: Vec<&str> = model.value_evidence(subject, attribute).iter().map(|e| model.text(e.note)).collect();
        assert_eq!(evidence.join(","), why);
    }
}

/// The answers about a flow are those of the transport that it has, or of both if that is not known.
#[test]
fn answers_of_policies_are_those_of_the_transport() {
    let said = |address: &str, transport: &str| {
        let policy = format!(
            "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p}}
spec: {{podSelector: {{matchLabels: {{app: cart}}}}, ingress: [{{from: [{{podSelector: {{matchLabels: {{app: shop}}}}}}], ports: [{{port: 7070, protocol: {transport}}}]}}]}}
"
        );
        let env = format!("env: [{{name: CART_ADDR, value: '{address}'}}]");
        let model = model(&(policy + &app("shop", 8080, &env) + &app("cart", 7070, "")));
        let is_call = |f: &kubestride_model::Flow| f.kind == FlowKind::Traffic && !f.implicit;
        let (id, _) = model.flows().find(|(_, f)| is_call(f)).expect("a flow");
        ["policyAdmitted", "policyDenied", "policyVerdict"].map(|attribute| {
            let attribute = model.vocabulary().find_attribute(attribute).expect("an attribute");
            let value = model.value(SubjectRef::Flow(id), attribute);
            value.map(|v| model.value_text(attribute, v).to_owned()).unwrap_or_default()
        })
    };
    let (http, either) = ("http://cart:7070", "cart:7070");
    assert_eq!(said(http, "TCP"), ["Yes", "No", "Allowed"]);
    assert_eq!(said(http, "UDP"), ["No", "Yes", "Denied"]);
    let [admitted, denied, verdict] = said(either, "UDP");
    assert_eq!([admitted.as_str(), &denied], ["Yes", "No"]);
    assert_ne!(verdict, "Denied", "what is admitted by UDP is not refused");
}

#[test]
fn a_route_into_another_namespace_needs_a_grant() {
    let route = "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: edge}
spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: shop, namespace: default, port: 8080}]}]}
";
    let grant = |from: &str, to: &str| {
        format!(
            "---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{name: g}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: {from}}}]
  to: [{{group: '', kind: Service{to}}}]
"
        )
    };
    // The Gateway is not in the input.
    let entered = ["external/internet -> Deployment/default/shop likely"];
    let with = |grant: &str| flows(&(route.to_owned() + grant + &app("shop", 8080, "")));
    assert!(with("").is_empty());
    assert!(with(&grant("other", "")).is_empty());
    assert!(with(&grant("edge", ", name: cart")).is_empty());
    assert_eq!(with(&grant("edge", "")), entered);
    assert_eq!(with(&grant("edge", ", name: shop")), entered);
}

#[test]
fn policies_of_cilium_declare_flows_and_decide_about_them() {
    let policy = "---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p}
spec:
  endpointSelector: {matchLabels: {app: shop}}
  ingress: [{fromEndpoints: [{matchLabels: {app: web}}], toPorts: [{ports: [{port: main, protocol: TCP}]}]}]
  egress: [{toFQDNs: [{matchName: API.example.com}, {matchPattern: '*.example.com'}], toPorts: [{ports: [{port: '443'}]}]}]
";
    let apps =
        app("web", 80, "") + &app("cart", 80, "env: [{name: SHOP_ADDR, value: 'shop:8080'}]") + &app("shop", 8080, "");
    let text = policy.to_owned() + &apps;
    assert_eq!(
        flows(&text),
        [
            "Deployment/default/cart -> Deployment/default/shop:8080 certain",
            "Deployment/default/shop -> external/api.example.com:443 likely",
            "Deployment/default/web -> Deployment/default/shop:8080 likely",
        ]
    );
    let model = model(&text);
    let attribute = model.vocabulary().find_attribute("policyVerdict").expect("an attribute");
    let mut verdicts = Vec::new();
    for (id, flow) in model.flows().filter(|(_, f)| f.kind == FlowKind::Traffic && !f.implicit) {
        let value = model.value(SubjectRef::Flow(id), attribute).map(|v| model.value_text(attribute, v).to_owned());
        let source = model.identity_of(SubjectRef::Element(flow.source)).to_owned();
        verdicts.push(format!("{source} {}", value.unwrap_or_default()));
    }
    verdicts.sort();
    assert_eq!(
        verdicts,
        // By which transport `web` calls is not known, and the rule is about one.
        ["Deployment/default/cart Denied", "Deployment/default/shop Allowed", "Deployment/default/web Unknown"]
    );
}

#[test]
fn policies_of_calico_declare_flows_and_decide_about_them() {
    let policy = "---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: default}
spec: {selector: app == 'shop', ingress: [{action: Allow, protocol: TCP, source: {selector: app == 'web'}}]}
";
    let apps =
        app("web", 80, "") + &app("cart", 80, "env: [{name: SHOP_ADDR, value: 'shop:8080'}]") + &app("shop", 8080, "");
    let text = policy.to_owned() + &apps;
    let called = |from: &str, sure: &str| format!("Deployment/default/{from} -> Deployment/default/shop{sure}");
    assert_eq!(flows(&text), [called("cart", ":8080 certain"), called("web", " likely")]);
    let model = model(&text);
    let attribute = model.vocabulary().find_attribute("policyVerdict").expect("an attribute");
    let calls = model.flows().filter(|(_, f)| f.kind == FlowKind::Traffic && !f.implicit);
    let verdicts: Vec<String> = calls
        .filter_map(|(id, _)| model.value(SubjectRef::Flow(id), attribute))
        .map(|v| model.value_text(attribute, v).to_owned())
        .collect();
    // By which transport `web` calls is not known, and the rule is about one.
    assert_eq!(verdicts, ["Denied", "Unknown"]);
    let (id, control) = model.controls().next().expect("a control");
    assert_eq!(model.vocabulary().stencil(control.stencil).expect("a stencil").name, "Calico NetworkPolicy");
    assert_eq!(model.identity_of(SubjectRef::Control(id)), "NetworkPolicy.projectcalico.org/default/p");
    assert_eq!(control.applies_to.len(), 1);
}

/// Policies of all kinds are controls of the workloads that they select.
#[test]
fn network_policies_of_all_kinds_are_controls() {
    let policies = "---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: own}
spec: {endpointSelector: {matchLabels: {app: shop}}, ingress: [{}], ingressDeny: [{fromEntities: [world]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: lost}
spec: {endpointSelector: {matchLabels: {app: nobody}}, ingress: [{}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: nodes}
spec: {nodeSelector: {}, ingress: [{}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: wide}
spec: {endpointSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [kube-system]}]}, egress: [{}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: admin}
spec: {priority: 1, subject: {namespaces: {matchLabels: {tenant: a}}}, ingress: []}
";
    let model = model(&(policies.to_owned() + &app("shop", 8080, "") + &app("cart", 80, "")));
    let nothing = model.vocabulary().find_attribute("selectsNothing").expect("an attribute");
    let mut found = Vec::new();
    for (id, control) in model.controls() {
        let subject = SubjectRef::Control(id);
        let stencil = &model.vocabulary().stencil(control.stencil).expect("a stencil").name;
        let value = model.value(subject, nothing).map(|v| model.value_text(nothing, v).to_owned());
        let identity = model.identity_of(subject).rsplit('/').next().unwrap_or_default().to_owned();
        found.push(format!("{stencil} {identity}: {} {}", control.applies_to.len(), value.unwrap_or_default()));
    }
    found.sort();
    assert_eq!(
        found,
        [
            "AdminNetworkPolicy admin: 0 Unknown",
            "CiliumNetworkPolicy lost: 0 Yes",
            "CiliumNetworkPolicy nodes: 0 No",
            "CiliumNetworkPolicy own: 1 No",
            "CiliumNetworkPolicy wide: 2 No",
        ]
    );
}

/// What may isolate is not said to be absent.
#[test]
fn policies_that_are_not_understood_leave_isolation_unknown() {
    let policy = |fields: &str| {
        format!(
            "---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: p}}
spec: {{endpointSelector: {{}}, {fields}}}
"
        )
    };
    let table = [
        ("egress: [{}]", "No None"),
        ("ingress: [{}]", "Yes Restricted"),
        ("ingress: [{}], enableDefaultDeny: {ingress: false}", "No None"),
        ("ingress: [{}], unheardOf: true", "Unknown Unknown"),
    ];
    for (fields, expected) in table {
        let model = model(&(policy(fields) + &app("shop", 8080, "")));
        let value = |subject: SubjectRef, name: &str| {
            let attribute = model.vocabulary().find_attribute(name).expect("an attribute");
            model.value_text(attribute, model.value(subject, attribute).expect("a value")).to_owned()
        };
        let is_namespace = |subject: &SubjectRef| model.identity_of(*subject) == "Namespace/default";
        let namespace = model.boundaries().map(|(id, _)| SubjectRef::Boundary(id)).find(is_namespace);
        let is_workload = |subject: &SubjectRef| model.identity_of(*subject) == "Deployment/default/shop";
        let workload = model.elements().map(|(id, _)| SubjectRef::Element(id)).find(is_workload);
        let found = format!(
            "{} {}",
            value(namespace.expect("the namespace"), "defaultDenyIngress"),
            value(workload.expect("the workload"), "ingressIsolation")
        );
        assert_eq!(found, expected, "{fields}");
    }
}

/// The value of an attribute of the first flow between workloads, and what its evidence says.
fn of_call(model: &Model, attribute: &str) -> (String, String) {
    let is_call = |f: &kubestride_model::Flow| f.kind == FlowKind::Traffic && !f.implicit;
    let (id, _) = model.flows().find(|(_, f)| is_call(f)).expect("a flow");
    let attribute = model.vocabulary().find_attribute(attribute).expect("an attribute");
    let subject = SubjectRef::Flow(id);
    let value = model.values(subject).iter().find(|(a, _)| *a == attribute).map(|(_, v)| *v);
    let evidence: Vec<&str> = model.value_evidence(subject, attribute).iter().map(|e| model.text(e.note)).collect();
    (value.map(|v| model.value_text(attribute, v)).unwrap_or_default(), evidence.join(","))
}

#[test]
fn flows_know_what_meshes_do_for_them() {
    let apps = app("shop", 8080, "env: [{name: CART_URL, value: 'http://cart:7070'}]") + &app("cart", 7070, "");
    let namespace =
        |metadata: &str| format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: default, {metadata}}}\n");
    let istio = |kind: &str, spec: &str| {
        format!("---\napiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p}}\nspec: {spec}\n")
    };
    let inside = namespace("labels: {istio-injection: enabled}");
    let strict = istio("PeerAuthentication", "{mtls: {mode: STRICT}}");
    let named = istio("AuthorizationPolicy", "{rules: [{from: [{source: {serviceAccounts: [default]}}]}]}");
    let get = istio("AuthorizationPolicy", "{rules: [{to: [{operation: {methods: [GET]}}]}]}");
    let not_others =
        istio("AuthorizationPolicy", "{action: DENY, rules: [{from: [{source: {notNamespaces: [default]}}]}]}");
    let off = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d}\nspec: {host: cart, \
               trafficPolicy: {tls: {mode: DISABLE}}}\n";
    let linkerd = namespace("annotations: {linkerd.io/inject: enabled}");
    let server = "---\napiVersion: policy.linkerd.io/v1beta3\nkind: Server\nmetadata: {name: s}\nspec: {podSelector: {}, \
                  port: main}\n";
    let policy = "AuthorizationPolicy.security.istio.io/default/p";
    let peers = "PeerAuthentication.security.istio.io/default/p";
    /// Documents, an attribute, its value and what the evidence says.
    type Row<'a> = (String, &'a str, &'a str, String);
    let table: [Row<'_>; 18] = [
        (String::new(), "meshVerdict", "", String::new()),
        (inside.clone(), "meshVerdict", "Unrestricted", "no policy of a mesh is about it".to_owned()),
        // "Client sidecars send mTLS to workloads with sidecars", though the address says `http`.
        (
            inside.clone(),
            "encryption",
            "Encrypted by the mesh",
            "both ends have proxies, which use mutual TLS between themselves".to_owned(),
        ),
        (inside.clone() + off, "encryption", "Plain", "the scheme of the address".to_owned()),
        (inside.clone() + off + &strict, "encryption", "Plain", "the scheme of the address".to_owned()),
        (
            inside.clone() + off + &strict,
            "meshVerdict",
            "Denied",
            format!("DestinationRule.networking.istio.io/default/d stops it,{peers} stops it"),
        ),
        (inside.clone() + off + &strict, "authentication", "", String::new()),
        (
            inside.clone() + &strict,
            "encryption",
            "Encrypted by the mesh",
            format!("{peers} makes both ends use mutual TLS"),
        ),
        (
            inside.clone() + &strict,
            "authentication",
            "Mutual TLS",
            format!("{peers} refuses callers without a certificate of the mesh"),
        ),
        (strict.clone(), "encryption", "Plain", "the scheme of the address".to_owned()),
        (inside.clone() + &named, "meshVerdict", "Allowed", format!("{policy} lets it through")),
        (
            inside.clone() + &named,
            "callerNamed",
            "Service account",
            format!("{policy} stops callers with another service account"),
        ),
        (
            inside.clone() + &not_others,
            "callerNamed",
            "Namespace",
            format!("{policy} stops callers from other namespaces"),
        ),
        (inside.clone() + &get, "callerNamed", "", String::new()),
        (inside + &get, "meshVerdict", "Some requests", format!("{policy} lets some requests through or stops some")),
        (linkerd.clone(), "meshVerdict", "Unrestricted", "no policy of a mesh is about it".to_owned()),
        (linkerd.clone() + server, "meshVerdict", "Denied", "Server.policy.linkerd.io/default/s stops it".to_owned()),
        (
            linkerd,
            "encryption",
            "Encrypted by the mesh",
            "both ends have proxies, which use mutual TLS between themselves".to_owned(),
        ),
    ];
    for (policies, attribute, expected, why) in table {
        let found = of_call(&model(&(policies.clone() + &apps)), attribute);
        assert_eq!(found, (expected.to_owned(), why), "{attribute} with {policies}");
    }
}
