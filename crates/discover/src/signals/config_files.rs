//! Addresses in ConfigMaps and Secrets that are mounted as files.

use kubestride_manifest::{Object, VolumeSource};
use kubestride_model::Confidence;

use super::Signal;
use crate::claims::{Claims, Note};
use crate::secret_data::{self, Entry};
use crate::settings;
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

fn claim_file(world: &World<'_>, index: usize, object: Object<'_>, entry: &Entry<'_>, claims: &mut Claims) {
    for setting in settings::find(&entry.text) {
        let place = entry.value.and_then(|v| v.subspan(setting.address.range.clone()));
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
            note: Note::stated(place.unwrap_or(entry.span), text),
        };
        if traffic::claim(world, index, &setting.address, &finding, claims) {
            claims.reveals.extend(place);
        }
    }
}
