//! Shared directories of addresses.
//!
//! A ConfigMap that several workloads take whole by `envFrom` lists the addresses of many services; that a workload gets
//! the list does not show that it calls all of them. A workload that is itself in the list is one of the services, not
//! the client that the list was made for; and a list that is handed to services in it and to more others than it lists
//! was made for nobody in particular. Of such workloads only addresses are believed that something else ties to
//! it: a label that it shares with the called workload and that tells those in the list apart; or that are of what all
//! services use, such as databases and queues.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{EnvSourceKind, Object, stable_name};
use kubestride_model::Confidence;
use kubestride_stencils::values::TechnologyClass;

use crate::address;
use crate::resolve::{Resolved, resolve};
use crate::secret_data;
use crate::world::{WorkloadInfo, World};

/// The ConfigMaps and Secrets that are lists of addresses shared by several workloads, each looked at once.
#[derive(Default)]
pub(crate) struct Directories {
    /// By the kind, the namespace and the stable name.
    objects: BTreeMap<(EnvSourceKind, String, String), Directory>,
}

/// One list of addresses that several workloads take whole.
pub(crate) struct Directory {
    /// The workloads that each entry leads to, in the order of the entries.
    entries: Vec<Vec<usize>>,
    listed: BTreeSet<usize>,
    /// It was made for nobody in particular.
    for_everybody: bool,
    /// The labels that all listed workloads have.
    common: BTreeMap<String, String>,
}

impl Directories {
    pub(crate) fn read(world: &World<'_>) -> Self {
        let mut objects = BTreeMap::new();
        for (key, users) in users(world) {
            let (kind, namespace, name) = &key;
            let object = match kind {
                EnvSourceKind::Secret => world.secret(namespace, name),
                _ => world.config_map(namespace, name),
            };
            let directory =
                object.filter(|_| users.len() >= 2).and_then(|o| Directory::read(world, namespace, o, &users));
            objects.extend(directory.map(|directory| (key, directory)));
        }
        Self { objects }
    }

    /// The list in an object that a pod of a namespace takes whole by this name, if it is one.
    pub(crate) fn get(&self, kind: EnvSourceKind, namespace: &str, name: &str) -> Option<&Directory> {
        self.objects.get(&key(kind, namespace, name))
    }
}

impl Directory {
    fn read(world: &World<'_>, namespace: &str, object: Object<'_>, users: &[usize]) -> Option<Self> {
        let of_entry = |e: secret_data::Entry<'_>| of_text(world, namespace, e.key, &e.text);
        let entries: Vec<Vec<usize>> = secret_data::entries(object).into_iter().map(of_entry).collect();
        let named = entries.iter().map(Vec::len).sum::<usize>();
        if named < 3 {
            return None;
        }
        let listed: BTreeSet<usize> = entries.iter().flatten().copied().collect();
        let others = users.iter().filter(|user| !listed.contains(user)).count();
        let for_everybody = others > named && others < users.len();
        let common = common_labels(listed.iter().filter_map(|at| world.workloads.get(*at)));
        Some(Self { entries, listed, for_everybody, common })
    }

    /// How sure it is that a workload that takes the list calls the addresses in the entry at a position.
    pub(crate) fn confidence(&self, world: &World<'_>, source: usize, entry: usize) -> Confidence {
        if !(self.for_everybody || self.listed.contains(&source)) {
            return Confidence::Likely;
        }
        let Some(workload) = world.workloads.get(source) else { return Confidence::Possible };
        let called = self.entries.get(entry).map(Vec::as_slice).unwrap_or_default();
        let tied = called.iter().any(|target| {
            let Some(target) = world.workloads.get(*target) else { return false };
            let class = target.technology.map(|(technology, _)| technology.class);
            if matches!(class, Some(TechnologyClass::Database | TechnologyClass::Cache | TechnologyClass::Queue)) {
                return true;
            }
            let tells_apart = |label: &str, value: &str| self.common.get(label).is_none_or(|common| common != value);
            workload.labels.iter().any(|(l, value)| target.labels.get(l) == Some(value) && tells_apart(l, value))
        });
        if tied { Confidence::Likely } else { Confidence::Possible }
    }
}

fn key(kind: EnvSourceKind, namespace: &str, name: &str) -> (EnvSourceKind, String, String) {
    let of_kind = if kind == EnvSourceKind::Secret { "Secret" } else { "ConfigMap" };
    (kind, namespace.to_owned(), stable_name(of_kind, name).to_owned())
}

/// The workloads that take each object whole, in order.
fn users(world: &World<'_>) -> BTreeMap<(EnvSourceKind, String, String), Vec<usize>> {
    let mut users: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, workload) in world.workloads.iter().enumerate() {
        for from in workload.containers.iter().flat_map(|c| c.env_from()) {
            let of_object = users.entry(key(from.kind, &workload.namespace, from.name)).or_default();
            // Several of its containers may take it.
            if of_object.last() != Some(&at) {
                of_object.push(at);
            }
        }
    }
    users
}

fn common_labels<'w, 'a: 'w>(mut workloads: impl Iterator<Item = &'w WorkloadInfo<'a>>) -> BTreeMap<String, String> {
    let Some(first) = workloads.next() else { return BTreeMap::new() };
    let mut common: BTreeMap<String, String> =
        first.labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for workload in workloads {
        common.retain(|key, value| workload.labels.get(key) == Some(value.as_str()));
    }
    common
}

fn of_text(world: &World<'_>, namespace: &str, key: &str, text: &str) -> Vec<usize> {
    let addresses = crate::traffic::addresses(key, text);
    let service = |a: &address::Address| match resolve(world, namespace, &a.host) {
        Resolved::Service(service) => service.workloads.clone(),
        _ => Vec::new(),
    };
    addresses.iter().flat_map(service).collect()
}
