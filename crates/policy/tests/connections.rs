//! Allowed connections, against an evaluator that is written anew here and looks at single ports of single pods.

mod common;
mod worlds;

use kubestride_policy::connections::Connections;
use kubestride_policy::network::PortSet;
use worlds::Random;

/// What can be asked: a port that is named, and two that are not.
const PORTS: [(&str, u16); 4] = [("TCP", 80), ("TCP", 81), ("UDP", 80), ("TCP", 8080)];

/// Pods with namespace, label and the number of the port that they call `web`.
const PODS: [(&str, &str, &str, u16); 4] =
    [("a1", "east", "one", 80), ("a2", "east", "two", 8080), ("b1", "west", "one", 8080), ("b2", "west", "two", 80)];

#[derive(Debug, Clone)]
struct Who {
    /// Every namespace if there is none.
    namespace: Option<&'static str>,
    app: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum Port {
    Named,
    Range(&'static str, u16, u16),
}

#[derive(Debug, Clone)]
struct Rule {
    /// For policies of administrators.
    action: &'static str,
    who: Vec<Who>,
    ports: Vec<Port>,
}

#[derive(Debug, Clone)]
struct Policy {
    /// `None` for NetworkPolicies, else the priority; the baseline has the last one.
    priority: Option<u32>,
    /// The namespace of a NetworkPolicy, and the label of the pods that it is for.
    subject: Who,
    ingress: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
}

const BASELINE: u32 = 1000;

impl Random {
    fn who(&mut self) -> Who {
        Who {
            namespace: self.one(&[None, Some("east"), Some("west")]),
            app: self.one(&[None, Some("one"), Some("two"), Some("nobody")]),
        }
    }

    fn rule(&mut self, admin: bool) -> Rule {
        let least = u32::from(admin);
        let ports = [Port::Named, Port::Range("TCP", 80, 80), Port::Range("TCP", 80, 81), Port::Range("UDP", 1, 100)];
        Rule {
            action: self.one(&["Allow", "Deny", "Pass"]),
            who: (0..least + self.below(2)).map(|_| self.who()).collect(),
            ports: (0..self.below(3)).map(|_| self.one(&ports)).collect(),
        }
    }

    fn policy(&mut self, index: u32) -> Policy {
        let priority = self.one(&[None, None, Some(index), Some(BASELINE)]);
        let rules = |random: &mut Self| match random.below(3) {
            0 => None,
            _ => Some((0..random.below(3)).map(|_| random.rule(priority.is_some())).collect()),
        };
        let (ingress, egress) = (rules(self), rules(self));
        let mut subject = self.who();
        if priority.is_none() {
            subject.namespace = self.one(&[Some("east"), Some("west")]);
        }
        Policy { priority, subject, ingress, egress }
    }
}

fn selector(app: Option<&str>) -> String {
    app.map_or("{}".to_owned(), |app| format!("{{matchLabels: {{app: {app}}}}}"))
}

fn namespaces(namespace: Option<&str>) -> String {
    namespace.map_or("{}".to_owned(), |n| format!("{{matchLabels: {{kubernetes.io/metadata.name: {n}}}}}"))
}

impl Policy {
    fn yaml(&self, number: usize) -> String {
        let Some(priority) = self.priority else {
            let rules = |rules: &[Rule], peers: &str| {
                let one = |rule: &Rule| {
                    let peer = |w: &Who| {
                        let (n, p) = (namespaces(w.namespace), selector(w.app));
                        format!("{{namespaceSelector: {n}, podSelector: {p}}}")
                    };
                    let port = |p: &Port| match p {
                        Port::Named => "{port: web}".to_owned(),
                        Port::Range(protocol, a, b) => format!("{{protocol: {protocol}, port: {a}, endPort: {b}}}"),
                    };
                    let peers_text: Vec<String> = rule.who.iter().map(peer).collect();
                    let ports: Vec<String> = rule.ports.iter().map(port).collect();
                    format!("{{{peers}: [{}], ports: [{}]}}", peers_text.join(", "), ports.join(", "))
                };
                rules.iter().map(one).collect::<Vec<_>>().join(", ")
            };
            let mut types = Vec::new();
            let mut text = format!("podSelector: {}", selector(self.subject.app));
            if let Some(ingress) = &self.ingress {
                types.push("Ingress");
                text += &format!(", ingress: [{}]", rules(ingress, "from"));
            }
            if let Some(egress) = &self.egress {
                types.push("Egress");
                text += &format!(", egress: [{}]", rules(egress, "to"));
            }
            // A policy for neither direction cannot be written: no types mean incoming traffic.
            let types = if types.is_empty() { "Neither".to_owned() } else { types.join(", ") };
            let namespace = self.subject.namespace.expect("a namespace");
            return format!(
                "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p{number}, namespace: \
                 {namespace}}}, spec: {{{text}, policyTypes: [{types}]}}}}"
            );
        };
        let pods = |w: &Who| {
            let (n, p) = (namespaces(w.namespace), selector(w.app));
            format!("pods: {{namespaceSelector: {n}, podSelector: {p}}}")
        };
        let rules = |rules: &[Rule], peers: &str| {
            let one = |rule: &Rule| {
                let port = |p: &Port| match p {
                    Port::Named => "{namedPort: web}".to_owned(),
                    Port::Range(protocol, a, b) if a == b => {
                        format!("{{portNumber: {{protocol: {protocol}, port: {a}}}}}")
                    }
                    Port::Range(protocol, a, b) => {
                        format!("{{portRange: {{protocol: {protocol}, start: {a}, end: {b}}}}}")
                    }
                };
                let who: Vec<String> = rule.who.iter().map(|w| format!("{{{}}}", pods(w))).collect();
                let ports: Vec<String> = rule.ports.iter().map(port).collect();
                let (action, who, ports) = (rule.action, who.join(", "), ports.join(", "));
                format!("{{action: {action}, {peers}: [{who}], ports: [{ports}]}}")
            };
            rules.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let kind = if priority == BASELINE { "BaselineAdminNetworkPolicy" } else { "AdminNetworkPolicy" };
        let none = Vec::new();
        let (ingress, egress) = (self.ingress.as_ref().unwrap_or(&none), self.egress.as_ref().unwrap_or(&none));
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: {kind}, metadata: {{name: p{number}}}, spec: \
             {{priority: {priority}, subject: {{{}}}, ingress: [{}], egress: [{}]}}}}",
            pods(&self.subject),
            rules(ingress, "from"),
            rules(egress, "to")
        )
    }
}

