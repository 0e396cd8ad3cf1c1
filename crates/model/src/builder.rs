//! From claims in any order to a model with one order.

use std::collections::HashMap;

use crate::model::Attributes;
use crate::{
    Access, Adjacency, AttributeId, Boundary, BoundaryId, BoundaryKind, Confidence, Container, ContainerId, Control,
    ControlId, CrossingSetId, Element, ElementId, ElementKind, Evidence, EvidenceRange, Flow, FlowId, FlowKind, Model,
    Name, NameId, Origin, StencilId, SubjectRef, Symbol, Symbols, Value, Vocabulary,
};

/// What is set on one subject while building.
#[derive(Debug, Default)]
struct Draft {
    /// In order of the attributes.
    values: Vec<(AttributeId, Value, Several)>,
    evidence: Several,
}

/// Pieces of evidence: seldom more than one.
#[derive(Debug, Default)]
struct Several {
    first: Option<Evidence>,
    more: Vec<Evidence>,
}

impl Several {
    fn add(&mut self, evidence: Evidence) {
        match self.first {
            None => self.first = Some(evidence),
            Some(first) if first == evidence || self.more.contains(&evidence) => {}
            Some(_) => self.more.push(evidence),
        }
    }
}

/// The drafts of all subjects, a list for each kind of them.
#[derive(Debug, Default)]
struct Drafts([Vec<Draft>; 6]);

impl Drafts {
    fn place(subject: SubjectRef) -> (usize, usize) {
        match subject {
            SubjectRef::Element(id) => (0, id.index()),
            SubjectRef::Container(id) => (1, id.index()),
            SubjectRef::Flow(id) => (2, id.index()),
            SubjectRef::Boundary(id) => (3, id.index()),
            SubjectRef::Control(id) => (4, id.index()),
            SubjectRef::Name(id) => (5, id.index()),
        }
    }

    fn get(&self, subject: SubjectRef) -> Option<&Draft> {
        let (kind, at) = Self::place(subject);
        self.0.get(kind)?.get(at)
    }

    /// The draft of a subject that was added to the builder.
    fn of(&mut self, subject: SubjectRef) -> Option<&mut Draft> {
        let (kind, at) = Self::place(subject);
        let drafts = self.0.get_mut(kind)?;
        if drafts.len() <= at {
            drafts.resize_with(at + 1, Draft::default);
        }
        drafts.get_mut(at)
    }
}

/// A flow to add; what is not set is found out from the ends.
#[derive(Debug, Clone, Copy)]
pub struct FlowDraft<'a> {
    /// An identity of its own, where it has one; else it is made of its ends, its kind and its port.
    pub identity: Option<&'a str>,
    /// Who opens the connection.
    pub source: ElementId,
    /// Who accepts it.
    pub target: ElementId,
    /// Why data moves.
    pub kind: FlowKind,
    /// Its type.
    pub stencil: StencilId,
    /// For flows to stores.
    pub access: Option<Access>,
    /// The port that the caller uses.
    pub port: Option<u16>,
    /// The protocol, `-` if it has none.
    pub protocol: &'a str,
    /// The identity of the Service, Ingress or Gateway it travels through.
    pub via: Option<&'a str>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether every workload has such a flow.
    pub implicit: bool,
}

/// Builds a [`Model`]. Adding a thing whose identity is there already gives the thing that is there, with the new
/// evidence added; flows keep the higher confidence and the wider access.
#[derive(Debug)]
pub struct Builder {
    vocabulary: Vocabulary,
    symbols: Symbols,
    elements: Vec<Element>,
    containers: Vec<Container>,
    flows: Vec<Flow>,
    boundaries: Vec<Boundary>,
    controls: Vec<Control>,
    names: Vec<Name>,
    drafts: Drafts,
    by_identity: HashMap<(u8, Symbol), u32>,
    crossings: HashMap<Symbol, Vec<BoundaryId>>,
}

const NO_ATTRIBUTES: Attributes = Attributes { values: 0, evidence_start: 0, evidence_len: 0 };
const NO_EVIDENCE: EvidenceRange = EvidenceRange { start: 0, len: 0 };

