//! Policies of Calico: whom they are for, what is not understood of them, and what they declare.
//!
//! Pages are below <https://docs.tigera.io/calico/latest/>: `networkpolicy`, `globalnetworkpolicy`, `tier`,
//! `globalnetworkset` and `profile` in `reference/resources`, `tiered-policy` in `network-policy/policy-tiers`. `API` is
//! `api/pkg/apis/projectcalico/v3` of the repository `projectcalico/calico`.

mod common;

use common::calico::{DB, FRONT, V3, ask, check, global, known, namespace, object, own, set, tier};
use kubestride_policy::network::{Direction, End, Isolation, Match, NetworkPolicies, PortSet, Ports, Range, Subjects};
use kubestride_source::Level;

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
        ("ingress: [{action: Deny, source: {selector: app == 'x'}}, {action: Allow}]", Isolation::Unknown),
        ("ingress: [{action: Allow, source: {notNets: [203.0.113.0/24]}}]", Isolation::Open),
        ("ingress: [{action: Allow, source: {nets: [0.0.0.0/0], notNets: [10.0.0.0/8]}}]", Isolation::Unknown),
        ("ingress: [{action: Allow, source: {nets: [203.0.113.0/24]}}]", Isolation::Restricted),
        ("ingress: [{action: Allow, unheardOf: 1}]", Isolation::Unknown),
        ("ingress: [{action: Deny}, {action: Allow, unheardOf: 1}]", Isolation::Restricted),
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
        object("NetworkPolicy", "d", "west", "types: [Ingress]"),
    ];
    common::both_orders(&documents.each_ref().map(String::as_str), |manifests| {
        let policies = NetworkPolicies::read(manifests, "default");
        let found: Vec<_> = policies
            .all()
            .into_iter()
            .map(|p| {
                (p.cited.identity.clone(), p.namespace.map(str::to_owned), p.selects(&known(DB).get()), p.subjects())
            })
            .collect();
        let expected = [
            // Its tier is not known, so that it may be the first of all, and may do anything.
            ("GlobalNetworkPolicy.projectcalico.org/c", None, Match::Unknown, Subjects::Chosen),
            ("NetworkPolicy.projectcalico.org/east/a", Some("east"), Match::Yes, Subjects::Chosen),
            ("GlobalNetworkPolicy.projectcalico.org/b", None, Match::No, Subjects::NoPods),
            ("NetworkPolicy.projectcalico.org/west/d", Some("west"), Match::No, Subjects::All),
        ];
        let expected = expected.map(|(identity, namespace, selects, subjects)| {
            (identity.to_owned(), namespace.map(str::to_owned), selects, subjects)
        });
        assert_eq!(found, expected);
        let candidates: Vec<_> =
            policies.all().iter().map(|p| p.candidates().is_some_and(|c| c[0].matches(&known(DB).get()))).collect();
        assert_eq!(candidates, [true, true, false, false]);
    });
}

