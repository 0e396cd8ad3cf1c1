//! Network policies.

mod common;

use common::{both_orders, pod};
use kubestride_policy::network::{Answer, Direction, End, Isolation, Match, NetworkPolicies};

fn policy(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {spec}}}"
    )
}

fn read(spec: &str) -> NetworkPolicies {
    NetworkPolicies::read(&common::manifests(&policy("p", "shop", spec)), "default")
}

/// Whether a connection gets through.
fn allows(
    policies: &NetworkPolicies,
    source: &common::Described,
    target: &common::Described,
    port: Option<u16>,
    protocol: &str,
) -> Answer {
    policies.verdict(End::Pod(source.get()), End::Pod(target.get())).answer(protocol, port)
}

fn name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Allowed(_) => "allowed",
        Answer::Denied(_) => "denied",
        Answer::Unrestricted => "unrestricted",
        Answer::Undetermined(_) => "undetermined",
    }
}

#[test]
fn isolation_follows_types_and_rules() {
    use Isolation::{None as Free, Open, Restricted, Unknown};
    let table = [
        ("{podSelector: {}}", Restricted, Free),
        ("{podSelector: {}, policyTypes: []}", Restricted, Free),
        ("{podSelector: {}, egress: [{}]}", Restricted, Open),
        ("{podSelector: {}, egress: []}", Restricted, Free),
        ("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", Free, Restricted),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", Restricted, Free),
        ("{podSelector: {}, policyTypes: [Ingress, Egress]}", Restricted, Restricted),
        ("{podSelector: {matchLabels: {app: other}}}", Free, Free),
        ("{podSelector: {}, ingress: [{}]}", Open, Free),
        ("{podSelector: {}, ingress: [{from: []}]}", Open, Free),
        ("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}", Open, Free),
        ("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]}", Open, Free),
        ("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", Restricted, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", Open, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [203.0.113.0/24]}}]}]}", Open, Free),
        // Whether pods have their addresses there is not known.
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}", Unknown, Free),
        // Everybody outside, and no pod.
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10]}}]}]}",
            Restricted,
            Free,
        ),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [0.0.0.0/1, 0.0.0.0/2, 128.0.0.0/8]}}]}]}",
            Unknown,
            Free,
        ),
        // A block in which all pods may have their addresses does not surely name somebody.
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.1.0/24}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 96.0.0.0/3}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 'fd00::/8'}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.1.0/25}}]}]}", Restricted, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 'fd00::1/128'}}]}]}", Restricted, Free),
        ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}", Restricted, Free),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.1.0/24, except: [10.1.1.0/25]}}]}]}",
            Restricted,
            Free,
        ),
        (
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 169.254.0.0/16]}}]}]}",
            Free,
            Open,
        ),
        ("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", Free, Restricted),
        ("{podSelector: {}, ingress: [{from: [{unheardOf: {}}]}]}", Unknown, Free),
        ("{podSelector: {}, ingress: [{unheardOf: [], from: []}]}", Unknown, Free),
        // That somebody else gets through for sure decides.
        ("{podSelector: {}, ingress: [{unheardOf: []}, {}]}", Open, Free),
        ("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", Open, Free),
        ("{podSelector: {}, egress: [{ports: [{port: 443}]}]}", Restricted, Open),
        // Everybody asks DNS.
        ("{podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]}", Restricted, Restricted),
        (
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/1}}, {ipBlock: {cidr: 128.0.0.0/1}}]}]}",
            Open,
            Free,
        ),
        (
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]}}]}]}",
            Open,
            Free,
        ),
    ];
    let web = pod("shop", "web", "a");
    for (spec, ingress, egress) in table {
        let answer = read(spec).isolation(&web.get());
        assert_eq!((answer.ingress, answer.egress), (ingress, egress), "{spec}");
        let by = |isolation, by: &[_]| assert_eq!(by.len(), usize::from(isolation != Free), "{spec}");
        by(ingress, &answer.ingress_by);
        by(egress, &answer.egress_by);
    }
    let elsewhere = pod("cart", "web", "a");
    assert!(read("{podSelector: {}}").isolation(&elsewhere.get()).ingress_by.is_empty());
}

