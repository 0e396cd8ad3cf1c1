//! The Markdown of threat types as HTML: headings, paragraphs, lists, fenced code, inline code, emphasis and links.
//!
//! Everything else is text. There is no raw HTML, and links lead to `http` and `https` addresses only, so that a threat
//! type of a stranger cannot put anything active into a page.

use std::io::{self, Write};

use crate::html::escape::Escaped;

/// Writes Markdown as HTML. With `links` off, addresses stay text: for texts that hold names from an input.
pub(crate) fn markdown(out: &mut dyn Write, text: &str, links: bool) -> io::Result<()> {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() {
            continue;
        }
        if let Some((fence, language)) = fence(trimmed) {
            code(out, language, &mut lines, fence)?;
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            write!(out, "<h5>")?;
            inline(out, heading.trim_start_matches('#').trim(), links)?;
            writeln!(out, "</h5>")?;
        } else if let Some((ordered, first)) = list_item(trimmed) {
            let tag = if ordered { "ol" } else { "ul" };
            writeln!(out, "<{tag}>")?;
            let mut item = first.to_owned();
            loop {
                match lines.peek().map(|l| l.trim_start()) {
                    Some(next) if list_item(next).is_some_and(|(o, _)| o == ordered) => {
                        write_item(out, &item, links)?;
                        item = list_item(next).map(|(_, t)| t.to_owned()).unwrap_or_default();
                    }
                    Some(next) if !next.is_empty() && fence(next).is_none() && list_item(next).is_none() => {
                        item.push(' ');
                        item.push_str(next);
                    }
                    _ => break,
                }
                lines.next();
            }
            write_item(out, &item, links)?;
            writeln!(out, "</{tag}>")?;
        } else {
            let mut paragraph = trimmed.to_owned();
            while let Some(next) = lines.peek().map(|l| l.trim_start()) {
                if next.is_empty() || fence(next).is_some() || list_item(next).is_some() || next.starts_with('#') {
                    break;
                }
                paragraph.push(' ');
                paragraph.push_str(next);
                lines.next();
            }
            write!(out, "<p>")?;
            inline(out, &paragraph, links)?;
            writeln!(out, "</p>")?;
        }
    }
    Ok(())
}

fn write_item(out: &mut dyn Write, item: &str, links: bool) -> io::Result<()> {
    write!(out, "<li>")?;
    inline(out, item, links)?;
    writeln!(out, "</li>")
}

/// The fence that a line opens, and the language after it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let length = line.len() - line.trim_start_matches('`').len();
    (length >= 3).then(|| (line.get(..length).unwrap_or(""), line.get(length..).unwrap_or("").trim()))
}

fn code<'a>(
    out: &mut dyn Write,
    language: &str,
    lines: &mut impl Iterator<Item = &'a str>,
    fence: &str,
) -> io::Result<()> {
    let language: String = language.chars().take_while(char::is_ascii_alphanumeric).collect();
    write!(out, "<pre class=\"code\" data-language=\"{language}\" tabindex=\"0\"><code>")?;
    for line in lines.take_while(|l| l.trim() != fence) {
        writeln!(out, "{}", Escaped(line))?;
    }
    writeln!(out, "</code></pre>")
}

/// Whether a line is an item of a numbered list, and its text.
fn list_item(line: &str) -> Option<(bool, &str)> {
    if let Some(text) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((false, text));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let text = line.get(digits..)?.strip_prefix(". ")?;
    (1..=3).contains(&digits).then_some((true, text))
}

