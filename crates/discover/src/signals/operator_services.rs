//! Services of type NodePort and LoadBalancer, and Ingresses and routes, that operators make because a custom resource
//! asks for them.

use kubestride_manifest::Object;
use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Entry;
use kubestride_yaml::Value;

use super::Signal;
use super::operators::REACHED_BY;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::kafka_listeners;
use crate::world::World;

pub(crate) struct OperatorServices;

impl Signal for OperatorServices {
    fn name(&self) -> &'static str {
        "operator-services"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate().filter(|(_, w)| w.operated.is_some()) {
            let Some(spec) = workload.object().spec() else { continue };
            let mut asked = Vec::new();
            services("", spec, false, 0, &mut asked);
            let of_services = asked.into_iter().map(|(entry, span)| (entry, span, None));
            for (entry, span, listener) in of_services.chain(listeners(workload.object())) {
                let what = if matches!(entry, Entry::Ingress) { "an Ingress or a route" } else { "a Service" };
                let why = format!("the operator makes {what} that is reached from outside");
                let note = Note::stated(span, why);
                let (source, target) = (Party::Internet, Party::Workload(index));
                let mut claim = FlowClaim::new(source, target, FlowKind::Exposure, note.clone());
                claim = claim.with(attr::ENTRY.id, attr::ENTRY.value(entry), note);
                if let Some((listener, port)) = listener {
                    claim.attributes.extend(kafka_listeners::says(listener));
                    (claim.port, claim.target_port) = (port, port);
                }
                claim.confidence = Confidence::Likely;
                claims.flows.push(claim);
            }
        }
    }
}

const MAX_DEPTH: usize = 16;
/// Fields with the type of a Service.
const TYPES: [&str; 3] = ["type", "serviceType", "exposeType"];

fn entry_of(text: &str) -> Option<Entry> {
    match text {
        "LoadBalancer" | "loadbalancer" => Some(Entry::LoadBalancer),
        "NodePort" | "nodeport" => Some(Entry::NodePort),
        "ingress" => Some(Entry::Ingress),
        "route" => Some(Entry::Ingress),
        _ => None,
    }
}

type Asked = (Entry, Span);

/// Types in parts of the specification that are about Services: `service: {type: LoadBalancer}`,
/// `http: {service: {spec: {type: NodePort}}}`, and switches that stand for them.
fn services(key: &str, value: Value<'_>, within: bool, depth: usize, out: &mut Vec<Asked>) {
    if depth > MAX_DEPTH {
        return;
    }
    let lower = key.to_ascii_lowercase();
    let within = within || lower.contains("service") || lower.starts_with("expose");
    for entry in value.entries() {
        let is_type = TYPES.contains(&entry.key) && (within || entry.key != "type");
        let written = entry.value.as_str().filter(|t| is_type && t.starts_with(|c: char| c.is_ascii_uppercase()));
        out.extend(written.and_then(entry_of).map(|e| (e, entry.value.span())));
        let switch = matches!(entry.key, "enableMasterLoadBalancer" | "enableReplicaLoadBalancer");
        if switch && entry.value.as_bool() == Some(true) {
            out.push((Entry::LoadBalancer, entry.value.span()));
        }
        if REACHED_BY.contains(&entry.key) && is_asked_for(entry.value) {
            out.push((Entry::Ingress, entry.value.span()));
        }
        services(entry.key, entry.value, within, depth + 1, out);
    }
    value.items().for_each(|item| services(key, item, within, depth + 1, out));
}

/// Whether an Ingress or a route is made from a part that is about it: it is switched on, or it says for which host or
/// with which specification. Empty and switched off parts ask for nothing.
fn is_asked_for(part: Value<'_>) -> bool {
    let switch = part.get("enabled").and_then(|e| e.as_bool());
    let kind = part.get("type").and_then(|t| t.as_str()).and_then(entry_of);
    let stated =
        ["host", "hostname"].iter().any(|key| part.get(key).and_then(|h| h.as_str()).is_some_and(|h| !h.is_empty()));
    let listed = ["hosts", "rules"].iter().any(|key| part.get(key).is_some_and(|l| l.items().next().is_some()));
    let spec = part.get("spec").is_some_and(|s| s.entries().next().is_some());
    switch.unwrap_or(kind.is_some() || stated || listed || spec)
}

/// Listeners of a Strimzi Kafka, whose types are names of their own, with their ports.
fn listeners<'a>(object: Object<'a>) -> impl Iterator<Item = (Entry, Span, Option<(Value<'a>, Option<u16>)>)> {
    kafka_listeners::listeners(object).filter_map(|(listener, port)| {
        let kind = listener.get("type")?;
        let entry = kind.as_str().filter(|t| t.starts_with(|c: char| c.is_ascii_lowercase())).and_then(entry_of)?;
        Some((entry, kind.span(), Some((listener, port))))
    })
}
