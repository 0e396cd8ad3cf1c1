//! From the model to what is drawn: implicit flows are left out, flows between the same two elements become one line,
//! and stores that only one element of their namespace uses are drawn small beside it.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{BoundaryId, BoundaryKind, Confidence, ElementId, ElementKind, Flow, FlowId, FlowKind, Model};

use crate::drawing::ShapeKind;
use crate::graph::{Attached, Bundle, Edge, Graph, Group, Node};
use crate::text;

/// Widest line of a name, in pixels.
const NAME_WIDTH: i32 = 150;
/// Font size of names.
pub(crate) const NAME_SIZE: i32 = 12;
/// Most identities that a tooltip names.
const MOST_NAMED: usize = 12;

/// The boundary that an element is drawn in. Workload boundaries are not drawn.
pub(crate) fn drawn_boundary(model: &Model, element: ElementId) -> BoundaryId {
    let inner = model.element(element).boundary;
    model.enclosing(inner).find(|(_, b)| b.kind != BoundaryKind::Workload).map_or(inner, |(id, _)| id)
}

/// The flows that are drawn, by their two ends.
pub(crate) fn bundles(model: &Model) -> BTreeMap<(ElementId, ElementId), Vec<FlowId>> {
    let mut bundles: BTreeMap<_, Vec<FlowId>> = BTreeMap::new();
    for (id, flow) in model.flows().filter(|(_, f)| !f.implicit) {
        bundles.entry((flow.source, flow.target)).or_default().push(id);
    }
    bundles
}

/// What a picture shows of a model.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// The flows that are drawn, by their two ends.
    flows: BTreeMap<(ElementId, ElementId), Vec<FlowId>>,
    /// The elements that are drawn.
    elements: BTreeSet<ElementId>,
    /// How many elements belong to the picture and found no room.
    left_out: usize,
}

impl Part {
    /// Everything but what only serves all.
    pub(crate) fn whole(model: &Model) -> Self {
        let background: BTreeSet<ElementId> = background(model).collect();
        let elements = model.elements().map(|(id, _)| id).filter(|id| !background.contains(id)).collect();
        Part { flows: bundles(model), elements, left_out: 0 }
    }

    /// What lies in a boundary, with everything that it talks to.
    pub(crate) fn of_boundary(model: &Model, boundary: BoundaryId, most: usize) -> Self {
        let inside = |id: ElementId| model.enclosing(model.element(id).boundary).any(|(b, _)| b == boundary);
        let members: BTreeSet<ElementId> = model.elements().map(|(id, _)| id).filter(|id| inside(*id)).collect();
        Self::around(model, &members, most)
    }

    /// An element, with everything that it talks to.
    pub(crate) fn of_element(model: &Model, element: ElementId, most: usize) -> Self {
        Self::around(model, &BTreeSet::from([element]), most)
    }

    /// Some elements and their neighbours, as far as there is room: who talks most comes first.
    fn around(model: &Model, members: &BTreeSet<ElementId>, most: usize) -> Self {
        let touching = |(a, b): &(ElementId, ElementId)| members.contains(a) || members.contains(b);
        let mut flows = bundles(model);
        flows.retain(|ends, _| touching(ends));
        let mut weight: BTreeMap<ElementId, usize> = members.iter().map(|m| (*m, 0)).collect();
        for ((source, target), list) in &flows {
            *weight.entry(*source).or_default() += list.len();
            *weight.entry(*target).or_default() += list.len();
        }
        let mut ranked: Vec<ElementId> = weight.keys().copied().collect();
        ranked.sort_by_key(|id| (!members.contains(id), std::cmp::Reverse(weight.get(id).copied()), *id));
        let elements: BTreeSet<ElementId> = ranked.iter().take(most).copied().collect();
        flows.retain(|(source, target), _| elements.contains(source) && elements.contains(target));
        Part { left_out: ranked.len() - elements.len(), flows, elements }
    }
}

