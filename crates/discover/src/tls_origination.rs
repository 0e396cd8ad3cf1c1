//! DestinationRules by which Istio's proxies speak TLS to a host, whatever the application speaks to its proxy.
//! <https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings>

use std::collections::BTreeMap;

use kubestride_manifest::Manifests;
use kubestride_policy::mesh::Dataplane;
use kubestride_source::Span;
use kubestride_yaml::Value;

use crate::address;
use crate::claims::Note;
use crate::world::World;

/// What is said for a host: for one of its ports, or for all.
struct Rule {
    port: Option<u16>,
    encrypts: bool,
    span: Span,
    identity: String,
}

/// Rules by `namespace/Service` and by host name.
#[derive(Default)]
pub(crate) struct TlsOrigination(BTreeMap<String, Vec<Rule>>);

impl TlsOrigination {
    pub(crate) fn read(manifests: &Manifests, default: &str) -> Self {
        let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for object in manifests.by_custom_kind("networking.istio.io", "DestinationRule") {
            let Some(policy) = object.spec().and_then(|s| s.get("trafficPolicy")) else { continue };
            let Some(host) = object.spec().and_then(|s| s.get("host")?.as_str()) else { continue };
            let key = key(host, object.namespace().unwrap_or(default));
            // Whether it is for this caller is not looked at.
            let exports: Option<Vec<_>> = object.spec().and_then(|s| s.get("exportTo")).map(|e| e.items().collect());
            let is_partial = object.spec().is_some_and(|s| s.get("workloadSelector").is_some())
                || exports.is_some_and(|to| !to.is_empty() && !to.iter().any(|name| name.as_str() == Some("*")));
            let mut add = |port: Option<u16>, holder: Value<'_>| {
                let Some(mode) = holder.get("tls").and_then(|tls| tls.get("mode")) else { return };
                // With certificates of the mesh the two ends must agree, which is for mesh policies to say.
                let encrypts = !is_partial && matches!(mode.as_str(), Some("SIMPLE" | "MUTUAL"));
                let (span, identity) = (mode.span(), object.identity(default));
                rules.entry(key.clone()).or_default().push(Rule { port, encrypts, span, identity });
            };
            // What is said for a port holds instead of what is said for all.
            for setting in policy.get("portLevelSettings").into_iter().flat_map(|s| s.items()) {
                let number = setting.get("port").and_then(|p| p.get("number")?.as_i64());
                add(number.and_then(|n| u16::try_from(n).ok()), setting);
            }
            add(None, policy);
        }
        rules.values_mut().for_each(|rules| rules.sort_by(|a, b| (&a.identity, a.span).cmp(&(&b.identity, b.span))));
        Self(rules)
    }

    /// The rule by which the proxy of a workload speaks TLS to a port of a host or Service.
    /// None too where several rules are for it and do not say the same: which one counts depends on their age.
    pub(crate) fn of(&self, world: &World<'_>, caller: usize, target: &str, port: Option<u16>) -> Option<Note> {
        let rules = self.0.get(target)?;
        let pod = world.mesh_pods.of(caller, world.workloads.get(caller)?)?;
        if Dataplane::of(&pod) != Dataplane::Sidecar {
            return None;
        }
        let of_port = |rule: &&Rule| rule.port.is_some() && rule.port == port;
        let of_all = |rule: &&Rule| {
            rule.port.is_none() && !rules.iter().any(|other| of_port(&other) && other.identity == rule.identity)
        };
        let mut applying = rules.iter().filter(|rule| of_port(rule) || of_all(rule));
        let rule = applying.next()?;
        let text = format!("{} has the proxy speak TLS", rule.identity);
        (rule.encrypts && applying.all(|other| other.encrypts)).then(|| Note::stated(rule.span, text))
    }
}

/// What a host name in a DestinationRule stands for: `namespace/Service`, or a host.
fn key(host: &str, namespace: &str) -> String {
    let host = address::normal(host);
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [service] => format!("{namespace}/{service}"),
        [service, namespace, "svc", ..] => format!("{namespace}/{service}"),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn short_names_are_of_the_namespace_of_the_rule() {
        assert_eq!(key("cart", "shop"), "shop/cart");
        assert_eq!(key("cart.other.svc.cluster.local", "shop"), "other/cart");
        assert_eq!(key("Pay.example.", "shop"), "pay.example");
    }
}
