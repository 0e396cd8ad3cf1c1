//! The JSON and SARIF outputs against their schemas.

mod common;

use std::path::{Path, PathBuf};

use common::Fixture;
use serde_json::Value;

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the schema is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

fn errors(schema: &Value, output: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("the schema is a schema");
    let output: Value = serde_json::from_str(output).expect("the output is JSON");
    validator.iter_errors(&output).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn json_is_as_published() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let schema = read(&root.join("schemas/kubestride-analysis-v1.schema.json"));
    assert_eq!(errors(&schema, &Fixture::new().write("json")), Vec::<String>::new());
}

/// Every object of the schema requires all fields it names but those that say they may be missing, and the output has
/// no field that the schema does not name: neither can change unnoticed.
#[test]
fn json_has_no_field_that_is_not_published() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut schema = read(&root.join("schemas/kubestride-analysis-v1.schema.json"));
    close(&mut schema);
    assert_eq!(errors(&schema, &Fixture::new().write("json")), Vec::<String>::new());
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn sarif_is_as_specified() {
    let Some(corpus) = std::env::var_os("KUBESTRIDE_CORPUS").filter(|v| !v.is_empty()) else {
        #[expect(clippy::print_stderr, reason = "whoever runs the tests should know that one did nothing")]
        {
            eprintln!("skipped: KUBESTRIDE_CORPUS is not set");
        }
        return;
    };
    let schema = read(&PathBuf::from(corpus).join("schemas/sarif/sarif-schema-2.1.0.json"));
    assert_eq!(errors(&schema, &Fixture::new().write("sarif")), Vec::<String>::new());
}
