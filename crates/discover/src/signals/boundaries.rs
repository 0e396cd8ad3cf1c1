//! Attributes of namespaces and of the cluster.

use kubestride_model::Value;
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::Scope;
use crate::claims::{Claims, ControlClaim, Note, Subject};
use crate::enforcement::Enforcement;
use crate::world::World;

pub(crate) struct Boundaries;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

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
                let note = Note::merged(first.span(), "the first of its workloads");
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
        (_, Some(e)) => (PodSecurity::Privileged, Note::stated(e.value.span(), "")),
        (_, None) => (PodSecurity::None, Note::absent(Some(span), format!("the Namespace has no label {ENFORCE}"))),
    };
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
    let enforced = match &world.enforcement {
        Enforcement::Held(note) => Some((YesNo::Yes, note)),
        Enforcement::Ignored(note) => Some((YesNo::No, note)),
        Enforcement::Unknown => None,
    };
    if let Some((value, note)) = enforced {
        let value = attr::POLICY_ENFORCEMENT.value(value);
        claims.set(Subject::Cluster, attr::POLICY_ENFORCEMENT.id, value, note.clone());
    }
    let policies =
        [("kyverno.io", "ClusterPolicy", "verifyImages"), ("policy.sigstore.dev", "ClusterImagePolicy", "images")];
    for (group, kind, mark) in policies {
        let verifies = |o: &kubestride_manifest::Object<'_>| {
            let rules = o.spec().and_then(|s| s.get("rules"));
            o.spec().is_some_and(|s| s.get(mark).is_some())
                || rules.into_iter().flat_map(|r| r.items()).any(|r| r.get(mark).is_some())
        };
        if let Some(object) = world.manifests.by_custom_kind(group, kind).find(verifies) {
            let note = Note::stated(object.span(), "images are verified at admission");
            claims.set(Subject::Cluster, attr::IMAGE_VERIFICATION.id, attr::IMAGE_VERIFICATION.value(YesNo::Yes), note);
        }
    }
    // Any admission webhook could verify them as well.
    let webhooks = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    if world.options.scope == Scope::Cluster && webhooks.iter().all(|k| world.manifests.by_kind(k).next().is_none()) {
        let note = Note::absent(None, "no policy and no webhook of the cluster looks at images");
        claims.set(Subject::Cluster, attr::IMAGE_VERIFICATION.id, attr::IMAGE_VERIFICATION.value(YesNo::No), note);
    }
}
