//! All objects of the input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kubestride_source::Span;
use kubestride_yaml::{Kind, NodeId, Tree, Value};

use crate::{Field, Object, kinds};

/// Lists inside lists that are followed. An alias can make a list hold itself.
const MAX_LIST_DEPTH: usize = 4;

/// Most objects that are read from one document, because aliases can make a short document very long.
const MAX_OBJECTS_PER_DOCUMENT: usize = 500_000;

/// What is known about an object beside its text.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) model_key: u32,
    /// Another object with the same identity stands for it.
    pub(crate) left_out: bool,
    /// The name of an object that has only a `generateName`.
    pub(crate) generated_name: Option<String>,
    /// Its own kind, or that of the list's items.
    pub(crate) kind: Arc<str>,
    /// Its own version, or that of the list.
    pub(crate) api_version: Arc<str>,
    /// Whether its group is one of Kubernetes itself.
    pub(crate) of_kubernetes: bool,
    /// Whether its kind lives in a namespace, unless the input says otherwise of a custom kind.
    namespaced: bool,
    /// The document that it is in, and where in it the object and its parts are.
    document: usize,
    /// Where it is named: the value of `metadata.name`, else its first key.
    pub(crate) span: Span,
    root: NodeId,
    metadata: Option<NodeId>,
    spec: Option<NodeId>,
}

/// The objects of a kind.
#[derive(Default)]
struct OfKind {
    /// Indices of their records.
    records: Vec<usize>,
    /// Somebody has asked for them.
    asked_for: AtomicBool,
}

/// The documents of the input and the objects in them.
#[derive(Default)]
pub struct Manifests {
    documents: Vec<Tree>,
    pub(crate) records: Vec<Record>,
    /// The kinds, `Kind` or `Kind.group`.
    kinds: BTreeMap<String, OfKind>,
    /// Kinds and versions, each once.
    words: BTreeSet<Arc<str>>,
    /// Whether custom kinds live in a namespace, as CustomResourceDefinitions of the input say.
    scopes: BTreeMap<String, bool>,
    skipped: usize,
    /// Where documents are that aliases make too large.
    pub(crate) unbounded: Vec<Span>,
}

impl Manifests {
    /// No documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document. The items of a `List` (or of a `RoleList` and the like) become objects of their own.
    ///
    /// `model_key` says which set of inputs it came from; objects of different sets are never repeated ones.
    ///
    /// A document in which an alias holds itself, or in which aliases stand for far more than is written, is left out;
    /// [`Manifests::finish`] says so.
    pub fn add(&mut self, tree: Tree, model_key: u32) {
        if !tree.is_bounded() {
            let root = tree.root();
            self.unbounded.push(span_of(root, root.field("metadata")));
            return;
        }
        let document = self.documents.len();
        let (objects, skipped) = expand(tree.root());
        self.skipped += skipped;
        for found in &objects {
            let (root, kind, group) = (found.root, found.kind(), group_of(found.api_version()));
            self.kinds.entry(kind_key(group, kind)).or_default().records.push(self.records.len());
            if group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition" {
                let spec = root.field("spec");
                if let (Some(scope), Some(group), Some(kind)) =
                    (spec.text("scope"), spec.text("group"), spec.field("names").text("kind"))
                {
                    self.scopes.insert(kind_key(group, kind), scope == "Namespaced");
                }
            }
            let metadata = root.field("metadata");
            let prefix = if metadata.text("name").is_none() { metadata.text("generateName") } else { None };
            let generated_name = prefix.map(|prefix| format!("{prefix}*"));
            let (of_kubernetes, namespaced) = (kinds::is_kubernetes_group(group), kinds::is_namespaced(group, kind));
            let (kind, api_version) = (self.word(kind), self.word(found.api_version()));
            self.records.push(Record {
                model_key,
                left_out: false,
                generated_name,
                kind,
                api_version,
                of_kubernetes,
                namespaced,
                document,
                span: span_of(root, metadata),
                root: root.node(),
                metadata: metadata.map(Value::node),
                spec: root.field("spec").map(Value::node),
            });
        }
        self.documents.push(tree);
    }

    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(word) = self.words.get(text) {
            return word.clone();
        }
        let word: Arc<str> = Arc::from(text);
        self.words.insert(word.clone());
        word
    }

    /// All objects in the order of the input. Repeated ones are left out once [`Manifests::finish`] has found them.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        self.all().map(|(_, object)| object).filter(|object| !object.record.left_out)
    }

    /// All objects of a kind of Kubernetes itself, such as `Service`; a `Service` of another group is not among them.
    pub fn by_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Object<'a>> {
        self.of_key(kind)
    }

    /// All objects of a custom kind: `by_custom_kind("security.istio.io", "PeerAuthentication")`.
    pub fn by_custom_kind<'a>(&'a self, group: &'a str, kind: &'a str) -> impl Iterator<Item = Object<'a>> {
        // All groups of Kubernetes share a key.
        self.of_key(&kind_key(group, kind)).filter(move |object| object.group() == group)
    }

    /// All objects of a kind, whatever its group.
    pub fn by_kind_of_any_group<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Object<'a>> {
        let is = move |key: &str| key.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let keys = self.kinds.range(kind.to_owned()..).map(|(key, _)| key.as_str());
        keys.take_while(move |key| key.starts_with(kind)).filter(move |key| is(key)).flat_map(|key| self.of_key(key))
    }

    /// Documents (and items of lists) that are no Kubernetes objects, because they have no `apiVersion` or `kind`.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// All objects with the indices of their records, repeated ones too.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, Object<'_>)> {
        self.records.iter().enumerate().filter_map(|(at, record)| Some((at, self.object(record)?)))
    }

    /// Whether the kind of an object lives in a namespace.
    pub(crate) fn is_namespaced(&self, record: &Record) -> bool {
        if record.of_kubernetes || self.scopes.is_empty() {
            return record.namespaced;
        }
        let key = kind_key(group_of(&record.api_version), &record.kind);
        self.scopes.get(&key).copied().unwrap_or(record.namespaced)
    }

    /// Custom kinds that nobody has asked for so far, in the order of their names: the first object of each, and how many
    /// there are. Objects that are read whatever their kind is are not among them.
    pub fn never_asked_for(&self) -> impl Iterator<Item = (Object<'_>, usize)> {
        let unasked = self.kinds.values().filter(|found| !found.asked_for.load(Ordering::Relaxed));
        unasked.filter_map(|found| {
            let records = found.records.iter().filter_map(|at| self.records.get(*at));
            let mut objects = records.filter(|record| !record.left_out).filter_map(|record| self.object(record));
            let first = objects.next().filter(|o| !o.record.of_kubernetes && o.workload().is_none())?;
            Some((first, 1 + objects.count()))
        })
    }

    fn of_key<'a>(&'a self, key: &str) -> impl Iterator<Item = Object<'a>> + use<'a> {
        let found = self.kinds.get(key);
        if let Some(found) = found {
            found.asked_for.store(true, Ordering::Relaxed);
        }
        let records = found.map(|found| found.records.as_slice()).unwrap_or_default();
        let records = records.iter().filter_map(|at| self.records.get(*at)).filter(|record| !record.left_out);
        records.filter_map(|record| self.object(record))
    }

    fn object<'a>(&'a self, record: &'a Record) -> Option<Object<'a>> {
        let tree = self.documents.get(record.document)?;
        let part = |node: Option<NodeId>| node.map(|node| tree.at(node));
        let (metadata, spec) = (part(record.metadata), part(record.spec));
        Some(Object { owner: self, record, root: tree.at(record.root), metadata, spec })
    }
}

