//! Policies of Cilium, and questions about them.

use std::net::Ipv4Addr;

use kubestride_policy::network::{Answer, Direction, End, NetworkPolicies, Range};

use super::{Described, both_orders, pod};

/// The pods that policies of these tests are for.
pub(crate) const SUBJECT: &str = "shop/db";

pub(crate) fn object(kind: &str, namespace: &str, spec: &str) -> String {
    format!("{{apiVersion: cilium.io/v2, kind: {kind}, metadata: {{name: p{namespace}}}, {spec}}}")
}

/// A policy of the namespace `shop` for `SUBJECT`, with these rules.
pub(crate) fn own(rules: &str) -> String {
    object(
        "CiliumNetworkPolicy",
        ", namespace: shop",
        &format!("spec: {{endpointSelector: {{matchLabels: {{app: db}}}}, {rules}}}"),
    )
}

/// A policy of the cluster for pods with the label of `SUBJECT`, with these rules.
pub(crate) fn wide(rules: &str) -> String {
    object(
        "CiliumClusterwideNetworkPolicy",
        "",
        &format!("spec: {{endpointSelector: {{matchLabels: {{app: db}}}}, {rules}}}"),
    )
}

/// A pod of `namespace/app`, in the network of its node if the name ends in `@node`, run by an account if one is named
/// behind a `+`. The team of a namespace is its name's first letter.
pub(crate) fn described(name: &'static str) -> Described {
    let (name, on_node) = name.strip_suffix("@node").map_or((name, false), |name| (name, true));
    let (name, account) = name.split_once('+').unwrap_or((name, "default"));
    let (namespace, app) = name.split_once('/').expect("a namespace");
    let mut described = pod(namespace, app, namespace.get(..1).expect("a letter"));
    described.host_network = on_node;
    described.service_account = account;
    described
}

/// `1.2.3.4` and `host:name` are outside, `controller` is a pod of which nothing else is known.
fn with_end<T>(name: &'static str, ask: impl FnOnce(End<'_>) -> T) -> T {
    if let Some(host) = name.strip_prefix("host:") {
        return ask(End::Host(host));
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return ask(End::Outside(Range(address, address)));
    }
    if name == "controller" {
        return ask(End::SomePod);
    }
    ask(End::Pod(described(name).get()))
}

pub(crate) fn ask(policies: &NetworkPolicies, direction: Direction, peer: &'static str, port: &str) -> &'static str {
    let (protocol, port) = port.split_once(' ').unwrap_or(("TCP", port));
    let port = port.parse().expect("a port");
    let answer = with_end(peer, |peer| {
        let subject = described(SUBJECT);
        let (source, target) = match direction {
            Direction::Ingress => (peer, End::Pod(subject.get())),
            Direction::Egress => (End::Pod(subject.get()), peer),
        };
        policies.verdict(source, target).answer(protocol, Some(port))
    });
    match answer {
        Answer::Allowed(_) => "yes",
        Answer::Denied(_) => "no",
        Answer::Unrestricted => "free",
        Answer::Undetermined(_) => "unknown",
    }
}

pub(crate) type Case = (&'static str, &'static str, &'static str, &'static str);

/// Rules, a peer, a port of who is called and the answer.
pub(crate) fn check(policy: fn(&str) -> String, direction: Direction, further: &str, table: &[Case]) {
    for (rules, peer, port, expected) in table {
        let text = format!("{}\n---\n{further}", policy(rules));
        let documents: Vec<&str> = text.split("\n---\n").filter(|d| !d.is_empty()).collect();
        both_orders(&documents, |manifests| {
            let policies = NetworkPolicies::read(manifests, "default");
            assert_eq!(ask(&policies, direction, peer, port), *expected, "{rules}: {peer} {port}");
        });
    }
}
