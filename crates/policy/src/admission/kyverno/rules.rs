//! What a `validate` rule says of a pod.

use kubestride_manifest::Field;
use kubestride_yaml::Value;

use super::conditions::holds;
use super::pattern::{Outcome, matches};
use super::query::{Budget, Scene, query};
use crate::Version;
use crate::admission::cel;
use crate::admission::probe::Refused;
use crate::doubts::strangers;
use crate::pod_security::Level;

/// Parts of `validate` that say what is asked; any other means that the rule is not understood.
const KNOWN: [&str; 6] = ["pattern", "anyPattern", "deny", "foreach", "podSecurity", "message"];
/// Parts that say what happens, and nothing about pods.
const ABOUT: [&str; 3] = ["failureAction", "failureActionOverrides", "allowExistingViolations"];

/// The control names of `podSecurity.exclude` with the checks that each leaves out.
const CONTROLS: [(&str, &[&str]); 15] = [
    ("AppArmor", &["appArmorProfile"]),
    ("Capabilities", &["capabilities_baseline", "capabilities_restricted"]),
    ("Host Namespaces", &["hostNamespaces"]),
    ("Host Ports", &["hostPorts"]),
    ("HostPath Volumes", &["hostPathVolumes"]),
    ("HostProcess", &["windowsHostProcess"]),
    ("Privilege Escalation", &["allowPrivilegeEscalation"]),
    ("Privileged Containers", &["privileged"]),
    ("Running as Non-root", &["runAsNonRoot"]),
    ("Running as Non-root user", &["runAsUser"]),
    ("SELinux", &["seLinuxOptions"]),
    ("Seccomp", &["seccompProfile_baseline", "seccompProfile_restricted"]),
    ("Sysctls", &["sysctls"]),
    ("Volume Types", &["restrictedVolumes"]),
    ("/proc Mount Type", &["procMount", "procMount_restricted"]),
];

/// The pods that a rule refuses, as far as it is understood.
pub(super) fn refuses(rule: Value<'_>, validate: Value<'_>) -> Refused {
    if let Some(standard) = validate.field("podSecurity") {
        // Its preconditions can leave pods out, and it has no other way to.
        return if rule.field("preconditions").is_none() { by_standard(standard) } else { Refused::default() };
    }
    if let Some(expressions) = validate.field("cel") {
        // Where its conditions stand differs from the other forms.
        let known = ["preconditions", "celPreconditions"].iter().all(|key| rule.field(key).is_none());
        return if known { cel::refuses_of(expressions, "expressions") } else { Refused::default() };
    }
    let budget = Budget::of_rule();
    Refused::by(|pod| passes(rule, validate, pod, &budget))
}

/// `podSecurity`: a level and a version without some checks. A check that is left out for some images is left out.
fn by_standard(standard: Value<'_>) -> Refused {
    let level = match standard.text("level") {
        Some("baseline") => Level::Baseline,
        Some("restricted") => Level::Restricted,
        _ => return Refused::default(),
    };
    let version = match standard.text("version") {
        None | Some("latest") => Some(Version::NEWEST),
        Some(text) => Version::parse(text),
    };
    let Some(version) = version else { return Refused::default() };
    let mut left_out: Vec<&str> = Vec::new();
    for exclude in standard.list("exclude") {
        let name = exclude.text("controlName").unwrap_or("");
        match CONTROLS.iter().find(|(control, _)| *control == name) {
            Some((_, checks)) => left_out.extend(*checks),
            None => return Refused::default(),
        }
    }
    Refused::by_level(level, version, &left_out)
}

/// Whether a rule lets a pod pass; none if that is not understood.
fn passes(rule: Value<'_>, validate: Value<'_>, pod: Value<'_>, budget: &Budget) -> Option<bool> {
    if strangers(validate, &KNOWN).any(|e| !ABOUT.contains(&e.key)) || rule.field("celPreconditions").is_some() {
        return None;
    }
    let scene = Scene { budget, pod, element: None };
    if let Some(conditions) = rule.field("preconditions")
        && !holds(conditions, &scene)?
    {
        return Some(true);
    }
    let mut verdict = part(validate, pod, &scene)?;
    for each in validate.list("foreach") {
        verdict &= every(each, &scene)?;
    }
    Some(verdict)
}

/// The parts that rules and their loops have in common, for a pod or one element of it.
fn part(holder: Value<'_>, subject: Value<'_>, scene: &Scene<'_>) -> Option<bool> {
    let of = |outcome: Outcome| match outcome {
        Outcome::Pass | Outcome::Skip => Some(true),
        Outcome::Fail => Some(false),
        Outcome::Unknown => None,
    };
    if let Some(pattern) = holder.field("pattern") {
        return of(matches(pattern, Some(subject), scene.budget));
    }
    if let Some(patterns) = holder.field("anyPattern") {
        let outcomes: Vec<Option<bool>> =
            patterns.items().map(|p| of(matches(p, Some(subject), scene.budget))).collect();
        if outcomes.contains(&Some(true)) {
            return Some(true);
        }
        return outcomes.iter().all(Option::is_some).then_some(false);
    }
    if let Some(deny) = holder.field("deny") {
        // Without conditions everything is refused.
        return Some(!deny.field("conditions").map_or(Some(true), |c| holds(c, scene))?);
    }
    Some(true)
}

fn every(each: Value<'_>, scene: &Scene<'_>) -> Option<bool> {
    let known = ["list", "pattern", "anyPattern", "deny", "preconditions"];
    if strangers(each, &known).next().is_some() {
        return None;
    }
    let mut verdict = true;
    for element in query(each.text("list")?, scene)?.elements()? {
        let scene = Scene { element: Some(element), ..*scene };
        let applies = each.field("preconditions").map_or(Some(true), |c| holds(c, &scene))?;
        verdict &= !applies || part(each, element, &scene)?;
    }
    Some(verdict)
}
