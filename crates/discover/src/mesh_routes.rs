//! Where sidecars send requests for a Service: a VirtualService may lead to others.
//! <https://istio.io/latest/docs/reference/config/networking/virtual-service/>

use std::collections::BTreeMap;

use kubestride_manifest::{Labels, Object, ServicePort};
use kubestride_policy::mesh::Dataplane;
use kubestride_yaml::Value;

use crate::claims::Note;
use crate::resolve::{Resolved, resolve};
use crate::world::{ServiceInfo, WorkloadInfo, World};

const GROUP: &str = "networking.istio.io";
/// What stands for all sidecars in a list of gateways. Without a list it is meant.
pub(crate) const MESH: &str = "mesh";
/// Conditions that do not depend on single requests.
const OF_CONNECTIONS: [&str; 5] = ["gateways", "name", "port", "sourceLabels", "sourceNamespace"];

/// The VirtualServices for sidecars by the identity of the Service that they are about.
#[derive(Default)]
pub(crate) struct MeshRoutes<'a>(BTreeMap<String, Vec<Object<'a>>>);

/// Where requests of a workload for a Service go.
pub(crate) struct Routed<'w, 'a> {
    /// Whether it is known that the workload has a sidecar.
    pub(crate) sure: bool,
    /// Whether some of them go to the Service itself.
    pub(crate) stays: bool,
    /// Where else they go, with the port that is called there, and what says so.
    pub(crate) others: Vec<(Resolved<'w, 'a>, Option<u16>, Note)>,
}

impl<'a> MeshRoutes<'a> {
    pub(crate) fn read(world: &World<'a>) -> Self {
        let mut all: BTreeMap<String, Vec<Object<'a>>> = BTreeMap::new();
        for object in world.manifests.by_custom_kind(GROUP, "VirtualService") {
            let Some(spec) = object.spec() else { continue };
            if !names_mesh(spec) {
                continue;
            }
            let namespace = world.namespace_of(object);
            for host in texts(spec, "hosts") {
                if let Resolved::Service(service) = resolve(world, &namespace, host) {
                    all.entry(service.identity.clone()).or_default().push(object);
                }
            }
        }
        Self(all)
    }

    /// Where requests of a workload for a port of a Service go; none if no VirtualService is about them.
    pub(crate) fn of<'w>(
        &self,
        world: &'w World<'a>,
        source: usize,
        service: &ServiceInfo<'a>,
        port: Option<u16>,
    ) -> Option<Routed<'w, 'a>> {
        let objects = self.0.get(&service.identity)?;
        let caller = world.workloads.get(source)?;
        let sure = match Dataplane::of(&world.mesh_pods.of(source, caller)?) {
            Dataplane::Outside => return None,
            Dataplane::Sidecar => true,
            // In the ambient mode it depends on the waypoint.
            Dataplane::Ambient | Dataplane::Unknown => false,
        };
        let spec = service.service.ports().find(|p| Some(p.number) == port);
        let mut routed = Routed { sure, stays: false, others: Vec::new() };
        let mut about = false;
        for object in objects.iter().filter(|o| is_exported(world, **o, &caller.namespace)) {
            let Some(field) = object.spec().and_then(|s| fields(spec).iter().find_map(|field| s.get(field))) else {
                continue;
            };
            about = true;
            for rule in field.items() {
                let (applies, always) = applies(rule, caller, port);
                if applies {
                    follow(world, *object, service, rule, &mut routed);
                }
                if always {
                    break;
                }
            }
        }
        about.then_some(routed)
    }
}

fn texts<'a>(holder: Value<'a>, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    holder.get(key).into_iter().flat_map(|list| list.items()).filter_map(|item| item.as_str())
}

/// Whether a list of gateways names the sidecars, or is not there.
fn names_mesh(holder: Value<'_>) -> bool {
    let mut gateways = texts(holder, "gateways").peekable();
    gateways.peek().is_none() || gateways.any(|name| name == MESH)
}

