//! Mesh policies: which workloads ask their callers to prove who they are, which say who may call, what goes around them.

use kubestride_manifest::Identity;
use kubestride_model::Value;
use kubestride_policy::mesh::{
    Action, Dataplane, Mesh as Policies, MutualTls as Policy, TokenCheck as Check, goes_around,
};
use kubestride_policy::{Admits, Cited, Match, MeshPod, linkerd};
use kubestride_stencils::values::{MeshAdmits, MeshBypass, MutualTls, TokenCheck, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::{Each, Signal};
use crate::claims::{Claims, ControlClaim, Note, Party, Subject};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Mesh;

fn value(mode: Policy) -> Value {
    attr::MUTUAL_TLS.value(match mode {
        Policy::Strict => MutualTls::Strict,
        Policy::Permissive => MutualTls::Permissive,
        Policy::Disabled => MutualTls::Disabled,
        Policy::None => MutualTls::None,
        Policy::Undetermined => return Value::Unknown,
    })
}

/// The mutual TLS of a workload: the weakest of all its ports, and where it is set.
fn mutual_tls(policies: &Policies, workload: &WorkloadInfo<'_>) -> Option<(Value, Note)> {
    let pod = workload.policy_pod();
    let ports = workload.containers.iter().flat_map(|c| c.ports()).map(|p| Some(p.number));
    let modes = std::iter::once(None).chain(ports).map(|port| policies.mutual_tls(&pod, port));
    let (mode, cited) = modes.filter(|(_, cited)| cited.is_some()).max_by_key(|(mode, _)| *mode)?;
    let cited = cited?;
    Some((value(mode), Note::stated(cited.span, cited.identity)))
}

impl Signal for Mesh {
    fn name(&self) -> &'static str {
        "mesh"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            let subject = || Subject::Party(Party::Workload(index));
            let Some(pod) = world.mesh_pods.of(index, workload) else { return };
            if let Some((bypass, note)) = bypass(&pod, workload).filter(|_| workload.operated.is_none()) {
                claims.set(subject(), attr::MESH_BYPASS.id, attr::MESH_BYPASS.value(bypass), note);
            }
            if let Some((admits, notes)) = admits(world, &pod, workload).filter(|_| workload.operated.is_none()) {
                let mut notes = notes.into_iter();
                let first =
                    notes.next().unwrap_or_else(|| Note::merged(workload.span(), "a default of the mesh decides"));
                claims.set(subject(), attr::MESH_ADMITS.id, attr::MESH_ADMITS.value(admits), first);
                notes.for_each(|note| claims.also(subject(), attr::MESH_ADMITS.id, note));
            }
            // Without a proxy nothing enforces the policies that select it.
            if Dataplane::of(&pod) == Dataplane::Outside {
                return;
            }
            if let Some((value, note)) = mutual_tls(&world.mesh, workload) {
                claims.set(subject(), attr::MUTUAL_TLS.id, value, note);
            }
            let authorization = world.mesh.authorization(&workload.policy_pod());
            if let Some(policy) = authorization.selected.first().filter(|_| !authorization.admits_everyone) {
                let note = Note::stated(policy.span, policy.identity.clone());
                claims.set(subject(), attr::MESH_AUTHORIZATION.id, attr::MESH_AUTHORIZATION.value(YesNo::Yes), note);
            }
            if let Some((value, note)) = tokens(world, workload) {
                claims.set(subject(), attr::TOKEN_CHECK.id, value, note);
            }
        }))
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        controls(world, claims);
    }
}

/// Whom the policies of a mesh let through to a workload, if that is not everybody.
fn admits(world: &World<'_>, pod: &MeshPod<'_>, workload: &WorkloadInfo<'_>) -> Option<(MeshAdmits, Vec<Note>)> {
    let ports: Vec<u16> = workload.containers.iter().flat_map(|c| c.ports()).map(|port| port.number).collect();
    // One of the meshes is enough: a pod is in one at most.
    let answers = [world.mesh.admits(pod, &ports), world.linkerd.admits(pod, &ports)];
    let (admits, by) = answers.into_iter().flatten().max_by_key(|(admits, _)| *admits)?;
    let (value, text) = match admits {
        Admits::Everybody => return None,
        Admits::Members => (MeshAdmits::Members, "refuses callers without a certificate of the mesh"),
        Admits::Named => (MeshAdmits::Named, "refuses callers that it does not name"),
    };
    let note = |cited: &Cited| Note::stated(cited.span, format!("{} {text}", cited.identity));
    Some((value, by.iter().map(note).collect()))
}

