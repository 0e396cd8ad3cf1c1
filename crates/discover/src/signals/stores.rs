//! Secrets, ConfigMaps, volume claims and paths of the host, and who uses them.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Container, EnvSourceKind, Object, VolumeSource};
use kubestride_model::{Access, FlowKind, Value as ModelValue};
use kubestride_source::Span;
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party, StoreClaim, StoreRef, Subject};
use crate::credential_files;
use crate::host_path;
use crate::world::{WorkloadInfo, World};
use crate::{credentials, secret_data};

pub(crate) struct Stores;

impl Signal for Stores {
    fn name(&self) -> &'static str {
        "stores"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let mut users: BTreeMap<StoreRef, (BTreeSet<usize>, Span)> = BTreeMap::new();
        for (index, workload) in world.workloads.iter().enumerate() {
            for used in uses(workload) {
                users.entry(used.store.clone()).or_insert((BTreeSet::new(), used.span)).0.insert(index);
                let guard = guard(world, workload, &used.store);
                claim_use(index, used, guard, claims);
            }
        }
        for (store, (users, span)) in &users {
            let subject = Subject::Party(Party::Store(store.clone()));
            let note = Note::merged(*span, "the first of the workloads that use it");
            claims.set(subject, attr::USERS.id, ModelValue::Number(users.len() as i64), note);
        }
        for object in world.manifests.by_kind("Secret") {
            describe_secret(world, object, claims);
        }
        for object in world.manifests.by_kind("ConfigMap") {
            describe_config_map(world, object, claims);
        }
        for object in world.manifests.by_kind("PersistentVolumeClaim") {
            let namespace = world.namespace_of(object);
            let store = named("PersistentVolumeClaim", &namespace, object.name());
            describe_claim(object.spec(), &store, claims);
            claims.stores.push(StoreClaim { store, note: Note::stated(object.span(), "") });
        }
    }
}

/// One use of a store by a workload.
struct Use {
    store: StoreRef,
    span: Span,
    text: &'static str,
    read_only: Option<(bool, Note)>,
    mounted: MountedAs,
    host_path: Option<(String, Span)>,
    code: Option<Span>,
}

pub(super) fn named(kind: &str, namespace: &str, name: &str) -> StoreRef {
    let name = kubestride_manifest::stable_name(kind, name);
    let stencil = match kind {
        "Secret" => stencil::SECRET,
        "ConfigMap" => stencil::CONFIG_MAP,
        _ => stencil::VOLUME_CLAIM,
    };
    StoreRef {
        identity: format!("{kind}/{namespace}/{name}"),
        name: name.to_owned(),
        stencil,
        namespace: Some(namespace.to_owned()),
    }
}

/// The store that a path of the host is.
pub(super) fn path_of_host(path: &str) -> StoreRef {
    let name = host_path::normal(path);
    StoreRef { identity: format!("hostPath{name}"), name, stencil: stencil::HOST_PATH, namespace: None }
}

fn kind_name(kind: EnvSourceKind) -> Option<&'static str> {
    match kind {
        EnvSourceKind::ConfigMap => Some("ConfigMap"),
        EnvSourceKind::Secret => Some("Secret"),
        EnvSourceKind::Field | EnvSourceKind::Resource => None,
    }
}

fn uses(workload: &WorkloadInfo<'_>) -> Vec<Use> {
    let namespace = workload.namespace.as_str();
    let mut out = Vec::new();
    for container in &workload.containers {
        let environment = |kind, name: &str, span, text| {
            let store = named(kind_name(kind)?, namespace, name);
            let mounted = MountedAs::Environment;
            Some(Use { store, span, text, read_only: None, mounted, host_path: None, code: None })
        };
        for whole in container.env_from() {
            out.extend(environment(whole.kind, whole.name, whole.span, "all its entries as environment variables"));
        }
        for source in container.env().filter_map(|v| v.source) {
            out.extend(environment(source.kind, source.name, source.span, "an environment variable"));
        }
    }
    for volume in workload.pod().volumes() {
        volume_uses(workload, volume.name(), &volume.source(), volume.source_span(), &mut out);
    }
    let templates = workload.object().spec().and_then(|s| s.get("volumeClaimTemplates"));
    for template in templates.into_iter().flat_map(|t| t.items()) {
        let Some(name) = template.get("metadata").and_then(|m| m.get("name")) else { continue };
        let Some(text) = name.as_str() else { continue };
        let store = named("PersistentVolumeClaim", namespace, text);
        out.push(mounted_use(workload, text, store, name.span(), "a claim for each pod", None));
    }
    out
}

