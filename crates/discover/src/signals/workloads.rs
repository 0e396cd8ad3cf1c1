//! Attributes of workloads.

use std::collections::BTreeMap;

use kubestride_manifest::PodSpec;
use kubestride_model::Value as ModelValue;
use kubestride_policy::Version;
use kubestride_policy::pod_security::{self, Breach, Level};
use kubestride_stencils::Attribute;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::*;
use kubestride_yaml::Value;

use super::{Each, Signal};
use crate::claims::{Claims, Note, Party, Subject};
use crate::technology::{Technology, datastore_of_port};
use crate::world::{WorkloadInfo, World};
use crate::{cloud_identity, token};

pub(crate) struct Workloads;

/// The first version in which `hostUsers` has an effect unless it is switched off. Before, it was dropped.
const USER_NAMESPACES: Version = Version(33);

impl Signal for Workloads {
    fn name(&self) -> &'static str {
        "workloads"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        let mut users: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for workload in &world.workloads {
            *users.entry((workload.namespace.as_str(), workload.service_account())).or_default() += 1;
        }
        let scaled = autoscaled(world);
        Some(Box::new(move |index, workload, claims| {
            if workload.operated.is_some() {
                return;
            }
            let subject = Subject::Party(Party::Workload(index));
            host_access(workload, world.options.kubernetes, &subject, claims);
            super::runtime_classes::claim(world, workload, &subject, claims);
            pod_security(workload, world.options.kubernetes, &subject, claims);
            let sharing = users.get(&(workload.namespace.as_str(), workload.service_account())).copied().unwrap_or(1);
            identity(world, workload, sharing, &subject, claims);
            if let Some(replicas) = workload.object().spec().and_then(|s| s.get("replicas")) {
                if let Some(number) = replicas.as_i64() {
                    let note = Note::stated(replicas.span(), "");
                    claims.set(subject.clone(), attr::REPLICAS.id, ModelValue::Number(number), note);
                }
            } else if matches!(workload.object().kind(), "Deployment" | "StatefulSet" | "ReplicaSet") {
                let note = Note::default(workload.span(), "one replica");
                claims.set(subject.clone(), attr::REPLICAS.id, ModelValue::Number(1), note);
            }
            if let Some(span) = scaled.get(&workload.identity) {
                let note = Note::stated(*span, "a HorizontalPodAutoscaler names it");
                claims.set(subject.clone(), attr::AUTOSCALED.id, attr::AUTOSCALED.value(YesNo::Yes), note);
            }
            technology(workload, &subject, claims);
        }))
    }
}

fn yes_if(field: Option<Value<'_>>, attribute: Attribute<YesNo>, subject: &Subject, claims: &mut Claims) {
    if let Some(value) = field
        && let Some(on) = value.as_bool()
    {
        let value_of = if on { YesNo::Yes } else { YesNo::No };
        claims.set(subject.clone(), attribute.id, attribute.value(value_of), Note::stated(value.span(), ""));
    }
}

/// The level of the Pod Security Standards, with every field that keeps it from the next one.
fn pod_security(workload: &WorkloadInfo<'_>, version: Version, subject: &Subject, claims: &mut Claims) {
    let breaches = pod_security::breaches(workload.workload.template, version);
    let level = pod_security::level(&breaches);
    let value = match level {
        Level::Privileged => PodSecurityLevel::Privileged,
        Level::Baseline => PodSecurityLevel::Baseline,
        Level::Restricted => PodSecurityLevel::Restricted,
    };
    let (attribute, value) = (attr::POD_SECURITY_LEVEL.id, attr::POD_SECURITY_LEVEL.value(value));
    // What would have to change first: for privileged pods, the fields that baseline forbids.
    let next = breaches.iter().filter(|b| (level == Level::Privileged) == (b.level == Level::Baseline));
    let note = |breach: &Breach| {
        let text = format!("{} of v1.{} at {}", breach.check, version.0, breach.path);
        Note::stated(breach.span.unwrap_or(workload.span()), text)
    };
    let mut notes = next.map(note);
    let first = notes.next().unwrap_or_else(|| Note::default(workload.span(), "no field breaks the level restricted"));
    claims.set(subject.clone(), attribute, value, first);
    notes.for_each(|note| claims.also(subject.clone(), attribute, note));
}

