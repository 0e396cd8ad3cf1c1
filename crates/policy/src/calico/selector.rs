//! The selector language: `role == 'db' && !has(old)`.
//!
//! Operators bind in this order: what compares a label, parentheses, `!`, `&&`, `||`. Texts are in single or double
//! quotes and know no escapes. Between words there are spaces or tabs, and no line breaks.
//!
//! Source: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors>, and for what is no
//! selector at all the tokenizer and parser in `libcalico-go/lib/selector`.

use std::iter::Peekable;
use std::vec::IntoIter;

use kubestride_manifest::{Requirement, RequirementTest};

use crate::network::{Label, Match};

/// The label that tells the namespace of what is in one.
pub(super) const NAMESPACE: &str = "projectcalico.org/namespace";

/// Longer selectors are not read. Calico's API server takes 1,024 characters, older versions took more.
const LONGEST: usize = 16 * 1024;

/// More parentheses inside each other are not read.
const DEEPEST: u32 = 64;

/// A selector. One that is broken selects what it selects unknowably: never everything, never nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    All,
    Global,
    Has(String),
    Compare(String, Comparison),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Broken,
}

/// What is asked of the value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Comparison {
    Equals(String),
    Differs(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
}

impl Selector {
    /// Reads a selector; one without any word selects everything.
    pub fn parse(text: &str) -> Self {
        let root = if text.len() > LONGEST { None } else { tokens(text).and_then(parse) };
        Self { root: root.unwrap_or(Node::Broken) }
    }

    /// One that is broken.
    pub(crate) fn broken() -> Self {
        Self { root: Node::Broken }
    }

    /// Whether it is no selector.
    pub fn is_broken(&self) -> bool {
        self.root == Node::Broken
    }

    /// Whether it asks for what is outside of all namespaces, with `global()`.
    pub fn names_global(&self) -> bool {
        self.root.names_global()
    }

    /// Whether something with these labels is selected. `namespaced` says whether it is in a namespace, which is what
    /// `all()` and `global()` ask in selectors of namespaces; in others everything is in scope.
    pub fn matches<'l>(&self, label: &dyn Fn(&str) -> Label<'l>, namespaced: Match) -> Match {
        self.root.matches(label, namespaced)
    }

    /// Whether everything is selected that can be, whatever its labels are: every pod has `projectcalico.org/namespace`.
    pub(crate) fn is_everything(&self) -> bool {
        let everything = |node: &Node| match node {
            Node::All => true,
            Node::Has(key) => key == NAMESPACE,
            _ => false,
        };
        match &self.root {
            Node::And(nodes) => nodes.iter().all(everything),
            node => everything(node),
        }
    }

    /// The selector as conditions on labels that must all hold; none if it cannot be said so.
    pub fn requirements(&self) -> Option<Vec<Requirement>> {
        match &self.root {
            Node::All => Some(Vec::new()),
            Node::And(nodes) => {
                nodes.iter().filter(|node| **node != Node::All).map(Node::requirement).collect::<Option<Vec<_>>>()
            }
            node => node.requirement().map(|one| vec![one]),
        }
    }
}

