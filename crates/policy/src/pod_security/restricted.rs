//! The checks that the level `restricted` has beside those of `baseline`.

use super::baseline::default_proc_mount;
use super::pod::{CheckedPod, Part};
use super::{Check, Level, Place, Version};

/// All of them, in the order of their names.
pub(super) const CHECKS: &[Check] = &[
    check("allowPrivilegeEscalation", 8, privilege_escalation),
    check("capabilities_restricted", 22, capabilities),
    check("procMount_restricted", 35, default_proc_mount),
    check("restrictedVolumes", 0, volumes),
    check("runAsNonRoot", 0, run_as_non_root),
    check("runAsUser", 23, run_as_user),
    check("seccompProfile_restricted", 19, seccomp),
];

const fn check(name: &'static str, since: u16, run: fn(&CheckedPod<'_>, Version, &mut Vec<Place>)) -> Check {
    Check { name, level: Level::Restricted, since, run }
}

/// Kinds of volumes that are allowed.
const VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

/// From v1.25 on fields that mean nothing on Windows are not asked of pods that run there.
fn means_nothing(pod: &CheckedPod<'_>, version: Version) -> bool {
    version >= Version(25) && pod.is_windows()
}

/// From v1.35 on pods with users of their own may run as root inside.
fn may_be_root(pod: &CheckedPod<'_>, version: Version) -> bool {
    version >= Version(35) && pod.has_own_users()
}

fn privilege_escalation(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if means_nothing(pod, version) {
        return;
    }
    let fields = pod.containers.iter().map(|c| c.path(&["securityContext", "allowPrivilegeEscalation"]));
    out.extend(fields.filter(|field| field.flag() != Some(false)).map(|field| field.place()));
}

fn capabilities(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if means_nothing(pod, version) {
        return;
    }
    for capabilities in pod.containers.iter().map(|c| c.path(&["securityContext", "capabilities"])) {
        if !capabilities.items("drop").iter().any(|dropped| dropped.text() == Some("ALL")) {
            out.push(capabilities.get("drop").place());
        }
        let added = capabilities.items("add").into_iter();
        out.extend(added.filter(|a| a.text() != Some("NET_BIND_SERVICE")).map(|a| a.place()));
    }
}

fn volumes(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    for volume in pod.spec.items("volumes") {
        let allowed = VOLUMES.iter().any(|kind| volume.get(kind).value.is_some());
        let entries = volume.value.into_iter().flat_map(|v| v.entries());
        // A volume without a kind is an `emptyDir`.
        let kind = entries.map(|entry| volume.get(entry.key)).find(|part| part.is_kind());
        if let (false, Some(kind)) = (allowed, kind) {
            out.push(kind.place());
        }
    }
}

impl Part<'_> {
    /// Whether it says of which kind a volume is: everything but its name.
    fn is_kind(&self) -> bool {
        self.value.is_some() && !self.place().path.ends_with(".name")
    }
}

fn run_as_non_root(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if may_be_root(pod, version) {
        return;
    }
    let of_pod = pod.spec.path(&["securityContext", "runAsNonRoot"]);
    if of_pod.flag() == Some(false) {
        out.push(of_pod.place());
    }
    for field in pod.containers.iter().map(|c| c.path(&["securityContext", "runAsNonRoot"])) {
        if !field.flag().unwrap_or(of_pod.flag() == Some(true)) {
            out.push(field.place());
        }
    }
}

fn run_as_user(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if may_be_root(pod, version) {
        return;
    }
    let users = pod.contexts().map(|context| context.get("runAsUser"));
    out.extend(users.filter(|user| user.text() == Some("0")).map(|user| user.place()));
}

fn seccomp(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if means_nothing(pod, version) {
        return;
    }
    let is_set = |part: &Part<'_>| matches!(part.text(), Some("RuntimeDefault" | "Localhost"));
    let of_pod = pod.spec.path(&["securityContext", "seccompProfile", "type"]);
    if of_pod.text().is_some() && !is_set(&of_pod) {
        out.push(of_pod.place());
    }
    for field in pod.containers.iter().map(|c| c.path(&["securityContext", "seccompProfile", "type"])) {
        let fits = if field.text().is_some() { is_set(&field) } else { is_set(&of_pod) };
        if !fits {
            out.push(field.place());
        }
    }
}
