//! Same input, same bytes: whatever the number of threads, the run, or the order of the documents.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use kubestride_conformance::{kubestride, workspace};
use serde_json::Value;

const OUTPUTS: [&str; 10] = [
    "threats.json",
    "threats.sarif",
    "threats.csv",
    "report.md",
    "report.html",
    "diagram.svg",
    "diagram.png",
    "diagram.mmd",
    "diagram.dot",
    "flows.tsv",
];

fn analyze(input: &Path, threads: usize) -> Vec<(&'static str, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut arguments: Vec<OsString> = vec!["analyze".into(), input.into(), "--date".into(), "2026-01-01".into()];
    for output in OUTPUTS {
        arguments.extend(["-o".into(), folder.path().join(output).into()]);
    }
    let run = kubestride(arguments, threads, Duration::from_secs(120)).expect("it ends in time");
    assert_eq!(run.status, Some(0), "{}", run.messages);
    OUTPUTS.map(|name| (name, fs::read(folder.path().join(name)).expect("an output"))).into()
}

fn threats(outputs: &[(&'static str, Vec<u8>)]) -> BTreeSet<String> {
    let (_, json) = outputs.iter().find(|(name, _)| *name == "threats.json").expect("JSON");
    let analysis: Value = serde_json::from_slice(json).expect("JSON");
    let threats = analysis["threats"].as_array().expect("threats");
    threats.iter().map(|t| t["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn the_example_gives_the_same_bytes_every_time() {
    let example = workspace().join("examples/online-shop");
    let first = analyze(&example, 4);
    assert!(threats(&first).len() > 20, "the example has {} threats", threats(&first).len());
    for threads in [1, 2, 4, 4] {
        for ((name, before), (_, now)) in first.iter().zip(analyze(&example, threads)) {
            assert!(*before == now, "{name} differs with {threads} threads");
        }
    }
}

#[test]
fn the_order_of_documents_changes_no_threat() {
    let example = workspace().join("examples/online-shop");
    let first = threats(&analyze(&example, 0));
    let mut documents = Vec::new();
    collect(&example, &mut documents);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.yaml");
    for round in 0..2 {
        documents.reverse();
        documents.rotate_left(round * 7);
        fs::write(&path, documents.join("\n---\n")).expect("a file");
        assert_eq!(threats(&analyze(&path, 0)), first);
    }
}

/// The documents of all files below a folder.
fn collect(folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            let text = fs::read_to_string(&path).expect("a file");
            out.extend(text.split("\n---\n").map(str::to_owned));
        }
    }
}
