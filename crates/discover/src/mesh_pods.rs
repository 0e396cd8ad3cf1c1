//! What meshes see of workloads, gathered once.

use std::collections::BTreeMap;

use kubestride_manifest::{Labels, Object};
use kubestride_policy::{MeshPod, MeshService};

use crate::world::{ServiceInfo, WorkloadInfo};

/// One entry for each workload.
pub(crate) struct MeshPods<'a>(Vec<Held<'a>>);

struct Held<'a> {
    annotations: Labels<'a>,
    namespace_annotations: Labels<'a>,
    containers: Vec<&'a str>,
    services: Vec<MeshService<'a>>,
}

impl<'a> MeshPods<'a> {
    pub(crate) fn new(
        workloads: &[WorkloadInfo<'a>],
        services: &[ServiceInfo<'a>],
        namespaces: &BTreeMap<String, Object<'a>>,
    ) -> Self {
        let annotations =
            |metadata: Option<kubestride_yaml::Value<'a>>| Labels::read(metadata.and_then(|m| m.get("annotations")));
        let held = |workload: &WorkloadInfo<'a>| Held {
            annotations: annotations(workload.workload.template.value().and_then(|t| t.get("metadata"))),
            namespace_annotations: annotations(namespaces.get(&workload.namespace).and_then(|n| n.metadata())),
            containers: workload.containers.iter().map(|container| container.name()).collect(),
            services: Vec::new(),
        };
        let mut all: Vec<Held<'a>> = workloads.iter().map(held).collect();
        for service in services {
            let waypoint = service.service.object.label("istio.io/use-waypoint");
            for at in &service.workloads {
                if let Some(held) = all.get_mut(*at) {
                    held.services.push(MeshService { name: service.name, waypoint });
                }
            }
        }
        Self(all)
    }

    /// The pods of a workload, given its position in the world.
    pub(crate) fn of<'w>(&'w self, at: usize, workload: &'w WorkloadInfo<'a>) -> Option<MeshPod<'w>> {
        let held = self.0.get(at)?;
        Some(MeshPod {
            pod: workload.policy_pod(),
            annotations: &held.annotations,
            namespace_annotations: &held.namespace_annotations,
            containers: &held.containers,
            services: &held.services,
        })
    }
}
