//! Broken and hostile documents.

mod common;

use std::{sync::Arc, time::Instant};

use common::{codes, json, tree, yaml};
use kubestride_source::{FileId, Level};
use kubestride_yaml::{Limits, read, read_json, visitor::walk};

#[test]
fn a_broken_document_does_not_hide_the_next() {
    let documents = yaml("a: 1\n---\nb: [1\n---\nc: 3\n");
    assert_eq!(codes(&documents), ["yaml-syntax"]);
    let parsed: Vec<_> = documents.iter().map(|document| document.tree.is_some()).collect();
    assert_eq!(parsed, [true, false, true]);
    let third = documents[2].tree.as_ref().and_then(|tree| tree.root().get("c"));
    assert_eq!(third.and_then(|value| value.as_i64()), Some(3));
}

#[test]
fn errors_have_codes_and_places() {
    let table: &[(&str, &str, u32)] = &[
        ("é: b: c\n", "yaml-syntax", 5),
        ("a: \"b\n", "yaml-syntax", 3),
        ("x: 1\na: *b\n", "unknown-alias", 8),
        ("a: 1\n\tb: 2\n", "yaml-syntax", 3),
        ("a: @b\n", "yaml-syntax", 3),
        ("--- {a: 1} {b: 2}\n", "yaml-syntax", 11),
    ];
    for (text, code, start) in table {
        let documents = yaml(text);
        assert_eq!(codes(&documents), [*code], "{text:?}");
        let diagnostic = &documents[0].diagnostics[0];
        assert_eq!(diagnostic.level, Level::Error);
        assert_eq!(diagnostic.span.map(|span| span.start), Some(*start), "{text:?}");
        assert!(documents[0].tree.is_none());
    }
}

#[test]
fn texts_of_all_shapes_are_read() {
    let table: &[(&str, usize)] = &[
        ("", 0),
        ("\n\n", 0),
        ("# only\n", 0),
        ("---\n# only\n", 0),
        ("---\n---\n", 0),
        ("\u{feff}", 0),
        ("null\n", 1),
        ("~", 1),
        ("''", 1),
        ("a: 1", 1),
        ("a: 1\r\n---\r\nb: 2\r\n", 2),
        ("a:\t1\n", 1),
        ("%YAML 1.1\n---\na: 1\n...\n", 1),
        ("%YAML 1.2\n---\na\n...\n%YAML 1.2\n---\nb\n", 2),
        ("\u{feff}---\na: 1\n---\nb: 2\n", 2),
        ("a: |\n  x\n---\nb: 1\n", 2),
        ("...\n...\n", 0),
        ("# helm\n---\n# Source: x\na: 1\n---\n# Source: y\n", 1),
        ("a: 1\n...\n# end\n", 1),
    ];
    for (text, count) in table {
        let documents = yaml(text);
        assert_eq!(codes(&documents), [""; 0], "{text:?}");
        assert_eq!(documents.len(), *count, "{text:?}");
        assert!(documents.iter().all(|document| document.tree.is_some()), "{text:?}");
    }
}

