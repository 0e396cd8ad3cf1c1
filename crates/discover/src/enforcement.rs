//! Whether network policies have any effect: what the agents on the nodes do about them.
//!
//! A policy is an object that the network plugin has to enforce, and each plugin enforces some kinds of policies and not
//! others. As long as the input does not show which plugin there is, policies count as if they held, and the question is
//! asked once for the cluster. Policies of a kind of which the input shows that nobody enforces it are asked nothing; they
//! stay visible.

use std::collections::BTreeMap;

use kubestride_manifest::{Container, ContainerRole, Field};
use kubestride_policy::network::NetworkPolicies;
use kubestride_policy::{Circumstances, Family};
use kubestride_source::{Diagnostic, Span};

use crate::claims::Note;
use crate::technology::{self, Technology};
use crate::world::{WorkloadInfo, World};

/// What is known about a kind of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Enforced {
    /// An agent enforces them.
    Held(Note),
    /// There is a network plugin, and neither it nor another agent enforces them.
    Ignored(Note),
}

/// What is known about each kind; nothing of those that are not there.
#[derive(Debug, Default)]
pub(crate) struct Enforcement(BTreeMap<Family, Enforced>);

/// Something of the network that runs on every node.
struct Agent {
    /// Where its image is named, and where it runs.
    note: Note,
    /// The kinds that it can enforce at all.
    can: Vec<Family>,
    /// Those that it enforces; none if it depends on a setting that is not there.
    enforces: Option<Vec<Family>>,
}

impl Enforcement {
    /// Looks for agents among the workloads of the input.
    pub(crate) fn find(world: &World<'_>) -> Self {
        let daemons = world.workloads.iter().filter(|w| w.object().kind() == "DaemonSet");
        let running = daemons.flat_map(containers);
        let mut agents: Vec<Agent> = running.map(|(w, container, t)| Agent::read(world, w, container, t)).collect();
        // The operator makes the agents of Calico from this resource.
        if let Some(installation) = world.manifests.by_custom_kind("operator.tigera.io", "Installation").next() {
            let note = Note::stated(installation.span(), "the operator of Calico runs an agent on every node");
            let calico = technology::all().iter().find(|t| t.name == "Calico");
            let can = calico.and_then(|t| t.network_policies.clone()).unwrap_or_default();
            agents.push(Agent { note, enforces: Some(can.clone()), can });
        }
        // Of two plugins that both have policies of their own, it is not known which one does what.
        let can = |family: Family| agents.iter().any(|agent| agent.can.contains(&family));
        if can(Family::Calico) && can(Family::Cilium) {
            return Self::default();
        }
        let known = |family: Family| Some((family, enforced(world, &agents, family)?));
        Self(Family::ALL.into_iter().filter_map(known).collect())
    }

    /// What is known about a kind of policies.
    pub(crate) fn of(&self, family: Family) -> Option<&Enforced> {
        self.0.get(&family)
    }

    /// Why nobody enforces a kind of policies.
    pub(crate) fn refuted(&self, family: Family) -> Option<&Note> {
        if let Some(Enforced::Ignored(note)) = self.of(family) { Some(note) } else { None }
    }

    /// Under which circumstances policies are read.
    pub(crate) fn circumstances(&self, world: &World<'_>) -> Circumstances {
        let ignored = Family::ALL.into_iter().filter(|family| self.refuted(*family).is_some()).collect();
        Circumstances { kubernetes: world.options.kubernetes, ignored }
    }

    /// Says of each kind of policies of the input that has no effect why it has none.
    pub(crate) fn diagnostics(&self, policies: &NetworkPolicies) -> Vec<Diagnostic> {
        let all = policies.all();
        let said = |family: Family| {
            let note = self.refuted(family).filter(|_| all.iter().any(|policy| policy.family == family))?;
            let message = format!("the {} have no effect here: {}", family.as_str(), note.text);
            let diagnostic = Diagnostic::warning("not-enforced", message);
            Some(note.span.into_iter().fold(diagnostic, |diagnostic, span| diagnostic.at(span)))
        };
        Family::ALL.into_iter().filter_map(said).collect()
    }
}

fn enforced(world: &World<'_>, agents: &[Agent], family: Family) -> Option<Enforced> {
    let does = |agent: &Agent| match &agent.enforces {
        Some(families) => Some(families.contains(&family)),
        None if agent.can.contains(&family) => None,
        None => Some(false),
    };
    let note =
        |agent: &Agent, text: &str| Note { text: format!("{}, which {text}", agent.note.text), ..agent.note.clone() };
    if let Some(agent) = agents.iter().find(|agent| does(agent) == Some(true)) {
        return Some(Enforced::Held(note(agent, "enforces them")));
    }
    // In a fragment the agent that enforces may be elsewhere.
    let ignoring = agents.iter().find(|agent| does(agent) == Some(false)).filter(|_| world.absence_counts())?;
    let decided = agents.iter().all(|agent| does(agent).is_some());
    decided.then(|| Enforced::Ignored(note(ignoring, "enforces none of them")))
}

/// The containers of a DaemonSet that do something about network policies.
fn containers<'w, 'a>(
    workload: &'w WorkloadInfo<'a>,
) -> impl Iterator<Item = (&'w WorkloadInfo<'a>, &'w Container<'a>, &'static Technology)> {
    let running = workload.containers.iter().filter(|c| c.role() != ContainerRole::Init);
    running.filter_map(move |container| {
        let technology = technology::of_image(container.image()?.as_str()?)?;
        technology.network_policies.is_some().then_some((workload, container, technology))
    })
}

fn place(container: &Container<'_>) -> Span {
    container.image().map_or(container.span(), |image| image.span())
}

impl Agent {
    /// What an agent does, as its arguments and the ConfigMap that it reads say.
    fn read(
        world: &World<'_>,
        workload: &WorkloadInfo<'_>,
        container: &Container<'_>,
        technology: &Technology,
    ) -> Self {
        let config = technology.config_map.as_deref().and_then(|name| world.config_map(&workload.namespace, name));
        let data = config.and_then(|c| c.root().field("data"));
        let is_set = |setting: &String| {
            let argument = container.command().chain(container.args()).any(|word| word.as_str() == Some(setting));
            let (key, value) = setting.trim_start_matches('-').split_once('=').unwrap_or((setting, ""));
            argument || data.text(key) == Some(value)
        };
        let can = technology.network_policies.clone().unwrap_or_default();
        let mut families = can.clone();
        if technology.kubernetes_off.iter().any(is_set) {
            families.retain(|family| *family != Family::Kubernetes);
        }
        let enforces = if technology.switched_off.iter().any(is_set) {
            Some(Vec::new())
        } else if technology.switched_on.is_empty() || technology.switched_on.iter().any(is_set) {
            Some(families)
        } else {
            None
        };
        let text = format!("{} runs {}", workload.identity, technology.name);
        Self { note: Note::stated(place(container), text), can, enforces }
    }
}
