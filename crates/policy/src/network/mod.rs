//! NetworkPolicy: which connections are let through.

mod eval;
mod read;

pub use eval::{Answer, Isolation, Isolations, Pod};
pub use read::{Direction, IpBlock, NetworkPolicies, Peer, Policy, PolicyPort, PortNumber, Rule};
