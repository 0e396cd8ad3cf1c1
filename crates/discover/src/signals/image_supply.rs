//! Where images come from.

use std::collections::BTreeSet;

use kubestride_model::FlowKind;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::World;

pub(crate) struct ImageSupply;

/// The registry of an image reference, as container runtimes read it.
pub(crate) fn registry(image: &str) -> String {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first.to_ascii_lowercase(),
        _ => "docker.io".to_owned(),
    }
}

impl Signal for ImageSupply {
    fn name(&self) -> &'static str {
        "image-supply"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let mut seen = BTreeSet::new();
            for image in workload.containers.iter().filter_map(|c| c.image()) {
                let Some(text) = image.as_str().filter(|t| !t.is_empty()) else { continue };
                let host = registry(text);
                let note = Note::stated(image.span(), "");
                if seen.insert(host.clone()) {
                    let mut claim =
                        FlowClaim::new(Party::Registry(host), Party::Workload(index), FlowKind::Supply, note);
                    claim.implicit = true;
                    claim.protocol = Some("HTTPS".to_owned());
                    claims.flows.push(claim);
                }
            }
        }
    }
}