impl Builder {
    /// A builder for models of one vocabulary.
    pub fn new(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            symbols: Symbols::default(),
            elements: Vec::new(),
            containers: Vec::new(),
            flows: Vec::new(),
            boundaries: Vec::new(),
            controls: Vec::new(),
            names: Vec::new(),
            drafts: Drafts::default(),
            by_identity: HashMap::new(),
            crossings: HashMap::new(),
        }
    }

    /// The symbol of a text.
    pub fn intern(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// A piece of evidence.
    pub fn evidence(&mut self, origin: Origin, span: Option<kubestride_source::Span>, note: &str) -> Evidence {
        Evidence { origin, span, note: self.symbols.intern(note) }
    }

    fn known(&mut self, table: u8, identity: Symbol, next: usize) -> Result<u32, u32> {
        match self.by_identity.entry((table, identity)) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(*entry.get()),
            std::collections::hash_map::Entry::Vacant(entry) => Err(*entry.insert(next as u32)),
        }
    }

    fn explain(&mut self, subject: SubjectRef, evidence: Evidence) {
        if let Some(draft) = self.drafts.of(subject) {
            draft.evidence.add(evidence);
        }
    }

    /// Adds a boundary. Its parent must have been added before.
    pub fn boundary(
        &mut self,
        identity: &str,
        name: &str,
        kind: BoundaryKind,
        stencil: StencilId,
        parent: Option<BoundaryId>,
        evidence: Evidence,
    ) -> BoundaryId {
        let (identity, name) = (self.symbols.intern(identity), self.symbols.intern(name));
        let id = match self.known(2, identity, self.boundaries.len()) {
            Ok(id) => BoundaryId(id),
            Err(id) => {
                let attributes = NO_ATTRIBUTES;
                self.boundaries.push(Boundary {
                    identity,
                    name,
                    kind,
                    stencil,
                    parent,
                    evidence: NO_EVIDENCE,
                    attributes,
                });
                BoundaryId(id)
            }
        };
        self.explain(SubjectRef::Boundary(id), evidence);
        id
    }

    /// Adds an element.
    pub fn element(
        &mut self,
        identity: &str,
        name: &str,
        kind: ElementKind,
        stencil: StencilId,
        boundary: BoundaryId,
        evidence: Evidence,
    ) -> ElementId {
        let (identity, name) = (self.symbols.intern(identity), self.symbols.intern(name));
        let id = match self.known(0, identity, self.elements.len()) {
            Ok(id) => ElementId(id),
            Err(id) => {
                self.elements.push(Element {
                    identity,
                    name,
                    kind,
                    stencil,
                    boundary,
                    evidence: NO_EVIDENCE,
                    attributes: NO_ATTRIBUTES,
                    containers: (0, 0),
                });
                ElementId(id)
            }
        };
        self.explain(SubjectRef::Element(id), evidence);
        id
    }

    /// The element with this identity, if it was added.
    pub fn find_element(&self, identity: &str) -> Option<ElementId> {
        let identity = self.symbols.find(identity)?;
        self.by_identity.get(&(0, identity)).map(|id| ElementId(*id))
    }

    /// Adds evidence for an element that was added.
    pub fn explain_element(&mut self, element: ElementId, evidence: Evidence) {
        self.explain(SubjectRef::Element(element), evidence);
    }

    /// The identity of an element.
    pub fn identity(&self, element: ElementId) -> &str {
        self.elements.get(element.index()).map_or("", |e| self.symbols.text(e.identity))
    }

    /// Adds a container of a workload.
    pub fn container(
        &mut self,
        workload: ElementId,
        name: &str,
        stencil: StencilId,
        evidence: Evidence,
    ) -> ContainerId {
        let identity = format!("{}#{name}", self.identity(workload));
        let (identity, name) = (self.symbols.intern(&identity), self.symbols.intern(name));
        let id = match self.known(3, identity, self.containers.len()) {
            Ok(id) => ContainerId(id),
            Err(id) => {
                let attributes = NO_ATTRIBUTES;
                self.containers.push(Container {
                    identity,
                    name,
                    stencil,
                    workload,
                    evidence: NO_EVIDENCE,
                    attributes,
                });
                ContainerId(id)
            }
        };
        self.explain(SubjectRef::Container(id), evidence);
        id
    }

    /// Adds a control.
    pub fn control(
        &mut self,
        identity: &str,
        name: &str,
        stencil: StencilId,
        boundary: BoundaryId,
        applies_to: Vec<ElementId>,
        evidence: Evidence,
    ) -> ControlId {
        let (identity, name) = (self.symbols.intern(identity), self.symbols.intern(name));
        let id = match self.known(4, identity, self.controls.len()) {
            Ok(id) => ControlId(id),
            Err(id) => {
                self.controls.push(Control {
                    identity,
                    name,
                    stencil,
                    boundary,
                    applies_to: applies_to.into(),
                    evidence: NO_EVIDENCE,
                    attributes: NO_ATTRIBUTES,
                });
                ControlId(id)
            }
        };
        self.explain(SubjectRef::Control(id), evidence);
        id
    }

    /// Adds a name in front of workloads.
    pub fn name(
        &mut self,
        identity: &str,
        name: &str,
        stencil: StencilId,
        boundary: BoundaryId,
        targets: Vec<ElementId>,
        evidence: Evidence,
    ) -> NameId {
        let (identity, name) = (self.symbols.intern(identity), self.symbols.intern(name));
        let id = match self.known(5, identity, self.names.len()) {
            Ok(id) => NameId(id),
            Err(id) => {
                self.names.push(Name {
                    identity,
                    name,
                    stencil,
                    boundary,
                    targets: targets.into(),
                    evidence: NO_EVIDENCE,
                    attributes: NO_ATTRIBUTES,
                });
                NameId(id)
            }
        };
        self.explain(SubjectRef::Name(id), evidence);
        id
    }

    /// Adds a flow.
    pub fn flow(&mut self, draft: FlowDraft<'_>, evidence: Evidence) -> FlowId {
        let port = draft.port.map_or("-".to_owned(), |p| p.to_string());
        let made = || {
            let (source, target) = (self.identity(draft.source), self.identity(draft.target));
            format!("{source}->{target}:{}:{}/{port}", draft.kind.as_str(), draft.protocol)
        };
        let identity = draft.identity.map_or_else(made, str::to_owned);
        let (identity, protocol) = (self.symbols.intern(&identity), self.symbols.intern(draft.protocol));
        let via = draft.via.map(|v| self.symbols.intern(v));
        let id = match self.known(1, identity, self.flows.len()) {
            Ok(id) => {
                if let Some(flow) = self.flows.get_mut(id as usize) {
                    flow.confidence = flow.confidence.max(draft.confidence);
                    flow.implicit &= draft.implicit;
                    flow.via = flow.via.or(via);
                    flow.access = match (flow.access, draft.access) {
                        (Some(a), Some(b)) if a != b => Some(Access::ReadWrite),
                        (a, b) => a.or(b),
                    };
                }
                FlowId(id)
            }
            Err(id) => {
                self.flows.push(Flow {
                    identity,
                    source: draft.source,
                    target: draft.target,
                    kind: draft.kind,
                    stencil: draft.stencil,
                    access: draft.access,
                    port: draft.port,
                    protocol,
                    via,
                    confidence: draft.confidence,
                    implicit: draft.implicit,
                    crosses: CrossingSetId(0),
                    evidence: NO_EVIDENCE,
                    attributes: NO_ATTRIBUTES,
                });
                FlowId(id)
            }
        };
        self.explain(SubjectRef::Flow(id), evidence);
        id
    }

    /// Says which boundaries a flow crosses, where that is not decided by which of them hold its ends.
    pub fn set_crossings(&mut self, flow: FlowId, crossed: Vec<BoundaryId>) {
        if let Some(flow) = self.flows.get(flow.index()) {
            self.crossings.insert(flow.identity, crossed);
        }
    }

    /// Sets an attribute. A later call replaces the value and its evidence.
    pub fn set(&mut self, subject: SubjectRef, attribute: AttributeId, value: Value, evidence: Evidence) {
        let Some(draft) = self.drafts.of(subject) else { return };
        let new = (attribute, value, Several { first: Some(evidence), more: Vec::new() });
        match draft.values.binary_search_by_key(&attribute, |(a, ..)| *a) {
            Ok(at) => {
                if let Some(value) = draft.values.get_mut(at) {
                    *value = new;
                }
            }
            Err(at) => draft.values.insert(at, new),
        }
    }

    /// Adds evidence to an attribute that was set.
    pub fn also(&mut self, subject: SubjectRef, attribute: AttributeId, evidence: Evidence) {
        let draft = self.drafts.of(subject);
        if let Some((.., list)) = draft.and_then(|d| d.values.iter_mut().find(|(a, ..)| *a == attribute)) {
            list.add(evidence);
        }
    }

    /// The value that was set so far.
    pub fn get(&self, subject: SubjectRef, attribute: AttributeId) -> Option<Value> {
        self.drafts.get(subject)?.values.iter().find(|(a, ..)| *a == attribute).map(|(_, value, _)| *value)
    }

    /// Flows added so far.
    pub fn flows(&self) -> impl Iterator<Item = (FlowId, &Flow)> {
        self.flows.iter().enumerate().map(|(i, f)| (FlowId(i as u32), f))
    }

    /// Elements added so far.
    pub fn elements(&self) -> impl Iterator<Item = (ElementId, &Element)> {
        self.elements.iter().enumerate().map(|(i, e)| (ElementId(i as u32), e))
    }

    /// Sorts, shares and freezes.
    pub fn finish(self) -> Model {
        Finisher::new(self).run()
    }
}

