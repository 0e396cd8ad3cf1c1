//! SARIF 2.1.0, for code scanning services and editors.
//!
//! Open threats are results of kind `fail`; those that a control answers are of kind `pass`, so that a viewer can show
//! what is in place. A result is recognised again by the identity of its threat, not by its line.

mod log;
mod results;
mod rules;
mod uri;

use std::io;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Format, Report};
use log::{Driver, Invocation, Tool};
use rules::Rules;

/// The address that names the schema; it is never fetched.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// SARIF 2.1.0.
#[derive(Debug)]
pub(crate) struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn ending(&self) -> &'static str {
        ".sarif"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let rules = Rules::of(report);
        serde_json::to_writer(&mut *out, &Log { report, rules: &rules })?;
        out.write_all(b"\n")
    }
}

struct Log<'r, 'a> {
    report: &'r Report<'a>,
    rules: &'r Rules,
}

struct Run<'r, 'a>(&'r Log<'r, 'a>);

struct Results<'r, 'a>(&'r Log<'r, 'a>);

impl Serialize for Log<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Log", 3)?;
        out.serialize_field("$schema", SCHEMA)?;
        out.serialize_field("version", "2.1.0")?;
        out.serialize_field("runs", &[Run(self)])?;
        out.end()
    }
}

impl Serialize for Run<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Log { report, rules } = self.0;
        let driver = Driver { name: "kubestride", semantic_version: report.version, rules: rules.descriptors(report) };
        let notifications = report.diagnostics.iter().map(|d| results::notification(report, d)).collect();
        let invocation = Invocation { execution_successful: true, tool_execution_notifications: notifications };
        let mut out = serializer.serialize_struct("Run", 4)?;
        out.serialize_field("tool", &Tool { driver })?;
        out.serialize_field("invocations", &[invocation])?;
        out.serialize_field("columnKind", "unicodeCodePoints")?;
        out.serialize_field("results", &Results(self.0))?;
        out.end()
    }
}

impl Serialize for Results<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Log { report, rules } = self.0;
        let threats = report.analysis.threats.iter();
        serializer.collect_seq(threats.filter_map(|threat| results::result(report, rules, threat)))
    }
}
