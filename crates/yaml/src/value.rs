//! How trees are looked at.

use std::{fmt, ops::Range};

use kubestride_source::Span;

use crate::{
    entries::{Entries, Entry, find},
    scalar::{self, Resolved},
    subspan,
    tree::{Data, Tree},
};

/// The type of a value as `kubectl` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Bool,
    /// An integer of 64 bits, with or without a sign.
    Int,
    /// Any other number.
    Float,
    /// Everything else, and everything in quotes.
    Str,
    /// A list.
    Sequence,
    /// A map.
    Mapping,
}

/// The place of a node in its [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(pub(crate) u32);

/// A node of a [`Tree`]. Aliases are followed: the value of an alias is the value it stands for, with its span.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) index: u32,
}

impl<'t> Value<'t> {
    pub(crate) fn new(tree: &'t Tree, index: u32) -> Self {
        Self { tree, index: tree.resolve(index) }
    }

    fn data(self) -> Data {
        self.tree.node(self.index).data
    }

    /// What finds it again in its tree, see [`Tree::at`].
    pub fn node(self) -> NodeId {
        NodeId(self.index)
    }

    /// Where it stands: scalars with their quotes, block scalars from the first to the last character of their text
    /// without the `|` or `>`, collections from their first to their last byte.
    pub fn span(self) -> Span {
        self.tree.node_span(self.index)
    }

    /// Its type.
    pub fn kind(self) -> Kind {
        match self.data() {
            Data::Scalar { kind, .. } => kind,
            Data::Sequence { .. } => Kind::Sequence,
            Data::Mapping { .. } => Kind::Mapping,
            Data::Alias { .. } => Kind::Null,
        }
    }

    /// The text of a string; none for other types.
    pub fn as_str(self) -> Option<&'t str> {
        if self.kind() == Kind::Str { self.scalar_text() } else { None }
    }

    /// The value of a boolean; none for other types.
    pub fn as_bool(self) -> Option<bool> {
        if self.kind() != Kind::Bool {
            return None;
        }
        match scalar::resolve(self.scalar_text()?) {
            Resolved::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The value of an integer; none for other types and for integers over [`i64::MAX`].
    pub fn as_i64(self) -> Option<i64> {
        if self.kind() != Kind::Int {
            return None;
        }
        match scalar::resolve(self.scalar_text()?) {
            Resolved::Int(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The value of a number, integers too; none for other types.
    pub fn as_f64(self) -> Option<f64> {
        if !matches!(self.kind(), Kind::Int | Kind::Float) {
            return None;
        }
        match scalar::resolve(self.scalar_text()?) {
            Resolved::Int(value) => Some(value as f64),
            Resolved::Float(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is null, which an empty value is too.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text of any scalar: without quotes and escapes, `!!binary` still encoded; none for collections.
    pub fn scalar_text(self) -> Option<&'t str> {
        self.tree.scalar_text(self.index)
    }

    /// The value of `key`, its own or else a merged one; the last one where a key is given twice. None if this is
    /// no mapping or has no such key.
    pub fn get(self, key: &str) -> Option<Value<'t>> {
        find(self, key).map(|(_, value)| Value::new(self.tree, value))
    }

    /// Where the key is written that [`Value::get`] finds.
    pub fn key_span(self, key: &str) -> Option<Span> {
        find(self, key).map(|(key, _)| self.tree.node_span(key))
    }

    /// The items of a sequence; nothing for other types.
    pub fn items(self) -> impl Iterator<Item = Value<'t>> {
        self.children()
    }

    /// The entries of a mapping: its own in source order, then the merged ones that it does not override. A key that
    /// is given twice comes once, with its last value. Keys that are collections are left out. Nothing for other
    /// types.
    pub fn entries(self) -> impl Iterator<Item = Entry<'t>> {
        Entries::new(self)
    }

    /// How many items or entries there are; 0 for scalars.
    pub fn len(self) -> usize {
        match self.data() {
            Data::Sequence { len } | Data::Mapping { len, simple: true } => len as usize,
            Data::Mapping { .. } => Entries::new(self).count(),
            _ => 0,
        }
    }

    /// Whether there are no items or entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Where the bytes `range` of [`Value::scalar_text`] stand in the source. Exact or none: none where the range
    /// is not of one line of the source, or is of a line with escapes.
    pub fn subspan(self, range: Range<usize>) -> Option<Span> {
        subspan::subspan(self, range)
    }

    pub(crate) fn children(self) -> Items<'t> {
        let left = match self.data() {
            Data::Sequence { len } => len,
            _ => 0,
        };
        Items { tree: self.tree, at: self.index + 1, left }
    }
}

/// Shows kind and place only: values of the input must not get into logs.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}..{}", self.kind(), self.span().start, self.span().end)
    }
}

/// The items of a sequence.
pub(crate) struct Items<'t> {
    tree: &'t Tree,
    at: u32,
    left: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        self.left = self.left.checked_sub(1)?;
        let item = Value::new(self.tree, self.at);
        self.at = self.tree.node(self.at).after;
        Some(item)
    }
}
