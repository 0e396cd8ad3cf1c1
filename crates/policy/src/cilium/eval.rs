//! What a policy of Cilium does.

use std::sync::Arc;

use kubestride_manifest::Labels;

use super::{CiliumPeer, CiliumPolicies, CiliumPolicy, CiliumRule, Entity, PeerKind, Selector, Subject};
use crate::network::asked::Asked;
use crate::network::tier::{
    Action, DEFAULT_NAME, Decision, Member, NETWORK_POLICY_ORDER, Question, Ruling, Subjects, Tier,
};
use crate::network::{
    Block, Declared, DeclaredHost, DeclaredPeer, Direction, End, Match, PodMatcher, PortRange, PortSet, only_dns,
};
use crate::{Cited, Family, Pod};

/// The part of a policy that allows, or the one that denies, which is asked before everything that allows.
#[derive(Debug)]
struct Part {
    policy: Arc<CiliumPolicy>,
    denies: bool,
}

impl CiliumPolicies {
    /// Puts them into the tier of NetworkPolicies.
    pub(crate) fn add_to(&self, tiers: &mut [Tier]) {
        if let Some(tier) = tiers.iter_mut().find(|tier| tier.name == DEFAULT_NAME) {
            tier.add(self.members());
        }
    }

    fn members(&self) -> Vec<Box<dyn Member>> {
        let mut members: Vec<Box<dyn Member>> = Vec::new();
        for policy in &self.policies {
            let sections = [&policy.ingress, &policy.egress];
            let stops = |rule: &CiliumRule| !rule.requires.is_empty();
            if sections.iter().any(|s| !s.deny.is_empty() || s.allow.iter().any(stops)) {
                members.push(Box::new(Part { policy: policy.clone(), denies: true }));
            }
            members.push(Box::new(Part { policy: policy.clone(), denies: false }));
        }
        members
    }
}

impl Part {
    fn rules(&self, direction: Direction) -> &[CiliumRule] {
        let section = self.policy.section(direction);
        if self.denies { &section.deny } else { &section.allow }
    }

    fn cite_at(&self, rule: &CiliumRule) -> Cited {
        Cited { identity: self.policy.identity.clone(), span: rule.span }
    }
}

impl Member for Part {
    fn family(&self) -> Family {
        Family::Cilium
    }

    fn cite(&self) -> Cited {
        self.policy.cite()
    }

    fn namespace(&self) -> Option<&str> {
        self.policy.namespace.as_deref()
    }

    fn order(&self) -> f64 {
        if self.denies { f64::NEG_INFINITY } else { NETWORK_POLICY_ORDER }
    }

    fn selects(&self, pod: &Pod<'_>) -> Match {
        let selected = match &self.policy.subject {
            Subject::Endpoints(selector) if !pod.host_network => selector.is(&End::Pod(*pod)),
            Subject::Endpoints(_) | Subject::Nodes => Match::No,
        };
        if self.policy.certain { selected } else { selected.min(Match::Unknown) }
    }

    fn candidates(&self) -> Option<PodMatcher> {
        match &self.policy.subject {
            Subject::Endpoints(selector) => Some(selector.pods.clone()),
            Subject::Nodes => None,
        }
    }

    fn subjects(&self) -> Subjects {
        match &self.policy.subject {
            Subject::Nodes => Subjects::NoPods,
            Subject::Endpoints(selector) if self.policy.certain && selector.is_all_of(self.namespace()) => {
                Subjects::All
            }
            Subject::Endpoints(_) => Subjects::Chosen,
        }
    }

    fn covers(&self, namespace: &str, namespace_labels: &Labels<'_>) -> Match {
        match &self.policy.subject {
            Subject::Endpoints(selector) if selector.covers(namespace, namespace_labels) => {
                if self.policy.certain {
                    Match::Yes
                } else {
                    Match::Unknown
                }
            }
            Subject::Endpoints(_) | Subject::Nodes => Match::No,
        }
    }

    fn isolates(&self, direction: Direction) -> bool {
        !self.denies && self.policy.section(direction).isolates
    }

