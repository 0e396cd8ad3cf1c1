//! Collects the texts of all inputs.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ffi::OsString,
    io::Read,
    path::Path,
};

use kubestride_manifest::Manifests;
use kubestride_source::{Diagnostic, FileId, FileOrigin, Level, SourceMap, Span};

use crate::{
    InputInfo, Loaded, Options, Unread, directory, fold, helm, kustomize, parse,
    read::{self, Decoded, Failure},
    template_text,
    walk::{Place, shown},
};

/// A [`Span`] has 32 bits, and text that is no UTF-8 can grow to three times its size.
const MAX_FILE: u64 = 1 << 30;

/// One text that is parsed.
#[derive(Debug)]
pub(crate) struct Text {
    /// The file it is in the source map.
    pub(crate) file: FileId,
    /// The input it belongs to.
    pub(crate) input: usize,
    /// How it is read.
    pub(crate) syntax: Syntax,
    /// Offsets of what is not text.
    pub(crate) bad: Vec<usize>,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Yaml,
    Json,
    /// Looks like JSON, but its name does not say so.
    Either,
}

/// What is known of an input beside what is told about it.
#[derive(Debug, Clone, Copy)]
struct State {
    /// The input that it was found in.
    parent: Option<usize>,
    /// Whether something was said about it that explains why it is empty.
    failed: bool,
}

/// Collects what is read.
pub(crate) struct Loader<'o> {
    pub(crate) options: &'o Options,
    /// Where renderers are looked for.
    pub(crate) path: Option<OsString>,
    pub(crate) sources: SourceMap,
    texts: Vec<Text>,
    diagnostics: Vec<Diagnostic>,
    inputs: Vec<InputInfo>,
    states: Vec<State>,
    seen: HashSet<std::path::PathBuf>,
    stdin_read: bool,
    bytes: u64,
    files: usize,
    full: bool,
}

impl<'o> Loader<'o> {
    pub(crate) fn new(options: &'o Options, path: Option<OsString>) -> Self {
        Self {
            options,
            path,
            sources: SourceMap::new(),
            texts: Vec::new(),
            diagnostics: Vec::new(),
            inputs: Vec::new(),
            states: Vec::new(),
            seen: HashSet::new(),
            stdin_read: false,
            bytes: 0,
            files: 0,
            full: false,
        }
    }

    /// Begins an input, or a part of `parent` that is told about by itself.
    pub(crate) fn input(&mut self, name: String, kind: &'static str, parent: Option<usize>) -> usize {
        self.inputs.push(InputInfo { name, kind, files: 0, documents: 0, objects: 0 });
        self.states.push(State { parent, failed: false });
        self.inputs.len() - 1
    }

    /// Says something about an input.
    pub(crate) fn report(&mut self, input: usize, diagnostic: Diagnostic) {
        if diagnostic.level == Level::Error {
            self.fail(input);
        }
        self.diagnostics.push(diagnostic);
    }

    fn fail(&mut self, input: usize) {
        let mut next = Some(input);
        while let Some(state) = next.and_then(|index| self.states.get_mut(index)) {
            state.failed = true;
            next = state.parent;
        }
    }

    /// Reads `-`.
    pub(crate) fn stdin(&mut self, reader: &mut dyn Read) {
        if std::mem::replace(&mut self.stdin_read, true) {
            return;
        }
        let input = self.input("-".to_owned(), "stdin", None);
        let limit = self.limit();
        match read::stream(reader, limit) {
            Ok(bytes) => {
                let decoded = read::decode(bytes);
                let syntax = sniff(&decoded.text, Path::new("-"));
                let file = self.add("<stdin>".to_owned(), decoded, FileOrigin::Stated, input, syntax);
                if let Some(file) = file {
                    self.set_templates(file);
                }
            }
            Err(failure) => self.failure(input, "standard input", failure, limit),
        }
    }

