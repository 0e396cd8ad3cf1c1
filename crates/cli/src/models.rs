//! `kubestride diff` and `kubestride merge`: versions of .tm7 models.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use kubestride_tmt::{Tm7, diff, merge};

use crate::model_file::{model, text, tree};
use crate::replace;

/// Exit status where models differ, or where a merge left conflicts.
const DIFFERENT: u8 = 1;

/// Arguments of `kubestride diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The older model.
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// The newer model.
    #[arg(value_name = "TO")]
    to: PathBuf,
}

/// Arguments of `kubestride merge`.
#[derive(Debug, Args)]
#[command(
    after_help = "To let git merge models:\n  git config merge.tm7.driver 'kubestride merge %O %A %B -o %A --path %P'\n  \
                        echo '*.tm7 merge=tm7' >> .gitattributes"
)]
pub(crate) struct Merge {
    /// The model that both sides began with.
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Our side.
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// Their side.
    #[arg(value_name = "THEIRS")]
    theirs: PathBuf,
    /// Where the merged model goes; our side if it is not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The name of the file in messages, where the paths are those of copies, as git makes them.
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
}

/// Says what changed: exit status 1 if something did.
///
/// # Errors
/// Models that cannot be read.
pub(crate) fn run_diff(arguments: &Diff) -> Result<ExitCode> {
    let read = |path: &Path| -> Result<Tm7> {
        let text = text(path)?;
        let (tree, file) = tree(path, &text)?;
        model(path, &tree, file)
    };
    let changes = diff(&read(&arguments.from)?, &read(&arguments.to)?);
    let mut out = anstream::stdout().lock();
    for change in &changes {
        let name = if change.name.is_empty() { String::new() } else { format!(" {:?}", change.name) };
        let id = if change.id.is_empty() { String::new() } else { format!(" ({})", change.id) };
        let detail = if change.detail.is_empty() { String::new() } else { format!(": {}", change.detail) };
        writeln!(out, "{} {}{name}{id}{detail}", change.kind.sign(), change.what)?;
    }
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

/// Merges: exit status 1 if conflicts are left.
///
/// # Errors
/// Models that cannot be read or written.
pub(crate) fn run_merge(arguments: &Merge) -> Result<ExitCode> {
    let paths = [&arguments.base, &arguments.ours, &arguments.theirs];
    let texts = [text(paths[0])?, text(paths[1])?, text(paths[2])?];
    let (base, a) = tree(paths[0], &texts[0])?;
    let (ours, b) = tree(paths[1], &texts[1])?;
    let (theirs, c) = tree(paths[2], &texts[2])?;
    for (path, tree, file) in [(paths[0], &base, a), (paths[1], &ours, b), (paths[2], &theirs, c)] {
        model(path, tree, file)?;
    }
    let (merged, conflicts) = merge(&base, &ours, &theirs);
    let target = arguments.output.as_ref().unwrap_or(&arguments.ours);
    replace::replace(target, &merged).with_context(|| format!("cannot write {}", target.display()))?;
    let named = arguments.path.as_ref().unwrap_or(target);
    let mut err = anstream::stderr().lock();
    for conflict in &conflicts {
        let side = |value: &Option<String>| value.as_ref().map_or("removed".to_owned(), |v| format!("{v:?}"));
        let (ours, theirs) = (side(&conflict.ours), side(&conflict.theirs));
        let of = conflict.of.as_ref().map(|name| format!(" (of {name:?})")).unwrap_or_default();
        // Both may have changed other things of one name.
        let sides =
            if ours == theirs { format!("both sides changed {ours}") } else { format!("ours {ours}, theirs {theirs}") };
        writeln!(err, "{}: conflict in {}: {sides}{of}; ours was kept", named.display(), conflict.part)?;
    }
    Ok(if conflicts.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}
