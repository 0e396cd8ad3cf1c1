//! The selector language of Calico: a table of texts, and random expressions against an evaluator of their own.

mod worlds;

use std::collections::BTreeMap;

use kubestride_policy::calico::Selector;
use kubestride_policy::network::{Label, Match};
use worlds::Random;

const LABELS: [(&str, &str); 5] =
    [("role", "business"), ("my-label", "production"), ("example.com/tier", "a b"), ("quote", "it's"), ("in", "x")];

fn ask(text: &str) -> Option<bool> {
    let selector = Selector::parse(text);
    let label = |key: &str| LABELS.iter().find(|(k, _)| *k == key).map_or(Label::Missing, |(_, v)| Label::Is(v));
    match selector.matches(&label, Match::Yes) {
        Match::Yes => Some(true),
        Match::No => Some(false),
        Match::Unknown => {
            assert!(selector.is_broken(), "{text}");
            None
        }
    }
}

#[test]
fn texts_mean_what_the_documentation_says() {
    let (yes, no, broken) = (Some(true), Some(false), None);
    let table = [
        // "all() or the empty selector -> matches all endpoints".
        ("all()", yes),
        ("", yes),
        (" \t", yes),
        ("all( )", yes),
        ("!all()", no),
        // "Matches resources with the label 'k' and value 'v'."
        ("role == 'business'", yes),
        ("role=='business'", yes),
        ("role == \"business\"", yes),
        ("role == 'other'", no),
        ("absent == 'business'", no),
        ("example.com/tier == 'a b'", yes),
        ("quote == \"it's\"", yes),
        // "Matches resources without label 'k' or with label 'k' and value not equal to `v`".
        ("role != 'business'", no),
        ("role != 'other'", yes),
        ("absent != 'other'", yes),
        // "Matches resources with label 'k', independent of value."
        ("has(role)", yes),
        ("has( role )", yes),
        ("has(absent)", no),
        ("!has(absent)", yes),
        ("! has(absent)", yes),
        ("!!has(role)", yes),
        // "Matches resources with label 'k' and value in the given set", and the other way round.
        ("role in {'frontend','business'}", yes),
        ("role in { 'frontend' , \"business\" , }", yes),
        ("role in {'frontend'}", no),
        ("role in {}", no),
        ("absent in {''}", no),
        ("role not in {'frontend','business'}", no),
        ("role not   in {'frontend'}", yes),
        ("role notin {'frontend'}", yes),
        ("role not in {}", yes),
        ("absent not in {'frontend'}", yes),
        // "value containing the substring", "starting with", "ending with".
        ("my-label contains 'duct'", yes),
        ("my-label contains 'none'", no),
        ("absent contains ''", no),
        ("my-label starts with 'prod'", yes),
        ("my-label startswith'prod'", yes),
        ("my-label starts with 'duct'", no),
        ("my-label ends with 'tion'", yes),
        ("my-label ends \t with 'prod'", no),
        // Operators are names where a label stands.
        ("in == 'x'", yes),
        ("contains == 'x' || in in {'x'}", yes),
        // "Operators have the following precedence", with the example of the documentation.
        ("! has(my-label) || my-label starts with 'prod' && role in {'frontend','business'}", yes),
        ("! has(my-label) || my-label starts with 'prod' && role in {'frontend'}", no),
        ("has(role) || has(absent) && has(absent)", yes),
        ("(has(role) || has(absent)) && has(absent)", no),
        ("!has(absent) && has(role)", yes),
        ("!(has(absent) || has(role))", no),
        ("!role == 'other'", yes),
        ("((((has(role)))))", yes),
        // What is none.
        ("role", broken),
        ("role = 'business'", broken),
        ("role == business", broken),
        ("role == 'business", broken),
        ("'business' == role", broken),
        ("role == 'business' has(role)", broken),
        ("role == 'business' &&", broken),
        ("role == 'business' & has(role)", broken),
        ("&& has(role)", broken),
        ("(has(role)", broken),
        ("has(role))", broken),
        ("has()", broken),
        ("has(role", broken),
        ("has (role)", broken),
        ("all", broken),
        ("all(role)", broken),
        ("()", broken),
        ("!", broken),
        ("role in 'business'", broken),
        ("role in {'a' 'b'}", broken),
        ("role in {business}", broken),
        ("role in {'a'", broken),
        ("role starts 'a'", broken),
        ("role matches 'a'", broken),
        ("role == 'business'\n", broken),
        ("role == 'business' ; all()", broken),
        ("rôle == 'business'", broken),
    ];
    for (text, expected) in table {
        assert_eq!(ask(text), expected, "{text:?}");
    }
}

