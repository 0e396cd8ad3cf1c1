//! What the terminal shows: one screen that a person can act on, the riskiest fixes first.

use std::io::{self, Write};
use std::path::PathBuf;

use kubestride_analysis::{Severity, State, fixes};
use kubestride_model::SubjectRef;
use kubestride_report::Report;
use kubestride_report::summary::{Summary, counted, counted_names, short_name, type_label};
use kubestride_source::some_of;

/// How many fixes are shown.
const FIXES: usize = 10;

/// Prints the summary.
///
/// # Errors
/// What standard output reports.
pub(crate) fn print(report: &Report<'_>, outputs: &[PathBuf]) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let model = report.model;
    let counts = Summary::of(report);
    let names: Vec<&str> = report.inputs.iter().map(|i| i.name.as_str()).collect();
    writeln!(out, "{}, as {}", some_of(&names), article(report.scope))?;
    writeln!(out, "{}\n", counts.parts().join(", "))?;

    let open: Vec<String> = Severity::ALL.iter().map(|s| format!("{} {}", counts.open.of(*s), s.as_str())).collect();
    let mitigated = counts.in_state(State::Mitigated);
    writeln!(
        out,
        "{}: {}; {mitigated} mitigated",
        counted(counts.open.total(), "open threat", "open threats"),
        open.join(", ")
    )?;

    let ranked = fixes(report.analysis, report.types);
    if !ranked.is_empty() {
        writeln!(out, "\nWhat to fix first")?;
    }
    for fix in ranked.iter().take(FIXES) {
        let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
        let subject = |i: &usize| report.analysis.threats.get(*i).map(|t| t.subject);
        let subjects: Vec<SubjectRef> = fix.threats.iter().filter_map(subject).collect();
        let names: Vec<String> = subjects.iter().map(|s| short_name(model, *s)).collect();
        let names = counted_names(&names);
        let shown: Vec<String> = names.iter().take(3).cloned().collect();
        let more = names.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "  {:<8} {:>3} × {}", fix.worst.as_str(), subjects.len(), type_label(threat_type))?;
        writeln!(out, "               {}{more}", shown.join(", "))?;
    }
    if ranked.len() > FIXES {
        writeln!(out, "  and {} more kinds of threat", ranked.len() - FIXES)?;
    }
    if !report.analysis.undetermined.is_empty() {
        writeln!(out, "\nNot determinable from this input")?;
        for question in &report.analysis.undetermined {
            let Some(attribute) = model.vocabulary().attribute(question.attribute) else { continue };
            writeln!(out, "  {:<25} would be answered by {}", attribute.name, attribute.answered_by)?;
        }
    }
    if outputs.is_empty() {
        writeln!(out, "\nFor all threats with their evidence: -o report.html")?;
    } else {
        let written: Vec<String> = outputs.iter().map(|p| p.display().to_string()).collect();
        writeln!(out, "\nWritten: {}", written.join(", "))?;
    }
    Ok(())
}

fn article(scope: &str) -> String {
    if scope == "application" { format!("an {scope}") } else { format!("a {scope}") }
}
