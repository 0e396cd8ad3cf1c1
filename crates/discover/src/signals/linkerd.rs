//! Linkerd's policies as controls, and which workloads they guard.

use std::collections::BTreeMap;

use kubestride_manifest::Identity;
use kubestride_stencils::values::YesNo;
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::claims::{Claims, ControlClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct LinkerdPolicies;

impl Signal for LinkerdPolicies {
    fn name(&self) -> &'static str {
        "linkerd"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let name = |identity: &str| Identity(identity).name().to_owned();
        let mut guarded: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, workload) in world.workloads.iter().enumerate().filter(|(_, w)| w.operated.is_none()) {
            for server in world.linkerd.selecting(&workload.policy_pod()) {
                guarded.entry(server.cited.identity.clone()).or_default().push(at);
            }
        }
        for server in world.linkerd.servers() {
            let identity = &server.cited.identity;
            let workloads = guarded.remove(identity).unwrap_or_default();
            for at in &workloads {
                let subject = Subject::Party(Party::Workload(*at));
                let note = Note::stated(server.cited.span, identity.clone());
                claims.set(subject, attr::MESH_AUTHORIZATION.id, attr::MESH_AUTHORIZATION.value(YesNo::Yes), note);
            }
            claims.controls.push(ControlClaim {
                identity: identity.clone(),
                name: name(identity),
                stencil: stencil::MESH_SERVER,
                namespace: Some(server.namespace.clone()),
                workloads,
                note: Note::stated(server.cited.span, ""),
            });
        }
        for policy in world.linkerd.authorizations() {
            let identity = &policy.cited.identity;
            if let Some(span) = policy.admits_everyone() {
                let note = Note::stated(span, "it admits callers without an identity");
                let subject = Subject::Control(identity.clone());
                claims.set(subject, attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
            }
            claims.controls.push(ControlClaim {
                identity: identity.clone(),
                name: name(identity),
                stencil: stencil::AUTHORIZATION_POLICY,
                namespace: Some(policy.namespace.clone()),
                workloads: Vec::new(),
                note: Note::stated(policy.cited.span, ""),
            });
        }
    }
}
