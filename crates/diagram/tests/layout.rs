//! What holds for every drawing, tried on random nested models.

mod common;

use kubestride_diagram::{Drawing, Options, Rect, SvgOptions, View, layout, measure, svg};

/// Number of random models.
const MODELS: u64 = 1000;

fn written(drawing: &Drawing) -> String {
    let options = SvgOptions { style: true, title: "t".to_owned(), ..SvgOptions::default() };
    let mut out = Vec::new();
    svg(drawing, &options, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

/// The part of a shape that no foreign line may touch: its rectangle without its border.
fn inside(rect: &Rect) -> Rect {
    Rect { x: rect.x + 1, y: rect.y + 1, width: rect.width - 2, height: rect.height - 2 }
}

/// All of each model, its overview, and one boundary and one element of it.
fn each(check: impl Fn(u64, &Drawing)) {
    for seed in 1..=MODELS {
        let model = common::random(seed, 5 + seed as usize % 40, false);
        let boundary = model.boundaries().last().map(|(id, _)| View::Boundary(id));
        let element = model.elements().nth(seed as usize % 7).map(|(id, _)| View::Element(id));
        let views = [Some(View::Whole), Some(View::Overview), boundary, element];
        for view in views.into_iter().flatten() {
            check(seed, &layout(&model, &Options { view, ..Options::default() }));
        }
    }
    check(0, &layout(&common::shop(), &Options::default()));
}

#[test]
fn members_lie_inside_their_boundaries_and_apart_from_each_other() {
    each(|seed, drawing| {
        let page = Rect { x: 0, y: 0, width: drawing.width, height: drawing.height };
        for (i, frame) in drawing.frames.iter().enumerate() {
            let around = frame.parent.map_or(page, |p| drawing.frames[p].rect);
            assert!(around.contains(&frame.rect), "seed {seed}: {} leaves what holds it", frame.name);
            for other in &drawing.frames[..i] {
                let siblings = other.parent == frame.parent;
                assert!(
                    !siblings || !other.rect.overlaps(&frame.rect),
                    "seed {seed}: {} on {}",
                    other.name,
                    frame.name
                );
            }
        }
        for (i, shape) in drawing.shapes.iter().enumerate() {
            let around = shape.frame.map_or(page, |f| drawing.frames[f].rect);
            assert!(around.contains(&shape.rect), "seed {seed}: {:?} leaves its boundary", shape.lines);
            for other in &drawing.shapes[..i] {
                assert!(!other.rect.overlaps(&shape.rect), "seed {seed}: {:?} on {:?}", other.lines, shape.lines);
            }
            for (f, frame) in drawing.frames.iter().enumerate() {
                assert!(!frame.title.overlaps(&shape.rect), "seed {seed}: {:?} on a title", shape.lines);
                let holds = std::iter::successors(shape.frame, |f| drawing.frames[*f].parent).any(|h| h == f);
                assert!(holds || !frame.rect.overlaps(&shape.rect), "seed {seed}: {:?} in {}", shape.lines, frame.name);
            }
        }
    });
}

#[test]
fn lines_run_along_the_axes_and_through_nothing() {
    each(|seed, drawing| {
        for line in &drawing.lines {
            assert!(line.points.len() > 1, "seed {seed}: a line needs two ends");
            let parts = line.points.windows(2).map(|w| (w[0], w[1]));
            for (a, b) in parts {
                assert!(a.x == b.x || a.y == b.y, "seed {seed}: a line runs aslant");
                let part = Rect {
                    x: a.x.min(b.x),
                    y: a.y.min(b.y),
                    width: (a.x - b.x).abs().max(1),
                    height: (a.y - b.y).abs().max(1),
                };
                for (i, shape) in drawing.shapes.iter().enumerate() {
                    let own = i == line.source || i == line.target;
                    assert!(
                        own || !part.overlaps(&inside(&shape.rect)),
                        "seed {seed}: a line through {:?}",
                        shape.lines
                    );
                }
                for frame in &drawing.frames {
                    assert!(!part.overlaps(&frame.title), "seed {seed}: a line through the name {}", frame.name);
                }
            }
            for (at, shape) in [(line.points[0], line.source), (line.points[line.points.len() - 1], line.target)] {
                let r = drawing.shapes[shape].rect;
                let touches = (r.x..=r.right()).contains(&at.x) && (r.y..=r.bottom()).contains(&at.y);
                assert!(touches, "seed {seed}: a line ends beside {:?}", drawing.shapes[shape].lines);
            }
        }
    });
}

#[test]
fn texts_do_not_lie_on_each_other() {
    each(|seed, drawing| {
        let measures = measure(drawing);
        let bad = (measures.texts_on_texts, measures.texts_on_shapes, measures.lines_through_shapes);
        assert_eq!(bad, (0, 0, 0), "seed {seed}: {measures:?}");
    });
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    for seed in 1..=100 {
        let [one, two] = [false, true].map(|s| written(&layout(&common::random(seed, 30, s), &Options::default())));
        assert_eq!(one, two, "seed {seed}: the order of building shows");
    }
}

/// A part of a line as a rectangle of no width, or of no height.
fn parts(drawing: &Drawing) -> Vec<(usize, Rect)> {
    let part = |i: usize, a: &kubestride_diagram::Point, b: &kubestride_diagram::Point| {
        let (width, height) = ((a.x - b.x).abs(), (a.y - b.y).abs());
        (i, Rect { x: a.x.min(b.x), y: a.y.min(b.y), width, height })
    };
    let lines = drawing.lines.iter().enumerate();
    lines.flat_map(|(i, l)| l.points.windows(2).map(move |w| part(i, &w[0], &w[1]))).collect()
}

#[test]
fn lines_to_different_ends_do_not_lie_on_each_other() {
    each(|seed, drawing| {
        let parts = parts(drawing);
        for (i, (a, ra)) in parts.iter().enumerate() {
            for (b, rb) in &parts[..i] {
                let (la, lb) = (&drawing.lines[*a], &drawing.lines[*b]);
                if la.target == lb.target {
                    continue;
                }
                let lying = ra.height == 0 && rb.height == 0 && ra.y == rb.y && ra.x < rb.right() && rb.x < ra.right();
                let standing =
                    ra.width == 0 && rb.width == 0 && ra.x == rb.x && ra.y < rb.bottom() && rb.y < ra.bottom();
                assert!(!lying && !standing, "seed {seed}: {:?} and {:?} at {ra:?} {rb:?}", la.tooltip, lb.tooltip);
            }
        }
    });
}

#[test]
fn no_foreign_line_runs_through_a_text() {
    each(|seed, drawing| {
        for (line, part) in parts(drawing) {
            for label in &drawing.labels {
                let area = Rect { width: part.width.max(1), height: part.height.max(1), ..part };
                assert!(
                    !area.overlaps(&label.rect),
                    "seed {seed}: {:?} through {:?}",
                    drawing.lines[line].tooltip,
                    label
                );
            }
        }
    });
}

/// Where each shape stands within its frame.
fn within_frames(drawing: &Drawing) -> std::collections::BTreeMap<String, (i32, i32)> {
    let place = |s: &kubestride_diagram::Shape| {
        let origin = s.frame.map_or((0, 0), |f| (drawing.frames[f].rect.x, drawing.frames[f].rect.y));
        (s.identities[0].clone(), (s.rect.x - origin.0, s.rect.y - origin.1))
    };
    drawing.shapes.iter().map(place).collect()
}

#[test]
fn a_new_name_moves_little() {
    let (mut same, mut all) = (0, 0);
    for seed in 1..=300 {
        let [before, after] = [false, true].map(|renamed| {
            let model = common::random_renamed(seed, 25, renamed);
            within_frames(&layout(&model, &Options::default()))
        });
        for (identity, place) in before.iter().filter(|(identity, _)| !identity.ends_with("-0")) {
            all += 1;
            same += usize::from(after.get(identity) == Some(place));
        }
    }
    // Names decide the order where nothing else does, so a shape that is sorted elsewhere moves those that it passes.
    assert!(same * 100 >= all * 80, "{same} of {all} shapes stay where they are in their boundary");
}
