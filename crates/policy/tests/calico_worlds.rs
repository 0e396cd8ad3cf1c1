//! Small random worlds of tiers, policies of Calico and NetworkPolicies, against an evaluator that is written anew here
//! and looks at single ports of single connections.

mod common;
mod worlds;

use std::net::Ipv4Addr;

use kubestride_manifest::Manifests;
use kubestride_policy::connections::Connections;
use kubestride_policy::network::{End, NetworkPolicies, PortSet, Range};
use worlds::Random;

const PORTS: [(&str, u16); 4] = [("TCP", 80), ("TCP", 81), ("UDP", 80), ("TCP", 8080)];

/// Pods with namespace, label, the port that they call `web`, and service account.
const PODS: [(&str, &str, &str, u16, &str); 4] = [
    ("a1", "east", "one", 80, "robot"),
    ("a2", "east", "two", 8080, "default"),
    ("b1", "west", "one", 8080, "default"),
    ("b2", "west", "two", 80, "robot"),
];

/// The label `role` of a network set, and its namespace.
type Set = (&'static str, Option<&'static str>);

/// Addresses outside, each with the network set that it is in.
const OUTSIDE: [(&str, Option<Set>); 4] = [
    ("198.51.100.7", Some(("partner", None))),
    ("203.0.113.7", Some(("partner", Some("east")))),
    ("192.0.2.7", Some(("other", None))),
    ("8.8.8.8", None),
];

/// An end of a connection, by its place in one of both.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Pod(usize),
    Outside(usize),
}

/// Selectors, each with what it says of something by `app`, `role`, namespace and account.
const SELECTORS: [&str; 9] = [
    "all()",
    "app == 'one'",
    "app != 'one'",
    "has(role)",
    "role == 'partner'",
    "app in {'two', 'none'} || role == 'other'",
    "projectcalico.org/serviceaccount == 'robot'",
    "projectcalico.org/namespace == 'west' && has(app)",
    "!has(projectcalico.org/namespace)",
];

const NAMESPACES: [&str; 5] =
    ["all()", "global()", "projectcalico.org/name == 'east'", "team != 'blue'", "global() || team == 'red'"];

/// What a selector looks at.
#[derive(Debug, Clone, Copy, Default)]
struct Labels {
    app: Option<&'static str>,
    role: Option<&'static str>,
    namespace: Option<&'static str>,
    account: Option<&'static str>,
}

fn labels(who: Who) -> Option<Labels> {
    match who {
        Who::Pod(at) => {
            let (_, namespace, app, _, account) = PODS[at];
            Some(Labels { app: Some(app), role: None, namespace: Some(namespace), account: Some(account) })
        }
        Who::Outside(at) => {
            let (role, namespace) = OUTSIDE[at].1?;
            Some(Labels { role: Some(role), namespace, ..Labels::default() })
        }
    }
}

fn selects(selector: &str, of: Labels) -> bool {
    match SELECTORS.iter().position(|s| *s == selector).expect("a selector") {
        0 => true,
        1 => of.app == Some("one"),
        2 => of.app != Some("one"),
        3 => of.role.is_some(),
        4 => of.role == Some("partner"),
        5 => of.app == Some("two") || of.role == Some("other"),
        6 => of.account == Some("robot"),
        7 => of.namespace == Some("west") && of.app.is_some(),
        _ => of.namespace.is_none(),
    }
}

/// The namespace `east` has `team: red`, and `west` `team: blue`.
fn selects_namespace(selector: &str, namespace: Option<&str>) -> bool {
    match NAMESPACES.iter().position(|s| *s == selector).expect("a selector") {
        0 => namespace.is_some(),
        1 => namespace.is_none(),
        2 => namespace == Some("east"),
        3 => namespace != Some("west"),
        _ => namespace != Some("west"),
    }
}

#[derive(Debug, Clone, Default)]
struct Entity {
    selector: Option<&'static str>,
    not_selector: Option<&'static str>,
    namespaces: Option<&'static str>,
    account: Option<&'static str>,
    /// Of the address outside that is `nets`, and that is `notNets`.
    net: Option<usize>,
    not_net: Option<usize>,
}

