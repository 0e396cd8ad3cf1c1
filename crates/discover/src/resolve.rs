//! From a host name in configuration to the party it means.

use crate::claims::Party;
use crate::mesh_hosts::MeshHost;
use crate::world::{ServiceInfo, World};

/// What a host name means for a workload in a namespace.
pub(crate) enum Resolved<'w, 'a> {
    /// A Service of the input.
    Service(&'w ServiceInfo<'a>),
    /// A Service that an operator makes: the workload behind it and the port of its pods.
    Made { workload: usize, port: u16 },
    /// Workloads that a mesh gives the name to, or a StatefulSet that gives it to a pod.
    Pods(&'w [usize]),
    /// The API server.
    ApiServer,
    /// A name that only a Service can have, but no such Service is in the input.
    Missing { namespace: String, name: String },
    /// A host outside: a name with a dot, or an address.
    Outside(Party),
    /// A single word that is no Service.
    Word,
}

/// Names that stand for other names are followed so often.
const MAX_ALIASES: u8 = 4;

/// Finds out what `host` means in `namespace`, as the resolver of a pod would.
pub(crate) fn resolve<'w, 'a>(world: &'w World<'a>, namespace: &str, host: &str) -> Resolved<'w, 'a> {
    follow(world, namespace, host, MAX_ALIASES)
}

fn follow<'w, 'a>(world: &'w World<'a>, namespace: &str, host: &str, left: u8) -> Resolved<'w, 'a> {
    let host = host.trim_end_matches('.');
    let labels: Vec<&str> = host.split('.').collect();
    if let Some(pods) = stateful_set(world, namespace, &labels) {
        return Resolved::Pods(pods);
    }
    let (name, in_namespace, certain) = match labels.as_slice() {
        [name] => (*name, namespace, false),
        // A pod of a StatefulSet behind a headless Service: pod.service.namespace.svc…
        [_, name, ns, "svc", ..] if world.has_service(ns, name) => (*name, *ns, true),
        [name, ns, "svc", ..] => (*name, *ns, true),
        [_, name, ns, "svc", ..] => (*name, *ns, true),
        [name, ns] if world.has_service(ns, name) => (*name, *ns, true),
        // pod.service within the same namespace
        [_, name] if world.has_service(namespace, name) => (*name, namespace, true),
        [_, name, ns] if world.has_service(ns, name) => (*name, *ns, true),
        // service.namespace, where the second part is no top-level domain.
        [name, ns] if world.mesh_hosts.get(host).is_none() && is_namespace(world, ns) => (*name, *ns, true),
        _ => return outside(world, host, left),
    };
    if matches!((name, in_namespace), ("kubernetes", "default"))
        && (certain || world.service(namespace, name).is_none())
    {
        return Resolved::ApiServer;
    }
    if world.service(in_namespace, name).is_none()
        && let Some((workload, port)) = world.made_service(in_namespace, name)
    {
        return Resolved::Made { workload, port };
    }
    match world.service(in_namespace, name) {
        Some(service) if service.is_external_name() => match service.service.external_name().and_then(|v| v.as_str()) {
            // It may be the name of another Service.
            Some(target) if left > 0 => follow(world, in_namespace, &target.to_ascii_lowercase(), left - 1),
            _ => Resolved::Service(service),
        },
        Some(service) => Resolved::Service(service),
        None if certain => Resolved::Missing { namespace: in_namespace.to_owned(), name: name.to_owned() },
        None => Resolved::Word,
    }
}

/// The StatefulSet one pod of which has this name, by a Service that is not in the input: `ring-0.members.shop.svc`.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id>
fn stateful_set<'w>(world: &'w World<'_>, namespace: &str, labels: &[&str]) -> Option<&'w [usize]> {
    let (pod, service, namespace) = match labels {
        [pod, service] => (pod, service, namespace),
        [pod, service, namespace] | [pod, service, namespace, "svc", ..] => (pod, service, *namespace),
        _ => return None,
    };
    let (name, _) = pod.rsplit_once('-').filter(|(_, ordinal)| ordinal.parse::<u32>().is_ok())?;
    if world.has_service(namespace, service) {
        return None;
    }
    let pods = world.pods.in_namespace(namespace);
    let at = pods.iter().position(|at| {
        world.workloads.get(*at).map(|w| w.object()).is_some_and(|set| {
            let governing = set.spec().and_then(|s| s.get("serviceName")?.as_str());
            set.kind() == "StatefulSet" && set.name() == name && governing == Some(*service)
        })
    })?;
    pods.get(at..=at)
}

/// Whether the last part of a name of two is a namespace: one of the input, or a word that is no domain.
fn is_namespace(world: &World<'_>, last: &str) -> bool {
    let named = last.starts_with(|c: char| c.is_ascii_alphabetic()) && !last.starts_with("xn--");
    world.has_namespace(last) || named && last.len() > 2 && DOMAINS.binary_search(&last).is_err()
}

/// Domains that names of two parts end with, besides those of countries, which have two letters: much used ones of
/// <https://data.iana.org/TLD/tlds-alpha-by-domain.txt>, reserved ones (RFC 2606, RFC 6762 appendix G, RFC 9476), and
/// that of Consul.
const DOMAINS: [&str; 65] = [
    "academy",
    "agency",
    "alt",
    "app",
    "arpa",
    "biz",
    "blog",
    "center",
    "chat",
    "cloud",
    "club",
    "codes",
    "com",
    "company",
    "consul",
    "corp",
    "dev",
    "digital",
    "edu",
    "email",
    "energy",
    "engineering",
    "example",
    "finance",
    "global",
    "gov",
    "group",
    "health",
    "home",
    "host",
    "info",
    "int",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "life",
    "link",
    "live",
    "local",
    "localdomain",
    "mil",
    "mobi",
    "name",
    "net",
    "network",
    "one",
    "online",
    "org",
    "page",
    "pro",
    "run",
    "services",
    "shop",
    "site",
    "software",
    "space",
    "store",
    "systems",
    "tech",
    "test",
    "top",
    "website",
    "world",
    "xyz",
];

fn outside<'w, 'a>(world: &'w World<'a>, host: &str, left: u8) -> Resolved<'w, 'a> {
    if host == "169.254.169.254" {
        return Resolved::Outside(Party::Metadata);
    }
    match world.mesh_hosts.get(host) {
        Some(MeshHost::Pods(workloads)) => Resolved::Pods(workloads),
        Some(MeshHost::Alias { namespace, host }) if left > 0 => follow(world, namespace, host, left - 1),
        _ => Resolved::Outside(Party::Host(host.to_owned())),
    }
}
