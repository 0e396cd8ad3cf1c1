//! Secrets, ConfigMaps, claims and paths of the host that custom resources name for the pods that are made from them.

use kubestride_model::{Access, Confidence, FlowKind};

use super::Signal;
use super::stores::{named, path_of_host};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resource_references::{Named, references};
use crate::world::World;

pub(crate) struct OperatorStores;

impl Signal for OperatorStores {
    fn name(&self) -> &'static str {
        "operator-stores"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate().filter(|(_, w)| w.operated.is_some()) {
            let Some(spec) = workload.object().spec() else { continue };
            for reference in references(spec) {
                let store = match reference.named {
                    Named::Secret(name) => named("Secret", &workload.namespace, name),
                    Named::ConfigMap(name) => named("ConfigMap", &workload.namespace, name),
                    Named::Claim(name) => named("PersistentVolumeClaim", &workload.namespace, name),
                    Named::HostPath(path) => path_of_host(path),
                };
                let note = Note::stated(reference.span, format!("{} names it", workload.identity));
                let (source, target) = (Party::Workload(index), Party::Store(store));
                let mut claim = FlowClaim::new(source, target, FlowKind::Store, note);
                claim.access = Some(Access::Read);
                claim.confidence = Confidence::Likely;
                claims.flows.push(claim);
            }
        }
    }
}
