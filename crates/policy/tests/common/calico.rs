//! Objects of Calico, and questions about them.

use std::net::Ipv4Addr;

use kubestride_manifest::Labels;
use kubestride_policy::network::{Answer, End, NetworkPolicies, Range};
use kubestride_policy::{Pod, PodPort};

/// A pod by `namespace/app`: namespaces `east` (team red) and `west` (team blue). Its account has its name, and it calls
/// TCP 8080 `web`.
pub(crate) struct Known {
    namespace: String,
    app: String,
    labels: Labels<'static>,
    namespace_labels: Labels<'static>,
    host_network: bool,
}

pub(crate) const WEB: [PodPort<'static>; 1] = [PodPort { name: "web", number: 8080, protocol: "TCP" }];

pub(crate) fn known(name: &'static str) -> Known {
    let (name, host_network) = name.strip_prefix("node:").map_or((name, false), |name| (name, true));
    let (namespace, app) = name.split_once('/').expect("a pod");
    let team = if namespace == "east" { "red" } else { "blue" };
    Known {
        namespace: namespace.to_owned(),
        app: app.to_owned(),
        labels: Labels::from_pairs([("app", app), ("tail", "app-tail")]),
        namespace_labels: Labels::from_pairs([("kubernetes.io/metadata.name", namespace), ("team", team)]),
        host_network,
    }
}

impl Known {
    pub(crate) fn get(&self) -> Pod<'_> {
        Pod {
            namespace: &self.namespace,
            labels: &self.labels,
            namespace_labels: &self.namespace_labels,
            ports: &WEB,
            service_account: &self.app,
            host_network: self.host_network,
        }
    }
}

/// Asks for one connection: `east/front` is a pod, `some` a pod that is not known, `198.51.100.7` an address outside and
/// `host:example.com` a host.
pub(crate) fn ask(documents: &[&str], source: &'static str, target: &'static str, port: &str) -> String {
    let answers = std::cell::RefCell::new(Vec::new());
    let pods = [source, target].map(|name| name.contains('/').then(|| known(name)));
    let end = |name: &'static str, at: usize| -> End<'_> {
        match (name, &pods[at]) {
            (_, Some(pod)) => End::Pod(pod.get()),
            ("some", _) => End::SomePod,
            (name, _) => match name.strip_prefix("host:") {
                Some(host) => End::Host(host),
                None => {
                    let address: Ipv4Addr = name.parse().expect("an address");
                    End::Outside(Range(address, address))
                }
            },
        }
    };
    let (protocol, number) = port.split_once(' ').expect("protocol and port");
    super::both_orders(documents, |manifests| {
        let policies = NetworkPolicies::read(manifests, "default");
        let verdict = policies.verdict(end(source, 0), end(target, 1));
        let answer = match verdict.answer(protocol, number.parse().ok()) {
            Answer::Allowed(_) => "allowed",
            Answer::Denied(_) => "denied",
            Answer::Unrestricted => "open",
            Answer::Undetermined(_) => "unknown",
        };
        answers.borrow_mut().push(answer.to_owned());
    });
    let mut answers = answers.into_inner();
    assert_eq!(answers[0], answers[1], "the order of objects matters");
    answers.remove(0)
}

pub(crate) const V3: &str = "projectcalico.org/v3";

pub(crate) fn object(kind: &str, name: &str, namespace: &str, spec: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!("{{apiVersion: {V3}, kind: {kind}, metadata: {{name: {name}{namespace}}}, spec: {{{spec}}}}}")
}

/// A policy for `app == 'db'` in `east`.
pub(crate) fn own(name: &str, spec: &str) -> String {
    object("NetworkPolicy", name, "east", &format!("selector: app == 'db', {spec}"))
}

pub(crate) fn global(name: &str, spec: &str) -> String {
    object("GlobalNetworkPolicy", name, "", spec)
}

pub(crate) fn tier(name: &str, spec: &str) -> String {
    object("Tier", name, "", spec)
}

pub(crate) fn set(kind: &str, name: &str, namespace: &str, role: &str, nets: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!(
        "{{apiVersion: {V3}, kind: {kind}, metadata: {{name: {name}{namespace}, labels: {{role: {role}}}}}, spec: \
         {{nets: [{nets}]}}}}"
    )
}

pub(crate) fn kubernetes(spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: knp, namespace: east}}, spec: \
         {{podSelector: {{matchLabels: {{app: db}}}}, {spec}}}}}"
    )
}

pub(crate) fn namespace(name: &str, labels: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{labels}}}}}}}")
}

pub(crate) fn account(namespace: &str, name: &str, labels: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: {namespace}, labels: \
         {{{labels}}}}}}}"
    )
}

pub(crate) fn service(namespace: &str, name: &str, spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{{spec}}}}}")
}

pub(crate) type Case = (Vec<String>, &'static str, &'static str, &'static str, &'static str);

pub(crate) fn check(cases: Vec<Case>) {
    for (at, (documents, source, target, port, expected)) in cases.into_iter().enumerate() {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let found = ask(&texts, source, target, port);
        assert_eq!(found, expected, "case {at}: {source} to {target} {port}\n{}", documents.join("\n"));
    }
}

pub(crate) const FRONT: &str = "east/front";
pub(crate) const DB: &str = "east/db";