fn host_access(workload: &WorkloadInfo<'_>, version: Version, subject: &Subject, claims: &mut Claims) {
    let pod: PodSpec<'_> = workload.pod();
    yes_if(pod.host_network(), attr::HOST_NETWORK, subject, claims);
    yes_if(pod.host_pid(), attr::HOST_PID, subject, claims);
    yes_if(pod.host_ipc(), attr::HOST_IPC, subject, claims);
    yes_if(pod.share_process_namespace(), attr::SHARED_PROCESSES, subject, claims);
    if version >= USER_NAMESPACES
        && let Some(own) = pod.host_users().filter(|users| users.as_bool() == Some(false))
    {
        let value = attr::USER_NAMESPACE.value(YesNo::Yes);
        claims.set(subject.clone(), attr::USER_NAMESPACE.id, value, Note::stated(own.span(), ""));
    }
}

fn identity(world: &World<'_>, workload: &WorkloadInfo<'_>, sharing: usize, subject: &Subject, claims: &mut Claims) {
    let pod = workload.pod();
    let name = workload.service_account();
    let account = world.service_account(&workload.namespace, name);
    let stated = pod.service_account_name().filter(|v| v.as_str().is_some_and(|n| !n.is_empty()));
    let (value, note) = match stated {
        Some(v) if name == "default" => (ServiceAccount::Default, Note::stated(v.span(), "")),
        Some(v) if sharing > 1 => {
            (ServiceAccount::Shared, Note::stated(v.span(), format!("{sharing} workloads run as {name}")))
        }
        Some(v) => (ServiceAccount::Dedicated, Note::stated(v.span(), "")),
        None => (ServiceAccount::Default, Note::default(workload.span(), "no serviceAccountName")),
    };
    claims.set_text(subject.clone(), attr::SERVICE_ACCOUNT_NAME.id, name, note.clone());
    claims.set(subject.clone(), attr::SERVICE_ACCOUNT.id, attr::SERVICE_ACCOUNT.value(value), note);

    let (mounted, note) = token::own(workload, account);
    let value = if mounted { YesNo::Yes } else { YesNo::No };
    claims.set(subject.clone(), attr::TOKEN_MOUNTED.id, attr::TOKEN_MOUNTED.value(value), note);

    if let Some((cloud, note)) = cloud_identity::of(world, workload, account) {
        claims.set(subject.clone(), attr::CLOUD_IDENTITY.id, attr::CLOUD_IDENTITY.value(cloud), note);
    }
}

/// Workloads that an autoscaler names, by identity, with the place where it does.
fn autoscaled(world: &World<'_>) -> BTreeMap<String, kubestride_source::Span> {
    let mut out = BTreeMap::new();
    for object in world
        .manifests
        .by_kind("HorizontalPodAutoscaler")
        .chain(world.manifests.by_custom_kind("keda.sh", "ScaledObject"))
    {
        let Some(target) = object.spec().and_then(|s| s.get("scaleTargetRef")) else { continue };
        let Some(name) = target.get("name").and_then(|v| v.as_str()) else { continue };
        let kind = target.get("kind").and_then(|v| v.as_str()).unwrap_or("Deployment");
        out.insert(format!("{kind}/{}/{name}", world.namespace_of(object)), object.span());
    }
    out
}

