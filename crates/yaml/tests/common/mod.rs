//! What the tests share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use kubestride_source::{FileId, Span};
use kubestride_yaml::{Document, Limits, Tree, read, read_json};

pub(crate) fn yaml(text: &str) -> Vec<Document> {
    read(FileId(0), &Arc::from(text), &Limits::default())
}

pub(crate) fn json(text: &str) -> Vec<Document> {
    read_json(FileId(0), &Arc::from(text), &Limits::default())
}

/// The tree of a text that is one document without any diagnostics.
pub(crate) fn one(documents: Vec<Document>) -> Tree {
    assert_eq!(documents.len(), 1);
    let document = documents.into_iter().next().expect("there is one");
    assert_eq!(document.diagnostics, []);
    document.tree.expect("a document without errors has a tree")
}

pub(crate) fn tree(text: &str) -> Tree {
    one(yaml(text))
}

pub(crate) fn codes(documents: &[Document]) -> Vec<&'static str> {
    documents.iter().flat_map(|document| &document.diagnostics).map(|diagnostic| diagnostic.code).collect()
}

pub(crate) fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).expect("spans are of the text")
}
