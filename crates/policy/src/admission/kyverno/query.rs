//! A part of JMESPath: paths through fields and lists, and what to take instead where they find nothing.
//!
//! `request.object.spec.[initContainers, containers][].securityContext.capabilities.add[] || ['']`

use std::cell::Cell;

use kubestride_manifest::Field;
use kubestride_yaml::{Kind, Value};

/// How much one rule may cost, over all pods that it is asked about. Aliases can make a short rule a very long one.
pub(super) struct Budget(Cell<u32>);

/// Pairs of characters that are compared in one step.
const PAIRS_PER_STEP: usize = 1_000;

impl Budget {
    /// Several times of what rules that people write need.
    pub(super) fn of_rule() -> Self {
        Self(Cell::new(30_000))
    }

    /// Takes a step; false where nothing is left.
    pub(super) fn spend(&self) -> bool {
        self.spend_many(1)
    }

    /// Takes several steps; false where not so many are left.
    fn spend_many(&self, steps: u32) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(steps));
        left >= steps
    }

    /// Takes the steps that it costs to compare each text with each other one, by their number and length.
    pub(super) fn spend_on_pairs(&self, some: &[String], others: &[String]) -> bool {
        let size = |texts: &[String]| texts.iter().map(|text| text.len().saturating_add(8)).sum::<usize>();
        let steps = size(some).saturating_mul(size(others)) / PAIRS_PER_STEP;
        self.spend_many(u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

/// What expressions can see.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// What may be spent.
    pub(super) budget: &'a Budget,
    /// The pod that is being made.
    pub(super) pod: Value<'a>,
    /// In a loop, the element.
    pub(super) element: Option<Value<'a>>,
}

/// What an expression finds.
#[derive(Debug, Clone)]
pub(super) enum Found<'a> {
    Nothing,
    One(Value<'a>),
    Many(Vec<Value<'a>>),
    Texts(Vec<String>),
    Text(String),
}

impl<'a> Found<'a> {
    /// As a list of texts; whether it is a list or one text; none if it is something else.
    pub(super) fn texts(&self) -> Option<(bool, Vec<String>)> {
        let all = |values: &[Value<'_>]| {
            values.iter().map(|v| v.scalar_text().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        match self {
            Found::Nothing => None,
            Found::One(value) if value.kind() == Kind::Sequence => {
                Some((true, all(&value.items().collect::<Vec<_>>())?))
            }
            Found::One(value) => Some((false, vec![value.scalar_text()?.to_owned()])),
            Found::Many(values) => Some((true, all(values)?)),
            Found::Texts(texts) => Some((true, texts.clone())),
            Found::Text(text) => Some((false, vec![text.clone()])),
        }
    }

    /// The elements of a list.
    pub(super) fn elements(self) -> Option<Vec<Value<'a>>> {
        match self {
            Found::Nothing => Some(Vec::new()),
            Found::One(value) if value.kind() == Kind::Sequence => Some(value.items().collect()),
            Found::Many(values) => Some(values),
            _ => None,
        }
    }

    /// What counts as nothing on the left of `||`.
    fn is_false(&self) -> bool {
        match self {
            Found::Nothing => true,
            Found::One(value) => match value.kind() {
                Kind::Bool => value.as_bool() == Some(false),
                Kind::Mapping | Kind::Sequence => value.is_empty(),
                _ => value.scalar_text() == Some(""),
            },
            Found::Many(values) => values.is_empty(),
            Found::Texts(texts) => texts.is_empty(),
            Found::Text(text) => text.is_empty() || text == "false",
        }
    }
}

/// The expression inside `{{ … }}`, if that is all of the text.
pub(super) fn expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then(|| inner.trim())
}

/// What an expression finds; none if it is not understood.
pub(super) fn query<'a>(text: &str, scene: &Scene<'a>) -> Option<Found<'a>> {
    let mut found = Found::Nothing;
    for part in text.split("||") {
        found = term(part.trim(), scene)?;
        if !found.is_false() {
            return Some(found);
        }
    }
    Some(found)
}

fn term<'a>(text: &str, scene: &Scene<'a>) -> Option<Found<'a>> {
    let quoted = |mark: char| text.strip_prefix(mark).and_then(|t| t.strip_suffix(mark));
    if let Some(literal) = quoted('\'') {
        return Some(Found::Text(literal.to_owned()));
    }
    if let Some(literal) = quoted('`') {
        return match literal.trim() {
            "[]" => Some(Found::Texts(Vec::new())),
            "null" => Some(Found::Nothing),
            literal => {
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '"';
                literal.chars().all(plain).then(|| Found::Text(literal.trim_matches('"').to_owned()))
            }
        };
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).filter(|t| t.starts_with('\'')) {
        let items = inner.split(',').map(|i| i.trim().strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned));
        return items.collect::<Option<Vec<_>>>().map(Found::Texts);
    }
    if text == "request.operation" {
        return Some(Found::Text("CREATE".to_owned()));
    }
    let (root, path) = if let Some(path) = text.strip_prefix("request.object.") {
        (scene.pod, path)
    } else if text == "element" {
        return scene.element.map(Found::One);
    } else {
        (scene.element?, text.strip_prefix("element.")?)
    };
    walk(root, path)
}

/// Follows a path. After the first list, every step is taken from each element, and elements without it are left out.
fn walk<'a>(root: Value<'a>, path: &str) -> Option<Found<'a>> {
    let (mut here, mut many) = (vec![root], false);
    for step in steps(path)? {
        let (name, lists) = match step.find("[]").or_else(|| step.find("[*]")) {
            Some(at) if at > 0 => (step.get(..at)?, step.get(at..)?),
            _ => (step, ""),
        };
        here = if let Some(fields) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
            let names: Vec<&str> = fields.split(',').map(str::trim).collect();
            if !names.iter().all(|n| is_name(n)) {
                return None;
            }
            many = true;
            // The list of what these fields hold; the brackets behind it make one list of theirs.
            let held: Vec<Value<'a>> = here.iter().flat_map(|v| names.iter().filter_map(|n| v.field(n))).collect();
            if lists.is_empty() {
                return None;
            }
            held
        } else if is_name(name) {
            here.iter().filter_map(|v| v.field(name)).collect()
        } else {
            return None;
        };
        match lists {
            "" => {}
            "[]" | "[*]" => {
                if !many && here.is_empty() {
                    return Some(Found::Nothing);
                }
                many = true;
                here = here.into_iter().flat_map(Value::items).filter(|v| !v.is_null()).collect();
            }
            _ => return None,
        }
    }
    Some(match here.first() {
        _ if many => Found::Many(here),
        None => Found::Nothing,
        Some(one) => Found::One(*one),
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The parts of a path between dots that are not in brackets.
fn steps(path: &str) -> Option<Vec<&str>> {
    let (mut out, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in path.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            '.' if depth == 0 => {
                out.push(path.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(path.get(start..)?);
    Some(out)
}
