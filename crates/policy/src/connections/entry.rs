//! What routes from outside lead to: an ingress controller passes requests on to the pods behind Services.

use std::collections::BTreeMap;

use kubestride_manifest::{Field, Manifests, Object, PortRef, Service, ServicePort};
use kubestride_yaml::Value;

use super::{Connection, Workload};
use crate::network::{End, NetworkPolicies, PortSet};

/// The source of these connections in outputs.
const CONTROLLER: &str = "{ingress-controller}";

/// A Service that a route leads to.
struct Backend<'a> {
    namespace: &'a str,
    service: &'a str,
    /// The port of the Service by number or name; all of them if the route names none.
    port: Option<PortRef<'a>>,
    /// Whether the port may be that of the pods, too.
    of_pods: bool,
}

/// Connections of the ingress controller, whose own pods are not known.
pub(super) fn connections(
    manifests: &Manifests,
    workloads: &[Workload<'_>],
    policies: &NetworkPolicies,
    default_namespace: &str,
) -> Vec<Connection> {
    let routes = manifests.by_kind("Ingress").flat_map(|object| ingress(object, namespace(object, default_namespace)));
    let of_openshift = manifests.by_custom_kind("route.openshift.io", "Route");
    let routes = routes.chain(of_openshift.flat_map(|object| route(object, namespace(object, default_namespace))));
    let mut services: BTreeMap<(&str, &str), Service<'_>> = BTreeMap::new();
    for service in manifests.by_kind("Service").filter_map(|o| o.service()) {
        services.insert((namespace(service.object, default_namespace), service.object.name()), service);
    }
    let mut by_namespace: BTreeMap<&str, Vec<&Workload<'_>>> = BTreeMap::new();
    for workload in workloads {
        by_namespace.entry(workload.namespace).or_default().push(workload);
    }
    let mut found = Vec::new();
    for backend in routes {
        if let Some(service) = services.get(&(backend.namespace, backend.service)) {
            let here = by_namespace.get(backend.namespace).map(Vec::as_slice).unwrap_or_default();
            for workload in here.iter().filter(|w| service.selects(w.pod().labels)) {
                let wanted = service.ports().filter(|port| backend.is(port));
                let asked = wanted.fold(PortSet::none(), |all, port| all.union(&target(&port, workload)));
                let verdict = policies.unexplained(End::SomePod, End::Pod(workload.pod()));
                let (ports, unknown) = (asked.intersection(&verdict.ports()), asked.intersection(&verdict.unknown()));
                found.push(Connection {
                    network: None,
                    source: CONTROLLER.to_owned(),
                    target: workload.name.clone(),
                    ports,
                    unknown,
                });
            }
        }
    }
    found
}

impl Backend<'_> {
    fn is(&self, port: &ServicePort<'_>) -> bool {
        match self.port {
            None => true,
            Some(PortRef::Number(number)) => port.number == number || self.is_of_pods(port),
            Some(PortRef::Name(name)) => port.name == Some(name) || self.is_of_pods(port),
        }
    }

    fn is_of_pods(&self, port: &ServicePort<'_>) -> bool {
        self.of_pods && self.port == Some(port.target_port)
    }
}

/// The port of the pods behind a port of a Service.
fn target(port: &ServicePort<'_>, workload: &Workload<'_>) -> PortSet {
    match port.target_port {
        PortRef::Number(number) if workload.may_listen(port.protocol, number) => {
            PortSet::range(port.protocol, number, number)
        }
        PortRef::Number(_) => PortSet::none(),
        PortRef::Name(name) => {
            let own = workload.ports().iter().filter(|p| p.name == name && p.protocol == port.protocol);
            own.fold(PortSet::none(), |all, p| all.union(&PortSet::range(p.protocol, p.number, p.number)))
        }
    }
}

fn namespace<'a>(object: Object<'a>, default: &'a str) -> &'a str {
    object.namespace().unwrap_or(default)
}

fn ingress<'a>(object: Object<'a>, namespace: &'a str) -> Vec<Backend<'a>> {
    let spec = object.spec();
    let default = spec.field("defaultBackend").or_else(|| spec.field("backend"));
    let paths = spec.list("rules").flat_map(|rule| rule.path(&["http"]).list("paths").collect::<Vec<_>>());
    let backends = default.into_iter().chain(paths.filter_map(|path| path.field("backend")));
    backends.filter_map(|value| backend(namespace, value)).collect()
}

/// A backend in its current and in its old form.
fn backend<'a>(namespace: &'a str, value: Value<'a>) -> Option<Backend<'a>> {
    if let Some(service) = value.field("service") {
        let port = service.field("port").and_then(|p| p.field("number").or_else(|| p.field("name")));
        let (service, port) = (service.text("name")?, port.and_then(PortRef::read));
        return Some(Backend { namespace, service, port, of_pods: false });
    }
    let port = value.field("servicePort").and_then(PortRef::read);
    Some(Backend { namespace, service: value.text("serviceName")?, port, of_pods: false })
}

/// A Route of OpenShift, whose port is that of the pods or the name of one of the Service.
fn route<'a>(object: Object<'a>, namespace: &'a str) -> Vec<Backend<'a>> {
    let spec = object.spec();
    let port = spec.field("port").field("targetPort").and_then(PortRef::read);
    let to = spec.field("to").into_iter().chain(spec.list("alternateBackends"));
    to.filter_map(|to| Some(Backend { namespace, service: to.text("name")?, port, of_pods: true })).collect()
}
