//! To be written.

use std::io;

use crate::{Format, Report};

/// The format.
#[derive(Debug)]
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn ending(&self) -> &'static str {
        ".csv"
    }

    fn write(&self, _report: &Report<'_>, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}
