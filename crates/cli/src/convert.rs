//! `kubestride convert`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use kubestride_template::filter::Lists;
use kubestride_tmt::{Existing, emit};

use crate::{UNUSABLE, messages, model_file, replace};

/// Arguments of `kubestride convert`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Manifests (files, directories, or `-`), and last the .tm7 file to write. If it is there already, these are
    /// kept: positions, what was drawn by hand, states, justifications and priorities that somebody set, what is out
    /// of scope, and what is written about the model. Names, attributes and texts of threats follow the manifests.
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = crate::analyze::namespace_name)]
    namespace: String,

    /// The name of the model; if it is not given, the one that it has, or else the name of the file.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

/// Runs the subcommand.
///
/// # Errors
/// Arguments that make no sense, and files that cannot be read or written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some((target, inputs)) = arguments.paths.split_last() else { bail!("name manifests and a .tm7 file") };
    if target.extension().is_none_or(|e| !e.eq_ignore_ascii_case("tm7")) {
        bail!("{}: the last path must be the .tm7 file to write", target.display());
    }
    let options = kubestride_input::Options { namespace: arguments.namespace.clone(), ..Default::default() };
    let loaded = kubestride_input::load(inputs, &options);
    let discover = kubestride_discover::Options {
        scope: kubestride_discover::Scope::Application,
        namespace: arguments.namespace.clone(),
        kubernetes: kubestride_policy::Version::NEWEST,
    };
    let discovered = kubestride_discover::discover(&loaded.manifests, &discover);
    messages::diagnostics(&loaded.sources, &loaded.diagnostics, false);
    if loaded.manifests.objects().next().is_none() {
        messages::error("no Kubernetes object was found in the input");
        return Ok(ExitCode::from(UNUSABLE));
    }
    let types = kubestride_catalogue::threats(discovered.model.vocabulary());
    let analysis = kubestride_analysis::analyse(&discovered.model, &types, &Lists::default());
    let existing = if target.exists() { kept(target)? } else { Existing::default() };
    let stem = target.file_stem().map(|s| s.to_string_lossy().into_owned());
    let name = arguments.name.clone().or(existing.name.clone()).or(stem).unwrap_or_default();
    if let Some(template) = &existing.foreign_template {
        let target = target.display();
        messages::note(&format!(
            "{target} had the template {template:?}, which ours takes the place of: TMT generates no more threats from it"
        ));
    }
    let emitted = emit(&discovered.model, &types, &analysis, &name, &existing);
    replace::replace(target, &emitted.text).with_context(|| format!("cannot write {}", target.display()))?;
    for line in &emitted.left_out {
        messages::note(line);
    }
    messages::unread(loaded.unread);
    Ok(ExitCode::SUCCESS)
}

/// What a file that is there already holds.
fn kept(path: &Path) -> Result<Existing> {
    let text = model_file::text(path)?;
    let (tree, file) = model_file::tree(path, &text)?;
    let tm7 = model_file::model(path, &tree, file)?;
    Ok(Existing::read(&tree, &tm7))
}