type Pod = (&'static str, &'static str, &'static str, u16);

fn is(who: &Who, pod: Pod) -> bool {
    who.namespace.is_none_or(|n| n == pod.1) && who.app.is_none_or(|a| a == pod.2)
}

fn applies(rule: &Rule, peer: Pod, target: Pod, port: (&str, u16)) -> bool {
    let fits = |p: &Port| match p {
        Port::Named => port == ("TCP", target.3),
        Port::Range(protocol, a, b) => *protocol == port.0 && (*a..=*b).contains(&port.1),
    };
    (rule.who.is_empty() || rule.who.iter().any(|w| is(w, peer)))
        && (rule.ports.is_empty() || rule.ports.iter().any(fits))
}

/// One direction for one port: the first rule of administrators that applies, then NetworkPolicies, then the baseline.
fn gets_through(policies: &[Policy], subject: Pod, peer: Pod, target: Pod, port: (&str, u16), ingress: bool) -> bool {
    let rules = |p: &Policy| if ingress { p.ingress.clone() } else { p.egress.clone() };
    let mine = |p: &&Policy| is(&p.subject, subject);
    let first = |tier: &dyn Fn(u32) -> bool| {
        let mut of: Vec<&Policy> = policies.iter().filter(mine).filter(|p| p.priority.is_some_and(tier)).collect();
        of.sort_by_key(|p| p.priority);
        let all = of.into_iter().flat_map(|p| rules(p).unwrap_or_default());
        all.into_iter().find(|r| applies(r, peer, target, port)).map(|r| r.action)
    };
    match first(&|priority| priority < BASELINE) {
        Some("Allow") => return true,
        Some("Deny") => return false,
        _ => {}
    }
    let network: Vec<Vec<Rule>> =
        policies.iter().filter(mine).filter(|p| p.priority.is_none()).filter_map(rules).collect();
    if !network.is_empty() {
        return network.iter().flatten().any(|r| applies(r, peer, target, port));
    }
    first(&|priority| priority == BASELINE) != Some("Deny")
}

fn world(policies: &[Policy], backwards: bool) -> String {
    let pod = |(name, namespace, app, port): Pod| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {app}}}}}, \
             spec: {{containers: [{{name: c, image: i, ports: [{{name: web, containerPort: {port}}}]}}]}}}}"
        )
    };
    let mut all: Vec<String> = PODS.into_iter().map(pod).collect();
    all.extend(policies.iter().enumerate().map(|(i, p)| p.yaml(i)));
    if backwards {
        all.reverse();
    }
    all.join("\n---\n")
}

/// Ports of every pair, as far as something is allowed.
fn allowed(policies: &[Policy], backwards: bool) -> Vec<(String, String, PortSet)> {
    let manifests = common::manifests(&world(policies, backwards));
    Connections::read(&manifests, "default").allowed().into_iter().map(|c| (c.source, c.target, c.ports)).collect()
}

