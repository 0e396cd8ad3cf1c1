//! The language in which threat types say when they apply.
//!
//! ```text
//! filter     = and-filter { "or" and-filter }
//! and-filter = not-filter { "and" not-filter }
//! not-filter = "not" not-filter | "(" filter ")" | quantified | test
//! quantified = ("some" | "no" | "at" "least" NUMBER) RELATION "(" filter ")"
//! RELATION   = "incoming" | "outgoing" | "container" | "store" | "sibling"
//! test       = operand "is" ["not"] (VALUE | operand)
//!            | operand "in" ( "(" VALUE { "," VALUE } ")" | "@" NAME )
//!            | operand "has" VALUE
//!            | operand ("<" | "<=" | ">" | ">=") NUMBER
//!            | "flow" "crosses" VALUE
//!            | operand "within" VALUE
//!            | operand "reachable" "from" VALUE
//! operand    = NAME { "." NAME }          VALUE = 'text'        NAME = word | [any text]
//! ```
//!
//! Keywords may be written in any case. Inside a quantified filter the element found is `other`, a container found is
//! `container`, and a flow found is `flow`. The part without quantifiers, `in`, `has`, comparisons, `within`,
//! `reachable` and dots beyond one is Microsoft's own.
//!
//! A test on an unknown value is neither true nor false ([`Truth::Unknown`]); so is what depends on it.

mod ast;
mod check;
mod eval;
mod export;
mod import;
mod lexer;
mod parser;

pub use ast::{Comparison, Filter, Operand, Quantifier, Relation, Root, Test};
pub use check::check;
pub use eval::{Evaluation, Evaluator, Lists, Read, Scope, Truth};
pub use export::{ExportNames, attributes as read_attributes, export};
pub use import::{attribute as imported_attribute, import};
pub use parser::parse;
