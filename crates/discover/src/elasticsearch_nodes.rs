//! Labels by which the pods of one Elasticsearch resource are told apart: the set that a node belongs to, and its roles.
//! <https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s/requests-routing-to-elasticsearch-nodes>

use kubestride_manifest::Object;
use kubestride_yaml::Value;

/// What the label of a role begins with.
const ROLE: &str = "elasticsearch.k8s.elastic.co/node-";
/// The label with the name of the StatefulSet that is made for a set of nodes.
const SET: &str = "elasticsearch.k8s.elastic.co/statefulset-name";

/// Whether nodes of one resource differ in a label.
pub(crate) fn is_label(label: &str) -> bool {
    label == SET || label.starts_with(ROLE)
}

/// Whether the nodes of one of the sets have all of these labels.
pub(crate) fn some_have(object: Object<'_>, labels: &[(&str, &str)]) -> bool {
    let mut sets = object.spec().and_then(|s| s.get("nodeSets")).into_iter().flat_map(|s| s.items());
    sets.any(|set| labels.iter().all(|(label, value)| has(object, set, label, value)))
}

fn has(object: Object<'_>, set: Value<'_>, label: &str, value: &str) -> bool {
    if label == SET {
        let name = set.get("name").and_then(|n| n.as_str());
        return name.is_some_and(|name| value == format!("{}-es-{name}", object.name()));
    }
    let asked = match value {
        "true" => true,
        "false" => false,
        _ => return false,
    };
    label.strip_prefix(ROLE).is_some_and(|role| has_role(set.get("config"), role) == asked)
}

/// Whether nodes with this configuration have a role: one of the list, or one that is not switched off by itself. Only
/// voters that are no more than that are asked for.
fn has_role(config: Option<Value<'_>>, role: &str) -> bool {
    let setting = |name: &str| {
        let config = config?;
        config.get(&format!("node.{name}")).or_else(|| config.get("node")?.get(name))
    };
    if let Some(roles) = setting("roles").filter(|roles| !roles.is_null()) {
        return roles.items().any(|own| own.as_str() == Some(role));
    }
    let switch = setting(role).and_then(|switch| switch.scalar_text()).map(|text| text == "true");
    switch.unwrap_or(role != "voting_only")
}
