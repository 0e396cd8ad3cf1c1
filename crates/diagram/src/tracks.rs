//! Where the vertical parts of lines run in a channel, and how wide channels are.

use crate::level::Level;

/// Distance between two vertical lines.
const TRACK: i32 = 9;
/// Free space on both sides of the vertical lines.
const MARGIN: i32 = 10;

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

    /// What it costs if `self` runs left of `other`: crossings, and far more if two lines would lie on each other.
    fn cost_left_of(&self, other: &Run) -> i64 {
        let crossings = other.left.iter().filter(|y| self.inside(**y)).count()
            + self.right.iter().filter(|y| other.inside(**y)).count();
        let touching = self.right.iter().filter(|a| other.left.iter().any(|b| (*a - *b).abs() < 4)).count();
        crossings as i64 + 1000 * touching as i64
    }
}

/// Gives each link of a channel that is not straight a track; its `x` is then the distance from the first track.
/// Returns the space that the tracks need.
pub(crate) fn assign(level: &mut Level, channel: usize) -> i32 {
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

/// Moves the tracks of a channel to where the channel is.
pub(crate) fn shift(level: &mut Level, channel: usize, x: i32) {
    for link in &mut level.channels[channel] {
        link.x = link.x.map(|track| x + MARGIN + track);
    }
}
