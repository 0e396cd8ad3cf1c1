//! From KubeArmor's resources to policies.

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_source::{Diagnostic, Span};
use kubestride_yaml::Value;

use super::selector::Selector;
use super::{Action, Class, Kind, Rule, RuntimePolicies, RuntimePolicy};

const GROUP: &str = "security.kubearmor.com";
const KINDS: [(&str, Kind); 4] = [
    ("KubeArmorPolicy", Kind::Namespaced),
    ("KubeArmorClusterPolicy", Kind::Cluster),
    ("KubeArmorHostPolicy", Kind::Host),
    ("KubeArmorNetworkPolicy", Kind::Network),
];

/// Sections of a policy, with the lists of rules in each.
const SECTIONS: [(&str, Class, &[&str]); 5] = [
    ("process", Class::Process, &["matchPaths", "matchDirectories", "matchPatterns"]),
    ("file", Class::File, &["matchPaths", "matchDirectories", "matchPatterns"]),
    ("network", Class::Network, &["matchProtocols", "matchDNSQueries"]),
    ("capabilities", Class::Capabilities, &["matchCapabilities"]),
    ("syscalls", Class::Syscalls, &["matchSyscalls", "matchPaths"]),
];

pub(super) fn policies(manifests: &Manifests, default: &str, all: &mut RuntimePolicies) {
    for (name, kind) in KINDS {
        for object in manifests.by_custom_kind(GROUP, name) {
            let Some(spec) = object.spec() else { continue };
            let (selector, unknown) = Selector::read(spec);
            let identity = object.identity(default);
            for span in unknown {
                let text = format!("a part of the selector of {identity} is not understood, so it selects nothing");
                all.diagnostics.push(Diagnostic::warning("unknown-selector", text).at(span));
            }
            let rules = if object.version() == "v1" {
                rules(spec, kind, &identity, all)
            } else {
                let text = format!("{identity} is of a version that is not known: what it does is not known");
                all.diagnostics.push(Diagnostic::warning("unknown-policy-version", text).at(object.span()));
                Vec::new()
            };
            all.policies.push(RuntimePolicy {
                identity,
                name: object.name().to_owned(),
                kind,
                namespace: namespace(object, kind, default),
                span: object.span(),
                rules,
                selector,
            });
        }
    }
}

fn namespace(object: Object<'_>, kind: Kind, default: &str) -> Option<String> {
    (kind == Kind::Namespaced).then(|| object.namespace().unwrap_or(default).to_owned())
}

/// The action of the innermost place that sets one. Nothing: it blocks.
fn action(places: [Option<Value<'_>>; 3]) -> Result<(Action, Option<Span>), Span> {
    let Some(value) = places.into_iter().flatten().find_map(|place| place.field("action")) else {
        return Ok((Action::Block, None));
    };
    let known = match value.as_str() {
        Some("Allow" | "allow") => Action::Allow,
        Some("Audit" | "audit") => Action::Audit,
        Some("Block" | "block") => Action::Block,
        _ => return Err(value.span()),
    };
    Ok((known, Some(value.span())))
}

fn rules(spec: Value<'_>, kind: Kind, identity: &str, all: &mut RuntimePolicies) -> Vec<Rule> {
    let mut found: Vec<(Class, Value<'_>, Option<Value<'_>>)> = Vec::new();
    if kind == Kind::Network {
        let sides = ["ingress", "egress"];
        found.extend(sides.iter().flat_map(|side| spec.list(side)).map(|rule| (Class::Network, rule, None)));
    }
    for (section, class, lists) in SECTIONS {
        let Some(section) = spec.field(section) else { continue };
        let of = lists.iter().flat_map(|list| section.list(list));
        found.extend(of.map(|rule| (class, rule, Some(section))));
    }
    // What a preset does is not looked into; that it has an action is.
    found.extend(spec.list("presets").map(|preset| (Class::Process, preset, None)));
    let mut rules = Vec::new();
    for (class, value, section) in found {
        match action([Some(value), section, Some(spec)]) {
            Ok((action, action_span)) => rules.push(rule(class, action, value, action_span)),
            Err(span) => {
                let text = format!("an action of {identity} is not known: its rule counts as if it were not there");
                all.diagnostics.push(Diagnostic::warning("unknown-action", text).at(span));
            }
        }
    }
    rules
}

fn rule(class: Class, action: Action, value: Value<'_>, action_span: Option<Span>) -> Rule {
    let directory = value.text("dir").map(|dir| if dir.ends_with('/') { dir.to_owned() } else { format!("{dir}/") });
    Rule {
        class,
        action,
        path: directory.or_else(|| value.text("path").map(str::to_owned)),
        capability: value.text("capability").map(capability_name),
        recursive: value.flag("recursive") == Some(true),
        read_only: value.flag("readOnly") == Some(true),
        narrow: value.flag("ownerOnly") == Some(true) || value.list("fromSource").next().is_some(),
        span: value.span(),
        action_span,
    }
}

/// KubeArmor writes capabilities in lower case, with or without `cap_`.
fn capability_name(text: &str) -> String {
    let name = text.to_ascii_uppercase();
    name.strip_prefix("CAP_").unwrap_or(&name).to_owned()
}
