//! Whether known fields have the types that Kubernetes gives them, and whether two objects are the same.

use kubestride_source::Diagnostic;
use kubestride_yaml::{Kind, Value};

use crate::Object;

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "nothing",
        Kind::Bool => "a boolean",
        Kind::Int | Kind::Float => "a number",
        Kind::Str => "a text",
        Kind::Sequence => "a list",
        Kind::Mapping => "a mapping",
    }
}

/// Fields of objects and of pods with the type they must have.
const OBJECT: [(&str, Kind); 2] = [("metadata", Kind::Mapping), ("spec", Kind::Mapping)];
const METADATA: [(&str, Kind); 4] =
    [("name", Kind::Str), ("namespace", Kind::Str), ("labels", Kind::Mapping), ("annotations", Kind::Mapping)];
const SPEC: [(&str, Kind); 4] =
    [("replicas", Kind::Int), ("template", Kind::Mapping), ("rules", Kind::Sequence), ("ports", Kind::Sequence)];
const POD: [(&str, Kind); 8] = [
    ("containers", Kind::Sequence),
    ("initContainers", Kind::Sequence),
    ("volumes", Kind::Sequence),
    ("hostNetwork", Kind::Bool),
    ("hostPID", Kind::Bool),
    ("hostIPC", Kind::Bool),
    ("automountServiceAccountToken", Kind::Bool),
    ("securityContext", Kind::Mapping),
];
const CONTAINER: [(&str, Kind); 8] = [
    ("name", Kind::Str),
    ("image", Kind::Str),
    ("command", Kind::Sequence),
    ("args", Kind::Sequence),
    ("env", Kind::Sequence),
    ("envFrom", Kind::Sequence),
    ("volumeMounts", Kind::Sequence),
    ("securityContext", Kind::Mapping),
];
const SECURITY: [(&str, Kind); 6] = [
    ("privileged", Kind::Bool),
    ("allowPrivilegeEscalation", Kind::Bool),
    ("readOnlyRootFilesystem", Kind::Bool),
    ("runAsNonRoot", Kind::Bool),
    ("runAsUser", Kind::Int),
    ("capabilities", Kind::Mapping),
];

fn fields(value: Value<'_>, expected: &[(&str, Kind)], out: &mut Vec<Diagnostic>) {
    for (key, kind) in expected {
        let Some(found) = value.get(key).filter(|f| f.kind() != *kind && !f.is_null()) else { continue };
        let message = format!("`{key}` is {}, but must be {}; it is ignored", name(found.kind()), name(*kind));
        out.push(Diagnostic::warning("wrong-type", message).at(found.span()));
    }
}

/// Reports known fields of a wrong type. The rest of the object is read.
pub(crate) fn check(object: Object<'_>, out: &mut Vec<Diagnostic>) {
    let root = object.root();
    fields(root, &OBJECT, out);
    if let Some(metadata) = root.get("metadata") {
        fields(metadata, &METADATA, out);
    }
    let Some(workload) = object.workload() else { return };
    if let Some(spec) = object.spec() {
        fields(spec, &SPEC, out);
    }
    let pod = workload.template.spec().value();
    let Some(pod) = pod else { return };
    fields(pod, &POD, out);
    for list in ["containers", "initContainers"] {
        for container in pod.get(list).into_iter().flat_map(|l| l.items()) {
            if container.kind() != Kind::Mapping {
                let message = format!("a container is {}, but must be a mapping; it is ignored", name(container.kind()));
                out.push(Diagnostic::warning("wrong-type", message).at(container.span()));
                continue;
            }
            fields(container, &CONTAINER, out);
            if let Some(security) = container.get("securityContext") {
                fields(security, &SECURITY, out);
            }
        }
    }
}

/// Whether two values are equal, in whatever order their keys are; gives up on very deep or very large ones.
pub(crate) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    let mut budget = 100_000u32;
    equal(a, b, 0, &mut budget)
}

fn equal(a: Value<'_>, b: Value<'_>, depth: u32, budget: &mut u32) -> bool {
    *budget = budget.saturating_sub(1);
    if *budget == 0 || depth > 200 || a.kind() != b.kind() || a.len() != b.len() {
        return false;
    }
    match a.kind() {
        Kind::Sequence => a.items().zip(b.items()).all(|(x, y)| equal(x, y, depth + 1, budget)),
        Kind::Mapping => a.entries().all(|e| b.get(e.key).is_some_and(|y| equal(e.value, y, depth + 1, budget))),
        _ => a.scalar_text() == b.scalar_text(),
    }
}
