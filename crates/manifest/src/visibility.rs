//! Which bytes of a document may be shown.

mod allow;
mod broken;

use std::collections::HashSet;

use kubestride_source::{Span, Visibility};
use kubestride_yaml::{Kind, Value};

use crate::{
    Field, kinds,
    manifests::{group_of, is_list},
};
pub use broken::broken_visibility;

use allow::{Place, is_harmless, is_label, is_name, is_object_name, place};

/// How deep is looked, and how many nodes for each byte of the document. A document that needs more, which aliases can
/// make of a short one, is not shown at all.
const MAX_DEPTH: usize = 200;
const VISITS_PER_BYTE: usize = 4;
const MIN_VISITS: usize = 10_000;

/// Which bytes of a document snippets may show. `root` is the outermost node of the document.
///
/// This is a list of what is allowed, so what nobody thought of stays masked: names of fields; booleans; `apiVersion`,
/// `kind`, names, labels; values of fields that hold structure, in kinds whose fields are known. Values are never shown
/// in Secrets and ConfigMaps, environment variables, commands, arguments, annotations and headers, nor where they look
/// like an address with a credential. A value that is also used (through an alias) where it may not be shown is masked.
pub fn visibility(root: Value<'_>) -> Visibility {
    let bytes = (root.span().end - root.span().start) as usize;
    let visits_left = bytes.saturating_mul(VISITS_PER_BYTE).max(MIN_VISITS);
    let mut reader =
        Reader { shown: Vec::new(), hidden: HashSet::new(), path: Vec::new(), visits_left, complete: true };
    reader.document(root, 0);
    if !reader.complete {
        return Visibility::none();
    }
    let mut visibility = Visibility::none();
    for span in reader.shown {
        if !reader.hidden.contains(&(span.start, span.end)) {
            visibility.reveal(span.start..span.end);
        }
    }
    visibility.finish();
    visibility
}

struct Reader<'a> {
    shown: Vec<Span>,
    /// Scalars that are used where they may not be shown, by start and end.
    hidden: HashSet<(u32, u32)>,
    /// Keys from the object to the place that is looked at.
    path: Vec<&'a str>,
    visits_left: usize,
    complete: bool,
}

impl<'a> Reader<'a> {
    /// Counts a visit; false where reading must end.
    fn visit(&mut self, depth: usize) -> bool {
        self.complete &= self.visits_left > 0 && depth <= MAX_DEPTH;
        self.visits_left = self.visits_left.saturating_sub(1);
        self.complete
    }

    fn document(&mut self, root: Value<'a>, depth: usize) {
        if !self.visit(depth) {
            return;
        }
        if !is_list(root) {
            self.object(root, depth);
            return;
        }
        for entry in root.entries() {
            self.key(entry.key, entry.key_span);
            match entry.key {
                "apiVersion" | "kind" => self.scalar_if(entry.value, is_name, depth),
                "items" => entry.value.items().for_each(|item| self.document(item, depth + 1)),
                _ => self.hide(entry.value, true, depth + 1),
            }
        }
    }

    fn object(&mut self, root: Value<'a>, depth: usize) {
        if root.kind() != Kind::Mapping {
            self.hide(root, true, depth);
            return;
        }
        let kind = root.text("kind").unwrap_or("");
        let known = root.text("apiVersion").is_some_and(|version| kinds::is_known_kind(group_of(version), kind));
        // A field of a Secret that is spelt wrongly holds what the right one would.
        let structured = known && kind != "Secret";
        self.path.clear();
        for entry in root.entries() {
            self.key(entry.key, entry.key_span);
            match entry.key {
                "apiVersion" | "kind" => self.scalar_if(entry.value, is_name, depth),
                "metadata" => self.metadata(entry.value, depth + 1),
                _ => {
                    self.path.push(entry.key);
                    self.value(entry.value, structured || (known && entry.key == "type"), depth + 1);
                    self.path.pop();
                }
            }
        }
    }

    fn metadata(&mut self, value: Value<'a>, depth: usize) {
        if value.kind() != Kind::Mapping {
            self.hide(value, true, depth);
            return;
        }
        for entry in value.entries() {
            self.key(entry.key, entry.key_span);
            match entry.key {
                "name" | "namespace" | "generateName" => self.scalar_if(entry.value, is_object_name, depth),
                "labels" => {
                    for label in entry.value.entries() {
                        self.key(label.key, label.key_span);
                        self.scalar_if(label.value, is_label, depth + 1);
                    }
                }
                "annotations" => self.contents(entry.value, depth + 1),
                _ => self.hide(entry.value, true, depth + 1),
            }
        }
    }

    /// Any other value, at the end of `path`.
    fn value(&mut self, value: Value<'a>, known: bool, depth: usize) {
        if !self.visit(depth) {
            return;
        }
        let place = place(&self.path);
        match (place, value.kind()) {
            (Place::Sensitive, _) => self.hide(value, false, depth),
            (Place::Contents, _) => self.contents(value, depth),
            (_, Kind::Sequence) => value.items().for_each(|item| self.value(item, known, depth + 1)),
            (_, Kind::Mapping) => {
                for entry in value.entries() {
                    self.key(entry.key, entry.key_span);
                    // Templates of pods and of claims have metadata as objects have.
                    if known && entry.key == "metadata" {
                        self.metadata(entry.value, depth + 1);
                        continue;
                    }
                    self.path.push(entry.key);
                    self.value(entry.value, known, depth + 1);
                    self.path.pop();
                }
            }
            (_, Kind::Bool | Kind::Null) => self.shown.push(value.span()),
            _ => {
                let key = self.path.last().copied().unwrap_or("");
                let harmless = known && value.scalar_text().is_some_and(|text| is_harmless(place, key, text));
                self.scalar(value, harmless);
            }
        }
    }

    /// Names and contents: the names only.
    fn contents(&mut self, value: Value<'a>, depth: usize) {
        if value.kind() != Kind::Mapping {
            self.hide(value, false, depth);
            return;
        }
        for entry in value.entries() {
            self.key(entry.key, entry.key_span);
            self.hide(entry.value, false, depth + 1);
        }
    }

    /// No values in here, and `keys` only if so said.
    fn hide(&mut self, value: Value<'a>, keys: bool, depth: usize) {
        if !self.visit(depth) {
            return;
        }
        match value.kind() {
            Kind::Sequence => value.items().for_each(|item| self.hide(item, keys, depth + 1)),
            Kind::Mapping => {
                for entry in value.entries() {
                    if keys {
                        self.key(entry.key, entry.key_span);
                    } else {
                        self.hidden.insert((entry.key_span.start, entry.key_span.end));
                    }
                    self.hide(entry.value, keys, depth + 1);
                }
            }
            _ => self.scalar(value, false),
        }
    }

    fn key(&mut self, key: &str, span: Span) {
        if is_name(key) {
            self.shown.push(span);
        }
    }

    fn scalar_if(&mut self, value: Value<'a>, allowed: fn(&str) -> bool, depth: usize) {
        if !self.visit(depth) {
            return;
        }
        match value.scalar_text() {
            Some(text) => self.scalar(value, allowed(text)),
            None => self.hide(value, true, depth + 1),
        }
    }

    fn scalar(&mut self, value: Value<'a>, may_show: bool) {
        let span = value.span();
        if may_show {
            self.shown.push(span);
        } else {
            self.hidden.insert((span.start, span.end));
        }
    }
}
