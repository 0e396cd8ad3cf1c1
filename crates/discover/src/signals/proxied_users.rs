//! Where a proxy of VictoriaMetrics leads the users that it selects.
//! <https://docs.victoriametrics.com/operator/resources/vmuser/>

use kubestride_model::{Confidence, FlowKind};
use kubestride_policy::Namespaces;
use kubestride_yaml::Value;

use super::Signal;
use super::monitors::{VICTORIA_METRICS, selecting};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::traffic;
use crate::world::{WorkloadInfo, World};

pub(crate) struct ProxiedUsers;

impl Signal for ProxiedUsers {
    fn name(&self) -> &'static str {
        "proxied-users"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let is_proxy = |kind: (&str, &str)| kind == (VICTORIA_METRICS, "VMAuth");
        let workloads = world.workloads.iter().enumerate();
        let proxies: Vec<usize> = workloads
            .filter(|(_, w)| w.operated.is_some_and(|k| is_proxy((k.group, k.kind))))
            .map(|(i, _)| i)
            .collect();
        if proxies.is_empty() {
            return;
        }
        let namespaces = Namespaces::read(world.manifests);
        for user in world.manifests.by_custom_kind(VICTORIA_METRICS, "VMUser") {
            let targets: Vec<Value<'_>> =
                user.spec().and_then(|s| s.get("targetRefs")).into_iter().flat_map(|t| t.items()).collect();
            let why = format!("VMUser {} is led there", user.name());
            for index in selecting(world, &proxies, &namespaces, user, "user") {
                for target in &targets {
                    fixed(world, index, *target, &why, claims);
                    resource(world, index, *target, &why, claims);
                }
            }
        }
    }
}

/// A target that is given by its addresses.
fn fixed(world: &World<'_>, proxy: usize, target: Value<'_>, why: &str, claims: &mut Claims) {
    let Some(addresses) = target.get("static") else { return };
    let several = addresses.get("urls").into_iter().flat_map(|u| u.items());
    for value in addresses.get("url").into_iter().chain(several) {
        traffic::claim_field(world, proxy, ("url", value), Confidence::Likely, why, claims);
    }
}

/// A target that is another resource, or a part of it: `VMCluster/vmselect`.
fn resource(world: &World<'_>, proxy: usize, target: Value<'_>, why: &str, claims: &mut Claims) {
    let Some(reference) = target.get("crd") else { return };
    let text = |key: &str| reference.get(key).and_then(|v| v.as_str());
    let (Some(kind), Some(name), Some(namespace)) = (text("kind"), text("name"), text("namespace")) else { return };
    let (kind, part) = kind.split_once('/').unwrap_or((kind, ""));
    let fits = |w: &WorkloadInfo<'_>| {
        let of_kind = w.operated.is_some_and(|k| k.group == VICTORIA_METRICS && k.kind == kind);
        of_kind && w.namespace == namespace && w.object().name() == name
    };
    let Some((found, workload)) = world.workloads.iter().enumerate().find(|(_, w)| fits(w)) else { return };
    let made = workload.operated.map(|k| k.services(workload.object())).unwrap_or_default();
    let port = made.into_iter().find(|(service, _)| service.starts_with(part)).map(|(_, port)| port);
    let note = Note::stated(reference.span(), why);
    let mut claim = FlowClaim::new(Party::Workload(proxy), Party::Workload(found), FlowKind::Traffic, note);
    (claim.port, claim.target_port) = (port, port);
    claim.confidence = Confidence::Likely;
    claims.flows.push(claim);
}
