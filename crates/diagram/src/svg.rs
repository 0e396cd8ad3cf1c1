//! A drawing as SVG: stand-alone or as a part of a page, without scripts and without references to anything outside.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use crate::drawing::{Border, Drawing, Frame, Label, Line, Point, Rect, Shape, ShapeKind};
use crate::size::{CAPTION, LINE, SMALL_SIZE};
use crate::text::{self, is_unprintable};

/// The style sheet of pictures. Pages that hold a picture without its style need it in theirs.
pub const STYLE: &str = include_str!("../assets/diagram.css");

/// What is said about a shape beside the model: how many threats are open, and where to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `critical`, `high`, `medium` or `low`.
    pub severity: &'static str,
    /// How many are of this severity.
    pub count: usize,
    /// One line for people.
    pub tooltip: String,
}

/// How a drawing is written.
#[derive(Debug, Clone, Default)]
pub struct SvgOptions {
    /// The name of the picture.
    pub title: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// Whether the style sheet is part of it.
    pub style: bool,
    /// What ids begin with, so that several pictures fit on one page.
    pub prefix: String,
    /// Marks by identity of shapes.
    pub marks: BTreeMap<String, Mark>,
    /// Where a shape leads to, by identity: fragments of the page only.
    pub links: BTreeMap<String, String>,
}

