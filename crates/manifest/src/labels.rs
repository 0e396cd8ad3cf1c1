//! Labels and what selects them.

use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::{Entry, Value};

use crate::Field;

/// Every namespace has this label, whose value is its name; Kubernetes sets it.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The labels of an object, in order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Labels<'a> {
    /// Reads a mapping of labels. Values that are no scalars are left out.
    pub fn read(value: Option<Value<'a>>) -> Self {
        let entry = |entry: Entry<'a>| entry.value.scalar_text().map(|text| (entry.key, text));
        Self::from_pairs(value.into_iter().flat_map(Value::entries).filter_map(entry))
    }

    /// The given labels; of two with the same key the last one counts.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut labels = Self::default();
        for (key, value) in pairs {
            labels.set(key, value);
        }
        labels
    }

    /// Sets a label.
    pub fn set(&mut self, key: &'a str, value: &'a str) {
        match self.pairs.binary_search_by(|(k, _)| (*k).cmp(key)) {
            Ok(at) => {
                if let Some(pair) = self.pairs.get_mut(at) {
                    pair.1 = value;
                }
            }
            Err(at) => self.pairs.insert(at, (key, value)),
        }
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let at = self.pairs.binary_search_by(|(k, _)| (*k).cmp(key)).ok()?;
        self.pairs.get(at).map(|(_, value)| *value)
    }

    /// Keys and values in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().copied()
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// What a requirement asks of the value of a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequirementTest {
    /// It is one of these.
    In(Vec<String>),
    /// It is none of these; a missing label fulfils it too.
    NotIn(Vec<String>),
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
    /// Something this version does not know: nothing fulfils it.
    Unknown,
}

impl RequirementTest {
    /// Whether a label with this value, or one that is not there, fulfils it; none if the test is not understood.
    pub fn holds(&self, value: Option<&str>) -> Option<bool> {
        match self {
            Self::In(values) => Some(value.is_some_and(|value| values.iter().any(|v| v == value))),
            Self::NotIn(values) => Some(value.is_none_or(|value| values.iter().all(|v| v != value))),
            Self::Exists => Some(value.is_some()),
            Self::DoesNotExist => Some(value.is_none()),
            Self::Unknown => None,
        }
    }
}

/// One condition of a [`LabelSelector`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The key of the label.
    pub key: String,
    /// What is asked of it.
    pub test: RequirementTest,
}

/// `LabelSelector`: matches what fulfils all requirements, and everything if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// The conditions.
    pub requirements: Vec<Requirement>,
    /// Where operators stand that are not known.
    unknown: Vec<Span>,
}

impl LabelSelector {
    /// The selector that matches everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Reads `matchLabels` and `matchExpressions`. An empty mapping, and null, match everything; that a selector
    /// which is not set may match nothing is up to the field that it is in. What is no mapping matches nothing.
    pub fn read(value: Value<'_>) -> Self {
        let mut selector = Self::default();
        if !value.is_null() && value.kind() != kubestride_yaml::Kind::Mapping {
            selector.fail("", value.span());
            return selector;
        }
        for entry in value.field("matchLabels").into_iter().flat_map(Value::entries) {
            match entry.value.scalar_text() {
                Some(text) => selector.require(entry.key, RequirementTest::In(vec![text.to_owned()])),
                None => selector.fail(entry.key, entry.value.span()),
            }
        }
        for expression in value.list("matchExpressions") {
            let key = expression.text("key").unwrap_or("");
            let values = || expression.list("values").filter_map(Value::scalar_text).map(str::to_owned).collect();
            match expression.text("operator") {
                Some("In") => selector.require(key, RequirementTest::In(values())),
                Some("NotIn") => selector.require(key, RequirementTest::NotIn(values())),
                Some("Exists") => selector.require(key, RequirementTest::Exists),
                Some("DoesNotExist") => selector.require(key, RequirementTest::DoesNotExist),
                _ => selector.fail(key, expression.field("operator").unwrap_or(expression).span()),
            }
        }
        selector.requirements.sort();
        selector.requirements.dedup();
        selector
    }

    /// Reads a plain mapping of labels that must all be there, as in Istio's `selector.matchLabels`.
    pub fn from_labels(labels: &Labels<'_>) -> Self {
        let mut selector = Self::default();
        for (key, value) in labels.iter() {
            selector.require(key, RequirementTest::In(vec![value.to_owned()]));
        }
        selector
    }

    /// Whether it matches whatever the labels are.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether it asks for nothing but that there is a label with this key.
    pub fn only_asks_for(&self, key: &str) -> bool {
        self.requirements.iter().all(|r| r.key == key && matches!(r.test, RequirementTest::Exists))
    }

    /// A label that everything selected has, and the values of which it has one, if the selector asks for such.
    pub fn one_of(&self) -> Option<(&str, &[String])> {
        self.requirements.iter().find_map(|requirement| match &requirement.test {
            RequirementTest::In(values) => Some((requirement.key.as_str(), values.as_slice())),
            _ => None,
        })
    }

    /// Whether something with these labels is selected.
    pub fn matches(&self, labels: &Labels<'_>) -> bool {
        self.requirements.iter().all(|r| r.test.holds(labels.get(&r.key)) == Some(true))
    }

    /// A warning for each part that is not understood, because of which nothing is selected.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let message = "this part of the selector is not understood, so it selects nothing";
        self.unknown.iter().map(move |span| Diagnostic::warning("unknown-selector", message).at(*span))
    }

    fn require(&mut self, key: &str, test: RequirementTest) {
        self.requirements.push(Requirement { key: key.to_owned(), test });
    }

    fn fail(&mut self, key: &str, span: Span) {
        self.require(key, RequirementTest::Unknown);
        self.unknown.push(span);
    }
}
