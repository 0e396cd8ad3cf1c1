//! The threats, by severity and then by type, each severity folded.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use kubestride_analysis::{Severity, State, Threat};
use kubestride_model::SubjectRef;
use kubestride_template::ThreatType;

use super::escape::{code, text};
use crate::Report;
use crate::evidence::{Located, locate};
use crate::summary::{Summary, counted};
use crate::text::{capital, generic};

/// How many pieces of evidence a threat shows; the other formats have all of them.
const PLACES: usize = 3;

/// Writes all threats. What answers a type is written where the type comes first.
pub(crate) fn write(report: &Report<'_>, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.threats() == 0 {
        return Ok(());
    }
    writeln!(out, "\n## Threats")?;
    let mut explained = BTreeSet::new();
    for severity in Severity::ALL {
        let title = format!("{}: {}", capital(severity.as_str()), summary.open.of(severity));
        let belongs = |t: &&Threat| t.state().is_open() && t.rating.severity == severity;
        group(report, &title, belongs, &mut explained, out)?;
    }
    for state in [State::Mitigated, State::NotApplicable, State::Accepted] {
        let title = format!("{}: {}", state.title(), summary.in_state(state));
        group(report, &title, |t| t.state() == state, &mut explained, out)?;
    }
    Ok(())
}

fn group(
    report: &Report<'_>,
    title: &str,
    belongs: impl Fn(&&Threat) -> bool,
    explained: &mut BTreeSet<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut by_type: BTreeMap<usize, Vec<&Threat>> = BTreeMap::new();
    for threat in report.analysis.threats.iter().filter(belongs) {
        by_type.entry(threat.threat_type).or_default().push(threat);
    }
    if by_type.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n<details><summary>{title}</summary>")?;
    for (index, threats) in by_type {
        let Some(threat_type) = report.types.get(index) else { continue };
        let (title, category) = (text(&generic(threat_type)), threat_type.category_title());
        writeln!(out, "\n#### {title}\n\n{category}, {}\n", code(&threat_type.id))?;
        for threat in threats.iter().copied() {
            one(report, threat_type, threat, out)?;
        }
        // Only the first time: the same advice again would hide what is new.
        if threats.iter().any(|t| t.state().is_open()) && explained.insert(index) {
            let advice = &threat_type.sections.mitigation;
            writeln!(out, "\n<details><summary>Mitigation</summary>\n\n{advice}\n\n</details>")?;
        }
    }
    writeln!(out, "\n</details>")
}

fn one(report: &Report<'_>, threat_type: &ThreatType, threat: &Threat, out: &mut dyn Write) -> io::Result<()> {
    let title = text(&threat.title(threat_type, report.model));
    let identity = code(report.model.identity_of(threat.subject));
    // Flows of a drawn model have GUIDs, which tell nobody which flow is meant.
    let between = match (report.drawn.is_empty(), threat.subject) {
        (false, SubjectRef::Flow(_)) => format!("{}, ", text(&report.model.name_of(threat.subject))),
        _ => String::new(),
    };
    writeln!(out, "- **{title}** ({between}{identity})")?;
    if let Some(decision) = threat.decision.as_ref().filter(|d| !d.justification.is_empty()) {
        writeln!(out, "  - {}: {}", decision.state.title(), text(&decision.justification))?;
    }
    writeln!(out, "  - {}", text(&threat.why(threat_type, report.model)))?;
    for cited in threat.evidence.iter().take(PLACES) {
        writeln!(out, "  - {}", evidence(&locate(report, cited)))?;
    }
    let more = threat.evidence.len().saturating_sub(PLACES);
    if more > 0 {
        writeln!(out, "  - and {}", counted(more, "more piece of evidence", "more pieces of evidence"))?;
    }
    for applied in &threat.controls {
        let Some(mitigation) = threat_type.mitigated_by.get(applied.mitigation) else { continue };
        let places = applied.evidence.iter().take(PLACES).map(|cited| evidence(&locate(report, cited)));
        let places: Vec<String> = places.collect();
        let (control, effect) = (text(&mitigation.control), applied.effect.as_str());
        writeln!(out, "  - in place: {control} ({effect}): {}", places.join("; "))?;
    }
    Ok(())
}

fn evidence(located: &Located<'_>) -> String {
    let place = located.place().map_or_else(|| located.origin.to_owned(), |place| code(&place));
    let note = if located.note.is_empty() { String::new() } else { format!(" {}", text(&located.note)) };
    let template = located.template.map_or(String::new(), |t| format!(", from {}", code(t)));
    format!("{place}{template}{note}")
}
