//! Names and messages that stay text, whatever they hold.
//!
//! A name in a manifest must not become a heading, a link, an image that somebody counts, HTML, or a message to a person
//! who is mentioned. Escapes with `\` are enough for the syntax; mentions and references to issues are found by hosts
//! after that, in the finished page, and are broken by an invisible joiner.

use crate::text::one_line;

/// Breaks words without being seen, and without breaking lines.
const JOINER: char = '\u{2060}';

/// The text in running text or in a cell of a table.
pub(crate) fn text(input: &str) -> String {
    let input = one_line(input);
    let input = input.trim();
    let mut out = String::with_capacity(input.len() + 16);
    let mut last = ' ';
    let mut rest = input.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let escaped = match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '@' | '~' | '&' | '!' | '$' => {
                true
            }
            // Addresses would become links: `https://`, `mailto:x`, `www.`. So would `:name:` become a picture.
            ':' => !next.is_ascii_digit() && next != ' ',
            '.' => last.eq_ignore_ascii_case(&'w'),
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        out.push(c);
        if c == '@' || (c == '#' && next.is_ascii_digit()) {
            out.push(JOINER);
        }
        last = c;
    }
    escape_list_mark(&mut out);
    out
}

/// At the beginning of a line or of another item, a mark and a space would begin a list.
fn escape_list_mark(out: &mut String) {
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    let rest = out.get(digits..).unwrap_or("");
    let mark = if digits == 0 { rest.starts_with(['-', '+', '=']) } else { rest.starts_with(['.', ')']) };
    if mark && rest.get(1..).is_none_or(|after| after.is_empty() || after.starts_with([' ', '-', '='])) {
        out.insert(digits, '\\');
    }
}

/// The text as code, in running text or in a cell of a table.
pub(crate) fn code(input: &str) -> String {
    // In code there are no escapes: what would end it is replaced. A bar would end a cell even there.
    let input = one_line(input).replace('`', "'").replace('|', "¦");
    if input.trim().is_empty() { String::new() } else { format!("`{input}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_is_escaped() {
        assert_eq!(text("<img src=x>"), "\\<img src=x\\>");
        assert_eq!(text("[a](b) | `c` **d** _e_"), "\\[a\\](b) \\| \\`c\\` \\*\\*d\\*\\* \\_e\\_");
        assert_eq!(text("a\n# b"), "a \\# b");
        assert_eq!(text("- a"), "\\- a");
        assert_eq!(text(" 12. a"), "12\\. a");
        assert_eq!(text("---"), "\\---");
        assert_eq!(text("1.2.3 -x"), "1.2.3 -x");
        assert_eq!(text("cart-service, 2 replicas."), "cart-service, 2 replicas.");
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_is_linked() {
        assert_eq!(text("@team"), "\\@\u{2060}team");
        assert_eq!(text("o/r#12"), "o/r\\#\u{2060}12");
        assert_eq!(text("https://example.org"), "https\\://example.org");
        assert_eq!(text("www.example.org"), "www\\.example.org");
        assert_eq!(text("deploy.yaml:3:1: x"), "deploy.yaml:3:1: x");
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(code("a`b|c\nd"), "`a'b¦c d`");
        assert_eq!(code(""), "");
    }
}
