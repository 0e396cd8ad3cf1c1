//! Finds known fields whose values have the wrong type. They are read as not set, which nobody should have to guess.

use kubestride_source::Diagnostic;
use kubestride_yaml::{Kind, Value};

use crate::{Field, Object};

/// What a field must be.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Mapping,
    List,
    Text,
    Bool,
    Int,
}

use Type::{Bool, Int, List, Mapping, Text};

const METADATA: &[(&str, Type)] =
    &[("name", Text), ("generateName", Text), ("namespace", Text), ("labels", Mapping), ("annotations", Mapping)];

const POD: &[(&str, Type)] = &[
    ("containers", List),
    ("initContainers", List),
    ("volumes", List),
    ("imagePullSecrets", List),
    ("tolerations", List),
    ("hostAliases", List),
    ("nodeSelector", Mapping),
    ("affinity", Mapping),
    ("securityContext", Mapping),
    ("hostNetwork", Bool),
    ("hostPID", Bool),
    ("hostIPC", Bool),
    ("shareProcessNamespace", Bool),
    ("automountServiceAccountToken", Bool),
    ("serviceAccountName", Text),
    ("runtimeClassName", Text),
];

const CONTAINER: &[(&str, Type)] = &[
    ("name", Text),
    ("image", Text),
    ("command", List),
    ("args", List),
    ("env", List),
    ("envFrom", List),
    ("ports", List),
    ("volumeMounts", List),
    ("securityContext", Mapping),
    ("resources", Mapping),
    ("livenessProbe", Mapping),
    ("readinessProbe", Mapping),
    ("startupProbe", Mapping),
    ("lifecycle", Mapping),
];

const SECURITY: &[(&str, Type)] = &[
    ("privileged", Bool),
    ("allowPrivilegeEscalation", Bool),
    ("readOnlyRootFilesystem", Bool),
    ("runAsNonRoot", Bool),
    ("runAsUser", Int),
    ("runAsGroup", Int),
    ("capabilities", Mapping),
    ("seccompProfile", Mapping),
];

const ENV: &[(&str, Type)] = &[("name", Text), ("value", Text), ("valueFrom", Mapping)];

/// Fields of `spec` of some kinds.
const SPECS: &[(&str, &[(&str, Type)])] = &[
    ("CronJob", &[("jobTemplate", Mapping), ("schedule", Text)]),
    ("DaemonSet", &[("template", Mapping)]),
    ("Deployment", &[("template", Mapping), ("replicas", Int)]),
    ("Ingress", &[("rules", List), ("tls", List), ("defaultBackend", Mapping)]),
    ("Job", &[("template", Mapping)]),
    ("NetworkPolicy", &[("podSelector", Mapping), ("ingress", List), ("egress", List), ("policyTypes", List)]),
    ("ReplicaSet", &[("template", Mapping), ("replicas", Int)]),
    ("ReplicationController", &[("template", Mapping), ("replicas", Int)]),
    ("Service", &[("ports", List), ("selector", Mapping), ("externalIPs", List), ("type", Text)]),
    ("StatefulSet", &[("template", Mapping), ("replicas", Int), ("volumeClaimTemplates", List)]),
];

/// Fields of the objects themselves of some kinds.
const ROOTS: &[(&str, &[(&str, Type)])] = &[
    ("ClusterRole", &[("rules", List), ("aggregationRule", Mapping)]),
    ("ClusterRoleBinding", &[("subjects", List), ("roleRef", Mapping)]),
    ("ConfigMap", &[("data", Mapping), ("binaryData", Mapping)]),
    ("MutatingWebhookConfiguration", &[("webhooks", List)]),
    ("Role", &[("rules", List)]),
    ("RoleBinding", &[("subjects", List), ("roleRef", Mapping)]),
    ("Secret", &[("data", Mapping), ("stringData", Mapping), ("type", Text)]),
    ("ServiceAccount", &[("secrets", List), ("imagePullSecrets", List), ("automountServiceAccountToken", Bool)]),
    ("ValidatingWebhookConfiguration", &[("webhooks", List)]),
];

