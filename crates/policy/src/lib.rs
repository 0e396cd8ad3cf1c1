//! What policies mean: RBAC, network policies of Kubernetes, Cilium and Calico, Pod Security Standards, admission
//! policies, the policies of the meshes Istio and Linkerd, and those of KubeArmor.
//!
//! Each policy has a folder: plain types, `read`, which makes them from Kubernetes objects, and `eval`, which answers
//! questions and sees plain types only. Every answer says which policy it comes from ([`Cited`]). Answers do not depend
//! on the order of the objects.

pub mod admission;
pub mod calico;
pub mod cilium;
pub mod connections;
mod doubts;
mod family;
pub mod linkerd;
mod matched;
pub mod mesh;
mod meshed;
pub mod network;
mod network_plugins;
mod pod;
pub mod pod_security;
pub mod rbac;
pub mod runtime;
mod version;

pub use family::{Circumstances, Family};
pub use matched::Match;
pub use meshed::{Admits, Call, MeshAnswer, MeshPod, MeshService, MeshVerdict, Named, Protection};
pub use pod::{Cited, Namespaces, Pod, PodPort};
pub use version::Version;