#[test]
fn one_open_policy_opens_for_all() {
    let closed = policy("closed", "shop", "{podSelector: {}}");
    let open = policy("open", "shop", "{podSelector: {matchLabels: {app: web}}, ingress: [{}]}");
    both_orders(&[&closed, &open], |manifests| {
        let policies = NetworkPolicies::read(manifests, "default");
        let answer = policies.isolation(&pod("shop", "web", "a").get());
        assert_eq!(answer.ingress, Isolation::Open);
        let names = |by: &[kubestride_policy::Cited]| by.iter().map(|c| c.identity.clone()).collect::<Vec<_>>();
        assert_eq!(names(&answer.ingress_by), ["NetworkPolicy/shop/open"], "the rule that opens");
        let answer = policies.isolation(&pod("shop", "db", "a").get());
        assert_eq!(answer.ingress, Isolation::Restricted);
        assert_eq!(names(&answer.ingress_by), ["NetworkPolicy/shop/closed"]);
    });
}

#[test]
fn ingress_admits_the_peers_it_names() {
    let table = [
        ("{from: [{podSelector: {matchLabels: {app: web}}}]}", "allowed", "denied"),
        ("{from: [{namespaceSelector: {matchLabels: {team: b}}}]}", "denied", "allowed"),
        ("{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: cart}}}]}", "denied", "allowed"),
        (
            "{from: [{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: no}}}]}",
            "denied",
            "denied",
        ),
        (
            "{from: [{namespaceSelector: {matchLabels: {team: b}}}, {podSelector: {matchLabels: {app: web}}}]}",
            "allowed",
            "allowed",
        ),
        // "whether this happens before or after NetworkPolicy processing ... may be different for different
        // combinations of network plugin": addresses that pods may have are pods for some plugins.
        ("{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}", "undetermined", "undetermined"),
        ("{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}", "undetermined", "undetermined"),
        ("{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}", "denied", "denied"),
        (
            "{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10]}}]}",
            "denied",
            "denied",
        ),
        ("{from: []}", "allowed", "allowed"),
        ("{from: nobody}", "denied", "denied"),
    ];
    let (same, other, target) = (pod("shop", "web", "a"), pod("cart", "web", "b"), pod("shop", "db", "a"));
    for (rule, from_same, from_other) in table {
        let text = policy("p", "shop", &format!("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{rule}]}}"));
        let policies = NetworkPolicies::read(&common::manifests(&text), "default");
        let answer = |source: &common::Described| name(&allows(&policies, source, &target, Some(80), "TCP"));
        assert_eq!((answer(&same), answer(&other)), (from_same, from_other), "{rule}");
    }
}

#[test]
fn ports_are_those_of_the_target() {
    let table = [
        ("[{port: 8080}]", Some(8080), "TCP", true),
        ("[{port: 8080}]", Some(8081), "TCP", false),
        ("[{port: 8080}]", Some(8080), "UDP", false),
        ("[{port: 8080, protocol: UDP}]", Some(8080), "UDP", true),
        ("[{port: web}]", Some(8080), "TCP", true),
        ("[{port: web}]", Some(80), "TCP", false),
        ("[{port: other}]", Some(8080), "TCP", false),
        ("[{port: 8000, endPort: 8090}]", Some(8080), "TCP", true),
        ("[{port: 8000, endPort: 8090}]", Some(8090), "TCP", true),
        ("[{port: 8000, endPort: 8090}]", Some(8091), "TCP", false),
        ("[{protocol: TCP}]", Some(1), "TCP", true),
        ("[{port: 1}, {port: 8080}]", Some(8080), "TCP", true),
        ("[{port: 8080}]", None, "TCP", true),
        ("[]", Some(1), "SCTP", true),
    ];
    let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
    for (ports, port, protocol, expected) in table {
        for direction in ["ingress", "egress"] {
            let text = format!(
                "{{podSelector: {{}}, policyTypes: [{}], {direction}: [{{ports: {ports}}}]}}",
                if direction == "ingress" { "Ingress" } else { "Egress" }
            );
            let answer = allows(&read(&text), &source, &target, port, protocol);
            assert_eq!(name(&answer) == "allowed", expected, "{direction} {ports} {port:?} {protocol}");
        }
    }
}

