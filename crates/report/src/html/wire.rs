//! A flow in a few words.

use kubestride_model::{Confidence, FlowId};

use super::data::clean;
use crate::Report;

/// `HTTP 8080`.
pub(crate) fn plain(report: &Report<'_>, id: FlowId) -> String {
    let flow = report.model.flow(id);
    let protocol = Some(clean(report.model.text(flow.protocol))).filter(|p| p != "-");
    protocol.into_iter().chain(flow.port.map(|p| p.to_string())).collect::<Vec<_>>().join(" ")
}

/// `HTTP 8080`, and how sure it is where it is not certain.
pub(crate) fn wire(report: &Report<'_>, id: FlowId) -> String {
    let words = plain(report, id);
    match report.model.flow(id).confidence {
        Confidence::Certain => words,
        unsure if words.is_empty() => unsure.as_str().to_owned(),
        unsure => format!("{words}, {}", unsure.as_str()),
    }
}
