//! JSON texts.

mod common;

use common::{codes, json, one};
use kubestride_yaml::Kind;

#[test]
fn values_have_json_types() {
    let table: &[(&str, Kind)] = &[
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("false", Kind::Bool),
        ("0", Kind::Int),
        ("-12", Kind::Int),
        ("18446744073709551615", Kind::Int),
        ("18446744073709551616", Kind::Float),
        ("1.0", Kind::Float),
        ("1e3", Kind::Float),
        ("-0.5E-2", Kind::Float),
        ("\"yes\"", Kind::Str),
        ("\"\"", Kind::Str),
        ("[]", Kind::Sequence),
        ("{}", Kind::Mapping),
        ("\t\r\n [1,\t2]\n", Kind::Sequence),
        ("\u{feff}{\"a\": 1}", Kind::Mapping),
    ];
    for (text, expected) in table {
        assert_eq!(one(json(text)).root().kind(), *expected, "{text:?}");
    }
    assert_eq!(one(json("-12")).root().as_i64(), Some(-12));
    assert_eq!(one(json("-0.5E-2")).root().as_f64(), Some(-0.005));
    assert_eq!(one(json("false")).root().as_bool(), Some(false));
}

#[test]
fn escapes_are_decoded() {
    let table: &[(&str, &str)] = &[
        (r#""a\n\t\"\\\/\b\f\r""#, "a\n\t\"\\/\u{8}\u{c}\r"),
        (r#""\u00e9x""#, "éx"),
        (r#""x\ud83d\ude00y""#, "x😀y"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        ("\"ü\u{7f}\u{2028}\"", "ü\u{7f}\u{2028}"),
    ];
    for (text, expected) in table {
        assert_eq!(one(json(text)).root().as_str(), Some(*expected), "{text}");
    }
}

#[test]
fn errors_have_places() {
    let table: &[(&str, u32)] = &[
        ("{\"a\": }", 6),
        ("{\"a\" 1}", 5),
        ("{a: 1}", 1),
        ("{\"a\": 1,}", 8),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("[1}", 2),
        ("{\"a\": 1]", 7),
        ("[", 1),
        ("{", 1),
        ("\"a", 0),
        ("\"\\q\"", 1),
        ("\"\\u12\"", 1),
        ("\"\n\"", 1),
        ("01", 0),
        ("1.", 0),
        (".5", 0),
        ("+1", 0),
        ("1e", 0),
        ("-", 0),
        ("0x1", 0),
        ("True", 0),
        ("nul", 0),
        ("NaN", 0),
        ("]", 0),
        ("[1,, 2]", 3),
        ("'a'", 0),
        ("\"\\u+123\"", 1),
        ("\"\\", 1),
        ("[\"é\" x]", 6),
        ("{,}", 1),
        ("[,]", 1),
    ];
    for (text, start) in table {
        let documents = json(text);
        assert_eq!(codes(&documents), ["json-syntax"], "{text:?}");
        assert!(documents[0].tree.is_none());
        assert_eq!(documents[0].diagnostics[0].span.map(|span| span.start), Some(*start), "{text:?}");
    }
}

#[test]
fn values_after_each_other_are_documents() {
    let documents = json("{\"a\": 1}\n{\"a\": 2}{\"a\": 3} [4] 5\n");
    assert_eq!(codes(&documents), [""; 0]);
    assert_eq!(documents.len(), 5);
    assert_eq!((documents[1].span.start, documents[1].span.end), (9, 17));
    let values: Vec<_> = documents.iter().filter_map(|d| d.tree.as_ref()?.root().get("a")?.as_i64()).collect();
    assert_eq!(values, [1, 2, 3]);
    let documents = json("{\"a\": 1} {\"a\": ] {}");
    assert_eq!(documents.len(), 2, "what stands before an error is kept");
    assert!(documents[0].tree.is_some());
    assert!(json(" \n").is_empty());
}

#[test]
fn duplicate_keys_are_reported() {
    let documents = json("{\"a\": 1, \"a\": 2}");
    assert_eq!(codes(&documents), ["duplicate-key"]);
    let value = documents[0].tree.as_ref().and_then(|tree| tree.root().get("a"));
    assert_eq!(value.and_then(|value| value.as_i64()), Some(2));
}
