//! KEDA: the systems that its operator asks, to decide how many pods a workload needs.

use kubestride_manifest::Object;
use kubestride_model::Confidence;

use super::Signal;
use crate::claims::Claims;
use crate::traffic;
use crate::world::{WorkloadInfo, World};

pub(crate) struct Autoscalers;

impl Signal for Autoscalers {
    fn name(&self) -> &'static str {
        "autoscalers"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        // The triggers are asked by KEDA's operator, which is known by its image.
        let is_keda = |w: &WorkloadInfo<'_>| {
            let image =
                |c: &kubestride_manifest::Container<'_>| c.image().and_then(|i| i.as_str()).unwrap_or("").to_owned();
            w.containers.iter().map(image).any(|i| i.contains("/keda:") || i.contains("/keda@"))
        };
        let scaled: Vec<Object<'_>> = ["ScaledObject", "ScaledJob"]
            .into_iter()
            .flat_map(|kind| world.manifests.by_custom_kind("keda.sh", kind))
            .collect();
        if scaled.is_empty() {
            return;
        }
        let Some(operator) = world.workloads.iter().position(is_keda) else { return };
        for object in scaled {
            let triggers = object.spec().and_then(|s| s.get("triggers"));
            for metadata in triggers.into_iter().flat_map(|t| t.items()).filter_map(|t| t.get("metadata")) {
                for entry in metadata.entries() {
                    let why = format!("{} of a trigger of {}", entry.key, object.identity(&world.options.namespace));
                    let field = (entry.key, entry.value);
                    traffic::claim_field(world, operator, field, Confidence::Likely, &why, claims);
                }
            }
        }
    }
}
