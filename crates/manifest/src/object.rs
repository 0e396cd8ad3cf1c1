//! One Kubernetes object.

use std::fmt;

use kubestride_source::Span;
use kubestride_yaml::{Entry, Value};

use crate::{
    Field, Labels, Manifests, Service, Workload,
    manifests::{Record, group_of},
    stable_name,
};

/// A Kubernetes object of the input.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub(crate) owner: &'a Manifests,
    pub(crate) record: &'a Record,
    pub(crate) root: Value<'a>,
    pub(crate) metadata: Option<Value<'a>>,
    pub(crate) spec: Option<Value<'a>>,
}

impl<'a> Object<'a> {
    /// Its kind, such as `Deployment`.
    pub fn kind(&self) -> &'a str {
        &self.record.kind
    }

    /// Its group and version, such as `apps/v1`.
    pub fn api_version(&self) -> &'a str {
        &self.record.api_version
    }

    /// Its API group; empty for the core group.
    pub fn group(&self) -> &'a str {
        group_of(self.api_version())
    }

    /// The version within its group.
    pub fn version(&self) -> &'a str {
        self.api_version().rsplit_once('/').map_or(self.api_version(), |(_, version)| version)
    }

    /// Whether its kind is one of Kubernetes itself.
    pub fn is_kubernetes_kind(&self) -> bool {
        self.record.of_kubernetes
    }

    /// `metadata.name`, or `<prefix>*` for one with a `generateName` only; empty for one without either.
    pub fn name(&self) -> &'a str {
        let generated = self.record.generated_name.as_deref();
        generated.or_else(|| self.metadata().text("name")).unwrap_or("")
    }

    /// The namespace that it names; none for kinds that belong to the cluster and where it names none.
    pub fn namespace(&self) -> Option<&'a str> {
        self.metadata().text("namespace").filter(|namespace| !namespace.is_empty() && self.is_namespaced())
    }

    /// The namespace it gets when it is applied with `default` as the namespace of objects that name none; none for
    /// kinds that belong to the cluster.
    pub fn effective_namespace(&self, default: &'a str) -> Option<&'a str> {
        self.is_namespaced().then(|| self.namespace().unwrap_or(default))
    }

    /// Whether its kind lives in a namespace: as its CustomResourceDefinition in the input says, else as is known.
    /// Custom kinds about which nothing is known do.
    pub fn is_namespaced(&self) -> bool {
        self.owner.is_namespaced(self.record)
    }

    /// The set of inputs it came from, as given to [`Manifests::add`].
    pub fn model_key(&self) -> u32 {
        self.record.model_key
    }

    /// The whole object.
    pub fn root(&self) -> Value<'a> {
        self.root
    }

    /// `metadata`, if it is set.
    pub fn metadata(&self) -> Option<Value<'a>> {
        self.metadata
    }

    /// `spec`, if it is set.
    pub fn spec(&self) -> Option<Value<'a>> {
        self.spec
    }

    /// Where it is named: the value of `metadata.name`, else its first key.
    pub fn span(&self) -> Span {
        self.record.span
    }

    /// Where all of it stands.
    pub fn document_span(&self) -> Span {
        self.root.span()
    }

    /// `metadata.labels`.
    pub fn labels(&self) -> impl Iterator<Item = Entry<'a>> {
        self.metadata().field("labels").into_iter().flat_map(Value::entries)
    }

    /// `metadata.annotations`.
    pub fn annotations(&self) -> impl Iterator<Item = Entry<'a>> {
        self.metadata().field("annotations").into_iter().flat_map(Value::entries)
    }

    /// The labels, ready for selectors.
    pub fn label_set(&self) -> Labels<'a> {
        Labels::read(self.metadata().field("labels"))
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.metadata().field("labels").text(key)
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.metadata().field("annotations").text(key)
    }

    /// What it is known by: `Kind/namespace/name`, `Kind/name` for kinds that belong to the cluster, and
    /// `Kind.group/…` for custom kinds. The version is not part of it, nor is a hash that kustomize adds to the name.
    pub fn identity(&self, default_namespace: &str) -> String {
        let kind = self.kind();
        let mut identity = kind.to_owned();
        if !self.is_kubernetes_kind() {
            identity.push('.');
            identity.push_str(self.group());
        }
        if self.is_namespaced() {
            identity.push('/');
            identity.push_str(self.namespace().unwrap_or(default_namespace));
        }
        identity.push('/');
        let name = self.name();
        identity.push_str(if self.is_kubernetes_kind() { stable_name(kind, name) } else { name });
        identity
    }

    /// The object as something that runs pods; none for other kinds.
    pub fn workload(&self) -> Option<Workload<'a>> {
        Workload::of(*self)
    }

    /// The object as a Service; none for other kinds.
    pub fn service(&self) -> Option<Service<'a>> {
        (self.kind() == "Service" && self.is_kubernetes_kind()).then(|| Service::new(*self))
    }
}

/// Shows kind and place only: names belong to their author.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}..{}", self.kind(), self.span().start, self.span().end)
    }
}
