//! What policies mean: RBAC, NetworkPolicy and those around it, those of Calico, Pod Security Standards, admission
//! policies, the policies of the Istio mesh, and those of KubeArmor.
//!
//! Each policy has a folder: plain types, `read`, which makes them from Kubernetes objects, and `eval`, which answers
//! questions and sees plain types only. Every answer says which policy it comes from ([`Cited`]). Answers do not depend
//! on the order of the objects.

pub mod admission;
pub mod calico;
pub mod cilium;
pub mod connections;
pub mod mesh;
pub mod network;
mod pod;
pub mod pod_security;
pub mod rbac;
pub mod runtime;

pub use pod::{Cited, Namespaces, Pod, PodPort};
