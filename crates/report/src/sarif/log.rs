//! The parts of a SARIF log that are written. Names are those of the specification.

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Tool<'r> {
    pub(crate) driver: Driver<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Driver<'r> {
    pub(crate) name: &'static str,
    pub(crate) semantic_version: &'r str,
    pub(crate) rules: Vec<Rule<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule<'r> {
    pub(crate) id: &'r str,
    pub(crate) name: String,
    pub(crate) short_description: Message,
    pub(crate) full_description: Message,
    pub(crate) help: Help,
    pub(crate) default_configuration: Configuration,
    pub(crate) properties: RuleProperties,
}

#[derive(Serialize)]
pub(crate) struct Message {
    pub(crate) text: String,
}

#[derive(Serialize)]
pub(crate) struct Help {
    pub(crate) text: String,
    pub(crate) markdown: String,
}

#[derive(Serialize)]
pub(crate) struct Configuration {
    pub(crate) level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RuleProperties {
    pub(crate) tags: Vec<String>,
    pub(crate) security_severity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invocation<'r> {
    pub(crate) execution_successful: bool,
    pub(crate) tool_execution_notifications: Vec<Notification<'r>>,
}

#[derive(Serialize)]
pub(crate) struct Notification<'r> {
    pub(crate) level: &'static str,
    pub(crate) descriptor: Descriptor,
    pub(crate) message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) locations: Vec<Location<'r>>,
}

#[derive(Serialize)]
pub(crate) struct Descriptor {
    pub(crate) id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultItem<'r> {
    pub(crate) rule_id: &'r str,
    pub(crate) rule_index: usize,
    pub(crate) kind: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: Message,
    pub(crate) locations: [Location<'r>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) related_locations: Vec<Location<'r>>,
    pub(crate) partial_fingerprints: Fingerprints,
    pub(crate) properties: ResultProperties,
}

#[derive(Serialize)]
pub(crate) struct Fingerprints {
    #[serde(rename = "kubestride/v1")]
    pub(crate) threat: String,
}

#[derive(Serialize)]
pub(crate) struct ResultProperties {
    pub(crate) severity: &'static str,
    pub(crate) state: &'static str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) logical_locations: Vec<LogicalLocation<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhysicalLocation {
    pub(crate) artifact_location: ArtifactLocation,
    pub(crate) region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArtifactLocation {
    pub(crate) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Region {
    pub(crate) start_line: u32,
    pub(crate) start_column: u32,
    pub(crate) end_line: u32,
    pub(crate) end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogicalLocation<'r> {
    pub(crate) fully_qualified_name: &'r str,
    pub(crate) kind: &'static str,
}
