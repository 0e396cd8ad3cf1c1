//! RBAC: who may do what, where, by which binding.

mod capability;
mod eval;
mod read;

pub use capability::{Capabilities, Capability, Held, capabilities};
pub use eval::{Grant, Reach, Subject};
pub use read::{Binding, Rbac, Role, RoleRef, Rule};
