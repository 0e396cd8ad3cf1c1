//! From what a filter read to evidence for people.

use kubestride_model::{AttributeId, Evidence, Model, Origin, SubjectRef, Value};
use kubestride_template::filter::Read;

/// A piece of evidence and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cited {
    /// How and where.
    pub evidence: Evidence,
    /// The attribute it shows; none where it shows that the subject is there.
    pub shows: Option<(SubjectRef, AttributeId)>,
}

impl Cited {
    /// What it shows, in a few words.
    pub fn note(&self, model: &Model) -> String {
        let note = model.text(self.evidence.note);
        let Some((subject, attribute)) = self.shows else { return note.to_owned() };
        let name = model.vocabulary().attribute(attribute).map_or("", |a| &a.name);
        let value = model.value(subject, attribute);
        let text = value.map(|v| model.value_text(attribute, v)).unwrap_or_default();
        let shown = match value {
            Some(Value::Number(number)) => counted(name, number),
            _ => format!("{name} is {text}"),
        };
        match self.evidence.origin {
            Origin::Default => format!("{shown} by default: nothing in {} sets it", model.name_of(subject)),
            _ if note.is_empty() => shown,
            _ => format!("{shown}: {note}"),
        }
    }
}

/// A number of things, as `1 workload`; other numbers as `port is 22`.
fn counted(name: &str, number: i64) -> String {
    match name.strip_suffix('s') {
        Some(one) if number == 1 => format!("1 {one}"),
        Some(_) => format!("{number} {name}"),
        None => format!("{name} is {number}"),
    }
}

/// The evidence of what was read, each place once, attributes before mere presence.
pub(crate) fn cite(model: &Model, reads: &[Read]) -> Vec<Cited> {
    let mut out: Vec<Cited> = Vec::new();
    let mut add = |cited: Cited| {
        if !out.iter().any(|c| c.evidence == cited.evidence && c.shows == cited.shows) {
            out.push(cited);
        }
    };
    for (subject, attribute) in reads.iter().filter_map(|(s, a)| Some((*s, (*a)?))) {
        let set = model.value_evidence(subject, attribute);
        for evidence in set {
            add(Cited { evidence: *evidence, shows: Some((subject, attribute)) });
        }
        if set.is_empty() {
            // Nothing sets it: the place to point at is the subject in which it could be set.
            for evidence in model.evidence_of(subject).iter().take(1) {
                let evidence = Evidence { origin: Origin::Default, ..*evidence };
                add(Cited { evidence, shows: Some((subject, attribute)) });
            }
        }
    }
    for (subject, _) in reads.iter().filter(|(_, a)| a.is_none()) {
        for evidence in model.evidence_of(*subject) {
            // A place that already shows an attribute shows the subject, too.
            if !out.iter().any(|c| c.evidence.span.is_some() && c.evidence.span == evidence.span) {
                out.push(Cited { evidence: *evidence, shows: None });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_of_things_are_counted() {
        let said: Vec<String> =
            [("workloads", 1), ("workloads", 2), ("port", 22)].map(|(n, v)| super::counted(n, v)).into();
        assert_eq!(said, ["1 workload", "2 workloads", "port is 22"]);
    }
}
