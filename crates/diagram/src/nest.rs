//! The layout of nested groups, from the inside out: each group is a layered graph in which the groups in it are boxes
//! of known size with pins at known heights.

use std::collections::{BTreeMap, BTreeSet};

use crate::drawing::{Rect, ShapeKind};
use crate::graph::{Graph, Item};
use crate::level::{Level, Pin, Way, span};
use crate::nets::Topology;
use crate::size::{self, NodeBox, SMALL_SIZE};
use crate::{order, place, text, tracks};

/// Space for the name of a boundary.
pub(crate) const TITLE: i32 = 26;
const PAD: i32 = 16;
const LOOSE_GAP: i32 = 20;

/// A layout in coordinates of the page.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) levels: Vec<Level>,
    pub(crate) groups: Vec<Rect>,
    pub(crate) boxes: Vec<NodeBox>,
    /// Upper left corners of nodes.
    pub(crate) nodes: Vec<(i32, i32)>,
}

/// Lays out a graph.
pub(crate) fn layout(graph: &Graph, topology: &Topology) -> Layout {
    let mut hints: Vec<BTreeMap<usize, i32>> = vec![BTreeMap::new(); graph.groups.len()];
    let mut result = Layout::default();
    // The second time, groups know at what height their lines go on outside.
    for _ in 0..2 {
        result = once(graph, topology, &hints);
        hints = hints_of(graph, topology, &result);
    }
    result
}

fn once(graph: &Graph, topology: &Topology, hints: &[BTreeMap<usize, i32>]) -> Layout {
    let count = graph.groups.len();
    let mut out = Layout {
        levels: vec![Level::default(); count],
        groups: vec![Rect::default(); count],
        boxes: graph.nodes.iter().map(|n| size::measure(n, 0)).collect(),
        nodes: vec![(0, 0); graph.nodes.len()],
    };
    for group in (0..count).rev() {
        let level = level(graph, topology, &mut out, group, &hints[group]);
        out.levels[group] = level;
    }
    for group in 0..count {
        let origin = out.groups[group];
        out.groups[group] = Rect { width: out.levels[group].width, height: out.levels[group].height, ..origin };
        for cell in &out.levels[group].cells {
            match cell.item {
                Some(Item::Group(child)) => {
                    out.groups[child] = Rect { x: origin.x + cell.x, y: origin.y + cell.y, width: 0, height: 0 };
                }
                Some(Item::Node(node)) => out.nodes[node] = (origin.x + cell.x, origin.y + cell.y),
                None => {}
            }
        }
    }
    out
}

/// Lays out one group; the groups in it are done.
fn level(graph: &Graph, topology: &Topology, out: &mut Layout, group: usize, hints: &BTreeMap<usize, i32>) -> Level {
    let columns = &topology.columns[group];
    let members: Vec<(Item, usize)> =
        topology.members[group].iter().filter_map(|m| columns.get(m).map(|c| (*m, *c))).collect();
    let last = members.iter().map(|(_, c)| *c).max().unwrap_or(0);
    let mut level = Level::new(last, &members, &topology.parts[group]);
    for cell in &mut level.cells {
        match cell.item {
            Some(Item::Node(node)) => {
                out.boxes[node] = size::measure(&graph.nodes[node], span(&cell.left).max(span(&cell.right)));
                (cell.width, cell.height) = (out.boxes[node].width, out.boxes[node].height);
            }
            Some(Item::Group(child)) => {
                let inner = &out.levels[child];
                (cell.width, cell.height) = (inner.width, inner.height);
                let border = inner.columns.len() - 1;
                for (pins, column) in [(&mut cell.left, 0), (&mut cell.right, border)] {
                    for pin in pins.iter_mut() {
                        let y = inner.passing_cell(pin.net, column).map(|c| c.pin(pin.net, true));
                        pin.at = y.unwrap_or(inner.height / 2);
                    }
                }
            }
            None => {}
        }
    }
    order::order(&mut level, hints);
    let boxes = &out.boxes;
    let middle = |item: Item| match item {
        Item::Node(node) => Some(boxes[node].shape.center().y),
        Item::Group(_) => None,
    };
    place::pins(&mut level, middle);
    place::place(&mut level);
    across(graph, topology, &mut level, group);
    loose(topology, out, &mut level, group);
    level
}

