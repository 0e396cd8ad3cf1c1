//! To be written.

use std::io;

use crate::{Format, Report};

/// The format.
#[derive(Debug)]
pub(crate) struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "md"
    }

    fn ending(&self) -> &'static str {
        ".md"
    }

    fn write(&self, _report: &Report<'_>, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}
