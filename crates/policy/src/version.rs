//! Versions of Kubernetes, which check pods and serve objects differently.

/// A minor version of Kubernetes 1: 30 is v1.30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// The newest version of which it is known what it checks and serves.
    pub const NEWEST: Self = Self(37);

    /// Reads `1.30` or `v1.30`; none for what is no version of Kubernetes 1.
    pub fn parse(text: &str) -> Option<Self> {
        let minor = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.")?;
        minor.split('.').next()?.parse().ok().map(Self)
    }
}
