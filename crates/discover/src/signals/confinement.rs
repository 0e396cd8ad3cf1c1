//! What confines a container beside its user: seccomp, AppArmor and SELinux, after pod and container are merged.

use kubestride_manifest::{Container, Field};
use kubestride_policy::Version;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{AppArmor, SeLinux, Seccomp};
use kubestride_yaml::{Entry, Value};

use super::containers::Sink;
use crate::claims::Note;
use crate::world::WorkloadInfo;

/// From v1.27 on annotations about seccomp have no effect.
const SECCOMP_FIELDS_ONLY: Version = Version(27);

/// SELinux types that are made for containers.
const CONTAINER_TYPES: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

pub(super) fn claim(workload: &WorkloadInfo<'_>, container: &Container<'_>, version: Version, sink: &mut Sink<'_>) {
    let pod = workload.pod();
    let annotation = |key: &str| workload.workload.template.annotations().find(|entry| entry.key == key);
    let of_container = |prefix: &str| annotation(&format!("{prefix}/{}", container.name()));

    let profile = container.merged(pod, "seccompProfile").field("type");
    let old = || {
        let own = of_container("container.seccomp.security.alpha.kubernetes.io");
        own.or_else(|| annotation("seccomp.security.alpha.kubernetes.io/pod")).filter(|_| version < SECCOMP_FIELDS_ONLY)
    };
    let seccomp = match profile {
        Some(profile) => {
            Some((of_field(profile, Seccomp::Unconfined, Seccomp::RuntimeDefault, Seccomp::Localhost), profile))
        }
        None => {
            old().map(|e| (of_annotation(e, Seccomp::Unconfined, Seccomp::RuntimeDefault, Seccomp::Localhost), e.value))
        }
    };
    if let Some((value, at)) = seccomp {
        let value = attr::SECCOMP.value(value.unwrap_or(Seccomp::NotSet));
        sink.set(attr::SECCOMP.id, value, Note::stated(at.span(), ""));
    }

    // The annotation is about one container, so it goes before the field of the pod.
    let own = container.security("appArmorProfile").field("type");
    let of_pod = || pod.security_context().field("appArmorProfile").field("type");
    let by_field = |at: Value<'_>| of_field(at, AppArmor::Unconfined, AppArmor::RuntimeDefault, AppArmor::Localhost);
    let by_annotation =
        |e: &Entry<'_>| of_annotation(*e, AppArmor::Unconfined, AppArmor::RuntimeDefault, AppArmor::Localhost);
    let annotated =
        of_container("container.apparmor.security.beta.kubernetes.io").map(|e| (by_annotation(&e), e.key_span));
    let profile =
        own.map(|at| (by_field(at), at.span())).or(annotated).or_else(|| of_pod().map(|at| (by_field(at), at.span())));
    if let Some((value, at)) = profile {
        let value = attr::APP_ARMOR.value(value.unwrap_or(AppArmor::NotSet));
        sink.set(attr::APP_ARMOR.id, value, Note::stated(at, ""));
    }

    if let Some(options) = container.merged(pod, "seLinuxOptions") {
        let set =
            |key: &str| options.field(key).filter(|value| value.scalar_text().is_some_and(|text| !text.is_empty()));
        let odd = set("type").filter(|kind| kind.scalar_text().is_none_or(|text| !CONTAINER_TYPES.contains(&text)));
        let (value, at) = match odd.or_else(|| set("user")).or_else(|| set("role")) {
            Some(at) => (SeLinux::Custom, at),
            None => (SeLinux::Container, set("type").or_else(|| set("level")).unwrap_or(options)),
        };
        sink.set(attr::SE_LINUX.id, attr::SE_LINUX.value(value), Note::stated(at.span(), ""));
    }
}

/// A profile by the `type` of a field.
fn of_field<T>(kind: Value<'_>, unconfined: T, default: T, localhost: T) -> Option<T> {
    match kind.as_str()? {
        "Unconfined" => Some(unconfined),
        "RuntimeDefault" => Some(default),
        "Localhost" => Some(localhost),
        _ => None,
    }
}

/// A profile as annotations write it.
fn of_annotation<T>(entry: Entry<'_>, unconfined: T, default: T, localhost: T) -> Option<T> {
    match entry.value.as_str()? {
        "unconfined" => Some(unconfined),
        "runtime/default" | "docker/default" => Some(default),
        text if text.starts_with("localhost/") => Some(localhost),
        _ => None,
    }
}
