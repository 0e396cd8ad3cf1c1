//! Who is scraped for metrics: ServiceMonitor, PodMonitor, Probe and ScrapeConfig of the Prometheus operator, and the
//! annotations `prometheus.io/scrape` where a Prometheus of the input is configured to heed them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kubestride_manifest::{LabelSelector, Object};
use kubestride_model::{Confidence, FlowKind};
use kubestride_policy::Namespaces;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Authentication, Encryption};
use kubestride_yaml::Value;

use super::Signal;
use super::config_files::mounted_files;
use super::scrape_configs::Scrape;
use crate::address;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resolve::{Resolved, resolve};
use crate::scrape_jobs::Configuration;
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Monitors;

pub(super) const GROUP: &str = "monitoring.coreos.com";
/// <https://docs.victoriametrics.com/operator/resources/>
pub(super) const VICTORIA_METRICS: &str = "operator.victoriametrics.com";
const OPEN_TELEMETRY: &str = "opentelemetry.io";

/// Kinds of monitors, and how the fields begin by which scrapers select them.
const KINDS: [(&str, &str, &str); 8] = [
    (GROUP, "ServiceMonitor", "serviceMonitor"),
    (GROUP, "PodMonitor", "podMonitor"),
    (GROUP, "Probe", "probe"),
    (GROUP, "ScrapeConfig", "scrapeConfig"),
    (VICTORIA_METRICS, "VMServiceScrape", "serviceScrape"),
    (VICTORIA_METRICS, "VMPodScrape", "podScrape"),
    (VICTORIA_METRICS, "VMProbe", "probe"),
    (VICTORIA_METRICS, "VMStaticScrape", "staticScrape"),
];

impl Signal for Monitors {
    fn name(&self) -> &'static str {
        "monitors"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let namespaces = Namespaces::read(world.manifests);
        for (group, kind, field) in KINDS {
            let all = scrapers_of(world, group);
            for monitor in world.manifests.by_custom_kind(group, kind) {
                let scrapers = selecting(world, &all, &namespaces, monitor, field);
                if scrapers.is_empty() {
                    continue;
                }
                match kind {
                    "ServiceMonitor" | "VMServiceScrape" => services(world, monitor, &scrapers, claims),
                    "PodMonitor" | "VMPodScrape" => pods(world, monitor, &scrapers, claims),
                    "ScrapeConfig" => {
                        let Some(job) = monitor.spec() else { continue };
                        for index in scrapers {
                            Scrape { world, index, file: None, job }.claim(claims);
                        }
                    }
                    "VMStaticScrape" => fixed(world, monitor, &scrapers, claims),
                    _ => probe(world, monitor, &scrapers, claims),
                }
            }
        }
        let mut asked = BTreeMap::new();
        for (index, workload) in world.workloads.iter().enumerate() {
            annotated(world, index, workload, &mut asked, claims);
        }
    }
}

/// The resources of the input that select monitors of a group.
fn scrapers_of(world: &World<'_>, group: &str) -> Vec<usize> {
    let is = |w: &WorkloadInfo<'_>| match w.operated.map(|k| (k.group, k.kind)) {
        Some((GROUP, kind)) => group == GROUP && matches!(kind, "Prometheus" | "PrometheusAgent"),
        Some((VICTORIA_METRICS, kind)) => group == VICTORIA_METRICS && kind == "VMAgent",
        Some((OPEN_TELEMETRY, _)) => group == GROUP && allocator(w.object()).is_some(),
        _ => false,
    };
    world.workloads.iter().enumerate().filter(|(_, w)| is(w)).map(|(index, _)| index).collect()
}

