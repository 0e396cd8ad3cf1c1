//! Text to tokens.

use crate::TemplateError;
use kubestride_source::Span;

/// A token with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A bare or bracketed word. Bracketed words are never keywords.
    Word { text: String, bracketed: bool },
    /// A quoted text without its quotes.
    Value(String),
    /// A whole number.
    Number(i64),
    /// One of `( ) , . @ < <= > >=`.
    Sign(&'static str),
}

const SIGNS: [&str; 9] = ["<=", ">=", "<", ">", "(", ")", ",", ".", "@"];

/// All tokens of a filter. `base` is where the filter stands in its file.
pub(crate) fn tokens(text: &str, base: Span) -> Result<Vec<Token>, TemplateError> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let span = |len: usize| Span::new(base.file, base.start + at as u32, base.start + (at + len) as u32);
        if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        let (kind, len) = if let Some((kind, len)) = delimited(rest, first) {
            (kind.ok_or_else(|| TemplateError::at(span(rest.len()), format!("`{first}` is not closed")))?, len)
        } else if let Some(sign) = SIGNS.into_iter().find(|s| rest.starts_with(s)) {
            (TokenKind::Sign(sign), sign.len())
        } else {
            let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
            let word = rest.get(..len).unwrap_or("");
            match word.parse() {
                _ if word.is_empty() => {
                    return Err(TemplateError::at(span(first.len_utf8()), format!("`{first}` has no meaning here")));
                }
                Ok(number) => (TokenKind::Number(number), len),
                Err(_) => (TokenKind::Word { text: word.to_owned(), bracketed: false }, len),
            }
        };
        out.push(Token { kind, span: span(len) });
        rest = rest.get(len..).unwrap_or("");
    }
    Ok(out)
}

/// A quoted value or a bracketed name, and its length; no kind if it is not closed.
fn delimited(rest: &str, first: char) -> Option<(Option<TokenKind>, usize)> {
    let close = match first {
        '\'' => '\'',
        '[' => ']',
        _ => return None,
    };
    let inner = rest.get(1..)?;
    let Some(end) = inner.find(close) else { return Some((None, rest.len())) };
    let text = inner.get(..end)?.to_owned();
    let kind = if first == '[' { TokenKind::Word { text, bracketed: true } } else { TokenKind::Value(text) };
    Some((Some(kind), end + 2))
}
