//! The shape of the house: which crate may use which, and how big a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubestride_conformance::workspace;
use serde_json::Value;

const MAX_LINES: usize = 700;

/// A crate by the name of its folder, and the crates that it may use; none for all.
type Table = BTreeMap<String, Option<BTreeSet<String>>>;

/// Reads the table `| crate | room | may use |`.
fn table(text: &str) -> Table {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|c| c.trim().replace('`', "")).collect()
    };
    let mut lines = text.lines().skip_while(|line| cells(line) != ["crate", "room", "may use"]).skip(2);
    let mut table = Table::new();
    for line in lines.by_ref().take_while(|line| line.starts_with('|')) {
        let cells = cells(line);
        let [name, _, uses] = cells.as_slice() else { panic!("not three cells: {line}") };
        let uses = match uses.as_str() {
            "all" => None,
            "–" => Some(BTreeSet::new()),
            list => Some(list.split(',').map(|c| c.trim().to_owned()).collect()),
        };
        let twice = table.insert(name.clone(), uses).is_some();
        assert!(!twice, "{name} is in the table twice");
    }
    table
}

/// What each crate of the workspace uses of the others, by folder. Dependencies of tests do not count, nor those of
/// build scripts.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(workspace());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let folder = |p: &Value| {
        let manifest = PathBuf::from(p["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().and_then(Path::file_name).expect("a folder");
        folder.to_string_lossy().into_owned()
    };
    let folders: BTreeMap<&str, String> =
        packages.iter().map(|p| (p["name"].as_str().expect("a name"), folder(p))).collect();
    let mut used = BTreeMap::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|d| d["kind"].is_null());
        let members = normal.filter_map(|d| folders.get(d["name"].as_str()?).cloned());
        used.insert(folder(package), members.collect());
    }
    used
}

/// What the table does not allow.
fn broken(table: &Table, used: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, uses) in used {
        let Some(allowed) = table.get(name) else {
            broken.push(format!("`{name}` is not in the table of ARCHITECTURE.md"));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        for other in uses.difference(allowed) {
            broken.push(format!("`{name}` uses `{other}`, which the table of ARCHITECTURE.md does not allow"));
        }
    }
    for name in table.keys().filter(|name| !used.contains_key(*name)) {
        broken.push(format!("`{name}` is in the table of ARCHITECTURE.md, but there is no such crate"));
    }
    broken
}

#[test]
fn crates_use_what_the_table_allows() {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let table = table(&text);
    assert!(!table.is_empty(), "ARCHITECTURE.md has no table `| crate | room | may use |`");
    assert!(broken(&table, &used()).is_empty(), "{:#?}", broken(&table, &used()));
}

#[test]
fn an_edge_that_is_not_in_the_table_is_found() {
    let table = table(
        "text\n\n| crate | room | may use |\n| --- | --- | --- |\n| `a` | x | – |\n| `b` | y | a |\n| `c` | z | all |\n| `e` | w | – |\n\nmore\n",
    );
    let uses = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let used: BTreeMap<String, BTreeSet<String>> =
        [("a", uses(&["b"])), ("b", uses(&["a"])), ("c", uses(&["a", "b"])), ("d", uses(&[]))]
            .map(|(name, uses)| (name.to_owned(), uses))
            .into();
    let found = broken(&table, &used);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("`a` uses `b`") && found[1].starts_with("`d` is not") && found[2].starts_with("`e` is in")
    );
}

#[test]
fn nothing_depends_on_the_conformance_tests() {
    let users: Vec<String> =
        used().into_iter().filter(|(_, uses)| uses.contains("conformance")).map(|(name, _)| name).collect();
    assert_eq!(users, Vec::<String>::new());
}

#[test]
fn files_are_short_and_named_for_what_they_are() {
    let mut files = Vec::new();
    walk(&workspace().join("crates"), &mut files);
    let sources: Vec<&PathBuf> = files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")).collect();
    assert!(sources.len() > 50, "only {} source files were found", sources.len());
    let mut wrong = Vec::new();
    for path in sources {
        let lines = fs::read_to_string(path).expect("a source file").lines().count();
        if lines >= MAX_LINES {
            wrong.push(format!("{} has {lines} lines; {MAX_LINES} are too many", path.display()));
        }
    }
    // Cargo's own convention for what several test programs share is `tests/common/mod.rs`.
    let says_nothing = |name: &str| matches!(name, "utils" | "util" | "common" | "helpers" | "helper" | "misc");
    for path in &files {
        let parts: Vec<String> = path.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        let shared = parts.windows(2).any(|w| w == ["tests", "common"]);
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = parts.iter().any(|p| says_nothing(p)) && !shared;
        if folder || (says_nothing(&stem) && !shared) {
            wrong.push(format!("{} has a name that says nothing", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, out);
        } else {
            out.push(path);
        }
    }
}
