//! What the answer cannot take into account, said once for each.

use kubestride_manifest::{Manifests, Object};
use kubestride_source::Diagnostic;

use super::Workload;
use super::networks::{Networks, is_primary};
use crate::network::{AdminPeer, AdminPolicies};

/// Kinds that give pods networks beside that of the cluster.
const NETWORKS: [(&str, &str); 4] = [
    ("k8s.ovn.org", "UserDefinedNetwork"),
    ("k8s.ovn.org", "ClusterUserDefinedNetwork"),
    ("k8s.cni.cncf.io", "NetworkAttachmentDefinition"),
    ("k8s.cni.cncf.io", "MultiNetworkPolicy"),
];

/// Kinds of policies that are not evaluated.
const POLICIES: [(&str, &str); 6] = [
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
];

/// Whether all kinds of network policies in the input are evaluated. Where others are, they may let through what the
/// evaluated ones stop.
pub fn are_all_evaluated(manifests: &Manifests) -> bool {
    POLICIES.into_iter().all(|(group, kind)| manifests.by_custom_kind(group, kind).next().is_none())
}

/// Everything that makes answers about connections uncertain.
pub fn limits(manifests: &Manifests, admin: &AdminPolicies, default_namespace: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let of = |(group, kind): (&'static str, &'static str)| manifests.by_custom_kind(group, kind);
    let primary = |object: &Object<'_>| is_primary(*object, &["spec"]) || is_primary(*object, &["spec", "network"]);
    for object in NETWORKS.into_iter().flat_map(of).filter(|object| !primary(object)) {
        let message = format!(
            "{} {} gives pods another network: what goes through it is not known",
            object.kind(),
            object.name()
        );
        found.push(Diagnostic::warning("other-network", message).at(object.span()));
    }
    let networks = Networks::read(manifests, default_namespace);
    let missing = |object: &Object<'_>| networks.is_missing(object.name(), &object.label_set());
    for object in manifests.by_kind("Namespace").filter(missing) {
        let name = object.name();
        let message =
            format!("the pods of {name} have a network of their own that is not in the input: they are left out");
        found.push(Diagnostic::warning("other-network", message).at(object.span()));
    }
    for object in POLICIES.into_iter().flat_map(of) {
        let message = format!(
            "{} {} is not evaluated: what it forbids and what it allows is not known",
            object.kind(),
            object.name()
        );
        found.push(Diagnostic::warning("policy-not-evaluated", message).at(object.span()));
    }
    for policy in admin.admin.iter().chain(&admin.baseline) {
        let peers = policy.ingress.iter().chain(&policy.egress).flat_map(|rule| &rule.peers);
        for peer in peers {
            let AdminPeer::Undetermined(span) = peer else { continue };
            let message = format!("{}: who this peer is, manifests do not tell; the rule is left out", policy.identity);
            found.push(Diagnostic::warning("unknown-peer", message).at(*span));
        }
    }
    found
}

/// Workloads of which it depends on the network plugin what policies do.
pub(super) fn in_network_of_node(workloads: &[Workload<'_>]) -> Option<Diagnostic> {
    let names: Vec<&str> = workloads.iter().filter(|w| w.host_network).map(|w| w.name.as_str()).collect();
    let message = format!(
        "{} in the network of the node: what policies do there depends on the network plugin; they are shown as if \
         policies held",
        names.join(", ")
    );
    (!names.is_empty()).then(|| Diagnostic::warning("host-network", message))
}
