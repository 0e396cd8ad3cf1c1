//! Short answers to what people ask first: what is reached from outside, who talks to the data, what could take over a
//! node or the cluster, and what could not be determined.

use std::collections::BTreeMap;
use std::io::{self, Write};

use kubestride_analysis::{Severity, Threat};
use kubestride_model::{ElementId, FlowId, FlowKind, SubjectRef, Value};
use kubestride_stencils::attributes::{ENCRYPTION, ENTRY, SOURCE_RESTRICTED, TECHNOLOGY_CLASS};
use kubestride_stencils::values::{Encryption, TechnologyClass, YesNo};
use kubestride_template::{Impact, Scheme};

use super::escape::{Escaped, anchor, fragment};
use super::wire::wire;
use super::{badge, counted};
use crate::Report;
use crate::summary::{is_workload, owner, threat_id};

/// Most lines of an answer, and most names in a line.
const MOST: usize = 12;

pub(crate) fn section(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"glance\"><h2>At a glance</h2><dl>")?;
    answer(out, "Reached from outside", exposed(report), "Nothing in this input can be reached from outside.")?;
    answer(out, "Keeps data", datastores(report), "No database, cache or queue is in this input.")?;
    let node = threats_of(report, |t| t.subject_is_host && t.impact == Impact::Critical);
    answer(out, "Could take over a node", node, "No open threat gives a way to a node.")?;
    let api = threats_of(report, |t| t.is_api && t.severity >= Severity::Medium);
    answer(out, "Powerful through the Kubernetes API", api, "No workload in this input has far-reaching rights.")?;
    let questions = report.analysis.undetermined.len();
    let open = if questions == 0 {
        Vec::new()
    } else {
        vec![format!("<a href=\"#unknown\">{}</a>", counted(questions, "open question", "open questions"))]
    };
    answer(out, "Could not be determined", open, "Nothing was left open.")?;
    writeln!(out, "</dl></section>")
}

fn answer(out: &mut dyn Write, question: &str, lines: Vec<String>, none: &str) -> io::Result<()> {
    write!(out, "<dt>{question}</dt><dd>")?;
    match lines.as_slice() {
        [] => write!(out, "{none}")?,
        [one] => write!(out, "{one}")?,
        many => {
            write!(out, "<ul class=\"plain\">")?;
            for line in many.iter().take(MOST) {
                write!(out, "<li>{line}</li>")?;
            }
            if many.len() > MOST {
                write!(out, "<li>and {} more</li>", many.len() - MOST)?;
            }
            write!(out, "</ul>")?;
        }
    }
    writeln!(out, "</dd>")
}

/// A name that leads to the section of a service.
fn linked(report: &Report<'_>, id: ElementId) -> String {
    let element = report.model.element(id);
    let name = Escaped(report.model.text(element.name)).to_string();
    if !is_workload(report.model, id) {
        return name;
    }
    let link = fragment(&format!("service-{}", report.model.text(element.identity)));
    format!("<a href=\"{link}\">{name}</a>")
}

/// `HTTP 80, in clear text`.
fn described(report: &Report<'_>, id: FlowId) -> String {
    let value = report.model.value(SubjectRef::Flow(id), ENCRYPTION.id);
    let encrypted = match value {
        Some(v) if v == ENCRYPTION.value(Encryption::Encrypted) => "encrypted",
        Some(v) if v == ENCRYPTION.value(Encryption::Mesh) => "encrypted by the mesh",
        Some(v) if v == ENCRYPTION.value(Encryption::Plain) => "in clear text",
        _ => "encryption not known",
    };
    let wire = Escaped(wire(report, id)).to_string();
    if wire.is_empty() { encrypted.to_owned() } else { format!("{wire}, {encrypted}") }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}

