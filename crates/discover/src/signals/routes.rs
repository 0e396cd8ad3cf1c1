//! Routes of other ingress controllers: OpenShift Route, Traefik IngressRoute, Contour HTTPProxy, Emissary Mapping,
//! TCPIngress of Kong.

use kubestride_manifest::Object;
use kubestride_model::FlowKind;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, Entry, YesNo};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resolve::{Resolved, resolve};
use crate::world::World;

pub(crate) struct Routes;

/// A backend as a route names it.
struct Backend<'a> {
    place: Value<'a>,
    namespace: String,
    name: &'a str,
    port: Option<Value<'a>>,
    protocol: &'static str,
    /// Whether callers speak TLS; where the route says nothing, what that means.
    tls: Option<Value<'a>>,
}

impl Signal for Routes {
    fn name(&self) -> &'static str {
        "routes"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let kinds: [(&str, &str, Reader); 10] = [
            ("route.openshift.io", "Route", openshift),
            ("traefik.io", "IngressRoute", traefik),
            ("traefik.io", "IngressRouteTCP", traefik),
            ("traefik.containo.us", "IngressRoute", traefik),
            ("traefik.containo.us", "IngressRouteTCP", traefik),
            ("projectcontour.io", "HTTPProxy", contour),
            ("getambassador.io", "Mapping", mapping),
            ("getambassador.io", "TCPMapping", mapping),
            ("configuration.konghq.com", "TCPIngress", kong),
            ("configuration.konghq.com", "UDPIngress", kong),
        ];
        for (group, kind, reader) in kinds {
            for object in world.manifests.by_custom_kind(group, kind) {
                for backend in reader(world, object) {
                    expose(world, object, &backend, claims);
                }
            }
        }
    }
}

type Reader = for<'a> fn(&World<'a>, Object<'a>) -> Vec<Backend<'a>>;

/// `spec.to`, `spec.alternateBackends`, `spec.port.targetPort`, `spec.tls`.
fn openshift<'a>(world: &World<'a>, object: Object<'a>) -> Vec<Backend<'a>> {
    let Some(spec) = object.spec() else { return Vec::new() };
    let others = spec.get("alternateBackends").into_iter().flat_map(|b| b.items());
    let backend = |place: Value<'a>| {
        Some(Backend {
            place,
            namespace: world.namespace_of(object),
            name: place.get("name")?.as_str()?,
            port: spec.get("port").and_then(|p| p.get("targetPort")),
            protocol: "HTTP",
            tls: spec.get("tls"),
        })
    };
    spec.get("to").into_iter().chain(others).filter_map(backend).collect()
}

/// `spec.routes[].services[]`, `spec.tls`.
fn traefik<'a>(world: &World<'a>, object: Object<'a>) -> Vec<Backend<'a>> {
    let Some(spec) = object.spec() else { return Vec::new() };
    let routes = spec.get("routes").into_iter().flat_map(|r| r.items());
    let services = routes.flat_map(|r| r.get("services").into_iter().flat_map(|s| s.items()));
    let own = world.namespace_of(object);
    let backend = |place: Value<'a>| {
        // TraefikService and Traefik's own services lead elsewhere.
        if place.get("kind").and_then(|k| k.as_str()).is_some_and(|k| k != "Service") {
            return None;
        }
        Some(Backend {
            place,
            namespace: place.get("namespace").and_then(|n| n.as_str()).unwrap_or(&own).to_owned(),
            name: place.get("name")?.as_str()?,
            port: place.get("port"),
            protocol: if object.kind() == "IngressRoute" { "HTTP" } else { "TCP" },
            tls: spec.get("tls"),
        })
    };
    services.filter_map(backend).collect()
}

/// `spec.routes[].services[]` and `spec.tcpproxy.services[]`, `spec.virtualhost.tls`.
fn contour<'a>(world: &World<'a>, object: Object<'a>) -> Vec<Backend<'a>> {
    let Some(spec) = object.spec() else { return Vec::new() };
    let routes = spec.get("routes").into_iter().flat_map(|r| r.items()).map(|r| (r, "HTTP"));
    let holders = routes.chain(spec.get("tcpproxy").map(|p| (p, "TCP")));
    let services = holders.flat_map(|(holder, protocol)| {
        holder.get("services").into_iter().flat_map(|s| s.items()).map(move |s| (s, protocol))
    });
    let backend = |(place, protocol): (Value<'a>, &'static str)| {
        Some(Backend {
            place,
            namespace: world.namespace_of(object),
            name: place.get("name")?.as_str()?,
            port: place.get("port"),
            protocol,
            tls: spec.get("virtualhost").and_then(|v| v.get("tls")),
        })
    };
    services.filter_map(backend).collect()
}

