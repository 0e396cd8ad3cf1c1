//! Lists, parses and type-checks the threat types, and embeds them.
//!
//! A mistake in one of them is a build error that names the file, the line and the column.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kubestride_source::{FileOrigin, SourceMap};
use kubestride_template::ThreatType;

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = manifest_dir.join("../../catalog").canonicalize()?;
    let threats = files(&root.join("threats"), "md")?;
    let vocabulary = kubestride_stencils::vocabulary();
    let mut table = String::from("pub(crate) const THREATS: &[(&str, &str)] = &[\n");
    let mut ids: Vec<String> = Vec::new();
    let mut folds: Vec<(String, String)> = Vec::new();
    let mut mistakes = String::new();
    for path in &threats {
        let text = fs::read_to_string(path)?;
        let shown = path.strip_prefix(&root)?.display().to_string();
        let mut sources = SourceMap::new();
        let file = sources.add(shown.clone(), text.as_str(), FileOrigin::Stated);
        match ThreatType::parse(file, &text, &vocabulary) {
            Ok(threat) => {
                if path.file_stem().and_then(|s| s.to_str()) != Some(&threat.id) {
                    writeln!(mistakes, "catalog/{shown}: the file must be named {}.md", threat.id)?;
                }
                let folder = path.parent().and_then(|p| p.file_name()).and_then(|s| s.to_str());
                if folder != Some(threat.category.as_str()) {
                    writeln!(mistakes, "catalog/{shown}: the folder must be {}", threat.category.as_str())?;
                }
                folds.extend(threat.folds.iter().map(|f| (shown.clone(), f.clone())));
                ids.push(threat.id);
                writeln!(table, "    ({shown:?}, include_str!({:?})),", path.display().to_string())?;
            }
            Err(errors) => {
                for error in errors {
                    let at = error.span.and_then(|s| sources.location(s)).map(|l| format!(":{}:{}", l.line, l.column));
                    writeln!(mistakes, "catalog/{shown}{}: {}", at.unwrap_or_default(), error.message)?;
                }
            }
        }
    }
    for (file, fold) in folds.iter().filter(|(_, fold)| !ids.contains(fold)) {
        writeln!(mistakes, "catalog/{file}: `folds` names `{fold}`, which does not exist")?;
    }
    if !mistakes.is_empty() {
        return Err(format!("mistakes in threat types:\n{mistakes}").into());
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("threats.rs"), table)?;
    println!("cargo::rerun-if-changed={}", root.display());
    Ok(())
}

/// All files below a folder with this ending, sorted by path.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            out.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|e| e == ending) {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}
