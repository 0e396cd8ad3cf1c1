//! Policies of Cilium: what their documentation says, case by case. Sentences in quotation marks are from
//! <https://docs.cilium.io/en/stable/security/policy/> and from the comments of the types of `cilium.io/v2`.

mod common;

use common::cilium::{SUBJECT, ask, check, described, object, own, wide};
use kubestride_policy::connections::limits;
use kubestride_policy::network::{Direction, Isolation, Match, NetworkPolicies};

#[test]
fn sections_isolate() {
    let table = [
        // "If any rule selects an endpoint and the rule has an ingress section, the endpoint goes into default deny-mode
        // for ingress"; the example egress-default-deny.yaml has one empty rule, which is "without whitelisting other
        // peers at the same time".
        ("ingress: [{}]", "shop/web", "80", "no"),
        ("ingress: [{}]", "1.2.3.4", "80", "no"),
        // "If omitted or empty, this rule does not apply at ingress."
        ("ingress: [], egress: [{}]", "shop/web", "80", "free"),
        ("egress: [{}]", "shop/web", "80", "free"),
        // "Similarly to 'allow' policies, Pods will enter default-deny mode as soon as a single policy selects it."
        ("ingressDeny: [{fromEntities: [world]}]", "shop/web", "80", "no"),
        // "Rules with EnableDefaultDeny disabled are ignored when determining the default mode."
        ("ingressDeny: [{fromEntities: [world]}], enableDefaultDeny: {ingress: false}", "shop/web", "80", "free"),
        ("ingressDeny: [{fromEntities: [world]}], enableDefaultDeny: {ingress: false}", "1.2.3.4", "80", "no"),
        ("ingress: [{fromEntities: [world]}], enableDefaultDeny: {ingress: false}", "shop/web", "80", "free"),
        ("ingress: [{fromEntities: [world]}], enableDefaultDeny: {egress: false}", "shop/web", "80", "no"),
        // "EnableDefaultDeny determines whether this policy configures the subject endpoint(s) to have a default deny
        // mode."
        ("egress: [{}], enableDefaultDeny: {ingress: true}", "shop/web", "80", "no"),
        // "If both ingress and egress are omitted, the rule has no effect."
        ("description: nothing", "shop/web", "80", "free"),
    ];
    check(own, Direction::Ingress, "", &table);
    check(wide, Direction::Ingress, "", &table);
}

#[test]
fn policies_select_pods_of_their_namespace() {
    let select = |kind: &str, selector: &str| {
        let namespace = if kind == "CiliumNetworkPolicy" { ", namespace: shop" } else { "" };
        object(kind, namespace, &format!("spec: {{endpointSelector: {selector}, ingress: [{{}}]}}"))
    };
    let (own, wide) = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy");
    let (isolated, free) = (Isolation::Restricted, Isolation::None);
    let table = [
        (own, "{}", "shop/db", isolated),
        (own, "{}", "other/db", free),
        // "The endpointSelector always applies to pods in the namespace associated with the CiliumNetworkPolicy resource".
        (own, "{matchLabels: {'k8s:io.kubernetes.pod.namespace': shop}}", "shop/db", isolated),
        (own, "{matchLabels: {io.kubernetes.pod.namespace: shop}}", "other/db", free),
        (own, "{matchLabels: {io.kubernetes.pod.namespace: other}}", "shop/db", Isolation::Unknown),
        (own, "{matchLabels: {io.cilium.k8s.namespace.labels.team: s}}", "shop/db", isolated),
        (own, "{matchLabels: {io.cilium.k8s.namespace.labels.team: o}}", "shop/db", free),
        (own, "{matchLabels: {io.cilium.k8s.namespace.labels.team: o}}", "other/db", free),
        (own, "{matchLabels: {io.cilium.k8s.policy.serviceaccount: luke}}", "shop/db+luke", isolated),
        (own, "{matchLabels: {io.cilium.k8s.policy.serviceaccount: luke}}", "shop/db", free),
        (own, "{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", "shop/db", isolated),
        (own, "{matchExpressions: [{key: 'reserved:ingress', operator: DoesNotExist}]}", "shop/db", isolated),
        (own, "{matchLabels: {'reserved:host': ''}}", "shop/db", free),
        (own, "{}", "shop/db@node", free),
        (wide, "{}", "other/db", isolated),
        (wide, "{matchLabels: {app: db}}", "other/db", isolated),
        (wide, "{matchLabels: {app: db}}", "other/web", free),
        (
            wide,
            "{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [shop]}]}",
            "shop/db",
            free,
        ),
    ];
    for (kind, selector, name, expected) in table {
        let policies = NetworkPolicies::read(&common::manifests(&select(kind, selector)), "default");
        assert_eq!(policies.isolation(&described(name).get()).ingress, expected, "{kind} {selector} {name}");
    }
    // "NodeSelector selects all nodes which should be subject to this rule."
    let nodes = object(wide, "", "spec: {nodeSelector: {matchLabels: {type: ingress}}, ingress: [{}]}");
    let policies = NetworkPolicies::read(&common::manifests(&nodes), "default");
    assert_eq!(policies.isolation(&described("shop/db").get()).ingress, free);
}

