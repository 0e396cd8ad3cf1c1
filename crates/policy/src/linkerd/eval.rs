//! What Linkerd does with one connection.

use kubestride_manifest::{LabelSelector, Labels};

use super::{Authorization, Client, DefaultPolicy, Identity, Linkerd, Server, ServerPort, Target};
use crate::meshed::{Admits, Call, Caller, MeshAnswer, MeshPod, MeshVerdict, Named, Protection, port_in};
use crate::{Cited, Match, Pod};

/// The end of identities in a mesh whose operator chose no other names.
const DOMAIN: &str = "linkerd.cluster.local";

/// Whether a pod has a proxy of the mesh: `linkerd.io/inject` on it or its namespace. Pods in the network of their node get
/// none.
pub fn membership(pod: &MeshPod<'_>) -> Match {
    if pod.containers.contains(&"linkerd-proxy") {
        return Match::Yes;
    }
    let stated = pod.annotations.get("linkerd.io/inject").or(pod.namespace_annotations.get("linkerd.io/inject"));
    match stated {
        _ if pod.pod.host_network => Match::No,
        _ if pod.pod.namespace_labels.get("config.linkerd.io/admission-webhooks") == Some("disabled") => Match::No,
        Some("enabled" | "ingress") => Match::Yes,
        Some("disabled") => Match::No,
        _ => Match::Unknown,
    }
}

/// Whether the namespace of a pod says that its pods are part of the mesh.
pub fn is_wanted_by_namespace(pod: &MeshPod<'_>) -> bool {
    matches!(pod.namespace_annotations.get("linkerd.io/inject"), Some("enabled" | "ingress"))
}

