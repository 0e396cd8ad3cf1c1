//! Whether a flow crosses a boundary, as Threat Modeling Tool sees it.

use crate::surface::{Area, Curve};

type Point = (f64, f64);

/// A quadratic Bézier curve by its control points.
type Bezier = [Point; 3];

/// How often curves are halved to find out whether they meet: to less than a thousandth of a unit for any drawing.
const HALVINGS: u32 = 26;

/// Most pairs of pieces that are looked at: two curves that lie on each other meet everywhere.
const MOST_PAIRS: u32 = 20_000;

/// A flow crosses a border if exactly one of its two end points lies inside.
pub fn crosses_border(flow: &Curve, border: &Area) -> bool {
    let inside = |(x, y): Point| {
        (border.left..=border.left + border.width).contains(&x)
            && (border.top..=border.top + border.height).contains(&y)
    };
    inside(flow.source) != inside(flow.target)
}

/// A flow crosses a line boundary if the two curves meet.
pub fn crosses_line(flow: &Curve, line: &Curve) -> bool {
    let mut pairs = MOST_PAIRS;
    meet(&bezier(flow), &bezier(line), HALVINGS, &mut pairs)
}

/// The curve passes through its handle, so the control point lies beyond.
fn bezier(curve: &Curve) -> Bezier {
    let ((ax, ay), (hx, hy), (bx, by)) = (curve.source, curve.handle, curve.target);
    [curve.source, (2.0 * hx - (ax + bx) / 2.0, 2.0 * hy - (ay + by) / 2.0), curve.target]
}

/// The points of a curve, `count` pieces long.
pub fn points(curve: &Curve, count: u32) -> Vec<Point> {
    let [a, c, b] = bezier(curve);
    let at = |i: u32| {
        let t = f64::from(i) / f64::from(count.max(1));
        let mix = |a: f64, c: f64, b: f64| (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * c + t * t * b;
        (mix(a.0, c.0, b.0), mix(a.1, c.1, b.1))
    };
    (0..=count).map(at).collect()
}

/// Whether curves meet: their boxes do, and so do those of some of their halves, down to nothing.
fn meet(one: &Bezier, other: &Bezier, halvings: u32, pairs: &mut u32) -> bool {
    if !boxes_meet(one, other) {
        return false;
    }
    if halvings == 0 || *pairs == 0 {
        return true;
    }
    *pairs -= 1;
    let (a, b) = halves(one);
    let (c, d) = halves(other);
    [&a, &b].iter().any(|x| [&c, &d].iter().any(|y| meet(x, y, halvings - 1, pairs)))
}

fn boxes_meet(one: &Bezier, other: &Bezier) -> bool {
    let range = |curve: &Bezier, axis: fn(&Point) -> f64| {
        let values = curve.iter().map(axis);
        (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
    };
    let overlap = |axis: fn(&Point) -> f64| {
        let ((a, b), (c, d)) = (range(one, axis), range(other, axis));
        a <= d && c <= b
    };
    overlap(|p| p.0) && overlap(|p| p.1)
}

fn halves([a, c, b]: &Bezier) -> (Bezier, Bezier) {
    let middle = |p: &Point, q: &Point| ((p.0 + q.0) / 2.0, (p.1 + q.1) / 2.0);
    let (left, right) = (middle(a, c), middle(c, b));
    let center = middle(&left, &right);
    ([*a, left, center], [center, right, *b])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight(source: Point, target: Point) -> Curve {
        Curve { source, target, handle: ((source.0 + target.0) / 2.0, (source.1 + target.1) / 2.0) }
    }

    #[test]
    fn lines_cross_where_their_curves_meet() {
        let flow = straight((0.0, 0.0), (10.0, 10.0));
        assert!(crosses_line(&flow, &straight((0.0, 10.0), (10.0, 0.0))));
        assert!(!crosses_line(&flow, &straight((0.0, 10.0), (4.0, 6.5))));
        assert!(!crosses_line(&flow, &straight((1.0, 0.0), (11.0, 10.0))));
        assert!(crosses_line(&flow, &flow), "a curve lies on itself");
    }

    #[test]
    fn curves_pass_through_their_handle() {
        // The control point lies at (5, 20): the curve itself reaches up to 10.
        let bent = Curve { source: (0.0, 0.0), handle: (5.0, 10.0), target: (10.0, 0.0) };
        assert_eq!(points(&bent, 2)[1], (5.0, 10.0));
        assert!(crosses_line(&bent, &straight((0.0, 9.0), (10.0, 9.0))));
        assert!(!crosses_line(&bent, &straight((0.0, 11.0), (10.0, 11.0))));
    }

    #[test]
    fn borders_are_crossed_by_flows_with_one_end_inside() {
        let border = Area { left: 0.0, top: 0.0, width: 10.0, height: 10.0 };
        assert!(crosses_border(&straight((5.0, 5.0), (20.0, 5.0)), &border));
        assert!(!crosses_border(&straight((5.0, 5.0), (6.0, 6.0)), &border));
        // Through it, with both ends outside.
        assert!(!crosses_border(&straight((-5.0, 5.0), (20.0, 5.0)), &border));
    }
}