/// The part of a collector that says which monitors its target allocator selects. Older versions have selectors of
/// another form. <https://opentelemetry.io/docs/platforms/kubernetes/operator/target-allocator/>
fn allocator(collector: Object<'_>) -> Option<Value<'_>> {
    let allocator = collector.spec()?.get("targetAllocator")?;
    let monitors = allocator.get("prometheusCR")?;
    let enabled = |v: Value<'_>| v.get("enabled").and_then(|e| e.as_bool()) == Some(true);
    (collector.version() == "v1beta1" && enabled(allocator) && enabled(monitors)).then_some(monitors)
}

/// Those of the Prometheus, Alertmanager or VMAgent resources that select a monitor, or a configuration. A selector that
/// is not set selects nothing; a namespace selector that is not set, the resource's own namespace. A VMAgent takes one of
/// both for granted, and can be told to select everything where neither is set.
/// <https://docs.victoriametrics.com/operator/resources/#configuration-synchronization>
pub(super) fn selecting(
    world: &World<'_>,
    all: &[usize],
    namespaces: &Namespaces<'_>,
    monitor: Object<'_>,
    field: &str,
) -> Vec<usize> {
    let namespace = world.namespace_of(monitor);
    let labels = monitor.label_set();
    let selects = |index: &&usize| {
        let Some(workload) = world.workloads.get(**index) else { return false };
        let collector = workload.operated.is_some_and(|k| k.group == OPEN_TELEMETRY);
        let spec = if collector { allocator(workload.object()) } else { workload.object().spec() };
        let Some(spec) = spec else { return false };
        let set = |name: String| spec.get(&name).filter(|v| !v.is_null()).map(LabelSelector::read);
        let of_namespace = set(format!("{field}NamespaceSelector"));
        let of_object = set(format!("{field}Selector"));
        if workload.operated.is_some_and(|k| k.group == VICTORIA_METRICS) {
            match (&of_namespace, &of_object) {
                (None, None) => return spec.get("selectAllByDefault").and_then(|a| a.as_bool()) == Some(true),
                (Some(selector), None) => return selector.matches(&namespaces.labels(&namespace)),
                _ => {}
            }
        }
        let listed = |field: &str| {
            let mut names = spec.get(field).into_iter().flat_map(|n| n.items()).peekable();
            names.peek().is_some().then(|| names.any(|n| n.as_str() == Some(&namespace)))
        };
        let here = match of_namespace {
            // A target allocator looks everywhere unless it is told where.
            None if collector => {
                listed("allowNamespaces").unwrap_or(true) && !listed("denyNamespaces").unwrap_or(false)
            }
            None => workload.namespace == namespace,
            Some(selector) => selector.matches(&namespaces.labels(&namespace)),
        };
        here && of_object.is_some_and(|selector| selector.matches(&labels))
    };
    all.iter().filter(selects).copied().collect()
}

/// Whether a monitor looks into a namespace.
fn looks_into(world: &World<'_>, monitor: Object<'_>, namespace: &str) -> bool {
    let selector = monitor.spec().and_then(|s| s.get("namespaceSelector"));
    if selector.and_then(|s| s.get("any")).and_then(|a| a.as_bool()) == Some(true) {
        return true;
    }
    let mut names = selector.and_then(|s| s.get("matchNames")).into_iter().flat_map(|n| n.items()).peekable();
    match names.peek() {
        Some(_) => names.any(|n| n.as_str() == Some(namespace)),
        None => world.namespace_of(monitor) == namespace,
    }
}

fn selector(monitor: Object<'_>) -> Option<LabelSelector> {
    monitor.spec()?.get("selector").map(LabelSelector::read)
}

fn endpoints<'a>(monitor: Object<'a>, field: &str) -> Vec<Value<'a>> {
    monitor.spec().and_then(|s| s.get(field)).into_iter().flat_map(|e| e.items()).collect()
}

/// A port of pods that an endpoint gives by number or name.
fn pod_port(endpoint: Value<'_>, workload: &WorkloadInfo<'_>) -> Option<u16> {
    let by_name = |v: Value<'_>| workload.named_port(v.as_str()?);
    let number = |v: Value<'_>| u16::try_from(v.as_i64()?).ok();
    let target = endpoint.get("targetPort").and_then(|v| number(v).or_else(|| by_name(v)));
    let stated = || endpoint.get("portNumber").and_then(number);
    target.or_else(stated).or_else(|| endpoint.get("port").and_then(by_name))
}

fn services(world: &World<'_>, monitor: Object<'_>, scrapers: &[usize], claims: &mut Claims) {
    let Some(selector) = selector(monitor) else { return };
    for service in &world.services {
        if !looks_into(world, monitor, &service.namespace) || !selector.matches(&service.service.object.label_set()) {
            continue;
        }
        for endpoint in endpoints(monitor, "endpoints") {
            let name = endpoint.get("port").and_then(|p| p.as_str());
            let port = service.service.ports().find(|p| name.is_some() && p.name == name).map(|p| p.number);
            for target in &service.workloads {
                let at_pod = world.workloads.get(*target).and_then(|w| pod_port(endpoint, w));
                let target_port = port.and_then(|p| service.target_port(world, *target, p)).or(at_pod);
                // No port of this name: the monitor finds nothing at this Service.
                if let Some(target_port) = target_port {
                    scrape(scrapers, *target, (port.or(Some(target_port)), target_port), (monitor, endpoint), claims);
                }
            }
        }
    }
}

fn pods(world: &World<'_>, monitor: Object<'_>, scrapers: &[usize], claims: &mut Claims) {
    let Some(selector) = selector(monitor) else { return };
    for (target, workload) in world.workloads.iter().enumerate() {
        if !selector.matches(&workload.labels) || !looks_into(world, monitor, &workload.namespace) {
            continue;
        }
        for endpoint in endpoints(monitor, "podMetricsEndpoints") {
            if let Some(port) = pod_port(endpoint, workload) {
                scrape(scrapers, target, (Some(port), port), (monitor, endpoint), claims);
            }
        }
    }
}

