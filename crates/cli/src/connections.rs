//! `kubestride connections`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use kubestride_policy::connections::{Connection, Connections, Workload};
use kubestride_policy::network::{Effect, Reason, Verdict};
use kubestride_policy::pod_security::Version;
use kubestride_source::SourceMap;

use crate::{UNUSABLE, messages};

/// Arguments of `kubestride connections`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Manifests: files, directories, or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    inputs: Vec<PathBuf>,

    /// Only connections from this workload: its name, or as the output writes it.
    #[arg(long, value_name = "WORKLOAD")]
    from: Option<String>,

    /// Only connections to this workload. With --from, the rules that decide are listed.
    #[arg(long, value_name = "WORKLOAD")]
    to: Option<String>,

    /// How to write them.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,

    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,

    /// The version of Kubernetes, such as 1.33: what its API server does not serve is no policy.
    #[arg(long, value_name = "VERSION", value_parser = crate::analyze::kubernetes_version, default_value = "1.37")]
    kubernetes_version: Version,

    /// Print no messages about the input but errors.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// `source => target : ports`, a line each.
    Text,
    /// A list of objects with `source`, `target` and `ports`; `unknown` has ports of which manifests do not tell whether
    /// they are allowed, `network` the network if it is not the primary one.
    Json,
}

/// Runs the subcommand.
///
/// # Errors
/// Names that no workload has, and output that cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let options = kubestride_input::Options { namespace: arguments.namespace.clone(), ..Default::default() };
    let loaded = kubestride_input::load(&arguments.inputs, &options);
    messages::diagnostics(&loaded.sources, &loaded.diagnostics, arguments.quiet);
    if loaded.manifests.objects().next().is_none() {
        messages::error("no Kubernetes object was found in the input");
        return Ok(ExitCode::from(UNUSABLE));
    }
    let discover = kubestride_discover::Options {
        scope: kubestride_discover::Scope::Application,
        namespace: arguments.namespace.clone(),
        kubernetes: arguments.kubernetes_version,
    };
    let (circumstances, mut diagnostics) = kubestride_discover::circumstances(&loaded.manifests, &discover);
    let connections = Connections::read_in(&loaded.manifests, &arguments.namespace, &circumstances);
    diagnostics.extend(connections.diagnostics());
    messages::diagnostics(&loaded.sources, &diagnostics, arguments.quiet);
    messages::unread(loaded.unread);
    let from = arguments.from.as_deref().map(|name| named(&connections, name)).transpose()?;
    let to = arguments.to.as_deref().map(|name| named(&connections, name)).transpose()?;
    let allowed = connections.all(from, to);
    let mut out = anstream::stdout().lock();
    if arguments.format == Form::Json {
        serde_json::to_writer_pretty(&mut out, &allowed.iter().map(json).collect::<Vec<_>>())?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let unknown = allowed.iter().filter(|c| !c.unknown.is_empty()).count();
    if unknown > 0 && !arguments.quiet {
        messages::note(&format!("of {unknown} connections some ports are not known: --format json lists them"));
    }
    let mut network = None;
    for connection in allowed.iter().filter(|c| !c.ports.is_empty()) {
        if connection.network != network {
            network.clone_from(&connection.network);
            writeln!(out, "\nin the network {}:", network.as_deref().unwrap_or_default())?;
        }
        writeln!(out, "{connection}")?;
    }
    if let (Some(from), Some(to)) = (from, to) {
        explain(&connections, from, to, &loaded.sources, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn json(connection: &Connection) -> serde_json::Value {
    let (source, target) = (&connection.source, &connection.target);
    let mut value = serde_json::json!({ "source": source, "target": target, "ports": connection.ports.to_string() });
    if let (false, Some(fields)) = (connection.unknown.is_empty(), value.as_object_mut()) {
        fields.insert("unknown".to_owned(), connection.unknown.to_string().into());
    }
    if let (Some(network), Some(fields)) = (&connection.network, value.as_object_mut()) {
        fields.insert("network".to_owned(), network.as_str().into());
    }
    value
}

/// The rules that decide about a pair.
fn explain(
    connections: &Connections<'_>,
    from: &Workload<'_>,
    to: &Workload<'_>,
    sources: &SourceMap,
    out: &mut dyn std::io::Write,
) -> Result<()> {
    match connections.between(from, to) {
        Some(verdict) => reasons(&verdict, from, to, sources, out)?,
        None => {
            writeln!(out, "{} => {} : No Connections", from.name, to.name)?;
            writeln!(out, "  their primary networks are different ones")?;
        }
    }
    for (network, verdict) in connections.beside(from, to) {
        writeln!(out, "\nin the network {network}:")?;
        reasons(&verdict, from, to, sources, out)?;
    }
    Ok(())
}

fn reasons(
    verdict: &Verdict,
    from: &Workload<'_>,
    to: &Workload<'_>,
    sources: &SourceMap,
    out: &mut dyn std::io::Write,
) -> Result<()> {
    if verdict.ports().is_empty() {
        writeln!(out, "{} => {} : No Connections", from.name, to.name)?;
    }
    if !verdict.unknown().is_empty() {
        writeln!(out, "  not known: {}", verdict.unknown())?;
    }
    for (who, what, side) in [(from, "may send", &verdict.egress), (to, "may accept", &verdict.ingress)] {
        writeln!(out, "  {} {what}: {}", who.name, side.allowed)?;
        if side.reasons.is_empty() {
            writeln!(out, "    no policy is about it")?;
        }
        for Reason { cited, ports, effect, .. } in &side.reasons {
            let at = sources.location(cited.span).map_or(String::new(), |at| format!(":{}:{}", at.line, at.column));
            let does = match effect {
                Effect::Allows => format!("allows {ports}"),
                Effect::Denies => format!("denies {ports}"),
                Effect::Passes => format!("leaves {ports} to others"),
                Effect::Isolates if ports.is_all() => "stops everything".to_owned(),
                Effect::Isolates => "stops everything else".to_owned(),
                Effect::Undetermined => format!("may be about {ports}: manifests do not tell"),
            };
            writeln!(out, "    {} ({}{at}) {does}", cited.identity, sources.name(cited.span.file))?;
        }
    }
    Ok(())
}

/// The workload of this name, which may be given with its namespace, or as outputs write it.
fn named<'c, 'a>(connections: &'c Connections<'a>, name: &str) -> Result<&'c Workload<'a>> {
    let short = |w: &Workload<'_>| {
        let path = w.name.split('[').next().unwrap_or("");
        path == name || path.split_once('/').is_some_and(|(_, own)| own == name)
    };
    let mut found: Vec<&Workload<'_>> = connections.workloads().iter().filter(|w| w.name == name || short(w)).collect();
    found.dedup_by(|a, b| a.name == b.name);
    match found.as_slice() {
        [one] => Ok(one),
        [] => bail!("no workload is called {name}"),
        several => {
            let names: Vec<&str> = several.iter().map(|w| w.name.as_str()).collect();
            bail!("{name} could be {}", names.join(" or "))
        }
    }
}
