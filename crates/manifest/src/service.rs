//! Services.

use kubestride_source::Span;
use kubestride_yaml::{Entry, Value};

use crate::{Field, Labels, Object, PortRef, field::port_number};

/// How a Service can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceType {
    /// Within the cluster; also what an unknown type is read as.
    ClusterIp,
    /// On a port of every node too.
    NodePort,
    /// Through a load balancer too.
    LoadBalancer,
    /// A name for a host elsewhere.
    ExternalName,
}

/// `ServicePort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePort<'a> {
    /// Its name, if it has one.
    pub name: Option<&'a str>,
    /// The port of the Service.
    pub number: u16,
    /// The port of the pods; the same number if not set.
    pub target_port: PortRef<'a>,
    /// The port of the nodes, if it is set.
    pub node_port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`; `TCP` if not set.
    pub protocol: &'a str,
    /// `appProtocol`, such as `https` or `kubernetes.io/h2c`.
    pub app_protocol: Option<&'a str>,
    /// Where it stands.
    pub span: Span,
}

/// A Service of the core group.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// The object itself.
    pub object: Object<'a>,
    spec: Option<Value<'a>>,
}

impl<'a> Service<'a> {
    pub(crate) fn new(object: Object<'a>) -> Self {
        Self { object, spec: object.spec() }
    }

    /// `ports` with a valid number.
    pub fn ports(&self) -> impl Iterator<Item = ServicePort<'a>> {
        self.spec.list("ports").filter_map(|port| {
            let number = port_number(port.field("port")?)?;
            Some(ServicePort {
                name: port.text("name"),
                number,
                target_port: port.field("targetPort").and_then(PortRef::read).unwrap_or(PortRef::Number(number)),
                node_port: port.field("nodePort").and_then(port_number),
                protocol: port.text("protocol").unwrap_or("TCP"),
                app_protocol: port.text("appProtocol"),
                span: port.span(),
            })
        })
    }

    /// The labels that a pod must have; none where the Service selects nothing, because it has no selector.
    pub fn selector(&self) -> Option<impl Iterator<Item = Entry<'a>> + use<'a>> {
        self.spec.mapping("selector").filter(|selector| !selector.is_empty()).map(Value::entries)
    }

    /// Whether pods with these labels, in the Service's own namespace, are behind it.
    pub fn selects(&self, labels: &Labels<'_>) -> bool {
        self.selector().is_some_and(|mut entries| entries.all(|e| labels.get(e.key) == e.value.scalar_text()))
    }

    /// `type`; [`ServiceType::ClusterIp`] if not set.
    pub fn type_(&self) -> ServiceType {
        match self.spec.text("type") {
            Some("NodePort") => ServiceType::NodePort,
            Some("LoadBalancer") => ServiceType::LoadBalancer,
            Some("ExternalName") => ServiceType::ExternalName,
            _ => ServiceType::ClusterIp,
        }
    }

    /// Where `type` is set.
    pub fn type_span(&self) -> Option<Span> {
        self.spec.field("type").map(Value::span)
    }

    /// `externalIPs`.
    pub fn external_ips(&self) -> impl Iterator<Item = Value<'a>> {
        self.spec.list("externalIPs")
    }

    /// `externalName`.
    pub fn external_name(&self) -> Option<Value<'a>> {
        self.spec.field("externalName")
    }

    /// The address inside the cluster, if it is fixed.
    pub fn cluster_ip_text(self) -> Option<&'a str> {
        self.spec.text("clusterIP").filter(|ip| !ip.is_empty() && *ip != "None")
    }

    /// `clusterIP`; `None` (the text) makes a headless Service.
    pub fn cluster_ip(&self) -> Option<Value<'a>> {
        self.spec.field("clusterIP")
    }

    /// Whether clients get the addresses of the pods, not one of the Service.
    pub fn is_headless(&self) -> bool {
        self.spec.text("clusterIP") == Some("None")
    }
}
