//! Probes of a container.

use kubestride_yaml::Value;

use crate::{Field, PortRef};

/// What a probe finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// `livenessProbe`.
    Liveness,
    /// `readinessProbe`.
    Readiness,
    /// `startupProbe`.
    Startup,
}

/// A probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// What it finds out.
    pub kind: ProbeKind,
    /// The mapping itself.
    pub value: Value<'a>,
}

/// What a probe does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeAction<'a> {
    /// `httpGet`.
    Http {
        /// The port that is asked.
        port: PortRef<'a>,
        /// The path.
        path: &'a str,
        /// `HTTP` or `HTTPS`.
        scheme: &'a str,
        /// Another host than the pod.
        host: Option<&'a str>,
    },
    /// `tcpSocket`.
    Tcp {
        /// The port that is connected to.
        port: PortRef<'a>,
        /// Another host than the pod.
        host: Option<&'a str>,
    },
    /// `grpc`.
    Grpc {
        /// The port that is asked.
        port: PortRef<'a>,
    },
    /// `exec`: runs a command in the container.
    Exec,
}

impl<'a> Probe<'a> {
    /// What it does; none if that is missing or broken.
    pub fn action(&self) -> Option<ProbeAction<'a>> {
        if let Some(http) = self.value.field("httpGet") {
            return Some(ProbeAction::Http {
                port: PortRef::read(http.field("port")?)?,
                path: http.text("path").unwrap_or("/"),
                scheme: http.text("scheme").unwrap_or("HTTP"),
                host: http.text("host").filter(|host| !host.is_empty()),
            });
        }
        if let Some(tcp) = self.value.field("tcpSocket") {
            let host = tcp.text("host").filter(|host| !host.is_empty());
            return Some(ProbeAction::Tcp { port: PortRef::read(tcp.field("port")?)?, host });
        }
        if let Some(grpc) = self.value.field("grpc") {
            return Some(ProbeAction::Grpc { port: PortRef::read(grpc.field("port")?)? });
        }
        self.value.field("exec").map(|_| ProbeAction::Exec)
    }
}

pub(crate) fn read_all(container: Value<'_>) -> impl Iterator<Item = Probe<'_>> {
    let kinds = [
        ("livenessProbe", ProbeKind::Liveness),
        ("readinessProbe", ProbeKind::Readiness),
        ("startupProbe", ProbeKind::Startup),
    ];
    kinds.into_iter().filter_map(move |(key, kind)| container.mapping(key).map(|value| Probe { kind, value }))
}
