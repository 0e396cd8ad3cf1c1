//! Calls renderers and takes in what they write.

use std::{
    ffi::{OsStr, OsString},
    io::BufRead,
    path::{Path, PathBuf},
};

use kubestride_source::{Diagnostic, FileId, FileOrigin, some_of};

use crate::{
    Render,
    kustomize::Graph,
    loader::{Loader, Syntax},
    process::{self, Ended, Run},
    read,
    walk::{Place, shown},
};

/// A call of a renderer.
pub(crate) struct Call<'a> {
    /// What is rendered, as people name it.
    pub(crate) place: &'a Place,
    /// The program with its whole path.
    pub(crate) program: PathBuf,
    /// What it is given.
    pub(crate) arguments: Vec<OsString>,
    /// The command as people know it: `kustomize build`.
    pub(crate) tool: &'static str,
    /// The command to type to see what it says.
    pub(crate) command: String,
    /// An empty directory for it.
    pub(crate) home: &'a Path,
}

/// Has kustomize build the kustomization in `top`, unless something stands against it.
pub(crate) fn kustomize(loader: &mut Loader<'_>, input: usize, graph: &Graph, top: &Place) {
    let network = loader.options.render == Render::Network;
    let mut helm = false;
    let mut refused = false;
    for (_, node) in graph.reached(&top.canonical, true) {
        helm |= node.helm;
        for problem in node.problems.iter().filter(|problem| !(network && problem.network)) {
            refused = true;
            loader.report(input, problem.diagnostic.clone());
        }
    }
    if refused {
        return;
    }
    let folder = quoted(&shown(&top.path));
    let (program, tool) = if let Some(program) = find(loader, "kustomize") {
        (program, "kustomize build")
    } else if let Some(program) = find(loader, "kubectl") {
        (program, "kubectl kustomize")
    } else {
        let message = format!("{} was not rendered: neither kustomize nor kubectl is installed", shown(&top.path));
        let help = format!(
            "kustomize: https://kubectl.docs.kubernetes.io/installation/kustomize/, or run `kubectl kustomize {folder} | kubestride analyze -` where it is"
        );
        loader.report(input, Diagnostic::error("renderer-missing", message).with_help(help));
        return;
    };
    let verb = if tool == "kustomize build" { "build" } else { "kustomize" };
    let mut arguments: Vec<OsString> = vec![verb.into(), "--load-restrictor=LoadRestrictionsRootOnly".into()];
    if helm {
        arguments.push("--enable-helm".into());
    }
    arguments.push(top.canonical.clone().into());
    let Some(home) = home(loader, input) else { return };
    let command = format!("{tool} {folder}");
    let call = Call { place: top, program, arguments, tool, command, home: home.path() };
    render(loader, input, &call);
}

/// Where a program is, if it is installed.
pub(crate) fn find(loader: &Loader<'_>, name: &str) -> Option<PathBuf> {
    process::find(name, loader.path.as_deref()?)
}

/// A fresh directory that goes away with the value.
pub(crate) fn home(loader: &mut Loader<'_>, input: usize) -> Option<tempfile::TempDir> {
    match tempfile::Builder::new().prefix("kubestride-").tempdir() {
        Ok(home) => Some(home),
        Err(error) => {
            let message = format!("nothing can be rendered without a temporary directory: {}", error.kind());
            loader.report(input, Diagnostic::error("render-failed", message));
            None
        }
    }
}

/// Runs it, and adds what it writes.
pub(crate) fn render(loader: &mut Loader<'_>, input: usize, call: &Call<'_>) -> Option<FileId> {
    let name = shown(&call.place.path);
    let timeout = loader.options.render_timeout;
    let max_output = loader.options.max_render_bytes.min(loader.limit());
    let run = Run {
        program: &call.program,
        arguments: &call.arguments,
        path: loader.path.as_deref().unwrap_or(OsStr::new("")),
        home: call.home,
        network: loader.options.render == Render::Network,
        timeout,
        max_output,
    };
    let what = match process::run(&run) {
        Ended::Done(output) => {
            let origin = FileOrigin::Rendered { tool: call.tool.to_owned() };
            let name = format!("{name} ({})", call.tool);
            return loader.add(name, read::decode(output), origin, input, Syntax::Yaml);
        }
        Ended::Failed(status, errors) => {
            let status = status.map_or("was ended by a signal".to_owned(), |s| format!("failed with exit status {s}"));
            let places = places(&errors, call.place);
            let at = if places.is_empty() { String::new() } else { format!(", at {}", some_of(&places)) };
            format!("{status}{at}")
        }
        Ended::TimedOut => format!("took longer than {} seconds and was ended", timeout.as_secs_f64()),
        Ended::TooMuch => format!("wrote more than {max_output} bytes and was ended"),
        Ended::NotStarted(kind) => format!("could not be started: {kind}"),
    };
    let message = format!("{name} was not rendered: `{}` {what}", call.tool);
    // What it said may hold values of Secrets, so it is not repeated.
    let help = format!("run `{}` to see what it says", call.command);
    loader.report(input, Diagnostic::error("render-failed", message).with_help(help));
    None
}

/// The places in `errors` of the form `file:line` that do exist in the directory. Nothing else of it is repeated.
fn places(errors: &[u8], root: &Place) -> Vec<String> {
    let text = String::from_utf8_lossy(errors);
    let mut found = Vec::new();
    let breaks = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | ',' | ';');
    for word in text.split(breaks).filter(|word| word.contains(':')).take(1000) {
        let mut parts = word.split(':');
        let Some(file) = parts.next().filter(|file| !file.is_empty()) else { continue };
        let Some(line) = parts.next().and_then(|line| line.parse::<usize>().ok()) else { continue };
        if let Some(file) = inside(Path::new(file), root)
            && has_line(&root.canonical.join(&file), line)
        {
            let place = format!("{}:{line}", shown(&root.path.join(file)));
            if !found.contains(&place) {
                found.push(place);
            }
        }
        if found.len() >= 5 {
            break;
        }
    }
    found
}

/// `file` from the root on, if it is there. Helm puts the name of the chart before it.
fn inside(file: &Path, root: &Place) -> Option<PathBuf> {
    let without_chart: PathBuf = file.components().skip(1).collect();
    [file, without_chart.as_path()].into_iter().find_map(|candidate| {
        let canonical = root.canonical.join(candidate).canonicalize().ok().filter(|path| path.is_file())?;
        canonical.strip_prefix(&root.canonical).ok().map(Path::to_path_buf)
    })
}

/// Whether there is such a line: a number that is none of a line is a value.
fn has_line(file: &Path, line: usize) -> bool {
    let Ok(bytes) = read::file(file, 8 << 20) else { return false };
    line >= 1 && bytes.lines().count() >= line
}

/// `text` as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | '%' | ':' | '=');
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("a/b-c"), "a/b-c");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's; rm"), "'it'\\''s; rm'");
        assert_eq!(quoted("--x"), "./--x");
    }
}
