//! Which routes the listeners of a Gateway of the Gateway API take:
//! <https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes>

use kubestride_manifest::{LabelSelector, NAMESPACE_NAME, Object, Requirement};
use kubestride_policy::Match;
use kubestride_policy::network::Label;
use kubestride_yaml::Value;

use crate::address;
use crate::world::World;

pub(crate) const GROUP: &str = "gateway.networking.k8s.io";

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
        let conditions =
            [fits_kind(listener, route.kind()), from(world, listener, namespace, &own), hosts_meet(listener, route)];
        let sure = Match::all(conditions);
        (sure != Match::No).then_some((listener, sure == Match::Yes))
    };
    Attachment::Listeners(listeners.filter(meant).filter_map(takes).collect())
}

/// Whether a listener takes routes of a kind. Where it names none its protocol decides.
fn fits_kind(listener: Value<'_>, kind: &str) -> Match {
    let kinds = listener.get("allowedRoutes").and_then(|a| a.get("kinds"));
    let mut named = kinds.into_iter().flat_map(|k| k.items()).peekable();
    if named.peek().is_some() {
        let text = |of: Value<'_>, key: &str, wanted: &str| of.get(key).and_then(|v| v.as_str()) == Some(wanted);
        let is = |of: Value<'_>| text(of, "kind", kind) && (of.get("group").is_none() || text(of, "group", GROUP));
        return named.any(is).into();
    }
    match listener.get("protocol").and_then(|p| p.as_str()) {
        Some("HTTP" | "HTTPS") => matches!(kind, "HTTPRoute" | "GRPCRoute").into(),
        // Where TLS ends at the listener, what is in it may be handed on as bytes.
        Some("TLS") => matches!(kind, "TLSRoute" | "TCPRoute").into(),
        Some("TCP") => (kind == "TCPRoute").into(),
        Some("UDP") => (kind == "UDPRoute").into(),
        _ => Match::Unknown,
    }
}

/// Whether a listener of a Gateway in one namespace takes routes of another one.
fn from(world: &World<'_>, listener: Value<'_>, gateway: &str, route: &str) -> Match {
    let namespaces = listener.get("allowedRoutes").and_then(|a| a.get("namespaces"));
    let stated = namespaces.and_then(|n| n.get("from")).filter(|f| !f.is_null());
    match stated.map_or(Some("Same"), |f| f.as_str()) {
        Some("Same") => (gateway == route).into(),
        Some("All") => Match::Yes,
        Some("None") => Match::No,
        Some("Selector") => {
            let selector = namespaces.and_then(|n| n.get("selector")).map(LabelSelector::read);
            selector.map_or(Match::Unknown, |selector| selects(world, &selector, route))
        }
        _ => Match::Unknown,
    }
}

/// Whether a selector selects a namespace. The labels of one that is not in the input are not known, but for its name.
fn selects(world: &World<'_>, selector: &LabelSelector, namespace: &str) -> Match {
    let labels = world.namespaces.get(namespace).map(|object| object.label_set());
    let fulfilled = |requirement: &Requirement| {
        let label = match &labels {
            _ if requirement.key == NAMESPACE_NAME => Label::Is(namespace),
            Some(labels) => labels.get(&requirement.key).map_or(Label::Missing, Label::Is),
            None => Label::Unknown,
        };
        label.meets(&requirement.test)
    };
    Match::all(selector.requirements.iter().map(fulfilled))
}

/// Whether a route has a host name that the listener serves too. Where one of them names none, all are served.
fn hosts_meet(listener: Value<'_>, route: Object<'_>) -> Match {
    let served = listener.get("hostname").and_then(|h| h.as_str()).filter(|h| !h.is_empty());
    let mut names = hostnames(route).peekable();
    let (Some(served), Some(_)) = (served, names.peek()) else { return Match::Yes };
    names.any(|name| meet(&address::normal(served), &address::normal(name))).into()
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
