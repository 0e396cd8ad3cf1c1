//! Istio's VirtualServices: what its Gateways let in from outside and out of the mesh, and to where.

use std::collections::BTreeSet;

use kubestride_manifest::{LabelSelector, Labels, Object};
use kubestride_model::FlowKind;
use kubestride_source::{Diagnostic, Span};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, Entry, YesNo};
use kubestride_yaml::Value;

use super::Signal;
use crate::by_name::ByName;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::mesh_routes::{MESH, destinations};
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
        let all: Vec<Object<'_>> = world.manifests.by_custom_kind(GROUP, "VirtualService").collect();
        let by_name: ByName<Object<'_>> =
            all.iter().map(|s| ((world.namespace_of(*s), s.name().to_owned()), *s)).collect();
        let gateways: ByName<Object<'_>> = world
            .manifests
            .by_custom_kind(GROUP, "Gateway")
            .map(|g| ((world.namespace_of(g), g.name().to_owned()), g))
            .collect();
        let mut followed = BTreeSet::new();
        for service in all.iter().copied() {
            let Some(spec) = service.spec() else { continue };
            let own = world.namespace_of(service);
            for name in texts(spec, "gateways").filter(|name| *name != MESH) {
                let gateway = Behind { name, object: gateway_of(&gateways, &own, name) };
                routes(world, service, gateway, claims);
                for (namespace, name) in delegates(spec, gateway.name) {
                    let Some(next) = by_name.get(namespace.unwrap_or(&own), name) else { continue };
                    // Several rules may delegate to one.
                    if followed.insert((next.span(), gateway.name, gateway.object.map(|g| g.span()))) {
                        routes(world, *next, gateway, claims);
                    }
                }
            }
        }
        let chained: BTreeSet<Span> = followed.into_iter().map(|(service, ..)| service).collect();
        claims.diagnostics.extend(all.iter().filter(|s| chained.contains(&s.span())).filter_map(|s| chain(*s)));
    }
}

/// Namespace and name of those to which a VirtualService delegates behind a gateway.
fn delegates<'a>(spec: Value<'a>, gateway: &str) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    let rules = ROUTES.into_iter().filter_map(move |(field, _)| spec.get(field)).flat_map(|rules| rules.items());
    rules.filter(move |rule| is_behind(*rule, gateway)).filter_map(|rule| {
        let delegate = rule.get("delegate")?;
        Some((delegate.get("namespace").and_then(|n| n.as_str()), delegate.get("name")?.as_str()?))
    })
}

/// That one to which another delegates does so itself: "Only one level delegation is supported."
fn chain(service: Object<'_>) -> Option<Diagnostic> {
    let spec = service.spec()?;
    let rules = ROUTES.iter().filter_map(|(field, _)| spec.get(field)).flat_map(|rules| rules.items());
    let delegate = rules.filter_map(|rule| rule.get("delegate")).next()?;
    let text = format!(
        "VirtualService {} delegates, and another delegates to it: Istio follows one step, and its own is left out",
        service.name()
    );
    Some(Diagnostic::warning("delegate-not-followed", text).at(delegate.span()))
}

/// A Gateway by the name that a VirtualService uses for it, and its object if that is in the input.
#[derive(Clone, Copy)]
struct Behind<'n, 'a> {
    name: &'n str,
    object: Option<Object<'a>>,
}

fn texts<'a>(holder: Value<'a>, key: &str) -> impl Iterator<Item = &'a str> {
    holder.get(key).into_iter().flat_map(|list| list.items()).filter_map(|item| item.as_str())
}

/// The Gateway that a VirtualService of the namespace `own` names as `name` or `namespace/name`, if it is in the input.
fn gateway_of<'a>(gateways: &ByName<Object<'a>>, own: &str, name: &str) -> Option<Object<'a>> {
    let (namespace, name) = name.split_once('/').unwrap_or((own, name));
    gateways.get(namespace, name).copied()
}

/// The routes of a VirtualService behind a Gateway.
fn routes(world: &World<'_>, service: Object<'_>, gateway: Behind<'_, '_>, claims: &mut Claims) {
    let Some(spec) = service.spec() else { return };
    for (field, protocol) in ROUTES {
        let rules = spec.get(field).into_iter().flat_map(|r| r.items());
        for rule in rules.filter(|rule| is_behind(*rule, gateway.name)) {
            for destination in destinations(rule) {
                enter(world, service, gateway.object, destination, protocol, claims);
            }
        }
    }
}

