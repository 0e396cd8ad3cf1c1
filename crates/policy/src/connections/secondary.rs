//! Networks beside the primary one: what Multus attaches to pods (`k8s.cni.cncf.io`), and the secondary networks of
//! OVN-Kubernetes. NetworkPolicies do not hold in them; MultiNetworkPolicies do.
//!
//! Sources: <https://github.com/k8snetworkplumbingwg/multi-net-spec>,
//! <https://github.com/k8snetworkplumbingwg/multi-networkpolicy>.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubestride_manifest::{Field, LabelSelector, Manifests, Object};
use kubestride_source::FileId;
use kubestride_yaml::{Limits, Value, read};

use super::Workload;
use super::networks::{self, is_primary};
use crate::Namespaces;
use crate::network::NetworkPolicies;

const GROUP: &str = "k8s.cni.cncf.io";
/// The versions of MultiNetworkPolicy.
const VERSIONS: &[&str] = &["v1beta1", "v1beta2"];
/// The annotation of a pod that names its further networks.
const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// The annotation of a MultiNetworkPolicy that names the networks that it is for.
const POLICY_FOR: &str = "k8s.v1.cni.cncf.io/policy-for";

/// A network, the pods in it and the policies that hold there.
#[derive(Debug)]
pub(super) struct Secondary {
    /// Its name in outputs.
    pub(super) name: String,
    /// Positions of the workloads in it.
    pub(super) members: Vec<usize>,
    pub(super) policies: NetworkPolicies,
}

/// A reference to a definition: namespace and name.
type Reference = (String, String);

/// What tells networks apart: definitions in several namespaces may stand for one network.
type Key = String;

/// All secondary networks that workloads are in, by name.
pub(super) fn read_all(
    manifests: &Manifests,
    namespaces: &Namespaces<'_>,
    workloads: &[Workload<'_>],
    default_namespace: &str,
) -> Vec<Secondary> {
    let definitions = Definitions::read(manifests, namespaces, default_namespace);
    let mut found: BTreeMap<Key, (String, BTreeSet<usize>)> = BTreeMap::new();
    for (at, workload) in workloads.iter().enumerate() {
        for reference in &workload.attached {
            let Some(key) = definitions.key(reference) else { continue };
            let name = || reference.1.clone();
            found.entry(key).or_insert_with(|| (name(), BTreeSet::new())).1.insert(at);
        }
    }
    let policies: Vec<(BTreeSet<Key>, Object<'_>)> = manifests
        .by_custom_kind(GROUP, "MultiNetworkPolicy")
        .map(|object| {
            let namespace = object.namespace().unwrap_or(default_namespace);
            let named = object.annotation(POLICY_FOR).map(|text| references(text, namespace)).unwrap_or_default();
            (named.iter().filter_map(|reference| definitions.key(reference)).collect(), object)
        })
        .collect();
    let network = |(key, (name, members)): (Key, (String, BTreeSet<usize>))| {
        let own = policies.iter().filter(|(networks, _)| networks.contains(&key)).map(|(_, object)| *object);
        Secondary {
            name,
            members: members.into_iter().collect(),
            policies: NetworkPolicies::of_objects(own, VERSIONS, default_namespace),
        }
    };
    let mut all: Vec<Secondary> = found.into_iter().map(network).collect();
    all.sort_by(|a, b| (&a.name, &a.members).cmp(&(&b.name, &b.members)));
    all
}

/// Networks that workloads are said to be in and that are not in the input.
pub(super) fn missing<'w>(
    manifests: &Manifests,
    namespaces: &Namespaces<'_>,
    workloads: &'w [Workload<'_>],
    default_namespace: &str,
) -> Vec<(&'w str, &'w Reference)> {
    let definitions = Definitions::read(manifests, namespaces, default_namespace);
    let all = workloads.iter().flat_map(|w| w.attached.iter().map(|reference| (w.name.as_str(), reference)));
    all.filter(|(_, reference)| definitions.key(reference).is_none()).collect()
}

