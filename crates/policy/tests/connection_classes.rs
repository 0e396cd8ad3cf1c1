//! Connections are asked for once for workloads that are alike. Here each pair is asked about by itself, on random small
//! worlds with policies of all kinds.

mod common;
mod worlds;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use kubestride_manifest::Manifests;
use kubestride_policy::connections::Connections;
use kubestride_policy::network::{End, NetworkPolicies, PortSet};
use worlds::Random;

/// By names of both ends, what is allowed and what is not known.
type Answers = BTreeMap<(String, String), (PortSet, PortSet)>;

impl Random {
    /// A pod; some are of one Deployment and have different labels.
    fn pod(&mut self, at: u32) -> String {
        let namespace = self.one(&["east", "west", "own"]);
        let app = self.one(&["one", "two", "three", "four"]);
        let extra = self.one(&["", ", tier: front", ", tier: back", ", unasked: a", ", zone: a", ", zone: b"]);
        let port = self.one(&[("web", 80), ("web", 81), ("other", 80)]);
        let account = self.one(&["default", "admin", "guest"]);
        let owner = self.one(&["", "", ", ownerReferences: [{kind: ReplicaSet, name: many}]"]);
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}, namespace: {namespace}, labels: {{app: {app}{extra}}}{owner}}}, \
             spec: {{serviceAccountName: {account}, containers: [{{name: c, image: i, ports: [{{name: {}, containerPort: {}}}]}}]}}}}",
            port.0, port.1
        )
    }

    fn selector(&mut self) -> &'static str {
        self.one(&[
            "{}",
            "{matchLabels: {app: one}}",
            "{matchExpressions: [{key: app, operator: In, values: [one, two]}]}",
            "{matchExpressions: [{key: app, operator: NotIn, values: [three]}]}",
            "{matchExpressions: [{key: tier, operator: Exists}]}",
            "{matchExpressions: [{key: tier, operator: DoesNotExist}]}",
            "{matchExpressions: [{key: tier, operator: Almost}]}",
        ])
    }

    fn namespaces(&mut self) -> &'static str {
        self.one(&[
            "{}",
            "{matchLabels: {kubernetes.io/metadata.name: east}}",
            "{matchLabels: {team: red}}",
            "{matchExpressions: [{key: team, operator: NotIn, values: [red]}]}",
        ])
    }

    fn ports(&mut self) -> &'static str {
        self.one(&["", ", ports: [{port: web}]", ", ports: [{port: 80}]", ", ports: [{port: 81}, {port: other}]"])
    }

    fn policy(&mut self, at: u32) -> String {
        match self.below(4) {
            0 => self.kubernetes(at),
            1 => self.admin(at),
            2 => self.cilium(at),
            _ => self.calico(at),
        }
    }

    fn kubernetes(&mut self, at: u32) -> String {
        let mut peer = || match self.below(4) {
            0 => "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}".to_owned(),
            1 => format!("{{podSelector: {}}}", self.selector()),
            2 => format!("{{namespaceSelector: {}}}", self.namespaces()),
            _ => format!("{{namespaceSelector: {}, podSelector: {}}}", self.namespaces(), self.selector()),
        };
        let (from, to) = (peer(), peer());
        let (namespace, pods) = (self.one(&["east", "west", "own"]), self.selector());
        let (ingress, egress) = (self.ports(), self.ports());
        let egress = self.one(&[String::new(), format!(", egress: [{{to: [{to}]{egress}}}]")]);
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: n{at}, namespace: {namespace}}}, spec: \
             {{podSelector: {pods}, ingress: [{{from: [{from}]{ingress}}}]{egress}}}}}"
        )
    }

    fn admin(&mut self, at: u32) -> String {
        let mut pods = || match self.below(2) {
            0 => format!("{{namespaces: {}}}", self.namespaces()),
            _ => format!("{{pods: {{namespaceSelector: {}, podSelector: {}}}}}", self.namespaces(), self.selector()),
        };
        let (subject, from, to) = (pods(), pods(), pods());
        let ports =
            self.one(&["", ", ports: [{namedPort: web}]", ", ports: [{portNumber: {protocol: TCP, port: 80}}]"]);
        let (action, other) = (self.one(&["Allow", "Deny", "Pass"]), self.one(&["Allow", "Deny"]));
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a{at}}}, spec: \
             {{priority: {}, subject: {subject}, ingress: [{{action: {action}, from: [{from}]{ports}}}], egress: [{{action: \
             {other}, to: [{to}]{ports}}}]}}}}",
            self.below(3)
        )
    }

    fn cilium(&mut self, at: u32) -> String {
        let peers = [
            "fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: admin}}]",
            "fromEndpoints: [{matchLabels: {k8s:app: one}}, {matchLabels: {tier: front}}]",
            "fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: west}}]",
            "fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}]",
            "fromEndpoints: [{matchLabels: {k8s:app: one}}], fromRequires: [{matchLabels: {zone: a}}]",
            "fromEntities: [world]",
        ];
        let (allowed, denied) = (self.one(&peers), self.one(&peers[..4]));
        let ports = self.one(&[
            "",
            ", toPorts: [{ports: [{port: web}]}]",
            ", toPorts: [{ports: [{port: '81', protocol: TCP}]}]",
        ]);
        let denied = self.one(&[String::new(), format!(", ingressDeny: [{{{denied}{ports}}}]")]);
        let pods = self.one(&[
            "{}",
            "{matchLabels: {app: two}}",
            "{matchLabels: {io.cilium.k8s.policy.serviceaccount: guest}}",
        ]);
        let (kind, namespace) =
            self.one(&[("CiliumNetworkPolicy", ", namespace: east"), ("CiliumClusterwideNetworkPolicy", "")]);
        format!(
            "{{apiVersion: cilium.io/v2, kind: {kind}, metadata: {{name: c{at}{namespace}}}, spec: {{endpointSelector: {pods}, \
             ingress: [{{{allowed}{ports}}}]{denied}}}}}"
        )
    }

    fn calico(&mut self, at: u32) -> String {
        let selectors =
            ["all()", "app == 'one'", "app contains 'o'", "!has(tier)", "tier starts with 'f' || app in {'two'}"];
        let (pods, of_source) = (self.one(&selectors), self.one(&selectors));
        let who = self.one(&[
            format!("selector: \"{of_source}\""),
            "serviceAccounts: {names: [admin]}".to_owned(),
            "namespaceSelector: \"team == 'red'\"".to_owned(),
            "nets: [10.0.0.0/8]".to_owned(),
        ]);
        let own = self.one(&["", ", destination: {selector: \"tier == 'front'\"}", ", destination: {ports: [web]}"]);
        let (kind, namespace) = self.one(&[("NetworkPolicy", ", namespace: west"), ("GlobalNetworkPolicy", "")]);
        let action = self.one(&["Allow", "Deny"]);
        format!(
            "{{apiVersion: projectcalico.org/v3, kind: {kind}, metadata: {{name: l{at}{namespace}}}, spec: {{order: {}, selector: \
             \"{pods}\", types: [Ingress], ingress: [{{action: {action}, protocol: TCP, source: {{{who}}}{own}}}]}}}}",
            self.below(3)
        )
    }

    fn world(&mut self) -> String {
        let mut all = vec![
            "{apiVersion: v1, kind: Namespace, metadata: {name: east, labels: {team: red}}}".to_owned(),
            "{apiVersion: v1, kind: Namespace, metadata: {name: west, labels: {team: blue}}}".to_owned(),
        ];
        if self.below(4) == 0 {
            all.push(
                "{apiVersion: v1, kind: Namespace, metadata: {name: own, labels: {k8s.ovn.org/primary-user-defined-network: ''}}}"
                    .to_owned(),
            );
            all.push(
                "{apiVersion: k8s.ovn.org/v1, kind: UserDefinedNetwork, metadata: {name: net, namespace: own}, spec: {topology: \
                 Layer2, layer2: {role: Primary}}}"
                    .to_owned(),
            );
        }
        let pods = 4 + self.below(7);
        all.extend((0..pods).map(|at| self.pod(at)));
        let policies = self.below(5);
        all.extend((0..policies).map(|at| self.policy(at)));
        all.join("\n---\n")
    }
}

