//! The checks of the level `baseline`.

use super::pod::{CheckedPod, Part};
use super::{Check, Level, Place, Version};

/// All of them, in the order of their names.
pub(super) const CHECKS: &[Check] = &[
    check("appArmorProfile", 0, apparmor),
    check("capabilities_baseline", 0, capabilities),
    check("hostNamespaces", 0, host_namespaces),
    check("hostPathVolumes", 0, host_paths),
    check("hostPorts", 0, host_ports),
    check("hostProbesAndHostLifecycle", 34, probes),
    check("privileged", 0, privileged),
    check("procMount", 0, proc_mount),
    check("seLinuxOptions", 0, selinux),
    check("seccompProfile_baseline", 0, seccomp),
    check("sysctls", 0, sysctls),
    check("windowsHostProcess", 0, host_process),
];

const fn check(name: &'static str, since: u16, run: fn(&CheckedPod<'_>, Version, &mut Vec<Place>)) -> Check {
    Check { name, level: Level::Baseline, since, run }
}

/// Capabilities that may be added.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Sysctls that may be set, each with the first version that lets it.
const SYSCTLS: [(&str, u16); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_notsent_lowat", 37),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
];

/// The first version in which profiles of seccomp are fields; before, they are annotations.
const SECCOMP_FIELDS: u16 = 19;

/// Where a part holds a text that is not allowed.
fn forbid(part: &Part<'_>, allowed: impl Fn(&str) -> bool, out: &mut Vec<Place>) {
    if part.text().is_some_and(|text| !allowed(text)) {
        out.push(part.place());
    }
}

/// Where a part is `true`.
fn forbid_true(part: &Part<'_>, out: &mut Vec<Place>) {
    if part.flag() == Some(true) {
        out.push(part.place());
    }
}

fn apparmor(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    for context in pod.contexts() {
        let kind = context.path(&["appArmorProfile", "type"]);
        forbid(&kind, |text| matches!(text, "RuntimeDefault" | "Localhost"), out);
    }
    let allowed = |text: &str| matches!(text, "" | "runtime/default") || text.starts_with("localhost/");
    annotations(pod, &["container.apparmor.security.beta.kubernetes.io/"], allowed, out);
}

/// Annotations with one of these beginnings whose value is not allowed.
fn annotations(pod: &CheckedPod<'_>, begins: &[&str], allowed: impl Fn(&str) -> bool, out: &mut Vec<Place>) {
    for entry in pod.annotations.value.into_iter().flat_map(|v| v.entries()) {
        if begins.iter().any(|begin| entry.key.starts_with(begin)) {
            forbid(&pod.annotations.get(entry.key), &allowed, out);
        }
    }
}

fn capabilities(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    for added in pod.containers.iter().flat_map(|c| c.path(&["securityContext", "capabilities"]).items("add")) {
        forbid(&added, |text| CAPABILITIES.contains(&text), out);
    }
}

fn host_namespaces(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    ["hostNetwork", "hostPID", "hostIPC"].iter().for_each(|field| forbid_true(&pod.spec.get(field), out));
}

fn host_paths(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    let paths = pod.spec.items("volumes").into_iter().map(|volume| volume.get("hostPath"));
    // The API server keeps `hostPath: {}`, but not null.
    let volumes = pod.spec.items("volumes").into_iter();
    out.extend(volumes.zip(paths).filter(|(_, path)| path.value.is_some()).map(|(_, path)| path.place()));
}

fn host_ports(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    for port in pod.containers.iter().flat_map(|c| c.items("ports")) {
        forbid(&port.get("hostPort"), |text| text == "0", out);
    }
}

fn probes(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    const HANDLERS: [&[&str]; 5] = [
        &["livenessProbe"],
        &["readinessProbe"],
        &["startupProbe"],
        &["lifecycle", "postStart"],
        &["lifecycle", "preStop"],
    ];
    for container in &pod.containers {
        for handler in HANDLERS.iter().map(|path| container.path(path)).filter(|h| h.value.is_some()) {
            for action in ["httpGet", "tcpSocket"] {
                forbid(&handler.path(&[action, "host"]), str::is_empty, out);
            }
        }
    }
}

fn privileged(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    pod.containers.iter().for_each(|c| forbid_true(&c.path(&["securityContext", "privileged"]), out));
}

/// From v1.35 on a pod with users of its own may see all of its own `/proc`.
fn proc_mount(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if version < Version(35) || !pod.has_own_users() {
        default_proc_mount(pod, version, out);
    }
}

/// Wherever `/proc` is not mounted as usual.
pub(super) fn default_proc_mount(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    let mounts = pod.containers.iter().map(|c| c.path(&["securityContext", "procMount"]));
    mounts.for_each(|mount| forbid(&mount, |text| text == "Default", out));
}

fn selinux(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    let kinds = ["", "container_t", "container_init_t", "container_kvm_t"];
    let engine = |text: &str| version >= Version(31) && text == "container_engine_t";
    for options in pod.contexts().map(|c| c.get("seLinuxOptions")).filter(|o| o.value.is_some()) {
        forbid(&options.get("type"), |text| kinds.contains(&text) || engine(text), out);
        forbid(&options.get("user"), str::is_empty, out);
        forbid(&options.get("role"), str::is_empty, out);
    }
}

fn seccomp(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    if version < Version(SECCOMP_FIELDS) {
        let begins = ["seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"];
        let allowed =
            |text: &str| matches!(text, "runtime/default" | "docker/default") || text.starts_with("localhost/");
        annotations(pod, &begins, allowed, out);
        return;
    }
    for context in pod.contexts() {
        let kind = context.path(&["seccompProfile", "type"]);
        forbid(&kind, |text| matches!(text, "RuntimeDefault" | "Localhost"), out);
    }
}

fn sysctls(pod: &CheckedPod<'_>, version: Version, out: &mut Vec<Place>) {
    for sysctl in pod.spec.get("securityContext").items("sysctls") {
        let allowed = |text: &str| SYSCTLS.iter().any(|(name, since)| *name == text && Version(*since) <= version);
        forbid(&sysctl.get("name"), allowed, out);
    }
}

fn host_process(pod: &CheckedPod<'_>, _: Version, out: &mut Vec<Place>) {
    pod.contexts().for_each(|context| forbid_true(&context.path(&["windowsOptions", "hostProcess"]), out));
}
