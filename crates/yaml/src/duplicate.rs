//! Finds keys that a mapping has twice, and keys that are collections.

use kubestride_source::Diagnostic;

use crate::{entries::Pairs, tree::Tree};

/// Up to this many keys are compared each with each, which is faster than sorting them.
const FEW: usize = 32;

/// Looks at the keys of a mapping and reports at most `room` of its oddities. True if all its keys are scalars,
/// different, and no merge keys.
pub(crate) fn check_keys(
    tree: &Tree,
    mapping: u32,
    keys: &mut Vec<(u64, u32)>,
    room: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let mut simple = true;
    let most = diagnostics.len() + room;
    keys.clear();
    for (key, _) in Pairs::new(tree, mapping) {
        match tree.scalar_text(key) {
            _ if tree.is_merge_key(key) => simple = false,
            Some(text) => keys.push((sketch(text), key)),
            None => {
                simple = false;
                if diagnostics.len() < most {
                    diagnostics.push(complex_key(tree, key));
                }
            }
        }
    }
    let mut pairs = Vec::new();
    if keys.len() <= FEW {
        for (i, (sketch, key)) in keys.iter().enumerate() {
            // The nearest one before it, so that three of a kind are two messages.
            let before = keys.iter().take(i).rev().find(|(other_sketch, other)| {
                other_sketch == sketch && tree.scalar_text(*other) == tree.scalar_text(*key)
            });
            if let Some((_, before)) = before {
                pairs.push((*before, *key));
            }
        }
    } else {
        keys.sort_unstable_by(|(a_sketch, a), (b_sketch, b)| {
            a_sketch.cmp(b_sketch).then_with(|| tree.scalar_text(*a).cmp(&tree.scalar_text(*b))).then(a.cmp(b))
        });
        for ((_, a), (_, b)) in keys.iter().zip(keys.iter().skip(1)) {
            if tree.scalar_text(*a) == tree.scalar_text(*b) {
                pairs.push((*a, *b));
            }
        }
        pairs.sort_unstable_by_key(|(_, key)| *key);
    }
    for (before, key) in &pairs {
        if diagnostics.len() < most {
            diagnostics.push(duplicate_key(tree, *before, *key));
        }
    }
    simple && pairs.is_empty()
}

/// The length and the first seven bytes: enough to tell most keys of one mapping apart.
fn sketch(text: &str) -> u64 {
    text.bytes().take(7).fold(text.len() as u64, |sketch, byte| (sketch << 8) | u64::from(byte))
}

fn duplicate_key(tree: &Tree, before: u32, key: u32) -> Diagnostic {
    let name = tree.scalar_text(key).unwrap_or("");
    let message = if may_show(name) {
        format!("the key `{name}` is given twice; the last one counts")
    } else {
        "a key is given twice; the last one counts".to_owned()
    };
    Diagnostic::warning("duplicate-key", message)
        .at(tree.node_span(key))
        .with_related(tree.node_span(before), "given before here")
}

/// Keys are names, and names may be shown. What does not look like one may be a value in the wrong place.
fn may_show(key: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    !key.is_empty() && key.len() < 64 && key.bytes().all(safe)
}

fn complex_key(tree: &Tree, key: u32) -> Diagnostic {
    Diagnostic::warning("complex-key", "a key that is a list or a map is ignored")
        .at(tree.node_span(key))
        .with_help("quote the key if it is meant as text; `{{ }}` without quotes is a template that was not rendered")
}
