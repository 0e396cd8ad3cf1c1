//! Views of Kubernetes objects over parsed documents.
//!
//! [`Manifests`] owns the documents and knows which objects are in them. Everything else here is a view: a few words
//! that point into a document, made when asked for and free to copy. Views say what is written. What Kubernetes would
//! set by default is said by whoever gives it a meaning, save where two places of an object are merged by definition
//! ([`Container::merged`]).
//!
//! Reading never fails. A field of the wrong type reads as not set and is reported once, by [`Manifests::finish`].

mod check;
mod container;
mod env;
mod field;
mod finish;
mod identity;
mod kinds;
mod labels;
mod manifests;
mod object;
mod pod;
mod probe;
mod service;
mod visibility;
mod volume;

pub use container::{Container, ContainerPort, ContainerRole, VolumeMount};
pub use env::{EnvFrom, EnvSource, EnvSourceKind, EnvVar};
pub use field::{Field, PortRef};
pub use identity::Identity;
pub use kinds::{is_known_kind, is_kubernetes_group, stable_name};
pub use labels::{LabelSelector, Labels, NAMESPACE_NAME, Requirement, RequirementTest};
pub use manifests::Manifests;
pub use object::Object;
pub use pod::{PodSpec, PodTemplate, Workload};
pub use probe::{Probe, ProbeAction, ProbeKind};
pub use service::{Service, ServicePort, ServiceType};
pub use visibility::{broken_visibility, visibility};
pub use volume::{ItemPath, Volume, VolumeSource};
