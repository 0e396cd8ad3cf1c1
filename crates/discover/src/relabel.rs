//! Relabelling: which of the targets that Prometheus finds it keeps, and where it calls them.
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

use std::collections::BTreeMap;

use kubestride_yaml::Value;

use crate::pattern::Pattern;

/// Labels of a target. None as a value: it has some value that manifests do not tell.
pub(crate) type TargetLabels = BTreeMap<String, Option<String>>;

/// The label of the scheme that a target is called with.
pub(crate) const SCHEME: &str = "__scheme__";

/// What the rules make of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relabelled {
    /// Whether it is kept; none if that depends on what manifests do not tell.
    pub(crate) kept: Option<bool>,
    /// Whether a rule chose it: something said what is kept.
    pub(crate) chosen: bool,
    /// The port that a rule took from a label.
    pub(crate) port: Option<u16>,
    /// The scheme that the target is called with; none if that is not known.
    pub(crate) scheme: Option<String>,
}

/// The address that is called in place of every target: that of an exporter which probes them.
pub(crate) fn fixed_address<'a>(rules: &[Value<'a>]) -> Option<Value<'a>> {
    let is_fixed = |rule: &&Value<'a>| {
        text(**rule, "target_label") == Some("__address__")
            && sources(**rule).is_empty()
            && text(**rule, "replacement").is_some_and(|r| !r.contains('$'))
    };
    rules.iter().rev().find(is_fixed)?.get("replacement")
}

/// Whether the rules say which files to read: then no target is called.
pub(crate) fn reads_files(rules: &[Value<'_>]) -> bool {
    rules.iter().any(|rule| text(*rule, "target_label") == Some("__path__"))
}

/// Applies all rules in order.
pub(crate) fn relabel(rules: &[Value<'_>], mut labels: TargetLabels) -> Relabelled {
    let mut result = Relabelled { kept: Some(true), chosen: false, port: None, scheme: None };
    for rule in rules {
        let values: Option<Vec<String>> = sources(*rule).iter().map(|name| value_of(&labels, name)).collect();
        let separator = text(*rule, "separator").unwrap_or(";");
        let joined = values.map(|v| v.join(separator));
        let pattern = rule.get("regex").and_then(|r| r.scalar_text()).unwrap_or("(.*)");
        // A condition in a language of its own, as VictoriaMetrics has it, is not followed.
        let followed = joined.as_deref().filter(|_| rule.get("if").is_none());
        let fits = followed.and_then(|text| Pattern::parse(pattern)?.matches(text));
        match text(*rule, "action").unwrap_or("replace").to_ascii_lowercase().as_str() {
            "keep" => {
                result.chosen |= fits == Some(true) && !matches!(pattern, "(.*)" | ".*");
                result.kept = both(result.kept, fits);
            }
            "drop" => {
                // Those that annotations take out are known: all others are meant.
                result.chosen |= fits == Some(false) && of_annotations(*rule);
                result.kept = both(result.kept, fits.map(|f| !f));
            }
            "replace" => replace(*rule, &joined, fits, pattern, &mut labels, &mut result),
            "labelmap" | "labeldrop" | "labelkeep" | "hashmod" | "lowercase" | "uppercase" => {}
            _ => result.kept = both(result.kept, None),
        }
    }
    result.scheme = labels.remove(SCHEME).flatten().filter(|scheme| !scheme.is_empty());
    result
}

fn replace(
    rule: Value<'_>,
    joined: &Option<String>,
    fits: Option<bool>,
    pattern: &str,
    labels: &mut TargetLabels,
    result: &mut Relabelled,
) {
    let Some(target) = text(rule, "target_label") else { return };
    if fits == Some(false) {
        return;
    }
    if target == "__address__" {
        let number = |name: &String| value_of(labels, name)?.parse::<u16>().ok().filter(|p| *p > 0);
        result.port = sources(rule).iter().filter(|name| *name != "__address__").find_map(number).or(result.port);
        return;
    }
    let replacement = text(rule, "replacement").unwrap_or("$1");
    let value = match (fits, replacement) {
        (Some(true), fixed) if !fixed.contains('$') => Some(fixed.to_owned()),
        (Some(true), "$1" | "${1}") if is_one_group(pattern) => joined.clone(),
        _ => None,
    };
    labels.insert(target.to_owned(), value);
}

/// Whether a pattern is one group, which then holds all that fits: `(.*)`, `(https?)`.
fn is_one_group(pattern: &str) -> bool {
    let inner = pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| !inner.starts_with('?') && !inner.contains(['(', ')', '\\']))
}

fn both(before: Option<bool>, now: Option<bool>) -> Option<bool> {
    match (before, now) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// The value of a label; none if it is not known. What Kubernetes' discovery sets from labels and annotations is empty
/// where these are absent.
fn value_of(labels: &TargetLabels, name: &str) -> Option<String> {
    if let Some(value) = labels.get(name) {
        return value.clone();
    }
    let from_object = ["_label_", "_annotation_", "_labelpresent_", "_annotationpresent_", "_port_name"];
    let open = name.starts_with("__meta_") && !from_object.iter().any(|part| name.contains(part));
    let of_others = name.contains("_node_label") || name.contains("_namespace_label") || name.contains("_node_annot");
    (!open && !of_others).then(String::new)
}

/// Whether a rule looks at nothing but annotations, by which somebody says what is to be scraped.
fn of_annotations(rule: Value<'_>) -> bool {
    let sources = sources(rule);
    !sources.is_empty() && sources.iter().all(|name| name.contains("_annotation_"))
}

fn text<'a>(rule: Value<'a>, key: &str) -> Option<&'a str> {
    // The operator's own resources write these keys in camel case.
    let value = match key {
        "target_label" => rule.get(key).or_else(|| rule.get("targetLabel")),
        _ => rule.get(key),
    };
    value?.scalar_text()
}

