//! The mutual TLS that applies to a pod.

use kubestride_manifest::Labels;

use super::{Mesh, MutualTls, PeerAuthentication};
use crate::{Cited, Pod};

/// What may apply, each with where it is set. Several, if it is not known which.
pub(super) type Modes = Vec<(MutualTls, Option<Cited>)>;

impl Mesh {
    /// The mutual TLS that a pod asks for on a port, or in general, and where it is set.
    ///
    /// A policy for the workload counts before one for its namespace, and that before one for the mesh; what one does
    /// not set is taken from the next. If none sets it, plain text is accepted. Istio takes the oldest of several for the
    /// same: how old they are is not known, so where they differ there is no answer.
    pub fn mutual_tls(&self, pod: &Pod<'_>, port: Option<u16>) -> (MutualTls, Option<Cited>) {
        let mut modes = self.modes(pod, port).into_iter();
        let first = modes.next().unwrap_or((MutualTls::None, None));
        let differs = modes.any(|(mode, _)| mode != first.0);
        if differs { (MutualTls::Undetermined, first.1) } else { first }
    }

    /// All modes that may apply, at least one, each with where it is set.
    pub(super) fn modes(&self, pod: &Pod<'_>, port: Option<u16>) -> Modes {
        let mut modes: Modes = vec![(MutualTls::None, None)];
        modes = over(modes, self.config.roots.iter().flat_map(|root| self.level(root, None)), None);
        // Istio ignores policies for workloads in the root namespace.
        if !self.is_root(pod.namespace) {
            modes = over(modes, self.level(pod.namespace, None), None);
            modes = over(modes, self.level(pod.namespace, Some(pod.labels)), Some(port));
        }
        modes
    }

    /// Policies of a namespace for all of it, or for workloads with these labels. What is not understood may be for any.
    pub(super) fn level<'m>(
        &'m self,
        namespace: &str,
        labels: Option<&'m Labels<'_>>,
    ) -> impl Iterator<Item = &'m PeerAuthentication> {
        let at = self.authentications_of.get(namespace).map(Vec::as_slice).unwrap_or_default();
        at.iter().filter_map(|at| self.authentications.get(*at)).filter(move |policy| {
            match (&policy.workloads, labels) {
                _ if policy.is_unclear => labels.is_some() || self.may_be_root(&policy.namespace),
                (Some(selector), Some(labels)) => selector.matches(labels),
                (None, None) => true,
                _ => false,
            }
        })
    }
}

/// What policies make of what applies without them. `port` is given where policies may set modes of ports: those are looked
/// at in policies for a workload only.
fn over<'m>(below: Modes, level: impl Iterator<Item = &'m PeerAuthentication>, port: Option<Option<u16>>) -> Modes {
    let mut modes: Modes = Vec::new();
    let mut add = |entry: (MutualTls, Option<Cited>)| {
        if modes.iter().all(|(mode, _)| *mode != entry.0) {
            modes.push(entry);
        }
    };
    for policy in level {
        let cite = |span| Some(Cited { identity: policy.cited.identity.clone(), span });
        if policy.is_unclear {
            add((MutualTls::Undetermined, Some(policy.cited.clone())));
            continue;
        }
        let fits = |number: &u16| port.is_some_and(|port| port == Some(*number));
        let on_port = policy.ports.iter().find(|(number, _)| fits(number)).map(|(_, mode)| *mode);
        let set = on_port.into_iter().chain([policy.mode]).find_map(|mode| Some((mode.mutual_tls?, mode.span)));
        match set {
            Some((mode, span)) => add((mode, cite(span))),
            // Not set anywhere: "treated as PERMISSIVE".
            None => below.iter().cloned().for_each(|entry| match entry {
                (MutualTls::None, None) => add((MutualTls::Permissive, cite(policy.mode.span))),
                entry => add(entry),
            }),
        }
    }
    if modes.is_empty() { below } else { modes }
}
