//! Rules of Cilium's policies: what their documentation says, case by case. Sentences in quotation marks are from
//! <https://docs.cilium.io/en/stable/security/policy/> and from the comments of the types of `cilium.io/v2`.

mod common;

use common::cilium::{check, own, wide};
use kubestride_policy::network::Direction;

#[test]
fn endpoints_have_namespaces() {
    let table = [
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "shop/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "shop/cart", "80", "no"),
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "other/web", "80", "no"),
        // "An empty EndpointSelector will select all egress endpoints from an endpoint based on the CiliumNetworkPolicy
        // namespace."
        ("ingress: [{fromEndpoints: [{}]}]", "shop/cart", "80", "yes"),
        ("ingress: [{fromEndpoints: [{}]}]", "other/web", "80", "no"),
        ("ingress: [{fromEndpoints: [{}]}]", "1.2.3.4", "80", "no"),
        ("ingress: [{fromEndpoints: [{}]}]", "controller", "80", "unknown"),
        ("ingress: [{fromEndpoints: [{}]}]", "shop/web@node", "80", "unknown"),
        // "The user can explicitly specify the namespace in the FromEndpoints selector. If omitted, we limit the scope
        // to the namespace the policy lives in."
        (
            "ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': other}}]}]",
            "other/web",
            "80",
            "yes",
        ),
        ("ingress: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: other}}]}]", "other/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: other}}]}]", "shop/web", "80", "no"),
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}]}]",
            "other/web",
            "80",
            "yes",
        ),
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}]}]",
            "1.2.3.4",
            "80",
            "no",
        ),
        // A selector for a namespace that is not one of these is for what has no namespace, too: it has no label.
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: \
             [shop]}]}]}]",
            "1.2.3.4",
            "80",
            "yes",
        ),
        // Labels of namespaces; the pods' namespace need not be named then.
        (
            "ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': o}}]}]",
            "other/web",
            "80",
            "yes",
        ),
        (
            "ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: x}}]}]",
            "other/web",
            "80",
            "no",
        ),
        // "The service account of a pod": io.cilium.k8s.policy.serviceaccount.
        (
            "ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: luke}}]}]",
            "shop/web+luke",
            "80",
            "yes",
        ),
        (
            "ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: luke}}]}]",
            "shop/web",
            "80",
            "no",
        ),
        // "The cluster name is exposed via the label io.cilium.k8s.policy.cluster": which name that is, is not known.
        (
            "ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: one}}]}]",
            "shop/web",
            "80",
            "unknown",
        ),
        // Sources of labels.
        ("ingress: [{fromEndpoints: [{matchLabels: {'k8s:app': web}}]}]", "shop/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {'any:app': web}}]}]", "shop/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {'container:app': web}}]}]", "shop/web", "80", "unknown"),
        ("ingress: [{fromEndpoints: [{matchLabels: {'reserved:world': ''}}]}]", "1.2.3.4", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {'reserved:world': ''}}]}]", "shop/web", "80", "no"),
        ("ingress: [{fromEndpoints: [{matchLabels: {'reserved:host': ''}}]}]", "shop/web@node", "80", "unknown"),
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: 'reserved:world', operator: DoesNotExist}]}]}]",
            "other/web",
            "80",
            "yes",
        ),
        // "Explicitly check for empty non-nil slices, it should not result in any identity being selected."
        ("ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]", "shop/web", "80", "no"),
        ("ingress: [{fromEndpoints: null, toPorts: [{ports: [{port: '80'}]}]}]", "shop/web", "80", "yes"),
    ];
    check(own, Direction::Ingress, "", &table);
    let table = [
        // "This policy will allow ingress traffic from pods matching the label name=luke from any namespace."
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "other/web", "80", "yes"),
        // "The following example allows all Cilium managed endpoints in the cluster to communicate"; "even if a wildcard
        // is provided in the selector we don't proceed with a truly empty(allow all) endpoint selector".
        ("ingress: [{fromEndpoints: [{}]}]", "other/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{}]}]", "1.2.3.4", "80", "no"),
        ("ingress: [{fromEndpoints: [{}]}]", "controller", "80", "yes"),
    ];
    check(wide, Direction::Ingress, "", &table);
}

