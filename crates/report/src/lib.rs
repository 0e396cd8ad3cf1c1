//! Writes an analysis in every format. One module per format, each with data types of its own; none of them has
//! threats of its own.
//!
//! Adding a format is adding a module with a [`Format`] and naming it in [`FORMATS`].

mod csv;
mod diagram_text;
pub mod evidence;
mod flows;
mod html;
mod json;
mod markdown;
mod markdown_html;
mod png;
mod sarif;
pub mod summary;
mod svg;
mod text;

use std::io;
use std::path::Path;

use kubestride_analysis::Analysis;
use kubestride_diagram::Drawing;
use kubestride_model::{ElementId, Model};
use kubestride_source::{Diagnostic, SourceMap};
use kubestride_template::ThreatType;

/// Everything a format may write about.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// Version of the tool.
    pub version: &'a str,
    /// How complete the input is taken to be: `cluster`, `application` or `fragment`.
    pub scope: &'a str,
    /// The day of the analysis, `YYYY-MM-DD`.
    pub date: &'a str,
    /// What was read.
    pub inputs: &'a [Input],
    /// The texts, for names, lines and masked snippets.
    pub sources: &'a SourceMap,
    /// The data-flow diagram.
    pub model: &'a Model,
    /// The threat types that [`Analysis`] refers to by position.
    pub types: &'a [ThreatType],
    /// The threats.
    pub analysis: &'a Analysis,
    /// What readers reported.
    pub diagnostics: &'a [Diagnostic],
    /// The element that pictures are about; without one they show the whole model.
    pub focus: Option<ElementId>,
    /// What people wrote about the model, each under its heading.
    pub about: &'a [(&'static str, String)],
    /// Diagrams that a person drew, for models of Threat Modeling Tool: its keys are then the ids of threats.
    pub drawn: &'a [Drawn],
}

/// A diagram that a person drew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its boundary in the model.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// What it looks like.
    pub drawing: Drawing,
}

/// One input as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As the user named it.
    pub name: String,
    /// `file`, `directory`, `stdin`, `helm` or `kustomize`.
    pub kind: String,
    /// Number of files read.
    pub files: usize,
    /// Number of documents in them.
    pub documents: usize,
    /// Number of Kubernetes objects among them.
    pub objects: usize,
}

/// A format of output.
pub trait Format: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// How names of its files end.
    fn ending(&self) -> &'static str;

    /// Writes the report.
    ///
    /// # Errors
    /// What `out` reports.
    fn write(&self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()>;
}

/// All formats, sorted by name.
pub const FORMATS: &[&dyn Format] = &[
    &csv::Csv,
    &diagram_text::Graphviz,
    &flows::FlowsTsv,
    &html::Html,
    &json::Json,
    &markdown::Markdown,
    &diagram_text::Mermaid,
    &png::Png,
    &sarif::Sarif,
    &svg::Svg,
];

/// The format with this name.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|f| f.name() == name)
}

/// The format of a file, by the ending of its name.
pub fn by_path(path: &Path) -> Option<&'static dyn Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    FORMATS.iter().copied().find(|f| name.ends_with(f.ending()))
}
