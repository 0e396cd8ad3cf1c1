//! Runs a renderer: in an environment of its own, for a limited time, with limited output.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Most bytes of the error stream that are looked at.
const MAX_STDERR: u64 = 1 << 20;

/// Settings of the network, which are handed on only when the network may be used.
const NETWORK: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// What to run.
pub(crate) struct Run<'a> {
    /// The program, with its whole path.
    pub(crate) program: &'a Path,
    /// What it is given.
    pub(crate) arguments: &'a [OsString],
    /// Its `PATH`.
    pub(crate) path: &'a OsStr,
    /// An empty directory of its own: its home and where it starts.
    pub(crate) home: &'a Path,
    /// Whether it may use the network.
    pub(crate) network: bool,
    /// How long it may run.
    pub(crate) timeout: Duration,
    /// Most bytes it may write.
    pub(crate) max_output: u64,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Well, with this output.
    Done(Vec<u8>),
    /// With an exit status, none for a signal, and this on its error stream, which may hold secrets.
    Failed(Option<i32>, Vec<u8>),
    /// It ran too long and was killed.
    TimedOut,
    /// It wrote too much and was killed.
    TooMuch,
    /// It could not be started.
    NotStarted(io::ErrorKind),
}

enum Stream {
    Output(Vec<u8>, bool),
    Errors(Vec<u8>),
}

/// Runs it to its end. Nothing it started in its process group outlives this.
pub(crate) fn run(run: &Run<'_>) -> Ended {
    let end = Instant::now() + run.timeout;
    let mut child = match start(run) {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(error.kind()),
    };
    let ended = wait(&mut child, end, run.max_output);
    kill(&mut child);
    let status = child.wait().ok();
    match ended {
        Err(ended) => ended,
        Ok((output, errors)) => match status {
            Some(status) if status.success() => Ended::Done(output),
            Some(status) => Ended::Failed(status.code(), errors),
            None => Ended::Failed(None, errors),
        },
    }
}

/// Waits until both streams are closed and the process has ended.
fn wait(child: &mut Child, end: Instant, max_output: u64) -> Result<(Vec<u8>, Vec<u8>), Ended> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        let sender = sender.clone();
        // Never joined: what left the process group may hold the stream open for ever.
        std::thread::spawn(move || {
            let (bytes, more) = drain(stream, max_output, false);
            let _ = sender.send(Stream::Output(bytes, more));
        });
    }
    if let Some(stream) = child.stderr.take() {
        std::thread::spawn(move || {
            let (bytes, _) = drain(stream, MAX_STDERR, true);
            let _ = sender.send(Stream::Errors(bytes));
        });
    }
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Stream::Output(_, true)) => return Err(Ended::TooMuch),
            Ok(Stream::Output(bytes, false)) => output = bytes,
            Ok(Stream::Errors(bytes)) => errors = bytes,
            Err(RecvTimeoutError::Timeout) => return Err(Ended::TimedOut),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    while !has_ended(child) {
        if Instant::now() >= end {
            return Err(Ended::TimedOut);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok((output, errors))
}

/// At most `limit` bytes, and whether there were more. With `to_end` the rest is read too, so that the writer does
/// not wait for a reader.
fn drain(mut stream: impl Read, limit: u64, to_end: bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let read = (&mut stream).take(limit).read_to_end(&mut bytes);
    let mut rest = [0; 8192];
    let mut more = false;
    while read.is_ok() && matches!(stream.read(&mut rest), Ok(1..)) {
        more = true;
        if !to_end {
            break;
        }
    }
    (bytes, more)
}

fn start(run: &Run<'_>) -> io::Result<Child> {
    let mut command = Command::new(run.program);
    command.args(run.arguments).current_dir(run.home).env_clear();
    command.env("PATH", run.path).env("LANG", "C").env("HOME", run.home).env("TMPDIR", run.home);
    for (name, folder) in [
        ("HELM_CACHE_HOME", "helm/cache"),
        ("HELM_CONFIG_HOME", "helm/config"),
        ("HELM_DATA_HOME", "helm/data"),
        ("HELM_PLUGINS", "helm/plugins"),
        ("XDG_CACHE_HOME", "xdg/cache"),
        ("XDG_CONFIG_HOME", "xdg/config"),
        ("XDG_DATA_HOME", "xdg/data"),
    ] {
        command.env(name, run.home.join(folder));
    }
    command.env("GIT_TERMINAL_PROMPT", "0");
    if run.network {
        for name in NETWORK {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
    } else {
        // What gets past the look before the call finds no way out: git speaks no protocol, and HTTP goes nowhere.
        command.env("GIT_ALLOW_PROTOCOL", "none");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, "http://127.0.0.1:9");
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Whether the process has ended. It stays as a zombie until it is waited for, and with it the number of its group.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that there is nothing to wait for.
    pid(child).is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Kills the process and all of its group that is left.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = pid(child) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

#[cfg(unix)]
fn pid(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// The program `name` in one of the directories of `path`. Relative ones are left out: they would mean directories of
/// the input.
pub(crate) fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).filter(|directory| directory.is_absolute()).find_map(|directory| {
        let program = directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        is_executable(&program).then_some(program)
    })
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    program.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(program: &Path) -> bool {
    program.is_file()
}
