//! Containers of a pod.

use kubestride_source::Span;
use kubestride_yaml::Value;

use crate::{EnvFrom, EnvVar, Field, PodSpec, Probe, env, field::port_number, probe};

/// When a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerRole {
    /// To its end, before the others start.
    Init,
    /// Started before the others, and beside them: an init container with `restartPolicy: Always`.
    Sidecar,
    /// As the pod itself.
    Main,
}

/// `Container` of a `PodSpec`.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    value: Value<'a>,
    role: ContainerRole,
}

/// `ContainerPort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerPort<'a> {
    /// Its name, by which Services and policies may refer to it.
    pub name: Option<&'a str>,
    /// `containerPort`.
    pub number: u16,
    /// The port of the node, if any.
    pub host_port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`; `TCP` if not set.
    pub protocol: &'a str,
    /// Where it stands.
    pub span: Span,
}

/// `VolumeMount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeMount<'a> {
    /// The name of the volume.
    pub volume: &'a str,
    /// Where the container sees it.
    pub mount_path: &'a str,
    /// Whether it cannot be written here.
    pub read_only: bool,
    /// `subPath` or `subPathExpr`: only this part of the volume is mounted.
    pub sub_path: Option<&'a str>,
    /// Where it stands.
    pub span: Span,
}

impl<'a> Container<'a> {
    pub(crate) fn new(value: Value<'a>, role: ContainerRole) -> Self {
        Self { value, role }
    }

    /// The mapping itself.
    pub fn value(&self) -> Value<'a> {
        self.value
    }

    /// When it runs.
    pub fn role(&self) -> ContainerRole {
        self.role
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &'a str {
        self.value.text("name").unwrap_or("")
    }

    /// Where it is named, or where it starts.
    pub fn span(&self) -> Span {
        self.value.field("name").unwrap_or(self.value).span()
    }

    /// `image`.
    pub fn image(&self) -> Option<Value<'a>> {
        self.value.field("image")
    }

    /// `command`.
    pub fn command(&self) -> impl Iterator<Item = Value<'a>> {
        self.value.list("command")
    }

    /// `args`.
    pub fn args(&self) -> impl Iterator<Item = Value<'a>> {
        self.value.list("args")
    }

    /// `env`, without entries that have no name. Where a name is given twice the last one counts.
    pub fn env(&self) -> impl Iterator<Item = EnvVar<'a>> {
        self.value.list("env").filter_map(env::read_var)
    }

    /// `envFrom`.
    pub fn env_from(&self) -> impl Iterator<Item = EnvFrom<'a>> {
        self.value.list("envFrom").filter_map(env::read_from)
    }

    /// `ports` with a valid number.
    pub fn ports(&self) -> impl Iterator<Item = ContainerPort<'a>> {
        self.value.list("ports").filter_map(|port| {
            Some(ContainerPort {
                name: port.text("name"),
                number: port_number(port.field("containerPort")?)?,
                host_port: port.field("hostPort").and_then(port_number),
                protocol: port.text("protocol").unwrap_or("TCP"),
                span: port.span(),
            })
        })
    }

    /// `volumeMounts`.
    pub fn volume_mounts(&self) -> impl Iterator<Item = VolumeMount<'a>> {
        self.value.list("volumeMounts").filter_map(|mount| {
            Some(VolumeMount {
                volume: mount.text("name")?,
                mount_path: mount.text("mountPath").unwrap_or(""),
                read_only: mount.flag("readOnly").unwrap_or(false),
                sub_path: mount.text("subPath").or_else(|| mount.text("subPathExpr")).filter(|path| !path.is_empty()),
                span: mount.span(),
            })
        })
    }

    /// `securityContext` of the container.
    pub fn security_context(&self) -> Option<Value<'a>> {
        self.value.mapping("securityContext")
    }

    /// A field of the container's own `securityContext`.
    pub fn security(&self, field: &str) -> Option<Value<'a>> {
        self.security_context().field(field)
    }

    /// A field that both security contexts have (`runAsUser`, `runAsNonRoot`, `seccompProfile`, …): the container's
    /// own, else the pod's.
    pub fn merged(&self, pod: PodSpec<'a>, field: &str) -> Option<Value<'a>> {
        self.security(field).or_else(|| pod.security_context().field(field))
    }

    /// The probes that are set.
    pub fn probes(&self) -> impl Iterator<Item = Probe<'a>> {
        probe::read_all(self.value)
    }

    /// `resources`.
    pub fn resources(&self) -> Option<Value<'a>> {
        self.value.mapping("resources")
    }
}
