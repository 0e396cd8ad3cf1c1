//! Files of Microsoft's Threat Modeling Tool, as the subcommands read them.

use std::path::Path;

use anyhow::{Context as _, Result};
use kubestride_source::{FileId, FileOrigin, SourceMap};
use kubestride_tmt::Knowledge;
use kubestride_tmt::xml::Tree;

/// The text of a `.tm7` or `.tb7` file.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn text(path: &Path) -> Result<String> {
    kubestride_input::model_file(path).map_err(|d| anyhow::anyhow!(d.message.clone()))
}

/// The text as a tree.
///
/// # Errors
/// A text that is no XML, with its place.
pub(crate) fn tree<'t>(path: &Path, text: &'t str) -> Result<(Tree<'t>, FileId)> {
    let file = SourceMap::new().add(path.display().to_string(), text, FileOrigin::Stated);
    let tree = Tree::parse(file, text).with_context(|| format!("{} is no model or template", path.display()))?;
    Ok((tree, file))
}

/// The template that a file is or holds.
///
/// # Errors
/// A file without one.
pub(crate) fn knowledge(path: &Path, tree: &Tree<'_>) -> Result<Knowledge> {
    Knowledge::of(tree.root()).with_context(|| format!("there is no template in {}", path.display()))
}