#[test]
fn rules_that_name_pods_are_declared() {
    let declared = |policy: &str| -> Vec<String> {
        let manifests = common::manifests(policy);
        let policies = NetworkPolicies::read(&manifests, "default");
        let one =
            |pod: &'static str, matcher: &kubestride_policy::network::NamedPods| matcher.matches(&known(pod).get());
        let peers = policies.all().into_iter().flat_map(|p| p.declared().peers).map(|peer| {
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
        (from("source: {serviceAccounts: {names: [front]}}"), vec!["from east/front ".to_owned()]),
        // Nobody is named, or somebody that labels alone do not tell.
        (from("source: {selector: all()}"), vec![]),
        (from("source: {selector: has(app)}"), vec![]),
        (from("source: {selector: app contains 'front'}"), vec![]),
        (from("source: {selector: app == 'front' || app == 'x'}"), vec![]),
        (from("source: {selector: app == 'front', nets: [10.0.0.0/8]}"), vec![]),
        (from("source: {selector: app == 'front', notSelector: has(x)}"), vec![]),
        (from("source: {serviceAccounts: {selector: role == 'x'}}"), vec![]),
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
    let reach = |range: Range| policies.unexplained(End::Pod(known(DB).get()), End::Outside(range)).ports();
    let open: Vec<_> = policies.ranges().into_iter().filter(|range| reach(*range) != PortSet::none()).collect();
    assert_eq!(open.iter().map(|range| range.0.to_string()).collect::<Vec<_>>(), ["198.51.100.0"]);
}

#[test]
fn policies_for_all_pods_deny_by_default() {
    let table = [
        (object("NetworkPolicy", "a", "east", "types: [Ingress]"), Match::Yes),
        (object("NetworkPolicy", "a", "east", "selector: has(app), types: [Ingress]"), Match::No),
        (object("NetworkPolicy", "a", "west", "types: [Ingress]"), Match::No),
        (object("NetworkPolicy", "a", "east", "types: [Egress]"), Match::No),
        (object("NetworkPolicy", "a", "east", "ingress: [{action: Allow}]"), Match::No),
        (object("NetworkPolicy", "a", "east", "ingress: [{action: Pass}]"), Match::No),
        (object("NetworkPolicy", "a", "east", "tier: kube-admin, types: [Ingress]"), Match::No),
        (object("NetworkPolicy", "a", "east", "tier: elsewhere, types: [Ingress]"), Match::Unknown),
        (global("a", "types: [Ingress]"), Match::Yes),
        (global("a", "selector: \"projectcalico.org/namespace not in {'kube-system'}\", types: [Ingress]"), Match::Yes),
        (global("a", "selector: projectcalico.org/namespace == 'west', types: [Ingress]"), Match::No),
        (global("a", "namespaceSelector: team == 'red', types: [Ingress]"), Match::Yes),
        (global("a", "namespaceSelector: team == 'blue', types: [Ingress]"), Match::No),
        (global("a", "namespaceSelector: has(stage), types: [Ingress]"), Match::Unknown),
        (global("a", "serviceAccountSelector: has(stage), types: [Ingress]"), Match::No),
        (global("a", "preDNAT: true, applyOnForward: true, types: [Ingress]"), Match::No),
        // Who is kept out is no default.
        (global("a", "ingress: [{action: Deny, source: {selector: app == 'x'}}, {action: Allow}]"), Match::No),
        (global("a", "ingress: [{action: Allow, source: {selector: app == 'x'}}, {action: Deny}]"), Match::Yes),
        (global("a", "ingress: [{action: Allow, unheardOf: 1}]"), Match::Unknown),
    ];
    let labels = kubestride_manifest::Labels::from_pairs([("team", "red")]);
    for (policy, expected) in table {
        let manifests = common::manifests(&policy);
        let policies = NetworkPolicies::read(&manifests, "default");
        let all = policies.all();
        assert_eq!(all[0].denies_by_default(Direction::Ingress, "east", &labels), expected, "{policy}");
    }
}

#[test]
fn open_rules_are_found() {
    let dns = "protocol: UDP, destination: {ports: [53]}";
    let table = [
        ("ingress: [{action: Allow}]", true, false),
        ("egress: [{action: Allow}]", true, true),
        ("egress: [{action: Allow, destination: {nets: [0.0.0.0/0]}}]", true, true),
        ("egress: [{action: Allow, protocol: TCP}]", false, true),
        (&format!("egress: [{{action: Allow, {dns}}}]"), false, true),
        ("egress: [{action: Allow, protocol: UDP, destination: {ports: [53], nets: [0.0.0.0/0]}}]", false, true),
        ("egress: [{action: Allow, protocol: UDP, destination: {ports: ['50:60']}}]", false, true),
        (&format!("egress: [{{action: Deny, protocol: TCP}}, {{action: Allow, {dns}}}]"), false, false),
        ("egress: [{action: Allow, protocol: UDP, destination: {ports: [53], selector: app == 'dns'}}]", false, false),
        ("egress: [{action: Allow, protocol: UDP, destination: {notPorts: [53]}}]", false, false),
        (&format!("types: [Ingress], egress: [{{action: Allow, {dns}}}]"), false, false),
        ("ingress: [{action: Allow, source: {selector: app == 'x'}}]", false, false),
        ("ingress: [{action: Deny, source: {selector: app == 'x'}}, {action: Allow}]", false, false),
    ];
    for (spec, everyone, to_dns) in table {
        let manifests = common::manifests(&own("a", spec));
        let policies = NetworkPolicies::read(&manifests, "default");
        let all = policies.all();
        let policy = all.first().expect("the policy");
        assert_eq!(
            (policy.admits_everyone().is_some(), policy.dns_to_anywhere().is_some()),
            (everyone, to_dns),
            "{spec}"
        );
    }
}
