//! Which kustomizations there are and what they are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use kubestride_source::{Diagnostic, SourceMap};

use crate::{kustomize_check::Check, small, walk::Place, walk::shown};

/// The names that make a directory a kustomization.
pub(crate) const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Most kustomizations that one may reach.
const MAX_REACHED: usize = 10_000;

/// The name of the kustomization in `directory`, if there is one.
pub(crate) fn file_of(directory: &Path) -> Option<&'static str> {
    FILES.into_iter().find(|name| directory.join(name).is_file())
}

/// A reason not to call kustomize.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Whether it is none where the network may be used.
    pub(crate) network: bool,
    /// What is said about it.
    pub(crate) diagnostic: Diagnostic,
}

/// One kustomization.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The path of the directory as it is shown.
    pub(crate) path: PathBuf,
    /// Whether it is a `Component`, which cannot be built by itself.
    pub(crate) component: bool,
    /// The other kustomizations that it takes objects from.
    pub(crate) bases: Vec<PathBuf>,
    /// The components that it applies, and directories with configurations of transformers.
    pub(crate) components: Vec<PathBuf>,
    /// Files with objects.
    pub(crate) resources: Vec<Place>,
    /// Everything else it names that exists.
    pub(crate) named: Vec<PathBuf>,
    /// What it takes from elsewhere, without credentials.
    pub(crate) remote: Vec<String>,
    /// Whether it has helm write some of its objects.
    pub(crate) helm: bool,
    /// What stands against calling kustomize.
    pub(crate) problems: Vec<Problem>,
}

/// A directory to look at, and whether its objects configure plugins.
pub(crate) struct Pending {
    /// The directory.
    pub(crate) place: Place,
    /// Whether what it holds is run, not deployed.
    pub(crate) plugins: bool,
}

/// Kustomizations by their canonical directories, with everything that they reach.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: BTreeMap<PathBuf, Node>,
    visited: BTreeSet<(PathBuf, bool)>,
}

impl Graph {
    /// Adds the kustomization in `place` and all that it reaches.
    pub(crate) fn add(&mut self, place: &Place, sources: &mut SourceMap) {
        let mut pending = vec![Pending { place: place.clone(), plugins: false }];
        while let Some(next) = pending.pop() {
            if self.nodes.len() >= MAX_REACHED || !self.visited.insert((next.place.canonical.clone(), next.plugins)) {
                continue;
            }
            let key = next.place.canonical.clone();
            let node = read(&next, sources, &mut pending);
            match self.nodes.get_mut(&key) {
                // Looked at before, now as configuration of plugins.
                Some(known) => known.problems.extend(node.problems),
                None => {
                    self.nodes.insert(key, node);
                }
            }
        }
    }

    /// The kustomization in the canonical directory.
    pub(crate) fn get(&self, directory: &Path) -> Option<&Node> {
        self.nodes.get(directory)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &Node)> {
        self.nodes.iter().map(|(directory, node)| (directory.as_path(), node))
    }

    /// What `top` is made of, itself first; `components` says whether what it only applies counts too.
    pub(crate) fn reached(&self, top: &Path, components: bool) -> Vec<(&Path, &Node)> {
        let mut reached = Vec::new();
        let mut seen = BTreeSet::new();
        let mut pending = vec![top];
        while let Some(next) = pending.pop() {
            let Some((directory, node)) = self.nodes.get_key_value(next) else { continue };
            if !seen.insert(next) {
                continue;
            }
            reached.push((directory.as_path(), node));
            if components {
                pending.extend(node.components.iter().rev().map(PathBuf::as_path));
            }
            pending.extend(node.bases.iter().rev().map(PathBuf::as_path));
        }
        reached
    }
}

fn read(pending: &Pending, sources: &mut SourceMap, more: &mut Vec<Pending>) -> Node {
    let mut node = Node { path: pending.place.path.clone(), ..Node::default() };
    let Some(name) = file_of(&pending.place.canonical) else { return node };
    let file = Place { path: pending.place.path.join(name), canonical: pending.place.canonical.join(name) };
    let Some(trees) = small::documents(&file, sources) else {
        let message = format!("{} cannot be read, so it is not known what rendering it would do", shown(&file.path));
        let diagnostic = Diagnostic::error("render-refused", message);
        node.problems.push(Problem { network: false, diagnostic });
        return node;
    };
    for tree in &trees {
        let mut check = Check { pending, file: shown(&file.path), node: &mut node, sources, more };
        check.kustomization(tree.root());
    }
    node
}
