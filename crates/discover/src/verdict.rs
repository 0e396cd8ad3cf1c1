//! What network policies say about a flow that was found elsewhere.

use kubestride_model::{AttributeId, Value};
use kubestride_policy::network::{Answer, Direction, PeerKind, Rule};
use kubestride_policy::{Cited, Pod};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{PolicyVerdict, YesNo};

use crate::claims::{Note, Party};
use crate::world::World;

/// The transport of a flow is seldom stated, so only what holds for all of them counts.
const TRANSPORTS: [&str; 2] = ["TCP", "UDP"];

/// The attribute that policies give to a flow of a workload; `port` is that of the target, if known.
pub(crate) fn verdict(
    world: &World<'_>,
    source: &Party,
    target: &Party,
    port: Option<u16>,
) -> Option<(AttributeId, Value, Note)> {
    let known = |index: usize| world.workloads.get(index).filter(|w| w.operated.is_none());
    let Party::Workload(source) = source else { return None };
    let source = known(*source)?.policy_pod();
    let denied = |by: Cited| {
        let note = Note::stated(by.span, format!("{} refuses the connection", by.identity));
        (attr::POLICY_DENIED.id, attr::POLICY_DENIED.value(YesNo::Yes), note)
    };
    let target = match target {
        Party::Workload(target) => known(*target)?.policy_pod(),
        Party::Host(_) | Party::Internet => return denied_outside(world, &source, port).map(denied),
        _ => return None,
    };
    let answers = TRANSPORTS.map(|t| world.network.allows(&source, &target, port, t));
    if answers.iter().all(|a| matches!(a, Answer::Denied(_))) {
        let Some(Answer::Denied(by)) = answers.into_iter().next() else { return None };
        return by.into_iter().next().map(denied);
    }
    let admitting = answers.iter().filter_map(|a| if let Answer::Allowed(by) = a { Some(by) } else { None });
    let named = named_by(world, &target, admitting.flatten())?;
    let note = Note::stated(named.span, format!("{} admits the caller", named.identity));
    Some((attr::POLICY_ADMITTED.id, attr::POLICY_ADMITTED.value(YesNo::Yes), note))
}

/// What policies say about a TCP connection between workloads, with each rule that says so in either direction.
pub(crate) fn rules(
    world: &World<'_>,
    source: &Party,
    target: &Party,
    port: Option<u16>,
) -> Option<(Value, Vec<Note>)> {
    // In a fragment another policy may be elsewhere.
    let (Party::Workload(source), Party::Workload(target), true) = (source, target, world.absence_counts()) else {
        return None;
    };
    let known = |index: &usize| world.workloads.get(*index).filter(|w| w.operated.is_none());
    let (source, target) = (known(source)?, known(target)?);
    let (verdict, by) = match world.network.allows(&source.policy_pod(), &target.policy_pod(), port, "TCP") {
        Answer::Allowed(by) => (PolicyVerdict::Allowed, by),
        Answer::Denied(by) => (PolicyVerdict::Denied, by),
        Answer::Unrestricted => (PolicyVerdict::Unrestricted, Vec::new()),
        Answer::Undetermined(_) => return None,
    };
    let word = if verdict == PolicyVerdict::Denied { "stops it" } else { "lets it through" };
    let mut notes: Vec<Note> = by.into_iter().map(|c| Note::stated(c.span, format!("{} {word}", c.identity))).collect();
    if notes.is_empty() {
        notes.push(Note::absent(Some(target.span()), "no policy selects either end for it"));
    }
    Some((attr::POLICY_VERDICT.value(verdict), notes))
}

/// The rule for the target, among those that let the connection through, that does not let everybody through.
fn named_by<'c>(world: &World<'_>, target: &Pod<'_>, mut rules: impl Iterator<Item = &'c Cited>) -> Option<Cited> {
    let of_target = |cited: &&Cited| {
        let mut policies = world.network.selecting(target);
        policies.any(|p| {
            let mut rules = p.rules(Direction::Ingress).unwrap_or_default().iter();
            rules.any(|rule| rule.span == cited.span && !rule.admits_everybody())
        })
    };
    rules.find(of_target).cloned()
}

/// The policy that keeps a pod from every address outside. Which address a host has is not known, so a block of
/// addresses may always hold it.
fn denied_outside(world: &World<'_>, source: &Pod<'_>, port: Option<u16>) -> Option<Cited> {
    let may_admit = |rule: &Rule| {
        let by_number = |port| TRANSPORTS.iter().any(|t| rule.ports.iter().any(|r| r.includes_number(port, t)));
        let port_fits = rule.ports.is_empty() || port.is_none_or(by_number);
        let blocks = rule.peers.iter().any(|peer| matches!(peer.kind, PeerKind::Block(_)));
        port_fits && (rule.peers.is_empty() || blocks)
    };
    let mut isolating = world.network.selecting(source).filter(|p| p.rules(Direction::Egress).is_some()).peekable();
    let first = isolating.peek().map(|p| p.cite())?;
    let admitted = isolating.any(|p| p.rules(Direction::Egress).unwrap_or_default().iter().any(may_admit));
    (!admitted).then_some(first)
}
