//! Where a Service without a selector leads: addresses that somebody wrote into Endpoints or EndpointSlices.
//! <https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors>

use std::collections::BTreeMap;

use kubestride_manifest::{Manifests, Object};
use kubestride_yaml::Value;

use crate::address;

/// The label by which an EndpointSlice belongs to a Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// More addresses of one Service are many of one kind.
const MAX_ADDRESSES: usize = 64;

/// What an address is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A pod, by name.
    Pod(String),
    /// An address or a host name.
    Host(String),
}

/// Ports that are written for addresses: the name, by which they belong to a port of the Service, and the number.
pub(crate) type Ports = Vec<(String, u16)>;

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub(crate) place: Place,
    pub(crate) ports: Ports,
}

/// The addresses of Services by namespace and name, in order, each once.
#[derive(Default)]
pub(crate) struct Endpoints(BTreeMap<(String, String), Vec<Endpoint>>);

impl Endpoints {
    pub(crate) fn read(manifests: &Manifests, default: &str) -> Self {
        let mut all: BTreeMap<(String, String), Vec<Endpoint>> = BTreeMap::new();
        let mut add = |object: Object<'_>, service: &str, found: Vec<Endpoint>| {
            let namespace = object.namespace().unwrap_or(default).to_owned();
            all.entry((namespace, service.to_owned())).or_default().extend(found);
        };
        for object in manifests.by_kind("Endpoints") {
            let of_subset = |subset: Value<'_>| -> Vec<Endpoint> {
                let ports = ports(subset);
                let addresses = items(Some(subset), "addresses").chain(items(Some(subset), "notReadyAddresses"));
                addresses.filter_map(|a| endpoint(a, a.get("ip").or_else(|| a.get("hostname")), &ports)).collect()
            };
            add(object, object.name(), items(Some(object.root()), "subsets").flat_map(of_subset).collect());
        }
        for object in manifests.by_kind("EndpointSlice") {
            let Some(service) = object.label(SERVICE_NAME) else { continue };
            let ports = ports(object.root());
            let each = |e: Value<'_>| -> Vec<Endpoint> {
                items(Some(e), "addresses").filter_map(|address| endpoint(e, Some(address), &ports)).collect()
            };
            add(object, service, items(Some(object.root()), "endpoints").flat_map(each).collect());
        }
        for found in all.values_mut() {
            found.sort();
            found.dedup();
            found.truncate(MAX_ADDRESSES);
        }
        Self(all)
    }

    /// The addresses behind a Service that are written down.
    pub(crate) fn of(&self, namespace: &str, service: &str) -> &[Endpoint] {
        let found = self.0.get(&(namespace.to_owned(), service.to_owned()));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

fn items<'a>(holder: Option<Value<'a>>, key: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    holder.and_then(|h| h.get(key)).into_iter().flat_map(|list| list.items())
}

/// The ports that are written beside addresses.
fn ports(holder: Value<'_>) -> Ports {
    let port = |p: Value<'_>| {
        let name = p.get("name").and_then(|n| n.as_str()).unwrap_or("");
        Some((name.to_owned(), u16::try_from(p.get("port")?.as_i64()?).ok()?))
    };
    items(Some(holder), "ports").filter_map(port).collect()
}

fn endpoint(holder: Value<'_>, address: Option<Value<'_>>, ports: &Ports) -> Option<Endpoint> {
    Some(Endpoint { place: place(holder, address)?, ports: ports.clone() })
}

fn place(holder: Value<'_>, address: Option<Value<'_>>) -> Option<Place> {
    let reference = holder.get("targetRef");
    let text = |key: &str| reference.and_then(|r| r.get(key)?.as_str());
    if let (Some("Pod"), Some(name)) = (text("kind"), text("name")) {
        return Some(Place::Pod(name.to_owned()));
    }
    let host = address?.as_str().filter(|host| address::is_host(host))?;
    Some(Place::Host(address::normal(host)))
}
