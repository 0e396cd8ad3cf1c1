//! Pod Security Standards against the test data of `pod-security-admission`: every pod is judged as it is there.

use std::path::{Path, PathBuf};

use kubestride_conformance::{Analysed, corpus, say};
use kubestride_model::SubjectRef;
use kubestride_policy::pod_security::{Breach, Level, Version, breaches, level};
use kubestride_stencils::attributes::POD_SECURITY_LEVEL;

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// What breaks levels in the one pod of a file.
fn judged(file: &Path, version: Version) -> Vec<Breach> {
    let loaded = kubestride_input::load(&[file.to_path_buf()], &kubestride_input::Options::default());
    let mut pods = loaded.manifests.objects().filter_map(|o| o.workload());
    let pod = pods.next().unwrap_or_else(|| panic!("{} holds no pod", file.display()));
    let found = breaches(pod.template, version);
    for breach in &found {
        let shown = breach.span.map(|span| loaded.sources.location(span));
        assert!(shown.flatten().is_some(), "{}: {} is nowhere", file.display(), breach.path);
    }
    found
}

#[test]
fn pods_are_judged_as_admission_judges_them() {
    let Some(root) = corpus("corpus/pod-security", "pod security") else { return };
    let (mut passed, mut failed) = (0, 0);
    for (name, wanted) in [("baseline", Level::Baseline), ("restricted", Level::Restricted)] {
        for folder in sorted(&root.join(name)) {
            let version = folder.file_name().and_then(|n| n.to_str()).and_then(Version::parse).expect("a version");
            for file in sorted(&folder.join("pass")) {
                let found = judged(&file, version);
                assert!(level(&found) >= wanted, "{} does not pass: {found:?}", file.display());
                passed += 1;
            }
            for file in sorted(&folder.join("fail")) {
                let found = judged(&file, version);
                assert!(level(&found) < wanted, "{} passes", file.display());
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                let check = stem.trim_end_matches(|c: char| c.is_ascii_digit());
                let named = found.iter().any(|b| b.check.to_lowercase() == check);
                assert!(named, "{}: {found:?}", file.display());
                failed += 1;
            }
        }
    }
    say(&format!("pod security: {passed} pods pass and {failed} fail, all as expected"));
}

#[test]
fn workloads_carry_their_level_and_what_breaks_the_next_one() {
    let pod = |spec: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{ name: p }}\nspec: {spec}\n");
    let hardened = "{ securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }, containers: [{ \
                    name: c, image: i, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } } }] }";
    let table: [(&str, &str, &[&str]); 3] = [
        (
            "{ hostPID: true, hostIPC: true, containers: [{ name: c, image: i }] }",
            "privileged",
            &["hostNamespaces of v1.37 at spec.hostPID", "hostNamespaces of v1.37 at spec.hostIPC"],
        ),
        (
            "{ containers: [{ name: c, image: i }] }",
            "baseline",
            &[
                "allowPrivilegeEscalation of v1.37 at spec.containers[0]",
                "capabilities_restricted of v1.37 at spec.containers[0]",
                "runAsNonRoot of v1.37 at spec.containers[0]",
                "seccompProfile_restricted of v1.37 at spec.containers[0]",
            ],
        ),
        (hardened, "restricted", &["no field breaks the level restricted"]),
    ];
    for (spec, level, notes) in table {
        let analysed = Analysed::new(&pod(spec), &[]);
        let model = &analysed.model;
        let workload = model.elements().find(|(_, e)| model.text(e.name) == "p").expect("the pod").0;
        let (subject, attribute) = (SubjectRef::Element(workload), POD_SECURITY_LEVEL.id);
        let value = model.value(subject, attribute).map(|v| model.value_text(attribute, v));
        assert_eq!(value.as_deref(), Some(level), "{spec}");
        let evidence = model.value_evidence(subject, attribute);
        let said: Vec<&str> = evidence.iter().map(|e| model.text(e.note)).collect();
        assert_eq!(said, notes, "{spec}");
    }
}