/// The prober of a Probe, which Prometheus asks, and what the prober then calls.
fn probe(world: &World<'_>, monitor: Object<'_>, scrapers: &[usize], claims: &mut Claims) {
    let spec = |path: [&str; 2]| monitor.spec().and_then(|s| path.iter().try_fold(s, |value, key| value.get(key)));
    let url = spec(["prober", "url"]).or_else(|| spec(["vmProberSpec", "url"]));
    let Some((url, text)) = url.and_then(|u| Some((u, u.as_str()?))) else { return };
    let Some(address) = address::find(text).into_iter().next().or_else(|| address::bare(text)) else { return };
    let statics = spec(["targets", "staticConfig"]).and_then(|c| c.get("static").or_else(|| c.get("targets")));
    let targets: Vec<Value<'_>> = statics.into_iter().flat_map(|s| s.items()).collect();
    for scraper in scrapers {
        let note = Note::stated(url.span(), format!("{} {}", monitor.kind(), monitor.name()));
        let (inside, outside) = (Confidence::Certain, Confidence::Likely);
        let finding = Finding { key: "url", port: None, inside, outside, place: None, note };
        traffic::claim(world, *scraper, &address, &finding, claims);
        let Some(namespace) = world.workloads.get(*scraper).map(|w| w.namespace.as_str()) else { continue };
        let Resolved::Service(service) = resolve(world, namespace, &address.host) else { continue };
        for (prober, target) in service.workloads.iter().flat_map(|p| targets.iter().map(move |t| (*p, *t))) {
            let why = format!("{} {} has it as a target", monitor.kind(), monitor.name());
            traffic::claim_field(world, prober, ("targets", target), Confidence::Likely, &why, claims);
        }
    }
}

/// Targets that stand in the monitor itself.
fn fixed(world: &World<'_>, monitor: Object<'_>, scrapers: &[usize], claims: &mut Claims) {
    let groups = endpoints(monitor, "targetEndpoints");
    let targets: Vec<Value<'_>> = groups.iter().filter_map(|g| g.get("targets")).flat_map(|t| t.items()).collect();
    let why = format!("{} {} has it as a target", monitor.kind(), monitor.name());
    for (scraper, target) in scrapers.iter().flat_map(|s| targets.iter().map(move |t| (*s, *t))) {
        traffic::claim_field(world, scraper, ("targets", target), Confidence::Likely, &why, claims);
    }
}

fn scrape(
    scrapers: &[usize],
    target: usize,
    (port, target_port): (Option<u16>, u16),
    (monitor, endpoint): (Object<'_>, Value<'_>),
    claims: &mut Claims,
) {
    for scraper in scrapers.iter().filter(|s| **s != target) {
        let note = Note::stated(monitor.span(), format!("{} {} selects it", monitor.kind(), monitor.name()));
        let claim = metrics(*scraper, target, (port, target_port), Confidence::Certain, note);
        claims.flows.push(protected(claim, endpoint));
    }
}

/// The same flow with what an endpoint of a monitor says about its encryption, and about how Prometheus is known.
/// <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Endpoint>
fn protected(mut claim: FlowClaim, endpoint: Value<'_>) -> FlowClaim {
    let tls = endpoint.get("tlsConfig");
    let secure = |scheme: Value<'_>| scheme.as_str().is_some_and(|text| text.eq_ignore_ascii_case("https"));
    let scheme = endpoint.get("scheme").filter(|scheme| !scheme.is_null());
    let unchecked = tls.and_then(|t| t.get("insecureSkipVerify")).and_then(|v| v.as_bool()) == Some(true);
    let (value, note) = match scheme {
        Some(scheme) if secure(scheme) => {
            claim.protocol = Some("HTTPS".to_owned());
            let more = if unchecked { "; the certificate is not checked" } else { "" };
            (Encryption::Encrypted, Note::stated(scheme.span(), format!("the scheme of the monitor{more}")))
        }
        Some(scheme) => (Encryption::Plain, Note::stated(scheme.span(), "the scheme of the monitor")),
        None => {
            let note = Note::default(endpoint.span(), "a monitor that names no scheme scrapes by HTTP");
            (Encryption::Plain, note)
        }
    };
    claim = claim.with(attr::ENCRYPTION.id, attr::ENCRYPTION.value(value), note);
    let certificate = tls.and_then(|t| t.get("cert").or_else(|| t.get("certFile"))).filter(|c| !c.is_null());
    let first = |keys: &[&str]| keys.iter().find_map(|key| endpoint.get(key).filter(|v| !v.is_null()));
    // The operator writes an empty reference where there is none.
    let secret = first(&["bearerTokenSecret"]).filter(|s| s.get("name").is_some());
    let token = first(&["authorization", "bearerTokenFile", "oauth2"]).or(secret);
    let ways = [
        (certificate.filter(|_| scheme.is_some_and(secure)), Authentication::MutualTls),
        (token, Authentication::Token),
        (first(&["basicAuth"]), Authentication::Credential),
    ];
    match ways.into_iter().find_map(|(place, by)| Some((place?, by))) {
        Some((place, by)) => {
            let note = Note::stated(place.span(), "the monitor names what Prometheus shows");
            claim.with(attr::AUTHENTICATION.id, attr::AUTHENTICATION.value(by), note)
        }
        None => claim,
    }
}

