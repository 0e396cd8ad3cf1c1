//! `kubestride connections` on the command line.

mod program;

use program::Folder;

const SHOP: &str = "apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { containers: [{ name: c, image: i, ports: [{ name: sql, containerPort: 5432 }] }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress:
    - from: [{ podSelector: { matchLabels: { app: web } } }, { ipBlock: { cidr: 10.0.0.0/8 } }]
      ports: [{ port: sql }]
";

#[test]
fn every_connection_is_a_line() {
    let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes())]);
    let run = folder.run(&["connections", "shop.yaml"]);
    assert_eq!(run.status, 0, "{run:?}");
    let expected = "\
0.0.0.0-255.255.255.255[External] => shop/web[Pod] : All Connections
10.0.0.0-10.255.255.255[External] => shop/db[Pod] : TCP 5432
shop/db[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections
shop/db[Pod] => shop/web[Pod] : All Connections
shop/web[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections
shop/web[Pod] => shop/db[Pod] : TCP 5432
";
    assert_eq!(run.out, expected);
    let json = folder.run(&["connections", "shop.yaml", "--to", "db", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(value.as_array().map(Vec::len), Some(2));
    assert_eq!(value[1]["ports"], "TCP 5432");
}

#[test]
fn rules_that_decide_are_named() {
    let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes())]);
    let run = folder.run(&["connections", "shop.yaml", "--from", "web", "--to", "shop/db"]);
    let expected = "\
shop/web[Pod] => shop/db[Pod] : TCP 5432
  shop/web[Pod] may send: All Connections
    no policy is about it
  shop/db[Pod] may accept: TCP 5432
    NetworkPolicy/shop/db (shop.yaml:17:7) allows TCP 5432
    NetworkPolicy/shop/db (shop.yaml:13:19) stops everything else
";
    assert_eq!(run.out, expected);
    let unknown = folder.run(&["connections", "shop.yaml", "--from", "cart"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.err.contains("no workload is called cart"), "{}", unknown.err);
}

#[test]
fn names_that_nothing_has_are_answered_with_near_ones() {
    let own = "---\napiVersion: v1\nkind: Namespace\nmetadata: { name: own, labels: { k8s.ovn.org/primary-user-defined-network: '' } }\n\
               ---\napiVersion: k8s.ovn.org/v1\nkind: UserDefinedNetwork\nmetadata: { name: net, namespace: own }\n\
               spec: { topology: Layer2, layer2: { role: Primary } }\n\
               ---\napiVersion: v1\nkind: Pod\nmetadata: { name: cache, namespace: own }\nspec: { containers: [{ name: c, image: i }] }\n\
               ---\napiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: test }\nspec: { containers: [{ name: c, image: i }] }\n";
    let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes()), ("own.yaml", own.as_bytes())]);
    for (name, status, said) in [
        (
            "wbe",
            2,
            "no workload is called wbe: there are own[udn]/cache[Pod], shop/db[Pod], shop/web[Pod], test/web[Pod]",
        ),
        ("weba", 2, "no workload is called weba: did you mean shop/web[Pod] or test/web[Pod]?"),
        ("Shop/db", 2, "no workload is called Shop/db: did you mean shop/db[Pod]"),
        ("web", 2, "web could be one of shop/web[Pod], test/web[Pod]"),
        ("shop", 2, "no workload is called shop"),
        ("cache", 0, ""),
        ("own/cache", 0, ""),
        ("own[udn]/cache[Pod]", 0, ""),
        ("shop/db[Pod]", 0, ""),
    ] {
        for option in ["--from", "--to"] {
            let run = folder.run(&["connections", ".", "-q", option, name]);
            assert_eq!(run.status, status, "{name}: {}", run.err);
            assert!(run.err.contains(said), "{name}: {}", run.err);
        }
    }
}

