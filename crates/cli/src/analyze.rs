//! `kubestride analyze`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use kubestride_discover::Scope;
use kubestride_model::{ElementId, ElementKind, Model};
use kubestride_policy::Version;
use kubestride_report::{Format, Input, Report};
use kubestride_source::{FileOrigin, Span, some_of};
use kubestride_template::ThreatType;
use kubestride_template::filter::Lists;

use crate::{UNUSABLE, analyze_tm7, date, messages, model_file, observed, summary};

/// Arguments of `kubestride analyze`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Manifests: files, directories, or `-` for standard input; or a .tm7 model of Microsoft's Threat Modeling Tool.
    #[arg(required = true, value_name = "PATH")]
    inputs: Vec<PathBuf>,

    /// Write a report; the ending of the name says which: .html .md .json .sarif .csv, pictures as .svg
    /// .png .mmd .dot, or flows.tsv. May be given several times.
    #[arg(short, long = "output", value_name = "FILE")]
    pub(crate) outputs: Vec<PathBuf>,

    /// Write this format to standard output instead of the summary.
    #[arg(long, value_name = "FORMAT", value_parser = format_names())]
    pub(crate) format: Option<String>,

    /// How complete the input is; decides what absence means.
    #[arg(long, value_enum, default_value_t = ScopeArgument::Application)]
    pub(crate) scope: ScopeArgument,

    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = namespace_name)]
    namespace: String,

    /// The version of Kubernetes, such as 1.33: it decides which Pod Security Standards pods are judged by, and which
    /// versions of policies its API server serves; what it does not serve is no policy.
    #[arg(long, value_name = "VERSION", value_parser = kubernetes_version, default_value = "1.37")]
    kubernetes_version: Version,

    /// Traffic that was recorded: flows of Hubble (`hubble observe -o jsonpb`), logs of KubeArmor (`karmor logs
    /// --json`), or Otterize's ClientIntents. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) observed: Vec<PathBuf>,

    /// Show one service with its neighbours in pictures: its name, or its identity such as Deployment/shop/orders.
    #[arg(long, value_name = "SERVICE")]
    pub(crate) focus: Option<String>,

    /// The day of the analysis, YYYY-MM-DD; today if it is not given.
    #[arg(long, value_name = "DATE", value_parser = date::parse)]
    pub(crate) date: Option<String>,

    /// What may be run to render Helm charts and Kustomize folders.
    #[arg(long, value_enum, default_value_t = RenderArgument::Local)]
    render: RenderArgument,

    /// Generate with the threat types of a .tb7 template (or those inside a .tm7 model) instead of ours.
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,

    /// Names of our stencils and attributes in that template, a line each: `Deployment = Pod`.
    #[arg(long, value_name = "FILE", requires = "template")]
    mapping: Option<PathBuf>,

    /// End with status 2 if some of the input could not be read; what could be read is analysed and written all the same.
    #[arg(long)]
    strict: bool,

    /// Print no messages about the input but errors.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Say on standard error what was read and what each signal found.
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArgument {
    /// Everything of the cluster is in the input.
    Cluster,
    /// Everything of the application is in the input.
    Application,
    /// A part of an application is in the input.
    Fragment,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RenderArgument {
    /// Run nothing.
    Never,
    /// Run helm, kustomize or kubectl, without network.
    Local,
    /// Run them and let them fetch what charts and bases name.
    Network,
}

impl From<ScopeArgument> for Scope {
    fn from(scope: ScopeArgument) -> Self {
        match scope {
            ScopeArgument::Cluster => Scope::Cluster,
            ScopeArgument::Application => Scope::Application,
            ScopeArgument::Fragment => Scope::Fragment,
        }
    }
}

impl From<RenderArgument> for kubestride_input::Render {
    fn from(render: RenderArgument) -> Self {
        match render {
            RenderArgument::Never => Self::Never,
            RenderArgument::Local => Self::Local,
            RenderArgument::Network => Self::Network,
        }
    }
}

fn format_names() -> clap::builder::PossibleValuesParser {
    kubestride_report::FORMATS.iter().map(|f| f.name()).collect::<Vec<_>>().into()
}

/// A namespace is an RFC 1123 label.
pub(crate) fn namespace_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = !text.is_empty()
        && text.len() <= 63
        && text.chars().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if fits { Ok(text.to_owned()) } else { Err("a namespace is made of a-z, 0-9 and -, at most 63 of them".to_owned()) }
}

