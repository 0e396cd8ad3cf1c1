//! Whether the traffic of a pod goes through a proxy of the mesh.
//!
//! Sources: <https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/>,
//! <https://istio.io/latest/docs/reference/config/annotations/>.

use crate::meshed::{MeshPod, port_in};
use crate::{Match, Pod};

/// What takes a pod's traffic into the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dataplane {
    /// A proxy in the pod.
    Sidecar,
    /// The ztunnel of its node.
    Ambient,
    /// Nothing: labels say so, or it is in the network of its node.
    Outside,
    /// Nothing says.
    Unknown,
}

/// "Automatic sidecar injection will be ignored for pods in these namespaces."
const IGNORED: [&str; 2] = ["kube-system", "kube-public"];

impl Dataplane {
    /// What labels, annotations and containers of a pod and its namespace say.
    pub fn of(mesh_pod: &MeshPod<'_>) -> Self {
        let pod = &mesh_pod.pod;
        let mode = pod.labels.get("istio.io/dataplane-mode").or(pod.namespace_labels.get("istio.io/dataplane-mode"));
        match (injected(mesh_pod), mode) {
            (Some(true), _) => Dataplane::Sidecar,
            // "Automatic sidecar injection will be ignored for pods that are on the host network."
            _ if pod.host_network => Dataplane::Outside,
            (_, Some("ambient")) => Dataplane::Ambient,
            (Some(false), _) => Dataplane::Outside,
            (None, _) => Dataplane::Unknown,
        }
    }

    /// Whether it is part of the mesh.
    pub fn membership(self) -> Match {
        match self {
            Dataplane::Sidecar | Dataplane::Ambient => Match::Yes,
            Dataplane::Outside => Match::No,
            Dataplane::Unknown => Match::Unknown,
        }
    }

    /// Whether the namespace of a pod says that its pods are part of the mesh.
    pub fn is_wanted_by_namespace(pod: &Pod<'_>) -> bool {
        let label = |key| pod.namespace_labels.get(key);
        label("istio-injection") == Some("enabled")
            || label("istio.io/dataplane-mode") == Some("ambient")
            || (label("istio.io/rev").is_some() && label("istio-injection") != Some("disabled"))
    }
}

/// Whether a pod gets a sidecar, if something says so: "If either label (`istio-injection` or `sidecar.istio.io/inject`) is
/// disabled, the pod is not injected. If either label (`istio-injection` or `sidecar.istio.io/inject` or `istio.io/rev`) is
/// enabled, the pod is injected."
fn injected(mesh_pod: &MeshPod<'_>) -> Option<bool> {
    let pod = &mesh_pod.pod;
    if mesh_pod.containers.contains(&"istio-proxy") {
        return Some(true);
    }
    if pod.host_network || IGNORED.contains(&pod.namespace) {
        return Some(false);
    }
    let key = "sidecar.istio.io/inject";
    let (label, annotation) = (pod.labels.get(key), mesh_pod.annotations.get(key));
    let of_namespace = pod.namespace_labels.get("istio-injection");
    let revision = pod.labels.get("istio.io/rev").or(pod.namespace_labels.get("istio.io/rev"));
    match (label, of_namespace) {
        (Some("false"), _) | (_, Some("disabled")) => Some(false),
        // The injector asks for the label, and is itself asked because of labels only: the annotation, which is older, can
        // keep a sidecar away but not bring one.
        (None, _) if annotation == Some("false") => Some(false),
        (Some("true"), _) | (_, Some("enabled")) => Some(true),
        _ => revision.map(|_| true),
    }
}

const BYPASS: &str = "ambient.istio.io/bypass-inbound-capture";

/// Whether what comes in on a port of a pod goes around the proxy that serves it.
pub(super) fn inbound_around(pod: &MeshPod<'_>, plane: Dataplane, port: Option<u16>) -> Match {
    if plane == Dataplane::Ambient {
        // "When specified on a Pod enrolled in ambient mesh, only outbound traffic will be captured."
        return Match::from(pod.annotations.get(BYPASS) == Some("true"));
    }
    let annotation = |name: &str| pod.annotations.get(&format!("traffic.sidecar.istio.io/{name}"));
    match annotation("includeInboundPorts") {
        // "An empty list will disable all inbound redirection."
        Some(list) if !list.contains('*') => port_in(list, port).negated(),
        // "Only applies when all inbound traffic (i.e. '*') is being redirected."
        _ => annotation("excludeInboundPorts").map_or(Match::No, |list| port_in(list, port)),
    }
}

/// The annotation of a pod that says what comes in without passing the proxy that serves it.
pub fn inbound_annotation(pod: &MeshPod<'_>) -> Option<&'static str> {
    const ANNOTATIONS: [&str; 3] =
        ["traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/excludeInboundPorts", BYPASS];
    ANNOTATIONS.into_iter().find(|key| match pod.annotations.get(key) {
        // With a star it says nothing: what is excluded does.
        Some(list) => !list.contains('*'),
        None => false,
    })
}

/// Whether what a pod sends to a port goes around its sidecar.
pub(super) fn outbound_around(pod: &MeshPod<'_>, dialled: Option<u16>) -> Match {
    let annotation = |name: &str| pod.annotations.get(&format!("traffic.sidecar.istio.io/{name}"));
    let ports = annotation("excludeOutboundPorts").map_or(Match::No, |list| port_in(list, dialled));
    let included = annotation("includeOutboundIPRanges").map(str::trim).filter(|list| *list != "*");
    // "Ports for which traffic is to be redirected to Envoy, regardless of the destination IP."
    let regardless = annotation("includeOutboundPorts").map_or(Match::No, |list| port_in(list, dialled));
    let addresses = match (included, annotation("excludeOutboundIPRanges")) {
        // "An empty list will disable all outbound redirection."
        (Some(""), _) => Match::Yes,
        // Which address a Service has, manifests do not tell.
        (Some(_), _) => Match::Unknown,
        (None, Some(list)) if !list.trim().is_empty() => Match::Unknown,
        _ => Match::No,
    };
    ports.max(addresses.min(regardless.negated()))
}

/// The annotation of a pod by which some of its traffic goes around the proxy that serves it.
pub fn goes_around(pod: &MeshPod<'_>) -> Option<&'static str> {
    const ANNOTATIONS: [&str; 6] = [
        "traffic.sidecar.istio.io/excludeInboundPorts",
        "traffic.sidecar.istio.io/excludeOutboundPorts",
        "traffic.sidecar.istio.io/excludeOutboundIPRanges",
        "traffic.sidecar.istio.io/includeInboundPorts",
        "traffic.sidecar.istio.io/includeOutboundIPRanges",
        "traffic.sidecar.istio.io/excludeInterfaces",
    ];
    let excludes = |key: &&&str| match pod.annotations.get(key) {
        None => false,
        Some(value) if key.contains("/include") => !value.contains('*'),
        Some(value) => !value.is_empty(),
    };
    match Dataplane::of(pod) {
        Dataplane::Sidecar => ANNOTATIONS.iter().find(excludes).copied(),
        Dataplane::Ambient if inbound_around(pod, Dataplane::Ambient, None) == Match::Yes => Some(BYPASS),
        _ => None,
    }
}
