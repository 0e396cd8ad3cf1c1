//! Rules of Calico's policies: each case with the sentence of Calico's documentation that it tests.
//!
//! Pages are below <https://docs.tigera.io/calico/latest/>: `networkpolicy`, `globalnetworkpolicy`, `tier`,
//! `globalnetworkset` and `profile` in `reference/resources`, `tiered-policy` in `network-policy/policy-tiers`. `API` is
//! `api/pkg/apis/projectcalico/v3` of the repository `projectcalico/calico`.

mod common;

use common::calico::{DB, FRONT, account, check, global, namespace, object, own, service, set};

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

/// Time must not grow with the product of sets and rules.
#[test]
fn too_many_sets_are_not_known() {
    let many = |sets: usize| {
        let rule = "{action: Allow, destination: {selector: role == 'x'}}";
        let rules = vec![rule; 2_000].join(", ");
        let mut documents = vec![global("a", &format!("selector: app == 'db', egress: [{rules}]"))];
        documents.extend((0..sets).map(|at| set("GlobalNetworkSet", &format!("s{at}"), "", "z", "192.0.2.0/24")));
        documents
    };
    check(vec![(many(10), DB, "192.0.2.7", "TCP 80", "denied"), (many(4_000), DB, "192.0.2.7", "TCP 80", "unknown")]);
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
