//! Addresses in ConfigMaps and Secrets that are mounted as files.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use kubestride_manifest::{Object, VolumeSource};
use kubestride_model::Confidence;

use super::environment::{value_of, variables};
use super::{Each, Signal};
use crate::claims::{Claims, Note};
use crate::credentials;
use crate::expand::{Syntax, expand};
use crate::resource_references::{Named, Reference, references};
use crate::scrape_jobs::Configuration;
use crate::secret_data::{self, Entry};
use crate::settings::{self, Setting};
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct ConfigFiles;

/// Files longer than this are data, not configuration: dashboards, word lists, certificates.
const MAX_FILE: usize = 256 * 1024;

impl Signal for ConfigFiles {
    fn name(&self) -> &'static str {
        "config-files"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        // Many workloads mount the same file, and many files hold the same text.
        let mut settings: BTreeMap<Cow<'_, str>, Vec<Setting>> = BTreeMap::new();
        Some(Box::new(move |index, workload, claims| {
            let all = || workload.containers.iter().flat_map(|c| variables(world, index, c)).collect::<Vec<_>>();
            let read = OnceCell::new();
            let value_of = |name: &str| value_of(read.get_or_init(all), name);
            mounted_files(world, workload, |object, entry| {
                if object.kind() == "Secret" && credentials::may_be_secret(entry.key) {
                    return;
                }
                let as_written = match settings.get(&entry.text) {
                    Some(found) => found,
                    None => settings.entry(entry.text.clone()).or_insert(outside_of_jobs(&entry.text)),
                };
                claim_file(world, index, (object, entry), as_written, &value_of, claims);
            });
        }))
    }
}

/// Visits the files that a workload mounts from ConfigMaps and Secrets, that its resource names for it, or that a
/// container beside it collects.
pub(super) fn mounted_files<'a>(
    world: &World<'a>,
    workload: &WorkloadInfo<'a>,
    mut visit: impl FnMut(Object<'a>, &Entry<'a>),
) {
    let pod = workload.pod();
    let volumes = pod.volumes().map(|volume| {
        let mut mounted: Vec<(Object<'a>, Vec<&'a str>)> = Vec::new();
        collect(world, &workload.namespace, &volume.source(), &mut mounted);
        mounted
    });
    for mounted in volumes.chain([named_files(world, workload), collected_files(world, workload)]) {
        for (object, keys) in mounted {
            for entry in secret_data::entries(object) {
                if (keys.is_empty() || keys.contains(&entry.key)) && entry.text.len() <= MAX_FILE {
                    visit(object, &entry);
                }
            }
        }
    }
}

/// The entries that a custom resource names one by one as configuration, and the Secret that an Alertmanager reads if it
/// names none. <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.AlertmanagerSpec>
fn named_files<'a>(world: &World<'a>, workload: &WorkloadInfo<'a>) -> Vec<(Object<'a>, Vec<&'a str>)> {
    let Some(kind) = workload.operated else { return Vec::new() };
    let namespace = workload.namespace.as_str();
    let spec = workload.object().spec();
    let file = |reference: Reference<'a>| {
        // Most Secrets that are named are credentials, which are not looked at.
        let is_configuration = reference.field.to_ascii_lowercase().contains("config");
        let object = match reference.named {
            Named::Secret(name) if is_configuration => world.secret(namespace, name),
            Named::ConfigMap(name) => world.config_map(namespace, name),
            _ => None,
        };
        Some((object?, vec![reference.key?]))
    };
    let mut files: Vec<_> = spec.map(references).unwrap_or_default().into_iter().filter_map(file).collect();
    if matches!(kind.kind, "Alertmanager" | "VMAlertmanager") {
        let stated = spec.and_then(|s| s.get("configSecret")).and_then(|s| s.as_str());
        let usual = || format!("{}-{}", kind.kind.to_ascii_lowercase(), workload.object().name());
        let name = stated.map_or_else(usual, str::to_owned);
        files.extend(world.secret(namespace, &name).map(|secret| (secret, vec!["alertmanager.yaml"])));
    }
    files
}

