//! Threat types and the filter language.
//!
//! A threat type is one Markdown file: front matter with the rule, text for people, tests. [`ThreatType::parse`] reads
//! it, [`ThreatType::check`] holds it against a vocabulary. Filters are those of Microsoft's Threat Modeling Tool with
//! additions; see [`filter`].

mod error;
pub mod filter;
mod frontmatter;
mod mappings;
mod text;
mod threat_type;

pub use error::TemplateError;
pub use mappings::{Mapping, Scheme};
pub use text::TextTemplate;
pub use threat_type::{Actor, Category, Effect, Impact, Likelihood, Mitigation, Sections, SubjectKind, ThreatType};
