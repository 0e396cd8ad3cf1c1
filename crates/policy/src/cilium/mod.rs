//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (`cilium.io/v2`), as far as they are about connections.
//!
//! What an endpoint may send and accept is the union of what all policies that select it allow, those of Kubernetes among
//! them; rules that deny win over all that allow. A policy with rules for a direction isolates what it selects in that
//! direction, unless `enableDefaultDeny` says otherwise.
//!
//! Rules for requests (`rules.http` and the like) do not change the answer: connections get through, and a diagnostic says
//! that some requests may not. What Cilium refuses or this version does not know makes the whole policy uncertain, for
//! Cilium takes a policy as a whole or not at all. A policy is read as the current version of Cilium reads it.
//!
//! Source: <https://docs.cilium.io/en/stable/security/policy/language/>.

mod eval;
mod name;
mod peers;
mod ports;
mod read;
mod selector;

use std::sync::Arc;

use kubestride_source::Span;

use crate::Cited;
use crate::network::{Block, Direction, PortRange};

pub use name::Name;
pub use selector::Selector;

/// All policies of Cilium.
#[derive(Debug, Default)]
pub struct CiliumPolicies {
    /// Each `spec` and each item of `specs`, in order of their objects' identities.
    pub policies: Vec<Arc<CiliumPolicy>>,
}

/// One `spec` of an object, which Cilium calls a rule.
#[derive(Debug, Clone)]
pub struct CiliumPolicy {
    /// The identity of the object.
    pub identity: String,
    /// Where the object is named.
    pub span: Span,
    /// Its namespace; none for those of the cluster.
    pub namespace: Option<String>,
    /// Whom it is for.
    pub subject: Subject,
    /// For what comes in.
    pub ingress: Section,
    /// For what goes out.
    pub egress: Section,
    /// Whether all of the object was understood and Cilium takes it.
    pub certain: bool,
}

/// Whom a policy is for.
#[derive(Debug, Clone)]
pub enum Subject {
    /// `endpointSelector`: pods.
    Endpoints(Selector),
    /// `nodeSelector`: nodes, and pods in their network.
    Nodes,
}

/// What a policy says about one direction.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Whether what no rule allows is denied.
    pub isolates: bool,
    /// What is allowed.
    pub allow: Vec<CiliumRule>,
    /// What is denied, whatever is allowed.
    pub deny: Vec<CiliumRule>,
}

/// A rule of a section.
#[derive(Debug, Clone)]
pub struct CiliumRule {
    /// Whom it is about; everybody if there is no list.
    pub peers: Option<Vec<CiliumPeer>>,
    /// `fromRequires` and `toRequires`, which versions before 1.19 demand of all peers.
    pub requires: Vec<Selector>,
    /// On which ports of who is called; all if there are none.
    pub ports: Vec<PortRange>,
    /// Whether only some requests get through.
    pub some_requests: bool,
    /// Whether only some names may be asked for (`rules.dns`).
    pub some_names: bool,
    /// Whether both ends must have proven who they are (`authentication.mode: required`).
    pub authenticated: bool,
    /// Where it stands.
    pub span: Span,
}

/// One peer.
#[derive(Debug, Clone)]
pub struct CiliumPeer {
    /// Who it is.
    pub kind: PeerKind,
    /// Where it stands.
    pub span: Span,
}

/// Who a peer is.
#[derive(Debug, Clone)]
pub enum PeerKind {
    /// Endpoints with labels: those of pods, or of what Cilium has reserved labels for.
    Endpoints(Selector),
    /// A class of peers.
    Entity(Entity),
    /// Addresses; never those of pods, which have labels.
    Block(Block),
    /// Hosts outside by their names.
    Name(Name),
    /// Addresses that manifests do not tell: a group that is not in the input, or one of a cloud.
    Addresses,
    /// Nodes.
    Nodes,
    /// Anybody: a Service that is not in the input.
    Undetermined,
}

/// Classes of peers that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// Everybody.
    All,
    /// What is outside of the cluster.
    World,
    /// The same, with addresses of IPv4; in clusters with both families only.
    WorldIpv4,
    /// The same, with addresses of IPv6; in clusters with both families only.
    WorldIpv6,
    /// Everything in the cluster, with its nodes.
    Cluster,
    /// The node that the pod is on, with all pods in its network.
    Host,
    /// The other nodes, with all pods in their network.
    RemoteNode,
    /// The API server, in the cluster or not.
    ApiServer,
    /// Endpoints without an identity yet.
    Init,
    /// The proxy of Cilium for what comes in.
    Ingress,
    /// Cilium's own endpoints for checks of health.
    Health,
    /// Endpoints that Cilium does not manage.
    Unmanaged,
    /// Nobody.
    None,
}

impl CiliumPolicy {
    /// The object as the source of an answer.
    pub fn cite(&self) -> Cited {
        Cited { identity: self.identity.clone(), span: self.span }
    }

    /// What it says about a direction.
    pub fn section(&self, direction: Direction) -> &Section {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

impl Entity {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "world" => Self::World,
            "world-ipv4" => Self::WorldIpv4,
            "world-ipv6" => Self::WorldIpv6,
            "cluster" => Self::Cluster,
            "host" => Self::Host,
            "remote-node" => Self::RemoteNode,
            "kube-apiserver" => Self::ApiServer,
            "init" => Self::Init,
            "ingress" => Self::Ingress,
            "health" => Self::Health,
            "unmanaged" => Self::Unmanaged,
            "none" => Self::None,
            _ => return None,
        })
    }
}
