//! What runs pods, and what the pods are.

use kubestride_source::Span;
use kubestride_yaml::{Entry, Value};

use crate::{Container, ContainerRole, Field, Labels, Object, Volume};

/// An object that runs pods: Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job, CronJob, Pod.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// The object itself.
    pub object: Object<'a>,
    /// What its pods are made from.
    pub template: PodTemplate<'a>,
}

impl<'a> Workload<'a> {
    /// Something that runs pods of which nothing is written, as an operator makes them from a custom resource.
    pub fn without_template(object: Object<'a>) -> Self {
        Self { object, template: PodTemplate { value: None, spec: None } }
    }

    pub(crate) fn of(object: Object<'a>) -> Option<Self> {
        if !object.is_kubernetes_kind() {
            return None;
        }
        let value = match object.kind() {
            "Pod" => Some(object.root()),
            "CronJob" => object.root().path(&["spec", "jobTemplate", "spec", "template"]),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
                object.root().path(&["spec", "template"])
            }
            _ => return None,
        };
        Some(Self { object, template: PodTemplate { value, spec: value.field("spec") } })
    }
}

/// `PodTemplateSpec`, or a Pod itself.
#[derive(Clone, Copy, Debug)]
pub struct PodTemplate<'a> {
    value: Option<Value<'a>>,
    spec: Option<Value<'a>>,
}

impl<'a> PodTemplate<'a> {
    /// The template, if there is one.
    pub fn value(&self) -> Option<Value<'a>> {
        self.value
    }

    /// The labels of the pods.
    pub fn labels(&self) -> impl Iterator<Item = Entry<'a>> {
        self.value.path(&["metadata", "labels"]).into_iter().flat_map(Value::entries)
    }

    /// The labels of the pods, ready for selectors.
    pub fn label_set(&self) -> Labels<'a> {
        Labels::read(self.value.path(&["metadata", "labels"]))
    }

    /// The value of a label of the pods.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.value.path(&["metadata", "labels"]).text(key)
    }

    /// The annotations of the pods.
    pub fn annotations(&self) -> impl Iterator<Item = Entry<'a>> {
        self.value.path(&["metadata", "annotations"]).into_iter().flat_map(Value::entries)
    }

    /// The value of an annotation of the pods.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.value.path(&["metadata", "annotations"]).text(key)
    }

    /// The specification of the pods.
    pub fn spec(&self) -> PodSpec<'a> {
        PodSpec { value: self.spec }
    }
}

/// `PodSpec`.
#[derive(Clone, Copy, Debug)]
pub struct PodSpec<'a> {
    value: Option<Value<'a>>,
}

impl<'a> PodSpec<'a> {
    /// The mapping itself, if there is one.
    pub fn value(&self) -> Option<Value<'a>> {
        self.value
    }

    /// Where it stands.
    pub fn span(&self) -> Option<Span> {
        self.value.map(Value::span)
    }

    /// Any field, unless it is not set or null.
    pub fn field(&self, key: &str) -> Option<Value<'a>> {
        self.value.field(key)
    }

    /// `initContainers`, then `containers`. Init containers with `restartPolicy: Always` are sidecars.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> {
        let init = self.value.list("initContainers").map(|value| {
            let sidecar = value.text("restartPolicy") == Some("Always");
            Container::new(value, if sidecar { ContainerRole::Sidecar } else { ContainerRole::Init })
        });
        init.chain(self.value.list("containers").map(|value| Container::new(value, ContainerRole::Main)))
    }

    /// `volumes`.
    pub fn volumes(&self) -> impl Iterator<Item = Volume<'a>> {
        self.value.list("volumes").map(Volume::new)
    }

    /// The volume of this name.
    pub fn volume(&self, name: &str) -> Option<Volume<'a>> {
        self.volumes().find(|volume| volume.name() == name)
    }

    /// `serviceAccountName`, or its old name `serviceAccount`; none where it is not set or empty.
    pub fn service_account_name(&self) -> Option<Value<'a>> {
        let filled = |value: &Value<'a>| value.scalar_text().is_some_and(|text| !text.is_empty());
        let old = || self.field("serviceAccount").filter(filled);
        self.field("serviceAccountName").filter(filled).or_else(old)
    }

    /// `automountServiceAccountToken`, a boolean.
    pub fn automount(&self) -> Option<Value<'a>> {
        self.value.bool_field("automountServiceAccountToken")
    }

    /// `hostNetwork`, a boolean.
    pub fn host_network(&self) -> Option<Value<'a>> {
        self.value.bool_field("hostNetwork")
    }

    /// `hostPID`, a boolean.
    pub fn host_pid(&self) -> Option<Value<'a>> {
        self.value.bool_field("hostPID")
    }

    /// `hostUsers`, a boolean.
    pub fn host_users(&self) -> Option<Value<'a>> {
        self.value.bool_field("hostUsers")
    }

    /// `hostIPC`, a boolean.
    pub fn host_ipc(&self) -> Option<Value<'a>> {
        self.value.bool_field("hostIPC")
    }

    /// `shareProcessNamespace`, a boolean.
    pub fn share_process_namespace(&self) -> Option<Value<'a>> {
        self.value.bool_field("shareProcessNamespace")
    }

    /// `securityContext` of the pod.
    pub fn security_context(&self) -> Option<Value<'a>> {
        self.value.mapping("securityContext")
    }

    /// The names in `imagePullSecrets`.
    pub fn image_pull_secrets(&self) -> impl Iterator<Item = Value<'a>> {
        self.value.list("imagePullSecrets").filter_map(|item| item.field("name"))
    }

    /// `runtimeClassName`.
    pub fn runtime_class(&self) -> Option<Value<'a>> {
        self.field("runtimeClassName")
    }
}
