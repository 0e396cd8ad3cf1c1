//! Which NetworkPolicies the API server takes at all: those of a group and version that it serves, if they are valid.

use kubestride_manifest::{Manifests, Object};
use kubestride_source::Diagnostic;

use super::refused::refused;
use crate::Version;

const GROUP: &str = "networking.k8s.io";
/// The group and version of before, and since when it is not served any more, by
/// <https://kubernetes.io/docs/reference/using-api/deprecation-guide/#v1-16>.
const OLD: &str = "extensions/v1beta1";
const REMOVED: Version = Version(16);

/// What the API server of a version of Kubernetes takes, and what is said of the rest.
pub(super) fn served<'a>(
    manifests: &'a Manifests,
    default_namespace: &str,
    version: Version,
) -> (Vec<Object<'a>>, Vec<Diagnostic>) {
    let (mut objects, mut found) = (Vec::new(), Vec::new());
    for object in manifests.by_kind("NetworkPolicy") {
        let why = match (object.group(), object.api_version()) {
            // Versions that are not known may come.
            (GROUP, _) => None,
            (_, OLD) if version < REMOVED => None,
            (_, OLD) => Some(format!("{OLD} is not served since Kubernetes 1.{}", REMOVED.0)),
            (_, other) => Some(format!("there are no network policies of {other}")),
        };
        // What other versions will ask for is not known.
        let known = versions(object).contains(&object.version());
        let refusal = match why {
            Some(why) => Some(("policy-not-served", why, object.span())),
            None => refused(object).filter(|_| known).map(|(why, span)| ("policy-refused", why.to_owned(), span)),
        };
        let Some((code, why, span)) = refusal else {
            objects.push(object);
            continue;
        };
        let identity = object.identity(default_namespace);
        let message = format!("{identity}: {why}: the API server refuses it, so it allows and stops nothing");
        found.push(Diagnostic::warning(code, message).at(span));
    }
    (objects, found)
}

/// The versions of NetworkPolicy that are known.
pub(super) fn versions(object: Object<'_>) -> &'static [&'static str] {
    if object.group() == GROUP { &["v1"] } else { &["v1beta1"] }
}