/// The networks that an object says its pods are attached to.
pub(super) fn attached(object: Object<'_>, namespace: &str) -> Vec<Reference> {
    let of_machine = object.root().path(&["spec", "template", "metadata", "annotations"]);
    let annotation = match object.workload() {
        Some(workload) => workload.template.annotation(NETWORKS),
        None => of_machine.text(NETWORKS).or_else(|| object.annotation(NETWORKS)),
    };
    let mut found = annotation.map(|text| references(text, namespace)).unwrap_or_default();
    let spec = object.root().path(&["spec", "template", "spec"]).or_else(|| object.spec());
    let machine = spec.list("networks").filter_map(|network| network.field("multus").text("networkName"));
    if object.group() == super::endpoints::KUBEVIRT {
        found.extend(machine.flat_map(|name| references(name, namespace)));
    }
    found.sort();
    found.dedup();
    found
}

/// `name`, `namespace/name@interface`, several with commas, or a JSON list of objects.
fn references(text: &str, namespace: &str) -> Vec<Reference> {
    if text.trim_start().starts_with('[') {
        return of_json(text, |root| {
            let named = root.items().filter_map(|item| {
                let own = item.text("namespace").unwrap_or(namespace);
                Some((own.to_owned(), item.text("name")?.to_owned()))
            });
            named.collect()
        })
        .unwrap_or_default();
    }
    let one = |part: &str| {
        let path = part.split('@').next().unwrap_or_default().trim();
        let (own, name) = path.split_once('/').unwrap_or((namespace, path));
        (!name.is_empty()).then(|| (own.to_owned(), name.to_owned()))
    };
    text.split(',').filter_map(one).collect()
}

/// Reads a text of JSON that stands in a value.
fn of_json<T>(text: &str, with: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    // Spans of this text lead nowhere, and none is kept.
    let file = FileId(u32::MAX);
    let documents = read(file, &Arc::from(text), &Limits { max_depth: 32, max_nodes: 10_000 });
    documents.first()?.tree.as_ref().map(|tree| with(tree.root()))
}

/// Everything that makes a network which pods can be attached to.
struct Definitions {
    keys: BTreeMap<Reference, Key>,
    /// Secondary networks for the namespaces that a selector fits, by name.
    wide: Vec<(String, BTreeSet<String>)>,
}

impl Definitions {
    fn read(manifests: &Manifests, namespaces: &Namespaces<'_>, default_namespace: &str) -> Self {
        let mut keys = BTreeMap::new();
        let own = |object: &Object<'_>| {
            (object.namespace().unwrap_or(default_namespace).to_owned(), object.name().to_owned())
        };
        for object in networks::of_kind(manifests, networks::OWN) {
            if !is_primary(object, &["spec"]) {
                keys.insert(own(&object), format!("network of {}/{}", own(&object).0, object.name()));
            }
        }
        for object in manifests.by_custom_kind(GROUP, "NetworkAttachmentDefinition") {
            keys.insert(own(&object), format!("configuration {}", network_name(object)));
        }
        let wide = networks::of_kind(manifests, networks::WIDE);
        let wide = wide.filter(|object| !is_primary(*object, &["spec", "network"])).map(|object| {
            let selector = object.spec().field("namespaceSelector").map(LabelSelector::read);
            let fits = |name: &&str| selector.as_ref().is_none_or(|s| s.matches(&namespaces.labels(name)));
            let selected = namespaces.names().filter(fits).map(str::to_owned).collect();
            (object.name().to_owned(), selected)
        });
        Self { keys, wide: wide.collect() }
    }

    fn key(&self, reference: &Reference) -> Option<Key> {
        let wide = || {
            let found =
                self.wide.iter().find(|(name, selected)| *name == reference.1 && selected.contains(&reference.0));
            found.map(|(name, _)| format!("network of the cluster {name}"))
        };
        self.keys.get(reference).cloned().or_else(wide)
    }
}

/// The name of the network that a definition configures; that of the definition, if its configuration gives none.
fn network_name(object: Object<'_>) -> String {
    let config = object.spec().text("config").filter(|text| text.trim_start().starts_with('{'));
    let name = config.and_then(|text| of_json(text, |root| root.text("name").map(str::to_owned)).flatten());
    name.filter(|_| config.is_some()).unwrap_or_else(|| object.name().to_owned())
}
