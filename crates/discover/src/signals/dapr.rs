//! Dapr: the brokers, stores and other systems that its sidecars call as Components say, where they send traces as
//! their Configuration says, and the applications that are invoked through them.
//! <https://docs.dapr.io/reference/resource-specs/>

use kubestride_manifest::Object;
use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Span;

use super::Signal;
use super::config_files::mounted_files;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::secret_data;
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Dapr;

const GROUP: &str = "dapr.io";
/// What stands before the name of an application in a request to the sidecar.
const INVOKE: &str = "/v1.0/invoke/";

impl Signal for Dapr {
    fn name(&self) -> &'static str {
        "dapr"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let apps: Vec<App<'_>> = world.workloads.iter().enumerate().filter_map(|(at, w)| App::read(at, w)).collect();
        if apps.is_empty() {
            return;
        }
        for component in world.manifests.by_custom_kind(GROUP, "Component") {
            let namespace = world.namespace_of(component);
            let scopes: Vec<&str> =
                component.root().get("scopes").into_iter().flat_map(|s| s.items()).filter_map(|s| s.as_str()).collect();
            let loads = |app: &&App<'_>| app.namespace == namespace && (scopes.is_empty() || scopes.contains(&app.id));
            for app in apps.iter().filter(loads) {
                called(world, app.at, component, claims);
            }
        }
        for configuration in world.manifests.by_custom_kind(GROUP, "Configuration") {
            let namespace = world.namespace_of(configuration);
            let uses = |app: &&App<'_>| app.namespace == namespace && app.configuration == Some(configuration.name());
            for app in apps.iter().filter(uses) {
                traced(world, app.at, configuration, claims);
            }
        }
        for app in &apps {
            invoked(world, app, &apps, claims);
        }
    }
}

/// A workload whose pods get a sidecar.
struct App<'a> {
    at: usize,
    namespace: &'a str,
    id: &'a str,
    configuration: Option<&'a str>,
}

impl<'a> App<'a> {
    fn read(at: usize, workload: &'a WorkloadInfo<'_>) -> Option<Self> {
        let annotation = |name: &str| workload.workload.template.annotation(&format!("{GROUP}/{name}"));
        (annotation("enabled") == Some("true")).then(|| App {
            at,
            namespace: &workload.namespace,
            id: annotation("app-id").unwrap_or(workload.object().name()),
            configuration: annotation("config"),
        })
    }
}

/// The hosts in the metadata of a Component.
fn called(world: &World<'_>, app: usize, component: Object<'_>, claims: &mut Claims) {
    let metadata = || component.spec().and_then(|s| s.get("metadata")).into_iter().flat_map(|m| m.items());
    let named = |name: &str| {
        metadata().find(|m| m.get("name").and_then(|n| n.as_str()).is_some_and(|n| n.eq_ignore_ascii_case(name)))
    };
    let port = named("port").and_then(|p| p.get("value")?.scalar_text()?.parse().ok());
    for item in metadata() {
        let Some(key) = item.get("name").and_then(|n| n.as_str()) else { continue };
        let why = format!("{key} of {}", component.identity(&world.options.namespace));
        if let Some(value) = item.get("value") {
            traffic::claim_field_with(world, app, (key, value), port, Confidence::Likely, &why, claims);
        } else if let Some(reference) = item.get("secretKeyRef") {
            let text = |field: &str| reference.get(field).and_then(|v| v.as_str());
            let secret = text("name").and_then(|name| world.secret(&world.namespace_of(component), name));
            let Some((secret, entry)) = secret.zip(text("key").or(text("name"))) else { continue };
            let note = Note::stated(reference.span(), why);
            for entry in secret_data::entries(secret).iter().filter(|e| e.key == entry) {
                called_by_secret(world, app, (key, &entry.text), port, &note, claims);
            }
        }
    }
}

/// Where a Configuration has traces sent.
fn traced(world: &World<'_>, app: usize, configuration: Object<'_>, claims: &mut Claims) {
    let Some(tracing) = configuration.spec().and_then(|s| s.get("tracing")) else { return };
    for exporter in ["zipkin", "otel"] {
        let key = "endpointAddress";
        if let Some(value) = tracing.get(exporter).and_then(|e| e.get(key)) {
            let why = format!("traces, as {} says", configuration.identity(&world.options.namespace));
            traffic::claim_field(world, app, (key, value), Confidence::Likely, &why, claims);
        }
    }
}

/// The hosts in an entry of a Secret.
fn called_by_secret(
    world: &World<'_>,
    app: usize,
    (key, text): (&str, &str),
    port: Option<u16>,
    note: &Note,
    claims: &mut Claims,
) {
    for address in traffic::addresses(key, text) {
        let (inside, outside) = (Confidence::Likely, Confidence::Likely);
        let finding = Finding { key, port, inside, outside, place: None, note: note.clone() };
        traffic::claim(world, app, &address, &finding, claims);
    }
}

/// The applications whose names stand in requests to the sidecar: in variables, arguments and files.
fn invoked(world: &World<'_>, app: &App<'_>, apps: &[App<'_>], claims: &mut Claims) {
    let Some(workload) = world.workloads.get(app.at) else { return };
    let mut found: Vec<(String, Span)> = Vec::new();
    let mut look = |text: &str, span: Span| found.extend(names(text).map(|name| (name.to_owned(), span)));
    for container in &workload.containers {
        let values = container.env().filter_map(|v| v.value);
        for value in values.chain(container.command()).chain(container.args()) {
            look(value.scalar_text().unwrap_or(""), value.span());
        }
    }
    mounted_files(world, workload, |_, entry| look(&entry.text, entry.span));
    for (name, span) in found {
        // `name.namespace` is an application of another namespace.
        let (id, namespace) = name.split_once('.').unwrap_or((&name, app.namespace));
        for target in apps.iter().filter(|a| a.id == id && a.namespace == namespace && a.at != app.at) {
            let note = Note::stated(span, format!("it invokes {id} through Dapr"));
            let (source, target) = (Party::Workload(app.at), Party::Workload(target.at));
            let mut claim = FlowClaim::new(source, target, FlowKind::Traffic, note);
            claim.confidence = Confidence::Likely;
            claims.flows.push(claim);
        }
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(INVOKE).skip(1).filter_map(|rest| rest.split_once("/method")).map(|(name, _)| name).filter(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    })
}
