//! Who is scraped by a Prometheus, or by a collector that is configured like one: fixed targets, and what it finds
//! through the API, as far as its relabelling can be followed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kubestride_manifest::Object;
use kubestride_model::{AttributeId, Confidence, FlowKind, Value as ModelValue};
use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Encryption;
use kubestride_yaml::Value;

use super::config_files::mounted_files;
use super::{Each, Signal};
use crate::address;
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::relabel::{Port, Relabelled, SCHEME, TargetLabels, fixed_address, label_name, reads_files, relabel};
use crate::resolve::{Resolved, resolve};
use crate::scrape_jobs::Configuration;
use crate::secret_data::Entry;
use crate::traffic::{self, Finding};
use crate::world::{ServiceInfo, WorkloadInfo, World};

pub(crate) struct ScrapeConfigs;

impl Signal for ScrapeConfigs {
    fn name(&self) -> &'static str {
        "scrape-configs"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        // Many workloads mount the same file.
        let mut read: BTreeMap<Cow<'_, str>, Option<Configuration>> = BTreeMap::new();
        Some(Box::new(move |index, workload, claims| {
            mounted_files(world, workload, |object, entry| {
                let configuration = match read.get(&entry.text) {
                    Some(found) => found,
                    None => read.entry(entry.text.clone()).or_insert(Configuration::read(&entry.text)),
                };
                let Some(configuration) = configuration else { return };
                for job in configuration.jobs() {
                    Scrape { world, index, file: Some((object, entry)), job }.claim(claims);
                }
            });
        }))
    }
}

/// One job of one scraper.
pub(super) struct Scrape<'w, 'a, 'j> {
    pub(super) world: &'w World<'a>,
    pub(super) index: usize,
    /// The file that the job stands in; none if it stands in the manifest itself.
    pub(super) file: Option<(Object<'a>, &'j Entry<'j>)>,
    pub(super) job: Value<'j>,
}

/// What Kubernetes' discovery finds: a port of a pod, maybe behind a Service.
struct Found<'f, 'a> {
    workload: usize,
    port: Option<u16>,
    service: Option<&'f ServiceInfo<'a>>,
}

impl<'j> Scrape<'_, '_, 'j> {
    pub(super) fn claim(&self, claims: &mut Claims) {
        let rules: Vec<Value<'j>> = self.list(["relabel_configs", "relabelings"]);
        if reads_files(&rules) {
            return;
        }
        let fixed = fixed_address(&rules);
        let before = claims.flows.len();
        let exporters = fixed.map(|f| self.call(self.index, f, Confidence::Likely, claims)).unwrap_or_default();
        self.secure(claims.flows.get_mut(before..), &rules);
        // Targets that an exporter probes are called by it and not by the scraper.
        let callers = if fixed.is_some() { exporters } else { vec![self.index] };
        let statics = self.list(["static_configs", "staticConfigs"]);
        let targets = statics.iter().filter_map(|s| s.get("targets")).flat_map(|t| t.items());
        for target in targets {
            for caller in &callers {
                let before = claims.flows.len();
                self.call(*caller, target, Confidence::Likely, claims);
                if fixed.is_none() {
                    self.secure(claims.flows.get_mut(before..), &rules);
                }
            }
        }
        for discovery in self.list(["kubernetes_sd_configs", "kubernetesSDConfigs"]) {
            self.discovered(discovery, &rules, &callers, claims);
        }
        let others = self.job.entries().filter(|e| {
            (e.key.ends_with("_sd_configs") || e.key.ends_with("SDConfigs"))
                && !e.key.starts_with("kubernetes")
                && !e.key.starts_with("file")
        });
        for setting in others.flat_map(|e| e.value.items()).flat_map(|v| v.entries()) {
            let port = setting.value.get("port").and_then(|p| u16::try_from(p.as_i64()?).ok());
            for value in setting.value.items().chain([setting.value]) {
                self.address(self.index, (setting.key, value), port, Confidence::Possible, claims);
            }
        }
    }

