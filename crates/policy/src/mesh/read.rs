//! Policies of the mesh to plain types. What is not understood is kept as such, with a [`Problem`].

use std::collections::BTreeMap;

use kubestride_manifest::{Field, LabelSelector, Labels, Manifests, Object};
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::config::MeshConfig;
use super::destination::DestinationRules;
use super::{
    About, Action, AuthorizationPolicy, AuthorizationRule, GROUP, Mesh, Mode, MutualTls, PeerAuthentication, Problem,
    RequestAuthentication, Test,
};
use crate::Cited;
use crate::doubts::strangers;

/// Versions of the policies.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// Fields of `Source`, what they are about, and whether they say who is not meant.
const SOURCE: [(&str, About, bool); 12] = [
    ("principals", About::Principal, false),
    ("notPrincipals", About::Principal, true),
    ("namespaces", About::Namespace, false),
    ("notNamespaces", About::Namespace, true),
    ("serviceAccounts", About::ServiceAccount, false),
    ("notServiceAccounts", About::ServiceAccount, true),
    ("requestPrincipals", About::Token, false),
    ("notRequestPrincipals", About::Token, true),
    ("ipBlocks", About::Address, false),
    ("notIpBlocks", About::Address, true),
    // From the header `X-Forwarded-For`.
    ("remoteIpBlocks", About::Request, false),
    ("notRemoteIpBlocks", About::Request, true),
];

/// Fields of `Operation`.
const OPERATION: [(&str, About, bool); 8] = [
    ("ports", About::Port, false),
    ("notPorts", About::Port, true),
    ("hosts", About::Request, false),
    ("notHosts", About::Request, true),
    ("methods", About::Request, false),
    ("notMethods", About::Request, true),
    ("paths", About::Request, false),
    ("notPaths", About::Request, true),
];

