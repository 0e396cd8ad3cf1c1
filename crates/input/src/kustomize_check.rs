//! Looks through kustomizations for what would use the network or execute something.

use std::{path::Path, sync::Arc};

use kubestride_source::{Diagnostic, SourceMap, Span};
use kubestride_yaml::{Limits, Tree, Value};

use crate::{
    address::{is_remote, without_credentials},
    kustomize::{Node, Pending, Problem},
    small::{self, fields},
    walk::{Place, shown, tidy},
};

/// Generators and transformers that are part of kustomize and run nothing.
const BUILTIN: [&str; 19] = [
    "AnnotationsTransformer",
    "ConfigMapGenerator",
    "HashTransformer",
    "HelmChartInflationGenerator",
    "IAMPolicyGenerator",
    "ImageTagTransformer",
    "LabelTransformer",
    "LegacyOrderTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SecretGenerator",
    "SortOrderTransformer",
    "SuffixTransformer",
];

/// What the files and directories of a list are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Objects.
    Base,
    /// Components, which change what is there.
    Component,
    /// Configurations of plugins.
    Plugin,
    /// Files that are only read.
    Data,
}

/// Looks through one kustomization.
pub(crate) struct Check<'a> {
    /// The directory it is in.
    pub(crate) pending: &'a Pending,
    /// The name of its file.
    pub(crate) file: String,
    /// What is found.
    pub(crate) node: &'a mut Node,
    /// Where files are added that it names.
    pub(crate) sources: &'a mut SourceMap,
    /// Where directories are added that it names.
    pub(crate) more: &'a mut Vec<Pending>,
}

