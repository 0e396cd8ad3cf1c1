//! Files of recorded traffic.

use std::path::PathBuf;

use anyhow::Result;
use kubestride_discover::{Discovered, Observation};
use kubestride_model::SubjectRef;
use kubestride_source::{Diagnostic, FileOrigin};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Observed;

use crate::model_file;

/// Recorded traffic, by what kind of file it is in.
pub(crate) struct Recorded {
    /// Manifests (ClientIntents), which are read with the other input.
    pub(crate) manifests: Vec<PathBuf>,
    /// Names and texts of logs.
    logs: Vec<(String, String)>,
}

/// Reads the files; those that hold no JSON are manifests.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Recorded> {
    let mut recorded = Recorded { manifests: Vec::new(), logs: Vec::new() };
    for path in paths {
        let text = model_file::text(path)?;
        if text.trim_start().starts_with('{') {
            recorded.logs.push((path.display().to_string(), text));
        } else {
            recorded.manifests.push(path.clone());
        }
    }
    Ok(recorded)
}

impl Recorded {
    /// The connections of all logs, whose texts become sources.
    pub(crate) fn add(self, loaded: &mut kubestride_input::Loaded) -> Vec<Observation> {
        let mut observations = Vec::new();
        for (name, text) in self.logs {
            let file = loaded.sources.add(&name, text.as_str(), FileOrigin::Stated);
            let (seen, diagnostics) = kubestride_discover::observed::read(file, &name, &text);
            observations.extend(seen);
            loaded.diagnostics.extend(diagnostics);
        }
        observations
    }
}

/// What the recorded traffic says about the flows of the model, in one sentence.
pub(crate) fn summary(discovered: &Discovered) -> Diagnostic {
    let model = &discovered.model;
    let count = |wanted: Observed| {
        let value = attr::OBSERVED.value(wanted);
        let is = |id| model.value(SubjectRef::Flow(id), attr::OBSERVED.id) == Some(value);
        model.flows().filter(|(id, _)| is(*id)).count()
    };
    let [confirmed, only, never] = [Observed::Confirmed, Observed::OnlySeen, Observed::NeverSeen].map(count);
    let strangers = discovered.strangers;
    let message = format!(
        "recorded traffic: {confirmed} flows confirmed, {only} only seen, {never} declared and not seen, {strangers} \
         connections of parties that are not in the input"
    );
    Diagnostic::note("recorded-traffic", message)
}
