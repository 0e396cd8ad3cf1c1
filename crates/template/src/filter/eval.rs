//! Whether a filter holds for a subject, and which attributes decided it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use kubestride_model::{
    AttributeId, BoundaryId, BoundaryKind, ContainerId, ElementId, FlowId, FlowKind, Model, StencilId, SubjectRef,
    Value,
};

use super::ast::*;

/// The result of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on a value that is not known.
    Unknown,
}

/// An attribute that was read. Without an attribute: the subject itself decided, by its type or by being there.
pub type Read = (SubjectRef, Option<AttributeId>);

/// A result and what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether the filter holds.
    pub truth: Truth,
    /// For True and False what was read to find out; for Unknown the unknown attributes that would decide.
    pub reads: Vec<Read>,
}

/// Lists of texts that the user sets, for `in @name`.
pub type Lists = BTreeMap<String, BTreeSet<String>>;

/// What the roots of operands stand for.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    subject: SubjectRef,
    other: Option<ElementId>,
    flow: Option<FlowId>,
    container: Option<ContainerId>,
}

impl Scope {
    /// The scope of a subject.
    pub fn of(subject: SubjectRef) -> Self {
        let flow = if let SubjectRef::Flow(id) = subject { Some(id) } else { None };
        let container = if let SubjectRef::Container(id) = subject { Some(id) } else { None };
        Self { subject, other: None, flow, container }
    }
}

/// Evaluates filters over one model.
#[derive(Debug)]
pub struct Evaluator<'m> {
    model: &'m Model,
    lists: &'m Lists,
    reachable: RefCell<HashMap<StencilId, Vec<bool>>>,
}

fn yes(reads: Vec<Read>) -> Evaluation {
    Evaluation { truth: Truth::True, reads }
}

fn no(reads: Vec<Read>) -> Evaluation {
    Evaluation { truth: Truth::False, reads }
}

fn decided(holds: bool, read: Read) -> Evaluation {
    if holds { yes(vec![read]) } else { no(vec![read]) }
}

impl<'m> Evaluator<'m> {
    /// An evaluator for `model`.
    pub fn new(model: &'m Model, lists: &'m Lists) -> Self {
        Self { model, lists, reachable: RefCell::default() }
    }

    /// Evaluates `filter` for a subject.
    pub fn evaluate(&self, filter: &Filter, subject: SubjectRef) -> Evaluation {
        self.filter(filter, Scope::of(subject))
    }

    fn filter(&self, filter: &Filter, scope: Scope) -> Evaluation {
        match filter {
            Filter::Not(inner) => {
                let mut result = self.filter(inner, scope);
                result.truth = match result.truth {
                    Truth::True => Truth::False,
                    Truth::False => Truth::True,
                    Truth::Unknown => Truth::Unknown,
                };
                result
            }
            Filter::And(a, b) => self.both(a, b, scope, Truth::False),
            Filter::Or(a, b) => self.both(a, b, scope, Truth::True),
            Filter::Quantified(quantifier, relation, inner) => self.quantified(*quantifier, *relation, inner, scope),
            Filter::Test(test) => self.test(test, scope),
        }
    }

    /// `and` with `decisive` False, `or` with `decisive` True: one side with the decisive value settles it.
    fn both(&self, a: &Filter, b: &Filter, scope: Scope, decisive: Truth) -> Evaluation {
        let mut left = self.filter(a, scope);
        if left.truth == decisive {
            return left;
        }
        let right = self.filter(b, scope);
        if right.truth == decisive {
            return right;
        }
        match (left.truth, right.truth) {
            (Truth::Unknown, Truth::Unknown) | (Truth::True | Truth::False, Truth::True | Truth::False) => {
                left.reads.extend(right.reads);
                left
            }
            (Truth::Unknown, _) => left,
            (_, Truth::Unknown) => right,
        }
    }

    fn quantified(&self, quantifier: Quantifier, relation: Relation, inner: &Filter, scope: Scope) -> Evaluation {
        let Some(center) = self.center(scope) else { return no(Vec::new()) };
        let (mut found, mut unknown) = (0, 0);
        let (mut hits, mut open) = (Vec::new(), Vec::new());
        for (scope, read) in self.related(relation, center, scope) {
            let result = self.filter(inner, scope);
            match result.truth {
                Truth::True => {
                    found += 1;
                    hits.push((read, None));
                    hits.extend(result.reads);
                }
                Truth::Unknown => {
                    unknown += 1;
                    open.extend(result.reads);
                }
                Truth::False => {}
            }
            if let Quantifier::AtLeast(count) = quantifier
                && found >= count
            {
                return yes(hits);
            }
        }
        match quantifier {
            Quantifier::No if found > 0 => no(hits),
            Quantifier::AtLeast(count) if found + unknown < count => no(Vec::new()),
            Quantifier::No if unknown == 0 => yes(Vec::new()),
            _ => Evaluation { truth: Truth::Unknown, reads: open },
        }
    }