/// The shapes and lines of a part of a model.
pub(crate) fn graph(model: &Model, part: &Part) -> Graph {
    let bundles = &part.flows;
    let attached = private_stores(model, part);
    let mut graph = Graph { groups: vec![Group::default()], left_out: part.left_out, ..Graph::default() };
    let mut groups = Groups::new(model, bundles);
    let mut node_of: BTreeMap<ElementId, usize> = BTreeMap::new();
    let mut left_out: BTreeSet<ElementId> = attached.values().flatten().copied().collect();
    unused_stores(model, part, &mut graph, &mut groups, &mut left_out);
    for &id in part.elements.iter().filter(|id| !left_out.contains(id)) {
        let group = groups.of(&mut graph, id);
        let mut node = node(model, id, group);
        node.own_flows = bundles.get(&(id, id)).map(|flows| bundle(model, flows));
        node.attached = attached.get(&id).map(|stores| attach(model, id, stores, bundles));
        node_of.insert(id, graph.nodes.len());
        graph.nodes.push(node);
    }
    for ((source, target), flows) in bundles {
        if let (Some(&source), Some(&target)) = (node_of.get(source), node_of.get(target))
            && source != target
        {
            graph.edges.push(Edge { source, target, bundle: bundle(model, flows) });
        }
    }
    graph
}

/// What only implicit flows reach: name servers, kubelets, image registries.
pub(crate) fn background(model: &Model) -> impl Iterator<Item = ElementId> {
    let implicit = |flows: &[FlowId]| flows.iter().all(|f| model.flow(*f).implicit);
    let serves_all = |id: ElementId, kind: ElementKind| {
        let boundary = model.boundary(drawn_boundary(model, id)).kind;
        let of_cluster = matches!(boundary, BoundaryKind::Cluster | BoundaryKind::ControlPlane | BoundaryKind::Node);
        kind == ElementKind::External || (kind == ElementKind::Process && of_cluster)
    };
    let ids = model.elements().filter(move |(id, e)| serves_all(*id, e.kind)).map(|(id, _)| id);
    ids.filter(move |id| {
        let (incoming, outgoing) = (model.incoming(*id), model.outgoing(*id));
        !(incoming.is_empty() && outgoing.is_empty()) && implicit(incoming) && implicit(outgoing)
    })
}

/// Several stores of one boundary that nothing in the input uses become one shape.
fn unused_stores(
    model: &Model,
    part: &Part,
    graph: &mut Graph,
    groups: &mut Groups<'_>,
    left_out: &mut BTreeSet<ElementId>,
) {
    let mut unused: BTreeMap<BoundaryId, Vec<ElementId>> = BTreeMap::new();
    for &id in &part.elements {
        let alone = model.incoming(id).is_empty() && model.outgoing(id).is_empty();
        if model.element(id).kind == ElementKind::Store && alone && !left_out.contains(&id) {
            unused.entry(drawn_boundary(model, id)).or_default().push(id);
        }
    }
    for stores in unused.into_values().filter(|s| s.len() > 2) {
        let Some(first) = stores.first() else { continue };
        let group = groups.of(graph, *first);
        let identity = model.text(model.element(*first).identity).to_owned();
        let name = |s: &ElementId| {
            format!("{} {}", stencil_name(model, *s), text::visible(model.text(model.element(*s).name)))
        };
        graph.nodes.push(Node {
            identity,
            kind: ShapeKind::Store,
            lines: vec![group_name(model, &stores)],
            caption: "not used in this input".to_owned(),
            tooltip: listing(stores.iter().map(name)),
            group,
            attached: None,
            own_flows: None,
        });
        left_out.extend(stores);
    }
}

/// `3 Secrets`, or `3 stores` if they are of several kinds.
fn group_name(model: &Model, stores: &[ElementId]) -> String {
    let kinds: BTreeSet<&str> = stores.iter().map(|s| stencil_name(model, *s)).collect();
    match kinds.first() {
        Some(kind) if kinds.len() == 1 => format!("{} {kind}s", stores.len()),
        _ => format!("{} stores", stores.len()),
    }
}

