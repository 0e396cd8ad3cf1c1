//! Reads YAML: granit's events to nodes.

use std::{ops::Range, sync::Arc};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};
use kubestride_source::{Diagnostic, FileId};

use crate::{
    Document, Limits,
    build::{Builder, Text},
    message::sentence,
    scalar, split,
    tree::Style,
    value::Kind,
};

/// Most comments in one place. The parser keeps them until it knows what follows; its default of 96 is less than
/// what values files of charts have.
const MAX_COMMENTS: usize = 1_000_000;

/// Reads all documents of a YAML text. Documents that hold nothing but comments are left out.
pub fn read(file: FileId, text: &Arc<str>, limits: &Limits) -> Vec<Document> {
    split::split(text)
        .into_iter()
        .map(|range| read_document(file, text, range, limits))
        .filter(|document| document.tree.is_some() || !document.diagnostics.is_empty())
        .collect()
}

/// Reads the one document at `range`, which is one of [`split`](crate::split())'s. The tree of a document that holds
/// nothing is none, without a diagnostic.
pub fn read_document(file: FileId, text: &Arc<str>, range: Range<usize>, limits: &Limits) -> Document {
    let mut builder = Builder::new(file, text, limits);
    let source = Source { text, slice: text.get(range.clone()).unwrap_or(""), base: range.start };
    match events(&mut builder, &source, limits) {
        Ok(()) => builder.finish(range),
        Err(error) => builder.fail(range, *error),
    }
}

/// What is parsed, and where it is in the file.
struct Source<'t> {
    text: &'t str,
    slice: &'t str,
    base: usize,
}

impl Source<'_> {
    fn range(&self, span: &granit_parser::Span) -> Range<usize> {
        let start = self.base + span.start.byte_offset().unwrap_or(0);
        let end = self.base + span.end.byte_offset().unwrap_or(0);
        start..end.max(start)
    }

    /// Where `part` is in the file, if it is a part of the slice and not a copy.
    fn locate(&self, part: &str) -> Option<Range<usize>> {
        let offset = (part.as_ptr() as usize).checked_sub(self.slice.as_ptr() as usize)?;
        let end = offset.checked_add(part.len())?;
        (end <= self.slice.len()).then_some(self.base + offset..self.base + end)
    }

    /// The first `-` of the line that `offset` is on, if nothing but white space stands before it. The parser puts a
    /// sequence that is not indented more than its key at the first item's text.
    fn dash_before(&self, offset: usize) -> Option<usize> {
        let before = self.text.get(..offset)?;
        let line = before.rfind(['\n', '\r']).map_or(0, |end| end + 1).max(self.base);
        let rest = before.get(line..)?;
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        rest.get(indent..)?.starts_with('-').then_some(line + indent)
    }

    /// `range` without white space at its end: the parser gives blocks with what follows up to the next token.
    fn trim(&self, range: Range<usize>) -> Range<usize> {
        let part = self.text.get(range.clone()).unwrap_or("");
        range.start..range.start + part.trim_end_matches([' ', '\t', '\r', '\n']).len()
    }
}

fn events(builder: &mut Builder, source: &Source<'_>, limits: &Limits) -> Result<(), Box<Diagnostic>> {
    let nesting = (limits.max_depth as usize).saturating_add(1);
    let options = granit_parser::options! {
        max_buffered_comment_events: MAX_COMMENTS,
        flow_nesting_limit: nesting,
        block_nesting_limit: nesting,
        // As go-yaml: a last line without a line end does not get one.
        block_scalar_eof_without_line_feed: true,
    };
    // Anchors by the number that the parser gives them.
    let mut anchors: Vec<u32> = Vec::new();
    let mut ended = false;
    for event in Parser::new_from_str_with_options(source.slice, options) {
        let (event, span) = event.map_err(|error| syntax(builder, source, &error))?;
        let range = source.range(&span);
        let node = match event {
            Event::Comment(text, _) => {
                builder.comment(range, &text);
                continue;
            }
            Event::DocumentStart(..) if ended => {
                let message = "there is something after the end of the document";
                return Err(Box::new(Diagnostic::error("yaml-syntax", message).at(builder.span(range))));
            }
            Event::DocumentEnd => {
                ended = true;
                continue;
            }
            Event::Scalar(text, style, anchor, tag) => {
                // The parser reads nothing as `~`, on which it is as wide as nothing.
                if range.is_empty() && style == ScalarStyle::Plain && tag.is_none() && anchor == 0 && builder.is_root()
                {
                    continue;
                }
                (anchor, scalar(builder, source, range, &text, style, tag.as_deref())?)
            }
            Event::SequenceStart(style, anchor, _) => {
                let dash = (style == StructureStyle::Block && builder.expects_value())
                    .then(|| source.dash_before(range.start))
                    .flatten();
                let start = dash.unwrap_or(range.start);
                (anchor, builder.open_sequence(start..range.end)?)
            }
            Event::MappingStart(_, anchor, _) => (anchor, builder.open_mapping(range)?),
            // Block collections end without a token, and granit then gives the place of the next one.
            Event::SequenceEnd | Event::MappingEnd => {
                builder.close((!range.is_empty()).then_some(range.end));
                continue;
            }
            Event::Alias(id) => {
                let Some(target) = anchors.get(id) else { return Err(Box::new(unknown_alias(builder, range))) };
                builder.alias(range, *target)?;
                continue;
            }
            _ => continue,
        };
        if let (anchor @ 1.., index) = node {
            if anchors.len() <= anchor {
                anchors.resize(anchor + 1, 0);
            }
            if let Some(place) = anchors.get_mut(anchor) {
                *place = index;
            }
        }
    }
    Ok(())
}

fn scalar(
    builder: &mut Builder,
    source: &Source<'_>,
    range: Range<usize>,
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<u32, Box<Diagnostic>> {
    let plain = style == ScalarStyle::Plain;
    let (text, at) = if plain && range.is_empty() { ("", Some(range.clone())) } else { (text, source.locate(text)) };
    let (style, range) = match style {
        ScalarStyle::Plain => (Style::Plain, range),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (Style::Quoted, range),
        ScalarStyle::Literal => (Style::Literal, source.trim(range)),
        ScalarStyle::Folded => (Style::Folded, source.trim(range)),
    };
    let kind = match tag {
        None => scalar::kind(text, plain, None),
        Some(tag) => tagged(text, plain, tag),
    };
    builder.scalar(range, at.map_or(Text::Decoded(text), Text::Source), style, kind)
}

fn tagged(text: &str, plain: bool, tag: &Tag) -> Kind {
    // A tag of an application, as `!Ref`, makes a string of any text, and so does the lone `!`.
    scalar::kind(text, plain, Some(tag.core_suffix().unwrap_or("")))
}

fn syntax(builder: &Builder, source: &Source<'_>, error: &ScanError) -> Box<Diagnostic> {
    let offset = error.marker().byte_offset().unwrap_or(0).min(source.slice.len());
    let width = source.slice.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let range = source.base + offset..source.base + offset + width;
    Box::new(match error.kind() {
        ErrorKind::UnknownAnchor => unknown_alias(builder, range),
        ErrorKind::RecursionLimitExceeded => builder.too_deep(range),
        kind => Diagnostic::error("yaml-syntax", sentence(kind)).at(builder.span(range)),
    })
}

fn unknown_alias(builder: &Builder, range: Range<usize>) -> Diagnostic {
    Diagnostic::error("unknown-alias", "an alias has no anchor before it").at(builder.span(range))
}
