//! A pod with the paths of its parts.

use kubestride_manifest::{Field, PodTemplate};
use kubestride_yaml::Value;

use super::Place;

/// A part of a pod: what is there, and where. A part that is missing knows the last part of its path that is there.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub(super) value: Option<Value<'a>>,
    place: Place,
}

impl<'a> Part<'a> {
    /// The part under a key.
    pub(super) fn get(&self, key: &str) -> Self {
        let value = self.value.field(key);
        let place = match value {
            Some(value) => Place { path: format!("{}.{key}", self.place.path), span: Some(value.span()) },
            None => self.place.clone(),
        };
        Self { value, place }
    }

    /// The part at the end of a path.
    pub(super) fn path(&self, keys: &[&str]) -> Self {
        keys.iter().fold(self.clone(), |part, key| part.get(key))
    }

    /// The items of a list.
    pub(super) fn items(&self, key: &str) -> Vec<Self> {
        let list = self.get(key);
        let item = |(index, value): (usize, Value<'a>)| Part {
            value: Some(value),
            place: Place { path: format!("{}[{index}]", list.place.path), span: Some(value.span()) },
        };
        list.value.into_iter().flat_map(Value::items).enumerate().map(item).collect()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.value?.scalar_text()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.value?.as_bool()
    }

    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }
}

/// A pod, as checks see it.
pub(super) struct CheckedPod<'a> {
    pub(super) spec: Part<'a>,
    pub(super) annotations: Part<'a>,
    /// `initContainers`, `containers` and `ephemeralContainers`.
    pub(super) containers: Vec<Part<'a>>,
}

impl<'a> CheckedPod<'a> {
    pub(super) fn new(template: PodTemplate<'a>) -> Self {
        let value = template.value();
        let root = |key: &str| {
            let value = value.field(key);
            Part { value, place: Place { path: key.to_owned(), span: value.map(Value::span) } }
        };
        let spec = root("spec");
        let lists = ["initContainers", "containers", "ephemeralContainers"];
        let containers = lists.iter().flat_map(|list| spec.items(list)).collect();
        Self { annotations: root("metadata").get("annotations"), containers, spec }
    }

    /// The security context of the pod and those of its containers.
    pub(super) fn contexts(&self) -> impl Iterator<Item = Part<'a>> {
        let own = std::iter::once(self.spec.get("securityContext"));
        own.chain(self.containers.iter().map(|c| c.get("securityContext"))).collect::<Vec<_>>().into_iter()
    }

    /// Whether it says that it runs on Windows, where some fields mean nothing.
    pub(super) fn is_windows(&self) -> bool {
        self.spec.path(&["os", "name"]).text() == Some("windows")
    }

    /// Whether users inside are others than outside, so that root inside is nobody special outside.
    pub(super) fn has_own_users(&self) -> bool {
        self.spec.get("hostUsers").flag() == Some(false)
    }
}
