//! Custom resources that tell a controller of the input whom to call: issuers of certificates, stores of secrets, sources
//! of Git and Helm, places for backups and notifications.
//!
//! The controller is known by its image; of several workloads of one image, by its name or by what is its first argument.

use kubestride_manifest::{Container, Object};
use kubestride_model::{Confidence, FlowKind};
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::Signal;
use crate::address::{self, Address};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::secret_data;
use crate::traffic::{self, Finding};
use crate::world::{WorkloadInfo, World};

pub(crate) struct Controllers;

/// How a controller is recognised.
#[derive(Clone, Copy)]
struct Controller {
    /// The last segment of its image.
    image: &'static str,
    /// What its name, one of its labels or a program that it runs must end with; empty if the image tells.
    part: &'static str,
    /// First arguments of other workloads of the image.
    other: &'static [&'static str],
}

const PLAIN: Controller = Controller { image: "", part: "", other: &[] };
const CERT_MANAGER: Controller = Controller { image: "cert-manager-controller", ..PLAIN };
const EXTERNAL_SECRETS: Controller =
    Controller { image: "external-secrets", other: &["webhook", "certcontroller"], ..PLAIN };
const SOURCES: Controller = Controller { image: "source-controller", ..PLAIN };
const NOTIFICATIONS: Controller = Controller { image: "notification-controller", ..PLAIN };
const IMAGES: Controller = Controller { image: "image-reflector-controller", ..PLAIN };
const ARGO_REPOSITORIES: Controller = Controller { image: "argocd", part: "repo-server", ..PLAIN };
const ARGO_CLUSTERS: Controller = Controller { image: "argocd", part: "application-controller", ..PLAIN };
const VELERO: Controller = Controller { image: "velero", ..PLAIN };

/// Group and kind, the controller, and the fields of the specification that count, at any depth; none: all that are
/// named like addresses.
type Row = (&'static str, &'static str, Controller, &'static [&'static str]);

const ROWS: [Row; 15] = [
    ("argoproj.io", "Application", ARGO_REPOSITORIES, &["repoURL"]),
    ("argoproj.io", "Application", ARGO_CLUSTERS, &["server"]),
    ("argoproj.io", "ApplicationSet", ARGO_REPOSITORIES, &["repoURL"]),
    ("cert-manager.io", "ClusterIssuer", CERT_MANAGER, &[]),
    ("cert-manager.io", "Issuer", CERT_MANAGER, &[]),
    ("external-secrets.io", "ClusterSecretStore", EXTERNAL_SECRETS, &[]),
    ("external-secrets.io", "SecretStore", EXTERNAL_SECRETS, &[]),
    ("image.toolkit.fluxcd.io", "ImageRepository", IMAGES, &["image"]),
    ("notification.toolkit.fluxcd.io", "Provider", NOTIFICATIONS, &["address"]),
    ("source.toolkit.fluxcd.io", "Bucket", SOURCES, &["endpoint"]),
    ("source.toolkit.fluxcd.io", "GitRepository", SOURCES, &["url"]),
    ("source.toolkit.fluxcd.io", "HelmRepository", SOURCES, &["url"]),
    ("source.toolkit.fluxcd.io", "OCIRepository", SOURCES, &["url"]),
    ("velero.io", "BackupStorageLocation", VELERO, &["s3Url"]),
    ("velero.io", "VolumeSnapshotLocation", VELERO, &["s3Url"]),
];

/// Secrets of Argo CD that hold what it calls, by the value of their label.
/// <https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/>
const ARGO_SECRETS: [(&str, Controller, &str); 3] = [
    ("cluster", ARGO_CLUSTERS, "server"),
    ("repo-creds", ARGO_REPOSITORIES, "url"),
    ("repository", ARGO_REPOSITORIES, "url"),
];

/// Services of clouds that a part of a specification stands for, by their documentation.
const CLOUDS: [(&str, &str); 6] = [
    ("azureDNS", "management.azure.com"),
    ("cloudDNS", "dns.googleapis.com"),
    ("cloudflare", "api.cloudflare.com"),
    ("digitalocean", "api.digitalocean.com"),
    ("gcpsm", "secretmanager.googleapis.com"),
    ("route53", "route53.amazonaws.com"),
];

impl Signal for Controllers {
    fn name(&self) -> &'static str {
        "controllers"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        for (group, kind, controller, fields) in ROWS {
            let mut found: Option<Vec<usize>> = None;
            for object in world.manifests.by_custom_kind(group, kind) {
                let callers = found.get_or_insert_with(|| workloads(world, controller));
                let Some(spec) = object.spec() else { continue };
                for caller in callers.iter() {
                    settings(world, *caller, object, fields, ("", spec), claims);
                }
            }
        }
        for object in world.manifests.by_kind("Secret") {
            let kind = object.label_set().get("argocd.argoproj.io/secret-type").map(str::to_owned);
            for (_, controller, key) in ARGO_SECRETS.iter().filter(|(value, ..)| Some(*value) == kind.as_deref()) {
                let Some(entry) = secret_data::entries(object).into_iter().find(|e| e.key == *key) else { continue };
                for caller in workloads(world, *controller) {
                    let field = Field { key, text: &entry.text, value: entry.value, span: entry.span };
                    call(world, caller, object, &field, claims);
                }
            }
        }
    }
}

