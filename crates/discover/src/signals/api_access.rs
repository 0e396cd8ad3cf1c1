//! What workloads may do with the Kubernetes API, through the roles bound to their service accounts.

use std::collections::BTreeSet;

use kubestride_model::{AttributeId, FlowKind, Value};
use kubestride_policy::rbac::{
    Capabilities, Capability, Evidence, Grant, Scope as Granted, Subject as RbacSubject, capabilities,
};
use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Authentication, Scope, YesNo};

use super::{Each, Signal};
use crate::claims::{FlowClaim, Note, Party, Subject};
use crate::token;
use crate::world::{WorkloadInfo, World};

pub(crate) struct ApiAccess;

/// The attribute that says how far a capability reaches.
fn attribute(capability: Capability) -> AttributeId {
    match capability {
        Capability::Everything => attr::CAN_EVERYTHING.id,
        Capability::ReadSecrets => attr::CAN_READ_SECRETS.id,
        Capability::CreatePods => attr::CAN_CREATE_PODS.id,
        Capability::ChangeWorkloads => attr::CAN_CHANGE_WORKLOADS.id,
        Capability::Exec => attr::CAN_EXEC.id,
        Capability::Escalate => attr::CAN_ESCALATE.id,
        Capability::Impersonate => attr::CAN_IMPERSONATE.id,
        Capability::IssueTokens => attr::CAN_ISSUE_TOKENS.id,
        Capability::ProxyNodes => attr::CAN_PROXY_NODES.id,
        Capability::ChangeAdmission => attr::CAN_CHANGE_ADMISSION.id,
        Capability::DeleteEvents => attr::CAN_DELETE_EVENTS.id,
        Capability::ChangeNamespaces => attr::CAN_CHANGE_NAMESPACES.id,
        Capability::DeleteData => attr::CAN_DELETE_DATA.id,
        Capability::WriteConfigMaps => attr::CAN_WRITE_CONFIG.id,
        Capability::MakeTokenSecrets => attr::CAN_MAKE_TOKEN_SECRETS.id,
        Capability::IssueCertificates => attr::CAN_ISSUE_CERTIFICATES.id,
        Capability::ChangeApis => attr::CAN_CHANGE_APIS.id,
        Capability::WriteSystemConfig => attr::CAN_WRITE_SYSTEM_CONFIG.id,
        Capability::CreateVolumes => attr::CAN_CREATE_VOLUMES.id,
        Capability::MovePods => attr::CAN_MOVE_PODS.id,
        Capability::RedirectServices => attr::CAN_REDIRECT_SERVICES.id,
        Capability::ReachPods => attr::CAN_REACH_PODS.id,
        Capability::ChangeNetworkRules => attr::CAN_CHANGE_NETWORK_RULES.id,
        Capability::ChangeRuntimeRules => attr::CAN_CHANGE_RUNTIME_RULES.id,
    }
}

/// The flow with an attribute for each capability. Its evidence is every rule that contributes, and every binding that
/// gives the role of such a rule.
pub(super) fn with_capabilities(mut claim: FlowClaim, capabilities: &Capabilities) -> FlowClaim {
    for (capability, permission) in capabilities.held() {
        let scope = if permission.scope() == Some(Granted::Cluster) { Scope::Cluster } else { Scope::Namespace };
        // All these attributes have the same domain.
        let value: Value = attr::CAN_EVERYTHING.value(scope);
        for note in notes(permission.evidence()) {
            claim = claim.with(attribute(capability), value, note);
        }
    }
    claim
}

/// Every rule, and every binding that gives the role of such a rule, each once.
pub(super) fn notes<'e>(evidence: impl IntoIterator<Item = &'e Evidence>) -> Vec<Note> {
    let (mut notes, mut bindings): (Vec<Note>, Vec<Note>) = (Vec::new(), Vec::new());
    for Evidence { binding, binding_span, role, written_in, rule_span } in evidence {
        let part = if written_in == role { String::new() } else { format!("{written_in} as part of ") };
        if let Some(span) = rule_span {
            notes.push(Note::stated(*span, format!("{part}{role} through {binding}")));
        }
        bindings.push(Note::stated(*binding_span, format!("{binding} gives {role}")));
    }
    // A binding that gives several of the rules is cited once.
    notes.append(&mut bindings);
    let mut seen: BTreeSet<(Option<Span>, String)> = BTreeSet::new();
    notes.retain(|note| seen.insert((note.span, note.text.clone())));
    notes
}

/// That a binding gives a role to the service account of a workload, or to a group that every such account is in.
fn named(grant: &Grant<'_>) -> Note {
    let text = match grant.subject {
        RbacSubject::Group(group) => {
            format!("{} names the group {group}, which its service account is in", grant.binding)
        }
        _ => format!("{} names its service account", grant.binding),
    };
    Note::stated(grant.binding_span, text)
}

impl Signal for ApiAccess {
    fn name(&self) -> &'static str {
        "api-access"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            let own = grants(world, workload, workload.service_account());
            if let Some(first) = own.first() {
                let of_workload = Subject::Party(Party::Workload(index));
                claims.set(of_workload, attr::API_ACCESS.id, attr::API_ACCESS.value(YesNo::Yes), named(first));
            }
            if let Some(claim) = calls(world, index, workload, &own) {
                claims.flows.push(claim);
            }
        }))
    }
}

fn grants<'w>(world: &'w World<'_>, workload: &WorkloadInfo<'_>, account: &str) -> Vec<Grant<'w>> {
    world.rbac.grants(&RbacSubject::service_account(&*workload.namespace, account))
}

/// The calls of a workload with the tokens that it holds. Without a token, rights cannot be used from the pod.
fn calls(world: &World<'_>, index: usize, workload: &WorkloadInfo<'_>, own: &[Grant<'_>]) -> Option<FlowClaim> {
    let mut tokens: Vec<(Vec<Grant<'_>>, Note)> = Vec::new();
    let account = world.service_account(&workload.namespace, workload.service_account());
    if let (Some(first), (true, _)) = (own.first(), token::own(workload, account)) {
        let note = Note::stated(first.binding_span, "the token of its service account");
        tokens.push((own.to_vec(), note));
    }
    let of_secrets = token::of_secrets(world, workload).into_iter();
    tokens.extend(of_secrets.map(|(account, note)| (grants(world, workload, &account), note)));
    tokens.retain(|(grants, _)| !grants.is_empty());

    let (grants, note) = tokens.first()?;
    let first = grants.first()?;
    let mut claim = FlowClaim::new(Party::Workload(index), Party::ApiServer, FlowKind::Api, named(first));
    (claim.port, claim.protocol) = (Some(443), Some("HTTPS".to_owned()));
    let authentication = attr::AUTHENTICATION.value(Authentication::Token);
    claim = claim.with(attr::AUTHENTICATION.id, authentication, note.clone());
    for (_, note) in tokens.iter().skip(1) {
        claim = claim.with(attr::AUTHENTICATION.id, authentication, note.clone());
    }
    let all = tokens.iter().map(|(grants, _)| capabilities(grants)).reduce(Capabilities::or)?;
    Some(with_capabilities(claim, &all))
}
