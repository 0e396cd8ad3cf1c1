//! Pods that are put to rules: one that nothing is wrong with, and many with one thing wrong each.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use kubestride_manifest::{Manifests, PodTemplate};
use kubestride_source::FileId;
use kubestride_yaml::{Limits, Value, read};

use crate::Version;
use crate::pod_security::{Level, breaches};

/// Something that a rule can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Privileged containers.
    Privileged,
    /// Seeing the processes of the node.
    HostPid,
    /// Sharing the memory segments of the node.
    HostIpc,
    /// Being in the network of the node.
    HostNetwork,
    /// Mounting paths of the node.
    HostPaths,
    /// Listening on ports of the node.
    HostPorts,
    /// Capabilities beyond those that `baseline` lets add.
    Capabilities,
    /// An unmasked `/proc`.
    ProcMount,
    /// Containers that may run as root.
    Root,
    /// Processes that may gain rights.
    Escalation,
    /// Default capabilities that are kept.
    KeptCapabilities,
    /// Containers without a filter of system calls.
    NoSeccomp,
    /// A filter of system calls that is switched off.
    SeccompUnconfined,
    /// AppArmor that is switched off.
    AppArmorUnconfined,
    /// SELinux labels of one's own.
    SeLinuxCustom,
    /// A root file system that can be written.
    WritableRoot,
    /// Containers without a limit of memory.
    NoLimits,
    /// Images by `latest` or without a tag.
    LatestTag,
    /// Images of other registries than some. No pod asks for it, because every registry may be the right one.
    Registries,
    /// Images without a valid signature. No pod asks for it either; see [`super::Rule::images`].
    Signatures,
    /// Everything that `baseline` forbids.
    Baseline,
    /// Everything that `restricted` forbids.
    Restricted,
}

/// The checks that pods ask for.
const ASKED: [Check; 18] = [
    Check::Privileged,
    Check::HostPid,
    Check::HostIpc,
    Check::HostNetwork,
    Check::HostPaths,
    Check::HostPorts,
    Check::Capabilities,
    Check::ProcMount,
    Check::Root,
    Check::Escalation,
    Check::KeptCapabilities,
    Check::NoSeccomp,
    Check::SeccompUnconfined,
    Check::AppArmorUnconfined,
    Check::SeLinuxCustom,
    Check::WritableRoot,
    Check::NoLimits,
    Check::LatestTag,
];

/// What of the asked checks makes up `restricted`. (What `baseline` says about sysctls and Windows is not asked, because
/// no threat is about it.)
const RESTRICTED: [Check; 4] = [Check::Root, Check::Escalation, Check::KeptCapabilities, Check::NoSeccomp];
const BASELINE: [Check; 11] = [
    Check::Privileged,
    Check::HostPid,
    Check::HostIpc,
    Check::HostNetwork,
    Check::HostPaths,
    Check::HostPorts,
    Check::Capabilities,
    Check::ProcMount,
    Check::SeccompUnconfined,
    Check::AppArmorUnconfined,
    Check::SeLinuxCustom,
];

/// The bit of a check that no pod asks for.
fn direct(check: Check) -> u128 {
    match check {
        Check::Registries => 1 << 127,
        _ => 0,
    }
}

/// The pods that are refused. A check is made if every pod that asks for it is refused, by whichever rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused(u128);

impl Refused {
    /// What a rule that makes this check refuses.
    pub fn all_of(check: Check) -> Self {
        let asking = probes().iter().enumerate().filter(|(_, probe)| probe.check == check);
        Self(asking.fold(direct(check), |bits, (at, _)| bits | 1 << at))
    }

    /// What either refuses.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it refuses one of the pods that ask for a check, or of those that make it up.
    pub fn meets(self, check: Check) -> bool {
        let parts: Vec<Check> = match check {
            Check::Baseline => BASELINE.to_vec(),
            Check::Restricted => BASELINE.into_iter().chain(RESTRICTED).collect(),
            one => vec![one],
        };
        parts.into_iter().any(|part| self.0 & Self::all_of(part).0 != 0)
    }

