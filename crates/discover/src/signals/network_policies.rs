//! Network policies: what they isolate, and the flows that they declare by naming both ends.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Identity, Labels};
use kubestride_model::{Confidence, FlowKind, StencilId, Value};
use kubestride_policy::Family;
use kubestride_policy::network::{
    DeclaredHost, DeclaredPeer, Direction, Isolation as Isolated, Listed, Match, NamedPods, PortRange, Ports, Subjects,
};
use kubestride_source::{Diagnostic, Span};
use kubestride_stencils::values::{Isolation, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::{Each, Signal};
use crate::Scope;
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::resolve::{Resolved, resolve};
use crate::world::{WorkloadInfo, World};

pub(crate) struct NetworkPolicySignal;

impl Signal for NetworkPolicySignal {
    fn name(&self) -> &'static str {
        "network-policies"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| isolation(world, index, workload, claims)))
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let namespaces: BTreeMap<&str, &Labels<'_>> =
            world.workloads.iter().map(|w| (w.namespace.as_str(), &w.namespace_labels)).collect();
        let policies = world.network.all();
        // Of several claims the first one holds: what is certain comes first.
        let (held, idle): (Vec<&Listed<'_>>, Vec<_>) = policies.iter().partition(|policy| policy.holds);
        for sure in [Match::Yes, Match::Unknown] {
            held.iter().for_each(|policy| default_denial(world, policy, sure, &namespaces, claims));
        }
        idle.iter().for_each(|policy| default_denial(world, policy, Match::Yes, &namespaces, claims));
        let mut large = Vec::new();
        for policy in policies {
            control(world, &policy, claims);
            openness(&policy, claims);
            let declared = policy.declared();
            for peer in &declared.peers {
                large.extend(connections(world, peer, claims).err());
            }
            for host in &declared.hosts {
                calls(world, host, claims);
            }
        }
        claims.diagnostics.extend(too_large(&large));
    }
}

