//! From an address that a workload has to the flows that it means.

use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Encryption, YesNo};
use kubestride_yaml::Value;

use crate::address::{self, Address};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::credentials;
use crate::host_aliases;
use crate::resolve::{Resolved, resolve};
use crate::technology::{self, protocol_of_port, protocol_of_scheme};
use crate::world::{ServiceInfo, World};

/// How an address was found.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'t> {
    /// The name of the variable, flag or file entry that holds it; may be empty.
    pub(crate) key: &'t str,
    /// A port given apart from the host.
    pub(crate) port: Option<u16>,
    /// How sure a flow to a Service of the input is.
    pub(crate) inside: Confidence,
    /// How sure a flow to a host outside is.
    pub(crate) outside: Confidence,
    /// The place of the address in the input, which is shown if it is one; none where it does not stand as it was read.
    pub(crate) place: Option<Span>,
    /// Where it stands and what it says.
    pub(crate) note: Note,
}

/// Ends of keys that say that the value is an address.
const ADDRESS_KEYS: [&str; 28] = [
    "HOST",
    "HOSTS",
    "HOSTNAME",
    "ADDR",
    "ADDRESS",
    "URL",
    "URI",
    "ENDPOINT",
    "ENDPOINTS",
    "SERVICE",
    "SERVER",
    "SERVERS",
    "DSN",
    "BROKER",
    "BROKERS",
    "UPSTREAM",
    "TARGET",
    "TARGETS",
    "PEERS",
    // Of rings of processes that find each other: `join_members`.
    "MEMBERS",
    "BACKEND",
    "NODES",
    "ADDRESSES",
    "CONNSTR",
    "HOSTADDRESS",
    "SERVERURL",
    "URIS",
    "URLS",
];

/// Directives of nginx that hand requests on.
const PASSES: [&str; 4] = ["PROXY_PASS", "GRPC_PASS", "FASTCGI_PASS", "UWSGI_PASS"];

/// Ends of keys, in several words, that say that the value is an address or a list of settings that begins with one:
/// `HostName`, `EventBusConnection`, `ConnectionString`.
const ADDRESS_PHRASES: [&str; 8] = [
    "HOST_NAME",
    "HOST_NAMES",
    "CONNECTION",
    "CONNECTION_STRING",
    "CONN_STR",
    "BOOTSTRAP",
    "CONTACT_POINT",
    "CONTACT_POINTS",
];

/// Words in keys that say that the address is not called: it is shown to users, or it is the workload's own.
const NOT_CALLED: [&str; 24] = [
    "REDIRECT",
    "CALLBACK",
    "CALL_BACK",
    "ORIGIN",
    "CORS",
    "ALLOWED",
    "DOCS",
    "DOCUMENTATION",
    "DESCRIPTION",
    "RUNBOOK",
    // What Kibana hands on to agents.
    "FLEET_AGENTS",
    "DASHBOARD_URL",
    "ICON",
    "LOGO",
    "HOMEPAGE",
    "EXTERNAL_URL",
    "PUBLIC",
    "ROOT_URL",
    "NO_PROXY",
    "LISTEN",
    "LISTENER",
    "BIND",
    // Host names by which a proxy tells requests apart, and where an API gateway itself is found.
    "MATCH_HOST",
    "GLOBAL_CONFIGURATION_BASE_URL",
];

/// Hosts whose addresses name something, such as a vocabulary of XML or a licence, and are called by nobody.
const NAMES_ONLY: [&str; 10] = [
    "java.sun.com",
    "json-schema.org",
    "schema.org",
    "schemas.android.com",
    "schemas.microsoft.com",
    "schemas.xmlsoap.org",
    "www.apache.org",
    "www.springframework.org",
    "www.w3.org",
    "xmlns.jcp.org",
];