impl Entity {
    fn random(random: &mut Random) -> Self {
        let mut entity = Self::default();
        match random.below(8) {
            0 | 1 => {}
            2 => entity.net = Some(random.below(4) as usize),
            3 => entity.not_net = Some(random.below(4) as usize),
            4 => entity.not_selector = Some(random.one(&SELECTORS)),
            5 => entity.account = Some(random.one(&["robot", "default"])),
            _ => {
                entity.selector = Some(random.one(&SELECTORS));
                entity.not_selector = random.one(&[None, None, Some("app == 'one'")]);
            }
        }
        if random.below(3) == 0 {
            entity.namespaces = Some(random.one(&NAMESPACES));
        }
        entity
    }

    fn yaml(&self, more: &str) -> String {
        let mut parts = Vec::new();
        let mut add = |key: &str, value: Option<&str>| {
            parts.extend(value.map(|value| format!("{key}: \"{value}\"")));
        };
        add("selector", self.selector);
        add("notSelector", self.not_selector);
        add("namespaceSelector", self.namespaces);
        parts.extend(self.account.map(|account| format!("serviceAccounts: {{names: [{account}]}}")));
        parts.extend(self.net.map(|at| format!("nets: [{}]", OUTSIDE[at].0)));
        parts.extend(self.not_net.map(|at| format!("notNets: [{}/32]", OUTSIDE[at].0)));
        if !more.is_empty() {
            parts.push(more.to_owned());
        }
        format!("{{{}}}", parts.join(", "))
    }

    fn is(&self, who: Who, of_namespace: Option<&str>) -> bool {
        if self.net.is_some_and(|at| who != Who::Outside(at)) || self.not_net.is_some_and(|at| who == Who::Outside(at))
        {
            return false;
        }
        let labels = labels(who);
        if self.not_selector.is_some_and(|s| labels.is_some_and(|l| selects(s, l))) {
            return false;
        }
        let own_only = of_namespace.is_some() && self.not_selector.is_some();
        if self.selector.is_none() && self.namespaces.is_none() && self.account.is_none() && !own_only {
            return true;
        }
        let Some(labels) = labels else { return false };
        let in_scope = match (self.namespaces, of_namespace) {
            (Some(selector), _) => selects_namespace(selector, labels.namespace),
            (None, Some(own)) => labels.namespace == Some(own),
            (None, None) => true,
        };
        in_scope
            && self.selector.is_none_or(|s| selects(s, labels))
            && self.account.is_none_or(|account| labels.account == Some(account))
    }
}

#[derive(Debug, Clone)]
struct Rule {
    action: &'static str,
    protocol: Option<&'static str>,
    /// `80`, `80:81` or `web`, and whether they are those that are not meant.
    port: Option<(&'static str, bool)>,
    source: Entity,
    destination: Entity,
}

impl Rule {
    fn random(random: &mut Random) -> Self {
        let mut rule = Self {
            action: random.one(&["Allow", "Allow", "Deny", "Pass", "Log"]),
            protocol: random.one(&[None, Some("TCP"), Some("UDP"), Some("ICMP")]),
            port: None,
            source: Entity::random(random),
            destination: Entity::random(random),
        };
        // Most rules say something about one end only.
        match random.below(4) {
            0 => {}
            1 => rule.source = Entity::default(),
            _ => rule.destination = Entity::default(),
        }
        if matches!(rule.protocol, Some("TCP" | "UDP")) && random.below(2) == 0 {
            rule.port = Some((random.one(&["80", "80:81", "web"]), random.below(3) == 0));
        }
        rule
    }

    fn yaml(&self) -> String {
        let ports = self
            .port
            .map_or(String::new(), |(port, not)| format!("{}: ['{port}']", if not { "notPorts" } else { "ports" }));
        let protocol = self.protocol.map_or(String::new(), |p| format!("protocol: {p}, "));
        let (source, destination) = (self.source.yaml(""), self.destination.yaml(&ports));
        format!("{{action: {}, {protocol}source: {source}, destination: {destination}}}", self.action)
    }

