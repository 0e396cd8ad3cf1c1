//! To be written.

use std::io;

use crate::{Format, Report};

/// The format.
#[derive(Debug)]
pub struct Svg;

impl Format for Svg {
    fn name(&self) -> &'static str {
        "svg"
    }

    fn ending(&self) -> &'static str {
        ".svg"
    }

    fn write(&self, _report: &Report<'_>, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}
