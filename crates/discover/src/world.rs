//! What there is, indexed once: workloads, Services, namespaces, configuration. Signals only read it.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{
    Container, ContainerRole, Labels, Manifests, Object, PodSpec, PortRef, Service, ServiceType, Workload,
};
use kubestride_policy::admission::AdmissionPolicies;
use kubestride_policy::linkerd::Linkerd;
use kubestride_policy::mesh::Mesh;
use kubestride_policy::network::NetworkPolicies;
use kubestride_policy::rbac::Rbac;
use kubestride_policy::runtime::RuntimePolicies;
use kubestride_policy::{Namespaces, Pod, PodPort};
use kubestride_source::Span;
use kubestride_stencils::values::TechnologyClass;

use crate::by_name::ByName;
use crate::directory::Directories;
use crate::endpoints::{Endpoints, Place, Ports};
use crate::enforcement::Enforcement;
use crate::mesh_hosts::MeshHosts;
use crate::mesh_pods::MeshPods;
use crate::mesh_routes::MeshRoutes;
use crate::operated::{self, OperatedKind};
use crate::pod_index::PodIndex;
use crate::public_names::PublicNames;
use crate::technology::{self, Technology};
use crate::tls_origination::TlsOrigination;
use crate::{Options, Scope};

/// A workload with what signals ask of it.
pub(crate) struct WorkloadInfo<'a> {
    pub(crate) workload: Workload<'a>,
    pub(crate) identity: String,
    pub(crate) namespace: String,
    pub(crate) labels: Labels<'a>,
    pub(crate) containers: Vec<Container<'a>>,
    /// Labels of its namespace.
    pub(crate) namespace_labels: Labels<'a>,
    /// Whether its pods are in the network of their node.
    host_network: bool,
    named_ports: Vec<PodPort<'a>>,
    service_account: String,
    /// The kind of the resource from which an operator makes the pods, if that is how they come about.
    pub(crate) operated: Option<&'static OperatedKind>,
    /// The technology of the first container of which it is known, and that container's position.
    pub(crate) technology: Option<(&'static Technology, usize)>,
}

impl<'a> WorkloadInfo<'a> {
    pub(crate) fn pod(&self) -> PodSpec<'a> {
        self.workload.template.spec()
    }

    pub(crate) fn object(&self) -> Object<'a> {
        self.workload.object
    }

    /// Its pods as policies see them.
    pub(crate) fn policy_pod(&self) -> Pod<'_> {
        Pod {
            namespace: &self.namespace,
            labels: &self.labels,
            namespace_labels: &self.namespace_labels,
            ports: &self.named_ports,
            service_account: &self.service_account,
            host_network: self.host_network,
        }
    }

    /// Where the workload is named.
    pub(crate) fn span(&self) -> Span {
        self.workload.object.span()
    }

    /// The number of a port that is given by name.
    pub(crate) fn named_port(&self, name: &str) -> Option<u16> {
        self.named_ports.iter().find(|p| p.name == name).map(|p| p.number)
    }

    /// The name of its service account.
    pub(crate) fn service_account(&self) -> &str {
        &self.service_account
    }
}

/// A Service and the workloads behind it.
pub(crate) struct ServiceInfo<'a> {
    pub(crate) service: Service<'a>,
    pub(crate) identity: String,
    pub(crate) namespace: String,
    pub(crate) name: &'a str,
    pub(crate) workloads: Vec<usize>,
    /// Addresses that are written down for a Service without a selector; without those of pods of the input.
    pub(crate) addresses: Vec<WrittenAddress>,
    /// Ports that are written down for pods of the input, for a Service without a selector.
    written_ports: BTreeMap<usize, Ports>,
}

/// An address that somebody wrote down for a Service.
pub(crate) struct WrittenAddress {
    /// An address or a host name.
    pub(crate) host: String,
    pub(crate) ports: Ports,
}

