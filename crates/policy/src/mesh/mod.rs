//! Policies of the Istio mesh (`security.istio.io`). Those of other meshes are not read.

mod eval;
mod read;

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

use crate::Cited;

pub use eval::{Authorization, DeclaredSource, Injection};

/// Where policies stand that are for the whole mesh, unless its operator chose another namespace.
pub const ROOT_NAMESPACE: &str = "istio-system";

/// The group of the policies.
pub(crate) const GROUP: &str = "security.istio.io";

/// All policies of the mesh.
#[derive(Debug, Default)]
pub struct Mesh {
    authentications: Vec<PeerAuthentication>,
    authorizations: Vec<AuthorizationPolicy>,
}

/// Whether a mesh makes peers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MutualTls {
    /// Plain text is refused.
    Strict,
    /// Plain text is accepted as well.
    Permissive,
    /// Switched off.
    Disabled,
    /// No PeerAuthentication applies.
    None,
}

/// A mode and where it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    /// None for `UNSET`, which is the same as not set.
    pub(crate) mutual_tls: Option<MutualTls>,
    pub(crate) span: Span,
}

/// A PeerAuthentication.
#[derive(Debug, Clone)]
pub struct PeerAuthentication {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Its namespace.
    pub namespace: String,
    /// The workloads of its namespace that it is for; none for all.
    pub workloads: Option<LabelSelector>,
    pub(crate) mode: Mode,
    pub(crate) ports: Vec<(u16, Mode)>,
}

/// What an AuthorizationPolicy does with a request that a rule of it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lets it through. Once there is one such policy, only what one of them lets through is let through.
    Allow,
    /// Stops it.
    Deny,
    /// Writes it down.
    Audit,
    /// Asks another service.
    Custom,
}

/// An AuthorizationPolicy.
#[derive(Debug, Clone)]
pub struct AuthorizationPolicy {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Its namespace.
    pub namespace: String,
    /// The workloads that it is for; none for all.
    pub workloads: Option<LabelSelector>,
    /// It is for gateways, Services and the like, not for workloads: `targetRefs`.
    pub has_targets: bool,
    /// What it does.
    pub action: Action,
    /// Its rules. Without any it fits no request, so one that allows lets nothing through.
    pub rules: Vec<AuthorizationRule>,
}

/// A rule of an AuthorizationPolicy.
#[derive(Debug, Clone)]
pub struct AuthorizationRule {
    /// It fits every request.
    pub fits_all: bool,
    /// The identities in `from[].source.principals`, each with its place.
    pub principals: Vec<(String, Span)>,
    /// The namespaces in `from[].source.namespaces`, each with its place.
    pub namespaces: Vec<(String, Span)>,
    /// The port numbers in `to[].operation.ports`; empty if it does not look at ports.
    pub ports: Vec<u16>,
    /// Where it stands.
    pub span: Span,
}
