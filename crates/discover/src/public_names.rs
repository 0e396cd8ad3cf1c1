//! Host names by which Ingresses and routes of other kinds lead to workloads. The one that leads to a workload alone is
//! its own name: it holds it to write links and to check where requests come from, not to call itself.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Manifests, Object};
use kubestride_yaml::Value;

use crate::address;
use crate::gateway_listeners::{self, hostnames};
use crate::mesh_routes::{MESH, destinations};
use crate::world::ServiceInfo;

/// Host names with the workloads behind them, by position; none stands for a backend that is not in the input.
#[derive(Default)]
pub(crate) struct PublicNames(BTreeMap<String, BTreeSet<Option<usize>>>);

/// A Service that a host name leads to, by namespace and name; without a name it is something else.
type Behind<'a> = (&'a str, Option<&'a str>);

impl PublicNames {
    pub(crate) fn read(manifests: &Manifests, default: &str, services: &[ServiceInfo<'_>]) -> Self {
        let mut names = Self::default();
        for ingress in manifests.by_kind("Ingress") {
            let namespace = ingress.effective_namespace(default).unwrap_or_default();
            for rule in items(ingress.spec(), "rules") {
                let backends = items(rule.get("http"), "paths").filter_map(|path| path.get("backend"));
                let behind = backends.map(|backend| {
                    let service = backend.get("service").and_then(|s| text(s, "name"));
                    (namespace, service.or_else(|| text(backend, "serviceName")))
                });
                names.add(services, text(rule, "host"), behind.collect());
            }
        }
        for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute"] {
            for route in manifests.by_custom_kind(gateway_listeners::GROUP, kind) {
                let backends = items(route.spec(), "rules").flat_map(|rule| items(Some(rule), "backendRefs"));
                let own = route.effective_namespace(default).unwrap_or_default();
                let behind = backends.map(|backend| {
                    let is_service = text(backend, "kind").is_none_or(|kind| kind == "Service");
                    (text(backend, "namespace").unwrap_or(own), text(backend, "name").filter(|_| is_service))
                });
                names.add(services, hostnames(route), behind.collect());
            }
        }
        for route in manifests.by_custom_kind("route.openshift.io", "Route") {
            let Some(spec) = route.spec() else { continue };
            let backends = spec.get("to").into_iter().chain(items(Some(spec), "alternateBackends"));
            let own = route.effective_namespace(default).unwrap_or_default();
            names.add(services, text(spec, "host"), backends.map(|backend| (own, text(backend, "name"))).collect());
        }
        for object in manifests.by_custom_kind("networking.istio.io", "VirtualService") {
            let from_outside = items(object.spec(), "gateways").any(|gateway| gateway.as_str() != Some(MESH));
            if from_outside {
                let hosts = items(object.spec(), "hosts").filter_map(|host| host.as_str());
                names.add(services, hosts, behind_gateways(object, default));
            }
        }
        names
    }

    fn add<'n>(
        &mut self,
        services: &[ServiceInfo<'_>],
        hosts: impl IntoIterator<Item = &'n str>,
        behind: Vec<Behind<'_>>,
    ) {
        for host in hosts {
            let found = self.0.entry(address::normal(host)).or_default();
            for (namespace, name) in &behind {
                let service = services.iter().find(|s| s.namespace == *namespace && Some(s.name) == *name);
                match service.filter(|s| !s.workloads.is_empty()) {
                    Some(service) => found.extend(service.workloads.iter().map(|w| Some(*w))),
                    None => drop(found.insert(None)),
                }
            }
        }
    }

    /// Whether a host name leads to this workload and to nothing else.
    pub(crate) fn is_own(&self, host: &str, workload: usize) -> bool {
        self.0.get(host).is_some_and(|behind| behind.len() == 1 && behind.contains(&Some(workload)))
    }
}

fn items<'a>(holder: Option<Value<'a>>, key: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    holder.and_then(|h| h.get(key)).into_iter().flat_map(|list| list.items())
}

fn text<'a>(holder: Value<'a>, key: &str) -> Option<&'a str> {
    holder.get(key).and_then(|v| v.as_str())
}

/// What a VirtualService routes to. What it delegates to others is not looked at.
fn behind_gateways<'a>(object: Object<'a>, default: &'a str) -> Vec<Behind<'a>> {
    let own = object.effective_namespace(default).unwrap_or_default();
    let mut behind = Vec::new();
    for rule in ["http", "tls", "tcp"].into_iter().flat_map(|field| items(object.spec(), field)) {
        behind.extend(rule.get("delegate").map(|_| (own, None)));
        for host in destinations(rule).into_iter().filter_map(|destination| text(destination, "host")) {
            let mut labels = host.split('.');
            let name = labels.next();
            behind.push((labels.next().unwrap_or(own), name));
        }
    }
    behind
}