#[test]
fn both_directions_must_agree() {
    let out = policy(
        "out",
        "shop",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}",
    );
    let closed = policy("in", "shop", "{podSelector: {matchLabels: {app: db}}}");
    let open = policy("in", "shop", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}");
    let (source, target, third) = (pod("shop", "web", "a"), pod("shop", "db", "a"), pod("shop", "mail", "a"));
    let read = |manifests: &kubestride_manifest::Manifests| NetworkPolicies::read(manifests, "default");
    both_orders(&[&out, &closed], |manifests| {
        let answer = allows(&read(manifests), &source, &target, Some(1), "TCP");
        let Answer::Denied(by) = answer else { panic!("{answer:?}") };
        assert_eq!(by[0].cited.identity, "NetworkPolicy/shop/in");
        assert_eq!(name(&allows(&read(manifests), &source, &third, None, "TCP")), "denied", "on its way out");
        assert_eq!(name(&allows(&read(manifests), &third, &source, None, "TCP")), "unrestricted");
    });
    both_orders(&[&out, &open], |manifests| {
        let answer = allows(&read(manifests), &source, &target, Some(1), "TCP");
        let Answer::Allowed(by) = answer else { panic!("{answer:?}") };
        assert_eq!(by.len(), 2, "a rule for each direction");
    });
}

#[test]
fn pods_in_the_network_of_their_node_are_not_seen_as_pods() {
    let policies = read("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}]}");
    let (mut host, target) = (pod("shop", "agent", "a"), pod("shop", "db", "a"));
    host.host_network = true;
    assert_eq!(policies.isolation(&host.get()).ingress, Isolation::None);
    assert_eq!(name(&allows(&policies, &host, &target, None, "TCP")), "undetermined");
}

#[test]
fn the_metadata_service_is_reached_unless_egress_says_otherwise() {
    let table = [
        ("{podSelector: {}}", true, 0),
        ("{podSelector: {}, policyTypes: [Egress]}", false, 1),
        ("{podSelector: {}, policyTypes: [Egress], egress: [{}]}", true, 1),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", true, 1),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}", false, 1),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}]}", false, 1),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", false, 1),
        ("{podSelector: {}, egress: [{to: [{namespaceSelector: {}}]}]}", false, 1),
        ("{podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]}", false, 1),
        ("{podSelector: {}, egress: [{ports: [{port: 80}]}]}", true, 1),
        ("{podSelector: {}, egress: [{ports: [{port: 1, endPort: 1024}]}]}", true, 1),
    ];
    let web = pod("shop", "web", "a");
    for (spec, reachable, sources) in table {
        let answer = read(spec).metadata_reachable(&web.get());
        assert_eq!((answer.reachable, answer.by.len()), (Match::from(reachable), sources), "{spec}");
    }
}

#[test]
fn dns_to_anywhere_is_found() {
    let table = [
        ("{podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]}", true),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 53}]}]}", true),
        ("{podSelector: {}, egress: [{}]}", true),
        ("{podSelector: {}, egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}", false),
        ("{podSelector: {}, egress: [{ports: [{port: 443}]}]}", false),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", false),
    ];
    for (spec, expected) in table {
        let policies = read(spec);
        assert_eq!(policies.policies().next().expect("a policy").dns_to_anywhere().is_some(), expected, "{spec}");
    }
}

#[test]
fn rules_that_name_pods_are_declared() {
    let policies = read(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, \
         {podSelector: {}}, {namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 5432}]}, {}], \
         egress: [{to: [{podSelector: {matchLabels: {app: mail}}, namespaceSelector: {matchLabels: {team: b}}}]}]}",
    );
    let declared = policies.policies().next().expect("a policy").declared_peers();
    let found: Vec<_> = declared.iter().map(|peer| (peer.direction, peer.ports.len())).collect();
    assert_eq!(found, [(Direction::Ingress, 1), (Direction::Egress, 0)]);
    assert!(declared[0].selected.matches(&pod("shop", "db", "a").get()));
    assert!(declared[0].peer.matches(&pod("shop", "web", "a").get()));
    assert!(!declared[0].peer.matches(&pod("cart", "web", "a").get()), "its own namespace");
    assert!(declared[1].peer.matches(&pod("cart", "mail", "b").get()));
}

