//! Policies of admission engines: what each is, what they refuse in a namespace, and whether images are verified.

use std::collections::BTreeSet;

use kubestride_manifest::{Labels, NAMESPACE_NAME};
use kubestride_model::Value;
use kubestride_policy::Cited;
use kubestride_policy::admission::{Action, Check, Engine, ImageRule, Namespace, Policy, Rule};
use kubestride_stencils::values::{AdmissionCheck, AdmissionEffect, ImageVerification, PodSecurity, YesNo};
use kubestride_stencils::{Attribute, attributes as attr, stencil};

use super::Signal;
use crate::Scope;
use crate::claims::{Claims, ControlClaim, Note, Subject};
use crate::world::World;

pub(crate) struct AdmissionPolicySignal;

impl Signal for AdmissionPolicySignal {
    fn name(&self) -> &'static str {
        "admission-policies"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        claims.diagnostics.extend(world.admission.diagnostics().iter().cloned());
        let namespaces = world.all_namespaces();
        for policy in world.admission.policies() {
            control(world, policy, &namespaces, claims);
        }
        if !world.admission.policies().is_empty() {
            for name in &namespaces {
                with_namespace(world, name, |namespace| refused(world, namespace, claims));
            }
        }
        images(world, claims);
    }
}

/// Asks something about a namespace with its labels.
fn with_namespace<T>(world: &World<'_>, name: &str, ask: impl FnOnce(&Namespace<'_>) -> T) -> T {
    let object = world.namespaces.get(name);
    let mut labels: Labels<'_> = object.map(|o| o.label_set()).unwrap_or_default();
    labels.set(NAMESPACE_NAME, name);
    ask(&Namespace { name, labels: &labels, declared: object.is_some() })
}

/// Whether an engine is there: where the input is the whole cluster, only if one of its workloads runs it.
fn is_there(world: &World<'_>, engine: Engine) -> bool {
    let image = match engine {
        Engine::ApiServer => return true,
        Engine::Kyverno => "Kyverno",
        Engine::Gatekeeper => "Gatekeeper",
        Engine::Sigstore => "Sigstore policy controller",
    };
    world.options.scope != Scope::Cluster
        || world.workloads.iter().any(|w| w.technology.is_some_and(|(t, _)| t.name == image))
}

fn control(world: &World<'_>, policy: &Policy, namespaces: &BTreeSet<String>, claims: &mut Claims) {
    let subject = || Subject::Control(policy.identity.clone());
    let covers = |name: &str| with_namespace(world, name, |n| policy.rules.iter().any(|r| r.reach.covers(n)));
    let covered = namespaces.iter().filter(|n| covers(n));
    claims.controls.push(ControlClaim {
        identity: policy.identity.clone(),
        name: policy.name.clone(),
        stencil: stencil::ADMISSION_POLICY,
        namespace: policy.namespace.clone(),
        workloads: covered.flat_map(|n| world.pods.in_namespace(n)).copied().collect(),
        note: Note::stated(policy.span, ""),
    });
    if let Some((effect, note)) = effect(world, policy) {
        claims.set(subject(), attr::ADMISSION_EFFECT.id, attr::ADMISSION_EFFECT.value(effect), note);
    }
    let checks = policy.checks();
    if checks.is_empty() {
        let note = Note::stated(policy.span, "what it enforces is not known");
        claims.set(subject(), attr::CHECKS.id, Value::Unknown, note);
    } else {
        let value = attr::CHECKS.set(checks.into_iter().map(shown));
        claims.set(subject(), attr::CHECKS.id, value, Note::merged(policy.span, "what its rules say of pods"));
    }
}

fn effect(world: &World<'_>, policy: &Policy) -> Option<(AdmissionEffect, Note)> {
    if !is_there(world, policy.engine) {
        let text = "no workload of the cluster is the engine that would enforce it";
        return Some((AdmissionEffect::Unbound, Note::absent(Some(policy.span), text)));
    }
    let actions = policy.actions();
    let place = policy.rules.iter().find_map(|r| r.action_span);
    let said = |what: &str| match place {
        Some(span) => Note::stated(span, ""),
        None => Note::default(policy.span, what),
    };
    let effect = match (actions.contains(&Action::Denies), actions.contains(&Action::Reports)) {
        _ if actions.contains(&Action::Unknown) => return None,
        (true, false) => AdmissionEffect::Denies,
        (true, true) => AdmissionEffect::Partly,
        (false, true) => AdmissionEffect::Reports,
        (false, false) if actions.contains(&Action::Nothing) && world.options.scope == Scope::Cluster => {
            return Some((AdmissionEffect::Unbound, Note::absent(Some(policy.span), "no binding puts it into force")));
        }
        (false, false) => return None,
    };
    Some((effect, said("its default action")))
}

/// What policies refuse in a namespace, each with the policies that do.
fn refused(world: &World<'_>, namespace: &Namespace<'_>, claims: &mut Claims) {
    let refused = world.admission.refused(namespace, |engine| is_there(world, engine));
    let subject = || Subject::Namespace(namespace.name.to_owned());
    let mut weak = Vec::new();
    let mut level: Option<(PodSecurity, Vec<Cited>)> = None;
    for (check, by) in refused {
        if matches!(check, Check::Root | Check::Escalation | Check::KeptCapabilities | Check::NoSeccomp) {
            weak.extend(by.iter().cloned());
        }
        if let Some(attribute) = attribute(check) {
            claim(subject(), attribute, &by, claims);
        }
        match check {
            Check::Baseline => level = level.or(Some((PodSecurity::Baseline, by))),
            Check::Restricted => level = Some((PodSecurity::Restricted, by)),
            _ => {}
        }
    }
    claim(subject(), attr::REFUSES_WEAK_ISOLATION, &weak, claims);
    if let Some((level, by)) = level {
        for (at, cited) in by.iter().enumerate() {
            let note = note(cited);
            match at {
                0 => claims.set(subject(), attr::ADMISSION_LEVEL.id, attr::ADMISSION_LEVEL.value(level), note),
                _ => claims.also(subject(), attr::ADMISSION_LEVEL.id, note),
            }
        }
    }
}

