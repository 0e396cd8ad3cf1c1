//! A whole model file.

use kubestride_source::{Diagnostic, FileId, Span};

use crate::knowledge::Knowledge;
use crate::surface::Surface;
use crate::threats::Instance;
use crate::xml::{Tree, Xml};

/// What a `.tm7` file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tm7 {
    /// The diagrams in order.
    pub surfaces: Vec<Surface>,
    /// What people wrote about the model.
    pub meta: Meta,
    /// Stored threats in order.
    pub threats: Vec<Instance>,
    /// The template inside.
    pub knowledge: Knowledge,
}

/// What people wrote about a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Who reviews it.
    pub reviewer: String,
    /// Who contributed.
    pub contributors: String,
    /// What the system is.
    pub description: String,
    /// What is taken for granted.
    pub assumptions: String,
    /// What it depends on.
    pub dependencies: String,
}

impl Tm7 {
    /// Reads the tree of a file. What is missing is empty, and said.
    pub fn read(file: FileId, tree: &Tree<'_>) -> (Self, Vec<Diagnostic>) {
        let root = tree.root();
        let here = |element: Xml<'_, '_>| {
            let range = element.range();
            Span::new(file, range.start as u32, range.end.min(range.start + 80) as u32)
        };
        let mut diagnostics = Vec::new();
        if root.name() != "ThreatModel" {
            let message = format!("this is no model of Threat Modeling Tool: its outermost element is {}", root.name());
            diagnostics.push(Diagnostic::error("no-model", message).at(here(root)));
            return (Self::default(), diagnostics);
        }
        let list = |name: &str| root.child(name).into_iter().flat_map(Xml::children);
        let knowledge = root.child("KnowledgeBase").map(Knowledge::read);
        if knowledge.as_ref().is_none_or(|k| k.threats.is_empty()) {
            let message = "the file holds no template, so no threats can be generated from it";
            diagnostics.push(Diagnostic::warning("no-template", message).at(here(root)));
        }
        let model = Self {
            surfaces: list("DrawingSurfaceList").map(Surface::read).collect(),
            meta: root.child("MetaInformation").map(meta).unwrap_or_default(),
            threats: list("ThreatInstances").filter_map(Instance::read).collect(),
            knowledge: knowledge.unwrap_or_default(),
        };
        (model, diagnostics)
    }
}

fn meta(element: Xml<'_, '_>) -> Meta {
    let field = |name: &str| element.child_text(name).into_owned();
    Meta {
        name: field("ThreatModelName"),
        owner: field("Owner"),
        reviewer: field("Reviewer"),
        contributors: field("Contributors"),
        description: field("HighLevelSystemDescription"),
        assumptions: field("Assumptions"),
        dependencies: field("ExternalDependencies"),
    }
}
