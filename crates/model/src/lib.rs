//! The data-flow diagram as plain data: elements, flows, trust boundaries, controls and their attributes.
//!
//! The model knows no Kubernetes and no file format. What types of things there are, and which attributes they have, is
//! said by a [`Vocabulary`]; the Kubernetes one lives in the crate `stencils`. Ids are `u32` newtypes, strings are
//! interned [`Symbol`]s, sets of attribute values and sets of crossed boundaries are shared between subjects, and
//! adjacency is stored as offsets and targets. A [`Model`] is built once by a [`Builder`] and never changes.
//!
//! Invariants of a built model: every id is in range; boundaries form a forest in which a parent comes before its
//! children; elements, flows, containers, controls and names are sorted by identity, and identities are unique.

mod adjacency;
mod builder;
mod distinct_names;
mod evidence;
mod ids;
mod kinds;
mod model;
mod symbol;
mod vocabulary;

pub use adjacency::Adjacency;
pub use builder::{Builder, FlowDraft};
pub use evidence::{Evidence, EvidenceRange, Origin};
pub use ids::{
    AttributeId, BoundaryId, ContainerId, ControlId, CrossingSetId, ElementId, FlowId, NameId, StencilId, SubjectRef,
};
pub use kinds::{Access, BoundaryKind, Confidence, ElementKind, FlowKind};
pub use model::{Boundary, Container, Control, Element, Flow, Model, Name};
pub use symbol::{Symbol, Symbols};
pub use vocabulary::{AttributeDef, Domain, Role, StencilDef, Value, Vocabulary};
