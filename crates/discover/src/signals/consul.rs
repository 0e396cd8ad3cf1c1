//! Consul's mesh: ServiceIntentions, which say who may call whom by name, and the upstreams that annotations of pods
//! name. <https://developer.hashicorp.com/consul/docs/reference/config-entry/service-intentions>,
//! <https://developer.hashicorp.com/consul/docs/reference/k8s/annotation-label>

use kubestride_model::{Confidence, FlowKind, Origin};
use kubestride_source::Span;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Consul;

const GROUP: &str = "consul.hashicorp.com";
/// The annotation that gives a workload another name in Consul than that of its Service.
const SERVICE: &str = "consul.hashicorp.com/connect-service";
/// The annotation that lists what a workload calls: `name[.namespace][:local port[:datacenter]]`, separated by commas.
const UPSTREAMS: &str = "consul.hashicorp.com/connect-service-upstreams";

impl Signal for Consul {
    fn name(&self) -> &'static str {
        "consul"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for intentions in world.manifests.by_custom_kind(GROUP, "ServiceIntentions") {
            let Some(spec) = intentions.spec() else { continue };
            let namespace = world.namespace_of(intentions);
            let Some(target) = spec.get("destination").and_then(|d| d.get("name")?.as_str()) else { continue };
            let targets = named(world, &namespace, target);
            for source in spec.get("sources").into_iter().flat_map(|s| s.items()) {
                let text = |key: &str| source.get(key).and_then(|v| v.as_str());
                // Permissions narrow requests that are let through; without them the action decides.
                let allows = text("action") == Some("allow") || source.get("permissions").is_some();
                let Some(name) = text("name").filter(|_| allows) else { continue };
                let identity = intentions.identity(&world.options.namespace);
                for from in named(world, text("namespace").unwrap_or(&namespace), name) {
                    call(from, &targets, source.span(), &format!("{identity} lets it through"), claims);
                }
            }
        }
        for (index, workload) in world.workloads.iter().enumerate() {
            let Some(list) = workload.workload.template.annotation(UPSTREAMS) else { continue };
            for upstream in list.split(',') {
                let name = upstream.trim().split(':').next().unwrap_or("");
                let (name, namespace) = name.split_once('.').unwrap_or((name, &workload.namespace));
                let targets = named(world, namespace, name);
                call(index, &targets, workload.span(), "an annotation names it as an upstream", claims);
            }
        }
    }
}

fn call(source: usize, targets: &[usize], span: Span, why: &str, claims: &mut Claims) {
    for target in targets.iter().filter(|target| **target != source) {
        let note = Note { origin: Origin::Declared, span: Some(span), text: why.to_owned() };
        let (source, target) = (Party::Workload(source), Party::Workload(*target));
        let mut claim = FlowClaim::new(source, target, FlowKind::Traffic, note);
        claim.confidence = Confidence::Likely;
        claims.flows.push(claim);
    }
}

/// The workloads that Consul knows by a name: by their annotation, else by that of their Service, else by their own.
fn named(world: &World<'_>, namespace: &str, name: &str) -> Vec<usize> {
    let in_namespace = || world.pods.in_namespace(namespace).iter().copied();
    let of = |fits: &dyn Fn(&WorkloadInfo<'_>) -> bool| -> Vec<usize> {
        in_namespace().filter(|at| world.workloads.get(*at).is_some_and(fits)).collect()
    };
    let annotated = of(&|w| w.workload.template.annotation(SERVICE) == Some(name));
    if !annotated.is_empty() {
        return annotated;
    }
    match world.service(namespace, name) {
        Some(service) if !service.workloads.is_empty() => service.workloads.clone(),
        _ => of(&|w| w.object().name() == name),
    }
}