    fn is_about(&self, source: Who, target: Who, port: (&str, u16), of_namespace: Option<&str>) -> bool {
        let web = match target {
            Who::Pod(at) => Some(PODS[at].3),
            Who::Outside(_) => None,
        };
        let of_port = |text: &str| match text {
            "80" => port.1 == 80,
            "80:81" => matches!(port.1, 80 | 81),
            _ => port.0 == "TCP" && web == Some(port.1),
        };
        self.protocol.is_none_or(|protocol| protocol == port.0)
            && self.port.is_none_or(|(text, not)| of_port(text) != not)
            && self.source.is(source, of_namespace)
            && self.destination.is(target, of_namespace)
    }
}

#[derive(Debug, Clone)]
struct Policy {
    /// For one of Kubernetes: the label of pods, and the label of those that are admitted.
    kubernetes: Option<(&'static str, Option<&'static str>)>,
    tier: &'static str,
    order: Option<u32>,
    /// None for a global one.
    namespace: Option<&'static str>,
    selector: &'static str,
    namespaces: Option<&'static str>,
    ingress: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
}

/// The tiers in order, and whether they pass on what is left: one without an order is the last.
type Tiers = Vec<(&'static str, Option<u32>, bool)>;

impl Policy {
    fn random(random: &mut Random) -> Self {
        let rules = |random: &mut Random| match random.below(3) {
            0 => None,
            _ => Some((0..random.below(4)).map(|_| Rule::random(random)).collect::<Vec<_>>()),
        };
        let (mut ingress, egress) = (rules(random), rules(random));
        if ingress.is_none() && egress.is_none() {
            ingress = Some(Vec::new());
        }
        let namespace = random.one(&[None, Some("east"), Some("west")]);
        let kubernetes =
            (random.below(4) == 0).then(|| (random.one(&["one", "two"]), random.one(&[None, Some("one")])));
        Self {
            kubernetes,
            tier: random.one(&["default", "default", "first", "last"]),
            order: random.one(&[None, Some(1), Some(500), Some(2000)]),
            namespace: if kubernetes.is_some() { Some(random.one(&["east", "west"])) } else { namespace },
            selector: random.one(&SELECTORS),
            namespaces: random.one(&[None, None, Some(NAMESPACES[2]), Some(NAMESPACES[3])]),
            ingress,
            egress,
        }
    }

    fn yaml(&self, name: usize) -> String {
        if let Some((app, peer)) = self.kubernetes {
            let namespace = self.namespace.expect("a namespace");
            let from = peer.map_or("{}".to_owned(), |peer| {
                format!("{{from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: {peer}}}}}}}]}}")
            });
            return format!(
                "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p{name}, namespace: \
                 {namespace}}}, spec: {{podSelector: {{matchLabels: {{app: {app}}}}}, ingress: [{from}]}}}}"
            );
        }
        let mut spec = vec![format!("selector: \"{}\"", self.selector)];
        let mut types = Vec::new();
        if self.tier != "default" {
            spec.push(format!("tier: {}", self.tier));
        }
        spec.extend(self.order.map(|order| format!("order: {order}")));
        for (direction, key, rules) in [("Ingress", "ingress", &self.ingress), ("Egress", "egress", &self.egress)] {
            let Some(rules) = rules else { continue };
            types.push(direction);
            let rules: Vec<String> = rules.iter().map(Rule::yaml).collect();
            spec.push(format!("{key}: [{}]", rules.join(", ")));
        }
        spec.push(format!("types: [{}]", types.join(", ")));
        let (kind, namespace) = match self.namespace {
            Some(namespace) => ("NetworkPolicy", format!(", namespace: {namespace}")),
            None => ("GlobalNetworkPolicy", String::new()),
        };
        if self.namespace.is_none() {
            spec.extend(self.namespaces.map(|selector| format!("namespaceSelector: \"{selector}\"")));
        }
        format!(
            "{{apiVersion: projectcalico.org/v3, kind: {kind}, metadata: {{name: p{name}{namespace}}}, spec: {{{}}}}}",
            spec.join(", ")
        )
    }

    fn is_for(&self, pod: usize) -> bool {
        let (_, namespace, app, ..) = PODS[pod];
        let here = self.namespace.is_none_or(|own| own == namespace);
        if let Some((wanted, _)) = self.kubernetes {
            return here && wanted == app;
        }
        let namespaces = self.namespaces.filter(|_| self.namespace.is_none());
        here && selects(self.selector, labels(Who::Pod(pod)).expect("labels"))
            && namespaces.is_none_or(|selector| selects_namespace(selector, Some(namespace)))
    }

    fn tier(&self) -> &'static str {
        if self.kubernetes.is_some() { "default" } else { self.tier }
    }

    fn order(&self) -> u32 {
        if self.kubernetes.is_some() { 1000 } else { self.order.unwrap_or(u32::MAX) }
    }
}

/// One direction for one port: tier by tier, policy by policy, rule by rule.
fn gets_through(
    tiers: &Tiers,
    policies: &[Policy],
    source: Who,
    target: Who,
    port: (&str, u16),
    ingress: bool,
) -> bool {
    let Who::Pod(subject) = (if ingress { target } else { source }) else { return true };
    'tiers: for (tier, _, passes) in tiers {
        let mut own: Vec<(usize, &Policy)> = policies.iter().enumerate().collect();
        own.retain(|(_, p)| p.tier() == *tier && p.is_for(subject));
        own.sort_by_key(|(at, policy)| (policy.order(), *at));
        let mut isolated = false;
        for (_, policy) in own {
            if let Some((_, admitted)) = policy.kubernetes {
                isolated |= ingress;
                let app = if let Who::Pod(at) = source { Some(PODS[at].2) } else { None };
                if ingress && admitted.is_none_or(|admitted| app == Some(admitted)) {
                    return true;
                }
                continue;
            }
            let Some(rules) = (if ingress { &policy.ingress } else { &policy.egress }) else { continue };
            isolated = true;
            for rule in rules.iter().filter(|r| r.is_about(source, target, port, policy.namespace)) {
                match rule.action {
                    "Allow" => return true,
                    "Deny" => return false,
                    "Pass" => continue 'tiers,
                    _ => {}
                }
            }
        }
        if isolated && !passes {
            return false;
        }
    }
    true
}

