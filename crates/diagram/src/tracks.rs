//! Where the vertical parts of lines run in a channel, and how wide channels are.

use crate::graph::Item;
use crate::level::{Level, Pin};

/// Distance between two vertical lines.
const TRACK: i32 = 9;
/// Free space on both sides of the vertical lines.
const MARGIN: i32 = 10;

#[derive(Debug, Clone)]
struct Run {
    link: usize,
    left: Vec<i32>,
    right: Vec<i32>,
    low: i32,
    high: i32,
}

impl Run {
    fn inside(&self, y: i32) -> bool {
        self.low < y && y < self.high
    }

    /// Whether two lines would lie on each other if `self` ran left of `other`.
    fn touches_left_of(&self, other: &Run) -> bool {
        self.right.iter().any(|a| other.left.iter().any(|b| (a - b).abs() < 4))
    }

    /// What it costs if `self` runs left of `other`: crossings, and far more if two lines would lie on each other.
    fn cost_left_of(&self, other: &Run) -> i64 {
        let crossings = other.left.iter().filter(|y| self.inside(**y)).count()
            + self.right.iter().filter(|y| other.inside(**y)).count();
        crossings as i64 + if self.touches_left_of(other) { 1000 } else { 0 }
    }
}

/// The links of a channel that are not straight.
fn runs(level: &Level, channel: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (i, link) in level.channels[channel].iter().enumerate() {
        let left: Vec<i32> = link.left.iter().map(|c| level.cells[*c].pin(link.net, false)).collect();
        let right: Vec<i32> = link.right.iter().map(|c| level.cells[*c].pin(link.net, true)).collect();
        let all = || left.iter().chain(&right).copied();
        if let (Some(low), Some(high)) = (all().min(), all().max())
            && low < high
        {
            runs.push(Run { link: i, left, right, low, high });
        }
    }
    runs
}

/// Moves single pins a little where any order of the vertical lines would leave two lines on each other.
pub(crate) fn loosen(level: &mut Level) {
    for _ in 0..8 {
        let mut moved = false;
        for channel in 0..level.channels.len() {
            let (_, touching) = without_touching(runs(level, channel));
            let ends = touching.iter().flat_map(|(a, b)| {
                let (a, b) = (&level.channels[channel][*a], &level.channels[channel][*b]);
                a.right.iter().map(|c| (a.net, *c)).chain(b.left.iter().map(|c| (b.net, *c)))
            });
            // The pins of a group belong to what is inside of it; no pin may leave its cell or come close to the next.
            let free = |(net, cell): &(usize, usize)| {
                let cell = &level.cells[*cell];
                let room = |pins: &[Pin]| {
                    let below = pins.iter().rev().take_while(|p| p.net != *net).count();
                    pins.iter().all(|p| p.net != *net || (below == 0 && p.at + 5 <= cell.height))
                };
                room(&cell.left) && room(&cell.right) && !matches!(cell.item, Some(Item::Group(_)))
            };
            let ends: Vec<(usize, usize)> = ends.collect();
            let Some((net, cell)) = ends.iter().copied().find(free) else {
                moved |= ends.iter().any(|(_, cell)| lower(level, *cell));
                continue;
            };
            let cell = &mut level.cells[cell];
            let pins = cell.left.iter_mut().chain(&mut cell.right).filter(|p| p.net == net);
            pins.for_each(|p| p.at += 4);
            moved = true;
        }
        if !moved {
            break;
        }
    }
}

/// Moves a whole cell a little down, if there is room below it.
fn lower(level: &mut Level, cell: usize) -> bool {
    let column = &level.columns[level.cells[cell].column];
    let below = column.iter().skip_while(|c| **c != cell).nth(1).map(|c| level.cells[*c].y);
    let c = &mut level.cells[cell];
    let room = below.is_none_or(|y| y - c.y - c.height >= 12);
    c.y += if room { 4 } else { 0 };
    room
}

/// Gives each link of a channel that is not straight a track; its `x` is then the distance from the first track.
/// Returns the space that the tracks need.
pub(crate) fn assign(level: &mut Level, channel: usize) -> i32 {
    let mut runs = runs(level, channel);
    runs.sort_by_key(|r| (r.right.iter().min().copied(), r.low, r.link));
    for _ in 0..runs.len().min(60) {
        let mut better = false;
        for i in 1..runs.len() {
            if runs[i].cost_left_of(&runs[i - 1]) < runs[i - 1].cost_left_of(&runs[i]) {
                runs.swap(i - 1, i);
                better = true;
            }
        }
        if !better {
            break;
        }
    }
    let (runs, _) = without_touching(runs);
    let mut tracks: Vec<i32> = Vec::with_capacity(runs.len());
    for (i, run) in runs.iter().enumerate() {
        let overlaps = |other: &Run| other.low <= run.high + 8 && run.low <= other.high + 8;
        let before = runs[..i].iter().zip(&tracks).filter(|(other, _)| overlaps(other)).map(|(_, track)| track + 1);
        tracks.push(before.max().unwrap_or(0));
    }
    for (run, track) in runs.iter().zip(&tracks) {
        level.channels[channel][run.link].x = Some(track * TRACK);
    }
    let used = tracks.iter().max().map_or(0, |t| t * TRACK);
    if level.channels[channel].is_empty() { 0 } else { used + 2 * MARGIN }
}

/// The runs in an order in which no two lines lie on each other, as close as possible to the given one; and pairs of
/// links of which both cannot be satisfied.
fn without_touching(mut runs: Vec<Run>) -> (Vec<Run>, Vec<(usize, usize)>) {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    let mut touching = Vec::new();
    while !runs.is_empty() {
        let before = |run: &Run| runs.iter().find(|o| o.link != run.link && run.touches_left_of(o)).map(|o| o.link);
        let next = runs.iter().position(|run| before(run).is_none());
        if next.is_none() {
            touching.extend(runs.iter().filter_map(|run| Some((run.link, before(run)?))));
        }
        out.push(runs.remove(next.unwrap_or(0)));
    }
    (out, touching)
}

/// Moves the tracks of a channel to where the channel is.
pub(crate) fn shift(level: &mut Level, channel: usize, x: i32) {
    for link in &mut level.channels[channel] {
        link.x = link.x.map(|track| x + MARGIN + track);
    }
}
