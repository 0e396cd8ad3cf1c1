//! Labels and what selects them.

use kubestride_yaml::Value;

/// Labels of one thing, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Labels<'a> {
    /// Labels from pairs; of two values for one key the first holds.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(key, _)| *key);
        pairs.dedup_by_key(|(key, _)| *key);
        Self { pairs }
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let at = self.pairs.binary_search_by_key(&key, |(k, _)| k).ok()?;
        self.pairs.get(at).map(|(_, value)| *value)
    }

    /// All labels.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.pairs.iter().copied()
    }
}

/// A label selector (Kubernetes `LabelSelector`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector<'a> {
    requirements: Vec<Requirement<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement<'a> {
    In(&'a str, Vec<&'a str>),
    NotIn(&'a str, Vec<&'a str>),
    Exists(&'a str),
    Missing(&'a str),
    Never,
}

impl<'a> LabelSelector<'a> {
    /// Reads `matchLabels` and `matchExpressions`. An operator that does not exist matches nothing.
    pub fn read(value: Value<'a>) -> Self {
        let mut requirements = Vec::new();
        for entry in value.get("matchLabels").into_iter().flat_map(|l| l.entries()) {
            requirements.push(entry.value.scalar_text().map_or(Requirement::Never, |v| Requirement::In(entry.key, vec![v])));
        }
        for expression in value.get("matchExpressions").into_iter().flat_map(|l| l.items()) {
            let text = |key: &str| expression.get(key).and_then(|v| v.scalar_text());
            let values = || {
                let list = expression.get("values").into_iter().flat_map(|v| v.items());
                list.filter_map(|v| v.scalar_text()).collect::<Vec<_>>()
            };
            requirements.push(match (text("key"), text("operator")) {
                (Some(key), Some("In")) => Requirement::In(key, values()),
                (Some(key), Some("NotIn")) => Requirement::NotIn(key, values()),
                (Some(key), Some("Exists")) => Requirement::Exists(key),
                (Some(key), Some("DoesNotExist")) => Requirement::Missing(key),
                _ => Requirement::Never,
            });
        }
        Self { requirements }
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether things with these labels are selected.
    pub fn matches(&self, labels: &Labels<'_>) -> bool {
        self.requirements.iter().all(|r| match r {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(&v)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(&v)),
            Requirement::Exists(key) => labels.get(key).is_some(),
            Requirement::Missing(key) => labels.get(key).is_none(),
            Requirement::Never => false,
        })
    }
}
