//! What may be shown of a document that could not be parsed: names of fields that Kubernetes has, where keys stand.
//!
//! Without a tree nobody knows what is a key and what is the text of a secret, so no word of the document's own is shown.
//! A field's name tells nothing, wherever it stands.

use std::ops::Range;

use kubestride_source::Visibility;

use super::allow;

/// Fields that hold other fields, beside those that [`allow`] knows.
const FRAMES: [&str; 59] = [
    "affinity",
    "backend",
    "clientConfig",
    "configMap",
    "configMapKeyRef",
    "configMapRef",
    "containers",
    "egress",
    "emptyDir",
    "env",
    "envFrom",
    "from",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "http",
    "httpGet",
    "image",
    "imagePullSecrets",
    "ingress",
    "initContainers",
    "ipBlock",
    "items",
    "jobTemplate",
    "kind",
    "labels",
    "lifecycle",
    "livenessProbe",
    "matchExpressions",
    "matchLabels",
    "metadata",
    "namespaceSelector",
    "parentRefs",
    "path",
    "persistentVolumeClaim",
    "podSelector",
    "privileged",
    "projected",
    "readOnly",
    "readinessProbe",
    "roleRef",
    "rules",
    "secret",
    "secretKeyRef",
    "secretRef",
    "securityContext",
    "selector",
    "service",
    "spec",
    "startupProbe",
    "strategy",
    "subjects",
    "template",
    "to",
    "tolerations",
    "value",
    "valueFrom",
    "volumeMounts",
    "volumes",
];

/// Which bytes of `text` snippets may show within `range`, in which a document did not parse.
pub fn broken_visibility(text: &str, range: Range<usize>) -> Visibility {
    let mut visibility = Visibility::none();
    let mut start = range.start;
    for line in text.get(range).unwrap_or_default().split_inclusive('\n') {
        for key in keys(line) {
            visibility.reveal((start + key.start) as u32..(start + key.end) as u32);
        }
        start += line.len();
    }
    visibility.finish();
    visibility
}

/// The names of known fields in a line that stand where keys stand and are followed by `:`.
fn keys(line: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    line.match_indices(':').filter_map(|(colon, _)| {
        let (before, after) = (line.get(..colon)?, line.get(colon + 1..)?);
        let quoted = before.ends_with(['"', '\'']);
        // JSON needs no space after the colon.
        if !(quoted || after.is_empty() || after.starts_with([' ', '\t', '\r', '\n'])) {
            return None;
        }
        let end = if quoted { colon - 1 } else { colon };
        let word = before.get(..end)?;
        let start = word.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let ahead = word.get(..start)?;
        let ahead = if quoted { ahead.strip_suffix(['"', '\''])? } else { ahead };
        let stands = ahead.trim_end_matches([' ', '\t']);
        let as_key = stands.is_empty() || stands.ends_with(['{', ',', '[', '-', '?']);
        (as_key && is_field(word.get(start..)?)).then_some(start..end)
    })
}

fn is_field(word: &str) -> bool {
    FRAMES.contains(&word) || allow::is_field(word)
}

#[cfg(test)]
mod tests {
    use super::{FRAMES, keys};

    #[test]
    fn known_fields_are_shown_where_keys_stand() {
        let table: [(&str, &[&str]); 10] = [
            ("  - ports: [{port: \"80}]", &["ports", "port"]),
            ("\tname: hunter2", &["name"]),
            ("spec:", &["spec"]),
            ("{\"spec\":{\"ports\": [", &["spec", "ports"]),
            ("hunter2: name", &[]),
            ("password: x", &[]),
            ("  a name: x", &[]),
            ("url: http://name:port", &[]),
            ("a: \"name: x", &[]),
            ("é name: ü, port: 1", &["port"]),
        ];
        for (line, expected) in table {
            let found: Vec<&str> = keys(line).filter_map(|range| line.get(range)).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn frames_are_sorted() {
        assert!(FRAMES.is_sorted());
    }
}
