//! How large a node is, and where its parts are.

use crate::drawing::{Rect, ShapeKind};
use crate::graph::Node;
use crate::select::NAME_SIZE;
use crate::text;

/// Height of a line of a name.
pub(crate) const LINE: i32 = 15;
/// Font size of captions, labels and small stores.
pub(crate) const SMALL_SIZE: i32 = 10;
/// Height of a caption.
pub(crate) const CAPTION: i32 = 12;
/// Space above a node with flows to itself.
const LOOP: i32 = 22;
/// Widest text of a small store.
const ATTACHED_WIDTH: i32 = 150;
const ATTACHED_HEIGHT: i32 = 19;
const ATTACHED_GAP: i32 = 15;

/// The parts of a node, from its upper left corner.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeBox {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) shape: Rect,
    pub(crate) attached: Option<Rect>,
}

/// The text of small stores, cut to fit.
pub(crate) fn attached_text(text: &str) -> String {
    text::fit(text, SMALL_SIZE, ATTACHED_WIDTH - 16)
}

/// Measures a node whose pins on its busier side need `span`.
pub(crate) fn measure(node: &Node, span: i32) -> NodeBox {
    let widest = node.lines.iter().map(|l| text::width(l, NAME_SIZE)).max().unwrap_or(0);
    let caption = if node.caption.is_empty() { 0 } else { CAPTION };
    let caption_width = text::width(&node.caption, SMALL_SIZE);
    let content = node.lines.len() as i32 * LINE + caption;
    let (width, height) = match node.kind {
        ShapeKind::Process => {
            // The corners of the text must stay inside the ellipse, and pins off its flat upper and lower ends.
            let width = if node.lines.len() > 1 { widest * 5 / 4 + 18 } else { widest * 9 / 8 + 22 };
            (width.max(92), (content + 24).max(span * 4 / 3 + 12))
        }
        ShapeKind::External | ShapeKind::Summary => {
            ((widest.max(caption_width) + 28).max(92), (content + 20).max(span + 24))
        }
        ShapeKind::Store => ((widest.max(caption_width) + 20).max(80), (content + 14).max(span + 18)),
    };
    let above = if node.own_flows.is_some() { LOOP } else { 0 };
    let mut full = width;
    if let Some(own) = &node.own_flows {
        full = full.max(text::width(&own.label, SMALL_SIZE) + 16);
    }
    let attached = node.attached.as_ref().map(|a| {
        let w = text::width(&attached_text(&a.text), SMALL_SIZE) + 16;
        full = full.max(w);
        Rect { x: 0, y: above + height + ATTACHED_GAP, width: w, height: ATTACHED_HEIGHT }
    });
    let center = |rect: Rect| Rect { x: (full - rect.width) / 2, ..rect };
    let total = attached.map_or(above + height, |a| a.bottom());
    NodeBox {
        width: full,
        height: total,
        shape: center(Rect { x: 0, y: above, width, height }),
        attached: attached.map(center),
    }
}

/// The side of a shape at height `y`, where a line ends.
pub(crate) fn side(kind: ShapeKind, rect: &Rect, y: i32, left: bool) -> i32 {
    let inset = match kind {
        ShapeKind::Process => {
            let (rx, ry) = (f64::from(rect.width) / 2.0, f64::from(rect.height) / 2.0);
            let away = ((f64::from(y - rect.y) - ry) / ry).clamp(-1.0, 1.0);
            (rx - rx * (1.0 - away * away).sqrt()).round() as i32
        }
        _ => 0,
    };
    if left { rect.x + inset } else { rect.right() - inset }
}
