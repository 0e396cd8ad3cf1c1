//! Stores that are named after a workload: `orders` and `orders-db`. That is a custom, not a statement, so what it shows
//! is possible and no more.

use kubestride_model::{Confidence, FlowKind};
use kubestride_stencils::values::TechnologyClass;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::World;

pub(crate) struct Naming;

/// What people put behind the name of a workload to call its store.
const ENDS: [&str; 14] = [
    "db",
    "database",
    "data",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "cache",
    "memcached",
    "queue",
    "rabbitmq",
];

impl Signal for Naming {
    fn name(&self) -> &'static str {
        "naming"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (target, store) in world.workloads.iter().enumerate() {
            let Some((base, end)) = store.object().name().rsplit_once('-') else { continue };
            let keeps = store.technology.is_some_and(|(technology, _)| {
                matches!(technology.class, TechnologyClass::Database | TechnologyClass::Cache | TechnologyClass::Queue)
            });
            if !keeps || !ENDS.contains(&end) {
                continue;
            }
            let is_user = |at: &usize| world.workloads.get(*at).is_some_and(|w| w.object().name() == base);
            let Some(user) = world.pods.in_namespace(&store.namespace).iter().copied().find(is_user) else { continue };
            let note = Note::merged(store.span(), "it is named after the workload");
            let mut claim = FlowClaim::new(Party::Workload(user), Party::Workload(target), FlowKind::Traffic, note);
            claim.confidence = Confidence::Possible;
            claims.flows.push(claim);
        }
    }
}
