//! Everything, for programs: the contract is `schemas/kubestride-analysis-v1.schema.json`.
//!
//! Fields are only ever added. Nothing is collected before it is written: each item is made while it is serialised, so
//! that the size of the output does not decide about memory.

mod layout;
mod model;
mod parts;
mod summary;
mod threats;

use std::io;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Format, Report};
use layout::Lines;
pub(crate) use parts::Each;

/// The name of the contract.
pub(crate) const SCHEMA: &str = "kubestride/analysis/v1";

/// JSON with one item on each line.
#[derive(Debug)]
pub(crate) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn ending(&self) -> &'static str {
        ".json"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
        Document(report).serialize(&mut serializer)?;
        out.write_all(b"\n")
    }
}

struct Document<'r, 'a>(&'r Report<'a>);

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    kind: &'a str,
    files: usize,
    documents: usize,
    objects: usize,
}

impl Serialize for Document<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let inputs = || {
            report.inputs.iter().map(|i| Input {
                name: &i.name,
                kind: &i.kind,
                files: i.files,
                documents: i.documents,
                objects: i.objects,
            })
        };
        let mut out = serializer.serialize_struct("Analysis", 10)?;
        out.serialize_field("schema", SCHEMA)?;
        out.serialize_field("tool", &Tool { name: "kubestride", version: report.version })?;
        out.serialize_field("scope", report.scope)?;
        out.serialize_field("date", report.date)?;
        out.serialize_field("inputs", &Each(inputs))?;
        out.serialize_field("summary", &summary::Numbers::of(report))?;
        out.serialize_field("model", &model::Diagram(report))?;
        out.serialize_field("threats", &Each(|| threats::threats(report)))?;
        out.serialize_field("undetermined", &Each(|| threats::undetermined(report)))?;
        out.serialize_field("diagnostics", &Each(|| threats::diagnostics(report)))?;
        out.end()
    }
}
