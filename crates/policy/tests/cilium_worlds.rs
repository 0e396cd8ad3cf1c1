//! Policies of Cilium beside NetworkPolicies, against an evaluator that is written anew here and looks at single ports of
//! single peers.

mod common;
mod worlds;

use std::net::Ipv4Addr;

use common::{Described, pod};
use kubestride_policy::network::{End, NetworkPolicies, Range};
use worlds::Random;

/// Pods call their port 8080 `web`.
const PORTS: [(&str, u16); 4] = [("TCP", 80), ("TCP", 8080), ("UDP", 80), ("SCTP", 80)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Namespace and label.
    Pod(&'static str, &'static str),
    Outside(u8),
}

const ENDS: [Who; 6] = [
    Who::Pod("east", "one"),
    Who::Pod("east", "two"),
    Who::Pod("west", "one"),
    Who::Pod("west", "two"),
    Who::Outside(1),
    Who::Outside(9),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A NetworkPolicy.
    Plain(&'static str),
    Own(&'static str),
    Wide,
}

#[derive(Debug, Clone)]
enum Peers {
    Anybody,
    /// Namespace, if one is asked for, and label.
    Labels(Vec<(Option<&'static str>, Option<&'static str>)>),
    Entities(Vec<&'static str>),
    /// First numbers of addresses.
    Blocks(Vec<u8>),
}

#[derive(Debug, Clone)]
struct Rule {
    peers: Peers,
    /// Protocol, or any, with a number, or `web`.
    ports: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
struct Section {
    allow: Vec<Rule>,
    deny: Vec<Rule>,
    default_deny: Option<bool>,
}

#[derive(Debug, Clone)]
struct Policy {
    scope: Scope,
    app: Option<&'static str>,
    ingress: Section,
    egress: Section,
}

impl Random {
    fn rule(&mut self, plain: bool) -> Rule {
        let some = 1 + self.below(2);
        let apps = [None, Some("one"), Some("two"), Some("nobody")];
        let peers = match self.below(if plain { 3 } else { 5 }) {
            0 => Peers::Anybody,
            1 => Peers::Blocks((0..some).map(|_| self.one(&[1, 9])).collect()),
            4 => Peers::Entities((0..some).map(|_| self.one(&["all", "world", "cluster", "none", "health"])).collect()),
            _ => {
                let namespaces = [None, Some("east"), Some("west")];
                Peers::Labels((0..some).map(|_| (self.one(&namespaces), self.one(&apps))).collect())
            }
        };
        let protocols: &[&str] = if plain { &["TCP", "UDP"] } else { &["TCP", "UDP", "ANY"] };
        let ports = (0..self.below(3)).map(|_| (self.one(protocols), self.one(&["80", "8080", "web"]))).collect();
        Rule { peers, ports }
    }

    fn section(&mut self, plain: bool) -> Section {
        let rules = |random: &mut Self, limit: u32| match random.below(2) {
            0 => Vec::new(),
            _ => (0..random.below(limit)).map(|_| random.rule(plain)).collect(),
        };
        let (allow, deny) = (rules(self, 4), if plain { Vec::new() } else { rules(self, 2) });
        // NetworkPolicies isolate without rules, too.
        let default_deny =
            if plain { Some(self.below(2) == 0) } else { self.one(&[None, None, Some(true), Some(false)]) };
        Section { allow, deny, default_deny }
    }

    fn policy(&mut self) -> Policy {
        let scope = match self.below(3) {
            0 => Scope::Plain(self.one(&["east", "west"])),
            1 => Scope::Own(self.one(&["east", "west"])),
            _ => Scope::Wide,
        };
        let plain = matches!(scope, Scope::Plain(_));
        let app = self.one(&[None, Some("one"), Some("two")]);
        let mut policy = Policy { scope, app, ingress: self.section(plain), egress: self.section(plain) };
        // A NetworkPolicy for neither direction cannot be written.
        if plain && policy.egress.default_deny == Some(false) {
            policy.ingress.default_deny = Some(true);
        }
        policy
    }

    fn policies(&mut self) -> Vec<Policy> {
        (0..self.below(5)).map(|_| self.policy()).collect()
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn selector(pairs: &[(&str, Option<&str>)]) -> String {
    let labels = pairs.iter().filter_map(|(key, value)| value.map(|value| format!("{key}: {value}")));
    format!("{{matchLabels: {{{}}}}}", labels.collect::<Vec<_>>().join(", "))
}

impl Rule {
    fn cilium(&self, prefix: &str) -> String {
        let mut fields = Vec::new();
        match &self.peers {
            Peers::Anybody => {}
            Peers::Labels(all) => {
                let one = |(namespace, app): &(Option<&str>, Option<&str>)| {
                    selector(&[("'k8s:io.kubernetes.pod.namespace'", *namespace), ("app", *app)])
                };
                fields.push(format!("{prefix}Endpoints: {}", list(all.iter().map(one))));
            }
            Peers::Entities(all) => fields.push(format!("{prefix}Entities: [{}]", all.join(", "))),
            Peers::Blocks(all) => {
                fields.push(format!("{prefix}CIDR: {}", list(all.iter().map(|n| format!("{n}.0.0.0/8")))))
            }
        }
        if !self.ports.is_empty() {
            let one = |(protocol, port): &(&str, &str)| format!("{{protocol: {protocol}, port: '{port}'}}");
            fields.push(format!("toPorts: [{{ports: {}}}]", list(self.ports.iter().map(one))));
        }
        format!("{{{}}}", fields.join(", "))
    }

    fn plain(&self, peers: &str) -> String {
        let named = match &self.peers {
            Peers::Labels(all) => list(all.iter().map(|(namespace, app)| {
                let pods = selector(&[("app", *app)]);
                match namespace {
                    None => format!("{{podSelector: {pods}}}"),
                    some => {
                        let namespaces = selector(&[("kubernetes.io/metadata.name", *some)]);
                        format!("{{podSelector: {pods}, namespaceSelector: {namespaces}}}")
                    }
                }
            })),
            Peers::Blocks(all) => list(all.iter().map(|n| format!("{{ipBlock: {{cidr: {n}.0.0.0/8}}}}"))),
            Peers::Anybody | Peers::Entities(_) => "[]".to_owned(),
        };
        let one = |(protocol, port): &(&str, &str)| format!("{{protocol: {protocol}, port: {port}}}");
        format!("{{{peers}: {named}, ports: {}}}", list(self.ports.iter().map(one)))
    }
}

impl Policy {
    fn yaml(&self, number: usize) -> String {
        let subject = selector(&[("app", self.app)]);
        if let Scope::Plain(namespace) = self.scope {
            let mut types = Vec::new();
            let mut fields = String::new();
            for (section, word, key, peers) in
                [(&self.ingress, "Ingress", "ingress", "from"), (&self.egress, "Egress", "egress", "to")]
            {
                if section.isolates(true) {
                    types.push(word);
                    fields += &format!(", {key}: {}", list(section.allow.iter().map(|rule| rule.plain(peers))));
                }
            }
            return format!(
                "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p{number}, namespace: \
                 {namespace}}}, spec: {{podSelector: {subject}, policyTypes: [{}]{fields}}}}}",
                types.join(", ")
            );
        }
        let mut fields = String::new();
        let mut defaults = Vec::new();
        for (section, key, prefix) in [(&self.ingress, "ingress", "from"), (&self.egress, "egress", "to")] {
            let rules = |rules: &[Rule]| list(rules.iter().map(|rule| rule.cilium(prefix)));
            fields += &format!(", {key}: {}, {key}Deny: {}", rules(&section.allow), rules(&section.deny));
            defaults.extend(section.default_deny.map(|default| format!("{key}: {default}")));
        }
        let (kind, namespace) = match self.scope {
            Scope::Own(namespace) => ("CiliumNetworkPolicy", format!(", namespace: {namespace}")),
            _ => ("CiliumClusterwideNetworkPolicy", String::new()),
        };
        format!(
            "{{apiVersion: cilium.io/v2, kind: {kind}, metadata: {{name: p{number}{namespace}}}, spec: {{endpointSelector: \
             {subject}, enableDefaultDeny: {{{}}}{fields}}}}}",
            defaults.join(", ")
        )
    }
}

// The evaluator that is written anew.

impl Section {
    fn isolates(&self, plain: bool) -> bool {
        let has_rules = !self.allow.is_empty() || !self.deny.is_empty();
        self.default_deny.unwrap_or(!plain && has_rules)
    }
}

fn applies(policy: &Policy, rule: &Rule, peer: Who, target: Who, port: (&str, u16)) -> bool {
    let plain = matches!(policy.scope, Scope::Plain(_));
    let is_peer = match &rule.peers {
        // Nobody is named: of Cilium, a rule that names no port either is about nobody.
        Peers::Anybody => plain || !rule.ports.is_empty(),
        Peers::Labels(all) => match peer {
            Who::Outside(_) => false,
            Who::Pod(namespace, app) => all.iter().any(|(asked, label)| {
                let own = match policy.scope {
                    Scope::Plain(own) | Scope::Own(own) => Some(own),
                    Scope::Wide => None,
                };
                asked.or(own).is_none_or(|n| n == namespace) && label.is_none_or(|l| l == app)
            }),
        },
        Peers::Entities(all) => all.iter().any(|entity| match *entity {
            "all" => true,
            "world" => matches!(peer, Who::Outside(_)),
            "cluster" => matches!(peer, Who::Pod(..)),
            _ => false,
        }),
        Peers::Blocks(all) => matches!(peer, Who::Outside(number) if all.contains(&number)),
    };
    let fits = |(protocol, named): &(&str, &str)| {
        let number = match *named {
            "80" => Some(80),
            "8080" => Some(8080),
            // Hosts outside have no named ports; those of pods are of TCP.
            _ => (matches!(target, Who::Pod(..)) && port.0 == "TCP").then_some(8080),
        };
        (*protocol == port.0 || *protocol == "ANY") && number == Some(port.1)
    };
    is_peer && (rule.ports.is_empty() || rule.ports.iter().any(fits))
}

/// A rule that denies stops it; else one that allows lets it through; else it is free where nothing isolates.
fn gets_through(policies: &[Policy], subject: Who, peer: Who, target: Who, port: (&str, u16), ingress: bool) -> bool {
    let Who::Pod(namespace, app) = subject else { return true };
    let selects = |policy: &&Policy| {
        let here = match policy.scope {
            Scope::Plain(own) | Scope::Own(own) => own == namespace,
            Scope::Wide => true,
        };
        here && policy.app.is_none_or(|label| label == app)
    };
    let section = |policy: &Policy| if ingress { policy.ingress.clone() } else { policy.egress.clone() };
    let mine: Vec<&Policy> = policies.iter().filter(selects).collect();
    let some = |rules: &dyn Fn(&Policy) -> Vec<Rule>| {
        mine.iter().any(|policy| rules(policy).iter().any(|rule| applies(policy, rule, peer, target, port)))
    };
    if some(&|policy| section(policy).deny) {
        return false;
    }
    let plain = |policy: &Policy| matches!(policy.scope, Scope::Plain(_));
    // What a NetworkPolicy lists for a direction that it is not for does not count.
    let counts = |policy: &Policy| !plain(policy) || section(policy).isolates(true);
    some(&|policy| if counts(policy) { section(policy).allow } else { Vec::new() })
        || !mine.iter().any(|policy| section(policy).isolates(plain(policy)))
}

fn described(who: Who) -> Option<Described> {
    if let Who::Pod(namespace, app) = who { Some(pod(namespace, app, "a")) } else { None }
}

fn end(who: Who, described: Option<&Described>) -> End<'_> {
    match (who, described) {
        (Who::Outside(number), _) => {
            let address = Ipv4Addr::new(number, 2, 3, 4);
            End::Outside(Range(address, address))
        }
        (_, Some(described)) => End::Pod(described.get()),
        _ => End::SomePod,
    }
}

fn read(policies: &[Policy], backwards: bool) -> NetworkPolicies {
    let mut all: Vec<String> = policies.iter().enumerate().map(|(i, p)| p.yaml(i)).collect();
    if backwards {
        all.reverse();
    }
    if all.is_empty() {
        return NetworkPolicies::default();
    }
    NetworkPolicies::read(&common::manifests(&all.join("\n---\n")), "default")
}

/// All that gets through, as far as it is asked for. Blocks of public addresses are not about pods, so all is known.
fn allowed(policies: &[Policy], backwards: bool) -> Vec<(Who, Who, &'static str, u16)> {
    let read = read(policies, backwards);
    let mut found = Vec::new();
    for source in ENDS {
        for target in ENDS.into_iter().filter(|target| *target != source) {
            let (from, to) = (described(source), described(target));
            let verdict = read.verdict(end(source, from.as_ref()), end(target, to.as_ref()));
            assert!(verdict.unknown().is_empty(), "{source:?} to {target:?}: {policies:?}");
            for (protocol, number) in PORTS {
                if verdict.ports().contains(protocol, number) {
                    found.push((source, target, protocol, number));
                }
            }
        }
    }
    found
}

#[test]
fn answers_agree_with_single_ports() {
    let mut random = Random(5);
    let (mut open, mut shut) = (0, 0);
    for round in 0..600 {
        let policies = random.policies();
        let found = allowed(&policies, false);
        assert_eq!(found, allowed(&policies, true), "the order of objects matters in round {round}");
        for source in ENDS {
            for target in ENDS.into_iter().filter(|target| *target != source) {
                for port in PORTS {
                    let expected = gets_through(&policies, source, target, target, port, false)
                        && gets_through(&policies, target, source, target, port, true);
                    let own = found.contains(&(source, target, port.0, port.1));
                    assert_eq!(own, expected, "{source:?} to {target:?} {port:?}: {policies:#?}");
                    *(if expected { &mut open } else { &mut shut }) += 1;
                }
            }
        }
    }
    assert!(open > 10_000 && shut > 10_000, "{open} and {shut}: the worlds are too much alike");
}

/// A further rule that allows, in a section that has one already, lets through more, never less.
#[test]
fn a_rule_that_allows_takes_nothing_away() {
    let mut random = Random(17);
    let mut more = 0;
    for _ in 0..400 {
        let mut policies = random.policies();
        let before = allowed(&policies, false);
        let rule = random.rule(false);
        let cilium = policies.iter_mut().filter(|policy| !matches!(policy.scope, Scope::Plain(_)));
        let sections = cilium.flat_map(|policy| [&mut policy.ingress, &mut policy.egress]);
        let with_rules: Vec<&mut Section> = sections.filter(|section| !section.allow.is_empty()).collect();
        let Some(section) = with_rules.into_iter().next() else { continue };
        section.allow.push(rule);
        let after = allowed(&policies, false);
        let lost: Vec<_> = before.iter().filter(|one| !after.contains(one)).collect();
        assert!(lost.is_empty(), "{lost:?}: {policies:#?}");
        more += usize::from(after.len() > before.len());
    }
    assert!(more > 20, "{more} rules let something through");
}
