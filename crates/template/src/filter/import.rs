//! Filters of other templates, whose stencils and attributes are not known beforehand.

use std::borrow::Cow;

use kubestride_model::{AttributeDef, Domain, Role, StencilDef, Value, Vocabulary};
use kubestride_source::Span;

use super::ast::Filter;
use super::lexer::{Token, TokenKind, tokens};
use super::parser::parse;
use crate::TemplateError;

/// Parses a filter of a template. Stencils and attributes that the vocabulary does not have are added to it: in
/// Microsoft's tool a test on a name that nothing has is false and no mistake. Values are texts.
///
/// # Errors
/// A mistake in grammar.
pub fn import(text: &str, base: Span, vocabulary: &mut Vocabulary) -> Result<Filter, TemplateError> {
    let tokens = tokens(text, base)?;
    for (i, token) in tokens.iter().enumerate() {
        let before = |by: usize| i.checked_sub(by).and_then(|i| tokens.get(i)).map(|t| &t.kind);
        match &token.kind {
            TokenKind::Word { text, .. } if matches!(before(1), Some(TokenKind::Sign("."))) => {
                attribute(text, vocabulary);
            }
            TokenKind::Value(text) if names_a_type(&tokens, i) => stencil(text, vocabulary),
            _ => {}
        }
    }
    parse(text, base, vocabulary)
}

/// Whether the value at `at` is a type: behind `crosses`, or behind `is` that follows no attribute.
fn names_a_type(tokens: &[Token], at: usize) -> bool {
    let kind = |by: usize| at.checked_sub(by).and_then(|i| tokens.get(i)).map(|t| &t.kind);
    let word = |by: usize, wanted: &str| matches!(kind(by), Some(TokenKind::Word { text, bracketed: false }) if text.eq_ignore_ascii_case(wanted));
    let of_attribute = |by: usize| matches!(kind(by), Some(TokenKind::Sign(".")));
    word(1, "crosses") || (word(1, "is") && !of_attribute(3)) || (word(1, "not") && word(2, "is") && !of_attribute(4))
}

/// Adds an attribute whose values are texts, and which things have only where it is set on them.
pub fn attribute(name: &str, vocabulary: &mut Vocabulary) {
    if vocabulary.find_attribute(name).is_none() && vocabulary.attributes.len() < usize::from(u16::MAX) {
        vocabulary.attributes.push(AttributeDef {
            name: Cow::Owned(name.to_owned()),
            domain: Domain::Text,
            default: Value::Unknown,
            doc: Cow::Borrowed(""),
            answered_by: Cow::Borrowed(""),
        });
    }
}

fn stencil(name: &str, vocabulary: &mut Vocabulary) {
    if vocabulary.find_stencil(name).is_none() && vocabulary.stencils.len() < usize::from(u16::MAX) {
        vocabulary.stencils.push(StencilDef {
            name: Cow::Owned(name.to_owned()),
            role: Role::Process,
            parent: None,
            attributes: Cow::Borrowed(&[]),
            doc: Cow::Borrowed(""),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Test;
    use kubestride_source::{FileOrigin, SourceMap};

    #[test]
    fn unknown_names_are_added_by_what_they_name() {
        let file = SourceMap::new().add("a.tb7", "", FileOrigin::Stated);
        let mut vocabulary = Vocabulary::default();
        let text = "source is 'GE.P' AND (flow.[Uses TLS] is 'No' or flow crosses 'GE.TB.B')";
        let filter = import(text, Span::new(file, 0, 0), &mut vocabulary).expect("a filter");
        let stencils: Vec<&str> = vocabulary.stencils.iter().map(|s| s.name.as_ref()).collect();
        let attributes: Vec<&str> = vocabulary.attributes.iter().map(|a| a.name.as_ref()).collect();
        assert_eq!((stencils, attributes), (vec!["GE.P", "GE.TB.B"], vec!["Uses TLS"]));
        let Filter::And(_, right) = filter else { panic!("{filter:?}") };
        let Filter::Or(left, _) = *right else { panic!("{right:?}") };
        assert!(matches!(*left, Filter::Test(Test::Text(_, ref value)) if value == "No"));
    }
    #[test]
    fn filters_of_any_length_do_not_exhaust_the_stack() {
        let file = SourceMap::new().add("a.tb7", "", FileOrigin::Stated);
        let joined = |count| vec!["source is 'GE.P'"; count].join(" and ");
        let read = |text: &str| import(text, Span::new(file, 0, 0), &mut Vocabulary::default());
        assert!(read(&joined(1000)).is_ok());
        let error = read(&joined(100_000)).expect_err("too many conditions");
        assert!(error.message.contains("may join 1000 conditions"), "{}", error.message);
    }
}
