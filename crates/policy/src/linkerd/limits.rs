//! What the answers of Linkerd cannot take into account.

use kubestride_manifest::{Labels, Manifests, Object};
use kubestride_source::Diagnostic;

use super::{Linkerd, Target};
use crate::doubts::Problem;

/// Everything that makes answers about Linkerd uncertain: parts of policies that are not understood, and policies for what is
/// not there.
pub fn limits<'a>(manifests: &'a Manifests, linkerd: &Linkerd, default_namespace: &'a str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = linkerd.problems.iter().map(Problem::diagnostic).collect();
    let of = |object: Object<'a>| {
        Some((object.effective_namespace(default_namespace)?, object.workload()?.template.label_set()))
    };
    let workloads: Vec<(&str, Labels<'_>)> = manifests.objects().filter_map(of).collect();
    for server in linkerd.servers.iter().filter(|server| server.pods.is_some()) {
        let mut own = workloads.iter().filter(|(namespace, _)| *namespace == server.namespace).peekable();
        let selects = |labels: &Labels<'_>| server.pods.as_ref().is_some_and(|pods| pods.matches(labels));
        if own.peek().is_some() && !own.any(|(_, labels)| selects(labels)) {
            let text = format!("{} selects no workload of the input: it changes no answer", server.cited.identity);
            found.push(Diagnostic::warning("selects-nothing", text).at(server.cited.span));
        }
    }
    for policy in &linkerd.authorizations {
        let mut servers = linkerd.servers.iter().filter(|server| server.namespace == policy.namespace);
        let missing = match &policy.target {
            Target::Server(name) => !servers.any(|server| server.name == *name),
            Target::Servers(selector) => !servers.any(|server| server.has_labels(selector)),
            Target::Route(name) => !linkerd.routes.contains_key(&(policy.namespace.clone(), name.clone())),
            Target::Namespace | Target::Unknown => false,
        };
        if missing {
            let text = format!("{} is for a Server or a route that is not in the input", policy.cited.identity);
            found.push(Diagnostic::warning("selects-nothing", text).at(policy.cited.span));
        }
    }
    found
}
