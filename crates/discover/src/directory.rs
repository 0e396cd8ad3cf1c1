//! Shared directories of addresses.
//!
//! A ConfigMap that several workloads take whole by `envFrom` lists the addresses of many services; that a workload gets
//! the list does not show that it calls all of them. A workload that is itself in the list is one of the services, not
//! the client that the list was made for; and a list that is handed to services in it and to more others than it lists
//! was made for nobody in particular. Of such workloads only addresses are believed that something else ties to
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
    let users = users(world, object);
    let is_listed = |workload: usize| listed.iter().any(|(_, t)| *t == workload);
    let others = users.iter().filter(|user| !is_listed(**user)).count();
    let for_everybody = others > listed.len() && others < users.len();
    if users.len() < 2 || listed.len() < 3 || !(is_listed(source) || for_everybody) {
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

/// The workloads that take the object whole.
fn users(world: &World<'_>, object: Object<'_>) -> Vec<usize> {
    let namespace = world.namespace_of(object);
    let kind = if object.kind() == "Secret" { EnvSourceKind::Secret } else { EnvSourceKind::ConfigMap };
    let name = kubestride_manifest::stable_name(object.kind(), object.name());
    let takes = |at: &usize| {
        let containers = world.workloads.get(*at).map_or(&[][..], |w| &w.containers);
        let mut from = containers.iter().flat_map(|c| c.env_from());
        from.any(|f| f.kind == kind && kubestride_manifest::stable_name(object.kind(), f.name) == name)
    };
    world.pods.in_namespace(&namespace).iter().copied().filter(takes).collect()
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
