//! From the text of a file to a [`ThreatType`].

use std::sync::Arc;

use kubestride_model::Vocabulary;
use kubestride_source::{FileId, Span};
use kubestride_yaml::{Limits, Value};

use crate::filter::{self, Filter};
use crate::{
    Actor, Category, Effect, Impact, Likelihood, Mapping, Mitigation, Scheme, Sections, SubjectKind, TemplateError,
    TextTemplate, ThreatType,
};

const KEYS: [&str; 11] =
    ["id", "title", "category", "subject", "actor", "when", "mitigated-by", "folds", "impact", "likelihood", "maps-to"];

/// The headings that every file has, in this order.
const HEADINGS: [&str; 6] = ["Threat", "Why it matters", "Mitigation", "Verify", "Tests", "References"];

pub(crate) fn parse(file: FileId, text: &str, vocabulary: &Vocabulary) -> Result<ThreatType, Vec<TemplateError>> {
    let (front, body_start) = split(text).ok_or_else(|| {
        vec![TemplateError::at(Span::new(file, 0, 0), "the file must begin with front matter between two lines `---`")]
    })?;
    let arc: Arc<str> = Arc::from(text);
    let document = kubestride_yaml::read_document(file, &arc, front, &Limits::default());
    let Some(tree) = document.tree else {
        let errors = document.diagnostics.into_iter();
        return Err(errors.map(|d| TemplateError { message: d.message, span: d.span }).collect());
    };
    let mut reader = Reader { file, vocabulary, errors: Vec::new() };
    let threat = reader.threat(tree.root(), text, body_start);
    match threat {
        Some(threat) if reader.errors.is_empty() => Ok(threat),
        _ => Err(reader.errors),
    }
}

/// The byte range of the front matter, and where the body starts.
fn split(text: &str) -> Option<(std::ops::Range<usize>, usize)> {
    let start = text.strip_prefix("---\n").map(|_| 4)?;
    let end = start + text.get(start..)?.find("\n---\n")? + 1;
    Some((start..end, end + 4))
}

struct Reader<'a> {
    file: FileId,
    vocabulary: &'a Vocabulary,
    errors: Vec<TemplateError>,
}

