//! Text in HTML.

use std::fmt::{self, Display, Write as _};

/// Shows a text so that nothing in it is markup. Characters that nobody could see are left out, except line breaks and
/// tabs.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                '\n' | '\t' => self.0.write_char(c)?,
                c if kubestride_diagram::is_unprintable(c) => {}
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// An identity as the value of `id`: white space is not allowed there.
pub(crate) fn anchor(prefix: &str, identity: &str) -> String {
    let clean = |c: char| if c.is_whitespace() { '_' } else { c };
    format!(
        "{prefix}{}",
        identity.chars().filter(|c| !kubestride_diagram::is_unprintable(*c)).map(clean).collect::<String>()
    )
}

/// A reference to an [`anchor`] on the same page.
pub(crate) fn fragment(anchor: &str) -> String {
    let mut out = String::from("#");
    for byte in anchor.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@/:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        let text = "<script>alert('1')</script>\" onload=x \u{202e}&\u{0}";
        let shown = Escaped(text).to_string();
        assert_eq!(shown, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=x &amp;");
    }

    #[test]
    fn fragments_are_percent_encoded() {
        assert_eq!(fragment(&anchor("", "a@b->c:x y#1")), "#a@b-%3Ec:x_y%231");
    }
}
