//! What an expression says of a pod.

use std::cell::Cell;

use kubestride_manifest::Field;
use kubestride_yaml::{Kind, Value};

use super::parse::Expression as E;

/// Most steps that one expression may take.
const MAX_STEPS: u32 = 5_000;

/// Bytes of a text that are copied in one step.
const BYTES_PER_STEP: usize = 64;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Term<'a> {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Term<'a>>),
    /// A mapping of the pod.
    Map(Value<'a>),
    Optional(Option<Box<Term<'a>>>),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// Evaluating it fails, as it does in the cluster.
    Error,
    /// It is not understood here.
    Unknown,
}

use Failed::{Error, Unknown};
type Result<T> = std::result::Result<T, Failed>;

/// What expressions can see.
pub(super) struct Scene<'a, 'v> {
    pod: Value<'a>,
    variables: &'v [(String, Option<E>)],
    steps: Cell<u32>,
    depth: Cell<u32>,
}

/// Variables of macros, the innermost last.
type Locals<'a> = Vec<(String, Term<'a>)>;

impl<'a, 'v> Scene<'a, 'v> {
    pub(super) fn new(pod: Value<'a>, variables: &'v [(String, Option<E>)]) -> Self {
        Self { pod, variables, steps: Cell::new(0), depth: Cell::new(0) }
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &E) -> Result<Term<'a>> {
        self.steps.set(0);
        self.eval(expression, &mut Vec::new())
    }

    fn eval(&self, expression: &E, locals: &mut Locals<'a>) -> Result<Term<'a>> {
        self.steps.set(self.steps.get().saturating_add(1));
        self.depth.set(self.depth.get() + 1);
        let result = if self.steps.get() > MAX_STEPS || self.depth.get() > 200 {
            Err(Unknown)
        } else {
            self.step(expression, locals)
        };
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn step(&self, expression: &E, locals: &mut Locals<'a>) -> Result<Term<'a>> {
        Ok(match expression {
            E::Null => Term::Null,
            E::Bool(value) => Term::Bool(*value),
            E::Number(number) => Term::Number(*number),
            E::Text(text) => {
                self.charge(text.len() / BYTES_PER_STEP)?;
                Term::Text(text.clone())
            }
            E::List(items) => Term::List(items.iter().map(|i| self.eval(i, locals)).collect::<Result<_>>()?),
            E::Name(name) => self.name(name, locals)?,
            E::Field(of, name, optional) => self.field(of, name, *optional, locals)?,
            E::Index(of, index) => match (self.eval(of, locals)?, self.eval(index, locals)?) {
                (Term::List(items), Term::Number(at)) => {
                    usize::try_from(at).ok().and_then(|at| items.into_iter().nth(at)).ok_or(Error)?
                }
                (Term::Map(map), Term::Text(key)) => map.field(&key).map(term).ok_or(Error)?,
                _ => return Err(Unknown),
            },
            E::Not(inner) => Term::Bool(!self.truth(inner, locals)?),
            E::Minus(inner) => match self.eval(inner, locals)? {
                Term::Number(number) => Term::Number(number.checked_neg().ok_or(Error)?),
                _ => return Err(Error),
            },
            E::Binary(left, "&&", right) => Term::Bool(!self.either(left, right, false, locals)?),
            E::Binary(left, "||", right) => Term::Bool(self.either(left, right, true, locals)?),
            E::Binary(left, sign, right) => binary(self.eval(left, locals)?, sign, self.eval(right, locals)?)?,
            E::Choice(condition, yes, no) => {
                let chosen = if self.truth(condition, locals)? { yes } else { no };
                self.eval(chosen, locals)?
            }
            E::Call(of, name, arguments) => self.call(of.as_deref(), name, arguments, locals)?,
        })
    }

    /// Takes steps for a copy. All that grows is made of copies.
    fn charge(&self, steps: usize) -> Result<()> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > MAX_STEPS { Err(Unknown) } else { Ok(()) }
    }

    fn truth(&self, expression: &E, locals: &mut Locals<'a>) -> Result<bool> {
        match self.eval(expression, locals)? {
            Term::Bool(value) => Ok(value),
            _ => Err(Error),
        }
    }

    /// Whether one of two sides is `wanted`, which makes up for a failure of the other.
    fn either(&self, left: &E, right: &E, wanted: bool, locals: &mut Locals<'a>) -> Result<bool> {
        let left = self.truth(left, locals);
        if left == Ok(wanted) {
            return Ok(true);
        }
        let right = self.truth(right, locals);
        match (left, right) {
            (_, Ok(value)) if value == wanted => Ok(true),
            (Ok(_), Ok(_)) => Ok(false),
            (Err(Unknown), _) | (_, Err(Unknown)) => Err(Unknown),
            _ => Err(Error),
        }
    }

    fn name(&self, name: &str, locals: &Locals<'a>) -> Result<Term<'a>> {
        if let Some((_, value)) = locals.iter().rev().find(|(local, _)| local == name) {
            self.charge(weight(value))?;
            return Ok(value.clone());
        }
        match name {
            "object" => Ok(Term::Map(self.pod)),
            // A pod that is being made has no former state.
            "oldObject" => Ok(Term::Null),
            _ => Err(Unknown),
        }
    }

    fn field(&self, of: &E, name: &str, optional: bool, locals: &mut Locals<'a>) -> Result<Term<'a>> {
        if let E::Name(root) = of {
            match (root.as_str(), name) {
                ("variables", _) => {
                    let found = self.variables.iter().find(|(variable, _)| variable == name);
                    let expression = found.and_then(|(_, e)| e.as_ref()).ok_or(Unknown)?;
                    return self.eval(expression, &mut Vec::new());
                }
                ("request", "operation") => return Ok(Term::Text("CREATE".to_owned())),
                _ => {}
            }
        }
        let (map, optional) = match self.eval(of, locals)? {
            Term::Optional(None) => return Ok(Term::Optional(None)),
            Term::Optional(Some(inner)) => (*inner, true),
            other => (other, optional),
        };
        let Term::Map(map) = map else { return Err(Error) };
        let found = map.field(name).map(term);
        if optional { Ok(Term::Optional(found.map(Box::new))) } else { found.ok_or(Error) }
    }

    fn call(&self, of: Option<&E>, name: &str, arguments: &[E], locals: &mut Locals<'a>) -> Result<Term<'a>> {
        match (of, name, arguments) {
            (None, "has", [E::Field(of, field, false)]) => match self.eval(of, locals)? {
                Term::Map(map) => Ok(Term::Bool(map.field(field).is_some())),
                Term::Optional(_) => Err(Unknown),
                _ => Err(Error),
            },
            (None, "size", [of]) | (Some(of), "size", []) => match self.eval(of, locals)? {
                Term::List(items) => Ok(Term::Number(i64::try_from(items.len()).map_err(|_| Error)?)),
                Term::Text(text) => Ok(Term::Number(i64::try_from(text.chars().count()).map_err(|_| Error)?)),
                Term::Map(map) => Ok(Term::Number(i64::try_from(map.entries().count()).map_err(|_| Error)?)),
                _ => Err(Error),
            },
            (Some(of), "all" | "exists" | "filter" | "map", [E::Name(local), body]) => {
                let items = match self.eval(of, locals)? {
                    Term::List(items) => items,
                    Term::Map(_) | Term::Optional(_) => return Err(Unknown),
                    _ => return Err(Error),
                };
                self.each(items, name, local, body, locals)
            }
            (Some(of), "startsWith" | "endsWith" | "contains", [argument]) => {
                match (self.eval(of, locals)?, self.eval(argument, locals)?) {
                    (Term::Text(text), Term::Text(part)) => Ok(Term::Bool(match name {
                        "startsWith" => text.starts_with(&part),
                        "endsWith" => text.ends_with(&part),
                        _ => text.contains(&part),
                    })),
                    _ => Err(Error),
                }
            }
            (Some(of), "orValue", [other]) => match self.eval(of, locals)? {
                Term::Optional(Some(value)) => Ok(*value),
                Term::Optional(None) => self.eval(other, locals),
                _ => Err(Error),
            },
            (Some(of), "hasValue", []) => match self.eval(of, locals)? {
                Term::Optional(value) => Ok(Term::Bool(value.is_some())),
                _ => Err(Error),
            },
            _ => Err(Unknown),
        }
    }

    /// A macro over a list. An element that decides makes up for others that fail.
    fn each(
        &self,
        items: Vec<Term<'a>>,
        name: &str,
        local: &str,
        body: &E,
        locals: &mut Locals<'a>,
    ) -> Result<Term<'a>> {
        let mut results = Vec::new();
        for item in items {
            locals.push((local.to_owned(), item.clone()));
            let result = self.eval(body, locals);
            locals.pop();
            if result == Err(Unknown) && self.steps.get() > MAX_STEPS {
                return Err(Unknown);
            }
            results.push((item, result));
        }
        if name == "map" {
            return Ok(Term::List(results.into_iter().map(|(_, result)| result).collect::<Result<_>>()?));
        }
        let truths: Vec<Result<bool>> = results
            .iter()
            .map(|(_, result)| match result {
                Ok(Term::Bool(value)) => Ok(*value),
                Ok(_) => Err(Error),
                Err(failed) => Err(*failed),
            })
            .collect();
        let decisive = name == "exists";
        if name != "filter" && truths.contains(&Ok(decisive)) {
            return Ok(Term::Bool(decisive));
        }
        for failed in [Unknown, Error] {
            if truths.contains(&Err(failed)) {
                return Err(failed);
            }
        }
        if name == "filter" {
            let kept = results.into_iter().zip(truths).filter(|(_, truth)| *truth == Ok(true));
            return Ok(Term::List(kept.map(|((item, _), _)| item).collect()));
        }
        Ok(Term::Bool(!decisive))
    }
}

impl PartialEq for Term<'_> {
    /// Equality for results inside this module; values of expressions are compared by `same`.
    fn eq(&self, other: &Self) -> bool {
        same(self, other) == Ok(true)
    }
}

/// The steps that a copy of a value costs.
fn weight(value: &Term<'_>) -> usize {
    match value {
        Term::Text(text) => text.len() / BYTES_PER_STEP,
        Term::List(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        Term::Optional(Some(inner)) => weight(inner),
        _ => 0,
    }
}

fn term(value: Value<'_>) -> Term<'_> {
    match value.kind() {
        Kind::Mapping => Term::Map(value),
        Kind::Sequence => Term::List(value.items().map(term).collect()),
        Kind::Null => Term::Null,
        Kind::Bool => Term::Bool(value.as_bool() == Some(true)),
        _ => match value.as_i64() {
            Some(number) => Term::Number(number),
            None => Term::Text(value.scalar_text().unwrap_or("").to_owned()),
        },
    }
}

fn same(left: &Term<'_>, right: &Term<'_>) -> Result<bool> {
    Ok(match (left, right) {
        (Term::Null, Term::Null) => true,
        (Term::Bool(a), Term::Bool(b)) => a == b,
        (Term::Number(a), Term::Number(b)) => a == b,
        (Term::Text(a), Term::Text(b)) => a == b,
        (Term::List(a), Term::List(b)) => {
            let pairs = a.iter().zip(b).map(|(a, b)| same(a, b)).collect::<Result<Vec<_>>>()?;
            a.len() == b.len() && pairs.into_iter().all(|same| same)
        }
        (Term::Map(_), Term::Map(_)) | (Term::Optional(_), _) | (_, Term::Optional(_)) => return Err(Unknown),
        _ => false,
    })
}

fn binary<'a>(left: Term<'a>, sign: &str, right: Term<'a>) -> Result<Term<'a>> {
    Ok(Term::Bool(match (sign, &left, &right) {
        ("==", ..) => same(&left, &right)?,
        ("!=", ..) => !same(&left, &right)?,
        ("in", item, Term::List(items)) => {
            let found = items.iter().map(|i| same(item, i)).collect::<Result<Vec<_>>>()?;
            found.into_iter().any(|same| same)
        }
        ("in", Term::Text(key), Term::Map(map)) => map.field(key).is_some(),
        ("<", Term::Number(a), Term::Number(b)) => a < b,
        ("<=", Term::Number(a), Term::Number(b)) => a <= b,
        (">", Term::Number(a), Term::Number(b)) => a > b,
        (">=", Term::Number(a), Term::Number(b)) => a >= b,
        ("+", Term::Number(a), Term::Number(b)) => return a.checked_add(*b).map(Term::Number).ok_or(Error),
        ("-", Term::Number(a), Term::Number(b)) => return a.checked_sub(*b).map(Term::Number).ok_or(Error),
        ("+", Term::Text(a), Term::Text(b)) => return Ok(Term::Text(format!("{a}{b}"))),
        ("+", Term::List(a), Term::List(b)) => return Ok(Term::List(a.iter().chain(b).cloned().collect())),
        ("+", Term::Bool(_), _) | ("+", _, Term::Bool(_)) => return Err(Error),
        _ => return Err(Unknown),
    }))
}
