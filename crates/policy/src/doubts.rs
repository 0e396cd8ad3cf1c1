//! What of a policy is not understood. Such a part makes the answers that depend on it unknown, and is said once.

use kubestride_manifest::{LabelSelector, Object};
use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::{Entry, Kind, Value};

use crate::Cited;

/// The fields of a mapping that are not among those that are known.
pub(crate) fn strangers<'t>(value: Value<'t>, known: &[&str]) -> impl Iterator<Item = Entry<'t>> {
    value.entries().filter(|entry| !known.contains(&entry.key))
}

/// A part of a policy that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) cited: Cited,
    pub(crate) code: &'static str,
    /// What is wrong, and how it limits the answer.
    pub(crate) text: &'static str,
}

impl Problem {
    /// What is said of it.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        Diagnostic::warning(self.code, format!("{}: {}", self.cited.identity, self.text)).at(self.cited.span)
    }
}

/// Collects what is not understood while a policy is read.
#[derive(Debug)]
pub(crate) struct Doubts {
    identity: String,
    found: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
}

impl Doubts {
    pub(crate) fn new(identity: String) -> Self {
        Self { identity, found: Vec::new(), notes: Vec::new() }
    }

    /// Something is not understood. `limits` says what is not known because of it.
    pub(crate) fn add(&mut self, what: &str, span: Span, limits: &str) {
        let message = format!("{}: {what}: {limits}", self.identity);
        self.found.push(Diagnostic::warning("policy-not-understood", message).at(span));
    }

    /// Something is understood, and does nothing.
    pub(crate) fn note(&mut self, what: &str, span: Span) {
        let message = format!("{}: {what}", self.identity);
        self.notes.push(Diagnostic::note("policy-rule-ignored", message).at(span));
    }

    /// Whether a mapping has only fields that are known; others are said.
    pub(crate) fn knows(&mut self, value: Value<'_>, known: &[&str], limits: &str) -> bool {
        if value.kind() != Kind::Mapping {
            return true;
        }
        let unknown: Vec<_> = strangers(value, known).filter(|e| !e.value.is_null()).collect();
        for entry in &unknown {
            self.add(&format!("the field `{}` is not known here", entry.key), entry.key_span, limits);
        }
        unknown.is_empty()
    }

    /// Whether an object is of a version that is known; others are said.
    pub(crate) fn knows_version(&mut self, object: Object<'_>, known: &[&str], limits: &str) -> bool {
        let knows = known.contains(&object.version());
        if !knows {
            self.add(&format!("{} is a version that is not known", object.api_version()), object.span(), limits);
        }
        knows
    }

    /// Whether a selector is understood; others are said.
    pub(crate) fn selector(&mut self, selector: &LabelSelector, limits: &str) -> bool {
        let before = self.found.len();
        for diagnostic in selector.diagnostics() {
            if let Some(span) = diagnostic.span {
                self.add("this part of a selector is not understood", span, limits);
            }
        }
        self.found.len() == before
    }

    /// All that was found.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        [self.found, self.notes].concat()
    }

    /// How much was found so far, to see later whether there is more.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }
}
