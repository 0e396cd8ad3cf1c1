//! Threats as results, messages about the input as notifications.

use std::fmt::Write as _;

use kubestride_analysis::{Cited, Threat};
use kubestride_model::SubjectRef;
use kubestride_source::{Diagnostic, Location as Position};
use kubestride_template::ThreatType;
use sha2::{Digest, Sha256};

use super::log::{
    Descriptor, Fingerprints, Location, LogicalLocation, Message, Notification, PhysicalLocation, Region, ResultItem,
    ResultProperties,
};
use super::rules::{Rules, level};
use super::uri;
use crate::Report;
use crate::evidence::{locate, position};
use crate::summary::threat_id;
use crate::text::one_line;

/// One threat. Its location is the first piece of evidence that has a place; the others, and those of the controls that
/// are in place, are related locations.
pub(crate) fn result<'a>(report: &Report<'a>, rules: &Rules, threat: &Threat) -> Option<ResultItem<'a>> {
    let threat_type = report.types.get(threat.threat_type)?;
    let open = threat.state().is_open();
    let of_controls = threat.controls.iter().flat_map(|control| &control.evidence);
    let mut placed = threat.evidence.iter().chain(of_controls).filter_map(|cited| physical(report, cited));
    let first = placed.next();
    let related = placed.enumerate().map(|(number, (place, note))| Location {
        id: Some(number + 1),
        physical_location: Some(place),
        message: Some(Message { text: note }),
        ..Location::default()
    });
    let (place, note) = first.unzip();
    let location = Location {
        physical_location: place,
        logical_locations: vec![logical(report, threat.subject)],
        message: note.map(|text| Message { text }),
        ..Location::default()
    };
    Some(ResultItem {
        rule_id: &threat_type.id,
        rule_index: rules.index(threat.threat_type),
        kind: if open { "fail" } else { "pass" },
        // The specification allows no other level for what is no failure.
        level: if open { level(threat.rating.severity) } else { "none" },
        message: Message { text: message(report, threat_type, threat) },
        locations: [location],
        related_locations: related.collect(),
        partial_fingerprints: Fingerprints { threat: fingerprint(&threat_id(report, threat)) },
        properties: ResultProperties { severity: threat.rating.severity.as_str(), state: threat.state().as_str() },
    })
}

fn message(report: &Report<'_>, threat_type: &ThreatType, threat: &Threat) -> String {
    let title = threat.title(threat_type, report.model);
    let mut text = format!("{title}. {}", threat.why(threat_type, report.model));
    for applied in &threat.controls {
        if let Some(mitigation) = threat_type.mitigated_by.get(applied.mitigation) {
            text.push_str(&format!(" In place: {} ({}).", mitigation.control, applied.effect.as_str()));
        }
    }
    plain(&text)
}

/// A text without what the specification gives a meaning in messages: links and placeholders.
fn plain(text: &str) -> String {
    one_line(text).replace("](", "] (").replace('{', "{{").replace('}', "}}")
}

/// Half of a SHA-256: enough to tell threats apart, and it gives nothing away.
fn fingerprint(id: &str) -> String {
    let mut out = String::with_capacity(32);
    for byte in Sha256::digest(id.as_bytes()).iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn physical(report: &Report<'_>, cited: &Cited) -> Option<(PhysicalLocation, String)> {
    let (file, at) = position(report, cited.evidence.span)?;
    let located = locate(report, cited);
    let mut note = if located.note.is_empty() { located.origin.to_owned() } else { located.note };
    if let Some(template) = located.template {
        note = format!("{note} (rendered from {template})");
    }
    Some((place(file, at), plain(&note)))
}

fn place(file: &str, at: Position) -> PhysicalLocation {
    let Position { line, column, end_line, end_column } = at;
    let region = Region { start_line: line, start_column: column, end_line, end_column };
    PhysicalLocation { artifact_location: uri::of(file), region }
}

fn logical<'a>(report: &Report<'a>, subject: SubjectRef) -> LogicalLocation<'a> {
    LogicalLocation { fully_qualified_name: report.model.identity_of(subject), kind: subject.kind() }
}

/// One message about the input.
pub(crate) fn notification<'a>(report: &Report<'a>, diagnostic: &Diagnostic) -> Notification<'a> {
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!(": {help}"));
    let place = position(report, diagnostic.span).map(|(file, at)| place(file, at));
    let location = |place| Location { physical_location: Some(place), ..Location::default() };
    Notification {
        level: diagnostic.level.as_str(),
        descriptor: Descriptor { id: diagnostic.code },
        message: Message { text: plain(&format!("{}{help}", diagnostic.message)) },
        locations: place.map(location).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_stable() {
        assert_eq!(fingerprint("privileged-container@Pod/default/agent#agent"), "f8421c42306dce13a852a20ddcb2a2fd");
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        assert_eq!(plain("[here](http://example.org) {0}\n"), "[here] (http://example.org) {{0}} ");
    }
}
