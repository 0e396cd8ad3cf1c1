//! Network policies: what they isolate, and the flows that they declare by naming both ends.

use kubestride_model::{Confidence, FlowKind, Value};
use kubestride_policy::network::{
    DeclaredPeer, Direction, Isolation as Isolated, Match, PodMatcher, Policy, PortRange, Ports,
};
use kubestride_stencils::values::{Isolation, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::world::{WorkloadInfo, World};

pub(crate) struct NetworkPolicySignal;

impl Signal for NetworkPolicySignal {
    fn name(&self) -> &'static str {
        "network-policies"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            isolation(world, index, workload, claims);
        }
        for policy in world.network.policies() {
            let selects = policy.selects();
            let selected: Vec<usize> = matching(world, &selects);
            control(world, policy, &selected, claims);
            // A policy for all pods of a namespace declares nothing about any of them.
            if !policy.pods.is_everything() {
                for peer in world.network.declared_peers(policy) {
                    declared(world, &peer, &selected, claims);
                }
            }
        }
    }
}

fn matching(world: &World<'_>, matcher: &PodMatcher) -> Vec<usize> {
    let mut found = world.pods.meant(matcher);
    found.retain(|at| world.workloads.get(*at).is_some_and(|w| matcher.matches(&w.policy_pod())));
    found
}

fn isolation(world: &World<'_>, index: usize, workload: &WorkloadInfo<'_>, claims: &mut Claims) {
    // An operator may give its pods other labels than those that are known, and policies too.
    if workload.operated.is_some() {
        return;
    }
    let pod = workload.policy_pod();
    let subject = || Subject::Party(Party::Workload(index));
    let isolations = world.network.isolation(&pod);
    let sides = [
        (isolations.ingress, isolations.ingress_by, attr::INGRESS_ISOLATION, "incoming"),
        (isolations.egress, isolations.egress_by, attr::EGRESS_ISOLATION, "outgoing"),
    ];
    for (isolated, by, attribute, side) in sides {
        let value = match isolated {
            Isolated::None | Isolated::Unknown => Isolation::None,
            Isolated::Restricted => Isolation::Restricted,
            Isolated::Open => Isolation::Open,
        };
        if isolated == Isolated::None {
            let note = Note::absent(Some(workload.span()), format!("no network policy selects it for {side} traffic"));
            // In a fragment the policy may be elsewhere.
            let value = if world.absence_counts() { attribute.value(value) } else { Value::Unknown };
            claims.set(subject(), attribute.id, value, note);
            continue;
        }
        if let Some(cited) = by.into_iter().next() {
            let value = if isolated == Isolated::Unknown { Value::Unknown } else { attribute.value(value) };
            claims.set(subject(), attribute.id, value, Note::stated(cited.span, cited.identity));
        }
    }
    let metadata = world.network.metadata_reachable(&pod);
    if let Some(cited) = metadata.by.first().filter(|_| metadata.reachable == Match::No) {
        let note = Note::stated(cited.span, "no rule for outgoing traffic admits 169.254.169.254");
        claims.set(subject(), attr::METADATA_REACHABLE.id, attr::METADATA_REACHABLE.value(YesNo::No), note);
    }
}

fn control(world: &World<'_>, policy: &Policy, selected: &[usize], claims: &mut Claims) {
    let subject = || Subject::Control(policy.identity.clone());
    claims.controls.push(ControlClaim {
        identity: policy.identity.clone(),
        name: policy.identity.rsplit('/').next().unwrap_or_default().to_owned(),
        stencil: stencil::NETWORK_POLICY,
        namespace: Some(policy.namespace.clone()),
        workloads: selected.to_vec(),
        note: Note::stated(policy.span, ""),
    });
    let populated = !world.pods.in_namespace(&policy.namespace).is_empty();
    if selected.is_empty() && !policy.pods.is_everything() && populated && world.absence_counts() {
        let note = Note::merged(policy.span, "no workload of its namespace has these labels");
        claims.set(subject(), attr::SELECTS_NOTHING.id, attr::SELECTS_NOTHING.value(YesNo::Yes), note);
    }
    if let Some(cited) = policy.admits_everyone() {
        let note = Note::stated(cited.span, "the rule admits everybody");
        claims.set(subject(), attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
    }
    if let Some(cited) = policy.dns_to_anywhere() {
        let note = Note::stated(cited.span, "the rule lets DNS go to any address");
        claims.set(subject(), attr::DNS_TO_ANYWHERE.id, attr::DNS_TO_ANYWHERE.value(YesNo::Yes), note);
    }
    let sides = [(Direction::Ingress, attr::DEFAULT_DENY_INGRESS), (Direction::Egress, attr::DEFAULT_DENY_EGRESS)];
    for (direction, attribute) in sides {
        // A policy for all pods denies by default even if it admits some peers.
        let denies = policy.rules(direction).is_some_and(|rules| !rules.iter().any(|r| r.names_nobody(direction)));
        if policy.pods.is_everything() && denies {
            let namespace = Subject::Namespace(policy.namespace.clone());
            let note = Note::stated(policy.span, policy.identity.clone());
            claims.set(namespace, attribute.id, attribute.value(YesNo::Yes), note);
        }
    }
}

/// Flows of a rule that names pods by their labels.
fn declared(world: &World<'_>, peer: &DeclaredPeer, selected: &[usize], claims: &mut Claims) {
    for other in matching(world, &peer.peer) {
        for one in selected {
            let (source, target) = match peer.direction {
                Direction::Ingress => (other, *one),
                Direction::Egress => (*one, other),
            };
            if source != target {
                connection(world, peer, source, target, claims);
            }
        }
    }
}

fn connection(world: &World<'_>, peer: &DeclaredPeer, source: usize, target: usize, claims: &mut Claims) {
    let resolve = |range: &PortRange| match &range.ports {
        Ports::Numbers(first, last) if first == last => Some(*first),
        Ports::Name(name) => world.workloads.get(target)?.named_port(name),
        Ports::Numbers(..) | Ports::All | Ports::None => None,
    };
    let mut ports: Vec<Option<u16>> = peer.ports.iter().map(resolve).collect();
    if ports.is_empty() {
        ports.push(None);
    }
    for port in ports {
        let note = Note::stated(peer.span, format!("{} names both ends", peer.policy));
        let mut claim = FlowClaim::new(Party::Workload(source), Party::Workload(target), FlowKind::Traffic, note);
        claim.confidence = Confidence::Likely;
        claim.target_port = port;
        // The caller uses the port of the Service that leads there, if there is one.
        let service = world.services_of(target).find_map(|s| Some((s, s.port_for(world, target, port?)?)));
        claim.port = service.map(|(_, p)| p).or(port);
        claim.via = service.map(|(s, _)| s.identity.clone());
        let technology = world.workloads.get(target).and_then(|w| w.technology).map(|(t, _)| t);
        let known = technology.filter(|t| port.is_some_and(|p| t.ports.contains(&p)));
        claim.protocol = known.map(|t| t.protocol.clone());
        claims.flows.push(claim);
    }
}
