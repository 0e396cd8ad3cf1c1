//! Policies of the Linkerd mesh (`policy.linkerd.io`).
//!
//! Source: <https://linkerd.io/2/reference/authorization-policy/>.

mod eval;
mod limits;
mod read;

use std::collections::BTreeMap;

use kubestride_manifest::LabelSelector;
use kubestride_source::Span;

use crate::Cited;
use crate::doubts::Problem;

pub use eval::{goes_around, is_wanted_by_namespace, membership};
pub use limits::limits;

/// The group of the policies.
pub(crate) const GROUP: &str = "policy.linkerd.io";

/// All policies of the mesh.
#[derive(Debug, Default)]
pub struct Linkerd {
    servers: Vec<Server>,
    authorizations: Vec<Authorization>,
    /// The Servers that a route is attached to, by namespace and name of the route.
    routes: BTreeMap<(String, String), Vec<String>>,
    servers_of: BTreeMap<String, Vec<usize>>,
    authorizations_of: BTreeMap<String, Vec<usize>>,
    problems: Vec<Problem>,
}

/// A Server: a port of pods. Only what is authorized reaches it.
#[derive(Debug, Clone)]
pub struct Server {
    /// The Server, where it is named.
    pub cited: Cited,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels, by which ServerAuthorizations find it.
    labels: Vec<(String, String)>,
    /// The pods that it is for; none if it is for machines outside of the cluster.
    pub pods: Option<LabelSelector>,
    /// The port of the pods.
    port: ServerPort,
    /// What becomes of callers that no authorization is about: `accessPolicy`.
    access: DefaultPolicy,
}

/// The port of a Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerPort {
    Number(u16),
    Name(String),
    /// Not understood, or of a version that is not known.
    Unknown,
}

/// Who may call where nothing else says so: `config.linkerd.io/default-inbound-policy` and `accessPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefaultPolicy {
    /// Everybody; `audit` too, which writes it down besides.
    AllUnauthenticated,
    /// Members of the mesh.
    AllAuthenticated,
    /// Everybody in the cluster.
    ClusterUnauthenticated,
    /// Members of the mesh in the cluster.
    ClusterAuthenticated,
    /// Nobody.
    Deny,
    /// Something that is not known.
    Unknown,
}

/// A ServerAuthorization or an AuthorizationPolicy.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The policy, where it is named.
    pub cited: Cited,
    /// Its namespace.
    pub namespace: String,
    /// What may be called.
    target: Target,
    /// Who may call it: who fulfils all of these.
    clients: Vec<Client>,
}

/// What an authorization is for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The Server of this name, in the namespace of the authorization.
    Server(String),
    /// Servers with these labels.
    Servers(LabelSelector),
    /// Requests of the route of this name.
    Route(String),
    /// All Servers of the namespace.
    Namespace,
    /// Not understood.
    Unknown,
}

/// Who is authorized.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    /// Everybody.
    Everybody,
    /// Callers that use TLS, whoever they are.
    AnyTls,
    /// Members of the mesh with one of these identities.
    Identities(Vec<Identity>),
    /// Callers with certain addresses, which manifests do not tell.
    Addresses,
    /// Not understood, or not in the input.
    Unknown,
}

/// An identity of the mesh.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// A service account, by namespace and name.
    Account(String, String),
    /// All service accounts of a namespace.
    Namespace(String),
    /// `web.shop.serviceaccount.identity.linkerd.cluster.local`, maybe with a star at the beginning.
    Text(String),
}

impl Linkerd {
    /// All Servers in order of their identities.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// All ServerAuthorizations and AuthorizationPolicies in order of their identities.
    pub fn authorizations(&self) -> &[Authorization] {
        &self.authorizations
    }
}

impl DefaultPolicy {
    /// Reads the value of an annotation or of `accessPolicy`.
    pub fn from_text(text: &str) -> Self {
        match text {
            "all-unauthenticated" | "audit" => Self::AllUnauthenticated,
            "all-authenticated" => Self::AllAuthenticated,
            "cluster-unauthenticated" => Self::ClusterUnauthenticated,
            "cluster-authenticated" => Self::ClusterAuthenticated,
            "deny" => Self::Deny,
            _ => Self::Unknown,
        }
    }
}

impl Authorization {
    /// Where it lets everybody through, in the mesh or not.
    pub fn admits_everyone(&self) -> Option<Span> {
        self.clients.iter().all(|client| matches!(client, Client::Everybody)).then_some(self.cited.span)
    }

    /// The service accounts that it names, by namespace and name.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &str)> {
        let identities = self.clients.iter().flat_map(|client| match client {
            Client::Identities(identities) => identities.as_slice(),
            _ => &[],
        });
        identities.filter_map(|identity| match identity {
            Identity::Account(namespace, name) => Some((namespace.as_str(), name.as_str())),
            _ => None,
        })
    }
}
