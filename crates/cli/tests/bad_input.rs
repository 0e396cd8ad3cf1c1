//! Input that is wrong: a message that says where, memory that is bounded, and the rest is analysed.

mod program;

use program::{Folder, POD, Run};

/// Analyses the folder with a sound pod beside the files; each text must be in the messages, and the pod in the result.
fn beside_a_pod(files: &[(&str, &[u8])], messages: &[&str]) {
    let mut all = files.to_vec();
    all.push(("in/zz-good.yaml", POD.as_bytes()));
    let folder = Folder::new(&all);
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_says(&run, messages);
    assert!(run.out.contains("1 × privileged-container"), "{run:?}");
}

fn assert_says(run: &Run, messages: &[&str]) {
    for message in messages {
        assert!(run.err.contains(message), "{message} is not in\n{}", run.err);
    }
}

/// Nothing usable: status 2 and a message.
fn refused(folder: &Folder, arguments: &[&str], message: &str) {
    let run = folder.run(arguments);
    assert_eq!(run.status, 2, "{run:?}");
    assert_says(&run, &[message]);
    assert_eq!(run.out, "");
}

#[test]
fn a_file_that_is_not_there() {
    refused(&Folder::new(&[]), &["analyze", "missing.yaml"], "there is no file or directory missing.yaml");
}

#[test]
fn a_folder_without_manifests() {
    let folder = Folder::new(&[("in/README.txt", b"hello"), ("in/values.yaml", b"replicas: 2\n")]);
    refused(&folder, &["analyze", "in"], "no Kubernetes object was found");
}

#[test]
fn one_broken_document_of_many() {
    let text =
        format!("{POD}---\nkind: Secret\nstringData:\n\tpassword: hunter2\n---\n{}", POD.replace("good", "second"));
    let folder = Folder::new(&[("in/a.yaml", text.as_bytes())]);
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_says(&run, &["error[yaml-syntax]", "in/a.yaml:12:2", "•••"]);
    assert!(!run.err.contains("hunter2"), "{run:?}");
    assert!(run.out.contains("2 × privileged-container"), "{run:?}");
}

#[test]
fn a_broken_document_shows_its_fields_and_none_of_its_values() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n";
    let table = [
        ("  ports:\n    - ports: [{port: hunter2: 80}]\n", "    - ports: [{port: •••", "in/a.yaml:6:29"),
        ("  selector: { app: hunter2\n  type: hunter2\n", "  type: •••", "in/a.yaml:6:7"),
        ("  ports:\n    - port: 80\n     targetPort: hunter2\n", "     targetPort: •••", "in/a.yaml:7:6"),
        ("  hunter2\n  type: hunter2\n", "•••", "in/a.yaml:"),
    ];
    for (text, shown, place) in table {
        let folder = Folder::new(&[("in/a.yaml", format!("{service}{text}").as_bytes())]);
        let run = folder.run(&["analyze", "in"]);
        assert_says(&run, &[shown, place, "error[yaml-syntax]"]);
        assert!(!run.err.contains("hunter2"), "{run:?}");
    }
}

#[test]
fn the_last_line_says_how_much_was_not_read() {
    let broken = ("in/b.yaml", &b"kind: [Pod\n"[..]);
    let folder = Folder::new(&[("in/a.yaml", POD.as_bytes()), broken]);
    let said = "warning: 1 of 2 files could not be read, or not in full: what they hold is missing from the result";
    for more in [&[][..], &["-q"], &["--format", "json"]] {
        let run = folder.run(&[&["analyze", "in"], more].concat());
        assert_eq!(run.status, 0, "{run:?}");
        assert_eq!(run.err.lines().last(), Some(said), "{more:?}");
    }
    let run = folder.run(&["analyze", "in", "missing.yaml"]);
    assert!(run.err.contains("2 of 3 files"), "{run:?}");
    let run = folder.run(&["analyze", "in/a.yaml"]);
    assert!(!run.err.contains("could not be read"), "{run:?}");
}

