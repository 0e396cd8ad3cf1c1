//! A template's types of threats as files that people read: the form of our own catalogue.

use std::fmt::Write as _;

use crate::knowledge::{Knowledge, Rule};
use crate::rules;

/// One file for each type of threat: its name (`<category>/<id>.md`) and its text.
pub fn readable(knowledge: &Knowledge) -> Vec<(String, String)> {
    let wanted = knowledge.threats.iter().filter(|rule| !rules::is_for_people(rule) && !rule.include.trim().is_empty());
    wanted.map(|rule| (file_name(knowledge, rule), text(knowledge, rule))).collect()
}

/// Lower case words with dashes between them.
fn kebab(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

fn category(knowledge: &Knowledge, rule: &Rule) -> String {
    kebab(knowledge.category(&rule.category).map_or(rule.category.as_str(), |c| &c.name))
}

fn file_name(knowledge: &Knowledge, rule: &Rule) -> String {
    format!("{}/{}.md", category(knowledge, rule), kebab(&rule.id))
}

fn text(knowledge: &Knowledge, rule: &Rule) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = |text: &str| format!("\"{}\"", one_line(text).replace('\\', "\\\\").replace('"', "\\\""));
    let when = match (one_line(&rule.include), one_line(&rule.exclude)) {
        (include, exclude) if exclude.is_empty() => include,
        (include, exclude) => format!("({include}) and not ({exclude})"),
    };
    let property = |name: &str| rule.properties.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let impact = rules::impact(property("Priority").unwrap_or("High")).as_str();
    let mut out = String::from("---\n");
    // Writing to a string does not fail.
    let _ = writeln!(out, "id: {}", kebab(&rule.id));
    let _ = writeln!(out, "title: {}", quoted(&rule.title));
    let _ = writeln!(out, "category: {}", category(knowledge, rule));
    let _ = writeln!(out, "subject: flow\nwhen: {}\nimpact: {impact}\nlikelihood: high\n---", quoted(&when));
    let sections = [
        ("Threat", Some(rule.description.trim())),
        ("Why it matters", knowledge.category(&rule.category).map(|c| c.short.trim())),
        ("Mitigation", property("PossibleMitigations")),
        ("References", property("Reference")),
    ];
    for (heading, text) in sections {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let _ = writeln!(out, "## {heading}\n{text}\n");
        }
    }
    out.trim_end().to_owned() + "\n"
}
