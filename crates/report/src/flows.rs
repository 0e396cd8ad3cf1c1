//! The flows as a table, to be compared with a list of flows that are known to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use kubestride_model::{Confidence, ElementKind, Flow, FlowKind, Model};

use crate::text::one_line;
use crate::{Format, Report};

/// Tab-separated: source, target, port, kind, confidence.
///
/// One row for each pair of parties and kind, with all the ports on which they meet and the best confidence. What every
/// workload has (name resolution, probes, image pulls) is left out, and so are people who may call the Kubernetes API.
#[derive(Debug)]
pub(crate) struct FlowsTsv;

/// What is known of the flows of one kind between two parties.
#[derive(Debug)]
struct Row {
    ports: BTreeSet<u16>,
    confidence: Confidence,
}

impl Format for FlowsTsv {
    fn name(&self) -> &'static str {
        "flows.tsv"
    }

    fn ending(&self) -> &'static str {
        "flows.tsv"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "source\ttarget\tport\tkind\tconfidence")?;
        for ((source, target, kind), row) in rows(report) {
            let ports: Vec<String> = row.ports.iter().map(u16::to_string).collect();
            let (source, target) = (end(source), end(target));
            writeln!(out, "{source}\t{target}\t{}\t{kind}\t{}", ports.join("|"), row.confidence.as_str())?;
        }
        Ok(())
    }
}

/// The identity of one end. A Service that nothing in the input stands behind is a host somewhere else.
fn end(identity: &str) -> String {
    match identity.strip_prefix("Service/").and_then(|rest| rest.split_once('/')) {
        Some((_, name)) => one_line(&format!("external/{name}")),
        None => one_line(identity),
    }
}

fn rows<'a>(report: &Report<'a>) -> BTreeMap<(&'a str, &'a str, &'static str), Row> {
    let model = report.model;
    let mut rows: BTreeMap<(&str, &str, &'static str), Row> = BTreeMap::new();
    for (_, flow) in model.flows() {
        if !listed(model, flow) {
            continue;
        }
        let end = |id| model.text(model.element(id).identity);
        let key = (end(flow.source), end(flow.target), flow.kind.as_str());
        let row = rows.entry(key).or_insert(Row { ports: BTreeSet::new(), confidence: flow.confidence });
        row.ports.extend(flow.port);
        row.confidence = row.confidence.max(flow.confidence);
    }
    rows
}

fn listed(model: &Model, flow: &Flow) -> bool {
    match flow.kind {
        FlowKind::Traffic | FlowKind::Exposure | FlowKind::Store => !flow.implicit,
        FlowKind::Api => !flow.implicit && model.element(flow.source).kind == ElementKind::Process,
        FlowKind::Supply | FlowKind::Dns | FlowKind::Probe => false,
    }
}
