//! The report as one page: what to do first, the picture, then everything else. It needs no network and no server.
//!
//! Everything is written straight to the output. What threats of one type have in common (why it matters, how to fix
//! it) is written once per type, so that thousands of threats stay a page that a browser can open.

mod data;
pub(crate) mod escape;
mod first;
mod glance;
mod places;
mod policy;
mod questions;
mod views;
mod wire;

use std::io::{self, Write};

use kubestride_analysis::Severity;
use kubestride_model::SubjectRef;

use crate::summary::{self, Summary, counted};
use crate::{Format, Report};
use escape::Escaped;
use views::Views;

const PAGE: &str = include_str!("../assets/report/report.html");
const STYLE: &str = include_str!("../assets/report/report.css");
/// One script in strict mode; its parts see each other and nothing outside sees them.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../assets/report/data.js"),
    include_str!("../assets/report/dom.js"),
    include_str!("../assets/report/list.js"),
    include_str!("../assets/report/threats.js"),
    include_str!("../assets/report/services.js"),
    include_str!("../assets/report/diagram.js"),
    include_str!("../assets/report/main.js"),
    "})();\n"
);

/// The format.
#[derive(Debug)]
pub(crate) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn ending(&self) -> &'static str {
        ".html"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let style = format!("{STYLE}{}", kubestride_diagram::STYLE);
        let title = format!("Threat model of {}", subject(report));
        let views = Views::of(report)?;
        // The page has gaps, `{{name}}`.
        let (before, gaps) = PAGE.split_once("{{").unwrap_or((PAGE, ""));
        out.write_all(before.as_bytes())?;
        for gap in gaps.split("{{").filter(|g| !g.is_empty()) {
            let (name, after) = gap.split_once("}}").unwrap_or((gap, ""));
            match name {
                "policy" => out.write_all(policy::content_security_policy(&style, SCRIPT).as_bytes())?,
                "title" => write!(out, "{}", Escaped(&title))?,
                "style" => out.write_all(style.as_bytes())?,
                "facts" => facts(report, out)?,
                "counts" => counts(report, out)?,
                "first" => first::section(report, out)?,
                "glance" if report.drawn.is_empty() => glance::section(report, out)?,
                "glance" => {}
                "glance-link" if report.drawn.is_empty() => out.write_all(b"<a href=\"#glance\">At a glance</a>")?,
                "glance-link" => {}
                "about" => about(report, out)?,
                "picture" => out.write_all(views.first.as_bytes())?,
                "views" => views.table(out)?,
                "unknown" => questions::undetermined(report, out)?,
                "messages" => questions::diagnostics(report, out)?,
                "data" => data::write(report, &views, out)?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                other => return Err(io::Error::other(format!("the page has an unknown gap {other}"))),
            }
            out.write_all(after.as_bytes())?;
        }
        Ok(())
    }
}

/// The name of what was analysed.
fn subject(report: &Report<'_>) -> String {
    match report.inputs {
        [] => "nothing".to_owned(),
        [one] => one.name.clone(),
        [first, second] => format!("{} and {}", first.name, second.name),
        [first, rest @ ..] => format!("{} and {} more inputs", first.name, rest.len()),
    }
}

/// What was analysed, when, with what, and how large it is.
fn facts(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let scope = match report.scope {
        "cluster" => "cluster: the input is taken to be all that runs in the cluster",
        "fragment" => "fragment: the input is a part of an application",
        _ => "application: the input is taken to be all of the application, not all of the cluster",
    };
    let objects: usize = report.inputs.iter().map(|i| i.objects).sum();
    let summary = Summary::of(report);
    let controls = counted(report.model.controls().len(), "control", "controls");
    let parts = summary.parts().into_iter().chain([controls]).collect::<Vec<_>>();
    writeln!(
        out,
        "<p class=\"facts\"><span>{}</span> <span>kubestride {}</span> <span>Scope {}</span> <span>{}</span> <span>{}</span></p>",
        Escaped(report.date),
        Escaped(report.version),
        Escaped(scope),
        Escaped(counted(objects, "object read", "objects read")),
        Escaped(parts.join(", "))
    )?;
    Ok(())
}

/// What people wrote about the model.
fn about(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.about.is_empty() {
        return Ok(());
    }
    writeln!(out, "<dl class=\"about\">")?;
    for (name, text) in report.about {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Escaped(text))?;
    }
    writeln!(out, "</dl>")
}

/// Threats by state and severity.
fn counts(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<div class=\"scroll\"><table class=\"counts\"><caption>Threats by state</caption><thead><tr><th scope=\"col\">State</th>"
    )?;
    for severity in Severity::ALL {
        write!(out, "<th scope=\"col\">{}</th>", badge(severity))?;
    }
    writeln!(out, "<th scope=\"col\">All</th></tr></thead><tbody>")?;
    for state in summary::STATES {
        let of = |severity: Option<Severity>| {
            let all = report.analysis.threats.iter().filter(|t| t.state() == state);
            all.filter(|t| severity.is_none_or(|s| t.rating.severity == s)).count()
        };
        write!(out, "<tr><th scope=\"row\">{}</th>", state.title())?;
        for severity in Severity::ALL {
            write!(out, "<td>{}</td>", of(Some(severity)))?;
        }
        writeln!(out, "<td>{}</td></tr>", of(None))?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// A severity as a word on its colour.
pub(crate) fn badge(severity: Severity) -> String {
    let word = severity.as_str();
    format!("<span class=\"severity {word}\">{word}</span>")
}

/// The name of a subject, with its namespace where it has one.
pub(crate) fn subject_name(report: &Report<'_>, subject: SubjectRef) -> String {
    let model = report.model;
    match subject {
        SubjectRef::Container(id) => {
            let workload = model.container(id).workload;
            let container = model.text(model.container(id).name);
            let name = model.name_of(SubjectRef::Element(workload));
            if container == name { name } else { format!("{name} (container {container})") }
        }
        SubjectRef::Flow(id) => {
            let wire = wire::wire(report, id);
            let name = model.name_of(subject);
            if wire.is_empty() { name } else { format!("{name} ({wire})") }
        }
        other => model.name_of(other),
    }
}