/// Words in keys that say that a host outside is called by browsers: a workload gives them the address, or sends them
/// there to log in and back.
const FOR_BROWSERS: [&str; 13] = [
    "EXTERNAL", "CLIENT", "PIC", "PICTURE", "IMAGE", "ASSETS", "LOGO", "ICON", "FRONTEND", "BROWSER", "LOGIN",
    "RETURN", "UI",
];

/// The words of a key, in upper case.
fn key_words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_lower = false;
    for c in key.chars() {
        let new = !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && last_lower);
        if new || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_uppercase());
        }
        last_lower = c.is_ascii_lowercase();
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Whether a key says that its value is an address.
pub(crate) fn is_address_key(key: &str) -> bool {
    let words = key_words(key);
    let joined = words.join("_");
    let named = words.last().is_some_and(|last| ADDRESS_KEYS.contains(&last.as_str()) || last.ends_with("HOST"));
    // .NET has all of them in one section: `ConnectionStrings__Orders`.
    let in_section = joined.contains("CONNECTION_STRINGS_");
    // A Service that is found by its name, as agents find their master.
    let of_service = joined.ends_with("KUBERNETES_SERVICE_NAME");
    let in_words = ADDRESS_PHRASES.iter().any(|end| joined.ends_with(end)) || PASSES.contains(&joined.as_str());
    named || in_section || of_service || in_words
}

/// What may follow such a word without a sign between them: `ORIGINS`, `redirecturl`, `PUBLICBASEURL`.
const AFTER_NOT_CALLED: [&str; 10] = ["", "S", "ADDR", "ADDRESS", "BASEURL", "HOSTS", "ORIGINS", "URI", "URL", "URLS"];

/// Whether a key says that the workload does not call the address.
pub(crate) fn is_not_called(key: &str) -> bool {
    let joined = format!("_{}_", key_words(key).join("_"));
    let ends = |rest: &str| rest.split('_').next().is_some_and(|end| AFTER_NOT_CALLED.contains(&end));
    NOT_CALLED.iter().any(|word| {
        let begins = |at: usize| joined.get(..at).is_some_and(|before| before.ends_with('_'));
        joined.match_indices(word).any(|(at, _)| begins(at) && joined.get(at + word.len()..).is_some_and(ends))
    })
}

/// The addresses of a value: those that say so themselves, or the whole value where its key says that it is one.
pub(crate) fn addresses(key: &str, text: &str) -> Vec<Address> {
    let mut found = address::find(text);
    if found.is_empty() && (is_address_key(key) || names_technology(key)) {
        found.extend(address::bare(text));
    }
    found
}

/// Whether a key is called like a technology, or holds its configuration.
fn names_technology(key: &str) -> bool {
    let words = key_words(key);
    let known = |word: &String| technology::all().iter().any(|t| t.is_called(word));
    words
        .split_last()
        .is_some_and(|(last, before)| known(last) || (last == "CONFIGURATION" && before.last().is_some_and(known)))
}

