//! What workloads may do with the Kubernetes API, through the roles bound to their service accounts.

use kubestride_model::{AttributeId, FlowKind, Value};
use kubestride_policy::rbac::{Capabilities, Capability, Scope as Granted, Subject as RbacSubject, capabilities};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Authentication, Scope, YesNo};

use super::Signal;
use crate::claims::{Claims, FlowClaim, Note, Party, Subject};
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
    }
}

/// The flow with an attribute for each capability.
pub(super) fn with_capabilities(mut claim: FlowClaim, capabilities: &Capabilities) -> FlowClaim {
    for (capability, permission) in capabilities.held() {
        let scope = if permission.scope == Some(Granted::Cluster) { Scope::Cluster } else { Scope::Namespace };
        // All these attributes have the same domain.
        let value: Value = attr::CAN_EVERYTHING.value(scope);
        for evidence in &permission.evidence {
            let span = evidence.rule_span.unwrap_or(evidence.binding_span);
            let note = Note::stated(span, format!("{} through {}", evidence.role, evidence.binding));
            claim = claim.with(attribute(capability), value, note);
        }
    }
    claim
}

impl Signal for ApiAccess {
    fn name(&self) -> &'static str {
        "api-access"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (index, workload) in world.workloads.iter().enumerate() {
            let subject = RbacSubject::service_account(&*workload.namespace, workload.service_account());
            let grants = world.rbac.grants(&subject);
            let Some(first) = grants.first() else { continue };
            let note = Note::stated(first.binding_span, format!("{} names its service account", first.binding));
            let of_workload = Subject::Party(Party::Workload(index));
            claims.set(of_workload, attr::API_ACCESS.id, attr::API_ACCESS.value(YesNo::Yes), note.clone());
            // Without a token the rights cannot be used from the pod.
            if !token_mounted(world, workload) {
                continue;
            }
            let token = Note { text: "the token of its service account".to_owned(), ..note.clone() };
            let mut claim = FlowClaim::new(Party::Workload(index), Party::ApiServer, FlowKind::Api, note).with(
                attr::AUTHENTICATION.id,
                attr::AUTHENTICATION.value(Authentication::Token),
                token,
            );
            (claim.port, claim.protocol) = (Some(443), Some("HTTPS".to_owned()));
            claims.flows.push(with_capabilities(claim, &capabilities(&grants)));
        }
    }
}

/// Whether the pod gets a token for the API: by default, or by a projected volume that asks for one.
fn token_mounted(world: &World<'_>, workload: &WorkloadInfo<'_>) -> bool {
    use kubestride_manifest::VolumeSource::{Projected, ServiceAccountToken};
    let account = world.service_account(&workload.namespace, workload.service_account());
    let setting = workload.pod().automount().or_else(|| account?.root().get("automountServiceAccountToken"));
    let projected = |source: &kubestride_manifest::VolumeSource<'_>| matches!(source, Projected(parts) if parts.iter().any(|p| matches!(p, ServiceAccountToken { audience: None, .. })));
    setting.and_then(|v| v.as_bool()).unwrap_or(true) || workload.pod().volumes().any(|v| projected(&v.source()))
}
