//! Files of Microsoft's Threat Modeling Tool, as the subcommands read them.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use kubestride_source::{FileId, FileOrigin, Level, SourceMap};
use kubestride_tmt::xml::Tree;
use kubestride_tmt::{Knowledge, Tm7};

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

/// The model that a file holds.
///
/// # Errors
/// A file that holds none.
pub(crate) fn model(path: &Path, tree: &Tree<'_>, file: FileId) -> Result<Tm7> {
    let (model, diagnostics) = Tm7::read(file, tree);
    match diagnostics.iter().find(|d| d.level == Level::Error) {
        Some(error) => bail!("{}: {}", path.display(), error.message),
        None => Ok(model),
    }
}
