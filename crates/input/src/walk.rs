//! Directories: which files and which charts and kustomizations they hold.

use std::{
    collections::HashSet,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use kubestride_source::Diagnostic;

use crate::kustomize;

/// How deep directories are followed.
const MAX_DEPTH: usize = 64;

/// Directories that hold what others wrote for other purposes. Hidden ones are left out too.
const SKIPPED: [&str; 2] = ["node_modules", "vendor"];

/// A path to open and show, and the one place it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path as the user would write it.
    pub(crate) path: PathBuf,
    /// Without links, absolute: what two paths are compared by.
    pub(crate) canonical: PathBuf,
}

/// What a directory holds, in the order of paths.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files that end as manifests do, outside charts.
    pub(crate) files: Vec<Place>,
    /// Directories with a kustomization.
    pub(crate) kustomizations: Vec<Place>,
    /// Directories with a `Chart.yaml`. Nothing below them is listed.
    pub(crate) charts: Vec<Place>,
    /// What could not be read.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Lists the directory `root` with everything below it, at most `max_files` files.
pub(crate) fn walk(root: &Place, max_files: usize) -> Found {
    let mut walk = Walk { found: Found::default(), visited: HashSet::new(), max_files, full: false };
    walk.directory(root, 0);
    walk.found
}

struct Walk {
    found: Found,
    visited: HashSet<PathBuf>,
    max_files: usize,
    full: bool,
}

impl Walk {
    fn directory(&mut self, place: &Place, depth: usize) {
        if self.full || !self.visited.insert(place.canonical.clone()) {
            return;
        }
        let name = shown(&place.path);
        if depth > MAX_DEPTH {
            let message = format!("{name} is more than {MAX_DEPTH} directories deep and was not read");
            self.found.diagnostics.push(Diagnostic::error("too-deep", message));
            return;
        }
        if place.canonical.join("Chart.yaml").is_file() {
            self.found.charts.push(place.clone());
            return;
        }
        if kustomize::file_of(&place.canonical).is_some() {
            self.found.kustomizations.push(place.clone());
        }
        for entry in self.entries(place, &name) {
            self.entry(place, &entry, depth);
        }
    }

    /// The names in a directory, sorted.
    fn entries(&mut self, place: &Place, name: &str) -> Vec<std::fs::DirEntry> {
        let listed = std::fs::read_dir(&place.path).and_then(|entries| {
            let mut all = Vec::new();
            for entry in entries {
                all.push(entry?);
                if all.len() > self.max_files {
                    self.full = true;
                    break;
                }
            }
            Ok(all)
        });
        if self.full {
            self.too_many();
        }
        match listed {
            Ok(mut entries) => {
                entries.sort_by_key(std::fs::DirEntry::file_name);
                entries
            }
            Err(error) => {
                let message = format!("the directory {name} cannot be read: {}", error.kind());
                self.found.diagnostics.push(Diagnostic::error("unreadable", message));
                Vec::new()
            }
        }
    }

    fn entry(&mut self, parent: &Place, entry: &std::fs::DirEntry, depth: usize) {
        let name = entry.file_name();
        let Ok(kind) = entry.file_type() else { return };
        let path = if parent.path == Path::new(".") { PathBuf::from(&name) } else { parent.path.join(&name) };
        let listed = is_manifest_name(&name);
        if kind.is_file() && !listed {
            return;
        }
        let hidden = name.to_string_lossy().starts_with('.') || SKIPPED.iter().any(|skipped| name == *skipped);
        let (canonical, is_directory) = if kind.is_symlink() {
            let Ok(canonical) = path.canonicalize() else {
                if listed {
                    let message = format!("{} is a link to nothing that can be read", shown(&path));
                    self.found.diagnostics.push(Diagnostic::error("unreadable", message));
                }
                return;
            };
            let is_directory = canonical.is_dir();
            (canonical, is_directory)
        } else {
            (parent.canonical.join(&name), kind.is_dir())
        };
        let place = Place { path, canonical };
        if is_directory && !hidden {
            self.directory(&place, depth + 1);
        } else if !is_directory && listed && !self.full {
            if self.found.files.len() >= self.max_files {
                self.full = true;
                self.too_many();
                return;
            }
            self.found.files.push(place);
        }
    }

    fn too_many(&mut self) {
        let message = format!("there are more than {} files; the rest was not read", self.max_files);
        self.found.diagnostics.push(Diagnostic::error("too-many-files", message));
    }
}

/// Whether a file in a directory is looked at.
pub(crate) fn is_manifest_name(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or("");
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        || kustomize::FILES.iter().any(|known| name == *known)
}

/// A path as it is shown: `/` between its parts, and nothing that would change what a terminal shows.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.to_string_lossy();
    let name = if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() };
    let trimmed = name.trim_end_matches('/');
    let name = if trimmed.is_empty() { &name } else { trimmed };
    name.chars().map(|c| if c.is_control() || is_direction(c) { '\u{fffd}' } else { c }).collect()
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `path` without `.` and, where that can be told from the text alone, without `..`.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{shown, tidy};

    #[test]
    fn paths() {
        assert_eq!(tidy(Path::new("a/./b/../../../c")), PathBuf::from("../c"));
        assert_eq!(tidy(Path::new("a/..")), PathBuf::from("."));
        assert_eq!(shown(Path::new("deploy/")), "deploy");
        assert_eq!(shown(Path::new("/")), "/");
        assert_eq!(shown(Path::new("a\u{1b}[31m")), "a\u{fffd}[31m");
    }
}
