//! `kubestride template`: templates of Microsoft's Threat Modeling Tool.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use kubestride_analysis::Analysis;
use kubestride_model::Builder;
use kubestride_source::Span;
use kubestride_tmt::{Existing, check, emit, readable, tb7};

use crate::{messages, model_file, replace};

/// Exit status where a template has faults.
const FAULTY: u8 = 1;

/// Arguments of `kubestride template`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a template as a .tb7 file: ours, or that of a .tm7 model.
    Export {
        /// The file to write.
        #[arg(value_name = "FILE")]
        target: PathBuf,
        /// The model whose template is written instead of ours.
        #[arg(long, value_name = "MODEL")]
        from: Option<PathBuf>,
    },
    /// Write the threat types of a template as Markdown files, one each, in the form of our catalogue.
    Import {
        /// A .tb7 template or a .tm7 model.
        #[arg(value_name = "TEMPLATE")]
        template: PathBuf,
        /// The directory to write to; files in it are replaced.
        #[arg(value_name = "DIRECTORY")]
        directory: PathBuf,
    },
    /// Look for mistakes in templates: unknown names, filters that can never be true, missing texts.
    Check {
        /// .tb7 and .tm7 files, and directories of them.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// Files that cannot be read or written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Export { target, from } => export(target, from.as_deref()),
        Command::Import { template, directory } => import(template, directory),
        Command::Check { paths } => check_all(paths),
    }
}

fn export(target: &Path, from: Option<&Path>) -> Result<ExitCode> {
    let (text, notes) = match from {
        Some(path) => (model_file::text(path)?, Vec::new()),
        None => {
            let model = Builder::new(kubestride_stencils::vocabulary()).finish();
            let types = kubestride_catalogue::threats(model.vocabulary());
            let emitted = emit(&model, &types, &Analysis::default(), "template", &Existing::default());
            (emitted.text, emitted.left_out)
        }
    };
    let (tree, _) = model_file::tree(from.unwrap_or(Path::new("model")), &text)?;
    let Some(knowledge) = tree.root().child("KnowledgeBase") else { bail!("the model holds no template") };
    replace::replace(target, &tb7(knowledge)).with_context(|| format!("cannot write {}", target.display()))?;
    notes.iter().for_each(|note| messages::note(note));
    Ok(ExitCode::SUCCESS)
}

fn import(template: &Path, directory: &Path) -> Result<ExitCode> {
    let text = model_file::text(template)?;
    let (tree, _) = model_file::tree(template, &text)?;
    let knowledge = model_file::knowledge(template, &tree)?;
    let files = readable(&knowledge);
    for (name, text) in &files {
        let path = directory.join(name);
        let folder = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
        replace::replace(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let left = knowledge.threats.len() - files.len();
    writeln!(anstream::stdout().lock(), "{} threat types written, {left} left out that never fire", files.len())?;
    Ok(ExitCode::SUCCESS)
}

fn check_all(paths: &[PathBuf]) -> Result<ExitCode> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(
                kubestride_input::template_files(path).with_context(|| format!("cannot read {}", path.display()))?,
            );
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        bail!(
            "there are no templates in {}",
            paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    let mut out = anstream::stdout().lock();
    let mut faults = 0;
    for path in &files {
        let name = path.display();
        let checked = || {
            let text = model_file::text(path)?;
            let (tree, file) = model_file::tree(path, &text)?;
            let knowledge = model_file::knowledge(path, &tree)?;
            Ok::<_, anyhow::Error>((check(&knowledge, Span::new(file, 0, 0)), knowledge))
        };
        match checked() {
            Ok((found, knowledge)) => {
                found.iter().try_for_each(|line| writeln!(out, "{name}: {line}"))?;
                let (stencils, types) = (knowledge.elements.len(), knowledge.threats.len());
                writeln!(out, "{name}: {stencils} stencils, {types} threat types, {} findings", found.len())?;
                faults += found.len();
            }
            Err(error) => {
                writeln!(out, "{error:#}")?;
                faults += 1;
            }
        }
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAULTY) })
}
