//! Which objects are there, and what they are called.

mod common;

use common::{codes, identities, manifests};
use kubestride_manifest::stable_name;

#[test]
fn items_of_a_list_of_one_kind_need_not_say_it() {
    let (manifests, _) = manifests(
        "apiVersion: v1\nkind: PodList\nitems:\n - {metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}\n \
         - {apiVersion: v1, kind: Service, metadata: {name: b}}\n - 7\n",
    );
    assert_eq!(identities(&manifests), ["Pod/default/a", "Service/default/b"]);
    assert_eq!(manifests.by_kind("Pod").filter_map(|o| o.workload()).count(), 1);
}

#[test]
fn identities_follow_the_kind() {
    let table = [
        ("apps/v1, kind: Deployment, metadata: {name: a, namespace: n}", "Deployment/n/a"),
        ("apps/v1beta2, kind: Deployment, metadata: {name: a}", "Deployment/default/a"),
        ("rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'a:b', namespace: n}", "ClusterRole/a:b"),
        (
            "gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g}",
            "Gateway.gateway.networking.k8s.io/default/g",
        ),
        ("cert-manager.io/v1, kind: ClusterIssuer, metadata: {name: i}", "ClusterIssuer.cert-manager.io/i"),
        ("cluster.x-k8s.io/v1, kind: ClusterClass, metadata: {name: i}", "ClusterClass.cluster.x-k8s.io/default/i"),
        ("v1, kind: ConfigMap, metadata: {name: a-bcdfghkmt2}", "ConfigMap/default/a"),
        ("v1, kind: Pod, metadata: {name: a-bcdfghkmt2}", "Pod/default/a-bcdfghkmt2"),
        ("batch/v1, kind: Job, metadata: {generateName: run-}", "Job/default/run-*"),
        ("v1, kind: Pod, metadata: {name: 7}", "Pod/default/7"),
        ("v1, kind: Pod", "Pod/default/"),
    ];
    for (text, identity) in table {
        let (manifests, _) = manifests(&format!("{{apiVersion: {text}}}\n"));
        assert_eq!(identities(&manifests), [identity]);
    }
}

#[test]
fn hashes_of_generated_names_are_left_out() {
    assert_eq!(stable_name("Secret", "db-2g4t98mkfh"), "db");
    assert_eq!(stable_name("Secret", "db-production"), "db-production", "letters outside of the alphabet");
    assert_eq!(stable_name("Secret", "db-2g4t98mkf"), "db-2g4t98mkf", "too short");
    assert_eq!(stable_name("Secret", "-2g4t98mkfh"), "-2g4t98mkfh", "nothing before it");
    assert_eq!(stable_name("Service", "db-2g4t98mkfh"), "db-2g4t98mkfh");
}

#[test]
fn definitions_say_where_custom_kinds_live() {
    let crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: t.x.io}, \
               spec: {group: x.io, scope: Cluster, names: {kind: Tenant}}}";
    let object = "{apiVersion: x.io/v1, kind: Tenant, metadata: {name: t, namespace: n}}";
    for text in [format!("{crd}\n---\n{object}\n"), format!("{object}\n---\n{crd}\n")] {
        let (manifests, _) = manifests(&text);
        assert!(identities(&manifests).contains(&"Tenant.x.io/t".to_owned()));
    }
    assert_eq!(identities(&manifests(object).0), ["Tenant.x.io/n/t"]);
}

#[test]
fn items_of_lists_are_objects() {
    let (manifests, diagnostics) = manifests(
        "apiVersion: v1\nkind: List\nitems:\n\
         - {apiVersion: v1, kind: Service, metadata: {name: a}}\n\
         - {apiVersion: v1, kind: ServiceList, items: [{apiVersion: v1, kind: Service, metadata: {name: b}}]}\n\
         - {just: text}\n\
         ---\n{apiVersion: x.io/v1, kind: AllowList, metadata: {name: c}, spec: {}}\n---\nkind: Pod\n",
    );
    assert_eq!(identities(&manifests), ["Service/default/a", "Service/default/b", "AllowList.x.io/default/c"]);
    assert_eq!(manifests.skipped(), 2);
    assert_eq!(manifests.by_kind("Service").count(), 2);
    assert!(diagnostics.is_empty());
}

