//! The flows of a few objects, each written as `source -> target:port confidence`.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use kubestride_discover::{Discovered, Options, Scope, discover};
use kubestride_manifest::Manifests;
use kubestride_model::{FlowKind, Model, SubjectRef};
use kubestride_policy::pod_security::Version;
use kubestride_source::FileId;
use kubestride_yaml::{Limits, read};

/// The model of the objects in a text.
pub(crate) fn model(text: &str) -> Model {
    model_in(text, Scope::Application)
}

/// The model of the objects in a text that is so much of a cluster.
pub(crate) fn model_in(text: &str, scope: Scope) -> Model {
    discovered(text, scope).model
}

/// All that is found out about the objects in a text that is so much of a cluster.
pub(crate) fn discovered(text: &str, scope: Scope) -> Discovered {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        manifests.add(document.tree.expect("a document"), 0);
    }
    manifests.finish("default");
    let options = Options { scope, namespace: "default".to_owned(), kubernetes: Version::NEWEST };
    discover(&manifests, &options)
}

/// The flows between workloads and outside, in order. Deployments of the default namespace are named without kind and
/// namespace.
pub(crate) fn flows(text: &str) -> Vec<String> {
    let model = model(text);
    let name = |id| {
        let identity = model.identity_of(SubjectRef::Element(id));
        identity.strip_prefix("Deployment/default/").unwrap_or(identity).to_owned()
    };
    let shown = model.flows().filter(|(_, f)| !f.implicit && matches!(f.kind, FlowKind::Traffic | FlowKind::Exposure));
    let line = |f: &kubestride_model::Flow| {
        let port = f.port.map(|p| format!(":{p}")).unwrap_or_default();
        format!("{} -> {}{port} {}", name(f.source), name(f.target), f.confidence.as_str())
    };
    let mut flows: Vec<String> = shown.map(|(_, f)| line(f)).collect();
    flows.sort();
    flows.dedup();
    flows
}

/// A Deployment with one container, a port, and a Service of the same name. `more` is put into the container.
pub(crate) fn app(name: &str, port: u16, more: &str) -> String {
    pods(name, name, port, more, "") + &service(name, port, "")
}

/// A Deployment with one container. `more` is put into the container, `pod` into the pod.
pub(crate) fn pods(name: &str, image: &str, port: u16, more: &str, pod: &str) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {pod}
      containers: [{{name: c, image: example/{image}, ports: [{{name: main, containerPort: {port}}}], {more}}}]
"
    )
}

/// A Service for pods of the same name. `more` is put into its specification.
pub(crate) fn service(name: &str, port: u16, more: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Service
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: web, port: {port}}}]{more}}}
"
    )
}
