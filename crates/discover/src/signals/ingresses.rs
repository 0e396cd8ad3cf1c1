//! Ingresses: routes from outside to Services.

use kubestride_manifest::{Object, PortRef};
use kubestride_model::FlowKind;
use kubestride_source::Diagnostic;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, Entry, YesNo};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{ServiceInfo, World};

pub(crate) struct Ingresses;

/// Annotations that hold configuration for the proxy itself.
const SNIPPETS: [&str; 5] =
    ["-snippet", "/configuration-snippet", "/server-snippet", "/auth-snippet", "/stream-snippet"];
/// Annotations that make the proxy ask for a login. `auth-signin` and `auth-secret` alone do not.
const LOGINS: [&str; 4] = ["/auth-url", "/auth-type", "/auth-tls-secret", "oauth2-proxy"];
/// Annotations that limit requests.
const LIMITS: [&str; 4] = ["/limit-rps", "/limit-rpm", "/limit-connections", "/rate-limit"];
/// Annotations that say where TLS ends or that HTTP is not served.
const TLS: [&str; 6] = [
    "alb.ingress.kubernetes.io/certificate-arn",
    "networking.gke.io/managed-certificates",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "traefik.ingress.kubernetes.io/router.tls",
    "appgw.ingress.kubernetes.io/appgw-ssl-certificate",
    "cloudflare-tunnel",
];
/// Annotations that let only some addresses in. A list of those to keep out lets everybody else in.
const SOURCE_RANGES: [&str; 3] = ["/whitelist-source-range", "/allowlist-source-range", "/inbound-cidrs"];
/// Values of logins and source ranges that keep nobody out.
const EVERYBODY: [&str; 3] = ["none", "0.0.0.0/0", "::/0"];

impl Signal for Ingresses {
    fn name(&self) -> &'static str {
        "ingresses"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for object in world.manifests.by_kind("Ingress") {
            let Some(spec) = object.spec() else { continue };
            let default = spec.get("defaultBackend").or_else(|| spec.get("backend"));
            if let Some(backend) = default {
                route(world, object, None, backend, claims);
            }
            for rule in spec.get("rules").into_iter().flat_map(|r| r.items()) {
                let paths = rule.get("http").and_then(|h| h.get("paths"));
                for path in paths.into_iter().flat_map(|p| p.items()) {
                    if let Some(backend) = path.get("backend") {
                        route(world, object, rule.get("host"), backend, claims);
                    }
                }
            }
        }
    }
}

/// Name and port of a backend, in its current and its old form.
fn backend_service<'a>(backend: Value<'a>) -> Option<(&'a str, Option<Value<'a>>)> {
    if let Some(service) = backend.get("service") {
        let port = service.get("port").and_then(|p| p.get("number").or_else(|| p.get("name")));
        return Some((service.get("name")?.as_str()?, port));
    }
    Some((backend.get("serviceName")?.as_str()?, backend.get("servicePort")))
}

fn route(world: &World<'_>, object: Object<'_>, host: Option<Value<'_>>, backend: Value<'_>, claims: &mut Claims) {
    let namespace = world.namespace_of(object);
    let Some((name, port)) = backend_service(backend) else { return };
    let identity = object.identity(&world.options.namespace);
    let note = Note::stated(backend.span(), format!("Ingress {} routes to Service {name}", object.name()));
    let Some(service) = world.service(&namespace, name) else {
        let made = world.made_service(&namespace, name);
        let target = match made {
            Some((workload, _)) => Party::Workload(workload),
            None => Party::UnresolvedService { namespace, name: name.to_owned() },
        };
        let mut claim = FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note);
        claim.target_port = made.map(|(_, port)| port);
        claim.via = Some(identity);
        claims.flows.push(describe(object, host, claim));
        return;
    };
    let number = match port {
        Some(port) if !service.is_external_name() && !is_action(port) => {
            let Some(number) = port_of(service, port) else {
                let text = format!(
                    "Service {name} has no such port as Ingress {} names, so nobody gets in by it",
                    object.name()
                );
                claims.diagnostics.push(Diagnostic::warning("port-not-found", text).at(port.span()));
                return;
            };
            Some(number)
        }
        _ => service.only_port(),
    };
    if service.workloads.is_empty() {
        let target = Party::UnresolvedService { namespace, name: name.to_owned() };
        let mut claim = FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note.clone());
        claim.via = Some(identity.clone());
        claims.flows.push(describe(object, host, claim));
    }
    for workload in &service.workloads {
        let mut claim = FlowClaim::new(Party::Internet, Party::Workload(*workload), FlowKind::Exposure, note.clone());
        claim.via = Some(identity.clone());
        // The port that callers use is the listener's, which no Ingress states.
        claim.target_port = number.and_then(|p| service.target_port(world, *workload, p));
        claims.flows.push(describe(object, host, claim));
    }
}

