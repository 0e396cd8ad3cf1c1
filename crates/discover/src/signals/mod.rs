//! One module per signal: each looks at the world for one kind of evidence and claims what it shows.
//!
//! Adding a signal is adding a module with a [`Signal`] and naming it in [`SIGNALS`].

mod admission;
mod admission_policies;
mod alert_receivers;
mod api_access;
mod arguments;
mod autoscalers;
mod beat_hints;
mod boundaries;
mod config_files;
mod confinement;
mod consul;
mod containers;
mod control_plane;
mod controllers;
mod dapr;
mod environment;
mod gateways;
mod host_ports;
mod image_supply;
mod implicit;
mod ingresses;
mod injected;
mod intents;
mod istio_routes;
mod linkerd;
mod mesh;
mod mesh_callers;
mod monitors;
mod naming;
mod network_policies;
mod operator_services;
mod operator_stores;
mod operators;
mod proxied_users;
mod proxy_extensions;
mod role_bindings;
mod routes;
mod runtime_classes;
mod runtime_policies;
mod scrape_configs;
mod service_variables;
mod services;
mod stores;
mod telemetry;
mod workloads;

use crate::claims::Claims;
use crate::world::{WorkloadInfo, World};

/// A kind of evidence.
pub(crate) trait Signal: Sync {
    /// The name of the module, for people who ask where a claim comes from.
    fn name(&self) -> &'static str;

    /// What looks at one workload after the other; none in signals that look at the world as a whole.
    fn each<'w, 'a>(&self, _world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        None
    }

    /// Claims what the world shows as a whole.
    fn claim(&self, _world: &World<'_>, _claims: &mut Claims) {}
}

/// Claims what one workload shows, which is given by its position in the world and itself.
pub(crate) type Each<'w, 'a> = Box<dyn FnMut(usize, &'w WorkloadInfo<'a>, &mut Claims) + 'w>;

/// All that the signals claim, in their order, and how many claims each has made.
///
/// Everything that is to be known of one workload is looked for at once, while its manifest is at hand in the caches of
/// the processor: with ten thousand workloads, a walk through all of them for each signal costs more than the looking.
pub(crate) fn claim_all(world: &World<'_>) -> (Claims, Vec<(&'static str, usize)>) {
    let mut parts: Vec<(Option<Each<'_, '_>>, Claims)> =
        SIGNALS.iter().map(|signal| (signal.each(world), Claims::default())).collect();
    for (index, workload) in world.workloads.iter().enumerate() {
        for (each, claims) in &mut parts {
            if let Some(each) = each {
                each(index, workload, claims);
            }
        }
    }
    let (mut all, mut counts) = (Claims::default(), Vec::new());
    for (signal, (_, mut claims)) in SIGNALS.iter().zip(parts) {
        signal.claim(world, &mut claims);
        counts.push((signal.name(), claims.count()));
        all.append(claims);
    }
    (all, counts)
}

/// All signals, sorted by name. Where several claim the same attribute, the first claim holds.
pub(crate) const SIGNALS: &[&dyn Signal] = &[
    &admission::Admission,
    &admission_policies::AdmissionPolicySignal,
    &alert_receivers::AlertReceivers,
    &api_access::ApiAccess,
    &arguments::Arguments,
    &autoscalers::Autoscalers,
    &beat_hints::BeatHints,
    &boundaries::Boundaries,
    &config_files::ConfigFiles,
    &consul::Consul,
    &containers::Containers,
    &control_plane::ControlPlane,
    &controllers::Controllers,
    &dapr::Dapr,
    &environment::Environment,
    &gateways::Gateways,
    &host_ports::HostPorts,
    &image_supply::ImageSupply,
    &implicit::Implicit,
    &ingresses::Ingresses,
    &injected::Injected,
    &intents::Intents,
    &istio_routes::IstioRoutes,
    &linkerd::LinkerdPolicies,
    &mesh::Mesh,
    &mesh_callers::MeshCallers,
    &monitors::Monitors,
    &naming::Naming,
    &network_policies::NetworkPolicySignal,
    &operator_services::OperatorServices,
    &operator_stores::OperatorStores,
    &operators::Operators,
    &proxied_users::ProxiedUsers,
    &proxy_extensions::ProxyExtensions,
    &role_bindings::RoleBindings,
    &routes::Routes,
    &runtime_policies::RuntimePolicies,
    &scrape_configs::ScrapeConfigs,
    &service_variables::ServiceVariables,
    &services::Services,
    &stores::Stores,
    &telemetry::Telemetry,
    &workloads::Workloads,
];

#[cfg(test)]
mod tests {
    #[test]
    fn signals_are_sorted_by_name_and_named_once() {
        let names: Vec<_> = super::SIGNALS.iter().map(|s| s.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
