//! Titles and descriptions with the names of what they are about.

use kubestride_model::{AttributeId, BoundaryKind, Model, SubjectRef, Vocabulary};

/// A text in which `{source.Name}`, `{flow.port}`, `{container.workload.Name}` and the like are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Reference { root: Root, workload: bool, namespace: bool, field: Field },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Subject,
    Source,
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    /// What is written on the line of a flow.
    Label,
    Attribute(AttributeId),
}

impl TextTemplate {
    /// Parses a text. Roots are those of filters, in any case; `target` is the workload where the subject is no flow.
    ///
    /// # Errors
    /// The reference that has no meaning.
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let Some(close) = after.find('}') else { return Err("`{` is not closed".to_owned()) };
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(reference(after.get(1..close).unwrap_or(""), vocabulary)?);
            rest = after.get(close + 1..).unwrap_or("");
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// A text of a template of Threat Modeling Tool: the names of source, target and flow are replaced, in any case, and
    /// everything else stays as it is. The name of a flow is what is written on its line.
    pub fn import(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            literal.push_str(before);
            let close = after.find('}');
            let inner = close.and_then(|close| after.get(1..close)).unwrap_or("");
            let part = |root, field| Some(Part::Reference { root, workload: false, namespace: false, field });
            let reference = match inner.trim().to_ascii_lowercase().as_str() {
                "source.name" => part(Root::Source, Field::Name),
                "target.name" => part(Root::Target, Field::Name),
                "flow.name" => part(Root::Subject, Field::Label),
                _ => None,
            };
            match (reference, close) {
                (Some(reference), Some(close)) => {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(reference);
                    rest = after.get(close + 1..).unwrap_or("");
                }
                _ => {
                    literal.push('{');
                    rest = after.get(1..).unwrap_or("");
                }
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal));
        parts.retain(|p| !matches!(p, Part::Literal(text) if text.is_empty()));
        Self { parts }
    }

    /// The text as it would be written in a template: names in braces, and other attributes by their position.
    pub fn source(&self, vocabulary: &Vocabulary) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Reference { root, field, .. } => {
                    let root = match root {
                        Root::Source => "source",
                        Root::Target => "target",
                        Root::Subject => "flow",
                    };
                    let field = match field {
                        Field::Name | Field::Label => "Name",
                        Field::Attribute(id) => vocabulary.attribute(*id).map_or("", |a| &a.name),
                    };
                    out.push_str(&format!("{{{root}.{field}}}"));
                }
            }
        }
        out
    }

    /// The text for one subject.
    pub fn render(&self, model: &Model, subject: SubjectRef) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Reference { root, workload, namespace, field } => {
                    let Some(thing) = resolve(*root, *workload, *namespace, model, subject) else { continue };
                    match field {
                        Field::Name => out.push_str(&model.name_of(thing)),
                        Field::Label => match thing {
                            SubjectRef::Flow(id) => out.push_str(model.text(model.flow(id).protocol)),
                            other => out.push_str(&model.name_of(other)),
                        },
                        Field::Attribute(attribute) => match model.value(thing, *attribute) {
                            Some(value) => out.push_str(&model.value_text(*attribute, value)),
                            None => out.push_str("Unknown"),
                        },
                    }
                }
            }
        }
        out
    }
}

fn reference(text: &str, vocabulary: &Vocabulary) -> Result<Part, String> {
    let unknown = || format!("`{{{text}}}` has no meaning");
    let mut words = text.split('.');
    let root = match words.next().unwrap_or("").to_ascii_lowercase().as_str() {
        "source" => Root::Source,
        "target" => Root::Target,
        "element" | "flow" | "boundary" | "container" | "control" | "name" => Root::Subject,
        _ => return Err(unknown()),
    };
    let (mut workload, mut namespace) = (false, false);
    for word in words {
        if word == "workload" {
            workload = true;
        } else if word == "namespace" {
            namespace = true;
        } else if word.eq_ignore_ascii_case("name") {
            return Ok(Part::Reference { root, workload, namespace, field: Field::Name });
        } else {
            let attribute = vocabulary.find_attribute(word).ok_or_else(unknown)?;
            return Ok(Part::Reference { root, workload, namespace, field: Field::Attribute(attribute) });
        }
    }
    Err(unknown())
}

fn resolve(root: Root, workload: bool, namespace: bool, model: &Model, subject: SubjectRef) -> Option<SubjectRef> {
    let thing = match (root, subject) {
        (Root::Source, SubjectRef::Flow(id)) => SubjectRef::Element(model.flow(id).source),
        (Root::Target, SubjectRef::Flow(id)) => SubjectRef::Element(model.flow(id).target),
        (Root::Target, SubjectRef::Container(id)) => SubjectRef::Element(model.container(id).workload),
        (_, SubjectRef::Container(id)) if workload => SubjectRef::Element(model.container(id).workload),
        _ => subject,
    };
    if !namespace {
        return Some(thing);
    }
    let boundary = match thing {
        SubjectRef::Element(id) => model.element(id).boundary,
        SubjectRef::Container(id) => model.element(model.container(id).workload).boundary,
        SubjectRef::Control(id) => model.control(id).boundary,
        SubjectRef::Name(id) => model.name(id).boundary,
        SubjectRef::Boundary(id) => id,
        SubjectRef::Flow(id) => model.element(model.flow(id).target).boundary,
    };
    model.enclosing(boundary).find(|(_, b)| b.kind == BoundaryKind::Namespace).map(|(id, _)| SubjectRef::Boundary(id))
}