#[test]
fn a_list_that_holds_itself_ends() {
    let (manifests, _) = manifests("&a\napiVersion: v1\nkind: List\nitems: [*a, *a, {apiVersion: v1, kind: Pod}]\n");
    assert!(manifests.objects().count() < 100);
}

#[test]
fn kinds_of_other_groups_are_told_apart() {
    let (manifests, _) = manifests(
        "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}}\n---\n\
         {apiVersion: v1, kind: Service, metadata: {name: a}}\n",
    );
    assert_eq!(manifests.objects().count(), 2);
    assert_eq!(manifests.by_kind("Service").map(|o| o.identity("d")).collect::<Vec<_>>(), ["Service/d/a"]);
    let custom: Vec<_> = manifests.by_custom_kind("serving.knative.dev", "Service").collect();
    assert_eq!(custom.len(), 1);
    assert!(custom[0].service().is_none());
}

#[test]
fn repeated_objects_are_found() {
    let a = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}, data: {x: '1', y: '2'}}";
    let same = "{kind: ConfigMap, apiVersion: v1, data: {y: \"2\", x: '1'}, metadata: {namespace: default, name: a}}";
    let other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '2'}}";
    let data = |text: &str| {
        let (manifests, diagnostics) = manifests(text);
        assert_eq!(manifests.objects().count(), 1);
        let object = manifests.objects().next().expect("one");
        (object.root().get("data").map(|data| data.len()), codes(&diagnostics))
    };
    assert_eq!(data(&format!("{a}\n---\n{same}\n---\n{same}\n")), (Some(2), vec!["repeated-object"]));
    assert_eq!(data(&format!("{a}\n---\n{other}\n")), (Some(1), vec!["conflicting-object"]));
    assert_eq!(data(&format!("{other}\n---\n{a}\n")), (Some(2), vec!["conflicting-object"]));
    let (manifests, diagnostics) = manifests(&format!("{a}\n---\n{other}\n"));
    assert_eq!(manifests.by_kind("ConfigMap").count(), 1);
    let last = manifests.objects().next().expect("one").span();
    assert_eq!(diagnostics[0].span, Some(last), "the one that counts");
    assert!(diagnostics[0].related.as_ref().is_some_and(|(first, _)| first.start < last.start));
}

#[test]
fn unnamed_files_of_tools_are_not_one_object() {
    let text = "{apiVersion: kustomize.config.k8s.io/v1, kind: Kustomization, resources: [a]}\n";
    let (manifests, diagnostics) = manifests(&format!("{text}---\n{}", text.replace("[a]", "[b]")));
    assert_eq!(manifests.objects().count(), 2);
    assert!(diagnostics.is_empty());
}

#[test]
fn wrong_types_are_reported_and_the_rest_is_read() {
    let (manifests, diagnostics) = manifests(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: [x]}\nspec:\n  replicas: two\n  template:\n    \
         spec:\n      hostNetwork: 'true'\n      containers: {name: c}\n      initContainers:\n      - name: i\n        \
         env: [{name: PORT, value: 8080}]\n        securityContext: {privileged: yes please}\n",
    );
    assert_eq!(codes(&diagnostics), ["wrong-type"; 6]);
    assert!(diagnostics.iter().all(|d| d.span.is_some() && !d.message.contains("8080")));
    let workload = manifests.objects().next().and_then(|o| o.workload()).expect("a workload");
    assert_eq!(workload.template.spec().containers().map(|c| c.name()).collect::<Vec<_>>(), ["i"]);
    assert!(workload.template.spec().host_network().is_none());
}

#[test]
fn documents_that_aliases_make_endless_are_left_out() {
    let pod =
        |name: &str, spec: &str| format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {spec}}}\n");
    let endless = [pod("a", "&a {b: *a}"), pod("b", "&a {b: *a, c: *a, d: *a}")];
    let sound = pod("c", "{x: &a {b: 1}, y: *a, z: {<<: *a}}");
    let (manifests, diagnostics) = manifests(&format!("{}---\n{}---\n{sound}", endless[0], endless[1]));
    assert_eq!(identities(&manifests), ["Pod/default/c"]);
    assert_eq!(codes(&diagnostics), ["too-many-aliases"; 2]);
    assert!(diagnostics.iter().all(|d| d.span.is_some_and(|span| span.end - span.start == 1)), "at the name");
}
