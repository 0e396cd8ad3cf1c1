//! Diagrams as they are in the file: positions and curves are a person's, and stay.

use kubestride_diagram::{
    Border, Drawing, Frame, Label, Line as Route, Point, Rect, Shape as Drawn, ShapeKind as Form, fit, two_lines, width,
};

use crate::geometry::points;
use crate::surface::{Area, Curve, Shape, ShapeKind, Surface};

/// Pieces of a curve.
const PIECES: u32 = 20;

/// Free space around the picture.
const MARGIN: f64 = 24.0;

/// Largest side of a picture; drawings with coordinates farther apart are scaled down.
const LARGEST: f64 = 12_000.0;

/// The size of names and of labels.
const NAME: i32 = 12;
const LABEL: i32 = 10;

/// Draws a diagram.
pub fn draw(surface: &Surface) -> Drawing {
    let page = Page::of(surface);
    let mut drawing = Drawing { width: page.width, height: page.height, ..Drawing::default() };
    let mut order: Vec<&Shape> = surface.shapes.iter().filter(|s| s.kind == ShapeKind::Border).collect();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    for shape in order {
        let Some(rect) = shape.area.map(|a| page.rect(&a)) else { continue };
        let name = fit(&shape.thing.name, NAME, rect.width - 16);
        let title = Rect { x: rect.x + 8, y: rect.y + 5, width: rect.width - 16, height: 16 };
        let identity = shape.thing.guid.clone();
        drawing.frames.push(Frame { rect, title, name, identity, kind: "drawn", parent: None });
    }
    let mut index = std::collections::BTreeMap::new();
    for shape in &surface.shapes {
        let kind = match shape.kind {
            ShapeKind::Process => Form::Process,
            ShapeKind::Store => Form::Store,
            ShapeKind::External | ShapeKind::Annotation => Form::External,
            ShapeKind::Border => continue,
        };
        let Some(rect) = shape.area.map(|a| page.rect(&a)) else { continue };
        index.insert(shape.thing.guid.as_str(), drawing.shapes.len());
        drawing.shapes.push(Drawn {
            lines: two_lines(&shape.thing.name, NAME, rect.width - 8),
            rect,
            kind,
            caption: String::new(),
            tooltip: shape.thing.name.clone(),
            identities: vec![shape.thing.guid.clone()],
            frame: None,
            small: false,
        });
    }
    for line in &surface.lines {
        let Some(curve) = &line.curve else { continue };
        let course = page.course(curve);
        let middle = course.get(course.len() / 2).copied().unwrap_or_default();
        if line.is_boundary {
            let (name, identity) = (line.thing.name.clone(), line.thing.guid.clone());
            drawing.borders.push(Border { points: course, name, at: middle, identity });
            continue;
        }
        let ends = (index.get(line.source.as_str()), index.get(line.target.as_str()));
        let (Some(source), Some(target)) = ends else { continue };
        let text = fit(&line.thing.name, LABEL, 180);
        let wide = width(&text, LABEL);
        let rect = Rect { x: middle.x - wide / 2, y: middle.y - LABEL, width: wide, height: LABEL + 2 };
        drawing.labels.push(Label { rect, lines: vec![drawing.lines.len()], text });
        drawing.lines.push(Route {
            points: course,
            source: *source,
            target: *target,
            dashed: false,
            tooltip: line.thing.name.clone(),
            identities: vec![line.thing.guid.clone()],
        });
    }
    drawing
}

fn size(shape: &Shape) -> f64 {
    shape.area.map_or(0.0, |a| a.width * a.height)
}

/// From the units of the file to those of the picture.
struct Page {
    left: f64,
    top: f64,
    scale: f64,
    width: i32,
    height: i32,
}

impl Page {
    fn of(surface: &Surface) -> Self {
        let areas = surface.shapes.iter().filter_map(|s| s.area);
        let corners = areas.flat_map(|a| [(a.left, a.top), (a.left + a.width, a.top + a.height)]);
        let curves = surface.lines.iter().filter_map(|l| l.curve.as_ref());
        let all: Vec<(f64, f64)> = corners.chain(curves.flat_map(|c| points(c, PIECES))).collect();
        let bounds = |axis: fn(&(f64, f64)) -> f64| {
            let values = || all.iter().map(axis);
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
        };
        if all.is_empty() {
            return Self { left: 0.0, top: 0.0, scale: 1.0, width: 0, height: 0 };
        }
        let ((left, right), (top, bottom)) = (bounds(|p| p.0), bounds(|p| p.1));
        let scale = (LARGEST / (right - left).max(bottom - top).max(1.0)).min(1.0);
        let side = |length: f64| (length * scale + 2.0 * MARGIN).round() as i32;
        Self { left, top, scale, width: side(right - left), height: side(bottom - top) }
    }

    fn point(&self, (x, y): (f64, f64)) -> Point {
        let at = |value: f64, start: f64| ((value - start) * self.scale + MARGIN).round() as i32;
        Point { x: at(x, self.left), y: at(y, self.top) }
    }

    fn rect(&self, area: &Area) -> Rect {
        let Point { x, y } = self.point((area.left, area.top));
        let side = |length: f64| ((length * self.scale).round() as i32).max(1);
        Rect { x, y, width: side(area.width), height: side(area.height) }
    }

    fn course(&self, curve: &Curve) -> Vec<Point> {
        points(curve, PIECES).into_iter().map(|p| self.point(p)).collect()
    }
}
