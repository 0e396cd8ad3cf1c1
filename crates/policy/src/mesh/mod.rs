//! Istio: PeerAuthentication and AuthorizationPolicy.

mod eval;
mod read;

pub use eval::{Authorization, MutualTls};
pub use read::{AuthorizationPolicy, MeshPolicies, Mode, PeerAuthentication};