/// Finds out where columns and channels are, and moves cells below the title.
fn across(graph: &Graph, topology: &Topology, level: &mut Level, group: usize) {
    let top = if group == 0 { PAD } else { TITLE + 6 };
    level.cells.iter_mut().for_each(|c| c.y += top);
    tracks::loosen(level);
    let last = level.columns.len() - 1;
    let mut x = 0;
    for column in 0..=last {
        let width = level.columns[column].iter().map(|c| level.cells[*c].width).max().unwrap_or(0);
        for cell in level.columns[column].clone() {
            let cell = &mut level.cells[cell];
            // A line that passes has no width of its own; it runs through the whole column.
            cell.x = if cell.item.is_some() { x + (width - cell.width) / 2 } else { x };
        }
        x += width;
        if column == last {
            break;
        }
        let needed = tracks::assign(level, column);
        let label = |way: Way| {
            let ends = level.channels[column].iter().filter(|link| {
                let net = &topology.nets[link.net];
                let sinks = if way == Way::Right { &link.right } else { &link.left };
                net.way == way && sinks.iter().any(|c| level.cells[*c].item == Some(Item::Node(net.target)))
            });
            let width = |net: usize| match text::width(&topology.nets[net].label, SMALL_SIZE) {
                0 => 12,
                width => width + 22,
            };
            ends.map(|link| width(link.net)).max().unwrap_or(0)
        };
        let (before, after) = (label(Way::Left), label(Way::Right));
        tracks::shift(level, column, x + before);
        let border = column == 0 || column + 1 == last;
        x += (before + needed + after).max(if border { PAD } else { 30 });
    }
    level.width = x;
    level.height = level.cells.iter().map(|c| c.y + c.height).max().unwrap_or(top) + PAD;
    if graph.groups.len() > group && group != 0 {
        let title = text::width(&graph.groups[group].name, TITLE_SIZE) + 24;
        level.width = level.width.max(title.min(TITLE_MOST));
        // The right border follows the width.
        let width = level.width;
        for cell in level.columns[last].clone() {
            level.cells[cell].x = width;
        }
    }
}

/// Font size of names of boundaries.
pub(crate) const TITLE_SIZE: i32 = 12;
/// A long name does not make its boundary wider than this.
pub(crate) const TITLE_MOST: i32 = 320;

/// Puts members without lines in rows below the others.
fn loose(topology: &Topology, out: &Layout, level: &mut Level, group: usize) {
    let size = |item: &Item| match item {
        Item::Node(node) => (out.boxes[*node].width, out.boxes[*node].height),
        Item::Group(child) => (out.levels[*child].width, out.levels[*child].height),
    };
    let mut members: Vec<Item> =
        topology.members[group].iter().copied().filter(|m| !level.cell_of.contains_key(m)).collect();
    if members.is_empty() {
        return;
    }
    // Shapes of one height stand in one row; otherwise by identity.
    members.sort_by_key(|m| std::cmp::Reverse(size(m).1));
    let area: i64 = members.iter().map(|m| i64::from(size(m).0 + LOOSE_GAP) * i64::from(size(m).1 + LOOSE_GAP)).sum();
    let widest = members.iter().map(|m| size(m).0).max().unwrap_or(0);
    let square = (area as f64 * 1.8).sqrt() as i32;
    let limit = (level.width - 2 * PAD).max(square).max(widest);
    let top = if level.cells.is_empty() { if group == 0 { PAD } else { TITLE + 6 } } else { level.height };
    let (mut x, mut y, mut row) = (PAD, top, 0);
    let mut right = 0;
    for item in members {
        let (width, height) = size(&item);
        if x > PAD && x + width > PAD + limit {
            (x, y, row) = (PAD, y + row + LOOSE_GAP, 0);
        }
        level.cells.push(crate::level::Cell {
            item: Some(item),
            column: 0,
            x,
            y,
            width,
            height,
            left: Vec::<Pin>::new(),
            right: Vec::new(),
        });
        right = right.max(x + width);
        x += width + LOOSE_GAP;
        row = row.max(height);
    }
    level.height = y + row + PAD;
    level.width = level.width.max(right + PAD);
    let width = level.width;
    if let Some(border) = level.columns.last().cloned() {
        border.iter().for_each(|cell| level.cells[*cell].x = width);
    }
}

/// How high the nets that cross the border of a group go on outside of it.
fn hints_of(graph: &Graph, topology: &Topology, layout: &Layout) -> Vec<BTreeMap<usize, i32>> {
    let height = |node: usize| layout.nodes[node].1 + layout.boxes[node].shape.center().y;
    let chains: Vec<BTreeSet<usize>> = (0..graph.nodes.len()).map(|n| graph.chain(n).into_iter().collect()).collect();
    let of_group = |(group, parts): (usize, &BTreeMap<usize, (Way, crate::level::Part)>)| {
        let hint = |net: usize, enters: bool, leaves: bool| {
            let net = &topology.nets[net];
            if leaves {
                return Some(height(net.target));
            }
            let outside: Vec<i32> =
                net.sources.iter().filter(|s| !chains[**s].contains(&group)).map(|s| height(*s)).collect();
            enters.then(|| outside.iter().sum::<i32>() / (outside.len() as i32).max(1))
        };
        parts.iter().filter_map(|(net, (_, p))| Some((*net, hint(*net, p.enters, p.sink.is_none())?))).collect()
    };
    topology.parts.iter().enumerate().map(of_group).collect()
}

impl Layout {
    /// The shape of a node on the page.
    pub(crate) fn shape(&self, node: usize) -> Rect {
        let (x, y) = self.nodes[node];
        self.boxes[node].shape.moved(x, y)
    }

    /// The side of a node's shape at a height.
    pub(crate) fn side(&self, kind: ShapeKind, node: usize, y: i32, left: bool) -> i32 {
        size::side(kind, &self.shape(node), y, left)
    }
}
