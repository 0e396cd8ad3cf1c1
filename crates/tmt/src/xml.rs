//! A tree over XML text that remembers where everything stands, so that what is not changed keeps its bytes.
//!
//! Namespaces are not resolved: the data contract of Threat Modeling Tool is told apart by local names alone, and its
//! prefixes change from place to place.

use std::borrow::Cow;
use std::ops::Range;

use kubestride_source::{Diagnostic, FileId, Span};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// How deep elements may nest. Real files have about twenty levels.
const MAX_DEPTH: usize = 256;

/// Most elements of a file.
const MAX_ELEMENTS: usize = 20_000_000;

/// The text of a file as a tree of elements.
#[derive(Debug)]
pub struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct XmlError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl From<XmlError> for Diagnostic {
    fn from(error: XmlError) -> Self {
        Diagnostic::error("xml", error.message).at(error.span)
    }
}

/// One element.
#[derive(Debug, Clone)]
struct Node {
    /// From `<` of the start tag to after `>` of the end tag.
    range: Range<u32>,
    /// What is between the tags; empty at the end of an empty element.
    content: Range<u32>,
    parent: u32,
    first_child: u32,
    last_child: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// An element of a tree.
#[derive(Debug, Clone, Copy)]
pub struct Xml<'t, 'a> {
    tree: &'a Tree<'t>,
    index: u32,
}

/// What an element holds.
#[derive(Debug)]
pub enum Piece<'t, 'a> {
    /// Another element.
    Element(Xml<'t, 'a>),
    /// Text, resolved.
    Text(Cow<'t, str>),
}

impl<'t> Tree<'t> {
    /// Reads a file.
    ///
    /// # Errors
    /// Text that is no XML, a document type (which could define entities without end), and elements without end tags:
    /// with the place in the file.
    pub fn parse(file: FileId, text: &'t str) -> Result<Self, XmlError> {
        let fail = |at: usize, message: String| {
            let at = u32::try_from(at.min(text.len())).unwrap_or(u32::MAX);
            XmlError { message, span: Span::new(file, at, at) }
        };
        if u32::try_from(text.len()).is_err() {
            return Err(fail(0, "the file is larger than 4 GiB".to_owned()));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        let mut nodes: Vec<Node> = Vec::with_capacity(text.len() / 60);
        let mut open: Vec<u32> = Vec::new();
        loop {
            let before = reader.buffer_position() as usize;
            let event = reader.read_event().map_err(|e| fail(reader.error_position() as usize, format!("{e}")))?;
            let after = reader.buffer_position() as usize;
            match event {
                Event::Start(_) => {
                    let index = push(&mut nodes, &open, before, after, after);
                    open.push(index);
                    if open.len() > MAX_DEPTH || nodes.len() > MAX_ELEMENTS {
                        return Err(fail(before, "more elements than a model can have".to_owned()));
                    }
                }
                Event::Empty(_) => {
                    push(&mut nodes, &open, before, after, after);
                }
                Event::End(_) => {
                    if let Some(node) = open.pop().and_then(|i| nodes.get_mut(i as usize)) {
                        (node.content.end, node.range.end) = (before as u32, after as u32);
                    }
                }
                Event::DocType(_) => {
                    return Err(fail(before, "a document type is not allowed in a model".to_owned()));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open.last().and_then(|i| nodes.get(*i as usize)) {
            Some(node) => Err(fail(node.range.start as usize, "the file ends inside of this element".to_owned())),
            None if nodes.is_empty() => Err(fail(0, "there is no XML in the file".to_owned())),
            None => Ok(Self { text, nodes }),
        }
    }

    /// The outermost element.
    pub fn root(&self) -> Xml<'t, '_> {
        Xml { tree: self, index: 0 }
    }

    /// The text as it was read.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.nodes.len()
    }
}

fn push(nodes: &mut Vec<Node>, open: &[u32], start: usize, content: usize, end: usize) -> u32 {
    let index = nodes.len() as u32;
    let parent = open.last().copied().unwrap_or(NONE);
    nodes.push(Node {
        range: start as u32..end as u32,
        content: content as u32..content as u32,
        parent,
        first_child: NONE,
        last_child: NONE,
        next: NONE,
    });
    if let Some(node) = nodes.get_mut(parent as usize) {
        let last = std::mem::replace(&mut node.last_child, index);
        if node.first_child == NONE {
            node.first_child = index;
        }
        if let Some(last) = nodes.get_mut(last as usize) {
            last.next = index;
        }
    }
    index
}

impl<'t, 'a> Xml<'t, 'a> {
    fn node(self) -> &'a Node {
        &self.tree.nodes[self.index as usize]
    }

    fn at(self, index: u32) -> Option<Self> {
        (index != NONE).then_some(Self { tree: self.tree, index })
    }

    fn slice(self, range: Range<u32>) -> &'t str {
        self.tree.text.get(range.start as usize..range.end as usize).unwrap_or("")
    }

    fn start(self) -> BytesStart<'t> {
        let node = self.node();
        let first = if node.content.start == node.range.end { node.range.end } else { node.content.start };
        let tag = self.slice(node.range.start..first);
        let inner = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
        let name = inner.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inner.len());
        BytesStart::from_content(inner, name)
    }

    /// Where it stands in the file, tags and all.
    pub fn range(self) -> Range<usize> {
        self.node().range.start as usize..self.node().range.end as usize
    }

