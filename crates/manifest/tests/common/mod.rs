//! What the tests share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use kubestride_manifest::Manifests;
use kubestride_source::Diagnostic;
use kubestride_yaml::{Limits, read};

/// All documents of `text`, finished with `default` as default namespace.
pub(crate) fn manifests(text: &str) -> (Manifests, Vec<Diagnostic>) {
    let mut manifests = Manifests::new();
    for document in read(kubestride_source::FileId(0), &Arc::from(text), &Limits::default()) {
        assert!(document.diagnostics.is_empty(), "{:?}", document.diagnostics);
        manifests.add(document.tree.expect("a document"), 0);
    }
    let diagnostics = manifests.finish("default");
    (manifests, diagnostics)
}

pub(crate) fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

pub(crate) fn identities(manifests: &Manifests) -> Vec<String> {
    manifests.objects().map(|object| object.identity("default")).collect()
}
