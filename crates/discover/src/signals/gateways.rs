//! Gateway API: routes from a Gateway to Services.

use kubestride_manifest::Object;
use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Diagnostic;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, Entry, YesNo};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::gateway_listeners::{Attachment, GROUP, attachment};
use crate::world::World;

pub(crate) struct Gateways;

const ROUTES: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

impl Signal for Gateways {
    fn name(&self) -> &'static str {
        "gateways"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for kind in ROUTES {
            for route in world.manifests.by_custom_kind(GROUP, kind) {
                let Some(spec) = route.spec() else { continue };
                let parents = spec.get("parentRefs").into_iter().flat_map(|p| p.items());
                let entry = way_in(world, route, parents);
                claims.diagnostics.extend(doubt(route, &entry));
                let Reached::By(entry) = entry else { continue };
                for rule in spec.get("rules").into_iter().flat_map(|r| r.items()) {
                    for backend in rule.get("backendRefs").into_iter().flat_map(|b| b.items()) {
                        claim_backend(world, route, backend, &entry, claims);
                    }
                }
            }
        }
    }
}

/// How a route is reached.
struct WayIn {
    confidence: Confidence,
    /// Whether callers speak TLS; none if the Gateway is not in the input.
    tls: Option<(bool, Note)>,
}

/// Whether a route is reached from outside.
enum Reached {
    By(WayIn),
    /// No listener of its Gateways takes it.
    NotTaken,
    /// It names no Gateway: routes of a mesh have a Service as their parent and let nobody in.
    Inside,
}

/// What is said about a route that is not surely taken.
fn doubt(route: Object<'_>, reached: &Reached) -> Option<Diagnostic> {
    let (kind, name) = (route.kind(), route.name());
    let found = match reached {
        Reached::NotTaken => {
            let text = format!("no listener takes {kind} {name}, so nobody gets in by it");
            Diagnostic::note("route-not-taken", text)
        }
        Reached::By(entry) if entry.confidence == Confidence::Possible => {
            let text = format!("whether a listener takes {kind} {name} is not known, so its ways in are only possible");
            Diagnostic::warning("route-not-known", text)
        }
        _ => return None,
    };
    Some(found.at(route.span()))
}

fn way_in<'a>(world: &World<'a>, route: Object<'a>, parents: impl Iterator<Item = Value<'a>>) -> Reached {
    let (mut confidence, mut outside) = (None, false);
    let mut tls: Option<(bool, Note)> = None;
    for parent in parents {
        match attachment(world, route, parent) {
            Attachment::Elsewhere => {}
            Attachment::Absent => confidence = confidence.max(Some(Confidence::Likely)),
            Attachment::Listeners(listeners) => {
                outside = true;
                for (listener, sure) in listeners {
                    let sure = if sure { Confidence::Certain } else { Confidence::Possible };
                    confidence = confidence.max(Some(sure));
                    // One listener in plain text is enough to be read on the way.
                    let secure = listener_tls(listener);
                    if !secure.0 || tls.is_none() {
                        tls = Some(secure);
                    }
                }
            }
        }
    }
    match confidence {
        Some(confidence) => Reached::By(WayIn { confidence, tls }),
        None if outside => Reached::NotTaken,
        None => Reached::Inside,
    }
}

/// Whether a listener speaks TLS.
fn listener_tls(listener: Value<'_>) -> (bool, Note) {
    let protocol = listener.get("protocol");
    let secure = matches!(protocol.and_then(|p| p.as_str()), Some("HTTPS" | "TLS"));
    (secure, Note::stated(protocol.map_or(listener.span(), |p| p.span()), "the protocol of the listener"))
}

/// Whether a ReferenceGrant of the namespace of a Service lets routes of another namespace name it:
/// <https://gateway-api.sigs.k8s.io/api-types/referencegrant/>
fn is_granted(world: &World<'_>, route: Object<'_>, from: &str, namespace: &str, service: &str) -> bool {
    let is = |value: Value<'_>, key: &str, text: &str| value.get(key).and_then(|v| v.as_str()) == Some(text);
    let grants = |grant: Object<'_>| {
        let list = |key: &str| -> Vec<Value<'_>> {
            grant.spec().and_then(|s| s.get(key)).into_iter().flat_map(|l| l.items()).collect()
        };
        let admits =
            |f: &Value<'_>| is(*f, "group", GROUP) && is(*f, "kind", route.kind()) && is(*f, "namespace", from);
        let names = |t: &Value<'_>| is(*t, "kind", "Service") && (t.get("name").is_none() || is(*t, "name", service));
        list("from").iter().any(admits) && list("to").iter().any(names)
    };
    let mut all = world.manifests.by_custom_kind(GROUP, "ReferenceGrant");
    all.any(|grant| world.namespace_of(grant) == namespace && grants(grant))
}

fn claim_backend(world: &World<'_>, route: Object<'_>, backend: Value<'_>, entry: &WayIn, claims: &mut Claims) {
    if backend.get("kind").and_then(|k| k.as_str()).is_some_and(|k| k != "Service") {
        return;
    }
    // A backend without weight gets no requests.
    if backend.get("weight").and_then(|w| w.as_i64()) == Some(0) {
        return;
    }
    let Some(name) = backend.get("name").and_then(|n| n.as_str()) else { return };
    let own = world.namespace_of(route);
    let namespace = backend.get("namespace").and_then(|n| n.as_str()).unwrap_or(&own);
    // Without a grant a Gateway does not hand requests to another namespace.
    if namespace != own && world.absence_counts() && !is_granted(world, route, &own, namespace, name) {
        return;
    }
    let port = backend.get("port").and_then(|p| p.as_i64()).and_then(|p| u16::try_from(p).ok());
    let note = Note::stated(backend.span(), format!("{} {} routes to Service {name}", route.kind(), route.name()));
    let describe = |mut claim: FlowClaim| {
        claim.via = Some(route.identity(&world.options.namespace));
        claim.confidence = entry.confidence;
        claim.protocol = Some(match (route.kind(), &entry.tls) {
            ("HTTPRoute", Some((true, _))) => "HTTPS".to_owned(),
            ("HTTPRoute", _) => "HTTP".to_owned(),
            ("GRPCRoute", _) => "gRPC".to_owned(),
            (kind, _) => kind.trim_end_matches("Route").to_owned(),
        });
        let by_gateway = Note::stated(route.span(), "");
        claim = claim.with(attr::ENTRY.id, attr::ENTRY.value(Entry::Gateway), by_gateway);
        if let Some((secure, note)) = &entry.tls {
            let value = if *secure { Encryption::Encrypted } else { Encryption::Plain };
            claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(value), note.clone());
        }
        let kept = Note::merged(route.span(), "the Gateway passes the client address on");
        claim.with(attr::CLIENT_ADDRESS_KEPT.id, attr::CLIENT_ADDRESS_KEPT.value(YesNo::Yes), kept)
    };
    let service = world.service(namespace, name);
    let workloads = service.map_or(&[][..], |s| s.workloads.as_slice());
    if workloads.is_empty() {
        let target = Party::UnresolvedService { namespace: namespace.to_owned(), name: name.to_owned() };
        claims.flows.push(describe(FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note.clone())));
    }
    for workload in workloads {
        let target = Party::Workload(*workload);
        let mut claim = describe(FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note.clone()));
        claim.target_port = service.zip(port).and_then(|(s, p)| s.target_port(world, *workload, p));
        claims.flows.push(claim);
    }
}
