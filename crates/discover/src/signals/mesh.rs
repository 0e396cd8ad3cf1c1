//! Mesh policies: which workloads ask their callers to prove who they are, and which say who may call.

use kubestride_policy::mesh::{Action, MutualTls as Policy};
use kubestride_stencils::values::{MutualTls, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::claims::{Claims, ControlClaim, Note, Party, Subject};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Mesh;

fn value(mode: Policy) -> MutualTls {
    match mode {
        Policy::Strict => MutualTls::Strict,
        Policy::Permissive => MutualTls::Permissive,
        Policy::Disabled => MutualTls::Disabled,
        Policy::None => MutualTls::None,
    }
}

/// The mutual TLS of a workload: the weakest of all its ports, and where it is set.
fn mutual_tls(world: &World<'_>, workload: &WorkloadInfo<'_>) -> Option<(MutualTls, Note)> {
    let pod = workload.policy_pod();
    let ports = workload.containers.iter().flat_map(|c| c.ports()).map(|p| Some(p.number));
    let modes = std::iter::once(None).chain(ports).map(|port| world.mesh.mutual_tls(&pod, port));
    let (mode, cited) = modes.filter(|(_, cited)| cited.is_some()).max_by_key(|(mode, _)| *mode)?;
    let cited = cited?;
    Some((value(mode), Note::stated(cited.span, cited.identity)))
}

impl Signal for Mesh {
    fn name(&self) -> &'static str {
        "mesh"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let subject = || Subject::Party(Party::Workload(index));
            if let Some((mode, note)) = mutual_tls(world, workload) {
                claims.set(subject(), attr::MUTUAL_TLS.id, attr::MUTUAL_TLS.value(mode), note);
            }
            let authorization = world.mesh.authorization(&workload.policy_pod());
            if let Some(policy) = authorization.selected.first().filter(|_| !authorization.admits_everyone) {
                let note = Note::stated(policy.span, policy.identity.clone());
                claims.set(subject(), attr::MESH_AUTHORIZATION.id, attr::MESH_AUTHORIZATION.value(YesNo::Yes), note);
            }
        }
        controls(world, claims);
    }
}

fn controls(world: &World<'_>, claims: &mut Claims) {
    let name = |identity: &str| identity.rsplit('/').next().unwrap_or_default().to_owned();
    for policy in world.mesh.authentications() {
        let fits = |w: &WorkloadInfo<'_>| policy.workloads.as_ref().is_none_or(|s| s.matches(&w.labels));
        claims.controls.push(ControlClaim {
            identity: policy.cited.identity.clone(),
            name: name(&policy.cited.identity),
            stencil: stencil::PEER_AUTHENTICATION,
            namespace: Some(policy.namespace.clone()),
            workloads: governed(world, &policy.namespace, fits),
            note: Note::stated(policy.cited.span, ""),
        });
    }
    for policy in world.mesh.authorizations() {
        if let Some(open) = policy.admits_everyone().filter(|_| policy.action == Action::Allow) {
            let subject = Subject::Control(open.identity);
            let note = Note::stated(open.span, "the rule admits every caller");
            claims.set(subject, attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
        }
        let selected = governed(world, &policy.namespace, |w| policy.selects(&w.policy_pod()));
        claims.controls.push(ControlClaim {
            identity: policy.cited.identity.clone(),
            name: name(&policy.cited.identity),
            stencil: stencil::AUTHORIZATION_POLICY,
            namespace: Some(policy.namespace.clone()),
            workloads: selected,
            note: Note::stated(policy.cited.span, ""),
        });
    }
}

/// The workloads that a policy of a namespace can be for, and is for. Those of the root namespace are for all.
fn governed(world: &World<'_>, namespace: &str, fits: impl Fn(&WorkloadInfo<'_>) -> bool) -> Vec<usize> {
    let everywhere = namespace == kubestride_policy::mesh::ROOT_NAMESPACE;
    let all: Vec<usize> =
        if everywhere { (0..world.workloads.len()).collect() } else { world.pods.in_namespace(namespace).to_vec() };
    all.into_iter().filter(|at| world.workloads.get(*at).is_some_and(&fits)).collect()
}