    /// The checks that are made.
    pub fn checks(self) -> BTreeSet<Check> {
        let made = |check: &Check| {
            let all = Self::all_of(*check).0;
            all != 0 && self.0 & all == all
        };
        let one_by_one = ASKED.into_iter().chain([Check::Registries]);
        let mut checks: BTreeSet<Check> = one_by_one.filter(made).collect();
        if BASELINE.iter().all(|check| checks.contains(check)) {
            checks.insert(Check::Baseline);
            if RESTRICTED.iter().all(|check| checks.contains(check)) {
                checks.insert(Check::Restricted);
            }
        }
        checks
    }

    /// Whether nothing is known to be refused.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What a rule refuses that says of a pod whether it lets it pass; none if it does not tell. It must let the pod
    /// pass that nothing is wrong with: else it refuses for another reason.
    pub(super) fn by(passes: impl Fn(Value<'_>) -> Option<bool>) -> Self {
        let sound = passes(sound().value()) == Some(true);
        let refused = probes().iter().enumerate().filter(|(_, probe)| sound && passes(probe.value()) == Some(false));
        Self(refused.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// What a level of the Pod Security Standards refuses, without the checks of some names.
    pub(super) fn by_level(level: Level, version: Version, left_out: &[&str]) -> Self {
        let breaks = |probe: &Probe| {
            probe.with_template(|template| {
                let breaches = breaches(template, version);
                breaches.iter().any(|b| b.level <= level && !left_out.contains(&b.check))
            })
        };
        let refused = probes().iter().enumerate().filter(|(_, probe)| breaks(probe));
        Self(refused.fold(0, |bits, (at, _)| bits | 1 << at))
    }
}

/// A pod that asks for a check.
struct Probe {
    check: Check,
    manifests: Manifests,
}

impl Probe {
    fn new(check: Check, pod: &str) -> Self {
        let mut manifests = Manifests::new();
        let text: Arc<str> = Arc::from(pod);
        for tree in read(FileId(u32::MAX), &text, &Limits::default()).into_iter().filter_map(|d| d.tree) {
            manifests.add(tree, 0);
        }
        Self { check, manifests }
    }

    /// The pod as rules see it. A probe that is no pod would be a mistake in this file, which the tests find.
    fn value(&self) -> Value<'_> {
        let mut objects = self.manifests.objects();
        objects.next().map_or_else(|| sound().value(), |object| object.root())
    }

    fn with_template<T: Default>(&self, ask: impl FnOnce(PodTemplate<'_>) -> T) -> T {
        let workload = self.manifests.objects().next().and_then(|o| o.workload());
        workload.map(|w| ask(w.template)).unwrap_or_default()
    }
}

/// The pod that nothing is wrong with.
fn sound() -> &'static Probe {
    static SOUND: OnceLock<Probe> = OnceLock::new();
    SOUND.get_or_init(|| Probe::new(Check::Baseline, &Pod::default().text()))
}

fn probes() -> &'static [Probe] {
    static PROBES: OnceLock<Vec<Probe>> = OnceLock::new();
    PROBES.get_or_init(|| wrong().into_iter().map(|(check, pod)| Probe::new(check, &pod.text())).collect())
}

/// Fields of the security context of a container that nothing is wrong with.
const HARDENED: [(&str, &str); 8] = [
    ("privileged", "false"),
    ("allowPrivilegeEscalation", "false"),
    ("readOnlyRootFilesystem", "true"),
    ("runAsNonRoot", "true"),
    ("runAsUser", "1000"),
    ("runAsGroup", "1000"),
    ("capabilities", "{drop: [ALL]}"),
    ("seccompProfile", "{type: RuntimeDefault}"),
];
const HARDENED_POD: [(&str, &str); 4] = [
    ("runAsNonRoot", "true"),
    ("runAsUser", "1000"),
    ("fsGroup", "1000"),
    ("seccompProfile", "{type: RuntimeDefault}"),
];

type Changes = Vec<(&'static str, Option<&'static str>)>;

/// What differs from the pod that nothing is wrong with: fields and new values; none takes a field away.
#[derive(Default, Clone)]
struct Pod {
    /// In the pod's own security context.
    security: Changes,
    /// In the security context of the container, and of the init container.
    main: Changes,
    init: Changes,
    /// Other fields of the container: `image`, `resources`, `ports`.
    fields: Changes,
    /// Fields of the pod.
    spec: Changes,
}

/// A mapping with some fields, and changes to them.
fn changed(fields: &[(&str, &str)], changes: &Changes) -> String {
    let kept = fields.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)).copied();
    let new = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let all: Vec<String> = kept.chain(new).map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{{{}}}", all.join(", "))
}

