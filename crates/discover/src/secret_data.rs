//! The entries of ConfigMaps and Secrets as texts. What is decoded here is looked at for addresses and never leaves.

use std::borrow::Cow;

use base64::Engine as _;
use kubestride_manifest::Object;
use kubestride_source::Span;
use kubestride_yaml::Value;

/// One entry.
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) text: Cow<'a, str>,
    /// The value in the source if the text stands there as it is, which it does not in `data` of a Secret.
    pub(crate) value: Option<Value<'a>>,
    pub(crate) span: Span,
}

/// All entries of a ConfigMap's `data` or a Secret's `stringData` and `data`.
pub(crate) fn entries(object: Object<'_>) -> Vec<Entry<'_>> {
    let secret = object.kind() == "Secret";
    let section = |name: &str| object.root().get(name);
    let plain = section(if secret { "stringData" } else { "data" });
    let mut out: Vec<Entry<'_>> = Vec::new();
    for entry in plain.into_iter().flat_map(|s| s.entries()) {
        let Some(text) = entry.value.scalar_text() else { continue };
        out.push(Entry { key: entry.key, text: text.into(), value: Some(entry.value), span: entry.value.span() });
    }
    let encoded = section("data").filter(|_| secret);
    for entry in encoded.into_iter().flat_map(|s| s.entries()) {
        // `stringData` wins over `data`, as the API server has it.
        if out.iter().any(|e| e.key == entry.key) {
            continue;
        }
        let compact: String = entry.value.scalar_text().unwrap_or("").split_whitespace().collect();
        let decoded = base64::engine::general_purpose::STANDARD.decode(compact).ok();
        if let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            out.push(Entry { key: entry.key, text: text.into(), value: None, span: entry.key_span });
        }
    }
    out
}
