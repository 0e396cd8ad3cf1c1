//! Reads JSON (RFC 8259) into the same tree. JSON is not quite YAML: it has surrogate pairs, tabs as white space and
//! keys of any length, and `true` is its only word for true.

use std::sync::Arc;

use kubestride_source::{Diagnostic, FileId};

use crate::{
    Document, Limits,
    build::{Builder, Text},
    tree::Style,
    value::Kind,
};

/// Reads all values of a JSON text. Several values after each other, as `kubectl get` and `jq` write them, are several
/// documents. Nothing is read after the first error.
pub fn read_json(file: FileId, text: &Arc<str>, limits: &Limits) -> Vec<Document> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let mut documents = Vec::new();
    loop {
        reader.skip_blank();
        let start = reader.at;
        if start >= text.len() {
            return documents;
        }
        let mut builder = Builder::new(file, text, limits);
        match reader.value(&mut builder) {
            Ok(()) => documents.push(builder.finish(start..reader.at)),
            Err(error) => {
                documents.push(builder.fail(start..text.len(), *error));
                return documents;
            }
        }
    }
}

/// Why reading stops: what is wrong, and where.
enum Stop {
    Syntax(&'static str, usize),
    Limit(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for Stop {
    fn from(limit: Box<Diagnostic>) -> Self {
        Stop::Limit(limit)
    }
}

/// What may come next.
#[derive(Clone, Copy)]
enum Expect {
    Value,
    /// The first item of a list, or its end.
    ItemOrEnd,
    Key,
    /// The first key of a map, or its end.
    KeyOrEnd,
    /// What follows a value: a comma, the end of the collection, or nothing at the outermost level.
    More,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Reads one value. Not recursive: the open collections are in `open`, which is true for maps.
    fn value(&mut self, builder: &mut Builder) -> Result<(), Box<Diagnostic>> {
        self.value_or_stop(builder).map_err(|stop| match stop {
            Stop::Limit(diagnostic) => diagnostic,
            Stop::Syntax(message, at) => {
                let width = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
                Box::new(Diagnostic::error("json-syntax", message).at(builder.span(at..at + width)))
            }
        })
    }

    fn value_or_stop(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        let mut open: Vec<bool> = Vec::new();
        let mut expect = Expect::Value;
        loop {
            self.skip_blank();
            let (start, next) = (self.at, self.peek());
            expect = match (expect, next) {
                (Expect::ItemOrEnd, Some(b']')) | (Expect::KeyOrEnd, Some(b'}')) => {
                    self.end(builder, &mut open);
                    Expect::More
                }
                (Expect::Value | Expect::ItemOrEnd, Some(b'[')) => {
                    self.at += 1;
                    builder.open_sequence(start..self.at)?;
                    open.push(false);
                    Expect::ItemOrEnd
                }
                (Expect::Value | Expect::ItemOrEnd, Some(b'{')) => {
                    self.at += 1;
                    builder.open_mapping(start..self.at)?;
                    open.push(true);
                    Expect::KeyOrEnd
                }
                (Expect::Value | Expect::ItemOrEnd, Some(b'"')) => {
                    self.string(builder)?;
                    Expect::More
                }
                (Expect::Value | Expect::ItemOrEnd, _) => {
                    self.bare(builder)?;
                    Expect::More
                }
                (Expect::Key | Expect::KeyOrEnd, Some(b'"')) => {
                    self.string(builder)?;
                    self.skip_blank();
                    if self.peek() != Some(b':') {
                        return Err(Stop::Syntax("expected `:` after a key", self.at));
                    }
                    self.at += 1;
                    Expect::Value
                }
                (Expect::Key | Expect::KeyOrEnd, _) => {
                    return Err(Stop::Syntax("expected a key in double quotes", start));
                }
                (Expect::More, _) => match (open.last(), next) {
                    (None, _) => return Ok(()),
                    (Some(is_map), Some(b',')) => {
                        self.at += 1;
                        if *is_map { Expect::Key } else { Expect::Value }
                    }
                    (Some(true), Some(b'}')) | (Some(false), Some(b']')) => {
                        self.end(builder, &mut open);
                        Expect::More
                    }
                    (Some(true), _) => return Err(Stop::Syntax("expected `,` or `}`", start)),
                    (Some(false), _) => return Err(Stop::Syntax("expected `,` or `]`", start)),
                },
            };
            // The end of a value without white space after it, so that spans do not grow.
            if matches!(expect, Expect::More) && open.is_empty() {
                return Ok(());
            }
        }
    }

    fn end(&mut self, builder: &mut Builder, open: &mut Vec<bool>) {
        self.at += 1;
        open.pop();
        builder.close(Some(self.at));
    }

    /// A number, `true`, `false` or `null`.
    fn bare(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'_')) {
            self.at += 1;
        }
        let kind = match self.text.get(start..self.at).unwrap_or("") {
            "null" => Kind::Null,
            "true" | "false" => Kind::Bool,
            word => number(word).ok_or(Stop::Syntax("expected a value", start))?,
        };
        builder.scalar(start..self.at, Text::Source(start..self.at), Style::Plain, kind)?;
        Ok(())
    }

    fn string(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        let start = self.at;
        self.at += 1;
        let mut decoded: Option<String> = None;
        let mut copied = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let out = decoded.get_or_insert_default();
                    out.push_str(self.text.get(copied..self.at).unwrap_or(""));
                    out.push(self.escape()?);
                    copied = self.at;
                }
                Some(0..=0x1f) => return Err(Stop::Syntax("a control character is not allowed in a text", self.at)),
                Some(_) => self.at += 1,
                None => return Err(Stop::Syntax("a quote is not closed", start)),
            }
        }
        if let Some(out) = &mut decoded {
            out.push_str(self.text.get(copied..self.at).unwrap_or(""));
        }
        let inside = start + 1..self.at;
        self.at += 1;
        let text = decoded.as_deref().map_or(Text::Source(inside), Text::Decoded);
        builder.scalar(start..self.at, text, Style::Quoted, Kind::Str)?;
        Ok(())
    }

    /// The character that the escape at the current place stands for. Half a surrogate pair is U+FFFD, as in Go.
    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        self.at += 2;
        let decoded = match self.text.as_bytes().get(start + 1) {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(*c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit(self.at).ok_or(Stop::Syntax("`\\u` needs four digits", start))?;
                self.at += 4;
                if (0xd800..0xdc00).contains(&unit)
                    && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
                    && let Some(low @ 0xdc00..0xe000) = self.unit(self.at + 2)
                {
                    self.at += 6;
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                } else {
                    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
            }
            _ => return Err(Stop::Syntax("`\\` is not followed by a known escape", start)),
        };
        Ok(decoded)
    }

    /// The four hexadecimal digits at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// The type of a number as JSON writes them; none if it is no such number.
fn number(word: &str) -> Option<Kind> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.starts_with('0')) {
        return None;
    }
    let mut rest = unsigned.get(whole..)?;
    let mut kind = if word.parse::<i64>().is_ok() || word.parse::<u64>().is_ok() { Kind::Int } else { Kind::Float };
    if let Some(fraction) = rest.strip_prefix('.') {
        let len = digits(fraction);
        rest = fraction.get(len..).filter(|_| len > 0)?;
        kind = Kind::Float;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let len = digits(exponent);
        rest = exponent.get(len..).filter(|_| len > 0)?;
        kind = Kind::Float;
    }
    rest.is_empty().then_some(kind)
}
