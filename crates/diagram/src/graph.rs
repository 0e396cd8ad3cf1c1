//! What is to be drawn, before it has a place: nodes in nested groups, and edges with labels.

use crate::drawing::ShapeKind;

/// A boundary that is drawn as a frame. Group 0 is the page and has no frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// The group around it; always a lower index.
    pub(crate) parent: usize,
}

/// A shape.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) identity: String,
    pub(crate) kind: ShapeKind,
    pub(crate) lines: Vec<String>,
    pub(crate) caption: String,
    pub(crate) tooltip: String,
    pub(crate) group: usize,
    /// Stores that only this node uses, drawn below it.
    pub(crate) attached: Option<Attached>,
    /// Flows from the node to itself.
    pub(crate) own_flows: Option<Bundle>,
}

/// Stores that are drawn as one small shape.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    pub(crate) text: String,
    pub(crate) tooltip: String,
    pub(crate) identities: Vec<String>,
    pub(crate) flows: Bundle,
}

/// Flows that are drawn as one line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle {
    pub(crate) label: String,
    pub(crate) dashed: bool,
    pub(crate) tooltip: String,
    pub(crate) identities: Vec<String>,
}

/// A line between two nodes.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) bundle: Bundle,
}

/// Nodes of a group are in order of identity, and so are groups of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) groups: Vec<Group>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) overview: bool,
    /// How many elements found no room.
    pub(crate) left_out: usize,
}

/// A member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Group(usize),
    Node(usize),
}

impl Graph {
    /// Every line of the picture: number of the source, name of the target's shape after `n`, and what flows. A store
    /// that is drawn at its user's shape has that one's number and an `s`.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, String, &Bundle)> {
        let own = self.nodes.iter().enumerate().flat_map(|(i, node)| {
            let attached = node.attached.as_ref().map(|a| (i, format!("{i}s"), &a.flows));
            attached.into_iter().chain(node.own_flows.as_ref().map(|own| (i, i.to_string(), own)))
        });
        own.chain(self.edges.iter().map(|line| (line.source, line.target.to_string(), &line.bundle)))
    }

    /// The groups from the page down to the one that holds the node.
    pub(crate) fn chain(&self, node: usize) -> Vec<usize> {
        let mut chain = vec![self.nodes[node].group];
        while let Some(&group) = chain.last() {
            if group == 0 {
                break;
            }
            chain.push(self.groups[group].parent);
        }
        chain.reverse();
        chain
    }

    /// The members of each group, by identity.
    pub(crate) fn members(&self) -> Vec<Vec<Item>> {
        let mut members = vec![Vec::new(); self.groups.len()];
        for (i, group) in self.groups.iter().enumerate().skip(1) {
            members[group.parent].push(Item::Group(i));
        }
        for (i, node) in self.nodes.iter().enumerate() {
            members[node.group].push(Item::Node(i));
        }
        for list in &mut members {
            list.sort_by(|a, b| self.identity(*a).cmp(self.identity(*b)).then(a.cmp(b)));
        }
        members
    }

    fn identity(&self, item: Item) -> &str {
        match item {
            Item::Group(i) => &self.groups[i].identity,
            Item::Node(i) => &self.nodes[i].identity,
        }
    }
}
