//! Whether network policies have any effect: what the agents on the nodes do about them.
//!
//! A policy is an object that the network plugin has to enforce. As long as the input does not show which plugin that
//! is, policies count as if they held, and the question is asked once for the cluster. Where the input shows that nobody
//! enforces them, what they seem to achieve is taken back here, in one place; the policies themselves stay visible.

use kubestride_manifest::{Container, ContainerRole, Field};
use kubestride_model::{AttributeId, Value};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Isolation, YesNo};

use crate::claims::{Claims, Note, Raw};
use crate::technology::{self, Technology};
use crate::world::{WorkloadInfo, World};

/// What is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// An agent enforces policies.
    Held(Note),
    /// There is a network plugin, and neither it nor another agent enforces policies.
    Ignored(Note),
    /// The input does not tell.
    Unknown,
}

impl Enforcement {
    /// Looks for agents among the workloads of the input.
    pub(crate) fn find(world: &World<'_>) -> Self {
        // The operator makes the agents of Calico from this resource.
        if let Some(installation) = world.manifests.by_custom_kind("operator.tigera.io", "Installation").next() {
            return Self::Held(Note::stated(installation.span(), "the operator of Calico runs an agent on every node"));
        }
        let agents = || world.workloads.iter().filter(|w| w.object().kind() == "DaemonSet").flat_map(agents);
        let (mut ignoring, mut undecided) = (None, false);
        for (workload, container, technology) in agents() {
            let name = &technology.name;
            match enforces(world, workload, container, technology) {
                Some(true) => {
                    let text = format!("{} runs {name}, which enforces them", workload.identity);
                    return Self::Held(Note::stated(place(container), text));
                }
                Some(false) => {
                    let text = format!("{} runs {name}, which enforces none", workload.identity);
                    ignoring.get_or_insert(Note::stated(place(container), text));
                }
                None => undecided = true,
            }
        }
        match ignoring {
            // In a fragment the agent that enforces may be elsewhere.
            Some(note) if !undecided && world.absence_counts() => Self::Ignored(note),
            _ => Self::Unknown,
        }
    }

    /// Where it is shown that nobody enforces policies.
    pub(crate) fn refuted(&self) -> Option<&Note> {
        if let Self::Ignored(note) = self { Some(note) } else { None }
    }
}

/// The containers of a DaemonSet that do something about network policies.
fn agents<'w, 'a>(
    workload: &'w WorkloadInfo<'a>,
) -> impl Iterator<Item = (&'w WorkloadInfo<'a>, &'w Container<'a>, &'static Technology)> {
    let running = workload.containers.iter().filter(|c| c.role() != ContainerRole::Init);
    running.filter_map(move |container| {
        let technology = technology::of_image(container.image()?.as_str()?)?;
        technology.network_policies.is_some().then_some((workload, container, technology))
    })
}

fn place(container: &Container<'_>) -> kubestride_source::Span {
    container.image().map_or(container.span(), |image| image.span())
}

/// What an agent does, as its arguments and the ConfigMap that it reads say. None if it depends on a setting that is
/// not there.
fn enforces(
    world: &World<'_>,
    workload: &WorkloadInfo<'_>,
    container: &Container<'_>,
    technology: &Technology,
) -> Option<bool> {
    let config = technology.config_map.as_deref().and_then(|name| world.config_map(&workload.namespace, name));
    let data = config.and_then(|c| c.root().field("data"));
    let is_set = |setting: &String| {
        let argument = container.command().chain(container.args()).any(|word| word.as_str() == Some(setting));
        let (key, value) = setting.trim_start_matches('-').split_once('=').unwrap_or((setting, ""));
        argument || data.text(key) == Some(value)
    };
    if technology.switched_off.iter().any(is_set) {
        return Some(false);
    }
    if technology.switched_on.is_empty() || technology.switched_on.iter().any(is_set) {
        return technology.network_policies;
    }
    None
}

/// What policies give to workloads and namespaces, with the value that stands where there are none.
fn without_policies() -> [(AttributeId, Value); 5] {
    [
        (attr::INGRESS_ISOLATION.id, attr::INGRESS_ISOLATION.value(Isolation::None)),
        (attr::EGRESS_ISOLATION.id, attr::EGRESS_ISOLATION.value(Isolation::None)),
        (attr::METADATA_REACHABLE.id, attr::METADATA_REACHABLE.value(YesNo::Yes)),
        (attr::DEFAULT_DENY_INGRESS.id, attr::DEFAULT_DENY_INGRESS.value(YesNo::No)),
        (attr::DEFAULT_DENY_EGRESS.id, attr::DEFAULT_DENY_EGRESS.value(YesNo::No)),
    ]
}

/// Takes back what network policies achieve, where nobody enforces them. Flows learn it in `verdict`.
pub(crate) fn withdraw(world: &World<'_>, claims: &mut Claims) {
    let Some(note) = world.enforcement.refuted() else { return };
    let weakest = without_policies();
    let of = |attribute: AttributeId| weakest.iter().find(|(id, _)| *id == attribute).map(|(_, value)| *value);
    claims.attributes.retain(|claim| claim.value != Raw::Same || of(claim.attribute).is_none());
    for claim in &mut claims.attributes {
        if let Some(weakest) = of(claim.attribute)
            && claim.value != Raw::Value(weakest)
        {
            (claim.value, claim.note) = (Raw::Value(weakest), note.clone());
        }
    }
}
