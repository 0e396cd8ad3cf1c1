//! Ports of the host: `hostPort`, and every declared port of a pod on the host's network.

use kubestride_model::FlowKind;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Entry;

use super::{Each, Signal};
use crate::claims::{FlowClaim, Note, Party};
use crate::world::World;

pub(crate) struct HostPorts;

impl Signal for HostPorts {
    fn name(&self) -> &'static str {
        "host-ports"
    }

    fn each<'w, 'a>(&self, _: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            let on_host = workload.pod().host_network().filter(|v| v.as_bool() == Some(true));
            for port in workload.containers.iter().flat_map(|c| c.ports()) {
                let (entry, text) = match (on_host, port.host_port) {
                    (Some(_), _) => (Entry::HostNetwork, "the pod is on the network of the host"),
                    (None, Some(_)) => (Entry::HostPort, "a port of the host"),
                    (None, None) => continue,
                };
                let note = Note::stated(port.span, text);
                let entry_note = on_host.map_or(note.clone(), |v| Note::stated(v.span(), text));
                let mut claim = FlowClaim::new(Party::Internet, Party::Workload(index), FlowKind::Exposure, note).with(
                    attr::ENTRY.id,
                    attr::ENTRY.value(entry),
                    entry_note,
                );
                // Nodes often have private addresses only.
                claim.confidence = kubestride_model::Confidence::Likely;
                claim.port = Some(port.host_port.unwrap_or(port.number));
                claim.target_port = Some(port.number);
                claim.protocol = Some(port.protocol.to_owned());
                claims.flows.push(claim);
            }
        }))
    }
}