/// The annotation of a pod by which some of its traffic goes around the proxy.
pub fn goes_around(pod: &MeshPod<'_>) -> Option<&'static str> {
    let keys = ["config.linkerd.io/skip-inbound-ports", "config.linkerd.io/skip-outbound-ports"];
    keys.into_iter().find(|key| pod.annotations.get(key).is_some_and(|ports| !ports.trim().is_empty()))
}

/// Whether a port is in a list of ports to skip: on a pod, else on its namespace, else that of the installation, which has
/// [`GALERA`] unless its operator chose others.
fn skipped(pod: &MeshPod<'_>, annotation: &str, port: Option<u16>) -> Match {
    let stated = pod.annotations.get(annotation).or(pod.namespace_annotations.get(annotation));
    match stated {
        Some(list) => port_in(list, port),
        None => Match::from(port.is_some_and(|port| GALERA.contains(&port))).min(Match::Unknown),
    }
}

/// Ports that an installation skips if nobody says otherwise: replication of MySQL.
const GALERA: [u16; 2] = [4567, 4568];

/// Whether the proxy of the target sees a connection to a port. What comes from addresses that are skipped goes around it.
fn enforced(target: &MeshPod<'_>, port: Option<u16>) -> Match {
    let around = skipped(target, "config.linkerd.io/skip-inbound-ports", port).max(by_address(target));
    membership(target).min(around.negated())
}

/// Whether a proxy of the source sees a connection.
fn sends(call: &Call<'_, '_>) -> Match {
    let around =
        skipped(call.source, "config.linkerd.io/skip-outbound-ports", call.dialled).max(by_address(call.source));
    membership(call.source).min(around.negated())
}

/// Whether addresses are skipped. Which ones pods have, manifests do not tell.
fn by_address(pod: &MeshPod<'_>) -> Match {
    let key = "config.linkerd.io/skip-subnets";
    let stated = pod.annotations.get(key).or(pod.namespace_annotations.get(key));
    Match::from(stated.is_some_and(|list| !list.trim().is_empty())).min(Match::Unknown)
}

impl Linkerd {
    /// Whether a connection is authorized; none if the target is not part of the mesh, or if nothing says that it is and no
    /// Server is for it.
    pub fn answer(&self, call: &Call<'_, '_>) -> Option<MeshAnswer> {
        let servers: Vec<_> = self.servers_for(&call.target.pod, call.port).collect();
        match membership(call.target) {
            Match::No => return None,
            Match::Unknown if servers.is_empty() => return None,
            _ => {}
        }
        let mut answers = Vec::new();
        let enforced = enforced(call.target, call.port);
        if enforced != Match::Yes {
            answers.push(MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new()));
        }
        if enforced != Match::No {
            let account = Some((call.source.pod.namespace, call.source.pod.service_account));
            let callers: &[Caller<'_>] = match sends(call) {
                Match::Yes => &[account],
                Match::Unknown => &[None, account],
                Match::No => &[None],
            };
            answers.extend(callers.iter().map(|caller| self.decide(&servers, call.target, *caller)));
        }
        let mut answer = MeshAnswer::agreed(answers);
        if answer.verdict == MeshVerdict::Undetermined && answer.by.is_empty() {
            answer.by.extend(servers.iter().map(|(server, _)| server.cited.clone()));
        }
        if answer.verdict == MeshVerdict::Allowed {
            let is_stopped =
                |caller: Caller<'_>| self.decide(&servers, call.target, caller).verdict == MeshVerdict::Denied;
            answer.named = Named::against_others(call.source.pod.namespace, is_stopped);
        }
        Some(answer)
    }

    /// Whom the policies let through to a workload on all of these ports, and what says so; none if that is not known, or if
    /// nothing says that it is part of the mesh.
    pub fn admits(&self, target: &MeshPod<'_>, ports: &[u16]) -> Option<(Admits, Vec<Cited>)> {
        match membership(target) {
            Match::No => return Some((Admits::Everybody, Vec::new())),
            Match::Unknown => return None,
            Match::Yes => {}
        }
        let ask = |caller: Caller<'_>, port: Option<u16>| match enforced(target, port) {
            Match::Yes => {
                let servers: Vec<_> = self.servers_for(&target.pod, port).collect();
                self.decide(&servers, target, caller)
            }
            Match::No => MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new()),
            Match::Unknown => MeshAnswer::new(MeshVerdict::Undetermined, Vec::new()),
        };
        Admits::of(ask, ports)
    }

    /// How a connection is protected on its way: proxies use mutual TLS between themselves, whatever policies say.
    pub fn protection(&self, call: &Call<'_, '_>) -> Protection {
        let members = enforced(call.target, call.port).min(sends(call)) == Match::Yes;
        let servers: Vec<_> = self.servers_for(&call.target.pod, call.port).collect();
        let strangers = self.decide(&servers, call.target, None);
        let proves_identity = members && strangers.verdict == MeshVerdict::Denied;
        Protection { encrypted: members, proves_identity, by: if proves_identity { strangers.by } else { Vec::new() } }
    }

    /// Servers that are, or may be, for a port of a pod.
    fn servers_for<'m>(&'m self, pod: &'m Pod<'_>, port: Option<u16>) -> impl Iterator<Item = (&'m Server, Match)> {
        let at = self.servers_of.get(pod.namespace).map(Vec::as_slice).unwrap_or_default();
        let servers = at.iter().filter_map(|at| self.servers.get(*at));
        servers.map(move |server| (server, server.fit(pod, port))).filter(|(_, fit)| *fit != Match::No)
    }

    /// Whether a Server is for some port of a pod.
    pub fn selecting<'m>(&'m self, pod: &'m Pod<'_>) -> impl Iterator<Item = &'m Server> {
        self.servers_for(pod, None).map(|(server, _)| server)
    }

    /// The answer for one caller.
    fn decide(&self, servers: &[(&Server, Match)], target: &MeshPod<'_>, caller: Caller<'_>) -> MeshAnswer {
        let certain = servers.iter().any(|(_, fit)| *fit == Match::Yes);
        let mut answers: Vec<MeshAnswer> = servers.iter().map(|(server, _)| self.decide_at(server, caller)).collect();
        if !certain {
            answers.push(of_default(target, caller));
        }
        MeshAnswer::agreed(answers)
    }

    /// "When a Server resource is present, all traffic to the port on its pods will be denied (regardless of the default
    /// policy) unless explicitly authorized."
    fn decide_at(&self, server: &Server, caller: Caller<'_>) -> MeshAnswer {
        let at = self.authorizations_of.get(&server.namespace).map(Vec::as_slice).unwrap_or_default();
        let all = at.iter().filter_map(|at| self.authorizations.get(*at));
        let fits = all.map(|authorization| {
            let clients = Match::all(authorization.clients.iter().map(|client| client.fit(caller)));
            (authorization, self.is_for(authorization, server).min(clients))
        });
        let fitting: Vec<_> = fits.filter(|(_, fit)| *fit != Match::No).collect();
        let cite = |least: Match| -> Vec<Cited> {
            fitting
                .iter()
                .filter(|(_, fit)| *fit >= least)
                .map(|(authorization, _)| authorization.cited.clone())
                .collect()
        };
        let allowed = cite(Match::Yes);
        if !allowed.is_empty() {
            return MeshAnswer::new(MeshVerdict::Allowed, allowed);
        }
        let otherwise = server.access.answer(caller, &server.cited);
        // `accessPolicy` may let through what no authorization does.
        if fitting.is_empty() || otherwise.verdict == MeshVerdict::Allowed {
            return otherwise;
        }
        MeshAnswer::new(MeshVerdict::Undetermined, cite(Match::Unknown))
    }

    fn is_for(&self, authorization: &Authorization, server: &Server) -> Match {
        match &authorization.target {
            Target::Server(name) => Match::from(*name == server.name),
            Target::Servers(selector) => Match::from(server.has_labels(selector)),
            Target::Namespace => Match::Yes,
            // Which requests are of a route, manifests do not tell.
            Target::Route(name) => {
                let key = (authorization.namespace.clone(), name.clone());
                match self.routes.get(&key) {
                    Some(servers) if !servers.contains(&server.name) => Match::No,
                    _ => Match::Unknown,
                }
            }
            Target::Unknown => Match::Unknown,
        }
    }
}

