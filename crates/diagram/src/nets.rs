//! From edges to nets, and what each net does in each group.

use std::collections::{BTreeMap, BTreeSet};

use crate::columns::columns;
use crate::graph::{Graph, Item};
use crate::level::{Part, Way};

/// Lines with one target, one text and one direction.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    pub(crate) target: usize,
    pub(crate) label: String,
    pub(crate) way: Way,
    pub(crate) sources: Vec<usize>,
}

/// The topology of a graph; sizes and places come later.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    /// Members of each group, by identity.
    pub(crate) members: Vec<Vec<Item>>,
    /// Columns (from 1) of the members that have lines, by group.
    pub(crate) columns: Vec<BTreeMap<Item, usize>>,
    pub(crate) nets: Vec<Net>,
    /// What each net does in each group.
    pub(crate) parts: Vec<BTreeMap<usize, (Way, Part)>>,
    /// For each edge: its net and the group in which its ends part.
    pub(crate) edges: Vec<(usize, usize)>,
}

/// The member of `chain[at]` on the way to a node.
fn member(chain: &[usize], at: usize, node: usize) -> Item {
    chain.get(at + 1).map_or(Item::Node(node), |group| Item::Group(*group))
}

impl Topology {
    pub(crate) fn new(graph: &Graph) -> Self {
        let groups = graph.groups.len();
        let mut topology = Topology {
            members: graph.members(),
            columns: vec![BTreeMap::new(); groups],
            parts: vec![BTreeMap::new(); groups],
            ..Topology::default()
        };
        let chains: Vec<Vec<usize>> = (0..graph.nodes.len()).map(|n| graph.chain(n)).collect();
        let shared = |a: usize, b: usize| chains[a].iter().zip(&chains[b]).take_while(|(x, y)| x == y).count() - 1;
        let mut local: Vec<BTreeMap<(Item, Item), u32>> = vec![BTreeMap::new(); groups];
        for edge in &graph.edges {
            let at = shared(edge.source, edge.target);
            let (from, to) = (&chains[edge.source], &chains[edge.target]);
            let ends = (member(from, at, edge.source), member(to, at, edge.target));
            *local[from[at]].entry(ends).or_default() += edge.bundle.identities.len().max(1) as u32;
        }
        for (group, edges) in local.iter().enumerate() {
            topology.columns[group] = local_columns(&topology.members[group], edges);
        }

        let mut known: BTreeMap<(usize, &str, bool, Way), usize> = BTreeMap::new();
        for edge in &graph.edges {
            let at = shared(edge.source, edge.target);
            let (from, to) = (&chains[edge.source], &chains[edge.target]);
            let group = from[at];
            let (a, b) = (member(from, at, edge.source), member(to, at, edge.target));
            let columns = &topology.columns[group];
            let way = if columns.get(&a) < columns.get(&b) { Way::Right } else { Way::Left };
            let bundle = &edge.bundle;
            let key = (edge.target, bundle.label.as_str(), bundle.dashed, way);
            let nets = &mut topology.nets;
            let net = *known.entry(key).or_insert_with(|| {
                nets.push(Net { target: edge.target, label: bundle.label.clone(), way, sources: Vec::new() });
                nets.len() - 1
            });
            nets[net].sources.push(edge.source);
            topology.edges.push((net, group));
            let parts = &mut topology.parts;
            for (depth, group) in from.iter().enumerate().skip(at) {
                let (_, part) = parts[*group].entry(net).or_insert_with(|| (way, Part::default()));
                part.sources.insert(member(from, depth, edge.source));
                if depth == at {
                    part.sink = Some(b);
                }
            }
            for (depth, group) in to.iter().enumerate().skip(at + 1) {
                let (_, part) = parts[*group].entry(net).or_insert_with(|| (way, Part::default()));
                part.enters = true;
                part.sink = Some(member(to, depth, edge.target));
            }
        }
        topology.place_passing();
        topology
    }

    /// Gives a column to members whose lines all leave the group.
    fn place_passing(&mut self) {
        for (group, parts) in self.parts.iter().enumerate() {
            let last = self.columns[group].values().max().copied().unwrap_or(1);
            let mut sides: BTreeMap<Item, BTreeSet<Way>> = BTreeMap::new();
            for (way, part) in parts.values() {
                for source in &part.sources {
                    sides.entry(*source).or_default().insert(*way);
                }
                if let Some(sink) = part.sink {
                    sides.entry(sink).or_default().insert(if *way == Way::Right { Way::Left } else { Way::Right });
                }
            }
            for (item, sides) in sides {
                let rightmost = sides.contains(&Way::Right) && !sides.contains(&Way::Left);
                self.columns[group].entry(item).or_insert(if rightmost { last } else { 1 });
            }
        }
    }
}

fn local_columns(members: &[Item], edges: &BTreeMap<(Item, Item), u32>) -> BTreeMap<Item, usize> {
    let joined: BTreeSet<Item> = edges.keys().flat_map(|(a, b)| [*a, *b]).collect();
    let items: Vec<Item> = members.iter().copied().filter(|m| joined.contains(m)).collect();
    let at: BTreeMap<Item, usize> = items.iter().enumerate().map(|(i, item)| (*item, i)).collect();
    let edges: Vec<(usize, usize, u32)> = edges.iter().map(|((a, b), w)| (at[a], at[b], *w)).collect();
    let found = columns(items.len(), &edges);
    items.into_iter().zip(found).map(|(item, column)| (item, column + 1)).collect()
}