fn exposed(report: &Report<'_>) -> Vec<String> {
    let model = report.model;
    let mut by_target: BTreeMap<ElementId, Vec<String>> = BTreeMap::new();
    for (id, flow) in model.flows().filter(|(_, f)| f.kind == FlowKind::Exposure) {
        let subject = SubjectRef::Flow(id);
        let entry = model.value(subject, ENTRY.id).filter(|v| *v != Value::Unknown);
        let entry = entry.map(|v| model.value_text(ENTRY.id, v).to_lowercase());
        let restricted = model.value(subject, SOURCE_RESTRICTED.id) == Some(SOURCE_RESTRICTED.value(YesNo::Yes));
        let limits = restricted.then(|| "for some addresses only".to_owned());
        let parts = entry.into_iter().chain([described(report, id)]).chain(limits).collect::<Vec<_>>().join(", ");
        by_target.entry(flow.target).or_default().push(parts);
    }
    by_target.into_iter().map(|(target, ways)| format!("{}: {}", linked(report, target), ways.join("; "))).collect()
}

fn datastores(report: &Report<'_>) -> Vec<String> {
    let model = report.model;
    let kinds = [TechnologyClass::Database, TechnologyClass::Cache, TechnologyClass::Queue];
    let kinds = kinds.map(|kind| Some(TECHNOLOGY_CLASS.value(kind)));
    let stores = model.elements().map(|(id, _)| id);
    let stores = stores.filter(|id| kinds.contains(&model.value(SubjectRef::Element(*id), TECHNOLOGY_CLASS.id)));
    stores.map(|id| format!("{}: {}", linked(report, id), callers(report, id))).collect()
}

/// Who calls, grouped by how.
fn callers(report: &Report<'_>, of: ElementId) -> String {
    let model = report.model;
    let mut by_wire: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in model.incoming(of) {
        let flow = model.flow(*id);
        if matches!(flow.kind, FlowKind::Traffic | FlowKind::Exposure) {
            by_wire.entry(described(report, *id)).or_default().push(linked(report, flow.source));
        }
    }
    if by_wire.is_empty() {
        return "nobody in this input calls it".to_owned();
    }
    let ways = by_wire.into_iter().map(|(wire, names)| format!("called by {} ({wire})", listed(names)));
    ways.collect::<Vec<_>>().join("; ")
}

/// What decides whether a threat belongs to an answer.
struct About {
    /// It leads from a container to its node.
    subject_is_host: bool,
    /// It is about calls of the Kubernetes API.
    is_api: bool,
    impact: Impact,
    severity: Severity,
}

/// Workloads with the open threats that are wanted, the worst first.
fn threats_of(report: &Report<'_>, wanted: impl Fn(&About) -> bool) -> Vec<String> {
    let mut by_owner: BTreeMap<Option<ElementId>, Vec<&Threat>> = BTreeMap::new();
    for threat in report.analysis.threats.iter().filter(|t| t.state().is_open()) {
        let Some(threat_type) = report.types.get(threat.threat_type) else { continue };
        let is_flow = |kind| matches!(threat.subject, SubjectRef::Flow(id) if report.model.flow(id).kind == kind);
        // Escape to Host.
        let escapes =
            threat_type.mappings.iter().any(|m| m.scheme == Scheme::Attack && m.ids.iter().any(|i| i == "T1611"));
        let of_workload = !matches!(threat.subject, SubjectRef::Boundary(_));
        let about = About {
            subject_is_host: escapes && of_workload,
            is_api: is_flow(FlowKind::Api),
            impact: threat_type.impact,
            severity: threat.rating.severity,
        };
        if wanted(&about) {
            by_owner.entry(owner(report.model, threat).or(threat.parties(report.model).0)).or_default().push(threat);
        }
    }
    let mut rows: Vec<(Severity, String)> = by_owner
        .into_iter()
        .map(|(owner, threats)| {
            let worst = threats.iter().map(|t| t.rating.severity).max().unwrap_or(Severity::Low);
            let mut names = threats.iter().map(|t| title(report, t)).collect::<Vec<_>>();
            names.dedup();
            let name = owner.map_or_else(String::new, |id| format!("{}: ", linked(report, id)));
            (worst, format!("{} {name}{}", badge(worst), listed(names)))
        })
        .collect();
    rows.sort_by_key(|(worst, _)| std::cmp::Reverse(*worst));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn title(report: &Report<'_>, threat: &Threat) -> String {
    let link = fragment(&anchor("", &threat_id(report, threat)));
    let name = report.types.get(threat.threat_type).map(super::first::type_name).unwrap_or_default();
    format!("<a href=\"{link}\">{}</a>", Escaped(name))
}
