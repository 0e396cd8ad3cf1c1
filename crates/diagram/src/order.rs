//! The order of cells within columns: few crossings, found by sweeps to the median of the neighbours.

use std::collections::BTreeMap;

use crate::level::{Level, Link};

/// Number of sweeps to each side.
const SWEEPS: usize = 6;

/// Orders the cells of all columns. `hints` say how high a net is outside the group; where they are known, the border
/// columns are in that order.
pub(crate) fn order(level: &mut Level, hints: &BTreeMap<usize, i32>) {
    let last = level.columns.len() - 1;
    for border in [0, last] {
        let mut column = std::mem::take(&mut level.columns[border]);
        column.sort_by_key(|cell| {
            let net = level.cells[*cell].left.first().map(|p| p.net);
            (net.and_then(|n| hints.get(&n).copied()).unwrap_or(0), net)
        });
        level.columns[border] = column;
    }
    let fixed = !hints.is_empty();
    let mut best = (crossings(level), level.columns.clone());
    for sweep in 0..SWEEPS * 2 {
        let rightwards = sweep % 2 == 0;
        let columns: Vec<usize> = if rightwards { (1..=last).collect() } else { (0..last).rev().collect() };
        for column in columns {
            if fixed && (column == 0 || column == last) {
                continue;
            }
            sort_column(level, column, rightwards);
        }
        let found = crossings(level);
        if found < best.0 {
            best = (found, level.columns.clone());
        }
        if best.0 == 0 {
            break;
        }
    }
    level.columns = best.1;
    exchange(level, fixed);
}

/// Positions of all cells in their columns.
fn positions(level: &Level) -> Vec<f64> {
    let mut at = vec![0.0; level.cells.len()];
    for column in &level.columns {
        for (i, cell) in column.iter().enumerate() {
            at[*cell] = i as f64;
        }
    }
    at
}

/// The position of the end of a net at a cell. The pins of a group have a height of their own already.
fn end(level: &Level, at: &[f64], cell: usize, net: usize, left: bool) -> f64 {
    let c = &level.cells[cell];
    let pins = if left { &c.left } else { &c.right };
    let inside = match pins.iter().find(|p| p.net == net) {
        Some(pin) if c.height > 0 => f64::from(pin.at) / f64::from(c.height) - 0.5,
        _ => 0.0,
    };
    at[cell] + inside * 0.9
}

fn sort_column(level: &mut Level, column: usize, rightwards: bool) {
    let at = positions(level);
    let channel = if rightwards { column - 1 } else { column };
    let mut wanted: BTreeMap<usize, (f64, u32)> = BTreeMap::new();
    for link in &level.channels[channel] {
        let (mine, theirs) = if rightwards { (&link.right, &link.left) } else { (&link.left, &link.right) };
        for cell in mine {
            let entry = wanted.entry(*cell).or_default();
            for other in theirs {
                entry.0 += end(level, &at, *other, link.net, !rightwards);
                entry.1 += 1;
            }
        }
    }
    let key = |cell: &usize| wanted.get(cell).filter(|(_, n)| *n > 0).map_or(at[*cell], |(sum, n)| sum / f64::from(*n));
    let mut cells = std::mem::take(&mut level.columns[column]);
    cells.sort_by(|a, b| key(a).total_cmp(&key(b)));
    level.columns[column] = cells;
}

/// The ends of all lines in a channel.
fn ends(level: &Level, at: &[f64], links: &[Link]) -> Vec<(f64, f64)> {
    let mut ends = Vec::new();
    for link in links {
        for left in &link.left {
            for right in &link.right {
                ends.push((end(level, at, *left, link.net, false), end(level, at, *right, link.net, true)));
            }
        }
    }
    ends
}

fn crossings_of(ends: &[(f64, f64)]) -> usize {
    let mut found = 0;
    for (i, a) in ends.iter().enumerate() {
        found += ends[i + 1..].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count();
    }
    found
}

fn crossings(level: &Level) -> usize {
    let at = positions(level);
    level.channels.iter().map(|links| crossings_of(&ends(level, &at, links))).sum()
}

/// Exchanges neighbours in columns while that removes crossings.
fn exchange(level: &mut Level, fixed: bool) {
    let last = level.columns.len() - 1;
    let cost = |level: &Level, column: usize| {
        let at = positions(level);
        let channels = column.saturating_sub(1)..(column + 1).min(last);
        channels.map(|c| crossings_of(&ends(level, &at, &level.channels[c]))).sum::<usize>()
    };
    // The work grows with cells times lines squared; large levels keep what the sweeps found.
    let lines: usize = level.channels.iter().map(Vec::len).sum();
    if lines * level.cells.len() > 20_000 {
        return;
    }
    for _ in 0..3 {
        let mut better = false;
        for column in 0..=last {
            if fixed && (column == 0 || column == last) {
                continue;
            }
            let mut now = cost(level, column);
            for i in 1..level.columns[column].len() {
                level.columns[column].swap(i - 1, i);
                let then = cost(level, column);
                if then < now {
                    (now, better) = (then, true);
                } else {
                    level.columns[column].swap(i - 1, i);
                }
            }
        }
        if !better {
            break;
        }
    }
}