/// The port of a Service that a backend names: by number or name, or by its target port, which controllers take too.
fn port_of(service: &ServiceInfo<'_>, named: Value<'_>) -> Option<u16> {
    let number = named.as_i64().and_then(|number| u16::try_from(number).ok());
    let text = named.as_str();
    let by_target = |target: &PortRef<'_>| match target {
        PortRef::Number(target) => number == Some(*target),
        PortRef::Name(target) => text == Some(*target),
    };
    let mut ports = service.service.ports();
    let own = ports.find(|p| number.map_or(p.name.is_some() && p.name == text, |number| p.number == number));
    own.or_else(|| service.service.ports().find(|p| by_target(&p.target_port))).map(|p| p.number)
}

/// Whether a backend is an action of the AWS Load Balancer Controller and no port of a Service.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#actions>
fn is_action(port: Value<'_>) -> bool {
    port.as_str() == Some("use-annotation")
}

/// The attributes that the Ingress gives to a route.
fn describe(object: Object<'_>, host: Option<Value<'_>>, claim: FlowClaim) -> FlowClaim {
    let span = object.span();
    let annotation = |marks: &[&str]| object.annotations().find(|a| marks.iter().any(|m| a.key.contains(m)));
    let mut claim = claim.with(attr::ENTRY.id, attr::ENTRY.value(Entry::Ingress), Note::stated(span, ""));
    let host_text = host.and_then(|h| h.as_str());
    let covers = |entry: &Value<'_>| {
        let mut hosts = entry.get("hosts").into_iter().flat_map(|h| h.items()).filter_map(|h| h.as_str()).peekable();
        // Without hosts an entry holds for all of them.
        hosts.peek().is_none() || hosts.any(|h| host_text.is_some_and(|name| name == h || wildcard(h, name)))
    };
    let entries = object.spec().and_then(|s| s.get("tls"));
    let tls = entries.into_iter().flat_map(|t| t.items()).find(covers);
    let by_annotation = annotation(&TLS);
    let (encryption, note) = match (tls, by_annotation) {
        (Some(entry), _) => (Encryption::Encrypted, Note::stated(entry.span(), "a TLS entry covers the host")),
        (None, Some(a)) => (Encryption::Encrypted, Note::stated(a.key_span, "an annotation sets the certificate")),
        (None, None) => {
            let at = host.map_or(span, |h| h.span());
            (Encryption::Plain, Note::absent(Some(at), "no TLS entry covers the host"))
        }
    };
    claim.protocol = Some(if encryption == Encryption::Encrypted { "HTTPS" } else { "HTTP" }.to_owned());
    claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(encryption), note);
    let marks = [
        (&SNIPPETS[..], attr::SNIPPETS),
        (&LOGINS[..], attr::EDGE_AUTHENTICATION),
        (&LIMITS[..], attr::RATE_LIMITED),
        (&SOURCE_RANGES[..], attr::SOURCE_RESTRICTED),
    ];
    for (marks, attribute) in marks {
        if let Some(found) = annotation(marks).filter(|a| !admits_everybody(a.value.scalar_text().unwrap_or(""))) {
            claim = claim.with(attribute.id, attribute.value(YesNo::Yes), Note::stated(found.key_span, ""));
        }
    }
    let internal = |key: &str, value: &str| key == "alb.ingress.kubernetes.io/scheme" && value == "internal";
    if let Some(found) = object.annotations().find(|a| internal(a.key, a.value.scalar_text().unwrap_or(""))) {
        let note = Note::stated(found.key_span, "the load balancer is internal");
        claim = claim.with(attr::SOURCE_RESTRICTED.id, attr::SOURCE_RESTRICTED.value(YesNo::Yes), note);
    }
    // Proxies for HTTP pass the address of the caller on in a header.
    let kept = Note::merged(span, "the Ingress controller passes the client address on");
    claim.with(attr::CLIENT_ADDRESS_KEPT.id, attr::CLIENT_ADDRESS_KEPT.value(YesNo::Yes), kept)
}

/// Whether the value of an annotation switches off what the annotation is for.
fn admits_everybody(value: &str) -> bool {
    value.split(',').any(|part| EVERYBODY.contains(&part.trim()))
}

/// Whether `*.example.com` covers a host.
fn wildcard(pattern: &str, host: &str) -> bool {
    pattern.strip_prefix("*.").is_some_and(|rest| host.split_once('.').is_some_and(|(_, tail)| tail == rest))
}
