//! The picture of a model that is too large for one: a box for each boundary with what is in it, and between boxes how
//! many flows there are.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{BoundaryId, BoundaryKind, ElementId, ElementKind, Model};

use crate::Options;
use crate::drawing::ShapeKind;
use crate::graph::{Bundle, Edge, Graph, Group, Node};
use crate::select::{Groups, background, boundary_name, bundles, drawn_boundary};
use crate::text;

/// Most identities of flows that a line carries.
const MOST_FLOWS: usize = 50;

/// Boundaries as boxes.
pub(crate) fn overview(model: &Model, options: &Options) -> Graph {
    let bundles = bundles(model);
    let mut groups = Groups::new(model, &bundles);
    let mut graph = Graph { groups: vec![Group::default()], overview: true, ..Graph::default() };
    let mut contents: BTreeMap<(BoundaryId, bool), Vec<ElementId>> = BTreeMap::new();
    let background: BTreeSet<ElementId> = background(model).collect();
    for (id, _) in model.elements().filter(|(id, _)| !background.contains(id)) {
        contents.entry((drawn_boundary(model, id), groups.is_called(id))).or_default().push(id);
    }
    let kept = largest(model, &contents, options.most_shapes);

    let mut boxes: BTreeMap<(BoundaryId, bool), usize> = BTreeMap::new();
    let mut rest: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut node_of: BTreeMap<ElementId, usize> = BTreeMap::new();
    for (key, elements) in &contents {
        let boundary = model.boundary(key.0);
        // What lies directly in a boundary around others has its box inside of it.
        let holds_others = matches!(boundary.kind, BoundaryKind::Cluster | BoundaryKind::CloudAccount);
        let around = if holds_others { Some(key.0) } else { boundary.parent };
        let parent = around.map_or(0, |p| groups.group(&mut graph, p, false));
        let node = if kept.contains(key) {
            let name = boundary_name(model, key.0);
            let identity = model.text(boundary.identity).to_owned();
            let node = push(&mut graph, identity, &name, counts(model, elements), parent);
            boxes.insert(*key, node);
            node
        } else {
            // Small boundaries share one box per parent.
            let entry = rest.entry(parent).or_insert_with(|| {
                let node = push(&mut graph, "~".to_owned(), "", String::new(), parent);
                (node, 0)
            });
            entry.1 += 1;
            entry.0
        };
        node_of.extend(elements.iter().map(|e| (*e, node)));
    }
    for (node, count) in rest.values() {
        graph.nodes[*node].lines = vec![format!("{count} more boundaries")];
    }

    let mut between: BTreeMap<(usize, usize), (usize, Vec<String>)> = BTreeMap::new();
    for ((source, target), flows) in &bundles {
        let (Some(&a), Some(&b)) = (node_of.get(source), node_of.get(target)) else { continue };
        if a != b {
            let entry = between.entry((a, b)).or_default();
            entry.0 += flows.len();
            let room = MOST_FLOWS.saturating_sub(entry.1.len());
            entry.1.extend(flows.iter().take(room).map(|f| model.text(model.flow(*f).identity).to_owned()));
        }
    }
    // Where there are too many lines, the thinnest are left out.
    let mut sizes: Vec<usize> = between.values().map(|(count, _)| *count).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let thin = sizes.get(options.most_lines).copied().unwrap_or(0);
    for ((source, target), (count, identities)) in between {
        if count > thin {
            let label = if count == 1 { "1 flow".to_owned() } else { format!("{count} flows") };
            let tooltip = format!("{} → {}: {label}", graph.nodes[source].tooltip, graph.nodes[target].tooltip);
            let bundle = Bundle { label, dashed: false, tooltip, identities };
            graph.edges.push(Edge { source, target, bundle });
        }
    }
    graph
}

/// The boundaries that have a box of their own: those with most elements.
fn largest(
    model: &Model,
    contents: &BTreeMap<(BoundaryId, bool), Vec<ElementId>>,
    most: usize,
) -> BTreeSet<(BoundaryId, bool)> {
    let mut keys: Vec<_> = contents.iter().collect();
    let always = |id: BoundaryId| model.boundary(id).kind != BoundaryKind::Namespace;
    keys.sort_by_key(|((id, called), elements)| {
        (!always(*id), std::cmp::Reverse(elements.len()), model.text(model.boundary(*id).identity), *called)
    });
    keys.into_iter().take(most).map(|(key, _)| *key).collect()
}

fn counts(model: &Model, elements: &[ElementId]) -> String {
    let count = |kind: ElementKind| elements.iter().filter(|e| model.element(**e).kind == kind).count();
    let text = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let parts = [
        text(count(ElementKind::Process), "process", "processes"),
        text(count(ElementKind::Store), "store", "stores"),
        text(count(ElementKind::External), "external party", "external parties"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn push(graph: &mut Graph, identity: String, name: &str, counts: String, group: usize) -> usize {
    let mut lines = vec![text::fit(name, 12, 190)];
    if !counts.is_empty() {
        lines.push(counts);
    }
    graph.nodes.push(Node {
        identity,
        kind: ShapeKind::Summary,
        lines,
        caption: String::new(),
        tooltip: name.to_owned(),
        group,
        attached: None,
        own_flows: None,
    });
    graph.nodes.len() - 1
}
