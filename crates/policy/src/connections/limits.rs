//! What the answer cannot take into account, said once for each.

use kubestride_manifest::{Manifests, Object};
use kubestride_source::{Diagnostic, some_of};

use super::Workload;
use super::networks::{self, Networks, is_primary};
use crate::Family;
use crate::network::{AdminPeer, Listed, Match, NetworkPolicies, Subjects};
use crate::network_plugins::NOT_EVALUATED;

/// Kinds that give pods networks beside that of the cluster.
const NETWORKS: [&str; 3] = [networks::OWN, networks::WIDE, "NetworkAttachmentDefinition"];

/// Everything that makes answers about connections uncertain.
pub fn limits(manifests: &Manifests, policies: &NetworkPolicies, default_namespace: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let of = |(group, kind): (&'static str, &'static str)| manifests.by_custom_kind(group, kind);
    let primary = |object: &Object<'_>| is_primary(*object, &["spec"]) || is_primary(*object, &["spec", "network"]);
    let of_kind = |kind| networks::of_kind(manifests, kind);
    for object in NETWORKS.into_iter().flat_map(of_kind).filter(|object| !primary(object)) {
        let message = format!(
            "{} {} gives pods a further network: what goes through it to other places than pods is not known",
            object.kind(),
            object.name()
        );
        found.push(Diagnostic::warning("other-network", message).at(object.span()));
    }
    for object in networks::of_other_groups(manifests) {
        let message = format!(
            "{} {} is of the group {}, which is not known: it is read as one of k8s.ovn.org",
            object.kind(),
            object.name(),
            object.group()
        );
        found.push(Diagnostic::warning("unknown-group", message).at(object.span()));
    }
    let networks = Networks::read(manifests, default_namespace);
    let missing = |object: &Object<'_>| networks.is_missing(object.name(), &object.label_set());
    for object in manifests.by_kind("Namespace").filter(missing) {
        let name = object.name();
        let message =
            format!("the pods of {name} have a network of their own that is not in the input: they are left out");
        found.push(Diagnostic::warning("other-network", message).at(object.span()));
    }
    for object in NOT_EVALUATED.into_iter().flat_map(of) {
        let message = format!(
            "{} {} is not evaluated: what it forbids and what it allows is not known",
            object.kind(),
            object.name()
        );
        found.push(Diagnostic::warning("policy-not-evaluated", message).at(object.span()));
    }
    found.extend(policies.doubts().iter().cloned());
    let admin = policies.admin();
    for policy in admin.admin.iter().chain(&admin.baseline).filter(|_| policies.holds(Family::Admin)) {
        let peers = policy.ingress.iter().chain(&policy.egress).flat_map(|rule| &rule.peers);
        for peer in peers {
            let AdminPeer::Undetermined(span) = peer else { continue };
            let message = format!(
                "{}: who this peer is, manifests do not tell: it counts as nobody, and what the rule does to addresses outside is not known",
                policy.identity
            );
            found.push(Diagnostic::warning("unknown-peer", message).at(*span));
        }
    }
    found
}

/// Policies that are for no workload of the input.
pub(super) fn select_nothing(policies: &NetworkPolicies, workloads: &[Workload<'_>]) -> Vec<Diagnostic> {
    let selects = |policy: &Listed<'_>| workloads.iter().any(|w| policy.selects(&w.pod()) != Match::No);
    let message = |policy: Listed<'_>| {
        let cited = policy.cited;
        let message = format!("{} selects no workload of the input: it decides nothing here", cited.identity);
        Diagnostic::warning("selects-nothing", message).at(cited.span)
    };
    let of_pods = |policy: &Listed<'_>| policy.holds && policy.subjects() != Subjects::NoPods;
    policies.all().into_iter().filter(of_pods).filter(|policy| !selects(policy)).map(message).collect()
}

/// Kinds of meshes that decide about connections too.
const OF_MESHES: [(&str, &str); 4] = [
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "PeerAuthentication"),
    ("policy.linkerd.io", "Server"),
    ("policy.linkerd.io", "AuthorizationPolicy"),
];

/// That policies of meshes are no part of the answer, at the first of them.
pub(super) fn meshes(manifests: &Manifests) -> Option<Diagnostic> {
    let mut of_meshes = OF_MESHES.into_iter().flat_map(|(group, kind)| manifests.by_custom_kind(group, kind));
    let message = "policies of meshes are not part of this: they may stop what network policies allow";
    of_meshes.next().map(|object| Diagnostic::warning("mesh-left-out", message).at(object.span()))
}

/// Networks that pods are said to be in and that are not in the input.
pub(super) fn missing_networks(missing: &[(&str, &(String, String))]) -> Option<Diagnostic> {
    let one = |(workload, (namespace, name)): &(&str, &(String, String))| format!("{workload} in {namespace}/{name}");
    let list = some_of(&missing.iter().map(one).collect::<Vec<_>>());
    let message = format!("networks that are not in the input: {list}; what goes through them is not known");
    (!missing.is_empty()).then(|| Diagnostic::warning("other-network", message))
}

/// Workloads of which it depends on the network plugin what policies do.
pub(super) fn in_network_of_node(workloads: &[Workload<'_>]) -> Option<Diagnostic> {
    let names: Vec<&str> = workloads.iter().filter(|w| w.host_network).map(|w| w.name.as_str()).collect();
    let message = format!(
        "in the network of the node: {}; what policies do there depends on the network plugin, and they are shown as if \
         policies held",
        some_of(&names)
    );
    (!names.is_empty()).then(|| Diagnostic::warning("host-network", message))
}
