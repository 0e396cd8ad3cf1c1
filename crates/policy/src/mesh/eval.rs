//! What policies of the mesh mean for a pod, whoever calls it.

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

use super::{Action, AuthorizationPolicy, Mesh, PeerAuthentication, RequestAuthentication};
use crate::{Cited, Pod};

/// What authorization policies mean for a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The policies that select it.
    pub selected: Vec<Cited>,
    /// Nothing is stopped: no policy stops anything, or one lets everything through.
    pub admits_everyone: bool,
    /// The rules that let everything through.
    pub open_rules: Vec<Cited>,
}

impl Mesh {
    /// All PeerAuthentications in order of their identities.
    pub fn authentications(&self) -> &[PeerAuthentication] {
        &self.authentications
    }

    /// All AuthorizationPolicies in order of their identities.
    pub fn authorizations(&self) -> &[AuthorizationPolicy] {
        &self.authorizations
    }

    /// All RequestAuthentications in order of their identities.
    pub fn request_authentications(&self) -> &[RequestAuthentication] {
        &self.tokens
    }

    /// The namespaces of which one is the root namespace: one, unless configurations of the mesh disagree.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.config.roots.iter().map(String::as_str)
    }

    /// Whether policies of a namespace are for the whole mesh.
    pub fn is_root(&self, namespace: &str) -> bool {
        matches!(self.config.roots.as_slice(), [root] if root == namespace)
    }

    pub(super) fn may_be_root(&self, namespace: &str) -> bool {
        self.config.roots.iter().any(|root| root == namespace)
    }

    /// The AuthorizationPolicies of a namespace, and those of the root namespace, which are for all.
    pub(super) fn authorizations_for(&self, namespace: &str) -> impl Iterator<Item = &AuthorizationPolicy> + use<'_> {
        let of = |name: &str| self.authorizations_of.get(name).map(Vec::as_slice).unwrap_or_default();
        let own = if self.may_be_root(namespace) { &[] } else { of(namespace) };
        let roots = self.config.roots.iter().flat_map(|root| of(root)).collect::<Vec<_>>();
        own.iter().chain(roots).filter_map(|at| self.authorizations.get(*at))
    }

    /// What authorization policies mean for a pod.
    pub fn authorization(&self, pod: &Pod<'_>) -> Authorization {
        let selecting: Vec<_> =
            self.authorizations_for(pod.namespace).filter(|p| !p.dry_run && p.selects(pod)).collect();
        let with = |action: Action| selecting.iter().filter(move |policy| policy.action == action);
        let open_rules: Vec<_> = with(Action::Allow).filter_map(|policy| policy.admits_everyone()).collect();
        let stopped = with(Action::Deny).any(|policy| !policy.rules.is_empty())
            || with(Action::Custom).chain(with(Action::Unknown)).next().is_some();
        let allows = with(Action::Allow).next().is_some();
        let mut selected: Vec<_> = selecting.iter().map(|policy| policy.cited.clone()).collect();
        selected.sort();
        Authorization { selected, admits_everyone: !stopped && (!allows || !open_rules.is_empty()), open_rules }
    }
}

impl AuthorizationPolicy {
    /// Whether it is for `pod`: of its own namespace, or of the root namespace, which is for all.
    pub fn selects(&self, pod: &Pod<'_>) -> bool {
        let fits = |selector: &LabelSelector| selector.matches(pod.labels);
        self.targets.is_empty()
            && !self.is_unclear
            && (self.namespace == pod.namespace || self.is_everywhere)
            && self.workloads.as_ref().is_none_or(fits)
    }

    /// Whether it is, or may be, for a pod of its namespace.
    pub(super) fn may_select(&self, pod: &Pod<'_>) -> bool {
        self.is_unclear || self.selects(pod)
    }

    /// The rule of an allowing policy that lets everything through.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let rule = self.rules.iter().find(|rule| rule.fits_all()).filter(|_| self.action == Action::Allow)?;
        Some(self.cite_at(rule.span))
    }

    /// The rule of an allowing policy that lets every identity of the mesh do everything.
    pub fn admits_any_identity(&self) -> Option<Cited> {
        let rule =
            self.rules.iter().find(|rule| rule.admits_any_identity()).filter(|_| self.action == Action::Allow)?;
        Some(self.cite_at(rule.span))
    }

    pub(super) fn cite_at(&self, span: Span) -> Cited {
        Cited { identity: self.cited.identity.clone(), span }
    }
}