/// The state of turning drafts into shared tables.
struct Finisher {
    builder: Builder,
    model: Model,
    value_sets: HashMap<Box<[(AttributeId, Value)]>, u32>,
    single: HashMap<Evidence, EvidenceRange>,
    several: HashMap<Vec<Evidence>, EvidenceRange>,
}

/// For each old position the new one, after sorting by text.
fn order_by_identity(symbols: &Symbols, identities: impl Iterator<Item = Symbol>) -> Vec<u32> {
    let mut order: Vec<(u32, Symbol)> = identities.enumerate().map(|(i, s)| (i as u32, s)).collect();
    order.sort_by(|a, b| symbols.text(a.1).cmp(symbols.text(b.1)));
    let mut new = vec![0; order.len()];
    for (position, (old, _)) in order.into_iter().enumerate() {
        if let Some(slot) = new.get_mut(old as usize) {
            *slot = position as u32;
        }
    }
    new
}

/// The items in their new order.
fn permute<T>(items: Vec<T>, new: &[u32]) -> Vec<T> {
    let mut keyed: Vec<(u32, T)> = new.iter().copied().zip(items).collect();
    keyed.sort_by_key(|(position, _)| *position);
    keyed.into_iter().map(|(_, item)| item).collect()
}

impl Finisher {
    fn new(builder: Builder) -> Self {
        let mut this = Self {
            builder,
            model: Model::default(),
            value_sets: HashMap::new(),
            single: HashMap::new(),
            several: HashMap::new(),
        };
        this.value_set(Box::default());
        this.model.crossing_sets.push(Box::default());
        this
    }

