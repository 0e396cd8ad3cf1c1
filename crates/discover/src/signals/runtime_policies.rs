//! KubeArmor's policies as controls, with their true effect: what the action says, and for policies that allow, what the
//! default posture of the namespace does with everything else.
//!
//! <https://docs.kubearmor.io/kubearmor/documentation/security_policy_specification>,
//! <https://docs.kubearmor.io/kubearmor/documentation/default_posture>

use kubestride_manifest::{LabelSelector, Object};
use kubestride_stencils::values::RuntimeEffect;
use kubestride_stencils::{attributes as attr, stencil};
use kubestride_yaml::Value;

use super::Signal;
use crate::claims::{Claims, ControlClaim, Note, Subject};
use crate::world::World;

pub(crate) struct RuntimePolicies;

const GROUP: &str = "security.kubearmor.com";
const KINDS: [&str; 3] = ["KubeArmorPolicy", "KubeArmorClusterPolicy", "KubeArmorHostPolicy"];
/// Parts of a policy that have an action of their own.
const PARTS: [&str; 5] = ["process", "file", "network", "capabilities", "syscalls"];

impl Signal for RuntimePolicies {
    fn name(&self) -> &'static str {
        "runtime-policies"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for kind in KINDS {
            for policy in world.manifests.by_custom_kind(GROUP, kind) {
                let Some(spec) = policy.spec() else { continue };
                control(world, policy, spec, claims);
            }
        }
    }
}

fn control(world: &World<'_>, policy: Object<'_>, spec: Value<'_>, claims: &mut Claims) {
    let identity = policy.identity(&world.options.namespace);
    let own = (policy.kind() == "KubeArmorPolicy").then(|| world.namespace_of(policy));
    let workloads = match policy.kind() {
        // It is about the processes of nodes, not of pods.
        "KubeArmorHostPolicy" => Vec::new(),
        "KubeArmorPolicy" => {
            let selector = spec.get("selector").map(LabelSelector::read).unwrap_or_default();
            let namespace = own.clone().unwrap_or_default();
            let fits = |at: &usize| world.workloads.get(*at).is_some_and(|w| selector.matches(&w.labels));
            world.pods.candidates(&namespace, &selector).into_iter().filter(fits).collect()
        }
        _ => of_namespaces(world, spec),
    };
    let note = Note::stated(policy.span(), "");
    claims.controls.push(ControlClaim {
        identity: identity.clone(),
        name: policy.name().to_owned(),
        stencil: stencil::RUNTIME_POLICY,
        namespace: own.clone(),
        workloads,
        note,
    });
    if let Some((effect, note)) = effect(world, policy, spec, own.as_deref()) {
        let value = attr::RUNTIME_EFFECT.value(effect);
        claims.set(Subject::Control(identity), attr::RUNTIME_EFFECT.id, value, note);
    }
}

/// The workloads of the namespaces that a cluster policy names by `matchExpressions` with the key `namespace`.
fn of_namespaces(world: &World<'_>, spec: Value<'_>) -> Vec<usize> {
    let expressions = spec.get("selector").and_then(|s| s.get("matchExpressions"));
    let expressions: Vec<Value<'_>> = expressions.into_iter().flat_map(|e| e.items()).collect();
    let admits = |namespace: &str| {
        let named = |e: &Value<'_>| e.get("key").and_then(|k| k.as_str()) == Some("namespace");
        expressions.iter().filter(|e| named(e)).all(|e| {
            let mut values = e.get("values").into_iter().flat_map(|v| v.items());
            let listed = values.any(|v| v.as_str() == Some(namespace));
            listed == (e.get("operator").and_then(|o| o.as_str()) != Some("NotIn"))
        })
    };
    world.workloads.iter().enumerate().filter(|(_, w)| admits(&w.namespace)).map(|(at, _)| at).collect()
}

/// The strongest effect of a policy. Of a policy without an action, KubeArmor's default is to block.
fn effect(
    world: &World<'_>,
    policy: Object<'_>,
    spec: Value<'_>,
    namespace: Option<&str>,
) -> Option<(RuntimeEffect, Note)> {
    let parts = PARTS.iter().filter_map(|part| spec.get(part)).filter_map(|part| part.get("action"));
    let actions: Vec<Value<'_>> = parts.chain(spec.get("action")).collect();
    let with = |word: &str| actions.iter().find(|a| a.as_str().is_some_and(|a| a.eq_ignore_ascii_case(word)));
    if let Some(action) = with("Block") {
        return Some((RuntimeEffect::Blocks, Note::stated(action.span(), "")));
    }
    if let Some(action) = with("Allow") {
        let posture = posture(world, namespace);
        let blocks = posture.as_ref().is_some_and(|(blocks, _)| *blocks);
        let effect = if blocks { RuntimeEffect::Blocks } else { RuntimeEffect::Alerts };
        let text = if blocks {
            "everything else is blocked by the posture of the namespace"
        } else {
            "everything else raises an alert, which is the default posture"
        };
        return Some((effect, Note::merged(posture.map_or(action.span(), |(_, span)| span), text)));
    }
    if let Some(action) = with("Audit") {
        return Some((RuntimeEffect::Alerts, Note::stated(action.span(), "")));
    }
    actions.is_empty().then(|| (RuntimeEffect::Blocks, Note::default(policy.span(), "no action: it blocks")))
}

/// What the namespace does with what no policy allows: `kubearmor-file-posture` and the like.
fn posture(world: &World<'_>, namespace: Option<&str>) -> Option<(bool, kubestride_source::Span)> {
    let object = world.namespaces.get(namespace?)?;
    let annotation = object.annotations().find(|a| a.key.starts_with("kubearmor-") && a.key.ends_with("-posture"))?;
    Some((annotation.value.as_str() == Some("block"), annotation.key_span))
}
