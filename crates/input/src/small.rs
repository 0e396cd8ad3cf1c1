//! The small files that say how to render: kustomizations, charts, configurations of transformers.

use std::sync::Arc;

use kubestride_source::{FileOrigin, SourceMap};
use kubestride_yaml::{Limits, Tree, Value};

use crate::{read, walk::Place, walk::shown};

/// Larger ones are not read: nobody writes them.
const MAX_BYTES: u64 = 8 << 20;

/// All documents of a file. None if it cannot be read as a whole, since then nothing is known about what it says.
pub(crate) fn documents(place: &Place, sources: &mut SourceMap) -> Option<Vec<Tree>> {
    let decoded = read::decode(read::file(&place.canonical, MAX_BYTES).ok()?);
    if !decoded.bad.is_empty() {
        return None;
    }
    // Which of two values of a key counts differs from reader to reader, so files that leave it open are not trusted.
    if has_merge_key(&decoded.text) {
        return None;
    }
    let text: Arc<str> = decoded.text.into();
    let file = sources.add(shown(&place.path), text.clone(), FileOrigin::Stated);
    let mut trees = Vec::new();
    for document in kubestride_yaml::read(file, &text, &Limits::default()) {
        if !document.diagnostics.is_empty() {
            return None;
        }
        trees.extend(document.tree);
    }
    trees.iter().all(Tree::is_bounded).then_some(trees)
}

/// Whether there may be a `<<` key. Shell texts have `<<`, but no colon behind it.
fn has_merge_key(text: &str) -> bool {
    text.split("<<").skip(1).any(|rest| rest.trim_start_matches(['"', '\'', ' ', '\t', '\r', '\n']).starts_with(':'))
}

/// The values of `key`, written in whatever case: Go's JSON reader takes `Resources` for `resources`, and so a check
/// that does not would be blind to it.
pub(crate) fn fields<'t>(mapping: Value<'t>, key: &str) -> Vec<Value<'t>> {
    mapping.entries().filter(|entry| folded(entry.key) == key).map(|entry| entry.value).collect()
}

/// As Go's `encoding/json` compares names: `K` (Kelvin) is a `k` and `ſ` is an `s`.
pub(crate) fn folded(key: &str) -> String {
    key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The one text of `key`.
pub(crate) fn text<'t>(mapping: Value<'t>, key: &str) -> Option<&'t str> {
    fields(mapping, key).first().and_then(|value| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::{folded, has_merge_key};

    #[test]
    fn merge_keys() {
        for text in ["<<: *a", "{ << : *a}", "? <<\n: *a", "\"<<\": *a"] {
            assert!(has_merge_key(text), "{text}");
        }
        assert!(!has_merge_key("a: cat <<EOF: x") && !has_merge_key("a: 1"));
    }

    #[test]
    fn keys_fold_as_in_go() {
        assert_eq!(folded("Re\u{17f}ources"), "resources");
        assert_eq!(folded("\u{212a}ind"), "kind");
    }
}
