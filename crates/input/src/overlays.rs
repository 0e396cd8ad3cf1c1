//! Which kustomizations of a directory are rendered, and which of them must not be mixed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    kustomize::Graph,
    walk::{Place, shown},
};

/// The kustomizations that no other one names, in groups that are made of the same parts. A group of one is rendered.
/// One of several is the same application several times, for test and for production, which is no one system.
///
/// A directory that is a kustomization itself stands for that one alone: its name was given.
pub(crate) fn groups(graph: &Graph, root: &Place, found: &[Place]) -> Vec<Vec<PathBuf>> {
    if found.iter().any(|place| place.canonical == root.canonical) {
        return vec![vec![root.canonical.clone()]];
    }
    let named: BTreeSet<&PathBuf> =
        graph.iter().flat_map(|(_, node)| node.bases.iter().chain(&node.components)).collect();
    let can_be_built = |place: &&Place| graph.get(&place.canonical).is_some_and(|node| !node.component);
    let mut tops: Vec<&Path> = found
        .iter()
        .filter(can_be_built)
        .filter(|place| !named.contains(&place.canonical))
        .map(|place| place.canonical.as_path())
        .collect();
    if tops.is_empty() {
        // They name each other in a circle.
        tops = found.iter().filter(can_be_built).map(|place| place.canonical.as_path()).collect();
    }
    group(graph, &tops)
}

/// Joins tops that take objects from the same place. Components do not count: they are made to be shared.
fn group(graph: &Graph, tops: &[&Path]) -> Vec<Vec<PathBuf>> {
    // For each top the first top of its group; a part belongs to the top that named it first.
    let mut leaders: Vec<usize> = (0..tops.len()).collect();
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (index, top) in tops.iter().enumerate() {
        let mut parts = BTreeSet::new();
        for (directory, node) in graph.reached(top, false) {
            parts.insert(shown(directory));
            parts.extend(node.remote.iter().map(|remote| format!("remote {remote}")));
        }
        for part in parts {
            let owner = *owners.entry(part).or_insert(index);
            join(&mut leaders, owner, index);
        }
    }
    let mut groups: BTreeMap<usize, Vec<PathBuf>> = BTreeMap::new();
    for (index, top) in tops.iter().enumerate() {
        groups.entry(leader(&leaders, index)).or_default().push(top.to_path_buf());
    }
    groups.into_values().collect()
}

fn leader(leaders: &[usize], mut index: usize) -> usize {
    while let Some(next) = leaders.get(index).filter(|next| **next != index) {
        index = *next;
    }
    index
}

fn join(leaders: &mut [usize], a: usize, b: usize) {
    let (a, b) = (leader(leaders, a), leader(leaders, b));
    if let Some(place) = leaders.get_mut(a.max(b)) {
        *place = a.min(b);
    }
}
