//! Policies of Istio and questions about them, for its tests.

use kubestride_policy::mesh::Mesh;

use super::{Member, shown};
use crate::common::both_orders;

pub(crate) fn peers(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {spec}}}"
    )
}

pub(crate) fn policy(name: &str, namespace: &str, spec: &str) -> String {
    peers(name, namespace, spec).replace("PeerAuthentication", "AuthorizationPolicy")
}

pub(crate) fn destination(name: &str, namespace: &str, spec: &str) -> String {
    peers(name, namespace, spec)
        .replace("security.istio.io", "networking.istio.io")
        .replace("PeerAuthentication", "DestinationRule")
}

/// A member of the mesh by the label of its namespace.
pub(crate) fn member(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app).namespace_label("istio-injection", "enabled")
}

/// One that a ztunnel serves.
pub(crate) fn ambient(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app).namespace_label("istio.io/dataplane-mode", "ambient")
}

/// One of which nothing says whether it is a member.
pub(crate) fn stranger(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app)
}

/// One that is no member.
pub(crate) fn outsider(namespace: &'static str, app: &'static str) -> Member {
    Member::new(namespace, app).label("sidecar.istio.io/inject", "false")
}

/// What `source` gets from `target` on port 8080, whatever the order of the documents.
pub(crate) fn ask(documents: &[&str], source: &Member, target: &Member) -> String {
    let mut answers = Vec::new();
    let answers_of = std::cell::RefCell::new(&mut answers);
    both_orders(documents, |manifests| {
        let mesh = Mesh::read(manifests, "default");
        answers_of.borrow_mut().push(shown(source.calls(target, Some(8080), |call| mesh.answer(call))));
    });
    assert_eq!(answers[0], answers[1], "the order matters: {documents:?}");
    answers.remove(0)
}

pub(crate) const STRICT: &str = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: strict, namespace: \
                      istio-system}, spec: {mtls: {mode: STRICT}}}";
pub(crate) const DISABLED: &str = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: disabled, namespace: \
                        istio-system}, spec: {mtls: {mode: DISABLE}}}";