#[test]
fn entities_are_classes_of_peers() {
    let table = [
        // "The world entity corresponds to all endpoints outside of the cluster."
        ("egress: [{toEntities: [world]}]", "1.2.3.4", "443", "yes"),
        ("egress: [{toEntities: [world]}]", "host:api.example.com", "443", "yes"),
        ("egress: [{toEntities: [world]}]", "shop/web", "443", "no"),
        // "to distinguish it from IPv6 in dual-stack mode": whether the cluster is in that, is not known.
        ("egress: [{toEntities: [world-ipv4]}]", "1.2.3.4", "443", "unknown"),
        ("egress: [{toEntities: [world-ipv6]}]", "1.2.3.4", "443", "no"),
        // "Cluster is the logical group of all network endpoints inside of the local cluster", with its nodes.
        ("egress: [{toEntities: [cluster]}]", "other/web", "443", "yes"),
        ("egress: [{toEntities: [cluster]}]", "other/web@node", "443", "yes"),
        ("egress: [{toEntities: [cluster]}]", "1.2.3.4", "443", "no"),
        // "The all entity represents the combination of all known clusters as well world".
        ("egress: [{toEntities: [all]}]", "1.2.3.4", "443", "yes"),
        ("egress: [{toEntities: [all]}]", "other/web", "443", "yes"),
        // "The host entity includes the local host", remote-node "any node other than the local host"; "all containers
        // running in host networking mode" are of one or the other.
        ("egress: [{toEntities: [host]}]", "shop/web@node", "443", "unknown"),
        ("egress: [{toEntities: [remote-node]}]", "shop/web@node", "443", "unknown"),
        ("egress: [{toEntities: [host, remote-node]}]", "shop/web@node", "443", "yes"),
        ("egress: [{toEntities: [host, remote-node]}]", "shop/web", "443", "no"),
        ("egress: [{toEntities: [remote-node]}]", "1.2.3.4", "443", "no"),
        // "both deployments of the kube-apiserver: within the cluster and outside of the cluster".
        ("egress: [{toEntities: [kube-apiserver]}]", "1.2.3.4", "443", "unknown"),
        ("egress: [{toEntities: [kube-apiserver]}]", "shop/web", "443", "no"),
        // "an entity that can be selected but never exist"; the others are no pods either.
        ("egress: [{toEntities: [none]}]", "shop/web", "443", "no"),
        ("egress: [{toEntities: [init, ingress, health, unmanaged]}]", "shop/web", "443", "no"),
        ("egress: [{toEntities: [init, ingress, health, unmanaged]}]", "controller", "443", "unknown"),
        ("egress: [{toEntities: [mars]}]", "shop/web", "443", "unknown"),
    ];
    check(own, Direction::Egress, "", &table);
}

#[test]
fn blocks_are_never_about_pods() {
    let groups = "{apiVersion: cilium.io/v2alpha1, kind: CiliumCIDRGroup, metadata: {name: vpn, labels: {zone: a}}, spec: \
                  {externalCIDRs: [9.0.0.0/8]}}";
    let table = [
        ("ingress: [{fromCIDR: [1.0.0.0/8]}]", "1.2.3.4", "80", "yes"),
        ("ingress: [{fromCIDR: [1.2.3.4]}]", "1.2.3.4", "80", "yes"),
        ("ingress: [{fromCIDR: [1.0.0.0/8]}]", "2.2.3.4", "80", "no"),
        // "CIDR rules do not apply to traffic where both sides of the connection are either managed by Cilium or use an
        // IP belonging to a node in the cluster"; the latter "optional".
        ("ingress: [{fromCIDR: [0.0.0.0/0]}]", "other/web", "80", "no"),
        ("ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8}]}]", "other/web", "80", "no"),
        ("ingress: [{fromCIDR: [0.0.0.0/0]}]", "controller", "80", "no"),
        ("ingress: [{fromCIDR: [0.0.0.0/0]}]", "other/web@node", "80", "unknown"),
        // "ExceptCIDRs is a list of IP blocks which the endpoint subject to the rule is not allowed to initiate
        // connections to."
        ("ingress: [{fromCIDRSet: [{cidr: 1.0.0.0/8, except: [1.2.0.0/16]}]}]", "1.3.3.4", "80", "yes"),
        ("ingress: [{fromCIDRSet: [{cidr: 1.0.0.0/8, except: [1.2.0.0/16]}]}]", "1.2.3.4", "80", "no"),
        // "These exceptions are only applied to the Cidr in this CIDRRule."
        (
            "ingress: [{fromCIDRSet: [{cidr: 1.0.0.0/8, except: [1.2.0.0/16]}, {cidr: 1.2.3.0/24}]}]",
            "1.2.3.4",
            "80",
            "yes",
        ),
        // "CIDRGroupRef is a reference to a CiliumCIDRGroup object", "CIDRGroupSelector selects CiliumCIDRGroups by their
        // labels, rather than by name."
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: vpn}]}]", "9.2.3.4", "80", "yes"),
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: vpn}]}]", "1.2.3.4", "80", "no"),
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: vpn, except: [9.2.0.0/16]}]}]", "9.2.3.4", "80", "no"),
        ("ingress: [{fromCIDRSet: [{cidrGroupSelector: {matchLabels: {zone: a}}}]}]", "9.2.3.4", "80", "yes"),
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: lost}]}]", "9.2.3.4", "80", "unknown"),
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: lost}]}]", "shop/web", "80", "no"),
        // Groups of a cloud are addresses, too.
        ("ingress: [{fromGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]", "9.2.3.4", "80", "unknown"),
        ("ingress: [{fromGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]", "shop/web", "80", "no"),
        // "an extension of remote-node entity".
        ("ingress: [{fromNodes: [{matchLabels: {a: b}}]}]", "shop/web", "80", "no"),
        ("ingress: [{fromNodes: [{matchLabels: {a: b}}]}]", "shop/web@node", "80", "unknown"),
    ];
    check(own, Direction::Ingress, groups, &table);
}

