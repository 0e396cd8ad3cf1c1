//! The flags of the API server, where its pod is part of the input (`kubeadm` and alike keep it as a manifest).

use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::YesNo;
use kubestride_yaml::Value;

use super::{Each, Signal};
use crate::claims::{Claims, Note, Subject};
use crate::world::{WorkloadInfo, World};

pub(crate) struct ControlPlane;

impl Signal for ControlPlane {
    fn name(&self) -> &'static str {
        "control-plane"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        let mut found = false;
        Some(Box::new(move |_, workload, claims| {
            // Of several servers the first one speaks for all.
            if !found && let Some(server) = ApiServer::of(workload) {
                found = true;
                server.audit(claims);
                server.encryption(world, claims);
            }
        }))
    }
}

/// The container that runs the API server.
struct ApiServer<'a> {
    span: Span,
    words: Vec<Value<'a>>,
}

impl<'a> ApiServer<'a> {
    fn of(workload: &WorkloadInfo<'a>) -> Option<Self> {
        workload.containers.iter().find_map(|container| {
            let program = container.command().chain(container.args()).next()?.as_str()?.rsplit('/').next()?;
            let words = || container.command().chain(container.args()).collect();
            (program == "kube-apiserver").then(|| Self { span: container.span(), words: words() })
        })
    }

    /// Where a flag stands, as `--flag=value` or as `--flag`.
    fn flag(&self, name: &str) -> Option<Span> {
        let is = |word: &&Value<'_>| word.as_str().is_some_and(|w| w.split('=').next() == Some(name));
        self.words.iter().find(is).map(|word| word.span())
    }

    /// Requests are logged if there is a policy and a place to write to; either alone logs nothing.
    fn audit(&self, claims: &mut Claims) {
        let place = self.flag("--audit-log-path").or_else(|| self.flag("--audit-webhook-config-file"));
        let (value, note) = match (self.flag("--audit-policy-file"), place) {
            (Some(span), Some(_)) => (YesNo::Yes, Note::stated(span, "the API server has an audit policy")),
            (None, _) => (YesNo::No, Note::absent(Some(self.span), "the API server has no --audit-policy-file")),
            (Some(_), None) => {
                (YesNo::No, Note::absent(Some(self.span), "the API server has no place to write its audit log to"))
            }
        };
        claims.set(Subject::Cluster, attr::AUDIT_LOGGING.id, attr::AUDIT_LOGGING.value(value), note);
    }

    /// The flag alone does not tell: what is first in the file that it names is used to write.
    fn encryption(&self, world: &World<'_>, claims: &mut Claims) {
        let (value, note) = if self.flag("--encryption-provider-config").is_none() {
            (YesNo::No, Note::absent(Some(self.span), "the API server has no --encryption-provider-config"))
        } else {
            let Some((provider, span)) = provider_of_secrets(world) else { return };
            let value = if provider == "identity" { YesNo::No } else { YesNo::Yes };
            (value, Note::stated(span, "the first provider for Secrets is used to write them"))
        };
        claims.set(Subject::Cluster, attr::ETCD_ENCRYPTION.id, attr::ETCD_ENCRYPTION.value(value), note);
    }
}

/// The first provider for Secrets of the EncryptionConfiguration of the input.
fn provider_of_secrets<'a>(world: &World<'a>) -> Option<(&'a str, Span)> {
    let object = world.manifests.by_custom_kind("apiserver.config.k8s.io", "EncryptionConfiguration").next()?;
    let secrets = |entry: &Value<'_>| {
        let names = entry.get("resources").into_iter().flat_map(|r| r.items()).filter_map(|r| r.as_str());
        names.into_iter().any(|name| matches!(name, "secrets" | "*." | "*.*"))
    };
    let entry = object.root().get("resources")?.items().find(secrets)?;
    let provider = entry.get("providers")?.items().next()?.entries().next()?;
    Some((provider.key, provider.key_span))
}
