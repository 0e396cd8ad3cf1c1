//! Shared directories of addresses.
//!
//! A ConfigMap that several workloads take whole by `envFrom` lists the addresses of many services; that a workload gets
//! the list does not show that it calls all of them. A workload that is itself in the list is one of the services, not
//! the client that the list was made for. Of such a workload only addresses are believed that something else ties to
//! it: a label that it shares with the called workload and that tells those in the list apart; or that are of what all
//! services use, such as databases and queues.

use kubestride_manifest::{EnvSourceKind, Object};
use kubestride_model::Confidence;
use kubestride_stencils::values::TechnologyClass;

use crate::address;
use crate::resolve::{Resolved, resolve};
use crate::secret_data;
use crate::world::World;

/// How sure it is that a workload calls the address in one entry of a ConfigMap or Secret that it takes whole.
pub(crate) fn confidence(world: &World<'_>, source: usize, object: Object<'_>, key: &str, text: &str) -> Confidence {
    let Some(workload) = world.workloads.get(source) else { return Confidence::Possible };
    let listed = targets(world, &workload.namespace, object);
    let shared = users(world, object) > 1;
    if !shared || listed.len() < 3 || !listed.iter().any(|(_, t)| *t == source) {
        return Confidence::Likely;
    }
    let called: Vec<usize> = of_text(world, &workload.namespace, key, text);
    let tied = called.iter().any(|target| {
        let Some(target) = world.workloads.get(*target) else { return false };
        let class = target.technology.map(|(technology, _)| technology.class);
        if matches!(class, Some(TechnologyClass::Database | TechnologyClass::Cache | TechnologyClass::Queue)) {
            return true;
        }
        workload.labels.iter().any(|(label, value)| {
            let same = target.labels.get(label) == Some(value);
            let others = listed.iter().filter_map(|(_, t)| world.workloads.get(*t));
            same && others.map(|o| o.labels.get(label)).any(|other| other != Some(value))
        })
    });
    if tied { Confidence::Likely } else { Confidence::Possible }
}

/// How many workloads take the object whole.
fn users(world: &World<'_>, object: Object<'_>) -> usize {
    let namespace = world.namespace_of(object);
    let kind = if object.kind() == "Secret" { EnvSourceKind::Secret } else { EnvSourceKind::ConfigMap };
    let name = kubestride_manifest::stable_name(object.kind(), object.name());
    let takes = |w: &&crate::world::WorkloadInfo<'_>| {
        let mut from = w.containers.iter().flat_map(|c| c.env_from());
        from.any(|f| f.kind == kind && kubestride_manifest::stable_name(object.kind(), f.name) == name)
    };
    world.pods.in_namespace(&namespace).iter().filter_map(|at| world.workloads.get(*at)).filter(takes).count()
}

/// The workloads that the entries of an object lead to.
fn targets<'o>(world: &World<'_>, namespace: &str, object: Object<'o>) -> Vec<(&'o str, usize)> {
    let mut out = Vec::new();
    for entry in secret_data::entries(object) {
        out.extend(of_text(world, namespace, entry.key, &entry.text).into_iter().map(|t| (entry.key, t)));
    }
    out
}

fn of_text(world: &World<'_>, namespace: &str, key: &str, text: &str) -> Vec<usize> {
    let addresses = crate::traffic::addresses(key, text);
    let service = |a: &address::Address| match resolve(world, namespace, &a.host) {
        Resolved::Service(service) => service.workloads.clone(),
        _ => Vec::new(),
    };
    addresses.iter().flat_map(service).collect()
}
