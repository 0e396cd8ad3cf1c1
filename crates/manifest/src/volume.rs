//! Volumes of a pod.

use kubestride_source::Span;
use kubestride_yaml::Value;

use crate::Field;

/// `Volume`.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a> {
    value: Value<'a>,
}

/// One entry of a ConfigMap or Secret that becomes a file (`KeyToPath`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemPath<'a> {
    /// The key in the ConfigMap or Secret.
    pub key: &'a str,
    /// The path of the file below the mount.
    pub path: &'a str,
}

/// What a volume holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSource<'a> {
    /// The entries of a ConfigMap.
    ConfigMap {
        /// Its name.
        name: &'a str,
        /// Whether it may be missing.
        optional: bool,
        /// The entries that are used; all if there are none.
        items: Vec<ItemPath<'a>>,
    },
    /// The entries of a Secret.
    Secret {
        /// Its name.
        name: &'a str,
        /// Whether it may be missing.
        optional: bool,
        /// The entries that are used; all if there are none.
        items: Vec<ItemPath<'a>>,
    },
    /// A PersistentVolumeClaim.
    Claim {
        /// Its name.
        name: &'a str,
        /// Whether all mounts of it are read-only.
        read_only: bool,
    },
    /// A file or directory of the node.
    HostPath {
        /// Its path.
        path: &'a str,
        /// What must be there (`Directory`, `Socket`, …); empty if anything may.
        path_type: &'a str,
    },
    /// An empty directory.
    EmptyDir,
    /// Several of the others in one directory.
    Projected(Vec<VolumeSource<'a>>),
    /// A token of the pod's service account, in projected volumes only.
    ServiceAccountToken {
        /// Who it is meant for; none is the API server.
        audience: Option<&'a str>,
        /// The path of the file below the mount.
        path: &'a str,
    },
    /// A volume that a CSI driver makes for this pod.
    Csi {
        /// The name of the driver.
        driver: &'a str,
        /// The SecretProviderClass of the secrets store driver, if it names one.
        secret_provider_class: Option<&'a str>,
    },
    /// An NFS export.
    Nfs {
        /// The host of the server.
        server: &'a str,
        /// The exported path.
        path: &'a str,
    },
    /// A claim that lives as long as the pod.
    Ephemeral,
    /// Fields of the pod itself.
    DownwardApi,
    /// Another source, by the name of its field; empty if there is none.
    Other(&'a str),
}

impl<'a> Volume<'a> {
    pub(crate) fn new(value: Value<'a>) -> Self {
        Self { value }
    }

    /// The mapping itself.
    pub fn value(&self) -> Value<'a> {
        self.value
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &'a str {
        self.value.text("name").unwrap_or("")
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.value.span()
    }

    /// What it holds.
    pub fn source(&self) -> VolumeSource<'a> {
        // A volume of nothing but its name is an empty directory.
        self.entries().find_map(|(key, source)| read(key, source)).unwrap_or(VolumeSource::EmptyDir)
    }

    /// Where the most telling part of the source stands: the name of what it refers to, or its path, else the source.
    pub fn source_span(&self) -> Span {
        let Some((_, source)) = self.entries().next() else { return self.span() };
        let keys = ["name", "secretName", "claimName", "path", "driver"];
        keys.iter().find_map(|key| source.field(key)).unwrap_or(source).span()
    }

    fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        self.value.entries().filter(|entry| entry.key != "name" && !entry.value.is_null()).map(|e| (e.key, e.value))
    }
}

fn read<'a>(key: &'a str, source: Value<'a>) -> Option<VolumeSource<'a>> {
    let text = |key: &str| source.text(key).unwrap_or("");
    let flag = |key: &str| source.flag(key).unwrap_or(false);
    Some(match key {
        "configMap" => VolumeSource::ConfigMap { name: text("name"), optional: flag("optional"), items: items(source) },
        // Volumes call it `secretName`, projected sources `name`.
        "secret" => {
            let name = source.text("secretName").unwrap_or_else(|| text("name"));
            VolumeSource::Secret { name, optional: flag("optional"), items: items(source) }
        }
        "persistentVolumeClaim" => VolumeSource::Claim { name: text("claimName"), read_only: flag("readOnly") },
        "hostPath" => VolumeSource::HostPath { path: text("path"), path_type: text("type") },
        "emptyDir" => VolumeSource::EmptyDir,
        "projected" => VolumeSource::Projected(
            source
                .list("sources")
                .filter_map(|part| part.entries().find_map(|entry| read(entry.key, entry.value)))
                .collect(),
        ),
        "serviceAccountToken" => VolumeSource::ServiceAccountToken {
            audience: source.text("audience").filter(|audience| !audience.is_empty()),
            path: text("path"),
        },
        "csi" => VolumeSource::Csi {
            driver: text("driver"),
            secret_provider_class: source
                .path(&["volumeAttributes", "secretProviderClass"])
                .and_then(Value::scalar_text),
        },
        "nfs" => VolumeSource::Nfs { server: text("server"), path: text("path") },
        "ephemeral" => VolumeSource::Ephemeral,
        "downwardAPI" => VolumeSource::DownwardApi,
        _ => VolumeSource::Other(key),
    })
}

fn items(source: Value<'_>) -> Vec<ItemPath<'_>> {
    source
        .list("items")
        .filter_map(|item| Some(ItemPath { key: item.text("key")?, path: item.text("path").unwrap_or("") }))
        .collect()
}
