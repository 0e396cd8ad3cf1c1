//! Filters as data. Names are resolved to ids by the check, which is why a filter is parsed against a vocabulary.

use kubestride_model::{AttributeId, BoundaryKind, StencilId};

/// What an operand starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The subject where it is an element.
    Element,
    /// The source of the flow.
    Source,
    /// The target of the flow.
    Target,
    /// The flow.
    Flow,
    /// The subject where it is a boundary.
    Boundary,
    /// The container.
    Container,
    /// The control.
    Control,
    /// The name.
    Name,
    /// The element found by the innermost quantifier.
    Other,
}

/// A thing, reached from a root: `container.workload`, `target.namespace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// Where to start.
    pub root: Root,
    /// Whether to go from a container to its workload.
    pub workload: bool,
    /// Which enclosing boundary to go to.
    pub enclosing: Option<BoundaryKind>,
    /// The attribute to read; without one the operand is the thing itself.
    pub attribute: Option<AttributeId>,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The thing is of this type.
    Type(Operand, StencilId),
    /// The attribute has this named value, by position.
    Choice(Operand, u8),
    /// The attribute has this text.
    Text(Operand, String),
    /// The set holds this named value.
    Has(Operand, u8),
    /// The attribute has one of these named values, as bits.
    Among(Operand, u64),
    /// The attribute is one of these texts.
    TextAmong(Operand, Vec<String>),
    /// The attribute is in a list that the user sets.
    InList(Operand, String),
    /// The number compares so.
    Number(Operand, Comparison, i64),
    /// Two attributes have the same value.
    Same(Operand, Operand),
    /// The flow crosses a boundary of this type.
    Crosses(StencilId),
    /// The thing lies in a boundary of this type.
    Within(Operand, StencilId),
    /// Traffic from an element of this type can reach the element, over any number of flows.
    Reachable(Operand, StencilId),
}

impl Test {
    /// What the question is asked of; nothing where it is asked of a flow itself.
    pub fn operand(&self) -> Option<&Operand> {
        match self {
            Test::Type(o, _)
            | Test::Choice(o, _)
            | Test::Text(o, _)
            | Test::Has(o, _)
            | Test::Among(o, _)
            | Test::TextAmong(o, _)
            | Test::InList(o, _)
            | Test::Number(o, _, _)
            | Test::Within(o, _)
            | Test::Reachable(o, _)
            | Test::Same(o, _) => Some(o),
            Test::Crosses(_) => None,
        }
    }
}

/// How many must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least this many.
    AtLeast(u32),
    /// None.
    No,
}

/// What is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Flows that end at the subject; `other` is their source.
    Incoming,
    /// Flows that start at the subject; `other` is their target.
    Outgoing,
    /// Containers of the workload.
    Container,
    /// Stores that the workload uses: `other` is the store, `flow` the use.
    Store,
    /// Other elements in the same namespace.
    Sibling,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Both; the flag of evaluation is the weaker one.
    And(Box<Filter>, Box<Filter>),
    /// One of them.
    Or(Box<Filter>, Box<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A count over related things.
    Quantified(Quantifier, Relation, Box<Filter>),
    /// A question.
    Test(Test),
}
