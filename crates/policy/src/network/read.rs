//! NetworkPolicies as plain types (`networking.k8s.io/v1 NetworkPolicy`).

use kubestride_manifest::{LabelSelector, Manifests};
use kubestride_source::Span;
use kubestride_yaml::Value;

/// Which way traffic goes, seen from the selected pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the pod.
    Ingress,
    /// From the pod.
    Egress,
}

/// A range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpBlock {
    /// The range.
    pub cidr: String,
    /// Ranges in it that are left out.
    pub except: Vec<String>,
}

/// The other party of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Pods: by their labels, in namespaces by theirs.
    Pods {
        /// None: all pods.
        pods: Option<LabelSelector>,
        /// None: the namespace of the policy.
        namespaces: Option<LabelSelector>,
    },
    /// Addresses; they never stand for pods.
    Block(IpBlock),
}

/// The port of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortNumber<'a> {
    /// All.
    Any,
    /// From the first to the last.
    Range(u16, u16),
    /// The port that containers give this name.
    Named(&'a str),
}

/// A port with its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPort<'a> {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: &'a str,
    /// Which.
    pub number: PortNumber<'a>,
}

/// One rule: any of the peers on any of the ports; no peers: everybody, no ports: all.
#[derive(Debug, Clone)]
pub struct Rule<'a> {
    /// Which way.
    pub direction: Direction,
    /// With whom, each with its place.
    pub peers: Vec<(Peer, Span)>,
    /// On which ports.
    pub ports: Vec<PolicyPort<'a>>,
    /// Where.
    pub span: Span,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: String,
    /// The pods it selects.
    pub selector: LabelSelector,
    /// Whether it isolates for incoming traffic.
    pub ingress: bool,
    /// Whether it isolates for outgoing traffic.
    pub egress: bool,
    /// Its rules.
    pub rules: Vec<Rule<'a>>,
    /// Where it is named.
    pub span: Span,
}

/// All policies of the input.
#[derive(Debug, Default)]
pub struct NetworkPolicies<'a> {
    pub(crate) policies: Vec<Policy<'a>>,
}

fn peer(value: Value<'_>) -> Option<Peer> {
    if let Some(block) = value.get("ipBlock") {
        let except = block.get("except").into_iter().flat_map(|e| e.items());
        return Some(Peer::Block(IpBlock {
            cidr: block.get("cidr")?.scalar_text()?.to_owned(),
            except: except.filter_map(|e| e.scalar_text()).map(str::to_owned).collect(),
        }));
    }
    let pods = value.get("podSelector").map(LabelSelector::read);
    let namespaces = value.get("namespaceSelector").map(LabelSelector::read);
    (pods.is_some() || namespaces.is_some()).then_some(Peer::Pods { pods, namespaces })
}

fn port<'a>(value: Value<'a>) -> PolicyPort<'a> {
    let protocol = value.get("protocol").and_then(|p| p.as_str()).unwrap_or("TCP");
    let number = |key: &str| value.get(key).and_then(|p| p.as_i64()).and_then(|p| u16::try_from(p).ok());
    let number = match (number("port"), number("endPort"), value.get("port").and_then(|p| p.as_str())) {
        (Some(first), last, _) => PortNumber::Range(first, last.unwrap_or(first).max(first)),
        (None, _, Some(name)) => PortNumber::Named(name),
        (None, _, None) => PortNumber::Any,
    };
    PolicyPort { protocol, number }
}

impl<'a> NetworkPolicies<'a> {
    /// Reads all policies.
    pub fn read(manifests: &'a Manifests, default_namespace: &str) -> Self {
        let mut policies = Vec::new();
        for object in
            manifests.by_kind("NetworkPolicy").filter(|o| matches!(o.group(), "networking.k8s.io" | "extensions"))
        {
            let Some(spec) = object.spec() else { continue };
            let types: Vec<&str> =
                spec.get("policyTypes").into_iter().flat_map(|t| t.items()).filter_map(|t| t.as_str()).collect();
            // Without `policyTypes` a policy isolates for ingress, and for egress if it has such rules.
            let ingress = types.is_empty() || types.contains(&"Ingress");
            let egress = if types.is_empty() { spec.get("egress").is_some() } else { types.contains(&"Egress") };
            let mut rules = Vec::new();
            let sides = [("ingress", "from", Direction::Ingress, ingress), ("egress", "to", Direction::Egress, egress)];
            for (key, peers, direction, isolates) in sides {
                for rule in spec.get(key).into_iter().flat_map(|r| r.items()).filter(|_| isolates) {
                    let listed = rule.get(peers).into_iter().flat_map(|p| p.items());
                    let listed: Vec<_> = listed.filter_map(|p| Some((peer(p)?, p.span()))).collect();
                    // A rule whose peers cannot be read must not be taken to admit everybody.
                    if listed.is_empty() && rule.get(peers).is_some_and(|p| !p.is_empty()) {
                        continue;
                    }
                    let ports = rule.get("ports").into_iter().flat_map(|p| p.items()).map(port).collect();
                    rules.push(Rule { direction, peers: listed, ports, span: rule.span() });
                }
            }
            policies.push(Policy {
                identity: object.identity(default_namespace),
                name: object.name(),
                namespace: object.effective_namespace(default_namespace).unwrap_or_default().to_owned(),
                selector: spec.get("podSelector").map_or_else(LabelSelector::everything, LabelSelector::read),
                ingress,
                egress,
                rules,
                span: object.span(),
            });
        }
        policies.sort_by(|a, b| a.identity.cmp(&b.identity));
        Self { policies }
    }

    /// All policies, sorted by identity.
    pub fn policies(&self) -> &[Policy<'a>] {
        &self.policies
    }
}
