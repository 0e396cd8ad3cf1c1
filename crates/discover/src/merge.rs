//! From claims to the model.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use kubestride_model::{
    Access, BoundaryId, BoundaryKind, Builder, Confidence, ContainerId, ControlId, ElementId, ElementKind, Evidence,
    FlowDraft, FlowId, FlowKind, Model, NameId, Origin, StencilId, SubjectRef, Value,
};

use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};

use crate::claims::{Claims, FlowClaim, Learned, Note, Party, Raw, Subject};
use crate::kafka_listeners;
use crate::mesh_flows;
use crate::verdict::{of_exposure, verdict};
use crate::world::World;

/// Builds the model: boundaries, workloads with their containers, then what flows, controls and names bring.
pub(crate) fn merge(world: &World<'_>, claims: Claims, observing: bool) -> Model {
    let mut merger = Merger::new(world);
    merger.observing = observing;
    merger.workloads();
    for claim in &claims.stores {
        let id = merger.party(&Party::Store(claim.store.clone()), &claim.note);
        let evidence = merger.evidence(&claim.note);
        merger.builder.explain_element(id, evidence);
    }
    merger.flows(claims.flows);
    for claim in claims.controls {
        let evidence = merger.evidence(&claim.note);
        let boundary = merger.boundary_of_namespace(claim.namespace.as_deref());
        let workloads = claim.workloads.iter().filter_map(|w| merger.workloads.get(*w).copied()).collect();
        let id = merger.builder.control(&claim.identity, &claim.name, claim.stencil, boundary, workloads, evidence);
        merger.controls.insert(claim.identity, id);
    }
    for claim in claims.names {
        let evidence = merger.evidence(&claim.note);
        let boundary = merger.boundary_of_namespace(Some(&claim.namespace));
        let workloads = claim.workloads.iter().filter_map(|w| merger.workloads.get(*w).copied()).collect();
        let id = merger.builder.name(&claim.identity, &claim.name, stencil::SERVICE, boundary, workloads, evidence);
        merger.names.insert(claim.identity, id);
    }
    let subjects: Vec<Option<SubjectRef>> = claims.subjects.iter().map(|subject| merger.subject(subject)).collect();
    let mut seen: HashSet<(SubjectRef, kubestride_model::AttributeId)> =
        HashSet::with_capacity(claims.attributes.len());
    for claim in claims.attributes {
        let Some(subject) = subjects.get(claim.subject as usize).copied().flatten() else { continue };
        let value = match claim.value {
            Raw::Value(value) => value,
            Raw::Text(text) => Value::Text(merger.builder.intern(&text)),
            Raw::Same => {
                let evidence = merger.evidence(&claim.note);
                merger.builder.also(subject, claim.attribute, evidence);
                continue;
            }
        };
        if seen.insert((subject, claim.attribute)) {
            let evidence = merger.evidence(&claim.note);
            merger.builder.set(subject, claim.attribute, value, evidence);
        }
    }
    merger.builder.finish()
}

struct Merger<'w, 'a> {
    world: &'w World<'a>,
    builder: Builder,
    internet: BoundaryId,
    cluster: BoundaryId,
    control_plane: BoundaryId,
    node: BoundaryId,
    namespaces: BTreeMap<String, BoundaryId>,
    workloads: Vec<ElementId>,
    /// The containers of each workload by name.
    containers: Vec<Vec<(String, ContainerId)>>,
    controls: BTreeMap<String, ControlId>,
    names: BTreeMap<String, NameId>,
    /// Whether recorded traffic is part of the input.
    observing: bool,
}

