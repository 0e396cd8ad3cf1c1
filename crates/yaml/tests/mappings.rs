//! Look-ups, duplicates, anchors and merge keys.

mod common;

use common::{codes, slice, tree, yaml};
use kubestride_yaml::Kind;

fn entries(text: &str) -> Vec<(String, String)> {
    let documents = yaml(text);
    let root = documents[0].tree.as_ref().expect("it parses").root();
    let value = root.get("m").unwrap_or(root);
    assert!(value.kind() != Kind::Mapping || value.len() == value.entries().count());
    value
        .entries()
        .map(|entry| {
            assert_eq!(value.get(entry.key).map(|v| v.span()), Some(entry.value.span()), "get and entries agree");
            (entry.key.to_owned(), entry.value.scalar_text().unwrap_or("-").to_owned())
        })
        .collect()
}

#[test]
fn entries_are_own_ones_then_merged_ones() {
    let table: &[(&str, &[(&str, &str)])] = &[
        ("{b: 1, a: 2}", &[("b", "1"), ("a", "2")]),
        ("{1: x, true: y, ~: z}", &[("1", "x"), ("true", "y"), ("~", "z")]),
        ("a: 1\na: 2\nb: 3\n", &[("a", "2"), ("b", "3")]),
        ("x: &x {a: 1, b: 2}\nm: {<<: *x, b: 3}\n", &[("b", "3"), ("a", "1")]),
        ("x: &x {a: 1, b: 2}\nm: {b: 3, <<: *x}\n", &[("b", "3"), ("a", "1")]),
        ("m: {<<: {a: 1}, b: 2}\n", &[("b", "2"), ("a", "1")]),
        ("x: &x {a: 1}\ny: &y {a: 2, b: 2}\nm: {<<: [*x, *y], c: 3}\n", &[("c", "3"), ("a", "1"), ("b", "2")]),
        ("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nm: {<<: *y}\n", &[("b", "2"), ("a", "1")]),
        ("m: {\"<<\": {a: 1}}\n", &[("<<", "-")]),
        ("m: {<<: 1, a: 2}\n", &[("a", "2")]),
        ("m: &m {<<: *m, a: 2}\n", &[("a", "2")]),
        ("k: &k key\nm: {*k : 1}\n", &[("key", "1")]),
        ("m: {[a]: 1, b: 2}\n", &[("b", "2")]),
        ("[a]", &[]),
        ("text", &[]),
    ];
    for (text, expected) in table {
        let found = entries(text);
        let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, *expected, "{text:?}");
    }
}

#[test]
fn a_key_given_twice_is_reported_with_both_places() {
    let text = "a:\n  name: 1\n  name: 2\n";
    let documents = yaml(text);
    let [diagnostic] = &documents[0].diagnostics[..] else { panic!("one diagnostic") };
    assert_eq!(diagnostic.code, "duplicate-key");
    assert!(diagnostic.message.contains("`name`"));
    let first = diagnostic.related.as_ref().expect("it has the first place").0;
    assert_eq!((first.start, diagnostic.span.expect("it has a place").start), (5, 15));
    assert_eq!(slice(text, first), "name");
    let name = documents[0].tree.as_ref().and_then(|tree| tree.root().get("a")?.get("name"));
    assert_eq!(name.and_then(|name| name.as_i64()), Some(2));
}

#[test]
fn duplicates_are_found_in_small_and_large_mappings() {
    for size in [2, 31, 32, 33, 34, 1000] {
        let mut text: String = (0..size).map(|i| format!("some-long-key-{i}: {i}\n")).collect();
        assert_eq!(codes(&yaml(&text)), [""; 0], "{size}");
        text.push_str("some-long-key-1: again\n");
        let documents = yaml(&text);
        assert_eq!(codes(&documents), ["duplicate-key"], "{size}");
        let value = documents[0].tree.as_ref().and_then(|tree| tree.root().get("some-long-key-1"));
        assert_eq!(value.and_then(|value| value.as_str()), Some("again"), "{size}");
    }
}

#[test]
fn keys_that_do_not_look_like_names_are_not_shown() {
    for key in ["'two words'".to_owned(), "x".repeat(64), "'a=b'".to_owned(), "''".to_owned()] {
        let documents = yaml(&format!("{key}: 1\n{key}: 2\n"));
        assert_eq!(documents[0].diagnostics[0].message, "a key is given twice; the last one counts");
    }
}

#[test]
fn a_mapping_of_many_keys_is_read_in_time() {
    let text: String = (0..200_000).map(|i| format!("k{i}: 1\n")).collect();
    let start = std::time::Instant::now();
    assert_eq!(tree(&text).root().len(), 200_000);
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn types_are_reached_through_values() {
    let tree = tree("{s: 'yes', b: yes, i: 0755, u: 18446744073709551615, f: 1.5, n: , q: !!int '7', l: [], m: {}}");
    let get = |key| tree.root().get(key).expect("the key is there");
    assert_eq!((get("s").kind(), get("s").as_str(), get("s").as_bool()), (Kind::Str, Some("yes"), None));
    assert_eq!((get("b").kind(), get("b").as_str(), get("b").as_bool()), (Kind::Bool, None, Some(true)));
    assert_eq!((get("i").as_i64(), get("i").as_f64(), get("i").scalar_text()), (Some(493), Some(493.0), Some("0755")));
    assert_eq!((get("u").kind(), get("u").as_i64()), (Kind::Int, None));
    assert_eq!((get("f").as_f64(), get("f").as_i64()), (Some(1.5), None));
    assert!(get("n").is_null() && get("n").scalar_text() == Some(""));
    assert_eq!(get("q").as_i64(), Some(7));
    assert_eq!((get("l").kind(), get("l").is_empty(), get("l").scalar_text()), (Kind::Sequence, true, None));
    assert_eq!((get("m").kind(), get("m").is_empty()), (Kind::Mapping, true));
    assert!(tree.root().get("none").is_none() && get("s").get("x").is_none());
}
