//! Prints what the layout of large nested models costs, beside writing the same drawings as SVG:
//! `cargo run --profile dist -p kubestride-diagram --example layout_speed`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::io::Write as _;
use std::time::{Duration, Instant};

use kubestride_diagram::{Options, SvgOptions, layout, svg};
use kubestride_model::{BoundaryKind, ElementKind, FlowKind, Model};

/// Models of these numbers of elements, each with one and a half times as many flows.
const ELEMENTS: [usize; 3] = [117, 505, 1565];
const RUNS: usize = 7;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let all = Options { most_shapes: usize::MAX, most_lines: usize::MAX, ..Options::default() };
    for elements in ELEMENTS {
        let model = nested(elements);
        let (mut laid_out, mut written) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let start = Instant::now();
            let drawing = layout(&model, &all);
            laid_out.push(start.elapsed());
            let start = Instant::now();
            let mut text = Vec::new();
            svg(&drawing, &SvgOptions::default(), &mut text)?;
            written.push(start.elapsed());
        }
        let ((a, low, high), (b, ..)) = (median(laid_out), median(written));
        writeln!(
            out,
            "{elements} elements: layout {:.1} ms ({:.1}-{:.1}) on one thread, writing it {:.2} ms, ratio {:.0}",
            ms(a),
            ms(low),
            ms(high),
            ms(b),
            ms(a) / ms(b)
        )?;
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The median, the smallest and the largest.
fn median(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[0], times[times.len() - 1])
}

/// Namespaces of twenty elements in a cluster; most flows stay within one.
fn nested(elements: usize) -> Model {
    let mut s = common::Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let spaces: Vec<_> = (0..elements.div_ceil(20))
        .map(|i| s.boundary(&format!("Namespace/n{i}"), &format!("n{i}"), BoundaryKind::Namespace, Some(cluster)))
        .collect();
    let all: Vec<_> = (0..elements)
        .map(|i| {
            let kind = if i % 5 == 0 { ElementKind::Store } else { ElementKind::Process };
            s.element(&format!("e{i:05}"), &format!("service-{i}"), kind, spaces[i / 20])
        })
        .collect();
    let mut dice = common::Dice::new(11);
    for _ in 0..elements * 3 / 2 {
        let a = dice.below(elements);
        let near = a / 20 * 20 + dice.below(20);
        let b = if dice.below(3) == 0 { dice.below(elements) } else { near.min(elements - 1) };
        s.flow(all[a], all[b], FlowKind::Traffic, "HTTP", Some(80 + (b % 3) as u16));
    }
    s.builder.finish()
}
