//! Attributes of namespaces and of the cluster.

use kubestride_manifest::Object;
use kubestride_model::Value;
use kubestride_policy::Family;
use kubestride_source::Diagnostic;
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};
use kubestride_yaml::Entry;

use super::Signal;
use crate::Scope;
use crate::claims::{Claims, ControlClaim, Note, Subject};
use crate::enforcement::Enforced;
use crate::world::World;

pub(crate) struct Boundaries;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const REPORT: [&str; 2] = ["pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn"];

impl Signal for Boundaries {
    fn name(&self) -> &'static str {
        "boundaries"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for namespace in world.all_namespaces() {
            let subject = || Subject::Namespace(namespace.clone());
            let workloads = world.pods.in_namespace(&namespace);
            if let Some(first) = workloads.first().and_then(|at| world.workloads.get(*at)) {
                let count = Value::Number(workloads.len() as i64);
                let note = Note::merged(first.span(), if workloads.len() == 1 { "here" } else { "the first is here" });
                claims.set(subject(), attr::WORKLOADS.id, count, note);
            }
            pod_security(world, &namespace, claims);
            for (kind, attribute) in [("ResourceQuota", attr::QUOTA), ("LimitRange", attr::LIMIT_RANGE)] {
                for object in world.manifests.by_kind(kind).filter(|o| world.namespace_of(*o) == namespace) {
                    let note = Note::stated(object.span(), "");
                    claims.set(subject(), attribute.id, attribute.value(YesNo::Yes), note.clone());
                    claims.controls.push(ControlClaim {
                        identity: object.identity(&world.options.namespace),
                        name: object.name().to_owned(),
                        stencil: stencil::RESOURCE_LIMIT,
                        namespace: Some(namespace.clone()),
                        workloads: world.pods.in_namespace(&namespace).to_vec(),
                        note,
                    });
                }
            }
        }
        cluster(world, claims);
    }
}

fn pod_security(world: &World<'_>, namespace: &str, claims: &mut Claims) {
    let subject = || Subject::Namespace(namespace.to_owned());
    let Some(object) = world.namespaces.get(namespace) else {
        // Without the object the label may be set elsewhere, unless the input is the whole cluster.
        if world.options.scope == Scope::Cluster {
            let value = attr::POD_SECURITY.value(PodSecurity::None);
            claims.set(
                subject(),
                attr::POD_SECURITY.id,
                value,
                Note::absent(None, "the cluster has no such Namespace object"),
            );
        }
        return;
    };
    let span = object.span();
    claims.set(subject(), attr::DECLARED.id, attr::DECLARED.value(YesNo::Yes), Note::stated(span, ""));
    let label = object.labels().find(|e| e.key == ENFORCE);
    let level = label.as_ref().and_then(|e| e.value.as_str());
    let (value, note) = match (level, &label) {
        (Some("restricted"), Some(e)) => (PodSecurity::Restricted, Note::stated(e.value.span(), "")),
        (Some("baseline"), Some(e)) => (PodSecurity::Baseline, Note::stated(e.value.span(), "")),
        (Some("privileged"), Some(e)) => (PodSecurity::Privileged, Note::stated(e.value.span(), "")),
        (_, Some(e)) => {
            let text = format!("the label {ENFORCE} of {namespace} names no level: what it enforces is not known");
            claims.diagnostics.push(Diagnostic::warning("unknown-level", text).at(e.value.span()));
            let note = Note::stated(e.value.span(), "no level of the Pod Security Standards");
            claims.set(subject(), attr::POD_SECURITY.id, Value::Unknown, note);
            return;
        }
        (_, None) => (PodSecurity::None, Note::absent(Some(span), format!("the Namespace has no label {ENFORCE}"))),
    };
    reported(*object, &subject(), claims);
    claims.set(subject(), attr::POD_SECURITY.id, attr::POD_SECURITY.value(value), note.clone());
    if matches!(value, PodSecurity::Restricted | PodSecurity::Baseline) {
        let identity = format!("PodSecurity/{namespace}");
        claims.set(
            Subject::Control(identity.clone()),
            attr::POD_SECURITY.id,
            attr::POD_SECURITY.value(value),
            note.clone(),
        );
        claims.controls.push(ControlClaim {
            identity,
            name: format!("Pod Security {}", level.unwrap_or("")),
            stencil: stencil::POD_SECURITY_LABEL,
            namespace: Some(namespace.to_owned()),
            workloads: world.pods.in_namespace(namespace).to_vec(),
            note,
        });
    }
}

/// What is warned of or written to the audit log, which refuses nothing.
fn reported(object: Object<'_>, subject: &Subject, claims: &mut Claims) {
    let level = |label: &Entry<'_>| match label.value.as_str() {
        Some("restricted") => Some(PodSecurity::Restricted),
        Some("baseline") => Some(PodSecurity::Baseline),
        _ => None,
    };
    let labels = object.labels().filter(|e| REPORT.contains(&e.key));
    if let Some((level, label)) = labels.filter_map(|e| Some((level(&e)?, e))).max_by_key(|(level, _)| *level) {
        let value = attr::POD_SECURITY_REPORTED.value(level);
        claims.set(subject.clone(), attr::POD_SECURITY_REPORTED.id, value, Note::stated(label.value.span(), ""));
    }
}

fn cluster(world: &World<'_>, claims: &mut Claims) {
    let sensor = world.workloads.iter().find(|w| {
        w.technology.is_some_and(|(t, _)| t.class == TechnologyClass::RuntimeSensor) && w.object().kind() == "DaemonSet"
    });
    if let Some(sensor) = sensor {
        let note = Note::stated(sensor.span(), format!("{} watches the nodes", sensor.identity));
        claims.set(Subject::Cluster, attr::RUNTIME_SENSOR.id, attr::RUNTIME_SENSOR.value(YesNo::Yes), note);
    } else if world.options.scope == Scope::Cluster {
        let note = Note::absent(None, "no DaemonSet of the cluster is a runtime sensor");
        claims.set(Subject::Cluster, attr::RUNTIME_SENSOR.id, attr::RUNTIME_SENSOR.value(YesNo::No), note);
    }
    let enforced = match world.enforcement.of(Family::Kubernetes) {
        Some(Enforced::Held(note)) => Some((YesNo::Yes, note)),
        Some(Enforced::Ignored(note)) => Some((YesNo::No, note)),
        None => None,
    };
    if let Some((value, note)) = enforced {
        let value = attr::POLICY_ENFORCEMENT.value(value);
        claims.set(Subject::Cluster, attr::POLICY_ENFORCEMENT.id, value, note.clone());
    }
}
