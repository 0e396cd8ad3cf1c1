//! What to do first: the changes that remove most risk.

use std::io::{self, Write};

use kubestride_analysis::{Fix, fixes};
use kubestride_template::ThreatType;

use super::escape::{Escaped, anchor, fragment};
use super::{badge, counted, subject_name};
use crate::Report;
use crate::markdown_html::markdown;
use crate::summary::threat_id;

/// Most fixes with their text; the rest is listed in short.
const MOST: usize = 6;
/// Most subjects that are named.
const MOST_NAMED: usize = 6;

/// Words of names that are written in capitals.
const CAPITALS: [&str; 9] = ["api", "dns", "tls", "rbac", "cpu", "tcp", "http", "pid", "ipc"];

/// The name of a type of threat for people: `Privileged container`, `API reads secrets`.
pub(crate) fn type_name(threat_type: &ThreatType) -> String {
    // Ids of other templates are numbers; their titles say more.
    if threat_type.is_foreign() {
        return crate::text::generic(threat_type);
    }
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    let written = |(i, word): (usize, &str)| match word {
        word if CAPITALS.contains(&word) => word.to_uppercase(),
        word if i == 0 => capital(word),
        word => word.to_owned(),
    };
    threat_type.id.split('-').enumerate().map(written).collect::<Vec<_>>().join(" ")
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
            "<p>{} changes are left to do. The first {MOST} answer {share} % of the risk, weighted by severity.</p>",
            fixes.len()
        )?;
    }
    writeln!(out, "<ol class=\"fixes\">")?;
    for fix in fixes.iter().take(MOST) {
        let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
        heading(report, threat_type, fix, out)?;
        write!(out, "<p>Closes {}: ", counted(fix.threats.len(), "threat", "threats"))?;
        named(report, fix, out)?;
        let mitigation = threat_type.sections.mitigation.trim();
        let (first, rest) = mitigation.split_once("\n\n").unwrap_or((mitigation, ""));
        writeln!(out, "</p>")?;
        markdown(out, first, true)?;
        if !rest.trim().is_empty() {
            writeln!(out, "<details><summary>Show the change</summary>")?;
            markdown(out, rest, true)?;
            writeln!(out, "</details>")?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ol>")?;
    if fixes.len() > MOST {
        let rest = counted(fixes.len() - MOST, "more change", "more changes");
        writeln!(out, "<details><summary>Then: {rest}</summary>\n<ol class=\"fixes short\" start=\"{}\">", MOST + 1)?;
        for fix in fixes.iter().skip(MOST) {
            let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
            heading(report, threat_type, fix, out)?;
            write!(out, " closes {}: ", counted(fix.threats.len(), "threat", "threats"))?;
            named(report, fix, out)?;
            writeln!(out, "</li>")?;
        }
        writeln!(out, "</ol></details>")?;
    }
    writeln!(out, "</section>")
}

/// A fix of one threat has its title; a fix of several has the name of their type.
fn heading(report: &Report<'_>, threat_type: &ThreatType, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
    let link = fragment(&anchor("type-", &threat_type.id));
    let name = match fix.threats.as_slice() {
        [one] => report.analysis.threats.get(*one).map(|t| t.title(threat_type, report.model)),
        _ => None,
    };
    let name = name.unwrap_or_else(|| type_name(threat_type));
    write!(out, "<li>{} <a class=\"fix\" href=\"{link}\">{}</a>", badge(fix.worst), Escaped(name))
}

/// The subjects of the threats that a fix closes.
fn named(report: &Report<'_>, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
    for (i, index) in fix.threats.iter().take(MOST_NAMED).enumerate() {
        let Some(threat) = report.analysis.threats.get(*index) else { continue };
        let id = anchor("", &threat_id(report, threat));
        let comma = if i > 0 { ", " } else { "" };
        write!(out, "{comma}<a href=\"{}\">{}</a>", fragment(&id), Escaped(subject_name(report, threat.subject)))?;
    }
    let more = fix.threats.len().saturating_sub(MOST_NAMED);
    write!(out, "{}", if more > 0 { format!(" and {more} more") } else { String::new() })
}
