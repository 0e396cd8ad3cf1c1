//! Policies of the Istio mesh (`security.istio.io`).
//!
//! Sources: <https://istio.io/latest/docs/reference/config/security/>,
//! <https://istio.io/latest/docs/ambient/usage/l4-policy/>.

mod authorize;
mod config;
mod dataplane;
mod declared;
mod destination;
mod eval;
mod limits;
mod mutual_tls;
mod pattern;
mod read;
mod rule;
mod tokens;

use std::collections::BTreeMap;

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

use crate::Cited;
use crate::doubts::Problem;
use config::MeshConfig;
use destination::DestinationRules;

pub use dataplane::{Dataplane, goes_around, inbound_annotation};
pub use declared::DeclaredSource;
pub use eval::Authorization;
pub use limits::limits;
pub use rule::{About, AuthorizationRule, Test};
pub use tokens::TokenCheck;

/// Where policies stand that are for the whole mesh, unless its operator chose another namespace.
const ROOT_NAMESPACE: &str = "istio-system";

/// The group of the policies.
pub(crate) const GROUP: &str = "security.istio.io";

/// All policies of the mesh.
#[derive(Debug, Default)]
pub struct Mesh {
    authentications: Vec<PeerAuthentication>,
    authorizations: Vec<AuthorizationPolicy>,
    tokens: Vec<RequestAuthentication>,
    authentications_of: BTreeMap<String, Vec<usize>>,
    authorizations_of: BTreeMap<String, Vec<usize>>,
    tokens_of: BTreeMap<String, Vec<usize>>,
    /// Which TLS callers use.
    destinations: DestinationRules,
    /// The kinds of traffic that waypoints are for, `istio.io/waypoint-for`, by namespace and name of their Gateway.
    waypoints: BTreeMap<(String, String), String>,
    config: MeshConfig,
    problems: Vec<Problem>,
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
    /// Policies contradict each other, or are not understood.
    Undetermined,
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
    /// Which workloads it is for is not understood.
    pub(crate) is_unclear: bool,
    pub(crate) mode: Mode,
    pub(crate) ports: Vec<(u16, Mode)>,
}

/// A RequestAuthentication: which tokens are valid. Requests without a token are let through.
#[derive(Debug, Clone)]
pub struct RequestAuthentication {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Its namespace.
    pub namespace: String,
    /// Its namespace is the root namespace, so that it is for all.
    pub(crate) is_everywhere: bool,
    /// The workloads that it is for; none for all.
    pub workloads: Option<LabelSelector>,
    /// It is for gateways, Services and the like, not for workloads: `targetRefs`.
    pub has_targets: bool,
    /// It has rules by which tokens are checked.
    pub checks: bool,
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
    /// Something that is not known.
    Unknown,
}

/// An AuthorizationPolicy.
#[derive(Debug, Clone)]
pub struct AuthorizationPolicy {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Its namespace.
    pub namespace: String,
    /// Its namespace is the root namespace, so that it is for all.
    pub(crate) is_everywhere: bool,
    /// The workloads that it is for; none for all.
    pub workloads: Option<LabelSelector>,
    /// Kind and name of the gateways, Services and the like that it is for instead: `targetRefs`.
    pub targets: Vec<(String, String)>,
    /// Which workloads it is for is not understood.
    pub is_unclear: bool,
    /// It is only tried out: `istio.io/dry-run`.
    pub dry_run: bool,
    /// What it does.
    pub action: Action,
    /// Its rules. Without any it fits no request, so one that allows lets nothing through.
    pub rules: Vec<AuthorizationRule>,
}