#[test]
fn strict_refuses_what_was_not_read_in_full() {
    let folder = Folder::new(&[("in/a.yaml", POD.as_bytes()), ("in/b.yaml", b"kind: [Pod\n")]);
    let run = folder.run(&["analyze", "in", "--strict", "-o", "report.json"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(folder.path().join("report.json").is_file(), "what could be read is written");
    assert_eq!(folder.run(&["analyze", "in/a.yaml", "--strict"]).status, 0);
}

#[test]
fn a_broken_file_alone() {
    let folder = Folder::new(&[("a.yaml", b"kind: [Pod\n"), ("a.json", b"{\"kind\": }")]);
    refused(&folder, &["analyze", "a.yaml"], "a.yaml:");
    refused(&folder, &["analyze", "a.json"], "a.json:1:10");
}

#[test]
fn wrong_types_in_known_fields() {
    let pod = b"apiVersion: v1
kind: Pod
metadata: { name: odd, labels: [1] }
spec:
  containers: { name: x }
  hostNetwork: perhaps
  volumes: 3
";
    beside_a_pod(
        &[("in/a.yaml", pod)],
        &[
            "`labels` must be a mapping, and is a list",
            "`containers` must be a list, and is a mapping",
            "`hostNetwork` must be",
            "`volumes` must be a list, and is a number",
            "in/a.yaml:5:",
        ],
    );
}

#[test]
fn nesting_a_hundred_thousand_deep() {
    let flow = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let block: String = (0..2_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let json = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for (name, text) in [("in/a.yaml", flow), ("in/a.yml", block), ("in/a.json", json)] {
        beside_a_pod(&[(name, text.as_bytes())], &["error[too-deep]", &format!("{name}:")]);
    }
}

#[test]
fn aliases_that_grow_without_end() {
    let mut bomb = String::from(
        "apiVersion: v1\nkind: Pod\nmetadata: { name: bomb }\nspec:\n  a0: &a0 [x, x, x, x, x, x, x, x]\n",
    );
    for i in 1..20 {
        let of = format!("*a{}, ", i - 1).repeat(8);
        bomb.push_str(&format!("  a{i}: &a{i} [{of}]\n"));
    }
    bomb.push_str("  containers: *a19\n");
    beside_a_pod(&[("in/a.yaml", bomb.as_bytes())], &["in/a.yaml:"]);
}

/// The message about a document whose aliases stand for too much.
const TOO_MANY: &str = "error[too-many-aliases]";

#[test]
fn aliases_inside_their_own_anchors() {
    let cluster = "apiVersion: rabbitmq.com/v1beta1\nkind: RabbitmqCluster\nmetadata: { name: odd }\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: odd }\n";
    let many = "&a {b: *a, c: *a, d: *a, e: *a, f: *a, g: *a}";
    for text in [
        format!("{cluster}spec: &a {{x: *a}}\n"),
        format!("{cluster}spec: {many}\n"),
        format!("{pod}spec: {many}\n"),
        format!("{pod}spec: &a {{containers: [*a], volumes: *a}}\n"),
    ] {
        beside_a_pod(&[("in/a.yaml", text.as_bytes())], &[TOO_MANY, "in/a.yaml:3:"]);
    }
}

#[test]
fn aliases_that_make_a_path_as_long_as_it_may_be() {
    let mut text =
        "apiVersion: rabbitmq.com/v1beta1\nkind: RabbitmqCluster\nmetadata: { name: odd }\nspec:\n".to_owned();
    text.push_str("  a0: &a0 [x]\n");
    for i in 1..5 {
        text.push_str(&format!("  a{i}: &a{i} {}*a{}{}\n", "[".repeat(95), i - 1, "]".repeat(95)));
    }
    beside_a_pod(&[("in/a.yaml", text.as_bytes())], &[]);
}

#[test]
fn aliases_inside_the_texts_of_a_config_map() {
    for jobs in [
        "&a {scrape_configs: [*a], b: *a, c: *a, d: *a, e: *a, f: *a, g: *a, h: *a, i: *a, j: *a, k: *a, l: *a}",
        "&a {b: *a, c: *a, d: *a, e: *a, f: *a, g: *a, h: *a, i: *a, j: *a, scrape_configs: [{x_configs: []}]}",
    ] {
        let keys: Vec<String> = (0..60).map(|i| format!("k{i}: *a")).collect();
        let jobs = jobs.replace("&a {", &format!("&a {{{}, ", keys.join(", ")));
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c }}\ndata:\n  prometheus.yml: '{jobs}'\n---\n{}",
            "apiVersion: v1
kind: Pod
metadata: { name: reader }
spec:
  containers: [{ name: c, image: prom/prometheus, volumeMounts: [{ name: v, mountPath: /etc/prometheus }] }]
  volumes: [{ name: v, configMap: { name: c } }]
"
        );
        beside_a_pod(&[("in/a.yaml", text.as_bytes())], &[]);
    }
}

#[test]
fn texts_that_would_be_looked_through_again_and_again() {
    let script = "nc - nslookup -h ".repeat(20_000);
    let settings: String = (0..30_000).map(|i| format!("  a{i}host: db{i}:80\n")).collect();
    let passes = "    set $a b;\n    proxy_pass http://$c;\n".repeat(10_000);
    let text = format!(
        "apiVersion: v1
kind: Pod
metadata: {{ name: reader }}
spec:
  containers:
    - {{ name: c, image: a, command: [sh, -c, '{script}'], volumeMounts: [{{ name: v, mountPath: /etc/c }}] }}
  volumes: [{{ name: v, configMap: {{ name: c }} }}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{ name: c }}
data:
  a.yaml: |
{}
  nginx.conf: |
{passes}",
        settings.replace("  a", "    a")
    );
    beside_a_pod(&[("in/a.yaml", text.as_bytes())], &[]);
}

