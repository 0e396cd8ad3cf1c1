//! DestinationRules by which Istio's proxies speak TLS to a host, whatever the application speaks to its proxy.
//! <https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings>

use std::collections::BTreeMap;

use kubestride_manifest::Manifests;
use kubestride_source::Span;
use kubestride_yaml::Value;

use crate::address;
use crate::claims::Note;
use crate::world::WorkloadInfo;

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
            let mut add = |port: Option<u16>, holder: Value<'_>| {
                let Some(mode) = holder.get("tls").and_then(|tls| tls.get("mode")) else { return };
                // With certificates of the mesh the two ends must agree, which is for mesh policies to say.
                let encrypts = matches!(mode.as_str(), Some("SIMPLE" | "MUTUAL"));
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
        Self(rules)
    }

    /// The rule by which the proxy of a workload speaks TLS to a port of a host or Service.
    pub(crate) fn of(&self, workload: &WorkloadInfo<'_>, target: &str, port: Option<u16>) -> Option<Note> {
        let rules = self.0.get(target)?;
        if !has_proxy(workload) {
            return None;
        }
        let of_port = rules.iter().find(|rule| rule.port.is_some() && rule.port == port);
        let rule = of_port.or_else(|| rules.iter().find(|rule| rule.port.is_none()))?;
        let text = format!("{} has the proxy speak TLS", rule.identity);
        rule.encrypts.then(|| Note::stated(rule.span, text))
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

/// Whether the pods of a workload have a proxy, or are one.
fn has_proxy(workload: &WorkloadInfo<'_>) -> bool {
    const INJECT: &str = "sidecar.istio.io/inject";
    let own = workload.labels.get(INJECT).or_else(|| workload.workload.template.annotation(INJECT));
    let is_proxy = |name: &str| name == "istio-proxy";
    let of_namespace = workload.namespace_labels.get("istio-injection") == Some("enabled")
        || workload.namespace_labels.get("istio.io/rev").is_some();
    workload.containers.iter().any(|c| is_proxy(c.name())) || own.map_or(of_namespace, |value| value == "true")
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
