//! Role bindings as controls, and the people and groups that they let in.

use std::collections::BTreeSet;

use kubestride_model::FlowKind;
use kubestride_policy::rbac::{Binding, Grant, Rule, Scope as Granted, Subject as RbacSubject, capabilities};
use kubestride_stencils::values::*;
use kubestride_stencils::{attributes as attr, stencil};

use super::Signal;
use super::api_access::with_capabilities;
use crate::Scope;
use crate::claims::{Claims, ControlClaim, FlowClaim, Note, Party, Subject};
use crate::world::World;

pub(crate) struct RoleBindings;

/// Groups and users that everybody or every service account is in.
const EVERYONE: [&str; 3] = ["system:authenticated", "system:serviceaccounts", "system:masters"];
const ANONYMOUS: [&str; 2] = ["system:anonymous", "system:unauthenticated"];

impl Signal for RoleBindings {
    fn name(&self) -> &'static str {
        "role-bindings"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for binding in world.rbac.bindings() {
            control(world, binding, world.rbac.grant(binding, 0).as_ref(), claims);
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
    rule.resources.iter().all(|r| own.contains(&r.as_str()))
}

fn control(world: &World<'_>, binding: &Binding, grant: Option<&Grant<'_>>, claims: &mut Claims) {
    let subject = || Subject::Control(binding.identity.clone());
    let workloads: BTreeSet<usize> = binding.subjects.iter().flat_map(|(s, _)| running_as(world, s)).copied().collect();
    claims.controls.push(ControlClaim {
        identity: binding.identity.clone(),
        name: binding.identity.rsplit('/').next().unwrap_or_default().to_owned(),
        stencil: stencil::ROLE_BINDING,
        namespace: namespace(binding),
        workloads: workloads.into_iter().collect(),
        note: Note::stated(binding.span, ""),
    });
    let named = |list: &[&str]| {
        binding
            .subjects
            .iter()
            .find(|(s, _)| matches!(s, RbacSubject::Group(n) | RbacSubject::User(n) if list.contains(&n.as_str())))
    };
    let (value, span) = match (named(&ANONYMOUS), named(&EVERYONE)) {
        (Some((_, span)), _) => (BindingSubject::Anonymous, *span),
        (None, Some((RbacSubject::Group(group), span))) if group != "system:masters" => {
            (BindingSubject::Everyone, *span)
        }
        _ => (BindingSubject::Named, binding.subjects.first().map_or(binding.span, |(_, s)| *s)),
    };
    claims.set(subject(), attr::BINDING_SUBJECT.id, attr::BINDING_SUBJECT.value(value), Note::stated(span, ""));
    if binding.role.as_ref().is_some_and(|r| r.identity == "ClusterRole/cluster-admin") {
        let note = Note::stated(binding.span, "the role is cluster-admin");
        claims.set(subject(), attr::CLUSTER_ADMIN.id, attr::CLUSTER_ADMIN.value(YesNo::Yes), note);
    }
    if let Some(rule) = grant.and_then(|g| g.rules.iter().find(|r| !is_public_reading(r))) {
        let note = Note::stated(rule.span.unwrap_or(binding.span), "more than reading of public information");
        claims.set(subject(), attr::GRANTS_POWER.id, attr::GRANTS_POWER.value(YesNo::Yes), note);
    }
    // In a smaller scope the role may be part of the cluster.
    if grant.is_some_and(|g| g.role_missing) && world.options.scope == Scope::Cluster {
        let note = Note::stated(binding.span, "the role does not exist");
        claims.set(subject(), attr::SELECTS_NOTHING.id, attr::SELECTS_NOTHING.value(YesNo::Yes), note);
    }
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
        claims.flows.push(with_capabilities(claim, &capabilities(&grants)));
    }
}
