//! Whom a role binding gives its role, as far as that decides how bad it is to give it.

use kubestride_policy::rbac::{Binding, Capabilities, Capability, Evidence, Scope, Subject};
use kubestride_source::Span;
use kubestride_stencils::values::BindingSubject;

use crate::token;
use crate::world::World;

/// Rights over the whole cluster that lead to all others: by making rights, by taking somebody else's, or by running
/// code beside them.
const TAKES_OVER: [Capability; 13] = [
    Capability::Everything,
    Capability::Escalate,
    Capability::Impersonate,
    Capability::IssueTokens,
    Capability::MakeTokenSecrets,
    Capability::IssueCertificates,
    Capability::CreatePods,
    Capability::ChangeWorkloads,
    Capability::Exec,
    Capability::ReadSecrets,
    Capability::ProxyNodes,
    Capability::ChangeAdmission,
    Capability::CreateVolumes,
];

/// The subject of a binding whose rights are the worst to give away, with its place. None if the binding names nobody.
pub(crate) fn worst<'b>(world: &World<'_>, binding: &'b Binding) -> Option<(BindingSubject, &'b Subject, Span)> {
    let role = binding.role.as_ref().map_or("", |role| role.identity.as_str());
    let of = |(subject, span): &'b (Subject, Span)| (class(world, subject, role), subject, *span);
    // The values are in order, the worst first.
    binding.subjects.iter().map(of).min_by_key(|(class, ..)| *class as u8)
}

fn class(world: &World<'_>, subject: &Subject, role: &str) -> BindingSubject {
    let own_role = role.starts_with("ClusterRole/system:") || role.starts_with("Role/kube-system/system:");
    match subject {
        Subject::User(name) if name == "system:anonymous" => BindingSubject::Anonymous,
        Subject::Group(name) => match name.as_str() {
            "system:unauthenticated" => BindingSubject::Anonymous,
            "system:authenticated" | "system:serviceaccounts" => BindingSubject::Everyone,
            // The API server lets the first through before it asks for roles; the second is made by kubeadm, for those
            // who run the cluster.
            "system:masters" | "kubeadm:cluster-admins" => BindingSubject::System,
            _ if name.starts_with("system:serviceaccounts:") => BindingSubject::NamespaceAccounts,
            _ if name.starts_with("system:") && own_role => BindingSubject::System,
            _ => BindingSubject::Group,
        },
        Subject::User(name) if name.starts_with("system:") && own_role => BindingSubject::System,
        Subject::User(_) => BindingSubject::User,
        Subject::ServiceAccount { namespace, .. } if namespace == "kube-system" && own_role => BindingSubject::System,
        Subject::ServiceAccount { namespace, name } => {
            let account = world.service_account(namespace, name);
            let holds = |at: &usize| world.workloads.get(*at).is_some_and(|workload| token::own(workload, account).0);
            if world.pods.running_as(namespace, name).iter().any(holds) {
                BindingSubject::Workloads
            } else {
                BindingSubject::Account
            }
        }
    }
}

/// The binding and the rules that let its subject take over the cluster, with what it can do; nothing if it cannot, or
/// can without this binding.
pub(crate) fn takes_over(binding: &Binding, can: &Capabilities) -> Option<(Capability, Vec<Evidence>)> {
    TAKES_OVER.iter().find_map(|capability| {
        let permission = can.get(*capability);
        let evidence = permission.evidence();
        let through_this = evidence.iter().any(|e| e.binding == binding.identity);
        (permission.scope() == Some(Scope::Cluster) && through_this)
            .then(|| (*capability, evidence.into_iter().cloned().collect()))
    })
}