fn note(cited: &Cited) -> Note {
    Note::stated(cited.span, format!("{} refuses such pods", cited.identity))
}

fn claim(subject: Subject, attribute: Attribute<YesNo>, by: &[Cited], claims: &mut Claims) {
    for (at, cited) in by.iter().enumerate() {
        match at {
            0 => claims.set(subject.clone(), attribute.id, attribute.value(YesNo::Yes), note(cited)),
            _ => claims.also(subject.clone(), attribute.id, note(cited)),
        }
    }
}

/// The attribute of a namespace for a check that some threat is about.
fn attribute(check: Check) -> Option<Attribute<YesNo>> {
    Some(match check {
        Check::Privileged => attr::REFUSES_PRIVILEGED,
        Check::HostPid => attr::REFUSES_HOST_PID,
        Check::HostIpc => attr::REFUSES_HOST_IPC,
        Check::HostNetwork => attr::REFUSES_HOST_NETWORK,
        Check::HostPaths => attr::REFUSES_HOST_PATHS,
        Check::Capabilities => attr::REFUSES_CAPABILITIES,
        Check::ProcMount => attr::REFUSES_UNMASKED_PROC,
        Check::Root => attr::REFUSES_ROOT,
        Check::SeccompUnconfined => attr::REFUSES_UNCONFINED,
        Check::AppArmorUnconfined => attr::REFUSES_APP_ARMOR_OFF,
        Check::SeLinuxCustom => attr::REFUSES_SE_LINUX_CUSTOM,
        Check::WritableRoot => attr::REFUSES_WRITABLE_ROOT,
        Check::NoLimits => attr::REFUSES_NO_LIMITS,
        Check::LatestTag => attr::REFUSES_LATEST,
        _ => return None,
    })
}

fn shown(check: Check) -> AdmissionCheck {
    match check {
        Check::Privileged => AdmissionCheck::Privileged,
        Check::HostPid => AdmissionCheck::HostPid,
        Check::HostIpc => AdmissionCheck::HostIpc,
        Check::HostNetwork => AdmissionCheck::HostNetwork,
        Check::HostPaths => AdmissionCheck::HostPaths,
        Check::HostPorts => AdmissionCheck::HostPorts,
        Check::Capabilities => AdmissionCheck::Capabilities,
        Check::ProcMount => AdmissionCheck::ProcMount,
        Check::Root => AdmissionCheck::Root,
        Check::Escalation => AdmissionCheck::Escalation,
        Check::KeptCapabilities => AdmissionCheck::KeptCapabilities,
        Check::NoSeccomp => AdmissionCheck::NoSeccomp,
        Check::SeccompUnconfined => AdmissionCheck::SeccompUnconfined,
        Check::AppArmorUnconfined => AdmissionCheck::AppArmorUnconfined,
        Check::SeLinuxCustom => AdmissionCheck::SeLinuxCustom,
        Check::WritableRoot => AdmissionCheck::WritableRoot,
        Check::NoLimits => AdmissionCheck::NoLimits,
        Check::LatestTag => AdmissionCheck::LatestTag,
        Check::Registries => AdmissionCheck::Registries,
        Check::Signatures => AdmissionCheck::Signatures,
        Check::Baseline => AdmissionCheck::Baseline,
        Check::Restricted => AdmissionCheck::Restricted,
    }
}

/// Whether the images of the input are let in only with a valid signature.
fn images(world: &World<'_>, claims: &mut Claims) {
    let policies = world.admission.policies().iter().filter(|p| is_there(world, p.engine));
    let verifying: Vec<(&Rule, &ImageRule)> =
        policies.flat_map(|p| &p.rules).filter_map(|rule| Some((rule, rule.images.as_ref()?))).collect();
    let denies = |rule: &Rule, namespace: &str| with_namespace(world, namespace, |n| rule.denies_in(n));
    let (mut covered, mut open) = (None, false);
    for workload in world.workloads.iter().filter(|_| !verifying.is_empty()) {
        for image in workload.containers.iter().filter_map(|c| c.image()?.as_str()) {
            match verifying.iter().find(|(rule, images)| images.covers(image) && denies(rule, &workload.namespace)) {
                Some((rule, _)) => covered = covered.or(Some(rule.span)),
                None => open = true,
            }
        }
    }
    let set = |claims: &mut Claims, value, note| {
        claims.set(Subject::Cluster, attr::IMAGE_VERIFICATION.id, attr::IMAGE_VERIFICATION.value(value), note);
    };
    if let Some(span) = covered {
        let (value, text) = match open {
            false => (ImageVerification::Yes, "images are verified at admission"),
            true => (ImageVerification::Some, "only some images of the input are verified at admission"),
        };
        set(claims, value, Note::stated(span, text));
        return;
    }
    // Any admission webhook could verify them as well.
    let webhooks = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    if world.options.scope == Scope::Cluster && webhooks.iter().all(|k| world.manifests.by_kind(k).next().is_none()) {
        let text = match verifying.first() {
            Some(_) => "no policy of the cluster refuses images that nobody signed",
            None => "no policy and no webhook of the cluster looks at images",
        };
        set(claims, ImageVerification::No, Note::absent(verifying.first().map(|(rule, _)| rule.span), text));
    }
}