#[test]
fn of_very_many_connections_the_number_is_said() {
    let pod = |at: usize| {
        format!("---\n{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}}}, spec: {{containers: []}}}}\n")
    };
    let text: String = (0..320).map(pod).collect();
    let folder = Folder::new(&[("pods.yaml", text.as_bytes())]);
    let lines = 320 * 319 + 2 * 320;
    let said = format!("these are {lines} connections: --from and --to");
    for (options, expected) in
        [(&[][..], true), (&["--format", "json"], true), (&["-q"], false), (&["--from", "p1"], false)]
    {
        let run = folder.run(&[&["connections", "pods.yaml"], options].concat());
        assert_eq!(run.status, 0, "{}", run.err);
        assert_eq!(run.err.contains(&said), expected, "{options:?}: {}", run.err);
        if options.is_empty() {
            assert_eq!(run.out.lines().count(), lines, "everything is written all the same");
        }
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: c, namespace: shop }\nspec:\n  \
                  endpointSelector: { matchLabels: { app: db } }\n  ingress:\n    - fromEveryone: true\n";
    let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes()), ("cilium.yaml", cilium.as_bytes())]);
    for command in ["connections", "analyze"] {
        let run = folder.run(&[command, "."]);
        let said = "CiliumNetworkPolicy.cilium.io/shop/c: the field `fromEveryone` is not known here: whether the policy holds is not known";
        assert!(run.err.contains(said), "{command}: {}", run.err);
        assert!(run.err.contains("cilium.yaml:7:7"), "{command}: {}", run.err);
    }
}

#[test]
fn policies_that_select_nothing_are_said() {
    let lost = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: c, namespace: shop }\nspec:\n  \
                endpointSelector: { matchLabels: { app: lost } }\n  ingress: [{}]\n";
    let found = lost.replace("lost", "db");
    for (policy, expected) in [(lost, true), (&found, false)] {
        let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes()), ("cilium.yaml", policy.as_bytes())]);
        let run = folder.run(&["connections", "."]);
        let said = "CiliumNetworkPolicy.cilium.io/shop/c selects no workload of the input";
        assert_eq!(run.err.contains(said), expected, "{}", run.err);
    }
}

#[test]
fn objects_without_a_namespace_are_in_the_one_that_is_given() {
    let text = "\
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
";
    let folder = Folder::new(&[("web.yaml", text.as_bytes())]);
    for (options, namespace) in [(vec![], "default"), (vec!["--namespace", "shop"], "shop")] {
        let run = folder.run(&[&["connections", "web.yaml"], options.as_slice()].concat());
        let line = format!("{{ingress-controller}} => {namespace}/web[Pod] : TCP 80");
        assert!(run.out.contains(&line), "{line} in {}", run.out);
    }
}

#[test]
fn what_else_decides_is_said() {
    let mesh = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: a, namespace: shop }\nspec: {}\n";
    let flannel = "\
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: net, namespace: kube-system }
spec:
  selector: { matchLabels: { app: net } }
  template:
    metadata: { labels: { app: net } }
    spec: { containers: [{ name: net, image: 'ghcr.io/flannel-io/flannel:v0.26' }] }
";
    for (text, said) in [
        (mesh, "policies of meshes are not part of this"),
        (flannel, "the network policies of Kubernetes have no effect"),
    ] {
        let folder = Folder::new(&[("shop.yaml", SHOP.as_bytes()), ("other.yaml", text.as_bytes())]);
        let run = folder.run(&["connections", "."]);
        assert!(run.err.contains(said), "{said} in {}", run.err);
    }
}

#[test]
fn of_many_workloads_a_message_names_a_few() {
    let pod = |at: usize| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: p{at} }}\nspec: {{ hostNetwork: true, containers: \
             [{{ name: c, image: i }}] }}\n"
        )
    };
    let text: String = (10..40).map(pod).collect();
    let folder = Folder::new(&[("pods.yaml", text.as_bytes())]);
    let run = folder.run(&["connections", "."]);
    let message = run.err.lines().find(|line| line.contains("[host-network]")).unwrap_or_default();
    assert!(message.contains("default/p14[Pod] and 25 more;"), "{message}");
    assert!(!message.contains("p15"), "{message}");
}

#[test]
fn policies_without_effect_stop_nothing() {
    let deny = |api: &str| {
        format!(
            "apiVersion: {api}\nkind: NetworkPolicy\nmetadata: {{ name: deny, namespace: shop }}\nspec: {{ podSelector: {{}} }}\n"
        )
    };
    let pods = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: a}]}}\n---\n\
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop}, spec: {containers: [{name: c, image: b}]}}\n";
    for (api, options, allowed) in [
        ("networking.k8s.io/v1", &[][..], false),
        ("extensions/v1beta1", &[], true),
        ("extensions/v1beta1", &["--kubernetes-version", "1.15"], false),
    ] {
        let folder = Folder::new(&[("pods.yaml", pods.as_bytes()), ("deny.yaml", deny(api).as_bytes())]);
        let run = folder.run(&[&["connections", "."], options].concat());
        assert_eq!(run.out.contains("shop/a[Pod] => shop/b[Pod] : All Connections"), allowed, "{api} {}", run.out);
        assert_eq!(run.err.contains("policy-not-served"), allowed, "{api} {}", run.err);
    }
}
