//! Addresses in ConfigMaps and Secrets that are mounted as files.

use std::borrow::Cow;
use std::cell::OnceCell;

use kubestride_manifest::{Object, VolumeSource};
use kubestride_model::Confidence;

use super::Signal;
use super::environment::{value_of, variables};
use crate::address;
use crate::claims::{Claims, Note};
use crate::credentials;
use crate::expand::{Syntax, expand};
use crate::resource_references::{Named, Reference, references};
use crate::scrape_jobs::Configuration;
use crate::secret_data::{self, Entry};
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct ConfigFiles;

/// Files longer than this are data, not configuration: dashboards, word lists, certificates.
const MAX_FILE: usize = 256 * 1024;

impl Signal for ConfigFiles {
    fn name(&self) -> &'static str {
        "config-files"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let all = || workload.containers.iter().flat_map(|c| variables(world, index, c)).collect::<Vec<_>>();
            let read = OnceCell::new();
            let value_of = |name: &str| value_of(world, &workload.namespace, read.get_or_init(all), name);
            mounted_files(world, workload, |object, entry| {
                claim_file(world, index, (object, entry), &value_of, claims);
            });
        }
    }
}

/// Visits the files that a workload mounts from ConfigMaps and Secrets, that its resource names for it, or that a
/// container beside it collects.
pub(super) fn mounted_files<'a>(
    world: &World<'a>,
    workload: &WorkloadInfo<'a>,
    mut visit: impl FnMut(Object<'a>, &Entry<'_>),
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
    if kind.kind == "Alertmanager" {
        let stated = spec.and_then(|s| s.get("configSecret")).and_then(|s| s.as_str());
        let name = stated.map_or_else(|| format!("alertmanager-{}", workload.object().name()), str::to_owned);
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

/// The key and the value of a line: `key: value`, `key = value`, `Key value`, `"key": "value",`.
fn key_value(line: &str) -> Option<(&str, &str, usize)> {
    let trimmed = line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']);
    let start = line.len() - trimmed.len();
    let end = trimmed.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let key = trimmed.get(..end)?;
    let rest = trimmed.get(end..)?;
    if rest.starts_with("://") {
        return None;
    }
    let value = rest.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
    let value_start = start + end + (rest.len() - value.len());
    let value = value.trim_end().trim_end_matches([',', ';', '"', '\'']);
    (!key.is_empty() && !value.is_empty()).then_some((key, value, value_start))
}

fn claim_file(
    world: &World<'_>,
    index: usize,
    (object, entry): (Object<'_>, &Entry<'_>),
    value_of: &dyn Fn(&str) -> Option<String>,
    claims: &mut Claims,
) {
    if is_dashboard(&entry.text) || (object.kind() == "Secret" && credentials::may_be_secret(entry.key)) {
        return;
    }
    let jobs = Configuration::read(&entry.text).map(|c| c.ranges()).unwrap_or_default();
    let in_job = |start: usize, end: usize| jobs.iter().any(|job| start < job.end && end > job.start);
    let lines: Vec<(usize, &str)> = entry
        .text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim_end_matches(['\n', '\r'])))
        })
        .collect();
    for (at, (start, line)) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with("//") || trimmed.starts_with(';') {
            continue;
        }
        // Jobs of Prometheus are a signal of their own.
        if in_job(*start, start + line.len()) {
            continue;
        }
        let expanded = expand(line, Syntax::Shell, value_of);
        let as_written = matches!(expanded, Cow::Borrowed(_));
        let line: &str = &expanded;
        let pair = key_value(line);
        let mut key = pair.map_or("", |(key, ..)| key);
        let mut addresses = address::find(line);
        let mut outside_at_most = Confidence::Likely;
        if addresses.is_empty()
            && let Some((key, value, offset)) = pair
            && traffic::is_address_key(key)
            && let Some(mut address) = address::bare(value)
        {
            address.range = offset + address.range.start..offset + address.range.end;
            addresses.push(address);
        }
        if pair.is_none()
            && let Some(item) = trimmed.strip_prefix("- ")
        {
            key = key_of_list(&lines, at);
            if addresses.is_empty()
                && traffic::is_address_key(key)
                && let Some(mut address) = address::bare(item)
            {
                let offset = line.len() - item.len();
                address.range = offset + address.range.start..offset + address.range.end;
                addresses.push(address);
                // Lists of names are also lists of those that are served.
                outside_at_most = Confidence::Possible;
            }
        }
        for mut address in addresses {
            let key = key_before(line, address.range.start).unwrap_or(key);
            address.range = start + address.range.start..start + address.range.end;
            let place = entry.value.and_then(|v| v.subspan(address.range.clone())).filter(|_| as_written);
            let text = format!("{} of {} {}, mounted as a file", entry.key, object.kind(), object.name());
            let finding = Finding {
                key,
                port: address.port.or_else(|| port_nearby(&lines, at)),
                inside: Confidence::Likely,
                // A file names hosts for many reasons: documentation, schemas, examples.
                outside: if traffic::is_address_key(key) { outside_at_most } else { Confidence::Possible },
                note: Note::stated(place.unwrap_or(entry.span), text),
            };
            if traffic::claim(world, index, &address, &finding, claims) {
                claims.reveals.extend(place);
            }
        }
    }
}

/// Whether a file is a dashboard of Grafana: its links are for people.
fn is_dashboard(text: &str) -> bool {
    text.trim_start().starts_with('{') && ["\"panels\"", "\"rows\""].iter().any(|word| text.contains(word))
}

/// The key of the list that an item, on a line without a key of its own, belongs to: `key:` on a line before it that is
/// not further in.
fn key_of_list<'t>(lines: &[(usize, &'t str)], at: usize) -> &'t str {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let item = lines.get(at).map_or(0, |(_, line)| depth(line));
    let before = lines.get(..at).unwrap_or_default().iter().rev().take(200);
    let mut above = before.filter(|(_, line)| !line.trim().is_empty() && depth(line) <= item).map(|(_, line)| line);
    let key = above.find(|line| !line.trim_start().starts_with("- ") || depth(line) < item);
    let key = key.and_then(|line| line.trim().trim_start_matches("- ").strip_suffix(':'));
    key.unwrap_or("").trim_matches(['"', '\''])
}

/// The key of the JSON string that an address is in, where it is not the first of its line: `{"a": 1, "url": "…"}`.
fn key_before(line: &str, at: usize) -> Option<&str> {
    let (before, _) = line.get(..at)?.rsplit_once('"')?;
    let name = before.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    name.rsplit('"').next().filter(|key| !key.is_empty())
}

/// A port on its own line just after or before the host.
fn port_nearby(lines: &[(usize, &str)], at: usize) -> Option<u16> {
    let near = [at + 1, at.wrapping_sub(1), at + 2];
    near.into_iter().filter_map(|i| lines.get(i)).find_map(|(_, line)| {
        let (key, value, _) = key_value(line)?;
        key.to_ascii_lowercase().ends_with("port").then(|| value.parse().ok())?.filter(|p| *p > 0)
    })
}