    fn stops_others(&self, direction: Direction) -> bool {
        let everything = |rule: &CiliumRule| rule.is_about_everybody(direction) == Match::Yes && rule.ports.is_empty();
        self.isolates(direction) || self.denies && self.rules(direction).iter().any(everything)
    }

    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision) {
        let section = self.policy.section(question.direction);
        if self.denies {
            for rule in section.allow.iter().filter(|rule| !rule.requires.is_empty()) {
                let meets = Match::all(rule.requires.iter().map(|one| one.is(&question.peer)));
                decision.rule(&Ruling {
                    action: Action::Deny,
                    // Newer versions do not know requirements, older ones stop who does not meet them.
                    matched: if meets == Match::Yes { Match::No } else { selected.min(Match::Unknown) },
                    contested: false,
                    ports: &PortSet::all,
                    names: true,
                    cited: &|| self.cite_at(rule),
                });
            }
        }
        for rule in self.rules(question.direction) {
            decision.rule(&Ruling {
                action: if self.denies { Action::Deny } else { Action::Allow },
                matched: selected.min(rule.is_about(&question.peer)),
                contested: false,
                ports: &|| PortRange::union(&rule.ports, question.named_ports()),
                names: rule.is_about_everybody(question.direction) == Match::No,
                cited: &|| self.cite_at(rule),
            });
        }
    }

    fn open_rule(&self, direction: Direction) -> Option<Cited> {
        self.policy.open_rule(direction).map(|rule| self.cite_at(rule))
    }

    fn admits_everyone(&self) -> Option<Cited> {
        if self.denies { None } else { self.policy.admits_everyone() }
    }

    fn dns_to_anywhere(&self) -> Option<Cited> {
        if self.denies { None } else { self.policy.dns_to_anywhere() }
    }

    fn lets_others(&self, direction: Direction) -> Match {
        let allow = self.policy.section(direction).allow.iter().filter(|_| !self.denies);
        Match::any(allow.map(|rule| rule.opens(direction)))
    }

    fn asks(&self, asked: &mut Asked) {
        if let Subject::Endpoints(selector) = &self.policy.subject {
            selector.asks(asked);
        }
        for section in [&self.policy.ingress, &self.policy.egress] {
            for rule in section.allow.iter().chain(&section.deny) {
                asked.ports(&rule.ports);
                rule.requires.iter().for_each(|selector| selector.asks(asked));
                for peer in rule.peers.iter().flatten() {
                    if let PeerKind::Endpoints(selector) = &peer.kind {
                        selector.asks(asked);
                    }
                }
            }
        }
    }

    fn edges(&self) -> Vec<u64> {
        let rules = self.rules(Direction::Ingress).iter().chain(self.rules(Direction::Egress));
        let block = |peer| match peer {
            &CiliumPeer { kind: PeerKind::Block(ref block), .. } => Some(block),
            _ => None,
        };
        rules.flat_map(|rule| rule.peers.iter().flatten()).filter_map(block).flat_map(Block::edges).collect()
    }

    fn declared(&self) -> Declared {
        if self.denies { Declared::default() } else { self.policy.declared() }
    }
}

impl CiliumPolicy {
    /// The rule because of which everybody gets through in a direction, on some port at least; none if rules deny
    /// something there.
    fn open_rule(&self, direction: Direction) -> Option<&CiliumRule> {
        let section = self.section(direction);
        let mut open = section.allow.iter().filter(|rule| rule.opens(direction) == Match::Yes);
        open.next().filter(|_| section.deny.is_empty())
    }

    /// The rule because of which everybody gets through in some direction on all ports.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let open =
            [Direction::Ingress, Direction::Egress].into_iter().filter_map(|direction| self.open_rule(direction));
        let rule = open.into_iter().find(|rule| rule.ports.is_empty()).filter(|_| self.certain)?;
        Some(Cited { identity: self.identity.clone(), span: rule.span })
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster, whatever they ask for.
    pub fn dns_to_anywhere(&self) -> Option<Cited> {
        let anywhere = |peer: &CiliumPeer| match &peer.kind {
            PeerKind::Entity(entity) => matches!(entity, Entity::All | Entity::World),
            PeerKind::Block(block) => block.is_anywhere(),
            _ => false,
        };
        let dns = |rule: &&CiliumRule| {
            let port = ["UDP", "TCP"].iter().any(|p| rule.ports.iter().any(|range| range.includes_number(53, p)));
            let to = rule.peers.as_ref().is_none_or(|peers| peers.iter().any(anywhere));
            to && (rule.ports.is_empty() || port) && !rule.some_names
        };
        let rule = self.egress.allow.iter().find(dns).filter(|_| self.egress.deny.is_empty() && self.certain)?;
        Some(Cited { identity: self.identity.clone(), span: rule.span })
    }

    /// Whom its rules name. A policy for all endpoints of a namespace declares nothing about any of them.
    fn declared(&self) -> Declared {
        let mut declared = Declared::default();
        let Subject::Endpoints(subject) = &self.subject else { return declared };
        let Some(selected) = subject.named().filter(|_| self.certain && subject.names_pods()) else { return declared };
        for direction in [Direction::Ingress, Direction::Egress] {
            for rule in self.section(direction).allow.iter().filter(|rule| rule.admits_something()) {
                for peer in rule.peers.iter().flatten() {
                    let (policy, selected) = (self.identity.clone(), selected.clone());
                    let (ports, span) = (rule.ports.clone(), peer.span);
                    match &peer.kind {
                        PeerKind::Endpoints(selector) if selector.names_pods() => {
                            let Some(peer) = selector.named() else { continue };
                            declared.peers.push(DeclaredPeer { policy, selected, direction, peer, ports, span });
                        }
                        PeerKind::Name(name) => {
                            let Some(host) = name.host().map(str::to_owned) else { continue };
                            declared.hosts.push(DeclaredHost { policy, selected, host, ports, span });
                        }
                        _ => {}
                    }
                }
            }
        }
        declared
    }
}

