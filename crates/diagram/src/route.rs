//! Lines on the page: from the source out of its groups, through channels, into the groups of the target.

use crate::drawing::{Point, Rect};
use crate::graph::{Graph, Item};
use crate::level::{Level, Way};
use crate::nest::Layout;
use crate::nets::Topology;
use crate::size::SMALL_SIZE;
use crate::text;

struct Walk<'a> {
    layout: &'a Layout,
    net: usize,
    way: Way,
    y: i32,
    points: Vec<Point>,
}

impl Walk<'_> {
    fn level(&self, group: usize) -> (&Level, Rect) {
        (&self.layout.levels[group], self.layout.groups[group])
    }

    fn column(&self, group: usize, item: Item) -> usize {
        let (level, _) = self.level(group);
        level.cell_of.get(&item).map_or(0, |c| level.cells[*c].column)
    }

    /// The border column through which the net leaves a group, or enters it.
    fn border(&self, group: usize, entry: bool) -> usize {
        if (self.way == Way::Right) == entry { 0 } else { self.level(group).0.columns.len() - 1 }
    }

    /// Goes from one column of a group to another, where the net ends at `sink` or passes.
    fn go(&mut self, group: usize, from: usize, to: usize, sink: Option<Item>) {
        let mut column = from;
        while column != to {
            let next = if self.way == Way::Right { column + 1 } else { column - 1 };
            let (level, origin) = self.level(group);
            let arrives_left = self.way == Way::Right;
            let cell = match sink {
                Some(item) if next == to => level.cell_of.get(&item).map(|c| &level.cells[*c]),
                _ => level.passing_cell(self.net, next),
            };
            let y = cell.map_or(self.y, |c| origin.y + c.pin(self.net, arrives_left));
            let track = level.channels[column.min(next)].iter().find(|l| l.net == self.net).and_then(|l| l.x);
            if let Some(track) = track
                && y != self.y
            {
                let x = origin.x + track;
                self.points.extend([Point { x, y: self.y }, Point { x, y }]);
            }
            self.y = y;
            column = next;
        }
    }
}

/// The corners of an edge.
pub(crate) fn route(graph: &Graph, topology: &Topology, layout: &Layout, edge: usize) -> Vec<Point> {
    let (net, meeting) = topology.edges[edge];
    let way = topology.nets[net].way;
    let (source, target) = (graph.edges[edge].source, graph.edges[edge].target);
    let mut walk = Walk { layout, net, way, y: 0, points: Vec::new() };

    let mut group = graph.nodes[source].group;
    let mut item = Item::Node(source);
    let (level, origin) = walk.level(group);
    walk.y = origin.y + level.cell_of.get(&item).map_or(0, |c| level.cells[*c].pin(net, way == Way::Left));
    let start = layout.side(graph.nodes[source].kind, source, walk.y, way == Way::Left);
    walk.points.push(Point { x: start, y: walk.y });
    while group != meeting {
        let (from, to) = (walk.column(group, item), walk.border(group, false));
        walk.go(group, from, to, None);
        item = Item::Group(group);
        group = graph.groups[group].parent;
    }

    let chain = graph.chain(target);
    let below = chain.iter().position(|g| *g == meeting).unwrap_or(0);
    let mut from = walk.column(meeting, item);
    for (depth, &group) in chain.iter().enumerate().skip(below) {
        let next = chain.get(depth + 1).map_or(Item::Node(target), |g| Item::Group(*g));
        if depth > below {
            from = walk.border(group, true);
        }
        let to = walk.column(group, next);
        walk.go(group, from, to, Some(next));
    }
    let end = layout.side(graph.nodes[target].kind, target, walk.y, way == Way::Right);
    walk.points.push(Point { x: end, y: walk.y });
    straighten(walk.points)
}

/// Without points that are on the way between their neighbours.
fn straighten(points: Vec<Point>) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        while let [.., a, b] = out.as_slice()
            && ((a.x == b.x && b.x == point.x) || (a.y == b.y && b.y == point.y))
        {
            out.pop();
        }
        if out.last() != Some(&point) {
            out.push(point);
        }
    }
    out
}

/// Where the text of a net stands: above the last part of its lines.
pub(crate) fn label(graph: &Graph, topology: &Topology, layout: &Layout, net: usize) -> Option<Rect> {
    let net_id = net;
    let net = &topology.nets[net];
    let width = text::width(&net.label, SMALL_SIZE);
    if width == 0 {
        return None;
    }
    let group = graph.nodes[net.target].group;
    let level = &layout.levels[group];
    let cell = &level.cells[*level.cell_of.get(&Item::Node(net.target))?];
    let left = net.way == Way::Right;
    let y = layout.groups[group].y + cell.pin(net_id, left);
    let shapes = level.columns[cell.column].iter().map(|c| &level.cells[*c]).filter(|c| c.item.is_some());
    // All labels of a column begin where its widest member does: there nothing but lines is in the way.
    let x = if left { shapes.map(|c| c.x).min()? - width - 8 } else { shapes.map(|c| c.x + c.width).max()? + 8 };
    Some(Rect { x: layout.groups[group].x + x, y: y - SMALL_SIZE - 3, width, height: SMALL_SIZE + 2 })
}
