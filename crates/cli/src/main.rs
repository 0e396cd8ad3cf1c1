//! The `kubestride` command: one module per subcommand. This is the only place that prints and exits.

mod analyze;
mod analyze_tm7;
mod connections;
mod convert;
mod date;
mod messages;
mod model_file;
mod models;
mod near;
mod observed;
mod replace;
mod summary;
mod template;
mod triage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Threat modelling for Kubernetes: data-flow diagram, trust boundaries and STRIDE threats from manifests.
#[derive(Debug, Parser)]
#[command(name = "kubestride", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse manifests and write threats, model and diagram.
    Analyze(analyze::Arguments),
    /// Print which connections network policies allow.
    Connections(connections::Arguments),
    /// Write manifests as a .tm7 model for Microsoft's Threat Modeling Tool.
    Convert(convert::Arguments),
    /// Say what changed between two .tm7 models.
    Diff(models::Diff),
    /// Merge two versions of a .tm7 model with the one that both began with.
    Merge(models::Merge),
    /// Export and check templates of Microsoft's Threat Modeling Tool.
    Template(template::Arguments),
    /// Decide about threats of a .tm7 model: state, justification, priority.
    Triage(triage::Arguments),
}

/// Exit status for input or arguments that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Connections(arguments) => connections::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Diff(arguments) => models::run_diff(&arguments),
        Command::Merge(arguments) => models::run_merge(&arguments),
        Command::Template(arguments) => template::run(&arguments),
        Command::Triage(arguments) => triage::run(&arguments),
    };
    match result {
        Ok(code) => code,
        // A reader that has seen enough (`kubestride … | head`) is not a failure of ours.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            messages::error(&format!("{error:#}"));
            ExitCode::from(UNUSABLE)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|e| e.downcast_ref::<std::io::Error>());
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
