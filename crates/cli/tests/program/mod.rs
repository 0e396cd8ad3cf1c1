//! Calls the program in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A pod with one threat that is easy to see.
#[allow(dead_code, reason = "each test program has its own copy of this module")]
pub(crate) const POD: &str = "apiVersion: v1
kind: Pod
metadata: { name: good }
spec:
  containers:
    - name: c
      image: registry.example/a:1
      securityContext: { privileged: true }
";

/// A folder with files.
pub(crate) struct Folder(TempDir);

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    #[allow(dead_code, reason = "each test program has its own copy of this module")]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect(name)
    }

    /// `kubestride` with these arguments, in at most two gigabytes of addresses.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, Stdio::null())
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: Stdio) -> Run {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 2000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_kubestride")]);
        let output = command.args(arguments).current_dir(self.path()).stdin(stdin).output().expect("it runs");
        Run {
            status: output.status.code().expect("no signal ends it"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}
