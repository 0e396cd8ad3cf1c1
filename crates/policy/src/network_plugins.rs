//! All network policies of the input: those of Kubernetes, and those of the network plugins, in the tiers of both.

use kubestride_manifest::Manifests;

use crate::calico::Calico;
use crate::cilium::CiliumPolicies;
use crate::doubts::Doubts;
use crate::network::NetworkPolicies;

/// Kinds of policies that are not evaluated. They may let through what the evaluated ones stop.
pub(crate) const NOT_EVALUATED: [(&str, &str); 2] =
    [("crd.antrea.io", "NetworkPolicy"), ("crd.antrea.io", "ClusterNetworkPolicy")];

const TWO_PLUGINS: &str = "there are policies of Calico and of Cilium, and a cluster has one network plugin";

impl NetworkPolicies {
    /// Reads all network policies.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut all = Self::of_kubernetes(manifests, default_namespace);
        let (cilium, of_cilium) = CiliumPolicies::read(manifests, default_namespace);
        all.doubts.extend(of_cilium);
        cilium.add_to(&mut all.tiers);
        let calico = Calico::read(manifests, default_namespace);
        all.doubts.extend(calico.doubts.iter().cloned());
        calico.add_to(&mut all.tiers);
        let two_plugins = !cilium.policies.is_empty() && !calico.policies.is_empty();
        if let (true, Some(policy)) = (two_plugins, calico.policies.first()) {
            let mut of_both = Doubts::new(policy.identity.clone());
            of_both.add(TWO_PLUGINS, policy.span, "what is allowed and stopped is not known");
            all.doubts.extend(of_both.finish());
        }
        all.tiers.sort_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.name.cmp(&b.name)));
        let of = |(group, kind)| manifests.by_custom_kind(group, kind).next();
        all.is_partial = two_plugins || NOT_EVALUATED.into_iter().find_map(of).is_some();
        all
    }
}
