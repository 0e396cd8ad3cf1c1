//! Messages about the input, as rustc prints them.

use std::collections::BTreeMap;
use std::io::Write as _;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use kubestride_source::{Diagnostic, Level as Severity, SourceMap, Span};

/// Most notes of one kind that are printed.
const MOST_NOTES: usize = 3;

/// Prints a message that has no place in the input.
pub(crate) fn error(text: &str) {
    let mut err = anstream::stderr().lock();
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(err, "{}", renderer().render(&[Group::with_title(Level::ERROR.primary_title(text))]));
}

/// Prints a note that has no place in the input.
pub(crate) fn note(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "{}", renderer().render(&[Group::with_title(Level::NOTE.primary_title(text))]));
}

/// Says at the end, where people look first, that the result lacks what could not be read.
pub(crate) fn unread(unread: kubestride_input::Unread) {
    if unread.broken == 0 {
        return;
    }
    let files = if unread.all == 1 { "file" } else { "files" };
    let text = format!(
        "{} of {} {files} could not be read, or not in full: what they hold is missing from the result",
        unread.broken, unread.all
    );
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "{}", renderer().render(&[Group::with_title(Level::WARNING.primary_title(text.as_str()))]));
}

fn renderer() -> Renderer {
    Renderer::styled()
}

/// Prints what readers reported: errors first, then in the order of the input.
pub(crate) fn diagnostics(sources: &SourceMap, diagnostics: &[Diagnostic], quiet: bool) {
    let mut err = anstream::stderr().lock();
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in diagnostics.iter().filter(|d| !quiet || d.level == Severity::Error) {
        // A hundred notes of one kind would hide the error among them; reports have them all.
        if diagnostic.level == Severity::Note {
            let count = notes.entry(diagnostic.code).or_default();
            *count += 1;
            if *count > MOST_NOTES {
                continue;
            }
        }
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
            let origin = Origin::path(place.path).line(place.number).char_column(place.column);
            let snippet = Snippet::source(place.line.as_str()).line_start(place.number).annotation(annotation);
            group = group.element(origin).element(snippet);
        }
        let mut groups = vec![group];
        if let Some(help) = &diagnostic.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        let _ = writeln!(err, "{}\n", without_separators(&renderer().render(&groups)));
    }
    for (code, count) in notes.into_iter().filter(|(_, count)| *count > MOST_NOTES) {
        let text = format!("and {} more notes of the kind {code}", count - MOST_NOTES);
        let _ = writeln!(err, "{}\n", renderer().render(&[Group::with_title(Level::NOTE.primary_title(text))]));
    }
}

/// Between a place and its line the renderer puts a mark for "another place of the same file"; here it is the same.
fn without_separators(rendered: &str) -> String {
    let wanted = |line: &&str| anstream::adapter::strip_str(line).to_string().trim() != ":::";
    rendered.lines().filter(wanted).collect::<Vec<_>>().join("\n")
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

/// A masked line with the part that a message is about. The column is that of the file, which masking moves.
struct Place<'a> {
    path: &'a str,
    line: String,
    number: usize,
    column: usize,
    range: std::ops::Range<usize>,
    label: &'a str,
    primary: bool,
}

fn place<'a>(sources: &'a SourceMap, span: Span, label: &'a str, primary: bool) -> Option<Place<'a>> {
    let column = sources.location(span)?.column as usize;
    let line = sources.snippet(span, 0, 1)?.lines.into_iter().next()?;
    let number = line.number as usize;
    Some(Place { path: sources.name(span.file), range: line.mark, line: line.text, number, column, label, primary })
}
