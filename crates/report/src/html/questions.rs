//! What the input leaves open, and what readers reported about it.

use std::io::{self, Write};

use super::escape::{Escaped, anchor, fragment};
use super::first::type_name;
use super::{counted, places, subject_name};
use crate::Report;

/// Most subjects that are named.
const MOST_NAMED: usize = 8;
/// Most messages that are shown.
const MOST_MESSAGES: usize = 200;

pub(crate) fn undetermined(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"unknown\"><h2>Not determinable from this input</h2>")?;
    if report.analysis.undetermined.is_empty() {
        return writeln!(out, "<p>Nothing was left open.</p></section>");
    }
    writeln!(
        out,
        "<p>These questions decide about threats, but the input does not answer them. They are not counted as threats.</p>\n\
         <div class=\"scroll\"><table><thead><tr><th scope=\"col\">Is it so?</th><th scope=\"col\">For</th>\
         <th scope=\"col\">What would answer it</th><th scope=\"col\">Decides about</th></tr></thead><tbody>"
    )?;
    for question in &report.analysis.undetermined {
        let Some(attribute) = report.model.vocabulary().attribute(question.attribute) else { continue };
        let names: Vec<String> = question.subjects.iter().take(MOST_NAMED).map(|s| subject_name(report, *s)).collect();
        let more = question.subjects.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        write!(
            out,
            "<tr><th scope=\"row\">{}<br><small><code>{}</code></small></th><td data-label=\"For\">{}{more}</td>\
             <td data-label=\"What would answer it\">",
            Escaped(&attribute.doc),
            Escaped(&attribute.name),
            Escaped(names.join(", "))
        )?;
        crate::markdown_html::markdown(out, &attribute.answered_by, false)?;
        write!(out, "</td><td data-label=\"Decides about\">")?;
        for (i, index) in question.threat_types.iter().enumerate() {
            let Some(threat_type) = report.types.get(*index) else { continue };
            let comma = if i > 0 { ", " } else { "" };
            let fires = report.analysis.threats.iter().any(|t| t.threat_type == *index);
            let name = type_name(threat_type);
            if fires {
                write!(
                    out,
                    "{comma}<a href=\"{}\">{}</a>",
                    fragment(&anchor("type-", &threat_type.id)),
                    Escaped(name)
                )?;
            } else {
                write!(out, "{comma}{}", Escaped(name))?;
            }
        }
        writeln!(out, "</td></tr>")?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

pub(crate) fn diagnostics(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"messages\"><h2>Messages about the input</h2>\n<ul class=\"inputs\">")?;
    for input in report.inputs {
        writeln!(
            out,
            "<li><code>{}</code> ({}): {}, {}, {}</li>",
            Escaped(&input.name),
            Escaped(&input.kind),
            counted(input.files, "file", "files"),
            counted(input.documents, "document", "documents"),
            counted(input.objects, "Kubernetes object", "Kubernetes objects")
        )?;
    }
    writeln!(out, "</ul>")?;
    if report.diagnostics.is_empty() {
        return writeln!(out, "<p>Everything was understood.</p></section>");
    }
    writeln!(out, "<ul class=\"messages\">")?;
    for message in report.diagnostics.iter().take(MOST_MESSAGES) {
        write!(
            out,
            "<li><strong>{}</strong> {} <small><code>{}</code></small>",
            message.level.as_str(),
            Escaped(&message.message),
            Escaped(message.code)
        )?;
        if let Some(span) = message.span {
            places::place(report, span, out)?;
            places::snippet(report, span, 3, out)?;
        }
        if let Some((span, label)) = &message.related {
            write!(out, "<br>{}", Escaped(label))?;
            places::place(report, *span, out)?;
        }
        if let Some(help) = &message.help {
            write!(out, "<br>{}", Escaped(help))?;
        }
        writeln!(out, "</li>")?;
    }
    let more = report.diagnostics.len().saturating_sub(MOST_MESSAGES);
    if more > 0 {
        writeln!(out, "<li>and {}</li>", counted(more, "more message", "more messages"))?;
    }
    writeln!(out, "</ul></section>")
}
