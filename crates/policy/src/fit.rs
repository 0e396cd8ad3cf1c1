//! Answers with three values.

/// How often a condition holds for a connection. The order is that of the variants, so the least of several is what all of
/// them together do, and the greatest what one of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// It does not hold.
    Never,
    /// It depends on the request (its path, its token), or on what manifests do not tell.
    Sometimes,
    /// It holds.
    Always,
}

impl Fit {
    /// From an answer that is certain.
    pub fn of(holds: bool) -> Self {
        if holds { Fit::Always } else { Fit::Never }
    }

    /// From an answer that may not be known.
    pub fn known(holds: Option<bool>) -> Self {
        holds.map_or(Fit::Sometimes, Fit::of)
    }

    /// Of the opposite condition.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Fit::Never => Fit::Always,
            Fit::Sometimes => Fit::Sometimes,
            Fit::Always => Fit::Never,
        }
    }

    /// Of all conditions together; none at all hold always.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().min().unwrap_or(Fit::Always)
    }

    /// Of one of the conditions; one of none never holds.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().max().unwrap_or(Fit::Never)
    }
}