/// Makes groups of boundaries as they are needed, so that empty ones are not drawn.
pub(crate) struct Groups<'m> {
    model: &'m Model,
    by_boundary: BTreeMap<(BoundaryId, bool), usize>,
    /// Parties outside that call nobody, where there are others that do: the two stand on two sides of the picture.
    called: BTreeSet<ElementId>,
}

impl<'m> Groups<'m> {
    pub(crate) fn new(model: &'m Model, bundles: &BTreeMap<(ElementId, ElementId), Vec<FlowId>>) -> Self {
        let sources: BTreeSet<ElementId> = bundles.keys().map(|(source, _)| *source).collect();
        let targets: BTreeSet<ElementId> = bundles.keys().map(|(_, target)| *target).collect();
        let outside = |id: &ElementId| model.boundary(drawn_boundary(model, *id)).kind == BoundaryKind::Internet;
        let outside: Vec<ElementId> = model.elements().map(|(id, _)| id).filter(outside).collect();
        let two_sides = outside.iter().any(|id| sources.contains(id))
            && outside.iter().any(|id| targets.contains(id) && !sources.contains(id));
        let called = outside.into_iter().filter(|id| two_sides && !sources.contains(id)).collect();
        Self { model, by_boundary: BTreeMap::new(), called }
    }

    /// Whether an element stands among the parties outside that are only called.
    pub(crate) fn is_called(&self, element: ElementId) -> bool {
        self.called.contains(&element)
    }

    /// The group of an element.
    pub(crate) fn of(&mut self, graph: &mut Graph, element: ElementId) -> usize {
        self.group(graph, drawn_boundary(self.model, element), self.called.contains(&element))
    }

    /// The group of a boundary.
    pub(crate) fn group(&mut self, graph: &mut Graph, id: BoundaryId, called: bool) -> usize {
        if let Some(group) = self.by_boundary.get(&(id, called)) {
            return *group;
        }
        let boundary = self.model.boundary(id);
        let parent = boundary.parent.map_or(0, |parent| self.group(graph, parent, false));
        graph.groups.push(Group {
            identity: self.model.text(boundary.identity).to_owned(),
            name: boundary_name(self.model, id),
            kind: boundary.kind.as_str(),
            parent,
        });
        self.by_boundary.insert((id, called), graph.groups.len() - 1);
        graph.groups.len() - 1
    }
}

/// The name of a boundary in pictures.
pub(crate) fn boundary_name(model: &Model, id: BoundaryId) -> String {
    let boundary = model.boundary(id);
    let name = text::visible(model.text(boundary.name));
    match boundary.kind {
        BoundaryKind::Namespace => format!("Namespace {name}"),
        _ => name,
    }
}

/// The stores that one element of their boundary uses and nobody else, by that element.
fn private_stores(model: &Model, part: &Part) -> BTreeMap<ElementId, Vec<ElementId>> {
    let mut owned: BTreeMap<ElementId, Vec<ElementId>> = BTreeMap::new();
    for &id in part.elements.iter().filter(|id| model.element(**id).kind == ElementKind::Store) {
        let drawn = |flow: &&FlowId| !model.flow(**flow).implicit;
        let callers = model.incoming(id).iter().filter(drawn).map(|f| model.flow(*f).source);
        let called = model.outgoing(id).iter().filter(drawn).map(|f| model.flow(*f).target);
        let others: BTreeSet<ElementId> = callers.chain(called).collect();
        let Some(user) = others.first().filter(|_| others.len() == 1) else { continue };
        let is_user = model.element(*user).kind == ElementKind::Process && part.flows.contains_key(&(*user, id));
        if is_user && *user != id && drawn_boundary(model, *user) == drawn_boundary(model, id) {
            owned.entry(*user).or_default().push(id);
        }
    }
    owned
}

fn stencil_name(model: &Model, id: ElementId) -> &str {
    model.vocabulary().stencil(model.element(id).stencil).map_or("", |s| &s.name)
}

