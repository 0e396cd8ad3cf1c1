//! JSON that is safe inside a page.

use std::io::{self, Write};

/// Escapes what could end a `script` element or begin a comment. In JSON these characters occur in strings only.
pub(crate) struct Inert<W>(pub(crate) W);

impl<W: Write> Write for Inert<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut done = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(byte, b'<' | b'>' | b'&') {
                self.0.write_all(bytes.get(done..at).unwrap_or_default())?;
                write!(self.0, "\\u{byte:04x}")?;
                done = at + 1;
            }
        }
        self.0.write_all(bytes.get(done..).unwrap_or_default())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::Inert;

    #[test]
    fn a_text_cannot_end_the_element_and_reads_the_same() {
        let text = "</script><!-- & -->";
        let mut out = Vec::new();
        serde_json::to_writer(Inert(&mut out), text).expect("writing to memory");
        let written = String::from_utf8(out).expect("text");
        assert!(!written.contains(['<', '>', '&']), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
    }
}