#[test]
fn an_object_may_have_several_specs() {
    let text = object(
        "CiliumNetworkPolicy",
        ", namespace: shop",
        "spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{}]}, specs: [{endpointSelector: {matchLabels: {app: \
         web}}, egress: [{}], egressDeny: [{toEntities: [world]}]}]",
    );
    let policies = NetworkPolicies::read(&common::manifests(&text), "default");
    let of = |name| policies.isolation(&described(name).get());
    let restricted = Isolation::Restricted;
    assert_eq!((of("shop/db").ingress, of("shop/db").egress), (restricted, Isolation::None));
    assert_eq!((of("shop/web").ingress, of("shop/web").egress), (Isolation::None, restricted));
    let all = policies.all();
    assert_eq!(all.len(), 1, "an object is listed once");
    assert_eq!(all[0].cited.identity, "CiliumNetworkPolicy.cilium.io/shop/p");
    for (name, expected) in [("shop/db", Match::Yes), ("shop/web", Match::Yes), ("shop/cart", Match::No)] {
        assert_eq!(all[0].selects(&described(name).get()), expected, "{name}");
    }
}

/// What is not understood is said, and makes answers unknown, never yes or no.
#[test]
fn what_is_not_understood_is_unknown() {
    let table = [
        ("ingress: [{fromEndpoint: [{}]}]", "policy-not-understood"),
        ("ingress: [{fromEntities: [mars]}]", "policy-not-understood"),
        ("ingres: [{}], ingress: [{}]", "policy-not-understood"),
        ("ingress: {fromEntities: [all]}", "policy-not-understood"),
        ("ingress: [{fromEntities: all}]", "policy-not-understood"),
        ("ingress: [all]", "policy-not-understood"),
        ("ingress: [{fromEntities: [all], fromCIDR: [1.0.0.0/8]}]", "policy-not-understood"),
        ("ingress: [{fromCIDR: [1.0.0.0/99]}]", "policy-not-understood"),
        ("ingress: [{fromCIDRSet: [{cidr: 1.0.0.0/8, except: [x]}]}]", "policy-not-understood"),
        ("ingress: [{fromCIDRSet: [{}]}]", "policy-not-understood"),
        ("ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: Like}]}]}]", "policy-not-understood"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: FOO}]}]}]", "policy-not-understood"),
        ("ingress: [{toPorts: [{ports: [{port: '80', endPort: 1}]}]}]", "policy-not-understood"),
        ("ingress: [{toPorts: [{ports: [{port: '99999'}]}]}]", "policy-not-understood"),
        ("ingress: [{toPorts: [{}]}]", "policy-not-understood"),
        ("ingress: [{toPorts: [{ports: [{port: '80'}]}], icmps: [{}]}]", "policy-not-understood"),
        ("ingress: [{}], enableDefaultDeny: {ingress: maybe}", "policy-not-understood"),
        ("ingress: [{}], nodeSelector: {}", "policy-not-understood"),
        ("ingressDeny: [{authentication: {mode: required}}]", "policy-not-understood"),
    ];
    for (rules, code) in table {
        let manifests = common::manifests(&own(rules));
        let policies = NetworkPolicies::read(&manifests, "default");
        let found = limits(&manifests, &policies, "default");
        assert!(found.iter().any(|d| d.code == code && d.span.is_some()), "{rules}: {found:?}");
        let sure = policies.all()[0].selects(&described(SUBJECT).get());
        assert_eq!(sure, Match::Unknown, "{rules}");
        assert!(!["yes", "no"].contains(&ask(&policies, Direction::Ingress, "shop/web", "80")), "{rules}");
    }
    let whole = [
        object("CiliumNetworkPolicy", ", namespace: shop", "spec: {}"),
        object("CiliumNetworkPolicy", ", namespace: shop", "spec: {ingress: [{}]}"),
        own("ingress: [{}]").replace("/v2", "/v3"),
    ];
    for text in whole {
        let manifests = common::manifests(&text);
        let policies = NetworkPolicies::read(&manifests, "default");
        assert!(!limits(&manifests, &policies, "default").is_empty(), "{text}");
        assert!(!["yes", "no"].contains(&ask(&policies, Direction::Ingress, "shop/web", "80")), "{text}");
    }
}