/// `spec.rules[].backend`, `spec.tls`.
fn kong<'a>(world: &World<'a>, object: Object<'a>) -> Vec<Backend<'a>> {
    let Some(spec) = object.spec() else { return Vec::new() };
    let backend = |rule: Value<'a>| {
        let place = rule.get("backend")?;
        Some(Backend {
            place,
            namespace: world.namespace_of(object),
            name: place.get("serviceName")?.as_str()?,
            port: place.get("servicePort"),
            protocol: if object.kind() == "TCPIngress" { "TCP" } else { "UDP" },
            tls: spec.get("tls").filter(|tls| !tls.is_empty()),
        })
    };
    spec.get("rules").into_iter().flat_map(|rules| rules.items()).filter_map(backend).collect()
}

/// `spec.service`, as `[scheme://]name[.namespace][:port]`.
fn mapping<'a>(world: &World<'a>, object: Object<'a>) -> Vec<Backend<'a>> {
    let Some(place) = object.spec().and_then(|s| s.get("service")) else { return Vec::new() };
    let Some(text) = place.as_str() else { return Vec::new() };
    let host = text.rsplit("://").next().unwrap_or(text).split([':', '/']).next().unwrap_or("");
    let mut labels = host.split('.');
    let name = labels.next().unwrap_or("");
    vec![Backend {
        place,
        namespace: labels.next().map_or_else(|| world.namespace_of(object), str::to_owned),
        name,
        port: None,
        protocol: if object.kind() == "Mapping" { "HTTP" } else { "TCP" },
        tls: None,
    }]
}

fn expose(world: &World<'_>, object: Object<'_>, backend: &Backend<'_>, claims: &mut Claims) {
    let text = format!("{} {} routes to Service {}", object.kind(), object.name(), backend.name);
    let note = Note::stated(backend.place.span(), text);
    let number = backend.port.and_then(|p| u16::try_from(p.as_i64()?).ok());
    let targets: Vec<(Party, Option<u16>)> = match resolve(world, &backend.namespace, backend.name) {
        Resolved::Service(service) if !service.workloads.is_empty() => {
            let named = |w: usize| world.workloads.get(w)?.named_port(backend.port?.as_str()?);
            let at = |w: &usize| {
                let by_name = service
                    .service
                    .ports()
                    .find(|p| p.name.is_some() && p.name == backend.port.and_then(|p| p.as_str()));
                let port = number.or(by_name.map(|p| p.number)).or_else(|| service.only_port());
                let target = named(*w).or_else(|| port.and_then(|p| service.target_port(world, *w, p)));
                (Party::Workload(*w), target)
            };
            service.workloads.iter().map(at).collect()
        }
        Resolved::Made { workload, port } => vec![(Party::Workload(workload), number.or(Some(port)))],
        _ => {
            let (namespace, name) = (backend.namespace.clone(), backend.name.to_owned());
            vec![(Party::UnresolvedService { namespace, name }, number)]
        }
    };
    for (target, target_port) in targets {
        let mut claim = FlowClaim::new(Party::Internet, target, FlowKind::Exposure, note.clone());
        claim.via = Some(object.identity(&world.options.namespace));
        claim.target_port = target_port;
        let entry = Note::stated(object.span(), "");
        claim = claim.with(attr::ENTRY.id, attr::ENTRY.value(Entry::Ingress), entry);
        claim.protocol = Some(match (backend.protocol, backend.tls) {
            ("HTTP", Some(_)) => "HTTPS".to_owned(),
            (protocol, _) => protocol.to_owned(),
        });
        let (encryption, note) = match backend.tls {
            Some(tls) => (Encryption::Encrypted, Note::stated(tls.span(), "the route has a TLS section")),
            None => (Encryption::Plain, Note::absent(Some(object.span()), "the route has no TLS section")),
        };
        // A Mapping says nothing of TLS: its Host does.
        if object.group() != "getambassador.io" {
            claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(encryption), note);
        }
        let kept = Note::merged(object.span(), "the controller passes the client address on");
        claims.flows.push(claim.with(attr::CLIENT_ADDRESS_KEPT.id, attr::CLIENT_ADDRESS_KEPT.value(YesNo::Yes), kept));
    }
}
