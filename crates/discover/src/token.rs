//! Which tokens for the Kubernetes API a pod holds, and of which service accounts.

use kubestride_manifest::{Container, EnvSourceKind, Object, Volume, VolumeMount, VolumeSource};

use crate::claims::Note;
use crate::world::{WorkloadInfo, World};

/// Where a token is mounted unless somebody says otherwise.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whether a pod has a token of its own service account, and what says so.
pub(crate) fn own(workload: &WorkloadInfo<'_>, account: Option<Object<'_>>) -> (bool, Note) {
    let pod = workload.pod();
    let of_account = account.and_then(|a| a.root().get("automountServiceAccountToken")).filter(|v| !v.is_null());
    let (wanted, note) = match (pod.automount(), of_account) {
        (Some(v), _) => (v.as_bool().unwrap_or(true), Note::stated(v.span(), "set by the pod")),
        (None, Some(v)) => (v.as_bool().unwrap_or(true), Note::stated(v.span(), "set by the service account")),
        (None, None) => (true, Note::default(workload.span(), "automountServiceAccountToken is not set")),
    };
    // Nothing is mounted where a container has something else in the place.
    let covered = workload.containers.iter().map(in_place).collect::<Option<Vec<_>>>().unwrap_or_default();
    match (covered.first(), asked_for(workload)) {
        (None, _) if wanted => (true, note),
        (_, Some(volume)) => (true, Note::stated(volume.span(), "a projected volume asks for one")),
        (Some(mount), None) if wanted => (false, Note::stated(mount.span, "another volume stands in its place")),
        (_, None) => (false, note),
    }
}

/// What a container itself mounts where the token would be.
fn in_place<'a>(container: &Container<'a>) -> Option<VolumeMount<'a>> {
    container.volume_mounts().find(|mount| mount.mount_path.trim_end_matches('/') == MOUNT_PATH)
}

/// A projected volume with a token for the API server that a container mounts.
fn asked_for<'a>(workload: &WorkloadInfo<'a>) -> Option<Volume<'a>> {
    let mounted = |name: &str| workload.containers.iter().flat_map(|c| c.volume_mounts()).any(|m| m.volume == name);
    let for_api = |source: &VolumeSource<'_>| matches!(source, VolumeSource::ServiceAccountToken { audience, .. } if is_for_api(*audience));
    let asks = |volume: &Volume<'_>| match volume.source() {
        VolumeSource::Projected(sources) => sources.iter().any(for_api),
        _ => false,
    };
    workload.pod().volumes().find(|volume| asks(volume) && mounted(volume.name()))
}

/// Whether a token for this audience is one for the API server: for none, and for the name that it has in the cluster,
/// which is its audience unless a flag says otherwise.
fn is_for_api(audience: Option<&str>) -> bool {
    let Some(audience) = audience else { return true };
    let host = audience.strip_prefix("https://").unwrap_or(audience).trim_end_matches('/');
    matches!(host, "kubernetes" | "kubernetes.default" | "kubernetes.default.svc")
        || host.starts_with("kubernetes.default.svc.")
}

/// The service accounts of which a pod gets a token that does not expire, out of a Secret that it mounts or reads.
pub(crate) fn of_secrets(world: &World<'_>, workload: &WorkloadInfo<'_>) -> Vec<(String, Note)> {
    let mut found: Vec<(String, Note)> = Vec::new();
    let mut add = |name: &str, span| {
        let Some(account) = world.secret(&workload.namespace, name).and_then(account_of_secret) else { return };
        if found.iter().all(|(known, _)| known != account) {
            let note = Note::stated(span, format!("Secret {name} holds a token of service account {account}"));
            found.push((account.to_owned(), note));
        }
    };
    for volume in workload.pod().volumes() {
        let sources = match volume.source() {
            VolumeSource::Projected(sources) => sources,
            source => vec![source],
        };
        for source in sources {
            if let VolumeSource::Secret { name, .. } = source {
                add(name, volume.source_span());
            }
        }
    }
    for container in &workload.containers {
        let keys = container.env().filter_map(|variable| variable.source);
        for source in keys.filter(|source| source.kind == EnvSourceKind::Secret) {
            add(source.name, source.span);
        }
        for source in container.env_from().filter(|source| source.kind == EnvSourceKind::Secret) {
            add(source.name, source.span);
        }
    }
    found
}

/// The service account whose token the control plane puts into a Secret.
pub(crate) fn account_of_secret<'a>(secret: Object<'a>) -> Option<&'a str> {
    let kind = secret.root().get("type").and_then(|value| value.as_str());
    let account = secret.annotation("kubernetes.io/service-account.name").filter(|name| !name.is_empty());
    account.filter(|_| kind == Some("kubernetes.io/service-account-token"))
}
