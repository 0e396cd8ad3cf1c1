//! Network policies: what they isolate, and the flows that they declare by naming both ends.

use std::collections::BTreeMap;

use kubestride_manifest::Labels;
use kubestride_model::{Confidence, FlowKind};
use kubestride_policy::network::{Direction, Isolation as Isolated, Peer, Pod, Policy, PortNumber, Rule};
use kubestride_stencils::values::{Isolation, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct NetworkPolicySignal;

/// What policies ask of pods, for every workload.
struct Pods<'w> {
    namespace_labels: BTreeMap<String, Labels<'w>>,
    named_ports: Vec<Vec<(&'w str, u16)>>,
}

impl<'w> Pods<'w> {
    fn new(world: &'w World<'_>) -> Self {
        let names = world.workloads.iter().map(|w| w.namespace.clone());
        let mut namespace_labels = BTreeMap::new();
        for name in names {
            if let Some(workload) = world.workloads.iter().find(|w| w.namespace == name) {
                namespace_labels.entry(name).or_insert_with(|| world.namespace_labels(&workload.namespace));
            }
        }
        let ports = |w: &'w crate::world::WorkloadInfo<'_>| {
            w.containers.iter().flat_map(|c| c.ports()).filter_map(|p| Some((p.name?, p.number))).collect()
        };
        Self { namespace_labels, named_ports: world.workloads.iter().map(ports).collect() }
    }

    fn pod<'p>(&'p self, world: &'p World<'_>, index: usize) -> Option<Pod<'p>> {
        let workload = world.workloads.get(index)?;
        Some(Pod {
            namespace: &workload.namespace,
            labels: &workload.labels,
            namespace_labels: self.namespace_labels.get(&workload.namespace)?,
            named_ports: self.named_ports.get(index)?,
        })
    }
}

impl Signal for NetworkPolicySignal {
    fn name(&self) -> &'static str {
        "network-policies"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let pods = Pods::new(world);
        for index in 0..world.workloads.len() {
            isolation(world, &pods, index, claims);
        }
        for policy in world.network.policies() {
            let selected: Vec<usize> = (0..world.workloads.len())
                .filter(|i| pods.pod(world, *i).is_some_and(|p| policy.selects(&p)))
                .collect();
            control(world, policy, &selected, claims);
            for rule in &policy.rules {
                declared(world, &pods, policy, rule, &selected, claims);
            }
        }
    }
}

fn isolation(world: &World<'_>, pods: &Pods<'_>, index: usize, claims: &mut Claims) {
    let Some(pod) = pods.pod(world, index) else { return };
    let subject = || Subject::Party(Party::Workload(index));
    let isolations = world.network.isolation(&pod);
    let sides = [
        (isolations.ingress, isolations.ingress_by, attr::INGRESS_ISOLATION, "incoming"),
        (isolations.egress, isolations.egress_by, attr::EGRESS_ISOLATION, "outgoing"),
    ];
    let workload = world.workloads.get(index);
    for (isolated, by, attribute, side) in sides {
        let value = match isolated {
            Isolated::None => Isolation::None,
            Isolated::Restricted => Isolation::Restricted,
            Isolated::Open => Isolation::Open,
        };
        if isolated == Isolated::None {
            let note =
                Note::absent(workload.map(|w| w.span()), format!("no NetworkPolicy selects it for {side} traffic"));
            // In a fragment the policy may be elsewhere.
            let value = if world.absence_counts() { attribute.value(value) } else { kubestride_model::Value::Unknown };
            claims.set(subject(), attribute.id, value, note);
        }
        if let Some((policy, span)) = by.first() {
            claims.set(subject(), attribute.id, attribute.value(value), Note::stated(*span, policy.clone()));
        }
    }
    let (reachable, span) = world.network.metadata_reachable(&pod);
    if let (false, Some(span)) = (reachable, span) {
        let note = Note::stated(span, "no rule for outgoing traffic admits 169.254.169.254");
        claims.set(subject(), attr::METADATA_REACHABLE.id, attr::METADATA_REACHABLE.value(YesNo::No), note);
    }
}

