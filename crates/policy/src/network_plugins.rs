//! All network policies of the input: those of Kubernetes, and those of the network plugins, in the tiers of both.

use kubestride_manifest::Manifests;

use crate::calico::Calico;
use crate::cilium::CiliumPolicies;
use crate::doubts::Doubts;
use crate::network::NetworkPolicies;
use crate::{Circumstances, Family};

/// Kinds of policies that are not evaluated. They may let through what the evaluated ones stop.
pub(crate) const NOT_EVALUATED: [(&str, &str); 2] =
    [("crd.antrea.io", "NetworkPolicy"), ("crd.antrea.io", "ClusterNetworkPolicy")];

const TWO_PLUGINS: &str = "there are policies of Calico and of Cilium, and a cluster has one network plugin";

impl NetworkPolicies {
    /// Reads all network policies, as if somebody enforced them, for the newest version of Kubernetes.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        Self::read_in(manifests, default_namespace, &Circumstances::default())
    }

    /// Reads all network policies under some circumstances.
    pub fn read_in(manifests: &Manifests, default_namespace: &str, circumstances: &Circumstances) -> Self {
        let mut all = Self::of_kubernetes(manifests, default_namespace, circumstances);
        let (cilium, of_cilium) = CiliumPolicies::read(manifests, default_namespace);
        let calico = Calico::read(manifests, default_namespace);
        // What is not understood of a policy that nobody enforces leaves nothing unknown.
        let (holds_cilium, holds_calico) = (circumstances.holds(Family::Cilium), circumstances.holds(Family::Calico));
        all.doubts.extend(of_cilium.into_iter().filter(|_| holds_cilium));
        all.doubts.extend(calico.doubts.iter().filter(|_| holds_calico).cloned());
        cilium.add_to(&mut all.tiers);
        calico.add_to(&mut all.tiers);
        let both = !cilium.policies.is_empty() && !calico.policies.is_empty();
        let two_plugins = both && holds_cilium && holds_calico;
        if let (true, Some(policy)) = (two_plugins, calico.policies.first()) {
            let mut of_both = Doubts::new(policy.identity.clone());
            of_both.add(TWO_PLUGINS, policy.span, "what is allowed and stopped is not known");
            all.doubts.extend(of_both.finish());
        }
        for tier in &mut all.tiers {
            all.idle.extend(tier.take(&|member| !circumstances.holds(member.family())));
        }
        all.tiers.sort_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.name.cmp(&b.name)));
        let of = |(group, kind)| manifests.by_custom_kind(group, kind).next();
        all.is_partial = two_plugins || NOT_EVALUATED.into_iter().find_map(of).is_some();
        all
    }
}
