//! What confines containers and pods, and what admission does about them.

use std::sync::Arc;

use kubestride_discover::{Discovered, Options, Scope, discover};
use kubestride_manifest::Manifests;
use kubestride_model::{AttributeId, Model, SubjectRef};
use kubestride_policy::pod_security::Version;
use kubestride_source::FileId;
use kubestride_stencils::attributes as attr;
use kubestride_yaml::{Limits, read};

fn discovered(text: &str, scope: Scope, kubernetes: Version) -> Discovered {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        manifests.add(document.tree.expect("a document"), 0);
    }
    manifests.finish("default");
    discover(&manifests, &Options { scope, namespace: "default".to_owned(), kubernetes })
}

fn shown(model: &Model, subject: SubjectRef, attribute: AttributeId) -> String {
    model.value(subject, attribute).map_or("-".to_owned(), |value| model.value_text(attribute, value))
}

/// A pod with fields of its metadata, its specification and its only container.
fn pod(metadata: &str, spec: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web{metadata}}}\nspec: {{{spec}containers: [{{name: c, image: example/web:1{container}}}]}}\n"
    )
}

fn of_container(text: &str, kubernetes: Version, attribute: AttributeId) -> String {
    let model = discovered(text, Scope::Application, kubernetes).model;
    let (workload, _) = model.elements().find(|(_, e)| model.text(e.identity) == "Pod/default/web").expect("a pod");
    let (id, _) = model.containers_of(workload).next().expect("a container");
    shown(&model, SubjectRef::Container(id), attribute)
}

fn of_pod(text: &str, attribute: AttributeId) -> String {
    let model = discovered(text, Scope::Application, Version::NEWEST).model;
    let (id, _) = model.elements().find(|(_, e)| model.text(e.identity) == "Pod/default/web").expect("a pod");
    shown(&model, SubjectRef::Element(id), attribute)
}

#[test]
fn profiles_of_containers_go_before_those_of_pods() {
    let seccomp = |metadata: &str, spec: &str, container: &str, version| {
        of_container(&pod(metadata, spec, container), version, attr::SECCOMP.id)
    };
    let newest = Version::NEWEST;
    let of = |kind: &str| format!("securityContext: {{seccompProfile: {{type: {kind}}}}}");
    assert_eq!(seccomp("", "", "", newest), "Not set");
    assert_eq!(seccomp("", &format!("{}, ", of("RuntimeDefault")), "", newest), "Runtime default");
    let both = (format!("{}, ", of("RuntimeDefault")), format!(", {}", of("Unconfined")));
    assert_eq!(seccomp("", &both.0, &both.1, newest), "Unconfined");
    // Annotations about seccomp have no effect any more.
    let annotation = ", annotations: {container.seccomp.security.alpha.kubernetes.io/c: unconfined}";
    assert_eq!(seccomp(annotation, "", "", newest), "Not set");
    assert_eq!(seccomp(annotation, "", "", Version(26)), "Unconfined");
    let of_pod = ", annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}";
    assert_eq!(seccomp(of_pod, "", "", Version(26)), "Runtime default");

    let apparmor = |metadata: &str, spec: &str, container: &str| {
        of_container(&pod(metadata, spec, container), newest, attr::APP_ARMOR.id)
    };
    let of = |kind: &str| format!("securityContext: {{appArmorProfile: {{type: {kind}}}}}");
    let annotation =
        |profile: &str| format!(", annotations: {{container.apparmor.security.beta.kubernetes.io/c: {profile}}}");
    assert_eq!(apparmor("", "", ""), "Not set");
    assert_eq!(apparmor(&annotation("localhost/web"), "", ""), "Localhost");
    assert_eq!(apparmor(&annotation("unconfined"), &format!("{}, ", of("RuntimeDefault")), ""), "Unconfined");
    assert_eq!(apparmor(&annotation("unconfined"), "", &format!(", {}", of("RuntimeDefault"))), "Runtime default");
    let other = ", annotations: {container.apparmor.security.beta.kubernetes.io/other: unconfined}";
    assert_eq!(apparmor(other, "", ""), "Not set");
}

#[test]
fn selinux_labels_are_custom_if_they_are_not_made_for_containers() {
    let of = |options: &str| {
        let text = pod("", "", &format!(", securityContext: {{seLinuxOptions: {options}}}"));
        of_container(&text, Version::NEWEST, attr::SE_LINUX.id)
    };
    assert_eq!(of_container(&pod("", "", ""), Version::NEWEST, attr::SE_LINUX.id), "Not set");
    assert_eq!(of("{level: 's0:c1,c2'}"), "Container type");
    assert_eq!(of("{type: container_t}"), "Container type");
    assert_eq!(of("{type: spc_t}"), "Custom");
    assert_eq!(of("{type: container_t, user: system_u}"), "Custom");
    assert_eq!(of("{role: system_r}"), "Custom");
}

