//! `kubestride connections`.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use kubestride_policy::Version;
use kubestride_policy::connections::{Connections, Line, Workload};
use kubestride_policy::network::{Effect, Reason, Verdict};
use kubestride_source::{SourceMap, some_of};

use crate::{UNUSABLE, messages, near};

/// More connections than anybody reads.
const MANY: usize = 100_000;

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
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = crate::analyze::namespace_name)]
    namespace: String,

    /// The version of Kubernetes, such as 1.33: it decides which versions of policies its API server serves; what it
    /// does not serve is no policy. (Pod Security Standards, which it decides for `analyze`, stop no connections.)
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
    let everything = from.is_none() && to.is_none();
    if everything && io::stdout().is_terminal() && is_longer(&connections, arguments.format, MANY) {
        bail!("there are more than {MANY} connections: give --from or --to, or write them to a file");
    }
    let mut out = BufWriter::with_capacity(1 << 16, anstream::stdout().lock());
    let written = match arguments.format {
        Form::Text => text(&connections, from, to, &mut out)?,
        Form::Json => json(&connections, from, to, &mut out)?,
    };
    if let (Form::Text, Some(from), Some(to)) = (arguments.format, from, to) {
        explain(&connections, from, to, &loaded.sources, &mut out)?;
    }
    out.flush()?;
    let Written { lines, unknown } = written;
    if arguments.quiet {
        return Ok(ExitCode::SUCCESS);
    }
    if unknown > 0 && arguments.format == Form::Text {
        messages::note(&format!("of {unknown} connections some ports are not known: --format json lists them"));
    }
    if everything && lines > MANY {
        messages::note(&format!("these are {lines} connections: --from and --to ask for those of one workload"));
    }
    Ok(ExitCode::SUCCESS)
}

/// How much was written.
#[derive(Debug, Default)]
struct Written {
    /// Connections.
    lines: usize,
    /// Those of which some ports are not known, written or not.
    unknown: usize,
}

/// Whether there are more connections than so many.
fn is_longer(connections: &Connections<'_>, form: Form, most: usize) -> bool {
    let mut count = 0;
    let counted = connections.each(None, None, &mut |line| {
        count += usize::from(form == Form::Json || !line.ports.is_empty());
        if count > most { Err(()) } else { Ok(()) }
    });
    counted.is_err()
}

/// Writes a line for each connection.
fn text(
    connections: &Connections<'_>,
    from: Option<&Workload<'_>>,
    to: Option<&Workload<'_>>,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut written = Written::default();
    let mut network: Option<String> = None;
    connections.each(from, to, &mut |line| -> io::Result<()> {
        written.unknown += usize::from(!line.unknown.is_empty());
        if line.ports.is_empty() {
            return Ok(());
        }
        written.lines += 1;
        if line.network != network.as_deref() {
            network = line.network.map(str::to_owned);
            writeln!(out, "\nin the network {}:", network.as_deref().unwrap_or_default())?;
        }
        writeln!(out, "{line}")
    })?;
    Ok(written)
}

/// Writes a list with an object for each connection.
fn json(
    connections: &Connections<'_>,
    from: Option<&Workload<'_>>,
    to: Option<&Workload<'_>>,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut written = Written::default();
    out.write_all(b"[")?;
    connections.each(from, to, &mut |line| -> io::Result<()> {
        out.write_all(if written.lines == 0 { b"\n  {" } else { b",\n  {" })?;
        written.lines += 1;
        object(line, out)?;
        out.write_all(b"\n  }")
    })?;
    out.write_all(if written.lines == 0 { b"]\n" } else { b"\n]\n" })?;
    Ok(written)
}

/// The fields of a connection, in the order of their names.
fn object(line: &Line<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (ports, unknown) = (line.ports.to_string(), line.unknown.to_string());
    let fields = [
        ("network", line.network),
        ("ports", Some(ports.as_str())),
        ("source", Some(line.source)),
        ("target", Some(line.target)),
        ("unknown", Some(unknown.as_str()).filter(|_| !line.unknown.is_empty())),
    ];
    let mut separator = "\n";
    for (key, value) in fields.iter().filter_map(|(key, value)| Some((key, (*value)?))) {
        write!(out, "{separator}    \"{key}\": ")?;
        serde_json::to_writer(&mut *out, value)?;
        separator = ",\n";
    }
    Ok(())
}

/// The rules that decide about a pair.
fn explain(
    connections: &Connections<'_>,
    from: &Workload<'_>,
    to: &Workload<'_>,
    sources: &SourceMap,
    out: &mut dyn Write,
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
    out: &mut dyn Write,
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
    let fits = |w: &&Workload<'_>| w.name == name || parts(&w.plain_name()).contains(&name);
    let mut found: Vec<&Workload<'_>> = connections.workloads().iter().filter(fits).collect();
    found.dedup_by(|a, b| a.name == b.name);
    let all = || connections.workloads().iter().map(|w| w.name.as_str());
    match found.as_slice() {
        [one] => Ok(one),
        [] => match near::nearest(name, all(), parts).as_slice() {
            [] => {
                let mut all: Vec<&str> = all().collect();
                all.dedup();
                let known = if all.is_empty() {
                    "the input has none".to_owned()
                } else {
                    format!("there are {}", some_of(&all))
                };
                bail!("no workload is called {name}: {known}")
            }
            near => bail!("no workload is called {name}: did you mean {}?", near.join(" or ")),
        },
        several => {
            let names: Vec<&str> = several.iter().map(|w| w.name.as_str()).collect();
            bail!("{name} could be one of {}", some_of(&names))
        }
    }
}

/// What may be said for the name of a workload: with and without its namespace.
fn parts(name: &str) -> Vec<&str> {
    let path = name.rsplit_once('[').map_or(name, |(path, _)| path);
    [path].into_iter().chain(path.split_once('/').map(|(_, own)| own)).collect()
}
