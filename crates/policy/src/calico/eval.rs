//! What a policy of Calico does.

use std::sync::Arc;

use kubestride_manifest::Labels;

use super::surroundings::{Item, hold, is_named};
use super::{Entity, Policy, Port, Protocol, Rule, Scope, Surroundings, Who};
use crate::network::tier::{Decision, Member, Question, Ruling, Subjects};
use crate::network::{Action, Block, Declared, Direction, End, Match, PodMatcher, PortSet};
use crate::{Cited, Family, Pod};

impl Member for Arc<Policy> {
    fn family(&self) -> Family {
        Family::Calico
    }

    fn cite(&self) -> Cited {
        Policy::cite(self)
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn order(&self) -> f64 {
        self.order
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn selects(&self, pod: &Pod<'_>) -> Match {
        let is = self.is_for(pod);
        if self.doubtful { is.min(Match::Unknown) } else { is }
    }

    fn candidates(&self) -> Option<PodMatcher> {
        self.subject_labels()
    }

    fn subjects(&self) -> Subjects {
        // Its own namespace is everywhere as far as it can be for pods.
        let scope = if self.namespace.is_some() { Scope::Anywhere } else { self.subject.scope.clone() };
        let everybody = || Who { scope, ..self.subject.clone() }.is_everybody();
        match self.for_hosts {
            true => Subjects::NoPods,
            false if !self.doubtful && everybody() => Subjects::All,
            false => Subjects::Chosen,
        }
    }

    fn covers(&self, namespace: &str, namespace_labels: &Labels<'_>) -> Match {
        if self.for_hosts {
            return Match::No;
        }
        let any = Item::AnyOf(namespace, namespace_labels);
        let covers = self.subject.is_item(any, &self.surroundings);
        // What is not known of labels of pods is chosen by them.
        let covers = if covers == Match::Unknown && self.subject.chooses_pods() { Match::No } else { covers };
        if self.doubtful { covers.min(Match::Unknown) } else { covers }
    }

    fn isolates(&self, direction: Direction) -> bool {
        let side = self.side(direction);
        // A rule that passes everything on leaves nothing for the end of the tier.
        side.applies == Match::Yes && !self.passes && !side.rules.iter().any(|rule| rule.passes_everything())
    }

    fn stops_others(&self, direction: Direction) -> bool {
        let side = self.side(direction);
        // Where the tier passes on what no rule is about, a rule must stop it.
        let first = side.rules.iter().find(|rule| rule.is_about_everything());
        let stops = first.is_some_and(|rule| rule.action == Action::Deny) && side.applies == Match::Yes;
        self.isolates(direction) || stops
    }

    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision) {
        let side = self.side(question.direction);
        if side.applies == Match::No {
            return;
        }
        let selected = selected.min(side.applies);
        for rule in &side.rules {
            rule.rule(question, selected, self, decision);
        }
        if side.applies == Match::Unknown {
            // It may isolate the pod.
            decision.rule(&Ruling {
                action: Action::Deny,
                matched: Match::Unknown,
                contested: false,
                ports: &PortSet::all,
                names: false,
                cited: &|| self.cite_at(self.span),
            });
        }
    }

    fn lets_others(&self, direction: Direction) -> Match {
        let stops = |rule: &&Rule| rule.action == Action::Deny && rule.is_about_everything();
        let before = self.side(direction).rules.iter().take_while(|rule| !stops(rule));
        Match::any(before.filter(|rule| !rule.is_only_dns(direction)).map(|rule| rule.opens(direction)))
    }

    fn open_rule(&self, direction: Direction) -> Option<Cited> {
        let open = |rule: &Rule| rule.opens(direction) == Match::Yes && !rule.is_only_dns(direction);
        self.first_open(direction, &open)
    }

    fn admits_everyone(&self) -> Option<Cited> {
        Policy::admits_everyone(self)
    }

    fn dns_to_anywhere(&self) -> Option<Cited> {
        Policy::dns_to_anywhere(self)
    }

    fn edges(&self) -> Vec<u64> {
        let rules = self.ingress.rules.iter().chain(&self.egress.rules);
        let entities = rules.flat_map(|rule| [&rule.source, &rule.destination]);
        entities.flat_map(|entity| entity.blocks(&self.surroundings)).flat_map(Block::edges).collect()
    }

    fn declared(&self) -> Declared {
        Declared { peers: self.declared_peers(), hosts: Vec::new() }
    }
}

impl Policy {
    /// The policy itself as the source of an answer.
    pub fn cite(&self) -> Cited {
        self.cite_at(self.span)
    }

    fn cite_at(&self, span: kubestride_source::Span) -> Cited {
        Cited { identity: self.identity.clone(), span }
    }

    /// Whether it is for a pod, whether or not what it does is known.
    pub fn is_for(&self, pod: &Pod<'_>) -> Match {
        if self.for_hosts || pod.host_network {
            return Match::No;
        }
        self.subject.is_item(Item::Pod(pod), &self.surroundings)
    }

