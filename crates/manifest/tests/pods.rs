//! Pods, containers, volumes, Services and selectors.

mod common;

use common::manifests;
use kubestride_manifest::*;

fn with_pod(spec: &str, test: impl FnOnce(PodSpec<'_>)) {
    let (manifests, _) = manifests(&format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {spec}}}\n"));
    let workload = manifests.objects().next().and_then(|o| o.workload()).expect("a workload");
    test(workload.template.spec());
}

#[test]
fn templates_are_found_in_all_kinds() {
    let template = "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c}]}}";
    let table = [
        ("apps/v1", "Deployment", format!("{{{template}}}")),
        ("apps/v1", "StatefulSet", format!("{{{template}}}")),
        ("apps/v1", "DaemonSet", format!("{{{template}}}")),
        ("apps/v1", "ReplicaSet", format!("{{{template}}}")),
        ("v1", "ReplicationController", format!("{{{template}}}")),
        ("batch/v1", "Job", format!("{{{template}}}")),
        ("batch/v1", "CronJob", format!("{{jobTemplate: {{spec: {{{template}}}}}}}")),
    ];
    for (version, kind, spec) in table {
        let text = format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}\n");
        let (manifests, _) = manifests(&text);
        let workload = manifests.objects().next().and_then(|o| o.workload()).expect(kind);
        assert_eq!(workload.template.label("app"), Some("x"), "{kind}");
        assert_eq!(workload.template.spec().containers().count(), 1, "{kind}");
    }
    let (service, _) = manifests("{apiVersion: v1, kind: Service, metadata: {name: a}}");
    assert!(service.objects().all(|object| object.workload().is_none()));
}

#[test]
fn containers_have_roles() {
    let spec = "{initContainers: [{name: a}, {name: b, restartPolicy: Always}], containers: [{name: c}]}";
    with_pod(spec, |pod| {
        let roles: Vec<_> = pod.containers().map(|c| (c.name(), c.role())).collect();
        assert_eq!(roles, [("a", ContainerRole::Init), ("b", ContainerRole::Sidecar), ("c", ContainerRole::Main)]);
    });
}

#[test]
fn the_container_overrides_the_pod() {
    let spec = "{securityContext: {runAsUser: 1, runAsNonRoot: true}, containers: [{name: c, securityContext: \
                {runAsUser: 0, runAsNonRoot: null}}]}";
    with_pod(spec, |pod| {
        let container = pod.containers().next().expect("one");
        assert_eq!(container.merged(pod, "runAsUser").and_then(|v| v.as_i64()), Some(0));
        assert_eq!(container.merged(pod, "runAsNonRoot").and_then(|v| v.as_bool()), Some(true), "null is not set");
        assert!(container.security("runAsNonRoot").is_none());
    });
}

#[test]
fn environment_names_its_sources() {
    let spec = "{containers: [{name: c, env: [{name: A, value: ''}, {name: B, valueFrom: {secretKeyRef: {name: s, key: \
                k, optional: true}}}, {name: C, valueFrom: {fieldRef: {fieldPath: f}}}, {value: nameless}], envFrom: \
                [{prefix: P_, configMapRef: {name: m}}, {secretRef: {}}]}]}";
    with_pod(spec, |pod| {
        let container = pod.containers().next().expect("one");
        let env: Vec<_> =
            container.env().map(|e| (e.name, e.value.is_some(), e.source.map(|s| (s.kind, s.name, s.key)))).collect();
        assert_eq!(
            env,
            [
                ("A", true, None),
                ("B", false, Some((EnvSourceKind::Secret, "s", "k"))),
                ("C", false, Some((EnvSourceKind::Field, "", "f"))),
            ]
        );
        let from: Vec<_> = container.env_from().map(|e| (e.kind, e.name, e.prefix)).collect();
        assert_eq!(from, [(EnvSourceKind::ConfigMap, "m", "P_")]);
    });
}

