//! A directory: renders what is to be rendered, reads the rest as it is.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use kubestride_source::{Diagnostic, some_of};

use crate::{
    Render, helm,
    kustomize::{self, Graph, Node},
    loader::Loader,
    overlays, render,
    walk::{self, Found, Place, shown},
};

/// Loads the directory `root`.
pub(crate) fn load(loader: &mut Loader<'_>, root: &Place) {
    let mut found = walk::walk(root, loader.options.max_files);
    let is_root = |places: &[Place]| places.iter().any(|place| place.canonical == root.canonical);
    let kind = match () {
        () if is_root(&found.charts) => "helm",
        () if is_root(&found.kustomizations) => "kustomize",
        () => "directory",
    };
    let input = loader.input(shown(&root.path), kind, None);
    for diagnostic in std::mem::take(&mut found.diagnostics) {
        loader.report(input, diagnostic);
    }
    let mut graph = Graph::default();
    for place in &found.kustomizations {
        graph.add(place, &mut loader.sources);
    }
    let groups = overlays::groups(&graph, root, &found.kustomizations);
    if !found.kustomizations.is_empty() {
        for group in &groups {
            kustomizations(loader, root, input, &graph, group);
        }
        left_out(loader, input, &graph, &groups, &found);
    }
    for chart in &found.charts {
        // Kustomize has helm render charts that lie below the kustomization.
        let inflated = graph.iter().any(|(directory, node)| node.helm && chart.canonical.starts_with(directory));
        if !inflated {
            let input = part(loader, root, &chart.canonical, &chart.path, "helm", input);
            helm::load(loader, chart, input);
        }
    }
    plain(loader, input, &graph, &found);
}

/// The input that a rendering in `directory` is told about as: the whole one if that is what was named.
fn part(
    loader: &mut Loader<'_>,
    root: &Place,
    directory: &Path,
    path: &Path,
    kind: &'static str,
    input: usize,
) -> usize {
    if directory == root.canonical { input } else { loader.input(shown(path), kind, Some(input)) }
}

fn kustomizations(loader: &mut Loader<'_>, root: &Place, input: usize, graph: &Graph, group: &[PathBuf]) {
    let named: Vec<(&Path, &Node)> =
        group.iter().filter_map(|top| graph.get(top).map(|node| (top.as_path(), node))).collect();
    if let [(top, node)] = named.as_slice() {
        let place = Place { path: node.path.clone(), canonical: top.to_path_buf() };
        let input = part(loader, root, top, &node.path, "kustomize", input);
        if loader.options.render == Render::Never {
            unrendered(loader, input, graph, &place);
        } else {
            render::kustomize(loader, input, graph, &place);
        }
        return;
    }
    let names: Vec<String> = named.iter().map(|(_, node)| shown(&node.path)).collect();
    let message = format!(
        "{} holds several kustomizations of the same base, which are not one system: {}",
        shown(&root.path),
        some_of(&names)
    );
    let help = names.first().map_or(String::new(), |name| format!("name one: `kubestride analyze {name}`"));
    loader.report(input, Diagnostic::error("several-overlays", message).with_help(help));
}

/// Tells of kustomizations below the one that was named, and of components, that no rendering took in.
fn left_out(loader: &mut Loader<'_>, input: usize, graph: &Graph, groups: &[Vec<PathBuf>], found: &Found) {
    let tops = groups.iter().flatten();
    let reached: HashSet<&Path> =
        tops.flat_map(|top| graph.reached(top, true)).map(|(directory, _)| directory).collect();
    let names: Vec<String> = found
        .kustomizations
        .iter()
        .filter(|place| !reached.contains(place.canonical.as_path()))
        .map(|place| shown(&place.path))
        .collect();
    if !names.is_empty() {
        let message = format!("kustomizations that no rendered one takes in were not read: {}", some_of(&names));
        loader.report(input, Diagnostic::note("not-in-kustomization", message));
    }
}

/// Reads the objects of a kustomization as they are, without what it does to them.
fn unrendered(loader: &mut Loader<'_>, input: usize, graph: &Graph, top: &Place) {
    let name = shown(&top.path);
    let message = format!("the files of {name} were read as they are, without what its kustomization does to them");
    let help = "leave out `--render=never` to have kustomize build it";
    loader.report(input, Diagnostic::warning("unrendered-kustomization", message).with_help(help));
    for (_, node) in graph.reached(&top.canonical, true) {
        for place in &node.resources {
            loader.read(input, place);
        }
    }
}

/// Reads the files that no kustomization lays claim to.
fn plain(loader: &mut Loader<'_>, input: usize, graph: &Graph, found: &Found) {
    let claimed: HashSet<&Path> = graph.iter().map(|(directory, _)| directory).collect();
    let named: HashSet<&Path> = graph.iter().flat_map(|(_, node)| node.named.iter().map(PathBuf::as_path)).collect();
    let mut unused = Vec::new();
    for place in &found.files {
        let directories = place.canonical.ancestors().skip(1);
        let is_kustomization =
            kustomize::FILES.iter().any(|file| place.path.file_name().is_some_and(|name| name == *file));
        if is_kustomization {
            continue;
        }
        if directories.into_iter().any(|directory| claimed.contains(directory)) {
            if !named.contains(place.canonical.as_path()) {
                unused.push(shown(&place.path));
            }
        } else {
            loader.read(input, place);
        }
    }
    if !unused.is_empty() {
        let files = if unused.len() == 1 { "a file".to_owned() } else { format!("{} files", unused.len()) };
        let message = format!("{files} beside kustomizations that none of them names: {}", some_of(&unused));
        loader.report(input, Diagnostic::note("not-in-kustomization", message));
    }
}