/// A version of Kubernetes that is known.
pub(crate) fn kubernetes_version(text: &str) -> Result<Version, String> {
    let newest = Version::NEWEST.0;
    Version::parse(text)
        .filter(|version| *version <= Version::NEWEST)
        .ok_or_else(|| format!("versions from 1.0 to 1.{newest} are known"))
}

/// The formats of the output files, found before any work is done.
fn output_formats(outputs: &[PathBuf]) -> Result<Vec<(&Path, &'static dyn Format)>> {
    let mut out: Vec<(&Path, &'static dyn Format)> = Vec::new();
    for path in outputs {
        let Some(format) = kubestride_report::by_path(path) else {
            let endings: Vec<&str> = kubestride_report::FORMATS.iter().map(|f| f.ending()).collect();
            bail!("{}: the ending is none of {}", path.display(), endings.join(", "));
        };
        if out.iter().any(|(other, _)| other == path) {
            bail!("{} is given twice", path.display());
        }
        out.push((path, format));
    }
    Ok(out)
}

/// Runs the subcommand.
///
/// # Errors
/// Arguments that make no sense, and outputs that cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let outputs = output_formats(&arguments.outputs)?;
    if let Some(model) = analyze_tm7::among(&arguments.inputs)? {
        return analyze_tm7::run(arguments, model, &outputs);
    }
    let options = kubestride_input::Options {
        render: arguments.render.into(),
        namespace: arguments.namespace.clone(),
        ..Default::default()
    };
    let recorded = observed::read(&arguments.observed)?;
    let inputs: Vec<PathBuf> = arguments.inputs.iter().chain(&recorded.manifests).cloned().collect();
    let mut loaded = kubestride_input::load(&inputs, &options);
    let observations = recorded.add(&mut loaded);
    let scope = Scope::from(arguments.scope);
    let discover = kubestride_discover::Options {
        scope,
        namespace: arguments.namespace.clone(),
        kubernetes: arguments.kubernetes_version,
    };
    let discovered = kubestride_discover::discover_with(&loaded.manifests, &discover, &observations);
    if !observations.is_empty() {
        loaded.diagnostics.push(observed::summary(&discovered));
    }
    if arguments.verbose {
        messages::progress(&loaded.inputs, &discovered.signals);
    }
    loaded.sources.reveal(discovered.addresses);
    loaded.diagnostics.extend(discovered.diagnostics);
    messages::diagnostics(&loaded.sources, &loaded.diagnostics, arguments.quiet);
    if loaded.manifests.objects().next().is_none() {
        messages::error("no Kubernetes object was found in the input");
        return Ok(ExitCode::from(UNUSABLE));
    }

    let (model, types) = match &arguments.template {
        None => {
            let types = kubestride_catalogue::threats(discovered.model.vocabulary());
            (discovered.model, types)
        }
        Some(template) => in_words_of(&discovered.model, template, arguments, &mut loaded)?,
    };
    let analysis = kubestride_analysis::analyse(&model, &types, &Lists::default());
    let inputs: Vec<Input> = loaded.inputs.iter().map(input).collect();
    let today = arguments.date.clone().unwrap_or_else(date::today);
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        scope: scope.as_str(),
        date: &today,
        inputs: &inputs,
        sources: &loaded.sources,
        model: &model,
        types: &types,
        analysis: &analysis,
        diagnostics: &loaded.diagnostics,
        focus: arguments.focus.as_deref().map(|name| element(&model, name)).transpose()?,
        about: &[],
        drawn: &[],
    };
    write(&report, arguments, &outputs)?;
    let unread = loaded.unread;
    messages::unread(unread);
    // The process ends here. Giving back the memory of a large input piece by piece would take a tenth of all time.
    std::mem::forget((analysis, model, types, loaded));
    Ok(if arguments.strict && unread.broken > 0 { ExitCode::from(UNUSABLE) } else { ExitCode::SUCCESS })
}

