//! Recorded traffic.

mod program;

use program::Folder;

const APPS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: a}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: example/shop, env: [{name: DB_HOST, value: 'db:5432'}, {name: OLD_HOST, value: 'old:80'}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {containers: [{name: c, image: example/db, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a}
spec: {selector: {app: db}, clusterIP: 10.9.9.9, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: a, labels: {app: old}}
spec: {containers: [{name: c, image: example/old, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: a}
spec: {selector: {app: old}, ports: [{port: 80}]}
";

/// A flow of Hubble from `shop` to something.
fn hubble(verdict: &str, target: &str, port: u16, more: &str) -> String {
    format!(
        "{{\"flow\":{{\"verdict\":\"{verdict}\",\"IP\":{{\"source\":\"10.0.0.1\",\"destination\":\"203.0.113.7\"}},\
         \"l4\":{{\"TCP\":{{\"source_port\":41000,\"destination_port\":{port}}}}},\"source\":{{\"namespace\":\"a\",\
         \"pod_name\":\"shop-7d9-x2\",\"workloads\":[{{\"name\":\"shop\",\"kind\":\"Deployment\"}}]}},\
         \"destination\":{target}{more}}}}}\n"
    )
}

fn flows(folder: &Folder, arguments: &[&str]) -> (Vec<String>, String) {
    let run = folder.run(&[&["analyze", "a.yaml", "--format", "flows.tsv"], arguments].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let traffic = run.out.lines().filter(|l| l.contains("\ttraffic\t"));
    (traffic.map(|l| l.replace('\t', " ")).collect(), run.err)
}

#[test]
fn hubble_confirms_adds_and_leaves_open() {
    let pod = |name: &str| format!("{{\"namespace\":\"a\",\"pod_name\":\"{name}\"}}");
    let world = "{\"labels\":[\"reserved:world\"]}";
    let log = [
        hubble("FORWARDED", &pod("db"), 5432, ""),
        hubble("FORWARDED", &pod("db"), 5432, ",\"is_reply\":true"),
        hubble(
            "FORWARDED",
            world,
            443,
            ",\"destination_names\":[\"api.example.com\"],\"l7\":{\"http\":{\"url\":\"http://x/?key=s3cr3tvalue\"}}",
        ),
        hubble("FORWARDED", world, 8443, ""),
        hubble("DROPPED", &pod("old"), 80, ""),
        hubble("FORWARDED", &pod("stranger"), 80, ""),
        "{\"something\":\"else\"}\n".to_owned(),
    ];
    let folder = Folder::new(&[("a.yaml", APPS.as_bytes()), ("flows.json", log.concat().as_bytes())]);
    let (found, messages) = flows(&folder, &["--observed", "flows.json"]);
    assert_eq!(
        found,
        [
            "Deployment/a/shop Pod/a/db 5432 traffic certain",
            "Deployment/a/shop Pod/a/old 80 traffic certain",
            "Deployment/a/shop external/203.0.113.7 8443 traffic certain",
            "Deployment/a/shop external/api.example.com 443 traffic certain",
        ]
    );
    for message in [
        "1 flows confirmed, 2 only seen, 1 declared and not seen, 1 connections of parties",
        "1 connections of flows.json were refused",
        "1 of 7 lines of flows.json are no flow",
    ] {
        assert!(messages.contains(message), "{message}: {messages}");
    }
    for format in ["json", "html", "csv", "md", "sarif"] {
        let run = folder.run(&["analyze", "a.yaml", "--observed", "flows.json", "--format", format]);
        assert!(run.status == 0 && !run.out.contains("s3cr3tvalue"), "{format}");
    }
}

#[test]
fn kubearmor_and_otterize_are_read() {
    let log = "{\"NamespaceName\":\"a\",\"PodName\":\"shop-1\",\"Owner\":{\"Ref\":\"Deployment\",\"Name\":\"shop\"},\
               \"Operation\":\"Network\",\"Resource\":\"remoteip=10.9.9.9 port=5432 protocol=TCP\",\"Data\":\"kprobe=tcp_connect\"}\n\
               {\"Operation\":\"Process\",\"Resource\":\"/bin/sh -c token\"}\n";
    let intents = "apiVersion: k8s.otterize.com/v2alpha1\nkind: ClientIntents\nmetadata: {name: old, namespace: a}\n\
                   spec: {workload: {name: old, kind: Pod}, targets: [{kubernetes: {name: db.a}}, {internet: {domains: [pay.example.com]}}]}\n";
    let files = [("a.yaml", APPS.as_bytes()), ("log.json", log.as_bytes()), ("intents.yaml", intents.as_bytes())];
    let folder = Folder::new(&files);
    let (found, messages) = flows(&folder, &["--observed", "log.json", "--observed", "intents.yaml"]);
    assert_eq!(
        found,
        [
            "Deployment/a/shop Pod/a/db 5432 traffic certain",
            "Deployment/a/shop Pod/a/old 80 traffic certain",
            "Pod/a/old Pod/a/db  traffic likely",
            "Pod/a/old external/pay.example.com  traffic likely",
        ]
    );
    assert!(messages.contains("1 flows confirmed, 0 only seen, 3 declared"), "{messages}");
    let run = folder.run(&["analyze", "a.yaml", "--observed", "absent.json"]);
    assert!(run.status == 2 && run.err.contains("no such file"), "{run:?}");
}
