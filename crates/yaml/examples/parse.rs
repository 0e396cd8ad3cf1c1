//! Reads files and says how fast: `cargo run --profile dist --example parse -- FILES`.

use std::{
    io::{Write, stdout},
    sync::Arc,
    time::{Duration, Instant},
};

use kubestride_source::{FileId, Level};
use kubestride_yaml::{Limits, read, read_json, visitor::walk};

fn main() -> std::io::Result<()> {
    let mut out = stdout().lock();
    let (mut bytes, mut documents, mut visits, mut errors, mut warnings) = (0, 0, 0, 0, 0);
    let (mut reading, mut walking) = (Duration::ZERO, Duration::ZERO);
    for path in std::env::args().skip(1) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            writeln!(out, "{path}: not UTF-8 text")?;
            continue;
        };
        let text: Arc<str> = text.into();
        let start = Instant::now();
        let read = if path.ends_with(".json") { read_json } else { read };
        let read = read(FileId(0), &text, &Limits::default());
        reading += start.elapsed();
        let start = Instant::now();
        for tree in read.iter().filter_map(|document| document.tree.as_ref()) {
            if !walk(tree.root(), &mut |_, _| visits += 1) {
                writeln!(out, "{path}: aliases hold too much")?;
            }
        }
        walking += start.elapsed();
        for diagnostic in read.iter().flat_map(|document| &document.diagnostics) {
            let start = diagnostic.span.map_or(0, |span| span.start as usize);
            let line = text.get(..start).map_or(0, |before| before.matches('\n').count() + 1);
            writeln!(out, "{path}:{line}: {}: {}", diagnostic.code, diagnostic.message)?;
            if diagnostic.level == Level::Error { errors += 1 } else { warnings += 1 }
        }
        bytes += text.len();
        documents += read.len();
    }
    let megabytes = bytes as f64 / 1e6;
    writeln!(
        out,
        "{megabytes:.1} MB, {documents} documents, {visits} visits, {errors} errors, {warnings} warnings; \
         read in {reading:.2?} ({:.0} MB/s), walked in {walking:.2?}",
        megabytes / reading.as_secs_f64()
    )
}