/// At most one baseline, as the API server demands.
fn random_policies(random: &mut Random) -> Vec<Policy> {
    let mut policies: Vec<Policy> = (0..random.below(5)).map(|i| random.policy(i)).collect();
    let mut baseline = false;
    policies.retain(|p| p.priority != Some(BASELINE) || !std::mem::replace(&mut baseline, true));
    policies
}

#[test]
fn answers_agree_with_single_ports() {
    let mut random = Random(11);
    let (mut open, mut shut) = (0, 0);
    for round in 0..400 {
        let policies = random_policies(&mut random);
        let found = allowed(&policies, false);
        assert_eq!(found, allowed(&policies, true), "the order of objects matters in round {round}");
        for source in PODS {
            for target in PODS.into_iter().filter(|t| *t != source) {
                for port in PORTS {
                    let expected = gets_through(&policies, source, target, target, port, false)
                        && gets_through(&policies, target, source, target, port, true);
                    let name = |pod: Pod| format!("{}/{}[Pod]", pod.1, pod.0);
                    let own = found.iter().find(|(s, t, _)| (s, t) == (&name(source), &name(target)));
                    let own = own.is_some_and(|(_, _, ports)| ports.contains(port.0, port.1));
                    assert_eq!(own, expected, "{source:?} to {target:?} {port:?}\n{}", world(&policies, false));
                    *(if expected { &mut open } else { &mut shut }) += 1;
                }
            }
        }
    }
    assert!(open > 1_000 && shut > 1_000, "{open} and {shut}: the worlds are too much alike");
}

#[test]
fn a_rule_that_allows_takes_nothing_away() {
    let mut random = Random(23);
    for _ in 0..200 {
        let mut policies = random_policies(&mut random);
        let before = allowed(&policies, false);
        let mut rule = random.rule(false);
        rule.action = "Allow";
        // A further rule of a policy that restricts a direction already: it can only admit more.
        let open = policies.iter_mut().filter(|p| p.priority.is_none()).find_map(|p| p.ingress.as_mut());
        let Some(rules) = open else { continue };
        rules.push(rule);
        let after = allowed(&policies, false);
        for (source, target, ports) in before {
            let now = after.iter().find(|(s, t, _)| (s, t) == (&source, &target)).map(|(_, _, p)| p);
            assert!(
                now.is_some_and(|now| ports.difference(now).is_empty()),
                "{source} to {target}: {ports} was allowed"
            );
        }
    }
}

/// A ClusterNetworkPolicy for incoming traffic, each case with what its documentation says.
#[test]
fn policies_of_the_cluster_mean_what_their_documentation_says() {
    let policy = |tier: &str, rules: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {{name: {}}}, spec: \
             {{tier: {tier}, priority: 1, subject: {{namespaces: {{}}}}, ingress: [{rules}]}}}}",
            tier.to_lowercase()
        )
    };
    let rule = |action: &str, protocols: &str| {
        format!("{{action: {action}, from: [{{namespaces: {{}}}}], protocols: [{protocols}]}}")
    };
    let shut = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: shut, namespace: east}, spec: \
                {podSelector: {}}}";
    let all_but_80 = "SCTP 1-65535,TCP 1-79,81-65535,UDP 1-65535";
    let table = [
        // "destinationPort.number: target a single port".
        (policy("Admin", &rule("Deny", "{tcp: {destinationPort: {number: 80}}}")), "", all_but_80),
        // "destinationPort.range: target a range of ports".
        (
            policy("Admin", &rule("Deny", "{udp: {destinationPort: {range: {start: 1, end: 9}}}}")),
            "",
            "SCTP 1-65535,TCP 1-65535,UDP 10-65535",
        ),
        // "destinationNamedPort: a symbolic name defined in a Pod specification".
        (policy("Admin", &rule("Deny", "{destinationNamedPort: web}")), "", all_but_80),
        // Without a port of its own, a protocol means all of its ports.
        (policy("Admin", &rule("Deny", "{tcp: {}}")), "", "SCTP 1-65535,UDP 1-65535"),
        // "If there is an Accept or Deny match, evaluation stops": NetworkPolicies are not asked.
        (policy("Admin", &rule("Accept", "{tcp: {destinationPort: {number: 80}}}")), shut, "TCP 80"),
        // "If there is a Pass action, traffic proceeds to the NetworkPolicy tier."
        (policy("Admin", &rule("Pass", "{tcp: {}}")), shut, "No Connections"),
        // The tier Baseline is asked where no NetworkPolicy is about the pod.
        (policy("Baseline", &rule("Deny", "{tcp: {destinationPort: {number: 80}}}")), "", all_but_80),
        (policy("Baseline", &rule("Accept", "{tcp: {}}")), shut, "No Connections"),
    ];
    for (of_cluster, of_namespace, expected) in table {
        let text = format!("{}\n---\n{of_cluster}\n---\n{of_namespace}", world(&[], false));
        let manifests = common::manifests(&text);
        let connections = Connections::read(&manifests, "default");
        let allowed = connections.allowed().into_iter();
        let found = allowed.filter(|c| c.source == "west/b2[Pod]" && c.target == "east/a1[Pod]").map(|c| c.ports);
        assert_eq!(found.fold(PortSet::none(), |all, p| all.union(&p)).to_string(), expected, "{of_cluster}");
    }
}

