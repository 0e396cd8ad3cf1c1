//! Host names by which Ingresses lead to workloads. The one that leads to a workload alone is its own name: it holds it
//! to write links and to check where requests come from, not to call itself.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::Manifests;

use crate::address;
use crate::world::ServiceInfo;

/// Host names with the workloads behind them, by position; none stands for a backend that is not in the input.
#[derive(Default)]
pub(crate) struct PublicNames(BTreeMap<String, BTreeSet<Option<usize>>>);

impl PublicNames {
    pub(crate) fn read(manifests: &Manifests, default: &str, services: &[ServiceInfo<'_>]) -> Self {
        let mut names: BTreeMap<String, BTreeSet<Option<usize>>> = BTreeMap::new();
        for ingress in manifests.by_kind("Ingress") {
            let namespace = ingress.effective_namespace(default).unwrap_or_default();
            let rules = ingress.spec().and_then(|s| s.get("rules")).into_iter().flat_map(|r| r.items());
            for (host, rule) in rules.filter_map(|rule| Some((rule.get("host")?.as_str()?, rule))) {
                let behind = names.entry(address::normal(host)).or_default();
                let paths = rule.get("http").and_then(|h| h.get("paths"));
                for backend in paths.into_iter().flat_map(|p| p.items()).filter_map(|path| path.get("backend")) {
                    let name =
                        backend.get("service").and_then(|s| s.get("name")).or_else(|| backend.get("serviceName"));
                    let name = name.and_then(|n| n.as_str());
                    let service = services.iter().find(|s| s.namespace == namespace && Some(s.name) == name);
                    match service.filter(|s| !s.workloads.is_empty()) {
                        Some(service) => behind.extend(service.workloads.iter().map(|w| Some(*w))),
                        None => drop(behind.insert(None)),
                    }
                }
            }
        }
        Self(names)
    }

    /// Whether a host name leads to this workload and to nothing else.
    pub(crate) fn is_own(&self, host: &str, workload: usize) -> bool {
        self.0.get(host).is_some_and(|behind| behind.len() == 1 && behind.contains(&Some(workload)))
    }
}