/// Claims the flows of all addresses in a field of a custom resource, and shows those that it read as such. How sure
/// hosts outside are is `outside`; `why` says what the field is.
pub(crate) fn claim_field(
    world: &World<'_>,
    source: usize,
    (key, value): (&str, Value<'_>),
    outside: Confidence,
    why: &str,
    claims: &mut Claims,
) {
    claim_field_with(world, source, (key, value), None, outside, why, claims);
}

/// The same with a port that stands in a field of its own.
pub(crate) fn claim_field_with(
    world: &World<'_>,
    source: usize,
    (key, value): (&str, Value<'_>),
    port: Option<u16>,
    outside: Confidence,
    why: &str,
    claims: &mut Claims,
) {
    let Some(text) = value.as_str() else { return };
    for address in addresses(key, text) {
        let place = value.subspan(address.range.clone());
        let note = Note::stated(place.unwrap_or(value.span()), why);
        let finding = Finding { key, port, inside: Confidence::Likely, outside, place, note };
        claim(world, source, &address, &finding, claims);
    }
}

/// Claims the flows of one address, and shows its place if it was read as an address.
pub(crate) fn claim(world: &World<'_>, source: usize, address: &Address, finding: &Finding<'_>, claims: &mut Claims) {
    if (Call { world, source, address, finding }).claim(claims) {
        claims.reveals.extend(finding.place);
    }
}

/// Whether a key is called like what runs behind a Service, so that the name of the Service is an address in it:
/// `mongo=user-db`, `Redis__Configuration=cache`. Not `MYSQL_DATABASE`, which names something inside.
fn is_named_for(world: &World<'_>, service: &ServiceInfo<'_>, key: &str) -> bool {
    let words = key_words(key);
    let behind = service.workloads.iter().filter_map(|w| world.workloads.get(*w)?.technology);
    let technology = |word: &str| behind.clone().any(|(t, _)| t.is_called(word));
    match words.as_slice() {
        [.., word, end] if end == "CONFIGURATION" => technology(word),
        [.., word] => technology(word),
        [] => false,
    }
}

/// The port that a scheme stands for.
fn default_port(address: &Address) -> Option<u16> {
    match address.scheme.as_deref()? {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// A workload that has an address, and how that was found.
#[derive(Clone, Copy)]
struct Call<'c, 'w> {
    world: &'c World<'w>,
    source: usize,
    address: &'c Address,
    finding: &'c Finding<'c>,
}

impl Call<'_, '_> {
    /// Claims its flows. Says whether it was read as an address.
    fn claim(&self, claims: &mut Claims) -> bool {
        let Self { world, source, address, finding } = *self;
        let Some(workload) = world.workloads.get(source) else { return false };
        // A password may look like a host and a port.
        if is_not_called(finding.key) || (address.scheme.is_none() && credentials::may_be_secret(finding.key)) {
            return false;
        }
        let port = address.port.or(finding.port);
        let named = address.scheme.is_some() || port.is_some() || is_address_key(finding.key);
        let resolved = match host_aliases::address_of(workload.pod(), &address.host) {
            // It calls itself.
            Some(ip) if ip.is_loopback() => return true,
            Some(ip) => host_aliases::behind(world, ip),
            None => resolve(world, &workload.namespace, &address.host),
        };
        match resolved {
            Resolved::Service(service) if named || address.host.contains('.') => {
                let confidence = if address.scheme.is_some() || port.is_some() {
                    finding.inside
                } else {
                    finding.inside.min(Confidence::Likely)
                };
                self.to_service(service, port, confidence, claims);
                true
            }
            Resolved::Service(service) if is_named_for(world, service, finding.key) => {
                let confidence = finding.inside.min(Confidence::Likely);
                self.to_service(service, port, confidence, claims);
                true
            }
            Resolved::Service(_) => false,
            Resolved::Made { workload, port: usual } if named || address.host.contains('.') => {
                let confidence = finding.inside.min(Confidence::Likely);
                let target = Party::Workload(workload);
                self.push(target, port.or(Some(usual)), None, confidence, claims);
                true
            }
            Resolved::Made { .. } => false,
            Resolved::Pods(workloads) => {
                for target in workloads {
                    let confidence = finding.inside.min(Confidence::Likely);
                    self.push(Party::Workload(*target), port, None, confidence, claims);
                }
                true
            }
            // The API server is called through the service account; that flow is claimed from RBAC.
            Resolved::ApiServer => true,
            // Two words with a dot between them may be anything else.
            Resolved::Missing { .. } if !named && address.host.split('.').count() == 2 => false,
            Resolved::Missing { namespace, name } => {
                let target = Party::UnresolvedService { namespace, name };
                self.push(target, port, None, Confidence::Possible.min(finding.inside), claims);
                true
            }
            Resolved::Outside(Party::Host(host)) if world.public_names.is_own(&host, source) => false,
            Resolved::Outside(Party::Host(host)) if NAMES_ONLY.contains(&host.as_str()) => false,
            Resolved::Outside(party)
                if address.scheme.is_some() || address.port.is_some() || is_address_key(finding.key) =>
            {
                let by_browsers = key_words(finding.key).iter().any(|word| FOR_BROWSERS.contains(&word.as_str()));
                let confidence = if by_browsers { Confidence::Possible } else { finding.outside };
                self.push(party, port, None, confidence, claims);
                true
            }
            Resolved::Word if port.is_some() && (is_address_key(finding.key) || address.scheme.is_some()) => {
                // One word that is no Service of the input: it may be deployed apart.
                let target =
                    Party::UnresolvedService { namespace: workload.namespace.clone(), name: address.host.clone() };
                self.push(target, port, None, Confidence::Possible, claims);
                true
            }
            Resolved::Outside(_) | Resolved::Word => false,
        }
    }

    fn to_service(self, service: &ServiceInfo<'_>, port: Option<u16>, confidence: Confidence, claims: &mut Claims) {
        let Self { world, source, address, finding } = self;
        // Without a port in the address the scheme's own is called; where the Service does not have it, as behind a name
        // that a proxy gives to a group of servers, another statement must say which.
        let has_port = |port: &u16| service.service.ports().any(|p| p.number == *port);
        let port = port.or_else(|| default_port(address).filter(has_port)).or_else(|| service.only_port());
        let Some(routed) = world.mesh_routes.of(world, source, service, port) else {
            return self.to_pods(service, port, confidence, claims);
        };
        if routed.stays || !routed.sure {
            let own = if routed.stays { confidence } else { Confidence::Possible };
            self.to_pods(service, port, own, claims);
        }
        let confidence = if routed.sure { confidence } else { confidence.min(Confidence::Likely) };
        for (found, number, note) in routed.others {
            // The address says that it calls, the route whom.
            for finding in [finding, &Finding { note, ..finding.clone() }] {
                let call = Call { finding, ..self };
                match &found {
                    Resolved::Service(next) => {
                        let same = port.filter(|port| next.service.ports().any(|p| p.number == *port));
                        let port = number.or_else(|| next.only_port()).or(same);
                        call.to_pods(next, port, confidence, claims);
                    }
                    Resolved::Outside(party) => {
                        let port = number.or(port);
                        call.push(party.clone(), port, None, confidence, claims);
                    }
                    _ => {}
                }
            }
        }
    }

    fn to_pods(self, service: &ServiceInfo<'_>, port: Option<u16>, confidence: Confidence, claims: &mut Claims) {
        for written in &service.addresses {
            let confidence = confidence.min(Confidence::Likely);
            let (host, at) = (Party::Host(written.host.clone()), service.written_port(&written.ports, port));
            self.push(host, at, Some(service), confidence, claims);
        }
        if service.workloads.is_empty() && service.addresses.is_empty() {
            let target =
                Party::UnresolvedService { namespace: service.namespace.clone(), name: service.name.to_owned() };
            self.push(target, port, Some(service), confidence, claims);
        }
        for target in &service.workloads {
            let mut claim = self.flow(Party::Workload(*target), port, Some(service), confidence);
            claim.target_port = port.and_then(|p| service.target_port(self.world, *target, p)).or(port);
            let technology = self.world.workloads.get(*target).and_then(|w| w.technology).map(|(t, _)| t);
            if let Some(technology) = technology.filter(|t| claim.target_port.is_some_and(|p| t.ports.contains(&p))) {
                claim.protocol = claim.protocol.or(Some(technology.protocol.clone()));
            }
            claims.flows.push(claim);
        }
    }

    fn push(
        &self,
        target: Party,
        port: Option<u16>,
        service: Option<&ServiceInfo<'_>>,
        confidence: Confidence,
        claims: &mut Claims,
    ) {
        let port = port.or_else(|| default_port(self.address));
        claims.flows.push(self.flow(target, port, service, confidence));
    }

    fn flow(
        &self,
        target: Party,
        port: Option<u16>,
        service: Option<&ServiceInfo<'_>>,
        confidence: Confidence,
    ) -> FlowClaim {
        let Self { world, source, address, finding } = *self;
        let mut claim = FlowClaim::new(Party::Workload(source), target, FlowKind::Traffic, finding.note.clone());
        claim.confidence = confidence;
        claim.port = port;
        claim.target_port = port;
        claim.via = service.map(|s| s.identity.clone());
        let (protocol, encrypted) = address.scheme.as_deref().map_or((None, None), |s| {
            let (name, encrypted) = protocol_of_scheme(s);
            // What goes to a proxy for HTTPS is encrypted from end to end; the scheme is that of the way to the proxy.
            let tunnels = key_words(finding.key) == ["HTTPS", "PROXY"];
            (Some(name).filter(|n| n != "TCP"), encrypted.filter(|_| !tunnels))
        });
        claim.protocol = protocol.or_else(|| port.and_then(protocol_of_port).map(str::to_owned));
        let spec = service.zip(port).and_then(|(s, port)| s.service.ports().find(|p| p.number == port));
        let by_port = match port {
            Some(80) => Some((false, "port 80 is plain HTTP")),
            Some(443 | 8443) => Some((true, "the port is that of HTTPS")),
            _ => None,
        };
        let by_name = spec.and_then(|p| {
            let name = p.app_protocol.or(p.name)?.to_ascii_lowercase();
            match name.split('-').next()? {
                "http" => Some((false, "the port of the Service is named http", p.span)),
                "https" | "tls" => Some((true, "the port of the Service is named for TLS", p.span)),
                _ => None,
            }
        });
        if claim.protocol.is_none() && spec.is_some_and(|p| p.name.is_some_and(|n| n.starts_with("grpc"))) {
            claim.protocol = Some("gRPC".to_owned());
        }
        if claim.protocol.is_none() && by_name.is_some_and(|(tls, ..)| !tls) {
            claim.protocol = Some("HTTP".to_owned());
        }
        let value =
            |encrypted| attr::ENCRYPTION.value(if encrypted { Encryption::Encrypted } else { Encryption::Plain });
        let because = |text: &str| Note { text: text.to_owned(), ..finding.note.clone() };
        let originated = || {
            let target = match (&claim.target, service) {
                (_, Some(service)) => format!("{}/{}", service.namespace, service.name),
                (Party::Host(host), None) => host.clone(),
                _ => return None,
            };
            world.tls_origination.of(world, source, &target, port)
        };
        let statement = if let Some(note) = originated() {
            Some((true, note))
        } else if let Some(tls) = address.tls {
            Some((tls, because(if tls { "a parameter switches TLS on" } else { "a parameter leaves TLS off" })))
        } else if let Some(encrypted) = encrypted {
            Some((encrypted, because("the scheme of the address")))
        } else if let Some((encrypted, text, span)) = by_name {
            Some((encrypted, Note::stated(span, text)))
        } else {
            by_port.map(|(encrypted, text)| (encrypted, because(text)))
        };
        if let Some((encrypted, note)) = statement {
            claim = claim.with(attr::ENCRYPTION.id, value(encrypted), note);
        }
        if address.credential {
            let note = because("the address holds a password");
            claim = claim.with(attr::CREDENTIAL_IN_ADDRESS.id, attr::CREDENTIAL_IN_ADDRESS.value(YesNo::Yes), note);
        }
        if matches!(claim.target, Party::Host(_) | Party::Internet | Party::Metadata) {
            let note = because("the host is outside the cluster");
            claim = claim.with(attr::LEAVES_CLUSTER.id, attr::LEAVES_CLUSTER.value(YesNo::Yes), note);
        }
        claim
    }
}
