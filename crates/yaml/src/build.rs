//! Puts nodes into the arena, for both readers.

use std::{ops::Range, sync::Arc};

use kubestride_source::{Diagnostic, FileId, Span};

use crate::{
    Document, Limits,
    duplicate::check_keys,
    tree::{Comment, Data, Node, Style, Tree},
    value::Kind,
};

/// Most warnings of one document. A generated file with thousands of the same mistake needs them once.
const MAX_WARNINGS: usize = 100;

/// A text of a scalar: where it stands in the source as it is, or else decoded.
pub(crate) enum Text<'a> {
    Source(Range<usize>),
    Decoded(&'a str),
}

/// A collection whose end has not been seen.
struct Open {
    node: u32,
    /// Nodes directly in it so far, keys and values each.
    children: u32,
}

/// A document that is being read.
pub(crate) struct Builder {
    tree: Tree,
    limits: Limits,
    open: Vec<Open>,
    diagnostics: Vec<Diagnostic>,
    /// Scratch for the duplicate check, kept for its memory.
    keys: Vec<(u64, u32)>,
}

impl Builder {
    pub(crate) fn new(file: FileId, text: &Arc<str>, limits: &Limits) -> Self {
        Self {
            tree: Tree::new(file, text.clone()),
            limits: *limits,
            open: Vec::new(),
            diagnostics: Vec::new(),
            keys: Vec::new(),
        }
    }

    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.tree.file, range.start as u32, range.end as u32)
    }

    pub(crate) fn comment(&mut self, range: Range<usize>, text: &str) {
        let span = self.span(range);
        self.tree.comments.push(Comment { span, text: text.to_owned() });
    }

    pub(crate) fn scalar(
        &mut self,
        range: Range<usize>,
        text: Text<'_>,
        style: Style,
        kind: Kind,
    ) -> Result<u32, Box<Diagnostic>> {
        let (start, end, owned) = match text {
            Text::Source(range) => (range.start as u32, range.end as u32, false),
            Text::Decoded(text) => {
                let start = self.tree.owned.len();
                self.tree.owned.push_str(text);
                (start as u32, self.tree.owned.len() as u32, true)
            }
        };
        self.push(range, Data::Scalar { start, end, owned, style, kind })
    }

    pub(crate) fn alias(&mut self, range: Range<usize>, target: u32) -> Result<u32, Box<Diagnostic>> {
        self.tree.has_aliases = true;
        self.push(range, Data::Alias { target })
    }

    pub(crate) fn open_sequence(&mut self, range: Range<usize>) -> Result<u32, Box<Diagnostic>> {
        self.open(range, Data::Sequence { len: 0 })
    }

    pub(crate) fn open_mapping(&mut self, range: Range<usize>) -> Result<u32, Box<Diagnostic>> {
        self.open(range, Data::Mapping { len: 0, simple: true })
    }

    /// Ends the innermost collection, at `end` or else with its last child.
    pub(crate) fn close(&mut self, end: Option<usize>) {
        let Some(Open { node: index, children }) = self.open.pop() else { return };
        let after = self.tree.nodes.len() as u32;
        let Some(node) = self.tree.nodes.get_mut(index as usize) else { return };
        node.after = after;
        if let Some(end) = end {
            node.end = end as u32;
        }
        let (start, end) = (node.start, node.end);
        let is_mapping = match &mut node.data {
            Data::Sequence { len } => {
                *len = children;
                false
            }
            Data::Mapping { len, .. } => {
                *len = children / 2;
                true
            }
            _ => false,
        };
        if is_mapping {
            let room = MAX_WARNINGS.saturating_sub(self.diagnostics.len());
            let simple = check_keys(&self.tree, index, &mut self.keys, room, &mut self.diagnostics);
            if let Some(Node { data: Data::Mapping { simple: flag, .. }, .. }) = self.tree.nodes.get_mut(index as usize)
            {
                *flag = simple;
            }
        }
        self.extend_parent(start, end);
    }

    /// Whether the next node is the outermost one.
    pub(crate) fn is_root(&self) -> bool {
        self.tree.nodes.is_empty()
    }

    /// Whether the next node is a value of a mapping.
    pub(crate) fn expects_value(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.children % 2 == 1 && matches!(self.tree.node(open.node).data, Data::Mapping { .. })
        })
    }

    fn open(&mut self, range: Range<usize>, data: Data) -> Result<u32, Box<Diagnostic>> {
        if self.open.len() as u32 >= self.limits.max_depth {
            return Err(Box::new(self.too_deep(range)));
        }
        let index = self.push(range, data)?;
        self.open.push(Open { node: index, children: 0 });
        Ok(index)
    }

    fn push(&mut self, range: Range<usize>, data: Data) -> Result<u32, Box<Diagnostic>> {
        let index = self.tree.nodes.len() as u32;
        if index >= self.limits.max_nodes {
            let message = format!("the document has more than {} nodes", self.limits.max_nodes);
            return Err(Box::new(Diagnostic::error("too-many-nodes", message).at(self.span(range))));
        }
        let (start, end) = (range.start as u32, range.end as u32);
        self.tree.nodes.push(Node { start, end, after: index + 1, data });
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
        }
        self.extend_parent(start, end);
        Ok(index)
    }

    /// Block collections end where their last child ends. Their first child may stand before the place that the
    /// parser gives them.
    fn extend_parent(&mut self, start: u32, end: u32) {
        if let Some(parent) = self.open.last().and_then(|open| self.tree.nodes.get_mut(open.node as usize)) {
            parent.start = parent.start.min(start);
            parent.end = parent.end.max(end);
        }
    }

    pub(crate) fn too_deep(&self, range: Range<usize>) -> Diagnostic {
        let message = format!("more than {} collections inside each other", self.limits.max_depth);
        Diagnostic::error("too-deep", message).at(self.span(range))
    }

    /// The document, if there was a node.
    pub(crate) fn finish(self, range: Range<usize>) -> Document {
        let span = self.span(range);
        let tree = Some(self.tree).filter(|tree| !tree.nodes.is_empty());
        Document { span, tree, diagnostics: self.diagnostics }
    }

    /// The document without its tree.
    pub(crate) fn fail(mut self, range: Range<usize>, error: Diagnostic) -> Document {
        let span = self.span(range);
        self.diagnostics.push(error);
        Document { span, tree: None, diagnostics: self.diagnostics }
    }
}
