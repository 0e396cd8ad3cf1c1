//! Where everything stands: our layout, in the units of the tool.

use std::collections::BTreeMap;

use kubestride_diagram::{Drawing, Rect};
use kubestride_model::{BoundaryId, ElementId, FlowId, Model, SubjectRef};

use super::existing::Existing;
use super::surface::{border, of};
use crate::geometry::points;
use crate::surface::{Area, Curve};

/// Larger than our pictures: the tool's texts are larger, and stores that we draw as one stand apart.
const SCALE: f64 = 1.6;

/// Free space between stores of one workload.
const GAP: f64 = 8.0;

/// How far a handle is moved aside to keep clear of foreign shapes, in steps.
const ASIDE: [f64; 11] = [0.0, 40.0, -40.0, 80.0, -80.0, 140.0, -140.0, 220.0, -220.0, 320.0, -320.0];

/// Points of a curve that are tried against shapes.
const PIECES: u32 = 24;

/// What is drawn where.
pub(crate) struct Placed {
    /// Boundaries, outer ones first; one may be drawn twice.
    /// Each with how many of the same boundary are drawn before it.
    pub(crate) borders: Vec<(BoundaryId, usize, Area)>,
    pub(crate) elements: BTreeMap<ElementId, Area>,
    pub(crate) flows: BTreeMap<FlowId, Curve>,
}

pub(crate) fn place(model: &Model, drawing: &Drawing, existing: &Existing) -> Placed {
    let boundaries: BTreeMap<&str, BoundaryId> =
        model.boundaries().map(|(id, b)| (model.text(b.identity), id)).collect();
    let elements: BTreeMap<&str, ElementId> = model.elements().map(|(id, e)| (model.text(e.identity), id)).collect();
    let borders = drawing.frames.iter().filter_map(|f| Some((*boundaries.get(f.identity.as_str())?, area(&f.rect))));
    let mut drawn: BTreeMap<BoundaryId, usize> = BTreeMap::new();
    let kept = |(id, area): (BoundaryId, Area)| {
        let count = drawn.entry(id).or_default();
        let number = *count;
        *count += 1;
        (id, number, existing.areas.get(&border(model, id, number)).copied().unwrap_or(area))
    };
    let borders = borders.map(kept).collect();
    let mut placed = Placed { borders, elements: BTreeMap::new(), flows: BTreeMap::new() };
    for shape in &drawing.shapes {
        let known: Vec<ElementId> = shape.identities.iter().filter_map(|i| elements.get(i.as_str()).copied()).collect();
        let whole = area(&shape.rect);
        for (i, id) in known.iter().enumerate() {
            // Several stores that we draw as one stand below each other, as low as they can be within the place of one.
            let height = (whole.height + GAP) / known.len() as f64 - GAP;
            let height = if known.len() > 1 { height.max(12.0) } else { whole.height };
            let own = Area { top: whole.top + i as f64 * (height + GAP), height, ..whole };
            let known = existing.areas.get(&of(model, SubjectRef::Element(*id))).copied();
            placed.elements.insert(*id, known.unwrap_or(own));
        }
    }
    let flows: Vec<FlowId> = model.flows().filter(|(_, f)| !f.implicit).map(|(id, _)| id).collect();
    let mut between: BTreeMap<(ElementId, ElementId), usize> = BTreeMap::new();
    for id in flows {
        let flow = model.flow(id);
        let (Some(source), Some(target)) = (placed.elements.get(&flow.source), placed.elements.get(&flow.target))
        else {
            continue;
        };
        let number = between.entry((flow.source.min(flow.target), flow.source.max(flow.target))).or_insert(0);
        let foreign = placed.elements.iter().filter(|(e, _)| **e != flow.source && **e != flow.target);
        let foreign: Vec<Area> = foreign.map(|(_, area)| *area).collect();
        let known = existing.curves.get(&of(model, SubjectRef::Flow(id))).copied();
        placed.flows.insert(id, known.unwrap_or_else(|| curve(source, target, &foreign, *number)));
        *number += 1;
    }
    placed
}

/// Elements, flows and boundaries that are in the model and not in the picture.
pub(crate) fn hidden(model: &Model, placed: &Placed) -> usize {
    let flows = model.flows().map(|(id, _)| SubjectRef::Flow(id));
    let elements = model.elements().map(|(id, _)| SubjectRef::Element(id));
    let shown = |subject: &SubjectRef| match subject {
        SubjectRef::Flow(id) => placed.flows.contains_key(id),
        SubjectRef::Element(id) => placed.elements.contains_key(id),
        _ => true,
    };
    flows.chain(elements).filter(|s| !shown(s)).count()
}

fn area(rect: &Rect) -> Area {
    let scaled = |value: i32| (f64::from(value) * SCALE).round();
    Area { left: scaled(rect.x), top: scaled(rect.y), width: scaled(rect.width), height: scaled(rect.height) }
}

/// Where the line from the middle towards a point leaves the rectangle, rounded to the inside.
fn edge(area: &Area, toward: (f64, f64)) -> (f64, f64) {
    let (x, y) = area.middle();
    let (dx, dy) = (toward.0 - x, toward.1 - y);
    let part = |half: f64, d: f64| if d.abs() < 1e-9 { f64::INFINITY } else { half / d.abs() };
    let t = part(area.width / 2.0, dx).min(part(area.height / 2.0, dy)).min(1.0);
    ((x + dx * t).round(), (y + dy * t).round())
}

/// A curve between borders of shapes that touches as few others as it can; further ones between the same shapes lie
/// beside the first.
fn curve(source: &Area, target: &Area, foreign: &[Area], number: usize) -> Curve {
    let (from, to) = (source.middle(), target.middle());
    let length = (to.0 - from.0).hypot(to.1 - from.1).max(1.0);
    let across = (-(to.1 - from.1) / length, (to.0 - from.0) / length);
    let bent = |aside: f64| {
        let half = ((from.0 + to.0) / 2.0 + across.0 * aside, (from.1 + to.1) / 2.0 + across.1 * aside);
        Curve { source: edge(source, half), handle: (half.0.round(), half.1.round()), target: edge(target, half) }
    };
    let hits = |curve: &Curve| {
        let course = points(curve, PIECES);
        foreign.iter().filter(|area| course.iter().any(|p| area.holds(*p))).count()
    };
    let candidates = ASIDE.iter().skip(number % ASIDE.len()).map(|aside| bent(*aside));
    candidates.min_by_key(hits).unwrap_or_else(|| bent(0.0))
}
