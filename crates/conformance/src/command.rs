//! The `kubestride` command as a process.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The binary, built once per test program.
///
/// # Panics
/// If it does not build.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(crate::workspace());
        cargo.args(["build", "--package", "kubestride", "--bin", "kubestride", "--message-format", "json", "--quiet"]);
        let output = cargo.output().unwrap_or_else(|e| panic!("cannot run cargo: {e}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubestride does not build:\n{errors}");
        let messages = String::from_utf8_lossy(&output.stdout);
        let artifact = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let executable = artifact.filter_map(|m| m.get("executable")?.as_str().map(PathBuf::from)).next_back();
        executable.unwrap_or_else(|| panic!("cargo names no executable"))
    })
}

/// How a call ended.
#[derive(Debug)]
pub struct Run {
    /// The exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// Standard error.
    pub messages: String,
    /// How long it took.
    pub time: Duration,
}

/// Calls `kubestride` with `threads` threads (0: as many as it likes) and ends it after `limit`.
///
/// # Errors
/// A call that did not end in time.
///
/// # Panics
/// If the process cannot be started.
pub fn kubestride<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
    threads: usize,
    limit: Duration,
) -> Result<Run, String> {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(crate::workspace());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("NO_COLOR", "1").env_remove("RAYON_NUM_THREADS");
    if threads > 0 {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    let start = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start kubestride: {e}"));
    let mut pipe = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = &mut pipe {
            // What was read before an error is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() > limit => {
                // It may have ended meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("still running after {} s", limit.as_secs()));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => panic!("cannot wait for kubestride: {error}"),
        }
    };
    let time = start.elapsed();
    Ok(Run { status: status.code(), messages: reader.join().unwrap_or_default(), time })
}
