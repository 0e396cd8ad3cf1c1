//! What network policies allow.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use kubestride_manifest::Labels;
use kubestride_source::Diagnostic;

use super::tier::{Decision, Effect, Member, Question, Reason, Subjects};
use super::{AdminPolicies, Declared, Direction, End, Match, NetworkPolicies, PodMatcher, Policy, PortSet, Range};
use crate::{Cited, Family, Pod};

/// Where the metadata service of all big clouds is.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// How far a pod is cut off in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// No policy isolates it.
    None,
    /// Whether a policy isolates it is not known.
    Unknown,
    /// Only what policies name gets through.
    Restricted,
    /// Policies isolate it and let everything through.
    Open,
}

/// How far a pod is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolations {
    /// For what comes in.
    pub ingress: Isolation,
    /// For what goes out.
    pub egress: Isolation,
    /// The policies that isolate it for what comes in, or the rules because of which that is open.
    pub ingress_by: Vec<Cited>,
    /// The same for what goes out.
    pub egress_by: Vec<Cited>,
}

/// Whether a connection gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These rules let it through.
    Allowed(Vec<Reason>),
    /// These policies stop it.
    Denied(Vec<Reason>),
    /// No policy is about it.
    Unrestricted,
    /// Manifests do not tell, or it depends on the network plugin.
    Undetermined(Vec<Reason>),
}

/// Whether the metadata service of the cloud can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataReach {
    /// Whether policies let it through.
    pub reachable: Match,
    /// The rules that let it through, or the policies that stop it; none if no policy isolates the pod.
    pub by: Vec<Cited>,
}

/// What the policies of one end say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The ports of the target that get through, where rules of which it is not known whether they are about the peer
    /// are left out.
    pub allowed: PortSet,
    /// The ports about which such a rule would decide otherwise.
    pub unknown: PortSet,
    /// The rules and policies that decided.
    pub reasons: Vec<Reason>,
}

/// What policies say about one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the source may send.
    pub egress: Side,
    /// What the target may accept.
    pub ingress: Side,
}

/// A policy of any kind.
#[derive(Debug, Clone)]
pub struct Listed<'p> {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Whose kind of policy it is.
    pub family: Family,
    /// The namespace whose pods it can be for; none if it can be for pods of all.
    pub namespace: Option<&'p str>,
    /// Whether somebody may enforce it; else it decides nothing.
    pub holds: bool,
    /// Its parts, which may be for different pods.
    parts: Vec<&'p dyn Member>,
}

impl Listed<'_> {
    /// Whether it is for a pod.
    pub fn selects(&self, pod: &Pod<'_>) -> Match {
        if pod.host_network { Match::No } else { Match::any(self.parts.iter().map(|part| part.selects(pod))) }
    }

    /// All pods that it can be for, and perhaps others; none if labels do not tell.
    pub fn candidates(&self) -> Option<Vec<PodMatcher>> {
        self.parts.iter().map(|part| part.candidates()).collect()
    }

    /// For how many pods it is.
    pub fn subjects(&self) -> Subjects {
        let are = |subjects: Subjects| self.parts.iter().any(|part| part.subjects() == subjects);
        match (are(Subjects::All), are(Subjects::Chosen)) {
            (true, _) => Subjects::All,
            (false, true) => Subjects::Chosen,
            (false, false) => Subjects::NoPods,
        }
    }

    /// Whether it stops what comes to all pods of a namespace, or from them, but for what rules name; whether it holds is
    /// another question.
    pub fn denies_by_default(&self, direction: Direction, namespace: &str, namespace_labels: &Labels<'_>) -> Match {
        let denies = |part: &&dyn Member| {
            let only_named = part.lets_others(direction).negated();
            if part.stops_others(direction) {
                part.covers(namespace, namespace_labels).min(only_named)
            } else {
                Match::No
            }
        };
        Match::any(self.parts.iter().map(denies))
    }

    /// The rule because of which everybody gets through in some direction on all ports.
    pub fn admits_everyone(&self) -> Option<Cited> {
        self.parts.iter().find_map(|part| part.admits_everyone())
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster.
    pub fn dns_to_anywhere(&self) -> Option<Cited> {
        self.parts.iter().find_map(|part| part.dns_to_anywhere())
    }

    /// Who talks to whom, by its rules that name both.
    pub fn declared(&self) -> Declared {
        let mut all = Declared::default();
        for declared in self.parts.iter().map(|part| part.declared()) {
            all.peers.extend(declared.peers);
            all.hosts.extend(declared.hosts);
        }
        all
    }
}

