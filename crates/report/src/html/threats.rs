//! The threats, grouped by severity and by type.

use std::collections::BTreeSet;
use std::io::{self, Write};

use kubestride_analysis::{Severity, Threat};
use kubestride_model::SubjectRef;
use kubestride_template::{Effect, ThreatType};

use super::escape::{Escaped, anchor, fragment};
use super::first::type_name;
use super::{badge, counted, evidence_list, services};
use crate::Report;
use crate::markdown_html::markdown;
use crate::summary::threat_id;

/// The id of a threat on the page: `<threat type>@<subject>`.
pub(crate) fn id(report: &Report<'_>, threat: &Threat) -> String {
    anchor("", &threat_id(report, threat))
}

/// Threats that are left to do.
pub(crate) fn open(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"threats\"><h2>Open threats</h2>")?;
    let mut described = BTreeSet::new();
    let mut none = true;
    for severity in Severity::ALL {
        let wanted = |t: &&Threat| t.computed.is_open() && t.rating.severity == severity;
        let count = report.analysis.threats.iter().filter(wanted).count();
        if count == 0 {
            continue;
        }
        none = false;
        writeln!(
            out,
            "<h3 id=\"severity-{}\">{} {}</h3>",
            severity.as_str(),
            badge(severity),
            counted(count, "threat", "threats")
        )?;
        groups(report, out, wanted, &mut described)?;
    }
    if none {
        writeln!(out, "<p>None.</p>")?;
    }
    writeln!(out, "</section>")
}

/// Threats that controls in the input answer, and those that people settled.
pub(crate) fn settled(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"settled\"><h2>Mitigated threats</h2>")?;
    let wanted = |t: &&Threat| !t.computed.is_open();
    if report.analysis.threats.iter().any(|t| !t.computed.is_open()) {
        writeln!(out, "<p>These threats would be open without the controls named with them.</p>")?;
        let open: BTreeSet<usize> =
            report.analysis.threats.iter().filter(|t| t.computed.is_open()).map(|t| t.threat_type).collect();
        groups(report, out, wanted, &mut open.clone())?;
    } else {
        writeln!(out, "<p>None: no control in the input answers a threat.</p>")?;
    }
    writeln!(out, "</section>")
}

/// Threats of one severity by type. The text of a type stands where the type comes first.
fn groups(
    report: &Report<'_>,
    out: &mut dyn Write,
    wanted: impl Fn(&&Threat) -> bool,
    described: &mut BTreeSet<usize>,
) -> io::Result<()> {
    // One pass finds where each type begins: threats of one type need not stand together.
    let mut by_type: Vec<Vec<&Threat>> = vec![Vec::new(); report.types.len()];
    for threat in report.analysis.threats.iter().filter(wanted) {
        if let Some(list) = by_type.get_mut(threat.threat_type) {
            list.push(threat);
        }
    }
    let mut order: Vec<usize> = (0..by_type.len()).filter(|i| !by_type[*i].is_empty()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(by_type[*i].len()), *i));
    for index in order {
        let Some(threat_type) = report.types.get(index) else { continue };
        let list = &by_type[index];
        let name = type_name(threat_type);
        let type_anchor = anchor("type-", &threat_type.id);
        if described.insert(index) {
            writeln!(
                out,
                "<article class=\"type\"><h4 id=\"{}\">{} <small>{}</small></h4>",
                Escaped(&type_anchor),
                Escaped(&name),
                list.len()
            )?;
            describe(threat_type, out)?;
        } else {
            let link = fragment(&type_anchor);
            writeln!(
                out,
                "<article class=\"type\"><h4>{} <small>{} · <a href=\"{link}\">why and how to fix</a></small></h4>",
                Escaped(&name),
                list.len()
            )?;
        }
        for threat in list {
            write_threat(report, threat_type, threat, out)?;
        }
        writeln!(out, "</article>")?;
    }
    Ok(())
}

/// What all threats of a type have in common.
fn describe(threat_type: &ThreatType, out: &mut dyn Write) -> io::Result<()> {
    let sections = &threat_type.sections;
    writeln!(out, "<details class=\"about\"><summary>Why it matters, how to fix it, how to verify it</summary>")?;
    for (title, text) in
        [("Why it matters", &sections.why), ("Mitigation", &sections.mitigation), ("Verify", &sections.verify)]
    {
        if !text.trim().is_empty() {
            writeln!(out, "<h5>{title}</h5>")?;
            markdown(out, text, true)?;
        }
    }
    if !threat_type.mappings.is_empty() {
        writeln!(out, "<h5>Listed in</h5>\n<ul>")?;
        for mapping in &threat_type.mappings {
            write!(out, "<li>{}: ", Escaped(mapping.scheme.title()))?;
            for (i, id) in mapping.ids.iter().enumerate() {
                let comma = if i > 0 { ", " } else { "" };
                match mapping.scheme.url(id) {
                    Some(url) => {
                        write!(
                            out,
                            "{comma}<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>",
                            Escaped(url),
                            Escaped(id)
                        )?;
                    }
                    None => write!(out, "{comma}{}", Escaped(id))?,
                }
            }
            writeln!(out, "</li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    if !sections.references.trim().is_empty() {
        writeln!(out, "<h5>References</h5>")?;
        markdown(out, &sections.references, true)?;
    }
    writeln!(out, "</details>")
}

fn write_threat(report: &Report<'_>, threat_type: &ThreatType, threat: &Threat, out: &mut dyn Write) -> io::Result<()> {
    let model = report.model;
    let id = id(report, threat);
    let severity = threat.rating.severity;
    // Threats of two flows between the same ends differ in their ports only.
    let wire = match threat.subject {
        SubjectRef::Flow(flow) => services::wire(report, flow),
        _ => String::new(),
    };
    let wire = if wire.is_empty() { wire } else { format!("<span class=\"tag\">{}</span> ", Escaped(&wire)) };
    writeln!(
        out,
        "<details class=\"threat\" id=\"{}\"><summary>{} <span class=\"title\">{}</span> {wire}\
         <span class=\"tag\">{}</span> <span class=\"tag\">{}</span></summary>",
        Escaped(&id),
        badge(severity),
        Escaped(threat_type.title.render(model, threat.subject)),
        threat_type.category.title(),
        threat.computed.title()
    )?;
    markdown(out, &threat_type.description.render(model, threat.subject), false)?;
    writeln!(out, "<p class=\"why\">{}</p>", Escaped(threat.rating.why(model, threat_type)))?;
    if !threat.controls.is_empty() {
        writeln!(out, "<h5>Controls in place</h5>\n<ul class=\"evidence\">")?;
        for control in &threat.controls {
            let name = threat_type.mitigated_by.get(control.mitigation).map_or("", |m| &m.control);
            let effect = match control.effect {
                Effect::Mitigates => "answers the threat",
                Effect::Lowers => "makes it less likely",
            };
            writeln!(out, "<li><strong>{}</strong> {effect}", Escaped(name))?;
            evidence_list::write(report, &control.evidence, out)?;
            writeln!(out, "</li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    if !threat.evidence.is_empty() {
        writeln!(out, "<h5>Evidence</h5>")?;
        evidence_list::write(report, &threat.evidence, out)?;
    }
    writeln!(out, "<p class=\"ids\"><a href=\"{}\">{}</a></p></details>", fragment(&id), Escaped(&id))
}
