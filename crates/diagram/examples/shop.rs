//! Writes the picture of a small model to standard output: `cargo run -p kubestride-diagram --example shop > shop.svg`.

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> std::io::Result<()> {
    let drawing = kubestride_diagram::layout(&common::shop(), &kubestride_diagram::Options::default());
    let options = kubestride_diagram::SvgOptions {
        title: "Shop".to_owned(),
        description: "A shop of a dozen services".to_owned(),
        style: true,
        ..Default::default()
    };
    kubestride_diagram::svg(&drawing, &options, &mut std::io::stdout().lock())
}
