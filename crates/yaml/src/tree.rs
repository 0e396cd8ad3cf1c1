//! The arena that documents are read into.

use std::{fmt, sync::Arc};

use kubestride_source::{FileId, Span};

use crate::value::{Kind, NodeId, Value};
use crate::visitor::walk;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
    Literal,
    Folded,
}

/// What a node is. Texts are ranges of the source where they stand there as they are, and of [`Tree::owned`] where
/// they had to be decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Data {
    Scalar {
        start: u32,
        end: u32,
        owned: bool,
        style: Style,
        kind: Kind,
    },
    Sequence {
        len: u32,
    },
    /// `simple` mappings have scalar keys only, each once, and no merge keys.
    Mapping {
        len: u32,
        simple: bool,
    },
    Alias {
        target: u32,
    },
}

/// One node. Nodes are in source order: the first child follows its parent, and `after` is the index behind the last
/// descendant, which is the next sibling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) after: u32,
    pub(crate) data: Data,
}

/// Stands in for nodes that do not exist, so that no look-up can panic.
static NOTHING: Node = Node {
    start: 0,
    end: 0,
    after: u32::MAX,
    data: Data::Scalar { start: 0, end: 0, owned: false, style: Style::Plain, kind: Kind::Null },
};

/// A comment of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of its line.
    pub span: Span,
    /// What follows the `#`, as it is written.
    pub text: String,
}

/// One document: a flat list of nodes over the source text.
pub struct Tree {
    pub(crate) file: FileId,
    pub(crate) text: Arc<str>,
    pub(crate) owned: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) has_aliases: bool,
}

impl Tree {
    pub(crate) fn new(file: FileId, text: Arc<str>) -> Self {
        Self { file, text, owned: String::new(), nodes: Vec::new(), comments: Vec::new(), has_aliases: false }
    }

    /// The outermost node.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The node that [`Value::node`] gave.
    pub fn at(&self, node: NodeId) -> Value<'_> {
        // It was no alias when its value was looked at.
        Value { tree: self, index: node.0 }
    }

    /// Whether it has an end when aliases are followed, and not many more nodes than are written, see [`walk`]. Only
    /// then may it be looked through by recursion.
    pub fn is_bounded(&self) -> bool {
        !self.has_aliases || walk(self.root(), &mut |_, _| ())
    }

    /// The file it was read from.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The outermost node's place.
    pub fn span(&self) -> Span {
        self.root().span()
    }

    /// All comments in source order. JSON has none.
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    pub(crate) fn node(&self, index: u32) -> &Node {
        self.nodes.get(index as usize).unwrap_or(&NOTHING)
    }

    /// The node that `index` stands for when aliases are followed. YAML has no aliases of aliases; the loop is
    /// bounded all the same.
    pub(crate) fn resolve(&self, mut index: u32) -> u32 {
        for _ in 0..8 {
            match self.node(index).data {
                Data::Alias { target } => index = target,
                _ => break,
            }
        }
        index
    }

    pub(crate) fn node_span(&self, index: u32) -> Span {
        let node = self.node(index);
        Span::new(self.file, node.start, node.end)
    }

    /// The text of a scalar, none for collections.
    pub(crate) fn scalar_text(&self, index: u32) -> Option<&str> {
        match self.node(self.resolve(index)).data {
            Data::Scalar { start, end, owned, .. } => {
                let text: &str = if owned { &self.owned } else { &self.text };
                text.get(start as usize..end as usize)
            }
            _ => None,
        }
    }

    /// Whether the node is a scalar with this text. Lengths are compared first, so that the source is looked at only
    /// where they agree.
    pub(crate) fn is_text(&self, index: u32, expected: &str) -> bool {
        match self.node(self.resolve(index)).data {
            Data::Scalar { start, end, owned, .. } if (end.wrapping_sub(start)) as usize == expected.len() => {
                let text: &str = if owned { &self.owned } else { &self.text };
                text.as_bytes().get(start as usize..end as usize) == Some(expected.as_bytes())
            }
            _ => false,
        }
    }

    /// Whether the node is a merge key: `<<` without quotes.
    pub(crate) fn is_merge_key(&self, index: u32) -> bool {
        matches!(self.node(index).data, Data::Scalar { kind: Kind::Str, style: Style::Plain, .. })
            && self.is_text(index, "<<")
    }
}

/// Shows the size only: values of the input must not get into logs.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("file", &self.file).field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}
