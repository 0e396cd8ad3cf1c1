//! Types of things and their attributes.

use std::borrow::Cow;

use crate::{AttributeId, StencilId, Symbol};

/// What a stencil is a type of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A process.
    Process,
    /// An external interactor.
    External,
    /// A store.
    Store,
    /// A flow.
    Flow,
    /// A trust boundary.
    Boundary,
    /// A container of a workload.
    Container,
    /// A control.
    Control,
    /// A name in front of workloads.
    Name,
}

impl Role {
    /// Whether the stencil is a type of element.
    pub fn is_element(self) -> bool {
        matches!(self, Role::Process | Role::External | Role::Store)
    }
}

/// The values an attribute may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// One of these.
    Choice(Cow<'static, [Cow<'static, str>]>),
    /// Any number of these (at most 64).
    Set(Cow<'static, [Cow<'static, str>]>),
    /// A whole number.
    Number,
    /// Any text.
    Text,
}

impl Domain {
    /// The named values of a choice or a set.
    pub fn names(&self) -> &[Cow<'static, str>] {
        match self {
            Domain::Choice(names) | Domain::Set(names) => names,
            Domain::Number | Domain::Text => &[],
        }
    }

    /// The position of a named value.
    pub fn position(&self, name: &str) -> Option<u8> {
        self.names().iter().position(|n| n == name).and_then(|i| u8::try_from(i).ok())
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// The input does not say, and no default of Kubernetes decides.
    Unknown,
    /// A position in the domain.
    Choice(u8),
    /// A bit for each position in the domain.
    Set(u64),
    /// A number.
    Number(i64),
    /// A text.
    Text(Symbol),
}

/// A named property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDef {
    /// The name in filters and outputs, in camel case.
    pub name: Cow<'static, str>,
    /// The values it may have.
    pub domain: Domain,
    /// The value where nothing sets it.
    pub default: Value,
    /// What it means.
    pub doc: Cow<'static, str>,
    /// For attributes that can be unknown: what file or statement would answer.
    pub answered_by: Cow<'static, str>,
}

/// A type of element, flow, boundary, container, control or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StencilDef {
    /// The name in filters and outputs.
    pub name: Cow<'static, str>,
    /// What it is a type of.
    pub role: Role,
    /// The stencil that it is a kind of; its parents come before it in the table.
    pub parent: Option<StencilId>,
    /// Attributes it adds to those of its parent.
    pub attributes: Cow<'static, [AttributeId]>,
    /// What it stands for.
    pub doc: Cow<'static, str>,
}

/// All stencils and attributes that a model may use.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Stencils by id.
    pub stencils: Vec<StencilDef>,
    /// Attributes by id.
    pub attributes: Vec<AttributeDef>,
}

impl Vocabulary {
    /// The definition of a stencil.
    pub fn stencil(&self, id: StencilId) -> Option<&StencilDef> {
        self.stencils.get(id.index())
    }

    /// The definition of an attribute.
    pub fn attribute(&self, id: AttributeId) -> Option<&AttributeDef> {
        self.attributes.get(id.index())
    }

    /// The stencil with this name.
    pub fn find_stencil(&self, name: &str) -> Option<StencilId> {
        self.stencils.iter().position(|s| s.name == name).map(|i| StencilId(i as u16))
    }

    /// The attribute with this name.
    pub fn find_attribute(&self, name: &str) -> Option<AttributeId> {
        self.attributes.iter().position(|a| a.name == name).map(|i| AttributeId(i as u16))
    }

    /// Whether `stencil` is `ancestor` or inherits from it.
    pub fn is_a(&self, stencil: StencilId, ancestor: StencilId) -> bool {
        self.lineage(stencil).any(|s| s == ancestor)
    }

    /// The stencil, its parent, its parent's parent …
    pub fn lineage(&self, stencil: StencilId) -> impl Iterator<Item = StencilId> + '_ {
        let mut left = self.stencils.len();
        std::iter::successors(Some(stencil), move |s| {
            left = left.checked_sub(1)?;
            self.stencil(*s)?.parent
        })
    }

    /// Whether things of type `stencil` have `attribute`.
    pub fn has_attribute(&self, stencil: StencilId, attribute: AttributeId) -> bool {
        self.lineage(stencil).any(|s| self.stencil(s).is_some_and(|d| d.attributes.contains(&attribute)))
    }
}