/// The workloads that are a controller.
fn workloads(world: &World<'_>, controller: Controller) -> Vec<usize> {
    let is = |w: &WorkloadInfo<'_>| w.containers.iter().any(|c| runs(c, controller) && is_part(w, c, controller.part));
    world.workloads.iter().enumerate().filter(|(_, w)| is(w)).map(|(index, _)| index).collect()
}

fn runs(container: &Container<'_>, controller: Controller) -> bool {
    let image = container.image().and_then(|i| i.as_str()).unwrap_or("");
    let path = image.split('@').next().unwrap_or("");
    let last = path.rsplit('/').next().and_then(|last| last.split(':').next());
    let mut words = container.command().chain(container.args()).filter_map(|w| w.as_str());
    last == Some(controller.image) && !words.any(|w| controller.other.contains(&w))
}

fn is_part(workload: &WorkloadInfo<'_>, container: &Container<'_>, part: &str) -> bool {
    let words = container.command().chain(container.args()).filter_map(|w| w.as_str());
    part.is_empty()
        || workload.object().name().ends_with(part)
        || workload.labels.iter().any(|(_, value)| value.ends_with(part))
        || words.into_iter().any(|word| word.ends_with(part))
}

fn settings(
    world: &World<'_>,
    caller: usize,
    object: Object<'_>,
    fields: &[&str],
    (key, value): (&str, Value<'_>),
    claims: &mut Claims,
) {
    for entry in value.entries() {
        let cloud = CLOUDS.iter().find(|(part, _)| *part == entry.key && fields.is_empty()).map(|(_, host)| *host);
        if let Some(host) = cloud.map(str::to_owned).or_else(|| service_of_aws(entry.key, entry.value)) {
            let note = Note::stated(entry.key_span, format!("{} of {} {}", entry.key, object.kind(), object.name()));
            let mut claim = FlowClaim::new(Party::Workload(caller), Party::Host(host), FlowKind::Traffic, note);
            // The manifest names the cloud; which host that is, is in the documentation.
            (claim.port, claim.target_port, claim.confidence) = (Some(443), Some(443), Confidence::Possible);
            claim.protocol = Some("HTTPS".to_owned());
            claims.flows.push(claim);
        }
        settings(world, caller, object, fields, (entry.key, entry.value), claims);
    }
    for item in value.items() {
        settings(world, caller, object, fields, (key, item), claims);
    }
    let counts = if fields.is_empty() { traffic::is_address_key(key) } else { fields.contains(&key) };
    if value.kind() == Kind::Str && counts {
        let text = value.as_str().unwrap_or("");
        call(world, caller, object, &Field { key, text, value: Some(value), span: value.span() }, claims);
    }
}

/// The host of the service of AWS that holds secrets.
/// <https://docs.aws.amazon.com/general/latest/gr/asm.html>, <https://docs.aws.amazon.com/general/latest/gr/ssm.html>
fn service_of_aws(key: &str, value: Value<'_>) -> Option<String> {
    let text = |key: &str| value.get(key).and_then(|v| v.as_str());
    let name = match text("service").filter(|_| key == "aws")? {
        "SecretsManager" => "secretsmanager",
        "ParameterStore" => "ssm",
        _ => return None,
    };
    let region = text("region").filter(|r| r.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))?;
    Some(format!("{name}.{region}.amazonaws.com"))
}

/// A field that holds an address.
struct Field<'f> {
    key: &'f str,
    text: &'f str,
    /// The value in the source if the text stands there as it is.
    value: Option<Value<'f>>,
    span: Span,
}

fn call(world: &World<'_>, caller: usize, object: Object<'_>, field: &Field<'_>, claims: &mut Claims) {
    let mut addresses = address::find(field.text);
    if addresses.is_empty() {
        addresses.extend(address::bare(field.text).or_else(|| before_path(field.text)));
    }
    for address in addresses {
        let place = field.value.and_then(|v| v.subspan(address.range.clone()));
        let why = format!("{} of {} {}", field.key, object.kind(), object.name());
        let note = Note::stated(place.unwrap_or(field.span), why);
        // The fields are called whatever their names are.
        let (inside, outside) = (Confidence::Likely, Confidence::Likely);
        let finding = Finding { key: "url", port: None, inside, outside, place, note };
        traffic::claim(world, caller, &address, &finding, claims);
    }
}

/// The host of `git@host:path`, as Git writes it, and of `host/path`, as references of images and charts do.
fn before_path(text: &str) -> Option<Address> {
    // Of several, one may be in a password.
    let start = match text.matches('@').count() {
        0 => 0,
        1 => text.find('@')? + 1,
        _ => return None,
    };
    let rest = text.get(start..)?;
    let end = rest.find([':', '/'])?;
    let mut address = address::bare(rest.get(..end)?).filter(|a| a.host.contains('.'))?;
    address.range = start..start + end;
    Some(address)
}

#[cfg(test)]
mod tests {
    #[test]
    fn hosts_stand_before_paths() {
        let host = |text: &str| super::before_path(text).map(|address| address.host);
        assert_eq!(host("git@git.example.com:org/repo").as_deref(), Some("git.example.com"));
        assert_eq!(host("charts.example.com/stable").as_deref(), Some("charts.example.com"));
        // One of the two may be in a password.
        assert_eq!(host("bot:pa@s3cr3t.w0rd/zz@git.example.com:org/repo"), None);
    }

    #[test]
    fn rows_are_sorted() {
        assert!(super::ROWS.iter().map(|(group, kind, ..)| (group, kind)).is_sorted());
    }
}
