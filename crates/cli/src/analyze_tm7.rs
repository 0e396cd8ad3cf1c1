//! `kubestride analyze` on a model of Microsoft's Threat Modeling Tool.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use kubestride_discover::Scope;
use kubestride_report::{Drawn, Format, Input, Report};
use kubestride_source::{Diagnostic, FileOrigin, Level, SourceMap};
use kubestride_tmt::xml::Tree;
use kubestride_tmt::{Meta, Surface, Tm7};

use crate::analyze::{Arguments, element, write};
use crate::{UNUSABLE, date, messages};

/// The model among the inputs; it stands alone.
///
/// # Errors
/// Other inputs beside it.
pub(crate) fn among(inputs: &[PathBuf]) -> Result<Option<&Path>> {
    let is_model = |path: &&PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tm7"));
    match (inputs, inputs.iter().find(is_model)) {
        ([_], Some(model)) => Ok(Some(model)),
        (_, Some(model)) => bail!("{} is a model of its own: analyse it without other inputs", model.display()),
        (_, None) => Ok(None),
    }
}

/// What people wrote about a model, where they did.
fn about(meta: &Meta) -> Vec<(&'static str, String)> {
    let all = [
        ("Threat model", &meta.name),
        ("Owner", &meta.owner),
        ("Reviewer", &meta.reviewer),
        ("Contributors", &meta.contributors),
        ("Description", &meta.description),
        ("Assumptions", &meta.assumptions),
        ("External dependencies", &meta.dependencies),
    ];
    all.into_iter().filter(|(_, text)| !text.trim().is_empty()).map(|(name, text)| (name, text.clone())).collect()
}

/// Analyses a model with the template inside.
///
/// # Errors
/// Arguments that make no sense, and outputs that cannot be written.
pub(crate) fn run(arguments: &Arguments, path: &Path, outputs: &[(&Path, &'static dyn Format)]) -> Result<ExitCode> {
    let mut sources = SourceMap::new();
    let text = match kubestride_input::model_file(path) {
        Ok(text) => text,
        Err(diagnostic) => {
            messages::diagnostics(&sources, &[*diagnostic], arguments.quiet);
            return Ok(ExitCode::from(UNUSABLE));
        }
    };
    let name = path.display().to_string();
    let file = sources.add(&name, text, FileOrigin::Stated);
    let text = sources.text(file);
    let tree = match Tree::parse(file, &text) {
        Ok(tree) => tree,
        Err(error) => {
            messages::diagnostics(&sources, &[error.into()], arguments.quiet);
            return Ok(ExitCode::from(UNUSABLE));
        }
    };
    let (tm7, mut diagnostics) = Tm7::read(file, &tree);
    let converted = kubestride_tmt::convert(&tm7, file);
    let generated = converted.generate(&tm7);
    diagnostics.extend(converted.diagnostics.iter().cloned());
    if !generated.lost.is_empty() {
        let count = generated.lost.len();
        let message =
            format!("{count} decided threats are about flows or threat types that are not in the model any more");
        diagnostics.push(Diagnostic::note("lost-decisions", message));
    }
    messages::diagnostics(&sources, &diagnostics, arguments.quiet);
    if diagnostics.iter().any(|d| d.level == Level::Error) {
        return Ok(ExitCode::from(UNUSABLE));
    }
    let draw = |surface: &Surface| Drawn {
        identity: surface.guid.clone(),
        name: if surface.name.is_empty() { "Diagram".to_owned() } else { surface.name.clone() },
        drawing: kubestride_tmt::draw(surface),
    };
    let drawings: Vec<Drawn> = tm7.surfaces.iter().map(draw).collect();
    let about = about(&tm7.meta);
    let objects = converted.model.elements().len() + converted.model.flows().len();
    let inputs = [Input { name, kind: "tm7".to_owned(), files: 1, documents: drawings.len(), objects }];
    let today = arguments.date.clone().unwrap_or_else(date::today);
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        scope: Scope::from(arguments.scope).as_str(),
        date: &today,
        inputs: &inputs,
        sources: &sources,
        model: &converted.model,
        types: &converted.types,
        analysis: &generated.analysis,
        diagnostics: &diagnostics,
        focus: arguments.focus.as_deref().map(|name| element(&converted.model, name)).transpose()?,
        about: &about,
        drawn: &drawings,
    };
    write(&report, arguments, outputs)?;
    Ok(ExitCode::SUCCESS)
}
