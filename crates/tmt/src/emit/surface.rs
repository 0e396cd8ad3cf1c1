//! The diagram: shapes, borders and flows with their attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kubestride_model::{AttributeId, BoundaryId, Confidence, Flow, Model, Role, StencilId, SubjectRef, Value};
use kubestride_template::filter::ExportNames as _;

use super::Xml;
use super::existing::Existing;
use super::knowledge::{Rules, choices, is_drawn};
use super::names::{Ours, generic, guid};
use super::place::Placed;
use crate::surface::{Area, Curve};

const ARRAYS: &str = "http://schemas.microsoft.com/2003/10/Serialization/Arrays";
const KNOWLEDGE: &str = "http://schemas.datacontract.org/2004/07/ThreatModeling.KnowledgeBase";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// The GUID of the diagram.
pub(crate) fn page(name: &str) -> String {
    guid("diagram", name)
}

/// The GUID of an element or a flow.
pub(crate) fn of(model: &Model, subject: SubjectRef) -> String {
    let kind = if matches!(subject, SubjectRef::Flow(_)) { "flow" } else { "element" };
    guid(kind, model.identity_of(subject))
}

/// What a flow is called in the diagram.
pub(crate) fn label(model: &Model, flow: &Flow) -> String {
    let port = flow.port.map(|p| format!(" {p}")).unwrap_or_default();
    let protocol = Some(model.text(flow.protocol)).filter(|p| *p != "-");
    format!("{}{port}", protocol.unwrap_or(flow.kind.as_str()))
}

/// The GUID of a border; one boundary may be drawn twice.
pub(crate) fn border(model: &Model, id: BoundaryId, number: usize) -> String {
    guid("boundary", &format!("{}\0{number}", model.text(model.boundary(id).identity)))
}

pub(crate) fn write(xml: &mut Xml, model: &Model, placed: &Placed, rules: &Rules, name: &str, existing: &Existing) {
    let id = xml.object();
    let _ = write!(
        xml.text,
        "<DrawingSurfaceModel z:Id=\"{id}\" xmlns:z=\"http://schemas.microsoft.com/2003/10/Serialization/\">"
    );
    xml.field("GenericTypeId", "DRAWINGSURFACE");
    let (own, header_text) = existing.page.clone().unwrap_or_else(|| (page(name), name.to_owned()));
    xml.field("Guid", &own);
    let _ = write!(
        xml.text,
        "<Properties xmlns=\"http://schemas.datacontract.org/2004/07/ThreatModeling.Model.Abstracts\" xmlns:a=\"{ARRAYS}\">"
    );
    header(xml, "Diagram");
    text(xml, "Name", "Name", &header_text);
    xml.text.push_str("</Properties>");
    xml.field("TypeId", "DRAWINGSURFACE");
    let _ = write!(xml.text, "<Borders xmlns:a=\"{ARRAYS}\">");
    for (id, number, area) in &placed.borders {
        let boundary = model.boundary(*id);
        let shape = Shape {
            guid: border(model, *id, *number),
            kind: "BorderBoundary",
            name: model.text(boundary.name),
            stencil: boundary.stencil,
            subject: SubjectRef::Boundary(*id),
        };
        open(xml, model, &shape, None, &existing.out_of_scope);
        close_shape(xml, area, "1");
    }
    for (id, area) in &placed.elements {
        let element = model.element(*id);
        let kind = match model.vocabulary().stencil(element.stencil).map(|s| s.role) {
            Some(Role::Store) => "StencilParallelLines",
            Some(Role::External) => "StencilRectangle",
            _ => "StencilEllipse",
        };
        let subject = SubjectRef::Element(*id);
        let name = model.text(element.name);
        open(
            xml,
            model,
            &Shape { guid: of(model, subject), kind, name, stencil: element.stencil, subject },
            Some(&rules.of_elements),
            &existing.out_of_scope,
        );
        close_shape(xml, area, "0");
    }
    let borders = placed.borders.iter().map(|(id, number, _)| border(model, *id, *number));
    let elements = placed.elements.keys().map(|id| of(model, SubjectRef::Element(*id)));
    by_hand(xml, &existing.shapes, &borders.chain(elements).collect());
    xml.text.push_str("</Borders>");
    xml.leaf("Header", &header_text);
    let _ = write!(xml.text, "<Lines xmlns:a=\"{ARRAYS}\">");
    for (id, curve) in &placed.flows {
        let flow = model.flow(*id);
        let name = label(model, flow);
        let subject = SubjectRef::Flow(*id);
        let shape = Shape { guid: of(model, subject), kind: "Connector", name: &name, stencil: flow.stencil, subject };
        open(xml, model, &shape, Some(&rules.of_flows), &existing.out_of_scope);
        let ends = (of(model, SubjectRef::Element(flow.source)), of(model, SubjectRef::Element(flow.target)));
        close_line(xml, curve, &ends);
    }
    by_hand(xml, &existing.lines, &placed.flows.keys().map(|id| of(model, SubjectRef::Flow(*id))).collect());
    xml.text.push_str("</Lines><Zoom>1</Zoom></DrawingSurfaceModel>");
    for raw in &existing.diagrams {
        let renumbered = crate::write::renumbered(raw, || xml.object());
        xml.text.push_str(&renumbered);
    }
}