fn world(tiers: &Tiers, policies: &[Policy], backwards: bool) -> Manifests {
    let mut all = vec![
        "{apiVersion: v1, kind: Namespace, metadata: {name: east, labels: {team: red}}}".to_owned(),
        "{apiVersion: v1, kind: Namespace, metadata: {name: west, labels: {team: blue}}}".to_owned(),
    ];
    for (name, namespace, app, port, account) in PODS {
        all.push(format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {app}}}}}, spec: \
             {{serviceAccountName: {account}, containers: [{{name: c, image: i, ports: [{{name: web, containerPort: \
             {port}}}]}}]}}}}"
        ));
    }
    for (address, set) in OUTSIDE {
        let Some((role, namespace)) = set else { continue };
        let (kind, of) = match namespace {
            Some(namespace) => ("NetworkSet", format!(", namespace: {namespace}")),
            None => ("GlobalNetworkSet", String::new()),
        };
        all.push(format!(
            "{{apiVersion: projectcalico.org/v3, kind: {kind}, metadata: {{name: s{}{of}, labels: {{role: {role}}}}}, spec: \
             {{nets: [{address}/32]}}}}",
            address.replace('.', "-")
        ));
    }
    for (name, order, passes) in tiers.iter().filter(|(name, ..)| *name != "default") {
        let order = order.map_or(String::new(), |order| format!("order: {order}, "));
        let action = if *passes { "Pass" } else { "Deny" };
        all.push(format!(
            "{{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {{name: {name}}}, spec: {{{order}defaultAction: \
             {action}}}}}"
        ));
    }
    all.extend(policies.iter().enumerate().map(|(at, policy)| policy.yaml(at)));
    if backwards {
        all.reverse();
    }
    common::manifests(&all.join("\n---\n"))
}

fn random_world(random: &mut Random) -> (Tiers, Vec<Policy>) {
    let mut tiers: Tiers = vec![
        ("default", Some(1_000_000), false),
        ("first", random.one(&[Some(1), Some(1_000_001)]), random.below(2) == 0),
        ("last", random.one(&[None, Some(2), Some(2_000_000)]), random.below(2) == 0),
    ];
    tiers.sort_by_key(|(_, order, _)| order.unwrap_or(u32::MAX));
    (tiers, (0..random.below(6)).map(|_| Policy::random(random)).collect())
}

/// All pairs of which one is a pod.
fn pairs() -> Vec<(Who, Who)> {
    let ends: Vec<Who> = (0..PODS.len()).map(Who::Pod).chain((0..OUTSIDE.len()).map(Who::Outside)).collect();
    let both = ends.iter().flat_map(|source| ends.iter().map(move |target| (*source, *target)));
    both.filter(|(s, t)| s != t && (matches!(s, Who::Pod(_)) || matches!(t, Who::Pod(_)))).collect()
}

