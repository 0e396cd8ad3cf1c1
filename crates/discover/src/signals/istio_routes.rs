//! Istio's VirtualServices: what its Gateways let in from outside, and to where.

use std::collections::BTreeSet;

use kubestride_manifest::{LabelSelector, Labels, Object};
use kubestride_model::FlowKind;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, Entry, YesNo};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resolve::{Resolved, resolve};
use crate::world::World;

pub(crate) struct IstioRoutes;

const GROUP: &str = "networking.istio.io";
/// Fields of a VirtualService that hold routes, and the protocol of each.
const ROUTES: [(&str, &str); 3] = [("http", "HTTP"), ("tls", "TLS"), ("tcp", "TCP")];

impl Signal for IstioRoutes {
    fn name(&self) -> &'static str {
        "istio-routes"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for service in world.manifests.by_custom_kind(GROUP, "VirtualService") {
            let Some(spec) = service.spec() else { continue };
            let named = spec.get("gateways").into_iter().flat_map(|g| g.items()).filter_map(|g| g.as_str());
            let gateways: Vec<&str> = named.filter(|name| *name != "mesh").collect();
            let mut visited = BTreeSet::new();
            for gateway in gateways {
                let gateway = gateway_of(world, service, gateway);
                routes(world, service, gateway, &mut visited, claims);
            }
        }
    }
}

/// The Gateway that a VirtualService names as `name` or `namespace/name`, if it is in the input.
fn gateway_of<'a>(world: &World<'a>, service: Object<'_>, name: &str) -> Option<Object<'a>> {
    let own = world.namespace_of(service);
    let (namespace, name) = name.split_once('/').unwrap_or((&own, name));
    let fits = |g: &Object<'_>| g.name() == name && world.namespace_of(*g) == namespace;
    world.manifests.by_custom_kind(GROUP, "Gateway").find(fits)
}

/// The routes of a VirtualService behind a Gateway, with those of the ones that it delegates to.
fn routes(
    world: &World<'_>,
    service: Object<'_>,
    gateway: Option<Object<'_>>,
    visited: &mut BTreeSet<String>,
    claims: &mut Claims,
) {
    let identity = service.identity(&world.options.namespace);
    let key = format!("{identity} {}", gateway.map(|g| g.identity(&world.options.namespace)).unwrap_or_default());
    if !visited.insert(key) {
        return;
    }
    let Some(spec) = service.spec() else { return };
    for (field, protocol) in ROUTES {
        for rule in spec.get(field).into_iter().flat_map(|r| r.items()) {
            for route in rule.get("route").into_iter().flat_map(|r| r.items()) {
                if let Some(destination) = route.get("destination") {
                    enter(world, service, gateway, destination, protocol, claims);
                }
            }
            if let Some(delegate) = rule.get("delegate") {
                let own = world.namespace_of(service);
                let namespace = delegate.get("namespace").and_then(|n| n.as_str()).unwrap_or(&own);
                let name = delegate.get("name").and_then(|n| n.as_str());
                let fits = |s: &Object<'_>| Some(s.name()) == name && world.namespace_of(*s) == namespace;
                if let Some(next) = world.manifests.by_custom_kind(GROUP, "VirtualService").find(fits) {
                    routes(world, next, gateway, visited, claims);
                }
            }
        }
    }
}

/// The workloads of the input that a Gateway runs on.
fn gateway_pods(world: &World<'_>, gateway: Option<Object<'_>>) -> Vec<usize> {
    let selector = gateway.and_then(|g| g.spec()?.get("selector"));
    let selector = LabelSelector::from_labels(&Labels::read(selector));
    if selector.is_everything() {
        return Vec::new();
    }
    world.workloads.iter().enumerate().filter(|(_, w)| selector.matches(&w.labels)).map(|(i, _)| i).collect()
}

