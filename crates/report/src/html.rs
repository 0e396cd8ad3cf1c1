//! The report as one page: what to do first, the picture, then everything else. It needs no network and no server.
//!
//! Everything is written straight to the output. What threats of one type have in common (why it matters, how to fix
//! it) is written once per type, so that thousands of threats stay a page that a browser can open.

pub(crate) mod escape;
mod evidence_list;
mod first;
mod policy;
mod questions;
mod services;
mod threats;

use std::io::{self, Write};

use kubestride_analysis::Severity;
use kubestride_diagram::SvgOptions;
use kubestride_model::SubjectRef;

use crate::summary::{self, Summary};
use crate::{Format, Report, svg};
use escape::Escaped;

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");

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
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n",
            policy::content_security_policy(&style, SCRIPT),
            Escaped(&title)
        )?;
        header(report, &title, out)?;
        writeln!(out, "<main>")?;
        first::section(report, out)?;
        picture(report, out)?;
        threats::open(report, out)?;
        threats::settled(report, out)?;
        services::section(report, out)?;
        questions::undetermined(report, out)?;
        questions::diagnostics(report, out)?;
        write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
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

/// `1 threat`, `2 threats`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn header(report: &Report<'_>, title: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<a class=\"skip\" href=\"#first\">Skip to what to do first</a>\n<header>\n<h1>{}</h1>",
        Escaped(title)
    )?;
    let scope = match report.scope {
        "cluster" => "cluster: the input is taken to be all that runs in the cluster",
        "fragment" => "fragment: the input is a part of an application",
        _ => "application: the input is taken to be all of the application, not all of the cluster",
    };
    let objects: usize = report.inputs.iter().map(|i| i.objects).sum();
    let summary = Summary::of(report);
    let parts = [
        counted(summary.processes, "process", "processes"),
        counted(summary.externals, "outside party", "outside parties"),
        counted(summary.stores, "store", "stores"),
        counted(summary.flows, "flow", "flows"),
        counted(summary.boundaries, "trust boundary", "trust boundaries"),
        counted(report.model.controls().len(), "control", "controls"),
    ];
    writeln!(
        out,
        "<p class=\"facts\"><span>{}</span> <span>kubestride {}</span> <span>Scope {}</span> <span>{}</span> <span>{}</span></p>",
        Escaped(report.date),
        Escaped(report.version),
        Escaped(scope),
        Escaped(counted(objects, "Kubernetes object read", "Kubernetes objects read")),
        Escaped(parts.join(", "))
    )?;
    counts(report, out)?;
    writeln!(out, "<nav aria-label=\"Sections\">")?;
    for (id, name) in SECTIONS {
        write!(out, "<a href=\"#{id}\">{name}</a> ")?;
    }
    writeln!(out, "</nav>\n</header>")
}

const SECTIONS: [(&str, &str); 7] = [
    ("first", "What to do first"),
    ("diagram", "Data-flow diagram"),
    ("threats", "Open threats"),
    ("settled", "Mitigated threats"),
    ("services", "Services"),
    ("unknown", "Not determinable"),
    ("messages", "Messages about the input"),
];

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
            let all = report.analysis.threats.iter().filter(|t| t.computed == state);
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

fn picture(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let drawing = kubestride_diagram::layout(report.model, &kubestride_diagram::Options::default());
    writeln!(out, "<section id=\"diagram\"><h2>Data-flow diagram</h2>")?;
    if drawing.overview {
        writeln!(
            out,
            "<p>The model is too large for one picture. Each box is a trust boundary with what it holds.</p>"
        )?;
    }
    let options = SvgOptions { style: false, links: services::links(report), ..svg::options(report) };
    // A picture that is made much smaller to fit could not be read; it is shown in full size, to be scrolled.
    let checked = if drawing.width > 1700 { " checked" } else { "" };
    writeln!(
        out,
        "<p class=\"legend\">Ellipse: process. Rectangle: outside party. Parallel lines: store. Dashed red: trust boundary. \
         Dashed line: only possible. DNS, probes and image pulls are not drawn.</p>\n\
         <input type=\"checkbox\" id=\"full\"{checked}> <label for=\"full\">Full size</label>\n\
         <div class=\"picture\" tabindex=\"0\" role=\"region\" aria-label=\"Data-flow diagram\">"
    )?;
    kubestride_diagram::svg(&drawing, &options, out)?;
    writeln!(out, "</div></section>")
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
            let wire = services::wire(report, id);
            let name = model.name_of(subject);
            if wire.is_empty() { name } else { format!("{name} ({wire})") }
        }
        other => model.name_of(other),
    }
}
