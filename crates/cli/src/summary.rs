//! What the terminal shows: one screen that a person can act on, the riskiest fixes first.

use std::io::{self, Write};
use std::path::PathBuf;

use kubestride_analysis::{Severity, State, fixes};
use kubestride_model::{ElementKind, SubjectRef};
use kubestride_report::Report;

/// How many fixes are shown.
const FIXES: usize = 10;

/// Prints the summary.
///
/// # Errors
/// What standard output reports.
pub(crate) fn print(report: &Report<'_>, outputs: &[PathBuf]) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let model = report.model;
    let of_kind = |kind| model.elements().filter(|(_, e)| e.kind == kind).count();
    let flows = model.flows().filter(|(_, f)| !f.implicit).count();
    let names: Vec<&str> = report.inputs.iter().map(|i| i.name.as_str()).collect();
    writeln!(out, "{}, as {}", names.join(", "), article(report.scope))?;
    writeln!(
        out,
        "{} processes, {} stores, {} external parties, {flows} flows, {} boundaries\n",
        of_kind(ElementKind::Process),
        of_kind(ElementKind::Store),
        of_kind(ElementKind::External),
        model.boundaries().filter(|(_, b)| b.kind != kubestride_model::BoundaryKind::Workload).count()
    )?;

    let open = report.analysis.threats.iter().filter(|t| t.computed.is_open());
    let count = |severity| open.clone().filter(|t| t.rating.severity == severity).count();
    let counts: Vec<String> = Severity::ALL.iter().map(|s| format!("{} {}", count(*s), s.as_str())).collect();
    let mitigated = report.analysis.threats.iter().filter(|t| t.computed == State::Mitigated).count();
    writeln!(out, "{} open threats: {}; {mitigated} mitigated", open.clone().count(), counts.join(", "))?;

    let ranked = fixes(report.analysis, report.types);
    if !ranked.is_empty() {
        writeln!(out, "\nWhat to fix first")?;
    }
    for fix in ranked.iter().take(FIXES) {
        let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
        let subject = |i: &usize| report.analysis.threats.get(*i).map(|t| t.subject);
        let subjects: Vec<SubjectRef> = fix.threats.iter().filter_map(subject).collect();
        let shown: Vec<String> = subjects.iter().take(3).map(|s| short(report, *s)).collect();
        let more = subjects.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "  {:<8} {:>3} × {}", fix.worst.as_str(), subjects.len(), threat_type.id)?;
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

/// A subject in as few words as tell it apart in one application.
fn short(report: &Report<'_>, subject: SubjectRef) -> String {
    let model = report.model;
    match subject {
        SubjectRef::Container(id) => {
            let container = model.container(id);
            format!("{}#{}", model.name_of(SubjectRef::Element(container.workload)), model.text(container.name))
        }
        _ => model.name_of(subject),
    }
}