/// The ConfigMaps and Secrets with a label that a container fetches through the API and puts beside the others as files,
/// as it is done with the data sources of Grafana. <https://github.com/kiwigrid/k8s-sidecar#configuration-environment-variables>
fn collected_files<'a>(world: &World<'a>, workload: &WorkloadInfo<'a>) -> Vec<(Object<'a>, Vec<&'a str>)> {
    let mut found = Vec::new();
    for container in &workload.containers {
        let image = container.image().and_then(|i| i.as_str()).unwrap_or("");
        let program = image.rsplit('/').next().and_then(|last| last.split([':', '@']).next());
        if program != Some("k8s-sidecar") {
            continue;
        }
        let variable = |name: &str| container.env().find(|v| v.name == name)?.value?.scalar_text();
        let Some(label) = variable("LABEL") else { continue };
        let kinds: &[&str] = match variable("RESOURCE").unwrap_or("configmap") {
            "both" => &["ConfigMap", "Secret"],
            "secret" => &["Secret"],
            _ => &["ConfigMap"],
        };
        let namespaces = variable("NAMESPACE").unwrap_or(&workload.namespace);
        for object in kinds.iter().flat_map(|kind| world.manifests.by_kind(kind)) {
            let value = object.label_set().get(label);
            let here = namespaces == "ALL" || namespaces.split(',').any(|n| n == world.namespace_of(object));
            if here && value.is_some() && variable("LABEL_VALUE").is_none_or(|v| v.is_empty() || Some(v) == value) {
                found.push((object, Vec::new()));
            }
        }
    }
    found
}

/// The objects of a volume, with the keys that it picks (none: all).
fn collect<'a>(
    world: &World<'a>,
    namespace: &str,
    source: &VolumeSource<'a>,
    out: &mut Vec<(Object<'a>, Vec<&'a str>)>,
) {
    match source {
        VolumeSource::ConfigMap { name, items, .. } => {
            out.extend(world.config_map(namespace, name).map(|o| (o, items.iter().map(|i| i.key).collect())));
        }
        VolumeSource::Secret { name, items, .. } => {
            out.extend(world.secret(namespace, name).map(|o| (o, items.iter().map(|i| i.key).collect())));
        }
        VolumeSource::Projected(sources) => sources.iter().for_each(|s| collect(world, namespace, s, out)),
        _ => {}
    }
}

fn claim_file(
    world: &World<'_>,
    index: usize,
    (object, entry): (Object<'_>, &Entry<'_>),
    as_written: &[Setting],
    value_of: &dyn Fn(&str) -> Option<String>,
    claims: &mut Claims,
) {
    let expanded = match expand(&entry.text, Syntax::Shell, value_of) {
        Cow::Borrowed(_) => Vec::new(),
        Cow::Owned(text) => outside_of_jobs(&text),
    };
    let is_new = |s: &&Setting| !as_written.iter().any(|w| (&w.key, &w.address.host) == (&s.key, &s.address.host));
    let expanded: Vec<&Setting> = expanded.iter().filter(is_new).collect();
    // What variables were put into has no place.
    let placed = as_written.iter().map(|s| (s, entry.value.and_then(|v| v.subspan(s.address.range.clone()))));
    for (setting, place) in placed.chain(expanded.into_iter().map(|s| (s, None))) {
        let text = format!("{} of {} {}, mounted as a file", entry.key, object.kind(), object.name());
        let finding = Finding {
            key: &setting.key,
            port: setting.port,
            inside: Confidence::Likely,
            // A file names hosts for many reasons: documentation, schemas, examples.
            outside: match traffic::is_address_key(&setting.key) && !setting.listed {
                true => Confidence::Likely,
                false => Confidence::Possible,
            },
            place,
            note: Note::stated(place.unwrap_or(entry.span), text),
        };
        traffic::claim(world, index, &setting.address, &finding, claims);
    }
}

/// The addresses of a file but those in jobs of Prometheus, which are a signal of their own.
fn outside_of_jobs(text: &str) -> Vec<Setting> {
    let jobs = Configuration::read(text).map(|c| c.ranges()).unwrap_or_default();
    let in_job =
        |s: &Setting| jobs.iter().any(|job| s.address.range.start < job.end && s.address.range.end > job.start);
    settings::find(text).into_iter().filter(|s| !in_job(s)).collect()
}
