//! The built model.

use crate::{
    Access, Adjacency, AttributeId, BoundaryId, BoundaryKind, Confidence, ContainerId, ControlId, CrossingSetId,
    ElementId, ElementKind, Evidence, EvidenceRange, FlowId, FlowKind, NameId, StencilId, SubjectRef, Symbol, Symbols,
    Value, Vocabulary,
};

/// The attribute values of one subject: a shared set of values, and where each of them comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) values: u32,
    pub(crate) evidence_start: u32,
    pub(crate) evidence_len: u32,
}

/// A process, an external interactor or a store.
#[derive(Debug, Clone)]
pub struct Element {
    /// `Kind/namespace/name` and the like; unique in the model.
    pub identity: Symbol,
    /// The name for people.
    pub name: Symbol,
    /// Process, external or store.
    pub kind: ElementKind,
    /// Its type.
    pub stencil: StencilId,
    /// The innermost boundary that holds it.
    pub boundary: BoundaryId,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
    pub(crate) containers: (u32, u32),
}

/// A container of a workload.
#[derive(Debug, Clone)]
pub struct Container {
    /// `<workload>#<name>`.
    pub identity: Symbol,
    /// The name for people.
    pub name: Symbol,
    /// Its type: ordinary, init or sidecar container.
    pub stencil: StencilId,
    /// The workload it is part of.
    pub workload: ElementId,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
}

/// Data that moves from the party that opens the connection to the party that accepts it.
#[derive(Debug, Clone)]
pub struct Flow {
    /// `<source>-><target>:<kind>:<protocol>/<port or ->`.
    pub identity: Symbol,
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
    /// The port that the caller uses, if known.
    pub port: Option<u16>,
    /// `TCP`, `HTTP`, `PostgreSQL` …, or `-` where it has none.
    pub protocol: Symbol,
    /// The Service, Ingress or Gateway it travels through, by identity.
    pub via: Option<Symbol>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Every workload has such a flow (DNS, probes, image pulls): folded in diagrams.
    pub implicit: bool,
    /// The boundaries that hold exactly one of its ends, outermost first.
    pub crosses: CrossingSetId,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
}

/// A trust boundary.
#[derive(Debug, Clone)]
pub struct Boundary {
    /// `Namespace/shop`, `cluster`, `internet` …
    pub identity: Symbol,
    /// The name for people.
    pub name: Symbol,
    /// What border it stands for.
    pub kind: BoundaryKind,
    /// Its type.
    pub stencil: StencilId,
    /// The boundary around it.
    pub parent: Option<BoundaryId>,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
}

/// An object that mitigates threats or means to.
#[derive(Debug, Clone)]
pub struct Control {
    /// `NetworkPolicy/shop/default-deny` and the like.
    pub identity: Symbol,
    /// The name for people.
    pub name: Symbol,
    /// Its type.
    pub stencil: StencilId,
    /// The boundary in which it applies.
    pub boundary: BoundaryId,
    /// The elements it applies to, sorted.
    pub applies_to: Box<[ElementId]>,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
}

/// A name in front of workloads.
#[derive(Debug, Clone)]
pub struct Name {
    /// `Service/shop/cart`.
    pub identity: Symbol,
    /// The name for people.
    pub name: Symbol,
    /// Its type.
    pub stencil: StencilId,
    /// The boundary in which it applies.
    pub boundary: BoundaryId,
    /// The workloads behind it, sorted.
    pub targets: Box<[ElementId]>,
    /// Why it is in the model.
    pub evidence: EvidenceRange,
    pub(crate) attributes: Attributes,
}

/// A data-flow diagram.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) symbols: Symbols,
    pub(crate) elements: Vec<Element>,
    /// For each element the name that tells it apart.
    pub(crate) distinct_names: Vec<Symbol>,
    pub(crate) containers: Vec<Container>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) boundaries: Vec<Boundary>,
    pub(crate) controls: Vec<Control>,
    pub(crate) names: Vec<Name>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) value_sets: Vec<Box<[(AttributeId, Value)]>>,
    pub(crate) attribute_evidence: Vec<(AttributeId, EvidenceRange)>,
    pub(crate) crossing_sets: Vec<Box<[BoundaryId]>>,
    pub(crate) outgoing: Adjacency,
    pub(crate) incoming: Adjacency,
}

