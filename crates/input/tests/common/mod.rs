//! A directory with inputs and stand-ins for tools.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use kubestride_input::{Loaded, Options, Surroundings, load_in};

/// A program that is still open for writing in a child that another test starts cannot be run, so only one test at a
/// time writes and runs programs.
static PROGRAMS: Mutex<()> = Mutex::new(());

/// A deployment without anything in it.
pub(crate) const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\n";

/// A temporary directory with inputs, and programs beside them.
pub(crate) struct World {
    root: tempfile::TempDir,
    programs: tempfile::TempDir,
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a directory"),
            programs: tempfile::tempdir().expect("a directory"),
            _one_at_a_time: PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Puts a shell script on the `PATH` of renderers.
    pub(crate) fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.programs.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("rights");
    }

    pub(crate) fn load(&self, names: &[&str], options: &Options) -> Loaded {
        self.load_with(names, options, b"")
    }

    pub(crate) fn load_with(&self, names: &[&str], options: &Options, mut stdin: &[u8]) -> Loaded {
        let paths: Vec<PathBuf> =
            names.iter().map(|name| if *name == "-" { PathBuf::from("-") } else { self.path(name) }).collect();
        let path = Some(self.programs.path().as_os_str().to_owned());
        load_in(&paths, options, Surroundings { stdin: &mut stdin, path })
    }

    /// A name as messages have it: without the part that changes from run to run.
    pub(crate) fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.root.path().display()), "").replace(&show(self.root.path()), "ROOT")
    }

    pub(crate) fn codes(&self, loaded: &Loaded) -> Vec<&'static str> {
        loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    /// All messages with their help.
    pub(crate) fn said(&self, loaded: &Loaded) -> String {
        let lines: Vec<String> = loaded
            .diagnostics
            .iter()
            .map(|d| format!("{} {}: {} ({})\n", d.level.as_str(), d.code, d.message, d.help.as_deref().unwrap_or("")))
            .collect();
        self.short(&lines.concat())
    }

    /// The names of all files that were read.
    pub(crate) fn files(&self, loaded: &Loaded) -> Vec<String> {
        loaded.sources.files().map(|(_, file)| self.short(file.name())).collect()
    }

    /// The text of the file whose name ends so.
    pub(crate) fn text(&self, loaded: &Loaded, end: &str) -> String {
        let (id, _) = loaded.sources.files().find(|(_, file)| file.name().ends_with(end)).expect("the file");
        loaded.sources.text(id).to_string()
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn objects(loaded: &Loaded) -> usize {
    loaded.inputs.iter().map(|input| input.objects).sum()
}