    /// The items of a list, by its name in files or in resources of the operator.
    fn list(&self, keys: [&str; 2]) -> Vec<Value<'j>> {
        keys.iter().filter_map(|key| self.job.get(key)).flat_map(|l| l.items()).collect()
    }

    /// Claims the call of an address, and gives the workloads that it leads to.
    fn call(&self, caller: usize, value: Value<'j>, outside: Confidence, claims: &mut Claims) -> Vec<usize> {
        let Some(text) = value.scalar_text() else { return Vec::new() };
        self.address(caller, ("targets", value), None, outside, claims);
        let namespace = self.world.workloads.get(caller).map_or("", |w| w.namespace.as_str());
        let found = address::find(text).into_iter().next().or_else(|| address::bare(text));
        match found.map(|a| resolve(self.world, namespace, &a.host)) {
            Some(Resolved::Service(service)) => service.workloads.clone(),
            _ => Vec::new(),
        }
    }

    fn address(
        &self,
        caller: usize,
        (key, value): (&str, Value<'j>),
        port: Option<u16>,
        outside: Confidence,
        claims: &mut Claims,
    ) {
        let Some(text) = value.scalar_text() else { return };
        let start = value.span().start as usize;
        for address in traffic::addresses(key, text) {
            // Spans of what was read out of a file count within it.
            let written = value.subspan(address.range.clone());
            let place = match self.file {
                None => written,
                Some((_, entry)) => written.and_then(|s| entry.value?.subspan(s.start as usize..s.end as usize)),
            };
            let note = Note::stated(place.unwrap_or_else(|| self.span(start)), self.why());
            let finding = Finding { key, port, inside: Confidence::Likely, outside, place, note };
            traffic::claim(self.world, caller, &address, &finding, claims);
        }
    }

    /// Says of calls of fixed addresses what the scheme of the job says.
    fn secure(&self, flows: Option<&mut [FlowClaim]>, rules: &[Value<'j>]) {
        let scheme = relabel(rules, TargetLabels::from([self.scheme()])).scheme;
        flows.into_iter().flatten().for_each(|claim| self.protect(claim, scheme.as_deref()));
    }

    /// The scheme of the job as a label of its targets.
    fn scheme(&self) -> (String, Option<String>) {
        let stated = self.stated_scheme().map_or(Some("http"), |scheme| scheme.as_str());
        (SCHEME.to_owned(), stated.map(str::to_ascii_lowercase))
    }

    /// Whether it says where alerts are sent: jobs of a file must have names.
    fn is_for_alerts(&self) -> bool {
        self.file.is_some() && self.job.get("job_name").is_none()
    }

    fn stated_scheme(&self) -> Option<Value<'j>> {
        self.job.get("scheme").filter(|scheme| !scheme.is_null())
    }

    /// Says of a call whether it is encrypted, by the scheme that the rules leave. What is known to be encrypted by
    /// others, such as a proxy, stays so.
    fn protect(&self, claim: &mut FlowClaim, scheme: Option<&str>) {
        let encrypted = match scheme {
            Some("https") => true,
            Some("http") => false,
            _ => return,
        };
        // To a host outside that is scraped nothing is sent; alerts are.
        if !encrypted && matches!(claim.target, Party::Host(_)) && !self.is_for_alerts() {
            return;
        }
        let tls = self.job.get("tls_config").or_else(|| self.job.get("tlsConfig"));
        let unchecked = tls.and_then(|t| t.get("insecure_skip_verify").or_else(|| t.get("insecureSkipVerify")));
        let unchecked = unchecked.and_then(|u| u.as_bool()) == Some(true);
        let more = if encrypted && unchecked { "; the certificate is not checked" } else { "" };
        let of_job = self.stated_scheme();
        let note = match of_job {
            _ if scheme != self.scheme().1.as_deref() => Note::stated(
                self.span(self.job.span().start as usize),
                format!("a rule of the job sets the scheme{more}"),
            ),
            Some(stated) => {
                Note::stated(self.span(stated.span().start as usize), format!("the scheme of the job{more}"))
            }
            None => {
                Note::default(self.span(self.job.span().start as usize), "a job that names no scheme calls by HTTP")
            }
        };
        let (protocol, value) = if encrypted { ("HTTPS", Encryption::Encrypted) } else { ("HTTP", Encryption::Plain) };
        let is_encryption = |(attribute, ..): &(AttributeId, ModelValue, Note)| *attribute == attr::ENCRYPTION.id;
        let of_others = claim.attributes.iter().find(|a| is_encryption(a)).map(|(_, value, _)| *value);
        if of_others == Some(attr::ENCRYPTION.value(Encryption::Encrypted)) {
            return;
        }
        if encrypted || claim.protocol.is_none() {
            claim.protocol = Some(protocol.to_owned());
        }
        claim.attributes.retain(|a| !is_encryption(a));
        claim.attributes.push((attr::ENCRYPTION.id, attr::ENCRYPTION.value(value), note));
    }

    fn span(&self, at: usize) -> Span {
        let Some((_, entry)) = self.file else { return self.job.span() };
        entry.value.and_then(|v| v.subspan(at..at + 1)).unwrap_or(entry.span)
    }

    fn why(&self) -> String {
        match self.file {
            Some((object, entry)) => {
                format!("a job in {} of {} {}, mounted as a file", entry.key, object.kind(), object.name())
            }
            None => "a scrape configuration".to_owned(),
        }
    }

    /// What discovery through the API finds and the rules keep.
    fn discovered(&self, discovery: Value<'j>, rules: &[Value<'j>], callers: &[usize], claims: &mut Claims) {
        let Some(scraper) = self.world.workloads.get(self.index) else { return };
        let role = discovery.get("role").and_then(|r| r.as_str()).unwrap_or("").to_ascii_lowercase();
        let namespaces = discovery.get("namespaces");
        let own = namespaces.and_then(|n| n.get("own_namespace").or_else(|| n.get("ownNamespace")));
        let own = own.and_then(|o| o.as_bool()) == Some(true);
        let names: Vec<&str> = namespaces
            .and_then(|n| n.get("names"))
            .into_iter()
            .flat_map(|n| n.items())
            .filter_map(|n| n.as_str())
            .chain(own.then_some(scraper.namespace.as_str()))
            .collect();
        let within = |namespace: &str| names.is_empty() || names.contains(&namespace);
        let found = match role.as_str() {
            "pod" => self.pods(&within),
            "endpoints" | "endpointslice" | "service" => self.endpoints(&within),
            _ => return,
        };
        for target in found {
            let mut labels = self.labels(&target, &role);
            labels.extend([self.scheme()]);
            let result = relabel(rules, labels);
            for caller in callers {
                self.keep(*caller, &target, &result, claims);
            }
        }
    }

    fn pods<'f>(&'f self, within: &dyn Fn(&str) -> bool) -> Vec<Found<'f, 'f>> {
        let here = self.world.workloads.iter().enumerate().filter(|(_, w)| within(&w.namespace));
        let ports = |(workload, pod): (usize, &WorkloadInfo<'_>)| {
            let declared: Vec<_> = pod.containers.iter().flat_map(|c| c.ports()).map(|p| Some(p.number)).collect();
            let ports = if declared.is_empty() { vec![None] } else { declared };
            ports.into_iter().map(move |port| Found { workload, port, service: None }).collect::<Vec<_>>()
        };
        here.flat_map(ports).collect()
    }

    fn endpoints<'f>(&'f self, within: &dyn Fn(&str) -> bool) -> Vec<Found<'f, 'f>> {
        let mut out = Vec::new();
        for service in self.world.services.iter().filter(|s| within(&s.namespace)) {
            for port in service.service.ports().map(|p| p.number) {
                out.extend(service.workloads.iter().map(|workload| Found {
                    workload: *workload,
                    port: service.target_port(self.world, *workload, port).or(Some(port)),
                    service: Some(service),
                }));
            }
        }
        out
    }

    /// The labels of a target that manifests tell.
    fn labels(&self, target: &Found<'_, '_>, role: &str) -> TargetLabels {
        let mut labels = TargetLabels::new();
        let mut set = |name: String, value: &str| drop(labels.insert(name, Some(value.to_owned())));
        let Some(pod) = self.world.workloads.get(target.workload) else { return labels };
        let port = target.port.map(|p| p.to_string());
        set("__address__".to_owned(), &format!("target:{}", port.as_deref().unwrap_or("")));
        set("__meta_kubernetes_namespace".to_owned(), &pod.namespace);
        if role != "service" {
            set("__meta_kubernetes_pod_phase".to_owned(), "Running");
            set("__meta_kubernetes_pod_ready".to_owned(), "true");
            set("__meta_kubernetes_pod_container_init".to_owned(), "false");
            for (key, value) in pod.labels.iter() {
                set(format!("__meta_kubernetes_pod_label_{}", label_name(key)), value);
                set(format!("__meta_kubernetes_pod_labelpresent_{}", label_name(key)), "true");
            }
            for annotation in pod.workload.template.annotations() {
                let (key, value) = (label_name(annotation.key), annotation.value.scalar_text().unwrap_or(""));
                set(format!("__meta_kubernetes_pod_annotation_{key}"), value);
                set(format!("__meta_kubernetes_pod_annotationpresent_{key}"), "true");
            }
            if let Some(number) = &port {
                set("__meta_kubernetes_pod_container_port_number".to_owned(), number);
            }
            let holder = pod.containers.iter().find(|c| c.ports().any(|p| Some(p.number) == target.port));
            let declared = holder.and_then(|c| c.ports().find(|p| Some(p.number) == target.port));
            set("__meta_kubernetes_pod_container_port_name".to_owned(), declared.and_then(|p| p.name).unwrap_or(""));
            let container = holder.or(pod.containers.first().filter(|_| pod.containers.len() == 1));
            if let Some(container) = container {
                set("__meta_kubernetes_pod_container_name".to_owned(), container.name());
            }
        }
        let Some(service) = target.service else { return labels };
        set("__meta_kubernetes_service_name".to_owned(), service.name);
        set("__meta_kubernetes_endpoints_name".to_owned(), service.name);
        let object = service.service.object;
        for (key, value) in object.label_set().iter() {
            set(format!("__meta_kubernetes_service_label_{}", label_name(key)), value);
            set(format!("__meta_kubernetes_service_labelpresent_{}", label_name(key)), "true");
        }
        for annotation in object.annotations() {
            let (key, value) = (label_name(annotation.key), annotation.value.scalar_text().unwrap_or(""));
            set(format!("__meta_kubernetes_service_annotation_{key}"), value);
            set(format!("__meta_kubernetes_service_annotationpresent_{key}"), "true");
        }
        let number = target.port.and_then(|p| service.port_for(self.world, target.workload, p)).or(target.port);
        let port = service.service.ports().find(|p| Some(p.number) == number);
        for name in ["endpoint_port_name", "endpointslice_port_name", "service_port_name"] {
            set(format!("__meta_kubernetes_{name}"), port.as_ref().and_then(|p| p.name).unwrap_or(""));
        }
        if let Some(number) = number {
            set("__meta_kubernetes_service_port_number".to_owned(), &number.to_string());
        }
        labels
    }

    fn keep(&self, caller: usize, target: &Found<'_, '_>, result: &Relabelled, claims: &mut Claims) {
        if result.kept == Some(false) || target.workload == caller {
            return;
        }
        let port = match result.port {
            Port::AsFound => target.port,
            Port::Number(port) => Some(port),
            Port::Unknown => None,
        };
        let (source, to) = (Party::Workload(caller), Party::Workload(target.workload));
        let note = Note::stated(self.span(self.job.span().start as usize), self.why());
        let mut claim = FlowClaim::new(source, to, FlowKind::Traffic, note);
        let number = target.service.and_then(|s| s.port_for(self.world, target.workload, port?));
        (claim.port, claim.target_port) = (number.or(port), port);
        claim.protocol = Some("HTTP".to_owned());
        // A job that keeps everything it finds does not tell whom it is for.
        let sure = result.kept == Some(true) && result.chosen;
        claim.confidence = if sure { Confidence::Likely } else { Confidence::Possible };
        // What an exporter calls is not the scraper's to say, nor what calls are like that may never be made.
        if sure && caller == self.index {
            self.protect(&mut claim, result.scheme.as_deref());
        }
        claims.flows.push(claim);
    }
}