fn container(name: &str, security: &Changes, fields: &Changes) -> String {
    let probe = "{httpGet: {path: /, port: 8080}}";
    let own = [
        ("name", name),
        ("image", "registry.example/app:1.2"),
        ("imagePullPolicy", "Always"),
        ("livenessProbe", probe),
        ("readinessProbe", probe),
        ("resources", "{limits: {cpu: 100m, memory: 64Mi}, requests: {cpu: 100m, memory: 64Mi}}"),
        ("securityContext", &changed(&HARDENED, security)),
    ];
    changed(&own, fields)
}

impl Pod {
    fn text(&self) -> String {
        let spec = [
            ("hostNetwork", "false"),
            ("hostPID", "false"),
            ("hostIPC", "false"),
            ("automountServiceAccountToken", "false"),
            ("securityContext", &changed(&HARDENED_POD, &self.security)),
            ("initContainers", &format!("[{}]", container("init", &self.init, &Vec::new()))),
            ("containers", &format!("[{}]", container("main", &self.main, &self.fields))),
        ];
        let metadata = "{name: app, namespace: probe, labels: {app: app}}";
        format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {}\n", changed(&spec, &self.spec))
    }
}

/// The pods with one thing wrong.
fn wrong() -> Vec<(Check, Pod)> {
    let mut out: Vec<(Check, Pod)> = Vec::new();
    let sets = |field: &'static str, value: &'static str| -> Changes { vec![(field, Some(value))] };
    let mut in_containers = |check: Check, security: Changes, changes: Changes| {
        let main = Pod { main: changes.clone(), security: security.clone(), ..Pod::default() };
        out.push((check, main));
        out.push((check, Pod { init: changes, security, ..Pod::default() }));
    };
    in_containers(Check::Privileged, Vec::new(), sets("privileged", "true"));
    for added in [
        "{drop: [ALL], add: [SYS_ADMIN]}",
        "{drop: [ALL], add: [NET_ADMIN]}",
        "{drop: [ALL], add: [ALL]}",
        "{drop: [ALL], add: [SYS_PTRACE]}",
        "{drop: [ALL], add: [NET_RAW]}",
        "{drop: [ALL], add: [BPF]}",
        "{drop: [ALL], add: [SYS_MODULE]}",
        "{drop: [ALL], add: [SYS_RAWIO]}",
        "{drop: [ALL], add: [DAC_READ_SEARCH]}",
    ] {
        in_containers(Check::Capabilities, Vec::new(), sets("capabilities", added));
    }
    in_containers(Check::ProcMount, Vec::new(), sets("procMount", "Unmasked"));
    let users = ["runAsNonRoot", "runAsUser"];
    let without = |fields: &[&'static str]| -> Changes { fields.iter().map(|f| (*f, None)).collect() };
    in_containers(Check::Root, without(&users), without(&users));
    in_containers(Check::Root, without(&users), vec![("runAsNonRoot", Some("false")), ("runAsUser", Some("0"))]);
    in_containers(Check::Escalation, Vec::new(), without(&["allowPrivilegeEscalation"]));
    in_containers(Check::Escalation, Vec::new(), sets("allowPrivilegeEscalation", "true"));
    in_containers(Check::KeptCapabilities, Vec::new(), without(&["capabilities"]));
    in_containers(Check::KeptCapabilities, Vec::new(), sets("capabilities", "{drop: [KILL]}"));
    in_containers(Check::NoSeccomp, without(&["seccompProfile"]), without(&["seccompProfile"]));
    in_containers(Check::SeccompUnconfined, Vec::new(), sets("seccompProfile", "{type: Unconfined}"));
    in_containers(Check::AppArmorUnconfined, Vec::new(), sets("appArmorProfile", "{type: Unconfined}"));
    for options in ["{type: spc_t}", "{user: system_u}", "{role: system_r}"] {
        in_containers(Check::SeLinuxCustom, Vec::new(), sets("seLinuxOptions", options));
    }
    in_containers(Check::WritableRoot, Vec::new(), without(&["readOnlyRootFilesystem"]));
    in_containers(Check::WritableRoot, Vec::new(), sets("readOnlyRootFilesystem", "false"));

    let mut of_pod = |check: Check, spec: Changes, security: Changes| {
        out.push((check, Pod { spec, security, ..Pod::default() }));
    };
    of_pod(Check::HostPid, sets("hostPID", "true"), Vec::new());
    of_pod(Check::HostIpc, sets("hostIPC", "true"), Vec::new());
    of_pod(Check::HostNetwork, sets("hostNetwork", "true"), Vec::new());
    for volumes in [
        "[{name: v, hostPath: {path: /}}]",
        "[{name: v, hostPath: {path: /etc}}]",
        "[{name: v, hostPath: {path: /var/run/docker.sock}}]",
        "[{name: e, emptyDir: {}}, {name: v, hostPath: {path: /tmp/data, type: Directory}}]",
    ] {
        of_pod(Check::HostPaths, sets("volumes", volumes), Vec::new());
    }
    of_pod(Check::SeccompUnconfined, Vec::new(), sets("seccompProfile", "{type: Unconfined}"));
    of_pod(Check::AppArmorUnconfined, Vec::new(), sets("appArmorProfile", "{type: Unconfined}"));
    of_pod(Check::SeLinuxCustom, Vec::new(), sets("seLinuxOptions", "{type: spc_t}"));
    let mut fields = |check: Check, fields: Changes| out.push((check, Pod { fields, ..Pod::default() }));
    fields(Check::HostPorts, sets("ports", "[{containerPort: 80, hostPort: 80}]"));
    fields(Check::HostPorts, sets("ports", "[{containerPort: 8080}, {containerPort: 30000, hostPort: 30000}]"));
    fields(Check::NoLimits, without(&["resources"]));
    fields(Check::NoLimits, sets("resources", "{limits: {cpu: 100m}, requests: {cpu: 100m, memory: 64Mi}}"));
    fields(Check::LatestTag, sets("image", "'registry.example/app:latest'"));
    fields(Check::LatestTag, sets("image", "registry.example/app"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_wrong_with_each_pod() {
        assert!(probes().len() < 100, "{}", probes().len());
        let broken = |probe: &Probe| -> Vec<(&'static str, Level)> {
            let all = probe.with_template(|t| breaches(t, Version::NEWEST));
            let mut all: Vec<_> = all.iter().map(|b| (b.check, b.level)).collect();
            all.dedup();
            all
        };
        assert_eq!(broken(sound()), []);
        for probe in probes() {
            let broken = broken(probe);
            let expected = match probe.check {
                check if BASELINE.contains(&check) => Some(Level::Baseline),
                check if RESTRICTED.contains(&check) => Some(Level::Restricted),
                _ => None,
            };
            assert_eq!(broken.iter().map(|(_, level)| *level).min(), expected, "{:?} {broken:?}", probe.check);
        }
        for check in ASKED {
            assert!(Refused::all_of(check).0 != 0, "{check:?}");
        }
    }

    #[test]
    fn levels_refuse_what_they_forbid() {
        let checks = |level, left_out: &[&str]| Refused::by_level(level, Version::NEWEST, left_out).checks();
        let baseline = checks(Level::Baseline, &[]);
        assert!(baseline.contains(&Check::Baseline) && !baseline.contains(&Check::Root));
        assert!(checks(Level::Restricted, &[]).contains(&Check::Restricted));
        let without = checks(Level::Baseline, &["hostPathVolumes"]);
        assert!(!without.contains(&Check::HostPaths) && !without.contains(&Check::Baseline));
        assert!(without.contains(&Check::Privileged));
    }
}
