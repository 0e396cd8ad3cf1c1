//! Sidecars that annotations ask for and no manifest holds: Dapr, Linkerd, Vault's agent. What they call is called from
//! the pod.

use kubestride_model::{Confidence, FlowKind};

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Injected;

/// An annotation of pods, the value that asks for the sidecar, and the workloads that the sidecar calls: the value of
/// a label that the project gives to them, and the port.
struct Sidecar {
    annotation: &'static str,
    value: &'static str,
    name: &'static str,
    called: &'static [(&'static str, &'static str, u16)],
}

const SIDECARS: [Sidecar; 3] = [
    // https://docs.dapr.io/reference/arguments-annotations-overview/
    Sidecar {
        annotation: "dapr.io/enabled",
        value: "true",
        name: "Dapr's sidecar",
        called: &[
            ("app", "dapr-operator", 6500),
            ("app", "dapr-sentry", 50001),
            ("app", "dapr-placement-server", 50005),
        ],
    },
    // https://linkerd.io/2/reference/architecture/
    Sidecar {
        annotation: "linkerd.io/inject",
        value: "enabled",
        name: "Linkerd's proxy",
        called: &[
            ("linkerd.io/control-plane-component", "destination", 8086),
            ("linkerd.io/control-plane-component", "identity", 8080),
        ],
    },
    // https://developer.hashicorp.com/vault/docs/platform/k8s/injector/annotations
    Sidecar {
        annotation: "vault.hashicorp.com/agent-inject",
        value: "true",
        name: "Vault's agent",
        called: &[("app.kubernetes.io/name", "vault", 8200)],
    },
];

impl Signal for Injected {
    fn name(&self) -> &'static str {
        "injected"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for sidecar in &SIDECARS {
            let called: Vec<(usize, u16)> = sidecar.called.iter().flat_map(|c| labelled(world, *c)).collect();
            if called.is_empty() {
                continue;
            }
            for (index, workload) in world.workloads.iter().enumerate() {
                if asks(world, workload, sidecar) {
                    for (target, port) in called.iter().filter(|(target, _)| *target != index) {
                        let text = format!("{}, for which an annotation asks", sidecar.name);
                        let (source, target) = (Party::Workload(index), Party::Workload(*target));
                        let note = Note::stated(workload.span(), text);
                        let mut claim = FlowClaim::new(source, target, FlowKind::Traffic, note);
                        (claim.port, claim.target_port) = (Some(*port), Some(*port));
                        claim.confidence = Confidence::Likely;
                        claims.flows.push(claim);
                    }
                }
            }
        }
    }
}

/// Whether the pods, or for Linkerd their namespace, ask for the sidecar.
fn asks(world: &World<'_>, workload: &WorkloadInfo<'_>, sidecar: &Sidecar) -> bool {
    let own = workload.workload.template.annotation(sidecar.annotation);
    let of_namespace = || {
        let namespace = world.namespaces.get(&workload.namespace)?;
        namespace.annotations().find(|a| a.key == sidecar.annotation)?.value.scalar_text()
    };
    let inherited = sidecar.annotation.starts_with("linkerd.io/");
    own.or_else(|| if inherited { of_namespace() } else { None }) == Some(sidecar.value)
}

fn labelled(world: &World<'_>, (key, value, port): (&str, &str, u16)) -> Vec<(usize, u16)> {
    let fits = |w: &WorkloadInfo<'_>| w.labels.get(key) == Some(value);
    world.workloads.iter().enumerate().filter(|(_, w)| fits(w)).map(|(index, _)| (index, port)).collect()
}
