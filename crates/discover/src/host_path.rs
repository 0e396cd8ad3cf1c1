//! What paths of the host give.

use kubestride_stencils::values::HostPathClass;

/// The path with one slash between its parts and none at its end; the root directory is `/`.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Sockets of container runtimes. A folder above one of them gives it as well.
const SOCKETS: [&str; 12] = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/var/run/containerd/containerd.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/run/crio/crio.sock",
    "/run/crio/crio.sock",
    "/var/run/cri-dockerd.sock",
    "/run/cri-dockerd.sock",
    "/var/run/dockershim.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
];

const KUBELET: [&str; 3] = ["/var/lib/kubelet", "/var/lib/kubelet/pods", "/var/lib/kubelet/pki"];
const CREDENTIALS: [&str; 8] = [
    "/etc/kubernetes",
    "/etc/ssh",
    "/etc/shadow",
    "/home",
    "/var/lib/etcd",
    "/etc/rancher",
    "/var/lib/rancher",
    "/etc/sudoers",
];
const CODE: [&str; 15] = [
    "/bin",
    "/sbin",
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/etc/cron.d",
    "/etc/systemd",
    "/etc/init.d",
    "/etc/cni",
    "/boot",
    "/etc/kubernetes/manifests",
    "/var/spool/cron",
    "/etc/ld.so.preload",
    "/var/lib/docker",
];

/// The class of a path, the most severe one that fits. `path` is in its [`normal`] form.
pub(crate) fn class(path: &str) -> HostPathClass {
    let root_home = ["", "root"].join("/");
    let is_above =
        |other: &str| path == "/" || other == path || other.strip_prefix(path).is_some_and(|r| r.starts_with('/'));
    let is_below = |other: &str| path == other || path.strip_prefix(other).is_some_and(|r| r.starts_with('/'));
    if path == "/" {
        return HostPathClass::Root;
    }
    if SOCKETS.iter().any(|s| is_above(s)) {
        return HostPathClass::RuntimeSocket;
    }
    // Plugin sockets are what storage and device drivers need; the tokens of pods lie elsewhere.
    let plugin = ["/var/lib/kubelet/plugins", "/var/lib/kubelet/plugins_registry", "/var/lib/kubelet/device-plugins"];
    if KUBELET.iter().any(|k| is_above(k) || (is_below(k) && !plugin.iter().any(|p| is_below(p)))) {
        return HostPathClass::Kubelet;
    }
    if is_below(&root_home) || CREDENTIALS.iter().any(|c| is_above(c) || is_below(c)) {
        // `/etc/kubernetes/manifests` is both; running code there is the graver one.
        let manifests = "/etc/kubernetes/manifests";
        return if path == manifests { HostPathClass::Code } else { HostPathClass::Credentials };
    }
    if is_below("/var/log") {
        return HostPathClass::Logs;
    }
    if is_below("/proc") || is_below("/sys") || is_below("/dev") {
        return HostPathClass::Kernel;
    }
    // Kernel sources and modules, time zones and certificates are read by many and run by nobody from there.
    let harmless =
        ["/usr/src", "/lib/modules", "/usr/lib/modules", "/usr/share", "/etc/ssl", "/etc/localtime", "/etc/os-release"];
    if harmless.iter().any(|h| is_below(h)) {
        return HostPathClass::Other;
    }
    if CODE.iter().any(|c| is_above(c) || is_below(c)) {
        return HostPathClass::Code;
    }
    HostPathClass::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_what_a_path_holds() {
        use HostPathClass::*;
        let table = [
            ("/", Root),
            ("//", Root),
            ("/var/run", RuntimeSocket),
            ("/var/run/docker.sock", RuntimeSocket),
            ("/run/containerd/", RuntimeSocket),
            ("/var/lib", Kubelet),
            ("/var/lib/kubelet/pods", Kubelet),
            ("/var/lib/kubelet/plugins/csi.example", Other),
            ("/etc", Credentials),
            ("/etc/kubernetes/pki", Credentials),
            ("/etc/kubernetes/manifests", Code),
            ("/home/admin/.ssh", Credentials),
            ("/var/log/pods", Logs),
            ("/sys/fs/bpf", Kernel),
            ("/lib/modules", Other),
            ("/usr/local/bin", Code),
            ("/data/shop", Other),
        ];
        for (path, expected) in table {
            assert_eq!(class(&normal(path)), expected, "{path}");
        }
    }
}
