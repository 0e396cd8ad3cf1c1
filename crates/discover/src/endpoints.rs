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

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    /// A pod, by name.
    Pod(String),
    /// An address or a host name.
    Host(String),
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
            let subsets = items(Some(object.root()), "subsets");
            let addresses =
                subsets.flat_map(|s| items(Some(s), "addresses").chain(items(Some(s), "notReadyAddresses")));
            let found = addresses.filter_map(|a| endpoint(a, a.get("ip").or_else(|| a.get("hostname"))));
            add(object, object.name(), found.collect());
        }
        for object in manifests.by_kind("EndpointSlice") {
            let Some(service) = object.label(SERVICE_NAME) else { continue };
            let each = |e: Value<'_>| -> Vec<Endpoint> {
                items(Some(e), "addresses").filter_map(|address| endpoint(e, Some(address))).collect()
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

fn endpoint(holder: Value<'_>, address: Option<Value<'_>>) -> Option<Endpoint> {
    let reference = holder.get("targetRef");
    let text = |key: &str| reference.and_then(|r| r.get(key)?.as_str());
    if let (Some("Pod"), Some(name)) = (text("kind"), text("name")) {
        return Some(Endpoint::Pod(name.to_owned()));
    }
    let host = address?.as_str().filter(|host| address::is_host(host))?;
    Some(Endpoint::Host(address::normal(host)))
}
