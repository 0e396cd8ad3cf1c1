//! Default postures: of namespaces, and of KubeArmor itself.

use kubestride_manifest::{Field, Manifests};
use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::Value;

use super::{Class, Effect, RuntimePolicies};

/// What happens to what is not allowed, where that is set.
#[derive(Debug, Clone, Default)]
pub(super) struct Postures {
    file: Option<(Effect, Span)>,
    network: Option<(Effect, Span)>,
    capabilities: Option<(Effect, Span)>,
}

impl Postures {
    /// The posture of a class. That of files is about programs, too.
    pub(super) fn of(&self, class: Class) -> Option<(Effect, Span)> {
        match class {
            Class::Process | Class::File => self.file,
            Class::Network => self.network,
            Class::Capabilities => self.capabilities,
            Class::Syscalls => None,
        }
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<(Effect, Span)>> {
        match name {
            "file" => Some(&mut self.file),
            "network" => Some(&mut self.network),
            "capabilities" => Some(&mut self.capabilities),
            _ => None,
        }
    }
}

fn effect(value: Value<'_>) -> Option<Effect> {
    match value.scalar_text() {
        Some("block") => Some(Effect::Blocks),
        Some("audit") => Some(Effect::Alerts),
        _ => None,
    }
}

pub(super) fn read(manifests: &Manifests, all: &mut RuntimePolicies) {
    for object in manifests.by_kind("Namespace") {
        let mut postures = Postures::default();
        for entry in object.annotations() {
            let class = entry.key.strip_prefix("kubearmor-").and_then(|k| k.strip_suffix("-posture"));
            let Some(field) = class.and_then(|class| postures.field(class)) else { continue };
            *field = effect(entry.value).map(|effect| (effect, entry.key_span));
            if field.is_none() {
                let text = format!("{} of {} is neither audit nor block: the default counts", entry.key, object.name());
                all.diagnostics.push(Diagnostic::warning("unknown-posture", text).at(entry.key_span));
            }
        }
        all.namespaces.insert(object.name().to_owned(), postures);
    }
    // Set by the ConfigMap that KubeArmor reads, or by the resource from which its operator makes it.
    let maps = manifests.by_kind("ConfigMap").filter(|o| o.name() == "kubearmor-config");
    let holders = maps.filter_map(|o| o.root().field("data"));
    let resources = manifests.by_custom_kind("operator.kubearmor.com", "KubeArmorConfig").filter_map(|o| o.spec());
    for holder in holders.chain(resources) {
        for (class, key) in [("file", "File"), ("network", "Network"), ("capabilities", "Capabilities")] {
            let value = holder.field(&format!("default{key}Posture"));
            let set = value.and_then(|v| Some((effect(v)?, v.span())));
            if let (Some(set), Some(field)) = (set, all.global.field(class)) {
                *field = Some(set);
            }
        }
    }
}