/// Whether a rule counts behind a gateway: one of its matches says so, or does not say behind which.
fn is_behind(rule: Value<'_>, gateway: &str) -> bool {
    let mut matches = rule.get("match").into_iter().flat_map(|m| m.items()).peekable();
    let fits = |m: Value<'_>| {
        let mut named = texts(m, "gateways").peekable();
        named.peek().is_none() || named.any(|name| name == gateway)
    };
    matches.peek().is_none() || matches.any(fits)
}

/// The workloads of the input that a Gateway runs on.
fn gateway_pods(world: &World<'_>, gateway: Option<Object<'_>>) -> Vec<usize> {
    let selector = gateway.and_then(|g| g.spec()?.get("selector"));
    let selector = LabelSelector::from_labels(&Labels::read(selector));
    if selector.is_everything() {
        return Vec::new();
    }
    let fits = |at: &usize| world.workloads.get(*at).is_some_and(|w| selector.matches(&w.labels));
    world.pods.candidates_anywhere(&selector).into_iter().filter(fits).collect()
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

/// The labels of a subset of a host, as a DestinationRule of the input defines it.
fn subset_of(world: &World<'_>, namespace: &str, host: &str, subset: &str) -> Option<LabelSelector> {
    let same = |rule: Object<'_>| {
        let named = rule.spec().and_then(|s| s.get("host")?.as_str()).unwrap_or("");
        let own = world.namespace_of(rule);
        match (resolve(world, &own, named), resolve(world, namespace, host)) {
            (Resolved::Service(one), Resolved::Service(other)) => one.identity == other.identity,
            _ => false,
        }
    };
    let rule = world.manifests.by_custom_kind(GROUP, "DestinationRule").find(|rule| same(*rule))?;
    let is = |s: &Value<'_>| s.get("name").and_then(|n| n.as_str()) == Some(subset);
    let labels = rule.spec()?.get("subsets")?.items().find(is)?.get("labels")?;
    Some(LabelSelector::from_labels(&Labels::read(Some(labels))))
}

fn enter(
    world: &World<'_>,
    service: Object<'_>,
    gateway: Option<Object<'_>>,
    destination: Value<'_>,
    protocol: &str,
    claims: &mut Claims,
) {
    let text = |key: &str| destination.get(key).and_then(|h| h.as_str());
    let Some(host) = text("host") else { return };
    let namespace = world.namespace_of(service);
    let port = destination.get("port").and_then(|p| p.get("number")).and_then(|n| u16::try_from(n.as_i64()?).ok());
    let note = Note::stated(destination.span(), format!("VirtualService {} routes to {host}", service.name()));
    let proxies = gateway_pods(world, gateway);
    let (targets, via): (Vec<(Party, Option<u16>)>, _) = match resolve(world, &namespace, host) {
        Resolved::Service(found) if !found.workloads.is_empty() => {
            let port = port.or_else(|| found.only_port());
            let behind =
                |target: &usize| (Party::Workload(*target), port.and_then(|p| found.target_port(world, *target, p)));
            let subset = text("subset").and_then(|subset| subset_of(world, &namespace, host, subset));
            let is_of = |target: &&usize| {
                subset.as_ref().is_none_or(|s| world.workloads.get(**target).is_some_and(|w| s.matches(&w.labels)))
            };
            (found.workloads.iter().filter(is_of).map(behind).collect(), Some(found.identity.clone()))
        }
        Resolved::Made { workload, port: usual } => (vec![(Party::Workload(workload), port.or(Some(usual)))], None),
        Resolved::Pods(workloads) => (workloads.iter().map(|w| (Party::Workload(*w), port)).collect(), None),
        // Out of the mesh through a gateway; what is let in from outside is not sent there again.
        Resolved::Outside(party) if !proxies.is_empty() => (vec![(party, port)], None),
        Resolved::Outside(_) | Resolved::ApiServer => return,
        Resolved::Missing { namespace, name } => (vec![(Party::UnresolvedService { namespace, name }, port)], None),
        Resolved::Service(_) | Resolved::Word => {
            (vec![(Party::UnresolvedService { namespace, name: host.to_owned() }, port)], None)
        }
    };
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
            if let Party::Host(host) = &target {
                if let Some(note) = world.tls_origination.of(world, *proxy, host, port) {
                    let encrypted = attr::ENCRYPTION.value(Encryption::Encrypted);
                    claim = claim.with(attr::ENCRYPTION.id, encrypted, note);
                }
                let leaves = attr::LEAVES_CLUSTER.value(YesNo::Yes);
                claim = claim.with(attr::LEAVES_CLUSTER.id, leaves, note.clone());
            }
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
