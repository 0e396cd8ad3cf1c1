//! Which bytes of a file may be shown.

use std::ops::Range;

/// The ranges of a file that snippets may show. Everything else is masked, except structure: indentation, dashes,
/// colons, brackets, quotes and commas.
///
/// The default shows nothing, which is right for a document that did not parse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visibility {
    shown: Vec<Range<u32>>,
    sorted: bool,
}

impl Visibility {
    /// Nothing may be shown.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a range that may be shown.
    pub fn reveal(&mut self, range: Range<u32>) {
        if range.start < range.end {
            self.sorted = self.sorted && self.shown.last().is_none_or(|last| last.start <= range.start);
            self.shown.push(range);
        }
    }

    /// Adds all ranges of another part of the same file.
    pub fn merge(&mut self, other: Visibility) {
        for range in other.shown {
            self.reveal(range);
        }
    }

    /// Puts the ranges in order, which makes look-ups fast.
    pub fn finish(&mut self) {
        self.shown.sort_by_key(|r| (r.start, r.end));
        self.shown.dedup_by(|next, kept| {
            let touches = next.start <= kept.end;
            if touches {
                kept.end = kept.end.max(next.end);
            }
            touches
        });
        self.sorted = true;
    }

    /// Whether the byte at `offset` may be shown.
    pub fn is_shown(&self, offset: u32) -> bool {
        if !self.sorted {
            return self.shown.iter().any(|r| r.contains(&offset));
        }
        let after = self.shown.partition_point(|r| r.start <= offset);
        // Ranges revealed after `finish` may nest, so a few before the last candidate are looked at too.
        self.shown.iter().take(after).rev().take(8).any(|r| r.contains(&offset))
    }
}

/// The text with every letter and digit outside `is_shown` replaced, runs of them by one mask.
pub(crate) fn mask_line(line: &str, offset: usize, is_shown: impl Fn(u32) -> bool) -> String {
    let mut out = String::with_capacity(line.len());
    let mut masking = false;
    for (i, c) in line.char_indices() {
        let structure = matches!(c, ' ' | '\t' | '-' | ':' | '{' | '}' | '[' | ']' | ',' | '"' | '\'');
        if is_shown((offset + i) as u32) {
            out.push(printable(c));
            masking = false;
        } else if structure && !masking {
            out.push(if c == '\t' { ' ' } else { c });
        } else if !masking {
            out.push_str(crate::MASK);
            masking = true;
        }
    }
    out
}

/// Control characters and direction marks would change what a terminal or a page shows.
fn printable(c: char) -> char {
    let direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if c.is_control() || direction { '\u{fffd}' } else { c }
}

/// Text of unknown content with all its values masked: only structure and the given words stay.
pub fn mask_values(text: &str, known: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if known.contains(&word) {
            out.push_str(word);
        } else {
            out.push_str(&mask_line(word, 0, |_| false));
        }
    }
    out
}