fn metrics(
    scraper: usize,
    target: usize,
    (port, target_port): (Option<u16>, u16),
    confidence: Confidence,
    note: Note,
) -> FlowClaim {
    let mut claim = FlowClaim::new(Party::Workload(scraper), Party::Workload(target), FlowKind::Traffic, note);
    // Scrapers ask pods at their own addresses: the Service only says which ones.
    (claim.port, claim.target_port) = (port, Some(target_port));
    claim.protocol = Some("HTTP".to_owned());
    claim.confidence = confidence;
    claim
}

/// Prefix of the annotations.
const ANNOTATION: &str = "prometheus.io/";

/// Whether a text asks for the annotated pods, and for the annotated Services.
fn asks_for_annotated(text: &str) -> (bool, bool) {
    let of_pods = text.contains("__meta_kubernetes_pod_annotation_prometheus_io_scrape");
    let of_services = text.contains("__meta_kubernetes_service_annotation_prometheus_io_scrape");
    // What can be followed rule by rule is a signal of its own.
    let is_followed = || Configuration::read(text).is_some_and(|c| !c.jobs().is_empty());
    if (of_pods || of_services) && is_followed() { (false, false) } else { (of_pods, of_services) }
}

/// What a Prometheus, or a collector that is configured like one, finds through the API by annotations of pods or
/// Services, if its configuration asks for them in a way that is not followed rule by rule.
///
/// Many workloads mount the same file: `asked` keeps what texts ask for.
fn annotated<'a>(
    world: &World<'a>,
    index: usize,
    workload: &WorkloadInfo<'a>,
    asked: &mut BTreeMap<Cow<'a, str>, (bool, bool)>,
    claims: &mut Claims,
) {
    let (mut of_pods, mut of_services) = (false, false);
    mounted_files(world, workload, |_, entry| {
        let (pods, services) = match asked.get(&entry.text) {
            Some(found) => *found,
            None => *asked.entry(entry.text.clone()).or_insert(asks_for_annotated(&entry.text)),
        };
        of_pods |= pods;
        of_services |= services;
    });
    if of_pods {
        for (target, pod) in world.workloads.iter().enumerate().filter(|(target, _)| *target != index) {
            let annotation = |name: &str| pod.workload.template.annotation(&format!("{ANNOTATION}{name}"));
            if annotation("scrape") != Some("true") {
                continue;
            }
            let declared = || pod.containers.iter().flat_map(|c| c.ports()).map(|p| p.number);
            let ports: Vec<u16> = match annotation("port").and_then(|p| p.parse().ok()) {
                Some(port) => vec![port],
                None => declared().collect(),
            };
            for port in ports {
                let note = Note::stated(pod.span(), "an annotation of its pods asks to be scraped");
                let ports = (Some(port), port);
                claims.flows.push(metrics(index, target, ports, Confidence::Likely, note));
            }
        }
    }
    if of_services {
        for service in &world.services {
            let annotation = |name: &str| {
                let found = service.service.object.annotations().find(|a| a.key.strip_prefix(ANNOTATION) == Some(name));
                found.and_then(|a| a.value.scalar_text())
            };
            if annotation("scrape") != Some("true") {
                continue;
            }
            let stated: Option<u16> = annotation("port").and_then(|p| p.parse().ok());
            for target in service.workloads.iter().filter(|target| **target != index) {
                let of_service =
                    || service.service.ports().filter_map(|p| service.target_port(world, *target, p.number));
                let ports: Vec<u16> = stated.map_or_else(|| of_service().collect(), |port| vec![port]);
                for port in ports {
                    let span = service.service.object.span();
                    let note = Note::stated(span, "an annotation of its Service asks to be scraped");
                    let number = service.port_for(world, *target, port).or(Some(port));
                    claims.flows.push(metrics(index, *target, (number, port), Confidence::Likely, note));
                }
            }
        }
    }
}
