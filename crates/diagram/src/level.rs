//! One group as a layered graph: cells in columns, and links across the channels between them.
//!
//! Lines that reach one target with one text are one *net*: they join on their way and share one arrow head. A net that
//! enters or leaves the group passes a cell in a border column; where it passes a column it has a cell of its own, which
//! keeps its way free. So no line ever runs through a shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Item;

/// Which way the lines of a net run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Right,
    Left,
}

/// What one net does in one group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// Members in which it starts.
    pub(crate) sources: BTreeSet<Item>,
    /// Whether it also comes in from outside the group.
    pub(crate) enters: bool,
    /// The member in which it ends; none if it leaves the group.
    pub(crate) sink: Option<Item>,
}

/// Distance between pins on a side of a shape where lines end: room for their texts.
const PIN: i32 = 15;
/// Distance between pins on a side where lines only start.
const START: i32 = 11;
/// Height of a cell that a line passes.
pub(crate) const PASS: i32 = 9;

/// Where a net touches a cell, from the top of the cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    pub(crate) net: usize,
    pub(crate) at: i32,
    /// Whether the net ends here.
    pub(crate) sink: bool,
}

/// The distance between the pins of a side.
pub(crate) fn spacing(pins: &[Pin]) -> i32 {
    if pins.iter().any(|p| p.sink) { PIN } else { START }
}

/// The distance between the first and the last pin of a side.
pub(crate) fn span(pins: &[Pin]) -> i32 {
    (pins.len() as i32 - 1).max(0) * spacing(pins)
}

/// A place in a column.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// What stands there; nothing where a line passes.
    pub(crate) item: Option<Item>,
    pub(crate) column: usize,
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) left: Vec<Pin>,
    pub(crate) right: Vec<Pin>,
}

impl Cell {
    /// The height of the pin of a net, in coordinates of the group.
    pub(crate) fn pin(&self, net: usize, left: bool) -> i32 {
        let pins = if left { &self.left } else { &self.right };
        self.y + pins.iter().find(|p| p.net == net).map_or(self.height / 2, |p| p.at)
    }
}

/// A net in one channel.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) net: usize,
    pub(crate) left: Vec<usize>,
    pub(crate) right: Vec<usize>,
    /// Where its vertical part is; none if it runs straight.
    pub(crate) x: Option<i32>,
}

/// A group as a layered graph.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) cells: Vec<Cell>,
    /// Cells by column, in order from the top. The first and the last column are the borders.
    pub(crate) columns: Vec<Vec<usize>>,
    /// Links by channel; channel `i` lies between columns `i` and `i + 1`.
    pub(crate) channels: Vec<Vec<Link>>,
    pub(crate) cell_of: BTreeMap<Item, usize>,
    /// Cells that a net passes, by net and column.
    pub(crate) passing: BTreeMap<(usize, usize), usize>,
}

impl Level {
    /// Cells and links for members in their columns (from 1).
    pub(crate) fn new(columns: usize, members: &[(Item, usize)], parts: &BTreeMap<usize, (Way, Part)>) -> Self {
        let mut level = Level {
            columns: vec![Vec::new(); columns + 2],
            channels: vec![Vec::new(); columns + 1],
            ..Level::default()
        };
        for &(item, column) in members {
            let cell = level.add(Some(item), column);
            level.cell_of.insert(item, cell);
        }
        for (&net, (way, part)) in parts {
            level.net(net, *way, part);
        }
        level
    }

    fn add(&mut self, item: Option<Item>, column: usize) -> usize {
        let id = self.cells.len();
        let height = if item.is_none() { PASS } else { 0 };
        let (left, right) = (Vec::new(), Vec::new());
        self.cells.push(Cell { item, column, x: 0, y: 0, width: 0, height, left, right });
        self.columns[column].push(id);
        id
    }

    fn pass(&mut self, net: usize, column: usize) -> usize {
        if let Some(cell) = self.passing.get(&(net, column)) {
            return *cell;
        }
        let cell = self.add(None, column);
        self.passing.insert((net, column), cell);
        self.cells[cell].left.push(Pin { net, at: PASS / 2, sink: false });
        self.cells[cell].right.push(Pin { net, at: PASS / 2, sink: false });
        cell
    }

    fn net(&mut self, net: usize, way: Way, part: &Part) {
        let last = self.columns.len() - 1;
        let (entry, exit) = if way == Way::Right { (0, last) } else { (last, 0) };
        let mut sources: BTreeSet<usize> = part.sources.iter().map(|s| self.cell_of[s]).collect();
        if part.enters {
            sources.insert(self.pass(net, entry));
        }
        let sink = match part.sink {
            Some(item) => self.cell_of[&item],
            None => self.pass(net, exit),
        };
        let end = self.cells[sink].column;
        let starts: BTreeSet<usize> = sources.iter().map(|s| self.cells[*s].column).collect();
        let step = |column: usize| if way == Way::Right { column + 1 } else { column - 1 };
        let first = if way == Way::Right { starts.first() } else { starts.last() };
        let Some(&first) = first else { return };
        let mut column = first;
        let mut carried: Option<usize> = None;
        while column != end {
            let mut from: Vec<usize> = sources.iter().copied().filter(|s| self.cells[*s].column == column).collect();
            from.extend(carried);
            let next = step(column);
            let to = if next == end { sink } else { self.pass(net, next) };
            carried = Some(to);
            for &cell in &from {
                self.touch(cell, net, way == Way::Left, false);
            }
            self.touch(to, net, way == Way::Right, true);
            let (left, right) = if way == Way::Right { (from, vec![to]) } else { (vec![to], from) };
            self.channels[column.min(next)].push(Link { net, left, right, x: None });
            column = next;
        }
    }

    /// Gives a cell a pin for a net. Where it stands is found out later.
    fn touch(&mut self, cell: usize, net: usize, left: bool, sink: bool) {
        let pins = if left { &mut self.cells[cell].left } else { &mut self.cells[cell].right };
        if !pins.iter().any(|p| p.net == net) {
            pins.push(Pin { net, at: 0, sink });
        }
    }

    /// The cell of a net on its way through a column.
    pub(crate) fn passing_cell(&self, net: usize, column: usize) -> Option<&Cell> {
        self.passing.get(&(net, column)).map(|c| &self.cells[*c])
    }
}
