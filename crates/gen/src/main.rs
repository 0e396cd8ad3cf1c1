//! `kubestride-gen`: manifests of a generated cluster on standard output.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::Result;
use clap::Parser;
use kubestride_gen::{Size, write};

/// Writes the manifests of a generated cluster to standard output.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many objects, at least.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    objects: usize,
    /// Another seed gives another cluster.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(stdout().lock());
    write(Size { objects: arguments.objects, seed: arguments.seed }, &mut out)?;
    out.flush()?;
    Ok(())
}
