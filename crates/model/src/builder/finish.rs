//! From drafts to tables that are sorted and shared.

use std::collections::HashMap;

use super::drafts::Several;
use super::{Builder, NO_EVIDENCE};
use crate::distinct_names::distinct_names;
use crate::model::Attributes;
use crate::{
    Adjacency, AttributeId, Boundary, BoundaryId, ContainerId, ControlId, CrossingSetId, Element, ElementId, Evidence,
    EvidenceRange, Flow, FlowId, Model, NameId, SubjectRef, Symbol, Symbols, Value,
};

/// The state of turning drafts into shared tables.
pub(super) struct Finisher {
    builder: Builder,
    model: Model,
    value_sets: HashMap<Box<[(AttributeId, Value)]>, u32>,
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
    pub(super) fn new(builder: Builder) -> Self {
        let mut this = Self { builder, model: Model::default(), value_sets: HashMap::new(), several: HashMap::new() };
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

    /// Where evidence lies. What several items share mostly follows each other, and lies there once.
    fn evidence_run(&mut self, evidence: Several) -> EvidenceRange {
        let Some(first) = evidence.first else { return NO_EVIDENCE };
        let table = &mut self.model.evidence;
        if evidence.more.is_empty() {
            if table.last() != Some(&first) {
                table.push(first);
            }
            return EvidenceRange { start: table.len() as u32 - 1, len: 1 };
        }
        let mut all = evidence.more;
        all.insert(0, first);
        if let Some(range) = self.several.get(&all) {
            return *range;
        }
        let range = EvidenceRange { start: table.len() as u32, len: all.len() as u32 };
        table.extend(&all);
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

    pub(super) fn run(mut self) -> Model {
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
        let mut symbols = symbols;
        model.distinct_names = distinct_names(&elements, &mut symbols);
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
