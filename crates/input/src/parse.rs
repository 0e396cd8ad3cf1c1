//! Parses texts in parallel and puts what comes out back in order.

use std::ops::Range;

use kubestride_manifest::{Manifests, broken_visibility, visibility};
use kubestride_source::{Diagnostic, Level, SourceMap, Visibility};
use kubestride_yaml::{Document, Limits, Tree, read_document, read_json, split};
use rayon::prelude::*;

use crate::loader::{Syntax, Text};

/// All inputs of a run make one model, so what two of them hold is there twice.
const ONE_MODEL: u32 = 0;

/// One document, or all of a JSON text.
struct Part<'t> {
    text: &'t Text,
    range: Option<Range<usize>>,
}

/// What a part came to.
struct Parsed {
    trees: Vec<Tree>,
    visibility: Visibility,
    diagnostics: Vec<Diagnostic>,
}

/// Parses `texts` into `manifests`, counts documents by input, and says what is wrong with them, by input.
pub(crate) fn parse(
    texts: &[Text],
    sources: &mut SourceMap,
    manifests: &mut Manifests,
    documents: &mut [usize],
) -> Vec<(usize, Diagnostic)> {
    let cut: Vec<Vec<Part<'_>>> = texts.par_iter().map(|text| parts(text, sources)).collect();
    let parts: Vec<Part<'_>> = cut.into_iter().flatten().collect();
    let parsed: Vec<Parsed> = parts.par_iter().map(|part| read(part, sources)).collect();
    let mut said = Vec::new();
    let mut shown = Visibility::none();
    let mut rest = parts.iter().zip(parsed).peekable();
    while let Some((part, parsed)) = rest.next() {
        said.extend(parsed.diagnostics.into_iter().map(|diagnostic| (part.text.input, diagnostic)));
        shown.merge(parsed.visibility);
        for tree in parsed.trees {
            manifests.add(tree, ONE_MODEL);
            if let Some(count) = documents.get_mut(part.text.input) {
                *count += 1;
            }
        }
        if rest.peek().is_none_or(|(next, _)| next.text.file != part.text.file) {
            shown.finish();
            sources.set_visibility(part.text.file, std::mem::take(&mut shown));
        }
    }
    said
}

fn parts<'t>(text: &'t Text, sources: &SourceMap) -> Vec<Part<'t>> {
    if text.syntax != Syntax::Yaml {
        return if text.bad.is_empty() { vec![Part { text, range: None }] } else { Vec::new() };
    }
    let mut bad = text.bad.iter().peekable();
    let mut parts = Vec::new();
    for range in split(&sources.text(text.file)) {
        let mut sound = true;
        while bad.next_if(|at| **at < range.end).is_some() {
            sound = false;
        }
        if sound {
            parts.push(Part { text, range: Some(range) });
        }
    }
    parts
}

fn read(part: &Part<'_>, sources: &SourceMap) -> Parsed {
    let source = sources.text(part.text.file);
    let limits = Limits::default();
    let documents = match (&part.range, part.text.syntax) {
        (Some(range), _) => vec![read_document(part.text.file, &source, range.clone(), &limits)],
        (None, Syntax::Either) => {
            let json = read_json(part.text.file, &source, &limits);
            let yaml = if failed(&json) { kubestride_yaml::read(part.text.file, &source, &limits) } else { Vec::new() };
            // Flow style without quotes is YAML that begins as JSON does.
            if yaml.is_empty() || failed(&yaml) { json } else { yaml }
        }
        (None, _) => read_json(part.text.file, &source, &limits),
    };
    let mut parsed = Parsed { trees: Vec::new(), visibility: Visibility::none(), diagnostics: Vec::new() };
    for document in documents {
        parsed.diagnostics.extend(document.diagnostics);
        if let Some(tree) = document.tree {
            parsed.visibility.merge(visibility(tree.root()));
            parsed.trees.push(tree);
        } else {
            let range = part.range.clone().unwrap_or(0..source.len());
            parsed.visibility.merge(broken_visibility(&source, range));
        }
    }
    parsed
}

fn failed(documents: &[Document]) -> bool {
    documents.iter().flat_map(|document| &document.diagnostics).any(|diagnostic| diagnostic.level == Level::Error)
}
