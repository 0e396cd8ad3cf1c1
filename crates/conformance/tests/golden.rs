//! What the example gives, short enough to be read in a review: one line a threat.

use std::path::Path;
use std::process::Command;

use kubestride_conformance::binary;

#[test]
fn the_threats_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(binary());
    command.current_dir(root).args(["analyze", "examples/online-shop", "--format", "json", "--date", "2026-01-01"]);
    let output = command.output().expect("the command runs");
    let analysis: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the output is JSON");
    let threats = analysis["threats"].as_array().expect("threats");
    let line = |t: &serde_json::Value| {
        let text = |key: &str| t[key].as_str().unwrap_or("").to_owned();
        format!("{:<8} {:<11} {}", text("severity"), text("state"), text("id"))
    };
    insta::assert_snapshot!(threats.iter().map(line).collect::<Vec<_>>().join("\n"));
}
