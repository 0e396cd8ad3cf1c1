//! What is wrong with a template.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::Vocabulary;
use kubestride_source::Span;
use kubestride_template::filter::{Filter, Operand, Test, import};

use crate::knowledge::{Knowledge, Rule};
use crate::rules;

/// Looks through a template. Each finding is one sentence that names the threat type or stencil.
pub fn check(knowledge: &Knowledge, place: Span) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in &knowledge.threats {
        *ids.entry(&rule.id).or_default() += 1;
    }
    for element in &knowledge.elements {
        *ids.entry(&element.id).or_default() += 1;
        let known = element.parent == "ROOT" || knowledge.element(&element.parent).is_some();
        if !known {
            found.push(format!("stencil {} inherits from {}, which is not there", element.id, element.parent));
        }
        if element.name.is_empty() {
            found.push(format!("stencil {} has no name", element.id));
        }
    }
    found.extend(
        ids.into_iter().filter(|(_, count)| *count > 1).map(|(id, count)| format!("{id} is given {count} times")),
    );
    let known = Known::of(knowledge);
    for rule in &knowledge.threats {
        texts(knowledge, rule, &mut found);
        for (name, text) in [("Include", &rule.include), ("Exclude", &rule.exclude)] {
            if text.trim().is_empty() {
                continue;
            }
            let mut vocabulary = rules::vocabulary(knowledge);
            match import(text, place, &mut vocabulary) {
                Err(error) => found.push(format!("{}: {name} is not understood: {}", rule.id, error.message)),
                Ok(filter) => {
                    let mut wrong = BTreeSet::new();
                    visit(&filter, &vocabulary, &known, &mut wrong);
                    found.extend(wrong.into_iter().map(|what| format!("{}: {name} {what}", rule.id)));
                }
            }
        }
        if rule.include.trim().is_empty() {
            found.push(format!("{}: it can never fire, because its Include is empty", rule.id));
        }
    }
    found
}

fn texts(knowledge: &Knowledge, rule: &Rule, found: &mut Vec<String>) {
    if rule.title.trim().is_empty() {
        found.push(format!("{}: it has no title", rule.id));
    }
    if rule.description.trim().is_empty() {
        found.push(format!("{}: it has no description", rule.id));
    }
    if knowledge.category(&rule.category).is_none() {
        found.push(format!("{}: there is no category {}", rule.id, rule.category));
    }
}

/// What filters can name.
struct Known {
    stencils: BTreeSet<String>,
    /// Values by attribute; every name that an attribute has.
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    fn of(knowledge: &Knowledge) -> Self {
        let mut stencils: BTreeSet<String> = knowledge.elements.iter().map(|e| e.id.clone()).collect();
        stencils.insert("ROOT".to_owned());
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for attribute in knowledge.elements.iter().flat_map(|e| &e.attributes) {
            for name in [&attribute.name, &attribute.display] {
                values.entry(name.clone()).or_default().extend(attribute.values.iter().cloned());
            }
        }
        Self { stencils, values }
    }
}

fn visit(filter: &Filter, vocabulary: &Vocabulary, known: &Known, wrong: &mut BTreeSet<String>) {
    let stencil = |id| vocabulary.stencil(id).map_or(String::new(), |s| s.name.to_string());
    let attribute =
        |operand: &Operand| operand.attribute.and_then(|a| vocabulary.attribute(a)).map(|a| a.name.to_string());
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) => {
            visit(a, vocabulary, known, wrong);
            visit(b, vocabulary, known, wrong);
        }
        Filter::Not(inner) | Filter::Quantified(_, _, inner) => visit(inner, vocabulary, known, wrong),
        Filter::Test(Test::Type(_, id) | Test::Crosses(id)) => {
            let name = stencil(*id);
            if !known.stencils.contains(&name) {
                wrong.insert(format!("names the stencil {name}, which is not there: the test is never true"));
            }
        }
        Filter::Test(Test::Text(operand, value)) => {
            let Some(name) = attribute(operand) else { return };
            match known.values.get(&name) {
                None => {
                    wrong.insert(format!("reads the attribute {name}, which nothing has: the test is never true"));
                }
                Some(values) if !values.is_empty() && !values.contains(value) => {
                    wrong.insert(format!("asks whether {name} is '{value}', which it never is"));
                }
                Some(_) => {}
            }
        }
        Filter::Test(_) => {}
    }
}
