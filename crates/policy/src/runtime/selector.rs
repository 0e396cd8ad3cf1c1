//! Which pods a policy of KubeArmor selects. Its expressions are not those of Kubernetes.

use kubestride_manifest::{Field, Labels};
use kubestride_source::Span;
use kubestride_yaml::Value;

/// Namespaces that KubeArmor does not look at unless it is told to.
const UNTRACKED: [&str; 2] = ["kube-system", "kubearmor"];
/// A label that pods do not have: it names containers.
const CONTAINER: &str = "kubearmor.io/container.name";

#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    labels: Vec<(String, String)>,
    expressions: Vec<Expression>,
    /// It selects nodes, or is not understood.
    nothing: bool,
}

#[derive(Debug, Clone)]
struct Expression {
    /// About the name of the namespace; else about labels, written `key=value`.
    of_namespace: bool,
    negated: bool,
    values: Vec<String>,
}

impl Selector {
    /// Reads a selector, with the places of what is not understood.
    pub(super) fn read(spec: Value<'_>) -> (Self, Vec<Span>) {
        let selector = spec.field("selector");
        let mut read = Self { nothing: spec.field("nodeSelector").is_some(), ..Self::default() };
        let mut unknown = Vec::new();
        for entry in selector.field("matchLabels").into_iter().flat_map(|labels| labels.entries()) {
            match entry.value.scalar_text() {
                Some(text) => read.labels.push((entry.key.to_owned(), text.to_owned())),
                None => unknown.push(entry.value.span()),
            }
        }
        for expression in selector.list("matchExpressions") {
            let negated = match expression.text("operator") {
                Some("In") => Some(false),
                Some("NotIn") => Some(true),
                _ => None,
            };
            let of_namespace = match expression.text("key") {
                Some("namespace") => Some(true),
                Some("label") => Some(false),
                _ => None,
            };
            match negated.zip(of_namespace) {
                Some((negated, of_namespace)) => {
                    let values = expression.list("values").filter_map(Value::scalar_text).map(str::to_owned).collect();
                    read.expressions.push(Expression { of_namespace, negated, values });
                }
                None => unknown.push(expression.span()),
            }
        }
        read.nothing |= !unknown.is_empty();
        (read, unknown)
    }

    pub(super) fn matches(&self, namespace: &str, labels: &Labels<'_>) -> bool {
        let labelled = |(key, value): &(String, String)| key == CONTAINER || labels.get(key) == Some(value);
        let expressed = |e: &Expression| {
            let of_label =
                |pair: &String| pair.split_once('=').is_some_and(|(k, v)| labels.get(k.trim()) == Some(v.trim()));
            let listed = e.values.iter().any(|v| if e.of_namespace { v == namespace } else { of_label(v) });
            listed != e.negated
        };
        !self.nothing
            && !UNTRACKED.contains(&namespace)
            && self.labels.iter().all(labelled)
            && self.expressions.iter().all(expressed)
    }

    /// Whether it is about some containers of a pod only.
    pub(super) fn names_containers(&self) -> bool {
        self.labels.iter().any(|(key, _)| key == CONTAINER)
    }
}