/// The Kubernetes stencil of a workload kind.
fn workload_stencil(kind: &str) -> StencilId {
    match kind {
        "Deployment" => stencil::DEPLOYMENT,
        "StatefulSet" => stencil::STATEFUL_SET,
        "DaemonSet" => stencil::DAEMON_SET,
        "ReplicaSet" => stencil::REPLICA_SET,
        "ReplicationController" => stencil::REPLICATION_CONTROLLER,
        "Job" => stencil::JOB,
        "CronJob" => stencil::CRON_JOB,
        "Pod" => stencil::POD,
        _ => stencil::WORKLOAD,
    }
}

impl<'w, 'a> Merger<'w, 'a> {
    fn new(world: &'w World<'a>) -> Self {
        let mut builder = Builder::new(kubestride_stencils::vocabulary());
        let default = builder.evidence(Origin::Default, None, "every cluster has it");
        let outside = builder.evidence(Origin::Default, None, "what lies outside the cluster");
        let mut add = |identity: &str, name: &str, kind, stencil, parent, evidence| {
            builder.boundary(identity, name, kind, stencil, parent, evidence)
        };
        let internet = add("internet", "Internet", BoundaryKind::Internet, stencil::INTERNET_BOUNDARY, None, outside);
        let cluster = add("cluster", "Cluster", BoundaryKind::Cluster, stencil::CLUSTER_BOUNDARY, None, default);
        let control_plane = add(
            "control-plane",
            "Control plane",
            BoundaryKind::ControlPlane,
            stencil::CONTROL_PLANE_BOUNDARY,
            Some(cluster),
            default,
        );
        let node = add("node", "Node", BoundaryKind::Node, stencil::NODE_BOUNDARY, Some(cluster), default);
        let (namespaces, containers) = (BTreeMap::new(), Vec::new());
        let (controls, names) = (BTreeMap::new(), BTreeMap::new());
        let workloads = Vec::new();
        Self {
            world,
            builder,
            internet,
            cluster,
            control_plane,
            node,
            namespaces,
            workloads,
            containers,
            controls,
            names,
            observing: false,
        }
    }

    fn evidence(&mut self, note: &Note) -> Evidence {
        self.builder.evidence(note.origin, note.span, &note.text)
    }

    fn namespace(&mut self, name: &str) -> BoundaryId {
        if let Some(id) = self.namespaces.get(name) {
            return *id;
        }
        let note = match self.world.namespaces.get(name) {
            Some(object) => Note::stated(object.span(), ""),
            None => {
                let inside = self.world.pods.in_namespace(name).first().and_then(|at| self.world.workloads.get(*at));
                Note { origin: Origin::Merged, span: inside.map(|w| w.span()), text: "objects are in it".to_owned() }
            }
        };
        let evidence = self.evidence(&note);
        let (identity, kind) = (format!("Namespace/{name}"), BoundaryKind::Namespace);
        let parent = Some(self.cluster);
        let id = self.builder.boundary(&identity, name, kind, stencil::NAMESPACE_BOUNDARY, parent, evidence);
        self.namespaces.insert(name.to_owned(), id);
        id
    }

    fn boundary_of_namespace(&mut self, namespace: Option<&str>) -> BoundaryId {
        match namespace {
            Some(name) => self.namespace(name),
            None => self.cluster,
        }
    }

    fn workloads(&mut self) {
        for name in self.world.all_namespaces() {
            self.namespace(&name);
        }
        let world = self.world;
        for workload in &world.workloads {
            let namespace = self.namespace(&workload.namespace);
            let evidence = self.evidence(&Note::stated(workload.span(), ""));
            let name = kubestride_manifest::stable_name(workload.object().kind(), workload.object().name()).to_owned();
            let boundary = self.builder.boundary(
                &format!("workload/{}", workload.identity),
                &name,
                BoundaryKind::Workload,
                stencil::WORKLOAD_BOUNDARY,
                Some(namespace),
                evidence,
            );
            let stencil = workload_stencil(workload.object().kind());
            let id = self.builder.element(&workload.identity, &name, ElementKind::Process, stencil, boundary, evidence);
            self.workloads.push(id);
            let mut containers = Vec::with_capacity(workload.containers.len());
            for container in &workload.containers {
                let stencil = match container.role() {
                    kubestride_manifest::ContainerRole::Init => stencil::INIT_CONTAINER,
                    kubestride_manifest::ContainerRole::Sidecar => stencil::SIDECAR_CONTAINER,
                    kubestride_manifest::ContainerRole::Main => stencil::CONTAINER,
                };
                let evidence = self.evidence(&Note::stated(container.span(), ""));
                let id = self.builder.container(id, container.name(), stencil, evidence);
                containers.push((container.name().to_owned(), id));
            }
            self.containers.push(containers);
        }
    }

