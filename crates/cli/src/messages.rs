//! Messages about the input, as rustc prints them.

use std::io::Write as _;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use kubestride_source::{Diagnostic, Level as Severity, SourceMap, Span};

/// Prints a message that has no place in the input.
pub(crate) fn error(text: &str) {
    let mut err = anstream::stderr().lock();
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(err, "{}", renderer().render(&[Group::with_title(Level::ERROR.primary_title(text))]));
}

fn renderer() -> Renderer {
    Renderer::styled()
}

/// Prints what readers reported: errors first, then in the order of the input.
pub(crate) fn diagnostics(sources: &SourceMap, diagnostics: &[Diagnostic], quiet: bool) {
    let mut err = anstream::stderr().lock();
    for diagnostic in diagnostics.iter().filter(|d| !quiet || d.level == Severity::Error) {
        let level = match diagnostic.level {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let places =
            [diagnostic.span.map(|s| (s, "", true)), diagnostic.related.as_ref().map(|(s, t)| (*s, t.as_str(), false))];
        let shown: Vec<Place<'_>> =
            places.into_iter().flatten().filter_map(|(s, t, p)| place(sources, s, t, p)).collect();
        let mut group =
            level.primary_title(diagnostic.message.as_str()).id(diagnostic.code).elements(Vec::<Element<'_>>::new());
        for place in &shown {
            let kind = if place.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(place.range.clone()).label(place.label);
            let snippet =
                Snippet::source(place.line.as_str()).line_start(place.number).path(place.path).annotation(annotation);
            group = group.element(snippet);
        }
        let mut groups = vec![group];
        if let Some(help) = &diagnostic.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        let _ = writeln!(err, "{}\n", renderer().render(&groups));
    }
}

/// Says what was read and what each signal made of it: names and numbers only.
pub(crate) fn progress(inputs: &[kubestride_input::InputInfo], signals: &[(&str, usize)]) {
    let mut err = anstream::stderr().lock();
    for input in inputs {
        let counts = (input.files, input.documents, input.objects);
        let _ = writeln!(
            err,
            "read {} ({}): {} files, {} documents, {} objects",
            input.name, input.kind, counts.0, counts.1, counts.2
        );
    }
    for (signal, claims) in signals {
        let _ = writeln!(err, "signal {signal}: {claims} claims");
    }
}

/// A masked line with the part that a message is about.
struct Place<'a> {
    path: &'a str,
    line: String,
    number: usize,
    range: std::ops::Range<usize>,
    label: &'a str,
    primary: bool,
}

fn place<'a>(sources: &'a SourceMap, span: Span, label: &'a str, primary: bool) -> Option<Place<'a>> {
    let snippet = sources.snippet(span, 0, 1)?;
    let line = snippet.lines.into_iter().next()?;
    // Masking moves columns, so the mark covers what is left of the line from its first visible character on.
    let start = line.text.len() - line.text.trim_start().len();
    let range = start..line.text.len().max(start);
    let number = line.number as usize;
    Some(Place { path: sources.name(span.file), line: line.text, number, range, label, primary })
}