fn sources(rule: Value<'_>) -> Vec<String> {
    let list = rule.get("source_labels").or_else(|| rule.get("sourceLabels"));
    list.into_iter().flat_map(|l| l.items()).filter_map(|i| i.scalar_text()).map(str::to_owned).collect()
}

/// A name as Prometheus writes it in a label: everything but letters, digits and `_` becomes `_`.
pub(crate) fn label_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubestride_source::FileId;
    use kubestride_yaml::{Limits, read};

    use super::*;

    fn outcome(rules: &str) -> (Option<bool>, bool, Option<u16>) {
        let documents = read(FileId(0), &Arc::from(rules), &Limits::default());
        let tree = documents.first().and_then(|d| d.tree.as_ref()).expect("rules");
        let rules: Vec<_> = tree.root().items().collect();
        let known = [
            ("__address__", "pod:80"),
            ("__meta_kubernetes_namespace", "shop"),
            ("__meta_kubernetes_pod_annotation_prometheus_io_port", "9100"),
            ("__meta_kubernetes_pod_annotation_prometheus_io_scrape", "true"),
        ];
        let labels = known.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into();
        let result = relabel(&rules, labels);
        (result.kept, result.chosen, result.port)
    }

    #[test]
    fn rules_choose_targets_by_what_is_known_of_them() {
        let scrape = "__meta_kubernetes_pod_annotation_prometheus_io_scrape";
        let port = "__meta_kubernetes_pod_annotation_prometheus_io_port";
        let table = [
            (format!("[{{action: keep, regex: true, source_labels: [{scrape}]}}]"), (Some(true), true, None)),
            (format!("[{{action: keep, regex: 'yes', source_labels: [{scrape}]}}]"), (Some(false), false, None)),
            (format!("[{{action: drop, regex: true, source_labels: [{scrape}]}}]"), (Some(false), false, None)),
            ("[{action: drop, regex: x, source_labels: [__meta_kubernetes_pod_label_a]}]".to_owned(), (Some(true), false, None)),
            (format!("[{{action: drop, regex: false, source_labels: [{scrape}]}}]"), (Some(true), true, None)),
            ("[{action: keep, regex: x, source_labels: [__meta_kubernetes_pod_node_name]}]".to_owned(), (None, false, None)),
            ("[{action: keep, regex: '(?i)x', source_labels: [a]}]".to_owned(), (None, false, None)),
            ("[{action: keep, if: '{a=\"b\"}'}]".to_owned(), (None, false, None)),
            ("[{action: keep_if_equal, source_labels: [a, b]}]".to_owned(), (None, false, None)),
            ("[{action: keep, source_labels: [a]}, {action: labelmap, regex: a}]".to_owned(), (Some(true), false, None)),
            (
                format!(r"[{{source_labels: [__address__, {port}], regex: '(.+?)(:\d+)?;(\d+)', target_label: __address__}}]"),
                (Some(true), false, Some(9100)),
            ),
            (
                "[{source_labels: [__meta_kubernetes_namespace], target_label: ns}, {action: keep, source_labels: [ns], regex: shop}]".to_owned(),
                (Some(true), true, None),
            ),
        ];
        for (rules, expected) in table {
            assert_eq!(outcome(&rules), expected, "{rules}");
        }
    }
}
