//! Questions about mesh policies.

use kubestride_manifest::{LabelSelector, Labels};
use kubestride_source::Span;

use super::{MeshPolicies, Mode, PeerAuthentication};

/// The namespace whose policies hold for the whole mesh, as Istio installs it.
const ROOT: &str = "istio-system";

/// What a pod asks of its callers, and the policy that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTls {
    /// What holds; `Unset` means the default of the mesh, which accepts plain text.
    pub mode: Mode,
    /// The policy.
    pub policy: String,
    /// Where its mode stands.
    pub span: Span,
}

/// Who may call a pod.
#[derive(Debug, Clone, Default)]
pub struct Authorization {
    /// ALLOW policies that select it.
    pub allowed_by: Vec<(String, Span)>,
    /// A rule of one of them that everybody meets.
    pub admits_everyone: Option<Span>,
}

fn selects(selector: &Option<LabelSelector>, labels: &Labels<'_>) -> bool {
    selector.as_ref().is_none_or(|s| s.matches(labels))
}

impl MeshPolicies<'_> {
    /// The mutual TLS of a pod: its own policy wins over that of the namespace, and that over the one of the mesh.
    ///
    /// A port with a weaker mode of its own makes the weaker mode hold for the pod.
    pub fn mutual_tls(&self, namespace: &str, labels: &Labels<'_>) -> Option<MutualTls> {
        let own = |p: &&PeerAuthentication<'_>| {
            p.namespace == namespace && p.selector.is_some() && selects(&p.selector, labels)
        };
        let of =
            |wanted: &'static str| move |p: &&PeerAuthentication<'_>| p.namespace == wanted && p.selector.is_none();
        let of_namespace = |p: &&PeerAuthentication<'_>| p.namespace == namespace && p.selector.is_none();
        let levels =
            [self.peers.iter().find(own), self.peers.iter().find(of_namespace), self.peers.iter().find(of(ROOT))];
        let present: Vec<&PeerAuthentication<'_>> = levels.into_iter().flatten().collect();
        let deciding = present.iter().find(|p| p.mode != Mode::Unset).or(present.first())?;
        let weak = |m: &Mode| matches!(m, Mode::Permissive | Mode::Disable);
        let weak_port = present.first().and_then(|p| p.ports.iter().find(|(_, m)| weak(m)));
        let mode = weak_port.map_or(deciding.mode, |(_, m)| *m);
        Some(MutualTls { mode, policy: deciding.identity.clone(), span: deciding.span })
    }

    /// The authorization policies of a pod. Without an ALLOW policy everybody may call it.
    pub fn authorization(&self, namespace: &str, labels: &Labels<'_>) -> Authorization {
        let mut out = Authorization::default();
        for policy in &self.authorizations {
            let here = policy.namespace == namespace || policy.namespace == ROOT;
            if here && policy.action == "ALLOW" && selects(&policy.selector, labels) {
                out.allowed_by.push((policy.identity.clone(), policy.span));
                out.admits_everyone = out.admits_everyone.or(policy.admits_everyone);
            }
        }
        out
    }
}