/// What becomes of requests without a token.
fn tokens(world: &World<'_>, workload: &WorkloadInfo<'_>) -> Option<(Value, Note)> {
    let check = |check| attr::TOKEN_CHECK.value(check);
    match world.mesh.token_check(&workload.policy_pod()) {
        Check::None => None,
        // In a fragment the policy that asks for a token may be elsewhere.
        Check::IfPresent(cited) if world.absence_counts() => {
            let text = format!("{} checks tokens, and no policy asks for one", cited.identity);
            Some((check(TokenCheck::IfPresent), Note::stated(cited.span, text)))
        }
        Check::IfPresent(cited) => Some((Value::Unknown, Note::stated(cited.span, cited.identity))),
        Check::Demanded(cited) => {
            let text = format!("{} asks for a token", cited.identity);
            Some((check(TokenCheck::Demanded), Note::stated(cited.span, text)))
        }
        Check::Undetermined => {
            let text = "policies for gateways or Services may ask for a token";
            Some((Value::Unknown, Note::merged(workload.span(), text)))
        }
    }
}

/// What goes around the mesh of a workload's namespace.
fn bypass(pod: &MeshPod<'_>, workload: &WorkloadInfo<'_>) -> Option<(MeshBypass, Note)> {
    let istio = Dataplane::of(pod);
    let outside = Dataplane::is_wanted_by_namespace(&pod.pod) && istio == Dataplane::Outside
        || linkerd::is_wanted_by_namespace(pod) && linkerd::membership(pod) == Match::No;
    if outside {
        let keys = ["sidecar.istio.io/inject", "linkerd.io/inject"];
        let template = workload.workload.template;
        let place = keys.iter().find_map(|key| {
            let mut stated = template.labels().chain(template.annotations());
            stated.find(|entry| entry.key == *key).map(|entry| entry.key_span)
        });
        let text = match place {
            Some(_) => "its pods get no proxy, though their namespace is part of the mesh",
            None => "its pods are in the network of their node, where they get no proxy",
        };
        return Some((MeshBypass::NoProxy, Note::merged(place.unwrap_or(workload.span()), text)));
    }
    let linkerd = || linkerd::goes_around(pod).filter(|_| linkerd::membership(pod) == Match::Yes);
    let key = goes_around(pod).or_else(linkerd)?;
    let place = workload.workload.template.annotations().find(|entry| entry.key == key).map(|entry| entry.key_span);
    Some((MeshBypass::Excluded, Note::stated(place?, "what it excludes goes around the proxy")))
}

fn controls(world: &World<'_>, claims: &mut Claims) {
    let mut control = |cited: &Cited, stencil, namespace: &str, workloads| {
        claims.controls.push(ControlClaim {
            identity: cited.identity.clone(),
            name: Identity(&cited.identity).name().to_owned(),
            stencil,
            namespace: Some(namespace.to_owned()),
            workloads,
            note: Note::stated(cited.span, ""),
        });
    };
    for policy in world.mesh.authentications() {
        let fits = |w: &WorkloadInfo<'_>| policy.workloads.as_ref().is_none_or(|s| s.matches(&w.labels));
        let selected = governed(world, &policy.namespace, fits);
        control(&policy.cited, stencil::PEER_AUTHENTICATION, &policy.namespace, selected);
    }
    for policy in world.mesh.request_authentications() {
        let selected = governed(world, &policy.namespace, |w| policy.selects(&w.policy_pod()));
        control(&policy.cited, stencil::REQUEST_AUTHENTICATION, &policy.namespace, selected);
    }
    for policy in world.mesh.authorizations() {
        let selected = governed(world, &policy.namespace, |w| policy.selects(&w.policy_pod()));
        control(&policy.cited, stencil::AUTHORIZATION_POLICY, &policy.namespace, selected);
    }
    for policy in world.mesh.authorizations().iter().filter(|policy| policy.action == Action::Allow) {
        let subject = || Subject::Control(policy.cited.identity.clone());
        if let Some(open) = policy.admits_everyone() {
            let note = Note::stated(open.span, "the rule admits every caller");
            claims.set(subject(), attr::ADMITS_EVERYONE.id, attr::ADMITS_EVERYONE.value(YesNo::Yes), note);
        }
        if let Some(wide) = policy.admits_any_identity() {
            let note = Note::stated(wide.span, "the rule admits every identity, or all but some");
            claims.set(subject(), attr::ADMITS_ANY_IDENTITY.id, attr::ADMITS_ANY_IDENTITY.value(YesNo::Yes), note);
        }
    }
}

/// The workloads that a policy of a namespace can be for, and is for. Those of the root namespace are for all.
fn governed(world: &World<'_>, namespace: &str, fits: impl Fn(&WorkloadInfo<'_>) -> bool) -> Vec<usize> {
    let everywhere = world.mesh.is_root(namespace);
    let all: Vec<usize> =
        if everywhere { (0..world.workloads.len()).collect() } else { world.pods.in_namespace(namespace).to_vec() };
    all.into_iter().filter(|at| world.workloads.get(*at).is_some_and(&fits)).collect()
}
