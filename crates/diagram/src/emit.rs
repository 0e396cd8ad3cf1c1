//! From a layout to a drawing.

use std::collections::BTreeMap;

use crate::drawing::{Drawing, Frame, Label, Line, Point, Rect, Shape, ShapeKind};
use crate::graph::{Bundle, Graph, Node};
use crate::nest::{Layout, TITLE, TITLE_SIZE, layout};
use crate::nets::Topology;
use crate::size::{SMALL_SIZE, attached_text};
use crate::{route, text};

/// Free space around the picture.
const PAGE: i32 = 4;

/// Draws a graph.
pub(crate) fn draw(graph: &Graph) -> Drawing {
    let topology = Topology::new(graph);
    let layout = layout(graph, &topology);
    let mut drawing = Drawing {
        width: layout.groups[0].width.max(120) + 2 * PAGE,
        height: layout.groups[0].height.max(40) + 2 * PAGE,
        overview: graph.overview,
        left_out: graph.left_out,
        ..Drawing::default()
    };
    for (i, group) in graph.groups.iter().enumerate().skip(1) {
        let rect = layout.groups[i];
        let name = text::fit(&group.name, TITLE_SIZE, rect.width - 16);
        drawing.frames.push(Frame {
            rect,
            title: Rect { x: rect.x + 8, y: rect.y + 5, width: text::width(&name, TITLE_SIZE), height: TITLE - 8 },
            name,
            identity: group.identity.clone(),
            kind: group.kind,
            parent: group.parent.checked_sub(1),
        });
    }
    for (i, node) in graph.nodes.iter().enumerate() {
        drawing.shapes.push(Shape {
            rect: layout.shape(i),
            kind: node.kind,
            lines: node.lines.clone(),
            caption: node.caption.clone(),
            tooltip: node.tooltip.clone(),
            identities: vec![node.identity.clone()],
            frame: node.group.checked_sub(1),
            small: false,
        });
    }
    for (i, node) in graph.nodes.iter().enumerate() {
        extras(&mut drawing, &layout, i, node);
    }
    let mut lines: BTreeMap<(usize, &str, usize), Vec<usize>> = BTreeMap::new();
    for (i, edge) in graph.edges.iter().enumerate() {
        let points = route::route(graph, &topology, &layout, i);
        lines.entry((edge.target, &edge.bundle.label, edge.source)).or_default().push(drawing.lines.len());
        drawing.lines.push(line(points, edge.source, edge.target, &edge.bundle));
    }
    for (i, net) in topology.nets.iter().enumerate() {
        if let Some(rect) = route::label(graph, &topology, &layout, i) {
            let of = |source: &usize| lines.get(&(net.target, net.label.as_str(), *source)).into_iter().flatten();
            let lines = net.sources.iter().flat_map(of).copied().collect();
            drawing.labels.push(Label { rect, lines, text: net.label.clone() });
        }
    }
    drawing
}

fn line(points: Vec<Point>, source: usize, target: usize, bundle: &Bundle) -> Line {
    Line {
        points,
        source,
        target,
        dashed: bundle.dashed,
        tooltip: bundle.tooltip.clone(),
        identities: bundle.identities.clone(),
    }
}

/// Stores below a node, and its flows to itself.
fn extras(drawing: &mut Drawing, layout: &Layout, index: usize, node: &Node) {
    let shape = layout.shape(index);
    let (x, y) = layout.nodes[index];
    if let (Some(attached), Some(rect)) = (&node.attached, layout.boxes[index].attached) {
        let rect = rect.moved(x, y);
        let middle = shape.center().x;
        drawing.shapes.push(Shape {
            rect,
            kind: ShapeKind::Store,
            lines: vec![attached_text(&attached.text)],
            caption: String::new(),
            tooltip: attached.tooltip.clone(),
            identities: attached.identities.clone(),
            frame: node.group.checked_sub(1),
            small: true,
        });
        let points = vec![Point { x: middle, y: shape.bottom() }, Point { x: middle, y: rect.y }];
        drawing.lines.push(line(points, index, drawing.shapes.len() - 1, &attached.flows));
    }
    if let Some(own) = &node.own_flows {
        let center = shape.center();
        // High enough on an ellipse that both ends touch it.
        let (left, right) = (center.x - 12, center.x + 12);
        let top = shape.y - 8;
        let end = shape.y + 2;
        let corners = [(left, end), (left, top), (right, top), (right, end)];
        drawing.lines.push(line(corners.map(|(x, y)| Point { x, y }).to_vec(), index, index, own));
        let width = text::width(&own.label, SMALL_SIZE);
        if width > 0 {
            let rect = Rect { x: center.x - width / 2, y: top - SMALL_SIZE - 3, width, height: SMALL_SIZE + 2 };
            let lines = vec![drawing.lines.len() - 1];
            drawing.labels.push(Label { rect, lines, text: own.label.clone() });
        }
    }
}