    fn value_set(&mut self, values: Box<[(AttributeId, Value)]>) -> u32 {
        if let Some(id) = self.value_sets.get(&values) {
            return *id;
        }
        let id = self.model.value_sets.len() as u32;
        self.model.value_sets.push(values.clone());
        self.value_sets.insert(values, id);
        id
    }

    /// Where evidence lies; the same evidence lies there once.
    fn evidence_run(&mut self, evidence: Several) -> EvidenceRange {
        let Some(first) = evidence.first else { return NO_EVIDENCE };
        let table = &mut self.model.evidence;
        let mut add = |all: &[Evidence]| {
            let range = EvidenceRange { start: table.len() as u32, len: all.len() as u32 };
            table.extend(all);
            range
        };
        if evidence.more.is_empty() {
            return *self.single.entry(first).or_insert_with(|| add(&[first]));
        }
        let mut all = evidence.more;
        all.insert(0, first);
        if let Some(range) = self.several.get(&all) {
            return *range;
        }
        let range = add(&all);
        self.several.insert(all, range);
        range
    }

    fn freeze(&mut self, subject: SubjectRef) -> (EvidenceRange, Attributes) {
        let draft = self.builder.drafts.of(subject).map(std::mem::take).unwrap_or_default();
        let values = draft.values.iter().map(|(a, v, _)| (*a, *v)).collect();
        let values = self.value_set(values);
        let evidence_start = self.model.attribute_evidence.len() as u32;
        for (attribute, _, evidence) in draft.values {
            let range = self.evidence_run(evidence);
            self.model.attribute_evidence.push((attribute, range));
        }
        let evidence_len = self.model.attribute_evidence.len() as u32 - evidence_start;
        (self.evidence_run(draft.evidence), Attributes { values, evidence_start, evidence_len })
    }

