//! KubeArmor's policies as controls, with what they really do, and what they keep processes of a workload from.

use kubestride_model::Value;
use kubestride_policy::runtime::{Effect, Kind, Recorded};
use kubestride_source::Span;
use kubestride_stencils::values::{Capability, RuntimeEffect, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use crate::Scope;
use crate::claims::{Claims, ControlClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct RuntimePolicies;

/// Capabilities that threats are about.
const CAPABILITIES: [(&str, Capability); 8] = [
    ("SYS_ADMIN", Capability::SysAdmin),
    ("NET_ADMIN", Capability::NetAdmin),
    ("SYS_PTRACE", Capability::SysPtrace),
    ("SYS_MODULE", Capability::SysModule),
    ("DAC_READ_SEARCH", Capability::DacReadSearch),
    ("BPF", Capability::Bpf),
    ("SYS_RAWIO", Capability::SysRawio),
    ("NET_RAW", Capability::NetRaw),
];

impl Signal for RuntimePolicies {
    fn name(&self) -> &'static str {
        "runtime-policies"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let runtime = &world.runtime;
        claims.diagnostics.extend(runtime.diagnostics().iter().cloned());
        if runtime.policies().is_empty() {
            return;
        }
        for policy in runtime.policies() {
            // Those of one namespace are about nothing else.
            let candidates: Vec<usize> = match (&policy.namespace, policy.kind) {
                (Some(namespace), _) => world.pods.in_namespace(namespace).to_vec(),
                (None, Kind::Host) => Vec::new(),
                (None, _) => (0..world.workloads.len()).collect(),
            };
            let fits = |at: &usize| world.workloads.get(*at).is_some_and(|w| policy.selects(&w.namespace, &w.labels));
            claims.controls.push(ControlClaim {
                identity: policy.identity.clone(),
                name: policy.name.clone(),
                stencil: stencil::RUNTIME_POLICY,
                namespace: policy.namespace.clone(),
                workloads: candidates.into_iter().filter(fits).collect(),
                note: Note::stated(policy.span, ""),
            });
            if let Some((recorded, span)) = runtime.only_recorded(policy) {
                let yes = attr::ONLY_RECORDS.value(YesNo::Yes);
                let (value, note) = match recorded {
                    Recorded::ByPosture => {
                        (yes, Note::stated(span, "what its lists do not allow raises an alert, as this posture says"))
                    }
                    Recorded::SystemCalls => (yes, Note::stated(span, "system calls are recorded, never stopped")),
                    // Nothing in the whole cluster sets it, so it is what KubeArmor does by itself.
                    Recorded::PostureUnknown if world.options.scope == Scope::Cluster => {
                        (yes, Note::merged(span, "nothing sets a posture, so what is not allowed raises an alert"))
                    }
                    Recorded::PostureUnknown => {
                        (Value::Unknown, Note::stated(span, "what happens to everything else is not in the input"))
                    }
                };
                claims.set(Subject::Control(policy.identity.clone()), attr::ONLY_RECORDS.id, value, note);
            }
            if let Some((effect, span, why)) = runtime.effect(policy) {
                let value = match effect {
                    Effect::Blocks => RuntimeEffect::Blocks,
                    Effect::Alerts => RuntimeEffect::Alerts,
                };
                let subject = Subject::Control(policy.identity.clone());
                let note = if why.is_empty() { Note::stated(span, "") } else { Note::merged(span, why) };
                claims.set(subject, attr::RUNTIME_EFFECT.id, attr::RUNTIME_EFFECT.value(value), note);
            }
        }
        for (index, workload) in world.workloads.iter().enumerate().filter(|(_, w)| w.operated.is_none()) {
            // The pod itself can switch policies off.
            let switch = workload.workload.template.annotation("kubearmor-policy");
            if switch.is_some_and(|value| value != "enabled") {
                continue;
            }
            let subject = || Subject::Party(Party::Workload(index));
            let guards = [
                (attr::TOKEN_GUARDED, runtime.token_guard(&workload.namespace, &workload.labels), "reading the token"),
                (attr::WRITES_BLOCKED, runtime.write_guard(&workload.namespace, &workload.labels), "writing anywhere"),
            ];
            for (attribute, span, what) in guards {
                if let Some(span) = span {
                    let note = Note::stated(span, format!("KubeArmor keeps its processes from {what}"));
                    claims.set(subject(), attribute.id, attribute.value(YesNo::Yes), note);
                }
            }
            let guard = |name| runtime.capability_guard(&workload.namespace, &workload.labels, name);
            let blocked: Vec<(Capability, Span)> =
                CAPABILITIES.iter().filter_map(|(name, value)| Some((*value, guard(name)?))).collect();
            let value = attr::CAPABILITIES_BLOCKED.set(blocked.iter().map(|(capability, _)| *capability));
            for (at, (_, span)) in blocked.iter().enumerate() {
                let note = Note::stated(*span, "KubeArmor keeps its processes from using it");
                if at == 0 {
                    claims.set(subject(), attr::CAPABILITIES_BLOCKED.id, value, note);
                } else {
                    claims.also(subject(), attr::CAPABILITIES_BLOCKED.id, note);
                }
            }
        }
    }
}