#[test]
fn users_on_windows_have_names() {
    let of = |name: &str| {
        let text = pod("", &format!("securityContext: {{windowsOptions: {{runAsUserName: '{name}'}}}}, "), "");
        of_container(&text, Version::NEWEST, attr::RUN_AS.id)
    };
    assert_eq!(of("ContainerAdministrator"), "Root");
    assert_eq!(of("NT AUTHORITY\\SYSTEM"), "Root");
    assert_eq!(of("ContainerUser"), "Non-root");
    assert_eq!(of("shop"), "Image decides");
}

#[test]
fn handlers_of_runtime_classes_say_what_is_between_container_and_kernel() {
    let of = |class: &str, handler: Option<&str>| {
        let object = handler.map(|h| {
            format!("---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {{name: {class}}}\nhandler: {h}\n")
        });
        let text = pod("", &format!("runtimeClassName: {class}, "), "") + &object.unwrap_or_default();
        of_pod(&text, attr::RUNTIME_CLASS.id)
    };
    assert_eq!(of_pod(&pod("", "", ""), attr::RUNTIME_CLASS.id), "Default");
    assert_eq!(of("untrusted", Some("runsc")), "Sandboxed");
    assert_eq!(of("untrusted", Some("kata-qemu-snp")), "Sandboxed");
    assert_eq!(of("gvisor", Some("runc")), "Other", "the handler decides, not the name");
    assert_eq!(of("untrusted", Some("special")), "Unknown");
    assert_eq!(of("untrusted", None), "Unknown");
    assert_eq!(of("gvisor", None), "Sandboxed");
    assert_eq!(of("nvidia", None), "Other");
}

#[test]
fn labels_that_name_no_level_are_not_taken_for_one() {
    let of = |labels: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: default, labels: {{{labels}}}}}\n---\n{}",
            pod("", "", "")
        );
        let found = discovered(&text, Scope::Application, Version::NEWEST);
        let model = &found.model;
        let (id, _) = model.boundaries().find(|(_, b)| model.text(b.identity) == "Namespace/default").expect("it");
        let codes: Vec<_> = found.diagnostics.iter().map(|d| d.code).collect();
        let shown = |id_of| shown(model, SubjectRef::Boundary(id), id_of);
        (shown(attr::POD_SECURITY.id), shown(attr::POD_SECURITY_REPORTED.id), codes)
    };
    let is = |enforced: &str, reported: &str| (enforced.to_owned(), reported.to_owned(), vec![]);
    assert_eq!(of(""), is("None", "None"));
    assert_eq!(
        of("pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/warn: restricted"),
        is("Baseline", "Restricted")
    );
    assert_eq!(of("pod-security.kubernetes.io/audit: baseline"), is("None", "Baseline"));
    let odd = of("pod-security.kubernetes.io/enforce: strict");
    assert_eq!(odd, ("Unknown".to_owned(), "None".to_owned(), vec!["unknown-level"]));
}

const POLICY: &str = "---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  rules:
    - {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {'=(hostPID)': 'false'}}}}
    - {name: v, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{imageReferences: ['*'], attestors: [{count: 1}]}]}
";

#[test]
fn policies_answer_nothing_where_their_engine_is_known_to_be_missing() {
    let of = |text: &str, scope| {
        let found = discovered(text, scope, Version::NEWEST);
        let model = &found.model;
        let boundary = |identity: &str| {
            let (id, _) = model.boundaries().find(|(_, b)| model.text(b.identity) == identity).expect("it");
            SubjectRef::Boundary(id)
        };
        let (control, _) = model.controls().next().expect("a control");
        [
            shown(model, boundary("Namespace/default"), attr::REFUSES_HOST_PID.id),
            shown(model, boundary("cluster"), attr::IMAGE_VERIFICATION.id),
            shown(model, SubjectRef::Control(control), attr::ADMISSION_EFFECT.id),
            shown(model, SubjectRef::Control(control), attr::CHECKS.id),
        ]
    };
    let checks = "processes of the node, images that nobody signed";
    let text = pod("", "", "") + POLICY;
    assert_eq!(of(&text, Scope::Application), ["Yes", "Yes", "Denies", checks]);
    assert_eq!(of(&text, Scope::Cluster), ["No", "No", "Nothing", checks]);
    let kyverno = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: kyverno, namespace: kyverno}\nspec: {containers: [{name: c, image: 'ghcr.io/kyverno/kyverno:v1.13'}]}\n";
    // Kyverno does not look at its own namespace, so its own image is not verified.
    assert_eq!(of(&format!("{text}{kyverno}"), Scope::Cluster), ["Yes", "Some", "Denies", checks]);
    let unknown = text
        .replace("'=(hostPID)': 'false'", "'=(hostPID)': '{{ x }}'")
        .replace("'*'], attestors: [{count: 1}]", "'*']");
    assert_eq!(of(&unknown, Scope::Application), ["No", "Unknown", "Denies", "Unknown"]);
}