    fn run(mut self) -> Model {
        macro_rules! freeze_all {
            ($($field:ident: $id:ident as $subject:ident),*) => {$(
                for index in 0..self.builder.$field.len() {
                    let (evidence, attributes) = self.freeze(SubjectRef::$subject($id(index as u32)));
                    if let Some(item) = self.builder.$field.get_mut(index) {
                        item.evidence = evidence;
                        item.attributes = attributes;
                    }
                }
            )*};
        }
        freeze_all!(
            elements: ElementId as Element, containers: ContainerId as Container, flows: FlowId as Flow,
            boundaries: BoundaryId as Boundary, controls: ControlId as Control, names: NameId as Name
        );
        let Builder {
            vocabulary,
            symbols,
            mut elements,
            mut containers,
            mut flows,
            boundaries,
            mut controls,
            mut names,
            crossings,
            ..
        } = self.builder;
        let mut model = self.model;

        let element_order = order_by_identity(&symbols, elements.iter().map(|e| e.identity));
        let renumber = |id: ElementId| ElementId(element_order.get(id.index()).copied().unwrap_or(id.0));
        for flow in &mut flows {
            (flow.source, flow.target) = (renumber(flow.source), renumber(flow.target));
        }
        for container in &mut containers {
            container.workload = renumber(container.workload);
        }
        for list in controls.iter_mut().map(|c| &mut c.applies_to).chain(names.iter_mut().map(|n| &mut n.targets)) {
            list.iter_mut().for_each(|id| *id = renumber(*id));
            list.sort();
        }
        elements = permute(elements, &element_order);
        let order = order_by_identity(&symbols, flows.iter().map(|f| f.identity));
        flows = permute(flows, &order);
        let order = order_by_identity(&symbols, controls.iter().map(|c| c.identity));
        controls = permute(controls, &order);
        let order = order_by_identity(&symbols, names.iter().map(|n| n.identity));
        names = permute(names, &order);

        // Containers lie together by workload, and within it by identity.
        containers.sort_by(|a, b| {
            a.workload.cmp(&b.workload).then_with(|| symbols.text(a.identity).cmp(symbols.text(b.identity)))
        });
        for (index, container) in containers.iter().enumerate() {
            if let Some(workload) = elements.get_mut(container.workload.index()) {
                if workload.containers.1 == 0 {
                    workload.containers.0 = index as u32;
                }
                workload.containers.1 += 1;
            }
        }

        cross(&mut model, &mut flows, &elements, &boundaries);
        for flow in flows.iter_mut().filter(|f| crossings.contains_key(&f.identity)) {
            let crossed = crossings.get(&flow.identity).cloned().unwrap_or_default();
            flow.crosses = CrossingSetId(model.crossing_sets.len() as u32);
            model.crossing_sets.push(crossed.into());
        }
        model.outgoing = Adjacency::new(elements.len(), flows.iter().map(|f| f.source));
        model.incoming = Adjacency::new(elements.len(), flows.iter().map(|f| f.target));
        Model { vocabulary, symbols, elements, containers, flows, boundaries, controls, names, ..model }
    }
}

/// Stores for each flow the boundaries that hold exactly one of its ends, outermost first.
fn cross(model: &mut Model, flows: &mut [Flow], elements: &[Element], boundaries: &[Boundary]) {
    let chain = |element: ElementId| {
        let inner = elements.get(element.index()).map(|e| e.boundary);
        let parent = |b: &BoundaryId| boundaries.get(b.index()).and_then(|b| b.parent);
        let mut chain: Vec<BoundaryId> = std::iter::successors(inner, parent).collect();
        chain.reverse();
        chain
    };
    let mut by_ends: HashMap<(Option<BoundaryId>, Option<BoundaryId>), CrossingSetId> = HashMap::new();
    for flow in flows {
        let inner = |e: ElementId| elements.get(e.index()).map(|e| e.boundary);
        let ends = (inner(flow.source), inner(flow.target));
        flow.crosses = *by_ends.entry(ends).or_insert_with(|| {
            if ends.0 == ends.1 {
                return CrossingSetId(0);
            }
            let (from, to) = (chain(flow.source), chain(flow.target));
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            let depth = |chain: &[BoundaryId]| chain.iter().copied().enumerate().skip(shared).collect::<Vec<_>>();
            let mut crossed = depth(&from);
            crossed.extend(depth(&to));
            crossed.sort_by_key(|(depth, _)| *depth);
            model.crossing_sets.push(crossed.into_iter().map(|(_, boundary)| boundary).collect());
            CrossingSetId(model.crossing_sets.len() as u32 - 1)
        });
    }
}