/// A volume as a use, with what its mounts say about writing and running.
fn mounted_use(
    workload: &WorkloadInfo<'_>,
    volume: &str,
    store: StoreRef,
    span: Span,
    text: &'static str,
    host_path: Option<(String, Span)>,
) -> Use {
    let mounts = || {
        workload
            .containers
            .iter()
            .flat_map(|c| c.volume_mounts().map(move |m| (c, m)))
            .filter(|(_, m)| m.volume == volume)
    };
    let writable = mounts().find(|(_, m)| !m.read_only);
    // Kubernetes mounts Secrets and ConfigMaps read only, whatever the mount says.
    let immutable_kind = store.stencil == stencil::SECRET || store.stencil == stencil::CONFIG_MAP;
    let read_only = match writable {
        _ if immutable_kind => None,
        Some((_, mount)) => Some((false, Note::stated(mount.span, "mounted for writing"))),
        None => mounts().next().map(|(_, m)| (true, Note::stated(m.span, "mounted read only"))),
    };
    let code = mounts().find_map(|(c, m)| {
        let is_code = store.stencil == stencil::CONFIG_MAP && m.mount_path.len() > 1;
        is_code.then(|| run_from(c, m.mount_path)).flatten()
    });
    Use { store, span, text, read_only, mounted: MountedAs::Files, host_path, code }
}

/// Where a container runs a file below a path: one of the first words of its command.
fn run_from(container: &Container<'_>, path: &str) -> Option<Span> {
    let below = |word: &str| {
        word.trim_matches(['"', '\'']).strip_prefix(path).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
    };
    let words = container.command().chain(container.args().take(2));
    let mut running = words.filter(|w| w.as_str().is_some_and(|t| t.split_whitespace().take(3).any(below)));
    running.next().map(|w| w.span())
}

fn volume_uses(workload: &WorkloadInfo<'_>, volume: &str, source: &VolumeSource<'_>, span: Span, out: &mut Vec<Use>) {
    let namespace = workload.namespace.as_str();
    let mut add = |store, text, path| out.push(mounted_use(workload, volume, store, span, text, path));
    match source {
        VolumeSource::ConfigMap { name, .. } => add(named("ConfigMap", namespace, name), "mounted as files", None),
        VolumeSource::Secret { name, .. } => add(named("Secret", namespace, name), "mounted as files", None),
        VolumeSource::Claim { name, .. } => {
            add(named("PersistentVolumeClaim", namespace, name), "mounted", None);
        }
        VolumeSource::HostPath { path, .. } => {
            let store = path_of_host(path);
            let path = store.name.clone();
            add(store, "a path of the host", Some((path, span)));
        }
        VolumeSource::Nfs { server, path } => {
            let identity = format!("external/{}", server.to_ascii_lowercase());
            let name = format!("{server}:{path}");
            let stencil = stencil::EXTERNAL_VOLUME;
            add(StoreRef { identity, name, stencil, namespace: None }, "mounted over NFS", None);
        }
        VolumeSource::Projected(sources) => {
            sources.iter().for_each(|s| volume_uses(workload, volume, s, span, out));
        }
        _ => {}
    }
}

/// What a runtime policy keeps a workload from doing with a path of its host, wherever it is mounted.
fn guard(world: &World<'_>, workload: &WorkloadInfo<'_>, store: &StoreRef) -> Option<(FileGuard, Note)> {
    if store.stencil != stencil::HOST_PATH || world.runtime.policies().is_empty() {
        return None;
    }
    let is_it = |source: VolumeSource<'_>| match source {
        VolumeSource::HostPath { path, .. } => path_of_host(path) == *store,
        _ => false,
    };
    let volumes: Vec<&str> = workload.pod().volumes().filter(|v| is_it(v.source())).map(|v| v.name()).collect();
    let mounts = workload.containers.iter().flat_map(|c| c.volume_mounts()).filter(|m| volumes.contains(&m.volume));
    let paths: BTreeSet<&str> = mounts.map(|m| m.mount_path).collect();
    [(FileGuard::Everything, false, "reading or writing"), (FileGuard::Writing, true, "writing")].into_iter().find_map(
        |(value, writing, what)| {
            let rule =
                |path: &&str| world.runtime.directory_guard(&workload.namespace, &workload.labels, path, writing);
            let rules: Option<Vec<Span>> = paths.iter().map(rule).collect();
            let span = *rules?.first()?;
            Some((value, Note::stated(span, format!("KubeArmor keeps its processes from {what} there"))))
        },
    )
}