/// Each policy has a block of all addresses with many exceptions, and stands in the way of what comes in and goes out.
#[test]
fn blocks_of_addresses_with_many_exceptions() {
    let except: Vec<String> = (0..20_000).map(|i| format!("'11.{}.{}.0/28'", i / 250, i % 250)).collect();
    let except = except.join(", ");
    let block = format!("ipBlock: {{ cidr: 0.0.0.0/0, except: [{except}] }}");
    let of_kubernetes = format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{ name: p }}
spec:
  podSelector: {{}}
  policyTypes: [Ingress, Egress]
  ingress: [{{ from: [{{ {block} }}] }}]
  egress: [{{ to: [{{ {block} }}] }}]
"
    );
    let of_cilium = format!(
        "apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{ name: p }}
spec:
  endpointSelector: {{}}
  ingress: [{{ fromCIDRSet: [{{ cidr: 0.0.0.0/0, except: [{except}] }}] }}]
  egress: [{{ toCIDRSet: [{{ cidr: 0.0.0.0/0, except: [{except}] }}] }}]
"
    );
    let entity = format!("{{ nets: [0.0.0.0/0, 0.0.0.0/0], notNets: [{except}] }}");
    let of_calico = format!(
        "apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {{ name: p, namespace: default }}
spec:
  types: [Ingress, Egress]
  ingress: [{{ action: Allow, source: {entity} }}]
  egress: [{{ action: Allow, destination: {entity} }}]
"
    );
    let apps: String = (0..20)
        .map(|i| {
            format!(
                "---
apiVersion: v1
kind: Pod
metadata: {{ name: app{i}, labels: {{ app: app{i} }} }}
spec:
  containers: [{{ name: c, image: a, ports: [{{ containerPort: 80 }}], env: [{{ name: A, value: 'http://app{}:80' }}] }}]
---
apiVersion: v1
kind: Service
metadata: {{ name: app{i} }}
spec: {{ type: LoadBalancer, selector: {{ app: app{i} }}, ports: [{{ port: 80 }}] }}
",
                (i + 1) % 20
            )
        })
        .collect();
    for policy in [of_kubernetes, of_cilium, of_calico] {
        beside_a_pod(&[("in/a.yaml", format!("{policy}{apps}").as_bytes())], &[]);
    }
}

