//! From words to an expression.

use super::token::{Token, tokens};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Expression>),
    Name(String),
    /// A field; with `.?` an optional one.
    Field(Box<Expression>, String, bool),
    Index(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Binary(Box<Expression>, &'static str, Box<Expression>),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    /// A function of a value, or of none.
    Call(Option<Box<Expression>>, String, Vec<Expression>),
}

use Expression as E;

/// Reads an expression; none if it has something that is not read.
pub(super) fn expression(text: &str) -> Option<Expression> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let read = parser.choice()?;
    (parser.at == parser.tokens.len()).then_some(read)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn one_of(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        signs.iter().copied().find(|sign| self.take(sign))
    }

    fn expect(&mut self, sign: &str) -> Option<()> {
        self.take(sign).then_some(())
    }

    fn choice(&mut self) -> Option<E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let condition = self.binary(0)?;
        let read = if self.take("?") {
            let yes = self.choice()?;
            self.expect(":")?;
            E::Choice(Box::new(condition), Box::new(yes), Box::new(self.choice()?))
        } else {
            condition
        };
        self.depth -= 1;
        Some(read)
    }

    fn binary(&mut self, level: usize) -> Option<E> {
        const LEVELS: [&[&str]; 5] =
            [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let sign = match self.one_of(signs) {
                Some(sign) => sign,
                None if level == 2 && self.tokens.get(self.at) == Some(&Token::Name("in".to_owned())) => {
                    self.at += 1;
                    "in"
                }
                None => return Some(left),
            };
            left = E::Binary(Box::new(left), sign, Box::new(self.binary(level + 1)?));
        }
    }

    fn unary(&mut self) -> Option<E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let read = if self.take("!") {
            E::Not(Box::new(self.unary()?))
        } else if self.take("-") {
            E::Minus(Box::new(self.unary()?))
        } else {
            self.member()?
        };
        self.depth -= 1;
        Some(read)
    }

    fn member(&mut self) -> Option<E> {
        let mut read = self.primary()?;
        loop {
            if let Some(sign) = self.one_of(&[".", ".?"]) {
                let Some(Token::Name(name)) = self.tokens.get(self.at).cloned() else { return None };
                self.at += 1;
                read = if sign == "." && self.take("(") {
                    E::Call(Some(Box::new(read)), name, self.list(")")?)
                } else {
                    E::Field(Box::new(read), name, sign == ".?")
                };
            } else if self.take("[") {
                let index = self.choice()?;
                self.expect("]")?;
                read = E::Index(Box::new(read), Box::new(index));
            } else {
                return Some(read);
            }
        }
    }

    fn list(&mut self, end: &str) -> Option<Vec<E>> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.choice()?);
            if !self.take(",") {
                self.expect(end)?;
                break;
            }
        }
        Some(items)
    }

    fn primary(&mut self) -> Option<E> {
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        Some(match token {
            Token::Number(number) => E::Number(number),
            Token::Text(text) => E::Text(text),
            Token::Name(name) => match name.as_str() {
                "true" => E::Bool(true),
                "false" => E::Bool(false),
                "null" => E::Null,
                _ if self.take("(") => E::Call(None, name, self.list(")")?),
                _ => E::Name(name),
            },
            Token::Sign("(") => {
                let inner = self.choice()?;
                self.expect(")")?;
                inner
            }
            Token::Sign("[") => E::List(self.list("]")?),
            Token::Sign(_) => return None,
        })
    }
}
