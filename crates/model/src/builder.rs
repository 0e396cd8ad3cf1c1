//! From claims in any order to a model with one order.

mod drafts;
mod finish;

use std::collections::HashMap;

use crate::model::Attributes;
use crate::{
    Access, AttributeId, Boundary, BoundaryId, BoundaryKind, Confidence, Container, ContainerId, Control, ControlId,
    CrossingSetId, Element, ElementId, ElementKind, Evidence, EvidenceRange, Flow, FlowId, FlowKind, Model, Name,
    NameId, Origin, StencilId, SubjectRef, Symbol, Symbols, Value, Vocabulary,
};
use drafts::{Drafts, Several};
use finish::Finisher;

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
        let new = (attribute, value, Several::from(evidence));
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
