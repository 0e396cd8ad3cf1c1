//! To be written.

use std::io;

use crate::{Format, Report};

/// The format.
#[derive(Debug)]
pub struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn ending(&self) -> &'static str {
        ".sarif"
    }

    fn write(&self, _report: &Report<'_>, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}
