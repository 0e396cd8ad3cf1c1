//! Tiers, orders and directions of Calico's policies: each case with the sentence of Calico's documentation that it tests.
//!
//! Pages are below <https://docs.tigera.io/calico/latest/>: `networkpolicy`, `globalnetworkpolicy`, `tier`,
//! `globalnetworkset` and `profile` in `reference/resources`, `tiered-policy` in `network-policy/policy-tiers`. `API` is
//! `api/pkg/apis/projectcalico/v3` of the repository `projectcalico/calico`.

mod common;

use common::calico::{DB, FRONT, V3, check, global, kubernetes, object, own, tier};

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
