//! What network policies say about a flow that was found elsewhere.

use std::collections::BTreeSet;

use kubestride_model::Value;
use kubestride_policy::Pod;
use kubestride_policy::network::{Answer, Effect, End, Reason, Side};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Entry, PolicyVerdict, YesNo};

use crate::claims::{Learned, Note, Party};
use crate::world::World;

/// The attributes that policies give to a flow of a workload, each with what says so; `port` is that of the target, if
/// known, and `transports` are those that the flow may have. It is refused where all of them are.
pub(crate) fn verdict(
    world: &World<'_>,
    source: &Party,
    target: &Party,
    transports: &BTreeSet<&str>,
    port: Option<u16>,
) -> Vec<Learned> {
    let (Some(source), Some(end)) = (pod(world, source), end(world, target)) else { return Vec::new() };
    let verdict = world.network.verdict(source, end);
    let answers: Vec<Answer> = transports.iter().map(|transport| verdict.answer(transport, port)).collect();
    let together = Answer::of_all(answers.iter().cloned());
    let mut found = Vec::new();
    if let Answer::Denied(by) = &together {
        let first =
            by.first().map(|r| Note::stated(r.cited.span, format!("{} refuses the connection", r.cited.identity)));
        found.push((attr::POLICY_DENIED.id, attr::POLICY_DENIED.value(YesNo::Yes), Vec::from_iter(first)));
    }
    let admitting = answers.iter().filter_map(|a| if let Answer::Allowed(by) = a { Some(by) } else { None });
    let named = admitting.flatten().find(|reason| names_caller(&verdict.ingress, reason));
    if let (Some(named), Party::Workload(_)) = (named, target) {
        let note = Note::stated(named.cited.span, format!("{} admits the caller", named.cited.identity));
        found.push((attr::POLICY_ADMITTED.id, attr::POLICY_ADMITTED.value(YesNo::Yes), vec![note]));
    }
    // In a fragment another policy may be elsewhere.
    if let Some((value, mut notes)) = rules(together).filter(|_| world.absence_counts()) {
        if notes.is_empty() {
            let at = if let Party::Workload(at) = target { world.workloads.get(*at).map(|w| w.span()) } else { None };
            notes.push(Note::absent(at, "no policy selects either end for it"));
        }
        found.push((attr::POLICY_VERDICT.id, attr::POLICY_VERDICT.value(value), notes));
    }
    found
}

/// The attributes that policies give to a way in from outside to a workload, each with what says so. `transports` are
/// those that the way in may have, `port` is that of the target, if known.
pub(crate) fn of_exposure(
    world: &World<'_>,
    target: &Party,
    entry: Option<Value>,
    transports: &BTreeSet<&str>,
    port: Option<u16>,
) -> Vec<Learned> {
    // In a fragment another policy may be elsewhere.
    let Some(End::Pod(pod)) = pod(world, target).filter(|_| world.absence_counts()) else { return Vec::new() };
    let handed_on = |name: Entry| entry == Some(attr::ENTRY.value(name));
    let answer = Answer::of_all(transports.iter().map(|transport| {
        let outside = world.network.from_outside(pod, transport, port);
        if handed_on(Entry::Ingress) || handed_on(Entry::Gateway) {
            through_controller(world, pod, handed_on(Entry::Ingress), outside, transport, port)
        } else {
            outside
        }
    }));
    let Some((value, mut notes)) = rules(answer) else { return Vec::new() };
    if notes.is_empty() {
        let at = if let Party::Workload(at) = target { world.workloads.get(*at).map(|w| w.span()) } else { None };
        notes.push(Note::absent(at, "no policy selects it for what comes in from outside"));
    }
    let mut found = Vec::new();
    if value == PolicyVerdict::Denied {
        found.push((attr::POLICY_DENIED.id, attr::POLICY_DENIED.value(YesNo::Yes), notes.clone()));
    }
    found.push((attr::POLICY_VERDICT.id, attr::POLICY_VERDICT.value(value), notes));
    found
}

/// The answer for a way in through an ingress controller. The load balancer of a cloud may do without one and call pods
/// itself, so nothing is refused where addresses outside are not. What serves a Gateway is made when it is applied.
fn through_controller(
    world: &World<'_>,
    pod: Pod<'_>,
    of_ingress: bool,
    outside: Answer,
    transport: &str,
    port: Option<u16>,
) -> Answer {
    let controllers = world.ingress_controllers.iter().filter(|_| of_ingress).filter_map(|at| world.workloads.get(*at));
    let from = |end: End<'_>| world.network.verdict(end, End::Pod(pod)).answer(transport, port);
    let answers: Vec<Answer> = controllers.map(|w| from(End::Pod(w.policy_pod()))).collect();
    if answers.is_empty() {
        return Answer::of_all([from(End::SomePod), outside]);
    }
    match Answer::of_all(answers) {
        denied @ Answer::Denied(_) => Answer::of_all([denied, outside]),
        answer => answer,
    }
}

/// The pods of a workload. What an operator gives to its pods is not known.
fn pod<'w>(world: &'w World<'_>, party: &Party) -> Option<End<'w>> {
    let Party::Workload(index) = party else { return None };
    let workload = world.workloads.get(*index).filter(|w| w.operated.is_none())?;
    Some(End::Pod(workload.policy_pod()))
}

fn end<'w>(world: &'w World<'_>, party: &'w Party) -> Option<End<'w>> {
    match party {
        Party::Workload(_) => pod(world, party),
        Party::Host(name) => Some(End::Host(name)),
        Party::Internet => Some(End::SomeHost),
        _ => None,
    }
}

/// Whether a rule lets the caller in and not everybody.
fn names_caller(ingress: &Side, reason: &Reason) -> bool {
    let same = |own: &Reason| own.cited == reason.cited && own.effect == Effect::Allows && own.names;
    ingress.reasons.iter().any(same)
}

/// The answer as a value, with a note for each rule.
fn rules(answer: Answer) -> Option<(PolicyVerdict, Vec<Note>)> {
    let (value, by) = match answer {
        Answer::Allowed(by) => (PolicyVerdict::Allowed, by),
        Answer::Denied(by) => (PolicyVerdict::Denied, by),
        Answer::Unrestricted => (PolicyVerdict::Unrestricted, Vec::new()),
        Answer::Undetermined(_) => return None,
    };
    let word = if value == PolicyVerdict::Denied { "stops it" } else { "lets it through" };
    let note = |r: Reason| Note::stated(r.cited.span, format!("{} {word}", r.cited.identity));
    Some((value, by.into_iter().map(note).collect()))
}
