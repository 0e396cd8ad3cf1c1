//! What meshes do for a flow that was found elsewhere: who is authorized, who proves who he is, what is encrypted.

use kubestride_model::Value;
use kubestride_policy::mesh::inbound_annotation;
use kubestride_policy::{Call, Cited, Match, MeshAnswer, MeshPod, MeshVerdict as Answered, Named, Protection};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Authentication, CallerNamed, Encryption, MeshVerdict, YesNo};

use crate::claims::{Learned, Note, Party};
use crate::world::{WorkloadInfo, World};

/// The attributes that meshes give to a flow between workloads. `dialled` is the port that the caller uses, `port` that of
/// the target's pods, `via` the identity of the Service by which it is reached, each if known.
pub(crate) fn learned(
    world: &World<'_>,
    source: &Party,
    target: &Party,
    dialled: Option<u16>,
    port: Option<u16>,
    via: Option<&str>,
) -> Vec<Learned> {
    // An operator may give its pods other labels than those that are known, and a proxy too.
    let known = |party: &Party| match party {
        Party::Workload(at) => {
            let workload = world.workloads.get(*at).filter(|w| w.operated.is_none())?;
            Some((world.mesh_pods.of(*at, workload)?, workload))
        }
        _ => None,
    };
    let (Some((source, _)), Some((target, called))) = (known(source), known(target)) else { return Vec::new() };
    let own = format!("Service/{}/", target.pod.namespace);
    let named = via.and_then(|via| via.strip_prefix(&own));
    let service = target.services.iter().map(|service| service.name).find(|name| Some(*name) == named);
    let call = Call { source: &source, target: &target, dialled: dialled.or(port), port, service };
    let mut learned: Vec<_> = around(world.mesh.goes_around(&call), &target, called).into_iter().collect();
    let istio = world.mesh.answer(&call).map(|answer| (answer, world.mesh.protection(&call)));
    let answered = istio.or_else(|| Some((world.linkerd.answer(&call)?, world.linkerd.protection(&call))));
    let Some((answer, protection)) = answered else { return learned };
    // In a fragment another policy may be elsewhere.
    if world.absence_counts() {
        learned.extend(authorized(&answer, &target, called));
    } else {
        let note = Note::merged(called.span(), "it is part of a mesh, whose other policies may be elsewhere");
        learned.push((attr::MESH_VERDICT.id, Value::Unknown, vec![note]));
    }
    learned.extend(protected(&answer, &protection, called));
    learned
}

/// Whether it goes around the proxy of the target, if that is so or not known.
fn around(answer: Match, target: &MeshPod<'_>, called: &WorkloadInfo<'_>) -> Option<Learned> {
    let value = match answer {
        Match::No => return None,
        Match::Yes => attr::AROUND_MESH.value(YesNo::Yes),
        Match::Unknown => Value::Unknown,
    };
    let key = inbound_annotation(target);
    let place = key.and_then(|key| called.workload.template.annotations().find(|entry| entry.key == key));
    let span = place.map_or(called.span(), |entry| entry.key_span);
    let text = match answer {
        Match::Yes => "this port goes around the proxy",
        _ => "whether this port goes around the proxy is not known",
    };
    Some((attr::AROUND_MESH.id, value, vec![Note::stated(span, text)]))
}

fn authorized(answer: &MeshAnswer, target: &MeshPod<'_>, called: &WorkloadInfo<'_>) -> Vec<Learned> {
    let set = |verdict| attr::MESH_VERDICT.value(verdict);
    let (value, word) = match answer.verdict {
        Answered::Allowed => (set(MeshVerdict::Allowed), "lets it through"),
        Answered::Denied => (set(MeshVerdict::Denied), "stops it"),
        Answered::Unrestricted => (set(MeshVerdict::Unrestricted), ""),
        Answered::Undetermined if answer.some_pass => {
            (set(MeshVerdict::Partly), "lets some requests through or stops some")
        }
        Answered::Undetermined => {
            (Value::Unknown, "may be about it: that depends on requests, or on what the manifests do not tell")
        }
    };
    let mut notes = cited(&answer.by, word);
    if notes.is_empty() {
        let default = "config.linkerd.io/default-inbound-policy";
        let stated = target.annotations.get(default).or(target.namespace_annotations.get(default)).is_some();
        notes.push(match answer.verdict {
            Answered::Unrestricted => Note::absent(Some(called.span()), "no policy of a mesh is about it"),
            _ if stated => Note::merged(called.span(), format!("the annotation {default} decides")),
            _ => Note::merged(called.span(), "whether the mesh sees it is not known"),
        });
    }
    let mut learned = vec![(attr::MESH_VERDICT.id, value, notes)];
    let named = match answer.named {
        Named::Not => None,
        Named::Namespace => Some((CallerNamed::Namespace, "stops callers from other namespaces")),
        Named::Account => Some((CallerNamed::Account, "stops callers with another service account")),
    };
    if let Some((value, text)) = named {
        let notes = match cited(&answer.by, text) {
            notes if notes.is_empty() => vec![Note::merged(called.span(), text)],
            notes => notes,
        };
        learned.push((attr::CALLER_NAMED.id, attr::CALLER_NAMED.value(value), notes));
    }
    learned
}

fn protected(answer: &MeshAnswer, protection: &Protection, called: &WorkloadInfo<'_>) -> Vec<Learned> {
    let mut learned = Vec::new();
    if protection.encrypted {
        let mut notes = cited(&protection.by, "makes both ends use mutual TLS");
        if notes.is_empty() {
            notes.push(Note::merged(called.span(), "both ends have proxies, which use mutual TLS between themselves"));
        }
        learned.push((attr::ENCRYPTION.id, attr::ENCRYPTION.value(Encryption::Mesh), notes));
    }
    let authentication = if protection.proves_identity {
        let mut notes = cited(&protection.by, "refuses callers without a certificate of the mesh");
        if notes.is_empty() {
            notes.push(Note::merged(called.span(), "callers without a certificate of the mesh are refused"));
        }
        Some((Authentication::MutualTls, notes))
    } else if answer.needs_token && !answer.by.is_empty() {
        Some((Authentication::Token, cited(&answer.by, "refuses requests without a token")))
    } else {
        None
    };
    learned.extend(authentication.map(|(by, notes)| (attr::AUTHENTICATION.id, attr::AUTHENTICATION.value(by), notes)));
    learned
}

fn cited(by: &[Cited], word: &str) -> Vec<Note> {
    by.iter().map(|cited| Note::stated(cited.span, format!("{} {word}", cited.identity))).collect()
}
