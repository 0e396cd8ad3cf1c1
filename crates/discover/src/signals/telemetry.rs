//! OpenTelemetry by annotation: libraries that the operator puts into pods and tells where to send, and collectors that
//! it puts beside them. <https://opentelemetry.io/docs/platforms/kubernetes/operator/automatic/>
//! Jaeger's operator does the same with its agents. <https://www.jaegertracing.io/docs/1.62/operator/#auto-injecting-jaeger-agent-sidecars>

use kubestride_manifest::Object;
use kubestride_model::{Confidence, FlowKind};
use kubestride_yaml::{Kind, Value};

use super::{Each, Signal};
use crate::address;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Telemetry;

const GROUP: &str = "opentelemetry.io";
const LIBRARY: &str = "instrumentation.opentelemetry.io/inject-";
const SIDECAR: &str = "sidecar.opentelemetry.io/inject";
const AGENT: &str = "sidecar.jaegertracing.io/inject";
/// Where agents send what they gather.
const COLLECTOR_PORT: u16 = 14250;

impl Signal for Telemetry {
    fn name(&self) -> &'static str {
        "telemetry"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        let libraries: Vec<Object<'a>> = world.manifests.by_custom_kind(GROUP, "Instrumentation").collect();
        let sidecar = |o: &Object<'_>| {
            o.spec().and_then(|s| s.get("mode")).and_then(|m| m.as_str()).is_some_and(|m| m == "sidecar")
        };
        let collectors: Vec<Object<'a>> =
            world.manifests.by_custom_kind(GROUP, "OpenTelemetryCollector").filter(sidecar).collect();
        let jaegers: Vec<Object<'a>> = world.manifests.by_custom_kind("jaegertracing.io", "Jaeger").collect();
        Some(Box::new(move |index, workload, claims| {
            agent(world, &jaegers, (index, workload), claims);
            for asked in asked(world, workload, &|key| key.starts_with(LIBRARY) && !key.ends_with("-container-names")) {
                let Some(library) = chosen(world, &libraries, workload, asked) else { continue };
                let endpoints = library.spec().into_iter().flat_map(endpoints);
                for value in endpoints {
                    let why = format!("Instrumentation {} is put into its pods", library.name());
                    traffic::claim_field(world, index, ("endpoint", value), Confidence::Likely, &why, claims);
                }
            }
            for asked in asked(world, workload, &|key| key == SIDECAR) {
                let Some(collector) = chosen(world, &collectors, workload, asked) else { continue };
                if let Some(config) = collector.spec().and_then(|s| s.get("config")) {
                    let why = format!("OpenTelemetryCollector {} is put into its pods", collector.name());
                    exporters(world, index, ("", config), &why, claims);
                }
            }
        }))
    }
}

/// The agent that an annotation of a workload, of its pods or of its namespace asks for.
fn agent(
    world: &World<'_>,
    jaegers: &[Object<'_>],
    (index, workload): (usize, &WorkloadInfo<'_>),
    claims: &mut Claims,
) {
    let own = workload.object().annotations().find(|a| a.key == AGENT).and_then(|a| a.value.scalar_text());
    let wanted = own.or_else(|| asked(world, workload, &|key| key == AGENT).first().copied());
    let Some(jaeger) = wanted.and_then(|wanted| chosen(world, jaegers, workload, wanted)) else { return };
    let is_it = |w: &WorkloadInfo<'_>| w.operated.is_some() && w.object().span() == jaeger.span();
    let Some(target) = world.workloads.iter().position(is_it).filter(|target| *target != index) else { return };
    let why = format!("an agent of Jaeger {} is put into its pods", jaeger.name());
    let note = Note::stated(workload.span(), why);
    let (source, target) = (Party::Workload(index), Party::Workload(target));
    let mut claim = FlowClaim::new(source, target, FlowKind::Traffic, note);
    (claim.port, claim.target_port) = (Some(COLLECTOR_PORT), Some(COLLECTOR_PORT));
    claim.confidence = Confidence::Likely;
    claims.flows.push(claim);
}

/// Values of the annotations of a workload's pods, or where these have none, of its namespace.
fn asked<'a>(world: &World<'a>, workload: &WorkloadInfo<'a>, is: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
    let own = workload.workload.template.annotations().filter(|a| is(a.key)).filter_map(|a| a.value.scalar_text());
    let own: Vec<&str> = own.collect();
    if !own.is_empty() || workload.operated.is_some() {
        return own;
    }
    let namespace = world.namespaces.get(&workload.namespace);
    let annotations = namespace.into_iter().flat_map(|n| n.annotations()).filter(|a| is(a.key));
    annotations.filter_map(|a| a.value.scalar_text()).collect()
}

/// The resource that an annotation asks for: `true` for the only one of the namespace, else `name` or
/// `namespace/name`.
fn chosen<'a>(world: &World<'a>, all: &[Object<'a>], workload: &WorkloadInfo<'a>, asked: &str) -> Option<Object<'a>> {
    let (namespace, name) = asked.split_once('/').unwrap_or((&workload.namespace, asked));
    let mut here = all.iter().filter(|o| world.namespace_of(**o) == namespace);
    match name.to_ascii_lowercase().as_str() {
        "false" | "" => None,
        "true" => here.next().filter(|_| here.next().is_none()).copied(),
        _ => here.find(|o| o.name() == name).copied(),
    }
}

/// The endpoint of the exporter, and those that variables set instead.
fn endpoints<'a>(spec: Value<'a>) -> Vec<Value<'a>> {
    let exporter = spec.get("exporter").and_then(|e| e.get("endpoint"));
    let own = spec.entries().map(|e| e.value).filter_map(|part| part.get("env"));
    let variables = spec.get("env").into_iter().chain(own).flat_map(|env| env.items());
    let is_endpoint = |v: &Value<'a>| v.get("name").and_then(|n| n.as_str()).is_some_and(|n| n.ends_with("_ENDPOINT"));
    exporter.into_iter().chain(variables.filter(is_endpoint).filter_map(|v| v.get("value"))).collect()
}

/// Addresses in the configuration of a collector, which older versions of the resource hold as a text.
fn exporters(world: &World<'_>, index: usize, (key, value): (&str, Value<'_>), why: &str, claims: &mut Claims) {
    for entry in value.entries().filter(|e| e.key != "receivers" || !key.is_empty()) {
        exporters(world, index, (entry.key, entry.value), why, claims);
    }
    for item in value.items() {
        exporters(world, index, (key, item), why, claims);
    }
    let Some(text) = value.as_str().filter(|_| value.kind() == Kind::Str) else { return };
    if !key.is_empty() {
        let outside = if traffic::is_address_key(key) { Confidence::Likely } else { Confidence::Possible };
        traffic::claim_field(world, index, (key, value), outside, why, claims);
        return;
    }
    for line in text.lines().filter(|line| line.trim_start().starts_with("endpoint:")) {
        for address in address::find(line) {
            let note = Note::stated(value.span(), why);
            let (inside, outside) = (Confidence::Likely, Confidence::Likely);
            let finding = Finding { key: "endpoint", port: None, inside, outside, place: None, note };
            traffic::claim(world, index, &address, &finding, claims);
        }
    }
}
