//! Primary networks of OVN-Kubernetes: pods of different ones do not see each other.
//!
//! Source: <https://ovn-kubernetes.io/features/user-defined-networks/user-defined-networks/>.

use kubestride_manifest::{Field, LabelSelector, Labels, Manifests, Object};

const GROUP: &str = "k8s.ovn.org";

/// Without this label, set when it is made, a namespace stays in the network of the cluster.
const LABEL: &str = "k8s.ovn.org/primary-user-defined-network";

/// A network for one namespace, and one for several.
pub(super) const OWN: &str = "UserDefinedNetwork";
pub(super) const WIDE: &str = "ClusterUserDefinedNetwork";

/// The objects of a kind, of other groups too: what else should be meant by it?
pub(super) fn of_kind<'a>(manifests: &'a Manifests, kind: &'a str) -> impl Iterator<Item = Object<'a>> {
    manifests.by_kind_of_any_group(kind)
}

/// A network that is the primary one of the pods of some namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The name of its object.
    pub name: String,
    /// The one namespace that it is for; none for those of the cluster.
    pub namespace: Option<String>,
    selector: LabelSelector,
}

/// All primary networks beside that of the cluster.
#[derive(Debug, Default)]
pub(super) struct Networks(Vec<Network>);

impl Networks {
    /// Reads them.
    pub(super) fn read(manifests: &Manifests, default_namespace: &str) -> Self {
        let own = of_kind(manifests, OWN).filter(|o| is_primary(*o, &["spec"]));
        let own = own.map(|object| Network {
            name: object.name().to_owned(),
            namespace: Some(object.namespace().unwrap_or(default_namespace).to_owned()),
            selector: LabelSelector::everything(),
        });
        let wide = of_kind(manifests, WIDE);
        let wide = wide.filter(|o| is_primary(*o, &["spec", "network"])).map(|object| Network {
            name: object.name().to_owned(),
            namespace: None,
            selector: object
                .spec()
                .field("namespaceSelector")
                .map_or_else(LabelSelector::everything, LabelSelector::read),
        });
        // Of several for one namespace the first by name is meant, whatever their order in the input.
        let mut all: Vec<Network> = own.chain(wide).collect();
        all.sort_by(|a, b| {
            (a.namespace.is_none(), &a.namespace, &a.name).cmp(&(b.namespace.is_none(), &b.namespace, &b.name))
        });
        Self(all)
    }

    /// Whether the pods of a namespace have a network of their own that is not part of the input.
    pub(super) fn is_missing(&self, namespace: &str, labels: &Labels<'_>) -> bool {
        labels.get(LABEL).is_some() && self.of(namespace, labels).is_none()
    }

    /// The network of a namespace's pods; none if it is that of the cluster.
    pub(super) fn of(&self, namespace: &str, labels: &Labels<'_>) -> Option<&Network> {
        labels.get(LABEL)?;
        self.0.iter().find(|network| match &network.namespace {
            Some(own) => own == namespace,
            None => network.selector.matches(labels),
        })
    }
}

/// Objects of these kinds in other groups than that of OVN-Kubernetes.
pub(super) fn of_other_groups(manifests: &Manifests) -> impl Iterator<Item = Object<'_>> {
    [OWN, WIDE].into_iter().flat_map(|kind| of_kind(manifests, kind)).filter(|object| object.group() != GROUP)
}

/// Whether a network is the one that pods use for everything.
pub(super) fn is_primary(object: Object<'_>, path: &[&str]) -> bool {
    let spec = object.root().path(path);
    ["layer2", "layer3"].iter().any(|layer| spec.field(layer).text("role") == Some("Primary"))
}
