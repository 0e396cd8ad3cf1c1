//! Constraints of OPA Gatekeeper.
//!
//! Templates are programs in Rego, which are not run here. Those of Gatekeeper's own library are known: by their kind,
//! and by what the program in the input reads, so that another program under the same name is not taken for them.
//! Fields: <https://open-policy-agent.github.io/gatekeeper/website/docs/howto>.

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_yaml::Value;

use super::probe::{Check, Refused};
use super::reach::{Clause, Reach, selector, texts};
use super::{Action, AdmissionPolicies, Engine, Policy, Rule};

const CONSTRAINTS: &str = "constraints.gatekeeper.sh";

/// Longest program in bytes, and most libraries of one, that are looked through.
const MAX_PROGRAM: usize = 200_000;
const MAX_LIBRARIES: usize = 10;

/// A template of the library.
struct Known {
    kind: &'static str,
    /// What its program reads.
    reads: &'static [&'static str],
    /// What a constraint with some parameters refuses.
    refuses: fn(Option<Value<'_>>) -> Vec<Check>,
}

const LIBRARY: [Known; 17] = [
    known("K8sPSPPrivilegedContainer", &["securityContext.privileged", "initContainers"], |_| vec![Check::Privileged]),
    known("K8sPSPHostNamespace", &["hostPID", "hostIPC"], |_| vec![Check::HostPid, Check::HostIpc]),
    known("K8sPSPHostNetworkingPorts", &["hostNetwork", "hostPort"], host_network),
    known("K8sPSPHostFilesystem", &["hostPath", "allowedHostPaths"], |p| {
        only_without(p, "allowedHostPaths", Check::HostPaths)
    }),
    known("K8sPSPVolumeTypes", &["volumes"], volumes),
    known("K8sPSPCapabilities", &["capabilities", "requiredDropCapabilities", "initContainers"], capabilities),
    known("K8sPSPAllowPrivilegeEscalationContainer", &["allowPrivilegeEscalation", "initContainers"], |_| {
        vec![Check::Escalation]
    }),
    known("K8sPSPAllowedUsers", &["runAsUser", "MustRunAsNonRoot", "initContainers"], users),
    known("K8sPSPSeccomp", &["seccomp", "allowedProfiles", "initContainers"], seccomp),
    known("K8sPSPSeccompV2", &["seccomp", "allowedProfiles", "initContainers"], seccomp),
    known("K8sPSPAppArmor", &["apparmor", "allowedProfiles", "initContainers"], |p| {
        only_confined(p, &[Check::AppArmorUnconfined])
    }),
    known("K8sPSPProcMount", &["procMount", "initContainers"], proc_mount),
    known("K8sPSPReadOnlyRootFilesystem", &["readOnlyRootFilesystem", "initContainers"], |_| vec![Check::WritableRoot]),
    known("K8sContainerLimits", &["resources.limits", "memory"], |p| {
        if p.text("memory").is_some() { vec![Check::NoLimits] } else { Vec::new() }
    }),
    known("K8sRequiredResources", &["resources", "limits"], required_resources),
    known("K8sDisallowedTags", &["input.parameters.tags", "initContainers"], tags),
    known("K8sAllowedRepos", &["input.parameters.repos", "startswith", "initContainers"], |p| {
        if p.list("repos").next().is_some() { vec![Check::Registries] } else { Vec::new() }
    }),
];

const fn known(
    kind: &'static str,
    reads: &'static [&'static str],
    refuses: fn(Option<Value<'_>>) -> Vec<Check>,
) -> Known {
    Known { kind, reads, refuses }
}