impl Verdict {
    /// The ports of the target that get through, where rules of which it is not known whether they are about the peer
    /// are left out.
    pub fn ports(&self) -> PortSet {
        self.egress.allowed.intersection(&self.ingress.allowed)
    }

    /// The ports of which it is not known whether they get through.
    pub fn unknown(&self) -> PortSet {
        let may = |side: &Side| side.allowed.union(&side.unknown);
        may(&self.egress).intersection(&may(&self.ingress)).difference(&self.certain())
    }

    fn certain(&self) -> PortSet {
        let sure = |side: &Side| side.allowed.difference(&side.unknown);
        sure(&self.egress).intersection(&sure(&self.ingress))
    }

    /// The answer for one port; for some port, if it is not known.
    pub fn answer(&self, protocol: &str, port: Option<u16>) -> Answer {
        let asked = match port {
            Some(port) => PortSet::range(protocol, port, port),
            None => PortSet::protocol(protocol),
        };
        let is_about = |reason: &&Reason| !reason.ports.intersection(&asked).is_empty();
        let of = |side: &Side, effects: &[Effect]| -> Vec<Reason> {
            side.reasons.iter().filter(|r| effects.contains(&r.effect)).filter(is_about).cloned().collect()
        };
        let both =
            |effects: &[Effect]| -> Vec<Reason> { [of(&self.egress, effects), of(&self.ingress, effects)].concat() };
        if !self.certain().intersection(&asked).is_empty() {
            let by = both(&[Effect::Allows]);
            return if by.is_empty() { Answer::Unrestricted } else { Answer::Allowed(by) };
        }
        if !self.unknown().intersection(&asked).is_empty() {
            return Answer::Undetermined(both(&[Effect::Undetermined, Effect::Isolates]));
        }
        // The side that stops it answers; where both do, the one that sends.
        let stopped = |side: &&Side| side.allowed.intersection(&asked).is_empty();
        let by = [&self.egress, &self.ingress].into_iter().find(stopped);
        let by = by.map(|side| of(side, &[Effect::Denies, Effect::Isolates]));
        Answer::Denied(by.unwrap_or_else(|| both(&[Effect::Denies, Effect::Isolates])))
    }
}

