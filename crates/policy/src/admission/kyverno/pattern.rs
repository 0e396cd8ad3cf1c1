//! Kyverno's patterns: overlays with anchors.
//!
//! <https://kyverno.io/docs/policy-types/cluster-policy/validate/#anchors>

use kubestride_manifest::Field;
use kubestride_yaml::{Kind, Value};

use super::query::Budget;
use crate::admission::reach::wildcard;

/// What a pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It matches.
    Pass,
    /// It does not.
    Fail,
    /// It is not about this.
    Skip,
    /// It is not understood.
    Unknown,
}

use Outcome::{Fail, Pass, Skip, Unknown};

/// How a key of a pattern is meant.
enum Anchor<'a> {
    None(&'a str),
    /// `(key)` and `<(key)`: what follows counts only if this matches.
    Condition(&'a str),
    /// `=(key)`: matches if it is there.
    Equality(&'a str),
    /// `X(key)`: must not be there.
    Negation(&'a str),
    /// `^(key)`: some element matches.
    Existence(&'a str),
    Unknown,
}

fn anchor(key: &str) -> Anchor<'_> {
    let Some(open) = key.find('(') else { return Anchor::None(key) };
    let Some(inner) = key.get(open + 1..).and_then(|rest| rest.strip_suffix(')')) else { return Anchor::Unknown };
    match key.get(..open) {
        Some("" | "<") => Anchor::Condition(inner),
        Some("=") => Anchor::Equality(inner),
        Some("X") => Anchor::Negation(inner),
        Some("^") => Anchor::Existence(inner),
        _ => Anchor::Unknown,
    }
}

/// What a pattern says of a part of an object.
pub(super) fn matches(pattern: Value<'_>, part: Option<Value<'_>>, budget: &Budget) -> Outcome {
    if !budget.spend() {
        return Unknown;
    }
    match (pattern.kind(), part) {
        (Kind::Mapping, Some(part)) if part.kind() == Kind::Mapping => mapping(pattern, part, budget),
        (Kind::Sequence, Some(part)) if part.kind() == Kind::Sequence => sequence(pattern, part, budget),
        (Kind::Mapping | Kind::Sequence, _) => Fail,
        (Kind::Null, part) => {
            if part.is_none() {
                Pass
            } else {
                Fail
            }
        }
        (_, None) if pattern.scalar_text().is_some_and(|text| text.contains(['!', '|', '{'])) => Unknown,
        (_, None) => Fail,
        (_, Some(part)) => match (pattern.scalar_text(), part.scalar_text()) {
            (Some(pattern), Some(text)) => scalar(pattern, text),
            _ => Unknown,
        },
    }
}

fn mapping(pattern: Value<'_>, part: Value<'_>, budget: &Budget) -> Outcome {
    let mut outcomes = Vec::new();
    for entry in pattern.entries() {
        if let Anchor::Condition(key) = anchor(entry.key) {
            match part.field(key).map(|value| matches(entry.value, Some(value), budget)) {
                Some(Pass) => {}
                Some(Unknown) => return Unknown,
                None | Some(Fail | Skip) => return Skip,
            }
        }
    }
    for entry in pattern.entries() {
        outcomes.push(match anchor(entry.key) {
            Anchor::Condition(_) => Pass,
            Anchor::None(key) => matches(entry.value, part.field(key), budget),
            Anchor::Equality(key) => part.field(key).map_or(Pass, |value| matches(entry.value, Some(value), budget)),
            Anchor::Negation(key) => {
                if part.field(key).is_some() {
                    Fail
                } else {
                    Pass
                }
            }
            Anchor::Existence(key) => part.field(key).map_or(Pass, |list| exists(entry.value, list, budget)),
            Anchor::Unknown => Unknown,
        });
    }
    together(&outcomes)
}

/// All must match. What is not understood might have been a condition that makes the rest count nothing.
fn together(outcomes: &[Outcome]) -> Outcome {
    [Unknown, Skip, Fail].into_iter().find(|o| outcomes.contains(o)).unwrap_or(Pass)
}

fn exists(pattern: Value<'_>, list: Value<'_>, budget: &Budget) -> Outcome {
    let mut patterns = pattern.items();
    let (Some(pattern), None) = (patterns.next(), patterns.next()) else { return Unknown };
    let outcomes: Vec<Outcome> = list.items().map(|element| matches(pattern, Some(element), budget)).collect();
    [Pass, Unknown].into_iter().find(|o| outcomes.contains(o)).unwrap_or(Fail)
}

/// A list with one pattern asks it of every element.
fn sequence(pattern: Value<'_>, list: Value<'_>, budget: &Budget) -> Outcome {
    let mut patterns = pattern.items();
    let (Some(pattern), None) = (patterns.next(), patterns.next()) else { return Unknown };
    let outcomes: Vec<Outcome> = list.items().map(|element| matches(pattern, Some(element), budget)).collect();
    if outcomes.contains(&Unknown) {
        return Unknown;
    }
    if pattern.kind() != Kind::Mapping {
        // Whether scalars are compared one by one or all with the first depends on the version.
        let same = |o: Outcome| outcomes.iter().all(|found| *found == o);
        return if same(Pass) {
            Pass
        } else if same(Fail) {
            Fail
        } else {
            Unknown
        };
    }
    let fails = outcomes.contains(&Fail);
    let skips = !outcomes.is_empty() && outcomes.iter().all(|o| *o == Skip);
    if fails {
        Fail
    } else if skips {
        Skip
    } else {
        Pass
    }
}

/// `|` is or, `&` is and, `!` is not; numbers may be compared, texts have `*` and `?`.
fn scalar(pattern: &str, text: &str) -> Outcome {
    if pattern.contains("{{") || pattern.contains("$(") {
        return Unknown;
    }
    let mut outcome = Fail;
    for choice in pattern.split('|') {
        match together(&choice.split('&').map(|one| simple(one.trim(), text)).collect::<Vec<_>>()) {
            Pass => return Pass,
            Unknown => outcome = Unknown,
            Fail | Skip => {}
        }
    }
    outcome
}

fn simple(pattern: &str, text: &str) -> Outcome {
    let of = |holds: bool| if holds { Pass } else { Fail };
    for (sign, compare) in [(">=", i64::ge as fn(&i64, &i64) -> bool), ("<=", i64::le), (">", i64::gt), ("<", i64::lt)]
    {
        if let Some(limit) = pattern.strip_prefix(sign) {
            return match (text.parse::<i64>(), limit.trim().parse::<i64>()) {
                (Ok(value), Ok(limit)) => of(compare(&value, &limit)),
                _ => Unknown,
            };
        }
    }
    let is_range = pattern.split_once('-').is_some_and(|(a, b)| {
        !a.is_empty()
            && a.trim_end_matches('!').bytes().all(|c| c.is_ascii_digit())
            && b.starts_with(|c: char| c.is_ascii_digit())
    });
    if is_range {
        return Unknown;
    }
    match pattern.strip_prefix('!') {
        Some(not) => of(!wildcard(not, text)),
        None => of(wildcard(pattern, text)),
    }
}
