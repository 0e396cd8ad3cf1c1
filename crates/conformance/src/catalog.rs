//! The files of `catalog/threats`, listed at run time.

use std::fs;
use std::path::{Path, PathBuf};

use kubestride_model::Vocabulary;
use kubestride_source::{FileOrigin, SourceMap};
use kubestride_template::ThreatType;

/// One file of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogFile {
    /// `<category>/<id>.md`.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

impl CatalogFile {
    /// The threat type in it.
    ///
    /// # Errors
    /// Everything found wrong, one mistake a line.
    pub fn parse(&self, vocabulary: &Vocabulary) -> Result<ThreatType, String> {
        let mut sources = SourceMap::new();
        let file = sources.add(self.name.as_str(), self.text.as_str(), FileOrigin::Stated);
        ThreatType::parse(file, &self.text, vocabulary).map_err(|errors| {
            let line = |e: &kubestride_template::TemplateError| {
                let at = e.span.and_then(|s| sources.location(s)).map(|l| format!(":{}:{}", l.line, l.column));
                format!("{}{}: {}", self.name, at.unwrap_or_default(), e.message)
            };
            errors.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }
}

/// All files, sorted by name.
///
/// # Panics
/// If the catalogue cannot be read.
pub fn files() -> Vec<CatalogFile> {
    let root = crate::workspace().join("catalog/threats");
    let mut paths = Vec::new();
    list(&root, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        CatalogFile { name, text }
    };
    paths.iter().map(read).collect()
}

/// The threat types of all files that can be parsed, sorted by id as the product has them.
pub fn types(vocabulary: &Vocabulary) -> Vec<ThreatType> {
    let mut types: Vec<ThreatType> = files().iter().filter_map(|f| f.parse(vocabulary).ok()).collect();
    types.sort_by(|a, b| a.id.cmp(&b.id));
    types
}

fn list(folder: &Path, out: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|e| panic!("{}: {e}", folder.display())).path();
        if path.is_dir() {
            list(&path, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}
