//! A reader that has seen enough (`kubestride … | head`) ends the program at once, without a word.

mod program;

use std::io::Read as _;
use std::process::{Command, Stdio};

use program::Folder;

/// So many pods that no output fits into a pipe and what is read of it here.
fn many() -> String {
    let pod = |at: usize| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: pod-{at}, labels: {{ app: a{at} }} }}\nspec: {{ containers: \
             [{{ name: c, image: 'registry.example/a:1', securityContext: {{ privileged: true }} }}] }}\n"
        )
    };
    (0..200).map(pod).collect()
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let folder = Folder::new(&[("pods.yaml", many().as_bytes())]);
    let commands: [&[&str]; 7] = [
        &["connections"],
        &["connections", "--format", "json"],
        &["analyze", "--format", "json"],
        &["analyze", "--format", "sarif"],
        &["analyze", "--format", "html"],
        &["analyze", "--format", "md"],
        &["analyze", "--format", "csv"],
    ];
    for arguments in commands {
        let arguments = [arguments, &["-q", "pods.yaml"]].concat();
        let whole = folder.run(&arguments);
        assert!(whole.status == 0 && whole.err.is_empty(), "{arguments:?}: {}", whole.err);
        assert!(whole.out.len() > 70_000, "{arguments:?}: {} bytes fit into a pipe", whole.out.len());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubestride"));
        command.args(&arguments).current_dir(folder.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut pipe = child.stdout.take().expect("a pipe");
        pipe.read_exact(&mut [0; 10]).expect("a beginning");
        drop(pipe);
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{arguments:?}");
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}");
    }
}
