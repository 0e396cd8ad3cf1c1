//! What is known of a label that a selector asks for.

/// What is known of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'l> {
    /// It has this value.
    Is(&'l str),
    /// It is not there.
    Missing,
    /// It is there, with a value that is not known.
    Present,
    /// Whether it is there is not known.
    Unknown,
}
