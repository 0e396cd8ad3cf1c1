//! Typed indices into a [`Model`](crate::Model).

macro_rules! id {
    ($(#[$doc:meta] $name:ident($int:ty)),* $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The id as a position in the table it belongs to.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

id! {
    /// A process, an external interactor or a store.
    ElementId(u32),
    /// A flow between two elements.
    FlowId(u32),
    /// A trust boundary.
    BoundaryId(u32),
    /// A container of a workload.
    ContainerId(u32),
    /// An object that mitigates or means to.
    ControlId(u32),
    /// A name in front of workloads: a Kubernetes Service.
    NameId(u32),
    /// A set of crossed boundaries, shared by flows.
    CrossingSetId(u32),
    /// A type of element, flow, boundary, container or control.
    StencilId(u16),
    /// A named property with a declared domain.
    AttributeId(u16),
}

/// What a threat or a filter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectRef {
    /// An element.
    Element(ElementId),
    /// A flow.
    Flow(FlowId),
    /// A trust boundary.
    Boundary(BoundaryId),
    /// A container.
    Container(ContainerId),
    /// A control.
    Control(ControlId),
    /// A name.
    Name(NameId),
}

impl SubjectRef {
    /// `element`, `flow`, `boundary`, `container`, `control` or `name`.
    pub fn kind(self) -> &'static str {
        match self {
            SubjectRef::Element(_) => "element",
            SubjectRef::Flow(_) => "flow",
            SubjectRef::Boundary(_) => "boundary",
            SubjectRef::Container(_) => "container",
            SubjectRef::Control(_) => "control",
            SubjectRef::Name(_) => "name",
        }
    }
}