impl ServiceInfo<'_> {
    /// The container port of a workload behind a port of the Service.
    pub(crate) fn target_port(&self, world: &World<'_>, workload: usize, port: u16) -> Option<u16> {
        let spec = self.service.ports().find(|p| p.number == port)?;
        if let Some(written) = self.written_ports.get(&workload) {
            return self.written_port(written, Some(port));
        }
        match spec.target_port {
            PortRef::Number(number) => Some(number),
            PortRef::Name(name) => world.workloads.get(workload)?.named_port(name),
        }
    }

    /// Whether a port of the Service leads nowhere: its target port is a name that no container of the workload has, so
    /// that no endpoint is made for it. What an operator makes may have ports that are not known.
    pub(crate) fn leads_nowhere(&self, workload: &WorkloadInfo<'_>, port: u16) -> bool {
        let target = self.service.ports().find(|p| p.number == port).map(|p| p.target_port);
        let named = |name: &str| workload.named_port(name).is_some();
        matches!(target, Some(PortRef::Name(name)) if workload.operated.is_none() && !named(name))
    }

    /// The port of a written address behind a port of the Service: the one with the same name.
    pub(crate) fn written_port(&self, written: &Ports, port: Option<u16>) -> Option<u16> {
        let spec = self.service.ports().find(|p| Some(p.number) == port);
        let name = spec.and_then(|p| p.name).unwrap_or("");
        written.iter().find(|(own, _)| spec.is_some() && own == name).map(|(_, number)| *number).or(port)
    }

    /// The port of the Service that leads to a container port.
    pub(crate) fn port_for(&self, world: &World<'_>, workload: usize, target: u16) -> Option<u16> {
        self.service.ports().map(|p| p.number).find(|p| self.target_port(world, workload, *p) == Some(target))
    }

    /// The only port, if there is only one.
    pub(crate) fn only_port(&self) -> Option<u16> {
        let mut ports = self.service.ports().map(|p| p.number);
        let first = ports.next()?;
        ports.all(|p| p == first).then_some(first)
    }

    /// Whether its name is claimed outside: a Service of type ExternalName.
    pub(crate) fn is_external_name(&self) -> bool {
        self.service.type_() == ServiceType::ExternalName
    }
}

/// Everything that signals read.
pub(crate) struct World<'a> {
    pub(crate) manifests: &'a Manifests,
    pub(crate) options: &'a Options,
    pub(crate) workloads: Vec<WorkloadInfo<'a>>,
    /// Where to find workloads.
    pub(crate) pods: PodIndex<'a>,
    pub(crate) services: Vec<ServiceInfo<'a>>,
    /// Positions of the Services in front of each workload.
    in_front: Vec<Vec<usize>>,
    service_by_name: ByName<usize>,
    /// The workload and the port of its pods behind a Service that an operator makes.
    made_services: ByName<(usize, u16)>,
    /// Positions of the workloads that hand requests from outside on.
    pub(crate) ingress_controllers: Vec<usize>,
    /// Names that a mesh gives to pods and hosts.
    pub(crate) mesh_hosts: MeshHosts,
    /// Names by which workloads are reached from outside.
    pub(crate) public_names: PublicNames,
    /// Hosts to which proxies speak TLS.
    pub(crate) tls_origination: TlsOrigination,
    /// Namespace objects by name.
    pub(crate) namespaces: BTreeMap<String, Object<'a>>,
    config_maps: ByName<Object<'a>>,
    secrets: ByName<Object<'a>>,
    service_accounts: ByName<Object<'a>>,
    /// Where sidecars send requests for Services.
    pub(crate) mesh_routes: MeshRoutes<'a>,
    /// Lists of addresses that several workloads take whole.
    pub(crate) directories: Directories,
    pub(crate) rbac: Rbac,
    pub(crate) network: NetworkPolicies,
    pub(crate) mesh: Mesh,
    pub(crate) admission: AdmissionPolicies,
    pub(crate) runtime: RuntimePolicies,
    /// Whether network policies have any effect.
    pub(crate) enforcement: Enforcement,
    pub(crate) linkerd: Linkerd,
    /// What meshes see of workloads beside their labels.
    pub(crate) mesh_pods: MeshPods<'a>,
}