/// What becomes of a connection to a port without a Server.
fn of_default(target: &MeshPod<'_>, caller: Caller<'_>) -> MeshAnswer {
    let key = "config.linkerd.io/default-inbound-policy";
    let stated = target.annotations.get(key).or(target.namespace_annotations.get(key));
    match stated.map(DefaultPolicy::from_text) {
        // "All-unauthenticated: allow all traffic. This is the default."
        None | Some(DefaultPolicy::AllUnauthenticated | DefaultPolicy::ClusterUnauthenticated) => {
            MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new())
        }
        Some(policy) => MeshAnswer { by: Vec::new(), ..policy.answer_for(caller) },
    }
}

impl DefaultPolicy {
    fn answer(self, caller: Caller<'_>, by: &Cited) -> MeshAnswer {
        MeshAnswer { by: vec![by.clone()], ..self.answer_for(caller) }
    }

    fn answer_for(self, caller: Caller<'_>) -> MeshAnswer {
        let verdict = match (self, caller) {
            (Self::AllUnauthenticated | Self::ClusterUnauthenticated, _) => MeshVerdict::Allowed,
            (Self::AllAuthenticated | Self::ClusterAuthenticated, Some(_)) => MeshVerdict::Allowed,
            (Self::AllAuthenticated | Self::ClusterAuthenticated, None) | (Self::Deny, _) => MeshVerdict::Denied,
            (Self::Unknown, _) => MeshVerdict::Undetermined,
        };
        MeshAnswer::new(verdict, Vec::new())
    }
}

impl Server {
    fn fit(&self, pod: &Pod<'_>, port: Option<u16>) -> Match {
        let Some(selector) = &self.pods else { return Match::No };
        let numbers: Vec<u16> = match &self.port {
            ServerPort::Number(number) => vec![*number],
            ServerPort::Name(name) => pod.ports.iter().filter(|p| p.name == name).map(|p| p.number).collect(),
            ServerPort::Unknown => return Match::from(selector.matches(pod.labels)).min(Match::Unknown),
        };
        let on_port = match port {
            Some(port) => Match::from(numbers.contains(&port)),
            None if numbers.is_empty() => Match::No,
            None => Match::Unknown,
        };
        Match::from(selector.matches(pod.labels)).min(on_port)
    }

    pub(super) fn has_labels(&self, selector: &LabelSelector) -> bool {
        selector.matches(&Labels::from_pairs(self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
    }
}

impl Client {
    fn fit(&self, caller: Caller<'_>) -> Match {
        match self {
            Client::Everybody => Match::Yes,
            Client::AnyTls => {
                if caller.is_some() {
                    Match::Yes
                } else {
                    Match::Unknown
                }
            }
            Client::Identities(identities) => Match::any(identities.iter().map(|identity| identity.fit(caller))),
            Client::Addresses | Client::Unknown => Match::Unknown,
        }
    }
}

impl Identity {
    /// "Clients must be in the mesh and must have one of the specified identities."
    fn fit(&self, caller: Caller<'_>) -> Match {
        let Some((namespace, account)) = caller else { return Match::No };
        match self {
            Identity::Account(of, name) => Match::from((of.as_str(), name.as_str()) == (namespace, account)),
            Identity::Namespace(of) => Match::from(of == namespace),
            Identity::Text(text) if text == "*" => Match::Yes,
            Identity::Text(text) => {
                let own = format!("{account}.{namespace}.serviceaccount.identity.");
                match (text.strip_prefix('*'), text.split_once(".serviceaccount.identity.")) {
                    (Some(suffix), None) if format!("{own}{DOMAIN}").ends_with(suffix) => Match::Yes,
                    // The end of another domain, which may be that of the mesh.
                    (Some(_), None) => Match::Unknown,
                    (None, None) => Match::No,
                    (star, Some((names, domain))) => {
                        let own = format!("{account}.{namespace}");
                        let fits = match star {
                            Some(_) => own.ends_with(names.trim_start_matches('*')),
                            None => own == names,
                        };
                        let known = if domain == DOMAIN { Match::Yes } else { Match::Unknown };
                        Match::from(fits).min(known)
                    }
                }
            }
        }
    }
}
