//! Inferred flows against the true ones, by `score.py` beside the truth.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kubestride_conformance::{corpus, kubestride, say, workspace};
use serde_json::Value;

/// What must be reached: kind, recall, precision.
const BOUNDS: [(&str, f64, f64); 4] =
    [("traffic", 0.95, 0.90), ("exposure", 0.95, 0.95), ("store", 0.95, 0.95), ("api", 0.95, 0.95)];

const LIMIT: Duration = Duration::from_secs(120);

/// Scores the flows of some manifests; says what is below the bounds.
fn score(name: &str, script: &Path, manifests: &Path, truth: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let flows = folder.path().join("flows.tsv");
    let run = kubestride(["analyze".as_ref(), manifests.as_os_str(), "-o".as_ref(), flows.as_os_str()], 0, LIMIT);
    let run = run.unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(run.status, Some(0), "{name}: {}", run.messages);
    assert!(!run.messages.contains("error["), "{name} is not analysed without an error: {}", run.messages);
    let mut python = Command::new("python3");
    python.args([script, truth, &flows]).arg("--json");
    let output = python.output().unwrap_or_else(|e| panic!("score.py needs python3, which does not start: {e}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "score.py failed for {name}: {said}");
    // A Service without a workload in the input is an end of a flow; anything else that is warned of is a mistake.
    let odd: Vec<&str> = said.lines().filter(|line| !line.contains("is a Service; collapse it")).collect();
    assert!(odd.is_empty(), "{name}: {odd:?}");
    let result: Value = serde_json::from_slice(&output.stdout).expect("score.py gives JSON");
    let mut below = Vec::new();
    let mut table = format!("{name}\n");
    for (kind, recall, precision) in BOUNDS {
        let of = &result[kind];
        let ratio = |key: &str| of[key].as_f64();
        let count = |key: &str| of[key].as_u64().unwrap_or_default();
        let shown = |r: Option<f64>| r.map_or("    -".to_owned(), |r| format!("{r:5.3}"));
        let (right, found) = (ratio("precision"), ratio("recall"));
        let (wanted, predicted) = (count("truth_determinable"), count("predicted"));
        let _ = writeln!(
            table,
            "  {kind:<9} truth {wanted:>3} predicted {predicted:>3}  recall {} precision {}",
            shown(found),
            shown(right)
        );
        // Nothing to be found is no reason to fail; nothing predicted where something is to be found has recall 0.
        if found.is_some_and(|r| r < recall) || right.is_some_and(|p| p < precision) {
            let list = |key: &str| {
                let edges = of[key].as_array().cloned().unwrap_or_default();
                let edge = |e: &Value| format!("{} -> {}", e[0].as_str().unwrap_or(""), e[1].as_str().unwrap_or(""));
                edges.iter().map(edge).collect::<Vec<_>>().join("\n      ")
            };
            below.push(format!(
                "{name}, {kind}: recall {} of at least {recall}, precision {} of at least {precision}\n    missing\n      {}\n    extra\n      {}",
                shown(found), shown(right), list("missing"), list("extra")
            ));
        }
    }
    say(table.trim_end());
    below
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap_or_else(|e| panic!("{}: {e}", root.display()));
    let mut folders: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn flows_of_known_applications_are_found() {
    let Some(root) = corpus("truth", "flows of known applications") else { return };
    let applications = folders(&root);
    assert!(applications.len() >= 5, "{} holds {} applications", root.display(), applications.len());
    let mut below = Vec::new();
    for application in applications {
        let name = application.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (manifests, truth) = (application.join("manifests"), application.join("truth.tsv"));
        below.extend(score(&name, &root.join("score.py"), &manifests, &truth));
    }
    assert!(below.is_empty(), "{}", below.join("\n"));
}

#[test]
fn flows_of_the_example_are_found() {
    let Some(root) = corpus("truth", "flows of the example") else { return };
    let example = workspace().join("examples/online-shop");
    let below = score("online-shop", &root.join("score.py"), &example, &example.join("expected-flows.tsv"));
    assert!(below.is_empty(), "{}", below.join("\n"));
}