#[test]
fn duplicate_keys_and_objects() {
    let twice = POD.replace("metadata: { name: good }", "metadata: { name: other }\nmetadata: { name: good }");
    let folder = Folder::new(&[("a.yaml", twice.as_bytes()), ("b.yaml", POD.as_bytes())]);
    let run = folder.run(&["analyze", "a.yaml", "b.yaml"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_says(
        &run,
        &["the key `metadata` is given twice; the last one counts", "a.yaml:4:1", "repeated-object", "b.yaml:3:1"],
    );
    assert!(run.out.contains("1 × privileged-container"), "{run:?}");
}

#[test]
fn bytes_that_are_not_utf8() {
    beside_a_pod(
        &[("in/a.yaml", b"apiVersion: v1\nkind: Pod\nmetadata: {name: \"\xff\xfe\"}\n")],
        &["error[invalid-utf8]", "in/a.yaml:3:"],
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_back() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("in/deep/good.yaml", POD.as_bytes())]);
    symlink("..", folder.path().join("in/deep/up")).expect("a link");
    symlink("self.yaml", folder.path().join("in/self.yaml")).expect("a link");
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_says(&run, &["in/self.yaml"]);
    assert!(run.out.contains("1 × privileged-container"), "{run:?}");
}

#[test]
fn a_file_of_a_gibibyte() {
    let folder = Folder::new(&[("in/good.yaml", POD.as_bytes()), ("in/huge.yaml", b"")]);
    let huge = std::fs::File::options().write(true).open(folder.path().join("in/huge.yaml")).expect("a file");
    huge.set_len(1 << 30).expect("a sparse file");
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_says(&run, &["in/huge.yaml was not read: it is larger than 256 MiB"]);
    assert!(run.out.contains("1 × privileged-container"), "{run:?}");
    refused(&folder, &["analyze", "in/huge.yaml"], "larger than 256 MiB");
}

#[cfg(unix)]
#[test]
fn what_is_no_file() {
    let folder = Folder::new(&[]);
    for device in ["/dev/null", "/dev/zero"] {
        refused(&folder, &["analyze", device], "is a device, a pipe or a socket");
    }
}

#[test]
fn helm_templates_are_named_and_not_parsed() {
    let template = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n";
    beside_a_pod(&[("in/templates/pod.yaml", template)], &["in/templates/pod.yaml", "is a template of Helm"]);
}

#[test]
fn kinds_that_are_not_known_are_said_once_with_their_number() {
    let object = |group: &str, kind: &str, name: &str| {
        format!("---\napiVersion: {group}/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ a: hunter2 }}\n")
    };
    let text = [
        object("shop.example", "Warehouse", "a"),
        object("shop.example", "Warehouse", "b"),
        object("shop.example", "Warehouse", "c"),
        object("shop.example", "Courier", "a"),
        object("shop.example/hunter2 or", "Courier", "a"),
        // Known ones, whether or not they have an effect here.
        object("monitoring.coreos.com", "ServiceMonitor", "a"),
        object("cilium.io", "CiliumNetworkPolicy", "a"),
        object("security.kubearmor.com", "KubeArmorPolicy", "a"),
        object("constraints.gatekeeper.sh", "Whatever", "a"),
        // Known ones that are read where something else needs them.
        object("networking.istio.io", "Gateway", "a"),
        object("dapr.io", "Component", "a"),
        object("gateway.networking.k8s.io", "ReferenceGrant", "a"),
        object("monitoring.coreos.com", "AlertmanagerConfig", "a"),
    ];
    let folder = Folder::new(&[("in/a.yaml", POD.as_bytes()), ("in/b.yaml", text.concat().as_bytes())]);
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    let said: Vec<&str> = run.err.lines().filter(|line| line.contains("[unknown-kind]")).collect();
    let of =
        |what: &str| format!("note[unknown-kind]: {what}, which is not known here: what they do is not in the model");
    let expected = ["1 object of the kind Courier of shop.example", "3 objects of the kind Warehouse of shop.example"];
    assert_eq!(said, expected.map(of), "{run:?}");
    assert!(!run.err.contains("hunter2"), "{run:?}");
}

#[test]
fn virtual_services_that_delegate_in_a_long_chain() {
    let one = |i: usize| {
        let gateways = if i == 0 { "gateways: [front], hosts: [a.example], " } else { "" };
        let delegate = format!("http: [{{delegate: {{name: v{}}}}}]", i + 1);
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}}}\nspec: {{{gateways}{delegate}}}\n"
        )
    };
    let text: String = (0..8_000).map(one).collect();
    let folder = Folder::new(&[("in/a.yaml", POD.as_bytes()), ("in/b.yaml", text.as_bytes())]);
    let run = folder.run(&["analyze", "in"]);
    assert_eq!(run.status, 0, "{run:?}");
    let said: Vec<&str> = run.err.lines().filter(|line| line.contains("[delegate-not-followed]")).collect();
    assert_eq!(said.len(), 1, "{run:?}");
    assert_says(&run, &["VirtualService v1 delegates, and another delegates to it"]);
}

#[test]
fn a_policy_that_admits_a_crowd_to_itself() {
    let pod = |i: usize| {
        let name = format!("metadata: {{ name: p{i}, labels: {{ x: z }} }}");
        format!("---\napiVersion: v1\nkind: Pod\n{name}\nspec: {{ containers: [{{ name: c, image: a }}] }}\n")
    };
    let all = "{ podSelector: { matchLabels: { x: z } } }";
    let policy = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{ name: n }}\nspec: {{ podSelector: {{ matchLabels: \
         {{ x: z }} }}, ingress: [{{ from: [{all}] }}], egress: [{{ to: [{all}] }}] }}\n"
    );
    let text: String = std::iter::once(policy).chain((0..2_000).map(pod)).collect();
    beside_a_pod(
        &[("in/a.yaml", text.as_bytes())],
        &[
            "note[large-group]: NetworkPolicy/default/n lets 2000 workloads and 2000 others connect, and 1 more rules",
            "no flow is drawn from it",
        ],
    );
}

#[test]
fn roles_that_aggregate_very_many_others() {
    let head = |name: String, label: &str| {
        format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{ name: {name}, labels: {{ x: {label} }} }}\n"
        )
    };
    let rule = "{ apiGroups: [a], resources: [b], verbs: [get] }, ".repeat(10);
    let plain = (0..2_000).map(|i| head(format!("r{i}"), "z") + &format!("rules: [{rule}]\n"));
    let selects = "aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: z } }] }\n";
    let all = (0..500).map(|i| head(format!("all{i}"), "w") + selects);
    let text: String = plain.chain(all).collect();
    let said = "warning[too-much-aggregated]: ClusterRole/all106 and 490 other roles aggregate too much: 200000 rules";
    beside_a_pod(&[("in/a.yaml", text.as_bytes())], &[said]);
}
