//! From Kubernetes objects to the model.
//!
//! Each signal (module `signals`) looks for one kind of evidence and makes claims; one merger (module `merge`) builds
//! the model from all claims. Names, labels and addresses of particular applications occur nowhere: what images tell is
//! in `catalog/technologies`, everything else is what the objects mean.

mod address;
mod alertmanager;
mod binding_subjects;
mod by_name;
mod claims;
mod cloud_identity;
mod connection_string;
mod credential_files;
mod credentials;
mod directory;
mod elasticsearch_nodes;
mod endpoints;
mod enforcement;
mod expand;
mod gateway_listeners;
mod host_aliases;
mod host_path;
mod kafka_listeners;
mod merge;
mod mesh_flows;
mod mesh_hosts;
mod mesh_pods;
mod mesh_routes;
pub mod observed;
mod operated;
mod pattern;
mod pod_index;
mod public_names;
mod relabel;
mod resolve;
mod resource_references;
mod scrape_jobs;
mod secret_data;
mod settings;
mod signals;
mod technology;
mod tls_origination;
mod tls_settings;
mod token;
mod traffic;
mod unknown_kinds;
mod verdict;
mod world;

pub use observed::Observation;

use kubestride_manifest::Manifests;
use kubestride_model::Model;
use kubestride_policy::Circumstances;
use kubestride_source::{Diagnostic, Span};

/// How complete the input is, which decides what absence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything of the cluster is there.
    Cluster,
    /// Everything of the application is there; other things of the cluster are not.
    Application,
    /// A part of an application: what is not there may be elsewhere.
    Fragment,
}

impl Scope {
    /// The word on the command line and in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Cluster => "cluster",
            Scope::Application => "application",
            Scope::Fragment => "fragment",
        }
    }
}

/// What the user says about the input.
#[derive(Debug, Clone)]
pub struct Options {
    /// How complete it is.
    pub scope: Scope,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The version of Kubernetes, whose Pod Security Standards are asked, and which serves some versions of policies.
    pub kubernetes: kubestride_policy::Version,
}

/// A model, and the parts of values that were read as addresses and may be shown.
#[derive(Debug)]
pub struct Discovered {
    /// The data-flow diagram.
    pub model: Model,
    /// Places in the input that hold addresses, without credentials.
    pub addresses: Vec<Span>,
    /// How many claims each signal made, by its name.
    pub signals: Vec<(&'static str, usize)>,
    /// How many connections that were seen are about parties that the input does not hold.
    pub strangers: usize,
    /// What of policies was not understood, and how that limits the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Under which circumstances network policies hold, and which kinds of them have no effect.
pub fn circumstances(manifests: &Manifests, options: &Options) -> (Circumstances, Vec<Diagnostic>) {
    let made = operated::made_labels(manifests);
    let world = world::World::new(manifests, options, &made);
    (world.enforcement.circumstances(&world), world.enforcement.diagnostics(&world.network))
}

/// Builds the model of a set of objects.
pub fn discover(manifests: &Manifests, options: &Options) -> Discovered {
    discover_with(manifests, options, &[])
}

/// What of policies was not understood while they were read.
fn limits(world: &world::World<'_>) -> Vec<Diagnostic> {
    let (manifests, namespace) = (world.manifests, world.options.namespace.as_str());
    let mut found = kubestride_policy::connections::limits(manifests, &world.network, namespace);
    found.extend(world.enforcement.diagnostics(&world.network));
    found.extend(kubestride_policy::rbac::limits(manifests, &world.rbac, namespace));
    found.extend(kubestride_policy::mesh::limits(manifests, &world.mesh, namespace));
    found.extend(kubestride_policy::linkerd::limits(manifests, &world.linkerd, namespace));
    found
}

/// Builds the model of a set of objects and of traffic that was seen between them.
pub fn discover_with(manifests: &Manifests, options: &Options, observations: &[Observation]) -> Discovered {
    let made = operated::made_labels(manifests);
    let world = world::World::new(manifests, options, &made);
    let (mut claims, counts) = signals::claim_all(&world);
    let strangers = observed::claim(&world, observations, &mut claims);
    let addresses = std::mem::take(&mut claims.reveals);
    let mut diagnostics = std::mem::take(&mut claims.diagnostics);
    diagnostics.extend(limits(&world));
    diagnostics.extend(unknown_kinds::not_read(manifests));
    let model = merge::merge(&world, claims, !observations.is_empty());
    Discovered { model, addresses, signals: counts, strangers, diagnostics }
}