#[test]
fn what_limits_the_answer_is_said() {
    let http = "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]}]";
    let table: [(&str, &[&str]); 8] = [
        (http, &["some-requests"]),
        // "if all fields are empty or missing, the rule does not have any effect".
        (&http.replace("{method: GET}", "{}"), &[]),
        ("egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a.example.com}]}}]}]", &[]),
        ("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a]}]}]", &["some-requests"]),
        ("egress: [{toServices: [{k8sService: {serviceName: lost}}]}]", &["unknown-peer"]),
        ("egress: [{toGroups: [{aws: {}}]}]", &["unknown-peer"]),
        ("description: nothing", &["policy-without-rules"]),
        ("ingress: [{fromEntities: [cluster]}], labels: [], log: {value: a}", &[]),
    ];
    for (rules, expected) in table {
        let manifests = common::manifests(&own(rules));
        let policies = NetworkPolicies::read(&manifests, "default");
        let codes: Vec<_> = limits(&manifests, &policies, "default").iter().map(|d| d.code).collect();
        assert_eq!(codes, expected, "{rules}");
    }
}

#[test]
fn open_policies_are_found() {
    let table = [
        ("ingress: [{fromEntities: [all]}]", Isolation::Open, true),
        // Both are about addresses outside only.
        ("ingress: [{fromCIDR: [0.0.0.0/0]}]", Isolation::Restricted, false),
        ("ingress: [{fromEntities: [world]}]", Isolation::Restricted, false),
        ("ingress: [{fromEntities: [world, cluster]}]", Isolation::Open, true),
        ("ingress: [{fromGroups: [{aws: {}}]}]", Isolation::Restricted, false),
        ("ingress: [{toPorts: [{ports: [{port: '80'}]}]}]", Isolation::Open, false),
        ("ingress: [{fromEntities: [all], icmps: [{}]}]", Isolation::Restricted, false),
        ("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [world]}]", Isolation::Unknown, false),
        ("ingress: [{fromEndpoints: [{}]}]", Isolation::Restricted, false),
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}]}]",
            Isolation::Open,
            true,
        ),
    ];
    for (rules, isolation, everyone) in table {
        let policies = NetworkPolicies::read(&common::manifests(&own(rules)), "default");
        assert_eq!(policies.isolation(&described(SUBJECT).get()).ingress, isolation, "{rules}");
        assert_eq!(policies.all()[0].admits_everyone().is_some(), everyone, "{rules}");
    }
    let egress = [
        ("egress: [{toEntities: [world]}]", Isolation::Open),
        ("egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]", Isolation::Open),
        ("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]", Isolation::Restricted),
    ];
    for (rules, isolation) in egress {
        let policies = NetworkPolicies::read(&common::manifests(&own(rules)), "default");
        assert_eq!(policies.isolation(&described(SUBJECT).get()).egress, isolation, "{rules}");
    }
    let dns = [
        ("egress: [{toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]", true),
        ("egress: [{toEntities: [world]}]", true),
        ("egress: [{toEntities: [cluster], toPorts: [{ports: [{port: '53'}]}]}]", false),
        ("egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a.example.com}]}}]}]", false),
        ("egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]}]", true),
        ("egress: [{}]", false),
    ];
    for (rules, expected) in dns {
        let policies = NetworkPolicies::read(&common::manifests(&own(rules)), "default");
        assert_eq!(policies.all()[0].dns_to_anywhere().is_some(), expected, "{rules}");
    }
}

#[test]
fn rules_that_name_peers_are_declared() {
    let policies = NetworkPolicies::read(
        &common::manifests(&own(
            "ingress: [{fromEndpoints: [{matchLabels: {app: web}}, {}], toPorts: [{ports: [{port: '5432', protocol: TCP}]}]}, \
             {fromEntities: [all]}], egress: [{toEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: other, \
             io.cilium.k8s.policy.serviceaccount: luke}}]}, {toFQDNs: [{matchName: API.example.com}, {matchPattern: \
             '*.example.com'}]}], egressDeny: [{toEndpoints: [{matchLabels: {app: bad}}]}]",
        )),
        "default",
    );
    let declared = policies.all().iter().map(|listed| listed.declared()).next().expect("a policy");
    let found: Vec<_> = declared.peers.iter().map(|peer| (peer.direction, peer.ports.len())).collect();
    assert_eq!(found, [(Direction::Ingress, 1), (Direction::Egress, 0)]);
    assert!(declared.peers[0].selected.matches(&described("shop/db").get()));
    assert!(declared.peers[0].peer.matches(&described("shop/web").get()));
    assert!(!declared.peers[0].peer.matches(&described("other/web").get()), "its own namespace");
    assert!(declared.peers[1].peer.matches(&described("other/web+luke").get()));
    assert!(!declared.peers[1].peer.matches(&described("other/web").get()), "another account");
    let hosts: Vec<_> = declared.hosts.iter().map(|host| host.host.as_str()).collect();
    assert_eq!(hosts, ["api.example.com"]);
    // A policy for all endpoints of a namespace declares nothing about any of them.
    let all = own("egress: [{toFQDNs: [{matchName: a.example.com}]}]").replace("matchLabels: {app: db}", "");
    let policies = NetworkPolicies::read(&common::manifests(&all), "default");
    assert!(policies.all()[0].declared().hosts.is_empty());
}
