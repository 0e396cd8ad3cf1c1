//! Allowed connections against those that a public analyser prints for the same manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;

use kubestride_conformance::{corpus, say};
use kubestride_policy::connections::Connections;

/// A connection with its ends split so that ranges of addresses can be compared.
type Line = (String, String, String);

/// The lines `source => target : ports` of a text.
fn lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let (source, rest) = line.trim().split_once(" => ")?;
        let (target, ports) = rest.rsplit_once(" : ")?;
        Some((source.to_owned(), target.to_owned(), ports.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// First and last address of an end that is a range.
fn range(end: &str) -> Option<(u64, u64)> {
    let (first, last) = end.strip_suffix("[External]")?.split_once('-')?;
    let number = |text: &str| text.parse::<Ipv4Addr>().ok().map(|a| u64::from(u32::from(a)));
    Some((number(first)?, number(last)?))
}

/// Lines with ranges cut at all places where one of both sides has a border.
fn split(lines: &[Line], borders: &BTreeSet<u64>) -> BTreeSet<Line> {
    let parts = |end: &str| match range(end) {
        None => vec![end.to_owned()],
        Some((first, last)) => {
            let starts = std::iter::once(first).chain(borders.range(first..=last).copied().filter(|b| *b != first));
            starts.map(|start| format!("external from {start}")).collect()
        }
    };
    let each = |(source, target, ports): &Line| {
        let pairs = parts(source).into_iter().flat_map(|s| parts(target).into_iter().map(move |t| (s.clone(), t)));
        pairs.map(|(s, t)| (s, t, ports.clone())).collect::<Vec<_>>()
    };
    lines.iter().flat_map(each).collect()
}

/// Our lines for a folder of manifests, and the codes of our messages.
fn ours(folder: &Path) -> (String, BTreeMap<&'static str, usize>) {
    let loaded = kubestride_input::load(&[folder.to_path_buf()], &kubestride_input::Options::default());
    let connections = Connections::read(&loaded.manifests, "default");
    let text = connections.allowed().iter().map(|c| format!("{c}\n")).collect();
    let mut codes = BTreeMap::new();
    connections.diagnostics().iter().for_each(|d| *codes.entry(d.code).or_default() += 1);
    (text, codes)
}

#[test]
fn connections_are_those_of_the_corpus() {
    let Some(cases) = corpus("corpus/netpol", "connections") else { return };
    let mut folders: Vec<_> =
        std::fs::read_dir(cases).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    folders.sort();
    let (mut equal, mut partly) = (0, Vec::new());
    for folder in &folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let expected = std::fs::read_to_string(folder.join("expected.txt")).expect("expected.txt");
        let (text, codes) = ours(&folder.join("manifests"));
        let (expected, own) = (lines(&expected), lines(&text));
        let ends = expected.iter().chain(&own).flat_map(|(s, t, _)| [s, t]).filter_map(|end| range(end));
        let borders = ends.flat_map(|(first, last)| [first, last + 1]).collect();
        let (expected, own) = (split(&expected, &borders), split(&own, &borders));
        let wrong: Vec<&Line> = own.difference(&expected).take(5).collect();
        assert_eq!(wrong, Vec::<&Line>::new(), "{name} has connections that are not allowed");
        if expected == own {
            equal += 1;
            continue;
        }
        let missing: Vec<&Line> = expected.difference(&own).take(5).collect();
        let said = codes.get("other-network").is_some_and(|count| *count > 0);
        assert!(said, "{name} lacks connections, and no message says so: {missing:?}");
        partly.push(name);
    }
    say(&format!("connections: {equal} of {} cases equal; secondary networks: {}", folders.len(), partly.join(", ")));
    assert!(equal >= 71, "{equal} cases are equal");
}
