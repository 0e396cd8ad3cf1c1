//! Attributes of containers, as Kubernetes merges them from pod and container.

use kubestride_manifest::Container;
use kubestride_model::{AttributeId, Value as ModelValue};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::*;
use kubestride_yaml::Value;

use super::{Each, Signal};
use crate::claims::{Claims, Note, Subject};
use crate::credentials;
use crate::technology;
use crate::world::{WorkloadInfo, World};

pub(crate) struct Containers;

impl Signal for Containers {
    fn name(&self) -> &'static str {
        "containers"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            for container in &workload.containers {
                let subject = Subject::Container(index, container.name().to_owned());
                let mut sink = Sink { subject, claims };
                security(workload, container, &mut sink);
                super::confinement::claim(workload, container, world.options.kubernetes, &mut sink);
                image(container, &mut sink);
                limits(container, &mut sink);
                secrets(container, &mut sink);
                programs(container, &mut sink);
            }
        }))
    }
}

/// Claims about one container.
pub(super) struct Sink<'c> {
    subject: Subject,
    claims: &'c mut Claims,
}

impl Sink<'_> {
    /// Sets an attribute of the container.
    pub(super) fn set(&mut self, attribute: AttributeId, value: ModelValue, note: Note) {
        self.claims.set(self.subject.clone(), attribute, value, note);
    }
}

fn yes_no(value: bool) -> YesNo {
    if value { YesNo::Yes } else { YesNo::No }
}

fn security(workload: &WorkloadInfo<'_>, container: &Container<'_>, sink: &mut Sink<'_>) {
    let pod = workload.pod();
    let field = |name: &str| container.security(name);
    let host_process = container.merged(pod, "windowsOptions").and_then(|w| w.get("hostProcess"));
    let privileged = [field("privileged"), host_process].into_iter().flatten().find(|v| v.as_bool() == Some(true));
    if let Some(value) = privileged.or(field("privileged")) {
        let value_of = attr::PRIVILEGED.value(yes_no(value.as_bool() == Some(true)));
        sink.set(attr::PRIVILEGED.id, value_of, Note::stated(value.span(), ""));
    }

    let user = container.merged(pod, "runAsUser");
    let non_root = container.merged(pod, "runAsNonRoot");
    let run_as = match (user.and_then(|u| Some((u, u.as_i64()?))), non_root) {
        (Some((user, 0)), _) => Some((RunAs::Root, user)),
        (Some((user, _)), _) => Some((RunAs::NonRoot, user)),
        (None, Some(flag)) if flag.as_bool() == Some(true) => Some((RunAs::NonRoot, flag)),
        _ => on_windows(container.merged(pod, "windowsOptions")),
    };
    if let Some((value, at)) = run_as {
        sink.set(attr::RUN_AS.id, attr::RUN_AS.value(value), Note::stated(at.span(), ""));
    }
    if let Some(value) = field("readOnlyRootFilesystem")
        && let Some(on) = value.as_bool()
    {
        sink.set(attr::READ_ONLY_ROOT.id, attr::READ_ONLY_ROOT.value(yes_no(on)), Note::stated(value.span(), ""));
    }
    if let Some(value) = field("allowPrivilegeEscalation")
        && let Some(on) = value.as_bool()
    {
        let note = Note::stated(value.span(), "");
        sink.set(attr::PRIVILEGE_ESCALATION.id, attr::PRIVILEGE_ESCALATION.value(yes_no(on)), note);
    }
    if let Some(kind) = field("procMount").filter(|v| v.as_str() == Some("Unmasked")) {
        sink.set(attr::PROC_UNMASKED.id, attr::PROC_UNMASKED.value(YesNo::Yes), Note::stated(kind.span(), ""));
    }
    if let Some(capabilities) = field("capabilities") {
        self::capabilities(capabilities, sink);
    }
    if let Some(port) = container.ports().find(|p| p.host_port.is_some()) {
        sink.set(attr::HOST_PORT.id, attr::HOST_PORT.value(YesNo::Yes), Note::stated(port.span, ""));
    }
}

/// The user of a container on Windows, where users have names.
fn on_windows(options: Option<Value<'_>>) -> Option<(RunAs, Value<'_>)> {
    let user = options?.get("runAsUserName")?;
    let name = user.as_str()?.rsplit('\\').next()?;
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is("ContainerAdministrator") || is("SYSTEM") {
        return Some((RunAs::Root, user));
    }
    is("ContainerUser").then_some((RunAs::NonRoot, user))
}

/// A capability name as the kernel writes it, without `CAP_`.
fn capability_name(value: Value<'_>) -> Option<String> {
    let name = value.as_str()?.to_ascii_uppercase();
    Some(name.strip_prefix("CAP_").unwrap_or(&name).to_owned())
}

