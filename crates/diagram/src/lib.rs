//! From a model to a drawing, and from a drawing to SVG.
//!
//! The layout is a pure function: boundaries are laid out from the inside out, each as a layered graph (sources left,
//! targets right), and lines run in the channels between its columns. What cannot go wrong by construction: a member
//! lies inside its boundary, siblings do not overlap, and no line runs through a shape. Identities decide every order,
//! so the same model gives the same bytes.
//!
//! Models that are too large for one picture are drawn as an overview of their boundaries.

mod columns;
mod drawing;
mod emit;
mod graph;
mod level;
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

use kubestride_model::Model;

pub use drawing::{Drawing, Frame, Label, Line, Point, Rect, Shape, ShapeKind};
pub use svg::{Mark, STYLE, SvgOptions, svg};
pub use text::is_unprintable;

/// What a drawing shows.
#[derive(Debug, Clone)]
pub struct Options {
    /// A model with more shapes than this is drawn as an overview.
    pub most_shapes: usize,
    /// A model with more lines than this is drawn as an overview.
    pub most_lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { most_shapes: 150, most_lines: 400 }
    }
}

/// Lays out a model.
pub fn layout(model: &Model, options: &Options) -> Drawing {
    let graph = select::whole(model);
    if graph.nodes.len() <= options.most_shapes && graph.edges.len() <= options.most_lines {
        emit::draw(&graph)
    } else {
        emit::draw(&overview::overview(model, options))
    }
}