/// What is allowed, pair by pair.
fn direct(connections: &Connections<'_>, manifests: &Manifests) -> Answers {
    let policies = NetworkPolicies::read(manifests, "default");
    let mut found: Answers = BTreeMap::new();
    let mut add = |source: &str, target: &str, ports: PortSet, unknown: PortSet| {
        let all = found.entry((source.to_owned(), target.to_owned())).or_default();
        (all.0, all.1) = (all.0.union(&ports), all.1.union(&unknown));
    };
    for workload in connections.workloads() {
        for target in connections.workloads().iter().filter(|target| target.name != workload.name) {
            if let Some(verdict) = connections.between(workload, target) {
                add(&workload.name, &target.name, verdict.ports(), verdict.unknown());
            }
        }
        for range in policies.ranges() {
            let ends = (End::Pod(workload.pod()), End::Outside(range));
            let (out, back) = (policies.verdict(ends.0, ends.1), policies.verdict(ends.1, ends.0));
            add(&workload.name, &range.to_string(), out.ports(), out.unknown());
            add(&range.to_string(), &workload.name, back.ports(), back.unknown());
        }
    }
    found.retain(|_, (ports, unknown)| !ports.is_empty() || !unknown.is_empty());
    found
}

/// Whether an end is a range of addresses.
fn is_range(name: &str) -> bool {
    name.ends_with("[External]")
}