    /// Reads a file or a directory that was given by its name.
    pub(crate) fn path(&mut self, path: &Path) {
        let name = shown(path);
        let canonical = match path.canonicalize() {
            Ok(canonical) => canonical,
            Err(error) => {
                let input = self.input(name.clone(), "file", None);
                let diagnostic = if error.kind() == std::io::ErrorKind::NotFound {
                    Diagnostic::error("no-such-input", format!("there is no file or directory {name}"))
                } else {
                    Diagnostic::error("unreadable", format!("{name} cannot be read: {}", error.kind()))
                };
                self.report(input, diagnostic);
                return;
            }
        };
        let place = Place { path: path.to_path_buf(), canonical };
        if place.canonical.is_dir() {
            directory::load(self, &place);
            return;
        }
        let input = self.input(name.clone(), "file", None);
        if kustomize::FILES.iter().any(|known| path.file_name().is_some_and(|file| file == *known)) {
            let message = format!("{name} is a kustomization, which is rendered when its directory is named");
            self.report(input, Diagnostic::warning("kustomization-file", message));
        }
        self.read(input, &place);
    }

    /// Reads a file, unless it was read before.
    pub(crate) fn read(&mut self, input: usize, place: &Place) {
        if !self.seen.insert(place.canonical.clone()) {
            // Read as part of another input, which counts it.
            self.fail(input);
            return;
        }
        let name = shown(&place.path);
        if self.full {
            self.fail(input);
            return;
        }
        if self.files >= self.options.max_files {
            self.full = true;
            let message = format!("there are more than {} files; the rest was not read", self.options.max_files);
            self.report(input, Diagnostic::error("too-many-files", message));
            return;
        }
        if let Some(chart) = helm::chart_of_template(&place.canonical) {
            self.unrendered(input, &name, Some(&chart));
            return;
        }
        let limit = self.limit();
        let decoded = match read::file(&place.canonical, limit) {
            Ok(bytes) => read::decode(bytes),
            Err(failure) => return self.failure(input, &name, failure, limit),
        };
        let syntax = sniff(&decoded.text, &place.path);
        self.add(name, decoded, FileOrigin::Stated, input, syntax);
    }

