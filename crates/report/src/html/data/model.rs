//! The data-flow diagram, as far as the page shows it.

use std::collections::BTreeSet;

use kubestride_model::{BoundaryKind, Domain, ElementId, FlowId, FlowKind, SubjectRef, Value};
use kubestride_stencils::attributes::{AUTHENTICATION, ENCRYPTION, ENTRY};
use serde::Serialize;

use super::snippets::{Piece, Snippets, clean};
use crate::html::wire;
use crate::{Report, summary};

/// Most pieces of evidence of one flow.
pub(crate) const MOST_EVIDENCE: usize = 4;

/// A trust boundary.
#[derive(Serialize)]
struct Boundary<'r> {
    id: &'r str,
    name: String,
    kind: &'static str,
}

/// An element.
#[derive(Serialize)]
struct Element<'r> {
    id: &'r str,
    name: String,
    /// `process`, `external` or `store`.
    kind: &'static str,
    stencil: &'r str,
    /// Position of the boundary that holds it.
    at: usize,
    /// Whether it is a workload, which has a section of its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    service: bool,
}

/// A flow that is not implicit.
#[derive(Serialize)]
struct Flow<'r> {
    id: &'r str,
    from: usize,
    to: usize,
    kind: &'static str,
    /// Protocol and port.
    wire: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'static str>,
    sure: &'static str,
    /// Positions of the boundaries that it crosses.
    crosses: Vec<usize>,
    /// What protects it, and what it may do.
    facts: Vec<(String, String)>,
    evidence: Vec<Piece>,
}

/// All trust boundaries, in the order of the model.
pub(crate) fn boundaries(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.boundaries().map(move |(_, this)| Boundary {
        id: model.text(this.identity),
        name: match this.kind {
            BoundaryKind::Namespace => format!("Namespace {}", clean(model.text(this.name))),
            _ => clean(model.text(this.name)),
        },
        kind: this.kind.as_str(),
    })
}

/// All elements, in the order of the model.
pub(crate) fn elements(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.elements().map(move |(id, this)| Element {
        id: model.text(this.identity),
        name: clean(model.text(this.name)),
        kind: this.kind.as_str(),
        stencil: model.vocabulary().stencil(this.stencil).map_or("", |s| &s.name),
        at: this.boundary.index(),
        service: summary::is_workload(model, id),
    })
}

/// All flows that are not implicit, in the order of the model.
pub(crate) fn flows(report: &Report<'_>, snippets: &Snippets) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.flows().filter(|(_, f)| !f.implicit).map(move |(id, this)| {
        let evidence = model.evidence(this.evidence).iter().take(MOST_EVIDENCE);
        Flow {
            id: model.text(this.identity),
            from: position(this.source),
            to: position(this.target),
            kind: this.kind.as_str(),
            wire: wire::plain(report, id),
            access: this.access.map(|a| a.as_str()),
            sure: this.confidence.as_str(),
            crosses: model.crossings(this.crosses).iter().map(|b| b.index()).collect(),
            facts: facts(report, id),
            evidence: evidence.map(|e| snippets.plain(report, e)).collect(),
        }
    })
}

/// The position of an element in the table.
pub(crate) fn position(element: ElementId) -> usize {
    element.index()
}

/// What is known of a flow: the Service that it travels through, encryption, authentication, rights.
fn facts(report: &Report<'_>, id: FlowId) -> Vec<(String, String)> {
    let model = report.model;
    let flow = model.flow(id);
    let mut facts: Vec<(String, String)> = Vec::new();
    if let Some(via) = flow.via {
        facts.push(("Travels through".to_owned(), clean(model.text(via))));
    }
    if matches!(flow.kind, FlowKind::Traffic | FlowKind::Exposure) {
        for attribute in [ENCRYPTION.id, AUTHENTICATION.id, ENTRY.id] {
            let value = model.value(SubjectRef::Flow(id), attribute);
            let known = value.filter(|v| *v != Value::Unknown).map(|v| model.value_text(attribute, v));
            let unknown = (attribute != ENTRY.id).then(|| "not known".to_owned());
            let name = model.vocabulary().attribute(attribute).map_or("", |a| &a.name);
            facts.extend(known.or(unknown).map(|text| (crate::text::capital(name), text)));
        }
    }
    facts.extend(rights(report, id));
    facts
}

/// Rights that a flow to the Kubernetes API gives, with how far they reach.
fn rights(report: &Report<'_>, id: FlowId) -> BTreeSet<(String, String)> {
    let model = report.model;
    if model.flow(id).kind != FlowKind::Api {
        return BTreeSet::new();
    }
    let scoped = |value: Value, domain: &Domain| match (value, domain) {
        (Value::Choice(at), Domain::Choice(names)) if names.iter().any(|n| n == "Namespace") => {
            names.get(at as usize).filter(|n| *n != "No").cloned()
        }
        _ => None,
    };
    let values = model.values(SubjectRef::Flow(id)).iter().filter_map(|(attribute, value)| {
        let definition = model.vocabulary().attribute(*attribute)?;
        let scope = scoped(*value, &definition.domain)?;
        let scope = if scope == "Cluster" { "in all namespaces" } else { "in its namespaces" };
        let doc = definition.doc.split(['.', ':', '(']).next().unwrap_or("").trim();
        Some((format!("May: {}", doc.to_lowercase()), scope.to_owned()))
    });
    values.collect()
}
