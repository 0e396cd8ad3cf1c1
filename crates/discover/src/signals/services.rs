//! Services: names in front of workloads, and those that let traffic in from outside.

use kubestride_manifest::ServiceType;
use kubestride_model::{FlowKind, Value};
use kubestride_source::Diagnostic;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Entry, YesNo};

use super::Signal;
use crate::claims::{Claims, FlowClaim, NameClaim, Note, Party, Subject};
use crate::world::{ServiceInfo, World};

pub(crate) struct Services;

/// Annotations that keep a cloud's load balancer inside its network, with the value that does.
const INTERNAL: [(&str, &[&str]); 8] = [
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &["true", "0.0.0.0/0"]),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"]),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", &["true"]),
    ("networking.gke.io/load-balancer-type", &["Internal"]),
    ("cloud.google.com/load-balancer-type", &["Internal"]),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", &["true"]),
    ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", &["private"]),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", &["true"]),
];

impl Signal for Services {
    fn name(&self) -> &'static str {
        "services"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for service in &world.services {
            name(world, service, claims);
            expose(world, service, claims);
        }
    }
}

fn name(world: &World<'_>, service: &ServiceInfo<'_>, claims: &mut Claims) {
    let span = service.service.object.span();
    claims.names.push(NameClaim {
        identity: service.identity.clone(),
        name: service.name.to_owned(),
        namespace: service.namespace.clone(),
        workloads: service.workloads.clone(),
        note: Note::stated(span, ""),
    });
    let subject = || Subject::Name(service.identity.clone());
    if let Some(ips) = service.service.external_ips().next() {
        let value = attr::EXTERNAL_IPS.value(YesNo::Yes);
        claims.set(subject(), attr::EXTERNAL_IPS.id, value, Note::stated(ips.span(), ""));
    }
    if service.is_external_name() {
        let value = attr::EXTERNAL_NAME.value(YesNo::Yes);
        claims.set(subject(), attr::EXTERNAL_NAME.id, value, Note::stated(span, "the Service is of type ExternalName"));
    } else if service.workloads.is_empty()
        && !crate::world::selector(service.service).is_empty()
        && world.absence_counts()
    {
        let value = attr::SELECTS_NOTHING.value(YesNo::Yes);
        claims.set(subject(), attr::SELECTS_NOTHING.id, value, Note::merged(span, "no workload has these labels"));
    }
}

/// The name of a type in manifests.
fn type_name(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::ClusterIp => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
        ServiceType::ExternalName => "ExternalName",
    }
}

fn expose(world: &World<'_>, service: &ServiceInfo<'_>, claims: &mut Claims) {
    let object = service.service.object;
    let spec = |key: &str| object.spec().and_then(|s| s.get(key));
    let entry = match service.service.type_() {
        ServiceType::LoadBalancer => Entry::LoadBalancer,
        ServiceType::NodePort => Entry::NodePort,
        ServiceType::ClusterIp if service.service.external_ips().next().is_some() => Entry::ExternalIp,
        ServiceType::ClusterIp | ServiceType::ExternalName => return,
    };
    let type_span = service
        .service
        .type_span()
        .or(service.service.external_ips().next().map(|v| v.span()))
        .unwrap_or(object.span());
    let ranges = spec("loadBalancerSourceRanges")
        .filter(|r| !r.is_empty() && !r.items().any(|i| matches!(i.as_str(), Some("0.0.0.0/0" | "::/0"))));
    let internal = object.annotations().find(|a| {
        let value = a.value.scalar_text().unwrap_or("");
        INTERNAL.iter().any(|(key, values)| *key == a.key && values.contains(&value))
    });
    let restricted = ranges
        .map(|r| Note::stated(r.span(), "only these source ranges"))
        .or_else(|| internal.map(|a| Note::stated(a.key_span, "the load balancer is internal")));
    let local = spec("externalTrafficPolicy").filter(|v| v.as_str() == Some("Local"));
    for workload in &service.workloads {
        for port in service.service.ports() {
            if world.workloads.get(*workload).is_some_and(|w| service.leads_nowhere(w, port.number)) {
                let text = format!(
                    "no container has the port that Service {} leads to, so nobody gets in by it",
                    service.name
                );
                claims.diagnostics.push(Diagnostic::warning("port-not-found", text).at(port.span));
                continue;
            }
            let note = Note::stated(
                type_span,
                format!("Service {} is of type {}", service.name, type_name(service.service.type_())),
            );
            let mut claim =
                FlowClaim::new(Party::Internet, Party::Workload(*workload), FlowKind::Exposure, note.clone()).with(
                    attr::ENTRY.id,
                    attr::ENTRY.value(entry),
                    note,
                );
            claim.port = Some(port.number);
            claim.target_port = service.target_port(world, *workload, port.number);
            claim.protocol = Some(port.protocol.to_owned());
            claim.via = Some(service.identity.clone());
            if let Some(note) = &restricted {
                let value = attr::SOURCE_RESTRICTED.value(YesNo::Yes);
                claim = claim.with(attr::SOURCE_RESTRICTED.id, value, note.clone());
            }
            if let Some(policy) = local {
                let value: Value = attr::CLIENT_ADDRESS_KEPT.value(YesNo::Yes);
                claim = claim.with(attr::CLIENT_ADDRESS_KEPT.id, value, Note::stated(policy.span(), ""));
            }
            claims.flows.push(claim);
        }
    }
}