impl<'a> World<'a> {
    /// `made` are the labels of [`operated::made_labels`].
    pub(crate) fn new(manifests: &'a Manifests, options: &'a Options, made: &'a BTreeSet<String>) -> Self {
        let default = options.namespace.as_str();
        let by_name = |kind: &'static str| -> ByName<Object<'a>> {
            let key = |o: Object<'a>| {
                let name = kubestride_manifest::stable_name(o.kind(), o.name()).to_owned();
                ((o.effective_namespace(default).unwrap_or_default().to_owned(), name), o)
            };
            manifests.by_kind(kind).map(key).collect()
        };
        let workloads = workloads(manifests, default, made);
        let pods = PodIndex::new(&workloads);
        let services = services(manifests, default, &workloads, &pods);
        let service_by_name =
            services.iter().enumerate().map(|(i, s)| ((s.namespace.clone(), s.name.to_owned()), i)).collect();
        let made_services = made_services(&workloads);
        let mut in_front = vec![Vec::new(); workloads.len()];
        for (at, service) in services.iter().enumerate() {
            for workload in &service.workloads {
                if let Some(list) = in_front.get_mut(*workload) {
                    list.push(at);
                }
            }
        }
        let hands_on =
            |w: &WorkloadInfo<'_>| w.technology.is_some_and(|(t, _)| t.class == TechnologyClass::IngressController);
        let all = workloads.iter().enumerate();
        let ingress_controllers = all.filter(|(_, w)| hands_on(w)).map(|(at, _)| at).collect();
        let mesh_hosts = MeshHosts::read(manifests, default, &workloads, &pods);
        let namespaces: BTreeMap<String, Object<'a>> =
            manifests.by_kind("Namespace").map(|o| (o.name().to_owned(), o)).collect();
        let mesh_pods = MeshPods::new(&workloads, &services, &namespaces);
        let public_names = PublicNames::read(manifests, default, &services);
        let mut world = Self {
            manifests,
            options,
            workloads,
            pods,
            services,
            in_front,
            service_by_name,
            made_services,
            ingress_controllers,
            mesh_hosts,
            public_names,
            tls_origination: TlsOrigination::read(manifests, default),
            namespaces,
            config_maps: by_name("ConfigMap"),
            secrets: by_name("Secret"),
            service_accounts: by_name("ServiceAccount"),
            mesh_routes: MeshRoutes::default(),
            directories: Directories::default(),
            rbac: Rbac::read(manifests, default),
            network: NetworkPolicies::default(),
            mesh: Mesh::read(manifests, default),
            admission: AdmissionPolicies::read(manifests, default),
            runtime: RuntimePolicies::read(manifests, default),
            enforcement: Enforcement::default(),
            linkerd: Linkerd::read(manifests, default),
            mesh_pods,
        };
        world.enforcement = Enforcement::find(&world);
        let circumstances = world.enforcement.circumstances(&world);
        world.network = NetworkPolicies::read_in(manifests, default, &circumstances);
        world.mesh_routes = MeshRoutes::read(&world);
        world.directories = Directories::read(&world);
        world
    }

    /// Whether what is not in the input is taken not to be in the cluster either.
    pub(crate) fn absence_counts(&self) -> bool {
        self.options.scope != Scope::Fragment
    }

    /// The namespace of an object.
    pub(crate) fn namespace_of(&self, object: Object<'a>) -> String {
        object.effective_namespace(&self.options.namespace).unwrap_or_default().to_owned()
    }

    /// The Services in front of a workload.
    pub(crate) fn services_of(&self, workload: usize) -> impl Iterator<Item = &ServiceInfo<'a>> {
        let positions = self.in_front.get(workload).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|at| self.services.get(*at))
    }

    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&ServiceInfo<'a>> {
        let index = self.service_by_name.get(namespace, name)?;
        self.services.get(*index)
    }

    /// The workload and the port of its pods behind a Service that an operator makes and no manifest holds.
    pub(crate) fn made_service(&self, namespace: &str, name: &str) -> Option<(usize, u16)> {
        self.made_services.get(namespace, name).copied()
    }

    /// Whether there is a Service of this name, or an operator makes one.
    pub(crate) fn has_service(&self, namespace: &str, name: &str) -> bool {
        self.service(namespace, name).is_some() || self.made_service(namespace, name).is_some()
    }

    /// A ConfigMap by the name that a pod uses for it.
    pub(crate) fn config_map(&self, namespace: &str, name: &str) -> Option<Object<'a>> {
        let name = kubestride_manifest::stable_name("ConfigMap", name);
        self.config_maps.get(namespace, name).copied()
    }

    /// A Secret by the name that a pod uses for it.
    pub(crate) fn secret(&self, namespace: &str, name: &str) -> Option<Object<'a>> {
        let name = kubestride_manifest::stable_name("Secret", name);
        self.secrets.get(namespace, name).copied()
    }

    pub(crate) fn service_account(&self, namespace: &str, name: &str) -> Option<Object<'a>> {
        self.service_accounts.get(namespace, name).copied()
    }

    /// Whether a namespace of this name is in the input, with or without an object of its own.
    pub(crate) fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name) || !self.pods.in_namespace(name).is_empty()
    }

    /// All namespaces that something of the input is in.
    pub(crate) fn all_namespaces(&self) -> BTreeSet<String> {
        let of_workloads = self.workloads.iter().map(|w| w.namespace.clone());
        let of_services = self.services.iter().map(|s| s.namespace.clone());
        of_workloads.chain(of_services).chain(self.namespaces.keys().cloned()).collect()
    }
}

