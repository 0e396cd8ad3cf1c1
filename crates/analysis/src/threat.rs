//! A threat: one threat type firing for one subject.

use kubestride_model::{Confidence, ElementId, Model, SubjectRef};
use kubestride_template::{Effect, SubjectKind, ThreatType};

use crate::{Cited, Rating};

/// What is known or decided about a threat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody has looked at it.
    NotStarted,
    /// Somebody is looking at it.
    NeedsInvestigation,
    /// It does not apply here.
    NotApplicable,
    /// A control answers it.
    Mitigated,
    /// The risk is taken, until a date.
    Accepted,
}

impl State {
    /// The word in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            State::NotStarted => "not-started",
            State::NeedsInvestigation => "needs-investigation",
            State::NotApplicable => "not-applicable",
            State::Mitigated => "mitigated",
            State::Accepted => "accepted",
        }
    }

    /// The name in Microsoft's Threat Modeling Tool.
    pub fn title(self) -> &'static str {
        match self {
            State::NotStarted => "Not Started",
            State::NeedsInvestigation => "Needs Investigation",
            State::NotApplicable => "Not Applicable",
            State::Mitigated => "Mitigated",
            State::Accepted => "Accepted",
        }
    }

    /// Whether something is left to do.
    pub fn is_open(self) -> bool {
        matches!(self, State::NotStarted | State::NeedsInvestigation)
    }
}

/// A control that is in place for a threat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedControl {
    /// Position in the `mitigated-by` list of the threat type.
    pub mitigation: usize,
    /// What it does.
    pub effect: Effect,
    /// Where it is.
    pub evidence: Vec<Cited>,
}

/// What somebody decided about a threat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The state.
    pub state: State,
    /// Why, in the words of who decided.
    pub justification: String,
    /// Who; empty where nobody said.
    pub by: String,
    /// When, as it was written.
    pub at: String,
    /// The threat does not fire any more; the decision is kept.
    pub stale: bool,
}

/// What a file says of a threat in words of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// Its title.
    pub title: Option<String>,
    /// What can happen.
    pub description: Option<String>,
    /// How important somebody found it.
    pub priority: Option<String>,
    /// Why its state is what it is, where nobody decided that.
    pub justification: Option<String>,
}

/// One threat type firing for one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threat {
    /// Position in the list of threat types.
    pub threat_type: usize,
    /// What it is about.
    pub subject: SubjectRef,
    /// How severe it is.
    pub rating: Rating,
    /// The state that controls give it.
    pub computed: State,
    /// What somebody decided about it.
    pub decision: Option<Decision>,
    /// The number that another tool gave it.
    pub number: Option<u32>,
    /// What the file that it is stored in calls it, where that is not what its type says.
    pub wording: Option<Box<Wording>>,
    /// Controls in place.
    pub controls: Vec<AppliedControl>,
    /// Why it fires.
    pub evidence: Vec<Cited>,
}

impl Threat {
    /// Its title: as it is stored, or as its type says. Flows that differ by nothing but their port are told apart by
    /// it, in our own words only.
    pub fn title(&self, threat_type: &ThreatType, model: &Model) -> String {
        if let Some(stored) = self.wording.as_ref().and_then(|w| w.title.clone()) {
            return stored;
        }
        let title = threat_type.title.render(model, self.subject);
        let SubjectRef::Flow(id) = self.subject else { return title };
        let Some(port) = model.distinct_port(id).filter(|_| !threat_type.is_foreign()) else { return title };
        // `Service/shop/web`: the port is not one of the node or of the pod.
        let through = model.flow(id).via.and_then(|via| {
            let mut parts = model.text(via).splitn(3, '/');
            let kind = parts.next()?.split('.').next()?;
            Some(format!(" of {kind} {}", parts.nth(1)?))
        });
        format!("{title} (port {port}{})", through.unwrap_or_default())
    }

    /// What can happen: as it is stored, or as its type says.
    pub fn description(&self, threat_type: &ThreatType, model: &Model) -> String {
        let stored = self.wording.as_ref().and_then(|w| w.description.clone());
        stored.unwrap_or_else(|| threat_type.description.render(model, self.subject))
    }

    /// How important it is, in the words of whoever said so.
    pub fn priority(&self) -> &str {
        let stored = self.wording.as_ref().and_then(|w| w.priority.as_deref());
        stored.unwrap_or(self.rating.severity.title())
    }

    /// One sentence that says how the severity came about.
    pub fn why(&self, threat_type: &ThreatType, model: &Model) -> String {
        let stored = self.wording.as_ref().and_then(|w| w.priority.as_deref());
        match stored {
            Some(word) => format!("Priority {word}, as the model says."),
            None if threat_type.is_foreign() => format!("Priority {}, as the template says.", self.priority()),
            None => self.rating.why(model, threat_type),
        }
    }

    /// What was decided, else what controls give.
    pub fn state(&self) -> State {
        self.decision.as_ref().map_or(self.computed, |d| d.state)
    }

    /// The key that Threat Modeling Tool has for a threat of a flow: its type, and the identities of source, flow and
    /// target. Threats of other subjects have that of their type.
    pub fn interaction_key(&self, model: &Model, threat_type: &str) -> String {
        let SubjectRef::Flow(flow) = self.subject else { return threat_type.to_owned() };
        let flow = model.flow(flow);
        let identity = |element: ElementId| model.text(model.element(element).identity);
        let (source, target) = (identity(flow.source), identity(flow.target));
        format!("{threat_type}{source}{}{target}", model.text(flow.identity))
    }

    /// The elements it is about: source and target of a flow; for other subjects the workload or store as target.
    pub fn parties(&self, model: &Model) -> (Option<ElementId>, Option<ElementId>) {
        match self.subject {
            SubjectRef::Flow(id) => (Some(model.flow(id).source), Some(model.flow(id).target)),
            SubjectRef::Element(id) => (None, Some(id)),
            SubjectRef::Container(id) => (None, Some(model.container(id).workload)),
            SubjectRef::Boundary(_) | SubjectRef::Control(_) | SubjectRef::Name(_) => (None, None),
        }
    }
}

/// All subjects of one kind, in order. Flows that are merely possible are left out: a threat of a flow that nobody uses
/// costs more trust than it brings.
pub(crate) fn subjects(model: &Model, kind: SubjectKind) -> Vec<SubjectRef> {
    match kind {
        SubjectKind::Element => model.elements().map(|(id, _)| SubjectRef::Element(id)).collect(),
        SubjectKind::Flow => {
            let sure = model.flows().filter(|(_, f)| f.confidence > Confidence::Possible);
            sure.map(|(id, _)| SubjectRef::Flow(id)).collect()
        }
        SubjectKind::Boundary => model.boundaries().map(|(id, _)| SubjectRef::Boundary(id)).collect(),
        SubjectKind::Container => model.containers().map(|(id, _)| SubjectRef::Container(id)).collect(),
        SubjectKind::Control => model.controls().map(|(id, _)| SubjectRef::Control(id)).collect(),
        SubjectKind::Name => model.names().map(|(id, _)| SubjectRef::Name(id)).collect(),
    }
}