/// The property that says why something is out of scope.
pub(crate) const REASON: &str = "Reason For Out Of Scope";

/// The reason that we give for a flow that is only possible.
pub(crate) const ONLY_POSSIBLE: &str = "kubestride: only possible, so nothing is generated for it";

/// What people drew stays as it is.
fn by_hand(xml: &mut Xml, list: &[(String, String)], ours: &BTreeSet<String>) {
    for (_, raw) in Existing::drawn_by_hand(list, ours) {
        let renumbered = crate::write::renumbered(raw, || xml.object());
        xml.text.push_str(&renumbered);
    }
}

struct Shape<'m> {
    guid: String,
    kind: &'static str,
    name: &'m str,
    stencil: StencilId,
    subject: SubjectRef,
}

/// Everything up to where a shape and a line differ.
fn open(
    xml: &mut Xml,
    model: &Model,
    shape: &Shape<'_>,
    attributes: Option<&BTreeSet<AttributeId>>,
    out_of_scope: &BTreeMap<String, String>,
) {
    let vocabulary = model.vocabulary();
    let stencil = vocabulary.stencil(shape.stencil);
    let role = stencil.map_or(Role::Process, |s| s.role);
    debug_assert!(is_drawn(role), "only what the tool draws is placed");
    let id = xml.object();
    xml.text.push_str("<a:KeyValueOfguidanyType>");
    xml.leaf("a:Key", &shape.guid);
    let _ = write!(xml.text, "<a:Value z:Id=\"{id}\" i:type=\"{}\">", shape.kind);
    xml.field("GenericTypeId", generic(role).unwrap_or("GE.P"));
    xml.field("Guid", &shape.guid);
    xml.text.push_str("<Properties xmlns=\"http://schemas.datacontract.org/2004/07/ThreatModeling.Model.Abstracts\">");
    header(xml, stencil.map_or("", |s| &s.name));
    text(xml, "Name", "", shape.name);
    if let Some(attributes) = attributes {
        let flow = if let SubjectRef::Flow(id) = shape.subject { Some(model.flow(id)) } else { None };
        let stated = out_of_scope.get(&shape.guid);
        let out = stated.is_some() || flow.is_some_and(|f| f.confidence == Confidence::Possible);
        let _ = write!(
            xml.text,
            "<a:anyType i:type=\"b:BooleanDisplayAttribute\" xmlns:b=\"{KNOWLEDGE}\"><b:DisplayName>Out Of Scope\
             </b:DisplayName><b:Name>71f3d9aa-b8ef-4e54-8126-607a1d903103</b:Name><b:Value i:type=\"c:boolean\" \
             xmlns:c=\"{SCHEMA}\">{out}</b:Value></a:anyType>"
        );
        let reason = stated.map_or(if out { ONLY_POSSIBLE } else { "" }, String::as_str);
        text(xml, REASON, "752473b6-52d4-4776-9a24-202153f7d579", reason);
        header(xml, "Configurable Attributes");
        for attribute in attributes {
            list(xml, model, shape.subject, *attribute);
        }
    }
    xml.text.push_str("</Properties>");
    xml.field("TypeId", &Ours(vocabulary).stencil(shape.stencil));
}

