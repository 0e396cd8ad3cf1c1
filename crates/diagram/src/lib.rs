//! From a model to a drawing, and from a drawing to SVG; or to text that other programs draw.
//!
//! The layout is a pure function: boundaries are laid out from the inside out, each as a layered graph (sources left,
//! targets right), and lines run in the channels between its columns. What cannot go wrong by construction: a member
//! lies inside its boundary, siblings do not overlap, and no line runs through a shape. Identities decide every order,
//! so the same model gives the same bytes.
//!
//! Models that are too large for one picture are drawn as an overview of their boundaries, and in parts: one boundary or
//! one element with its neighbours.

mod columns;
mod drawing;
mod emit;
mod graph;
mod graphviz;
mod level;
mod measure;
mod mermaid;
mod nest;
mod nets;
mod order;
mod overview;
mod place;
mod route;
mod select;
mod size;
mod svg;
mod text;
mod tracks;

use std::io;

use kubestride_model::{BoundaryId, ElementId, Model};

pub use drawing::{Border, Drawing, Frame, Label, Line, Point, Rect, Shape, ShapeKind};
pub use measure::{Measures, measure};
pub use svg::{Mark, STYLE, SvgOptions, svg};
pub use text::{fit, is_unprintable, two_lines, width};

use graph::Graph;
use select::Part;

/// Which part of a model a drawing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// All of it, or its overview where it is too large for one picture.
    #[default]
    Whole,
    /// Boundaries as boxes with the number of flows between them.
    Overview,
    /// What lies in a boundary, with everything that it talks to.
    Boundary(BoundaryId),
    /// An element, with everything that it talks to.
    Element(ElementId),
}

/// What a drawing shows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which part of the model.
    pub view: View,
    /// A model with more shapes than this is drawn as an overview.
    pub most_shapes: usize,
    /// A model with more lines than this is drawn as an overview.
    pub most_lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { view: View::Whole, most_shapes: 150, most_lines: 400 }
    }
}

/// Lays out a model, or a part of it.
pub fn layout(model: &Model, options: &Options) -> Drawing {
    emit::draw(&graph(model, options))
}

/// Writes a model, or a part of it, as a flowchart of Mermaid.
///
/// # Errors
/// What `out` reports.
pub fn mermaid(model: &Model, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    mermaid::write(&graph(model, options), out)
}

/// Writes a model, or a part of it, for Graphviz.
///
/// # Errors
/// What `out` reports.
pub fn graphviz(model: &Model, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    graphviz::write(&graph(model, options), out)
}

/// What is to be drawn.
fn graph(model: &Model, options: &Options) -> Graph {
    let part = match options.view {
        View::Overview => return overview::overview(model, options),
        View::Whole => Part::whole(model),
        View::Boundary(boundary) => Part::of_boundary(model, boundary, options.most_shapes),
        View::Element(element) => Part::of_element(model, element, options.most_shapes),
    };
    let graph = select::graph(model, &part);
    let fits = graph.nodes.len() <= options.most_shapes && graph.edges.len() <= options.most_lines;
    if fits || options.view != View::Whole { graph } else { overview::overview(model, options) }
}