#[test]
fn administrators_are_asked_first_and_their_baseline_last() {
    let admin = |kind: &str, priority: u32, action: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: {kind}, metadata: {{name: {kind}}}, spec: {{priority: \
             {priority}, subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{namespaces: {{}}}}], \
             ports: [{{portNumber: {{protocol: TCP, port: 80}}}}]}}]}}}}"
        )
    };
    let (first, last) = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy");
    let shut = policy("p", "shop", "{podSelector: {}}");
    let open = policy("p", "shop", "{podSelector: {}, ingress: [{}]}");
    let table = [
        (vec![admin(first, 1, "Deny"), open.clone()], "denied"),
        (vec![admin(first, 1, "Allow"), shut.clone()], "allowed"),
        (vec![admin(first, 1, "Pass"), shut.clone()], "denied"),
        (vec![admin(first, 1, "Pass")], "unrestricted"),
        (vec![admin(last, 0, "Deny")], "denied"),
        (vec![admin(last, 0, "Deny"), open], "allowed"),
        (vec![admin(last, 0, "Deny"), admin(first, 1, "Pass")], "denied"),
        (vec![admin(last, 0, "Deny"), admin(first, 1, "Allow")], "allowed"),
    ];
    for (policies, expected) in table {
        let text = policies.join("\n---\n");
        let read = NetworkPolicies::read(&common::manifests(&text), "default");
        let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
        assert_eq!(name(&allows(&read, &source, &target, Some(80), "TCP")), expected, "{text}");
        // The rules are about port 80; where it is not known, none of them refuses it.
        let unknown = allows(&read, &source, &target, None, "TCP");
        assert!(expected != "allowed" || name(&unknown) == "allowed", "{text}");
    }
}

/// A policy of which a part is not understood: it may be about the connection, so the answer is not known.
#[test]
fn what_is_not_understood_makes_answers_unknown() {
    let admin = |version: &str, priority: u32, name: &str, rule: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/{version}, kind: AdminNetworkPolicy, metadata: {{name: {name}}}, spec: \
             {{priority: {priority}, subject: {{namespaces: {{}}}}, ingress: [{rule}]}}}}"
        )
    };
    let (everybody, nodes) = ("from: [{namespaces: {}}]", "from: [{nodes: {}}]");
    let deny = format!("{{action: Deny, {everybody}}}");
    let allow = format!("{{action: Allow, {everybody}}}");
    let table = [
        // A field that is not known may widen or narrow it.
        (policy("p", "shop", "{podSelector: {}, ingress: [{from: [{podSelector: {}, zone: a}]}]}"), "undetermined", 1),
        (policy("p", "shop", "{podSelector: {}, ingress: [{from: [{podSelector: {}}], zone: a}]}"), "undetermined", 1),
        (policy("p", "shop", "{podSelector: {}, ingres: [{}]}"), "undetermined", 1),
        // It does not matter where something else lets everybody in.
        (policy("p", "shop", "{podSelector: {}, ingress: [{from: [{podSelector: {}, zone: a}]}, {}]}"), "allowed", 1),
        (admin("v1alpha1", 1, "a", &deny), "denied", 0),
        (
            admin("v1alpha1", 1, "a", &format!("{{action: Deny, {everybody}, ports: [{{portNumbers: 80}}]}}")),
            "undetermined",
            1,
        ),
        (
            admin("v1alpha1", 1, "a", &format!("{{action: Deny, {everybody}, ports: {{portNumber: 80}}}}")),
            "undetermined",
            1,
        ),
        (admin("v2", 1, "a", &deny), "undetermined", 1),
        (admin("v1alpha1", 1, "a", &format!("{{action: Log, {everybody}}}")), "undetermined", 1),
        (admin("v1alpha1", 1, "a", &format!("{{action: Deny, {nodes}}}")), "unrestricted", 0),
        // Two policies with one priority: "it is undefined which is evaluated first".
        (
            format!("{}\n---\n{}", admin("v1alpha1", 1, "a", &deny), admin("v1alpha1", 1, "b", &allow)),
            "undetermined",
            2,
        ),
        (format!("{}\n---\n{}", admin("v1alpha1", 1, "a", &deny), admin("v1alpha1", 2, "b", &allow)), "denied", 0),
    ];
    let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
    for (text, expected, doubts) in table {
        let read = NetworkPolicies::read(&common::manifests(&text), "default");
        assert_eq!(name(&allows(&read, &source, &target, Some(80), "TCP")), expected, "{text}");
        assert_eq!(read.doubts().len(), doubts, "{text}: {:?}", read.doubts());
    }
}

