//! Variables that Kubernetes sets for every Service of a pod's namespace, where something refers to them:
//! `$(CART_SERVICE_HOST)`, `${CART_SERVICE_PORT}`, `$CART_PORT_80_TCP_ADDR`.
//! <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>

use std::collections::BTreeMap;

use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Span;

use super::config_files::mounted_files;
use super::{Each, Signal};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{ServiceInfo, World};

pub(crate) struct ServiceVariables;

impl Signal for ServiceVariables {
    fn name(&self) -> &'static str {
        "service-variables"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        let mut by_namespace: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
        for (at, service) in world.services.iter().enumerate() {
            let name = service.name.to_ascii_uppercase().replace('-', "_");
            by_namespace.entry(&service.namespace).or_default().entry(name).or_insert(at);
        }
        Some(Box::new(move |index, workload, claims| {
            let Some(services) = by_namespace.get(workload.namespace.as_str()) else { return };
            let links = workload.pod().field("enableServiceLinks");
            if links.and_then(|l| l.as_bool()) == Some(false) {
                return;
            }
            let mut found: BTreeMap<usize, Span> = BTreeMap::new();
            let mut look = |text: &str, span: Span| {
                for at in references(text).filter_map(|name| services.get(name)) {
                    found.entry(*at).or_insert(span);
                }
            };
            for container in &workload.containers {
                let values = container.env().filter_map(|v| v.value);
                for value in values.chain(container.command()).chain(container.args()) {
                    look(value.scalar_text().unwrap_or(""), value.span());
                }
            }
            mounted_files(world, workload, |_, entry| look(&entry.text, entry.span));
            for (at, span) in found {
                if let Some(service) = world.services.get(at) {
                    call(world, index, service, span, claims);
                }
            }
        }))
    }
}

fn call(world: &World<'_>, source: usize, service: &ServiceInfo<'_>, span: Span, claims: &mut Claims) {
    for target in service.workloads.iter().filter(|target| **target != source) {
        let text = format!("it refers to the variable that Kubernetes sets for Service {}", service.name);
        let (from, to) = (Party::Workload(source), Party::Workload(*target));
        let mut claim = FlowClaim::new(from, to, FlowKind::Traffic, Note::stated(span, text));
        claim.port = service.only_port();
        claim.target_port = claim.port.and_then(|port| service.target_port(world, *target, port));
        claim.via = Some(service.identity.clone());
        claim.confidence = Confidence::Likely;
        claims.flows.push(claim);
    }
}

/// The names of Services in references to their variables.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches(['(', '{']);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..end)?;
        let of_link = || {
            let (service, port) = name.split_once("_PORT_")?;
            let is_link = port.ends_with("_TCP_ADDR") || port.ends_with("_UDP_ADDR");
            is_link.then_some(service)
        };
        name.strip_suffix("_SERVICE_HOST").or_else(of_link)
    })
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn references_are_told_from_other_variables() {
        let found = |text: &str| references(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found("http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)/"), ["CART"]);
        assert_eq!(found("${ORDERS_DB_SERVICE_HOST} $CART_PORT_80_TCP_ADDR"), ["ORDERS_DB", "CART"]);
        assert!(found("CART_SERVICE_HOST $CART_HOST $(CART_PORT) $").is_empty());
    }
}
