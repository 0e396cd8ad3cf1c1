//! What snippets may show.

use std::sync::Arc;

use kubestride_manifest::visibility;
use kubestride_source::{FileOrigin, SourceMap, Span, Visibility};
use kubestride_yaml::{Limits, read};

/// The text as snippets show it.
fn shown(text: &str) -> String {
    let mut map = SourceMap::new();
    let file = map.add("a.yaml", text, FileOrigin::Stated);
    let mut all = Visibility::none();
    for document in read(file, &Arc::from(text), &Limits::default()) {
        all.merge(visibility(document.tree.expect("a document").root()));
    }
    map.set_visibility(file, all);
    let snippet = map.snippet(Span::new(file, 0, text.len() as u32), 0, 1000).expect("a snippet");
    snippet.lines.iter().map(|line| format!("{}\n", line.text)).collect()
}

#[test]
fn nothing_secret_is_shown() {
    // Every `hunter2` stands where a secret could be.
    let text = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  annotations: {a/b: hunter2, c: {hunter2: hunter2}}
  managedFields: [{fieldsV1: {x: hunter2}}]
type: Opaque
stringData: {password: hunter2, on: true, deep: {hunter2: hunter2}}
data: {token: aHVudGVyMg==, list: [hunter2]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  app.conf: |
    name: hunter2
    image: hunter2
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}  # hunter2
spec:
  template:
    metadata: {annotations: {x: hunter2}, labels: {bad: 'hunter2 = hunter2'}}
    spec:
      containers:
      - name: c
        image: user:hunter2@registry.example/app:1
        command: [run, hunter2]
        args: [--password=hunter2, {name: hunter2}]
        env:
        - {name: P, value: hunter2}
        - {name: U, value: 'https://u:hunter2@h/'}
        livenessProbe:
          exec: {command: [hunter2]}
          httpGet: {path: '/x?token=hunter2', httpHeaders: [{name: A, value: hunter2}]}
        lifecycle: {postStart: {exec: {command: [hunter2]}}}
      volumes:
      - {name: v, csi: {driver: d, volumeAttributes: {name: hunter2}}}
      - {name: w, flexVolume: {driver: d, options: {name: hunter2}}}
---
apiVersion: example.com/v1
kind: Tool
metadata: {name: t}
spec: {name: hunter2, image: hunter2, labels: {a: hunter2}, type: hunter2}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: t}
spec: {http: [{headers: {request: {set: {name: hunter2}}}, match: [{headers: {x: {exact: hunter2}}}]}]}
---
apiVersion: networking.istio.io/v1
kind: EnvoyFilter
metadata: {name: t}
spec: {patch: {name: hunter2}}
---
apiVersion: v1
kind: Config
users: [{name: hunter2, user: {token: hunter2}}]
---
apiVersion: v1
kind: List
metadata: {name: hunter2}
items:
- {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: hunter2}}
- hunter2
---
password: hunter2
name: hunter2
--- 
[hunter2]
";
    let shown = shown(text);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains("aHVudGVyMg"), "{shown}");
    for expected in
        ["password:", "token:", "a/b:", "app.conf:", "name: db", "type: Opaque", "kind: Tool", "name: t", "name: P"]
    {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}

#[test]
fn structure_is_shown() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app.kubernetes.io/name: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      serviceAccountName: web
      hostNetwork: true
      containers:
      - name: web
        image: registry.example/web@sha256:0123456789abcdef
        imagePullPolicy: Always
        securityContext: {privileged: true, runAsUser: 0, capabilities: {add: [SYS_ADMIN]}}
        resources: {limits: {cpu: 500m, memory: 1Gi}}
        envFrom:
        - secretRef: {name: db}
        env:
        - name: A
          valueFrom: {secretKeyRef: {name: db, key: password}}
        livenessProbe: {httpGet: {path: /healthz, port: 8080}}
        volumeMounts:
        - {name: v, mountPath: /data}
      volumes:
      - name: v
        hostPath: {path: /var/run/docker.sock, type: Socket}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules:
- apiGroups: ['']
  resources: [pods/exec, '*']
  verbs: [create]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: n}
spec:
  podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}
  policyTypes: [Egress]
  egress:
  - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]
    ports: [{port: 53, protocol: UDP, endPort: 54}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: j}
spec: {schedule: '*/5 * * * *'}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec: {rules: [{host: shop.example, http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
";
    assert_eq!(shown(text), text);
}

#[test]
fn what_an_alias_shares_with_a_secret_place_is_masked() {
    let text = "\
apiVersion: v1
kind: Secret
metadata: {name: s, labels: {a: *p, b: plain}}
stringData: {password: &p hunter2}
"
    .replace("a: *p", "a: &p hunter2")
    .replace("password: &p hunter2", "password: *p");
    let shown = shown(&text);
    assert!(!shown.contains("hunter2") && shown.contains("b: plain"), "{shown}");
}

#[test]
fn documents_that_aliases_blow_up_are_not_shown() {
    let mut text = "apiVersion: v1\nkind: Pod\nspec:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..9 {
        let items = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("  a{i}: &a{i} [{items}]\n"));
    }
    assert!(!shown(&text).contains("Pod"));
    assert!(!shown("apiVersion: v1\nkind: Pod\nspec: &a {b: *a}\n").contains("Pod"));
}
