//! Opens files, standard input, helm and kustomize.
//!
//! This is the only room that touches the world outside. What it opens comes from strangers, so every read has a
//! limit, only regular files are opened, and a renderer is called only after its input was looked through for what
//! would reach the network or execute something. Messages name files, never what stands in them.
//!
//! [`load`] goes three ways to one list of texts: files as they are (`read`), directories (`walk`, `directory`), and
//! rendered texts (`kustomize`, `helm`, `render`, `process`). The texts are parsed together, in parallel, and put back
//! in order (`parse`).

mod address;
mod chart;
mod directory;
mod fold;
mod helm;
mod kustomize;
mod kustomize_check;
mod loader;
mod model_file;
mod overlays;
mod parse;
mod process;
mod read;
mod render;
mod small;
mod template_text;
mod walk;

use std::{ffi::OsString, io::Read, path::PathBuf, time::Duration};

use kubestride_manifest::Manifests;
use kubestride_source::{Diagnostic, SourceMap};

pub use model_file::{model_file, template_files};
/// Whether `helm` and `kustomize` may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Render {
    /// Never: charts and kustomizations are read as far as that is possible without them.
    Never,
    /// Yes, but nothing may leave this machine: what would need the network is refused.
    #[default]
    Local,
    /// Yes, and they may fetch what they refer to. Plugins are refused all the same.
    Network,
}

/// How to read, and how much.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether renderers may be called.
    pub render: Render,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// Largest single file.
    pub max_file_bytes: u64,
    /// Most bytes of all files together, rendered texts too.
    pub max_total_bytes: u64,
    /// Most files of one run.
    pub max_files: usize,
    /// How long one renderer may run.
    pub render_timeout: Duration,
    /// Most bytes that one renderer may write.
    pub max_render_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            render: Render::default(),
            namespace: "default".to_owned(),
            max_file_bytes: 256 << 20,
            max_total_bytes: 1 << 30,
            max_files: 200_000,
            render_timeout: Duration::from_secs(60),
            max_render_bytes: 256 << 20,
        }
    }
}

/// What was read.
pub struct Loaded {
    /// All texts.
    pub sources: SourceMap,
    /// The objects in them.
    pub manifests: Manifests,
    /// What was said on the way, in the order of the inputs.
    pub diagnostics: Vec<Diagnostic>,
    /// One for each path that was given, and one for each rendering.
    pub inputs: Vec<InputInfo>,
    /// How much of the input was not read.
    pub unread: Unread,
}

/// Files, charts and kustomizations of the input, and how many of them were not read, or not in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Those with an error.
    pub broken: usize,
    /// All of them.
    pub all: usize,
}

/// What one input came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// The path as it was given; `-` for standard input.
    pub name: String,
    /// `file`, `directory`, `stdin`, `helm` or `kustomize`.
    pub kind: &'static str,
    /// How many files were read.
    pub files: usize,
    /// How many documents they hold that could be read.
    pub documents: usize,
    /// How many Kubernetes objects were found in them.
    pub objects: usize,
}

/// What [`load`] takes from the process it runs in.
pub struct Surroundings<'a> {
    /// Where `-` is read from.
    pub stdin: &'a mut dyn Read,
    /// Where `helm`, `kustomize` and `kubectl` are looked for, and what they get as `PATH`.
    pub path: Option<OsString>,
}

/// Reads all `paths`; `-` is standard input.
pub fn load(paths: &[PathBuf], options: &Options) -> Loaded {
    let mut stdin = std::io::stdin();
    load_in(paths, options, Surroundings { stdin: &mut stdin, path: std::env::var_os("PATH") })
}

/// The same with another standard input and other tools.
pub fn load_in(paths: &[PathBuf], options: &Options, surroundings: Surroundings<'_>) -> Loaded {
    let mut loader = loader::Loader::new(options, surroundings.path);
    for path in paths {
        if path.as_os_str() == "-" {
            loader.stdin(surroundings.stdin);
        } else {
            loader.path(path);
        }
    }
    loader.finish()
}
