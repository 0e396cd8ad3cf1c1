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
    /// On which port it is called.
    pub(crate) port: Port,
    /// The scheme that the target is called with; none if that is not known.
    pub(crate) scheme: Option<String>,
}

/// What rules make of the port of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// The one with which it was found.
    AsFound,
    /// Another one: that of a label, or one that the rule writes.
    Number(u16),
    /// A rule that was not followed to the end may have set it.
    Unknown,
}

/// What is known of the labels of a target between two rules.
struct Known {
    labels: TargetLabels,
    /// How the names begin that a `labelmap` may have written.
    mapped: Vec<String>,
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
pub(crate) fn relabel(rules: &[Value<'_>], labels: TargetLabels) -> Relabelled {
    let mut result = Relabelled { kept: Some(true), chosen: false, port: Port::AsFound, scheme: None };
    let mut known = Known { labels, mapped: Vec::new() };
    for rule in rules {
        let values: Option<Vec<String>> = sources(*rule).iter().map(|name| known.value_of(name)).collect();
        let separator = text(*rule, "separator").unwrap_or(";");
        let joined = values.map(|v| v.join(separator));
        let pattern = rule.get("regex").and_then(|r| r.scalar_text()).unwrap_or("(.*)");
        // A condition in a language of its own, as VictoriaMetrics has it, is not followed.
        let followed = joined.as_deref().filter(|_| rule.get("if").is_none());
        let fits = followed.and_then(|text| Pattern::parse(pattern)?.matches(text));
        let action = text(*rule, "action").unwrap_or("replace").to_ascii_lowercase();
        match action.as_str() {
            "keep" => {
                result.chosen |= fits == Some(true) && !matches!(pattern, "(.*)" | ".*");
                result.kept = both(result.kept, fits);
            }
            "drop" => {
                // Those that annotations take out are known: all others are meant.
                result.chosen |= fits == Some(false) && of_annotations(*rule);
                result.kept = both(result.kept, fits.map(|f| !f));
            }
            "replace" => replace(*rule, &joined, fits, pattern, &mut known, &mut result),
            "lowercase" => known.set(*rule, followed.map(str::to_lowercase)),
            "uppercase" => known.set(*rule, followed.map(str::to_uppercase)),
            "hashmod" => known.set(*rule, None),
            "labelmap" => known.map(text(*rule, "replacement").unwrap_or("$1")),
            "labeldrop" | "labelkeep" => {}
            _ => result.kept = both(result.kept, None),
        }
    }
    result.scheme = known.labels.remove(SCHEME).flatten().filter(|scheme| !scheme.is_empty());
    result
}

fn replace(
    rule: Value<'_>,
    joined: &Option<String>,
    fits: Option<bool>,
    pattern: &str,
    known: &mut Known,
    result: &mut Relabelled,
) {
    let Some(target) = text(rule, "target_label") else { return };
    if fits == Some(false) {
        return;
    }
    let replacement = text(rule, "replacement").unwrap_or("$1");
    if target == "__address__" {
        let port = port(rule, fits, replacement, known);
        if port != Port::AsFound {
            result.port = port;
            known.set(rule, None);
        }
        return;
    }
    let value = match (fits, replacement) {
        (Some(true), fixed) if !fixed.contains('$') => Some(fixed.to_owned()),
        (Some(true), "$1" | "${1}") if is_one_group(pattern) => joined.clone(),
        _ => None,
    };
    known.set(rule, value);
}

/// What a rule for `__address__` makes of the port.
fn port(rule: Value<'_>, fits: Option<bool>, replacement: &str, known: &Known) -> Port {
    let sources = sources(rule);
    // An address of its own is for exporters: see [`fixed_address`].
    if sources.is_empty() {
        return Port::AsFound;
    }
    let valid = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let written = replacement.rsplit_once(':').and_then(|(host, port)| valid(port).filter(|_| host.contains('$')));
    if let Some(written) = written {
        return if fits == Some(true) { Port::Number(written) } else { Port::Unknown };
    }
    let others = || sources.iter().filter(|name| *name != "__address__").map(|name| known.value_of(name));
    if let Some(number) = others().flatten().find_map(|value| valid(&value)) {
        return Port::Number(number);
    }
    // Rules that take the port from a label are not about targets without it.
    let lacks_label = fits.is_none() && others().any(|value| value.as_deref() == Some(""));
    if lacks_label { Port::AsFound } else { Port::Unknown }
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

impl Known {
    /// The value of a label; none if it is not known. What Kubernetes' discovery sets from labels and annotations is empty
    /// where these are absent.
    fn value_of(&self, name: &str) -> Option<String> {
        if let Some(value) = self.labels.get(name) {
            return value.clone();
        }
        let from_object = ["_label_", "_annotation_", "_labelpresent_", "_annotationpresent_", "_port_name"];
        let open = name.starts_with("__meta_") && !from_object.iter().any(|part| name.contains(part));
        let of_others =
            name.contains("_node_label") || name.contains("_namespace_label") || name.contains("_node_annot");
        let mapped = self.mapped.iter().any(|start| is_written(name, start));
        (!open && !of_others && !mapped).then(String::new)
    }

    /// Sets the label that a rule is for.
    fn set(&mut self, rule: Value<'_>, value: Option<String>) {
        if let Some(target) = text(rule, "target_label") {
            self.labels.insert(target.to_owned(), value);
        }
    }

    /// A `labelmap` writes to labels whose names come from other names. Which ones is not followed.
    fn map(&mut self, replacement: &str) {
        let start = replacement.split('$').next().unwrap_or("");
        self.labels.iter_mut().filter(|(name, _)| is_written(name, start)).for_each(|(_, value)| *value = None);
        if !self.mapped.iter().any(|known| known == start) {
            self.mapped.push(start.to_owned());
        }
    }
}

/// Whether a `labelmap` can write to a label, by how the names begin that it writes. What comes from names of Kubernetes
/// alone begins with no `_`.
fn is_written(name: &str, start: &str) -> bool {
    if start.is_empty() { !name.starts_with("__") } else { name.starts_with(start) }
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

    fn outcome(rules: &str) -> (Option<bool>, bool, Port) {
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
            (format!("[{{action: keep, regex: true, source_labels: [{scrape}]}}]"), (Some(true), true, Port::AsFound)),
            (format!("[{{action: keep, regex: 'yes', source_labels: [{scrape}]}}]"), (Some(false), false, Port::AsFound)),
            (format!("[{{action: drop, regex: true, source_labels: [{scrape}]}}]"), (Some(false), false, Port::AsFound)),
            ("[{action: drop, regex: x, source_labels: [__meta_kubernetes_pod_label_a]}]".to_owned(), (Some(true), false, Port::AsFound)),
            (format!("[{{action: drop, regex: false, source_labels: [{scrape}]}}]"), (Some(true), true, Port::AsFound)),
            ("[{action: keep, regex: x, source_labels: [__meta_kubernetes_pod_node_name]}]".to_owned(), (None, false, Port::AsFound)),
            ("[{action: keep, regex: '(?i)x', source_labels: [a]}]".to_owned(), (None, false, Port::AsFound)),
            ("[{action: keep, if: '{a=\"b\"}'}]".to_owned(), (None, false, Port::AsFound)),
            ("[{action: keep_if_equal, source_labels: [a, b]}]".to_owned(), (None, false, Port::AsFound)),
            ("[{action: keep, source_labels: [a]}, {action: labelmap, regex: a}]".to_owned(), (Some(true), false, Port::AsFound)),
            (
                format!(r"[{{source_labels: [__address__, {port}], regex: '(.+?)(:\d+)?;(\d+)', target_label: __address__}}]"),
                (Some(true), false, Port::Number(9100)),
            ),
            (
                "[{source_labels: [__meta_kubernetes_namespace], target_label: ns}, {action: keep, source_labels: [ns], regex: shop}]".to_owned(),
                (Some(true), true, Port::AsFound),
            ),
        ];
        for (rules, expected) in table {
            assert_eq!(outcome(&rules), expected, "{rules}");
        }
    }
    #[test]
    fn what_rules_write_into_labels_is_known_or_unknown_and_never_taken_for_empty() {
        let keep = |label: &str, regex: &str| format!("{{action: keep, source_labels: [{label}], regex: {regex}}}");
        let of = |first: &str, label: &str, regex: &str| outcome(&format!("[{first}, {}]", keep(label, regex))).0;
        let hash = "{action: hashmod, source_labels: [__address__], modulus: 4, target_label: __tmp_hash}";
        assert_eq!(of(hash, "__tmp_hash", "'1'"), None);
        let upper = "{action: uppercase, source_labels: [__meta_kubernetes_namespace], target_label: ns}";
        assert_eq!(of(upper, "ns", "SHOP"), Some(true));
        assert_eq!(of(upper, "ns", "shop"), Some(false));
        let lower = "{action: lowercase, source_labels: [__meta_kubernetes_pod_node_name], targetLabel: node}";
        assert_eq!(of(lower, "node", "a"), None);
        let map = "{action: labelmap, regex: __meta_kubernetes_pod_label_(.+)}";
        assert_eq!(of(map, "app", "web"), None);
        assert_eq!(of(map, "__meta_kubernetes_namespace", "shop"), Some(true));
        assert_eq!(of(&map.replace('}', ", replacement: k8s_$1}"), "app", "web"), Some(false));
        assert_eq!(of(&map.replace('}', ", replacement: k8s_$1}"), "k8s_app", "web"), None);
        let before = format!("{{source_labels: [__meta_kubernetes_namespace], target_label: ns}}, {map}");
        assert_eq!(of(&before, "ns", "shop"), None, "it may be written over");
    }

    #[test]
    fn the_port_that_a_rule_writes_is_read() {
        let of = |regex: &str, replacement: &str| {
            outcome(&format!(
                "[{{source_labels: [__address__], regex: '{regex}', target_label: __address__, replacement: '{replacement}'}}]"
            ))
            .2
        };
        assert_eq!(of("(.+):.*", "${1}:9102"), Port::Number(9102));
        assert_eq!(of("(.+):81", "${1}:9102"), Port::AsFound);
        assert_eq!(of("(?i)(.+):.*", "${1}:9102"), Port::Unknown);
        assert_eq!(of("(.+):.*", "$1"), Port::Unknown);
        let label = "__meta_kubernetes_pod_annotation_other_port";
        let rule = format!(
            "[{{source_labels: [{label}, __meta_kubernetes_pod_ip], regex: '(\\d+);(.+)', target_label: __address__, replacement: '$2:$1'}}]"
        );
        assert_eq!(outcome(&rule).2, Port::AsFound, "without the label the rule is not about it");
        assert_eq!(outcome(&rule.replace("other", "prometheus_io")).2, Port::Number(9100));
    }
}
