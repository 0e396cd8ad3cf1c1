//! How good a drawing is, in numbers.

use crate::drawing::{Drawing, Point, Rect};

/// What makes a drawing hard to read; the first three are 0 by construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measures {
    /// Pairs of texts that lie on each other.
    pub texts_on_texts: usize,
    /// Texts that lie on a shape.
    pub texts_on_shapes: usize,
    /// Lines that run through a shape that they do not belong to.
    pub lines_through_shapes: usize,
    /// Points where lines to different shapes cross.
    pub crossings: usize,
    /// Corners of all lines.
    pub bends: usize,
    /// Lines.
    pub lines: usize,
}

/// Measures a drawing. Takes time in the square of its parts.
pub fn measure(drawing: &Drawing) -> Measures {
    let labels = &drawing.labels;
    let texts: Vec<Rect> = labels.iter().map(|l| l.rect).chain(drawing.frames.iter().map(|f| f.title)).collect();
    let parts: Vec<(usize, Part)> = drawing
        .lines
        .iter()
        .enumerate()
        .flat_map(|(i, line)| line.points.windows(2).filter_map(move |ends| Some((i, Part::of(ends)?))))
        .collect();
    let mut out = Measures { lines: drawing.lines.len(), ..Measures::default() };
    for (i, text) in texts.iter().enumerate() {
        out.texts_on_texts += texts.iter().take(i).filter(|other| other.overlaps(text)).count();
        out.texts_on_shapes += drawing.shapes.iter().filter(|shape| shape.rect.overlaps(text)).count();
    }
    for (i, line) in drawing.lines.iter().enumerate() {
        out.bends += line.points.len().saturating_sub(2);
        let own: Vec<Part> = parts.iter().filter(|(of, _)| *of == i).map(|(_, part)| *part).collect();
        let foreign = drawing.shapes.iter().enumerate().filter(|(s, _)| *s != line.source && *s != line.target);
        let hit = foreign.filter(|(_, shape)| own.iter().any(|part| part.runs_through(&shape.rect)));
        out.lines_through_shapes += hit.count();
    }
    let target = |line: usize| drawing.lines.get(line).map(|l| l.target);
    for (i, (a, one)) in parts.iter().enumerate() {
        let others = parts.iter().take(i).filter(|(b, _)| target(*a) != target(*b));
        out.crossings += others.filter(|(_, other)| one.crosses(other)).count();
    }
    out
}

/// A part of a line along one axis.
#[derive(Debug, Clone, Copy)]
struct Part {
    from: Point,
    to: Point,
}

impl Part {
    /// The ends in order: left to right, or top to bottom.
    fn of(ends: &[Point]) -> Option<Self> {
        let [a, b] = ends else { return None };
        Some(Self { from: *a.min(b), to: *a.max(b) })
    }

    fn runs_through(&self, shape: &Rect) -> bool {
        self.from.x < shape.right() - 1
            && self.to.x > shape.x + 1
            && self.from.y < shape.bottom() - 1
            && self.to.y > shape.y + 1
    }

    fn crosses(&self, other: &Self) -> bool {
        let meets = |level: &Self, upright: &Self| {
            level.from.y == level.to.y
                && upright.from.x == upright.to.x
                && level.from.x < upright.from.x
                && upright.from.x < level.to.x
                && upright.from.y < level.from.y
                && level.from.y < upright.to.y
        };
        meets(self, other) || meets(other, self)
    }
}
