//! One text through the middle of the program: yaml, manifest, discover, analysis.

use std::collections::BTreeSet;

use kubestride_analysis::{Analysis, Cited, Threat};
use kubestride_discover::{Options, Scope, discover};
use kubestride_manifest::Manifests;
use kubestride_model::Model;
use kubestride_policy::pod_security::Version;
use kubestride_source::{FileOrigin, Level, SourceMap};
use kubestride_template::ThreatType;
use kubestride_template::filter::Lists;
use kubestride_yaml::{Limits, read};

/// What a text came to.
pub struct Analysed {
    /// The text.
    pub sources: SourceMap,
    /// The data-flow diagram.
    pub model: Model,
    /// The threats.
    pub analysis: Analysis,
    /// Errors and warnings about the text.
    pub complaints: Vec<String>,
}

impl Analysed {
    /// Analyses one YAML text in the scope `application`.
    pub fn new(text: &str, types: &[ThreatType]) -> Self {
        Self::in_scope(Scope::Application, text, types)
    }

    /// Analyses one YAML text; what names no namespace is in `default`.
    pub fn in_scope(scope: Scope, text: &str, types: &[ThreatType]) -> Self {
        let mut sources = SourceMap::new();
        let file = sources.add("test.yaml", text, FileOrigin::Stated);
        let mut manifests = Manifests::new();
        let mut diagnostics = Vec::new();
        for document in read(file, &sources.text(file), &Limits::default()) {
            diagnostics.extend(document.diagnostics);
            if let Some(tree) = document.tree {
                manifests.add(tree, 0);
            }
        }
        diagnostics.extend(manifests.finish("default"));
        let complaints = diagnostics.iter().filter(|d| d.level != Level::Note).map(|d| d.message.clone()).collect();
        let options = Options { scope, namespace: "default".to_owned(), kubernetes: Version::NEWEST };
        let model = discover(&manifests, &options).model;
        let analysis = kubestride_analysis::analyse(&model, types, &Lists::default());
        Self { sources, model, analysis, complaints }
    }

    /// The lines of the text that a threat points at: its evidence, and that of the controls in place.
    pub fn lines(&self, threat: &Threat) -> BTreeSet<u32> {
        let cited = threat.evidence.iter().chain(threat.controls.iter().flat_map(|c| &c.evidence));
        cited.filter_map(|c| self.line(c)).collect()
    }

    /// The identity of what a threat is about.
    pub fn subject(&self, threat: &Threat) -> &str {
        self.model.identity_of(threat.subject)
    }

    fn line(&self, cited: &Cited) -> Option<u32> {
        cited.evidence.span.and_then(|s| self.sources.location(s)).map(|l| l.line)
    }
}