fn span_of(root: Value<'_>, metadata: Option<Value<'_>>) -> Span {
    let name = metadata.field("name").or_else(|| metadata.field("generateName"));
    let first_key = || root.entries().next().map(|entry| entry.key_span);
    name.map(Value::span).or_else(first_key).unwrap_or_else(|| root.span())
}

/// `Kind` for kinds of Kubernetes itself, `Kind.group` for others.
pub(crate) fn kind_key(group: &str, kind: &str) -> String {
    if kinds::is_kubernetes_group(group) { kind.to_owned() } else { format!("{kind}.{group}") }
}

/// The group of an `apiVersion`; empty for the core group.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// An object where it was found.
#[derive(Clone, Copy)]
struct Found<'a> {
    root: Value<'a>,
    /// Kind and version that the items of the list around it have, where they need not say it: the items of a
    /// `PodList` that the API server sends are Pods.
    of_list: Option<(&'a str, &'a str)>,
}

impl<'a> Found<'a> {
    /// Its own kind, or that of the list's items.
    fn kind(&self) -> &'a str {
        self.root.text("kind").or(self.of_list.map(|(kind, _)| kind)).unwrap_or("")
    }

    /// Its own version, or that of the list.
    fn api_version(&self) -> &'a str {
        self.root.text("apiVersion").or(self.of_list.map(|(_, version)| version)).unwrap_or("")
    }

    fn is_object(&self) -> bool {
        self.root.kind() == Kind::Mapping && !self.kind().is_empty() && !self.api_version().is_empty()
    }
}

/// The objects of a document and the number of nodes that should be objects and are not.
fn expand(root: Value<'_>) -> (Vec<Found<'_>>, usize) {
    let mut objects = Vec::new();
    let mut skipped = 0;
    // A stack whose last element comes next.
    let mut todo = vec![(Found { root, of_list: None }, 0)];
    while let Some((found, depth)) = todo.pop() {
        let value = found.root;
        if is_list(value) && depth < MAX_LIST_DEPTH {
            let of_list = items_of(value);
            let first = todo.len();
            let room = MAX_OBJECTS_PER_DOCUMENT.saturating_sub(objects.len() + first);
            todo.extend(value.list("items").take(room).map(|root| (Found { root, of_list }, depth + 1)));
            if let Some(new) = todo.get_mut(first..) {
                new.reverse();
            }
        } else if found.is_object() && objects.len() < MAX_OBJECTS_PER_DOCUMENT {
            objects.push(found);
        } else if !value.is_null() {
            skipped += 1;
        }
    }
    (objects, skipped)
}

/// Whether this is a list of objects: `kind: List`, or `kind: RoleList` with items.
pub(crate) fn is_list(value: Value<'_>) -> bool {
    let Some(kind) = value.text("kind") else { return false };
    kind == "List" || (kind.ends_with("List") && value.get("items").is_some_and(|items| items.kind() == Kind::Sequence))
}

/// Kind and version of the items of a list that is of one kind.
fn items_of(list: Value<'_>) -> Option<(&str, &str)> {
    let kind = list.text("kind")?.strip_suffix("List").filter(|kind| !kind.is_empty())?;
    Some((kind, list.text("apiVersion")?))
}