/// A table of the model with its typed index.
macro_rules! table {
    ($($(#[$doc:meta])* $field:ident, $(#[$one_doc:meta])* $one:ident: $id:ident => $item:ty;)*) => {$(
        $(#[$doc])*
        pub fn $field(&self) -> impl ExactSizeIterator<Item = ($id, &$item)> + DoubleEndedIterator {
            self.$field.iter().enumerate().map(|(i, item)| ($id(i as u32), item))
        }

        $(#[$one_doc])*
        ///
        /// # Panics
        /// If the id is of another model.
        pub fn $one(&self, id: $id) -> &$item {
            &self.$field[id.index()]
        }
    )*};
}

impl Model {
    table! {
        /// All elements, sorted by identity.
        elements,
        /// One element.
        element: ElementId => Element;
        /// All containers, sorted by identity.
        containers,
        /// One container.
        container: ContainerId => Container;
        /// All flows, sorted by identity.
        flows,
        /// One flow.
        flow: FlowId => Flow;
        /// All boundaries, parents before children.
        boundaries,
        /// One boundary.
        boundary: BoundaryId => Boundary;
        /// All controls, sorted by identity.
        controls,
        /// One control.
        control: ControlId => Control;
        /// All names, sorted by identity.
        names,
        /// One name.
        name: NameId => Name;
    }

    /// The stencils and attributes in use.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The string of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// The symbol of a string that occurs in the model.
    pub fn find_symbol(&self, text: &str) -> Option<Symbol> {
        self.symbols.find(text)
    }

    /// The pieces of evidence of a run.
    pub fn evidence(&self, range: EvidenceRange) -> &[Evidence] {
        self.evidence.get(range.start as usize..(range.start + range.len) as usize).unwrap_or(&[])
    }

    /// The flows that start at an element.
    pub fn outgoing(&self, element: ElementId) -> &[FlowId] {
        self.outgoing.of(element)
    }

    /// The flows that end at an element.
    pub fn incoming(&self, element: ElementId) -> &[FlowId] {
        self.incoming.of(element)
    }

    /// The containers of a workload, in order of identity.
    pub fn containers_of(&self, element: ElementId) -> impl Iterator<Item = (ContainerId, &Container)> {
        let (start, len) = self.element(element).containers;
        (start..start + len).map(|i| (ContainerId(i), &self.containers[i as usize]))
    }

    /// The boundaries of a crossing set, outermost first.
    pub fn crossings(&self, set: CrossingSetId) -> &[BoundaryId] {
        self.crossing_sets.get(set.index()).map_or(&[], |s| s)
    }

    /// The boundary, the one around it, and so on.
    pub fn enclosing(&self, boundary: BoundaryId) -> impl Iterator<Item = (BoundaryId, &Boundary)> {
        std::iter::successors(Some(boundary), |b| self.boundary(*b).parent).map(|b| (b, self.boundary(b)))
    }

    /// The type of a subject.
    pub fn stencil_of(&self, subject: SubjectRef) -> StencilId {
        match subject {
            SubjectRef::Element(id) => self.element(id).stencil,
            SubjectRef::Flow(id) => self.flow(id).stencil,
            SubjectRef::Boundary(id) => self.boundary(id).stencil,
            SubjectRef::Container(id) => self.container(id).stencil,
            SubjectRef::Control(id) => self.control(id).stencil,
            SubjectRef::Name(id) => self.name(id).stencil,
        }
    }

    /// The identity of a subject.
    pub fn identity_of(&self, subject: SubjectRef) -> &str {
        self.text(match subject {
            SubjectRef::Element(id) => self.element(id).identity,
            SubjectRef::Flow(id) => self.flow(id).identity,
            SubjectRef::Boundary(id) => self.boundary(id).identity,
            SubjectRef::Container(id) => self.container(id).identity,
            SubjectRef::Control(id) => self.control(id).identity,
            SubjectRef::Name(id) => self.name(id).identity,
        })
    }

    /// The name of a subject for people: elements of one name are told apart by kind or namespace. A flow is named by
    /// its ends.
    pub fn name_of(&self, subject: SubjectRef) -> String {
        let distinct = |e: ElementId| self.distinct_names.get(e.index()).copied().unwrap_or(self.element(e).name);
        let symbol = match subject {
            SubjectRef::Element(id) => distinct(id),
            SubjectRef::Boundary(id) => self.boundary(id).name,
            SubjectRef::Container(id) => self.container(id).name,
            SubjectRef::Control(id) => self.control(id).name,
            SubjectRef::Name(id) => self.name(id).name,
            SubjectRef::Flow(id) => {
                let flow = self.flow(id);
                let end = |e: ElementId| self.text(distinct(e));
                return format!("{} → {}", end(flow.source), end(flow.target));
            }
        };
        self.text(symbol).to_owned()
    }

    /// The port of a flow where another flow of its kind has the same ends, with the protocol where they share the port,
    /// too.
    pub fn distinct_port(&self, id: FlowId) -> Option<String> {
        let flow = self.flow(id);
        let (out, into) = (self.outgoing(flow.source), self.incoming(flow.target));
        let shorter = if out.len() < into.len() { out } else { into };
        let others = || {
            let all = shorter.iter().filter(|other| **other != id).map(|other| self.flow(*other));
            all.filter(|o| (o.source, o.target, o.kind) == (flow.source, flow.target, flow.kind))
        };
        let port = flow.port.filter(|_| others().next().is_some())?;
        let shared = others().any(|other| other.port == flow.port);
        Some(if shared { format!("{port}/{}", self.text(flow.protocol)) } else { port.to_string() })
    }

    /// Why a subject is in the model.
    pub fn evidence_of(&self, subject: SubjectRef) -> &[Evidence] {
        self.evidence(match subject {
            SubjectRef::Element(id) => self.element(id).evidence,
            SubjectRef::Flow(id) => self.flow(id).evidence,
            SubjectRef::Boundary(id) => self.boundary(id).evidence,
            SubjectRef::Container(id) => self.container(id).evidence,
            SubjectRef::Control(id) => self.control(id).evidence,
            SubjectRef::Name(id) => self.name(id).evidence,
        })
    }

    fn attributes_of(&self, subject: SubjectRef) -> Attributes {
        match subject {
            SubjectRef::Element(id) => self.element(id).attributes,
            SubjectRef::Flow(id) => self.flow(id).attributes,
            SubjectRef::Boundary(id) => self.boundary(id).attributes,
            SubjectRef::Container(id) => self.container(id).attributes,
            SubjectRef::Control(id) => self.control(id).attributes,
            SubjectRef::Name(id) => self.name(id).attributes,
        }
    }

    /// The value of an attribute: what was set, else its default; `None` if things of this type do not have it.
    pub fn value(&self, subject: SubjectRef, attribute: AttributeId) -> Option<Value> {
        let set = self.value_sets.get(self.attributes_of(subject).values as usize)?;
        if let Ok(at) = set.binary_search_by_key(&attribute, |(a, _)| *a) {
            return set.get(at).map(|(_, v)| *v);
        }
        let has = self.vocabulary.has_attribute(self.stencil_of(subject), attribute);
        has.then(|| self.vocabulary.attribute(attribute).map_or(Value::Unknown, |a| a.default))
    }

    /// The attributes that were set on a subject, in order of their ids. Those at their defaults are not among them.
    pub fn values(&self, subject: SubjectRef) -> &[(AttributeId, Value)] {
        self.value_sets.get(self.attributes_of(subject).values as usize).map_or(&[], |s| s)
    }

    /// Where the value of an attribute comes from; empty if nothing set it.
    pub fn value_evidence(&self, subject: SubjectRef, attribute: AttributeId) -> &[Evidence] {
        let attributes = self.attributes_of(subject);
        let range = attributes.evidence_start as usize..(attributes.evidence_start + attributes.evidence_len) as usize;
        let entries = self.attribute_evidence.get(range).unwrap_or(&[]);
        match entries.binary_search_by_key(&attribute, |(a, _)| *a) {
            Ok(at) => entries.get(at).map_or(&[], |(_, range)| self.evidence(*range)),
            Err(_) => &[],
        }
    }

    /// A value as people write it.
    pub fn value_text(&self, attribute: AttributeId, value: Value) -> String {
        let names = self.vocabulary.attribute(attribute).map_or(&[][..], |a| a.domain.names());
        match value {
            Value::Unknown => "Unknown".to_owned(),
            Value::Choice(at) => names.get(at as usize).map_or(String::new(), |n| n.to_string()),
            Value::Set(bits) => {
                let named = names.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, n)| n.as_ref());
                named.collect::<Vec<_>>().join(", ")
            }
            Value::Number(number) => number.to_string(),
            Value::Text(symbol) => self.text(symbol).to_owned(),
        }
    }
}
