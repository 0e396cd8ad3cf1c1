//! What network policies say about a flow that something else showed.

use kubestride_policy::network::{Answer, Direction, Isolation};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::YesNo;

use crate::claims::{FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

/// Adds to a flow whether policies admit or refuse it. Where no policy decides, nothing is added.
pub(crate) fn by_policies(world: &World<'_>, mut claim: FlowClaim) -> FlowClaim {
    let Party::Workload(source) = claim.source else { return claim };
    let Some(source) = world.workloads.get(source) else { return claim };
    let (attribute, note) = match &claim.target {
        Party::Workload(target) => {
            let Some(target) = world.workloads.get(*target) else { return claim };
            match between(world, source, target, claim.target_port) {
                Some(found) => found,
                None => return claim,
            }
        }
        Party::Host(_) | Party::Internet => match refused_outside(world, source) {
            Some(note) => (attr::POLICY_DENIED, note),
            None => return claim,
        },
        _ => return claim,
    };
    claim = claim.with(attribute.id, attribute.value(YesNo::Yes), note);
    claim
}

type Decision = (kubestride_stencils::Attribute<YesNo>, Note);

fn between(
    world: &World<'_>,
    source: &WorkloadInfo<'_>,
    target: &WorkloadInfo<'_>,
    port: Option<u16>,
) -> Option<Decision> {
    // A port that is not known may be one that policies admit, so nothing can be said against it.
    match world.network.allows(&source.policy_pod(), &target.policy_pod(), port, "TCP") {
        // Egress rules alone say nothing about who else may call the target.
        Answer::Allowed(by) => {
            let restricted = world.network.isolation(&target.policy_pod()).ingress == Isolation::Restricted;
            let rule = by.last().filter(|_| restricted)?;
            Some((attr::POLICY_ADMITTED, Note::stated(rule.span, format!("{} admits it", rule.identity))))
        }
        Answer::Denied(by) => {
            let policy = by.first()?;
            Some((attr::POLICY_DENIED, Note::stated(policy.span, format!("{} refuses it", policy.identity))))
        }
        Answer::Unrestricted | Answer::Undetermined(_) => None,
    }
}

/// A policy that isolates a workload for outgoing traffic while no rule admits any address outside.
fn refused_outside(world: &World<'_>, source: &WorkloadInfo<'_>) -> Option<Note> {
    use kubestride_policy::network::PeerKind;
    let pod = source.policy_pod();
    let isolating: Vec<_> = world.network.selecting(&pod).filter(|p| p.rules(Direction::Egress).is_some()).collect();
    let outside = |rule: &kubestride_policy::network::Rule| {
        rule.admits_everybody() || rule.peers.iter().any(|p| matches!(p.kind, PeerKind::Block(_)))
    };
    if isolating.iter().flat_map(|p| p.rules(Direction::Egress).unwrap_or_default()).any(outside) {
        return None;
    }
    let policy = isolating.first()?;
    Some(Note::stated(policy.span, format!("{} admits no address outside", policy.identity)))
}