    /// The element of a party, added where it is not there yet.
    fn party(&mut self, party: &Party, note: &Note) -> ElementId {
        if let Party::Workload(index) = party
            && let Some(id) = self.workloads.get(*index)
        {
            return *id;
        }
        let (identity, name, kind, stencil, boundary) = match party {
            Party::Workload(index) => {
                let name = format!("workload {index}");
                (name.clone(), name, ElementKind::Process, stencil::WORKLOAD, self.cluster)
            }
            Party::UnresolvedService { namespace, name } => {
                let boundary = self.namespace(namespace);
                let identity = format!("Service/{namespace}/{name}");
                (identity, name.clone(), ElementKind::Process, stencil::UNRESOLVED_SERVICE, boundary)
            }
            Party::Internet => {
                let name = "Internet".to_owned();
                ("external/internet".to_owned(), name, ElementKind::External, stencil::INTERNET, self.internet)
            }
            Party::Host(host) => {
                let identity = format!("external/{host}");
                (identity, host.clone(), ElementKind::External, stencil::EXTERNAL_HOST, self.internet)
            }
            Party::Registry(host) => {
                let identity = format!("registry/{host}");
                (identity, host.clone(), ElementKind::External, stencil::REGISTRY, self.internet)
            }
            Party::ApiServer => {
                let name = "API server".to_owned();
                ("apiserver".to_owned(), name, ElementKind::Process, stencil::API_SERVER, self.control_plane)
            }
            Party::ClusterDns => {
                let name = "Cluster DNS".to_owned();
                ("dns".to_owned(), name, ElementKind::Process, stencil::CLUSTER_DNS, self.control_plane)
            }
            Party::Kubelet => {
                ("kubelet".to_owned(), "kubelet".to_owned(), ElementKind::Process, stencil::KUBELET, self.node)
            }
            Party::Metadata => {
                let name = "Cloud metadata service".to_owned();
                let identity = "external/169.254.169.254".to_owned();
                (identity, name, ElementKind::External, stencil::METADATA_SERVICE, self.node)
            }
            Party::ApiUser { identity, name, group } => {
                let stencil = if *group { stencil::API_GROUP } else { stencil::API_USER };
                (identity.clone(), name.clone(), ElementKind::External, stencil, self.internet)
            }
            Party::Store(store) => {
                let boundary = match (&store.namespace, store.stencil) {
                    (Some(namespace), _) => self.namespace(namespace),
                    (None, stencil::HOST_PATH) => self.node,
                    (None, _) => self.internet,
                };
                (store.identity.clone(), store.name.clone(), ElementKind::Store, store.stencil, boundary)
            }
        };
        if let Some(id) = self.builder.find_element(&identity) {
            return id;
        }
        let evidence = self.evidence(note);
        self.builder.element(&identity, &name, kind, stencil, boundary, evidence)
    }

    fn flows(&mut self, claims: Vec<FlowClaim>) {
        for claims in group(claims) {
            self.flow(claims);
        }
    }