    /// Adds a text to what will be parsed.
    pub(crate) fn add(
        &mut self,
        name: String,
        decoded: Decoded,
        origin: FileOrigin,
        input: usize,
        syntax: Syntax,
    ) -> Option<FileId> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(decoded.text.len() as u64);
        if origin == FileOrigin::Stated && syntax != Syntax::Json && template_text::is_template(&decoded.text) {
            self.unrendered(input, &name, None);
            return None;
        }
        let invalid = decoded.bad.first().map(|at| (*at, read::position(&decoded.text, *at)));
        let file = self.sources.add(name.clone(), decoded.text, origin);
        if let Some((at, (line, column))) = invalid {
            let message = format!("{name} is not valid {} at line {line}, column {column}", decoded.encoding);
            let help = "the documents that hold such bytes were not read; save the file as UTF-8";
            let at = u32::try_from(at).unwrap_or(0);
            let span = Span::new(file, at, at.saturating_add(3));
            self.report(input, Diagnostic::error("invalid-utf8", message).at(span).with_help(help));
        }
        if let Some(info) = self.inputs.get_mut(input) {
            info.files += 1;
        }
        self.texts.push(Text { file, input, syntax, bad: decoded.bad });
        Some(file)
    }

    /// Takes over from the `# Source:` comments of helm which template each part comes from.
    pub(crate) fn set_templates(&mut self, file: FileId) {
        let templates = helm::templates_of(&self.sources.text(file));
        self.sources.set_templates(file, templates);
    }

    /// How large the next file may be.
    pub(crate) fn limit(&self) -> u64 {
        let left = self.options.max_total_bytes.saturating_sub(self.bytes);
        self.options.max_file_bytes.min(left).min(MAX_FILE)
    }

    fn failure(&mut self, input: usize, name: &str, failure: Failure, limit: u64) {
        let diagnostic = match failure {
            Failure::NotRegular => {
                Diagnostic::error("not-a-file", format!("{name} is a device, a pipe or a socket and was not read"))
                    .with_help("pipe it in and name it `-`")
            }
            Failure::TooLarge if limit < self.options.max_file_bytes.min(MAX_FILE) => {
                let most = self.options.max_total_bytes;
                let message = format!("{name} was not read: all files together are larger than {} MiB", most >> 20);
                Diagnostic::error("too-large", message)
            }
            Failure::TooLarge => {
                Diagnostic::error("too-large", format!("{name} was not read: it is larger than {} MiB", limit >> 20))
            }
            Failure::Io(kind) => {
                Diagnostic::error("unreadable", format!("{name} cannot be read: {}", crate::read::wording(kind)))
            }
        };
        self.report(input, diagnostic);
    }

    /// Says that a file is a template.
    fn unrendered(&mut self, input: usize, name: &str, chart: Option<&Path>) {
        let message = format!("{name} is a template of Helm and was not read");
        let help = match chart {
            Some(_) => "name the directory of its chart, or render it: `helm template … | kubestride analyze -`",
            None => "render it first: `helm template … | kubestride analyze -`",
        };
        self.report(input, Diagnostic::error("unrendered-helm", message).with_help(help));
    }

    /// Parses all texts.
    pub(crate) fn finish(mut self) -> Loaded {
        let mut manifests = Manifests::new();
        let mut documents = vec![0; self.inputs.len()];
        let said = parse::parse(&self.texts, &mut self.sources, &mut manifests, &mut documents);
        for (input, diagnostic) in said {
            self.report(input, diagnostic);
        }
        for (info, documents) in self.inputs.iter_mut().zip(documents) {
            info.documents = documents;
        }
        self.empty_inputs();
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        diagnostics.extend(manifests.finish(&self.options.namespace));
        self.count(&manifests);
        let unread = self.unread(&diagnostics);
        let diagnostics = fold::fold(diagnostics, &self.sources);
        Loaded { sources: self.sources, manifests, diagnostics, inputs: self.inputs, unread }
    }

    /// An error has a place in a file that was read, or is about one that was not.
    fn unread(&self, diagnostics: &[Diagnostic]) -> Unread {
        let errors = || diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
        let partly: BTreeSet<FileId> = errors().filter_map(|error| Some(error.span?.file)).collect();
        let wholly = errors().filter(|error| error.span.is_none()).count();
        let read: usize = self.inputs.iter().map(|info| info.files).sum();
        let broken = partly.len() + wholly;
        Unread { broken, all: broken.max(read + wholly) }
    }

    fn count(&mut self, manifests: &Manifests) {
        let inputs: BTreeMap<FileId, usize> = self.texts.iter().map(|text| (text.file, text.input)).collect();
        for object in manifests.objects() {
            if let Some(info) = inputs.get(&object.span().file).and_then(|input| self.inputs.get_mut(*input)) {
                info.objects += 1;
            }
        }
    }

    /// An input that holds nothing was most likely not meant: the file before the pipe was not found.
    fn empty_inputs(&mut self) {
        let mut documents: Vec<usize> = self.inputs.iter().map(|info| info.documents).collect();
        for index in (0..documents.len()).rev() {
            let own = documents.get(index).copied().unwrap_or(0);
            if let Some(parent) = self.states.get(index).and_then(|state| state.parent)
                && let Some(sum) = documents.get_mut(parent)
            {
                *sum += own;
            }
        }
        for (index, documents) in documents.into_iter().enumerate() {
            let Some(state) = self.states.get(index).copied() else { continue };
            if documents == 0 && !state.failed && state.parent.is_none() {
                let name = self.inputs.get(index).map_or("", |info| info.name.as_str());
                let name = if name == "-" { "standard input" } else { name };
                let message = format!("there are no manifests in {name}");
                self.report(index, Diagnostic::error("no-manifests", message));
            }
        }
    }
}

/// What a text is, from its name and its beginning.
fn sniff(text: &str, path: &Path) -> Syntax {
    let extension = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or("");
    let start = text.trim_start();
    if extension.eq_ignore_ascii_case("json") {
        Syntax::Json
    } else if !extension.eq_ignore_ascii_case("yaml")
        && !extension.eq_ignore_ascii_case("yml")
        && start.starts_with(['{', '['])
        && !start.starts_with("{{")
    {
        Syntax::Either
    } else {
        Syntax::Yaml
    }
}
