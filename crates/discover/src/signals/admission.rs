//! Admission webhooks, conversion webhooks and aggregated APIs: the API server calls workloads.

use kubestride_manifest::Object;
use kubestride_model::FlowKind;
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct Admission;

impl Signal for Admission {
    fn name(&self) -> &'static str {
        "admission"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
            for object in world.manifests.by_kind(kind) {
                for webhook in object.root().get("webhooks").into_iter().flat_map(|w| w.items()) {
                    let workloads = call(world, object, webhook.get("clientConfig"), claims);
                    control(world, object, webhook, workloads, claims);
                }
            }
        }
        for object in world.manifests.by_kind("CustomResourceDefinition") {
            let conversion = object.spec().and_then(|s| s.get("conversion")).and_then(|c| c.get("webhook"));
            call(world, object, conversion.and_then(|w| w.get("clientConfig")), claims);
        }
        for object in world.manifests.by_kind("APIService") {
            call(world, object, object.spec(), claims);
        }
    }
}

/// Claims the flow to what a client configuration names; gives the workloads behind it.
fn call(world: &World<'_>, object: Object<'_>, config: Option<Value<'_>>, claims: &mut Claims) -> Vec<usize> {
    let Some(config) = config else { return Vec::new() };
    if let Some(url) = config.get("url") {
        let address = url.as_str().map(crate::address::find).and_then(|found| found.into_iter().next());
        if let Some(address) = address {
            let note = Note::stated(url.span(), format!("{} {} calls a URL", object.kind(), object.name()));
            let mut claim = FlowClaim::new(Party::ApiServer, Party::Host(address.host), FlowKind::Traffic, note);
            (claim.port, claim.protocol) = (address.port.or(Some(443)), Some("HTTPS".to_owned()));
            claims.flows.push(encrypted(claim));
        }
        return Vec::new();
    }
    let Some(service) = config.get("service") else { return Vec::new() };
    let text = |key: &str| service.get(key).and_then(|v| v.as_str());
    let Some(name) = text("name") else { return Vec::new() };
    let namespace = text("namespace").unwrap_or(&world.options.namespace);
    let port = service.get("port").and_then(|p| p.as_i64()).and_then(|p| u16::try_from(p).ok()).unwrap_or(443);
    let note = Note::stated(service.span(), format!("{} {} names Service {name}", object.kind(), object.name()));
    let known = world.service(namespace, name);
    let workloads = known.map_or(Vec::new(), |s| s.workloads.clone());
    let describe = |target, target_port| {
        let mut claim = FlowClaim::new(Party::ApiServer, target, FlowKind::Traffic, note.clone());
        claim.port = Some(port);
        claim.target_port = target_port;
        claim.protocol = Some("HTTPS".to_owned());
        claim.via = known.map(|s| s.identity.clone());
        encrypted(claim)
    };
    if workloads.is_empty() {
        let target = Party::UnresolvedService { namespace: namespace.to_owned(), name: name.to_owned() };
        claims.flows.push(describe(target, Some(port)));
    }
    for workload in &workloads {
        let target_port = known.and_then(|s| s.target_port(world, *workload, port)).or(Some(port));
        claims.flows.push(describe(Party::Workload(*workload), target_port));
    }
    workloads
}

/// The API server calls webhooks over TLS only.
fn encrypted(claim: FlowClaim) -> FlowClaim {
    let note = Note { text: "the API server calls webhooks over TLS".to_owned(), ..claim.note.clone() };
    claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(Encryption::Encrypted), note)
}

fn control(world: &World<'_>, object: Object<'_>, webhook: Value<'_>, workloads: Vec<usize>, claims: &mut Claims) {
    let name = webhook.get("name").and_then(|n| n.as_str()).unwrap_or("webhook");
    let identity = format!("{}#{name}", object.identity(&world.options.namespace));
    let subject = || Subject::Control(identity.clone());
    let span = webhook.get("name").map_or(webhook.span(), |n| n.span());
    let policy = webhook.get("failurePolicy");
    let ignores = policy.and_then(|p| p.as_str()) == Some("Ignore");
    let value = if ignores { FailurePolicy::Ignore } else { FailurePolicy::Fail };
    let note = policy.map_or(Note::default(span, "failurePolicy is not set"), |p| Note::stated(p.span(), ""));
    claims.set(subject(), attr::FAILURE_POLICY.id, attr::FAILURE_POLICY.value(value), note);
    if object.kind() == "MutatingWebhookConfiguration" {
        claims.set(subject(), attr::MUTATES.id, attr::MUTATES.value(YesNo::Yes), Note::stated(object.span(), ""));
    }
    claims.controls.push(ControlClaim {
        identity,
        name: name.to_owned(),
        stencil: stencil::ADMISSION_WEBHOOK,
        namespace: None,
        workloads,
        note: Note::stated(span, ""),
    });
}
