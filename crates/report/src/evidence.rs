//! Evidence as people read it: a file, a line, a column and what is there.

use kubestride_analysis::Cited;
use kubestride_model::{Evidence, Origin};
use kubestride_source::{FileOrigin, Location, Snippet, Span};

use crate::Report;

/// A piece of evidence with its place by name and number. What has no place has none of the fields of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    /// The file as the user named it.
    pub file: Option<&'a str>,
    /// Line of the first character, from 1.
    pub line: Option<u32>,
    /// Column of the first character, from 1, in code points.
    pub column: Option<u32>,
    /// Line of the last position.
    pub end_line: Option<u32>,
    /// Column after the last character.
    pub end_column: Option<u32>,
    /// How it is known: `stated`, `rendered`, `default` …
    pub origin: &'static str,
    /// What it shows, in a few words; may be empty.
    pub note: String,
    /// The template that the line was rendered from, if its renderer says so.
    pub template: Option<&'a str>,
    /// The place itself, for [`Located::snippet`].
    pub span: Option<Span>,
}

impl Located<'_> {
    /// `file:line:column`, as editors and compilers write it.
    pub fn place(&self) -> Option<String> {
        Some(format!("{}:{}:{}", self.file?, self.line?, self.column?))
    }

    /// The lines of the place (at most `most`) with `context` lines around them. Values are masked.
    pub fn snippet(&self, report: &Report<'_>, context: u32, most: u32) -> Option<Snippet> {
        report.sources.snippet(self.span?, context, most)
    }
}

/// A piece of evidence of a threat or of a control that is in place.
pub fn locate<'a>(report: &Report<'a>, cited: &Cited) -> Located<'a> {
    place(report, &cited.evidence, cited.note(report.model))
}

/// A piece of evidence of a part of the model.
pub fn locate_plain<'a>(report: &Report<'a>, evidence: &Evidence) -> Located<'a> {
    place(report, evidence, report.model.text(evidence.note).to_owned())
}

/// File and position of a span. A span of a file that is not there is as good as none: a report never points at an
/// unnamed file.
pub fn position<'a>(report: &Report<'a>, span: Option<Span>) -> Option<(&'a str, Location)> {
    let span = span?;
    let file = Some(report.sources.name(span.file)).filter(|name| !name.is_empty())?;
    Some((file, report.sources.location(span)?))
}

/// What a text that a tool wrote states is rendered.
fn origin(report: &Report<'_>, evidence: &Evidence, span: Option<Span>) -> Origin {
    let file = span.and_then(|s| report.sources.file(s.file)).map(|f| f.origin());
    match (evidence.origin, file) {
        (Origin::Stated, Some(FileOrigin::Rendered { .. })) => Origin::Rendered,
        (origin, _) => origin,
    }
}

fn place<'a>(report: &Report<'a>, evidence: &Evidence, note: String) -> Located<'a> {
    let (file, at) = position(report, evidence.span).unzip();
    let note = if note.is_empty() && file.is_some() { "declared here".to_owned() } else { note };
    let span = evidence.span.filter(|_| file.is_some());
    Located {
        file,
        line: at.map(|a| a.line),
        column: at.map(|a| a.column),
        end_line: at.map(|a| a.end_line),
        end_column: at.map(|a| a.end_column),
        origin: origin(report, evidence, span).as_str(),
        note,
        template: span.and_then(|s| report.sources.template(s)),
        span,
    }
}