    /// The element that relations start from.
    fn center(&self, scope: Scope) -> Option<ElementId> {
        match (scope.other, scope.subject) {
            (Some(other), _) => Some(other),
            (None, SubjectRef::Element(id)) => Some(id),
            (None, SubjectRef::Container(id)) => Some(self.model.container(id).workload),
            (None, SubjectRef::Flow(id)) => Some(self.model.flow(id).target),
            _ => None,
        }
    }

    fn related(&self, relation: Relation, center: ElementId, scope: Scope) -> Vec<(Scope, SubjectRef)> {
        let model = self.model;
        let flow = |id: FlowId, other: ElementId| {
            (Scope { other: Some(other), flow: Some(id), ..scope }, SubjectRef::Flow(id))
        };
        match relation {
            Relation::Incoming => model.incoming(center).iter().map(|f| flow(*f, model.flow(*f).source)).collect(),
            Relation::Outgoing => model.outgoing(center).iter().map(|f| flow(*f, model.flow(*f).target)).collect(),
            Relation::Store => model
                .outgoing(center)
                .iter()
                .filter(|f| model.flow(**f).kind == FlowKind::Store)
                .map(|f| flow(*f, model.flow(*f).target))
                .collect(),
            Relation::Container => model
                .containers_of(center)
                .map(|(id, _)| (Scope { container: Some(id), ..scope }, SubjectRef::Container(id)))
                .collect(),
            Relation::Sibling => {
                let namespace = |e: ElementId| self.enclosing(model.element(e).boundary, BoundaryKind::Namespace);
                let here = namespace(center);
                model
                    .elements()
                    .filter(|(id, _)| here.is_some() && *id != center && namespace(*id) == here)
                    .map(|(id, _)| (Scope { other: Some(id), ..scope }, SubjectRef::Element(id)))
                    .collect()
            }
        }
    }

    fn enclosing(&self, boundary: BoundaryId, kind: BoundaryKind) -> Option<BoundaryId> {
        self.model.enclosing(boundary).find(|(_, b)| b.kind == kind).map(|(id, _)| id)
    }

    /// The innermost boundary of a thing.
    fn boundary_of(&self, subject: SubjectRef) -> BoundaryId {
        match subject {
            SubjectRef::Element(id) => self.model.element(id).boundary,
            SubjectRef::Container(id) => self.model.element(self.model.container(id).workload).boundary,
            SubjectRef::Flow(id) => self.model.element(self.model.flow(id).target).boundary,
            SubjectRef::Boundary(id) => id,
            SubjectRef::Control(id) => self.model.control(id).boundary,
            SubjectRef::Name(id) => self.model.name(id).boundary,
        }
    }

    /// What an operand stands for, without its attribute.
    fn resolve(&self, operand: &Operand, scope: Scope) -> Option<SubjectRef> {
        let flow = || scope.flow.or(if let SubjectRef::Flow(id) = scope.subject { Some(id) } else { None });
        let subject = match operand.root {
            Root::Element | Root::Boundary | Root::Control | Root::Name => scope.subject,
            // Source and target are always those of the subject, also inside a quantified filter.
            Root::Source | Root::Target => {
                let SubjectRef::Flow(id) = scope.subject else { return None };
                let flow = self.model.flow(id);
                SubjectRef::Element(if operand.root == Root::Source { flow.source } else { flow.target })
            }
            Root::Flow => SubjectRef::Flow(flow()?),
            Root::Container => SubjectRef::Container(scope.container?),
            Root::Other => SubjectRef::Element(scope.other?),
        };
        let subject = match subject {
            SubjectRef::Container(id) if operand.workload => SubjectRef::Element(self.model.container(id).workload),
            subject => subject,
        };
        match operand.enclosing {
            None => Some(subject),
            Some(kind) => self.enclosing(self.boundary_of(subject), kind).map(SubjectRef::Boundary),
        }
    }

    /// The value of an operand; no value if the thing does not have the attribute.
    fn value(&self, operand: &Operand, scope: Scope) -> Option<(Value, Read)> {
        let subject = self.resolve(operand, scope)?;
        let attribute = operand.attribute?;
        Some((self.model.value(subject, attribute)?, (subject, Some(attribute))))
    }

    fn valued(&self, operand: &Operand, scope: Scope, holds: impl FnOnce(Value) -> bool) -> Evaluation {
        match self.value(operand, scope) {
            None => no(Vec::new()),
            Some((Value::Unknown, read)) => Evaluation { truth: Truth::Unknown, reads: vec![read] },
            Some((value, read)) => decided(holds(value), read),
        }
    }

