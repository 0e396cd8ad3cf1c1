//! Where a statement of the model comes from.

use kubestride_source::Span;

use crate::Symbol;

/// The ways in which something can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A file says so.
    Stated,
    /// A text rendered by a tool says so.
    Rendered,
    /// Nothing sets it, so the default of Kubernetes holds.
    Default,
    /// Several statements together say so.
    Merged,
    /// A person declared it.
    Declared,
    /// It was seen at run time.
    Observed,
    /// It was looked for at this place and is not there.
    Absent,
}

impl Origin {
    /// The name in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Stated => "stated",
            Origin::Rendered => "rendered",
            Origin::Default => "default",
            Origin::Merged => "merged",
            Origin::Declared => "declared",
            Origin::Observed => "observed",
            Origin::Absent => "absent",
        }
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// How it is known.
    pub origin: Origin,
    /// Where. For [`Origin::Default`] and [`Origin::Absent`]: the object in which it is not set.
    pub span: Option<Span>,
    /// What it says, in a few words for people.
    pub note: Symbol,
}

/// A run of the evidence table of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct EvidenceRange {
    pub(crate) start: u32,
    pub(crate) len: u32,
}