#[test]
fn services_and_names_are_for_what_goes_out() {
    let services = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: other, labels: {env: staging}}, spec: \
                    {selector: {app: web}, ports: [{port: 80}]}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: \
                    bare, namespace: other}, spec: {ports: [{port: 80}]}}";
    let table = [
        // "This feature uses the discovered services' label selector as an endpoint selector within the policy."
        ("egress: [{toServices: [{k8sService: {serviceName: web, namespace: other}}]}]", "other/web", "80", "yes"),
        ("egress: [{toServices: [{k8sService: {serviceName: web, namespace: other}}]}]", "shop/web", "80", "no"),
        ("egress: [{toServices: [{k8sService: {serviceName: web, namespace: other}}]}]", "1.2.3.4", "80", "no"),
        (
            "egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {env: staging}}, namespace: other}}]}]",
            "other/web",
            "80",
            "yes",
        ),
        ("egress: [{toServices: [{k8sService: {serviceName: lost, namespace: other}}]}]", "other/web", "80", "unknown"),
        // "Services without selectors are handled differently. The IPs in the service's EndpointSlices are, converted to
        // CIDR selectors. CIDR selectors cannot select pods."
        ("egress: [{toServices: [{k8sService: {serviceName: bare, namespace: other}}]}]", "other/web", "80", "no"),
        ("egress: [{toServices: [{k8sService: {serviceName: bare, namespace: other}}]}]", "1.2.3.4", "80", "unknown"),
        // "Inserts IPs of domains that match matchName exactly."
        ("egress: [{toFQDNs: [{matchName: api.example.com}]}]", "host:api.example.com", "443", "yes"),
        ("egress: [{toFQDNs: [{matchName: api.example.com}]}]", "host:www.example.com", "443", "no"),
        ("egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}]", "host:www.example.com", "443", "yes"),
        ("egress: [{toFQDNs: [{matchName: api.example.com}]}]", "1.2.3.4", "443", "unknown"),
        // "If the resolved IPs are IPs within the kubernetes cluster, the ToFQDN rule will not apply to that IP."
        ("egress: [{toFQDNs: [{matchPattern: '*'}]}]", "other/web", "443", "no"),
        // "They may contain L4/L7 rules, such as toPorts."
        (
            "egress: [{toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: '443'}]}]}]",
            "host:api.example.com",
            "80",
            "no",
        ),
    ];
    check(own, Direction::Egress, services, &table);
}