fn control(world: &World<'_>, policy: &Policy<'_>, selected: &[usize], claims: &mut Claims) {
    let subject = || Subject::Control(policy.identity.clone());
    claims.controls.push(ControlClaim {
        identity: policy.identity.clone(),
        name: policy.name.to_owned(),
        stencil: stencil::NETWORK_POLICY,
        namespace: Some(policy.namespace.clone()),
        workloads: selected.to_vec(),
        note: Note::stated(policy.span, ""),
    });
    let populated = world.workloads.iter().any(|w| w.namespace == policy.namespace);
    if selected.is_empty() && !policy.selector.is_everything() && populated && world.absence_counts() {
        let note = Note::merged(policy.span, "no workload of its namespace has these labels");
        claims.set(subject(), attr::SELECTS_NOTHING.id, attr::SELECTS_NOTHING.value(YesNo::Yes), note);
    }
    if let Some(rule) = policy.rules.iter().find(|r| r.admits_everybody()) {
        let note = Note::stated(rule.span, "the rule admits everybody");
        claims.set(subject(), attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
    }
    if let Some(span) = policy.dns_to_anywhere() {
        let note = Note::stated(span, "the rule lets DNS go to any address");
        claims.set(subject(), attr::DNS_TO_ANYWHERE.id, attr::DNS_TO_ANYWHERE.value(YesNo::Yes), note);
    }
    let sides = [(Direction::Ingress, attr::DEFAULT_DENY_INGRESS), (Direction::Egress, attr::DEFAULT_DENY_EGRESS)];
    for (direction, attribute) in sides {
        // A policy for all pods denies by default even if it admits some peers.
        let admits_all = policy.rules.iter().any(|r| r.direction == direction && r.admits_every_peer());
        if policy.isolates(direction) && policy.selector.is_everything() && !admits_all {
            let namespace = Subject::Namespace(policy.namespace.clone());
            claims.set(
                namespace,
                attribute.id,
                attribute.value(YesNo::Yes),
                Note::stated(policy.span, policy.identity.clone()),
            );
        }
    }
}

/// Flows of a rule that names pods by their labels. Peers that admit a whole namespace or everybody name nobody.
fn declared(
    world: &World<'_>,
    pods: &Pods<'_>,
    policy: &Policy<'_>,
    rule: &Rule<'_>,
    selected: &[usize],
    claims: &mut Claims,
) {
    // A policy for all pods of a namespace declares nothing about any of them.
    if policy.selector.is_everything() {
        return;
    }
    for (peer, span) in &rule.peers {
        let Peer::Pods { pods: Some(labels), .. } = peer else { continue };
        if labels.is_everything() {
            continue;
        }
        for other in 0..world.workloads.len() {
            if !pods.pod(world, other).is_some_and(|p| rule.names(peer, &policy.namespace, &p)) {
                continue;
            }
            for one in selected {
                let (source, target) = match rule.direction {
                    Direction::Ingress => (other, *one),
                    Direction::Egress => (*one, other),
                };
                if source != target {
                    connection(world, policy, rule, *span, source, target, claims);
                }
            }
        }
    }
}

fn connection(
    world: &World<'_>,
    policy: &Policy<'_>,
    rule: &Rule<'_>,
    span: kubestride_source::Span,
    source: usize,
    target: usize,
    claims: &mut Claims,
) {
    let resolve = |number: &PortNumber<'_>| match number {
        PortNumber::Range(first, last) if first == last => Some(*first),
        PortNumber::Named(name) => world.workloads.get(target)?.named_port(name),
        PortNumber::Range(..) | PortNumber::Any => None,
    };
    let mut ports: Vec<Option<u16>> = rule.ports.iter().map(|p| resolve(&p.number)).collect();
    if ports.is_empty() {
        ports.push(None);
    }
    for port in ports {
        let note = Note::stated(span, format!("{} names both ends", policy.identity));
        let mut claim = FlowClaim::new(Party::Workload(source), Party::Workload(target), FlowKind::Traffic, note);
        claim.confidence = Confidence::Likely;
        claim.target_port = port;
        // The caller uses the port of the Service that leads there, if there is one.
        let service = world.services.iter().find_map(|s| {
            let leads = s.workloads.contains(&target);
            leads.then(|| port.and_then(|p| s.port_for(world, target, p))).flatten().map(|p| (s, p))
        });
        claim.port = service.map(|(_, p)| p).or(port);
        claim.via = service.map(|(s, _)| s.identity.clone());
        let technology = world.workloads.get(target).and_then(|w| w.technology).map(|(t, _)| t);
        let known = technology.filter(|t| port.is_some_and(|p| t.ports.contains(&p)));
        claim.protocol = known.map(|t| t.protocol.clone());
        claims.flows.push(claim);
    }
}