impl Mesh {
    /// Reads all PeerAuthentications, AuthorizationPolicies and RequestAuthentications.
    pub fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let mut problems = Vec::new();
        let config = MeshConfig::read(manifests, default_namespace, &mut problems);
        let destinations = DestinationRules::read(manifests, default_namespace, &mut problems);
        let mut reader = Reader { default_namespace, roots: &config.roots, problems };
        let of = |kind: &'static str| manifests.by_custom_kind(GROUP, kind);
        let mut authentications: Vec<_> = of("PeerAuthentication").map(|o| reader.authentication(o)).collect();
        let mut authorizations: Vec<_> = of("AuthorizationPolicy").map(|o| reader.authorization(o)).collect();
        let mut tokens: Vec<_> = of("RequestAuthentication").map(|o| reader.tokens(o)).collect();
        authentications.sort_by(|a, b| a.cited.cmp(&b.cited));
        authorizations.sort_by(|a, b| a.cited.cmp(&b.cited));
        tokens.sort_by(|a, b| a.cited.cmp(&b.cited));
        reader.problems.sort();
        Self {
            authentications_of: index(authentications.iter().map(|policy| policy.namespace.as_str())),
            authorizations_of: index(authorizations.iter().map(|policy| policy.namespace.as_str())),
            tokens_of: index(tokens.iter().map(|policy| policy.namespace.as_str())),
            authentications,
            authorizations,
            tokens,
            destinations,
            waypoints: waypoints(manifests, default_namespace),
            problems: reader.problems,
            config,
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

/// What Gateways with the label `istio.io/waypoint-for` are for.
fn waypoints(manifests: &Manifests, default_namespace: &str) -> BTreeMap<(String, String), String> {
    let of = |object: Object<'_>| {
        let kind = object.label("istio.io/waypoint-for")?.to_owned();
        Some(((object.namespace().unwrap_or(default_namespace).to_owned(), object.name().to_owned()), kind))
    };
    manifests.by_custom_kind("gateway.networking.k8s.io", "Gateway").filter_map(of).collect()
}

struct Reader<'d> {
    default_namespace: &'d str,
    roots: &'d [String],
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, policy: &Cited, span: Span, code: &'static str, text: &'static str) {
        let cited = Cited { identity: policy.identity.clone(), span };
        self.problems.push(Problem { cited, code, text });
    }

    fn cite(&self, object: Object<'_>) -> (Cited, String) {
        let cited = Cited { identity: object.identity(self.default_namespace), span: object.span() };
        (cited, object.namespace().unwrap_or(self.default_namespace).to_owned())
    }

    /// Whether a namespace is the root namespace; none if it is not known.
    fn is_root(&self, namespace: &str) -> Option<bool> {
        match self.roots {
            [root] => Some(root == namespace),
            roots => (!roots.iter().any(|root| root == namespace)).then_some(false),
        }
    }

    /// Whether the version or a field of a specification is not known, so that all of it may mean something else.
    fn is_unknown(&mut self, object: Object<'_>, policy: &Cited, fields: &[&str]) -> bool {
        if !VERSIONS.contains(&object.version()) {
            self.problem(
                policy,
                policy.span,
                "unknown-version",
                "this version is not known: what the policy does is not known",
            );
            return true;
        }
        let spec = object.spec();
        let unknown = spec.into_iter().flat_map(|spec| strangers(spec, fields));
        let unknown: Vec<Span> = unknown.map(|e| e.key_span).collect();
        for span in &unknown {
            self.problem(policy, *span, "unknown-field", "this field is not known: what the policy does is not known");
        }
        let broken = spec.is_some_and(|spec| spec.kind() != Kind::Mapping);
        if broken {
            self.problem(policy, policy.span, "unknown-field", "its specification is not understood");
        }
        broken || !unknown.is_empty()
    }

    /// Istio's selectors have `matchLabels` only. One without labels is for all workloads.
    fn workloads(&mut self, spec: Option<Value<'_>>, policy: &Cited) -> Result<Option<LabelSelector>, ()> {
        let Some(selector) = spec.field("selector") else { return Ok(None) };
        let labels = selector.field("matchLabels");
        let is_mapping = |value: Value<'_>| value.kind() == Kind::Mapping;
        let known = is_mapping(selector)
            && selector.entries().all(|entry| entry.key == "matchLabels")
            && labels
                .is_none_or(|labels| is_mapping(labels) && labels.entries().all(|e| e.value.scalar_text().is_some()));
        if !known {
            let text = "this selector is not understood: which workloads the policy is for is not known";
            self.problem(policy, selector.span(), "unknown-selector", text);
            return Err(());
        }
        let labels = Labels::read(labels);
        Ok((!labels.is_empty()).then(|| LabelSelector::from_labels(&labels)))
    }

    fn authentication(&mut self, object: Object<'_>) -> PeerAuthentication {
        let (cited, namespace) = self.cite(object);
        let spec = object.spec();
        let mut is_unclear = self.is_unknown(object, &cited, &["selector", "mtls", "portLevelMtls"]);
        let workloads = self.workloads(spec, &cited).unwrap_or_else(|()| {
            is_unclear = true;
            None
        });
        let mode = self.mode(spec.field("mtls"), cited.span, &cited);
        if let Some(broken) = spec.field("portLevelMtls").filter(|ports| ports.kind() != Kind::Mapping) {
            is_unclear = true;
            self.problem(
                &cited,
                broken.span(),
                "unknown-field",
                "these ports are not understood: which mutual TLS applies is not known",
            );
        }
        let mut ports = Vec::new();
        for entry in spec.mapping("portLevelMtls").into_iter().flat_map(Value::entries) {
            let mode = self.mode(Some(entry.value), entry.key_span, &cited);
            match entry.key.parse() {
                Ok(port) => ports.push((port, mode)),
                Err(_) => {
                    is_unclear = true;
                    let text = "this is no port: which mutual TLS applies is not known";
                    self.problem(&cited, entry.key_span, "unknown-field", text);
                }
            }
        }
        is_unclear |= self.is_root(&namespace).is_none();
        PeerAuthentication { cited, namespace, workloads, is_unclear, mode, ports }
    }

    fn mode(&mut self, mtls: Option<Value<'_>>, elsewhere: Span, policy: &Cited) -> Mode {
        let span = mtls.field("mode").map_or(elsewhere, Value::span);
        let only_mode = |mtls: Value<'_>| {
            mtls.is_null() || (mtls.kind() == Kind::Mapping && mtls.entries().all(|entry| entry.key == "mode"))
        };
        let mutual_tls = match mtls.text("mode") {
            _ if !mtls.is_none_or(only_mode) => Some(MutualTls::Undetermined),
            Some("STRICT") => Some(MutualTls::Strict),
            Some("PERMISSIVE") => Some(MutualTls::Permissive),
            Some("DISABLE") => Some(MutualTls::Disabled),
            Some("UNSET") => None,
            None if mtls.field("mode").is_none() => None,
            _ => Some(MutualTls::Undetermined),
        };
        if mutual_tls == Some(MutualTls::Undetermined) {
            let text = "this mode is not known: which mutual TLS applies is not known";
            self.problem(policy, span, "unknown-mode", text);
        }
        Mode { mutual_tls, span }
    }

    fn tokens(&mut self, object: Object<'_>) -> RequestAuthentication {
        let (cited, namespace) = self.cite(object);
        let spec = object.spec();
        let known = !self.is_unknown(object, &cited, &["selector", "targetRef", "targetRefs", "jwtRules"]);
        let workloads = self.workloads(spec, &cited);
        let is_root = self.is_root(&namespace);
        let checks = known && is_root.is_some() && workloads.is_ok() && spec.list("jwtRules").next().is_some();
        let has_targets = targets(spec).is_none_or(|targets| !targets.is_empty());
        RequestAuthentication {
            is_everywhere: is_root == Some(true),
            cited,
            namespace,
            workloads: workloads.unwrap_or_default(),
            has_targets,
            checks,
        }
    }

    fn authorization(&mut self, object: Object<'_>) -> AuthorizationPolicy {
        let (cited, namespace) = self.cite(object);
        let spec = object.spec();
        let fields = ["selector", "targetRef", "targetRefs", "rules", "action", "provider"];
        let mut is_unclear = self.is_unknown(object, &cited, &fields);
        let workloads = self.workloads(spec, &cited).unwrap_or_else(|()| {
            is_unclear = true;
            None
        });
        if let Some(rules) = spec.field("rules").filter(|rules| rules.kind() != Kind::Sequence) {
            is_unclear = true;
            self.problem(
                &cited,
                rules.span(),
                "unknown-field",
                "these rules are not understood: what the policy does is not known",
            );
        }
        let targets = targets(spec).unwrap_or_else(|| {
            is_unclear = true;
            self.problem(&cited, cited.span, "unknown-field", "what the policy is for is not understood");
            Vec::new()
        });
        let dry_run = object.annotation("istio.io/dry-run") == Some("true");
        if dry_run {
            self.problem(
                &cited,
                cited.span,
                "policy-not-enforced",
                "the policy is only tried out (dry run): it stops nothing",
            );
        }
        let is_root = self.is_root(&namespace);
        AuthorizationPolicy {
            workloads,
            targets,
            is_unclear: is_unclear || is_root.is_none(),
            is_everywhere: is_root == Some(true),
            dry_run,
            action: self.action(spec.field("action"), &cited),
            rules: spec.list("rules").map(|value| self.rule(value, &cited)).collect(),
            cited,
            namespace,
        }
    }

    fn action(&mut self, action: Option<Value<'_>>, policy: &Cited) -> Action {
        match action.map(|action| (action.scalar_text(), action.span())) {
            None | Some((Some("ALLOW"), _)) => Action::Allow,
            Some((Some("DENY"), _)) => Action::Deny,
            Some((Some("AUDIT"), _)) => Action::Audit,
            Some((Some("CUSTOM"), _)) => Action::Custom,
            Some((_, span)) => {
                let text = "this action is not known: what the policy lets through is not known";
                self.problem(policy, span, "unknown-action", text);
                Action::Unknown
            }
        }
    }

    fn rule(&mut self, value: Value<'_>, policy: &Cited) -> AuthorizationRule {
        let mut when: Vec<Test> = value.list("when").flat_map(|condition| self.condition(condition, policy)).collect();
        when.extend(self.strangers(value, &["from", "to", "when"], policy));
        let is_list = |key: &str| value.field(key).is_none_or(|list| list.kind() == Kind::Sequence);
        if value.kind() != Kind::Mapping || !["from", "to", "when"].into_iter().all(is_list) {
            when.push(self.stranger(value.span(), policy));
        }
        let mut parts = |list: &str, part: &str, fields: &[(&'static str, About, bool)]| -> Vec<Vec<Test>> {
            let of = |item: Value<'_>| {
                let mut tests = self.strangers(item, &[part], policy);
                match item.field(part) {
                    Some(value) => tests.extend(self.tests(value, fields, policy)),
                    None => tests.push(self.stranger(item.span(), policy)),
                }
                tests
            };
            value.list(list).map(of).collect()
        };
        let from = parts("from", "source", &SOURCE);
        let to = parts("to", "operation", &OPERATION);
        AuthorizationRule { from, to, when, span: value.span() }
    }

    /// The tests of a source or an operation.
    fn tests(&mut self, value: Value<'_>, fields: &[(&'static str, About, bool)], policy: &Cited) -> Vec<Test> {
        let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
        let mut tests = self.strangers(value, &names, policy);
        for (name, about, negated) in fields {
            tests.extend(value.field(name).and_then(|list| self.test(list, *about, *negated, policy)));
        }
        if tests.is_empty() {
            // Istio refuses a source or an operation without any field.
            tests.push(self.stranger(value.span(), policy));
        }
        tests
    }

    /// One test; none if the list is empty, which is the same as not set.
    fn test(&mut self, list: Value<'_>, about: About, negated: bool, policy: &Cited) -> Option<Test> {
        let understood = list.kind() == Kind::Sequence && list.items().all(|item| item.scalar_text().is_some());
        if !understood {
            return Some(self.stranger(list.span(), policy));
        }
        let values: Vec<_> = list.items().filter_map(|i| Some((i.scalar_text()?.to_owned(), i.span()))).collect();
        (!values.is_empty()).then_some(Test { about, values, negated })
    }

    fn condition(&mut self, value: Value<'_>, policy: &Cited) -> Vec<Test> {
        let about = match value.text("key").unwrap_or_default() {
            "source.principal" => About::Principal,
            "source.namespace" => About::Namespace,
            "source.serviceAccount" => About::ServiceAccount,
            "destination.port" => About::Port,
            "source.ip" | "destination.ip" => About::Address,
            key if key.starts_with("request.auth.") => About::Token,
            "remote.ip" | "connection.sni" => About::Request,
            key if key.starts_with("request.") || key.starts_with("experimental.") => About::Request,
            _ => About::Unknown,
        };
        let mut tests = self.strangers(value, &["key", "values", "notValues"], policy);
        if about == About::Unknown {
            tests.push(self.stranger(value.span(), policy));
            return tests;
        }
        for (name, negated) in [("values", false), ("notValues", true)] {
            tests.extend(value.field(name).and_then(|list| self.test(list, about, negated, policy)));
        }
        if tests.is_empty() {
            // At least one of both must be set.
            tests.push(self.stranger(value.span(), policy));
        }
        tests
    }

    /// A test for each field that is not known.
    fn strangers(&mut self, value: Value<'_>, known: &[&str], policy: &Cited) -> Vec<Test> {
        let unknown: Vec<Span> = strangers(value, known).map(|e| e.key_span).collect();
        unknown.into_iter().map(|span| self.stranger(span, policy)).collect()
    }

    fn stranger(&mut self, span: Span, policy: &Cited) -> Test {
        let text = "this part of a rule is not understood: whom and what the rule fits is not known";
        self.problem(policy, span, "unknown-field", text);
        Test { about: About::Unknown, values: vec![(String::new(), span)], negated: false }
    }
}

/// Kind and name of all `targetRefs`; none if one of them is not understood.
fn targets(spec: Option<Value<'_>>) -> Option<Vec<(String, String)>> {
    let list = spec.field("targetRefs");
    let read = |target: Value<'_>| Some((target.text("kind")?.to_owned(), target.text("name")?.to_owned()));
    let is_list = list.is_none_or(|list| list.kind() == Kind::Sequence);
    spec.list("targetRefs").chain(spec.field("targetRef")).map(read).collect::<Option<Vec<_>>>().filter(|_| is_list)
}
