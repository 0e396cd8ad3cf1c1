//! The YAML and JSON reader: text to a tree of nodes with spans.
//!
//! A text is cut into documents ([`split`]), and each document is read on its own ([`read_document`]), so one broken
//! document does not hide the next and documents can be read in parallel. A document becomes a [`Tree`], which is
//! looked at through [`Value`]s. Scalars have the types that `kubectl` gives them, see [`Kind`].
//!
//! The input is not trusted: depth and size are limited, aliases are followed on look-up and never copied out, and
//! no diagnostic repeats a value of the input.

mod build;
mod duplicate;
mod entries;
mod json;
mod message;
mod read;
mod scalar;
mod split;
mod subspan;
mod tree;
mod value;
pub mod visitor;

use kubestride_source::{Diagnostic, Span};

pub use entries::Entry;
pub use json::read_json;
pub use read::{read, read_document};
pub use split::split;
pub use tree::{Comment, Tree};
pub use value::{Kind, NodeId, Value};

/// How much of a document is read before it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most collections inside each other. A document with more is reported as `too-deep`.
    pub max_depth: u32,
    /// Most nodes of one document: scalars, collections and aliases, keys too. A document with more is reported as
    /// `too-many-nodes`.
    pub max_nodes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 128, max_nodes: 2_000_000 }
    }
}

/// One document and what was said about it.
#[derive(Debug)]
pub struct Document {
    /// The part of the text that was read, with comments and markers.
    pub span: Span,
    /// What it holds; none if it could not be read or holds nothing.
    pub tree: Option<Tree>,
    /// What is wrong with it. Where there is an error there is no tree.
    pub diagnostics: Vec<Diagnostic>,
}
