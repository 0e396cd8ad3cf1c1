//! Each workload: who talks to it, whom it talks to, what it stores, what it may do, and its open threats.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use kubestride_analysis::{Severity, Threat};
use kubestride_model::{BoundaryKind, Domain, ElementId, FlowId, FlowKind, Role, SubjectRef, Value};

use super::escape::{Escaped, anchor, fragment};
use super::{badge, threats};
use crate::{Report, summary};

/// Most entries in a cell.
const MOST: usize = 12;

fn service_anchor(report: &Report<'_>, id: ElementId) -> String {
    anchor("service-", report.model.text(report.model.element(id).identity))
}

/// Where the shapes of the diagram lead to.
pub(crate) fn links(report: &Report<'_>) -> BTreeMap<String, String> {
    let services = summary::workloads(report.model);
    let identity = |id| report.model.text(report.model.element(id).identity).to_owned();
    services.map(|id| (identity(id), fragment(&service_anchor(report, id)))).collect()
}

pub(crate) fn section(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let model = report.model;
    writeln!(out, "<section id=\"services\"><h2>Services</h2>")?;
    let services: Vec<ElementId> = summary::workloads(model).collect();
    if services.is_empty() {
        return writeln!(out, "<p>The input holds no workload.</p></section>");
    }
    let mut by_element: BTreeMap<ElementId, Vec<&Threat>> = BTreeMap::new();
    for threat in report.analysis.threats.iter().filter(|t| t.computed.is_open()) {
        if let Some(element) = summary::owner(model, threat) {
            by_element.entry(element).or_default().push(threat);
        }
    }
    writeln!(
        out,
        "<p>A threat to a flow is counted at the service that is called, or at the caller where a party that is no service is called.</p>\n<div class=\"scroll\">\
         <table class=\"services\"><thead><tr><th scope=\"col\">Service</th><th scope=\"col\">Called by</th>\
         <th scope=\"col\">Talks to</th><th scope=\"col\">Stores</th><th scope=\"col\">Kubernetes API</th>\
         <th scope=\"col\">Open threats</th></tr></thead><tbody>"
    )?;
    for id in services {
        row(report, id, by_element.get(&id).map_or(&[], |t| t), out)?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn row(report: &Report<'_>, id: ElementId, threats: &[&Threat], out: &mut dyn Write) -> io::Result<()> {
    let model = report.model;
    let element = model.element(id);
    let stencil = model.vocabulary().stencil(element.stencil).map_or("", |s| &s.name);
    let namespace = model.enclosing(element.boundary).find(|(_, b)| b.kind == BoundaryKind::Namespace);
    let namespace = namespace.map_or("", |(_, b)| model.text(b.name));
    let name = model.text(element.name);
    write!(
        out,
        "<tr id=\"{}\"><th scope=\"row\">{}<br><small>{} in {}</small></th>",
        Escaped(service_anchor(report, id)),
        Escaped(name),
        Escaped(stencil),
        Escaped(namespace)
    )?;
    let talks = |flow: &FlowId| {
        let flow = model.flow(*flow);
        !flow.implicit && matches!(flow.kind, FlowKind::Traffic | FlowKind::Exposure)
    };
    let callers = model.incoming(id).iter().filter(|f| talks(f));
    cell(out, "Called by", callers.map(|f| (model.flow(*f).source, wire(report, *f))), report)?;
    let called = model.outgoing(id).iter().filter(|f| talks(f));
    cell(out, "Talks to", called.map(|f| (model.flow(*f).target, wire(report, *f))), report)?;
    let stores = model.outgoing(id).iter().filter(|f| model.flow(**f).kind == FlowKind::Store);
    let access = |f: &FlowId| model.flow(*f).access.map_or("", |a| a.as_str()).to_owned();
    cell(out, "Stores", stores.map(|f| (model.flow(*f).target, access(f))), report)?;
    write!(out, "<td data-label=\"Kubernetes API\">")?;
    let powers: BTreeSet<String> = model.outgoing(id).iter().flat_map(|f| powers(report, *f)).collect();
    let uses_api = model.outgoing(id).iter().any(|f| model.flow(*f).kind == FlowKind::Api);
    if powers.is_empty() && uses_api {
        write!(out, "calls it; no dangerous right")?;
    }
    list(out, powers.iter().map(|p| Escaped(p).to_string()))?;
    write!(out, "</td><td data-label=\"Open threats\">")?;
    for severity in Severity::ALL {
        let count = threats.iter().filter(|t| t.rating.severity == severity).count();
        if count > 0 {
            write!(out, "<span class=\"count\">{count} {}</span> ", badge(severity))?;
        }
    }
    if !threats.is_empty() {
        write!(out, "<details><summary>Show</summary>")?;
        list(
            out,
            threats.iter().map(|t| {
                let title =
                    report.types.get(t.threat_type).map(|ty| ty.title.render(model, t.subject)).unwrap_or_default();
                format!("<a href=\"{}\">{}</a>", fragment(&threats::id(report, t)), Escaped(title))
            }),
        )?;
        write!(out, "</details>")?;
    }
    writeln!(out, "</td></tr>")
}

/// `HTTP 8080`, and how sure it is where it is not certain.
pub(crate) fn wire(report: &Report<'_>, id: FlowId) -> String {
    let flow = report.model.flow(id);
    let protocol = Some(report.model.text(flow.protocol)).filter(|p| *p != "-").map(str::to_owned);
    let mut text = protocol.into_iter().chain(flow.port.map(|p| p.to_string())).collect::<Vec<_>>().join(" ");
    if flow.confidence != kubestride_model::Confidence::Certain {
        text = format!("{text}{}{}", if text.is_empty() { "" } else { ", " }, flow.confidence.as_str());
    }
    text
}

/// Rights that an API flow gives, such as `readSecrets in the cluster`.
fn powers(report: &Report<'_>, id: FlowId) -> Vec<String> {
    let model = report.model;
    if model.flow(id).kind != FlowKind::Api {
        return Vec::new();
    }
    let scoped = |value: Value, domain: &Domain| match (value, domain) {
        (Value::Choice(at), Domain::Choice(names)) if names.iter().any(|n| n == "Namespace") => {
            names.get(at as usize).filter(|n| *n != "No").map(|n| n.to_lowercase())
        }
        _ => None,
    };
    let values = model.values(SubjectRef::Flow(id)).iter().filter_map(|(attribute, value)| {
        let definition = model.vocabulary().attribute(*attribute)?;
        let scope = scoped(*value, &definition.domain)?;
        let doc = definition.doc.split(['.', ':', '(']).next().unwrap_or("").trim();
        Some(format!("{doc} ({scope})"))
    });
    values.collect()
}

fn cell(
    out: &mut dyn Write,
    label: &str,
    ends: impl Iterator<Item = (ElementId, String)>,
    report: &Report<'_>,
) -> io::Result<()> {
    let model = report.model;
    let mut by_end: BTreeMap<ElementId, BTreeSet<String>> = BTreeMap::new();
    for (end, text) in ends {
        by_end.entry(end).or_default().extend(Some(text).filter(|t| !t.is_empty()));
    }
    write!(out, "<td data-label=\"{label}\">")?;
    list(
        out,
        by_end.iter().map(|(end, texts)| {
            let name = model.text(model.element(*end).name);
            let kind = model.vocabulary().stencil(model.element(*end).stencil);
            let kind = kind.filter(|s| s.role == Role::Store).map_or(String::new(), |s| format!("{} ", s.name));
            let texts = texts.iter().cloned().collect::<Vec<_>>().join("; ");
            let said = if texts.is_empty() { texts } else { format!(" <small>{}</small>", Escaped(&texts)) };
            if summary::is_workload(model, *end) {
                format!("<a href=\"{}\">{}</a>{said}", fragment(&service_anchor(report, *end)), Escaped(name))
            } else {
                format!("{}{}{said}", Escaped(kind), Escaped(name))
            }
        }),
    )?;
    write!(out, "</td>")
}

/// A list of finished pieces of HTML, with a limit.
fn list(out: &mut dyn Write, items: impl ExactSizeIterator<Item = String>) -> io::Result<()> {
    if items.len() == 0 {
        return Ok(());
    }
    let more = items.len().saturating_sub(MOST);
    write!(out, "<ul>")?;
    for item in items.take(MOST) {
        write!(out, "<li>{item}</li>")?;
    }
    if more > 0 {
        write!(out, "<li>and {more} more</li>")?;
    }
    write!(out, "</ul>")
}
