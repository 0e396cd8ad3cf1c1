//! Threats with their states.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kubestride_analysis::{Analysis, Severity, State, Threat};
use kubestride_model::{Model, SubjectRef};
use kubestride_template::ThreatType;

use super::Xml;
use super::existing::Existing;
use super::knowledge::{Rules, meaning};
use super::place::Placed;
use super::surface::{of, page};

/// How a justification begins that nobody wrote: the state is what controls give.
pub(crate) const COMPUTED: &str = "[kubestride: in place]";

/// How a justification begins of a risk that was accepted, which the tool has no state for.
pub(crate) const ACCEPTED: &str = "[kubestride: accepted]";

/// The diagram that threats are of.
pub(crate) struct Page<'p> {
    pub(crate) name: &'p str,
    pub(crate) placed: &'p Placed,
    pub(crate) existing: &'p Existing,
}

/// Writes threats of flows whose type is in the template; says what is left out.
pub(crate) fn write(
    xml: &mut Xml,
    model: &Model,
    types: &[ThreatType],
    analysis: &Analysis,
    rules: &Rules,
    page: &Page<'_>,
) -> Vec<String> {
    xml.text.push_str("<ThreatInstances xmlns:a=\"http://schemas.microsoft.com/2003/10/Serialization/Arrays\">");
    let mut number = 0;
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for threat in &analysis.threats {
        let Some(threat_type) = types.get(threat.threat_type) else { continue };
        match threat.subject {
            SubjectRef::Flow(_) if rules.include.contains_key(&threat.threat_type) => {
                one(xml, model, threat_type, threat, number, page);
                number += 1;
            }
            _ => *left.entry(&threat_type.id).or_default() += 1,
        }
    }
    // Threats of flows that people drew.
    let ours = page.placed.flows.keys().map(|id| of(model, SubjectRef::Flow(*id))).collect();
    for (_, raw) in Existing::drawn_by_hand(&page.existing.threats, &ours) {
        xml.text.push_str(raw);
    }
    xml.text.push_str("</ThreatInstances>");
    if left.is_empty() {
        return Vec::new();
    }
    let total: usize = left.values().sum();
    let each: Vec<String> = left.iter().map(|(id, count)| format!("{id} ({count})")).collect();
    vec![format!("{total} threats are not in the file, because the tool cannot hold their types: {}", each.join(", "))]
}

fn one(xml: &mut Xml, model: &Model, threat_type: &ThreatType, threat: &Threat, number: usize, on: &Page<'_>) {
    let SubjectRef::Flow(id) = threat.subject else { return };
    let flow = model.flow(id);
    let guids = [
        of(model, SubjectRef::Element(flow.source)),
        of(model, threat.subject),
        of(model, SubjectRef::Element(flow.target)),
    ];
    let [source, own, target] = &guids;
    let key = format!("{}{source}{own}{target}", threat_type.id);
    let stored = on.existing.decisions.get(&key);
    let (state, justification) = match stored {
        Some(stored) => (stored.state.as_str(), stored.justification.clone()),
        None => decision(threat_type, threat),
    };
    let by = stored.map(|s| s.changed_by.as_str()).or(threat.decision.as_ref().map(|d| d.by.as_str()));
    let at = stored.map(|s| s.modified.as_str()).or(threat.decision.as_ref().map(|d| d.at.as_str()));
    let priority = match threat.rating.severity {
        Severity::Critical | Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    };
    xml.text.push_str("<a:KeyValueOfstringThreatpc_P0_PhOB>");
    xml.leaf("a:Key", &key);
    xml.text.push_str("<a:Value xmlns:b=\"http://schemas.datacontract.org/2004/07/ThreatModeling.KnowledgeBase\">");
    match by.filter(|by| !by.is_empty()) {
        Some(by) => xml.leaf("b:ChangedBy", by),
        None => xml.nil("b:ChangedBy"),
    }
    xml.leaf("b:DrawingSurfaceGuid", &page(on.name));
    xml.leaf("b:FlowGuid", own);
    xml.leaf("b:Id", &number.to_string());
    xml.leaf("b:InteractionKey", &format!("{source}:{own}:{target}"));
    xml.nil("b:InteractionString");
    xml.leaf("b:ModifiedAt", at.filter(|at| !at.is_empty()).unwrap_or("0001-01-01T00:00:00"));
    xml.leaf("b:Priority", priority);
    xml.text.push_str("<b:Properties>");
    let interaction = model.text(flow.protocol);
    let mitigation = threat_type.sections.mitigation.trim();
    for (key, value) in [
        ("Title", threat_type.title.render(model, threat.subject).as_str()),
        ("UserThreatCategory", threat_type.category_title()),
        ("UserThreatShortDescription", meaning(threat_type.category)),
        ("UserThreatDescription", threat_type.description.render(model, threat.subject).trim()),
        ("StateInformation", justification.as_str()),
        ("InteractionString", interaction),
        ("PossibleMitigations", mitigation),
        ("Priority", priority),
    ]
    .into_iter()
    .filter(|(key, value)| *key != "StateInformation" || !value.is_empty())
    {
        xml.text.push_str("<a:KeyValueOfstringstring>");
        xml.leaf("a:Key", key);
        xml.leaf("a:Value", value);
        xml.text.push_str("</a:KeyValueOfstringstring>");
    }
    xml.text.push_str("</b:Properties>");
    xml.leaf("b:SourceGuid", source);
    xml.leaf("b:State", state);
    xml.nil("b:StateInformation");
    xml.leaf("b:TargetGuid", target);
    xml.nil("b:Title");
    xml.leaf("b:TypeId", &threat_type.id);
    xml.leaf("b:Upgraded", "false");
    xml.nil("b:UserThreatCategory");
    xml.nil("b:UserThreatDescription");
    xml.nil("b:UserThreatShortDescription");
    xml.leaf("b:Wide", "false");
    let _ = write!(xml.text, "</a:Value></a:KeyValueOfstringThreatpc_P0_PhOB>");
}

/// The state of the tool and its justification. What nobody decided is marked, so that it is not read back as a
/// person's.
fn decision(threat_type: &ThreatType, threat: &Threat) -> (&'static str, String) {
    let why = threat.decision.as_ref().map(|d| d.justification.clone()).unwrap_or_default();
    match (threat.state(), threat.decision.is_some()) {
        (State::Mitigated, false) => {
            let controls = threat.controls.iter().filter_map(|c| threat_type.mitigated_by.get(c.mitigation));
            let names: Vec<&str> = controls.map(|m| m.control.as_str()).collect();
            ("Mitigated", format!("{COMPUTED} {}", names.join("; ")))
        }
        (State::Accepted, _) => ("NeedsInvestigation", format!("{ACCEPTED} {why}").trim().to_owned()),
        (State::NotStarted, _) => ("AutoGenerated", why),
        (State::NeedsInvestigation, _) => ("NeedsInvestigation", why),
        (State::NotApplicable, _) => ("NotApplicable", why),
        (State::Mitigated, true) => ("Mitigated", why),
    }
}
