//! Threats, open questions and messages about the input.

use kubestride_analysis::{AppliedControl, Cited};
use kubestride_model::SubjectRef;
use kubestride_template::{Mapping, ThreatType};
use serde::{Serialize, Serializer};

use super::parts::{Place, Subject, boundary, element};
use crate::Report;
use crate::evidence::{locate, position};
use crate::summary::threat_id;

#[derive(Serialize)]
struct Threat<'r, 'a> {
    id: String,
    #[serde(rename = "type")]
    threat_type: &'r str,
    category: &'r str,
    title: String,
    description: String,
    severity: &'static str,
    why: String,
    state: &'static str,
    computed: &'static str,
    decided: Option<&'static str>,
    justification: Option<&'r str>,
    stale: bool,
    subject: Subject<'r>,
    source: Option<&'r str>,
    target: Option<&'r str>,
    flow: Option<&'r str>,
    crosses: Vec<&'r str>,
    controls: Vec<Control<'r, 'a>>,
    evidence: Citations<'r, 'a>,
    mitigations: Vec<Mitigation<'r>>,
    mappings: Mappings<'r>,
}

#[derive(Serialize)]
struct Control<'r, 'a> {
    name: &'r str,
    effect: &'static str,
    evidence: Citations<'r, 'a>,
}

/// What would answer the threat. The first is advice in Markdown; the others are controls that are recognised.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mitigation<'r> {
    text: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_place: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'r> {
    attribute: &'r str,
    question: &'r str,
    answered_by: &'r str,
    subjects: Vec<Subject<'r>>,
    threats: Vec<&'r str>,
}

#[derive(Serialize)]
struct Message<'r> {
    level: &'static str,
    code: &'static str,
    message: &'r str,
    file: Option<&'r str>,
    line: Option<u32>,
    column: Option<u32>,
    help: Option<&'r str>,
}

struct Citations<'r, 'a>(&'r Report<'a>, &'r [Cited]);

impl Serialize for Citations<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|cited| Place::from(locate(self.0, cited))))
    }
}

struct Mappings<'r>(&'r [Mapping]);

impl Serialize for Mappings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|mapping| (mapping.scheme.key(), &mapping.ids)))
    }
}

/// The threats in the order of the analysis.
pub(crate) fn threats(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    report.analysis.threats.iter().filter_map(move |this| {
        let threat_type = report.types.get(this.threat_type)?;
        let model = report.model;
        let (source, target) = this.parties(model);
        let flow = match this.subject {
            SubjectRef::Flow(id) => Some(model.flow(id)),
            _ => None,
        };
        Some(Threat {
            id: threat_id(report, this),
            threat_type: &threat_type.id,
            category: threat_type.category_title(),
            title: this.title(threat_type, model),
            description: this.description(threat_type, model),
            severity: this.rating.severity.as_str(),
            why: this.why(threat_type, model),
            state: this.state().as_str(),
            computed: this.computed.as_str(),
            decided: this.decision.as_ref().map(|d| d.state.as_str()),
            justification: this.decision.as_ref().map(|d| d.justification.as_str()).filter(|j| !j.is_empty()),
            stale: this.decision.as_ref().is_some_and(|d| d.stale),
            subject: Subject::of(model, this.subject),
            source: source.map(|id| element(model, id)),
            target: target.map(|id| element(model, id)),
            flow: flow.map(|f| model.text(f.identity)),
            crosses: flow.map_or(&[][..], |f| model.crossings(f.crosses)).iter().map(|b| boundary(model, *b)).collect(),
            controls: this.controls.iter().filter_map(|applied| control(report, threat_type, applied)).collect(),
            evidence: Citations(report, &this.evidence),
            mitigations: mitigations(threat_type, &this.controls),
            mappings: Mappings(&threat_type.mappings),
        })
    })
}

fn control<'r, 'a>(
    report: &'r Report<'a>,
    threat_type: &'r ThreatType,
    applied: &'r AppliedControl,
) -> Option<Control<'r, 'a>> {
    let name = &threat_type.mitigated_by.get(applied.mitigation)?.control;
    Some(Control { name, effect: applied.effect.as_str(), evidence: Citations(report, &applied.evidence) })
}

fn mitigations<'r>(threat_type: &'r ThreatType, applied: &[AppliedControl]) -> Vec<Mitigation<'r>> {
    let advice = Mitigation { text: &threat_type.sections.mitigation, effect: None, in_place: None };
    let controls = threat_type.mitigated_by.iter().enumerate().map(|(position, mitigation)| Mitigation {
        text: &mitigation.control,
        effect: Some(mitigation.effect.as_str()),
        in_place: Some(applied.iter().any(|a| a.mitigation == position)),
    });
    std::iter::once(advice).chain(controls).collect()
}

/// What the input does not tell.
pub(crate) fn undetermined(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    report.analysis.undetermined.iter().filter_map(move |this| {
        let attribute = report.model.vocabulary().attribute(this.attribute)?;
        let type_id = |index: &usize| report.types.get(*index).map(|t| t.id.as_str());
        Some(Question {
            attribute: &attribute.name,
            question: &attribute.doc,
            answered_by: &attribute.answered_by,
            subjects: this.subjects.iter().map(|s| Subject::of(report.model, *s)).collect(),
            threats: this.threat_types.iter().filter_map(type_id).collect(),
        })
    })
}

/// What readers reported.
pub(crate) fn diagnostics(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    report.diagnostics.iter().map(move |this| {
        let (file, at) = position(report, this.span).unzip();
        Message {
            level: this.level.as_str(),
            code: this.code,
            message: &this.message,
            file,
            line: at.map(|a| a.line),
            column: at.map(|a| a.column),
            help: this.help.as_deref(),
        }
    })
}
