//! KEDA: the systems that its operator asks, to decide how many pods a workload needs.

use kubestride_model::Confidence;
use kubestride_yaml::Value;

use super::Signal;
use crate::address;
use crate::claims::{Claims, Note};
use crate::traffic::{self, Finding};
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
        let Some(operator) = world.workloads.iter().position(is_keda) else { return };
        for kind in ["ScaledObject", "ScaledJob"] {
            for object in world.manifests.by_custom_kind("keda.sh", kind) {
                let triggers = object.spec().and_then(|s| s.get("triggers"));
                for metadata in triggers.into_iter().flat_map(|t| t.items()).filter_map(|t| t.get("metadata")) {
                    for entry in metadata.entries() {
                        asked(
                            world,
                            operator,
                            entry.key,
                            entry.value,
                            &object.identity(&world.options.namespace),
                            claims,
                        );
                    }
                }
            }
        }
    }
}

fn asked(world: &World<'_>, operator: usize, key: &str, value: Value<'_>, object: &str, claims: &mut Claims) {
    let Some(text) = value.as_str() else { return };
    let mut addresses = address::find(text);
    if addresses.is_empty() && traffic::is_address_key(key) {
        addresses.extend(address::bare(text));
    }
    for address in addresses {
        let place = value.subspan(address.range.clone());
        let note = Note::stated(place.unwrap_or(value.span()), format!("{key} of a trigger of {object}"));
        let finding = Finding { key, port: None, inside: Confidence::Likely, outside: Confidence::Likely, note };
        if traffic::claim(world, operator, &address, &finding, claims) {
            claims.reveals.extend(place);
        }
    }
}
