//! Host names that a mesh adds: a ServiceEntry of Istio may stand for pods of the cluster, or for another name.
//! <https://istio.io/latest/docs/reference/config/networking/service-entry/>

use std::collections::BTreeMap;

use kubestride_manifest::{LabelSelector, Labels, Manifests};

use crate::address;
use crate::pod_index::PodIndex;
use crate::world::WorkloadInfo;

/// What a host name of a ServiceEntry stands for.
pub(crate) enum MeshHost {
    /// Workloads, by position.
    Pods(Vec<usize>),
    /// Another host name, as it is understood in a namespace.
    Alias { namespace: String, host: String },
}

/// Host names and what they stand for; without those that are hosts outside under their own name.
#[derive(Default)]
pub(crate) struct MeshHosts(BTreeMap<String, MeshHost>);

impl MeshHosts {
    pub(crate) fn read(
        manifests: &Manifests,
        default: &str,
        workloads: &[WorkloadInfo<'_>],
        pods: &PodIndex<'_>,
    ) -> Self {
        let mut hosts = BTreeMap::new();
        for entry in manifests.by_custom_kind("networking.istio.io", "ServiceEntry") {
            let Some(spec) = entry.spec() else { continue };
            let namespace = entry.namespace().unwrap_or(default);
            let labels = spec.get("workloadSelector").and_then(|s| s.get("labels"));
            let selector = labels.map(|labels| LabelSelector::from_labels(&Labels::read(Some(labels))));
            let selected = selector.filter(|s| !s.is_everything()).map(|selector| {
                let fits = |at: &usize| workloads.get(*at).is_some_and(|w| selector.matches(&w.labels));
                pods.candidates(namespace, &selector).into_iter().filter(fits).collect::<Vec<_>>()
            });
            let endpoints = spec.get("endpoints").into_iter().flat_map(|e| e.items());
            let addresses: Vec<&str> = endpoints.filter_map(|e| e.get("address")?.as_str()).collect();
            let names = spec.get("hosts").into_iter().flat_map(|h| h.items()).filter_map(|h| h.as_str());
            for name in names.filter(|name| !name.contains('*')) {
                let host = match (&selected, addresses.as_slice()) {
                    (Some(pods), _) if !pods.is_empty() => MeshHost::Pods(pods.clone()),
                    // An address in numbers stays behind the name that people gave it.
                    (None, [only]) if only.parse::<std::net::IpAddr>().is_err() => {
                        MeshHost::Alias { namespace: namespace.to_owned(), host: address::normal(only) }
                    }
                    _ => continue,
                };
                hosts.entry(address::normal(name)).or_insert(host);
            }
        }
        Self(hosts)
    }

    /// What a host name stands for, if a ServiceEntry of the input makes it stand for something else.
    pub(crate) fn get(&self, host: &str) -> Option<&MeshHost> {
        self.0.get(host)
    }
}
