//! Answers with three values.

/// Whether something is so. The order is that of the variants, so the least of several is whether all of them are so, and
/// the greatest whether one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// It is not.
    No,
    /// Manifests do not tell; it may depend on the request, on its path or its token.
    Unknown,
    /// It is.
    Yes,
}

impl From<bool> for Match {
    fn from(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

impl Match {
    /// From an answer that may not be known.
    pub fn known(is: Option<bool>) -> Self {
        is.map_or(Self::Unknown, Self::from)
    }

    /// Whether one of several is so; no if there are none.
    pub fn any(matches: impl IntoIterator<Item = Self>) -> Self {
        matches.into_iter().max().unwrap_or(Self::No)
    }

    /// Whether all of several are so; yes if there are none.
    pub fn all(matches: impl IntoIterator<Item = Self>) -> Self {
        matches.into_iter().min().unwrap_or(Self::Yes)
    }

    /// Whether it is not so.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}
