//! What can be wrong with a threat type.

use kubestride_source::Span;
use thiserror::Error;

/// A mistake in a threat type or a filter, with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong, for the author of the file.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
}

impl TemplateError {
    /// An error at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span: Some(span) }
    }

    /// An error of the whole file.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None }
    }
}