pub(super) fn read(manifests: &Manifests, default: &str, all: &mut AdmissionPolicies) {
    let constraints: Vec<Object<'_>> = manifests.objects().filter(|o| o.group() == CONSTRAINTS).collect();
    if constraints.is_empty() {
        return;
    }
    let templates: Vec<Object<'_>> =
        manifests.by_custom_kind("templates.gatekeeper.sh", "ConstraintTemplate").collect();
    let exempt = exempt(manifests);
    for object in constraints {
        let spec = object.spec();
        let kind = |t: &Object<'_>| {
            t.spec().path(&["crd", "spec", "names", "kind"]).and_then(Value::scalar_text) == Some(object.kind())
        };
        let template = templates.iter().find(|t| kind(t));
        let identity = object.identity(default);
        if template.is_none() {
            let text =
                format!("the ConstraintTemplate of {identity} is not in the input: what it refuses is not known");
            all.warn("unknown-constraint", text, object.span());
        }
        let stated = spec.field("enforcementAction");
        let action = action(spec);
        if action == Action::Unknown {
            let text = format!("the enforcement action of {identity} is not known: it counts as if it refused nothing");
            all.warn("unknown-failure-action", text, stated.map_or(object.span(), Value::span));
        }
        let rule = Rule {
            span: object.span(),
            refuses: template.map(|t| refuses(*t, object.kind(), spec.field("parameters"))).unwrap_or_default(),
            images: None,
            reach: reach(spec.field("match"), &exempt),
            action,
            action_span: stated.map(Value::span),
            overrides: Vec::new(),
        };
        all.policies.push(Policy {
            identity,
            name: object.name().to_owned(),
            namespace: None,
            span: object.span(),
            engine: Engine::Gatekeeper,
            rules: vec![rule],
        });
    }
}

fn refuses(template: Object<'_>, kind: &str, parameters: Option<Value<'_>>) -> Refused {
    let targets = template.spec().list("targets").collect::<Vec<_>>();
    let mut programs = String::new();
    for target in targets.iter().take(MAX_LIBRARIES) {
        programs.push_str(target.text("rego").filter(|text| text.len() <= MAX_PROGRAM).unwrap_or(""));
        target
            .list("libs")
            .chain(target.list("code").filter_map(|c| c.path(&["source", "rego"])))
            .filter_map(Value::scalar_text)
            .take_while(|text| text.len() <= MAX_PROGRAM)
            .take(MAX_LIBRARIES)
            .for_each(|text| programs.push_str(text));
    }
    // Images that are exempt may do anything.
    if parameters.list("exemptImages").next().is_some() || !programs.contains("violation") {
        return Refused::default();
    }
    let fits = |known: &&Known| known.kind == kind && known.reads.iter().all(|text| programs.contains(text));
    let checks = LIBRARY.iter().find(fits).map(|known| (known.refuses)(parameters)).unwrap_or_default();
    checks.into_iter().fold(Refused::default(), |all, check| all.and(Refused::all_of(check)))
}

/// `deny` if nothing is said; `scoped` has an action for each place where constraints are enforced.
fn action(spec: Option<Value<'_>>) -> Action {
    let one = |text: Option<&str>| match text {
        None | Some("deny") => Action::Denies,
        Some("dryrun" | "warn") => Action::Reports,
        Some(_) => Action::Unknown,
    };
    if spec.text("enforcementAction") != Some("scoped") {
        return one(spec.text("enforcementAction"));
    }
    let at_admission = |action: &Value<'_>| {
        action.list("enforcementPoints").any(|p| matches!(p.text("name"), Some("*" | "validation.gatekeeper.sh")))
    };
    let actions: Vec<Action> =
        spec.list("scopedEnforcementActions").filter(at_admission).map(|a| one(a.text("action"))).collect();
    [Action::Denies, Action::Unknown].into_iter().find(|a| actions.contains(a)).unwrap_or(Action::Reports)
}

/// Namespaces that Gatekeeper leaves alone.
fn exempt(manifests: &Manifests) -> Vec<String> {
    let mut names = vec!["gatekeeper-system".to_owned()];
    let labelled = |o: &Object<'_>| o.label("admission.gatekeeper.sh/ignore").is_some();
    names.extend(manifests.by_kind("Namespace").filter(labelled).map(|o| o.name().to_owned()));
    for config in manifests.by_custom_kind("config.gatekeeper.sh", "Config") {
        let at_admission =
            |m: &Value<'_>| m.list("processes").any(|p| matches!(p.scalar_text(), Some("*" | "webhook")));
        let entries = config.spec().list("match").filter(at_admission);
        names.extend(entries.flat_map(|m| texts(m.field("excludedNamespaces")).unwrap_or_default()));
    }
    names
}

