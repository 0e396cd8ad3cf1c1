//! The data-flow diagram as a stand-alone picture.

use std::collections::BTreeMap;
use std::io;

use kubestride_diagram::{Mark, SvgOptions};
use kubestride_model::{ElementId, SubjectRef};

use crate::{Format, Report};

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
        let drawing = kubestride_diagram::layout(report.model, &kubestride_diagram::Options::default());
        kubestride_diagram::svg(&drawing, &SvgOptions { style: true, ..options(report) }, out)
    }
}

/// Title, description and marks for open threats.
pub(crate) fn options(report: &Report<'_>) -> SvgOptions {
    let model = report.model;
    SvgOptions {
        title: "Data-flow diagram".to_owned(),
        description: format!(
            "{} elements, {} flows and {} trust boundaries, analysed on {}.",
            model.elements().len(),
            model.flows().len(),
            model.boundaries().len(),
            report.date
        ),
        prefix: "ks-".to_owned(),
        marks: marks(report),
        ..SvgOptions::default()
    }
}

/// The element that a threat is marked on: the one it is about, or the one that a flow reaches.
pub(crate) fn marked_element(report: &Report<'_>, subject: SubjectRef) -> Option<ElementId> {
    match subject {
        SubjectRef::Element(id) => Some(id),
        SubjectRef::Container(id) => Some(report.model.container(id).workload),
        SubjectRef::Flow(id) => Some(report.model.flow(id).target),
        SubjectRef::Boundary(_) | SubjectRef::Control(_) | SubjectRef::Name(_) => None,
    }
}

fn marks(report: &Report<'_>) -> BTreeMap<String, Mark> {
    let mut worst: BTreeMap<ElementId, (kubestride_analysis::Severity, usize, usize)> = BTreeMap::new();
    for threat in report.analysis.threats.iter().filter(|t| t.computed.is_open()) {
        let Some(element) = marked_element(report, threat.subject) else { continue };
        let entry = worst.entry(element).or_insert((threat.rating.severity, 0, 0));
        if threat.rating.severity > entry.0 {
            (entry.0, entry.1) = (threat.rating.severity, 0);
        }
        entry.1 += usize::from(threat.rating.severity == entry.0);
        entry.2 += 1;
    }
    let mark = |(element, (severity, count, all)): (ElementId, (kubestride_analysis::Severity, usize, usize))| {
        let tooltip = format!("Open threats: {all}, of them {count} {}", severity.as_str());
        let identity = report.model.text(report.model.element(element).identity).to_owned();
        (identity, Mark { severity: severity.as_str(), count, tooltip })
    };
    worst.into_iter().map(mark).collect()
}
