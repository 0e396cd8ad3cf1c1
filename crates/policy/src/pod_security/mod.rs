//! Pod Security Standards: which level a pod meets, and which fields break a level.
//!
//! Written after the checks of `k8s.io/pod-security-admission/policy`, which say from which minor version of Kubernetes
//! on each of them holds.

mod baseline;
mod pod;
mod restricted;

use kubestride_manifest::PodTemplate;
use kubestride_source::Span;

use pod::CheckedPod;

pub use crate::Version;

/// A level of the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is asked for.
    Privileged,
    /// Known ways to more rights are shut.
    Baseline,
    /// Hardened as far as is usual.
    Restricted,
}

impl Level {
    /// The word of the standards.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        }
    }
}

/// A field that breaks a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The name of the check, as in `pod-security-admission`: `hostNamespaces`.
    pub check: &'static str,
    /// The level that asks for it.
    pub level: Level,
    /// Where it is in the pod: `spec.containers[0].securityContext.privileged`. Where something is missing, the last
    /// part of its path that is there.
    pub path: String,
    /// The same place in the text; none if the pod has no text there at all.
    pub span: Option<Span>,
}

/// One check.
struct Check {
    name: &'static str,
    level: Level,
    /// The first version that has it.
    since: u16,
    run: fn(&CheckedPod<'_>, Version, &mut Vec<Place>),
}

/// A place in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: String,
    span: Option<Span>,
}

/// Every field of a pod that breaks a level, in the order of checks and of the pod.
pub fn breaches(template: PodTemplate<'_>, version: Version) -> Vec<Breach> {
    let pod = CheckedPod::new(template);
    let mut all = Vec::new();
    for check in baseline::CHECKS.iter().chain(restricted::CHECKS).filter(|c| Version(c.since) <= version) {
        let mut places = Vec::new();
        (check.run)(&pod, version, &mut places);
        let breach =
            |place: Place| Breach { check: check.name, level: check.level, path: place.path, span: place.span };
        all.extend(places.into_iter().map(breach));
    }
    all
}

/// The highest level that a pod with these breaches meets.
pub fn level(breaches: &[Breach]) -> Level {
    match breaches.iter().map(|b| b.level).min() {
        None => Level::Restricted,
        Some(Level::Restricted) => Level::Baseline,
        Some(_) => Level::Privileged,
    }
}