#[test]
fn scopes_are_asked_of_namespaces() {
    let in_scope = |text: &str, namespaced: Match| Selector::parse(text).matches(&|_| Label::Missing, namespaced);
    for (text, of_namespaced, of_global) in [
        ("all()", Match::Yes, Match::No),
        ("global()", Match::No, Match::Yes),
        ("!all()", Match::No, Match::Yes),
        ("global() || has(x)", Match::No, Match::Yes),
        ("!has(x)", Match::Yes, Match::Yes),
    ] {
        assert_eq!(in_scope(text, Match::Yes), of_namespaced, "{text}");
        assert_eq!(in_scope(text, Match::No), of_global, "{text}");
    }
    assert!(Selector::parse("has(x) && !(global() || has(y))").names_global());
    assert!(!Selector::parse("has(global)").names_global());
}

#[test]
fn what_is_not_known_of_labels_stays_unknown() {
    let ask = |text: &str, label: Label<'static>| {
        Selector::parse(text).matches(&|key| if key == "k" { label } else { Label::Missing }, Match::Yes)
    };
    for text in ["k == 'v'", "k != 'v'", "k in {'v'}", "k contains 'v'", "!(k == 'v')", "has(x) || k == 'v'"] {
        assert_eq!(ask(text, Label::Unknown), Match::Unknown, "{text}");
        assert_eq!(ask(text, Label::Present), Match::Unknown, "{text}");
    }
    assert_eq!(ask("has(k)", Label::Present), Match::Yes);
    assert_eq!(ask("has(k)", Label::Unknown), Match::Unknown);
    assert_eq!(ask("k == 'v' && has(x)", Label::Unknown), Match::No);
    assert_eq!(ask("k == 'v' || !has(x)", Label::Unknown), Match::Yes);
}

#[test]
fn hostile_texts_stay_bounded() {
    let nested = |depth: usize| format!("{}has(x){}", "(".repeat(depth), ")".repeat(depth));
    assert!(!Selector::parse(&nested(64)).is_broken());
    assert!(Selector::parse(&nested(65)).is_broken());
    assert!(Selector::parse(&nested(1_000_000)).is_broken());
    assert!(Selector::parse(&"(".repeat(16_000)).is_broken());
    assert!(!Selector::parse(&format!("{}has(x)", "!".repeat(16_000))).is_broken());
    assert!(!Selector::parse(&vec!["has(x)"; 1_000].join("||")).is_broken());
    assert!(Selector::parse(&vec!["has(x)"; 1_000_000].join("||")).is_broken());
    // Parentheses beside each other are not inside each other.
    assert!(!Selector::parse(&vec!["(has(x))"; 500].join("&&")).is_broken());
    for text in ["\u{0}", "é", "'", "\"", "has(é)", "a == 'é", "{", "a in {'é'", "\u{feff}all()"] {
        assert!(Selector::parse(text).is_broken(), "{text:?}");
    }
}

type Known = BTreeMap<&'static str, &'static str>;

/// What an expression says of labels.
type Says = Box<dyn Fn(&Known) -> bool>;

