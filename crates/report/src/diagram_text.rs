//! The data-flow diagram as text that other programs draw.

use std::io;

use crate::{Format, Report, svg};

/// Mermaid draws no more lines than this, and no text that is much longer than such a diagram has.
const MERMAID_LINES: usize = 250;
const MERMAID_SHAPES: usize = 120;

/// A flowchart of Mermaid.
#[derive(Debug)]
pub(crate) struct Mermaid;

impl Format for Mermaid {
    fn name(&self) -> &'static str {
        "mermaid"
    }

    fn ending(&self) -> &'static str {
        ".mmd"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let options = kubestride_diagram::Options {
            most_shapes: MERMAID_SHAPES,
            most_lines: MERMAID_LINES,
            ..svg::layout_options(report)
        };
        kubestride_diagram::mermaid(report.model, &options, out)
    }
}

/// A graph of Graphviz.
#[derive(Debug)]
pub(crate) struct Graphviz;

impl Format for Graphviz {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn ending(&self) -> &'static str {
        ".dot"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        kubestride_diagram::graphviz(report.model, &svg::layout_options(report), out)
    }
}
