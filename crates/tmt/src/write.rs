//! Text for model files, as Threat Modeling Tool's serializer writes it.

use std::ops::Range;

use crate::xml::{Piece, Tree, Xml};

/// Writes a whole tree anew, from its names, attributes and texts alone.
pub fn serialise(tree: &Tree<'_>) -> String {
    let mut out = String::with_capacity(tree.text().len());
    let root = tree.root();
    let outside = |range: Range<usize>| tree.text().get(range).unwrap_or("");
    // A declaration, and white space around the root.
    out.push_str(outside(0..root.range().start));
    element(root, spaced(tree.text()), &mut out);
    out.push_str(outside(root.range().end..tree.text().len()));
    out
}

/// Whether empty elements are written with a space, as tools do that lay XML out for people.
fn spaced(text: &str) -> bool {
    text.contains(" />")
}

fn element(xml: Xml<'_, '_>, spaced: bool, out: &mut String) {
    out.push('<');
    out.push_str(xml.qualified_name());
    for (name, value) in xml.attributes() {
        out.push(' ');
        out.push_str(&name);
        out.push_str("=\"");
        out.push_str(&escaped_attribute(&value));
        out.push('"');
    }
    let pieces = xml.pieces();
    if pieces.is_empty() {
        out.push_str(if spaced { " />" } else { "/>" });
        return;
    }
    out.push('>');
    for piece in pieces {
        match piece {
            Piece::Element(child) => element(child, spaced, out),
            Piece::Text(text) => out.push_str(&escaped(&text)),
        }
    }
    out.push_str("</");
    out.push_str(xml.qualified_name());
    out.push('>');
}

/// Text between tags. A carriage return would be read as a line feed.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            // Nothing else below a space is allowed in XML.
            c if c < ' ' && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

pub(crate) fn escaped_attribute(text: &str) -> String {
    escaped(text).replace('"', "&quot;").replace('\n', "&#xA;").replace('\t', "&#x9;")
}

/// Changes to some parts of a text; everything else keeps its bytes.
#[derive(Debug, Default)]
pub struct Patches {
    all: Vec<(Range<usize>, String)>,
}

impl Patches {
    /// Puts `text` in the place of a part. Parts do not overlap.
    pub fn replace(&mut self, range: Range<usize>, text: String) {
        self.all.push((range, text));
    }

    /// Gives an element another text; an element without one becomes an empty or a nil one, as it was.
    pub fn set_text(&mut self, xml: Xml<'_, '_>, text: &str) {
        let name = xml.qualified_name();
        let attributes: String = xml
            .attributes()
            .into_iter()
            .filter(|(name, _)| !name.ends_with(":nil"))
            .map(|(name, value)| format!(" {name}=\"{}\"", escaped_attribute(&value)))
            .collect();
        let written = match text {
            "" => format!("<{name}{attributes}/>"),
            text => format!("<{name}{attributes}>{}</{name}>", escaped(text)),
        };
        self.replace(xml.range(), written);
    }

    /// How many places change.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The text with all changes.
    pub fn apply(mut self, text: &str) -> String {
        self.all.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, new) in self.all {
            out.push_str(text.get(at..range.start.max(at)).unwrap_or(""));
            out.push_str(&new);
            at = range.end.max(at);
        }
        out.push_str(text.get(at..).unwrap_or(""));
        out
    }
}

/// The text of a shape, line or diagram with other numbers for its objects.
pub(crate) fn renumbered(raw: &str, mut next: impl FnMut() -> String) -> String {
    const MARK: &str = "z:Id=\"";
    let mut parts = raw.split(MARK);
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(MARK);
        match part.find('"') {
            Some(end) => {
                out.push_str(&next());
                out.push_str(part.get(end..).unwrap_or(""));
            }
            None => out.push_str(part),
        }
    }
    out
}
