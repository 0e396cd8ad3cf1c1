//! Where images come from.

use std::collections::BTreeSet;

use kubestride_manifest::Field;
use kubestride_model::FlowKind;
use kubestride_yaml::Value;

use super::{Each, Signal};
use crate::claims::{FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

pub(crate) struct ImageSupply;

/// The registry of an image reference, as container runtimes read it. None where a host and a port should stand and
/// something else does, as in `user:password@registry.example/web`, which no runtime takes.
pub(crate) fn registry(image: &str) -> Option<String> {
    if image.split_once('@').is_some_and(|(_, digest)| digest.contains('/')) {
        return None;
    }
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => {
            let (host, port) = first.rsplit_once(':').unwrap_or((first, "0"));
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
            let fits = host.chars().all(named) && port.parse::<u16>().is_ok();
            fits.then(|| first.to_ascii_lowercase())
        }
        _ => Some("docker.io".to_owned()),
    }
}

impl Signal for ImageSupply {
    fn name(&self) -> &'static str {
        "image-supply"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            let mut seen: BTreeSet<String> = BTreeSet::new();
            for image in workload.containers.iter().filter_map(|c| c.image()) {
                let Some(text) = image.as_str().filter(|t| !t.is_empty()) else { continue };
                let Some(host) = registry(text) else { continue };
                let note = Note::stated(image.span(), "");
                if seen.insert(host.clone()) {
                    let mut claim =
                        FlowClaim::new(Party::Registry(host), Party::Workload(index), FlowKind::Supply, note);
                    claim.implicit = true;
                    claim.protocol = Some("HTTPS".to_owned());
                    claims.flows.push(claim);
                }
            }
            // Which registry a login is for, its Secret says; where there is only one, it is clear.
            if let (1, Some(host)) = (seen.len(), seen.pop_first()) {
                for note in logins(world, workload) {
                    let mut claim =
                        FlowClaim::new(Party::Registry(host.clone()), Party::Workload(index), FlowKind::Supply, note);
                    claim.implicit = true;
                    claims.flows.push(claim);
                }
            }
        }))
    }
}

/// The Secrets that images are pulled with: those of the pod, else those that its service account gives it.
fn logins(world: &World<'_>, workload: &WorkloadInfo<'_>) -> Vec<Note> {
    let say = |name: Value<'_>, by: &str| {
        let text = format!("pulled with Secret {}, named by {by}", name.as_str().unwrap_or_default());
        Note::stated(name.span(), text)
    };
    let of_pod: Vec<Note> = workload.pod().image_pull_secrets().map(|name| say(name, "the pod")).collect();
    if !of_pod.is_empty() {
        return of_pod;
    }
    let account = world.service_account(&workload.namespace, workload.service_account());
    let named = account.into_iter().flat_map(|a| a.root().list("imagePullSecrets")).filter_map(|s| s.field("name"));
    named.map(|name| say(name, "its service account")).collect()
}

#[cfg(test)]
mod tests {
    use super::registry;

    #[test]
    fn registries_are_hosts() {
        let table = [
            ("nginx", Some("docker.io")),
            ("library/nginx:1", Some("docker.io")),
            ("Registry.Example/web:1", Some("registry.example")),
            ("localhost/web", Some("localhost")),
            ("registry:5000/web@sha256:00", Some("registry:5000")),
            ("[2001:db8::1]:5000/web", Some("[2001:db8::1]:5000")),
            ("user:canary@registry.example/web", None),
            ("user:can/ary@registry.example/web", None),
            ("canary@registry/web", None),
            ("user:12/canary@registry.example/web", None),
            ("https://registry.example/web", None),
        ];
        for (image, expected) in table {
            assert_eq!(registry(image).as_deref(), expected, "{image}");
        }
    }
}