impl Node {
    fn matches<'l>(&self, label: &dyn Fn(&str) -> Label<'l>, namespaced: Match) -> Match {
        match self {
            Self::All => namespaced,
            Self::Global => namespaced.negated(),
            Self::Has(key) => match label(key) {
                Label::Is(_) | Label::Present => Match::Yes,
                Label::Missing => Match::No,
                Label::Unknown => Match::Unknown,
            },
            Self::Compare(key, comparison) => match label(key) {
                Label::Is(value) => comparison.holds(value).into(),
                Label::Missing => comparison.is_negative().into(),
                Label::Present | Label::Unknown => Match::Unknown,
            },
            Self::Not(node) => node.matches(label, namespaced).negated(),
            Self::And(nodes) => Match::all(nodes.iter().map(|node| node.matches(label, namespaced))),
            Self::Or(nodes) => Match::any(nodes.iter().map(|node| node.matches(label, namespaced))),
            Self::Broken => Match::Unknown,
        }
    }

    fn names_global(&self) -> bool {
        match self {
            Self::Global => true,
            Self::Not(node) => node.names_global(),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(Self::names_global),
            Self::All | Self::Has(_) | Self::Compare(..) | Self::Broken => false,
        }
    }

    fn requirement(&self) -> Option<Requirement> {
        let of = |key: &str, test| Some(Requirement { key: key.to_owned(), test });
        match self {
            Self::Has(key) => of(key, RequirementTest::Exists),
            Self::Not(node) => match node.as_ref() {
                Self::Has(key) => of(key, RequirementTest::DoesNotExist),
                _ => None,
            },
            Self::Compare(key, Comparison::Equals(value)) => of(key, RequirementTest::In(vec![value.clone()])),
            Self::Compare(key, Comparison::Differs(value)) => of(key, RequirementTest::NotIn(vec![value.clone()])),
            Self::Compare(key, Comparison::In(values)) => of(key, RequirementTest::In(values.clone())),
            Self::Compare(key, Comparison::NotIn(values)) => of(key, RequirementTest::NotIn(values.clone())),
            Self::Compare(..) | Self::All | Self::Global | Self::And(_) | Self::Or(_) | Self::Broken => None,
        }
    }
}

impl Comparison {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::Differs(unwanted) => value != unwanted,
            Self::In(set) => set.iter().any(|wanted| value == wanted),
            Self::NotIn(set) => set.iter().all(|unwanted| value != unwanted),
            Self::Contains(part) => value.contains(part.as_str()),
            Self::StartsWith(part) => value.starts_with(part.as_str()),
            Self::EndsWith(part) => value.ends_with(part.as_str()),
        }
    }

    /// Whether a label that is not there fulfils it.
    fn is_negative(&self) -> bool {
        matches!(self, Self::Differs(_) | Self::NotIn(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Label(&'t str),
    Text(&'t str),
    Has(&'t str),
    Word(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    All,
    Global,
    Open,
    Close,
    OpenSet,
    CloseSet,
    Comma,
    Not,
    And,
    Or,
    Equals,
    Differs,
    In,
    NotIn,
    Contains,
    StartsWith,
    EndsWith,
}

/// Signs, where longer ones are tried first.
const SIGNS: [(&str, Word); 10] = [
    ("==", Word::Equals),
    ("!=", Word::Differs),
    ("&&", Word::And),
    ("||", Word::Or),
    ("!", Word::Not),
    ("(", Word::Open),
    (")", Word::Close),
    ("{", Word::OpenSet),
    ("}", Word::CloseSet),
    (",", Word::Comma),
];

/// Operators that stand behind a label only; elsewhere they are names of labels.
const OPERATORS: [(&str, &str, Word); 5] = [
    ("contains", "", Word::Contains),
    ("starts", "with", Word::StartsWith),
    ("ends", "with", Word::EndsWith),
    ("not", "in", Word::NotIn),
    ("in", "", Word::In),
];

fn trimmed(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// The words of a selector; none where something else stands between them.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut rest = trimmed(text);
    while !rest.is_empty() {
        let after_label = matches!(found.last(), Some(Token::Label(_)));
        let (token, behind) = token(rest, after_label)?;
        found.push(token);
        rest = trimmed(behind);
    }
    Some(found)
}

/// The first word, and what is behind it.
fn token(text: &str, after_label: bool) -> Option<(Token<'_>, &str)> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split_once(quote).map(|(value, behind)| (Token::Text(value), behind));
        }
    }
    let sign = |(sign, word): (&str, Word)| text.strip_prefix(sign).map(|behind| (Token::Word(word), behind));
    if let Some(found) = SIGNS.into_iter().find_map(sign) {
        return Some(found);
    }
    if after_label {
        let operator = |(first, second, word): (&str, &str, Word)| {
            let behind = trimmed(text.strip_prefix(first)?).strip_prefix(second)?;
            Some((Token::Word(word), behind))
        };
        return OPERATORS.into_iter().find_map(operator);
    }
    if let Some(rest) = text.strip_prefix("has(") {
        let (key, behind) = name(trimmed(rest))?;
        return Some((Token::Has(key), trimmed(behind).strip_prefix(')')?));
    }
    for (function, word) in [("all(", Word::All), ("global(", Word::Global)] {
        if let Some(rest) = text.strip_prefix(function) {
            return Some((Token::Word(word), trimmed(rest).strip_prefix(')')?));
        }
    }
    name(text).map(|(key, behind)| (Token::Label(key), behind))
}

/// The name of a label at the beginning.
fn name(text: &str) -> Option<(&str, &str)> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
    let length = text.find(|c| !of_name(c)).unwrap_or(text.len());
    text.split_at_checked(length).filter(|(name, _)| !name.is_empty())
}

struct Parser<'t> {
    tokens: Peekable<IntoIter<Token<'t>>>,
    depth: u32,
}

fn parse(tokens: Vec<Token<'_>>) -> Option<Node> {
    if tokens.is_empty() {
        return Some(Node::All);
    }
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), depth: 0 };
    let root = parser.either()?;
    parser.tokens.next().is_none().then_some(root)
}