    /// One flow from all claims about it, the surest first.
    fn flow(&mut self, claims: Vec<FlowClaim>) {
        let Some(first) = claims.first() else { return };
        let source = self.party(&first.source, &first.note);
        let target = self.party(&first.target, &first.note);
        if source == target {
            return;
        }
        let learned = learned(self.world, first, &claims);
        let network = matches!(first.kind, FlowKind::Traffic | FlowKind::Exposure);
        let protocol = claims.iter().find_map(|c| c.protocol.clone().filter(|p| p != "TCP"));
        let protocol = protocol.unwrap_or_else(|| if network { "TCP" } else { "-" }.to_owned());
        let access = claims.iter().filter_map(|c| c.access).max_by_key(|a| *a == Access::ReadWrite);
        let restricted = (attr::SOURCE_RESTRICTED.id, attr::SOURCE_RESTRICTED.value(YesNo::Yes));
        let limited = claims.iter().flat_map(|c| &c.attributes).any(|(id, value, _)| (*id, *value) == restricted);
        let denied = learned.iter().any(|(attribute, ..)| *attribute == attr::POLICY_DENIED.id);
        let most = match first.target {
            // What is behind it is not in the input, so nobody can tell what is let in.
            Party::UnresolvedService { .. } if first.kind == FlowKind::Exposure => Confidence::Possible,
            // Who may come in from outside is some addresses only, or nobody: that anybody can is not certain.
            _ if limited || (denied && first.kind == FlowKind::Exposure) => Confidence::Likely,
            _ => Confidence::Certain,
        };
        let draft = FlowDraft {
            identity: None,
            source,
            target,
            kind: first.kind,
            stencil: flow_stencil(first.kind),
            access,
            port: claims.iter().find_map(|c| c.port),
            protocol: &protocol,
            via: claims.iter().find_map(|c| c.via.as_deref()),
            confidence: claims.iter().map(|c| c.confidence).max().unwrap_or(first.confidence).min(most),
            implicit: claims.iter().all(|c| c.implicit),
        };
        let mut id = FlowId(0);
        for claim in &claims {
            let evidence = self.evidence(&claim.note);
            id = self.builder.flow(draft, evidence);
        }
        let subject = SubjectRef::Flow(id);
        self.claimed(subject, &claims);
        if self.observing && first.kind == FlowKind::Traffic && !draft.implicit {
            self.observed(subject, &claims);
        }
        self.set_learned(subject, learned);
        if let (Some(port), true) = (draft.port, network) {
            let evidence = self.evidence(&first.note);
            self.builder.set(subject, attr::PORT.id, Value::Number(i64::from(port)), evidence);
        }
        if first.kind == FlowKind::Exposure
            && !denied
            && (draft.confidence == Confidence::Certain || limited)
            && matches!(first.target, Party::Workload(_))
        {
            let evidence = self.evidence(&first.note);
            let target = SubjectRef::Element(target);
            self.builder.set(target, attr::EXPOSED.id, attr::EXPOSED.value(YesNo::Yes), evidence);
        }
    }

    /// The attributes that claims about a flow came with; of several the first one holds.
    fn claimed(&mut self, subject: SubjectRef, claims: &[FlowClaim]) {
        let mut set = BTreeSet::new();
        for (attribute, value, note) in claims.iter().flat_map(|c| &c.attributes) {
            let evidence = self.evidence(note);
            if set.insert(*attribute) {
                self.builder.set(subject, *attribute, *value, evidence);
            } else if self.builder.get(subject, *attribute) == Some(*value) {
                self.builder.also(subject, *attribute, evidence);
            } else if *attribute == attr::ENCRYPTION.id && *value == attr::ENCRYPTION.value(Encryption::Plain) {
                // One way in that can be read is enough.
                self.builder.set(subject, *attribute, *value, evidence);
            }
        }
    }