fn matching(world: &World<'_>, named: &NamedPods) -> Vec<usize> {
    let mut found = world.pods.meant(&named.labels);
    found.retain(|at| world.workloads.get(*at).is_some_and(|w| named.matches(&w.policy_pod())));
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
        (isolations.ingress, isolations.ingress_by, attr::INGRESS_ISOLATION, Direction::Ingress),
        (isolations.egress, isolations.egress_by, attr::EGRESS_ISOLATION, Direction::Egress),
    ];
    for (isolated, by, attribute, direction) in sides {
        let side = if direction == Direction::Ingress { "incoming" } else { "outgoing" };
        let value = match isolated {
            Isolated::None | Isolated::Unknown => Isolation::None,
            Isolated::Restricted => Isolation::Restricted,
            Isolated::Open => Isolation::Open,
        };
        if isolated == Isolated::None {
            let idle = world.network.idle_for(&pod, direction).and_then(|(f, _)| world.enforcement.refuted(f));
            let none =
                || Note::absent(Some(workload.span()), format!("no network policy selects it for {side} traffic"));
            let note = idle.cloned().unwrap_or_else(none);
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

/// Which kind of control the policies of a family are.
fn stencil_of(family: Family) -> StencilId {
    match family {
        Family::Kubernetes => stencil::NETWORK_POLICY,
        Family::Admin => stencil::ADMIN_NETWORK_POLICY,
        Family::Cilium => stencil::CILIUM_NETWORK_POLICY,
        Family::Calico => stencil::CALICO_NETWORK_POLICY,
    }
}

fn control(world: &World<'_>, policy: &Listed<'_>, claims: &mut Claims) {
    let identity = &policy.cited.identity;
    let possible: BTreeSet<usize> = match (policy.candidates(), policy.namespace) {
        (Some(matchers), _) => matchers.iter().flat_map(|matcher| world.pods.meant(matcher)).collect(),
        (None, Some(namespace)) => world.pods.in_namespace(namespace).iter().copied().collect(),
        (None, None) => (0..world.workloads.len()).collect(),
    };
    let selects = |at: &usize| world.workloads.get(*at).map_or(Match::No, |w| policy.selects(&w.policy_pod()));
    let (mut selected, mut perhaps) = (Vec::new(), false);
    for at in possible {
        match selects(&at) {
            Match::Yes => selected.push(at),
            Match::Unknown => perhaps = true,
            Match::No => {}
        }
    }
    let populated = match policy.namespace {
        Some(namespace) => !world.pods.in_namespace(namespace).is_empty(),
        None => !world.workloads.is_empty(),
    };
    let selects_nothing = selected.is_empty() && !perhaps && populated;
    claims.controls.push(ControlClaim {
        identity: identity.clone(),
        name: Identity(identity).name().to_owned(),
        stencil: stencil_of(policy.family),
        namespace: policy.namespace.map(str::to_owned),
        workloads: selected,
        note: Note::stated(policy.cited.span, ""),
    });
    if selects_nothing && policy.subjects() == Subjects::Chosen && world.absence_counts() {
        let (value, text) = match policy.namespace {
            Some(_) => (attr::SELECTS_NOTHING.value(YesNo::Yes), "no workload of its namespace has these labels"),
            None if world.options.scope == Scope::Cluster => {
                (attr::SELECTS_NOTHING.value(YesNo::Yes), "no workload has these labels")
            }
            // A policy of the cluster may be for namespaces that are not part of the input.
            None => (Value::Unknown, "no workload of the input has these labels"),
        };
        let subject = Subject::Control(identity.clone());
        claims.set(subject, attr::SELECTS_NOTHING.id, value, Note::merged(policy.cited.span, text));
    }
}

/// The rules of a policy that are open to everybody.
fn openness(policy: &Listed<'_>, claims: &mut Claims) {
    let subject = || Subject::Control(policy.cited.identity.clone());
    if let Some(cited) = policy.admits_everyone() {
        let note = Note::stated(cited.span, "the rule admits everybody");
        claims.set(subject(), attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
    }
    if let Some(cited) = policy.dns_to_anywhere() {
        let note = Note::stated(cited.span, "the rule lets DNS go to any address");
        claims.set(subject(), attr::DNS_TO_ANYWHERE.id, attr::DNS_TO_ANYWHERE.value(YesNo::Yes), note);
    }
}

/// A policy for all pods of a namespace denies by default even if it admits some peers.
fn default_denial(
    world: &World<'_>,
    policy: &Listed<'_>,
    sure: Match,
    namespaces: &BTreeMap<&str, &Labels<'_>>,
    claims: &mut Claims,
) {
    let none = Labels::default();
    let own = policy.namespace.map(|name| (name, namespaces.get(name).copied().unwrap_or(&none)));
    let wide = namespaces.iter().filter(|_| own.is_none()).map(|(name, labels)| (*name, *labels));
    for (name, labels) in own.into_iter().chain(wide) {
        let sides = [(Direction::Ingress, attr::DEFAULT_DENY_INGRESS), (Direction::Egress, attr::DEFAULT_DENY_EGRESS)];
        for (direction, attribute) in sides {
            if policy.denies_by_default(direction, name, labels) != sure {
                continue;
            }
            if let Some(note) = world.enforcement.refuted(policy.family) {
                claims.set(Subject::Namespace(name.to_owned()), attribute.id, attribute.value(YesNo::No), note.clone());
            } else {
                let value = if sure == Match::Yes { attribute.value(YesNo::Yes) } else { Value::Unknown };
                let note = Note::stated(policy.cited.span, policy.cited.identity.clone());
                claims.set(Subject::Namespace(name.to_owned()), attribute.id, value, note);
            }
        }
    }
}

/// So many flows of one rule between groups are claimed. With more of them nobody sees who calls whom.
const MOST_IN_GROUPS: usize = 1_000;

/// A rule between groups that makes too many flows.
struct Large {
    policy: String,
    span: Span,
    selected: usize,
    others: usize,
}

/// Flows of a rule that names pods by their labels.
fn connections(world: &World<'_>, peer: &DeclaredPeer, claims: &mut Claims) -> Result<(), Large> {
    let selected = matching(world, &peer.selected);
    let others = matching(world, &peer.peer);
    // Who admits a group to itself, or one group to another, draws a border around what belongs together. That each of
    // them calls each other one is not said.
    let is_group = selected.len().min(others.len()) > 1 || others.iter().any(|o| selected.binary_search(o).is_ok());
    let pairs = selected.len().saturating_mul(others.len());
    if is_group && pairs.saturating_mul(peer.ports.len().max(1)) > MOST_IN_GROUPS {
        let (policy, span) = (peer.policy.clone(), peer.span);
        return Err(Large { policy, span, selected: selected.len(), others: others.len() });
    }
    let confidence = if is_group { Confidence::Possible } else { Confidence::Likely };
    for other in others {
        for one in &selected {
            let (source, target) = match peer.direction {
                Direction::Ingress => (other, *one),
                Direction::Egress => (*one, other),
            };
            if source != target {
                connection(world, peer, (source, target), confidence, claims);
            }
        }
    }
    Ok(())
}

/// That flows within groups are left out, said once by the largest.
fn too_large(rules: &[Large]) -> Option<Diagnostic> {
    let size = |rule: &&Large| rule.selected.saturating_mul(rule.others);
    let order = |rule: &&Large| (std::cmp::Reverse(size(rule)), rule.policy.clone(), rule.span);
    let most = rules.iter().min_by_key(order)?;
    let (selected, others) = (most.selected, most.others);
    let more = match rules.len() {
        1 => String::new(),
        n => format!(", and {} more rules do so for groups of such sizes", n - 1),
    };
    let text = format!(
        "{} lets {selected} workloads and {others} others connect{more}: who of them calls whom is not known, and no flow is \
         drawn from it",
        most.policy
    );
    Some(Diagnostic::note("large-group", text).at(most.span))
}

/// Flows of a rule that names a host outside.
fn calls(world: &World<'_>, host: &DeclaredHost, claims: &mut Claims) {
    let number = |range: &PortRange| match &range.ports {
        Ports::Numbers(first, last) if first == last => Some(*first),
        _ => None,
    };
    // One port for each, whatever its protocol.
    let mut ports: Vec<Option<u16>> = host.ports.iter().map(number).collect();
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() {
        ports.push(None);
    }
    for source in matching(world, &host.selected) {
        let Some(workload) = world.workloads.get(source) else { continue };
        // A name of the cluster is not outside, and rules for names are never about pods.
        let Resolved::Outside(target) = resolve(world, &workload.namespace, &host.host) else { continue };
        for port in &ports {
            let note = Note::stated(host.span, format!("{} names it", host.policy));
            let mut claim = FlowClaim::new(Party::Workload(source), target.clone(), FlowKind::Traffic, note);
            claim.confidence = Confidence::Likely;
            (claim.port, claim.target_port) = (*port, *port);
            claims.flows.push(claim);
        }
    }
}

fn connection(
    world: &World<'_>,
    peer: &DeclaredPeer,
    (source, target): (usize, usize),
    confidence: Confidence,
    claims: &mut Claims,
) {
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
        claim.confidence = confidence;
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
