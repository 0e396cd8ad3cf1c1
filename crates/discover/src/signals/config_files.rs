//! Addresses in ConfigMaps and Secrets that are mounted as files.

use kubestride_manifest::{Object, VolumeSource};
use kubestride_model::Confidence;

use super::Signal;
use crate::address;
use crate::claims::{Claims, Note};
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
            mounted_files(world, workload, |object, entry| claim_file(world, index, object, entry, claims));
        }
    }
}

/// Visits the files that a workload mounts from ConfigMaps and Secrets.
pub(super) fn mounted_files<'a>(
    world: &World<'a>,
    workload: &WorkloadInfo<'a>,
    mut visit: impl FnMut(Object<'a>, &Entry<'_>),
) {
    for volume in workload.pod().volumes() {
        let mut mounted: Vec<(Object<'_>, Vec<&str>)> = Vec::new();
        collect(world, &workload.namespace, &volume.source(), &mut mounted);
        for (object, keys) in mounted {
            for entry in secret_data::entries(object) {
                if (keys.is_empty() || keys.contains(&entry.key)) && entry.text.len() <= MAX_FILE {
                    visit(object, &entry);
                }
            }
        }
    }
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
    let value = rest.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
    let value_start = start + end + (rest.len() - value.len());
    let value = value.trim_end().trim_end_matches([',', ';', '"', '\'']);
    (!key.is_empty() && !value.is_empty()).then_some((key, value, value_start))
}

fn claim_file(world: &World<'_>, index: usize, object: Object<'_>, entry: &Entry<'_>, claims: &mut Claims) {
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
        let pair = key_value(line);
        let key = pair.map_or("", |(key, ..)| key);
        let mut addresses = address::find(line);
        if let Some((key, value, offset)) = pair
            && addresses.is_empty()
            && traffic::is_address_key(key)
            && let Some(mut address) = address::bare(value)
        {
            address.range = offset + address.range.start..offset + address.range.end;
            addresses.push(address);
        }
        for mut address in addresses {
            address.range = start + address.range.start..start + address.range.end;
            let place = entry.value.and_then(|v| v.subspan(address.range.clone()));
            let text = format!("{} of {} {}, mounted as a file", entry.key, object.kind(), object.name());
            let finding = Finding {
                key,
                port: address.port.or_else(|| port_nearby(&lines, at)),
                inside: Confidence::Likely,
                // A file names hosts for many reasons: documentation, schemas, examples.
                outside: if traffic::is_address_key(key) { Confidence::Likely } else { Confidence::Possible },
                note: Note::stated(place.unwrap_or(entry.span), text),
            };
            if traffic::claim(world, index, &address, &finding, claims) {
                claims.reveals.extend(place);
            }
        }
    }
}

/// A port on its own line just after or before the host.
fn port_nearby(lines: &[(usize, &str)], at: usize) -> Option<u16> {
    let near = [at + 1, at.wrapping_sub(1), at + 2];
    near.into_iter().filter_map(|i| lines.get(i)).find_map(|(_, line)| {
        let (key, value, _) = key_value(line)?;
        key.to_ascii_lowercase().ends_with("port").then(|| value.parse().ok())?.filter(|p| *p > 0)
    })
}