    /// What recorded traffic says of a flow.
    fn observed(&mut self, subject: SubjectRef, claims: &[FlowClaim]) {
        let seen = claims.iter().find(|c| c.note.origin == Origin::Observed);
        let declared = claims.iter().any(|c| c.note.origin != Origin::Observed);
        let (value, note) = match seen {
            Some(claim) if declared => (Observed::Confirmed, claim.note.clone()),
            Some(claim) => (Observed::OnlySeen, claim.note.clone()),
            None => (Observed::NeverSeen, Note::absent(None, "the recorded traffic does not hold it")),
        };
        let evidence = self.evidence(&note);
        self.builder.set(subject, attr::OBSERVED.id, attr::OBSERVED.value(value), evidence);
    }

    /// Sets what policies and listeners say of a flow.
    fn set_learned(&mut self, subject: SubjectRef, learned: Vec<Learned>) {
        let encrypted = Some(attr::ENCRYPTION.value(Encryption::Encrypted));
        for (attribute, value, notes) in learned {
            // What the ends encrypt themselves, a mesh only encrypts once more.
            if attribute == attr::ENCRYPTION.id && self.builder.get(subject, attribute) == encrypted {
                continue;
            }
            for (at, note) in notes.iter().enumerate() {
                let evidence = self.evidence(note);
                match at {
                    0 => self.builder.set(subject, attribute, value, evidence),
                    _ => self.builder.also(subject, attribute, evidence),
                }
            }
        }
    }

    fn subject(&mut self, subject: &Subject) -> Option<SubjectRef> {
        Some(match subject {
            Subject::Party(Party::Workload(index)) => SubjectRef::Element(*self.workloads.get(*index)?),
            Subject::Party(Party::Store(store)) => SubjectRef::Element(self.builder.find_element(&store.identity)?),
            Subject::Party(party) => {
                let note = Note::absent(None, "");
                SubjectRef::Element(self.party(party, &note))
            }
            Subject::Container(workload, name) => {
                let containers = self.containers.get(*workload)?;
                SubjectRef::Container(containers.iter().rev().find(|(own, _)| own == name)?.1)
            }
            Subject::Namespace(name) => SubjectRef::Boundary(self.namespace(name)),
            Subject::Cluster => SubjectRef::Boundary(self.cluster),
            Subject::Control(identity) => SubjectRef::Control(*self.controls.get(identity)?),
            Subject::Name(identity) => SubjectRef::Name(*self.names.get(identity)?),
        })
    }
}

/// The transport under a protocol.
fn transport(protocol: &str) -> &'static str {
    match protocol {
        "UDP" => "UDP",
        "SCTP" => "SCTP",
        _ => "TCP",
    }
}

/// The transports that a call may have by its protocols; TCP and UDP if they do not tell.
fn transports<'p>(protocols: impl Iterator<Item = &'p str>) -> BTreeSet<&'static str> {
    const OVER_TCP: [&str; 23] = [
        "TCP",
        "TLS",
        "HTTP",
        "HTTPS",
        "gRPC",
        "PostgreSQL",
        "MySQL",
        "MongoDB",
        "Redis",
        "AMQP",
        "AMQPS",
        "Kafka",
        "NATS",
        "TDS",
        "ZooKeeper",
        "CQL",
        "Bolt",
        "SMTP",
        "SMTPS",
        "LDAP",
        "LDAPS",
        "OpenWire",
        "MQTT",
    ];
    let known: BTreeSet<&str> = protocols
        .filter_map(|protocol| match protocol {
            "UDP" => Some("UDP"),
            "SCTP" => Some("SCTP"),
            other => OVER_TCP.contains(&other).then_some("TCP"),
        })
        .collect();
    if known.is_empty() { BTreeSet::from(["TCP", "UDP"]) } else { known }
}

