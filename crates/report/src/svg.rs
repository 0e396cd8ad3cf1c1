//! The data-flow diagram as a stand-alone picture.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use kubestride_analysis::{Severity, Threat};
use kubestride_diagram::{Drawing, Mark, Options, SvgOptions, View};
use kubestride_model::ElementId;

use crate::{Format, Report, summary};

/// The format.
#[derive(Debug)]
pub(crate) struct Svg;

impl Format for Svg {
    fn name(&self) -> &'static str {
        "svg"
    }

    fn ending(&self) -> &'static str {
        ".svg"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        kubestride_diagram::svg(&drawing(report), &SvgOptions { style: true, ..options(report) }, out)
    }
}

/// The picture of a report: the first that a person drew, else that of the layout.
pub(crate) fn drawing<'r>(report: &Report<'r>) -> Cow<'r, Drawing> {
    match report.drawn.first().filter(|_| report.focus.is_none()) {
        Some(first) => Cow::Borrowed(&first.drawing),
        None => Cow::Owned(kubestride_diagram::layout(report.model, &layout_options(report))),
    }
}

/// What pictures show.
pub(crate) fn layout_options(report: &Report<'_>) -> Options {
    Options { view: report.focus.map_or(View::Whole, View::Element), ..Options::default() }
}

/// Title, description and marks for open threats.
pub(crate) fn options(report: &Report<'_>) -> SvgOptions {
    let counts = summary::Summary::of(report);
    SvgOptions {
        title: "Data-flow diagram".to_owned(),
        description: format!(
            "{} elements, {} flows and {} trust boundaries, analysed on {}.",
            counts.processes + counts.stores + counts.externals,
            counts.flows,
            counts.boundaries,
            report.date
        ),
        prefix: "ks-".to_owned(),
        marks: marks(report),
        ..SvgOptions::default()
    }
}

/// The element that a threat is marked on: the workload it counts for, else the element it is about.
fn marked_element(report: &Report<'_>, threat: &Threat) -> Option<ElementId> {
    summary::owner(report.model, threat).or_else(|| threat.parties(report.model).1)
}

fn marks(report: &Report<'_>) -> BTreeMap<String, Mark> {
    let mut worst: BTreeMap<ElementId, (Severity, usize, usize)> = BTreeMap::new();
    for threat in report.analysis.threats.iter().filter(|t| t.state().is_open()) {
        let Some(element) = marked_element(report, threat) else { continue };
        let entry = worst.entry(element).or_insert((threat.rating.severity, 0, 0));
        if threat.rating.severity > entry.0 {
            (entry.0, entry.1) = (threat.rating.severity, 0);
        }
        entry.1 += usize::from(threat.rating.severity == entry.0);
        entry.2 += 1;
    }
    let mark = |(element, (severity, count, all)): (ElementId, (Severity, usize, usize))| {
        let tooltip = format!("Open threats: {all}, of them {count} {}", severity.as_str());
        let identity = report.model.text(report.model.element(element).identity).to_owned();
        (identity, Mark { severity: severity.as_str(), count, tooltip })
    };
    worst.into_iter().map(mark).collect()
}
