//! What Istio's proxies call beside what applications ask of them: services that an EnvoyFilter names, and those that
//! decide about requests for AuthorizationPolicies with the action `CUSTOM`.
//! <https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider>

use std::sync::Arc;

use kubestride_manifest::{LabelSelector, Labels, Object};
use kubestride_model::Confidence;
use kubestride_source::{FileId, Span};
use kubestride_yaml::visitor;
use kubestride_yaml::{Limits, Value};

use super::Signal;
use crate::address::{self, Address};
use crate::claims::{Claims, Note};
use crate::secret_data;
use crate::settings;
use crate::traffic::{self, Finding};
use crate::world::World;

pub(crate) struct ProxyExtensions;

const FILTER: (&str, &str) = ("networking.istio.io", "EnvoyFilter");
const AUTHORIZATION: (&str, &str) = ("security.istio.io", "AuthorizationPolicy");

impl Signal for ProxyExtensions {
    fn name(&self) -> &'static str {
        "proxy-extensions"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for filter in world.manifests.by_custom_kind(FILTER.0, FILTER.1) {
            let selected = selected(world, filter, "workloadSelector", "labels");
            let Some(patches) = filter.spec().and_then(|s| s.get("configPatches")).filter(|_| !selected.is_empty())
            else {
                continue;
            };
            let mut found: Vec<(String, Option<u16>, Span)> = Vec::new();
            visitor::walk(patches, &mut |_, value| {
                let cluster = value.as_str().and_then(outbound);
                found.extend(cluster.map(|(host, port)| (host.to_owned(), port, value.span())));
                let text = |key: &str| value.get(key).and_then(|v| v.scalar_text());
                if let (Some(host), Some(port)) = (text("address"), text("port_value")) {
                    found.push((host.to_owned(), port.parse().ok(), value.span()));
                }
            });
            for (host, port, span) in found {
                let why = format!("{} has the proxy call it", filter.identity(&world.options.namespace));
                call(world, &selected, (&host, port), span, &why, claims);
            }
        }
        for policy in world.manifests.by_custom_kind(AUTHORIZATION.0, AUTHORIZATION.1) {
            let Some(spec) = policy.spec() else { continue };
            let text = |key: &str| spec.get(key).and_then(|v| v.as_str());
            let provider =
                spec.get("provider").and_then(|p| p.get("name")).filter(|_| text("action") == Some("CUSTOM"));
            let Some((host, port)) = provider.and_then(|p| service_of(world, p.as_str()?)) else { continue };
            let why = format!("{} asks it about requests", policy.identity(&world.options.namespace));
            let selected = selected(world, policy, "selector", "matchLabels");
            call(world, &selected, (&host, port), policy.span(), &why, claims);
        }
    }
}

/// The workloads that an object selects by labels: of its namespace, or of all namespaces for one of the root namespace.
fn selected(world: &World<'_>, object: Object<'_>, field: &str, labels: &str) -> Vec<usize> {
    let labels = object.spec().and_then(|s| s.get(field)?.get(labels));
    let selector = LabelSelector::from_labels(&Labels::read(labels));
    let namespace = world.namespace_of(object);
    let everywhere = world.mesh.is_root(&namespace);
    if selector.is_everything() {
        return Vec::new();
    }
    let fits = |at: &usize| {
        let workload = world.workloads.get(*at);
        workload.is_some_and(|w| (everywhere || w.namespace == namespace) && selector.matches(&w.labels))
    };
    (0..world.workloads.len()).filter(fits).collect()
}

/// Host and port in the name of a cluster of Envoy as Istio makes them: `outbound|8081||limits.shop.svc.cluster.local`.
fn outbound(text: &str) -> Option<(&str, Option<u16>)> {
    let mut parts = text.strip_prefix("outbound|")?.split('|');
    let port = parts.next()?.parse().ok();
    let host = parts.nth(1)?;
    (!host.is_empty()).then_some((host, port))
}

/// The service of an extension provider, as the mesh configuration in the ConfigMap `istio` defines it.
fn service_of(world: &World<'_>, provider: &str) -> Option<(String, Option<u16>)> {
    let map = world.mesh.roots().find_map(|root| world.config_map(root, "istio"))?;
    let entries = secret_data::entries(map);
    let mesh: Arc<str> = Arc::from(entries.iter().find(|e| e.key == "mesh")?.text.as_ref());
    let documents = kubestride_yaml::read(FileId(u32::MAX), &mesh, &Limits::default());
    let root = documents.iter().find_map(|d| d.tree.as_ref())?.root();
    let is = |p: &Value<'_>| p.get("name").and_then(|n| n.as_str()) == Some(provider);
    let defined = root.get("extensionProviders")?.items().find(is)?;
    let service = ["envoyExtAuthzHttp", "envoyExtAuthzGrpc"].into_iter().find_map(|kind| defined.get(kind))?;
    // It may be written with its namespace: `namespace/host`.
    let host = service.get("service")?.as_str()?.rsplit('/').next()?.to_owned();
    let port = service.get("port").and_then(|p| p.scalar_text()?.parse().ok());
    Some((host, port))
}

fn call(
    world: &World<'_>,
    sources: &[usize],
    (host, port): (&str, Option<u16>),
    span: Span,
    why: &str,
    claims: &mut Claims,
) {
    if !address::is_host(host) {
        return;
    }
    let host = address::normal(host);
    let address = Address { host, port, scheme: None, credential: false, tls: None, range: settings::NOWHERE };
    for source in sources {
        let note = Note::stated(span, why);
        let (inside, outside) = (Confidence::Likely, Confidence::Likely);
        let finding = Finding { key: "service", port, inside, outside, place: None, note };
        traffic::claim(world, *source, &address, &finding, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::outbound;

    #[test]
    fn names_of_clusters_hold_host_and_port() {
        assert_eq!(
            outbound("outbound|8081||limits.shop.svc.cluster.local"),
            Some(("limits.shop.svc.cluster.local", Some(8081)))
        );
        assert_eq!(outbound("outbound|80|v1|shop.example"), Some(("shop.example", Some(80))));
        for text in ["inbound|80||", "outbound|80||", "outbound|80", "limits"] {
            assert_eq!(outbound(text), None, "{text}");
        }
    }
}
