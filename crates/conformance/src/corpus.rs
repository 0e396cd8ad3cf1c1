//! The public corpora beside the checkout.

use std::io::Write as _;
use std::path::PathBuf;

/// A folder of the corpora, or none (and a line that says so) where `KUBESTRIDE_CORPUS` is not set.
///
/// # Panics
/// If the variable is set and the folder is not there: a test that cannot run must not pass.
pub fn corpus(folder: &str, test: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("KUBESTRIDE_CORPUS").filter(|v| !v.is_empty()) else {
        say(&format!("{test}: skipped, KUBESTRIDE_CORPUS is not set"));
        return None;
    };
    // Tests run in the folder of their package; a relative path is meant from the workspace.
    let path = crate::workspace().join(root).join(folder);
    assert!(path.is_dir(), "KUBESTRIDE_CORPUS is set, but {} is not there", path.display());
    Some(path)
}

/// Says something that is seen whether or not the test passes.
pub fn say(text: &str) {
    let mut out = std::io::stderr().lock();
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(out, "{text}");
}