fn close_shape(xml: &mut Xml, area: &Area, thickness: &str) {
    xml.field("Height", &area.height.round().to_string());
    xml.field("Left", &area.left.round().to_string());
    xml.text.push_str(
        "<StrokeDashArray i:nil=\"true\" \
         xmlns=\"http://schemas.datacontract.org/2004/07/ThreatModeling.Model.Abstracts\"/>",
    );
    xml.field("StrokeThickness", thickness);
    xml.field("Top", &area.top.round().to_string());
    xml.field("Width", &area.width.round().to_string());
    xml.text.push_str("</a:Value></a:KeyValueOfguidanyType>");
}

fn close_line(xml: &mut Xml, curve: &Curve, (source, target): &(String, String)) {
    let number = |value: f64| value.round().to_string();
    xml.field("HandleX", &number(curve.handle.0));
    xml.field("HandleY", &number(curve.handle.1));
    xml.field("PortSource", "None");
    xml.field("PortTarget", "None");
    xml.field("SourceGuid", source);
    xml.field("SourceX", &number(curve.source.0));
    xml.field("SourceY", &number(curve.source.1));
    xml.field("TargetGuid", target);
    xml.field("TargetX", &number(curve.target.0));
    xml.field("TargetY", &number(curve.target.1));
    xml.text.push_str("</a:Value></a:KeyValueOfguidanyType>");
}

fn header(xml: &mut Xml, display: &str) {
    let _ = write!(xml.text, "<a:anyType i:type=\"b:HeaderDisplayAttribute\" xmlns:b=\"{KNOWLEDGE}\">");
    xml.leaf("b:DisplayName", display);
    xml.text.push_str("<b:Name/><b:Value i:nil=\"true\"/></a:anyType>");
}

fn text(xml: &mut Xml, display: &str, name: &str, value: &str) {
    let _ = write!(xml.text, "<a:anyType i:type=\"b:StringDisplayAttribute\" xmlns:b=\"{KNOWLEDGE}\">");
    xml.leaf("b:DisplayName", display);
    xml.leaf("b:Name", name);
    let value = crate::write::escaped(value);
    let _ = match value.as_str() {
        "" => write!(xml.text, "<b:Value i:type=\"c:string\" xmlns:c=\"{SCHEMA}\"/></a:anyType>"),
        value => write!(xml.text, "<b:Value i:type=\"c:string\" xmlns:c=\"{SCHEMA}\">{value}</b:Value></a:anyType>"),
    };
}

/// An attribute that the thing has, with all values that it could have.
fn list(xml: &mut Xml, model: &Model, subject: SubjectRef, attribute: AttributeId) {
    let Some(value) = model.value(subject, attribute) else { return };
    let Some(definition) = model.vocabulary().attribute(attribute) else { return };
    let mut values = choices(model, attribute);
    let now = if value == Value::Unknown { "Unknown".to_owned() } else { model.value_text(attribute, value) };
    let selected = values.iter().position(|v| *v == now).unwrap_or_else(|| {
        values.push(now);
        values.len() - 1
    });
    let _ = write!(xml.text, "<a:anyType i:type=\"b:ListDisplayAttribute\" xmlns:b=\"{KNOWLEDGE}\">");
    xml.leaf("b:DisplayName", &definition.name);
    xml.leaf("b:Name", &definition.name);
    xml.text.push_str("<b:Value i:type=\"a:ArrayOfstring\">");
    values.iter().for_each(|value| xml.leaf("a:string", value));
    xml.text.push_str("</b:Value>");
    xml.leaf("b:SelectedIndex", &selected.to_string());
    xml.text.push_str("</a:anyType>");
}
