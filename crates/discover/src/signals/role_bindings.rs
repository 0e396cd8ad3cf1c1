//! Role bindings as controls, and the people and groups that they let in.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::Identity;
use kubestride_model::FlowKind;
use kubestride_policy::rbac::{
    Binding, Capabilities, Capability, Grant, Rule, Scope as Granted, Subject as RbacSubject, capabilities,
};
use kubestride_stencils::values::{Power, Scope as ModelScope, YesNo};
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use super::api_access::{notes, with_capabilities};
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::world::World;
use crate::{Scope, binding_subjects};

pub(crate) struct RoleBindings;

impl Signal for RoleBindings {
    fn name(&self) -> &'static str {
        "role-bindings"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let mut known: BTreeMap<&RbacSubject, Capabilities> = BTreeMap::new();
        for binding in world.rbac.bindings() {
            control(world, binding, world.rbac.grant(binding, 0).as_ref(), claims);
            power(world, binding, &mut known, claims);
            people(world, binding, claims);
        }
    }
}

/// The only namespace of a binding; none for the cluster.
fn namespace(binding: &Binding) -> Option<String> {
    match &binding.scope {
        Granted::Cluster => None,
        Granted::Namespaces(names) => names.first().cloned(),
    }
}

/// Whether a rule only lets read what every user of a cluster may: health, version, discovery and its own access.
fn is_public_reading(rule: &Rule) -> bool {
    let own = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];
    let paths = [
        "api",
        "apis",
        "healthz",
        "livez",
        "openapi",
        "openid",
        "readyz",
        "swagger-2.0.0.json",
        "version",
        ".well-known",
    ];
    let public = |url: &str| url.split('/').nth(1).is_some_and(|first| paths.contains(&first.trim_end_matches('*')));
    let reads = rule.verbs.iter().all(|verb| verb == "get" || verb == "head");
    rule.resources.iter().all(|r| own.contains(&r.as_str()))
        && (rule.non_resource_urls.is_empty() || (reads && rule.non_resource_urls.iter().all(|url| public(url))))
}

/// Whether a rule only lets read how the cluster is reached, which kubeadm shows to those who are about to join.
fn is_cluster_info(binding: &Binding, rule: &Rule) -> bool {
    namespace(binding).as_deref() == Some("kube-public")
        && rule.resources == ["configmaps"]
        && rule.verbs.iter().all(|verb| verb == "get")
        && rule.resource_names == ["cluster-info"]
}

fn control(world: &World<'_>, binding: &Binding, grant: Option<&Grant<'_>>, claims: &mut Claims) {
    let subject = || Subject::Control(binding.identity.clone());
    let workloads: BTreeSet<usize> = binding.subjects.iter().flat_map(|(s, _)| running_as(world, s)).copied().collect();
    claims.controls.push(ControlClaim {
        identity: binding.identity.clone(),
        name: Identity(&binding.identity).name().to_owned(),
        stencil: stencil::ROLE_BINDING,
        namespace: namespace(binding),
        workloads: workloads.into_iter().collect(),
        note: Note::stated(binding.span, ""),
    });
    if let Some(rule) =
        grant.and_then(|g| g.rules.iter().find(|r| !is_public_reading(r) && !is_cluster_info(binding, r)))
    {
        let note = Note::stated(rule.span.unwrap_or(binding.span), "more than reading of public information");
        claims.set(subject(), attr::GRANTS_POWER.id, attr::GRANTS_POWER.value(YesNo::Yes), note);
    }
    // In a smaller scope the role may be part of the cluster.
    if grant.is_some_and(|g| g.role_missing) && world.options.scope == Scope::Cluster {
        let note = Note::stated(binding.span, "the role does not exist");
        claims.set(subject(), attr::SELECTS_NOTHING.id, attr::SELECTS_NOTHING.value(YesNo::Yes), note);
    } else if let Some((account, span)) = binding.subjects.iter().find(|(s, _)| is_missing(world, s)) {
        let RbacSubject::ServiceAccount { namespace, name } = account else { return };
        let note = Note::stated(*span, format!("there is no service account {name} in {namespace}"));
        claims.set(subject(), attr::SELECTS_NOTHING.id, attr::SELECTS_NOTHING.value(YesNo::Yes), note);
    }
}

