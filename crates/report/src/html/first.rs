//! What to do first: the changes that remove most risk.

use std::io::{self, Write};

use kubestride_analysis::fixes;
use kubestride_template::ThreatType;

use super::escape::{Escaped, anchor, fragment};
use super::{badge, counted, subject_name, threats};
use crate::Report;
use crate::markdown_html::markdown;

/// Most fixes with their text; the rest is listed in short.
const MOST: usize = 10;
/// Most subjects that are named.
const MOST_NAMED: usize = 6;

/// The name of a type of threat for people: `Privileged container`.
pub(crate) fn type_name(threat_type: &ThreatType) -> String {
    let words = threat_type.id.replace('-', " ");
    let mut chars = words.chars();
    chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

pub(crate) fn section(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"first\"><h2>What to do first</h2>")?;
    let fixes = fixes(report.analysis, report.types);
    if fixes.is_empty() {
        return writeln!(out, "<p>No open threat was found in this input.</p></section>");
    }
    let weight: u32 = fixes.iter().map(|f| f.weight).sum();
    let top: u32 = fixes.iter().take(MOST).map(|f| f.weight).sum();
    if fixes.len() > MOST {
        let share = top * 100 / weight.max(1);
        writeln!(
            out,
            "<p>The first {MOST} of {} changes answer {share} % of the risk, weighted by severity.</p>",
            fixes.len()
        )?;
    }
    writeln!(out, "<ol class=\"fixes\">")?;
    for (rank, fix) in fixes.iter().enumerate() {
        let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
        if rank == MOST {
            writeln!(out, "</ol>\n<h3>Then</h3>\n<ol class=\"fixes short\" start=\"{}\">", MOST + 1)?;
        }
        let closes = counted(fix.threats.len(), "threat", "threats");
        let name = type_name(threat_type);
        let link = fragment(&anchor("type-", &threat_type.id));
        writeln!(out, "<li><h3>{} <a href=\"{link}\">{}</a></h3>", badge(fix.worst), Escaped(&name))?;
        write!(out, "<p>Closes {closes}: ")?;
        for (i, index) in fix.threats.iter().take(MOST_NAMED).enumerate() {
            let Some(threat) = report.analysis.threats.get(*index) else { continue };
            let id = threats::id(report, threat);
            let name = subject_name(report, threat.subject);
            let comma = if i > 0 { ", " } else { "" };
            write!(out, "{comma}<a href=\"{}\">{}</a>", fragment(&id), Escaped(name))?;
        }
        let more = fix.threats.len().saturating_sub(MOST_NAMED);
        writeln!(out, "{}</p>", if more > 0 { format!(" and {more} more") } else { String::new() })?;
        if rank < MOST {
            writeln!(out, "<details><summary>How</summary>")?;
            markdown(out, &threat_type.sections.mitigation, true)?;
            writeln!(out, "</details>")?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ol></section>")
}