fn capabilities(capabilities: Value<'_>, sink: &mut Sink<'_>) {
    if let Some(drop) = capabilities.get("drop").filter(|d| !d.is_empty()) {
        let all = drop.items().filter_map(capability_name).any(|n| n == "ALL");
        let value = if all { CapabilitiesDropped::All } else { CapabilitiesDropped::Some };
        let note = Note::stated(drop.span(), "");
        sink.set(attr::CAPABILITIES_DROPPED.id, attr::CAPABILITIES_DROPPED.value(value), note);
    }
    if let Some(add) = capabilities.get("add").filter(|a| !a.is_empty()) {
        let known = |name: String| match name.as_str() {
            "SYS_ADMIN" => Some(Capability::SysAdmin),
            "NET_ADMIN" => Some(Capability::NetAdmin),
            "SYS_PTRACE" => Some(Capability::SysPtrace),
            "SYS_MODULE" => Some(Capability::SysModule),
            "DAC_READ_SEARCH" => Some(Capability::DacReadSearch),
            "BPF" | "PERFMON" => Some(Capability::Bpf),
            "SYS_RAWIO" => Some(Capability::SysRawio),
            "NET_RAW" => Some(Capability::NetRaw),
            "ALL" => Some(Capability::All),
            // Needed to listen on ports below 1024, and allowed by the strictest Pod Security level.
            "NET_BIND_SERVICE" => None,
            _ => Some(Capability::Other),
        };
        let set = add.items().filter_map(capability_name).filter_map(known);
        sink.set(attr::CAPABILITIES_ADDED.id, attr::CAPABILITIES_ADDED.set(set), Note::stated(add.span(), ""));
    }
}

fn image(container: &Container<'_>, sink: &mut Sink<'_>) {
    let Some(image) = container.image() else { return };
    let Some(text) = image.as_str() else { return };
    let reference = match text.split('@').nth(1) {
        Some(_) => ImageReference::Digest,
        None => match text.rsplit_once(':') {
            Some((_, tag)) if !tag.contains('/') && tag != "latest" => ImageReference::Tag,
            _ => ImageReference::Latest,
        },
    };
    let note = Note::stated(image.span(), "");
    sink.set(attr::IMAGE_REFERENCE.id, attr::IMAGE_REFERENCE.value(reference), note.clone());
    let subject = sink.subject.clone();
    if let Some(registry) = super::image_supply::registry(text) {
        sink.claims.set_text(subject.clone(), attr::IMAGE_REGISTRY.id, &registry, note.clone());
    }
    if let Some(known) = technology::of_image(text) {
        sink.claims.set_text(subject, attr::IMAGE_TECHNOLOGY.id, &known.name, note);
    }
}

fn limits(container: &Container<'_>, sink: &mut Sink<'_>) {
    let limits = container.resources().and_then(|r| r.get("limits"));
    for (key, attribute) in [("cpu", attr::CPU_LIMIT), ("memory", attr::MEMORY_LIMIT)] {
        if let Some(value) = limits.and_then(|l| l.get(key)) {
            sink.set(attribute.id, attribute.value(YesNo::Yes), Note::stated(value.span(), ""));
        }
    }
}

fn secrets(container: &Container<'_>, sink: &mut Sink<'_>) {
    let plain = container.env().find(|v| {
        v.value.and_then(|value| value.scalar_text()).is_some_and(|text| credentials::in_variable(v.name, text))
    });
    if let Some(variable) = plain {
        let note = Note::stated(variable.span, format!("{} holds a credential", variable.name));
        sink.set(attr::PLAIN_CREDENTIAL.id, attr::PLAIN_CREDENTIAL.value(YesNo::Yes), note);
    }
    let words: Vec<Value<'_>> = container.command().chain(container.args()).collect();
    let texts: Vec<&str> = words.iter().map(|w| w.scalar_text().unwrap_or("")).collect();
    if let Some(at) = credentials::in_arguments(&texts)
        && let Some(word) = words.get(at)
    {
        let note = Note::stated(word.span(), "an argument holds a credential");
        sink.set(attr::ARGUMENT_CREDENTIAL.id, attr::ARGUMENT_CREDENTIAL.value(YesNo::Yes), note);
    }
    use kubestride_manifest::EnvSourceKind::Secret;
    let named = container.env().find(|v| v.source.as_ref().is_some_and(|s| s.kind == Secret)).map(|v| v.span);
    let whole = container.env_from().find(|f| f.kind == Secret).map(|f| f.span);
    if let Some(span) = named.or(whole) {
        let note = Note::stated(span, "");
        sink.set(attr::SECRET_ENVIRONMENT.id, attr::SECRET_ENVIRONMENT.value(YesNo::Yes), note);
    }
}

fn programs(container: &Container<'_>, sink: &mut Sink<'_>) {
    for word in container.command().chain(container.args()) {
        let Some(text) = word.as_str() else { continue };
        if downloads_code(text) {
            let note = Note::stated(word.span(), "the command downloads code and runs it");
            sink.set(attr::DOWNLOADS_CODE.id, attr::DOWNLOADS_CODE.value(YesNo::Yes), note);
        }
        if text.split(|c: char| c.is_whitespace() || c == '/').any(|w| w == "sshd") {
            let note = Note::stated(word.span(), "the command starts sshd");
            sink.set(attr::REMOTE_SHELL.id, attr::REMOTE_SHELL.value(YesNo::Yes), note);
        }
    }
    if let Some(port) = container.ports().find(|p| p.number == 22) {
        let note = Note::stated(port.span, "port 22 is that of SSH");
        sink.set(attr::REMOTE_SHELL.id, attr::REMOTE_SHELL.value(YesNo::Yes), note);
    }
}

/// A download that is handed to an interpreter, or a package manager that fetches when the container starts.
fn downloads_code(text: &str) -> bool {
    let fetches = |line: &str| line.contains("curl ") || line.contains("wget ");
    let runs = |line: &str| {
        let after = line.split('|').skip(1).map(str::trim);
        after
            .into_iter()
            .any(|c| matches!(c.split_whitespace().next(), Some("sh" | "bash" | "python" | "python3" | "perl")))
    };
    let install =
        ["pip install", "npm install", "apt-get install", "apk add", "yum install", "git clone", "go install"];
    text.lines().any(|line| (fetches(line) && runs(line)) || install.iter().any(|i| line.contains(i)))
}
