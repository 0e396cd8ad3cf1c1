//! Real inputs from strangers: every folder that holds manifests is analysed, in time, to the same bytes every time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kubestride_conformance::{corpus, kubestride, say};
use serde_json::Value;

/// A run of the whole corpus takes seconds; this is for slow machines. What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

const OUTPUTS: [&str; 7] =
    ["threats.json", "threats.sarif", "threats.csv", "report.md", "report.html", "diagram.svg", "flows.tsv"];

/// Every n-th folder is analysed three times and compared.
const SAMPLE: usize = 10;

/// What a run wrote, by name of the output.
type Written = BTreeMap<&'static str, Vec<u8>>;

/// Analyses one folder into all formats. None: the input was refused with a message.
fn analyze(input: &Path, threads: usize) -> Result<Option<Written>, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut arguments: Vec<OsString> = vec!["analyze".into(), input.into(), "--date".into(), "2026-01-01".into()];
    for output in OUTPUTS {
        arguments.extend(["-o".into(), folder.path().join(output).into()]);
    }
    let run = kubestride(arguments, threads, LIMIT)?;
    match run.status {
        Some(0) => {}
        Some(2) if run.messages.contains("error") => return Ok(None),
        Some(2) => return Err("exit status 2 without a message".to_owned()),
        other => return Err(format!("exit status {other:?}: {}", run.messages)),
    }
    let mut written = Written::new();
    for output in OUTPUTS {
        let bytes = fs::read(folder.path().join(output)).map_err(|e| format!("{output}: {e}"))?;
        sound(output, &bytes).map_err(|e| format!("{output}: {e}"))?;
        written.insert(output, bytes);
    }
    Ok(Some(written))
}

/// Whether an output is what its ending says, from beginning to end.
fn sound(output: &str, bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let whole = match output.rsplit('.').next() {
        Some("json" | "sarif") => serde_json::from_str::<Value>(text).map_err(|e| e.to_string())?.is_object(),
        Some("html") => {
            text.get(..15).is_some_and(|t| t.eq_ignore_ascii_case("<!doctype html>"))
                && text.trim_end().ends_with("</html>")
        }
        Some("svg") => text.contains("<svg") && text.trim_end().ends_with("</svg>"),
        Some("tsv") => text.starts_with("source\ttarget\tport\tkind\tconfidence\n"),
        Some("md") => text.starts_with("# "),
        _ => text.lines().next().is_some_and(|header| header.contains(',')),
    };
    if whole { Ok(()) } else { Err("it is not whole".to_owned()) }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut entries: Vec<PathBuf> = read.map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    entries
}

/// All folders below (and with) this one in which files of manifests lie.
fn with_manifests(folder: &Path, out: &mut Vec<PathBuf>) {
    let entries = entries(folder);
    let manifest = |p: &PathBuf| p.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
    if entries.iter().any(manifest) {
        out.push(folder.to_owned());
    }
    for entry in entries.iter().filter(|e| e.is_dir()) {
        with_manifests(entry, out);
    }
}

/// The folders that are analysed, each on its own.
fn inputs() -> Option<Vec<PathBuf>> {
    let corpus_root = corpus("corpus", "real inputs")?;
    let truth = corpus("truth", "real inputs")?;
    let mut inputs = Vec::new();
    for part in ["kubeflow", "attack-edges"] {
        inputs.push(corpus_root.join(part));
    }
    inputs.extend(entries(&corpus_root.join("netpol")).into_iter().filter(|p| p.is_dir()));
    with_manifests(&corpus_root.join("pod-security"), &mut inputs);
    with_manifests(&corpus_root.join("bad-pods"), &mut inputs);
    inputs.push(corpus_root.join("bad-pods"));
    inputs.extend(entries(&truth).into_iter().map(|p| p.join("manifests")).filter(|p| p.is_dir()));
    assert!(inputs.len() > 150, "only {} folders with manifests were found", inputs.len());
    Some(inputs)
}

#[test]
fn every_folder_is_analysed() {
    let Some(inputs) = inputs() else { return };
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let first = match analyze(input, 4) {
            Ok(Some(written)) => written,
            Ok(None) => {
                refused.push(input.display().to_string());
                continue;
            }
            Err(message) => {
                wrong.push(format!("{}: {message}", input.display()));
                continue;
            }
        };
        if number % SAMPLE != 0 {
            continue;
        }
        for (threads, what) in [(1, "one thread"), (4, "a second run")] {
            match analyze(input, threads) {
                Ok(Some(again)) => {
                    let differ: Vec<_> = first.keys().filter(|name| first.get(*name) != again.get(*name)).collect();
                    if !differ.is_empty() {
                        wrong.push(format!("{}: {what} gives other bytes in {differ:?}", input.display()));
                    }
                }
                other => wrong.push(format!("{}: {what} gives {other:?}", input.display())),
            }
        }
    }
    say(&format!("{} folders analysed, {} refused: {refused:?}", inputs.len(), refused.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // All of them hold objects of Kubernetes.
    assert!(refused.is_empty(), "refused: {refused:?}");
}

/// The open threats of an input: type and subject.
fn open_threats(input: &Path) -> BTreeSet<(String, String)> {
    let written = analyze(input, 0).unwrap_or_else(|e| panic!("{}: {e}", input.display()));
    let written = written.unwrap_or_else(|| panic!("{} was refused", input.display()));
    let analysis: Value = serde_json::from_slice(&written["threats.json"]).expect("JSON");
    let threats = analysis["threats"].as_array().expect("threats");
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    let open = threats.iter().filter(|t| t["state"] == "not-started");
    open.map(|t| (text(&t["type"]), text(&t["subject"]["id"]))).collect()
}

/// What must be said of each folder of bad pods: for every workload in it, one of these types of threat.
const ESCAPES: [(&str, &[&str]); 8] = [
    ("everything-allowed", &["privileged-container", "host-path-root", "host-pid", "host-network", "host-ipc"]),
    ("priv-and-hostpid", &["privileged-container", "host-pid"]),
    ("priv", &["privileged-container"]),
    ("hostpath", &["host-path-root"]),
    ("hostpid", &["host-pid"]),
    ("hostnetwork", &["host-network"]),
    ("hostipc", &["host-ipc"]),
    ("nothing-allowed", &[]),
];

#[test]
fn bad_pods_are_called_bad() {
    let Some(root) = corpus("corpus/bad-pods", "bad pods") else { return };
    let all: BTreeSet<&str> = ESCAPES.iter().flat_map(|(_, types)| types.iter().copied()).collect();
    let mut wrong = Vec::new();
    for (folder, expected) in ESCAPES {
        for kind in entries(&root.join(folder)).into_iter().filter(|p| p.is_dir()) {
            let threats = open_threats(&kind);
            let found: BTreeSet<&str> = threats.iter().map(|(t, _)| t.as_str()).filter(|t| all.contains(t)).collect();
            let wanted: BTreeSet<&str> = expected.iter().copied().collect();
            if found != wanted {
                let name = kind.strip_prefix(&root).unwrap_or(&kind).display().to_string();
                wrong.push(format!("{name}: expected {wanted:?}, found {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