impl Parser<'_> {
    fn takes(&mut self, word: Word) -> bool {
        self.tokens.next_if_eq(&Token::Word(word)).is_some()
    }

    fn either(&mut self) -> Option<Node> {
        let mut nodes = vec![self.both()?];
        while self.takes(Word::Or) {
            nodes.push(self.both()?);
        }
        single(nodes, Node::Or)
    }

    fn both(&mut self) -> Option<Node> {
        let mut nodes = vec![self.operation()?];
        while self.takes(Word::And) {
            nodes.push(self.operation()?);
        }
        single(nodes, Node::And)
    }

    fn operation(&mut self) -> Option<Node> {
        let mut negated = false;
        while self.takes(Word::Not) {
            negated = !negated;
        }
        let node = match self.tokens.next()? {
            Token::Has(key) => Node::Has(key.to_owned()),
            Token::Word(Word::All) => Node::All,
            Token::Word(Word::Global) => Node::Global,
            Token::Word(Word::Open) => {
                self.depth += 1;
                let node = if self.depth > DEEPEST { None } else { self.either() }?;
                self.depth -= 1;
                self.takes(Word::Close).then_some(node)?
            }
            Token::Label(key) => Node::Compare(key.to_owned(), self.comparison()?),
            Token::Text(_) | Token::Word(_) => return None,
        };
        Some(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Token::Word(operator) = self.tokens.next()? else { return None };
        Some(match operator {
            Word::Equals => Comparison::Equals(self.text()?),
            Word::Differs => Comparison::Differs(self.text()?),
            Word::Contains => Comparison::Contains(self.text()?),
            Word::StartsWith => Comparison::StartsWith(self.text()?),
            Word::EndsWith => Comparison::EndsWith(self.text()?),
            Word::In => Comparison::In(self.set()?),
            Word::NotIn => Comparison::NotIn(self.set()?),
            _ => return None,
        })
    }

    fn text(&mut self) -> Option<String> {
        match self.tokens.next()? {
            Token::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }

    /// A set, which may be empty and may end in a comma.
    fn set(&mut self) -> Option<Vec<String>> {
        self.takes(Word::OpenSet).then_some(())?;
        let mut values = Vec::new();
        while let Some(Token::Text(value)) = self.tokens.next_if(|token| matches!(token, Token::Text(_))) {
            values.push(value.to_owned());
            if !self.takes(Word::Comma) {
                break;
            }
        }
        self.takes(Word::CloseSet).then_some(values)
    }
}

/// The only node, or all of them under one.
fn single(mut nodes: Vec<Node>, several: impl Fn(Vec<Node>) -> Node) -> Option<Node> {
    if nodes.len() == 1 { nodes.pop() } else { Some(several(nodes)) }
}
