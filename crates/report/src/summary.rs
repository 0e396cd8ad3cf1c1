//! The numbers that every format begins with.

use kubestride_analysis::{Severity, State, Threat};
use kubestride_model::{BoundaryKind, ElementId, ElementKind, Model, SubjectRef};
use kubestride_template::{Category, ThreatType};

use crate::Report;
use crate::text::generic;

/// The states in the order of outputs.
pub const STATES: [State; 5] =
    [State::NotStarted, State::NeedsInvestigation, State::NotApplicable, State::Mitigated, State::Accepted];

/// Open threats by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; 4]);

impl Counts {
    /// How many have this severity.
    pub fn of(&self, severity: Severity) -> usize {
        self.0.get(severity as usize).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// The worst severity among them.
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().find(|s| self.of(*s) > 0)
    }

    fn add(&mut self, severity: Severity) {
        if let Some(count) = self.0.get_mut(severity as usize) {
            *count += 1;
        }
    }
}

/// The threats of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// Those with something left to do.
    pub open: usize,
    /// All of them.
    pub total: usize,
}

/// The threats of one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkloadCount {
    /// The workload.
    pub workload: ElementId,
    /// Those with something left to do.
    pub open: Counts,
    /// Those that a control answers.
    pub mitigated: usize,
}

/// The numbers of one analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Number of processes.
    pub processes: usize,
    /// Number of external interactors.
    pub externals: usize,
    /// Number of stores.
    pub stores: usize,
    /// Number of flows that are drawn.
    pub flows: usize,
    /// Number of flows that every workload has, such as DNS.
    pub implicit_flows: usize,
    /// Number of trust boundaries, those of single workloads left out.
    pub boundaries: usize,
    /// Open threats by severity.
    pub open: Counts,
    /// All threats by state, in the order of [`STATES`].
    pub states: [(State, usize); 5],
    /// All threats by category, in the order of [`Category::STRIDE`].
    pub categories: [CategoryCount; 6],
    /// Every workload with its threats, in the order of identities; see [`owner`].
    pub workloads: Vec<WorkloadCount>,
    /// Open threats that belong to no workload: those of boundaries, controls and names.
    pub elsewhere: Counts,
}

impl Summary {
    /// Counts.
    pub fn of(report: &Report<'_>) -> Self {
        let model = report.model;
        let of_kind = |kind| model.elements().filter(|(_, e)| e.kind == kind).count();
        let implicit_flows = model.flows().filter(|(_, f)| f.implicit).count();
        let workload = |id| WorkloadCount { workload: id, open: Counts::default(), mitigated: 0 };
        let mut summary = Summary {
            processes: of_kind(ElementKind::Process),
            externals: of_kind(ElementKind::External),
            stores: of_kind(ElementKind::Store),
            flows: model.flows().len() - implicit_flows,
            implicit_flows,
            boundaries: model.boundaries().filter(|(_, b)| b.kind != BoundaryKind::Workload).count(),
            open: Counts::default(),
            states: STATES.map(|s| (s, 0)),
            categories: Category::STRIDE.map(|category| CategoryCount { category, open: 0, total: 0 }),
            workloads: workloads(model).map(workload).collect(),
            elsewhere: Counts::default(),
        };
        for threat in &report.analysis.threats {
            summary.count(report, threat);
        }
        summary
    }

    fn count(&mut self, report: &Report<'_>, threat: &Threat) {
        let (open, severity) = (threat.state().is_open(), threat.rating.severity);
        if let Some((_, count)) = self.states.iter_mut().find(|(s, _)| *s == threat.state()) {
            *count += 1;
        }
        let category = report.types.get(threat.threat_type).map(|t| t.category);
        if let Some(count) = self.categories.iter_mut().find(|c| Some(c.category) == category) {
            count.total += 1;
            count.open += usize::from(open);
        }
        if open {
            self.open.add(severity);
        }
        let owner = owner(report.model, threat);
        let at = owner.and_then(|id| self.workloads.binary_search_by_key(&id, |w| w.workload).ok());
        match at.and_then(|at| self.workloads.get_mut(at)) {
            Some(workload) if open => workload.open.add(severity),
            Some(workload) => workload.mitigated += usize::from(threat.state() == State::Mitigated),
            None if open => self.elsewhere.add(severity),
            None => {}
        }
    }

