//! The command's arguments, outputs and exit statuses.

mod program;

use std::fs::File;
use std::process::{Command, Stdio};

use program::{Folder, POD};

#[test]
fn all_outputs_at_once() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let names = ["r.html", "r.md", "r.json", "r.sarif", "r.csv", "r.svg", "r.mmd", "r.dot", "flows.tsv"];
    let mut arguments = vec!["analyze", "a.yaml"];
    for name in names {
        arguments.extend(["-o", name]);
    }
    let run = folder.run(&arguments);
    assert_eq!(run.status, 0, "{run:?}");
    let starts = [
        "<!doctype html>",
        "# ",
        "{",
        "{",
        "Id,",
        "<svg ",
        "flowchart ",
        "digraph ",
        "source\ttarget\tport\tkind\tconfidence\n",
    ];
    for (name, start) in names.iter().zip(starts) {
        let text = folder.read(name);
        assert!(text.to_lowercase().starts_with(&start.to_lowercase()), "{name}: {}", &text[..60]);
    }
}

#[test]
fn a_picture_of_one_service() {
    let two = format!("{POD}---\n{}", POD.replace("good", "other"));
    let folder = Folder::new(&[("a.yaml", two.as_bytes())]);
    for name in ["good", "Pod/default/good"] {
        let run = folder.run(&["analyze", "a.yaml", "--format", "mermaid", "--focus", name]);
        assert_eq!(run.status, 0, "{run:?}");
        assert!(run.out.contains("good") && !run.out.contains("other"), "{run:?}");
    }
    let run = folder.run(&["analyze", "a.yaml", "--focus", "nobody"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("nothing in this input is called nobody"), "{run:?}");
    let run = folder.run(&["analyze", "a.yaml", "-o", "r.png"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(std::fs::read(folder.path().join("r.png")).expect("a picture").starts_with(b"\x89PNG"));
}

#[test]
fn an_output_with_an_unknown_ending() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "-o", "r.docx"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("r.docx") && run.err.contains(".html"), "{run:?}");
    assert!(!folder.path().join("r.docx").exists());
}

#[test]
fn an_output_that_cannot_be_written() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "-o", "no/such/folder/r.html"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("no/such/folder/r.html"), "{run:?}");
}

#[test]
fn a_format_on_standard_output_is_all_there_is() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "--format", "json", "--date", "2026-01-31"]);
    assert_eq!(run.status, 0, "{run:?}");
    let analysis: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(analysis["schema"], "kubestride/analysis/v1");
    assert!(run.out.contains("2026-01-31"));
}

#[test]
fn standard_input() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let file = File::open(folder.path().join("a.yaml")).expect("the file");
    let run = folder.run_with(&["analyze", "-", "--format", "json"], Stdio::from(file));
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("privileged-container@Pod/default/good#c"), "{run:?}");
}

#[test]
fn namespace_of_objects_that_name_none() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "--namespace", "shop", "--format", "json"]);
    assert!(run.out.contains("privileged-container@Pod/shop/good#c"), "{run:?}");
}

#[test]
fn arguments_that_are_wrong() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    for (arguments, message) in [
        (&["analyze"][..], "<PATH>"),
        (&["analyse", "a.yaml"], "analyze"),
        (&["analyze", "a.yaml", "--scope", "all"], "fragment"),
        (&["analyze", "a.yaml", "--date", "31.1.2026"], "YYYY-MM-DD"),
        (&["analyze", "a.yaml", "--date", "2026-02-30"], "2026-02-30"),
        (&["analyze", "a.yaml", "--format", "pdf"], "sarif"),
        (&["analyze", "a.yaml", "--namespace", "Not/A/Name"], "Not/A/Name"),
        (&["connections", "a.yaml", "--namespace", "Not/A/Name"], "Not/A/Name"),
        (&["convert", "a.yaml", "a.tm7", "--namespace", "Not/A/Name"], "Not/A/Name"),
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.status, 2, "{arguments:?} {run:?}");
        assert!(run.err.contains(message), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let folder = Folder::new(&[("a.yaml", POD.as_bytes())]);
    let script = "\"$0\" analyze a.yaml --format html; echo $? >&2";
    let mut shell = Command::new("bash");
    shell.args([
        "-c",
        &format!("set -o pipefail; ({script}) | head -c 1 >/dev/null"),
        env!("CARGO_BIN_EXE_kubestride"),
    ]);
    let output = shell.current_dir(folder.path()).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "0");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = Folder::new(&[("in/a.yaml", POD.as_bytes()), ("in/b.yaml", POD.replace("good", "b").as_bytes())]);
    let out = |format| folder.run(&["analyze", "in", "--format", format, "--date", "2026-01-31"]).out;
    for format in ["html", "json", "sarif", "csv", "md", "svg", "flows.tsv"] {
        assert_eq!(out(format), out(format), "{format}");
    }
}

/// A Prometheus and an Alertmanager of one name, each with a Service on the nodes.
const NAMESAKES: &str = "apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: { name: example }
spec: { alerting: { alertmanagers: [{ name: alerts, port: 9093 }] } }
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: { name: example }
---
apiVersion: v1
kind: Service
metadata: { name: alerts }
spec: { type: NodePort, selector: { alertmanager: example }, ports: [{ port: 9093 }] }
---
apiVersion: v1
kind: Service
metadata: { name: metrics }
spec: { type: NodePort, selector: { prometheus: example }, ports: [{ port: 9090 }] }
";

#[test]
fn elements_of_one_name_are_told_apart() {
    let folder = Folder::new(&[("a.yaml", NAMESAKES.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "-o", "out.csv"]);
    assert!(run.out.contains("Internet → Alertmanager example, Internet → Prometheus example\n"), "{}", run.out);
    let threats = folder.read("out.csv");
    for title in [
        "The monitoring data of Prometheus example can be reached from outside",
        "The monitoring data of Alertmanager example can be reached from outside",
        "Prometheus example talks to Alertmanager example in clear text",
    ] {
        assert!(threats.contains(title), "{title}: {threats}");
    }
}

#[test]
fn ports_of_one_workload_are_told_apart() {
    let text = format!(
        "{}---
apiVersion: v1
kind: Service
metadata: {{ name: mail }}
spec: {{ type: NodePort, selector: {{ app: mail }}, ports: [{{ name: a, port: 25 }}, {{ name: b, port: 143 }}] }}
",
        POD.replace("name: good", "name: mail, labels: { app: mail }")
    );
    let folder = Folder::new(&[("a.yaml", text.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "-o", "out.csv"]);
    assert!(run.out.contains("2 × node-port-exposure\n"), "{}", run.out);
    assert!(run.out.contains("Internet → mail:143, Internet → mail:25\n"), "{}", run.out);
    let threats = folder.read("out.csv");
    for port in [25, 143] {
        let title = format!("mail listens on a port of every node (port {port} of Service mail)");
        assert!(threats.contains(&title), "{threats}");
    }
}