/// Reports what is wrong with the known fields of an object.
pub(crate) fn object(object: Object<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let root = object.root();
    let mut check = Check { diagnostics };
    check.fields(root, &[("metadata", Mapping)]);
    check.metadata(object.metadata());
    if !object.is_kubernetes_kind() {
        return;
    }
    if object.name().is_empty() {
        let message = format!("this {} has no name", object.kind());
        check.diagnostics.push(Diagnostic::warning("missing-name", message).at(object.span()));
    }
    let kind = object.kind();
    let known = |table: &[(&str, &'static [(&'static str, Type)])]| {
        table.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, fields)| fields)
    };
    check.fields(root, known(ROOTS));
    if !known(SPECS).is_empty() || object.workload().is_some() {
        check.fields(root, &[("spec", Mapping)]);
    }
    if let Some(spec) = object.spec() {
        check.fields(spec, known(SPECS));
    }
    if let Some(template) = object.workload().and_then(|workload| workload.template.value()) {
        check.fields(template, &[("metadata", Mapping), ("spec", Mapping)]);
        if kind != "Pod" {
            check.metadata(template.field("metadata"));
        }
        check.pod(template.field("spec"));
    }
}

struct Check<'d> {
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn metadata(&mut self, metadata: Option<Value<'_>>) {
        let Some(metadata) = metadata else { return };
        self.fields(metadata, METADATA);
        for key in ["labels", "annotations"] {
            for entry in metadata.mapping(key).into_iter().flat_map(Value::entries) {
                self.value(&format!("a value of `{key}`"), entry.value, Text);
            }
        }
    }

    fn pod(&mut self, spec: Option<Value<'_>>) {
        let Some(spec) = spec else { return };
        self.fields(spec, POD);
        self.fields_of(spec.field("securityContext"), SECURITY);
        for container in spec.list("initContainers").chain(spec.list("containers")) {
            self.value("a container", container, Mapping);
            self.fields(container, CONTAINER);
            self.fields_of(container.field("securityContext"), SECURITY);
            for variable in container.list("env") {
                self.value("an entry of `env`", variable, Mapping);
                self.fields(variable, ENV);
            }
        }
    }

    fn fields_of(&mut self, value: Option<Value<'_>>, fields: &[(&str, Type)]) {
        if let Some(value) = value {
            self.fields(value, fields);
        }
    }

    fn fields(&mut self, value: Value<'_>, fields: &[(&str, Type)]) {
        for (key, expected) in fields {
            if let Some(value) = value.field(key) {
                self.value(&format!("`{key}`"), value, *expected);
            }
        }
    }

    fn value(&mut self, what: &str, value: Value<'_>, expected: Type) {
        let (right, name) = match expected {
            Mapping => (value.kind() == Kind::Mapping, "a mapping"),
            List => (value.kind() == Kind::Sequence, "a list"),
            Text => (value.kind() == Kind::Str, "a text"),
            Bool => (value.kind() == Kind::Bool, "true or false"),
            Int => (value.kind() == Kind::Int, "a whole number"),
        };
        if right || value.is_null() {
            return;
        }
        let mut diagnostic =
            Diagnostic::warning("wrong-type", format!("{what} must be {name}, and is {}", name_of(value.kind())))
                .at(value.span());
        if expected == Text && !matches!(value.kind(), Kind::Mapping | Kind::Sequence) {
            diagnostic = diagnostic.with_help("put it in quotes");
        }
        self.diagnostics.push(diagnostic);
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "empty",
        Kind::Bool => "true or false",
        Kind::Int | Kind::Float => "a number",
        Kind::Str => "a text",
        Kind::Sequence => "a list",
        Kind::Mapping => "a mapping",
    }
}
