//! Policies of Linkerd to plain types. What is not understood is kept as such, with a [`Problem`].

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Field, LabelSelector, Manifests, Object, PortRef};
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::{Authorization, Client, DefaultPolicy, GROUP, Identity, Linkerd, Problem, Server, ServerPort, Target};
use crate::Cited;
use crate::doubts::strangers;

/// Versions of the policies.
const VERSIONS: [&str; 5] = ["v1alpha1", "v1beta1", "v1beta2", "v1beta3", "v1"];

/// The groups of routes that may be attached to a Server.
const ROUTE_GROUPS: [&str; 2] = [GROUP, "gateway.networking.k8s.io"];
const ROUTES: [&str; 2] = ["HTTPRoute", "GRPCRoute"];

impl Linkerd {
    /// Reads all Servers, what authorizes callers of them, and the routes attached to them.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut reader = Reader {
            default_namespace,
            problems: Vec::new(),
            identities: BTreeMap::new(),
            networks: BTreeMap::new(),
            unknown: BTreeSet::new(),
        };
        let of = |kind: &'static str| manifests.by_custom_kind(GROUP, kind);
        of("MeshTLSAuthentication").for_each(|object| reader.identities(object));
        of("NetworkAuthentication").for_each(|object| reader.networks(object));
        let mut servers: Vec<_> = of("Server").map(|object| reader.server(object)).collect();
        let mut authorizations: Vec<_> =
            of("ServerAuthorization").map(|object| reader.server_authorization(object)).collect();
        authorizations.extend(of("AuthorizationPolicy").map(|object| reader.policy(object)));
        let mut routes: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for route in
            ROUTE_GROUPS.iter().flat_map(|group| ROUTES.map(|kind| manifests.by_custom_kind(group, kind))).flatten()
        {
            let parents = route.spec().list("parentRefs").filter(|parent| parent.text("kind") == Some("Server"));
            let names: Vec<String> = parents.filter_map(|parent| parent.text("name").map(str::to_owned)).collect();
            if !names.is_empty() {
                let key = (reader.namespace(route), route.name().to_owned());
                routes.entry(key).or_default().extend(names);
            }
        }
        servers.sort_by(|a, b| a.cited.cmp(&b.cited));
        authorizations.sort_by(|a, b| a.cited.cmp(&b.cited));
        reader.problems.sort();
        Self {
            servers_of: index(servers.iter().map(|server| server.namespace.as_str())),
            authorizations_of: index(authorizations.iter().map(|policy| policy.namespace.as_str())),
            servers,
            authorizations,
            routes,
            problems: reader.problems,
        }
    }
}

fn index<'n>(namespaces: impl Iterator<Item = &'n str>) -> BTreeMap<String, Vec<usize>> {
    let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, namespace) in namespaces.enumerate() {
        index.entry(namespace.to_owned()).or_default().push(at);
    }
    index
}

struct Reader<'d> {
    default_namespace: &'d str,
    problems: Vec<Problem>,
    /// MeshTLSAuthentications by namespace and name.
    identities: BTreeMap<(String, String), Vec<Identity>>,
    /// NetworkAuthentications by namespace and name.
    networks: BTreeMap<(String, String), Option<Client>>,
    /// Authentications that are not understood.
    unknown: BTreeSet<(String, String)>,
}

