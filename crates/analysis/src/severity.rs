//! How bad and how likely a threat is, and why it is rated so.

use kubestride_model::{Confidence, ElementId, FlowKind, Model, SubjectRef};
use kubestride_template::{Actor, Impact, Likelihood, ThreatType};

/// The rating of a threat, from least to most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth planning.
    Medium,
    /// Worth doing next.
    High,
    /// Worth stopping for.
    Critical,
}

impl Severity {
    /// All severities, the worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// The word in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The word in lists that people read.
    pub fn title(self) -> &'static str {
        match self {
            Severity::Low => "Low",
            Severity::Medium => "Medium",
            Severity::High => "High",
            Severity::Critical => "Critical",
        }
    }

    /// The priority of Threat Modeling Tool, which has none above `High`.
    pub fn priority(self) -> &'static str {
        match self {
            Severity::Critical => Severity::High.title(),
            other => other.title(),
        }
    }

    /// What a threat of this severity counts when fixes are ranked. Each step doubles, so that two threats of one step
    /// weigh as much as one of the next.
    pub fn weight(self) -> u32 {
        1 << (self as u32)
    }
}

/// A severity and what it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// The result.
    pub severity: Severity,
    /// From the threat type.
    pub impact: Impact,
    /// From the threat type, then raised and lowered.
    pub likelihood: Likelihood,
    /// The workload whose exposure raised the likelihood.
    pub raised_by: Option<ElementId>,
    /// Whether a control that is in place lowered it.
    pub lowered: bool,
}

impl Rating {
    /// A severity that somebody set.
    pub fn plain(severity: Severity) -> Self {
        let impact = match severity {
            Severity::Low => Impact::Low,
            Severity::Medium => Impact::Medium,
            Severity::High => Impact::High,
            Severity::Critical => Impact::Critical,
        };
        Self { severity, impact, likelihood: Likelihood::High, raised_by: None, lowered: false }
    }
}

/// Rates a threat of this type for one subject: impact, lowered by one step for each step that likelihood is below high.
pub(crate) fn rate(model: &Model, threat_type: &ThreatType, subject: SubjectRef, lowered: bool) -> Rating {
    let exposed = (threat_type.actor == Actor::CompromisedWorkload).then(|| exposed_party(model, subject)).flatten();
    let raised_by = exposed.filter(|_| threat_type.likelihood != Likelihood::High);
    let mut steps = match threat_type.likelihood {
        Likelihood::Low => 0i32,
        Likelihood::Medium => 1,
        Likelihood::High => 2,
    };
    steps = (steps + i32::from(raised_by.is_some()) - i32::from(lowered)).clamp(0, 2);
    let likelihood = [Likelihood::Low, Likelihood::Medium, Likelihood::High][steps as usize];
    let severity = match (threat_type.impact as i32 - (2 - steps)).max(0) {
        3 => Severity::Critical,
        2 => Severity::High,
        1 => Severity::Medium,
        _ => Severity::Low,
    };
    Rating { severity, impact: threat_type.impact, likelihood, raised_by, lowered }
}

/// A workload that the subject is, is part of or connects, and that can be reached from outside the cluster.
fn exposed_party(model: &Model, subject: SubjectRef) -> Option<ElementId> {
    let exposed = |id: &ElementId| {
        model.incoming(*id).iter().map(|f| model.flow(*f)).any(|f| {
            // Whether the addresses of nodes can be reached from outside is not known.
            f.kind == FlowKind::Exposure && f.confidence == Confidence::Certain
        })
    };
    match subject {
        SubjectRef::Element(id) => Some(id).filter(exposed),
        SubjectRef::Container(id) => Some(model.container(id).workload).filter(exposed),
        SubjectRef::Flow(id) => {
            let flow = model.flow(id);
            [flow.source, flow.target].into_iter().find(exposed)
        }
        SubjectRef::Boundary(_) | SubjectRef::Control(_) | SubjectRef::Name(_) => None,
    }
}

impl Rating {
    /// One sentence that says how the severity was made.
    pub(crate) fn why(&self, model: &Model, threat_type: &ThreatType) -> String {
        let capital = |word: &str| {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        };
        let mut text = format!("{} impact, {} likelihood", capital(self.impact.as_str()), self.likelihood.as_str());
        match self.raised_by {
            Some(id) => {
                let name = model.name_of(SubjectRef::Element(id));
                text.push_str(&format!(": raised because {name} can be reached from outside the cluster"));
            }
            None => text.push_str(match threat_type.actor {
                Actor::Internet => ": anybody outside the cluster can try it",
                Actor::CompromisedWorkload => ": it needs code running in a workload",
                Actor::Tenant => ": it needs an account in the cluster",
                Actor::Insider => ": it needs legitimate access",
                Actor::Node => ": it needs control of a node or of the network",
                Actor::SupplyChain => ": it needs control of what is delivered to the cluster",
            }),
        }
        if self.lowered {
            text.push_str(", and lowered by a control that is in place");
        }
        text.push('.');
        text
    }
}
