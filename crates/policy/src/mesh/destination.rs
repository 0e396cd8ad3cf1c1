//! DestinationRules: which TLS the proxies of callers use.
//!
//! Source: <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use std::collections::BTreeMap;

use kubestride_manifest::{Field, LabelSelector, Labels, Manifests, Object};
use kubestride_yaml::{Kind, Value};

use super::Problem;
use crate::{Call, Cited};

const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha3"];

/// Which TLS the proxy of a caller uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ClientTls {
    /// That of the mesh, if the other side can: no rule says otherwise.
    Auto,
    /// That of the mesh: `ISTIO_MUTUAL`.
    Mesh,
    /// None: `DISABLE`.
    Disabled,
    /// TLS without a certificate of the caller: `SIMPLE`.
    Simple,
    /// With a certificate that the rule names: `MUTUAL`.
    Own,
    /// Not understood.
    Unknown,
}

/// All that may apply, each with the rule that says so.
pub(super) type Choices = Vec<(ClientTls, Option<Cited>)>;

/// All rules, by namespace.
#[derive(Debug, Default)]
pub(super) struct DestinationRules(BTreeMap<String, Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    cited: Cited,
    host: Host,
    /// The callers that it is for; none for all.
    callers: Option<LabelSelector>,
    /// The namespaces that see it: `exportTo`; none for all.
    exported: Option<Vec<String>>,
    /// None without a `trafficPolicy`.
    settings: Option<Settings>,
    /// Settings of subsets with the pods in them. A route may lead to one.
    subsets: Vec<(LabelSelector, Settings)>,
}

#[derive(Debug)]
enum Host {
    /// Name and namespace of a Service.
    Service(String, String),
    /// The end of host names.
    Suffix(String),
}

#[derive(Debug)]
struct Settings {
    tls: ClientTls,
    /// "Destination-level settings will be overridden by port-level settings": what a port does not set has its default.
    ports: Vec<(u16, ClientTls)>,
}

impl DestinationRules {
    pub(super) fn read(manifests: &Manifests, default_namespace: &str, problems: &mut Vec<Problem>) -> Self {
        let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for object in manifests.by_custom_kind("networking.istio.io", "DestinationRule") {
            let namespace = object.namespace().unwrap_or(default_namespace);
            if let Some(rule) = Rule::read(object, namespace, default_namespace, problems) {
                rules.entry(namespace.to_owned()).or_default().push(rule);
            }
        }
        rules.values_mut().for_each(|rules| rules.sort_by(|a, b| a.cited.cmp(&b.cited)));
        Self(rules)
    }

    /// What the proxy of the caller does. `roots` are the namespaces of which one is the root namespace.
    pub(super) fn choices(&self, call: &Call<'_, '_>, roots: &[String]) -> Choices {
        let mut found: Choices = Vec::new();
        if !self.0.is_empty() {
            let services = call.target.services.iter().map(|service| service.name);
            // Which of its Services is meant may not be known.
            for service in services.filter(|name| call.service.is_none_or(|known| known == *name)) {
                for root in roots {
                    found.extend(self.of_service(call, service, root));
                }
            }
        }
        if found.is_empty() {
            found.push((ClientTls::Auto, None));
        }
        found.sort_by_key(|(tls, _)| *tls);
        found.dedup_by_key(|(tls, _)| *tls);
        found
    }

    /// The rules of the caller's namespace, else of the Service's, else of the root namespace: the first in which one is for
    /// the host. There the one for the most special host counts.
    fn of_service(&self, call: &Call<'_, '_>, service: &str, root: &str) -> Choices {
        let (own, of_target) = (call.source.pod.namespace, call.target.pod.namespace);
        let stages = [own, of_target, root];
        for (at, namespace) in stages.into_iter().enumerate() {
            let is_private = at == 0 && own == root;
            let seen = |rule: &&Rule| {
                let only_here =
                    rule.exported.as_ref().is_some_and(|list| matches!(list.as_slice(), [one] if one == own));
                rule.is_seen_from(own) && (!is_private || only_here)
            };
            let rules = self.0.get(namespace).map(Vec::as_slice).unwrap_or_default().iter().filter(seen);
            let fitting: Vec<(usize, &Rule)> =
                rules.filter_map(|rule| Some((rule.host.fits(service, of_target)?, rule))).collect();
            if let Some(most) = fitting.iter().map(|(length, _)| *length).max() {
                let rules: Vec<&Rule> = fitting.into_iter().filter(|(l, _)| *l == most).map(|(_, rule)| rule).collect();
                return merged(&rules, call);
            }
        }
        vec![(ClientTls::Auto, None)]
    }
}

/// What several rules for one host say together. Those for chosen callers go before the others. The oldest one's
/// `trafficPolicy` counts; how old they are, manifests do not tell.
fn merged(rules: &[&Rule], call: &Call<'_, '_>) -> Choices {
    let chosen = |rule: &&&Rule| rule.callers.as_ref().is_some_and(|callers| callers.matches(call.source.pod.labels));
    let mut applying: Vec<&&Rule> = rules.iter().filter(chosen).collect();
    if applying.is_empty() {
        applying = rules.iter().filter(|rule| rule.callers.is_none()).collect();
    }
    let mut found: Choices = Vec::new();
    for rule in &applying {
        let whole = rule.settings.iter();
        let subsets = rule.subsets.iter().filter(|(pods, _)| pods.matches(call.target.pod.labels));
        for settings in whole.chain(subsets.map(|(_, settings)| settings)) {
            found.extend(settings.on(call.dialled).into_iter().map(|tls| (tls, Some(rule.cited.clone()))));
        }
    }
    // Without a route to a subset, what is set for all counts, which may be nothing.
    if applying.iter().all(|rule| rule.settings.is_none()) {
        found.push((ClientTls::Auto, None));
    }
    found
}

