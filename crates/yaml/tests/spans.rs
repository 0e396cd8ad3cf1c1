//! Spans stand on the bytes they name.

mod common;

use common::{json, one, slice, tree, yaml};
use kubestride_yaml::Value;

/// Follows a path of keys and indexes such as `a.0.b`.
fn at<'t>(root: Value<'t>, path: &str) -> Value<'t> {
    path.split('.').filter(|part| !part.is_empty()).fold(root, |value, part| match part.parse::<usize>() {
        Ok(index) => value.items().nth(index).expect("the item is there"),
        Err(_) => value.get(part).expect("the key is there"),
    })
}

#[test]
fn values_span_their_source() {
    let table: &[(&str, &str, &str)] = &[
        ("a: b # c\n", "a", "b"),
        ("a: 'b' # c\n", "a", "'b'"),
        ("a: \"b\\n\"\n", "a", "\"b\\n\""),
        ("é: \"ü\"\nö: ä\n", "ö", "ä"),
        ("a: 1\r\nb: two\r\nc: 3\r\n", "b", "two"),
        ("\u{feff}a: b\n", "a", "b"),
        ("a:\nb: 1\n", "a", ""),
        ("a: |\n  x\n  y\n\nb: 1\n", "a", "x\n  y"),
        ("a: |\r\n  x\r\n  y\r\nb: 1\r\n", "a", "x\r\n  y"),
        ("a: >-\n  x\n  y\n", "a", "x\n  y"),
        ("a: one\n  two\nb: 1\n", "a", "one\n  two"),
        ("a:\n  b: 1\n  c: 2 # d\n\ne: 1\n", "a", "b: 1\n  c: 2"),
        ("a:\n  - b\n  - c\n\nd: 1\n", "a", "- b\n  - c"),
        ("a:\n- b\n- c\nd: 1\n", "a", "- b\n- c"),
        ("a:\n- - b\n  - c\nd: 1\n", "a", "- - b\n  - c"),
        ("a:\n- - b\n  - c\nd: 1\n", "a.0", "- b\n  - c"),
        ("a:\n- b: 1\n  c: 2\n", "a.0", "b: 1\n  c: 2"),
        ("a: [ 1, {b: c} ] # d\n", "a", "[ 1, {b: c} ]"),
        ("a: [ 1, {b: c} ]\n", "a.1", "{b: c}"),
        ("a: &x !!str 12\n", "a", "12"),
        ("a: &x {b: 1}\nc: *x\n", "c", "{b: 1}"),
        ("x: 1\n---\na: b\n", "", "x: 1"),
        ("---\nx: 1\n...\n", "", "x: 1"),
    ];
    for (text, path, expected) in table {
        let documents = yaml(text);
        let root = documents[0].tree.as_ref().expect("it parses").root();
        assert_eq!(slice(text, at(root, path).span()), *expected, "{path} in {text:?}");
    }
}

#[test]
fn keys_and_later_documents_have_places_in_the_file() {
    let text = "é: 1\n---\n\"kéy\": 2\nother: 3\n";
    let documents = yaml(text);
    let root = documents[1].tree.as_ref().expect("it parses").root();
    assert_eq!(slice(text, root.key_span("kéy").expect("the key is there")), "\"kéy\"");
    assert_eq!(slice(text, documents[1].span), "---\n\"kéy\": 2\nother: 3\n");
    let spans: Vec<_> = root.entries().map(|entry| (entry.key, slice(text, entry.key_span))).collect();
    assert_eq!(spans, [("kéy", "\"kéy\""), ("other", "other")]);
}

#[test]
fn parts_of_scalars_are_found() {
    let found: &[(&str, &str)] = &[
        ("a: x http://h y\n", "http://h"),
        ("a: 'x http://h y'\n", "http://h"),
        ("a: \"x http://h y\"\n", "http://h"),
        ("a: |\n  é\n    http://h\n  z\n", "http://h"),
        ("a: |\n\n\n  é\n  http://h\n", "http://h"),
        ("a: |2\n    é\n  http://h\n", "http://h"),
        ("a: |+\r\n  é\r\n  x http://h z\r\n\r\n", "http://h"),
        ("a: |-\n  http://h", "http://h"),
        ("a:\n  - k: |\n      é\n\n      x\n      http://h\n", "http://h"),
        ("a: >\n  é x\n  y http://h\n\n    z\n", "http://h"),
        ("a: one\n  two http://h\n  three\n", "http://h"),
        ("a: 'one\n\n  two http://h'\n", "http://h"),
        ("a: \"one\n  two http://h\"\n", "http://h"),
        ("a: |\n  x\n  two words\n", "two words"),
        ("a: |\n  x\n    two\n", "  two"),
    ];
    for (text, part) in found {
        let tree = tree(text);
        let mut value = at(tree.root(), "a");
        if let Some(first) = value.items().next() {
            value = at(first, "k");
        }
        let decoded = value.scalar_text().expect("a scalar");
        let start = decoded.find(part).expect("the part is there");
        let span = value.subspan(start..start + part.len()).unwrap_or_else(|| panic!("not found in {text:?}"));
        assert_eq!(slice(text, span), *part, "{text:?}");
        let wanted = text.rfind(part).expect("the part is there");
        assert_eq!(span.start as usize, wanted, "{text:?}");
    }
}

#[test]
fn parts_that_are_not_there_as_they_are_have_no_place() {
    let table: &[(&str, &str)] = &[
        ("a: \"x\\ty\"\n", "x\ty"),
        ("a: |\n  x\n  y\n", "x\ny"),
        ("a: >\n  x\n  y\n", "x y"),
        ("a: 'it''s'\n", "it's"),
    ];
    for (text, part) in table {
        let tree = tree(text);
        let value = at(tree.root(), "a");
        let start = value.scalar_text().and_then(|text| text.find(part)).expect("the part is there");
        assert_eq!(value.subspan(start..start + part.len()), None, "{text:?}");
        assert_eq!(value.subspan(0..1000), None, "{text:?}");
    }
}

#[test]
fn json_has_spans_too() {
    let text = "{\"é\": [1, \"ü\"], \"b\": {\"c\": \"x http://h\"}} ";
    let tree = one(json(text));
    assert_eq!(slice(text, tree.span()), text.trim_end());
    assert_eq!(slice(text, at(tree.root(), "é").span()), "[1, \"ü\"]");
    assert_eq!(slice(text, at(tree.root(), "é.1").span()), "\"ü\"");
    let part = at(tree.root(), "b.c").subspan(2..10).expect("it has no escapes");
    assert_eq!(slice(text, part), "http://h");
}

#[test]
fn comments_are_kept() {
    let text = "# one\na: 1 #two\n# thrée\nb: |\n  # text\n";
    let tree = tree(text);
    let comments: Vec<_> = tree.comments().iter().map(|c| (c.text.as_str(), slice(text, c.span))).collect();
    assert_eq!(comments, [(" one", "# one"), ("two", "#two"), (" thrée", "# thrée")]);
}

#[test]
fn blocks_end_as_their_source_does() {
    let table: &[(&str, &str)] = &[
        ("a: |\n  x", "x"),
        ("a: |\n  x\n", "x\n"),
        ("a: |\n  x\n\n\n", "x\n"),
        ("a: |-\n  x\n", "x"),
        ("a: |+\n  x\n\n", "x\n\n"),
        ("a: >\n  x\n  y\n", "x y\n"),
        ("a: |\r\n  x\r\n  y\r\n", "x\ny\n"),
    ];
    for (text, expected) in table {
        assert_eq!(at(tree(text).root(), "a").as_str(), Some(*expected), "{text:?}");
    }
}