fn workloads<'a>(manifests: &'a Manifests, default: &'a str, made: &'a BTreeSet<String>) -> Vec<WorkloadInfo<'a>> {
    let namespaces = Namespaces::read(manifests);
    let read = |object: Object<'a>| {
        let workload = object.workload()?;
        let containers: Vec<Container<'a>> = workload.template.spec().containers().collect();
        let of = |c: &Container<'a>| c.image().and_then(|i| i.as_str()).and_then(technology::of_image);
        let technology = containers
            .iter()
            .enumerate()
            .find_map(|(i, c)| of(c).filter(|_| c.role() == ContainerRole::Main).map(|t| (t, i)));
        Some(WorkloadInfo {
            identity: object.identity(default),
            namespace: object.effective_namespace(default).unwrap_or_default().to_owned(),
            labels: workload.template.label_set(),
            namespace_labels: namespaces.labels(object.effective_namespace(default).unwrap_or_default()),
            host_network: workload.template.spec().host_network().is_some_and(|v| v.as_bool() == Some(true)),
            named_ports: PodPort::read(workload.template.spec()),
            service_account: account(workload.template.spec()),
            operated: None,
            containers,
            technology,
            workload,
        })
    };
    let make = |(kind, object): (&'static OperatedKind, Object<'a>)| WorkloadInfo {
        // Without the group, as for the kinds of Kubernetes itself: it stands for their like.
        identity: format!(
            "{}/{}/{}",
            kind.kind,
            object.effective_namespace(default).unwrap_or_default(),
            object.name()
        ),
        namespace: object.effective_namespace(default).unwrap_or_default().to_owned(),
        labels: kind.labels(object, made),
        namespace_labels: namespaces.labels(object.effective_namespace(default).unwrap_or_default()),
        host_network: false,
        named_ports: kind.ports(),
        service_account: kind.service_account(object),
        operated: Some(kind),
        containers: Vec::new(),
        technology: None,
        workload: Workload::without_template(object),
    };
    let mut workloads: Vec<WorkloadInfo<'a>> = manifests.objects().filter_map(read).collect();
    workloads.extend(operated::resources(manifests).map(make));
    workloads.sort_by(|a, b| a.identity.cmp(&b.identity));
    workloads
}

/// The name of the service account of a pod.
fn account(pod: PodSpec<'_>) -> String {
    let stated = pod.service_account_name().and_then(|v| v.as_str()).filter(|n| !n.is_empty());
    stated.unwrap_or("default").to_owned()
}

fn made_services(workloads: &[WorkloadInfo<'_>]) -> ByName<(usize, u16)> {
    let mut made = BTreeMap::new();
    for (index, workload) in workloads.iter().enumerate() {
        let services = workload.operated.map(|kind| kind.services(workload.object())).unwrap_or_default();
        for (name, port) in services {
            made.entry((workload.namespace.clone(), name)).or_insert((index, port));
        }
    }
    made.into_iter().collect()
}

/// Label pairs that the pods behind a Service carry; none: it selects nothing.
pub(crate) fn selector<'a>(service: Service<'a>) -> Vec<(&'a str, &'a str)> {
    let entries = service.selector().into_iter().flatten();
    entries.filter_map(|e| Some((e.key, e.value.scalar_text()?))).collect()
}

fn services<'a>(
    manifests: &'a Manifests,
    default: &'a str,
    workloads: &[WorkloadInfo<'a>],
    pods: &PodIndex<'a>,
) -> Vec<ServiceInfo<'a>> {
    let mut services: Vec<ServiceInfo<'a>> = Vec::new();
    let endpoints = Endpoints::read(manifests, default);
    for object in manifests.by_kind("Service") {
        let Some(service) = object.service() else { continue };
        let namespace = object.effective_namespace(default).unwrap_or_default().to_owned();
        let selector: Vec<(&str, &str)> = selector(service);
        let steady = selector.iter().find(|(key, _)| !operated::is_role(key));
        let selected = match steady {
            Some((key, value)) => pods.labelled(&namespace, key, value),
            None if selector.is_empty() => &[],
            None => pods.in_namespace(&namespace),
        };
        let matches = |w: &WorkloadInfo<'_>| {
            let others = selector.iter().filter(|(key, value)| w.labels.get(key) != Some(value)).copied();
            let others: Vec<(&str, &str)> = others.collect();
            others.is_empty() || w.operated.is_some_and(|kind| kind.some_have(w.object(), &others))
        };
        let mut behind: Vec<usize> =
            selected.iter().copied().filter(|i| workloads.get(*i).is_some_and(matches)).collect();
        let (mut addresses, mut written_ports) = (Vec::new(), BTreeMap::new());
        for endpoint in endpoints.of(&namespace, object.name()).iter().filter(|_| selector.is_empty()) {
            let ports = endpoint.ports.clone();
            match &endpoint.place {
                Place::Host(host) => addresses.push(WrittenAddress { host: host.clone(), ports }),
                Place::Pod(name) => {
                    let is = |i: &usize| workloads.get(*i).is_some_and(|w| w.object().name() == name);
                    if let Some(found) = pods.in_namespace(&namespace).iter().copied().find(is)
                        && written_ports.insert(found, ports).is_none()
                    {
                        behind.push(found);
                    }
                }
            }
        }
        services.push(ServiceInfo {
            service,
            identity: object.identity(default),
            namespace,
            name: object.name(),
            workloads: behind,
            addresses,
            written_ports,
        });
    }
    services.sort_by(|a, b| a.identity.cmp(&b.identity));
    services
}