impl Reader<'_> {
    fn fail<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.errors.push(TemplateError::at(span, message));
        None
    }

    fn threat(&mut self, root: Value<'_>, text: &str, body_start: usize) -> Option<ThreatType> {
        for entry in root.entries() {
            if !KEYS.contains(&entry.key) {
                let known = KEYS.join(", ");
                self.fail::<()>(entry.key_span, format!("`{}` is none of {known}", entry.key));
            }
        }
        let id = self.text(root, "id");
        let title_text = self.text(root, "title");
        let category = self.word(root, "category", Category::WORDS, Category::parse);
        let subject = self.word(root, "subject", SubjectKind::WORDS, SubjectKind::parse);
        let actor = self.word(root, "actor", Actor::WORDS, Actor::parse);
        let impact = self.word(root, "impact", Impact::WORDS, Impact::parse);
        let likelihood = self.word(root, "likelihood", Likelihood::WORDS, Likelihood::parse);
        let when = root.get("when");
        if when.is_none() {
            self.fail::<()>(root.span(), "`when` is missing");
        }
        let when = when.and_then(|w| self.filter(w, subject?));
        let mitigated_by = root.get("mitigated-by").map_or(Some(Vec::new()), |list| {
            list.items().map(|item| self.mitigation(item, subject?)).collect::<Option<Vec<_>>>()
        });
        let folds =
            root.get("folds").map_or(Vec::new(), |v| v.items().filter_map(|i| i.as_str()).map(str::to_owned).collect());
        let mappings = self.mappings(root);
        let (description, sections) = self.sections(text, body_start)?;
        let title = title_text.as_ref().and_then(|t| self.template(t, root.get("title")?.span()));
        Some(ThreatType {
            id: id?,
            title: title?,
            title_text: title_text?,
            category: category?,
            category_name: None,
            subject: subject?,
            actor: actor?,
            when: when?,
            mitigated_by: mitigated_by?,
            folds,
            impact: impact?,
            likelihood: likelihood?,
            mappings,
            description,
            sections,
        })
    }

    fn text(&mut self, root: Value<'_>, key: &str) -> Option<String> {
        match root.get(key).and_then(|v| v.as_str()) {
            Some(text) => Some(text.to_owned()),
            None => self.fail(root.span(), format!("`{key}` is missing or no text")),
        }
    }

    fn word<T>(&mut self, root: Value<'_>, key: &str, words: &[&str], parse: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(root, key)?;
        let span = root.get(key).map_or(root.span(), |v| v.span());
        match parse(&text) {
            Some(word) => Some(word),
            None => self.fail(span, format!("`{text}` is none of {}", words.join(", "))),
        }
    }

    fn template(&mut self, text: &str, span: Span) -> Option<TextTemplate> {
        match TextTemplate::parse(text, self.vocabulary) {
            Ok(template) => Some(template),
            Err(message) => self.fail(span, message),
        }
    }

    fn filter(&mut self, value: Value<'_>, subject: SubjectKind) -> Option<Filter> {
        let Some(text) = value.as_str() else { return self.fail(value.span(), "a filter is a text") };
        let parsed = filter::parse(text, value.span(), self.vocabulary).and_then(|filter| {
            filter::check(&filter, subject, value.span(), self.vocabulary)?;
            Ok(filter)
        });
        match parsed {
            Ok(filter) => Some(filter),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn mitigation(&mut self, item: Value<'_>, subject: SubjectKind) -> Option<Mitigation> {
        let control = self.text(item, "control")?;
        let when = match item.get("when") {
            Some(when) => self.filter(when, subject)?,
            None => return self.fail(item.span(), "a mitigation needs `when`"),
        };
        let effect = self.word(item, "effect", Effect::WORDS, Effect::parse)?;
        Some(Mitigation { control, when, effect })
    }

    fn mappings(&mut self, root: Value<'_>) -> Vec<Mapping> {
        let Some(map) = root.get("maps-to") else { return Vec::new() };
        for entry in map.entries() {
            if !Scheme::ALL.iter().any(|s| s.key() == entry.key) {
                let known = Scheme::ALL.map(Scheme::key).join(", ");
                self.fail::<()>(entry.key_span, format!("`{}` is none of {known}", entry.key));
            }
        }
        let of = |scheme: Scheme| {
            let value = map.get(scheme.key())?;
            let ids: Vec<String> = match value.as_str() {
                Some(one) => vec![one.to_owned()],
                None => value.items().filter_map(|i| i.scalar_text()).map(str::to_owned).collect(),
            };
            (!ids.is_empty()).then_some(Mapping { scheme, ids })
        };
        Scheme::ALL.into_iter().filter_map(of).collect()
    }

    fn sections(&mut self, text: &str, body_start: usize) -> Option<(TextTemplate, Sections)> {
        let body = text.get(body_start..).unwrap_or("");
        let mut found: Vec<(&str, usize, usize)> = Vec::new();
        let mut at = 0;
        let mut fenced = false;
        for line in body.split_inclusive('\n') {
            fenced ^= line.starts_with("```");
            if let Some(heading) = line.strip_prefix("## ").filter(|_| !fenced) {
                found.push((heading.trim(), at, at + line.len()));
            }
            at += line.len();
        }
        let titles: Vec<&str> = found.iter().map(|(title, ..)| *title).collect();
        let here = Span::new(self.file, body_start as u32, body_start as u32);
        if titles != HEADINGS {
            return self.fail(here, format!("the headings must be: {}", HEADINGS.join(", ")));
        }
        let mut content = found.iter().enumerate().map(|(i, (_, _, start))| {
            let end = found.get(i + 1).map_or(body.len(), |(_, next, _)| *next);
            body.get(*start..end).unwrap_or("").trim().to_owned()
        });
        let description = content.next().unwrap_or_default();
        let description = self.template(&description, here)?;
        let mut next = || content.next().unwrap_or_default();
        let sections = Sections { why: next(), mitigation: next(), verify: next(), tests: next(), references: next() };
        Some((description, sections))
    }
}
