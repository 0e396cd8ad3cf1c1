//! Conformance tests over the whole program: what they share.
//!
//! The tests are in `tests/`: catalogue files, the crate table, true data flows, public corpora, identity. Those that
//! need public corpora run when `KUBESTRIDE_CORPUS` names their folder, and say that they are skipped when it is not
//! set.

mod analysed;
mod catalog;
mod command;
mod corpus;

pub use analysed::Analysed;
pub use catalog::{CatalogFile, files, types};
pub use command::{Run, binary, kubestride};
pub use corpus::{corpus, say};

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}