/// Whom the binding is about, and how far these get with it: by its own rules, and by those of other bindings that make
/// something of them.
fn power<'w>(
    world: &'w World<'_>,
    binding: &'w Binding,
    known: &mut BTreeMap<&'w RbacSubject, Capabilities>,
    claims: &mut Claims,
) {
    let Some((class, worst, span)) = binding_subjects::worst(world, binding) else { return };
    let subject = || Subject::Control(binding.identity.clone());
    claims.set(subject(), attr::BINDING_SUBJECT.id, attr::BINDING_SUBJECT.value(class), Note::stated(span, ""));
    let place = binding.subjects.iter().position(|(subject, _)| subject == worst).unwrap_or(0);
    let alone = capabilities(&world.rbac.grant(binding, place).into_iter().collect::<Vec<_>>());
    let found = binding_subjects::takes_over(binding, &alone).or_else(|| {
        let all = known.entry(worst).or_insert_with(|| capabilities(&world.rbac.grants(worst)));
        binding_subjects::takes_over(binding, all)
    });
    let Some((capability, evidence)) = found else { return };
    let mut attributes = vec![(attr::POWER.id, attr::POWER.value(Power::TakesOver))];
    if capability == Capability::Everything {
        attributes.push((attr::CLUSTER_ADMIN.id, attr::CLUSTER_ADMIN.value(YesNo::Yes)));
    }
    for (attribute, value) in attributes {
        for (at, note) in notes(&evidence).into_iter().enumerate() {
            if at == 0 {
                claims.set(subject(), attribute, value, note);
            } else {
                claims.also(subject(), attribute, note);
            }
        }
    }
}

/// Whether a subject is a service account that does not exist. Every namespace has one called `default`, and the control
/// plane makes its own in `kube-system`.
fn is_missing(world: &World<'_>, subject: &RbacSubject) -> bool {
    let RbacSubject::ServiceAccount { namespace, name } = subject else { return false };
    world.options.scope == Scope::Cluster
        && name != "default"
        && namespace != "kube-system"
        && world.service_account(namespace, name).is_none()
}

/// The workloads that run as a subject.
fn running_as<'w>(world: &'w World<'_>, subject: &RbacSubject) -> &'w [usize] {
    match subject {
        RbacSubject::ServiceAccount { namespace, name } => world.pods.running_as(namespace, name),
        RbacSubject::User(_) | RbacSubject::Group(_) => &[],
    }
}

/// Users, groups, and service accounts that no workload of the input runs as, call the API from outside the model.
fn people(world: &World<'_>, binding: &Binding, claims: &mut Claims) {
    for (subject, span) in &binding.subjects {
        let (identity, name, group) = match subject {
            RbacSubject::User(name) => (format!("User/{name}"), name.clone(), false),
            RbacSubject::Group(name) => (format!("Group/{name}"), name.clone(), true),
            RbacSubject::ServiceAccount { namespace, name } => {
                if !running_as(world, subject).is_empty() || world.service_account(namespace, name).is_some() {
                    continue;
                }
                (format!("ServiceAccount/{namespace}/{name}"), name.clone(), false)
            }
        };
        let grants = world.rbac.grants(subject);
        let note = Note::stated(*span, format!("named by {}", binding.identity));
        let party = Party::ApiUser { identity, name, group };
        let mut claim = FlowClaim::new(party, Party::ApiServer, FlowKind::Api, note);
        (claim.port, claim.protocol) = (Some(443), Some("HTTPS".to_owned()));
        claim = with_capabilities(claim, &capabilities(&grants));
        // The API server lets this group through before it asks for roles.
        if *subject == RbacSubject::group("system:masters") {
            let note = Note::stated(*span, "system:masters may do everything, whatever its roles are");
            claim.attributes.retain(|(attribute, ..)| *attribute != attr::CAN_EVERYTHING.id);
            claim = claim.with(attr::CAN_EVERYTHING.id, attr::CAN_EVERYTHING.value(ModelScope::Cluster), note);
        }
        claims.flows.push(claim);
    }
}
