//! Policies of Calico: each case with the sentence of Calico's documentation that it tests.
//!
//! Pages are below <https://docs.tigera.io/calico/latest/>: `networkpolicy`, `globalnetworkpolicy`, `tier`,
//! `globalnetworkset` and `profile` in `reference/resources`, `tiered-policy` in `network-policy/policy-tiers`.

mod common;

use std::net::Ipv4Addr;

use kubestride_manifest::Labels;
use kubestride_policy::network::{Answer, Direction, End, Isolation, Match, NetworkPolicies, PortSet, Ports, Range};
use kubestride_policy::{Pod, PodPort};
use kubestride_source::Level;

/// A pod by `namespace/app`: namespaces `east` (team red) and `west` (team blue). Its account has its name, and it calls
/// TCP 8080 `web`.
struct Known {
    namespace: String,
    app: String,
    labels: Labels<'static>,
    namespace_labels: Labels<'static>,
    host_network: bool,
}

const WEB: [PodPort<'static>; 1] = [PodPort { name: "web", number: 8080, protocol: "TCP" }];

fn known(name: &'static str) -> Known {
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
    fn get(&self) -> Pod<'_> {
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
fn ask(documents: &[&str], source: &'static str, target: &'static str, port: &str) -> String {
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
    common::both_orders(documents, |manifests| {
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

const V3: &str = "projectcalico.org/v3";

fn object(kind: &str, name: &str, namespace: &str, spec: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!("{{apiVersion: {V3}, kind: {kind}, metadata: {{name: {name}{namespace}}}, spec: {{{spec}}}}}")
}

/// A policy for `app == 'db'` in `east`.
fn own(name: &str, spec: &str) -> String {
    object("NetworkPolicy", name, "east", &format!("selector: app == 'db', {spec}"))
}

fn global(name: &str, spec: &str) -> String {
    object("GlobalNetworkPolicy", name, "", spec)
}

fn tier(name: &str, spec: &str) -> String {
    object("Tier", name, "", spec)
}

fn set(kind: &str, name: &str, namespace: &str, role: &str, nets: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!(
        "{{apiVersion: {V3}, kind: {kind}, metadata: {{name: {name}{namespace}, labels: {{role: {role}}}}}, spec: \
         {{nets: [{nets}]}}}}"
    )
}

fn kubernetes(spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: knp, namespace: east}}, spec: \
         {{podSelector: {{matchLabels: {{app: db}}}}, {spec}}}}}"
    )
}

fn namespace(name: &str, labels: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{labels}}}}}}}")
}

fn account(namespace: &str, name: &str, labels: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: {namespace}, labels: \
         {{{labels}}}}}}}"
    )
}

fn service(namespace: &str, name: &str, spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{{spec}}}}}")
}

type Case = (Vec<String>, &'static str, &'static str, &'static str, &'static str);

fn check(cases: Vec<Case>) {
    for (at, (documents, source, target, port, expected)) in cases.into_iter().enumerate() {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let found = ask(&texts, source, target, port);
        assert_eq!(found, expected, "case {at}: {source} to {target} {port}\n{}", documents.join("\n"));
    }
}

const FRONT: &str = "east/front";
const DB: &str = "east/db";