/// Rules for a direction that `policyTypes` leaves out do nothing; that they are there is most likely a mistake.
#[test]
fn rules_that_policy_types_leave_out_are_noted() {
    let table = [
        ("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", true),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", true),
        ("{podSelector: {}, policyTypes: [Egress], ingress: []}", false),
        ("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}", false),
        ("{podSelector: {}, ingress: [{}], egress: [{}]}", false),
    ];
    for (spec, noted) in table {
        let policies = read(spec);
        let codes: Vec<_> = policies.doubts().iter().map(|doubt| doubt.code).collect();
        assert_eq!(codes, if noted { vec!["policy-rule-ignored"] } else { vec![] }, "{spec}");
    }
}

/// "If you Allow or Deny traffic to "0.0.0.0/0", that will allow or deny all IPv4 pod-to-pod traffic as well."
#[test]
fn all_addresses_of_administrators_are_those_of_pods_too() {
    let table = [
        ("Deny", "['0.0.0.0/0']", "denied"),
        ("Deny", "['0.0.0.0/0', '::/0']", "denied"),
        ("Allow", "['0.0.0.0/0']", "allowed"),
        ("Deny", "['::/0']", "undetermined"),
        ("Deny", "['10.0.0.0/8']", "undetermined"),
    ];
    let (web, db) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
    for (action, networks, expected) in table {
        let text = format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a}}, spec: \
             {{priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: {action}, to: [{{networks: {networks}}}]}}]}}}}"
        );
        let policies = NetworkPolicies::read(&common::manifests(&text), "default");
        assert_eq!(name(&allows(&policies, &web, &db, Some(80), "TCP")), expected, "{action} {networks}");
        let isolation = policies.isolation(&web.get()).egress;
        let shut = action == "Deny" && networks.contains("0.0.0.0/0");
        assert_eq!(isolation, if shut { Isolation::Restricted } else { Isolation::None }, "{action} {networks}");
    }
}

/// `domainNames` of administrators' policies are for hosts outside, by their names.
#[test]
fn names_of_hosts_decide_about_hosts() {
    let text = "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: a}, spec: {tier: \
                Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Accept, to: [{domainNames: \
                ['*.example.com', partner.example.org]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]}}";
    let read = NetworkPolicies::read(&common::manifests(text), "default");
    let web = pod("shop", "web", "a");
    let answer = |host| read.verdict(End::Pod(web.get()), End::Host(host)).answer("TCP", Some(443));
    // "'*.kubernetes.io' matches all subdomains of kubernetes.io, but not kubernetes.io itself".
    assert_eq!(name(&answer("api.example.com")), "allowed");
    assert_eq!(name(&answer("a.b.example.com")), "allowed");
    assert_eq!(name(&answer("example.com")), "denied");
    assert_eq!(name(&answer("badexample.com")), "denied");
    assert_eq!(name(&answer("partner.example.org")), "allowed");
}

/// A cluster has one network plugin, which does not heed the policies of another.
#[test]
fn policies_of_two_plugins_make_everything_unknown() {
    let calico =
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: a, namespace: shop}, spec: {}}";
    let cilium = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: b, namespace: shop}, spec: \
                  {endpointSelector: {}, ingress: [{}]}}";
    let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
    let answer = |text: &str| {
        let read = NetworkPolicies::read(&common::manifests(text), "default");
        let said = read.doubts().iter().filter(|d| d.message.contains("one network plugin")).count();
        (name(&allows(&read, &source, &target, Some(80), "TCP")), said)
    };
    assert_eq!(answer(calico), ("denied", 0));
    assert_eq!(answer(cilium), ("denied", 0));
    assert_eq!(answer(&format!("{calico}\n---\n{cilium}")), ("undetermined", 1));
}

