//! The tables of published ids.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kubestride_conformance::corpus;
use kubestride_template::{Mapping, Scheme};

/// The ids that a mapping may name.
pub(crate) struct Tables {
    ids: BTreeMap<Scheme, BTreeSet<String>>,
}

impl Tables {
    /// None where the corpora are not there.
    pub(crate) fn load() -> Option<Self> {
        let folder = corpus("ids", "mappings of the catalogue")?;
        let ids = Scheme::ALL.into_iter().map(|scheme| (scheme, ids(&folder, scheme))).collect();
        Some(Self { ids })
    }

    pub(crate) fn check(&self, mappings: &[Mapping], wrong: &mut Vec<String>) {
        for mapping in mappings {
            let known = self.ids.get(&mapping.scheme);
            for id in mapping.ids.iter().filter(|id| !known.is_some_and(|k| k.contains(*id))) {
                wrong.push(format!("{id} is no id of {}", mapping.scheme.title()));
            }
        }
    }
}

fn ids(folder: &Path, scheme: Scheme) -> BTreeSet<String> {
    match scheme {
        Scheme::Attack => column(folder, "attack.tsv", "id", &[("status", "active")]),
        Scheme::ThreatMatrix => column(folder, "threat-matrix.tsv", "id", &[("kind", "technique")]),
        Scheme::OwaspK8s2025 => column(folder, "owasp-k8s.tsv", "id", &[("year", "2025")]),
        Scheme::Pss => column(folder, "pss.tsv", "level", &[]),
        Scheme::Cis112 => column(folder, "cis.tsv", "id", &[("benchmark", "cis-1.12"), ("kind", "check")]),
        Scheme::Nsa => column(folder, "nsa.tsv", "key", &[]),
    }
}

/// The cells of one column in the rows that hold these values.
fn column(folder: &Path, file: &str, name: &str, conditions: &[(&str, &str)]) -> BTreeSet<String> {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = rows.next().unwrap_or_default();
    let position = |name: &str| header.iter().position(|h| *h == name);
    let cell = |row: &[&str], name: &str| position(name).and_then(|at| row.get(at).map(|c| (*c).to_owned()));
    let found: BTreeSet<String> = rows
        .filter(|row| conditions.iter().all(|(name, value)| cell(row, name).as_deref() == Some(value)))
        .filter_map(|row| cell(&row, name))
        .collect();
    assert!(!found.is_empty(), "{} has no column {name} or no rows for {conditions:?}", path.display());
    found
}
