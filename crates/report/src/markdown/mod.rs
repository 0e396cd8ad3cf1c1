//! A summary for pull requests and wikis: what to do first on top, everything else folded.

mod escape;
mod threats;

use std::io::{self, Write};

use kubestride_analysis::{Severity, State, fixes};
use kubestride_diagram::Options;
use kubestride_model::SubjectRef;
use kubestride_source::Level;

use crate::evidence::position;
use crate::summary::{Summary, WorkloadCount, counted, short_name};
use crate::svg::layout_options;
use crate::text::{flat, generic};
use crate::{Format, Report};
use escape::{code, text};

/// How many fixes are shown.
const FIXES: usize = 10;

/// What a diagram within a page may have.
const MOST_SHAPES: usize = 60;
const MOST_LINES: usize = 120;

/// How many subjects of a fix are named.
const SUBJECTS: usize = 3;

/// GitHub-flavoured Markdown.
#[derive(Debug)]
pub(crate) struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "md"
    }

    fn ending(&self) -> &'static str {
        ".md"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let summary = Summary::of(report);
        head(report, &summary, out)?;
        first(report, out)?;
        picture(report, out)?;
        services(report, &summary, out)?;
        threats::write(report, &summary, out)?;
        undetermined(report, out)?;
        messages(report, out)
    }
}

/// `2 critical, 1 low`; nothing for severities that do not occur.
fn by_severity(count: impl Fn(Severity) -> usize) -> String {
    let counts = Severity::ALL.iter().map(|s| (count(*s), s.as_str()));
    let named: Vec<String> = counts.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    named.join(", ")
}

fn head(report: &Report<'_>, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let open = summary.open.total();
    writeln!(out, "# Threat model\n")?;
    write!(out, "**{}**", counted(open, "open threat", "open threats"))?;
    if open > 0 {
        write!(out, ": {}", by_severity(|s| summary.open.of(s)))?;
    }
    writeln!(out, "; {} mitigated.\n", summary.in_state(State::Mitigated))?;
    let inputs: Vec<String> = report.inputs.iter().map(|input| code(&input.name)).collect();
    let (scope, date, version) = (text(report.scope), text(report.date), text(report.version));
    writeln!(
        out,
        "{} read as scope *{scope}* on {date} by kubestride {version}: {}.",
        inputs.join(", "),
        summary.parts().join(", ")
    )?;
    let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error).count();
    if errors > 0 {
        writeln!(
            out,
            "\n**Incomplete:** {}, see below.",
            counted(errors, "part of the input could not be read", "parts of the input could not be read")
        )?;
    }
    Ok(())
}

fn first(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ranked = fixes(report.analysis, report.types);
    if ranked.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## What to fix first\n")?;
    for fix in ranked.iter().take(FIXES) {
        let Some(threat_type) = report.types.get(fix.threat_type) else { continue };
        let subjects = fix.threats.iter().filter_map(|i| report.analysis.threats.get(*i));
        let named: Vec<String> = subjects.take(SUBJECTS).map(|t| text(&short_name(report.model, t.subject))).collect();
        let more = fix.threats.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (worst, count) = (fix.worst.as_str(), fix.threats.len());
        let (id, title) = (code(&threat_type.id), text(&generic(threat_type)));
        writeln!(out, "1. **{worst}**, {count} × {id}: {title}<br>{}{more}", named.join(", "))?;
    }
    if ranked.len() > FIXES {
        writeln!(out, "\nand {} more kinds of threat.", ranked.len() - FIXES)?;
    }
    Ok(())
}

/// The diagram, or its overview where it would be too large to be read in a page.
fn picture(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let options = Options { most_shapes: MOST_SHAPES, most_lines: MOST_LINES, ..layout_options(report) };
    writeln!(out, "\n## Data-flow diagram\n\n```mermaid")?;
    kubestride_diagram::mermaid(report.model, &options, out)?;
    writeln!(out, "```")
}

/// Every workload, the one with the worst threats first. Those without threats are in the table too: that nothing was
/// found is a result.
fn services(report: &Report<'_>, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.workloads.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Services\n")?;
    writeln!(out, "| Workload | Critical | High | Medium | Low | Mitigated |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
    let mut workloads: Vec<&WorkloadCount> = summary.workloads.iter().collect();
    workloads.sort_by_key(|w| std::cmp::Reverse(Severity::ALL.map(|s| w.open.of(s))));
    let cells = |count: &dyn Fn(Severity) -> usize| Severity::ALL.map(|s| count(s).to_string()).join(" | ");
    for workload in workloads {
        let identity = report.model.identity_of(SubjectRef::Element(workload.workload));
        let counts = cells(&|s| workload.open.of(s));
        writeln!(out, "| {} | {counts} | {} |", text(identity), workload.mitigated)?;
    }
    if summary.elsewhere.total() > 0 {
        writeln!(out, "| *of no one workload* | {} | |", cells(&|s| summary.elsewhere.of(s)))?;
    }
    writeln!(out, "\nThe threat of a flow counts for the workload that is called, or else for the one that calls.")
}

fn undetermined(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.analysis.undetermined.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Not determinable from this input\n")?;
    for question in &report.analysis.undetermined {
        let Some(attribute) = report.model.vocabulary().attribute(question.attribute) else { continue };
        let types = question.threat_types.iter().filter_map(|i| report.types.get(*i));
        let types: Vec<String> = types.map(|t| code(&t.id)).collect();
        let (name, doc, answer) =
            (text(&attribute.name), text(&flat(&attribute.doc)), text(&flat(&attribute.answered_by)));
        let subjects = counted(question.subjects.len(), "subject", "subjects");
        writeln!(out, "- **{name}** ({subjects}): {doc} Answered by {answer}. Decides {}.", types.join(", "))?;
    }
    Ok(())
}

fn messages(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = || report.diagnostics.iter().filter(|d| d.level != Level::Note);
    if shown().next().is_none() {
        return Ok(());
    }
    writeln!(out, "\n## Messages about the input\n\n<details><summary>{}</summary>\n", shown().count())?;
    for diagnostic in shown() {
        let place = position(report, diagnostic.span);
        let place = place.map(|(file, at)| format!("{}: ", code(&format!("{file}:{}:{}", at.line, at.column))));
        let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!(" ({})", text(help)));
        let (level, message) = (diagnostic.level.as_str(), text(&diagnostic.message));
        writeln!(out, "- {}{level}: {message}{help}", place.unwrap_or_default())?;
    }
    writeln!(out, "\n</details>")
}
