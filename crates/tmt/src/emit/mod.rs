//! A model of ours as a file for Threat Modeling Tool: our stencils and rules as its template, elements where our layout
//! puts them, threats with what is known about them.
//!
//! GUIDs are made of identities, so the same model gives the same file.

mod existing;
mod knowledge;
mod names;
mod place;
mod stored;
mod surface;
mod threats;

use std::fmt::Write as _;

use kubestride_analysis::Analysis;
use kubestride_diagram::Options;
use kubestride_model::Model;
use kubestride_template::ThreatType;

use crate::write::escaped;

pub use existing::Existing;
pub(crate) use names::guid;
pub(crate) use stored::Stored;
pub(crate) use surface::REASON;
pub(crate) use threats::{ACCEPTED, COMPUTED};

/// A file and what it could not take.
#[derive(Debug)]
pub struct Emitted {
    /// The text of the `.tm7` file.
    pub text: String,
    /// What the format cannot hold, with why, one sentence each.
    pub left_out: Vec<String>,
}

/// Writes a model, its threats and the types of threats that the tool can generate itself. Of a file that is there
/// already positions, decisions, what people wrote about the model and what they drew are kept.
pub fn emit(model: &Model, types: &[ThreatType], analysis: &Analysis, name: &str, existing: &Existing) -> Emitted {
    let options = Options { most_shapes: usize::MAX, most_lines: usize::MAX, ..Options::default() };
    let placed = place::place(model, &kubestride_diagram::layout(model, &options), existing);
    let rules = knowledge::rules(model, types);
    let mut xml = Xml::default();
    xml.text.push_str(
        "<ThreatModel xmlns=\"http://schemas.datacontract.org/2004/07/ThreatModeling.Model\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">",
    );
    xml.text.push_str("<DrawingSurfaceList>");
    surface::write(&mut xml, model, &placed, &rules, name, existing);
    xml.text.push_str("</DrawingSurfaceList>");
    about(&mut xml, name, existing);
    let mut left_out =
        threats::write(&mut xml, model, types, analysis, &rules, &threats::Page { name, placed: &placed, existing });
    xml.text.push_str(
        "<ThreatGenerationEnabled>true</ThreatGenerationEnabled><Validations \
         xmlns:a=\"http://schemas.datacontract.org/2004/07/ThreatModeling.KnowledgeBase\"/><Version>4.3</Version>",
    );
    knowledge::write(&mut xml, model, types, &rules);
    xml.text.push_str("<Profile><PromptedKb xmlns=\"\"/></Profile></ThreatModel>");
    let hidden = place::hidden(model, &placed);
    if hidden > 0 {
        left_out
            .push(format!("{hidden} elements and flows that every workload has (DNS, probes, images) are not drawn"));
    }
    left_out.extend(rules.left_out);
    Emitted { text: xml.text, left_out }
}

/// What people wrote about the model, with the name that it has now.
fn about(xml: &mut Xml, name: &str, existing: &Existing) {
    let mut named = Xml::default();
    named.leaf("ThreatModelName", name);
    let Some(kept) = &existing.about else {
        xml.text.push_str("<MetaInformation><Assumptions/><Contributors/><ExternalDependencies/>");
        xml.text.push_str("<HighLevelSystemDescription/><Owner/><Reviewer/>");
        xml.text.push_str(&named.text);
        xml.text.push_str("</MetaInformation><Notes/>");
        return;
    };
    let mut before = Xml::default();
    before.leaf("ThreatModelName", existing.name.as_deref().unwrap_or(""));
    xml.text.push_str(&kept.replacen(&before.text, &named.text, 1));
}

/// Text that is being written, and the number of the next object.
#[derive(Default)]
pub(crate) struct Xml {
    pub(crate) text: String,
    objects: u32,
}

impl Xml {
    /// An element with a text, or an empty one.
    fn leaf(&mut self, tag: &str, text: &str) {
        // Writing to a string does not fail.
        let _ = match text {
            "" => write!(self.text, "<{tag}/>"),
            text => write!(self.text, "<{tag}>{}</{tag}>", escaped(text)),
        };
    }

    /// An element without a value.
    fn nil(&mut self, tag: &str) {
        let _ = write!(self.text, "<{tag} i:nil=\"true\"/>");
    }

    /// An element of the namespace that shapes have their fields in.
    fn field(&mut self, tag: &str, text: &str) {
        const NAMESPACE: &str = "http://schemas.datacontract.org/2004/07/ThreatModeling.Model.Abstracts";
        let _ = match text {
            "" => write!(self.text, "<{tag} xmlns=\"{NAMESPACE}\"/>"),
            text => write!(self.text, "<{tag} xmlns=\"{NAMESPACE}\">{}</{tag}>", escaped(text)),
        };
    }

    /// The id of the next object: `i1`, `i2` …
    fn object(&mut self) -> String {
        self.objects += 1;
        format!("i{}", self.objects)
    }
}
