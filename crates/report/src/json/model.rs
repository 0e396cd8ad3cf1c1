//! The data-flow diagram.

use kubestride_model::SubjectRef;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::parts::{Attributes, Each, Places, boundary, element, stencil};
use crate::Report;

/// Elements, flows, boundaries, controls and names, each in the order of the model.
pub(crate) struct Diagram<'r, 'a>(pub(crate) &'r Report<'a>);

#[derive(Serialize)]
struct Element<'r, 'a, C: Serialize> {
    id: &'r str,
    name: &'r str,
    kind: &'static str,
    stencil: &'r str,
    boundary: &'r str,
    attributes: Attributes<'r, 'a>,
    containers: C,
    evidence: Places<'r, 'a>,
}

#[derive(Serialize)]
struct Container<'r, 'a> {
    id: &'r str,
    name: &'r str,
    stencil: &'r str,
    attributes: Attributes<'r, 'a>,
    evidence: Places<'r, 'a>,
}

#[derive(Serialize)]
struct Flow<'r, 'a> {
    id: &'r str,
    source: &'r str,
    target: &'r str,
    kind: &'static str,
    stencil: &'r str,
    access: Option<&'static str>,
    port: Option<u16>,
    protocol: Option<&'r str>,
    via: Option<&'r str>,
    confidence: &'static str,
    implicit: bool,
    crosses: Vec<&'r str>,
    attributes: Attributes<'r, 'a>,
    evidence: Places<'r, 'a>,
}

#[derive(Serialize)]
struct Boundary<'r, 'a> {
    id: &'r str,
    name: &'r str,
    kind: &'static str,
    stencil: &'r str,
    parent: Option<&'r str>,
    attributes: Attributes<'r, 'a>,
    evidence: Places<'r, 'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Control<'r, 'a> {
    id: &'r str,
    name: &'r str,
    stencil: &'r str,
    boundary: &'r str,
    applies_to: Vec<&'r str>,
    attributes: Attributes<'r, 'a>,
    evidence: Places<'r, 'a>,
}

#[derive(Serialize)]
struct Name<'r, 'a> {
    id: &'r str,
    name: &'r str,
    stencil: &'r str,
    boundary: &'r str,
    targets: Vec<&'r str>,
    attributes: Attributes<'r, 'a>,
    evidence: Places<'r, 'a>,
}

impl Serialize for Diagram<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let mut out = serializer.serialize_struct("Model", 5)?;
        out.serialize_field("elements", &Each(|| elements(report)))?;
        out.serialize_field("flows", &Each(|| flows(report)))?;
        out.serialize_field("boundaries", &Each(|| boundaries(report)))?;
        out.serialize_field("controls", &Each(|| controls(report)))?;
        out.serialize_field("names", &Each(|| names(report)))?;
        out.end()
    }
}

fn elements(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.elements().map(move |(id, this)| {
        let subject = SubjectRef::Element(id);
        Element {
            id: model.text(this.identity),
            name: model.text(this.name),
            kind: this.kind.as_str(),
            stencil: stencil(model, subject),
            boundary: boundary(model, this.boundary),
            attributes: Attributes(report, subject),
            containers: Each(move || {
                model.containers_of(id).map(|(id, this)| Container {
                    id: model.text(this.identity),
                    name: model.text(this.name),
                    stencil: stencil(model, SubjectRef::Container(id)),
                    attributes: Attributes(report, SubjectRef::Container(id)),
                    evidence: Places(report, model.evidence(this.evidence)),
                })
            }),
            evidence: Places(report, model.evidence(this.evidence)),
        }
    })
}

fn flows(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.flows().map(move |(id, this)| Flow {
        id: model.text(this.identity),
        source: element(model, this.source),
        target: element(model, this.target),
        kind: this.kind.as_str(),
        stencil: stencil(model, SubjectRef::Flow(id)),
        access: this.access.map(|a| a.as_str()),
        port: this.port,
        protocol: Some(model.text(this.protocol)).filter(|p| *p != "-"),
        via: this.via.map(|via| model.text(via)),
        confidence: this.confidence.as_str(),
        implicit: this.implicit,
        crosses: model.crossings(this.crosses).iter().map(|b| boundary(model, *b)).collect(),
        attributes: Attributes(report, SubjectRef::Flow(id)),
        evidence: Places(report, model.evidence(this.evidence)),
    })
}

fn boundaries(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.boundaries().map(move |(id, this)| Boundary {
        id: model.text(this.identity),
        name: model.text(this.name),
        kind: this.kind.as_str(),
        stencil: stencil(model, SubjectRef::Boundary(id)),
        parent: this.parent.map(|parent| boundary(model, parent)),
        attributes: Attributes(report, SubjectRef::Boundary(id)),
        evidence: Places(report, model.evidence(this.evidence)),
    })
}

fn controls(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.controls().map(move |(id, this)| Control {
        id: model.text(this.identity),
        name: model.text(this.name),
        stencil: stencil(model, SubjectRef::Control(id)),
        boundary: boundary(model, this.boundary),
        applies_to: this.applies_to.iter().map(|e| element(model, *e)).collect(),
        attributes: Attributes(report, SubjectRef::Control(id)),
        evidence: Places(report, model.evidence(this.evidence)),
    })
}

fn names(report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
    let model = report.model;
    model.names().map(move |(id, this)| Name {
        id: model.text(this.identity),
        name: model.text(this.name),
        stencil: stencil(model, SubjectRef::Name(id)),
        boundary: boundary(model, this.boundary),
        targets: this.targets.iter().map(|e| element(model, *e)).collect(),
        attributes: Attributes(report, SubjectRef::Name(id)),
        evidence: Places(report, model.evidence(this.evidence)),
    })
}
