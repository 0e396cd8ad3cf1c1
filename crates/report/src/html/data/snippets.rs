//! The places that evidence names: each once, with its masked lines.

use std::collections::BTreeMap;

use kubestride_analysis::Cited;
use kubestride_model::Evidence;
use kubestride_source::{FileId, Span};
use serde::Serialize;

use crate::Report;
use crate::evidence::{Located, locate, locate_plain};
use crate::html::places::indentation;

/// Most lines of a snippet.
const LINES: u32 = 6;

/// Positions of places and of files in their tables.
pub(crate) struct Snippets {
    spans: BTreeMap<Span, usize>,
    files: BTreeMap<FileId, usize>,
}

/// Where something is, as `[file, line, column, template or nothing, lines]`.
#[derive(Serialize)]
struct Row<'a>(usize, u32, u32, Option<&'a str>, Vec<String>);

/// A piece of evidence: how it is known, what it shows, and its place if it has one.
#[derive(Serialize)]
pub(crate) struct Piece(&'static str, String, Option<usize>);

impl Snippets {
    /// The places of all threats, controls and flows.
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let mut this = Self { spans: BTreeMap::new(), files: BTreeMap::new() };
        for threat in &report.analysis.threats {
            let cited = threat.evidence.iter().chain(threat.controls.iter().flat_map(|c| &c.evidence));
            cited.for_each(|c| this.add(report, locate(report, c).span));
        }
        for (_, flow) in report.model.flows().filter(|(_, f)| !f.implicit) {
            let evidence = report.model.evidence(flow.evidence).iter().take(super::model::MOST_EVIDENCE);
            evidence.for_each(|e| this.add(report, locate_plain(report, e).span));
        }
        for (at, place) in this.spans.values_mut().enumerate() {
            *place = at;
        }
        for (at, place) in this.files.values_mut().enumerate() {
            *place = at;
        }
        this
    }

    fn add(&mut self, report: &Report<'_>, span: Option<Span>) {
        let Some(span) = span.filter(|s| report.sources.location(*s).is_some()) else { return };
        self.spans.insert(span, 0);
        self.files.insert(span.file, 0);
    }

    /// The names of the files.
    pub(crate) fn files<'r>(&self, report: &'r Report<'_>) -> impl Iterator<Item = &'r str> {
        self.files.keys().map(|file| report.sources.name(*file))
    }

    /// All places.
    pub(crate) fn all(&self, report: &Report<'_>) -> impl Iterator<Item = impl Serialize> {
        self.spans.keys().filter_map(|span| {
            let at = report.sources.location(*span)?;
            let lines = report.sources.snippet(*span, 0, LINES).map(|s| s.lines).unwrap_or_default();
            let common = indentation(&lines);
            // A line of which nothing may be shown says nothing.
            let shown = lines.iter().any(|l| l.text.chars().any(char::is_alphanumeric));
            let lines = if shown { lines } else { Vec::new() };
            let text = lines.iter().map(|l| clean(l.text.get(common..).unwrap_or(""))).collect();
            let file = self.files.get(&span.file).copied().unwrap_or(0);
            Some(Row(file, at.line, at.column, report.sources.template(*span), text))
        })
    }

    /// A piece of evidence of a threat.
    pub(crate) fn cited(&self, report: &Report<'_>, cited: &Cited) -> Piece {
        self.piece(locate(report, cited))
    }

    /// A piece of evidence of a part of the model.
    pub(crate) fn plain(&self, report: &Report<'_>, evidence: &Evidence) -> Piece {
        self.piece(locate_plain(report, evidence))
    }

    fn piece(&self, located: Located<'_>) -> Piece {
        let place = located.span.and_then(|span| self.spans.get(&span).copied());
        Piece(located.origin, clean(&located.note), place)
    }
}

/// A text without characters that nobody could see and without those that turn the direction of reading.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| *c == '\t' || !kubestride_diagram::is_unprintable(*c)).collect()
}