impl Check<'_> {
    /// Looks through the whole document.
    pub(crate) fn kustomization(&mut self, root: Value<'_>) {
        self.node.component |= small::text(root, "kind") == Some("Component");
        let lists: [(&str, Role); 9] = [
            ("resources", Role::Base),
            ("bases", Role::Base),
            ("components", Role::Component),
            ("generators", Role::Plugin),
            ("transformers", Role::Plugin),
            ("validators", Role::Plugin),
            ("crds", Role::Data),
            ("configurations", Role::Data),
            ("patchesstrategicmerge", Role::Data),
        ];
        for (key, role) in lists {
            for list in fields(root, key) {
                for item in list.items().filter(|item| !item.is_null()) {
                    self.item(key, role, item);
                }
            }
        }
        for key in ["patches", "patchesjson6902", "replacements", "configmapgenerator", "secretgenerator", "openapi"] {
            for value in fields(root, key) {
                self.paths(key, value, 0);
            }
        }
        for key in ["helmcharts", "helmchartinflationgenerator"] {
            for value in fields(root, key).into_iter().filter(|value| !value.is_empty()) {
                self.helm(value.span());
                self.paths(key, value, 0);
            }
        }
    }

    fn item(&mut self, key: &str, role: Role, item: Value<'_>) {
        let Some(text) = item.scalar_text() else {
            if role == Role::Plugin {
                self.problem(false, item.span(), format!("an entry of `{key}` that is not a path"));
            }
            return;
        };
        if text.trim().contains('\n') {
            if role == Role::Plugin {
                self.inline_plugin(text, item.span());
            }
        } else if is_remote(text) {
            self.remote(key, text, item.span(), role);
        } else {
            self.local(key, role, text, item.span());
        }
    }

    fn remote(&mut self, key: &str, text: &str, span: Span, role: Role) {
        let name = without_credentials(text);
        self.problem(true, span, format!("`{key}` names the remote place {name}"));
        if role == Role::Base {
            self.node.remote.push(name);
        }
    }

    fn local(&mut self, key: &str, role: Role, text: &str, span: Span) {
        let directory = &self.pending.place;
        let path = directory.path.join(text);
        let Ok(canonical) = directory.canonical.join(text).canonicalize() else {
            // What is no file here, kustomize takes for the address of a repository.
            if role != Role::Data {
                self.problem(true, span, format!("`{key}` names {}, which is not here", without_credentials(text)));
            }
            return;
        };
        let place = Place { path: tidy(&path), canonical };
        if place.canonical.is_dir() {
            match role {
                Role::Base => self.node.bases.push(place.canonical.clone()),
                _ => self.node.components.push(place.canonical.clone()),
            }
            let plugins = role == Role::Plugin || self.pending.plugins;
            self.more.push(Pending { place, plugins });
            return;
        }
        self.inside(key, text, &place.canonical, span);
        self.node.named.push(place.canonical.clone());
        match role {
            Role::Plugin => self.plugin_file(&place, span),
            Role::Base if self.pending.plugins => self.plugin_file(&place, span),
            Role::Base => self.node.resources.push(place),
            Role::Component | Role::Data => {}
        }
    }

    fn plugin_file(&mut self, place: &Place, span: Span) {
        match small::documents(place, self.sources) {
            Some(trees) => {
                for tree in &trees {
                    self.plugin(tree.root(), tree.root().span());
                }
            }
            None => self.problem(false, span, format!("{}, which cannot be read", shown(&place.path))),
        }
    }

    fn inline_plugin(&mut self, text: &str, span: Span) {
        let text: Arc<str> = text.into();
        for document in kubestride_yaml::read(span.file, &text, &Limits::default()) {
            match document.tree.as_ref().filter(|tree| tree.is_bounded()).map(Tree::root) {
                Some(root) => self.plugin(root, span),
                None => self.problem(false, span, "a plugin that cannot be read".to_owned()),
            }
        }
    }

    /// Checks the configuration of one generator, transformer or validator.
    fn plugin(&mut self, root: Value<'_>, span: Span) {
        let kind = small::text(root, "kind").unwrap_or("");
        let metadata = fields(root, "metadata");
        let function = metadata.iter().any(|metadata| {
            !fields(*metadata, "configfn").is_empty()
                || fields(*metadata, "annotations")
                    .iter()
                    .flat_map(|annotations| annotations.entries())
                    .any(|entry| matches!(small::folded(entry.key).as_str(), FUNCTION | FUNCTION_SHORT))
        });
        if function {
            self.problem(false, span, "a plugin that runs a container or a program".to_owned());
        } else if small::text(root, "apiversion") != Some("builtin") || !BUILTIN.contains(&kind) {
            self.problem(false, span, "a plugin that is not part of kustomize".to_owned());
        } else if kind == "HelmChartInflationGenerator" {
            self.helm(span);
        }
        // The text of inline configurations is not that of the file, so only the place of the whole is known.
        let mut remote = Vec::new();
        remote_paths(root, &mut remote, 0);
        for (_, name) in remote {
            self.problem(true, span, format!("a plugin names the remote place {name}"));
        }
    }

    /// Files that are named somewhere in `value`.
    fn paths(&mut self, key: &str, value: Value<'_>, depth: usize) {
        let mut remote = Vec::new();
        remote_paths(value, &mut remote, depth);
        for (span, name) in remote {
            self.problem(true, span, format!("`{key}` names the remote place {name}"));
        }
        let mut local = Vec::new();
        let directory = &self.pending.place.canonical;
        path_texts(value, 0, &mut |text, path| {
            let file = directory.join(path).canonicalize().ok();
            local.extend(file.filter(|file| file.is_file()).map(|file| (text.span(), path.to_owned(), file)));
        });
        for (span, path, file) in local {
            self.inside(key, &path, &file, span);
            self.node.named.push(file);
        }
    }

    /// Files are below the kustomization that names them, which kustomize insists on too.
    fn inside(&mut self, key: &str, text: &str, file: &Path, span: Span) {
        if !file.starts_with(&self.pending.place.canonical) {
            let what = format!("`{key}` names {}, which is outside its directory", without_credentials(text));
            self.problem(false, span, what);
        }
    }

    fn helm(&mut self, span: Span) {
        self.node.helm = true;
        self.problem(true, span, "it inflates a Helm chart".to_owned());
    }

    fn problem(&mut self, network: bool, span: Span, what: String) {
        let message = format!("{} was not rendered: {what}", self.file);
        let folder = shown(&self.pending.place.path);
        let help = if network {
            format!("allow it with `--render=network`, or run `kustomize build {folder} | kubestride analyze -`")
        } else {
            format!("if you trust it, run `kustomize build {folder} | kubestride analyze -` with the options it needs")
        };
        let diagnostic = Diagnostic::error("render-refused", message).at(span).with_help(help);
        self.node.problems.push(Problem { network, diagnostic });
    }
}

/// The annotation that makes a resource the configuration of a function.
const FUNCTION: &str = "config.kubernetes.io/function";
/// Its other name.
const FUNCTION_SHORT: &str = "config.k8s.io/function";

/// Keys whose texts are paths that kustomize opens.
const PATHS: [&str; 9] =
    ["path", "paths", "files", "env", "envs", "valuesfile", "additionalvaluesfiles", "repo", "charthome"];

fn path_texts<'t>(value: Value<'t>, depth: usize, each: &mut dyn FnMut(Value<'t>, &'t str)) {
    if depth > 16 {
        return;
    }
    for item in value.items() {
        path_texts(item, depth + 1, each);
    }
    for entry in value.entries() {
        if PATHS.contains(&small::folded(entry.key).as_str()) {
            for text in std::iter::once(entry.value).chain(entry.value.items()) {
                if let Some(path) = text.scalar_text() {
                    each(text, path);
                    // Generators give files other names: `name=path`.
                    if let Some((_, path)) = path.split_once('=') {
                        each(text, path);
                    }
                }
            }
        } else {
            path_texts(entry.value, depth + 1, each);
        }
    }
}

fn remote_paths(value: Value<'_>, found: &mut Vec<(Span, String)>, depth: usize) {
    path_texts(value, depth, &mut |text, path| {
        let known = found.last().is_some_and(|(span, _)| *span == text.span());
        if !known && is_remote(path) {
            found.push((text.span(), without_credentials(path)));
        }
    });
}