fn claim_use(workload: usize, used: Use, guard: Option<(FileGuard, Note)>, claims: &mut Claims) {
    let store = Party::Store(used.store.clone());
    let note = Note::stated(used.span, used.text);
    let mut claim = FlowClaim::new(Party::Workload(workload), store.clone(), FlowKind::Store, note.clone()).with(
        attr::MOUNTED_AS.id,
        attr::MOUNTED_AS.value(used.mounted),
        note,
    );
    claim.access = Some(Access::Read);
    if let Some((read_only, note)) = used.read_only {
        claim.access = Some(if read_only { Access::Read } else { Access::ReadWrite });
        let value = if read_only { YesNo::Yes } else { YesNo::No };
        claim = claim.with(attr::READ_ONLY.id, attr::READ_ONLY.value(value), note);
    }
    if let Some((value, note)) = guard {
        claim = claim.with(attr::FILES_GUARDED.id, attr::FILES_GUARDED.value(value), note);
    }
    claims.flows.push(claim);
    if let Some((path, span)) = used.host_path {
        let value = attr::HOST_PATH_CLASS.value(host_path::class(&path));
        claims.set(Subject::Party(store.clone()), attr::HOST_PATH_CLASS.id, value, Note::stated(span, ""));
    }
    if let Some(span) = used.code {
        let value = attr::HOLDS_CODE.value(YesNo::Yes);
        claims.set(Subject::Party(store), attr::HOLDS_CODE.id, value, Note::stated(span, "a file of it is run"));
    }
}

fn describe_secret(world: &World<'_>, object: Object<'_>, claims: &mut Claims) {
    let store = named("Secret", &world.namespace_of(object), object.name());
    let subject = || Subject::Party(Party::Store(store.clone()));
    let kind = object.root().get("type");
    let value = match kind.and_then(|k| k.as_str()).unwrap_or("Opaque") {
        "Opaque" => SecretType::Opaque,
        "kubernetes.io/service-account-token" => SecretType::ServiceAccountToken,
        "kubernetes.io/tls" => SecretType::Tls,
        "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg" => SecretType::Registry,
        _ => SecretType::Other,
    };
    let note = kind.map_or(Note::default(object.span(), "type is not set"), |k| Note::stated(k.span(), ""));
    claims.set(subject(), attr::SECRET_TYPE.id, attr::SECRET_TYPE.value(value), note);
    let holds = |e: &&secret_data::Entry<'_>| !credentials::is_placeholder(&e.text);
    // The public half of a key pair is no secret; a certificate without its key is not either.
    let entries = secret_data::entries(object);
    let public = |e: &secret_data::Entry<'_>| {
        e.key.ends_with(".crt")
            || e.key.ends_with(".pub")
            || (e.text.contains("-----BEGIN") && !e.text.contains("PRIVATE KEY"))
    };
    if let Some(entry) = entries.iter().filter(|e| !public(e)).find(holds) {
        let span = entry.value.map_or(entry.span, |v| v.span());
        let note = Note::stated(span, format!("the value of {} stands in the manifest", entry.key));
        claims.set(subject(), attr::VALUES_IN_MANIFEST.id, attr::VALUES_IN_MANIFEST.value(YesNo::Yes), note);
    }
    immutable(object, subject(), claims);
    claims.stores.push(StoreClaim { store, note: Note::stated(object.span(), "") });
}

fn immutable(object: Object<'_>, subject: Subject, claims: &mut Claims) {
    if let Some(flag) = object.root().get("immutable").filter(|v| v.as_bool() == Some(true)) {
        claims.set(subject, attr::IMMUTABLE.id, attr::IMMUTABLE.value(YesNo::Yes), Note::stated(flag.span(), ""));
    }
}

fn describe_config_map(world: &World<'_>, object: Object<'_>, claims: &mut Claims) {
    let store = named("ConfigMap", &world.namespace_of(object), object.name());
    let subject = || Subject::Party(Party::Store(store.clone()));
    let entries = secret_data::entries(object);
    let place = |entry: &secret_data::Entry<'_>| {
        if entry.text.lines().count() <= 1 {
            return credentials::in_variable(entry.key, &entry.text).then_some(entry.span);
        }
        let range = credential_files::find(entry.key, &entry.text)?;
        Some(entry.value.and_then(|v| v.subspan(range)).unwrap_or(entry.span))
    };
    if let Some((entry, span)) = entries.iter().find_map(|entry| Some((entry, place(entry)?))) {
        let note = Note::stated(span, format!("{} holds a credential", entry.key));
        claims.set(subject(), attr::HOLDS_CREDENTIAL.id, attr::HOLDS_CREDENTIAL.value(YesNo::Yes), note);
    }
    immutable(object, subject(), claims);
    claims.stores.push(StoreClaim { store, note: Note::stated(object.span(), "") });
}

fn describe_claim(spec: Option<Value<'_>>, store: &StoreRef, claims: &mut Claims) {
    let modes = spec.and_then(|s| s.get("accessModes"));
    if let Some(mode) = modes.into_iter().flat_map(|m| m.items()).find(|m| m.as_str() == Some("ReadWriteMany")) {
        let subject = Subject::Party(Party::Store(store.clone()));
        claims.set(subject, attr::SHARED_WRITE.id, attr::SHARED_WRITE.value(YesNo::Yes), Note::stated(mode.span(), ""));
    }
}
