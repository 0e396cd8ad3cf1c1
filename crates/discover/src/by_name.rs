//! Things that are found by namespace and name.

use std::collections::{BTreeMap, HashMap};

/// Things by their namespace and name. Those of the cluster are in the namespace without a name.
///
/// Few things share a namespace, so that finding one takes hardly longer in a large cluster, and nothing has to be put
/// together for the question.
pub(crate) struct ByName<T>(HashMap<String, BTreeMap<String, T>>);

impl<T> ByName<T> {
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&T> {
        self.0.get(namespace)?.get(name)
    }
}

/// Of several with the same name the last one is kept.
impl<T> FromIterator<((String, String), T)> for ByName<T> {
    fn from_iter<I: IntoIterator<Item = ((String, String), T)>>(items: I) -> Self {
        let mut all: HashMap<String, BTreeMap<String, T>> = HashMap::new();
        for ((namespace, name), item) in items {
            all.entry(namespace).or_default().insert(name, item);
        }
        Self(all)
    }
}