fn inline(out: &mut dyn Write, text: &str, links: bool) -> io::Result<()> {
    let mut rest = text;
    // Text up to the next thing that means something is written in one go.
    let mut plain = 0;
    while let Some(here) = rest.get(plain..).filter(|h| !h.is_empty()) {
        let found = span(here, "`").map(|(body, len)| ("code", body, len)).or_else(|| {
            let strong = span(here, "**").map(|(body, len)| ("strong", body, len));
            strong.or_else(|| span(here, "*").map(|(body, len)| ("em", body, len)))
        });
        let link = if links && found.is_none() { link(here, rest.get(..plain).unwrap_or("")) } else { None };
        if found.is_none() && link.is_none() {
            plain += here.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        write!(out, "{}", Escaped(rest.get(..plain).unwrap_or("")))?;
        let mut length = 0;
        if let Some((tag, body, len)) = found {
            write!(out, "<{tag}>{}</{tag}>", Escaped(body))?;
            length = len;
        } else if let Some((shown, address, len)) = link {
            write!(out, "<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", Escaped(address), Escaped(shown))?;
            length = len;
        }
        rest = rest.get(plain + length..).unwrap_or("");
        plain = 0;
    }
    write!(out, "{}", Escaped(rest))
}

/// The text between two marks at the start of `text`, and the length with the marks.
fn span<'a>(text: &'a str, mark: &str) -> Option<(&'a str, usize)> {
    let after = text.strip_prefix(mark)?;
    let end = after.find(mark).filter(|end| *end > 0)?;
    let body = after.get(..end)?;
    let spaced = mark != "`" && (body.starts_with(' ') || body.ends_with(' '));
    (!spaced).then_some((body, end + 2 * mark.len()))
}

/// A link at the start of `text`: what it shows, where it leads, its length in the text.
fn link<'a>(text: &'a str, before: &str) -> Option<(&'a str, &'a str, usize)> {
    let allowed = |address: &str| address.starts_with("https://") || address.starts_with("http://");
    if let Some(after) = text.strip_prefix('[') {
        let close = after.find("](")?;
        let target = after.get(close + 2..)?;
        let end = target.find(')')?;
        let (shown, address) = (after.get(..close)?, target.get(..end)?);
        let good = allowed(address) && !address.contains(char::is_whitespace) && !shown.contains('[');
        return good.then_some((shown, address, close + end + 4));
    }
    if !allowed(text) || before.ends_with(char::is_alphanumeric) {
        return None;
    }
    let end = text.find(|c: char| c.is_whitespace() || "<>\"`".contains(c)).unwrap_or(text.len());
    let address = text.get(..end)?.trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
    Some((address, address, address.len()))
}

#[cfg(test)]
mod tests {
    fn html(text: &str) -> String {
        let mut out = Vec::new();
        super::markdown(&mut out, text, true).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn paragraphs_lists_and_code() {
        assert_eq!(
            html("a `b<c` and\n**d**\n\n- x\n  y\n- z"),
            "<p>a <code>b&lt;c</code> and <strong>d</strong></p>\n<ul>\n<li>x y</li>\n<li>z</li>\n</ul>\n"
        );
        assert_eq!(
            html("```yaml\na: <b>\n```"),
            "<pre class=\"code\" data-language=\"yaml\" tabindex=\"0\"><code>a: &lt;b&gt;\n</code></pre>\n"
        );
        assert_eq!(html("1. a\n2. b"), "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(html("[a](https://x.example/?q=1&r)").contains("<a href=\"https://x.example/?q=1&amp;r\""));
        assert!(html("see https://x.example/a.").contains(">https://x.example/a</a>."));
        for text in ["[a](javascript:alert(1))", "<img src=x onerror=alert(1)>", "[a](https://x\" onload=y)"] {
            let html = html(text);
            assert!(
                !html.contains("href=\"javascript") && !html.contains("<img") && !html.contains("\" onload"),
                "{html}"
            );
        }
    }

    #[test]
    fn marks_that_are_not_closed_stay_text() {
        assert_eq!(html("a * b ` c [d](e **"), "<p>a * b ` c [d](e **</p>\n");
        assert_eq!(
            html("```\nno end"),
            "<pre class=\"code\" data-language=\"\" tabindex=\"0\"><code>no end\n</code></pre>\n"
        );
    }
}