/// A backend of an Ingress names a port of the Service, and a Route of OpenShift may name that of the pods.
#[test]
fn only_routes_of_openshift_name_ports_of_pods() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: east}, spec: {selector: {app: one}, \
                   ports: [{name: front, port: 90, targetPort: 80}]}}";
    let ingress = |port: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: i, namespace: east}}, spec: \
             {{defaultBackend: {{service: {{name: s, port: {{{port}}}}}}}}}}}"
        )
    };
    let route = |port: &str| {
        format!(
            "{{apiVersion: route.openshift.io/v1, kind: Route, metadata: {{name: r, namespace: east}}, spec: {{to: \
             {{kind: Service, name: s}}, port: {{targetPort: {port}}}}}}}"
        )
    };
    let table = [
        (ingress("number: 90"), true),
        (ingress("name: front"), true),
        (ingress("number: 80"), false),
        (route("80"), true),
        (route("front"), true),
    ];
    for (entry, expected) in table {
        let manifests = common::manifests(&format!("{}\n---\n{service}\n---\n{entry}", world(&[], false)));
        let allowed = Connections::read(&manifests, "default").allowed().into_iter();
        let found = allowed.filter(|c| c.source == "{ingress-controller}" && !c.ports.is_empty()).count();
        assert_eq!(found > 0, expected, "{entry}");
    }
}

/// Pods in a further network, and what holds there.
#[test]
fn further_networks_have_policies_of_their_own() {
    let definition = |namespace: &str, config: &str| {
        format!(
            "{{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {{name: storage, namespace: \
             {namespace}}}, spec: {{config: '{config}'}}}}"
        )
    };
    let pod = |namespace: &str, name: &str, networks: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}, \
             annotations: {{k8s.v1.cni.cncf.io/networks: '{networks}'}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}"
        )
    };
    let policy = "{apiVersion: k8s.cni.cncf.io/v1beta1, kind: MultiNetworkPolicy, metadata: {name: p, namespace: a, \
                  annotations: {k8s.v1.cni.cncf.io/policy-for: storage}}, spec: {podSelector: {matchLabels: {app: one}}, \
                  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]}}";
    let shut = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: shut, namespace: a}, spec: \
                {podSelector: {}, policyTypes: [Ingress, Egress]}}";
    let lines = |objects: &[String]| -> (Vec<String>, usize) {
        let manifests = common::manifests(&objects.join("\n---\n"));
        let connections = Connections::read(&manifests, "default");
        let beside = connections.allowed().into_iter().filter(|c| c.network.is_some());
        let missing = connections.diagnostics().iter().filter(|d| d.message.contains("not in the input")).count();
        (beside.map(|c| c.to_string()).collect(), missing)
    };
    let named = r#"{"name": "backbone", "type": "macvlan"}"#;
    let other = r#"{"name": "other", "type": "macvlan"}"#;
    let x = || pod("a", "one", "storage@net1");
    let y = |networks| pod("b", "two", networks);
    let both = ["a/one[Pod] => b/two[Pod] : All Connections", "b/two[Pod] => a/one[Pod] : All Connections"];
    // Definitions that configure a network of one name are one network, whatever the namespace.
    let one = |y: String| lines(&[definition("a", named), definition("b", named), x(), y, shut.to_owned()]);
    assert_eq!(one(y("storage")), (both.map(str::to_owned).to_vec(), 0));
    assert_eq!(one(y(r#"[{"name": "storage", "namespace": "a"}]"#)).0, both);
    assert_eq!(one(y("b/storage, b/storage")).0, both);
    assert_eq!(one(y("nowhere")), (Vec::new(), 1), "a network that is not in the input");
    let apart = lines(&[definition("a", named), definition("b", other), x(), y("storage")]);
    assert_eq!(apart, (Vec::new(), 0));
    let with_policy = lines(&[definition("a", named), definition("b", named), x(), y("storage"), policy.to_owned()]);
    assert_eq!(with_policy.0, [both[0], "b/two[Pod] => a/one[Pod] : TCP 80"]);
}