    /// The rule because of which everybody gets through in some direction on all ports.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let of = |direction| {
            let all_ports = |rule: &Rule| {
                let ports = rule.destination.ports.is_empty() && rule.destination.not_ports.is_empty();
                rule.opens(direction) == Match::Yes && ports && rule.protocol.is_none() && rule.not_protocol.is_none()
            };
            self.first_open(direction, &all_ports)
        };
        of(Direction::Ingress).or_else(|| of(Direction::Egress))
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster.
    pub fn dns_to_anywhere(&self) -> Option<Cited> {
        let of_dns = |port: &Port| matches!(port, Port::Numbers(first, last) if (*first..=*last).contains(&53));
        let dns = |rule: &Rule| {
            let Entity { who, not_who, nets, service, domains, ports, not_ports, .. } = &rule.destination;
            let anywhere = who.is_none() && not_who.is_none() && service.is_none() && domains.is_empty();
            let anywhere = anywhere && (nets.is_empty() || nets.iter().any(Block::is_anywhere));
            let port = (ports.is_empty() || ports.iter().any(of_dns)) && !not_ports.iter().any(of_dns);
            let protocol = matches!(rule.protocol, None | Some(Protocol::Ported("TCP" | "UDP")));
            let plain = !rule.doubtful && !rule.of_ipv6 && !rule.source.has_ports() && rule.source.is_anybody();
            anywhere && port && protocol && rule.not_protocol.is_none() && plain
        };
        self.first_open(Direction::Egress, &dns)
    }

    /// The first rule that is open, if no rule in front of it stops or passes on something.
    fn first_open(&self, direction: Direction, open: &dyn Fn(&Rule) -> bool) -> Option<Cited> {
        let side = self.side(direction);
        if self.doubtful || side.applies != Match::Yes {
            return None;
        }
        let first = side.rules.iter().take_while(|rule| rule.action == Action::Allow).find(|rule| open(rule));
        first.map(|rule| self.cite_at(rule.span))
    }
}

impl Rule {
    fn rule(&self, question: &Question<'_>, selected: Match, policy: &Policy, decision: &mut Decision) {
        let around = &policy.surroundings;
        let own = End::Pod(*question.subject);
        let (source, target) = match question.direction {
            Direction::Ingress => (question.peer, own),
            Direction::Egress => (own, question.peer),
        };
        let about = || {
            Match::all([
                self.version(&source, &target),
                // Which port somebody calls from is not known.
                if self.source.has_ports() { Match::Unknown } else { Match::Yes },
                self.source.is(&source, around),
                self.destination.is(&target, around),
            ])
        };
        let matched = if self.doubtful { Match::Unknown } else { about() }.min(selected);
        if matched == Match::No {
            return;
        }
        let (certain, possible) = self.ports(&target, around);
        for (ports, matched) in [(certain, matched), (possible, Match::Unknown)] {
            decision.rule(&Ruling {
                action: self.action,
                matched,
                contested: false,
                ports: &|| ports.clone(),
                names: self.peer(question.direction).is_everybody(question.direction) == Match::No,
                cited: &|| policy.cite_at(self.span),
            });
        }
    }

    /// Whether a connection has the version of IP. It is taken for one of IPv4 ([`crate::network::Range`]); pods and
    /// hosts may have addresses of IPv6, too.
    fn version(&self, source: &End<'_>, target: &End<'_>) -> Match {
        let outside = |end: &End<'_>| matches!(end, End::Outside(_));
        match (self.of_ipv6, outside(source) || outside(target)) {
            (false, _) => Match::Yes,
            (true, true) => Match::No,
            (true, false) => Match::Unknown,
        }
    }

    /// Whether it lets everybody through to all pods that the policy is for, on some port at least.
    fn opens(&self, direction: Direction) -> Match {
        let narrow = self.of_ipv6 || self.source.has_ports() || !self.own(direction).is_anybody();
        match self.action {
            Action::Allow if self.doubtful => Match::Unknown,
            Action::Allow if !narrow => self.peer(direction).is_everybody(direction),
            Action::Allow | Action::Deny | Action::Pass => Match::No,
        }
    }

    fn passes_everything(&self) -> bool {
        self.action == Action::Pass && self.is_about_everything()
    }

    /// Whether it is about questions to DNS, which are sent by everybody.
    fn is_only_dns(&self, direction: Direction) -> bool {
        let dns = |port: &Port| matches!(port, Port::Numbers(53, 53) | Port::Numbers(853, 853));
        let ports = &self.destination.ports;
        direction == Direction::Egress && !ports.is_empty() && ports.iter().all(dns)
    }

    fn is_about_everything(&self) -> bool {
        let anybody = |entity: &Entity| entity.is_anybody() && !entity.has_ports();
        !self.doubtful
            && !self.of_ipv6
            && self.protocol.is_none()
            && self.not_protocol.is_none()
            && anybody(&self.source)
            && anybody(&self.destination)
    }
}

impl Entity {
    fn has_ports(&self) -> bool {
        !self.ports.is_empty() || !self.not_ports.is_empty()
    }

    fn is(&self, end: &End<'_>, around: &Surroundings) -> Match {
        let all_or = |empty: bool, matched: &dyn Fn() -> Match| if empty { Match::Yes } else { matched() };
        Match::all([
            self.who.as_ref().map_or(Match::Yes, |who| who.is(end, around)),
            self.not_who.as_ref().map_or(Match::Yes, |who| who.is(end, around).negated()),
            all_or(self.nets.is_empty(), &|| hold(&self.nets, end)),
            all_or(self.not_nets.is_empty(), &|| hold(&self.not_nets, end).negated()),
            all_or(self.domains.is_empty(), &|| Match::any(self.domains.iter().map(|name| is_named(name, end)))),
            self.service.as_ref().map_or(Match::Yes, |service| around.is_behind(service, end)),
        ])
    }

    /// All blocks of addresses that it is about, its own and those of network sets.
    fn blocks<'e>(&'e self, around: &'e Surroundings) -> impl Iterator<Item = &'e Block> {
        let sets = self.who.iter().chain(&self.not_who).flat_map(|who| &who.sets);
        let of_sets = sets.filter_map(|(at, _)| around.sets.get(*at)).flat_map(|set| &set.nets);
        self.nets.iter().chain(&self.not_nets).chain(of_sets)
    }
}
