//! Mesh policies: which workloads ask their callers to prove who they are, and which say who may call.

use kubestride_policy::mesh::Mode;
use kubestride_stencils::values::{MutualTls, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::claims::{Claims, ControlClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct Mesh;

fn value(mode: Mode) -> MutualTls {
    match mode {
        Mode::Strict => MutualTls::Strict,
        // Where nothing is set the mesh accepts plain text.
        Mode::Permissive | Mode::Unset => MutualTls::Permissive,
        Mode::Disable => MutualTls::Disabled,
    }
}

impl Signal for Mesh {
    fn name(&self) -> &'static str {
        "mesh"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let subject = || Subject::Party(Party::Workload(index));
            if let Some(tls) = world.mesh.mutual_tls(&workload.namespace, &workload.labels) {
                let note = Note::stated(tls.span, tls.policy);
                claims.set(subject(), attr::MUTUAL_TLS.id, attr::MUTUAL_TLS.value(value(tls.mode)), note);
            }
            let authorization = world.mesh.authorization(&workload.namespace, &workload.labels);
            if let Some((policy, span)) = authorization.allowed_by.first()
                && authorization.admits_everyone.is_none()
            {
                let note = Note::stated(*span, policy.clone());
                claims.set(subject(), attr::MESH_AUTHORIZATION.id, attr::MESH_AUTHORIZATION.value(YesNo::Yes), note);
            }
        }
        controls(world, claims);
    }
}

fn controls(world: &World<'_>, claims: &mut Claims) {
    let selected = |namespace: &str, selector: &Option<kubestride_manifest::LabelSelector>| -> Vec<usize> {
        let here = |w: &crate::world::WorkloadInfo<'_>| namespace == "istio-system" || w.namespace == namespace;
        let matches = |w: &crate::world::WorkloadInfo<'_>| selector.as_ref().is_none_or(|s| s.matches(&w.labels));
        world.workloads.iter().enumerate().filter(|(_, w)| here(w) && matches(w)).map(|(i, _)| i).collect()
    };
    for policy in world.mesh.peers() {
        let subject = Subject::Control(policy.identity.clone());
        let note = Note::stated(policy.span, "");
        claims.set(subject, attr::MUTUAL_TLS.id, attr::MUTUAL_TLS.value(value(policy.mode)), note.clone());
        claims.controls.push(ControlClaim {
            identity: policy.identity.clone(),
            name: policy.name.to_owned(),
            stencil: stencil::PEER_AUTHENTICATION,
            namespace: Some(policy.namespace.clone()),
            workloads: selected(&policy.namespace, &policy.selector),
            note,
        });
    }
    for policy in world.mesh.authorizations() {
        if let Some(span) = policy.admits_everyone.filter(|_| policy.action == "ALLOW") {
            let subject = Subject::Control(policy.identity.clone());
            let note = Note::stated(span, "a rule without `from` admits every caller");
            claims.set(subject, attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
        }
        claims.controls.push(ControlClaim {
            identity: policy.identity.clone(),
            name: policy.name.to_owned(),
            stencil: stencil::AUTHORIZATION_POLICY,
            namespace: Some(policy.namespace.clone()),
            workloads: selected(&policy.namespace, &policy.selector),
            note: Note::stated(policy.span, ""),
        });
    }
}