fn attach(
    model: &Model,
    user: ElementId,
    stores: &[ElementId],
    bundles: &BTreeMap<(ElementId, ElementId), Vec<FlowId>>,
) -> Attached {
    let flows: Vec<FlowId> = stores.iter().filter_map(|s| bundles.get(&(user, *s))).flatten().copied().collect();
    let name = |id: &ElementId| text::visible(model.text(model.element(*id).name));
    let text = match stores {
        [one] => name(one),
        many => group_name(model, many),
    };
    let described = stores.iter().map(|s| format!("{} {}", stencil_name(model, *s), name(s)));
    let identities = stores.iter().map(|s| model.text(model.element(*s).identity).to_owned()).collect();
    Attached { text, tooltip: listing(described), identities, flows: bundle(model, &flows) }
}

fn node(model: &Model, id: ElementId, group: usize) -> Node {
    let element = model.element(id);
    let name = model.text(element.name);
    let stencil = stencil_name(model, id);
    let kind = match element.kind {
        ElementKind::Process => ShapeKind::Process,
        ElementKind::External => ShapeKind::External,
        ElementKind::Store => ShapeKind::Store,
    };
    // What a process is, a reader sees from its shape; what a store or an outside party is, he does not.
    let told = kind != ShapeKind::Process && !stencil.eq_ignore_ascii_case(name);
    Node {
        identity: model.text(element.identity).to_owned(),
        kind,
        lines: text::two_lines(name, NAME_SIZE, NAME_WIDTH),
        caption: if told { stencil.to_owned() } else { String::new() },
        tooltip: format!("{stencil} {}", text::visible(name)),
        group,
        attached: None,
        own_flows: None,
    }
}

/// Flows that become one line.
fn bundle(model: &Model, flows: &[FlowId]) -> Bundle {
    let texts = flows.iter().map(|id| {
        let flow = model.flow(*id);
        let name = |e: ElementId| text::visible(model.text(model.element(e).name));
        let unsure = if flow.confidence == Confidence::Certain { "" } else { flow.confidence.as_str() };
        let parts = [label(model, flow), unsure.to_owned()];
        let said = parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        let said = if said.is_empty() { said } else { format!(" ({said})") };
        format!("{} → {}{said}", name(flow.source), name(flow.target))
    });
    let label = match flows {
        [] => String::new(),
        [one] => label(model, model.flow(*one)),
        many => {
            let labels: BTreeSet<String> = many.iter().map(|f| label(model, model.flow(*f))).collect();
            let first = labels.first().filter(|_| labels.len() == 1);
            first.cloned().unwrap_or_else(|| format!("{} flows", many.len()))
        }
    };
    // Flows between the same ends cross the same boundaries.
    let crossed = flows.first().map_or(&[][..], |first| model.crossings(model.flow(*first).crosses));
    let crossed: Vec<String> = crossed.iter().map(|b| boundary_name(model, *b)).collect();
    let crosses = if crossed.is_empty() { String::new() } else { format!("\nCrosses {}", crossed.join(", ")) };
    Bundle {
        label,
        dashed: flows.iter().all(|f| model.flow(*f).confidence == Confidence::Possible),
        tooltip: listing(texts) + &crosses,
        identities: flows.iter().map(|f| model.text(model.flow(*f).identity).to_owned()).collect(),
    }
}

/// What a line says: `HTTP 8080`, `read-write`, `API`.
pub(crate) fn label(model: &Model, flow: &Flow) -> String {
    let protocol = Some(text::visible(model.text(flow.protocol))).filter(|p| p != "-" && !p.is_empty());
    let what = match flow.kind {
        FlowKind::Store => flow.access.map(|a| a.as_str().to_owned()).or(protocol),
        FlowKind::Api => protocol.or_else(|| Some("API".to_owned())),
        _ => protocol,
    };
    let port = flow.port.map(|p| p.to_string());
    let text = what.into_iter().chain(port).collect::<Vec<_>>().join(" ");
    text::fit(&text, 10, 90)
}

/// One per line, and how many more there are.
pub(crate) fn listing(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(MOST_NAMED);
    let mut lines: Vec<String> = items.take(MOST_NAMED).collect();
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}
