//! Masked pieces of source for people.

use std::ops::Range;

use crate::{SourceMap, Span, mask::mask_line};

/// What stands in a snippet for text that is not shown.
pub const MASK: &str = "•••";

/// Longest line that is shown, in characters.
const MAX_LINE: usize = 200;

/// Some lines of a file, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The lines in order.
    pub lines: Vec<SnippetLine>,
}

/// One line of a [`Snippet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnippetLine {
    /// Line number from 1.
    pub number: u32,
    /// The line, masked, without its line end.
    pub text: String,
    /// Whether the span touches this line.
    pub marked: bool,
    /// What of `text` the span covers, in bytes; where the span itself is masked, the mask.
    pub mark: Range<usize>,
}

impl SourceMap {
    /// The lines of `span` (at most `most`), with `context` lines before and after.
    pub fn snippet(&self, span: Span, context: u32, most: u32) -> Option<Snippet> {
        let file = self.file(span.file)?;
        let at = self.location(span)?;
        let last = at.end_line.min(at.line.saturating_add(most.max(1) - 1));
        // A block that ends at the start of a line does not touch that line.
        let last = if at.end_column == 1 && last == at.end_line && last > at.line { last - 1 } else { last };
        let first = at.line.saturating_sub(context).max(1);
        let mut lines = Vec::new();
        for number in first..=last.saturating_add(context) {
            let Some(range) = file.line_range(number as usize - 1) else { break };
            if range.is_empty() && range.start == file.text().len() {
                break;
            }
            let raw = file.text().get(range.clone()).unwrap_or("");
            // Of a very long line the part around the span is shown.
            let span_start = (span.start as usize).saturating_sub(range.start);
            let far = number == at.line && raw.len() > MAX_LINE && span_start > MAX_LINE / 2;
            let skip = if far { raw.floor_char_boundary(span_start - MAX_LINE / 4) } else { 0 };
            let rest = raw.get(skip..).unwrap_or("");
            let cut: String = rest.chars().take(MAX_LINE).collect();
            let mut text = mask_line(&cut, range.start + skip, |offset| file.visibility().is_shown(offset));
            text.truncate(text.trim_end().len());
            if skip > 0 {
                text.insert(0, '…');
            }
            if cut.len() < rest.len() {
                text.push('…');
            }
            let masked = |end: u32| {
                let end = (end as usize).saturating_sub(range.start + skip).min(cut.len());
                let before = cut.get(..end).unwrap_or(&cut);
                let length = mask_line(before, range.start + skip, |offset| file.visibility().is_shown(offset)).len();
                length + if skip > 0 { '…'.len_utf8() } else { 0 }
            };
            let mark = mark(&text, masked(span.start)..masked(span.end));
            lines.push(SnippetLine { number, text, marked: (at.line..=last).contains(&number), mark });
        }
        Some(Snippet { lines })
    }
}

/// A range that is not empty, unless the text is, and lies within the text.
fn mark(text: &str, wanted: Range<usize>) -> Range<usize> {
    let end = text.floor_char_boundary(wanted.end.min(text.len()));
    let start = text.floor_char_boundary(wanted.start.min(end));
    if start < end {
        return start..end;
    }
    // A mask begins before what it hides.
    let start = text.get(..end).and_then(|before| before.char_indices().next_back()).map_or(0, |(i, _)| i);
    let next = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let in_mask = text.get(..start + next).is_some_and(|before| before.ends_with(crate::MASK));
    if in_mask { start + next - crate::MASK.len()..start + next } else { start..start + next }
}