/// What an administrator stops stays stopped, whatever NetworkPolicies let through.
#[test]
fn denials_of_administrators_count_for_isolation() {
    let deny = |from: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a}}, spec: {{priority: \
             1, subject: {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{from}]}}]}}}}"
        )
    };
    let open = policy("p", "shop", "{podSelector: {}, ingress: [{}]}");
    let isolation = |texts: &[&str]| {
        let read = NetworkPolicies::read(&common::manifests(&texts.join("\n---\n")), "default");
        let found = read.isolation(&pod("shop", "web", "a").get());
        (found.ingress, found.ingress_by.first().map(|by| by.identity.clone()).unwrap_or_default())
    };
    let all = deny("{namespaces: {}}");
    let by_all = "AdminNetworkPolicy.policy.networking.k8s.io/a".to_owned();
    assert_eq!(isolation(&[&all, &open]), (Isolation::Restricted, by_all.clone()));
    assert_eq!(isolation(&[&all]), (Isolation::Restricted, by_all));
    let but_one =
        all.replace("ingress: [", "ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: b}}}]}, ");
    assert_eq!(isolation(&[&but_one]).0, Isolation::Restricted);
    let some = deny("{namespaces: {matchLabels: {team: b}}}");
    assert_eq!(isolation(&[&some, &open]), (Isolation::Open, "NetworkPolicy/shop/p".to_owned()));
}

/// Whom an administrator lets in gets in, whatever NetworkPolicies do not let through.
#[test]
fn what_administrators_let_through_counts_for_isolation() {
    let allow = |rule: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a}}, spec: {{priority: \
             1, subject: {{namespaces: {{}}}}, {rule}}}}}"
        )
    };
    let closed = policy("p", "shop", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
    let isolation = |rule: &str| {
        let read = NetworkPolicies::read(&common::manifests(&format!("{closed}\n---\n{}", allow(rule))), "default");
        let found = read.isolation(&pod("shop", "web", "a").get());
        let by = |by: &[kubestride_policy::Cited]| by.first().map(|by| by.identity.clone()).unwrap_or_default();
        [(found.ingress, by(&found.ingress_by)), (found.egress, by(&found.egress_by))]
    };
    let open = (Isolation::Open, "AdminNetworkPolicy.policy.networking.k8s.io/a".to_owned());
    let shut = (Isolation::Restricted, "NetworkPolicy/shop/p".to_owned());
    let table = [
        ("ingress: [{action: Allow, from: [{namespaces: {}}]}]", [open.clone(), shut.clone()]),
        ("egress: [{action: Allow, to: [{namespaces: {}}]}]", [shut.clone(), open.clone()]),
        ("ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: b}}}]}]", [shut.clone(), shut.clone()]),
        ("ingress: [{action: Pass, from: [{namespaces: {}}]}]", [shut.clone(), shut.clone()]),
        // Everybody asks DNS.
        (
            "egress: [{action: Allow, to: [{namespaces: {}}], ports: [{portNumber: {protocol: UDP, port: 53}}]}]",
            [shut.clone(), shut.clone()],
        ),
    ];
    for (rule, expected) in table {
        assert_eq!(isolation(rule), expected, "{rule}");
    }
}

/// A rule of an administrator that is about everybody names nobody.
#[test]
fn rules_of_administrators_name_their_peers_or_everybody() {
    let names = |peer: &str, direction: Direction| {
        let text = format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a}}, spec: {{priority: \
             1, subject: {{namespaces: {{}}}}, {}: [{peer}]}}]}}}}",
            match direction {
                Direction::Ingress => "ingress: [{action: Allow, from",
                Direction::Egress => "egress: [{action: Allow, to",
            }
        );
        let read = NetworkPolicies::read(&common::manifests(&text), "default");
        let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
        let verdict = read.verdict(End::Pod(source.get()), End::Pod(target.get()));
        let side = if direction == Direction::Ingress { verdict.ingress } else { verdict.egress };
        side.reasons.iter().map(|reason| reason.names).collect::<Vec<_>>()
    };
    assert_eq!(names("{namespaces: {}}", Direction::Ingress), [false]);
    assert_eq!(names("{namespaces: {}}", Direction::Egress), [false]);
    assert_eq!(
        names("{namespaces: {matchExpressions: [{key: x, operator: DoesNotExist}]}}", Direction::Ingress),
        [true]
    );
    let named = "{pods: {namespaceSelector: {}, podSelector: {matchExpressions: [{key: x, operator: DoesNotExist}]}}}";
    assert_eq!(names(named, Direction::Ingress), [true]);
    assert_eq!(names(&format!("{named}, {{namespaces: {{}}}}"), Direction::Ingress), [false]);
}

