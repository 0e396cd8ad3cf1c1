//! What the RuntimeClass of a pod puts between its containers and the kernel of the node.

use kubestride_manifest::Field;
use kubestride_model::Value;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::RuntimeClass;

use crate::claims::{Claims, Note, Subject};
use crate::world::{WorkloadInfo, World};

/// Handlers that run containers in the kernel of the node, as usual.
const PLAIN: [&str; 6] = ["runc", "crun", "youki", "nvidia", "nvidia-cdi", "nvidia-legacy"];

/// What a handler does. Handlers are names that an administrator gives in the configuration of the container runtime, so
/// those that are not known by their usual names stay unknown.
fn of_handler(handler: &str) -> Option<RuntimeClass> {
    let handler = handler.to_ascii_lowercase();
    let of = |name: &str| handler == name || handler.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    if ["runsc", "gvisor", "kata", "firecracker"].into_iter().any(of) {
        return Some(RuntimeClass::Sandboxed);
    }
    PLAIN.contains(&handler.as_str()).then_some(RuntimeClass::Other)
}

/// Claims the RuntimeClass of a workload: by the handler in the RuntimeClass object, else by its name.
pub(super) fn claim(world: &World<'_>, workload: &WorkloadInfo<'_>, subject: &Subject, claims: &mut Claims) {
    let Some(class) = workload.pod().runtime_class() else { return };
    let Some(name) = class.as_str().filter(|name| !name.is_empty()) else { return };
    let object = world.manifests.by_kind("RuntimeClass").find(|o| o.name() == name);
    let handler = object.and_then(|o| o.root().field("handler"));
    let known = of_handler(handler.and_then(|h| h.as_str()).unwrap_or(name));
    let note = match (handler, known) {
        (Some(handler), Some(_)) => Note::stated(handler.span(), "the handler of its RuntimeClass"),
        (Some(handler), None) => Note::stated(handler.span(), "what this handler is, the nodes say"),
        (None, Some(_)) => Note::stated(class.span(), ""),
        (None, None) => Note::stated(class.span(), "the RuntimeClass with its handler is not in the input"),
    };
    let value = known.map_or(Value::Unknown, |known| attr::RUNTIME_CLASS.value(known));
    claims.set(subject.clone(), attr::RUNTIME_CLASS.id, value, note);
}