#[test]
fn ports_are_those_of_the_receiver() {
    let table = [
        // "Layer 4 policy can be specified in addition to layer 3 policies or independently", "to any layer 3
        // destination".
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "1.2.3.4", "80", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "other/web", "80", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "other/web", "81", "no"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "other/web", "UDP 80", "no"),
        // "If omitted or empty, any protocol matches."
        ("ingress: [{toPorts: [{ports: [{port: '80'}]}]}]", "other/web", "UDP 80", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: ANY}]}]}]", "other/web", "SCTP 80", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: sctp}]}]}]", "other/web", "SCTP 80", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: ICMP}]}]}]", "other/web", "80", "no"),
        // "EndPort can only be an L4 port number."
        ("ingress: [{toPorts: [{ports: [{port: '80', endPort: 444}]}]}]", "other/web", "443", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: '80', endPort: 444}]}]}]", "other/web", "445", "no"),
        ("ingress: [{toPorts: [{ports: [{port: '0', protocol: TCP}]}]}]", "other/web", "9999", "yes"),
        // "Port can be an L4 port number, or a name"; "EndPort is ignored if Port is a named port."
        ("ingress: [{toPorts: [{ports: [{port: web}]}]}]", "other/web", "8080", "yes"),
        ("ingress: [{toPorts: [{ports: [{port: WEB, endPort: 9000}]}]}]", "other/web", "8081", "no"),
        ("ingress: [{toPorts: [{ports: [{port: web, protocol: UDP}]}]}]", "other/web", "8080", "no"),
        // "If multiple members are set, all of them need to match in order for the rule to take effect."
        ("ingress: [{fromEntities: [world], toPorts: [{ports: [{port: '80'}]}]}]", "other/web", "80", "no"),
        // "If any ICMP policy is specified, layer 4 and ICMP communication will be blocked".
        ("ingress: [{fromEntities: [all], icmps: [{fields: [{type: 8}]}]}]", "other/web", "80", "no"),
        ("ingress: [{icmps: [{fields: [{type: 8}]}]}]", "other/web", "80", "no"),
        // Rules for requests are "additional port level rules which must be met": connections are allowed here.
        (
            "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]}]",
            "other/web",
            "80",
            "yes",
        ),
        ("ingress: [{fromEntities: [all], authentication: {mode: required}}]", "other/web", "80", "yes"),
    ];
    check(own, Direction::Ingress, "", &table);
    // "Layer 4 policies apply to ports after service port mapping": names are those of the pods that are called.
    check(own, Direction::Egress, "", &[("egress: [{toPorts: [{ports: [{port: web}]}]}]", "other/web", "8080", "yes")]);
}

/// "Deny policies take precedence over allow policies, regardless of whether they are a Cilium Network Policy, a
/// Clusterwide Cilium Network Policy or even a Kubernetes Network Policy." The columns of the table there.
#[test]
fn denial_wins() {
    let all = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: shop}, spec: \
               {podSelector: {}, ingress: [{}]}}";
    let on_80 = "ingressDeny: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]";
    let peer = "ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]";
    let table = [
        (on_80, "shop/web", "80", "no"),
        (on_80, "shop/web", "81", "yes"),
        (peer, "shop/web", "80", "no"),
        (peer, "shop/cart", "80", "yes"),
        // An empty rule is about nobody, in either list.
        ("ingressDeny: [{}]", "shop/web", "80", "yes"),
        // "allowing traffic from everywhere except from 'world'".
        ("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [world]}]", "1.2.3.4", "80", "no"),
        ("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [world]}]", "shop/web", "80", "yes"),
    ];
    check(own, Direction::Ingress, all, &table);
    check(wide, Direction::Ingress, all, &table);
    let shut = [
        // Of both kinds what is allowed is a union.
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "shop/web", "80", "yes"),
        ("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "shop/cart", "80", "no"),
    ];
    check(own, Direction::Ingress, &all.replace("ingress: [{}]", "policyTypes: [Ingress]"), &shut);
}

/// "toRequires and fromRequires limits all ingress and egress traffic that applies to its endpoint selector"; they "have
/// been removed as of Cilium 1.19".
#[test]
fn requirements_depend_on_the_version() {
    let rule = "ingress: [{fromRequires: [{matchLabels: {app: web}}]}, {fromEndpoints: [{}]}]";
    let table = [
        (rule, "shop/web", "80", "yes"),
        (rule, "shop/cart", "80", "unknown"),
        (rule, "other/web", "80", "no"),
        // "This fromRequires rule doesn't allow anything on its own".
        ("ingress: [{fromRequires: [{matchLabels: {app: web}}]}]", "shop/web", "80", "no"),
    ];
    check(own, Direction::Ingress, "", &table);
}