    fn test(&self, test: &Test, scope: Scope) -> Evaluation {
        let text_in = |value: Value, list: &dyn Fn(&str) -> bool| match value {
            Value::Text(symbol) => list(self.model.text(symbol)),
            _ => false,
        };
        match test {
            Test::Type(operand, stencil) => match self.resolve(operand, scope) {
                None => no(Vec::new()),
                Some(subject) => {
                    let is = self.model.vocabulary().is_a(self.model.stencil_of(subject), *stencil);
                    decided(is, (subject, None))
                }
            },
            Test::Choice(operand, at) => self.valued(operand, scope, |v| v == Value::Choice(*at)),
            Test::Text(operand, text) => self.valued(operand, scope, |v| text_in(v, &|t| t == text)),
            Test::Has(operand, at) => {
                self.valued(operand, scope, |v| matches!(v, Value::Set(bits) if bits & (1 << at) != 0))
            }
            Test::Among(operand, bits) => {
                self.valued(operand, scope, |v| matches!(v, Value::Choice(at) if bits & (1 << at) != 0))
            }
            Test::TextAmong(operand, texts) => {
                self.valued(operand, scope, |v| text_in(v, &|t| texts.iter().any(|x| x == t)))
            }
            Test::InList(operand, list) => {
                let list = self.lists.get(list);
                self.valued(operand, scope, |v| text_in(v, &|t| list.is_some_and(|l| l.contains(t))))
            }
            Test::Number(operand, comparison, number) => self.valued(operand, scope, |v| {
                let Value::Number(value) = v else { return false };
                match comparison {
                    Comparison::Less => value < *number,
                    Comparison::LessOrEqual => value <= *number,
                    Comparison::Greater => value > *number,
                    Comparison::GreaterOrEqual => value >= *number,
                }
            }),
            Test::Same(a, b) => match (self.value(a, scope), self.value(b, scope)) {
                (Some((Value::Unknown, read)), _) | (_, Some((Value::Unknown, read))) => {
                    Evaluation { truth: Truth::Unknown, reads: vec![read] }
                }
                (Some((x, first)), Some((y, second))) => {
                    let reads = vec![first, second];
                    if x == y { yes(reads) } else { no(reads) }
                }
                _ => no(Vec::new()),
            },
            Test::Crosses(stencil) => self.crosses(*stencil, scope),
            Test::Within(operand, stencil) => match self.resolve(operand, scope) {
                None => no(Vec::new()),
                Some(subject) => {
                    let vocabulary = self.model.vocabulary();
                    let mut around = self.model.enclosing(self.boundary_of(subject));
                    decided(around.any(|(_, b)| vocabulary.is_a(b.stencil, *stencil)), (subject, None))
                }
            },
            Test::Reachable(operand, stencil) => match self.resolve(operand, scope) {
                Some(SubjectRef::Element(id)) => {
                    decided(self.is_reachable(*stencil, id), (SubjectRef::Element(id), None))
                }
                _ => no(Vec::new()),
            },
        }
    }

    fn crosses(&self, stencil: StencilId, scope: Scope) -> Evaluation {
        let Some(flow) = scope.flow else { return no(Vec::new()) };
        let vocabulary = self.model.vocabulary();
        let crossed = self.model.crossings(self.model.flow(flow).crosses);
        let crosses = crossed.iter().any(|b| vocabulary.is_a(self.model.boundary(*b).stencil, stencil));
        decided(crosses, (SubjectRef::Flow(flow), None))
    }

    /// Whether traffic from elements of a type reaches an element, over exposure and traffic flows.
    fn is_reachable(&self, from: StencilId, element: ElementId) -> bool {
        let mut cache = self.reachable.borrow_mut();
        let reached = cache.entry(from).or_insert_with(|| {
            let vocabulary = self.model.vocabulary();
            let mut reached = vec![false; self.model.elements().len()];
            let mut open: Vec<ElementId> =
                self.model.elements().filter(|(_, e)| vocabulary.is_a(e.stencil, from)).map(|(id, _)| id).collect();
            while let Some(id) = open.pop() {
                for flow in self.model.outgoing(id).iter().map(|f| self.model.flow(*f)) {
                    let connects = matches!(flow.kind, FlowKind::Exposure | FlowKind::Traffic) && !flow.implicit;
                    if let Some(seen) = reached.get_mut(flow.target.index())
                        && connects
                        && !*seen
                    {
                        *seen = true;
                        open.push(flow.target);
                    }
                }
            }
            reached
        });
        reached.get(element.index()).copied().unwrap_or(false)
    }
}
