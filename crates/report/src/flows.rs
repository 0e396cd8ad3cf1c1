//! To be written.

use std::io;

use crate::{Format, Report};

/// The format.
#[derive(Debug)]
pub struct FlowsTsv;

impl Format for FlowsTsv {
    fn name(&self) -> &'static str {
        "flows.tsv"
    }

    fn ending(&self) -> &'static str {
        "flows.tsv"
    }

    fn write(&self, _report: &Report<'_>, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}