impl CiliumRule {
    /// Whether an end is one of its peers.
    fn is_about(&self, end: &End<'_>) -> Match {
        let Some(peers) = &self.peers else {
            // What requirements without peers mean differs between versions.
            return if self.requires.is_empty() { Match::Yes } else { Match::Unknown };
        };
        let has = |entity: Entity| peers.iter().any(|peer| matches!(&peer.kind, PeerKind::Entity(e) if *e == entity));
        // The node of a pod is either that of the other or another one.
        if end.pod().is_some_and(|pod| pod.host_network) && has(Entity::Host) && has(Entity::RemoteNode) {
            return Match::Yes;
        }
        Match::any(peers.iter().map(|peer| peer.kind.is(end)))
    }

    /// Whether it lets everybody through, on some port at least. Questions to DNS are sent by everybody.
    fn opens(&self, direction: Direction) -> Match {
        let dns = direction == Direction::Egress && only_dns(&self.ports);
        if dns || !self.admits_something() { Match::No } else { self.is_about_everybody(direction) }
    }

    /// Whether it names nobody. For what comes in, that are all pods: neither `world` nor blocks of addresses are about
    /// those. For what goes out, all addresses outside are enough.
    fn is_about_everybody(&self, direction: Direction) -> Match {
        let goes_out = direction == Direction::Egress;
        let everybody = |peer: &CiliumPeer| match &peer.kind {
            PeerKind::Endpoints(selector) => Selector::is_everybody(selector).into(),
            PeerKind::Entity(Entity::All | Entity::Cluster) => Match::Yes,
            PeerKind::Entity(Entity::World) => goes_out.into(),
            PeerKind::Block(block) if goes_out => block.is_everybody(direction),
            PeerKind::Name(name) => (goes_out && name.is_everything()).into(),
            PeerKind::Undetermined => Match::Unknown,
            PeerKind::Entity(_) | PeerKind::Block(_) | PeerKind::Addresses | PeerKind::Nodes => Match::No,
        };
        match &self.peers {
            Some(peers) => Match::any(peers.iter().map(everybody)),
            None if self.requires.is_empty() => Match::Yes,
            None => Match::Unknown,
        }
    }

    /// Whether it is about some port; rules for ICMP are not.
    fn admits_something(&self) -> bool {
        self.ports.is_empty() || self.ports.iter().any(PortRange::has_ports)
    }
}

impl PeerKind {
    fn is(&self, end: &End<'_>) -> Match {
        let on_node = end.pod().is_some_and(|pod| pod.host_network);
        match (self, end) {
            (Self::Endpoints(selector), end) => selector.is(end),
            (Self::Entity(entity), end) => entity.is(end),
            (Self::Undetermined, _) => Match::Unknown,
            // Rules for addresses are not about pods, and about nodes only if Cilium is told so.
            (_, End::Pod(_) | End::SomePod) => {
                if on_node {
                    Match::Unknown
                } else {
                    Match::No
                }
            }
            (Self::Block(block), end) => block.is(end),
            // A host outside whose name is not known.
            (Self::Name(_), End::SomeHost | End::Outside(_)) => Match::Unknown,
            (Self::Name(name), End::Host(host)) => name.fits(host).into(),
            (Self::Addresses, End::Outside(_) | End::Host(_) | End::SomeHost) => Match::Unknown,
            (Self::Nodes, End::Outside(_) | End::Host(_) | End::SomeHost) => Match::No,
        }
    }
}

impl Entity {
    fn is(self, end: &End<'_>) -> Match {
        match (self, end) {
            (Self::All, _) => Match::Yes,
            (Self::None | Self::Health, _) => Match::No,
            (Self::Cluster, End::Pod(_) | End::SomePod) => Match::Yes,
            // On which node the pods are is not known.
            (Self::Host | Self::RemoteNode | Self::ApiServer, End::Pod(pod)) if pod.host_network => Match::Unknown,
            (_, End::Pod(_)) => Match::No,
            // It may be Cilium's own proxy, or something that was there before Cilium.
            (Self::Ingress | Self::Unmanaged | Self::Init, End::SomePod) => Match::Unknown,
            (_, End::SomePod) => Match::No,
            (Self::World, End::Outside(_) | End::Host(_) | End::SomeHost) => Match::Yes,
            // Only clusters with both families tell them apart.
            (Self::WorldIpv4, End::Outside(_) | End::Host(_) | End::SomeHost)
            | (Self::WorldIpv6, End::Host(_) | End::SomeHost) => Match::Unknown,
            (Self::ApiServer, End::Outside(_) | End::Host(_) | End::SomeHost) => Match::Unknown,
            (_, End::Outside(_) | End::Host(_) | End::SomeHost) => Match::No,
        }
    }
}