/// The ports of all pairs, in their order, and those of which it is not known whether they get through.
fn answers(manifests: &Manifests) -> Vec<(PortSet, PortSet)> {
    let connections = Connections::read(manifests, "default");
    let policies = NetworkPolicies::read(manifests, "default");
    assert!(policies.doubts().is_empty(), "{:?}", policies.doubts());
    let workload = |at: usize| {
        let name = format!("{}/{}[Pod]", PODS[at].1, PODS[at].0);
        connections.workloads().iter().find(|w| w.name == name).expect("the pod")
    };
    let end = |who: Who| match who {
        Who::Pod(at) => End::Pod(workload(at).pod()),
        Who::Outside(at) => {
            let address: Ipv4Addr = OUTSIDE[at].0.parse().expect("an address");
            End::Outside(Range(address, address))
        }
    };
    let answer = |(source, target): (Who, Who)| {
        let verdict = policies.verdict(end(source), end(target));
        // Only who asks for what is in no namespace may mean network sets that are elsewhere.
        let pods = matches!((source, target), (Who::Pod(_), Who::Pod(_)));
        assert!(!pods || verdict.unknown().is_empty(), "{source:?} to {target:?}: {verdict:?}");
        assert_eq!(verdict.ports(), policies.unexplained(end(source), end(target)).ports());
        (verdict.ports(), verdict.unknown())
    };
    pairs().into_iter().map(answer).collect()
}

#[test]
fn answers_agree_with_single_connections() {
    let mut random = Random(17);
    let (mut open, mut shut, mut not_known) = (0, 0, 0);
    for round in 0..600 {
        let (tiers, policies) = random_world(&mut random);
        let found = answers(&world(&tiers, &policies, false));
        assert_eq!(found, answers(&world(&tiers, &policies, true)), "the order of objects matters in round {round}");
        let global = |e: &Entity| e.namespaces.is_some_and(|selector| selector.contains("global()"));
        let rules = || policies.iter().flat_map(|p| p.ingress.iter().chain(&p.egress)).flatten();
        let names_global = rules().any(|rule| global(&rule.source) || global(&rule.destination));
        for ((source, target), (ports, unknown)) in pairs().into_iter().zip(found) {
            assert!(names_global || unknown.is_empty(), "round {round}: {source:?} to {target:?}");
            for port in PORTS {
                if unknown.contains(port.0, port.1) {
                    not_known += 1;
                    continue;
                }
                let expected = gets_through(&tiers, &policies, source, target, port, false)
                    && gets_through(&tiers, &policies, source, target, port, true);
                let shown = || policies.iter().enumerate().map(|(at, p)| p.yaml(at)).collect::<Vec<_>>().join("\n");
                assert_eq!(
                    ports.contains(port.0, port.1),
                    expected,
                    "round {round}: {source:?} to {target:?} {port:?}\n{tiers:?}\n{}",
                    shown()
                );
                *(if expected { &mut open } else { &mut shut }) += 1;
            }
        }
    }
    assert!(open > 10_000 && shut > 10_000, "{open} and {shut}: the worlds are too much alike");
    assert!(not_known < 3_000, "{not_known}: too much is not known");
}

#[test]
fn a_rule_that_allows_at_the_end_takes_nothing_away() {
    let mut random = Random(29);
    let mut more = 0;
    for _ in 0..300 {
        let (tiers, mut policies) = random_world(&mut random);
        let before = answers(&world(&tiers, &policies, false));
        let ingress = random.below(2) == 0;
        let mut rule = Rule::random(&mut random);
        rule.action = "Allow";
        // Of the policies that hold in a direction already, the last one: what comes behind it in a tier that passes on
        // may allow more than it, but not less.
        let of_direction =
            |p: &&mut Policy| p.kubernetes.is_none() && if ingress { p.ingress.is_some() } else { p.egress.is_some() };
        let Some(policy) = policies.iter_mut().find(of_direction) else { continue };
        let rules = if ingress { policy.ingress.as_mut() } else { policy.egress.as_mut() };
        rules.expect("rules").push(rule);
        let after = answers(&world(&tiers, &policies, false));
        for ((was, _), (is, _)) in before.iter().zip(&after) {
            assert!(was.difference(is).is_empty(), "{was} was allowed, {is} is\n{policies:?}");
        }
        more += usize::from(before != after);
    }
    assert!(more > 20, "{more}: the rules change too little");
}
