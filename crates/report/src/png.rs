//! The data-flow diagram as a bitmap.
//!
//! The texts are drawn with a font that is part of the program, so every machine draws the same.

use std::io;
use std::sync::Arc;

use kubestride_diagram::SvgOptions;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::{Format, Report, svg};

/// Arimo, which has the widths that the layout counts with. SIL Open Font Licence, see `assets/fonts`.
const FONTS: [&[u8]; 2] =
    [include_bytes!("../assets/fonts/Arimo-Regular.ttf"), include_bytes!("../assets/fonts/Arimo-Bold.ttf")];

/// Pixels for each unit of the drawing, where that is not too large.
const SCALE: f32 = 2.0;

/// Most pixels of a picture: 4 bytes each.
const MOST_PIXELS: f32 = 40_000_000.0;

/// The format.
#[derive(Debug)]
pub(crate) struct Png;

impl Format for Png {
    fn name(&self) -> &'static str {
        "png"
    }

    fn ending(&self) -> &'static str {
        ".png"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let drawing = svg::drawing(report);
        let mut text = Vec::new();
        kubestride_diagram::svg(&drawing, &SvgOptions { style: false, ..svg::options(report) }, &mut text)?;
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        out.write_all(&bitmap(&text)?)
    }
}

/// A picture of SVG without a style of its own.
fn bitmap(svg: &str) -> io::Result<Vec<u8>> {
    let mut fonts = fontdb::Database::new();
    for font in FONTS {
        fonts.load_font_data(font.to_vec());
    }
    let options = Options {
        font_family: "Arimo".to_owned(),
        fontdb: Arc::new(fonts),
        style_sheet: Some(plain_style(kubestride_diagram::STYLE)),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(io::Error::other)?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min((MOST_PIXELS / (width * height)).sqrt());
    let pixels = |length: f32| ((length * scale).round() as u32).max(1);
    let mut picture = Pixmap::new(pixels(width), pixels(height))
        .ok_or_else(|| io::Error::other("the picture is too large for PNG; SVG has no limit"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    picture.encode_png().map_err(io::Error::other)
}

/// The style without what the renderer does not know: variables get their values, and rules for dark pages, paper and
/// pointers are left out.
fn plain_style(style: &str) -> String {
    let rules = || style.lines().filter(|rule| !rule.starts_with('@') && !rule.contains(":hover"));
    let first = rules().next().unwrap_or("");
    let body = first.split_once('{').map_or("", |(_, body)| body.trim_end_matches('}'));
    let declared: Vec<(&str, &str)> = body.split(';').filter_map(|d| d.split_once(':')).collect();
    let mut out = String::new();
    for rule in rules() {
        let mut rule = rule.to_owned();
        for (name, value) in declared.iter().filter(|(name, _)| name.starts_with("--")) {
            rule = rule.replace(&format!("var({name})"), value);
        }
        let (selector, body) = rule.split_once('{').unwrap_or((&rule, ""));
        let kept =
            body.trim_end_matches('}').split(';').filter(|d| !d.starts_with("--") && !d.starts_with("font-family"));
        out.push_str(&format!("{selector}{{{}}}\n", kept.collect::<Vec<_>>().join(";")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_has_no_variables_left() {
        let style = plain_style(kubestride_diagram::STYLE);
        assert!(!style.contains("var(") && !style.contains("--ks") && !style.contains('@'), "{style}");
        assert!(style.contains(".ks-page{fill:#fff}"), "{style}");
    }

    #[test]
    fn shapes_and_texts_are_drawn() {
        let svg = |inner: &str| {
            let head = r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20" viewBox="0 0 60 20">"#;
            Pixmap::decode_png(&bitmap(&format!("{head}{inner}</svg>")).expect("a picture")).expect("a picture")
        };
        let ink = |picture: &Pixmap| picture.pixels().iter().filter(|p| p.alpha() > 0).count();
        let empty = svg("");
        assert_eq!((empty.width(), empty.height(), ink(&empty)), (120, 40, 0));
        assert!(ink(&svg(r#"<text class="ks-text" x="30" y="15">orders</text>"#)) > 100);
        let page = svg(r#"<rect class="ks-page" width="60" height="20"/>"#);
        assert_eq!(ink(&page), 120 * 40);
        assert!(page.pixels().iter().all(|p| (p.red(), p.green(), p.blue()) == (255, 255, 255)), "the page is white");
    }
}
