//! Which routes the listeners of a Gateway of the Gateway API take:
//! <https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes>

use kubestride_manifest::{LabelSelector, Object, Requirement, RequirementTest};
use kubestride_yaml::Value;

use crate::address;
use crate::world::World;

pub(crate) const GROUP: &str = "gateway.networking.k8s.io";
/// The label that each namespace has.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";

/// What a parent reference of a route leads to.
pub(crate) enum Attachment<'a> {
    /// No Gateway: a Service of a mesh, or something else.
    Elsewhere,
    /// A Gateway that is not in the input.
    Absent,
    /// The listeners that take the route, and whether that is sure. None: nobody gets in here.
    Listeners(Vec<(Value<'a>, bool)>),
}

/// What a parent reference of a route leads to.
pub(crate) fn attachment<'a>(world: &World<'a>, route: Object<'a>, parent: Value<'a>) -> Attachment<'a> {
    let text = |key: &str| parent.get(key).and_then(|v| v.as_str());
    if text("kind").is_some_and(|kind| kind != "Gateway") || text("group").is_some_and(|group| group != GROUP) {
        return Attachment::Elsewhere;
    }
    let own = world.namespace_of(route);
    let namespace = text("namespace").unwrap_or(&own);
    let mut gateways = world.manifests.by_custom_kind(GROUP, "Gateway");
    let gateway = gateways.find(|g| Some(g.name()) == text("name") && world.namespace_of(*g) == namespace);
    let Some(gateway) = gateway else { return Attachment::Absent };
    let meant = |listener: &Value<'_>| {
        let same = |ours: &str, theirs: &str| {
            parent.get(ours).is_none_or(|ours| Some(ours.scalar_text()) == listener.get(theirs).map(Value::scalar_text))
        };
        same("sectionName", "name") && same("port", "port")
    };
    let listeners = gateway.spec().and_then(|s| s.get("listeners")).into_iter().flat_map(|l| l.items());
    let takes = |listener: Value<'a>| {
        let fits = fits_kind(listener, route.kind());
        let sure = and(fits, and(from(world, listener, namespace, &own), hosts_meet(listener, route)));
        (sure != Some(false)).then_some((listener, sure == Some(true)))
    };
    Attachment::Listeners(listeners.filter(meant).filter_map(takes).collect())
}

/// Both; nothing if it is not known.
fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether a listener takes routes of a kind. Where it names none its protocol decides.
fn fits_kind(listener: Value<'_>, kind: &str) -> Option<bool> {
    let kinds = listener.get("allowedRoutes").and_then(|a| a.get("kinds"));
    let mut named = kinds.into_iter().flat_map(|k| k.items()).peekable();
    if named.peek().is_some() {
        let text = |of: Value<'_>, key: &str, wanted: &str| of.get(key).and_then(|v| v.as_str()) == Some(wanted);
        let is = |of: Value<'_>| text(of, "kind", kind) && (of.get("group").is_none() || text(of, "group", GROUP));
        return Some(named.any(is));
    }
    match listener.get("protocol")?.as_str()? {
        "HTTP" | "HTTPS" => Some(matches!(kind, "HTTPRoute" | "GRPCRoute")),
        // Where TLS ends at the listener, what is in it may be handed on as bytes.
        "TLS" => Some(matches!(kind, "TLSRoute" | "TCPRoute")),
        "TCP" => Some(kind == "TCPRoute"),
        "UDP" => Some(kind == "UDPRoute"),
        _ => None,
    }
}

/// Whether a listener of a Gateway in one namespace takes routes of another one.
fn from(world: &World<'_>, listener: Value<'_>, gateway: &str, route: &str) -> Option<bool> {
    let namespaces = listener.get("allowedRoutes").and_then(|a| a.get("namespaces"));
    let stated = namespaces.and_then(|n| n.get("from")).filter(|f| !f.is_null());
    match stated.map_or(Some("Same"), |f| f.as_str())? {
        "Same" => Some(gateway == route),
        "All" => Some(true),
        "None" => Some(false),
        "Selector" => selects(world, &LabelSelector::read(namespaces?.get("selector")?), route),
        _ => None,
    }
}

/// Whether a selector selects a namespace. The labels of one that is not in the input are not known, but for its name.
fn selects(world: &World<'_>, selector: &LabelSelector, namespace: &str) -> Option<bool> {
    let labels = world.namespaces.get(namespace).map(|object| object.label_set());
    let fulfilled = |requirement: &Requirement| {
        let by_name = requirement.key == NAME_OF_NAMESPACE;
        let value = if by_name { Some(namespace) } else { labels.as_ref()?.get(&requirement.key) };
        match &requirement.test {
            RequirementTest::In(values) => Some(value.is_some_and(|value| values.iter().any(|v| v == value))),
            RequirementTest::NotIn(values) => Some(value.is_none_or(|value| values.iter().all(|v| v != value))),
            RequirementTest::Exists => Some(value.is_some()),
            RequirementTest::DoesNotExist => Some(value.is_none()),
            RequirementTest::Unknown => None,
        }
    };
    selector.requirements.iter().map(fulfilled).fold(Some(true), and)
}

/// Whether a route has a host name that the listener serves too. Where one of them names none, all are served.
fn hosts_meet(listener: Value<'_>, route: Object<'_>) -> Option<bool> {
    let served = listener.get("hostname").and_then(|h| h.as_str()).filter(|h| !h.is_empty());
    let mut names = hostnames(route).peekable();
    let (Some(served), Some(_)) = (served, names.peek()) else { return Some(true) };
    Some(names.any(|name| meet(&address::normal(served), &address::normal(name))))
}

/// The host names of a route. Routes of TCP and UDP have none.
pub(crate) fn hostnames<'a>(route: Object<'a>) -> impl Iterator<Item = &'a str> {
    let names = route.spec().and_then(|s| s.get("hostnames"));
    names.into_iter().flat_map(|n| n.items()).filter_map(|name| name.as_str())
}

/// Whether two names, with or without a wildcard for any number of labels in front, have a host in common.
fn meet(one: &str, other: &str) -> bool {
    let covers = |pattern: &str, host: &str| {
        let suffix = pattern.strip_prefix('*').filter(|suffix| suffix.starts_with('.'));
        suffix.is_some_and(|suffix| host.len() > suffix.len() && host.ends_with(suffix))
    };
    one == other || covers(one, other) || covers(other, one)
}
