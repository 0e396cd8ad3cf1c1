//! What the answers of the mesh cannot take into account.

use std::collections::BTreeSet;

use kubestride_manifest::{LabelSelector, Labels, Manifests, Object};
use kubestride_source::{Diagnostic, Span, some_of};

use super::{Mesh, MutualTls, PeerAuthentication};
use crate::Cited;
use crate::doubts::Problem;

/// A policy, the workloads it selects by their labels, and its namespace.
type Selecting<'m> = (&'m str, Span, &'m str, &'m LabelSelector);

/// Everything that makes answers about the mesh uncertain: parts of policies that are not understood, policies that
/// contradict each other, and selectors that select nothing in a namespace with workloads.
pub fn limits(manifests: &Manifests, mesh: &Mesh, default_namespace: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = mesh.problems.iter().map(Problem::diagnostic).collect();
    let workloads = workloads(manifests, default_namespace);
    found.extend(mesh.contradictions(&workloads));
    found.extend(mesh.selecting_nothing(&workloads));
    found
}

/// Namespace and labels of all workloads.
fn workloads<'a>(manifests: &'a Manifests, default_namespace: &'a str) -> Vec<(&'a str, Labels<'a>)> {
    let of = |object: Object<'a>| {
        let labels = object.workload()?.template.label_set();
        Some((object.effective_namespace(default_namespace).unwrap_or(default_namespace), labels))
    };
    manifests.objects().filter_map(of).collect()
}

impl Mesh {
    /// One message for each group of PeerAuthentications of one level that set different modes.
    fn contradictions(&self, workloads: &[(&str, Labels<'_>)]) -> Vec<Diagnostic> {
        let mut groups: BTreeSet<Vec<Cited>> = BTreeSet::new();
        let mut add = |level: Vec<&PeerAuthentication>| {
            let modes: BTreeSet<_> = level.iter().map(|policy| policy.all_modes()).collect();
            if modes.len() > 1 {
                groups.insert(level.iter().map(|policy| policy.cited.clone()).collect());
            }
        };
        for namespace in self.authentications_of.keys() {
            add(self.level(namespace, None).collect());
        }
        for (namespace, labels) in workloads.iter().filter(|(namespace, _)| !self.is_root(namespace)) {
            add(self.level(namespace, Some(labels)).filter(|policy| !policy.is_unclear).collect());
        }
        let message = |group: Vec<Cited>| {
            let names: Vec<&str> = group.iter().map(|cited| cited.identity.as_str()).collect();
            let text = format!(
                "{} set different modes for the same workloads. Istio takes the oldest, and how old they are is not known: \
                 neither is which mutual TLS applies",
                some_of(&names)
            );
            let diagnostic = Diagnostic::warning("policies-contradict", text);
            group.first().map_or(diagnostic.clone(), |first| diagnostic.at(first.span))
        };
        groups.into_iter().map(message).collect()
    }

    /// Policies for workloads that are not there, though others of their namespace are.
    fn selecting_nothing(&self, workloads: &[(&str, Labels<'_>)]) -> Vec<Diagnostic> {
        let populated: BTreeSet<&str> = workloads.iter().map(|(namespace, _)| *namespace).collect();
        let nothing = |(_, _, namespace, selector): &Selecting<'_>| {
            let everywhere = self.may_be_root(namespace);
            let mut candidates = workloads.iter().filter(|(of, _)| everywhere || of == namespace);
            (everywhere || populated.contains(namespace)) && !candidates.any(|(_, labels)| selector.matches(labels))
        };
        let peers = self.authentications.iter().map(|p| (&p.cited, &p.namespace, &p.workloads));
        let rules = self.authorizations.iter().map(|p| (&p.cited, &p.namespace, &p.workloads));
        let tokens = self.tokens.iter().map(|p| (&p.cited, &p.namespace, &p.workloads));
        let all = peers.chain(rules).chain(tokens).filter_map(|(cited, namespace, selector)| {
            Some((cited.identity.as_str(), cited.span, namespace.as_str(), selector.as_ref()?))
        });
        let message = |(identity, span, ..): Selecting<'_>| {
            let text = format!("{identity} selects no workload of the input: it changes no answer");
            Diagnostic::warning("selects-nothing", text).at(span)
        };
        all.filter(nothing).map(message).collect()
    }
}

impl PeerAuthentication {
    /// What it sets, in general and by port.
    fn all_modes(&self) -> Vec<(Option<u16>, Option<MutualTls>)> {
        let mut ports: Vec<_> = self.ports.iter().map(|(port, mode)| (Some(*port), mode.mutual_tls)).collect();
        ports.push((None, self.mode.mutual_tls));
        ports.sort();
        ports
    }
}