/// Policies have the same place only among those of their kind and tier, and the baseline has none to share.
#[test]
fn priorities_are_of_a_kind_and_a_tier() {
    let admin = |kind: &str, name: &str, spec: &str| {
        let version = if kind == "ClusterNetworkPolicy" { "v1alpha2" } else { "v1alpha1" };
        format!(
            "{{apiVersion: policy.networking.k8s.io/{version}, kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}subject: \
             {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}]}}]}}}}"
        )
    };
    let (old, baseline, new) = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy");
    let table = [
        (vec![admin(old, "a", "priority: 1, "), admin(new, "b", "tier: Admin, priority: 1, ")], "denied", 0),
        (vec![admin(baseline, "default", ""), admin(new, "b", "tier: Baseline, priority: 0, ")], "denied", 0),
        (
            vec![admin(new, "a", "tier: Admin, priority: 1, "), admin(new, "b", "tier: Baseline, priority: 1, ")],
            "denied",
            0,
        ),
        (
            vec![admin(new, "a", "tier: Admin, priority: 1, "), admin(new, "b", "tier: Admin, priority: 1, ")],
            "undetermined",
            2,
        ),
        // The API server refuses it, or it has a place that is not known.
        (vec![admin(old, "a", "")], "undetermined", 1),
        (vec![admin(old, "a", "priority: first, ")], "undetermined", 1),
        (vec![admin(old, "a", "priority: -1, ")], "undetermined", 1),
        (vec![admin(new, "a", "tier: Admin, priority: 1001, ")], "undetermined", 1),
        (vec![admin(old, "a", "priority: 1000, ")], "denied", 0),
    ];
    for (texts, expected, doubts) in table {
        let read = NetworkPolicies::read(&common::manifests(&texts.join("\n---\n")), "default");
        let (source, target) = (pod("shop", "web", "a"), pod("shop", "db", "a"));
        assert_eq!(name(&allows(&read, &source, &target, Some(80), "TCP")), expected, "{texts:?}");
        assert_eq!(read.doubts().len(), doubts, "{texts:?}: {:?}", read.doubts());
    }
}

/// Of a host of which not even the name is known, it is not known whether a rule for names is about it.
#[test]
fn names_may_be_those_of_some_host() {
    let admin = "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: a}, spec: \
                 {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Accept, to: [{domainNames: \
                 [partner.example.org]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]}}";
    let calico = "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: a}, spec: {types: \
                  [Egress], egress: [{action: Allow, destination: {domains: [partner.example.org]}}]}}";
    let cilium = "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: a}, spec: \
                  {endpointSelector: {}, egress: [{toFQDNs: [{matchName: partner.example.org}]}]}}";
    for text in [admin, calico, cilium] {
        let read = NetworkPolicies::read(&common::manifests(text), "default");
        let web = pod("shop", "web", "a");
        let answer = |to: End<'_>| read.verdict(End::Pod(web.get()), to).answer("TCP", Some(443));
        assert_eq!(name(&answer(End::SomeHost)), "undetermined", "{text}");
        assert_eq!(name(&answer(End::Host("partner.example.org"))), "allowed", "{text}");
        assert_eq!(name(&answer(End::Host("other.example.org"))), "denied", "{text}");
    }
}

/// What is not understood declares nothing, and lets nobody through for sure.
#[test]
fn what_is_not_understood_declares_nothing() {
    let said = |spec: &str| {
        let read = read(spec);
        let Some(one) = read.policies().next() else { return [false; 3] };
        [one.admits_everyone().is_some(), one.dns_to_anywhere().is_some(), !one.declared_peers().is_empty()]
    };
    let named = "from: [{podSelector: {matchLabels: {app: web}}}]";
    let subject = "podSelector: {matchLabels: {app: db}}";
    let table = [
        (format!("{{{subject}, ingress: [{{{named}}}]}}"), [false, false, true]),
        (format!("{{{subject}, ingress: [{{{named}, zone: a}}]}}"), [false, false, false]),
        (format!("{{{subject}, zone: a, ingress: [{{{named}}}]}}"), [false, false, false]),
        // The API server refuses the port.
        (format!("{{{subject}, ingress: [{{{named}, ports: [{{port: 70000}}]}}]}}"), [false, false, false]),
        (format!("{{{subject}, egress: [{{}}]}}"), [true, true, false]),
        (format!("{{{subject}, egress: [{{zone: a}}]}}"), [false, false, false]),
        (format!("{{{subject}, zone: a, egress: [{{}}]}}"), [false, false, false]),
    ];
    for (spec, expected) in table {
        assert_eq!(said(&spec), expected, "{spec}");
    }
}
