//! Whether a filter makes sense for the subjects of its threat type.

use kubestride_model::{AttributeId, Role, Vocabulary};
use kubestride_source::Span;

use super::ast::*;
use crate::{SubjectKind, TemplateError};

/// Which roots may be used: those of the subject, and what quantifiers bring.
#[derive(Clone, Copy)]
struct Roots {
    subject: SubjectKind,
    other: bool,
    flow: bool,
    container: bool,
}

/// Checks that roots fit the subject and that some stencil in their place has each attribute.
///
/// # Errors
/// The first operand that can never have a value.
pub fn check(filter: &Filter, subject: SubjectKind, span: Span, vocabulary: &Vocabulary) -> Result<(), TemplateError> {
    let roots = Roots { subject, other: false, flow: false, container: false };
    visit(filter, roots, &|message| TemplateError::at(span, message), vocabulary)
}

type Fail<'a> = &'a dyn Fn(String) -> TemplateError;

fn visit(filter: &Filter, roots: Roots, fail: Fail<'_>, vocabulary: &Vocabulary) -> Result<(), TemplateError> {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) => {
            visit(a, roots, fail, vocabulary)?;
            visit(b, roots, fail, vocabulary)
        }
        Filter::Not(inner) => visit(inner, roots, fail, vocabulary),
        Filter::Quantified(_, relation, inner) => {
            let mut roots = roots;
            match relation {
                Relation::Incoming | Relation::Outgoing | Relation::Store => (roots.other, roots.flow) = (true, true),
                Relation::Container => roots.container = true,
                Relation::Sibling => roots.other = true,
            }
            visit(inner, roots, fail, vocabulary)
        }
        Filter::Test(test) => match test {
            Test::Crosses(_) if roots.subject == SubjectKind::Flow || roots.flow => Ok(()),
            Test::Crosses(_) => Err(fail("`crosses` needs a flow".to_owned())),
            Test::Same(a, b) => {
                operand(a, roots, fail, vocabulary)?;
                operand(b, roots, fail, vocabulary)
            }
            _ => test.operand().map_or(Ok(()), |o| operand(o, roots, fail, vocabulary)),
        },
    }
}

fn operand(operand: &Operand, roots: Roots, fail: Fail<'_>, vocabulary: &Vocabulary) -> Result<(), TemplateError> {
    let subject = roots.subject;
    let known = match operand.root {
        Root::Element => subject == SubjectKind::Element,
        Root::Source | Root::Target => subject == SubjectKind::Flow,
        Root::Flow => subject == SubjectKind::Flow || roots.flow,
        Root::Boundary => subject == SubjectKind::Boundary,
        Root::Container => subject == SubjectKind::Container || roots.container,
        Root::Control => subject == SubjectKind::Control,
        Root::Name => subject == SubjectKind::Name,
        Root::Other => roots.other,
    };
    if !known {
        return Err(fail(format!("there is no `{:?}` here", operand.root).to_lowercase()));
    }
    let Some(attribute) = operand.attribute else { return Ok(()) };
    let place = match (operand.enclosing, operand.workload, operand.root) {
        (Some(_), ..) => Place::Boundary,
        (None, true, _) | (None, false, Root::Element | Root::Source | Root::Target | Root::Other) => Place::Element,
        (None, false, Root::Flow) => Place::Is(Role::Flow),
        (None, false, Root::Container) => Place::Is(Role::Container),
        (None, false, Root::Boundary) => Place::Boundary,
        (None, false, Root::Control) => Place::Is(Role::Control),
        (None, false, Root::Name) => Place::Is(Role::Name),
    };
    if fits(attribute, place, vocabulary) {
        return Ok(());
    }
    let name = vocabulary.attribute(attribute).map_or("", |a| &a.name);
    Err(fail(format!("nothing in this place has the attribute `{name}`")))
}

enum Place {
    Element,
    Boundary,
    Is(Role),
}

fn fits(attribute: AttributeId, place: Place, vocabulary: &Vocabulary) -> bool {
    vocabulary.stencils.iter().filter(|s| s.attributes.contains(&attribute)).any(|s| match place {
        Place::Element => s.role.is_element(),
        Place::Boundary => s.role == Role::Boundary,
        Place::Is(role) => s.role == role,
    })
}
