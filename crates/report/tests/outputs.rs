//! What the formats for people and trackers say about the small application.

mod common;

use common::{Fixture, HOSTILE};
use serde_json::Value;

fn json(format: &str) -> Value {
    serde_json::from_str(&Fixture::new().write(format)).expect("the output is JSON")
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).expect("there is such a list")
}

fn find<'v>(items: &'v [Value], id: &str) -> &'v Value {
    items.iter().find(|item| item["id"] == id).expect("there is such an item")
}

/// The cells of RFC 4180 text, read without the writer's help.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => rows.last_mut().expect("there is a row").push(String::new()),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                rows.push(vec![String::new()]);
            }
            c => cell.push(c),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line ends like the others");
    rows
}

#[test]
fn flows_are_collapsed() {
    let expected = "source\ttarget\tport\tkind\tconfidence\n\
        Deployment/shop/web\tDeployment/shop/cache\t6379\ttraffic\tlikely\n\
        Deployment/shop/web\tSecret/shop/login\t\tstore\tcertain\n\
        Deployment/shop/web\tStatefulSet/shop/db\t5432|5433\ttraffic\tlikely\n\
        external/internet\tDeployment/shop/web\t\texposure\tlikely\n";
    assert_eq!(Fixture::new().write("flows.tsv"), expected);
}

#[test]
fn csv_has_the_columns_of_the_modeling_tool() {
    let text = Fixture::new().write("csv");
    let header =
        "Id,Title,Category,Diagram,Interaction,Priority,State,Changed By,Description,Justification,Last Modified\r\n";
    assert!(text.starts_with(header));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let rows = cells(&text);
    assert!(rows.len() > 3);
    for row in &rows {
        assert_eq!(row.len(), 11, "{row:?}");
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
    let titles: Vec<&str> = rows.iter().filter_map(|row| row.get(1)).map(String::as_str).collect();
    assert!(titles.iter().any(|t| t.starts_with("'=cmd|'x'!A1\",<")), "{titles:#?}");
    let mitigated = rows.iter().find(|row| row.get(6).is_some_and(|s| s == "Mitigated")).expect("one is mitigated");
    assert_eq!(mitigated.get(9).map(String::as_str), Some("mitigates: mutual TLS (deploy/my shop.yaml:3:1)"));
}

#[test]
fn json_gives_places_in_code_points() {
    let json = json("json");
    let secret = find(list(&json, "/model/elements"), "Secret/shop/login");
    let place = &secret["evidence"][0];
    assert_eq!(place["file"], "deploy/my shop.yaml");
    assert_eq!((&place["line"], &place["column"]), (&Value::from(4), &Value::from(14)));
    assert_eq!((&place["endLine"], &place["endColumn"]), (&Value::from(4), &Value::from(23)));
    let internet = find(list(&json, "/model/elements"), "external/internet");
    assert_eq!(internet["evidence"][0]["file"], Value::Null);
}

#[test]
fn json_tells_what_is_mitigated_and_by_what() {
    let json = json("json");
    let threats = list(&json, "/threats");
    let open = "cleartext-traffic@Deployment/shop/web->StatefulSet/shop/db:traffic:TCP/5432";
    let open = find(threats, open);
    assert_eq!((&open["state"], &open["decided"]), (&Value::from("not-started"), &Value::Null));
    assert_eq!(open["source"], "Deployment/shop/web");
    assert_eq!(open["target"], "StatefulSet/shop/db");
    assert_eq!(open["category"], "Information Disclosure");
    let answered = "cleartext-traffic@Deployment/shop/web->Deployment/shop/cache:traffic:TCP/6379";
    let answered = find(threats, answered);
    assert_eq!(answered["state"], "mitigated");
    assert_eq!(answered["controls"][0]["name"], "mutual TLS");
    assert_eq!(answered["mitigations"][1]["inPlace"], true);
    assert!(list(&json, "/undetermined").iter().any(|q| q["attribute"] == "auditLogging"));
    let sum: u64 = json["summary"]["states"].as_object().expect("states").values().filter_map(Value::as_u64).sum();
    assert_eq!(sum, threats.len() as u64);
}

#[test]
fn sarif_results_point_at_their_rule_and_place() {
    let sarif = json("sarif");
    let rules = list(&sarif, "/runs/0/tool/driver/rules");
    for result in list(&sarif, "/runs/0/results") {
        let rule = result["ruleIndex"].as_u64().and_then(|i| rules.get(i as usize)).expect("the rule is there");
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["kind"] == "pass", result["level"] == "none");
        let message = result["message"]["text"].as_str().expect("a text");
        assert!(!message.contains("]("), "{message}");
    }
    let used: std::collections::BTreeSet<&str> =
        list(&sarif, "/runs/0/results").iter().filter_map(|r| r["ruleId"].as_str()).collect();
    assert_eq!(rules.len(), used.len());
    let location = &list(&sarif, "/runs/0/results")
        .iter()
        .find(|r| r["ruleId"] == "privileged-container")
        .expect("it fires")["locations"][0];
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "deploy/my%20shop.yaml");
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(location["physicalLocation"]["region"]["startColumn"], 25);
    assert_eq!(location["logicalLocations"][0]["kind"], "container");
    let fingerprints: Vec<&Value> =
        list(&sarif, "/runs/0/results").iter().map(|r| &r["partialFingerprints"]["kubestride/v1"]).collect();
    let mut distinct = fingerprints.clone();
    distinct.sort_by_key(|f| f.as_str());
    distinct.dedup();
    assert_eq!(distinct.len(), fingerprints.len());
}

#[test]
fn markdown_holds_no_markup_of_the_input() {
    let text = Fixture::new().write("md");
    for line in text.lines() {
        // What is escaped or code is text.
        let mut kept = line.split('\\');
        let first = kept.next().unwrap_or("").to_owned();
        let line = first + &kept.map(|part| part.chars().skip(1).collect()).collect::<Vec<String>>().join("");
        let outside: String = line.split('`').step_by(2).collect();
        for markup in ["<img", "<script", "</script", "@team", "](http", "https://", "[x]"] {
            assert!(!outside.contains(markup), "{markup} in {line}");
        }
    }
    assert!(!text.contains(HOSTILE));
    assert!(text.contains("**Incomplete:** 1 part of the input could not be read, see below."));
    assert!(text.contains("| Deployment/shop/web |"));
    assert!(text.contains("`deploy/my shop.yaml:1:25`"));
    assert!(text.contains("mutual TLS (mitigates): `deploy/my shop.yaml:3:1`"));
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in ["csv", "flows.tsv", "json", "md", "sarif"] {
        assert_eq!(Fixture::new().write(format), Fixture::new().write(format), "{format}");
    }
}

#[test]
fn formats_are_found_by_the_names_of_files() {
    let name = |path: &str| kubestride_report::by_path(std::path::Path::new(path)).map(|f| f.name());
    assert_eq!(name("out/threats.CSV"), Some("csv"));
    assert_eq!(name("flows.tsv"), Some("flows.tsv"));
    assert_eq!(name("a.sarif"), Some("sarif"));
    assert_eq!(name("a.txt"), None);
}