/// Text in XML: escaped, without characters that are invisible or not allowed. Line breaks stay.
struct Xml<'a>(&'a str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' => f.write_str("&#10;")?,
                c if is_unprintable(c) => {}
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// Writes a drawing.
///
/// # Errors
/// What `out` reports.
pub fn svg(drawing: &Drawing, options: &SvgOptions, out: &mut dyn Write) -> io::Result<()> {
    let (width, height) = (drawing.width, drawing.height);
    let prefix = Xml(&options.prefix);
    let role = if options.links.is_empty() { "img" } else { "group" };
    write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="ks-diagram" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="{role}" aria-labelledby="{prefix}title {prefix}desc">"#
    )?;
    writeln!(out, r#"<title id="{prefix}title">{}</title>"#, Xml(&options.title))?;
    writeln!(out, r#"<desc id="{prefix}desc">{}</desc>"#, Xml(&options.description))?;
    if options.style {
        writeln!(out, "<style>{STYLE}</style>")?;
    }
    writeln!(out, r#"<rect class="ks-page" width="{width}" height="{height}"/>"#)?;
    drawing.frames.iter().try_for_each(|frame| write_frame(out, frame))?;
    drawing.borders.iter().try_for_each(|border| write_border(out, border))?;
    drawing.lines.iter().try_for_each(|line| write_line(out, line))?;
    for shape in &drawing.shapes {
        write_shape(out, shape, options)?;
    }
    drawing.labels.iter().try_for_each(|label| write_label(out, label))?;
    writeln!(out, "</svg>")
}

fn rect(out: &mut dyn Write, class: &str, r: &Rect, radius: i32) -> io::Result<()> {
    let Rect { x, y, width, height } = r;
    write!(out, r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>"#)
}

fn write_frame(out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
    write!(out, r#"<g class="ks-boundary ks-{}" data-id="{}">"#, frame.kind, Xml(&frame.identity))?;
    rect(out, "ks-frame", &frame.rect, 8)?;
    let (x, y) = (frame.title.x, frame.title.y + 13);
    writeln!(out, r#"<text class="ks-name" x="{x}" y="{y}">{}</text></g>"#, Xml(&frame.name))
}

fn write_border(out: &mut dyn Write, border: &Border) -> io::Result<()> {
    let (path, Point { x, y }) = (Path(&border.points), border.at);
    write!(
        out,
        r#"<g class="ks-boundary ks-drawn" data-id="{}"><path class="ks-border" d="{path}"/>"#,
        Xml(&border.identity)
    )?;
    writeln!(out, r#"<text class="ks-name" x="{x}" y="{y}">{}</text></g>"#, Xml(&border.name))
}

fn write_line(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    let class = if line.dashed { "ks-flow ks-possible" } else { "ks-flow" };
    let ids = line.identities.join("\n");
    write!(out, r#"<g class="{class}" data-id="{}"><title>{}</title>"#, Xml(&ids), Xml(&line.tooltip))?;
    write!(out, r#"<path class="ks-hit" d="{0}"/><path class="ks-line" d="{0}"/>"#, Path(&line.points))?;
    if let [.., before, end] = line.points.as_slice() {
        let (dx, dy) = (f64::from(end.x - before.x), f64::from(end.y - before.y));
        let length = dx.hypot(dy).max(1.0);
        let (dx, dy) = (dx / length, dy / length);
        let corner = |along: f64, aside: f64| {
            let (x, y) = (f64::from(end.x) - along * dx, f64::from(end.y) - along * dy);
            Point { x: (x + aside * dy).round() as i32, y: (y - aside * dx).round() as i32 }
        };
        let (left, right) = (corner(8.0, 4.0), corner(8.0, -4.0));
        let Point { x, y } = end;
        write!(out, r#"<path class="ks-head" d="M{x} {y}L{} {}L{} {}Z"/>"#, left.x, left.y, right.x, right.y)?;
    }
    writeln!(out, "</g>")
}

/// The `d` of a polyline, with rounded corners where it runs along the axes.
struct Path<'a>(&'a [Point]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = self.0;
        let Some(first) = points.first() else { return Ok(()) };
        write!(f, "M{} {}", first.x, first.y)?;
        if points.windows(2).any(|ends| matches!(ends, [a, b] if a.x != b.x && a.y != b.y)) {
            return points.iter().skip(1).try_for_each(|p| write!(f, "L{} {}", p.x, p.y));
        }
        for window in points.windows(3) {
            let [a, b, c] = window else { continue };
            let length = |p: &Point, q: &Point| (p.x - q.x).abs() + (p.y - q.y).abs();
            let radius = (length(a, b) / 2).min(length(b, c) / 2).min(6);
            let toward = |to: &Point| (b.x + (to.x - b.x).signum() * radius, b.y + (to.y - b.y).signum() * radius);
            let ((ax, ay), (cx, cy)) = (toward(a), toward(c));
            write!(f, "L{ax} {ay}Q{} {} {cx} {cy}", b.x, b.y)?;
        }
        match points.last() {
            Some(last) if points.len() > 1 => write!(f, "L{} {}", last.x, last.y),
            _ => Ok(()),
        }
    }
}

fn write_shape(out: &mut dyn Write, shape: &Shape, options: &SvgOptions) -> io::Result<()> {
    let link = shape.identities.first().and_then(|id| options.links.get(id)).filter(|href| href.starts_with('#'));
    if let Some(href) = link {
        write!(out, r#"<a href="{}">"#, Xml(href))?;
    }
    let kind = match shape.kind {
        ShapeKind::Process => "ks-process",
        ShapeKind::External => "ks-external",
        ShapeKind::Store => "ks-store",
        ShapeKind::Summary => "ks-summary",
    };
    let small = if shape.small { " ks-small" } else { "" };
    let ids = shape.identities.join("\n");
    let mark = shape.identities.first().and_then(|id| options.marks.get(id));
    let tooltip = match mark {
        Some(mark) => format!("{}\n{}", shape.tooltip, mark.tooltip),
        None => shape.tooltip.clone(),
    };
    write!(out, r#"<g class="ks-element {kind}{small}" data-id="{}"><title>{}</title>"#, Xml(&ids), Xml(&tooltip))?;
    let r = &shape.rect;
    let center = r.center();
    match shape.kind {
        ShapeKind::Process => {
            let (rx, ry) = (f64::from(r.width) / 2.0, f64::from(r.height) / 2.0);
            let (cx, cy) = (f64::from(r.x) + rx, f64::from(r.y) + ry);
            write!(out, r#"<ellipse class="ks-body" cx="{cx}" cy="{cy}" rx="{rx}" ry="{ry}"/>"#)?;
        }
        ShapeKind::External => rect(out, "ks-body", r, 0)?,
        ShapeKind::Summary => rect(out, "ks-body", r, 6)?,
        ShapeKind::Store => {
            rect(out, "ks-fill", r, 0)?;
            let (x, y, w, bottom) = (r.x, r.y, r.width, r.bottom());
            write!(out, r#"<path class="ks-body" d="M{x} {y}h{w}M{x} {bottom}h{w}"/>"#)?;
        }
    }
    let caption = if shape.caption.is_empty() { 0 } else { CAPTION };
    let line = if shape.small { SMALL_SIZE + 3 } else { LINE };
    let mut y = center.y - (shape.lines.len() as i32 * line + caption) / 2;
    if caption > 0 {
        write!(out, r#"<text class="ks-caption" x="{}" y="{}">{}</text>"#, center.x, y + 9, Xml(&shape.caption))?;
        y += caption;
    }
    for text in &shape.lines {
        let base = y + if shape.small { 10 } else { 12 };
        write!(out, r#"<text class="ks-text" x="{}" y="{base}">{}</text>"#, center.x, Xml(text))?;
        y += line;
    }
    if let Some(mark) = mark {
        write_mark(out, r, mark)?;
    }
    writeln!(out, "</g>{}", if link.is_some() { "</a>" } else { "" })
}

/// How many threats are open, on the upper right of a shape: in words, because colour alone does not reach everybody.
fn write_mark(out: &mut dyn Write, shape: &Rect, mark: &Mark) -> io::Result<()> {
    let said = format!("{} {}", mark.count, mark.severity);
    let width = text::width(&said, 9) + 8;
    let pill = Rect { x: shape.right() - width + 8, y: shape.y - 8, width, height: 13 };
    write!(out, r#"<g class="ks-mark ks-{}">"#, mark.severity)?;
    rect(out, "ks-pill", &pill, 6)?;
    write!(out, r#"<text x="{}" y="{}">{}</text></g>"#, pill.center().x, pill.y + 10, Xml(&said))
}

fn write_label(out: &mut dyn Write, label: &Label) -> io::Result<()> {
    let (x, y) = (label.rect.center().x, label.rect.bottom() - 2);
    let lines = label.lines.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    writeln!(out, r#"<text class="ks-label" data-lines="{lines}" x="{x}" y="{y}">{}</text>"#, Xml(&label.text))
}
