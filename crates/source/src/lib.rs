//! Files, spans, diagnostics and masked snippets.
//!
//! The bytes of an input are private to this crate. They leave it in two ways only: as text handed to a parser
//! ([`SourceMap::text`]) and as [`Snippet`]s, in which everything is masked that has not been marked as safe to show.
//! Reading therefore fails safe: a value that no reader knows about is never printed.

mod diagnostic;
mod listing;
mod map;
mod mask;
mod snippet;
mod span;

pub use diagnostic::{Diagnostic, Level};
pub use listing::some_of;
pub use map::{File, FileOrigin, Location, SourceMap};
pub use mask::{Visibility, mask_values};
pub use snippet::{MASK, Snippet, SnippetLine};
pub use span::{FileId, Span};
