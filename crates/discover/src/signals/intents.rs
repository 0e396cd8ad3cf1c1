//! Otterize's ClientIntents: whom a workload means to call, as its owner declared or a mapper exported it.

use kubestride_model::{Confidence, FlowKind, Origin};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Intents;

impl Signal for Intents {
    fn name(&self) -> &'static str {
        "intents"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for object in world.manifests.by_custom_kind("k8s.otterize.com", "ClientIntents") {
            let Some(spec) = object.spec() else { continue };
            let namespace = world.namespace_of(object);
            // `service` and `calls` before version v2alpha1, `workload` and `targets` since.
            let client = spec.get("workload").or_else(|| spec.get("service"));
            let Some(source) = client.and_then(|c| c.get("name")?.as_str()).and_then(|n| named(world, &namespace, n))
            else {
                continue;
            };
            let calls = spec.get("targets").or_else(|| spec.get("calls"));
            for call in calls.into_iter().flat_map(|c| c.items()) {
                for target in targets(world, &namespace, call) {
                    let note = Note {
                        origin: Origin::Declared,
                        span: Some(call.span()),
                        text: format!("{} names it", object.identity(&world.options.namespace)),
                    };
                    let mut claim = FlowClaim::new(Party::Workload(source), target, FlowKind::Traffic, note);
                    claim.confidence = Confidence::Likely;
                    claims.flows.push(claim);
                }
            }
        }
    }
}

/// The workload of a name, with or without its namespace: `orders`, `orders.shop`; a Service is written `svc:orders`.
fn named(world: &World<'_>, namespace: &str, name: &str) -> Option<usize> {
    let name = name.strip_prefix("svc:").unwrap_or(name);
    let (name, namespace) = name.split_once('.').unwrap_or((name, namespace));
    let service = || world.service(namespace, name).and_then(|s| s.workloads.first().copied());
    let fits = |at: &&usize| world.workloads.get(**at).is_some_and(|w: &WorkloadInfo<'_>| w.object().name() == name);
    world.pods.in_namespace(namespace).iter().find(fits).copied().or_else(service)
}

fn targets(world: &World<'_>, namespace: &str, call: Value<'_>) -> Vec<Party> {
    let name = |holder: Value<'_>| holder.get("name").and_then(|n| n.as_str()).and_then(|n| named(world, namespace, n));
    let holders = ["kubernetes", "service", "kafka"].into_iter().filter_map(|key| call.get(key));
    let mut out: Vec<Party> = holders.chain([call]).filter_map(name).map(Party::Workload).collect();
    let domains = call.get("internet").and_then(|i| i.get("domains"));
    let hosts = domains.into_iter().flat_map(|d| d.items()).filter_map(|d| d.as_str());
    out.extend(hosts.map(|host| Party::Host(host.to_ascii_lowercase())));
    out
}
