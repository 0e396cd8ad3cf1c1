//! Flows from workload to workload, a line each, as `score.py`-like tools read them.

use std::collections::BTreeMap;
use std::io;

use kubestride_model::{Confidence, ElementKind, FlowKind, SubjectRef};

use crate::{Format, Report};

/// `flows.tsv`: source, target, port, kind, confidence.
#[derive(Debug)]
pub(crate) struct FlowsTsv;

/// What a cell may not hold.
fn cell(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// The identity of one end. A Service that nothing in the input answers for is a host somewhere else.
fn end(identity: &str) -> String {
    let parts: Vec<&str> = identity.split('/').collect();
    match parts.as_slice() {
        ["Service", _, name] => format!("external/{name}"),
        _ => cell(identity),
    }
}

impl Format for FlowsTsv {
    fn name(&self) -> &'static str {
        "flows.tsv"
    }

    fn ending(&self) -> &'static str {
        "flows.tsv"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let model = report.model;
        let listed = [FlowKind::Traffic, FlowKind::Exposure, FlowKind::Store, FlowKind::Api];
        let mut rows: BTreeMap<(String, String, FlowKind), (Vec<u16>, Confidence)> = BTreeMap::new();
        let end = |id| end(model.identity_of(SubjectRef::Element(id)));
        // People and groups call the API, too, but are no workloads.
        let person = |id| model.element(id).kind == ElementKind::External;
        let flows = model.flows().filter(|(_, f)| !f.implicit && listed.contains(&f.kind));
        for (_, flow) in flows.filter(|(_, f)| f.kind != FlowKind::Api || !person(f.source)) {
            let row = rows.entry((end(flow.source), end(flow.target), flow.kind)).or_insert((Vec::new(), flow.confidence));
            row.0.extend(flow.port);
            row.1 = row.1.max(flow.confidence);
        }
        writeln!(out, "source\ttarget\tport\tkind\tconfidence")?;
        for ((source, target, kind), (mut ports, confidence)) in rows {
            ports.sort_unstable();
            ports.dedup();
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            writeln!(out, "{source}\t{target}\t{}\t{}\t{}", ports.join("|"), kind.as_str(), confidence.as_str())?;
        }
        Ok(())
    }
}
