//! Charts of Helm.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use kubestride_source::{Diagnostic, some_of};

use crate::{
    Render, chart,
    loader::Loader,
    render::{self, Call, quoted},
    small,
    walk::{self, Place, shown},
};

/// How deep charts in charts are followed.
const MAX_DEPTH: usize = 8;

/// Loads the chart in `place`.
pub(crate) fn load(loader: &mut Loader<'_>, place: &Place, input: usize) {
    let name = shown(&place.path);
    if loader.options.render == Render::Never {
        return unrendered(loader, place, input);
    }
    let Some(documents) = chart::documents(place, "Chart.yaml", &mut loader.sources) else {
        let message = format!("{name}/Chart.yaml cannot be read, so it is not known what rendering it would do");
        loader.report(input, Diagnostic::error("render-refused", message));
        return;
    };
    if documents.iter().any(|tree| small::text(tree.root(), "type") == Some("library")) {
        let message = format!("{name} is a library chart, which holds nothing by itself");
        loader.report(input, Diagnostic::note("library-chart", message));
        return;
    }
    if let Some(link) = chart::link_out(&place.canonical) {
        let link = shown(&place.path.join(link));
        let message = format!("{name} was not rendered: {link} leads out of the chart, and helm would follow it");
        loader.report(input, Diagnostic::error("render-refused", message));
        return;
    }
    let missing = chart::missing_dependencies(place, &documents, &mut loader.sources);
    let network = loader.options.render == Render::Network;
    if !missing.is_empty() && !network {
        let message =
            format!("{name} was not rendered: it needs charts that are not in its charts/: {}", some_of(&missing));
        let help =
            format!("fetch them with `helm dependency build {}`, or allow it with `--render=network`", quoted(&name));
        loader.report(input, Diagnostic::error("render-refused", message).with_help(help));
        return;
    }
    let release = release_name(&place.canonical);
    let command = format!("helm template {release} {}", quoted(&name));
    let Some(program) = render::find(loader, "helm") else {
        let message = format!("{name} was not rendered: helm is not installed");
        let help = format!("helm: https://helm.sh/docs/intro/install/, or run `{command} | kubestride analyze -`");
        loader.report(input, Diagnostic::error("renderer-missing", message).with_help(help));
        return;
    };
    let Some(home) = render::home(loader, input) else { return };
    let mut folder = place.canonical.clone();
    let mut flags = Vec::new();
    let mut arguments: Vec<OsString> = vec!["template".into(), release.into()];
    if !missing.is_empty() {
        // Fetching writes into the chart, which is not ours to change.
        folder = home.path().join("chart");
        let mut left = loader.options.max_total_bytes;
        if chart::copy(&place.canonical, &folder, &mut left, 0).is_err() {
            let message = format!("{name} was not rendered: it cannot be copied to a temporary directory");
            loader.report(input, Diagnostic::error("render-failed", message));
            return;
        }
        flags.push("--dependency-update");
    }
    arguments.push(folder.into());
    arguments.extend(flags.into_iter().map(OsString::from));
    arguments.extend(["--include-crds".into(), "--namespace".into(), loader.options.namespace.clone().into()]);
    let call = Call { place, program, arguments, tool: "helm template", command, home: home.path() };
    if let Some(file) = render::render(loader, input, &call) {
        loader.set_templates(file);
    }
}

/// Names the templates of a chart that is not rendered, and reads its custom resource definitions, which are none.
fn unrendered(loader: &mut Loader<'_>, place: &Place, input: usize) {
    let mut templates = Vec::new();
    let mut definitions = Vec::new();
    collect(place, loader.options.max_files, &mut templates, &mut definitions, 0);
    if !templates.is_empty() {
        let message = format!(
            "{} was not rendered, and its templates were not read: {}",
            shown(&place.path),
            some_of(&templates)
        );
        let help = format!("run `helm template {} | kubestride analyze -`", quoted(&shown(&place.path)));
        loader.report(input, Diagnostic::error("unrendered-helm", message).with_help(help));
    }
    for definition in &definitions {
        loader.read(input, definition);
    }
}

fn collect(chart: &Place, most: usize, templates: &mut Vec<String>, definitions: &mut Vec<Place>, depth: usize) {
    let below = |name: &str| Place { path: chart.path.join(name), canonical: chart.canonical.join(name) };
    for (name, is_template) in [("templates", true), ("crds", false)] {
        let place = below(name);
        if !place.canonical.is_dir() {
            continue;
        }
        let files = walk::walk(&place, most).files;
        if is_template {
            templates.extend(files.iter().map(|file| shown(&file.path)));
        } else {
            definitions.extend(files);
        }
    }
    let mut charts: Vec<OsString> = std::fs::read_dir(chart.canonical.join("charts"))
        .map(|entries| entries.flatten().take(1000).map(|entry| entry.file_name()).collect())
        .unwrap_or_default();
    charts.sort();
    for name in charts {
        let place = Place {
            path: chart.path.join("charts").join(&name),
            canonical: chart.canonical.join("charts").join(&name),
        };
        if depth < MAX_DEPTH && place.canonical.join("Chart.yaml").is_file() {
            collect(&place, most, templates, definitions, depth + 1);
        }
    }
}

/// The chart whose template `file` is.
pub(crate) fn chart_of_template(file: &Path) -> Option<PathBuf> {
    file.ancestors()
        .skip(1)
        .filter(|directory| directory.file_name().is_some_and(|name| name == "templates"))
        .filter_map(Path::parent)
        .find(|chart| chart.join("Chart.yaml").is_file())
        .map(Path::to_path_buf)
}

/// Where the `# Source:` comments are that helm writes at the start of each document, and what they say.
pub(crate) fn templates_of(text: &str) -> Vec<(u32, String)> {
    let mut templates = Vec::new();
    let mut at = 0;
    let mut begins = true;
    for line in text.split_inclusive('\n') {
        if begins && let Some(name) = line.strip_prefix("# Source: ") {
            let name: String = name.trim_end().chars().take(400).collect();
            templates.extend(u32::try_from(at).ok().map(|at| (at, shown(Path::new(&name)))));
        }
        begins = line.trim_end() == "---";
        at += line.len();
    }
    templates
}

/// The name of the directory as a label of DNS, which names of releases are.
fn release_name(directory: &Path) -> String {
    let name = directory.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(53).collect();
    let label = label.trim_matches('-');
    if label.is_empty() { "release".to_owned() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{release_name, templates_of};

    #[test]
    fn names_of_releases() {
        assert_eq!(release_name(Path::new("/x/My_Chart.v2")), "my-chart-v2");
        assert_eq!(release_name(Path::new("/")), "release");
    }

    #[test]
    fn source_comments() {
        let text = "---\n# Source: a/templates/x.yaml\na: |\n  # Source: no\n---\n# Source: a/templates/y.yaml\nb: 1\n";
        let expected = [(4, "a/templates/x.yaml".to_owned()), (69, "a/templates/y.yaml".to_owned())];
        let offset = text.find("# Source: a/templates/y").unwrap_or(0) as u32;
        let found = templates_of(text);
        assert_eq!(found.first(), expected.first());
        assert_eq!(found.get(1).map(|t| t.0), Some(offset));
        assert_eq!(found.len(), 2);
    }
}
