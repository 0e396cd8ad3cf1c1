//! Where something stands in the input: its place and its masked lines.

use std::io::{self, Write};

use kubestride_source::{SnippetLine, Span};

use super::escape::Escaped;
use crate::Report;

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
    let common = indentation(&snippet.lines);
    write!(out, "<pre class=\"snippet\" tabindex=\"0\">")?;
    for line in &snippet.lines {
        let text = line.text.get(common..).unwrap_or("");
        writeln!(out, "<span class=\"number\">{}</span>{}", line.number, Escaped(text))?;
    }
    writeln!(out, "</pre>")
}

/// The spaces that all lines begin with.
pub(crate) fn indentation(lines: &[SnippetLine]) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    lines.iter().filter(|l| !l.text.is_empty()).map(|l| indent(&l.text)).min().unwrap_or(0)
}
