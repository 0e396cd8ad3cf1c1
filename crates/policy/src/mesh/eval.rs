//! What policies of the mesh mean for a pod.

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

use super::{Action, AuthorizationPolicy, Mesh, Mode, MutualTls, PeerAuthentication, ROOT_NAMESPACE};
use crate::{Cited, Pod};

/// Whether a pod takes part in the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Injection {
    /// Labels say that it gets a proxy.
    Yes,
    /// Labels say that it does not.
    No,
    /// No label says anything.
    Unknown,
}

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

/// A service account that an AuthorizationPolicy lets through, which says that its author expects it to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSource {
    /// The namespace of the caller.
    pub namespace: String,
    /// The name of its service account.
    pub service_account: String,
    /// The ports that it may use; all if there are none.
    pub ports: Vec<u16>,
    /// Where it is named.
    pub cited: Cited,
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

    /// Whether `pod` takes part in the mesh, as its labels and those of its namespace say.
    pub fn injection(&self, pod: &Pod<'_>) -> Injection {
        let own = pod.labels.get("sidecar.istio.io/inject");
        let dataplane =
            pod.labels.get("istio.io/dataplane-mode").or(pod.namespace_labels.get("istio.io/dataplane-mode"));
        let revision = pod.labels.get("istio.io/rev").or(pod.namespace_labels.get("istio.io/rev"));
        match (own, pod.namespace_labels.get("istio-injection")) {
            (Some("true"), _) => Injection::Yes,
            _ if dataplane == Some("ambient") => Injection::Yes,
            (Some("false"), _) | (_, Some("disabled")) => Injection::No,
            (_, Some("enabled")) => Injection::Yes,
            _ if revision.is_some() => Injection::Yes,
            _ => Injection::Unknown,
        }
    }

    /// The mutual TLS that a pod asks for on a port, or in general, and where it is set.
    ///
    /// A policy for the workload counts before one for its namespace, and that before one for the mesh; what one does
    /// not set is taken from the next. If none sets it, plain text is accepted.
    pub fn mutual_tls(&self, pod: &Pod<'_>, port: Option<u16>) -> (MutualTls, Option<Cited>) {
        let mut found = None;
        for policy in self.applicable(pod) {
            let on_port = policy.ports.iter().find(|(number, _)| Some(*number) == port).map(|(_, mode)| *mode);
            // Ports are looked at in policies for a workload only.
            let on_port = on_port.filter(|_| policy.workloads.is_some());
            for mode in on_port.into_iter().chain([policy.mode]) {
                let Mode { mutual_tls, span } = mode;
                let cited = Cited { identity: policy.cited.identity.clone(), span };
                if let Some(mutual_tls) = mutual_tls {
                    return (mutual_tls, Some(cited));
                }
                found.get_or_insert(cited);
            }
        }
        found.map_or((MutualTls::None, None), |cited| (MutualTls::Permissive, Some(cited)))
    }

    /// The PeerAuthentications for a pod, the most special first, one of each level. Istio takes the oldest of
    /// several; their age is not known, so the first by name stands for it.
    fn applicable(&self, pod: &Pod<'_>) -> impl Iterator<Item = &PeerAuthentication> {
        let of = |namespace: &str, special: bool| {
            self.authentications.iter().find(|policy| {
                policy.namespace == namespace
                    && match &policy.workloads {
                        Some(selector) => special && selector.matches(pod.labels),
                        None => !special,
                    }
            })
        };
        // Istio ignores policies for workloads in the root namespace.
        let workload = if pod.namespace == ROOT_NAMESPACE { None } else { of(pod.namespace, true) };
        let namespace = if pod.namespace == ROOT_NAMESPACE { None } else { of(pod.namespace, false) };
        [workload, namespace, of(ROOT_NAMESPACE, false)].into_iter().flatten()
    }

    /// What authorization policies mean for a pod.
    pub fn authorization(&self, pod: &Pod<'_>) -> Authorization {
        let selecting = || self.authorizations.iter().filter(|policy| policy.selects(pod));
        let with = |action: Action| selecting().filter(move |policy| policy.action == action);
        let open_rules: Vec<_> = with(Action::Allow).filter_map(AuthorizationPolicy::admits_everyone).collect();
        let stopped =
            with(Action::Deny).any(|policy| !policy.rules.is_empty()) || with(Action::Custom).next().is_some();
        let allows = with(Action::Allow).next().is_some();
        Authorization {
            selected: selecting().map(|policy| policy.cited.clone()).collect(),
            admits_everyone: !stopped && (!allows || !open_rules.is_empty()),
            open_rules,
        }
    }
}

impl AuthorizationPolicy {
    /// Whether it is for `pod`: of its own namespace, or of the root namespace, which is for all.
    pub fn selects(&self, pod: &Pod<'_>) -> bool {
        let fits = |selector: &LabelSelector| selector.matches(pod.labels);
        !self.has_targets
            && (self.namespace == pod.namespace || self.namespace == ROOT_NAMESPACE)
            && self.workloads.as_ref().is_none_or(fits)
    }

    /// The rule of an allowing policy that lets everything through.
    pub fn admits_everyone(&self) -> Option<Cited> {
        let rule = self.rules.iter().find(|rule| rule.fits_all).filter(|_| self.action == Action::Allow)?;
        Some(self.cite_at(rule.span))
    }

    /// The service accounts that an allowing policy names, without patterns: `cluster.local/ns/shop/sa/web`.
    pub fn declared_sources(&self) -> Vec<DeclaredSource> {
        let rules = self.rules.iter().filter(|_| self.action == Action::Allow);
        let principals = rules.flat_map(|rule| rule.principals.iter().map(move |principal| (rule, principal)));
        let read = |(rule, (principal, span)): (&super::AuthorizationRule, &(String, Span))| {
            let (_, rest) = principal.split_once("/ns/")?;
            let (namespace, account) = rest.split_once("/sa/")?;
            let exact = |text: &str| !text.is_empty() && !text.contains(['*', '/']);
            (exact(namespace) && exact(account)).then(|| DeclaredSource {
                namespace: namespace.to_owned(),
                service_account: account.to_owned(),
                ports: rule.ports.clone(),
                cited: self.cite_at(*span),
            })
        };
        principals.filter_map(read).collect()
    }

    fn cite_at(&self, span: Span) -> Cited {
        Cited { identity: self.cited.identity.clone(), span }
    }
}
