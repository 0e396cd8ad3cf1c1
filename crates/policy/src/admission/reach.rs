//! To which namespaces a rule applies, and whether to all pods there.

use kubestride_manifest::{Field, LabelSelector, Labels, NAMESPACE_NAME, RequirementTest};
use kubestride_yaml::Value;

/// A namespace, as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Namespace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels, as far as they are known.
    pub labels: &'a Labels<'a>,
    /// Whether the Namespace object is part of the input, so that all its labels are known.
    pub declared: bool,
}

impl Namespace<'_> {
    /// Whether a selector selects it; none if that depends on labels that are not known.
    fn is_selected(&self, selector: &LabelSelector) -> Option<bool> {
        let known = |key: &str| self.declared || key == NAMESPACE_NAME;
        let requirements = &selector.requirements;
        let decided = requirements.iter().all(|r| known(&r.key) && r.test != RequirementTest::Unknown);
        decided.then(|| selector.matches(self.labels))
    }
}

/// A set of namespaces, of whose pods all or some are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    /// Names with `*` and `?`; none: all.
    pub(super) names: Option<Vec<String>>,
    /// What their labels must be.
    pub(super) selector: Option<LabelSelector>,
    /// Only some pods are meant: by name, label, user or something that is not understood.
    pub(super) only_some: bool,
}

impl Clause {
    /// Whether a namespace is in the set; none if that is not known.
    fn meets(&self, namespace: &Namespace<'_>) -> Option<bool> {
        let named = self.names.as_ref().is_none_or(|names| names.iter().any(|n| wildcard(n, namespace.name)));
        if !named {
            return Some(false);
        }
        self.selector.as_ref().map_or(Some(true), |selector| namespace.is_selected(selector))
    }
}

/// The pods to which a rule applies.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// It applies to what is in one of these.
    pub(super) includes: Vec<Clause>,
    /// And in none of these.
    pub(super) excludes: Vec<Clause>,
}

impl Reach {
    /// Whether it surely applies to all pods of a namespace.
    pub fn covers(&self, namespace: &Namespace<'_>) -> bool {
        let in_one = self.includes.iter().any(|c| !c.only_some && c.meets(namespace) == Some(true));
        in_one && self.excludes.iter().all(|c| c.meets(namespace) == Some(false))
    }

    /// Whether it applies to a namespace at all; none if that is not known.
    pub(super) fn meets(&self, namespace: &Namespace<'_>) -> Option<bool> {
        let inside: Vec<Option<bool>> = self.includes.iter().map(|c| c.meets(namespace)).collect();
        if inside.iter().all(|i| *i == Some(false)) {
            return Some(false);
        }
        self.covers(namespace).then_some(true)
    }

    /// Whether all pods of some namespace may be meant, and none is taken out.
    pub fn is_everything(&self) -> bool {
        let all = |c: &Clause| {
            let named = c.names.as_ref().is_none_or(|names| names.iter().any(|n| n == "*"));
            named && !c.only_some && c.selector.as_ref().is_none_or(|s| s.is_everything())
        };
        self.includes.iter().any(all)
    }
}

/// The texts of a list, if it is there.
pub(super) fn texts(value: Option<Value<'_>>) -> Option<Vec<String>> {
    value.map(|list| list.items().filter_map(Value::scalar_text).map(str::to_owned).collect())
}

/// `namespaceSelector` of an object of Kubernetes, where an empty one selects everything.
pub(super) fn selector(holder: Value<'_>) -> Option<LabelSelector> {
    holder.field("namespaceSelector").map(LabelSelector::read)
}

/// Whether a text matches a pattern with `*` for any text and `?` for any one character.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = back else { return false };
                back = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn wildcards_match_any_text() {
        for (pattern, text) in [("*", ""), ("a*c", "abbc"), ("?*", "x"), ("*:*", "a:b"), ("kube-*", "kube-system")] {
            assert!(wildcard(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("?*", ""), ("a*c", "abb"), ("*:*", "ab"), ("a", "ab"), ("kube-?", "kube-")] {
            assert!(!wildcard(pattern, text), "{pattern} {text}");
        }
    }
}
