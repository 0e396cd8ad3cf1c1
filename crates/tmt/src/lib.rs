//! Files of Microsoft's Threat Modeling Tool: `.tm7` models and `.tb7` templates.
//!
//! [`xml`] is the text as a tree; [`Tm7`] is what it means; [`convert`] makes a model of ours of it, with the template's
//! own types of threats, so that one engine generates for both. What is known of the format and of the meaning of
//! filters and geometry was established on files that the tool wrote itself.

mod apply;
mod check;
mod convert;
mod diff;
mod draw;
mod emit;
pub mod geometry;
mod knowledge;
mod merge;
mod readable;
mod rules;
mod surface;
mod tb7;
mod threats;
mod tm7;
mod triage;
pub mod write;
pub mod xml;

pub use apply::{Applied, apply};
pub use check::check;
pub use convert::{Converted, Generated, convert};
pub use diff::{Difference, Kind, diff};
pub use draw::draw;
pub use emit::{Emitted, Existing, emit};
pub use knowledge::{AttributeType, Category, ElementType, Knowledge, Rule};
pub use merge::{Conflict, merge};
pub use readable::readable;
pub use surface::{Area, Curve, Line, Property, Shape, ShapeKind, Surface, Thing};
pub use tb7::tb7;
pub use threats::{Instance, State};
pub use tm7::{Meta, Tm7};
pub use triage::{Change, Missing, New, triage};
