//! One item on each line: short enough to store, and a comparison of two files line by line shows what changed.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// How deep objects are broken into lines; lists are broken one level deeper.
const DEPTH: usize = 2;

/// The outer objects and the lists in them broken into lines, their items compact.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// For each object or list that is open: whether it is broken into lines.
    open: Vec<bool>,
    has_value: bool,
}

impl Lines {
    fn begin(&mut self, deepest: usize) {
        // What lies in something compact is compact.
        let broken = self.open.len() < deepest && self.open.last().is_none_or(|b| *b);
        self.open.push(broken);
        self.has_value = false;
    }

    fn next<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.open.last() == Some(&true) { self.break_line(out) } else { Ok(()) }
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let broken = self.open.pop() == Some(true);
        if broken && self.has_value { self.break_line(out) } else { Ok(()) }
    }

    fn break_line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        self.open.iter().try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(DEPTH + 1);
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out)?;
        out.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(DEPTH);
        out.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out)?;
        out.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let broken = self.open.last() == Some(&true);
        out.write_all(if broken { b": " } else { b":" })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::Lines;

    #[test]
    fn items_have_a_line_each() {
        let value = serde_json::json!({ "a": { "b": [], "c": [{ "d": [1, 2] }, {}] }, "e": {} });
        let mut out = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, Lines::default());
        value.serialize(&mut serializer).expect("writing to memory");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        let expected =
            "{\n  \"a\": {\n    \"b\": [],\n    \"c\": [\n      {\"d\":[1,2]},\n      {}\n    ]\n  },\n  \"e\": {}\n}";
        assert_eq!(text, expected);
    }
}
