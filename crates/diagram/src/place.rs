//! How high each cell is: lines as straight as the order of cells allows.

use std::collections::BTreeMap;

use crate::graph::Item;
use crate::level::{Level, Pin, spacing, span};

/// Number of passes over all columns.
const PASSES: usize = 8;

/// Puts the pins of a shape in the order of what they lead to, evenly spaced around `middle`.
pub(crate) fn pins(level: &mut Level, middle: impl Fn(Item) -> Option<i32>) {
    let mut rank = vec![0.0; level.cells.len()];
    for column in &level.columns {
        for (i, cell) in column.iter().enumerate() {
            rank[*cell] = i as f64 / column.len() as f64;
        }
    }
    // For each end of a line at a cell: where the other ends are.
    let mut far: BTreeMap<(usize, usize, bool), (f64, u32)> = BTreeMap::new();
    for link in level.channels.iter().flatten() {
        for (mine, theirs, left) in [(&link.left, &link.right, false), (&link.right, &link.left, true)] {
            for cell in mine {
                let entry = far.entry((*cell, link.net, left)).or_default();
                for other in theirs {
                    let o = &level.cells[*other];
                    let pin = if left { o.right.iter() } else { o.left.iter() }.find(|p| p.net == link.net);
                    let inside = pin.map_or(0.5, |p| f64::from(p.at) / f64::from(o.height.max(1)));
                    let step = 1.0 / level.columns[o.column].len() as f64;
                    entry.0 += rank[*other] + inside * step;
                    entry.1 += 1;
                }
            }
        }
    }
    for (id, cell) in level.cells.iter_mut().enumerate() {
        let Some(middle) = cell.item.and_then(&middle) else { continue };
        for (pins, left) in [(&mut cell.left, true), (&mut cell.right, false)] {
            let key = |p: &Pin| far.get(&(id, p.net, left)).map_or(0.0, |(sum, n)| sum / f64::from((*n).max(1)));
            pins.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.net.cmp(&b.net)));
            let (first, step) = (middle - span(pins) / 2, spacing(pins));
            for (i, pin) in pins.iter_mut().enumerate() {
                pin.at = first + i as i32 * step;
            }
        }
    }
}

fn gap(level: &Level, upper: usize, lower: usize) -> i32 {
    match (level.cells[upper].item, level.cells[lower].item) {
        (None, None) => 2,
        (Some(Item::Group(_)), _) | (_, Some(Item::Group(_))) => 18,
        (Some(_), Some(_)) => 20,
        _ => 9,
    }
}

/// Places all cells; the highest is at 0.
pub(crate) fn place(level: &mut Level) {
    let columns = level.columns.clone();
    for column in &columns {
        let mut y = 0;
        for (i, cell) in column.iter().enumerate() {
            y += if i > 0 { gap(level, column[i - 1], *cell) } else { 0 };
            level.cells[*cell].y = y;
            y += level.cells[*cell].height;
        }
        column.iter().for_each(|cell| level.cells[*cell].y -= y / 2);
    }
    let last = columns.len() - 1;
    for pass in 0..PASSES {
        // The last passes look both ways, so that no side is torn apart for the other.
        let both = pass + 2 >= PASSES;
        let order: Vec<usize> = if pass % 2 == 0 { (0..=last).collect() } else { (0..=last).rev().collect() };
        for at in order {
            let look_left = at > 0 && (both || pass % 2 == 0);
            let look_right = at < last && (both || pass % 2 == 1);
            settle(level, &columns[at], at, look_left, look_right);
        }
    }
    for _ in 0..4 {
        columns.iter().for_each(|column| straighten(level, column));
    }
    let top = level.cells.iter().map(|c| c.y).min().unwrap_or(0);
    level.cells.iter_mut().for_each(|c| c.y -= top);
}

/// Moves the cells of one column to where their lines would be straight, as far as their order allows.
fn settle(level: &mut Level, column: &[usize], at: usize, look_left: bool, look_right: bool) {
    let mut wanted: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
    let mut look = |channel: usize, left: bool| {
        for link in &level.channels[channel] {
            let (mine, theirs) = if left { (&link.right, &link.left) } else { (&link.left, &link.right) };
            for cell in mine {
                let own = level.cells[*cell].pin(link.net, left) - level.cells[*cell].y;
                let list = wanted.entry(*cell).or_default();
                list.extend(theirs.iter().map(|o| level.cells[*o].pin(link.net, !left) - own));
            }
        }
    };
    if look_left {
        look(at - 1, true);
    }
    if look_right {
        look(at, false);
    }
    // Isotonic regression: distances are taken out first, so that only the order is left to keep.
    let mut offset = 0;
    let mut offsets = Vec::with_capacity(column.len());
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (i, cell) in column.iter().enumerate() {
        if i > 0 {
            offset += level.cells[column[i - 1]].height + gap(level, column[i - 1], *cell);
        }
        offsets.push(offset);
        let c = &level.cells[*cell];
        let (target, weight) = match wanted.get_mut(cell) {
            Some(list) if !list.is_empty() => {
                list.sort_unstable();
                let middle = list[(list.len() - 1) / 2];
                (middle, if c.item.is_none() { 4.0 } else { 1.0 + list.len() as f64 * 0.25 })
            }
            _ => (c.y, 0.05),
        };
        blocks.push((f64::from(target - offset), weight, 1));
        while let [.., a, b] = blocks.as_slice()
            && a.0 > b.0
        {
            let merged = ((a.0 * a.1 + b.0 * b.1) / (a.1 + b.1), a.1 + b.1, a.2 + b.2);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let values = blocks.iter().flat_map(|(value, _, count)| std::iter::repeat_n(value.round() as i32, *count));
    for ((cell, value), offset) in column.iter().zip(values).zip(offsets) {
        level.cells[*cell].y = value + offset;
    }
}

/// Moves single cells where there is room for it and more lines run straight then.
fn straighten(level: &mut Level, column: &[usize]) {
    let mut away: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
    let at = column.first().map_or(0, |c| level.cells[*c].column);
    for (channel, left) in [(at.checked_sub(1), true), (Some(at), false)] {
        let Some(links) = channel.and_then(|c| level.channels.get(c)) else { continue };
        for link in links {
            let (mine, theirs) = if left { (&link.right, &link.left) } else { (&link.left, &link.right) };
            for cell in mine {
                let own = level.cells[*cell].pin(link.net, left);
                let distances = theirs.iter().map(|o| level.cells[*o].pin(link.net, !left) - own);
                away.entry(*cell).or_default().extend(distances);
            }
        }
    }
    for (i, cell) in column.iter().enumerate() {
        let Some(away) = away.get(cell) else { continue };
        let c = &level.cells[*cell];
        let up = i.checked_sub(1).map_or(i32::MIN, |above| {
            let a = &level.cells[column[above]];
            a.y + a.height + gap(level, column[above], *cell) - c.y
        });
        let down = column
            .get(i + 1)
            .map_or(i32::MAX, |below| level.cells[*below].y - gap(level, *cell, *below) - c.height - c.y);
        let straight = |by: i32| away.iter().filter(|d| **d == by).count();
        let best = away
            .iter()
            .copied()
            .filter(|by| (up..=down).contains(by))
            .max_by_key(|by| (straight(*by), std::cmp::Reverse(by.abs()), std::cmp::Reverse(*by)));
        if let Some(by) = best.filter(|by| straight(*by) > straight(0)) {
            level.cells[*cell].y += by;
        }
    }
}
