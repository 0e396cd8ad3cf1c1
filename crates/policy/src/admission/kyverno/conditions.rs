//! Kyverno's conditions: a key, an operator and a value.

use kubestride_manifest::Field;
use kubestride_yaml::{Kind, Value};

use super::query::{Found, Scene, expression, query};
use crate::admission::reach::wildcard;

/// Whether conditions hold; none if that is not understood. A plain list asks for all of them.
pub(super) fn holds(conditions: Value<'_>, scene: &Scene<'_>) -> Option<bool> {
    if conditions.kind() == Kind::Sequence {
        // A list can also hold several `any` and `all`.
        let parts = conditions.items().map(|c| match c.kind() {
            Kind::Mapping if c.field("key").is_none() => holds(c, scene),
            _ => one(c, scene),
        });
        return every(parts);
    }
    let any = conditions.field("any").map(|any| some(any.items().map(|c| one(c, scene))));
    let all = conditions.field("all").map(|all| every(all.items().map(|c| one(c, scene))));
    every([any, all].into_iter().flatten())
}

fn every(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(false)) { Some(false) } else { parts.iter().all(Option::is_some).then_some(true) }
}

fn some(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    every(parts.map(|part| part.map(|p| !p))).map(|none| !none)
}

fn one(condition: Value<'_>, scene: &Scene<'_>) -> Option<bool> {
    if !scene.budget.spend() {
        return None;
    }
    let (key, value) = (found(condition.get("key")?, scene)?, found(condition.get("value")?, scene)?);
    let ((is_list, keys), (_, values)) = (key.texts()?, value.texts()?);
    if !scene.budget.spend_on_pairs(&keys, &values) {
        return None;
    }
    // Ranges, and operators inside values, are not read.
    let is_plain = |v: &String| !v.starts_with(['<', '>', '!']) && !v.contains(['|', '&']) && !is_range(v);
    if !values.iter().all(is_plain) {
        return None;
    }
    let is_in = |key: &String| values.iter().any(|value| wildcard(value, key) || wildcard(key, value));
    let operator = condition.text("operator")?;
    match operator {
        "Equals" | "Equal" | "NotEquals" | "NotEqual" if !is_list => {
            let [value] = values.as_slice() else { return None };
            let same = keys.first().is_some_and(|key| wildcard(value, key));
            Some(same == operator.starts_with("Equal"))
        }
        "AnyIn" => Some(keys.iter().any(is_in)),
        "AnyNotIn" => Some(keys.iter().any(|key| !is_in(key))),
        "AllIn" if !keys.is_empty() => Some(keys.iter().all(is_in)),
        "AllNotIn" if !keys.is_empty() => Some(!keys.iter().any(is_in)),
        "In" if !is_list => Some(keys.iter().all(is_in)),
        "NotIn" if !is_list => Some(!keys.iter().any(is_in)),
        _ => None,
    }
}

/// A side of a condition: an expression, or what stands there.
fn found<'a>(side: Value<'a>, scene: &Scene<'a>) -> Option<Found<'a>> {
    let Some(text) = side.scalar_text() else { return Some(Found::One(side)) };
    if let Some(expression) = expression(text) {
        return query(expression, scene);
    }
    if text.contains("{{") { None } else { Some(Found::One(side)) }
}

fn is_range(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    text.split_once('-').is_some_and(|(from, to)| digits(from) && digits(to))
}
