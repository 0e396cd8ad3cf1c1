//! Filters in the part of the language that is Microsoft's own.

use kubestride_model::{AttributeId, StencilId, Vocabulary};

use super::ast::*;

/// How stencils and attributes are named in the other template.
pub trait ExportNames {
    /// The id of a stencil.
    fn stencil(&self, id: StencilId) -> String;
    /// The name of an attribute.
    fn attribute(&self, id: AttributeId) -> String;
}

/// Writes a filter for Threat Modeling Tool.
///
/// # Errors
/// What its language cannot say, in a few words.
pub fn export(filter: &Filter, vocabulary: &Vocabulary, names: &dyn ExportNames) -> Result<String, String> {
    match filter {
        Filter::And(a, b) => Ok(format!("{} and {}", part(a, vocabulary, names)?, part(b, vocabulary, names)?)),
        Filter::Or(a, b) => Ok(format!("{} or {}", part(a, vocabulary, names)?, part(b, vocabulary, names)?)),
        Filter::Not(inner) => Ok(format!("not ({})", export(inner, vocabulary, names)?)),
        Filter::Quantified(..) => Err("it counts other flows, containers or stores".to_owned()),
        Filter::Test(test) => one(test, vocabulary, names),
    }
}

/// A side of `and` or `or`, in parentheses where it is one of them itself.
fn part(filter: &Filter, vocabulary: &Vocabulary, names: &dyn ExportNames) -> Result<String, String> {
    let text = export(filter, vocabulary, names)?;
    let compound = matches!(filter, Filter::And(..) | Filter::Or(..)) || text.contains(" or ");
    Ok(if compound { format!("({text})") } else { text })
}

fn one(test: &Test, vocabulary: &Vocabulary, names: &dyn ExportNames) -> Result<String, String> {
    let value = |operand: &Operand, at: usize| {
        let domain = operand.attribute.and_then(|a| vocabulary.attribute(a)).map(|a| &a.domain);
        domain.and_then(|d| d.names().get(at)).map(ToString::to_string).unwrap_or_default()
    };
    let is = |operand: &Operand, text: &str| Ok(format!("{} is '{text}'", name(operand, names)?));
    match test {
        Test::Type(operand, stencil) => is(operand, &names.stencil(*stencil)),
        Test::Choice(operand, at) => is(operand, &value(operand, usize::from(*at))),
        Test::Text(operand, text) => is(operand, text),
        Test::Among(operand, bits) => {
            let each = (0..64).filter(|at| bits & (1 << at) != 0).map(|at| is(operand, &value(operand, at)));
            Ok(each.collect::<Result<Vec<_>, String>>()?.join(" or "))
        }
        Test::TextAmong(operand, texts) => {
            Ok(texts.iter().map(|text| is(operand, text)).collect::<Result<Vec<_>, String>>()?.join(" or "))
        }
        Test::Crosses(stencil) => Ok(format!("flow crosses '{}'", names.stencil(*stencil))),
        Test::Has(..) => Err("it tests an attribute with several values".to_owned()),
        Test::InList(..) => Err("it tests a list of the user".to_owned()),
        Test::Number(..) => Err("it compares numbers".to_owned()),
        Test::Same(..) => Err("it compares two attributes".to_owned()),
        Test::Within(..) => Err("it tests what lies around an element".to_owned()),
        Test::Reachable(..) => Err("it follows flows".to_owned()),
    }
}

fn name(operand: &Operand, names: &dyn ExportNames) -> Result<String, String> {
    let root = match operand.root {
        Root::Source => "source",
        Root::Target => "target",
        Root::Flow => "flow",
        _ => return Err("it is about single elements".to_owned()),
    };
    if operand.enclosing.is_some() || operand.workload {
        return Err("it reads attributes of what lies around".to_owned());
    }
    Ok(match operand.attribute {
        Some(attribute) => format!("{root}.{}", names.attribute(attribute)),
        None => root.to_owned(),
    })
}

/// The attributes that a filter reads, each with whether it is one of the flow.
pub fn attributes(filter: &Filter, out: &mut Vec<(AttributeId, bool)>) {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) => {
            attributes(a, out);
            attributes(b, out);
        }
        Filter::Not(inner) | Filter::Quantified(_, _, inner) => attributes(inner, out),
        Filter::Test(test) => {
            let Some(operand) = test.operand() else { return };
            if let Some(attribute) = operand.attribute {
                out.push((attribute, operand.root == Root::Flow));
            }
        }
    }
}
