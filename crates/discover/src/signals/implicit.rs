//! Flows that every workload has: names are resolved, and the kubelet probes containers.

use kubestride_model::FlowKind;

use super::{Each, Signal};
use crate::claims::{FlowClaim, Note, Party};
use crate::world::World;

pub(crate) struct Implicit;

impl Signal for Implicit {
    fn name(&self) -> &'static str {
        "implicit"
    }

    fn each<'w, 'a>(&self, _: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            let note = Note::default(workload.span(), "pods resolve names through the name server of the cluster");
            let mut dns = FlowClaim::new(Party::Workload(index), Party::ClusterDns, FlowKind::Dns, note);
            (dns.port, dns.target_port, dns.protocol, dns.implicit) =
                (Some(53), Some(53), Some("DNS".to_owned()), true);
            claims.flows.push(dns);
            if let Some(probe) = workload.containers.iter().flat_map(|c| c.probes()).next() {
                let note = Note::stated(probe.value.span(), "");
                let mut claim = FlowClaim::new(Party::Kubelet, Party::Workload(index), FlowKind::Probe, note);
                claim.implicit = true;
                claims.flows.push(claim);
            }
        }))
    }
}
