//! Which identity of a cloud account a workload has through its service account or its pods.

use kubestride_manifest::{Field, Object, VolumeSource};
use kubestride_stencils::values::CloudIdentity;

use crate::claims::Note;
use crate::world::{WorkloadInfo, World};

/// Annotations of service accounts.
const OF_ACCOUNTS: [(&str, CloudIdentity); 3] = [
    ("eks.amazonaws.com/role-arn", CloudIdentity::Aws),
    ("iam.gke.io/gcp-service-account", CloudIdentity::Google),
    (AZURE_CLIENT, CloudIdentity::Azure),
];

const AZURE_CLIENT: &str = "azure.workload.identity/client-id";

/// The label with which pods ask for the identity that the annotation names.
const AZURE_USE: &str = "azure.workload.identity/use";

/// Annotations (kube2iam, kiam) and labels (AAD Pod Identity) of pods, for agents on the node that hand out logins.
const OF_PODS: [(&str, CloudIdentity); 2] =
    [("iam.amazonaws.com/role", CloudIdentity::Aws), ("aadpodidbinding", CloudIdentity::Azure)];

/// Variables that a program follows to a token for the cloud, and a second one without which it does not.
const VARIABLES: [(&str, Option<&str>, CloudIdentity); 3] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", Some("AWS_ROLE_ARN"), CloudIdentity::Aws),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Some("AWS_CONTAINER_CREDENTIALS_FULL_URI"), CloudIdentity::Aws),
    ("AZURE_FEDERATED_TOKEN_FILE", None, CloudIdentity::Azure),
];

/// Kinds that tie a service account to a role of AWS (EKS Pod Identity), with the path to its namespace and name.
const ASSOCIATIONS: [(&str, &[&str]); 2] =
    [("eks.services.k8s.aws", &["spec"]), ("eks.aws.upbound.io", &["spec", "forProvider"])];

/// The cloud in which a workload can act, and what says so.
pub(crate) fn of(
    world: &World<'_>,
    workload: &WorkloadInfo<'_>,
    account: Option<Object<'_>>,
) -> Option<(CloudIdentity, Note)> {
    let acts = format!("service account {} acts in a cloud account", workload.service_account());
    of_account(workload, account, &acts)
        .or_else(|| of_association(world, workload, &acts))
        .or_else(|| of_pod(workload))
        .or_else(|| of_token(workload))
        .or_else(|| of_variables(workload))
}

fn of_account(workload: &WorkloadInfo<'_>, account: Option<Object<'_>>, acts: &str) -> Option<(CloudIdentity, Note)> {
    let account = account?;
    // The webhook of Azure looks at the pod; its first versions looked at the service account.
    let asks = [workload.labels.get(AZURE_USE), account.label(AZURE_USE)].contains(&Some("true"));
    account.annotations().find_map(|entry| {
        let (_, cloud) = OF_ACCOUNTS.iter().find(|(annotation, _)| *annotation == entry.key)?;
        let counts =
            entry.value.scalar_text().is_some_and(|text| !text.is_empty()) && (entry.key != AZURE_CLIENT || asks);
        counts.then(|| (*cloud, Note::stated(entry.key_span, acts)))
    })
}

fn of_association(world: &World<'_>, workload: &WorkloadInfo<'_>, acts: &str) -> Option<(CloudIdentity, Note)> {
    ASSOCIATIONS.iter().find_map(|(group, path)| {
        let mut all = world.manifests.by_custom_kind(group, "PodIdentityAssociation");
        all.find_map(|object| {
            let names = object.root().path(path)?;
            let account = names.field("serviceAccount")?;
            let same = names.text("namespace") == Some(workload.namespace.as_str())
                && account.scalar_text() == Some(workload.service_account());
            same.then(|| (CloudIdentity::Aws, Note::stated(account.span(), acts)))
        })
    })
}

fn of_pod(workload: &WorkloadInfo<'_>) -> Option<(CloudIdentity, Note)> {
    let template = &workload.workload.template;
    template.annotations().chain(template.labels()).find_map(|entry| {
        let (_, cloud) = OF_PODS.iter().find(|(key, _)| *key == entry.key)?;
        Some((*cloud, Note::stated(entry.key_span, "an agent on the node gives its pods a login of a cloud account")))
    })
}

/// A token that a cloud takes for a login.
fn of_token(workload: &WorkloadInfo<'_>) -> Option<(CloudIdentity, Note)> {
    workload.pod().volumes().find_map(|volume| {
        let VolumeSource::Projected(sources) = volume.source() else { return None };
        let cloud = sources.iter().find_map(|source| match source {
            VolumeSource::ServiceAccountToken { audience: Some(audience), .. } => cloud_of_audience(audience),
            _ => None,
        })?;
        Some((
            cloud,
            Note::stated(volume.span(), "a projected volume asks for a token that the cloud takes for a login"),
        ))
    })
}

fn cloud_of_audience(audience: &str) -> Option<CloudIdentity> {
    let google = audience.strip_prefix("https:").unwrap_or(audience).starts_with("//iam.googleapis.com/");
    match audience {
        "sts.amazonaws.com" | "pods.eks.amazonaws.com" => Some(CloudIdentity::Aws),
        _ if audience.starts_with("api://AzureADTokenExchange") => Some(CloudIdentity::Azure),
        _ if google || audience.ends_with(".svc.id.goog") => Some(CloudIdentity::Google),
        _ => None,
    }
}

fn of_variables(workload: &WorkloadInfo<'_>) -> Option<(CloudIdentity, Note)> {
    workload.containers.iter().find_map(|container| {
        let variable = |name: &str| container.env().find(|variable| variable.name == name);
        VARIABLES.iter().find_map(|(name, second, cloud)| {
            let found = variable(name)?;
            second.is_none_or(|second| variable(second).is_some()).then(|| {
                (*cloud, Note::stated(found.span, format!("{name} leads to a token that the cloud takes for a login")))
            })
        })
    })
}