fn technology(workload: &WorkloadInfo<'_>, subject: &Subject, claims: &mut Claims) {
    // A job with the image of a database is a client of it: a dump, a migration.
    if matches!(workload.object().kind(), "Job" | "CronJob") {
        return;
    }
    let Some((technology, at)) = workload.technology else {
        by_port(workload, subject, claims);
        return;
    };
    let Some(container) = workload.containers.get(at) else { return };
    let Some(image) = container.image() else { return };
    let note = Note::stated(image.span(), "known by its image");
    claims.set_text(subject.clone(), attr::TECHNOLOGY.id, &technology.name, note.clone());
    let class = attr::TECHNOLOGY_CLASS.value(technology.class);
    claims.set(subject.clone(), attr::TECHNOLOGY_CLASS.id, class, note);
    if let Some((value, note)) = anonymous_access(workload, technology, at) {
        claims.set(subject.clone(), attr::ANONYMOUS_ACCESS.id, attr::ANONYMOUS_ACCESS.value(value), note);
    }
}

/// An image of one's own that declares the port of a database is one, by whatever name.
fn by_port(workload: &WorkloadInfo<'_>, subject: &Subject, claims: &mut Claims) {
    let ports = workload.containers.iter().flat_map(|c| c.ports());
    let Some((port, technology)) = ports.filter_map(|p| Some((p, datastore_of_port(p.number)?))).next() else { return };
    let note = Note::stated(port.span, format!("{} is the port of {}", port.number, technology.protocol));
    let class = attr::TECHNOLOGY_CLASS.value(technology.class);
    claims.set(subject.clone(), attr::TECHNOLOGY_CLASS.id, class, note);
}

/// Whether the server accepts callers without a password, where its configuration shows it.
fn anonymous_access(workload: &WorkloadInfo<'_>, technology: &Technology, at: usize) -> Option<(YesNo, Note)> {
    let container = workload.containers.get(at)?;
    let image = container.image()?;
    for variable in container.env() {
        let opened = technology.opened_by.iter().find(|(name, _)| name == variable.name);
        let value = variable.value.and_then(|v| v.scalar_text());
        if let (Some((_, values)), Some(value)) = (opened, value)
            && values.iter().any(|v| v.eq_ignore_ascii_case(value))
        {
            let note = Note::stated(variable.span, format!("{} switches authentication off", variable.name));
            return Some((YesNo::Yes, note));
        }
    }
    let switch = |text: &str| technology.secured_by.iter().any(|s| text.contains(s.as_str()));
    let words = container.command().chain(container.args());
    if let Some(word) = words.filter(|w| w.as_str().is_some_and(switch)).last() {
        return Some((YesNo::No, Note::stated(word.span(), "an argument switches authentication on")));
    }
    if let Some(variable) = container.env().find(|v| switch(v.name)) {
        return Some((YesNo::No, Note::stated(variable.span, format!("{} sets a password", variable.name))));
    }
    match technology.open_by_default {
        // A mounted file, a whole ConfigMap or Secret in the environment may hold the setting.
        Some(true) if technology.configured_by_file && may_be_configured(workload, at) => None,
        Some(true) => {
            let text = format!("{} asks for no password unless it is configured to", technology.name);
            Some((YesNo::Yes, Note::merged(image.span(), text)))
        }
        Some(false) => {
            let text = format!("{} asks for a password unless it is configured not to", technology.name);
            Some((YesNo::No, Note::merged(image.span(), text)))
        }
        None => None,
    }
}

fn may_be_configured(workload: &WorkloadInfo<'_>, at: usize) -> bool {
    use kubestride_manifest::VolumeSource::*;
    let Some(container) = workload.containers.get(at) else { return true };
    let configures = |name: &str| {
        let volume = workload.pod().volume(name);
        volume.is_none_or(|v| !matches!(v.source(), EmptyDir | Claim { .. } | DownwardApi | Ephemeral))
    };
    // A StatefulSet's own claims are no volumes of the pod, so an unknown name is data, too.
    let known = |name: &str| workload.pod().volume(name).is_some();
    container.env_from().next().is_some() || container.volume_mounts().any(|m| known(m.volume) && configures(m.volume))
}