/// Whether sidecars of a namespace see a VirtualService.
fn is_exported(world: &World<'_>, object: Object<'_>, namespace: &str) -> bool {
    let Some(spec) = object.spec() else { return false };
    let own = object.effective_namespace(&world.options.namespace).unwrap_or_default();
    let mut to = texts(spec, "exportTo").peekable();
    to.peek().is_none() || to.any(|name| name == "*" || name == namespace || (name == "." && own == namespace))
}

/// The fields with the routes for a port, as its name or `appProtocol` says; without one the proxy finds out.
/// <https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/>
fn fields(port: Option<ServicePort<'_>>) -> &'static [&'static str] {
    let named = port.and_then(|p| p.app_protocol.or(p.name)).unwrap_or("").to_ascii_lowercase();
    match named.split('-').next().unwrap_or("") {
        "http" | "http2" | "grpc" => &["http"],
        "https" | "tls" => &["tls"],
        "tcp" | "mongo" | "mysql" | "redis" => &["tcp"],
        _ => &["http", "tcp", "tls"],
    }
}

/// Whether a rule may be about calls of a workload, and whether it takes all of them.
fn applies(rule: Value<'_>, caller: &WorkloadInfo<'_>, port: Option<u16>) -> (bool, bool) {
    let mut conditions = rule.get("match").into_iter().flat_map(|m| m.items()).peekable();
    if conditions.peek().is_none() {
        return (true, true);
    }
    let (mut some, mut all) = (false, false);
    for condition in conditions {
        let labels = Labels::read(condition.get("sourceLabels"));
        let namespace = condition.get("sourceNamespace").and_then(|n| n.as_str());
        let asked = condition.get("port").and_then(|p| p.as_i64());
        let fits = names_mesh(condition)
            && labels.iter().all(|(key, value)| caller.labels.get(key) == Some(value))
            && namespace.is_none_or(|namespace| namespace == caller.namespace)
            && asked.is_none_or(|asked| port.is_none_or(|port| i64::from(port) == asked));
        let of_connections = condition.entries().all(|entry| OF_CONNECTIONS.contains(&entry.key));
        some |= fits;
        all |= fits && of_connections && (asked.is_none() || port.is_some());
    }
    (some, all)
}

/// Where a rule sends requests, and copies of them. A route with the weight 0 gets none.
pub(crate) fn destinations(rule: Value<'_>) -> Vec<Value<'_>> {
    let list = |key: &str| rule.get(key).into_iter().flat_map(|l| l.items());
    let weight = |route: &Value<'_>| route.get("weight").and_then(|w| w.as_i64());
    let routes = list("route").filter(|route| weight(route) != Some(0));
    let mirrors = list("mirrors").filter_map(|mirror| mirror.get("destination"));
    let routed = routes.filter_map(|route| route.get("destination"));
    routed.chain(mirrors).chain(rule.get("mirror")).collect()
}

fn follow<'w, 'a>(
    world: &'w World<'a>,
    object: Object<'a>,
    service: &ServiceInfo<'a>,
    rule: Value<'a>,
    routed: &mut Routed<'w, 'a>,
) {
    // What another VirtualService says for it is not looked at.
    routed.stays |= rule.get("delegate").is_some();
    let namespace = world.namespace_of(object);
    for destination in destinations(rule) {
        let Some(host) = destination.get("host").and_then(|h| h.as_str()) else { continue };
        let number = destination.get("port").and_then(|p| p.get("number")?.as_i64());
        let number = number.and_then(|n| u16::try_from(n).ok());
        let note = Note::stated(destination.span(), format!("VirtualService {} routes to {host}", object.name()));
        match resolve(world, &namespace, host) {
            Resolved::Service(found) if found.identity == service.identity => routed.stays = true,
            found => routed.others.push((found, number, note)),
        }
    }
}
