//! Visits all nodes of a tree.

use crate::{
    entries::Entries,
    value::{Items, Kind, Value},
};

/// Fewest visits that are always allowed, so that small documents may use aliases as they like.
const MIN_VISITS: usize = 10_000;

/// Longest path that is visited. Only an alias inside its own anchor makes longer ones.
const MAX_PATH: usize = 512;

/// A step from a collection to one of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathPart<'t> {
    /// The entry of a mapping.
    Key(&'t str),
    /// The item of a sequence, from 0.
    Index(usize),
}

/// What is left to visit of one collection.
enum Rest<'t> {
    Items(std::iter::Enumerate<Items<'t>>),
    Entries(Entries<'t>),
}

impl<'t> Rest<'t> {
    fn of(value: Value<'t>) -> Option<Self> {
        match value.kind() {
            Kind::Sequence => Some(Self::Items(value.children().enumerate())),
            Kind::Mapping => Some(Self::Entries(Entries::new(value))),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<(PathPart<'t>, Value<'t>)> {
        match self {
            Self::Items(items) => items.next().map(|(index, item)| (PathPart::Index(index), item)),
            Self::Entries(entries) => entries.next().map(|entry| (PathPart::Key(entry.key), entry.value)),
        }
    }
}

/// Visits `root` and everything in it, parents before children, in the order of [`Value::items`] and
/// [`Value::entries`]. `visit` gets the path from `root`, which is empty for `root` itself.
///
/// What aliases stand for is visited each time it is used, up to four times as many visits as the document has nodes
/// (at least 10,000). False if that was not enough, or if an alias holds itself; visits then were left out.
pub fn walk<'t>(root: Value<'t>, visit: &mut dyn FnMut(&[PathPart<'t>], Value<'t>)) -> bool {
    let mut left = root.tree.nodes.len().saturating_mul(4).max(MIN_VISITS);
    let mut path = Vec::new();
    let mut open = Vec::new();
    let mut complete = true;
    visit(&path, root);
    open.extend(Rest::of(root));
    while let Some(rest) = open.last_mut() {
        let Some((part, value)) = rest.next() else {
            open.pop();
            path.pop();
            continue;
        };
        if left == 0 {
            return false;
        }
        left -= 1;
        path.push(part);
        visit(&path, value);
        match Rest::of(value) {
            Some(_) if path.len() >= MAX_PATH => {
                complete = false;
                path.pop();
            }
            Some(rest) => open.push(rest),
            None => {
                path.pop();
            }
        }
    }
    complete
}
