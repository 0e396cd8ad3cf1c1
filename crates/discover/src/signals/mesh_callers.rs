//! Istio's AuthorizationPolicies and Sidecars: who calls whom, as their authors declare by naming both ends.

use std::collections::BTreeMap;

use kubestride_manifest::{LabelSelector, Labels, Object};
use kubestride_model::{Confidence, FlowKind, Origin};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resolve::{Resolved, resolve};
use crate::world::World;

pub(crate) struct MeshCallers;

impl Signal for MeshCallers {
    fn name(&self) -> &'static str {
        "mesh-callers"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        authorized(world, claims);
        for sidecar in world.manifests.by_custom_kind("networking.istio.io", "Sidecar") {
            configured(world, sidecar, claims);
        }
    }
}

/// The account of all pods for which nobody chose one, which names no caller.
const UNCHOSEN: &str = "default";

fn declared(source: usize, target: Party, port: Option<u16>, note: Note) -> FlowClaim {
    let mut claim = FlowClaim::new(Party::Workload(source), target, FlowKind::Traffic, note);
    (claim.port, claim.target_port) = (port, port);
    claim.confidence = Confidence::Likely;
    claim
}

/// The service accounts that policies for chosen workloads let through.
fn authorized(world: &World<'_>, claims: &mut Claims) {
    let objects: BTreeMap<String, Object<'_>> = world
        .manifests
        .by_custom_kind("security.istio.io", "AuthorizationPolicy")
        .map(|object| (object.identity(&world.options.namespace), object))
        .collect();
    for policy in world.mesh.authorizations() {
        // A policy for all pods of a namespace declares nothing about any of them.
        let targets: Vec<usize> = match (&policy.workloads, objects.get(&policy.cited.identity)) {
            (Some(selector), _) => {
                let candidates = match policy.namespace.as_str() {
                    root if world.mesh.is_root(root) => world.pods.candidates_anywhere(selector),
                    own => world.pods.candidates(own, selector),
                };
                let fits = |at: &usize| world.workloads.get(*at).is_some_and(|w| policy.selects(&w.policy_pod()));
                candidates.into_iter().filter(fits).collect()
            }
            (None, Some(object)) => behind_services(world, *object),
            (None, None) => Vec::new(),
        };
        for caller in policy.declared_sources().iter().filter(|c| c.service_account != UNCHOSEN) {
            let note = Note {
                origin: Origin::Declared,
                span: Some(caller.cited.span),
                text: format!("{} lets its service account through", caller.cited.identity),
            };
            for source in world.pods.running_as(&caller.namespace, &caller.service_account) {
                for target in targets.iter().filter(|target| *target != source) {
                    let ports: Vec<Option<u16>> = match caller.ports.as_slice() {
                        [] => vec![None],
                        ports => ports.iter().copied().map(Some).collect(),
                    };
                    for port in ports {
                        claims.flows.push(declared(*source, Party::Workload(*target), port, note.clone()));
                    }
                }
            }
        }
    }
}

/// The workloads behind the Services that a policy for the proxies in front of them names: `targetRefs`.
fn behind_services(world: &World<'_>, policy: Object<'_>) -> Vec<usize> {
    let namespace = world.namespace_of(policy);
    let references = policy.spec().and_then(|s| s.get("targetRefs")).into_iter().flat_map(|r| r.items());
    let text = |reference: Value<'_>, key: &str| reference.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let services = references.filter(|r| text(*r, "kind").as_deref() == Some("Service"));
    let names = services.filter_map(|r| text(r, "name"));
    names.filter_map(|name| world.service(&namespace, &name)).flat_map(|s| s.workloads.iter().copied()).collect()
}

/// The hosts that a Sidecar for chosen workloads is told about, one by one.
fn configured(world: &World<'_>, sidecar: Object<'_>, claims: &mut Claims) {
    let Some(spec) = sidecar.spec() else { return };
    let own = world.namespace_of(sidecar);
    let labels = spec.get("workloadSelector").and_then(|s| s.get("labels"));
    let selector = LabelSelector::from_labels(&Labels::read(labels));
    if selector.is_everything() {
        return;
    }
    let fits = |at: &usize| world.workloads.get(*at).is_some_and(|w| selector.matches(&w.labels));
    let sources: Vec<usize> = world.pods.candidates(&own, &selector).into_iter().filter(fits).collect();
    let egress = spec.get("egress").into_iter().flat_map(|e| e.items());
    for host in egress.filter_map(|e| e.get("hosts")).flat_map(|h| h.items()) {
        let Some((namespace, name)) = host.as_str().and_then(|h| h.split_once('/')) else { continue };
        if name.contains('*') {
            continue;
        }
        let namespace = if matches!(namespace, "." | "*") { own.as_str() } else { namespace };
        let targets: Vec<Party> = match resolve(world, namespace, name) {
            Resolved::Service(service) => service.workloads.iter().map(|w| Party::Workload(*w)).collect(),
            Resolved::Pods(workloads) => workloads.iter().map(|w| Party::Workload(*w)).collect(),
            Resolved::Made { workload, .. } => vec![Party::Workload(workload)],
            Resolved::Outside(party) => vec![party],
            Resolved::ApiServer | Resolved::Missing { .. } | Resolved::Word => Vec::new(),
        };
        for (source, target) in sources.iter().flat_map(|s| targets.iter().map(move |t| (*s, t.clone()))) {
            let note = Note {
                origin: Origin::Declared,
                span: Some(host.span()),
                text: format!("{} names it", sidecar.identity(&world.options.namespace)),
            };
            claims.flows.push(declared(source, target, None, note));
        }
    }
}