impl NetworkPolicies {
    /// All NetworkPolicies of Kubernetes in order of their identities.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().map(AsRef::as_ref)
    }

    /// The policies of administrators.
    pub fn admin(&self) -> &AdminPolicies {
        &self.admin
    }

    /// All policies of all kinds, in the order in which they are asked, and at the end those that nobody enforces. An
    /// object is there once.
    pub fn all(&self) -> Vec<Listed<'_>> {
        let mut all: Vec<Listed<'_>> = Vec::new();
        let mut places: BTreeMap<Cited, usize> = BTreeMap::new();
        let held = self.tiers.iter().flat_map(|tier| tier.members()).map(|member| (member, true));
        let idle = self.idle.iter().map(|member| (member.as_ref(), false));
        for (member, holds) in held.chain(idle) {
            let (cited, namespace) = (member.cite(), member.namespace());
            match places.get(&cited).and_then(|at| all.get_mut(*at)) {
                Some(listed) => listed.parts.push(member),
                None => {
                    places.insert(cited.clone(), all.len());
                    all.push(Listed { cited, namespace, family: member.family(), holds, parts: vec![member] });
                }
            }
        }
        all
    }

    /// Whether somebody may enforce the policies of a family.
    pub fn holds(&self, family: Family) -> bool {
        self.idle.iter().all(|member| member.family() != family)
    }

    /// A policy that would isolate a pod if somebody enforced it.
    pub fn idle_for(&self, pod: &Pod<'_>, direction: Direction) -> Option<(Family, Cited)> {
        let isolates = |member: &&dyn Member| member.isolates(direction) && member.selects(pod) == Match::Yes;
        let member = self.idle.iter().filter(|_| !pod.host_network).map(AsRef::as_ref).find(isolates)?;
        Some((member.family(), member.cite()))
    }

    /// What of the policies is not understood.
    pub fn doubts(&self) -> &[Diagnostic] {
        &self.doubts
    }

    /// What policies say about connections from `source` to `target`, with reasons.
    pub fn verdict(&self, source: End<'_>, target: End<'_>) -> Verdict {
        Verdict {
            egress: self.side(source, target, Direction::Egress, true),
            ingress: self.side(source, target, Direction::Ingress, true),
        }
    }

    /// The same without reasons.
    pub fn unexplained(&self, source: End<'_>, target: End<'_>) -> Verdict {
        let egress = self.side(source, target, Direction::Egress, false);
        // Where nothing may be sent, nobody needs to know what would be accepted.
        let ingress = match egress.allowed.is_empty() && egress.unknown.is_empty() {
            true => egress.clone(),
            false => self.side(source, target, Direction::Ingress, false),
        };
        Verdict { egress, ingress }
    }

    fn side(&self, source: End<'_>, target: End<'_>, direction: Direction, explains: bool) -> Side {
        let mut side = self.decide(source, target, direction, explains);
        let (subject, peer) = match direction {
            Direction::Egress => (source, target),
            Direction::Ingress => (target, source),
        };
        // The address of its node could be admitted by a block, or always, as the kubelet's is.
        let of_node = |end: &End<'_>| end.pod().is_some_and(|pod| pod.host_network);
        if of_node(&peer) && subject.pod().is_some() && !of_node(&subject) {
            side.unknown = PortSet::all().difference(&side.allowed).union(&side.unknown);
        }
        side
    }

    /// What the policies themselves say.
    pub(super) fn decide(&self, source: End<'_>, target: End<'_>, direction: Direction, explains: bool) -> Side {
        let (subject, peer) = match direction {
            Direction::Egress => (source, target),
            Direction::Ingress => (target, source),
        };
        // Policies are for pods; nothing is known of others, and those in the network of their node have its policies.
        let subject = match subject {
            End::Pod(pod) if !pod.host_network => pod,
            _ => return Side { allowed: PortSet::all(), unknown: PortSet::none(), reasons: Vec::new() },
        };
        let question = Question { subject: &subject, peer, target, direction };
        let mut decision = Decision::new(explains);
        for tier in &self.tiers {
            if decision.is_done() {
                break;
            }
            tier.ask(&question, &mut decision);
        }
        let (allowed, unknown, reasons) = decision.finish();
        let unknown = if self.is_partial { PortSet::all() } else { unknown };
        Side { allowed, unknown, reasons }
    }

    /// How far a pod is cut off.
    pub fn isolation(&self, pod: &Pod<'_>) -> Isolations {
        let of = |direction| {
            let (mut isolating, mut open, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
            // Policies of which it is not known whether they let everybody through, or that do so but for some.
            let mut perhaps_open = Vec::new();
            if pod.host_network {
                return (Isolation::None, isolating);
            }
            for (member, selected) in self.tiers.iter().flat_map(|tier| tier.selecting(pod)) {
                match selected {
                    _ if !member.isolates(direction) => {}
                    Match::Yes => {
                        isolating.push(member.cite());
                        match member.open_rule(direction) {
                            Some(rule) => open.push(rule),
                            None if member.lets_others(direction) != Match::No => perhaps_open.push(member.cite()),
                            None => {}
                        }
                    }
                    Match::Unknown => doubtful.push(member.cite()),
                    Match::No => {}
                }
            }
            if isolating.is_empty() || !open.is_empty() || !perhaps_open.is_empty() {
                let denying = self.shut(pod, direction);
                if !denying.is_empty() {
                    return (Isolation::Restricted, denying);
                }
            }
            if !isolating.is_empty() && open.is_empty() && perhaps_open.is_empty() {
                let admitting = self.surely_open(pod, direction);
                if !admitting.is_empty() {
                    return (Isolation::Open, admitting);
                }
            }
            match (isolating.is_empty(), open.is_empty()) {
                (true, _) if !doubtful.is_empty() => (Isolation::Unknown, doubtful),
                (true, _) => (Isolation::None, isolating),
                (false, true) if !perhaps_open.is_empty() => (Isolation::Unknown, perhaps_open),
                (false, true) => (Isolation::Restricted, isolating),
                (false, false) => (Isolation::Open, open),
            }
        };
        let ((ingress, ingress_by), (egress, egress_by)) = (of(Direction::Ingress), of(Direction::Egress));
        Isolations { ingress, egress, ingress_by, egress_by }
    }

    /// The rules that deny because of which nobody gets through but those that policies name; none if others do.
    fn shut(&self, pod: &Pod<'_>, direction: Direction) -> Vec<Cited> {
        let mut members = self.tiers.iter().flat_map(|tier| tier.members());
        let some_deny = members.any(|member| member.can_deny());
        let mut denying = Vec::new();
        for side in self.of_anybody(pod, direction).filter(|_| some_deny) {
            // That some who are named may get through restricts, too.
            if !side.allowed.is_empty() || self.is_partial {
                return Vec::new();
            }
            let stops = |reason: &Reason| reason.effect == Effect::Denies;
            denying.extend(side.reasons.into_iter().filter(stops).map(|reason| reason.cited));
        }
        denying
    }

    /// The rules of whatever tier that let through somebody of whom nothing is known, on some port at least; none if it is
    /// not sure that he gets through. Questions to DNS are sent by everybody and do not count.
    fn surely_open(&self, pod: &Pod<'_>, direction: Direction) -> Vec<Cited> {
        let dns = [("UDP", 53), ("TCP", 53), ("UDP", 853), ("TCP", 853)];
        let dns = dns.into_iter().filter(|_| direction == Direction::Egress);
        let dns = dns.fold(PortSet::none(), |all, (protocol, port)| all.union(&PortSet::range(protocol, port, port)));
        let mut admitting = Vec::new();
        for side in self.of_anybody(pod, direction) {
            let sure = side.allowed.difference(&side.unknown).difference(&dns);
            let lets =
                |reason: &Reason| reason.effect == Effect::Allows && !reason.ports.intersection(&sure).is_empty();
            admitting.extend(side.reasons.into_iter().filter(lets).map(|reason| reason.cited));
        }
        admitting
    }

    /// What policies say about those of whom nothing is known, inside and, for what goes out, outside.
    fn of_anybody<'e>(&'e self, pod: &'e Pod<'_>, direction: Direction) -> impl Iterator<Item = Side> + 'e {
        let ends: &[End<'_>] = match direction {
            Direction::Ingress => &[End::SomePod],
            Direction::Egress => &[End::SomePod, End::SomeHost],
        };
        ends.iter().map(move |end| match direction {
            Direction::Ingress => self.side(*end, End::Pod(*pod), direction, true),
            Direction::Egress => self.side(End::Pod(*pod), *end, direction, true),
        })
    }

    /// Whether the metadata service of the cloud can be reached, which listens on TCP port 80.
    pub fn metadata_reachable(&self, pod: &Pod<'_>) -> MetadataReach {
        let verdict = self.verdict(End::Pod(*pod), End::Outside(Range(METADATA, METADATA)));
        let (reachable, by) = match verdict.answer("TCP", Some(80)) {
            Answer::Unrestricted => (Match::Yes, Vec::new()),
            Answer::Allowed(by) => (Match::Yes, by),
            Answer::Denied(by) => (Match::No, by),
            Answer::Undetermined(by) => (Match::Unknown, by),
        };
        MetadataReach { reachable, by: by.into_iter().map(|reason| reason.cited).collect() }
    }

    /// Addresses outside of the cluster, parted so that policies treat all addresses of a part alike.
    pub fn ranges(&self) -> Vec<Range> {
        let members = self.tiers.iter().flat_map(|tier| tier.members());
        Range::parts(members.flat_map(|member| member.edges()))
    }
}
