//! Tokens to a filter, with names resolved against a vocabulary.

use kubestride_model::{AttributeId, BoundaryKind, Domain, StencilId, Vocabulary};
use kubestride_source::Span;

use super::ast::*;
use super::lexer::{Token, TokenKind, tokens};
use crate::TemplateError;

/// How deep filters may nest, so that a hostile file cannot exhaust the stack.
const MAX_DEPTH: u32 = 64;

/// Most conditions that a filter joins by `and` and `or`: each is walked inside the one before.
const MAX_CONDITIONS: u32 = 1000;

/// Parses a filter that stands at `base` in its file.
///
/// # Errors
/// A mistake in grammar, or a stencil, attribute or value that the vocabulary does not have.
pub fn parse(text: &str, base: Span, vocabulary: &Vocabulary) -> Result<Filter, TemplateError> {
    let tokens = tokens(text, base)?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: base, vocabulary, depth: 0, conditions: 0 };
    let filter = parser.or()?;
    match parser.peek() {
        None => Ok(filter),
        Some(token) => Err(TemplateError::at(token.span, "expected `and`, `or` or the end of the filter")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: Span,
    vocabulary: &'a Vocabulary,
    depth: u32,
    conditions: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn here(&self) -> Span {
        self.peek().map_or(Span::new(self.end.file, self.end.end, self.end.end), |t| t.span)
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::at(self.here(), message))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: TokenKind::Word { text, bracketed: false }, .. })
            if text.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: TokenKind::Sign(s), .. }) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), TemplateError> {
        if self.sign(sign) { Ok(()) } else { self.error(format!("expected `{sign}`")) }
    }

    fn value(&mut self) -> Result<(String, Span), TemplateError> {
        let span = self.here();
        match self.peek().map(|t| t.kind.clone()) {
            Some(TokenKind::Value(text)) => {
                self.at += 1;
                Ok((text, span))
            }
            _ => self.error("expected a value in quotes: 'Yes'"),
        }
    }

    fn number(&mut self) -> Result<i64, TemplateError> {
        match self.peek().map(|t| t.kind.clone()) {
            Some(TokenKind::Number(number)) => {
                self.at += 1;
                Ok(number)
            }
            _ => self.error("expected a number"),
        }
    }

    fn word(&mut self) -> Result<(String, Span), TemplateError> {
        let span = self.here();
        match self.peek().map(|t| t.kind.clone()) {
            Some(TokenKind::Word { text, .. }) => {
                self.at += 1;
                Ok((text, span))
            }
            _ => self.error("expected a name"),
        }
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, TemplateError>) -> Result<T, TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(format!("filters may nest {MAX_DEPTH} levels deep"));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Counts one more condition: they are walked one inside the other.
    fn joined(&mut self) -> Result<(), TemplateError> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return self.error(format!("filters may join {MAX_CONDITIONS} conditions"));
        }
        Ok(())
    }

    fn or(&mut self) -> Result<Filter, TemplateError> {
        let mut filter = self.and()?;
        while self.keyword("or") {
            self.joined()?;
            filter = Filter::Or(Box::new(filter), Box::new(self.and()?));
        }
        Ok(filter)
    }

    fn and(&mut self) -> Result<Filter, TemplateError> {
        let mut filter = self.not()?;
        while self.keyword("and") {
            self.joined()?;
            filter = Filter::And(Box::new(filter), Box::new(self.not()?));
        }
        Ok(filter)
    }

    fn not(&mut self) -> Result<Filter, TemplateError> {
        self.nested(|this| {
            if this.keyword("not") {
                return Ok(Filter::Not(Box::new(this.not()?)));
            }
            if this.sign("(") {
                let filter = this.or()?;
                this.expect(")")?;
                return Ok(filter);
            }
            match this.quantifier()? {
                Some(quantifier) => this.quantified(quantifier),
                None => this.test(),
            }
        })
    }

    fn quantifier(&mut self) -> Result<Option<Quantifier>, TemplateError> {
        if self.keyword("some") {
            return Ok(Some(Quantifier::AtLeast(1)));
        }
        if self.keyword("no") {
            return Ok(Some(Quantifier::No));
        }
        if self.keyword("at") {
            if !self.keyword("least") {
                return self.error("expected `least` after `at`");
            }
            let Ok(count) = u32::try_from(self.number()?) else { return self.error("expected a small number") };
            return Ok(Some(Quantifier::AtLeast(count)));
        }
        Ok(None)
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Result<Filter, TemplateError> {
        let (word, span) = self.word()?;
        let relation = match word.to_ascii_lowercase().as_str() {
            "incoming" => Relation::Incoming,
            "outgoing" => Relation::Outgoing,
            "container" => Relation::Container,
            "store" => Relation::Store,
            "sibling" => Relation::Sibling,
            _ => {
                let message = format!("`{word}` is none of incoming, outgoing, container, store, sibling");
                return Err(TemplateError::at(span, message));
            }
        };
        self.expect("(")?;
        let inner = self.or()?;
        self.expect(")")?;
        Ok(Filter::Quantified(quantifier, relation, Box::new(inner)))
    }

    fn test(&mut self) -> Result<Filter, TemplateError> {
        let start = self.here();
        let operand = self.operand()?;
        let test = if self.keyword("is") {
            let negated = self.keyword("not");
            let test = self.is(operand)?;
            if negated {
                return Ok(Filter::Not(Box::new(Filter::Test(test))));
            }
            test
        } else if self.keyword("has") {
            let (value, span) = self.value()?;
            let attribute = self.attribute_of(&operand, start)?;
            Test::Has(operand, self.position(attribute, &value, span, true)?)
        } else if self.keyword("in") {
            self.among(operand, start)?
        } else if self.keyword("crosses") {
            if operand != (Operand { root: Root::Flow, workload: false, enclosing: None, attribute: None }) {
                return Err(TemplateError::at(start, "only a flow crosses boundaries"));
            }
            Test::Crosses(self.stencil()?)
        } else if self.keyword("within") {
            Test::Within(operand, self.stencil()?)
        } else if self.keyword("reachable") {
            if !self.keyword("from") {
                return self.error("expected `from` after `reachable`");
            }
            Test::Reachable(operand, self.stencil()?)
        } else {
            self.comparison(operand, start)?
        };
        Ok(Filter::Test(test))
    }

    fn is(&mut self, operand: Operand) -> Result<Test, TemplateError> {
        if !matches!(self.peek(), Some(Token { kind: TokenKind::Value(_), .. })) {
            let other = self.operand()?;
            return Ok(Test::Same(operand, other));
        }
        let Some(attribute) = operand.attribute else { return Ok(Test::Type(operand, self.stencil()?)) };
        let (value, span) = self.value()?;
        match self.vocabulary.attribute(attribute).map(|a| &a.domain) {
            Some(Domain::Text) => Ok(Test::Text(operand, value)),
            _ => Ok(Test::Choice(operand, self.position(attribute, &value, span, false)?)),
        }
    }

    fn among(&mut self, operand: Operand, start: Span) -> Result<Test, TemplateError> {
        let attribute = self.attribute_of(&operand, start)?;
        if self.sign("@") {
            let (name, _) = self.word()?;
            return Ok(Test::InList(operand, name));
        }
        self.expect("(")?;
        let text = matches!(self.vocabulary.attribute(attribute).map(|a| &a.domain), Some(Domain::Text));
        let (mut bits, mut texts) = (0u64, Vec::new());
        loop {
            let (value, span) = self.value()?;
            if text {
                texts.push(value);
            } else {
                bits |= 1 << self.position(attribute, &value, span, false)?;
            }
            if !self.sign(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(if text { Test::TextAmong(operand, texts) } else { Test::Among(operand, bits) })
    }

    fn comparison(&mut self, operand: Operand, start: Span) -> Result<Test, TemplateError> {
        let comparison = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find(|(sign, _)| self.sign(sign));
        let Some((_, comparison)) = comparison else {
            return self.error("expected `is`, `has`, `in`, `crosses`, `within`, `reachable from` or a comparison");
        };
        let attribute = self.attribute_of(&operand, start)?;
        if !matches!(self.vocabulary.attribute(attribute).map(|a| &a.domain), Some(Domain::Number)) {
            return Err(TemplateError::at(start, "only numbers can be compared"));
        }
        Ok(Test::Number(operand, comparison, self.number()?))
    }

    fn attribute_of(&self, operand: &Operand, span: Span) -> Result<AttributeId, TemplateError> {
        operand.attribute.ok_or_else(|| TemplateError::at(span, "expected an attribute: `container.privileged`"))
    }

    fn position(&self, attribute: AttributeId, value: &str, span: Span, set: bool) -> Result<u8, TemplateError> {
        let Some(def) = self.vocabulary.attribute(attribute) else {
            return Err(TemplateError::at(span, "no such attribute"));
        };
        if set != matches!(def.domain, Domain::Set(_)) {
            let hint = if set { "has one value: use `is`" } else { "may have several values: use `has`" };
            return Err(TemplateError::at(span, format!("`{}` {hint}", def.name)));
        }
        def.domain.position(value).ok_or_else(|| {
            let names = def.domain.names().join("', '");
            TemplateError::at(span, format!("`{}` is never '{value}'; its values are '{names}'", def.name))
        })
    }

    fn stencil(&mut self) -> Result<StencilId, TemplateError> {
        let (name, span) = self.value()?;
        self.vocabulary
            .find_stencil(&name)
            .ok_or_else(|| TemplateError::at(span, format!("there is no stencil '{name}'")))
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        let (word, span) = self.word()?;
        let root = match word.to_ascii_lowercase().as_str() {
            "element" => Root::Element,
            "source" => Root::Source,
            "target" => Root::Target,
            "flow" => Root::Flow,
            "boundary" => Root::Boundary,
            "container" => Root::Container,
            "control" => Root::Control,
            "name" => Root::Name,
            "other" => Root::Other,
            _ => {
                let message = format!(
                    "`{word}` is none of element, source, target, flow, boundary, container, control, name, other"
                );
                return Err(TemplateError::at(span, message));
            }
        };
        let mut operand = Operand { root, workload: false, enclosing: None, attribute: None };
        while self.sign(".") {
            let (part, span) = self.word()?;
            let enclosing = match part.as_str() {
                "namespace" => Some(BoundaryKind::Namespace),
                "cluster" => Some(BoundaryKind::Cluster),
                _ => None,
            };
            if operand.attribute.is_some() {
                return Err(TemplateError::at(span, "nothing can follow an attribute"));
            } else if part == "workload" && root == Root::Container && operand.enclosing.is_none() {
                operand.workload = true;
            } else if enclosing.is_some() && operand.enclosing.is_none() {
                operand.enclosing = enclosing;
            } else {
                let attribute = self.vocabulary.find_attribute(&part);
                operand.attribute =
                    Some(attribute.ok_or_else(|| TemplateError::at(span, format!("there is no attribute `{part}`")))?);
            }
        }
        Ok(operand)
    }
}