/// What is listed, with ranges cut as the policies cut them.
fn listed(connections: &Connections<'_>, manifests: &Manifests) -> Answers {
    let parts = NetworkPolicies::read(manifests, "default").ranges();
    let cut = |name: &str| -> Vec<String> {
        let Some((first, last)) = name.strip_suffix("[External]").and_then(|name| name.split_once('-')) else {
            return vec![name.to_owned()];
        };
        let address = |text: &str| text.parse::<Ipv4Addr>().expect("an address");
        let within = parts.iter().filter(|part| part.0 >= address(first) && part.1 <= address(last));
        within.map(ToString::to_string).collect()
    };
    let mut found: Answers = BTreeMap::new();
    for c in connections.all(None, None) {
        for source in cut(&c.source) {
            for target in cut(&c.target) {
                // Pods of one name may have ranges that overlap.
                let all = found.entry((source.clone(), target)).or_default();
                (all.0, all.1) = (all.0.union(&c.ports), all.1.union(&c.unknown));
            }
        }
    }
    found
}

/// Peers that only a requirement of Cilium tells apart, which random worlds seldom have.
#[test]
fn requirements_tell_peers_apart() {
    let pod = |name: &str, labels: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{{labels}}}}}, spec: {{containers: [{{name: c, \
             image: i}}]}}}}"
        )
    };
    let policy = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c}, spec: {endpointSelector: \
                  {matchLabels: {app: two}}, ingress: [{fromEndpoints: [{matchLabels: {app: one}}], fromRequires: \
                  [{matchLabels: {zone: a}}]}]}}";
    let pods = [pod("a", "app: one, zone: a"), pod("b", "app: one, zone: b"), pod("c", "app: two")];
    let manifests = common::manifests(&[&pods[..], &[policy.to_owned()]].concat().join("\n---\n"));
    let connections = Connections::read(&manifests, "default");
    let found = listed(&connections, &manifests);
    assert_eq!(found, direct(&connections, &manifests));
    let of = |name: &str| &found[&(format!("default/{name}[Pod]"), "default/c[Pod]".to_owned())];
    assert_ne!(of("a"), of("b"));
}

#[test]
fn classes_answer_as_each_pair_does() {
    let mut random = Random(31);
    let (mut some, mut outside, mut unknown) = (0, 0, 0);
    for round in 0..600 {
        let text = random.world();
        let manifests = common::manifests(&text);
        let connections = Connections::read(&manifests, "default");
        let expected = direct(&connections, &manifests);
        assert_eq!(listed(&connections, &manifests), expected, "round {round}:\n{text}");
        some += expected.values().filter(|(ports, _)| !ports.is_empty() && !ports.is_all()).count();
        outside += expected.keys().filter(|(source, target)| is_range(source) || is_range(target)).count();
        unknown += expected.values().filter(|(_, unknown)| !unknown.is_empty()).count();
    }
    let counts = (some, outside, unknown);
    assert!(some > 1_000 && outside > 1_000 && unknown > 1_000, "{counts:?}: the worlds are too much alike");
}

#[test]
fn who_asks_for_one_end_gets_a_part_of_everything() {
    let mut random = Random(37);
    for _ in 0..100 {
        let text = random.world();
        let manifests = common::manifests(&text);
        let connections = Connections::read(&manifests, "default");
        let all = connections.all(None, None);
        assert!(all.is_sorted(), "{text}");
        let (one, other) = (&connections.workloads()[0], &connections.workloads()[1]);
        let part = |from: Option<&str>, to: Option<&str>| -> Vec<_> {
            let is = |wanted: Option<&str>, name: &str| wanted.is_none_or(|wanted| wanted == name);
            all.iter().filter(|c| is(from, &c.source) && is(to, &c.target)).cloned().collect()
        };
        assert_eq!(connections.all(Some(one), None), part(Some(&one.name), None), "{text}");
        assert_eq!(connections.all(None, Some(one)), part(None, Some(&one.name)), "{text}");
        assert_eq!(connections.all(Some(one), Some(other)), part(Some(&one.name), Some(&other.name)), "{text}");
    }
}
