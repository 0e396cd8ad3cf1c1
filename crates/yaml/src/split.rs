//! Cuts a text into documents without parsing it.

use std::ops::Range;

/// The documents of a YAML text, in order and without gaps; none for an empty text.
///
/// A line that begins with `---` begins a document, wherever it stands: YAML allows it in no scalar. A line that
/// begins with `...` ends one. Directives and comments before the first `---` belong to the document after it.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut start = 0;
    // Whether only directives, comments and blank lines were seen since the start of the text or a `...`.
    let mut prefix = true;
    for line in (Lines { text, at: 0 }) {
        let rest = text.get(line.clone()).unwrap_or("").trim_start_matches('\u{feff}');
        if is_marker(rest, "---") {
            if !prefix && line.start > start {
                documents.push(start..line.start);
                start = line.start;
            }
            prefix = false;
        } else if is_marker(rest, "...") {
            documents.push(start..line.end);
            start = line.end;
            prefix = true;
        } else if prefix && !matches!(rest.trim_start().bytes().next(), None | Some(b'#')) && !rest.starts_with('%') {
            prefix = false;
        }
    }
    if start < text.len() {
        documents.push(start..text.len());
    }
    documents
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Lines with their ends: `\n`, `\r\n` or `\r`.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.as_bytes().get(self.at..).filter(|rest| !rest.is_empty())?;
        let len = match rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            Some(end) if rest.get(end) == Some(&b'\r') && rest.get(end + 1) == Some(&b'\n') => end + 2,
            Some(end) => end + 1,
            None => rest.len(),
        };
        let start = self.at;
        self.at += len;
        Some(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn documents_begin_at_markers() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a: 1", &["a: 1"]),
            ("a: 1\n---\nb: 2\n", &["a: 1\n", "---\nb: 2\n"]),
            ("---\na: 1\n---\nb: 2\n", &["---\na: 1\n", "---\nb: 2\n"]),
            ("# head\n---\na: 1\n", &["# head\n---\na: 1\n"]),
            ("%YAML 1.2\n---\na\n...\n%YAML 1.2\n---\nb\n", &["%YAML 1.2\n---\na\n...\n", "%YAML 1.2\n---\nb\n"]),
            ("a: |\n  x\n---\nb", &["a: |\n  x\n", "---\nb"]),
            ("a: |\n  ---\n", &["a: |\n  ---\n"]),
            ("--- a\n--- b\n", &["--- a\n", "--- b\n"]),
            ("----\n---x\n", &["----\n---x\n"]),
            ("a\r\n---\r\nb", &["a\r\n", "---\r\nb"]),
            ("a\r---\rb", &["a\r", "---\rb"]),
            ("a\n\u{feff}---\nb", &["a\n", "\u{feff}---\nb"]),
            ("---\n---\n", &["---\n", "---\n"]),
            ("a\n---", &["a\n", "---"]),
        ];
        for (text, expected) in table {
            let parts: Vec<&str> = split(text).into_iter().filter_map(|range| text.get(range)).collect();
            assert_eq!(parts, *expected, "{text:?}");
        }
    }
}
