//! Admission webhooks, conversion webhooks and aggregated APIs: the API server calls workloads.

use std::net::IpAddr;

use kubestride_manifest::{Field, Object};
use kubestride_model::FlowKind;
use kubestride_source::Span;
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};
use kubestride_yaml::Value;

use super::Signal;
use crate::address::{self, Address};
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::resolve::{Resolved, resolve};
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
        return call_url(world, object, url, claims);
    }
    let Some(service) = config.get("service") else { return Vec::new() };
    let text = |key: &str| service.get(key).and_then(|v| v.as_str());
    let Some(name) = text("name") else { return Vec::new() };
    let namespace = text("namespace").unwrap_or(&world.options.namespace);
    let port = service.get("port").and_then(|p| p.as_i64()).and_then(|p| u16::try_from(p).ok()).unwrap_or(443);
    let note = Note::stated(service.span(), format!("{} {} names Service {name}", object.kind(), object.name()));
    call_service(world, (namespace, name), port, note, claims)
}

/// The host of a URL that the API server calls, with its place.
fn host_of(url: Value<'_>) -> Option<(Address, Span)> {
    let address = address::find(url.as_str()?).into_iter().next()?;
    let span = url.subspan(address.range.clone()).unwrap_or(url.span());
    Some((address, span))
}

/// Claims the flow to the host of a URL. The API server asks the name server of its node, so single words are nothing
/// in the cluster.
fn call_url(world: &World<'_>, object: Object<'_>, url: Value<'_>, claims: &mut Claims) -> Vec<usize> {
    let Some((address, span)) = host_of(url) else { return Vec::new() };
    claims.reveals.push(span);
    let note = Note::stated(span, format!("{} {} calls a URL", object.kind(), object.name()));
    let port = address.port.unwrap_or(443);
    match resolve(world, &world.options.namespace, &address.host) {
        Resolved::Service(service) => call_service(world, (&service.namespace, service.name), port, note, claims),
        Resolved::Missing { namespace, name } => call_service(world, (&namespace, &name), port, note, claims),
        Resolved::Word | Resolved::ApiServer => Vec::new(),
        _ if is_own_node(&address.host) => Vec::new(),
        _ => {
            let mut claim = FlowClaim::new(Party::ApiServer, Party::Host(address.host), FlowKind::Traffic, note);
            (claim.port, claim.protocol) = (Some(port), Some("HTTPS".to_owned()));
            claims.flows.push(encrypted(claim));
            Vec::new()
        }
    }
}

fn is_own_node(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is surely not in the cluster or beside it: a public address, or a name that can be registered.
fn is_elsewhere(world: &World<'_>, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
            IpAddr::V6(v6) => {
                !(v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified())
            }
        };
    }
    let own = [
        "cluster",
        "corp",
        "home",
        "internal",
        "intranet",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "private",
        "svc",
    ];
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && !own.contains(&last)
        && matches!(resolve(world, &world.options.namespace, host), Resolved::Outside(Party::Host(_)))
}

/// Claims the flows to what is behind a Service; gives the workloads.
fn call_service(
    world: &World<'_>,
    (namespace, name): (&str, &str),
    port: u16,
    note: Note,
    claims: &mut Claims,
) -> Vec<usize> {
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
    // The first version of the API ignored failures unless it was told otherwise.
    let ignores = ignores || (policy.is_none() && object.version() == "v1beta1");
    let value = if ignores { FailurePolicy::Ignore } else { FailurePolicy::Fail };
    let note = policy.map_or(Note::default(span, "failurePolicy is not set"), |p| Note::stated(p.span(), ""));
    claims.set(subject(), attr::FAILURE_POLICY.id, attr::FAILURE_POLICY.value(value), note);
    if let Some((host, span)) = webhook.field("clientConfig").and_then(|c| c.field("url")).and_then(host_of)
        && is_elsewhere(world, &host.host)
    {
        let note = Note::stated(span, format!("it is called at {}, outside the cluster", host.host));
        claims.set(subject(), attr::CALLED_OUTSIDE.id, attr::CALLED_OUTSIDE.value(YesNo::Yes), note);
    }
    if let Some((span, text)) = sees_secrets(webhook) {
        claims.set(subject(), attr::SEES_SECRETS.id, attr::SEES_SECRETS.value(YesNo::Yes), Note::stated(span, text));
    }
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

/// The rule by which a webhook gets Secrets. With conditions, a rule about everything may leave Secrets out; what
/// namespaces or objects are selected does not matter, for there are Secrets everywhere.
fn sees_secrets(webhook: Value<'_>) -> Option<(Span, &'static str)> {
    let conditions = webhook.list("matchConditions").next().is_some();
    webhook.list("rules").find_map(|rule| {
        let has = |key: &str, wanted: &[&str]| {
            rule.list(key).find(|item| item.scalar_text().is_some_and(|text| wanted.contains(&text)))
        };
        has("apiGroups", &["", "*"])?;
        // Of what is deleted the old object is sent.
        has("operations", &["*", "CREATE", "UPDATE", "DELETE"])?;
        if rule.text("scope") == Some("Cluster") {
            return None;
        }
        match (has("resources", &["secrets", "secrets/*"]), has("resources", &["*", "*/*"])) {
            (Some(named), _) => Some((named.span(), "the rule sends it Secrets")),
            (None, Some(all)) if !conditions => {
                Some((all.span(), "the rule sends it all kinds of objects, Secrets too"))
            }
            _ => None,
        }
    })
}
