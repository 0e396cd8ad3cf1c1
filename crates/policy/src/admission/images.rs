//! Policies that let in only images with a valid signature.

use kubestride_manifest::{Field, Manifests};
use kubestride_yaml::Value;

use super::native;
use super::reach::{Clause, Reach, texts, wildcard};
use super::{Action, AdmissionPolicies, Engine, Policy, Rule};
use kubestride_manifest::{LabelSelector, Labels};

/// The images that a rule verifies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRule {
    patterns: Vec<String>,
    skipped: Vec<String>,
    /// `*` does not go past a `/`; `**` does.
    by_segments: bool,
}

impl ImageRule {
    /// Whether it verifies an image.
    pub fn covers(&self, image: &str) -> bool {
        let forms = forms(image);
        let fits = |pattern: &String| forms.iter().any(|form| self.fits(pattern, form));
        self.patterns.iter().any(fits) && !self.skipped.iter().any(fits)
    }

    /// Whether it verifies every image.
    pub fn covers_all(&self) -> bool {
        self.skipped.is_empty() && self.patterns.iter().any(|p| p == if self.by_segments { "**" } else { "*" })
    }

    fn fits(&self, pattern: &str, image: &str) -> bool {
        let slashes = |text: &str| text.matches('/').count();
        let in_segments = !self.by_segments || pattern.contains("**") || slashes(pattern) == slashes(image);
        in_segments && wildcard(pattern, image)
    }
}

/// An image as engines write it: with its registry and its tag.
fn forms(image: &str) -> Vec<String> {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let tagged = if last.contains(':') || image.contains('@') { image.to_owned() } else { format!("{image}:latest") };
    let mut forms = vec![image.to_owned(), tagged.clone()];
    if !is_registry {
        let hosts: &[&str] = if first.is_empty() {
            &["docker.io/", "docker.io/library/", "index.docker.io/library/"]
        } else {
            &["docker.io/", "index.docker.io/"]
        };
        for host in hosts {
            forms.extend([format!("{host}{image}"), format!("{host}{tagged}")]);
        }
    }
    forms
}

/// `verifyImages` of a rule of Kyverno. None if no signature is asked for.
pub(super) fn of_kyverno(verify: Value<'_>) -> Option<ImageRule> {
    let mut rule = ImageRule::default();
    for entry in verify.items() {
        let asks = ["attestors", "attestations", "key", "issuer"].iter().any(|key| entry.field(key).is_some());
        if !asks || entry.flag("required") == Some(false) {
            continue;
        }
        rule.patterns.extend(texts(entry.field("imageReferences")).unwrap_or_default());
        rule.patterns.extend(entry.text("image").map(str::to_owned));
        rule.skipped.extend(texts(entry.field("skipImageReferences")).unwrap_or_default());
    }
    (!rule.patterns.is_empty()).then_some(rule)
}

/// ClusterImagePolicy of Sigstore and ImageValidatingPolicy of Kyverno.
pub(super) fn read(manifests: &Manifests, default: &str, all: &mut AdmissionPolicies) {
    for object in manifests.by_custom_kind("policy.sigstore.dev", "ClusterImagePolicy") {
        let spec = object.spec();
        // An authority that lets everything pass makes the others useless.
        let mut authorities = spec.list("authorities").peekable();
        let verifies = authorities.peek().is_some()
            && !authorities.any(|a| a.path(&["static", "action"]).and_then(Value::scalar_text) == Some("pass"));
        let patterns = spec.list("images").filter_map(|i| i.text("glob")).map(str::to_owned).collect();
        let images = verifies.then_some(ImageRule { patterns, skipped: Vec::new(), by_segments: true });
        let mode = spec.field("mode");
        let action = match mode.and_then(Value::scalar_text) {
            None | Some("" | "enforce") => Action::Denies,
            Some("warn") => Action::Reports,
            Some(_) => Action::Unknown,
        };
        if action == Action::Unknown {
            let text =
                format!("the mode of {} is not known: it counts as if it refused nothing", object.identity(default));
            all.warn("unknown-failure-action", text, mode.map_or(object.span(), Value::span));
        }
        // The controller looks at namespaces with this label only.
        let opted_in = LabelSelector::from_labels(&Labels::from_pairs([("policy.sigstore.dev/include", "true")]));
        let clause = Clause { names: None, selector: Some(opted_in), only_some: spec.field("match").is_some() };
        let rule = Rule {
            span: object.span(),
            refuses: super::Refused::default(),
            images,
            reach: Reach { includes: vec![clause], excludes: Vec::new() },
            action,
            action_span: mode.map(Value::span),
            overrides: Vec::new(),
        };
        all.policies.push(Policy {
            identity: object.identity(default),
            name: object.name().to_owned(),
            namespace: None,
            span: object.span(),
            engine: Engine::Sigstore,
            rules: vec![rule],
        });
    }
    for kind in ["ImageValidatingPolicy", "NamespacedImageValidatingPolicy"] {
        for object in manifests.by_custom_kind(native::KYVERNO, kind) {
            let Some(mut policy) = native::of_kyverno(object, default, all) else { continue };
            let spec = object.spec();
            let patterns: Vec<String> =
                spec.list("matchImageReferences").filter_map(|m| m.text("glob")).map(str::to_owned).collect();
            let asks = spec.list("attestors").next().is_some() && spec.list("validations").next().is_some();
            for rule in &mut policy.rules {
                rule.refuses = super::Refused::default();
                rule.images = (asks && !patterns.is_empty()).then(|| ImageRule {
                    patterns: patterns.clone(),
                    skipped: Vec::new(),
                    by_segments: false,
                });
            }
            all.policies.push(policy);
        }
    }
}