#[test]
fn volumes_say_what_they_hold() {
    let table = [
        ("emptyDir: {}", VolumeSource::EmptyDir),
        (
            "hostPath: {path: /var/run, type: Directory}",
            VolumeSource::HostPath { path: "/var/run", path_type: "Directory" },
        ),
        ("secret: {secretName: s}", VolumeSource::Secret { name: "s", optional: false, items: vec![] }),
        ("persistentVolumeClaim: {claimName: c, readOnly: true}", VolumeSource::Claim { name: "c", read_only: true }),
        (
            "projected: {sources: [{serviceAccountToken: {path: t, audience: vault}}, {secret: {name: s}}]}",
            VolumeSource::Projected(vec![
                VolumeSource::ServiceAccountToken { audience: Some("vault"), path: "t" },
                VolumeSource::Secret { name: "s", optional: false, items: vec![] },
            ]),
        ),
        ("rbd: {}", VolumeSource::Other("rbd")),
    ];
    for (text, source) in table {
        with_pod(&format!("{{volumes: [{{name: v, {text}}}]}}"), |pod| {
            assert_eq!(pod.volume("v").map(|v| v.source()), Some(source));
        });
    }
}

#[test]
fn services_select_by_all_labels() {
    let read = |spec: &str, labels: &[(&'static str, &'static str)]| {
        let (manifests, _) =
            manifests(&format!("{{apiVersion: v1, kind: Service, metadata: {{name: s}}, spec: {spec}}}\n"));
        let service = manifests.objects().next().and_then(|o| o.service()).expect("a service");
        service.selects(&Labels::from_pairs(labels.iter().copied()))
    };
    assert!(read("{selector: {a: x}}", &[("a", "x"), ("b", "y")]));
    assert!(!read("{selector: {a: x, b: z}}", &[("a", "x"), ("b", "y")]));
    assert!(!read("{selector: {}}", &[("a", "x")]), "an empty selector selects nothing");
    assert!(!read("{}", &[]), "no selector selects nothing");
}

#[test]
fn ports_are_read_with_defaults() {
    let (manifests, _) = manifests(
        "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80}, {port: 81, \
         targetPort: web, nodePort: 30000, protocol: UDP}, {port: 0}, {port: 70000}, {port: 82, targetPort: '8080'}]}}\n",
    );
    let service = manifests.objects().next().and_then(|o| o.service()).expect("a service");
    let ports: Vec<_> = service.ports().map(|p| (p.number, p.target_port, p.node_port, p.protocol)).collect();
    assert_eq!(
        ports,
        [
            (80, PortRef::Number(80), None, "TCP"),
            (81, PortRef::Name("web"), Some(30000), "UDP"),
            (82, PortRef::Number(8080), None, "TCP"),
        ]
    );
    assert_eq!(service.type_(), ServiceType::NodePort);
}

#[test]
fn selectors_mean_what_kubernetes_says() {
    let table: &[(&str, bool)] = &[
        ("{}", true),
        ("~", true),
        ("{matchLabels: {a: x}}", true),
        ("{matchLabels: {a: y}}", false),
        ("{matchExpressions: [{key: a, operator: In, values: [y, x]}]}", true),
        ("{matchExpressions: [{key: b, operator: In, values: [x]}]}", false),
        ("{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", false),
        ("{matchExpressions: [{key: b, operator: NotIn, values: [x]}]}", true),
        ("{matchExpressions: [{key: a, operator: Exists}]}", true),
        ("{matchExpressions: [{key: a, operator: DoesNotExist}]}", false),
        ("{matchExpressions: [{key: b, operator: DoesNotExist}]}", true),
        ("{matchLabels: {a: x}, matchExpressions: [{key: b, operator: Exists}]}", false),
        ("{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}", false),
        ("[a]", false),
    ];
    for (text, expected) in table {
        let (manifests, _) = manifests(&format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, x: {text}}}\n"));
        let object = manifests.objects().next().expect("one");
        let selector = LabelSelector::read(object.root().get("x").expect("a selector"));
        assert_eq!(selector.matches(&Labels::from_pairs([("a", "x"), ("c", "z")])), *expected, "{text}");
        assert_eq!(selector.diagnostics().count(), usize::from(text.contains("Gt") || *text == "[a]"), "{text}");
    }
}
