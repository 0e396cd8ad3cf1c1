//! What is looked at in a chart before helm is called.

use std::path::{Path, PathBuf};

use kubestride_source::SourceMap;
use kubestride_yaml::Tree;

use crate::{
    small::{self, fields},
    walk::{Place, shown},
};

/// How deep directories of a chart are followed.
const MAX_PATH: usize = 32;

/// Most files of a chart.
const MAX_ENTRIES: usize = 100_000;

/// A link to something outside the chart that is no chart: what it leads to, a key of this user, could end up in the
/// model. Links that cannot be looked at all count too.
pub(crate) fn link_out(chart: &Path) -> Option<PathBuf> {
    let mut left = MAX_ENTRIES;
    link_below(chart, chart, &mut left, 0)
}

fn link_below(chart: &Path, directory: &Path, left: &mut usize, depth: usize) -> Option<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return None };
    let mut entries: Vec<std::fs::DirEntry> = entries.flatten().take(*left).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    entries.into_iter().find_map(|entry| {
        let path = entry.path();
        let inside = || path.strip_prefix(chart).unwrap_or(&path).to_path_buf();
        *left = left.saturating_sub(1);
        if *left == 0 || depth > MAX_PATH {
            return Some(inside());
        }
        let kind = entry.file_type().ok()?;
        if kind.is_symlink() {
            let target = path.canonicalize().ok()?;
            let fine = target.starts_with(chart) || target.join("Chart.yaml").is_file();
            (!fine).then(inside)
        } else if kind.is_dir() {
            link_below(chart, &path, left, depth + 1)
        } else {
            None
        }
    })
}

/// A file of the chart; none if it cannot be read as a whole.
pub(crate) fn documents(chart: &Place, name: &str, sources: &mut SourceMap) -> Option<Vec<Tree>> {
    small::documents(&Place { path: chart.path.join(name), canonical: chart.canonical.join(name) }, sources)
}

/// The charts that this one depends on and that are not in its `charts/`.
pub(crate) fn missing_dependencies(chart: &Place, documents_of_chart: &[Tree], sources: &mut SourceMap) -> Vec<String> {
    let requirements = if chart.canonical.join("requirements.yaml").exists() {
        documents(chart, "requirements.yaml", sources).unwrap_or_default()
    } else {
        Vec::new()
    };
    let mut missing = Vec::new();
    for tree in documents_of_chart.iter().chain(&requirements) {
        for dependency in fields(tree.root(), "dependencies").iter().flat_map(|list| list.items()) {
            let name = small::text(dependency, "name").unwrap_or("");
            if !is_there(&chart.canonical.join("charts"), name, sources) {
                missing.push(shown(Path::new(&name.chars().take(100).collect::<String>())));
            }
        }
    }
    missing.dedup();
    missing
}

/// Whether the chart `name` is in `charts`, as a directory or as an archive.
fn is_there(charts: &Path, name: &str, sources: &mut SourceMap) -> bool {
    let Ok(entries) = std::fs::read_dir(charts) else { return false };
    entries.flatten().take(10_000).any(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(archive) = file.strip_suffix(".tgz") {
            let version = archive.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            return version.is_some_and(|version| version.starts_with(|c: char| c == 'v' || c.is_ascii_digit()));
        }
        // The name of the directory does not matter to helm.
        file == name && entry.path().join("Chart.yaml").is_file() || is_named(&entry.path(), name, sources)
    })
}

fn is_named(directory: &Path, name: &str, sources: &mut SourceMap) -> bool {
    if !directory.join("Chart.yaml").is_file() {
        return false;
    }
    let chart = Place { path: directory.to_path_buf(), canonical: directory.to_path_buf() };
    let trees = documents(&chart, "Chart.yaml", sources).unwrap_or_default();
    trees.iter().any(|tree| small::text(tree.root(), "name") == Some(name))
}

/// Copies directories and regular files, at most `left` bytes of them.
pub(crate) fn copy(from: &Path, to: &Path, left: &mut u64, depth: usize) -> std::io::Result<()> {
    if depth > MAX_PATH {
        return Err(std::io::ErrorKind::QuotaExceeded.into());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let metadata = std::fs::metadata(entry.path())?;
        let target = to.join(entry.file_name());
        // Files of no length cost something too: links can make many of one.
        let cost = metadata.len().max(4096);
        *left = left.checked_sub(cost).ok_or(std::io::ErrorKind::QuotaExceeded)?;
        if metadata.is_dir() {
            copy(&entry.path(), &target, left, depth + 1)?;
        } else if metadata.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
