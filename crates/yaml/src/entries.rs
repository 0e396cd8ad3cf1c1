//! Look-ups in mappings, through duplicates and merge keys.

use std::collections::{HashMap, HashSet};

use kubestride_source::Span;

use crate::{
    tree::{Data, Tree},
    value::Value,
};

/// Most mappings that one mapping merges, directly or through others. Manifests have a handful; more is an attack.
const MAX_MERGED: usize = 1_000;

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'t> {
    /// The text of the key. Keys that are numbers or booleans are their text.
    pub key: &'t str,
    /// Where the key is written, with its quotes.
    pub key_span: Span,
    /// What it is set to.
    pub value: Value<'t>,
}

/// The nodes of a mapping's own keys and values, merge keys and collections as keys too.
pub(crate) struct Pairs<'t> {
    tree: &'t Tree,
    at: u32,
    left: u32,
}

impl<'t> Pairs<'t> {
    /// The pairs of the mapping at `index`; none if it is something else.
    pub(crate) fn new(tree: &'t Tree, index: u32) -> Self {
        let left = match tree.node(index).data {
            Data::Mapping { len, .. } => len,
            _ => 0,
        };
        Self { tree, at: index + 1, left }
    }
}

impl Iterator for Pairs<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        self.left = self.left.checked_sub(1)?;
        let key = self.at;
        let value = self.tree.node(key).after;
        self.at = self.tree.node(value).after;
        Some((key, value))
    }
}

/// The nodes of `key` and its value, own or merged.
pub(crate) fn find(mapping: Value<'_>, key: &str) -> Option<(u32, u32)> {
    let tree = mapping.tree;
    let Data::Mapping { simple, .. } = tree.node(mapping.index).data else { return None };
    if simple {
        return Pairs::new(tree, mapping.index).find(|(k, _)| tree.is_text(*k, key));
    }
    let mut found = None;
    for source in sources(tree, mapping.index) {
        for (k, v) in Pairs::new(tree, source) {
            if tree.is_text(k, key) && !tree.is_merge_key(k) {
                found = Some((k, v));
            }
        }
        if found.is_some() {
            break;
        }
    }
    found
}

/// The mapping itself and all that it merges, first the ones that override the others. Each comes once: a second
/// visit could not add anything.
fn sources(tree: &Tree, mapping: u32) -> Vec<u32> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = vec![mapping];
    while let Some(index) = todo.pop() {
        if order.len() > MAX_MERGED {
            break;
        }
        if !seen.insert(index) {
            continue;
        }
        order.push(index);
        let first = todo.len();
        for (key, value) in Pairs::new(tree, index) {
            if !tree.is_merge_key(key) {
                continue;
            }
            let value = Value::new(tree, value);
            match tree.node(value.index).data {
                Data::Mapping { .. } => todo.push(value.index),
                Data::Sequence { .. } => todo.extend(
                    value
                        .children()
                        .map(|item| item.index)
                        .filter(|item| matches!(tree.node(*item).data, Data::Mapping { .. })),
                ),
                _ => {}
            }
        }
        // `todo` is taken from its end, and earlier merges override later ones.
        if let Some(new) = todo.get_mut(first..) {
            new.reverse();
        }
    }
    order
}

/// The entries of a mapping, see [`Value::entries`].
pub(crate) enum Entries<'t> {
    Simple(&'t Tree, Pairs<'t>),
    Listed(std::vec::IntoIter<Entry<'t>>),
}

impl<'t> Entries<'t> {
    pub(crate) fn new(mapping: Value<'t>) -> Self {
        let tree = mapping.tree;
        match tree.node(mapping.index).data {
            Data::Mapping { simple: false, .. } => Self::Listed(list(mapping).into_iter()),
            _ => Self::Simple(tree, Pairs::new(tree, mapping.index)),
        }
    }
}

impl<'t> Iterator for Entries<'t> {
    type Item = Entry<'t>;

    fn next(&mut self) -> Option<Entry<'t>> {
        match self {
            Self::Simple(tree, pairs) => {
                let tree: &'t Tree = tree;
                pairs.find_map(|(key, value)| entry(tree, key, value))
            }
            Self::Listed(list) => list.next(),
        }
    }
}

fn entry(tree: &Tree, key: u32, value: u32) -> Option<Entry<'_>> {
    let text = tree.scalar_text(key)?;
    Some(Entry { key: text, key_span: tree.node_span(key), value: Value::new(tree, value) })
}

fn list(mapping: Value<'_>) -> Vec<Entry<'_>> {
    let tree = mapping.tree;
    let mut entries: Vec<Entry<'_>> = Vec::new();
    // Where each key is in `entries`, and the source it came from: a later one of the same source wins, one of a
    // later source does not.
    let mut places: HashMap<&str, (usize, u32)> = HashMap::new();
    for source in sources(tree, mapping.index) {
        for (key, value) in Pairs::new(tree, source) {
            let Some(new) = entry(tree, key, value) else { continue };
            if tree.is_merge_key(key) {
                continue;
            }
            match places.get(new.key) {
                Some((place, from)) if *from == source => {
                    if let Some(old) = entries.get_mut(*place) {
                        *old = new;
                    }
                }
                Some(_) => {}
                None => {
                    places.insert(new.key, (entries.len(), source));
                    entries.push(new);
                }
            }
        }
    }
    entries
}
