//! The threat list with the columns of Microsoft's Threat Modeling Tool, for trackers that import those.

use std::io;

use kubestride_analysis::Threat;
use kubestride_model::SubjectRef;
use kubestride_template::ThreatType;

use crate::evidence::locate;
use crate::summary::short_name;
use crate::text::{flat, one_line};
use crate::{Format, Report};

const HEADER: &str =
    "Id,Title,Category,Diagram,Interaction,Priority,State,Changed By,Description,Justification,Last Modified";

/// How many places a description names; the other formats have all of them.
const PLACES: usize = 3;

/// Comma-separated, as Microsoft's tool exports it.
#[derive(Debug)]
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn ending(&self) -> &'static str {
        ".csv"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        write!(out, "{HEADER}\r\n")?;
        let inputs: Vec<&str> = report.inputs.iter().map(|i| i.name.as_str()).collect();
        let diagram = inputs.join(", ");
        if !report.drawn.is_empty() {
            return drawn(report, out);
        }
        for (number, threat) in report.analysis.threats.iter().enumerate() {
            let Some(threat_type) = report.types.get(threat.threat_type) else { continue };
            let cells = [
                &number.to_string(),
                &threat.title(threat_type, report.model),
                threat_type.category_title(),
                &diagram,
                &short_name(report.model, threat.subject),
                threat.priority(),
                threat.state().title(),
                "",
                &description(report, threat_type, threat),
                &justification(report, threat_type, threat),
                "Generated",
            ];
            let cells: Vec<String> = cells.into_iter().map(cell).collect();
            write!(out, "{}\r\n", cells.join(","))?;
        }
        Ok(())
    }
}

/// A model of the tool itself, exactly as the tool exports it: by its numbers, with its texts and nothing else.
fn drawn(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let model = report.model;
    let mut threats: Vec<&Threat> = report.analysis.threats.iter().collect();
    threats.sort_by_key(|t| (t.number.is_none(), t.number, t.threat_type, t.subject));
    let mut next = threats.iter().filter_map(|t| t.number).max().map_or(0, |last| last.saturating_add(1));
    for threat in threats {
        let Some(threat_type) = report.types.get(threat.threat_type) else { continue };
        let SubjectRef::Flow(flow) = threat.subject else { continue };
        let flow = model.flow(flow);
        let page = model.enclosing(model.element(flow.source).boundary).last();
        let number = threat.number.unwrap_or_else(|| {
            next = next.saturating_add(1);
            next - 1
        });
        let decision = threat.decision.as_ref();
        let computed = threat.wording.as_ref().and_then(|w| w.justification.as_deref());
        let modified = decision.map(|d| d.at.as_str()).filter(|at| !at.is_empty());
        let cells: [&str; 11] = [
            &number.to_string(),
            &threat.title(threat_type, model),
            threat_type.category_title(),
            page.map_or("", |(_, boundary)| model.text(boundary.name)),
            model.text(flow.protocol),
            threat.priority(),
            threat.state().title(),
            decision.map_or("", |d| d.by.as_str()),
            &threat.description(threat_type, model),
            decision.map_or(computed.unwrap_or(""), |d| d.justification.as_str()),
            modified.unwrap_or("Generated"),
        ];
        let cells: Vec<String> = cells.into_iter().map(cell).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

/// What can happen, why it is rated so and where to look: Microsoft's columns have no others for it.
fn description(report: &Report<'_>, threat_type: &ThreatType, threat: &Threat) -> String {
    let mut text = flat(&threat.description(threat_type, report.model));
    text.push(' ');
    text.push_str(&threat.why(threat_type, report.model));
    let places = threat.evidence.iter().filter_map(|cited| locate(report, cited).place());
    let mut places: Vec<String> = places.collect();
    places.dedup();
    if !places.is_empty() {
        let more = places.len().saturating_sub(PLACES);
        places.truncate(PLACES);
        text.push_str(&format!(" Evidence: {}", places.join(", ")));
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text.push('.');
    }
    text
}

/// The controls that are in place, each with its first place.
fn justification(report: &Report<'_>, threat_type: &ThreatType, threat: &Threat) -> String {
    let controls = threat.controls.iter().filter_map(|applied| {
        let control = &threat_type.mitigated_by.get(applied.mitigation)?.control;
        let place = applied.evidence.iter().find_map(|cited| locate(report, cited).place());
        let place = place.map_or(String::new(), |p| format!(" ({p})"));
        Some(format!("{}: {control}{place}", applied.effect.as_str()))
    });
    controls.collect::<Vec<_>>().join("; ")
}

/// One cell: harmless in a spreadsheet, on one line, quoted where it must be.
fn cell(text: &str) -> String {
    // Spreadsheets take what begins like this for a formula, which can call programs and send cells away. The wide
    // forms are taken for the narrow ones.
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let guard = if text.starts_with(formula) { "'" } else { "" };
    let text = format!("{guard}{}", one_line(text));
    if text.contains([',', '"']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_no_formulas() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(cell("\t=1"), "' =1");
        assert_eq!(cell("-2, \"x\""), "\"'-2, \"\"x\"\"\"");
        assert_eq!(cell("a=b"), "a=b");
    }

    #[test]
    fn cells_stay_on_one_line() {
        assert_eq!(cell("a\r\nb"), "a  b");
    }
}