/// A random expression: its text, how tightly its outermost operator binds (2 for `||`, 1 for `&&`, 0 else), and what it
/// says of labels.
fn expression(random: &mut Random, depth: u32) -> (String, u32, Says) {
    let space = |random: &mut Random| random.one(&["", " ", " \t "]);
    let kind = if depth == 0 { random.below(8) } else { random.below(12) };
    let key = random.one(&["a", "b.c/d", "e-f"]);
    let value = random.one(&["", "v", "vw", "wv"]);
    let quoted = |value: &str, random: &mut Random| {
        let quote = random.one(&["'", "\""]);
        format!("{quote}{value}{quote}")
    };
    match kind {
        0 => ("all()".to_owned(), 0, Box::new(|_| true)),
        1 => (format!("has({key})"), 0, Box::new(move |known| known.contains_key(key))),
        2 | 3 => {
            let sign = if kind == 2 { "==" } else { "!=" };
            let text = format!("{key}{}{sign}{}{}", space(random), space(random), quoted(value, random));
            (text, 0, Box::new(move |known| (known.get(key) == Some(&value)) == (kind == 2)))
        }
        4 | 5 => {
            let values: Vec<&str> = (0..random.below(3)).map(|_| random.one(&["", "v", "vw"])).collect();
            let list: Vec<String> = values.iter().map(|value| quoted(value, random)).collect();
            let operator = if kind == 4 { "in" } else { "not in" };
            let text = format!("{key} {operator}{}{{{}}}", space(random), list.join(","));
            let is_in = move |known: &Known| known.get(key).is_some_and(|value| values.contains(value));
            (text, 0, Box::new(move |known| is_in(known) == (kind == 4)))
        }
        6 | 7 => {
            let operator = random.one(&["contains", "starts with", "ends with"]);
            let text = format!("{key} {operator}{}{}", space(random), quoted(value, random));
            let holds = move |own: &&str| match operator {
                "contains" => own.contains(value),
                "starts with" => own.starts_with(value),
                _ => own.ends_with(value),
            };
            (text, 0, Box::new(move |known| known.get(key).is_some_and(holds)))
        }
        8 | 9 => {
            let (inner, binding, says) = expression(random, depth - 1);
            let inner = if binding > 0 { format!("({inner})") } else { inner };
            let text = format!("!{}{inner}", space(random));
            // Half of them with parentheses that change nothing.
            let text = if kind == 9 { format!("({text})") } else { text };
            (text, 0, Box::new(move |known| !says(known)))
        }
        _ => {
            let (sign, own) = if kind == 10 { ("&&", 1) } else { ("||", 2) };
            let ((left, l, says_left), (right, r, says_right)) =
                (expression(random, depth - 1), expression(random, depth - 1));
            let part = |text: String, binding: u32| if binding > own { format!("({text})") } else { text };
            let text = format!("{}{}{sign}{}{}", part(left, l), space(random), space(random), part(right, r));
            let says: Says = if kind == 10 {
                Box::new(move |known| says_left(known) && says_right(known))
            } else {
                Box::new(move |known| says_left(known) || says_right(known))
            };
            (text, own, says)
        }
    }
}

#[test]
fn random_expressions_agree() {
    let mut random = Random(5);
    let (mut yes, mut no) = (0, 0);
    for _ in 0..3_000 {
        let (text, _, says) = expression(&mut random, 4);
        let selector = Selector::parse(&text);
        assert!(!selector.is_broken(), "{text}");
        for _ in 0..8 {
            let mut known = Known::new();
            for key in ["a", "b.c/d", "e-f"] {
                if random.below(3) > 0 {
                    known.insert(key, random.one(&["", "v", "vw", "wv", "wvw"]));
                }
            }
            let label = |key: &str| known.get(key).map_or(Label::Missing, |value| Label::Is(value));
            let expected = says(&known);
            assert_eq!(selector.matches(&label, Match::Yes), Match::from(expected), "{text} of {known:?}");
            *(if expected { &mut yes } else { &mut no }) += 1;
        }
    }
    assert!(yes > 5_000 && no > 5_000, "{yes} and {no}: the expressions are too much alike");
}