fn reach(matched: Option<Value<'_>>, exempt: &[String]) -> Reach {
    let about_pods = |m: Value<'_>| {
        let has = |key: &str, wanted: &str| {
            let mut listed = m.list(key).filter_map(Value::scalar_text);
            m.field(key).is_none() || listed.any(|text| text == wanted || text == "*")
        };
        has("apiGroups", "") && has("kinds", "Pod")
    };
    let kinds: Vec<Value<'_>> = matched.list("kinds").collect();
    let pods = (kinds.is_empty() || kinds.into_iter().any(about_pods)) && matched.text("scope") != Some("Cluster");
    let excluded = texts(matched.field("excludedNamespaces")).unwrap_or_default();
    let clause = Clause {
        names: texts(matched.field("namespaces")).filter(|names| !names.is_empty()),
        selector: matched.and_then(selector),
        only_some: ["labelSelector", "name"].iter().any(|key| matched.field(key).is_some_and(|v| !v.is_empty()))
            || matched.text("source").is_some_and(|source| source != "All"),
    };
    let names = exempt.iter().cloned().chain(excluded).collect();
    let outside = Clause { names: Some(names), ..Clause::default() };
    Reach { includes: pods.then_some(clause).into_iter().collect(), excludes: vec![outside] }
}

/// A check that a list of exceptions weakens.
fn only_without(parameters: Option<Value<'_>>, exceptions: &str, check: Check) -> Vec<Check> {
    if parameters.list(exceptions).next().is_none() { vec![check] } else { Vec::new() }
}

fn host_network(parameters: Option<Value<'_>>) -> Vec<Check> {
    let mut checks = Vec::new();
    if parameters.flag("hostNetwork") != Some(true) {
        checks.push(Check::HostNetwork);
    }
    // Ports between `min` and `max` are let through, and all of them if neither is set.
    if parameters.text("max") == Some("0") {
        checks.push(Check::HostPorts);
    }
    checks
}

fn volumes(parameters: Option<Value<'_>>) -> Vec<Check> {
    let mut allowed = parameters.list("volumes").filter_map(Value::scalar_text).peekable();
    let none = allowed.peek().is_none() || allowed.any(|kind| matches!(kind, "*" | "hostPath"));
    if none { Vec::new() } else { vec![Check::HostPaths] }
}

fn capabilities(parameters: Option<Value<'_>>) -> Vec<Check> {
    let harmless = [
        "NET_BIND_SERVICE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
        "AUDIT_WRITE",
    ];
    let mut checks = Vec::new();
    if parameters.list("allowedCapabilities").all(|c| c.scalar_text().is_some_and(|text| harmless.contains(&text))) {
        checks.push(Check::Capabilities);
    }
    if parameters.list("requiredDropCapabilities").any(|c| c.scalar_text() == Some("ALL")) {
        checks.push(Check::KeptCapabilities);
    }
    checks
}

fn users(parameters: Option<Value<'_>>) -> Vec<Check> {
    let rule = parameters.field("runAsUser").text("rule");
    if rule == Some("MustRunAsNonRoot") { vec![Check::Root] } else { Vec::new() }
}

fn seccomp(parameters: Option<Value<'_>>) -> Vec<Check> {
    only_confined(parameters, &[Check::NoSeccomp, Check::SeccompUnconfined])
}

/// Checks that hold if some profiles are allowed, and none of them is no profile.
fn only_confined(parameters: Option<Value<'_>>, checks: &[Check]) -> Vec<Check> {
    let mut allowed = parameters.list("allowedProfiles").filter_map(Value::scalar_text).peekable();
    let open = |profile: &str| profile == "*" || profile.eq_ignore_ascii_case("unconfined");
    if allowed.peek().is_none() || allowed.any(open) { Vec::new() } else { checks.to_vec() }
}

fn proc_mount(parameters: Option<Value<'_>>) -> Vec<Check> {
    if matches!(parameters.text("procMount"), None | Some("Default" | "default")) {
        vec![Check::ProcMount]
    } else {
        Vec::new()
    }
}

fn required_resources(parameters: Option<Value<'_>>) -> Vec<Check> {
    let memory = parameters.list("limits").any(|limit| limit.scalar_text() == Some("memory"));
    if memory { vec![Check::NoLimits] } else { Vec::new() }
}

fn tags(parameters: Option<Value<'_>>) -> Vec<Check> {
    let latest = parameters.list("tags").any(|tag| tag.scalar_text() == Some("latest"));
    if latest { vec![Check::LatestTag] } else { Vec::new() }
}