    /// Number of threats in this state.
    pub fn in_state(&self, state: State) -> usize {
        self.states.iter().find(|(s, _)| *s == state).map_or(0, |(_, count)| *count)
    }

    /// What the picture shows, in words: `3 processes`, `1 store`.
    pub fn parts(&self) -> [String; 5] {
        [
            counted(self.processes, "process", "processes"),
            counted(self.stores, "store", "stores"),
            counted(self.externals, "outside party", "outside parties"),
            counted(self.flows, "flow", "flows"),
            counted(self.boundaries, "trust boundary", "trust boundaries"),
        ]
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.processes + self.externals + self.stores
    }

    /// Number of threats, whatever their state.
    pub fn threats(&self) -> usize {
        self.states.iter().map(|(_, count)| count).sum()
    }
}

/// The workloads of a model, in the order of identities.
pub fn workloads(model: &Model) -> impl Iterator<Item = ElementId> {
    model.elements().map(|(id, _)| id).filter(|id| is_workload(model, *id))
}

/// Whether an element runs code of the user: a process that is no part of Kubernetes itself. Vocabularies that do not
/// tell the two apart have workloads only.
pub fn is_workload(model: &Model, element: ElementId) -> bool {
    let vocabulary = model.vocabulary();
    let element = model.element(element);
    let fits = vocabulary.find_stencil("Workload").is_none_or(|w| vocabulary.is_a(element.stencil, w));
    element.kind == ElementKind::Process && fits
}

/// The one workload that a threat is counted for, so that the counts of all workloads add up. The threat of a flow
/// counts for the party that is called, which can ask its callers for more; for the caller where the called party is
/// no workload.
pub fn owner(model: &Model, threat: &Threat) -> Option<ElementId> {
    let (source, target) = threat.parties(model);
    let target = target.filter(|id| is_workload(model, *id));
    target.or_else(|| source.filter(|id| is_workload(model, *id)))
}

/// What a type of threat is called in a list: ours by their ids; those of other templates by their titles, because their
/// ids are numbers.
pub fn type_label(threat_type: &ThreatType) -> String {
    if threat_type.is_foreign() { generic(threat_type) } else { threat_type.id.clone() }
}

/// `1 threat`, `2 threats`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The identity of a threat: what it is and of whom. It depends on nothing that changes when manifests are edited
/// elsewhere.
pub fn threat_id(report: &Report<'_>, threat: &Threat) -> String {
    let id = report.types.get(threat.threat_type).map_or("", |t| t.id.as_str());
    let model = report.model;
    if !report.drawn.is_empty() && matches!(threat.subject, SubjectRef::Flow(_)) {
        return threat.interaction_key(model, id);
    }
    format!("{id}@{}", model.identity_of(threat.subject))
}

/// A subject in as few words as tell it apart in one application: containers are named with their workload, flows with
/// their port where another one has the same ends.
pub fn short_name(model: &Model, subject: SubjectRef) -> String {
    match subject {
        SubjectRef::Container(id) => {
            let container = model.container(id);
            let workload = model.name_of(SubjectRef::Element(container.workload));
            format!("{workload}#{}", model.text(container.name))
        }
        SubjectRef::Flow(id) => {
            let port = model.distinct_port(id).map(|port| format!(":{port}"));
            model.name_of(subject) + &port.unwrap_or_default()
        }
        _ => model.name_of(subject),
    }
}

/// Each name once, with the number of subjects that are called so where it is more than one.
pub fn counted_names(names: &[String]) -> Vec<String> {
    let groups = names.chunk_by(|a, b| a == b);
    let of = |group: &[String]| {
        let name = group.first().map_or("", String::as_str);
        if group.len() > 1 { format!("{name} ({} times)", group.len()) } else { name.to_owned() }
    };
    groups.map(of).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_that_are_shown_once_are_counted() {
        let names = ["a", "a", "b"].map(str::to_owned);
        assert_eq!(super::counted_names(&names), ["a (2 times)", "b"]);
    }
}
