//! What Kubernetes policies mean.
//!
//! One folder per policy: `read` turns objects into plain types, `eval` answers questions over plain types only.

pub mod mesh;
pub mod network;
pub mod rbac;
