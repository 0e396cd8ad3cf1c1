//! Evidence as people read it: what it shows, where, and the masked lines.

use std::collections::BTreeSet;
use std::io::{self, Write};

use kubestride_analysis::Cited;
use kubestride_model::Origin;
use kubestride_source::Span;

use super::escape::Escaped;
use crate::Report;
use crate::evidence::locate;

/// Most pieces that are shown with their lines.
const MOST_SNIPPETS: usize = 3;
/// Most pieces that are listed.
const MOST_LISTED: usize = 8;

pub(crate) fn write(report: &Report<'_>, evidence: &[Cited], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ul class=\"evidence\">")?;
    let mut shown: BTreeSet<Span> = BTreeSet::new();
    for cited in evidence.iter().take(MOST_LISTED) {
        let origin = cited.evidence.origin;
        let located = locate(report, cited);
        let note = if located.note.is_empty() { "it is in the input" } else { &located.note };
        write!(out, "<li>{}", Escaped(note))?;
        if let Some(span) = located.span {
            place(report, span, out)?;
            // Where nothing is set, the first lines say enough about where it could be.
            let most = if matches!(origin, Origin::Default | Origin::Absent) { 2 } else { 6 };
            if shown.len() < MOST_SNIPPETS && shown.insert(span) {
                snippet(report, span, most, out)?;
            }
        }
        writeln!(out, "</li>")?;
    }
    let more = evidence.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        writeln!(out, "<li>and {more} more</li>")?;
    }
    writeln!(out, "</ul>")
}

/// ` file:line:column`.
pub(crate) fn place(report: &Report<'_>, span: Span, out: &mut dyn Write) -> io::Result<()> {
    let name = report.sources.name(span.file);
    match report.sources.location(span) {
        Some(at) => write!(out, " <span class=\"place\">{}:{}:{}</span>", Escaped(name), at.line, at.column)?,
        None => return Ok(()),
    }
    match report.sources.template(span) {
        Some(template) => write!(out, " <span class=\"place\">(from {})</span>", Escaped(template)),
        None => Ok(()),
    }
}

/// The lines of a span, masked.
pub(crate) fn snippet(report: &Report<'_>, span: Span, most: u32, out: &mut dyn Write) -> io::Result<()> {
    let Some(snippet) = report.sources.snippet(span, 0, most).filter(|s| !s.lines.is_empty()) else { return Ok(()) };
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let common = snippet.lines.iter().filter(|l| !l.text.is_empty()).map(|l| indent(&l.text)).min().unwrap_or(0);
    write!(out, "<pre class=\"snippet\" tabindex=\"0\">")?;
    for line in &snippet.lines {
        let text = line.text.get(common..).unwrap_or("");
        writeln!(out, "<span class=\"number\">{}</span>{}", line.number, Escaped(text))?;
    }
    writeln!(out, "</pre>")
}