impl Rule {
    fn read(object: Object<'_>, namespace: &str, default: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let cited = Cited { identity: object.identity(default), span: object.span() };
        let spec = object.spec();
        let mut is_known = VERSIONS.contains(&object.version());
        let mut settings = |holder: Option<Value<'_>>| {
            let ports = holder.list("portLevelSettings").map(|port| {
                let number = port.path(&["port", "number"])?.scalar_text()?.parse().ok()?;
                Some((number, tls(port.field("tls"))))
            });
            let ports: Option<Vec<_>> = ports.collect();
            let of_all = tls(holder.field("tls"));
            let understood =
                ports.as_ref().is_some_and(|ports| ports.iter().all(|(_, tls)| *tls != ClientTls::Unknown));
            is_known &= understood && of_all != ClientTls::Unknown;
            Settings {
                tls: if ports.is_none() { ClientTls::Unknown } else { of_all },
                ports: ports.unwrap_or_default(),
            }
        };
        let whole = spec.field("trafficPolicy").map(|policy| settings(Some(policy)));
        let subsets = spec.list("subsets").filter_map(|subset| {
            let policy = subset.field("trafficPolicy")?;
            Some((LabelSelector::from_labels(&Labels::read(subset.field("labels"))), settings(Some(policy))))
        });
        let subsets: Vec<_> = subsets.collect();
        let unknown = Settings { tls: ClientTls::Unknown, ports: Vec::new() };
        let host = Host::read(spec.text("host").unwrap_or_default(), namespace);
        if !is_known {
            let text = "its version or its TLS is not understood: whether callers use the TLS of the mesh is not known";
            problems.push(Problem { cited: cited.clone(), code: "unknown-field", text });
        }
        let is_version = VERSIONS.contains(&object.version());
        let exported = spec.field("exportTo").filter(|list| list.items().next().is_some()).map(|list| {
            let names = list.items().filter_map(|name| name.scalar_text());
            names.map(|name| if name == "." { namespace.to_owned() } else { name.to_owned() }).collect::<Vec<_>>()
        });
        Some(Self {
            host: host?,
            callers: spec
                .path(&["workloadSelector", "matchLabels"])
                .map(|labels| LabelSelector::from_labels(&Labels::read(Some(labels)))),
            exported: exported.filter(|names| !names.iter().any(|name| name == "*")),
            settings: if is_version { whole } else { Some(unknown) },
            subsets,
            cited,
        })
    }

    fn is_seen_from(&self, namespace: &str) -> bool {
        self.exported.as_ref().is_none_or(|names| names.iter().any(|name| name == namespace))
    }
}

fn tls(value: Option<Value<'_>>) -> ClientTls {
    let Some(value) = value else { return ClientTls::Auto };
    match value.text("mode") {
        _ if value.kind() != Kind::Mapping => ClientTls::Unknown,
        // "DISABLE" is the first of the modes, and so what holds if none is written.
        None if value.field("mode").is_none() => ClientTls::Disabled,
        Some("DISABLE") => ClientTls::Disabled,
        Some("SIMPLE") => ClientTls::Simple,
        Some("MUTUAL") => ClientTls::Own,
        Some("ISTIO_MUTUAL") => ClientTls::Mesh,
        _ => ClientTls::Unknown,
    }
}

impl Settings {
    /// What applies on a port of a Service, or may apply if it is not known.
    fn on(&self, port: Option<u16>) -> Vec<ClientTls> {
        let Some(port) = port else {
            return self.ports.iter().map(|(_, tls)| *tls).chain([self.tls]).collect();
        };
        vec![self.ports.iter().find(|(number, _)| *number == port).map_or(self.tls, |(_, tls)| *tls)]
    }
}

impl Host {
    /// "Istio will interpret the short name based on the namespace of the rule, not the service."
    fn read(host: &str, namespace: &str) -> Option<Self> {
        if let Some(suffix) = host.strip_prefix('*') {
            return Some(Host::Suffix(suffix.to_owned()));
        }
        match host.split('.').collect::<Vec<_>>().as_slice() {
            [""] => None,
            [service] => Some(Host::Service((*service).to_owned(), namespace.to_owned())),
            [service, of, "svc", _, ..] => Some(Host::Service((*service).to_owned(), (*of).to_owned())),
            // A host outside.
            _ => None,
        }
    }

    /// How much of the name of a Service is written, if it is for it.
    fn fits(&self, service: &str, namespace: &str) -> Option<usize> {
        match self {
            Host::Service(name, of) => (name == service && of == namespace).then_some(usize::MAX),
            Host::Suffix(suffix) => {
                format!("{service}.{namespace}.svc.cluster.local").ends_with(suffix.as_str()).then_some(suffix.len())
            }
        }
    }
}