/// Whether a server of the Gateway takes requests in plain text, and where that is said.
fn listener<'a>(gateway: Object<'a>) -> Option<(bool, Value<'a>)> {
    let mut result = None;
    for server in gateway.spec()?.get("servers")?.items() {
        let protocol = server.get("port").and_then(|p| p.get("protocol"))?;
        let redirects = server.get("tls").and_then(|t| t.get("httpsRedirect")).and_then(|r| r.as_bool()) == Some(true);
        let secure = redirects || matches!(protocol.as_str(), Some("HTTPS" | "TLS"));
        if !secure || result.is_none() {
            result = Some((secure, protocol));
        }
    }
    result
}

fn enter(
    world: &World<'_>,
    service: Object<'_>,
    gateway: Option<Object<'_>>,
    destination: Value<'_>,
    protocol: &str,
    claims: &mut Claims,
) {
    let Some(host) = destination.get("host").and_then(|h| h.as_str()) else { return };
    let namespace = world.namespace_of(service);
    let port = destination.get("port").and_then(|p| p.get("number")).and_then(|n| u16::try_from(n.as_i64()?).ok());
    let note = Note::stated(destination.span(), format!("VirtualService {} routes to {host}", service.name()));
    let (targets, via): (Vec<(Party, Option<u16>)>, _) = match resolve(world, &namespace, host) {
        Resolved::Service(found) if !found.workloads.is_empty() => {
            let port = port.or_else(|| found.only_port());
            let behind =
                |target: &usize| (Party::Workload(*target), port.and_then(|p| found.target_port(world, *target, p)));
            (found.workloads.iter().map(behind).collect(), Some(found.identity.clone()))
        }
        Resolved::Made { workload, port: usual } => (vec![(Party::Workload(workload), port.or(Some(usual)))], None),
        Resolved::Outside(_) | Resolved::ApiServer => return,
        Resolved::Missing { namespace, name } => (vec![(Party::UnresolvedService { namespace, name }, port)], None),
        Resolved::Service(_) | Resolved::Word => {
            (vec![(Party::UnresolvedService { namespace, name: host.to_owned() }, port)], None)
        }
    };
    let proxies = gateway_pods(world, gateway);
    for (target, target_port) in targets {
        if proxies.is_empty() {
            claims.flows.push(exposure(world, service, gateway, target, target_port, protocol, note.clone()));
            continue;
        }
        // The gateway's own pods are in the input: what comes from outside reaches them, and they call on.
        for proxy in &proxies {
            let source = Party::Workload(*proxy);
            let mut claim = FlowClaim::new(source, target.clone(), FlowKind::Traffic, note.clone());
            (claim.port, claim.target_port, claim.via) = (port.or(target_port), target_port, via.clone());
            claim.protocol = Some(protocol.to_owned());
            claims.flows.push(claim);
        }
    }
}

fn exposure(
    world: &World<'_>,
    service: Object<'_>,
    gateway: Option<Object<'_>>,
    target: Party,
    target_port: Option<u16>,
    protocol: &str,
    note: Note,
) -> FlowClaim {
    let mut claim = FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note);
    claim.via = Some(service.identity(&world.options.namespace));
    claim.target_port = target_port;
    claim.protocol = Some(protocol.to_owned());
    let entry = Note::stated(gateway.map_or(service.span(), |g| g.span()), "");
    claim = claim.with(attr::ENTRY.id, attr::ENTRY.value(Entry::Gateway), entry);
    if let Some((secure, place)) = gateway.and_then(listener) {
        let value = if secure { Encryption::Encrypted } else { Encryption::Plain };
        let note = Note::stated(place.span(), "the protocol of the Gateway's server");
        claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(value), note);
        if secure && protocol == "HTTP" {
            claim.protocol = Some("HTTPS".to_owned());
        }
    }
    let kept = Note::merged(service.span(), "the Gateway passes the client address on");
    claim.with(attr::CLIENT_ADDRESS_KEPT.id, attr::CLIENT_ADDRESS_KEPT.value(YesNo::Yes), kept)
}