#[test]
fn tiers_and_orders() {
    let allow = "ingress: [{action: Allow}]";
    let deny = "ingress: [{action: Deny}]";
    let none = "types: [Ingress]";
    let to_nobody = "types: [Ingress], ingress: [{action: Deny, source: {selector: app == 'nobody'}}]";
    let pass = "ingress: [{action: Pass}]";
    let security = |more: &str| tier("security", &format!("order: 300{more}"));
    let in_security = |spec: &str| own("security.one", &format!("tier: security, {spec}"));
    check(vec![
        // profile: without a policy the profile `kns.<namespace>` of the pod decides, which allows everything.
        (vec![], FRONT, DB, "TCP 80", "open"),
        (vec![own("one", none)], FRONT, "east/other", "TCP 80", "open"),
        // networkpolicy: "`NetworkPolicy` in a specific namespace only applies to workload endpoint resources in that
        // namespace".
        (vec![own("one", none)], FRONT, "west/db", "TCP 80", "open"),
        // tier: "If the Tier applies to the endpoint, but takes no action on the packet the packet is dropped."
        (vec![own("one", none)], FRONT, DB, "TCP 80", "denied"),
        (vec![own("one", to_nobody)], FRONT, DB, "TCP 80", "denied"),
        // networkpolicy, `order`: "applies the policy with the lowest value first".
        (
            vec![own("a", &format!("order: 10, {deny}")), own("b", &format!("order: 9, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![own("a", &format!("order: 9.5, {deny}")), own("b", &format!("order: 10, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // API: "If the order is omitted, it may be considered to be "infinite" - i.e. the policy will be applied last."
        (vec![own("a", deny), own("b", &format!("order: 9999999, {allow}"))], FRONT, DB, "TCP 80", "allowed"),
        // API: "Policies with identical order will be applied in alphanumerical order based on the Policy "Name" within
        // the tier."
        (vec![own("b", deny), own("a", allow)], FRONT, DB, "TCP 80", "allowed"),
        (vec![own("a", deny), own("b", allow)], FRONT, DB, "TCP 80", "denied"),
        (vec![own("default.b", deny), own("a", allow)], FRONT, DB, "TCP 80", "allowed"),
        (vec![global("b", deny), own("a", allow)], FRONT, DB, "TCP 80", "allowed"),
        // networkpolicy: "Ordered list of ingress rules applied by policy".
        (vec![own("a", "ingress: [{action: Allow}, {action: Deny}]")], FRONT, DB, "TCP 80", "allowed"),
        // tier: "Tiers are sorted by their `order` - smallest number first."
        (vec![security(""), in_security(deny), own("b", allow)], FRONT, DB, "TCP 80", "denied"),
        (vec![security(""), in_security(allow), own("b", deny)], FRONT, DB, "TCP 80", "allowed"),
        (vec![tier("security", "order: 2000000"), in_security(deny), own("b", allow)], FRONT, DB, "TCP 80", "allowed"),
        // tier: "No value indicates highest order (lowest precedence)".
        (vec![tier("security", ""), in_security(deny), own("b", allow)], FRONT, DB, "TCP 80", "allowed"),
        (vec![tier("security", ""), in_security(deny), own("b", pass)], FRONT, DB, "TCP 80", "denied"),
        // API: "Tiers with identical order will be applied in alphanumerical order based on the Tier "Name"."
        (
            vec![
                tier("a", "order: 5"),
                tier("b", "order: 5"),
                own("x", &format!("tier: b, {allow}")),
                own("z", &format!("tier: a, {deny}")),
            ],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: "Pass - skips to the next tier that contains a policy that applies to the endpoint".
        (vec![security(""), in_security(pass), own("b", allow)], FRONT, DB, "TCP 80", "allowed"),
        (vec![security(""), in_security(pass), own("b", none)], FRONT, DB, "TCP 80", "denied"),
        // It skips what comes later in its own tier.
        (
            vec![
                security(""),
                own("x", &format!("tier: security, order: 1, {pass}")),
                own("z", &format!("tier: security, order: 2, {deny}")),
                own("b", allow),
            ],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        // tier: "If the last Tier applying to the endpoint `Pass`es the packet, that endpoint's Profiles are evaluated."
        (vec![own("b", pass)], FRONT, DB, "TCP 80", "open"),
        // tier: "This behaviour can be changed by setting the `defaultAction` of a tier to `Pass`."
        (
            vec![security(", defaultAction: Pass"), in_security(to_nobody), own("b", allow)],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![security(", defaultAction: Deny"), in_security(to_nobody), own("b", allow)],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: "if no policies within a tier apply to endpoints, the tier is skipped, and the tier's implicit
        // deny behavior is not executed".
        (
            vec![
                security(""),
                object("NetworkPolicy", "x", "east", "tier: security, selector: app == 'x'"),
                own("b", allow),
            ],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        // API: "The specified tier must exist": one that is elsewhere has a place that is not known.
        (vec![in_security(deny), own("b", allow)], FRONT, DB, "TCP 80", "unknown"),
        (vec![in_security(allow), own("b", deny)], FRONT, DB, "TCP 80", "unknown"),
        (vec![in_security(none)], FRONT, DB, "TCP 80", "unknown"),
        // Nobody may get through where it does not matter which comes first.
        (vec![in_security(deny), own("b", deny)], FRONT, DB, "TCP 80", "denied"),
        // rule: "After a `Log` action, processing continues with the next rule".
        (vec![own("a", "ingress: [{action: Log}, {action: Allow}]")], FRONT, DB, "TCP 80", "allowed"),
        (vec![own("a", "ingress: [{action: Log}]")], FRONT, DB, "TCP 80", "denied"),
    ]);
}

#[test]
fn policies_of_kubernetes_stand_beside_them() {
    let allow = "ingress: [{action: Allow}]";
    let deny = "ingress: [{action: Deny}]";
    let open = kubernetes("ingress: [{}]");
    let shut = kubernetes("policyTypes: [Ingress]");
    let admin = |kind: &str, version: &str, more: &str, action: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/{version}, kind: {kind}, metadata: {{name: default}}, spec: {{{more}, \
             subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]}}}}"
        )
    };
    let anp = |action: &str| admin("AdminNetworkPolicy", "v1alpha1", "priority: 50", action);
    let baseline = |action: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {{name: \
             default}}, spec: {{subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{namespaces: \
             {{}}}}]}}]}}}}"
        )
    };
    let of_cluster = |tier: &str, action: &str| {
        admin("ClusterNetworkPolicy", "v1alpha2", &format!("tier: {tier}, priority: 50"), action)
    };
    check(vec![
        // tiered-policy: "The default tier is where: You manage all Kubernetes network policies; All network and global
        // network policies without an explicit tier are placed." NetworkPolicies have the order 1,000 there.
        (vec![open.clone(), own("a", &format!("order: 999, {deny}"))], FRONT, DB, "TCP 80", "denied"),
        (vec![open.clone(), own("a", &format!("order: 1001, {deny}"))], FRONT, DB, "TCP 80", "allowed"),
        (vec![shut.clone(), own("a", &format!("order: 1001, {allow}"))], FRONT, DB, "TCP 80", "allowed"),
        (vec![shut, own("a", &format!("order: 1001, {deny}"))], FRONT, DB, "TCP 80", "denied"),
        // tiered-policy: the default tier "has the order of 1,000,000. This value is fixed, and cannot be changed."
        (
            vec![
                open.clone(),
                tier("default", "order: 1"),
                tier("b", "order: 2"),
                own("a", &format!("tier: b, {deny}")),
            ],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: `adminnetworkpolicy` "has the order of 1,000 and a default action of `Pass`".
        (
            vec![anp("Deny"), tier("b", "order: 999"), own("a", &format!("tier: b, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![anp("Deny"), tier("b", "order: 1001"), own("a", &format!("tier: b, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: "The `AdminNetworkPolicy` `priority` field maps to the `order` field".
        (
            vec![anp("Deny"), own("a", &format!("tier: adminnetworkpolicy, order: 49, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![anp("Deny"), own("a", &format!("tier: adminnetworkpolicy, order: 51, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        (vec![own("a", "tier: adminnetworkpolicy, types: [Ingress]")], FRONT, DB, "TCP 80", "open"),
        // tiered-policy: `baselineadminnetworkpolicy` "has the order of 10,000,000 and a default action of `Pass`".
        (
            vec![baseline("Deny"), tier("b", "order: 9999999"), own("a", &format!("tier: b, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![baseline("Deny"), tier("b", "order: 10000001"), own("a", &format!("tier: b, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: "The `BaselineAdminNetworkPolicy` is treated as if it had an `order` of 1,000".
        (
            vec![baseline("Deny"), own("a", &format!("tier: baselineadminnetworkpolicy, order: 999, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![baseline("Deny"), own("a", &format!("tier: baselineadminnetworkpolicy, order: 1001, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // tiered-policy: "The `Tier` with name `kube-admin` is where all Kubernetes ClusterNetworkPolicy resources with
        // Admin Tier reside", and likewise `kube-baseline`.
        (
            vec![of_cluster("Admin", "Deny"), own("a", &format!("tier: kube-admin, order: 49, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![of_cluster("Admin", "Deny"), own("a", &format!("tier: kube-admin, order: 51, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        (
            vec![of_cluster("Baseline", "Deny"), own("a", &format!("tier: kube-baseline, order: 51, {allow}"))],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        (vec![of_cluster("Baseline", "Deny"), own("a", allow)], FRONT, DB, "TCP 80", "allowed"),
    ]);
}

#[test]
fn types_follow_rules_unless_they_are_given() {
    let rules = |ingress: bool, egress: bool| {
        let one = |is: bool, key: &str| if is { format!(", {key}: [{{action: Deny}}]") } else { String::new() };
        format!("order: 1{}{}", one(ingress, "ingress"), one(egress, "egress"))
    };
    // networkpolicy: "If `types` has no value, Calico defaults as follows": the table.
    for (ingress, egress, in_is, out_is) in [
        (false, false, "denied", "open"),
        (true, false, "denied", "open"),
        (false, true, "open", "denied"),
        (true, true, "denied", "denied"),
    ] {
        check(vec![
            (vec![own("a", &rules(ingress, egress))], FRONT, DB, "TCP 80", in_is),
            (vec![own("a", &rules(ingress, egress))], DB, FRONT, "TCP 80", out_is),
        ]);
    }
    let stored = |spec: &str| own("a", spec).replace(V3, "crd.projectcalico.org/v1");
    check(vec![
        // networkpolicy: "To apply the policy to inbound traffic, set to `Ingress`."
        (vec![own("a", "types: [Ingress], egress: [{action: Deny}]")], DB, FRONT, "TCP 80", "open"),
        (vec![own("a", "types: [Egress], ingress: [{action: Deny}]")], FRONT, DB, "TCP 80", "open"),
        (vec![own("a", "types: [Ingress, Egress]")], DB, FRONT, "TCP 80", "denied"),
        (vec![own("a", "types: [Both]")], DB, FRONT, "TCP 80", "unknown"),
        // What Calico keeps has `types`; where it has none, it was not made through Calico, which then holds it for both.
        (vec![stored("types: [Ingress]")], DB, FRONT, "TCP 80", "open"),
        (vec![stored("order: 1")], FRONT, DB, "TCP 80", "denied"),
        (vec![stored("order: 1")], DB, FRONT, "TCP 80", "unknown"),
    ]);
}

#[test]
fn rules_are_about_protocols_and_ports() {
    let allow = |rule: &str| vec![own("a", &format!("ingress: [{{action: Allow, {rule}}}]"))];
    check(vec![
        // rule, `protocol`: "Positive protocol match. `TCP`, `UDP`, `ICMP`, `ICMPv6`, `SCTP`, `UDPLite`, `1`-`255`".
        (allow("protocol: TCP"), FRONT, DB, "TCP 80", "allowed"),
        (allow("protocol: TCP"), FRONT, DB, "UDP 80", "denied"),
        (allow("protocol: 17"), FRONT, DB, "UDP 80", "allowed"),
        (allow("protocol: 132"), FRONT, DB, "SCTP 80", "allowed"),
        (allow("protocol: ICMP, icmp: {type: 8}"), FRONT, DB, "TCP 80", "denied"),
        (allow("protocol: UDPLite"), FRONT, DB, "UDP 80", "denied"),
        (allow("protocol: 300"), FRONT, DB, "TCP 80", "unknown"),
        // rule, `notProtocol`: "Negative protocol match."
        (allow("notProtocol: TCP"), FRONT, DB, "TCP 80", "denied"),
        (allow("notProtocol: TCP"), FRONT, DB, "UDP 80", "allowed"),
        (allow("notProtocol: 1"), FRONT, DB, "TCP 80", "allowed"),
        // entity rule, `ports`: "Positive match on the specified ports"; ports: "The exact (numeric) port specified".
        (allow("protocol: TCP, destination: {ports: [80]}"), FRONT, DB, "TCP 80", "allowed"),
        (allow("protocol: TCP, destination: {ports: ['80']}"), FRONT, DB, "TCP 80", "allowed"),
        (allow("protocol: TCP, destination: {ports: [80]}"), FRONT, DB, "TCP 81", "denied"),
        (allow("protocol: TCP, destination: {ports: [80]}"), FRONT, DB, "UDP 80", "denied"),
        (allow("protocol: TCP, destination: {ports: []}"), FRONT, DB, "TCP 81", "allowed"),
        // ports: "All (numeric) ports within the range start ≤ x ≤ end".
        (allow("protocol: TCP, destination: {ports: ['80:82']}"), FRONT, DB, "TCP 82", "allowed"),
        (allow("protocol: TCP, destination: {ports: ['80:82']}"), FRONT, DB, "TCP 83", "denied"),
        // ports: "A named port, as defined in the ports list of one or more endpoints".
        (allow("protocol: TCP, destination: {ports: [web]}"), FRONT, DB, "TCP 8080", "allowed"),
        (allow("protocol: TCP, destination: {ports: [web]}"), FRONT, DB, "TCP 80", "denied"),
        (allow("protocol: UDP, destination: {ports: [web]}"), FRONT, DB, "UDP 8080", "denied"),
        // entity rule, `notPorts`: "Negative match on the specified ports".
        (allow("protocol: TCP, destination: {notPorts: [80, web]}"), FRONT, DB, "TCP 80", "denied"),
        (allow("protocol: TCP, destination: {notPorts: [80, web]}"), FRONT, DB, "TCP 8080", "denied"),
        (allow("protocol: TCP, destination: {notPorts: [80, web]}"), FRONT, DB, "TCP 81", "allowed"),
        // API: `protocol` is "Required if any of the EntityRules contain Ports".
        (allow("destination: {ports: [80]}"), FRONT, DB, "TCP 80", "unknown"),
        (allow("protocol: TCP, destination: {ports: ['9:8']}"), FRONT, DB, "TCP 80", "unknown"),
        (allow("protocol: TCP, destination: {ports: 80}"), FRONT, DB, "TCP 80", "unknown"),
        // A caller may have any port of its own.
        (allow("protocol: TCP, source: {ports: [80]}"), FRONT, DB, "TCP 80", "unknown"),
        (
            vec![own("a", "ingress: [{action: Deny, protocol: TCP, source: {notPorts: [80]}}, {action: Allow}]")],
            FRONT,
            DB,
            "TCP 80",
            "unknown",
        ),
        // rule, `ipVersion`: "Positive IP version match."
        (allow("ipVersion: 4"), FRONT, DB, "TCP 80", "allowed"),
        (allow("ipVersion: 6"), FRONT, DB, "TCP 80", "unknown"),
        (allow("ipVersion: 6"), "198.51.100.7", DB, "TCP 80", "denied"),
        (allow("ipVersion: 5"), FRONT, DB, "TCP 80", "unknown"),
        // API: "ICMP fields require protocol to be ICMP or ICMPv6".
        (allow("icmp: {type: 8}"), FRONT, DB, "TCP 80", "unknown"),
        // rule, `http`: "Match HTTP request parameters": some requests on a connection, which is let through.
        (allow("http: {methods: [GET]}"), FRONT, DB, "TCP 80", "allowed"),
        (allow("http: {methods: [GET]}"), FRONT, DB, "UDP 80", "denied"),
        // networkpolicy: "Rules must have the action `Allow` if they contain application layer policy match clauses."
        (
            vec![own("a", "ingress: [{action: Deny, http: {methods: [GET]}}, {action: Allow}]")],
            FRONT,
            DB,
            "TCP 80",
            "unknown",
        ),
    ]);
}

#[test]
fn rules_are_about_addresses() {
    let from = |rule: &str| vec![own("a", &format!("ingress: [{{action: Allow, source: {{{rule}}}}}]"))];
    let to = |rule: &str| vec![own("a", &format!("egress: [{{action: Allow, destination: {{{rule}}}}}]"))];
    let outside = "198.51.100.7";
    check(vec![
        // entity rule, `nets`: "Match packets with IP in any of the listed CIDRs."
        (from("nets: [198.51.100.0/24]"), outside, DB, "TCP 80", "allowed"),
        (from("nets: [198.51.100.7]"), outside, DB, "TCP 80", "allowed"),
        (from("nets: [203.0.113.0/24, 198.51.100.0/24]"), outside, DB, "TCP 80", "allowed"),
        (from("nets: [203.0.113.0/24]"), outside, DB, "TCP 80", "denied"),
        (from("nets: ['2001:db8::/32']"), outside, DB, "TCP 80", "denied"),
        (from("nets: []"), outside, DB, "TCP 80", "allowed"),
        (from("nets: [203.0.113.0/33]"), outside, DB, "TCP 80", "unknown"),
        (from("nets: [203.0.113.0/33, 203.0.113.0/24]"), outside, DB, "TCP 80", "unknown"),
        // entity rule, `notNets`: "Match packets with IP not in any of the listed CIDRs."
        (from("notNets: [198.51.100.0/24]"), outside, DB, "TCP 80", "denied"),
        (from("notNets: [203.0.113.0/24]"), outside, DB, "TCP 80", "allowed"),
        (from("nets: [198.0.0.0/8], notNets: [198.51.100.0/24]"), outside, DB, "TCP 80", "denied"),
        // Pods have addresses of private networks, which are not known.
        (from("nets: [198.51.100.0/24]"), FRONT, DB, "TCP 80", "denied"),
        (from("nets: [10.0.0.0/8]"), FRONT, DB, "TCP 80", "unknown"),
        (from("notNets: [10.0.0.0/8]"), FRONT, DB, "TCP 80", "unknown"),
        (from("notNets: [198.51.100.0/24]"), FRONT, DB, "TCP 80", "allowed"),
        (from("nets: [0.0.0.0/0]"), FRONT, DB, "TCP 80", "allowed"),
        (from("notNets: [0.0.0.0/0]"), FRONT, DB, "TCP 80", "denied"),
        (to("nets: [0.0.0.0/0]"), DB, "host:example.com", "TCP 443", "allowed"),
        (to("nets: [198.51.100.0/24]"), DB, "host:example.com", "TCP 443", "unknown"),
        // entity rule: "A rule with a selector `all()` won't match "all packets", it will match "packets from all
        // in-scope endpoints and network sets"."
        (from("selector: all()"), outside, DB, "TCP 80", "denied"),
        (from("selector: all()"), FRONT, DB, "TCP 80", "allowed"),
        // entity rule: "If the rule contains multiple match criteria (for example, an IP and a port) then all match
        // criteria must match".
        (from("selector: app == 'front', nets: [198.51.100.0/24]"), FRONT, DB, "TCP 80", "denied"),
        (from("selector: app == 'front', nets: [198.51.100.0/24]"), outside, DB, "TCP 80", "denied"),
        // domains (of Calico Enterprise): "When a configured domain name has no wildcard (`*`), it matches exactly that
        // domain name."
        (to("domains: [example.com]"), DB, "host:example.com", "TCP 443", "allowed"),
        (to("domains: [example.com]"), DB, "host:www.example.com", "TCP 443", "denied"),
        // domains: "With a single asterisk in any part of the domain name, it matches 1 or more path components".
        (to("domains: ['*.example.com']"), DB, "host:www.ipv6.example.com", "TCP 443", "allowed"),
        (to("domains: ['*.example.com']"), DB, "host:example.com", "TCP 443", "denied"),
        (to("domains: ['www.*.com']"), DB, "host:www.sun.com", "TCP 443", "allowed"),
        (to("domains: ['www.*.com']"), DB, "host:www.com", "TCP 443", "denied"),
        // domains: the addresses are those "returned from DNS lookups", which manifests do not tell.
        (to("domains: [example.com]"), DB, outside, "TCP 443", "unknown"),
        (to("domains: [example.com]"), DB, FRONT, "TCP 443", "denied"),
        // domains: "limited to only egress allow rules".
        (from("domains: [example.com]"), outside, DB, "TCP 443", "unknown"),
    ]);
}

#[test]
fn rules_are_about_endpoints() {
    let from = |rule: &str| vec![own("a", &format!("ingress: [{{action: Allow, source: {{{rule}}}}}]"))];
    let wide = |rule: &str| {
        vec![global("a", &format!("selector: app == 'db', ingress: [{{action: Allow, source: {{{rule}}}}}]"))]
    };
    let and = |mut documents: Vec<String>, more: String| {
        documents.push(more);
        documents
    };
    check(vec![
        // selector scopes: "If no `namespaceSelector` is present then the rule's `selector` matches the default scope for
        // that type of policy. (This is the same namespace for `NetworkPolicy` and all endpoints/network sets for
        // `GlobalNetworkPolicy`)".
        (from("selector: app == 'front'"), FRONT, DB, "TCP 80", "allowed"),
        (from("selector: app == 'front'"), "west/front", DB, "TCP 80", "denied"),
        (wide("selector: app == 'front'"), "west/front", DB, "TCP 80", "allowed"),
        (wide("selector: app == 'front'"), "west/other", DB, "TCP 80", "denied"),
        // entity rule, `namespaceSelector`: "Match a specific namespace by name using the `projectcalico.org/name` label."
        (from("namespaceSelector: projectcalico.org/name == 'west'"), "west/front", DB, "TCP 80", "allowed"),
        (from("namespaceSelector: projectcalico.org/name == 'west'"), FRONT, DB, "TCP 80", "denied"),
        (from("namespaceSelector: kubernetes.io/metadata.name == 'west'"), "west/front", DB, "TCP 80", "allowed"),
        // "Matches namespaces based on the labels that have been applied to the namespaces."
        (from("namespaceSelector: team == 'blue'"), "west/front", DB, "TCP 80", "allowed"),
        (from("namespaceSelector: team == 'blue'"), FRONT, DB, "TCP 80", "denied"),
        // Labels of a namespace that is elsewhere are not known.
        (from("namespaceSelector: has(stage)"), "west/front", DB, "TCP 80", "unknown"),
        (
            and(from("namespaceSelector: has(stage)"), namespace("west", "team: blue")),
            "west/front",
            DB,
            "TCP 80",
            "denied",
        ),
        (from("namespaceSelector: all()"), "west/front", DB, "TCP 80", "allowed"),
        (from("namespaceSelector: all()"), "198.51.100.7", DB, "TCP 80", "denied"),
        // "only workload endpoints that are matched by both selectors will be selected by the rule".
        (from("namespaceSelector: all(), selector: app == 'front'"), "west/front", DB, "TCP 80", "allowed"),
        (from("namespaceSelector: all(), selector: app == 'front'"), "west/other", DB, "TCP 80", "denied"),
        // globalnetworkpolicy: "Select a namespace in a `GlobalNetworkPolicy` in the standard selector by using
        // `projectcalico.org/namespace` as the label name".
        (wide("selector: projectcalico.org/namespace == 'west'"), "west/front", DB, "TCP 80", "allowed"),
        (wide("selector: projectcalico.org/namespace == 'west'"), FRONT, DB, "TCP 80", "denied"),
        (wide("selector: projectcalico.org/orchestrator == 'k8s'"), FRONT, DB, "TCP 80", "allowed"),
        (wide("selector: projectcalico.org/serviceaccount == 'front'"), FRONT, DB, "TCP 80", "allowed"),
        // Of a pod of which nothing is known it is known that it is one.
        (wide("selector: all()"), "some", DB, "TCP 80", "allowed"),
        (wide("selector: has(projectcalico.org/namespace)"), "some", DB, "TCP 80", "allowed"),
        (wide("selector: app == 'front'"), "some", DB, "TCP 80", "unknown"),
        (from("selector: all()"), "some", DB, "TCP 80", "unknown"),
        (wide("namespaceSelector: all()"), "some", DB, "TCP 80", "allowed"),
        (wide("namespaceSelector: global()"), "some", DB, "TCP 80", "denied"),
        // notSelector: "matches packets from/to anywhere (including outside the cluster), except traffic from/to endpoints
        // and network sets that have the label".
        (wide("notSelector: app == 'front'"), FRONT, DB, "TCP 80", "denied"),
        (wide("notSelector: app == 'front'"), "west/other", DB, "TCP 80", "allowed"),
        (wide("notSelector: app == 'front'"), "198.51.100.7", DB, "TCP 80", "allowed"),
        // "`selector: !has(foo)` matches packets from/to endpoints and network sets that do not have the label".
        (wide("selector: '!has(foo)'"), FRONT, DB, "TCP 80", "allowed"),
        (wide("selector: '!has(foo)'"), "198.51.100.7", DB, "TCP 80", "denied"),
        // updateprocessors/rules.go: "endpoints for a namespaced policy being limited to the namespace (or to selected
        // namespaces) as soon as any of the selector fields are used, including NotSelector".
        (from("notSelector: app == 'front'"), FRONT, DB, "TCP 80", "denied"),
        (from("notSelector: app == 'front'"), "east/other", DB, "TCP 80", "allowed"),
        (from("notSelector: app == 'front'"), "west/other", DB, "TCP 80", "denied"),
        // A pod in the network of its node has the node's address.
        (from("selector: app == 'front'"), "node:east/front", DB, "TCP 80", "unknown"),
        // A selector that is none: "global() can only be used in an EntityRule namespaceSelector".
        (from("selector: global()"), FRONT, DB, "TCP 80", "unknown"),
        (from("selector: app = 'front'"), FRONT, DB, "TCP 80", "unknown"),
        (from("selector: {app: front}"), FRONT, DB, "TCP 80", "unknown"),
        (from("selector: ''"), "198.51.100.7", DB, "TCP 80", "allowed"),
    ]);
}

#[test]
fn network_sets_are_addresses_with_labels() {
    let sets = |rule: &str, wide: bool| {
        let rule = format!("selector: app == 'db', egress: [{{action: Allow, destination: {{{rule}}}}}]");
        let policy = if wide { global("a", &rule) } else { object("NetworkPolicy", "a", "east", &rule) };
        vec![
            policy,
            set("GlobalNetworkSet", "g", "", "partner", "198.51.100.0/28"),
            set("NetworkSet", "near", "east", "partner", "203.0.113.0/24"),
            set("NetworkSet", "o", "west", "partner", "192.0.2.0/24"),
        ]
    };
    let in_global = "198.51.100.7";
    check(vec![
        // globalnetworkset: "When Calico is calculating the set of IPs that should match a source/destination selector
        // within a global network policy rule, or within a network policy rule whose `namespaceSelector` includes
        // `global()`, it includes the CIDRs from any network sets that match the selector."
        (sets("selector: role == 'partner'", true), DB, in_global, "TCP 80", "allowed"),
        (sets("selector: role == 'partner'", true), DB, "198.51.100.16", "TCP 80", "denied"),
        (sets("selector: role == 'other'", true), DB, in_global, "TCP 80", "denied"),
        (sets("selector: role == 'partner'", false), DB, in_global, "TCP 80", "denied"),
        (sets("selector: role == 'partner', namespaceSelector: global()", false), DB, in_global, "TCP 80", "allowed"),
        (
            sets("selector: role == 'partner', namespaceSelector: global()", false),
            DB,
            "203.0.113.1",
            "TCP 80",
            "denied",
        ),
        // networkset: "`NetworkSets` in a specific namespace only applies to network policies in that namespace."
        (sets("selector: role == 'partner'", false), DB, "203.0.113.1", "TCP 80", "allowed"),
        (sets("selector: role == 'partner'", false), DB, "192.0.2.1", "TCP 80", "denied"),
        (sets("selector: role == 'partner'", true), DB, "192.0.2.1", "TCP 80", "allowed"),
        (sets("selector: all()", true), DB, "192.0.2.1", "TCP 80", "allowed"),
        (sets("namespaceSelector: all()", true), DB, in_global, "TCP 80", "denied"),
        (sets("namespaceSelector: all()", true), DB, "192.0.2.1", "TCP 80", "allowed"),
        (sets("notSelector: role == 'partner'", true), DB, in_global, "TCP 80", "denied"),
        (sets("notSelector: role == 'partner'", true), DB, "198.51.100.16", "TCP 80", "allowed"),
        // Which address a host has is not known.
        (sets("selector: role == 'partner'", true), DB, "host:example.com", "TCP 80", "unknown"),
        // A set of private addresses may be about pods.
        (
            vec![
                global("a", "selector: app == 'db', egress: [{action: Allow, destination: {selector: role == 'x'}}]"),
                set("GlobalNetworkSet", "g", "", "x", "10.0.0.0/8"),
            ],
            DB,
            FRONT,
            "TCP 80",
            "unknown",
        ),
        // The set that is meant is elsewhere.
        (
            vec![own(
                "a",
                "egress: [{action: Allow, destination: {namespaceSelector: global(), selector: role == 'x'}}]",
            )],
            DB,
            in_global,
            "TCP 80",
            "unknown",
        ),
        (
            vec![own("a", "egress: [{action: Allow, destination: {selector: role == 'x'}}]")],
            DB,
            in_global,
            "TCP 80",
            "denied",
        ),
    ]);
}

#[test]
fn accounts_and_services_are_endpoints_too() {
    let from = |rule: &str| own("a", &format!("ingress: [{{action: Allow, source: {{{rule}}}}}]"));
    let to = |rule: &str| own("a", &format!("egress: [{{action: Allow, destination: {{{rule}}}}}]"));
    let subject = |selector: &str| {
        let spec = format!("serviceAccountSelector: {selector}, types: [Ingress]");
        object("NetworkPolicy", "a", "east", &spec)
    };
    let front = || service("east", "front", "selector: {app: front}, ports: [{port: 80, targetPort: web}]");
    let web = "{services: {name: front}}";
    check(vec![
        // service account match, `names`: "Match service accounts by name".
        (vec![from("serviceAccounts: {names: [front, x]}")], FRONT, DB, "TCP 80", "allowed"),
        (vec![from("serviceAccounts: {names: [other]}")], FRONT, DB, "TCP 80", "denied"),
        (vec![from("serviceAccounts: {names: [front]}")], "west/front", DB, "TCP 80", "denied"),
        (vec![from("serviceAccounts: {names: [front]}")], "198.51.100.7", DB, "TCP 80", "denied"),
        // entity rule, `serviceAccounts`: "If a `namespaceSelector` is also defined, the set of service accounts this
        // applies to is limited to the service accounts in the selected namespaces."
        (
            vec![from("namespaceSelector: team == 'blue', serviceAccounts: {names: [front]}")],
            "west/front",
            DB,
            "TCP 80",
            "allowed",
        ),
        (vec![from("serviceAccounts: {}")], "198.51.100.7", DB, "TCP 80", "allowed"),
        // service account match, `selector`: "Match service accounts by label".
        (
            vec![from("serviceAccounts: {selector: role == 'x'}"), account("east", "front", "role: x")],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![from("serviceAccounts: {selector: role == 'x'}"), account("east", "front", "role: z")],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        (vec![from("serviceAccounts: {selector: role == 'x'}")], FRONT, DB, "TCP 80", "unknown"),
        // API: "If both Names and Selector are specified then they are AND'ed."
        (
            vec![from("serviceAccounts: {names: [x], selector: role == 'x'}"), account("east", "front", "role: x")],
            FRONT,
            DB,
            "TCP 80",
            "denied",
        ),
        // networkpolicy, `serviceAccountSelector`: "Select a specific service account by name using the
        // `projectcalico.org/name` label."
        (vec![subject("projectcalico.org/name == 'db'")], FRONT, DB, "TCP 80", "denied"),
        (vec![subject("projectcalico.org/name == 'x'")], FRONT, DB, "TCP 80", "open"),
        (vec![subject("role == 'x'"), account("east", "db", "role: x")], FRONT, DB, "TCP 80", "denied"),
        (vec![subject("role == 'x'")], FRONT, DB, "TCP 80", "unknown"),
        // service policy: "allows all pods that back the `frontend-service` service to send traffic".
        (vec![from("services: {name: front, namespace: east}"), front()], FRONT, DB, "TCP 80", "allowed"),
        (vec![from("services: {name: front, namespace: east}"), front()], "east/x", DB, "TCP 80", "denied"),
        // API: "If left empty, the rule will match within this policy's namespace."
        (vec![from("services: {name: front}"), front()], FRONT, DB, "TCP 80", "allowed"),
        // API: "only traffic that originates from or terminates at endpoints within the selected service(s) will be
        // matched, and only to/from each endpoint's port".
        (vec![to("services: {name: front}"), front()], DB, FRONT, "TCP 8080", "allowed"),
        (vec![to("services: {name: front}"), front()], DB, FRONT, "TCP 80", "denied"),
        (vec![to("services: {name: front}"), front()], DB, "west/front", "TCP 8080", "denied"),
        (vec![to("services: {name: front}"), front()], DB, "198.51.100.7", "TCP 8080", "denied"),
        // Where it is not in the input, or somebody else makes its endpoints, they are not known.
        (vec![to("services: {name: front}")], DB, FRONT, "TCP 8080", "unknown"),
        (vec![to("services: {name: kubernetes, namespace: default}")], DB, "198.51.100.7", "TCP 6443", "unknown"),
        (
            vec![to("services: {name: front}"), service("east", "front", "ports: [{port: 80}]")],
            DB,
            FRONT,
            "TCP 80",
            "unknown",
        ),
        (
            vec![
                global("g", &format!("selector: app == 'db', egress: [{{action: Allow, destination: {web}}}]")),
                front(),
            ],
            DB,
            FRONT,
            "TCP 8080",
            "unknown",
        ),
    ]);
}

#[test]
fn policies_choose_their_pods() {
    let shut = |selector: &str| vec![global("g", &format!("{selector}, types: [Ingress]"))];
    let and = |mut documents: Vec<String>, more: String| {
        documents.push(more);
        documents
    };
    check(vec![
        // globalnetworkpolicy: "applies to workload endpoint resources in all namespaces"; `selector`: default `all()`.
        (shut("order: 1"), FRONT, "west/db", "TCP 80", "denied"),
        (shut("selector: all()"), FRONT, "west/db", "TCP 80", "denied"),
        (shut("selector: \"app in {'db'}\""), FRONT, "west/db", "TCP 80", "denied"),
        (shut("selector: \"app in {'x'}\""), FRONT, "west/db", "TCP 80", "open"),
        // globalnetworkpolicy, `namespaceSelector`: "Selects the namespace(s) to which this policy applies. Select a
        // specific namespace by name using the `projectcalico.org/name` label."
        (shut("namespaceSelector: projectcalico.org/name == 'west'"), FRONT, "west/db", "TCP 80", "denied"),
        (shut("namespaceSelector: projectcalico.org/name == 'west'"), FRONT, DB, "TCP 80", "open"),
        (shut("namespaceSelector: has(stage)"), FRONT, DB, "TCP 80", "unknown"),
        (and(shut("namespaceSelector: has(stage)"), namespace("east", "")), FRONT, DB, "TCP 80", "open"),
        (shut("selector: app ="), FRONT, DB, "TCP 80", "unknown"),
        (shut("namespaceSelector: global()"), FRONT, DB, "TCP 80", "unknown"),
        // globalnetworkpolicy: "The `doNotTrack` and `preDNAT` and `applyOnForward` fields are meaningful only when
        // applying policy to a host endpoint."
        (shut("doNotTrack: true, applyOnForward: true"), FRONT, DB, "TCP 80", "open"),
        (shut("preDNAT: true, applyOnForward: true"), FRONT, DB, "TCP 80", "open"),
        (shut("applyOnForward: true"), FRONT, DB, "TCP 80", "denied"),
        // stagednetworkpolicy: "These rules are used to preview network behavior and do not enforce network traffic."
        (vec![object("StagedNetworkPolicy", "s", "east", "types: [Ingress]")], FRONT, DB, "TCP 80", "open"),
        (vec![object("StagedGlobalNetworkPolicy", "s", "", "types: [Ingress]")], FRONT, DB, "TCP 80", "open"),
        // entity rule: "A destination EntityRule matches the destination endpoint": of an ingress rule, the pod itself.
        (
            vec![object(
                "NetworkPolicy",
                "a",
                "east",
                "ingress: [{action: Allow, destination: {selector: app == 'db'}}]",
            )],
            FRONT,
            DB,
            "TCP 80",
            "allowed",
        ),
        (
            vec![object(
                "NetworkPolicy",
                "a",
                "east",
                "ingress: [{action: Allow, destination: {selector: app == 'db'}}]",
            )],
            DB,
            FRONT,
            "TCP 80",
            "denied",
        ),
        (
            vec![object("NetworkPolicy", "a", "east", "egress: [{action: Allow, source: {selector: app == 'db'}}]")],
            FRONT,
            "west/db",
            "TCP 80",
            "denied",
        ),
        // Both ends must agree.
        (
            vec![own("a", "ingress: [{action: Allow}]"), object("NetworkPolicy", "b", "west", "types: [Egress]")],
            "west/front",
            DB,
            "TCP 80",
            "denied",
        ),
    ]);
}

#[test]
fn what_is_not_understood_is_unknown_and_said() {
    let rule = |rule: &str| own("a", &format!("ingress: [{rule}]"));
    let table = [
        (rule("{action: Reject}"), "this action is not known"),
        (rule("{action: Allow, sources: {}}"), "`sources` is not known"),
        (rule("{action: Allow, source: {labels: x}}"), "`labels` is not known"),
        (rule("{action: Allow, source: {selector: app}}"), "this selector is not understood"),
        (rule("{action: Allow, source: {notSelector: app}}"), "this selector is not understood"),
        (rule("{action: Allow, source: {nets: [here]}}"), "no block of addresses"),
        (rule("{action: Allow, source: [x]}"), "must be a mapping"),
        (rule("{action: Allow, source: {services: {}}}"), "which Service is meant"),
        (rule("allow"), "a rule must be a mapping"),
        (own("a", "ingress: allow"), "rules must be a list"),
        (own("a", "ingress: [{action: Allow}], priority: 5"), "`priority` is not known"),
        (own("a", "ingress: [{action: Allow}], order: first"), "this order is no number"),
        (own("a", "ingress: [{action: Allow}], tier: [x]"), "this names no tier"),
        (own("a", "ingress: [{action: Allow}], tier: x"), "its tier is not in the input"),
        (own("a", "ingress: [{action: Allow}], preDNAT: true"), "`preDNAT` is not known"),
        (own("a", "ingress: [{action: Allow}]").replace("/v3", "/v4"), "a version that is not known"),
        (own("a", "ingress: [{action: Allow}]").replace(V3, "crd.projectcalico.org/v3"), "a version that is not known"),
    ];
    for (policy, message) in table {
        assert_eq!(ask(&[&policy], FRONT, DB, "TCP 80"), "unknown", "{policy}");
        let manifests = common::manifests(&policy);
        let policies = NetworkPolicies::read(&manifests, "default");
        let said: Vec<_> = policies.doubts().iter().filter(|d| d.level == Level::Warning).collect();
        assert!(said.iter().any(|d| d.message.contains(message) && d.span.is_some()), "{policy}: {said:?}");
        assert!(said.iter().all(|d| d.message.starts_with("NetworkPolicy.")), "{policy}: {said:?}");
    }
    let broken = "{action: Allow, protocol: TCP, destination: {ports: [80, '9:8']}}";
    assert_eq!(ask(&[&rule(broken)], FRONT, DB, "TCP 90"), "unknown", "the other port may be any");
    for (spec, message) in [
        ("order: 5, default: Pass", "`default` is not known"),
        ("order: first", "this order is no number"),
        ("order: 5, defaultAction: Allow", "this action is not known"),
    ] {
        let documents =
            [tier("x", spec), own("a", "tier: x, ingress: [{action: Allow}]"), own("b", "ingress: [{action: Deny}]")];
        let documents = documents.each_ref().map(String::as_str);
        assert_eq!(ask(&documents, FRONT, DB, "TCP 80"), "unknown", "{spec}");
        let manifests = common::manifests(&documents.join("\n---\n"));
        let policies = NetworkPolicies::read(&manifests, "default");
        let said: Vec<&str> = policies.doubts().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(said.iter().filter(|m| m.contains(message)).count(), 1, "{said:?}");
    }
}

#[test]
fn what_has_no_effect_is_a_note() {
    let documents = [
        object("StagedNetworkPolicy", "s", "east", "types: [Ingress]"),
        own("a", "ingress: [{action: Allow, http: {methods: [GET]}}]"),
        own("b", "ingress: [{action: Allow}]"),
    ];
    let manifests = common::manifests(&documents.join("\n---\n"));
    let policies = NetworkPolicies::read(&manifests, "default");
    let said: Vec<_> = policies.doubts().iter().map(|d| (d.level, d.code)).collect();
    assert_eq!(said, [(Level::Note, "policy-without-effect"), (Level::Note, "some-requests-only")]);
}

#[test]
fn isolation_follows_what_tiers_leave() {
    let table = [
        ("types: [Ingress]", Isolation::Restricted),
        ("ingress: [{action: Allow}]", Isolation::Open),
        ("ingress: [{action: Allow, source: {selector: app == 'front'}}]", Isolation::Restricted),
        ("ingress: [{action: Allow, source: {namespaceSelector: all()}}]", Isolation::Open),
        ("ingress: [{action: Allow, source: {nets: [0.0.0.0/0]}}]", Isolation::Open),
        ("ingress: [{action: Deny, source: {selector: app == 'x'}}, {action: Allow}]", Isolation::Restricted),
        ("ingress: [{action: Allow, destination: {selector: app == 'x'}}]", Isolation::Restricted),
        // What passes everything on leaves it to others.
        ("ingress: [{action: Deny, source: {selector: app == 'x'}}, {action: Pass}]", Isolation::None),
        ("ingress: [{action: Pass, protocol: TCP}]", Isolation::Restricted),
        ("types: [Egress]", Isolation::None),
        ("tier: elsewhere, types: [Ingress]", Isolation::Unknown),
    ];
    for (spec, expected) in table {
        let manifests = common::manifests(&own("a", spec));
        let policies = NetworkPolicies::read(&manifests, "default");
        assert_eq!(policies.isolation(&known(DB).get()).ingress, expected, "{spec}");
    }
    // A tier that passes on isolates nobody.
    let passing = [tier("x", "order: 1, defaultAction: Pass"), own("a", "tier: x, types: [Ingress]")];
    let manifests = common::manifests(&passing.join("\n---\n"));
    let policies = NetworkPolicies::read(&manifests, "default");
    assert_eq!(policies.isolation(&known(DB).get()).ingress, Isolation::None);
}

#[test]
fn policies_are_listed_with_their_pods() {
    let documents = [
        own("a", "types: [Ingress]"),
        global("b", "preDNAT: true, applyOnForward: true"),
        global("c", "tier: elsewhere, selector: app == 'db', types: [Ingress]"),
    ];
    common::both_orders(&documents.each_ref().map(String::as_str), |manifests| {
        let policies = NetworkPolicies::read(manifests, "default");
        let found: Vec<_> = policies
            .calico()
            .map(|p| (p.identity.as_str(), p.namespace.as_deref(), p.is_for(&known(DB).get()), p.is_for_everybody()))
            .collect();
        let expected = [
            ("GlobalNetworkPolicy.projectcalico.org/b", None, Match::No, false),
            ("GlobalNetworkPolicy.projectcalico.org/c", None, Match::Yes, false),
            ("NetworkPolicy.projectcalico.org/east/a", Some("east"), Match::Yes, false),
        ];
        assert_eq!(found, expected);
        assert_eq!(policies.all().count(), 3);
    });
}

#[test]
fn rules_that_name_pods_are_declared() {
    let declared = |policy: &str| -> Vec<String> {
        let manifests = common::manifests(policy);
        let policies = NetworkPolicies::read(&manifests, "default");
        let one =
            |pod: &'static str, matcher: &kubestride_policy::network::PodMatcher| matcher.matches(&known(pod).get());
        let peers = policies.calico().flat_map(|p| p.declared_peers()).map(|peer| {
            assert!(one(DB, &peer.selected) && !one("east/front", &peer.selected));
            let names = [FRONT, "east/other", "west/front"].into_iter().filter(|pod| one(pod, &peer.peer));
            let ports: Vec<String> = peer.ports.iter().map(|p| format!("{} {:?}", p.protocol, p.ports)).collect();
            let way = if peer.direction == Direction::Ingress { "from" } else { "to" };
            format!("{way} {} {}", names.collect::<Vec<_>>().join("+"), ports.join("+"))
        });
        peers.collect()
    };
    let from = |rule: &str| own("a", &format!("ingress: [{{action: Allow, {rule}}}]"));
    let all = format!("{:?}", Ports::All);
    let table = [
        (from("source: {selector: app == 'front'}"), vec!["from east/front ".to_owned()]),
        (
            from("protocol: TCP, source: {selector: \"app in {'front', 'x'}\"}, destination: {ports: [80, web]}"),
            vec!["from east/front TCP Numbers(80, 80)+TCP Name(\"web\")".to_owned()],
        ),
        (
            from("protocol: TCP, source: {selector: app == 'front', namespaceSelector: all()}"),
            vec![format!("from east/front+west/front TCP {all}")],
        ),
        (
            from("source: {selector: app == 'front', namespaceSelector: projectcalico.org/name == 'west'}"),
            vec!["from west/front ".to_owned()],
        ),
        (
            global(
                "g",
                "selector: app == 'db', egress: [{action: Allow, destination: {selector: app == 'front' && \
                 projectcalico.org/namespace == 'west'}}]",
            ),
            vec!["to west/front ".to_owned()],
        ),
        // Nobody is named, or somebody that labels alone do not tell.
        (from("source: {selector: all()}"), vec![]),
        (from("source: {selector: has(app)}"), vec![]),
        (from("source: {selector: app contains 'front'}"), vec![]),
        (from("source: {selector: app == 'front' || app == 'x'}"), vec![]),
        (from("source: {selector: app == 'front', nets: [10.0.0.0/8]}"), vec![]),
        (from("source: {selector: app == 'front', notSelector: has(x)}"), vec![]),
        (from("source: {serviceAccounts: {names: [front]}}"), vec![]),
        (from("source: {selector: app == 'front'}, destination: {selector: has(x)}"), vec![]),
        (from("source: {selector: app == 'front', unknown: 1}"), vec![]),
        (own("a", "ingress: [{action: Deny, source: {selector: app == 'front'}}]"), vec![]),
        (own("a", "types: [Egress], ingress: [{action: Allow, source: {selector: app == 'front'}}]"), vec![]),
        (
            object("NetworkPolicy", "a", "east", "ingress: [{action: Allow, source: {selector: app == 'front'}}]"),
            vec![],
        ),
    ];
    for (policy, expected) in table {
        assert_eq!(declared(&policy), expected, "{policy}");
    }
}

#[test]
fn addresses_are_parted_where_policies_change() {
    let documents = [
        global("a", "selector: app == 'db', egress: [{action: Allow, destination: {selector: role == 'x'}}]"),
        set("GlobalNetworkSet", "g", "", "x", "198.51.100.0/24"),
        set("GlobalNetworkSet", "h", "", "z", "203.0.113.0/24"),
        own("b", "egress: [{action: Deny, destination: {notNets: [192.0.2.0/24]}}]"),
    ];
    let manifests = common::manifests(&documents.join("\n---\n"));
    let policies = NetworkPolicies::read(&manifests, "default");
    let starts: Vec<String> = policies.ranges().iter().map(|range| range.0.to_string()).collect();
    assert_eq!(starts, ["0.0.0.0", "192.0.2.0", "192.0.3.0", "198.51.100.0", "198.51.101.0"]);
    let reach = |range: Range| policies.ports(End::Pod(known(DB).get()), End::Outside(range));
    let open: Vec<_> = policies.ranges().into_iter().filter(|range| reach(*range) != PortSet::none()).collect();
    assert_eq!(open.iter().map(|range| range.0.to_string()).collect::<Vec<_>>(), ["198.51.100.0"]);
}