/// What policies and listeners say of the flow that claims are about.
fn learned(world: &World<'_>, first: &FlowClaim, claims: &[FlowClaim]) -> Vec<Learned> {
    let target_port = claims.iter().find_map(|c| c.target_port.or(c.port));
    let (source, target) = (&first.source, &first.target);
    match first.kind {
        FlowKind::Traffic => {
            let port = claims.iter().find_map(|c| c.port);
            let via = claims.iter().find_map(|c| c.via.as_deref());
            let transports = transports(claims.iter().filter_map(|c| c.protocol.as_deref()));
            let mut all = verdict(world, source, target, &transports, target_port);
            all.extend(kafka_listeners::learned(world, target, target_port));
            all.extend(mesh_flows::learned(world, source, target, port, target_port, via));
            all
        }
        FlowKind::Exposure => {
            let stated: BTreeSet<&str> = claims.iter().filter_map(|c| c.protocol.as_deref()).map(transport).collect();
            let transports = if stated.is_empty() { BTreeSet::from(["TCP"]) } else { stated };
            let mut attributes = claims.iter().flat_map(|c| &c.attributes);
            let entry = attributes.find(|(id, ..)| *id == attr::ENTRY.id).map(|(_, value, _)| *value);
            of_exposure(world, target, entry, &transports, target_port)
        }
        _ => Vec::new(),
    }
}

/// The stencil of flows of a kind.
fn flow_stencil(kind: FlowKind) -> StencilId {
    match kind {
        FlowKind::Traffic => stencil::TRAFFIC,
        FlowKind::Exposure => stencil::EXPOSURE,
        FlowKind::Store => stencil::STORE_ACCESS,
        FlowKind::Api => stencil::API_CALLS,
        FlowKind::Supply => stencil::SUPPLY,
        FlowKind::Dns => stencil::DNS,
        FlowKind::Probe => stencil::PROBE,
    }
}

/// Claims about one connection, together: the same ends, kind and port of the target. A claim without a port belongs to
/// the connections between its ends that have one. Exposure is told apart by the way in, too, for each way in is
/// protected in its own way.
fn group(claims: Vec<FlowClaim>) -> Vec<Vec<FlowClaim>> {
    fn ends(claim: &FlowClaim) -> (&Party, &Party, FlowKind) {
        (&claim.source, &claim.target, claim.kind)
    }
    fn way(claim: &FlowClaim) -> (Option<u16>, Option<&str>) {
        match claim.kind {
            FlowKind::Traffic => (claim.target_port.or(claim.port), None),
            FlowKind::Exposure => (claim.port, claim.via.as_deref()),
            _ => (claim.port, None),
        }
    }
    let mut order: Vec<usize> = (0..claims.len()).collect();
    let by = |a: &FlowClaim, b: &FlowClaim| ends(a).cmp(&ends(b)).then_with(|| way(a).cmp(&way(b)));
    order.sort_by(|a, b| claims.get(*a).zip(claims.get(*b)).map_or(Ordering::Equal, |(a, b)| by(a, b)));
    let mut slots: Vec<Option<FlowClaim>> = claims.into_iter().map(Some).collect();
    let mut out: Vec<Vec<FlowClaim>> = Vec::new();
    // Those without a port come first among those between the same ends, and wait for the first that has one.
    let mut portless: Vec<FlowClaim> = Vec::new();
    for claim in order.into_iter().filter_map(|at| slots.get_mut(at)?.take()) {
        if portless.first().is_some_and(|waiting| ends(waiting) != ends(&claim)) {
            out.push(std::mem::take(&mut portless));
        }
        if claim.kind == FlowKind::Traffic && way(&claim).0.is_none() {
            portless.push(claim);
            continue;
        }
        let open =
            out.last_mut().filter(|group| portless.is_empty() && group.first().is_some_and(|f| by(f, &claim).is_eq()));
        match open {
            Some(group) => group.push(claim),
            None => {
                let mut group = vec![claim];
                group.append(&mut portless);
                out.push(group);
            }
        }
    }
    out.extend((!portless.is_empty()).then_some(portless));
    for group in &mut out {
        group.sort_by_key(|c| (std::cmp::Reverse(c.confidence), way(c).0.is_none()));
    }
    out
}
