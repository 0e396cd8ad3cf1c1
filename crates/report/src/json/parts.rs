//! What several parts of the document are made of: streamed lists, evidence, attributes, subjects.

use kubestride_model::{AttributeId, BoundaryId, ElementId, Evidence, Model, SubjectRef, Value};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::Report;
use crate::evidence::{Located, locate_plain};

/// A list whose items are made while it is written.
pub(crate) struct Each<F>(pub(crate) F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A place and what is there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place<'a> {
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    origin: &'static str,
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
}

impl<'a> From<Located<'a>> for Place<'a> {
    fn from(at: Located<'a>) -> Self {
        Self {
            file: at.file,
            line: at.line,
            column: at.column,
            end_line: at.end_line,
            end_column: at.end_column,
            origin: at.origin,
            note: at.note,
            template: at.template,
        }
    }
}

/// The evidence of a part of the model.
pub(crate) struct Places<'r, 'a>(pub(crate) &'r Report<'a>, pub(crate) &'r [Evidence]);

impl Serialize for Places<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|evidence| Place::from(locate_plain(self.0, evidence))))
    }
}

/// The attributes that are set on a subject, by name.
pub(crate) struct Attributes<'r, 'a>(pub(crate) &'r Report<'a>, pub(crate) SubjectRef);

#[derive(Serialize)]
struct Attribute<'r, 'a> {
    value: AttributeValue<'r>,
    origin: &'static str,
    evidence: Places<'r, 'a>,
}

impl Serialize for Attributes<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let model = self.0.model;
        let name = |id: AttributeId| model.vocabulary().attribute(id).map_or("", |a| a.name.as_ref());
        let mut values: Vec<(&str, AttributeId, Value)> =
            model.values(self.1).iter().map(|(id, value)| (name(*id), *id, *value)).collect();
        values.sort_unstable_by_key(|(name, id, _)| (*name, *id));
        let mut map = serializer.serialize_map(Some(values.len()))?;
        for (name, id, value) in values {
            let evidence = model.value_evidence(self.1, id);
            let attribute = Attribute {
                value: AttributeValue(model, id, value),
                origin: evidence.first().map_or("default", |e| e.origin.as_str()),
                evidence: Places(self.0, evidence),
            };
            map.serialize_entry(name, &attribute)?;
        }
        map.end()
    }
}

/// A word, a list of words, a number, a text, or null where the input does not say.
struct AttributeValue<'m>(&'m Model, AttributeId, Value);

impl Serialize for AttributeValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AttributeValue(model, id, value) = *self;
        match value {
            Value::Unknown => serializer.serialize_none(),
            Value::Number(number) => serializer.serialize_i64(number),
            Value::Set(bits) => {
                let names = model.vocabulary().attribute(id).map_or(&[][..], |a| a.domain.names());
                let named = names.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, name)| name);
                serializer.collect_seq(named)
            }
            Value::Choice(_) | Value::Text(_) => serializer.serialize_str(&model.value_text(id, value)),
        }
    }
}

/// A thing of the model by kind and identity.
#[derive(Serialize)]
pub(crate) struct Subject<'a> {
    kind: &'static str,
    id: &'a str,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(model: &'a Model, subject: SubjectRef) -> Self {
        Self { kind: subject.kind(), id: model.identity_of(subject) }
    }
}

/// The name of a subject's stencil.
pub(crate) fn stencil(model: &Model, subject: SubjectRef) -> &str {
    model.vocabulary().stencil(model.stencil_of(subject)).map_or("", |s| s.name.as_ref())
}

/// The identity of an element.
pub(crate) fn element(model: &Model, id: ElementId) -> &str {
    model.text(model.element(id).identity)
}

/// The identity of a boundary.
pub(crate) fn boundary(model: &Model, id: BoundaryId) -> &str {
    model.text(model.boundary(id).identity)
}