impl Reader<'_> {
    fn namespace(&self, object: Object<'_>) -> String {
        object.namespace().unwrap_or(self.default_namespace).to_owned()
    }

    fn cite(&self, object: Object<'_>) -> Cited {
        Cited { identity: object.identity(self.default_namespace), span: object.span() }
    }

    fn problem(&mut self, policy: &Cited, span: Span, code: &'static str, text: &'static str) {
        let cited = Cited { identity: policy.identity.clone(), span };
        self.problems.push(Problem { cited, code, text });
    }

    /// Whether the version or a field is not known, so that all of it may mean something else.
    fn is_unknown(&mut self, object: Object<'_>, policy: &Cited, fields: &[&str]) -> bool {
        if !VERSIONS.contains(&object.version()) {
            let text = "this version is not known: whom the policy lets through is not known";
            self.problem(policy, policy.span, "unknown-version", text);
            return true;
        }
        self.strangers(object.spec(), policy, fields)
    }

    /// Whether a mapping has fields that are not known, or is no mapping.
    fn strangers(&mut self, value: Option<Value<'_>>, policy: &Cited, fields: &[&str]) -> bool {
        let text = "this field is not known: whom the policy lets through is not known";
        let Some(value) = value else { return false };
        let mut unknown: Vec<Span> = strangers(value, fields).map(|e| e.key_span).collect();
        if value.kind() != Kind::Mapping {
            unknown.push(value.span());
        }
        for span in &unknown {
            self.problem(policy, *span, "unknown-field", text);
        }
        !unknown.is_empty()
    }

    fn server(&mut self, object: Object<'_>) -> Server {
        let cited = self.cite(object);
        let spec = object.spec();
        let fields = ["podSelector", "externalWorkloadSelector", "port", "proxyProtocol", "accessPolicy"];
        let unknown = self.is_unknown(object, &cited, &fields);
        let port = match spec.field("port").and_then(PortRef::read) {
            Some(PortRef::Number(number)) => ServerPort::Number(number),
            Some(PortRef::Name(name)) => ServerPort::Name(name.to_owned()),
            None => {
                self.problem(
                    &cited,
                    cited.span,
                    "unknown-field",
                    "its port is not understood: what it is for is not known",
                );
                ServerPort::Unknown
            }
        };
        let external = spec.field("podSelector").is_none() && spec.field("externalWorkloadSelector").is_some();
        let selector = spec.field("podSelector").map_or_else(LabelSelector::everything, LabelSelector::read);
        Server {
            name: object.name().to_owned(),
            namespace: self.namespace(object),
            labels: object.label_set().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            pods: (!external).then_some(selector),
            port: if unknown { ServerPort::Unknown } else { port },
            access: self.access(spec.field("accessPolicy"), &cited),
            cited,
        }
    }

    /// "Default: deny".
    fn access(&mut self, value: Option<Value<'_>>, policy: &Cited) -> DefaultPolicy {
        let Some(value) = value else { return DefaultPolicy::Deny };
        let access = value.scalar_text().map_or(DefaultPolicy::Unknown, DefaultPolicy::from_text);
        if access == DefaultPolicy::Unknown {
            let text = "this access policy is not known: who else is let through is not known";
            self.problem(policy, value.span(), "unknown-action", text);
        }
        access
    }

    fn server_authorization(&mut self, object: Object<'_>) -> Authorization {
        let cited = self.cite(object);
        let namespace = self.namespace(object);
        let spec = object.spec();
        let unknown = self.is_unknown(object, &cited, &["server", "client"])
            | self.strangers(spec.field("server"), &cited, &["name", "selector"])
            | self.strangers(spec.field("client"), &cited, &["networks", "unauthenticated", "meshTLS"]);
        let server = spec.field("server");
        let target = match (server.text("name"), server.field("selector")) {
            _ if unknown => Target::Unknown,
            (Some(name), None) => Target::Server(name.to_owned()),
            (None, Some(selector)) => Target::Servers(LabelSelector::read(selector)),
            _ => Target::Unknown,
        };
        let client = spec.field("client");
        let mut clients = match (client.flag("unauthenticated"), client.field("meshTLS")) {
            (Some(true), None) => vec![Client::Everybody],
            (None | Some(false), Some(tls)) => vec![self.mesh_tls(tls, &namespace, &cited)],
            _ => vec![self.unknown_client(&cited)],
        };
        clients.extend(networks(client.field("networks")));
        Authorization { cited, namespace, target, clients }
    }

    fn mesh_tls(&mut self, tls: Value<'_>, namespace: &str, policy: &Cited) -> Client {
        if self.strangers(Some(tls), policy, &["unauthenticatedTLS", "identities", "serviceAccounts"]) {
            return Client::Unknown;
        }
        if tls.flag("unauthenticatedTLS") == Some(true) {
            return Client::AnyTls;
        }
        let accounts = tls.list("serviceAccounts").map(|account| {
            let of = account.text("namespace").unwrap_or(namespace);
            Some(Identity::Account(of.to_owned(), account.text("name")?.to_owned()))
        });
        let known: Option<Vec<Identity>> = texts(tls).chain(accounts).collect();
        match known.filter(|_| are_lists(Some(tls), &["identities", "serviceAccounts"])) {
            Some(identities) => Client::Identities(identities),
            None => self.unknown_client(policy),
        }
    }

    fn unknown_client(&mut self, policy: &Cited) -> Client {
        let text = "who is authorized is not understood";
        self.problem(policy, policy.span, "unknown-field", text);
        Client::Unknown
    }

    fn policy(&mut self, object: Object<'_>) -> Authorization {
        let cited = self.cite(object);
        let namespace = self.namespace(object);
        let spec = object.spec();
        let unknown = self.is_unknown(object, &cited, &["targetRef", "requiredAuthenticationRefs"]);
        let reference = spec.field("targetRef");
        let name = reference.text("name").unwrap_or_default();
        let elsewhere = reference.text("namespace").is_some_and(|of| !of.is_empty() && of != namespace);
        let target = match reference.text("kind") {
            _ if unknown || elsewhere => Target::Unknown,
            Some("Server") => Target::Server(name.to_owned()),
            Some("HTTPRoute" | "GRPCRoute") => Target::Route(name.to_owned()),
            Some("Namespace") if name == namespace => Target::Namespace,
            _ => {
                let span = reference.map_or(cited.span, Value::span);
                self.problem(&cited, span, "unknown-field", "what it is for is not understood");
                Target::Unknown
            }
        };
        let references = spec.list("requiredAuthenticationRefs");
        let mut clients: Vec<Client> =
            references.map(|reference| self.authentication(reference, &namespace, &cited)).collect();
        // "There are explicitly no required authentications for this policy": everybody is authorized.
        let is_list = are_lists(spec, &["requiredAuthenticationRefs"]);
        // "The field is still required so that it's harder for simple misconfigurations to result in allowing traffic."
        if unknown || !is_list || spec.field("requiredAuthenticationRefs").is_none() {
            clients.push(self.unknown_client(&cited));
        } else if clients.is_empty() {
            clients.push(Client::Everybody);
        }
        Authorization { cited, namespace, target, clients }
    }

    fn authentication(&mut self, reference: Value<'_>, namespace: &str, policy: &Cited) -> Client {
        let of = reference.text("namespace").filter(|of| !of.is_empty()).unwrap_or(namespace).to_owned();
        let name = reference.text("name").unwrap_or_default().to_owned();
        let key = (of, name);
        match reference.text("kind") {
            Some("ServiceAccount") => return Client::Identities(vec![Identity::Account(key.0, key.1)]),
            Some("MeshTLSAuthentication" | "NetworkAuthentication") if self.unknown.contains(&key) => {
                return Client::Unknown;
            }
            Some("MeshTLSAuthentication") => {
                if let Some(identities) = self.identities.get(&key) {
                    return Client::Identities(identities.clone());
                }
            }
            Some("NetworkAuthentication") => {
                if let Some(client) = self.networks.get(&key) {
                    return client.clone().unwrap_or(Client::Everybody);
                }
            }
            _ => {}
        }
        let text = "this authentication is not in the input, or not understood: who is authorized is not known";
        self.problem(policy, reference.span(), "unknown-reference", text);
        Client::Unknown
    }

    fn identities(&mut self, object: Object<'_>) {
        let (cited, namespace) = (self.cite(object), self.namespace(object));
        let spec = object.spec();
        let key = (namespace.clone(), object.name().to_owned());
        if self.is_unknown(object, &cited, &["identities", "identityRefs"]) {
            self.unknown.insert(key);
            return;
        }
        let accounts = spec.list("identityRefs").map(|reference| {
            let of = reference.text("namespace").filter(|of| !of.is_empty()).unwrap_or(&namespace);
            match reference.text("kind") {
                Some("ServiceAccount") => Some(Identity::Account(of.to_owned(), reference.text("name")?.to_owned())),
                Some("Namespace") => Some(Identity::Namespace(reference.text("name")?.to_owned())),
                _ => None,
            }
        });
        let known: Option<Vec<Identity>> = spec.into_iter().flat_map(texts).chain(accounts).collect();
        match known.filter(|_| are_lists(spec, &["identities", "identityRefs"])) {
            Some(identities) => {
                self.identities.insert(key, identities);
            }
            None => {
                self.unknown_client(&cited);
                self.unknown.insert(key);
            }
        }
    }

    fn networks(&mut self, object: Object<'_>) {
        let cited = self.cite(object);
        let key = (self.namespace(object), object.name().to_owned());
        if self.is_unknown(object, &cited, &["networks"]) {
            self.unknown.insert(key);
            return;
        }
        let list = object.spec().field("networks");
        // Without any block, nobody is meant.
        let client =
            if list.is_some_and(|l| l.items().next().is_some()) { networks(list) } else { Some(Client::Addresses) };
        self.networks.insert(key, client);
    }
}

/// The texts of `identities`; none for what is no text.
fn texts(value: Value<'_>) -> impl Iterator<Item = Option<Identity>> {
    value.list("identities").map(|text| Some(Identity::Text(text.scalar_text()?.to_owned())))
}

/// Whether fields are lists, or not set.
fn are_lists(value: Option<Value<'_>>, keys: &[&str]) -> bool {
    keys.iter().all(|key| value.field(key).is_none_or(|list| list.kind() == Kind::Sequence))
}

/// The addresses that a client must have, unless all of them will do.
fn networks(list: Option<Value<'_>>) -> Option<Client> {
    if list.is_some_and(|list| list.kind() != Kind::Sequence) {
        return Some(Client::Unknown);
    }
    let blocks: Vec<Option<&str>> = list?.items().map(|network| network.text("cidr")).collect();
    let excepts = list?.items().any(|network| network.field("except").is_some());
    let all = ["0.0.0.0/0", "::/0"].iter().any(|block| blocks.contains(&Some(block)));
    (!blocks.is_empty() && (excepts || !all)).then_some(Client::Addresses)
}
