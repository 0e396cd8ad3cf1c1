//! Threats and their types.

use kubestride_analysis::{Severity, Threat};
use kubestride_model::{BoundaryKind, SubjectRef};
use kubestride_template::ThreatType;
use serde::Serialize;

use super::model::position;
use super::snippets::{Piece, Snippets, clean};
use crate::Report;
use crate::html::escape::{Escaped, anchor};
use crate::html::{first::type_name, subject_name};
use crate::markdown_html::markdown;
use crate::summary::{self, STATES};

/// What all threats of a type have in common. The long texts are HTML.
#[derive(Serialize)]
struct Type<'r> {
    id: &'r str,
    name: String,
    category: usize,
    why: String,
    fix: String,
    verify: String,
    listed: String,
}

/// One threat. Its id is that of its type, `@` and that of its subject.
#[derive(Serialize)]
struct Row<'r> {
    #[serde(rename = "type")]
    threat_type: usize,
    id: String,
    severity: usize,
    state: usize,
    title: String,
    subject: String,
    /// HTML.
    text: String,
    why: String,
    /// Positions of the elements that it is about: the one that it counts for comes first.
    about: Vec<usize>,
    /// Position of the boundary to filter by.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    /// Identity of its flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<&'r str>,
    evidence: Vec<Piece>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    controls: Vec<Control<'r>>,
    /// What was decided: why, by whom and when, and whether the threat does not fire any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<(String, String, String, bool)>,
}

#[derive(Serialize)]
struct Control<'r> {
    name: &'r str,
    effect: &'static str,
    evidence: Vec<Piece>,
}

/// The types that occur, and nothing in place of the others: positions are those of the analysis.
pub(crate) fn types(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let mut occurs = vec![false; report.types.len()];
    for threat in &report.analysis.threats {
        if let Some(occurs) = occurs.get_mut(threat.threat_type) {
            *occurs = true;
        }
    }
    report.types.iter().zip(occurs).map(|(this, occurs)| {
        occurs.then(|| Type {
            id: &this.id,
            name: type_name(this),
            category: kubestride_template::Category::STRIDE.iter().position(|c| *c == this.category).unwrap_or(0),
            why: html(&this.sections.why, true),
            fix: html(&this.sections.mitigation, true),
            verify: html(&this.sections.verify, true),
            listed: listed(this),
        })
    })
}

/// All threats, in the order of the analysis.
pub(crate) fn threats(report: &Report<'_>, snippets: &Snippets) -> impl Iterator<Item = impl Serialize> {
    report.analysis.threats.iter().filter_map(move |this| {
        let threat_type = report.types.get(this.threat_type)?;
        let model = report.model;
        let flow = match this.subject {
            SubjectRef::Flow(id) => Some(model.flow(id)),
            _ => None,
        };
        let (source, target) = this.parties(model);
        let owner = summary::owner(model, this);
        let mut about = Vec::new();
        for element in owner.into_iter().chain(target).chain(source).map(position) {
            if !about.contains(&element) {
                about.push(element);
            }
        }
        Some(Row {
            threat_type: this.threat_type,
            id: anchor("", model.identity_of(this.subject)),
            severity: Severity::ALL.iter().position(|s| *s == this.rating.severity).unwrap_or(0),
            state: STATES.iter().position(|s| *s == this.state()).unwrap_or(0),
            title: clean(&this.title(threat_type, model)),
            subject: clean(&subject_name(report, this.subject)),
            text: html(&this.description(threat_type, model), false),
            why: clean(&this.why(threat_type, model)),
            about,
            place: place(report, this),
            flow: flow.map(|f| model.text(f.identity)),
            evidence: this.evidence.iter().map(|c| snippets.cited(report, c)).collect(),
            controls: controls(report, threat_type, this, snippets),
            decision: this.decision.as_ref().map(|d| (clean(&d.justification), clean(&d.by), clean(&d.at), d.stale)),
        })
    })
}

/// The namespace of a threat, or what else holds it.
fn place(report: &Report<'_>, threat: &Threat) -> Option<usize> {
    let model = report.model;
    let (source, target) = threat.parties(model);
    let inner = match threat.subject {
        SubjectRef::Boundary(id) => Some(id),
        _ => summary::owner(model, threat).or(target).or(source).map(|e| model.element(e).boundary),
    };
    let drawn = |b| model.enclosing(b).find(|(_, b)| b.kind != BoundaryKind::Workload).map(|(id, _)| id.index());
    inner.and_then(drawn)
}

fn controls<'r>(
    report: &'r Report<'_>,
    threat_type: &'r ThreatType,
    threat: &Threat,
    snippets: &Snippets,
) -> Vec<Control<'r>> {
    let control = |applied: &kubestride_analysis::AppliedControl| {
        let name = &threat_type.mitigated_by.get(applied.mitigation)?.control;
        let evidence = applied.evidence.iter().map(|c| snippets.cited(report, c)).collect();
        Some(Control { name, effect: applied.effect.as_str(), evidence })
    };
    threat.controls.iter().filter_map(control).collect()
}

fn html(text: &str, links: bool) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = markdown(&mut out, text, links);
    String::from_utf8(out).unwrap_or_default()
}

/// The frameworks that list a type of threat, and its references.
fn listed(threat_type: &ThreatType) -> String {
    let mut out = String::new();
    for mapping in &threat_type.mappings {
        let ids = mapping.ids.iter().map(|id| match mapping.scheme.url(id) {
            Some(url) => format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", Escaped(url), Escaped(id)),
            None => Escaped(id).to_string(),
        });
        let ids = ids.collect::<Vec<_>>().join(", ");
        out.push_str(&format!("<li>{}: {ids}</li>", Escaped(mapping.scheme.title())));
    }
    let lists = if out.is_empty() { out } else { format!("<ul>{out}</ul>") };
    lists + &html(&threat_type.sections.references, true)
}