#[test]
fn depth_is_limited_and_costs_nothing() {
    let start = Instant::now();
    for part in ["[", "{", "- ", "? ", "{a: ", "[{a: ", "!!seq [", "&a ["] {
        let documents = yaml(&part.repeat(100_000));
        assert!(documents.iter().all(|document| document.tree.is_none()), "{part:?}");
        assert_eq!(codes(&documents), ["too-deep"], "{part:?}");
    }
    for part in ["[", "{\"a\":", "[{\"a\":"] {
        assert_eq!(codes(&json(&part.repeat(100_000))), ["too-deep"], "{part:?}");
    }
    let stairs: String = (0..3_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert_eq!(codes(&yaml(&stairs)), ["too-deep"]);
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn limits_are_exact() {
    for (depth, fits) in [(128, true), (129, false)] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(yaml(&text)[0].tree.is_some(), fits, "{depth}");
        assert_eq!(json(&text)[0].tree.is_some(), fits, "{depth}");
        let block = format!("{}x", "- ".repeat(depth));
        assert_eq!(yaml(&block)[0].tree.is_some(), fits, "{depth}");
    }
    let deep = Limits { max_depth: 100_000, ..Limits::default() };
    let text: Arc<str> = format!("{}{}", "[".repeat(90_000), "]".repeat(90_000)).into();
    let documents = read_json(FileId(0), &text, &deep);
    let tree = documents[0].tree.as_ref().expect("the limit allows it");
    assert!(!walk(tree.root(), &mut |_, _| ()), "the walk has its own limit");
    let few = Limits { max_nodes: 4, ..Limits::default() };
    for (text, fits) in [("[1, 2, 3]", true), ("[1, 2, 3, 4]", false)] {
        let text = Arc::from(text);
        let expected: &[&str] = if fits { &[] } else { &["too-many-nodes"] };
        assert_eq!(codes(&read(FileId(0), &text, &few)), expected);
        assert_eq!(codes(&read_json(FileId(0), &text, &few)), expected);
    }
}

#[test]
fn alias_bombs_and_loops_end() {
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..40 {
        bomb.push_str(&format!("a{i}: &a{i} [*a{p}, *a{p}, *a{p}]\n", p = i - 1));
    }
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for i in 1..40 {
        merges.push_str(&format!("a{i}: &a{i} {{<<: [*a{p}, *a{p}], y: *a{p}}}\n", p = i - 1));
    }
    let start = Instant::now();
    for (text, complete) in [
        (bomb.as_str(), false),
        (&merges, true),
        ("&a {b: *a}", false),
        ("&a [*a, *a]", false),
        ("&a {<<: *a, b: 1}", true),
        ("a: &a {b: 1}\nc: *a\nd: *a\n", true),
    ] {
        let tree = tree(text);
        let mut visits = 0;
        assert_eq!(walk(tree.root(), &mut |_, _| visits += 1), complete, "{text:.20}");
        assert!(visits <= 10_001, "{visits}");
        let last = tree.root().get("a39").and_then(|value| value.get("x")).and_then(|value| value.as_i64());
        assert_eq!(last, (text == merges).then_some(1));
    }
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn walks_name_where_they_are() {
    let tree = tree("a: &x\n  - b: 1\nc: *x\n");
    let mut seen = Vec::new();
    assert!(walk(tree.root(), &mut |path, value| seen.push((format!("{path:?}"), value.scalar_text()))));
    let expected = [
        ("[]", None),
        ("[Key(\"a\")]", None),
        ("[Key(\"a\"), Index(0)]", None),
        ("[Key(\"a\"), Index(0), Key(\"b\")]", Some("1")),
        ("[Key(\"c\")]", None),
        ("[Key(\"c\"), Index(0)]", None),
        ("[Key(\"c\"), Index(0), Key(\"b\")]", Some("1")),
    ];
    assert_eq!(seen, expected.map(|(path, text)| (path.to_owned(), text)));
}

#[test]
fn diagnostics_never_repeat_the_input() {
    let broken = [
        "a: hunter2: hunter2\n",
        "a: \"hunter2\n",
        "a: 'hunter2\n",
        "a: \"hunter2\\q\"\n",
        "a: 'hunter2' hunter2\n",
        "a: *hunter2\n",
        "a: &hunter2 &hunter2 x\n",
        "a: !hunter2!x y\n",
        "a: !<hunter2 y\n",
        "a: !hunter2{ y\n",
        "%hunter2 hunter2\n---\na: [\n",
        "%TAG hunter2 hunter2\n---\na\n",
        "%YAML hunter2\n---\na\n",
        "%YAML 9.hunter2\n---\na\n",
        "a: |hunter2\n  x\n",
        "a: |\n   x\n hunter2\n",
        "hunter2: 1\n b: 2\n",
        "{hunter2: 1, [hunter2]: 2\n",
        "[hunter2}\n",
        "- hunter2\nhunter2\n",
        "a: @hunter2\n",
        "a: `hunter2\n",
        "a: %hunter2\n",
        "- hunter2\n\t- x: hunter2: 1\n",
        "a: hunter2\n\tb: 1\n",
        "{{ hunter2 }}: 1\n",
        "'hunter2=hunter2 x': 1\n'hunter2=hunter2 x': 2\n",
        "? [hunter2]\n: hunter2\n",
        "a: [*hunter2]\n",
        "# hunter2\na: ]\n",
        "a: hunter2\n...hunter2: [\n",
        "... hunter2\n",
        "--- [hunter2] hunter2\n",
        "a: \"\\uhunter2\"\n",
        "a: >hunter2\n",
        "a: !!hunter2%zz x\n",
        "!hunter2 &hunter2 *hunter2\n",
    ];
    let broken_json = [
        "{\"hunter2\": hunter2}",
        "{\"a\": \"hunter2",
        "{\"a\": \"hunter2\\q\"}",
        "{hunter2: 1}",
        "[\"hunter2\" 1]",
        "hunter2",
        "{\"a\" \"hunter2\"}",
        "[1, hunter2",
        "{\"hunter2\\u\": 1}",
        "\"\thunter2\"",
        "{'hunter2': 1}",
        "{\"hunter2 x\": 1, \"hunter2 x\": 2}",
        "[1] hunter2",
    ];
    let documents = broken.iter().map(|text| (text, yaml(text))).chain(broken_json.iter().map(|t| (t, json(t))));
    for (text, documents) in documents {
        assert!(!codes(&documents).is_empty(), "{text:?} is meant to be broken");
        let shown = format!("{documents:?}");
        assert!(!shown.contains("hunter2"), "{text:?}: {shown}");
    }
}
