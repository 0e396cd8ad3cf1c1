//! Masked pieces of source for people.

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
            let cut: String = raw.chars().take(MAX_LINE).collect();
            let mut text = mask_line(&cut, range.start, |offset| file.visibility().is_shown(offset));
            text.truncate(text.trim_end().len());
            if cut.len() < raw.len() {
                text.push('…');
            }
            lines.push(SnippetLine { number, text, marked: (at.line..=last).contains(&number) });
        }
        Some(Snippet { lines })
    }
}