    /// Its text, tags and all.
    pub fn source(self) -> &'t str {
        self.slice(self.node().range.clone())
    }

    /// What stands between its tags; empty for an empty element.
    pub fn content(self) -> Range<usize> {
        self.node().content.start as usize..self.node().content.end as usize
    }

    /// Whether it is written as one tag: `<Name/>`.
    pub fn is_empty_tag(self) -> bool {
        self.node().content.start == self.node().range.end
    }

    /// The name without its prefix.
    pub fn name(self) -> &'t str {
        let qualified = self.qualified_name();
        qualified.rsplit_once(':').map_or(qualified, |(_, local)| local)
    }

    /// All attributes in order, with their names as they are written.
    pub fn attributes(self) -> Vec<(String, String)> {
        let start = self.start();
        let mut all = start.attributes();
        let all = all.with_checks(false).flatten();
        all.map(|a| {
            let value = quick_xml::escape::unescape(&a.value).map_or_else(|_| a.value.to_string(), Cow::into_owned);
            (a.key.as_ref().to_owned(), value)
        })
        .collect()
    }

    /// The name as it is written.
    pub fn qualified_name(self) -> &'t str {
        let tag = self.slice(self.node().range.clone());
        let rest = tag.get(1..).unwrap_or("");
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }

    /// The value of an attribute, by its name without prefix.
    pub fn attribute(self, name: &str) -> Option<String> {
        let start = self.start();
        let found = start.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
        let raw = found.value.as_ref();
        Some(quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), Cow::into_owned))
    }

    /// The child elements in order.
    pub fn children(self) -> impl Iterator<Item = Xml<'t, 'a>> {
        std::iter::successors(self.at(self.node().first_child), move |child| self.at(child.node().next))
    }

    /// Elements and the texts between them, in order.
    pub fn pieces(self) -> Vec<Piece<'t, 'a>> {
        let mut pieces = Vec::new();
        let mut at = self.node().content.start;
        for child in self.children() {
            let range = child.node().range.clone();
            pieces.push(Piece::Text(resolved(self.slice(at..range.start))));
            pieces.push(Piece::Element(child));
            at = range.end;
        }
        if !self.is_empty_tag() {
            pieces.push(Piece::Text(resolved(self.slice(at..self.node().content.end))));
        }
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        pieces
    }

    /// The first child with this name.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|c| c.name() == name)
    }

    /// The element around it.
    pub fn parent(self) -> Option<Self> {
        self.at(self.node().parent)
    }

    /// The text of an element without child elements, with entities and sections resolved.
    pub fn text(self) -> Cow<'t, str> {
        resolved(self.slice(self.node().content.clone()))
    }

    /// The text of a child; empty where there is none.
    pub fn child_text(self, name: &str) -> Cow<'t, str> {
        self.child(name).map_or(Cow::Borrowed(""), Self::text)
    }

    /// Whether it is marked as having no value: `i:nil="true"`.
    pub fn is_nil(self) -> bool {
        self.attribute("nil").as_deref() == Some("true")
    }
}

/// Text with its entities and sections resolved.
fn resolved(raw: &str) -> Cow<'_, str> {
    if raw.contains("<![CDATA[") {
        return Cow::Owned(sections(raw));
    }
    if raw.contains('&') { quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw)) } else { Cow::Borrowed(raw) }
}

/// Text with sections that are taken as they stand.
fn sections(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once("<![CDATA[") {
        out.push_str(&quick_xml::escape::unescape(before).unwrap_or(Cow::Borrowed(before)));
        let (inside, next) = after.split_once("]]>").unwrap_or((after, ""));
        out.push_str(inside);
        rest = next;
    }
    out.push_str(&quick_xml::escape::unescape(rest).unwrap_or(Cow::Borrowed(rest)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubestride_source::{FileOrigin, SourceMap};

    fn file() -> FileId {
        SourceMap::new().add("a.tm7", "", FileOrigin::Stated)
    }

    #[test]
    fn elements_have_names_texts_and_places() {
        let text = "<A x=\"1\"><b:B i:nil=\"true\"/><C>a &amp; <![CDATA[<b>]]></C><C/></A>";
        let tree = Tree::parse(file(), text).expect("XML");
        let root = tree.root();
        assert_eq!((root.name(), root.attribute("x").as_deref()), ("A", Some("1")));
        let names: Vec<&str> = root.children().map(Xml::name).collect();
        assert_eq!(names, ["B", "C", "C"]);
        let b = root.child("B").expect("B");
        assert!(b.is_nil() && b.is_empty_tag());
        assert_eq!(root.child_text("C"), "a & <b>");
        assert_eq!(&text[b.range()], "<b:B i:nil=\"true\"/>");
        assert_eq!(b.parent().map(Xml::name), Some("A"));
    }

    #[test]
    fn what_is_no_model_is_refused_with_its_place() {
        let place = |text: &str| {
            let error = Tree::parse(file(), text).expect_err(text);
            (error.message, error.span.start)
        };
        assert_eq!(place("<A><B></A>").1, 6);
        assert_eq!(place("<A><B>"), ("the file ends inside of this element".to_owned(), 3));
        assert_eq!(place("").0, "there is no XML in the file");
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        assert_eq!(place(bomb), ("a document type is not allowed in a model".to_owned(), 0));
        assert!(place(&"<a>".repeat(100_000)).0.contains("more elements"));
    }
}
