//! What can only be said when all objects are there.

use std::collections::BTreeMap;

use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::{Entry, Kind, Value};

use crate::{Manifests, check};

/// Most steps of one comparison. Objects that need more are taken to be different.
const MAX_STEPS: usize = 1_000_000;

/// The object that stands for all with its identity so far.
struct Winner {
    record: usize,
    span: Span,
    noted: bool,
}

impl Manifests {
    /// Finds repeated objects and fields of the wrong type. To be called once, after the last [`Manifests::add`].
    ///
    /// Of objects with one identity the last one counts, as with `kubectl apply`: a note `repeated-object` where they
    /// are the same, a warning `conflicting-object` where they differ. Other codes: `wrong-type`, `missing-name`,
    /// `too-many-aliases`.
    pub fn finish(&mut self, default_namespace: &str) -> Vec<Diagnostic> {
        let mut diagnostics: Vec<Diagnostic> = self.unbounded.iter().map(|span| unbounded(*span)).collect();
        let mut left_out = Vec::new();
        let mut winners: BTreeMap<(u32, String), (Winner, Value<'_>)> = BTreeMap::new();
        for (record, object) in self.all() {
            check::object(object, &mut diagnostics);
            // Configuration files of tools (`kind: Kustomization`) have no name and are not the same object.
            if object.name().is_empty() || object.record.generated_name.is_some() {
                continue;
            }
            let identity = object.identity(default_namespace);
            let new = Winner { record, span: object.span(), noted: false };
            let Some((winner, root)) = winners.get_mut(&(object.model_key(), identity.clone())) else {
                winners.insert((object.model_key(), identity), (new, object.root()));
                continue;
            };
            if equal(*root, object.root()) {
                left_out.push(record);
                if !winner.noted {
                    winner.noted = true;
                    diagnostics.push(repeated(object.kind(), new.span, winner.span));
                }
            } else {
                left_out.push(winner.record);
                diagnostics.push(conflicting(object.kind(), new.span, winner.span));
                (*winner, *root) = (new, object.root());
            }
        }
        drop(winners);
        for record in left_out {
            if let Some(record) = self.records.get_mut(record) {
                record.left_out = true;
            }
        }
        diagnostics
    }
}

fn unbounded(span: Span) -> Diagnostic {
    let message = "aliases of this document hold themselves or stand for too much: it is left out";
    Diagnostic::error("too-many-aliases", message).at(span)
}

fn repeated(kind: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::note("repeated-object", format!("this {kind} is given more than once, with the same content"))
        .at(span)
        .with_related(first, "first given here")
}

fn conflicting(kind: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::warning("conflicting-object", format!("this {kind} is given more than once, and they differ"))
        .at(span)
        .with_related(first, "also given here, and not used")
        .with_help("the last one counts, as with `kubectl apply`; analyse overlays one at a time")
}

/// Whether two objects mean the same: the order of keys, comments and style do not matter.
fn equal(a: Value<'_>, b: Value<'_>) -> bool {
    let mut left = MAX_STEPS;
    let mut todo = vec![(a, b)];
    while let Some((a, b)) = todo.pop() {
        let Some(rest) = left.checked_sub(1 + a.len()) else { return false };
        left = rest;
        if a.kind() != b.kind() {
            return false;
        }
        match a.kind() {
            Kind::Sequence => {
                if a.len() != b.len() {
                    return false;
                }
                todo.extend(a.items().zip(b.items()));
            }
            Kind::Mapping => {
                let (a, b) = (sorted(a), sorted(b));
                if a.len() != b.len() || a.iter().zip(&b).any(|(a, b)| a.key != b.key) {
                    return false;
                }
                todo.extend(a.iter().zip(&b).map(|(a, b)| (a.value, b.value)));
            }
            Kind::Null => {}
            _ if a.scalar_text() != b.scalar_text() => return false,
            _ => {}
        }
    }
    true
}

fn sorted(mapping: Value<'_>) -> Vec<Entry<'_>> {
    let mut entries: Vec<_> = mapping.entries().collect();
    entries.sort_by_key(|entry| entry.key);
    entries
}
