//! The files of one run.

use std::sync::{Arc, OnceLock};

use crate::{FileId, Span, mask::Visibility};

/// Where the text of a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOrigin {
    /// Read as it is.
    Stated,
    /// Written by a tool such as `helm template`; lines are lines of its output.
    Rendered {
        /// The command, for people: `helm template`.
        tool: String,
    },
}

/// A place as people name it. Lines and columns count from 1, columns in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the last position.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// How many bytes lie between two counts of characters.
const BLOCK: usize = 64;

/// One input text.
#[derive(Debug)]
pub struct File {
    name: String,
    text: Arc<str>,
    origin: FileOrigin,
    line_starts: OnceLock<Vec<u32>>,
    /// Characters before each [`BLOCK`] of bytes, so that columns cost the same in a file that is one long line.
    characters: OnceLock<Vec<u32>>,
    visibility: Visibility,
    /// `# Source:` markers of rendered text: offset from which the template applies.
    templates: Vec<(u32, String)>,
}

impl File {
    /// The name to show: a path as the user gave it, with `/` between its parts.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the text comes from.
    pub fn origin(&self) -> &FileOrigin {
        &self.origin
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    pub(crate) fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let mut starts = vec![0];
            starts.extend(self.text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
            starts
        })
    }

    /// The bytes of line `index` (from 0) without its line end.
    pub(crate) fn line_range(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let starts = self.line_starts();
        let start = *starts.get(index)? as usize;
        let end = starts.get(index + 1).map_or(self.text.len(), |next| *next as usize - 1);
        let end = if end > start && self.text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end };
        Some(start..end)
    }

    /// The number of characters that begin before a byte.
    fn characters_before(&self, offset: usize) -> u32 {
        // In UTF-8 every byte but the continuation bytes begins a character.
        let begins = |bytes: &[u8]| bytes.iter().filter(|b| (**b & 0xc0) != 0x80).count() as u32;
        let counts = self.characters.get_or_init(|| {
            let blocks = self.text.as_bytes().chunks(BLOCK).map(begins);
            let sums = blocks.scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            });
            std::iter::once(0).chain(sums).collect()
        });
        let block = offset / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..offset).unwrap_or_default();
        counts.get(block).copied().unwrap_or(0) + begins(rest)
    }

    fn position(&self, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(self.text.len());
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start as usize <= offset).saturating_sub(1);
        let start = starts.get(line).map_or(0, |s| *s as usize);
        let column = self.characters_before(offset) - self.characters_before(start);
        (line as u32 + 1, column + 1)
    }
}

/// All texts of one run, by [`FileId`].
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text. The caller keeps texts under 4 GiB, which is what a [`Span`] can address.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>, origin: FileOrigin) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(File {
            name: name.into(),
            text: text.into(),
            origin,
            line_starts: OnceLock::new(),
            characters: OnceLock::new(),
            visibility: Visibility::default(),
            templates: Vec::new(),
        });
        id
    }

    /// The file `id` stands for, if it is of this map.
    pub fn file(&self, id: FileId) -> Option<&File> {
        self.files.get(id.0 as usize)
    }

    /// All files in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text of a file, for parsers. Nothing that is written for people may be made from it: use
    /// [`SourceMap::snippet`].
    pub fn text(&self, id: FileId) -> Arc<str> {
        self.file(id).map_or_else(|| Arc::from(""), |f| f.text.clone())
    }

    /// Sets what may be shown of a file. Until then nothing may.
    pub fn set_visibility(&mut self, id: FileId, visibility: Visibility) {
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.visibility = visibility;
        }
    }

    /// Shows these spans too: parts of values that were read as addresses.
    pub fn reveal(&mut self, spans: impl IntoIterator<Item = Span>) {
        for span in spans {
            if let Some(file) = self.files.get_mut(span.file.0 as usize) {
                file.visibility.reveal(span.start..span.end);
            }
        }
        self.files.iter_mut().for_each(|file| file.visibility.finish());
    }

    /// Says which templates a rendered text comes from: from each offset on, the named one.
    pub fn set_templates(&mut self, id: FileId, templates: Vec<(u32, String)>) {
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.templates = templates;
        }
    }

    /// The template that the text at `span` was rendered from, if its renderer says so.
    pub fn template(&self, span: Span) -> Option<&str> {
        let templates = &self.file(span.file)?.templates;
        let after = templates.partition_point(|(start, _)| *start <= span.start);
        templates.get(after.checked_sub(1)?).map(|(_, name)| name.as_str())
    }

    /// Line and column of `span`.
    pub fn location(&self, span: Span) -> Option<Location> {
        let file = self.file(span.file)?;
        let (line, column) = file.position(span.start);
        let (end_line, end_column) = if span.start == span.end { (line, column) } else { file.position(span.end) };
        Some(Location { line, column, end_line, end_column })
    }

    /// The name of the file of `span`; empty if the map does not hold it.
    pub fn name(&self, id: FileId) -> &str {
        self.file(id).map_or("", |f| f.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, FileOrigin, SourceMap};
    use crate::Span;

    #[test]
    fn columns_count_code_points_across_blocks() {
        let mut sources = SourceMap::new();
        let long = "é".repeat(BLOCK);
        let file = sources.add("x", format!("a: 1\r\nbé: ü\n{long}x"), FileOrigin::Stated);
        let at = |start, end| {
            let l = sources.location(Span::new(file, start, end)).map(|l| (l.line, l.column, l.end_line, l.end_column));
            l.unwrap_or_default()
        };
        assert_eq!(at(0, 1), (1, 1, 1, 2));
        assert_eq!(at(11, 13), (2, 5, 2, 6));
        let x = 14 + 2 * BLOCK as u32;
        assert_eq!(at(x, x + 1), (3, BLOCK as u32 + 1, 3, BLOCK as u32 + 2));
    }
}