/// The model in the words of a template, with the template's threat types.
fn in_words_of(
    model: &Model,
    path: &Path,
    arguments: &Arguments,
    loaded: &mut kubestride_input::Loaded,
) -> Result<(Model, Vec<ThreatType>)> {
    let text = model_file::text(path)?;
    let file = loaded.sources.add(path.display().to_string(), text.as_str(), FileOrigin::Stated);
    let (tree, _) = model_file::tree(path, &text)?;
    let knowledge = model_file::knowledge(path, &tree)?;
    let mapping = arguments.mapping.as_deref().map(mapping).transpose()?.unwrap_or_default();
    let applied = kubestride_tmt::apply(model, &knowledge, &mapping, Span::new(file, 0, 0));
    messages::diagnostics(&loaded.sources, &applied.diagnostics, arguments.quiet);
    loaded.diagnostics.extend(applied.diagnostics);
    Ok((applied.model, applied.types))
}

/// The lines of a mapping file: `our name = name in the template`.
fn mapping(path: &Path) -> Result<BTreeMap<String, String>> {
    let mut mapping = BTreeMap::new();
    for (number, line) in model_file::text(path)?.lines().enumerate().map(|(i, l)| (i + 1, l.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((ours, theirs)) = line.split_once('=') else {
            bail!("{}:{number}: expected `our name = name in the template`", path.display());
        };
        mapping.insert(ours.trim().to_owned(), theirs.trim().to_owned());
    }
    Ok(mapping)
}

/// All outputs, and the summary where none goes to standard output.
pub(crate) fn write(
    report: &Report<'_>,
    arguments: &Arguments,
    outputs: &[(&Path, &'static dyn Format)],
) -> Result<()> {
    for (path, format) in outputs {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let written = format.write(report, &mut out).and_then(|()| out.flush());
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    match arguments.format.as_deref().and_then(kubestride_report::by_name) {
        Some(format) => {
            let mut out = BufWriter::new(io::stdout().lock());
            format.write(report, &mut out).and_then(|()| out.flush()).context("cannot write to standard output")
        }
        None => summary::print(report, &arguments.outputs).context("cannot write to standard output"),
    }
}

/// The element with this identity, or the only one with this name.
pub(crate) fn element(model: &Model, name: &str) -> Result<ElementId> {
    let mut named = Vec::new();
    for (id, element) in model.elements() {
        if model.text(element.identity) == name {
            return Ok(id);
        }
        if model.text(element.name) == name {
            named.push(id);
        }
    }
    // A workload and its Secret often have the same name; the workload is meant.
    let processes: Vec<ElementId> =
        named.iter().copied().filter(|id| model.element(*id).kind == ElementKind::Process).collect();
    match (processes.as_slice(), named.as_slice()) {
        ([one], _) | ([], [one]) => Ok(*one),
        ([], []) => bail!("--focus: nothing in this input is called {name}"),
        _ => {
            let identities: Vec<&str> = named.iter().map(|id| model.text(model.element(*id).identity)).collect();
            bail!("--focus: {name} could be one of {}", some_of(&identities))
        }
    }
}

fn input(info: &kubestride_input::InputInfo) -> Input {
    Input {
        name: info.name.clone(),
        kind: info.kind.to_string(),
        files: info.files,
        documents: info.documents,
        objects: info.objects,
    }
}
