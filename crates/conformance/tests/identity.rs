//! Identity: what is two things is two, and what is one thing stays one when something else about it changes.

use std::collections::BTreeSet;

use kubestride_conformance::{Analysed, types};
use kubestride_template::ThreatType;

fn catalogue() -> Vec<ThreatType> {
    types(&kubestride_stencils::vocabulary())
}

/// `<type>@<subject>` of all threats, open and mitigated.
fn ids(analysed: &Analysed, types: &[ThreatType]) -> BTreeSet<String> {
    let id = |t: &kubestride_analysis::Threat| {
        format!("{}@{}", types.get(t.threat_type).map_or("", |t| &t.id), analysed.subject(t))
    };
    let ids: BTreeSet<String> = analysed.analysis.threats.iter().map(id).collect();
    assert_eq!(ids.len(), analysed.analysis.threats.len(), "two threats have one id");
    ids
}

const SHOP: [&str; 5] = [
    "apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: server
          image: registry.example/web:1.2
          securityContext: { privileged: true }
          env:
            - name: DATABASE_URL
              value: postgresql://app:change-me@db:5432/app?sslmode=disable
",
    "apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec:
  type: LoadBalancer
  selector: { app: web }
  ports: [{ port: 80 }]
",
    "apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      containers:
        - name: server
          image: postgres:17.2
",
    "apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec:
  selector: { app: db }
  ports: [{ port: 5432 }]
",
    "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: web }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: default, namespace: shop }]
",
];

fn joined(documents: &[impl AsRef<str>]) -> String {
    documents.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("---\n")
}

/// The threats of the shop, which are of all kinds of subjects.
fn shop(types: &[ThreatType]) -> BTreeSet<String> {
    let ids = ids(&Analysed::new(&joined(&SHOP), types), types);
    let expected = [
        "privileged-container@Deployment/shop/web#server",
        "credentials-in-clear-text@Deployment/shop/web->StatefulSet/shop/db:traffic:PostgreSQL/5432",
        "datastore-reachable-by-all@StatefulSet/shop/db",
    ];
    for id in expected {
        assert!(ids.contains(id), "{id} is not among {ids:#?}");
    }
    ids
}

#[test]
fn one_name_in_two_namespaces_is_two_elements() {
    let types = catalogue();
    let two = format!("{}---\n{}", SHOP[0], SHOP[0].replace("namespace: shop", "namespace: stage"));
    let analysed = Analysed::new(&two, &types);
    let elements: Vec<&str> = analysed.model.elements().map(|(_, e)| analysed.model.text(e.identity)).collect();
    assert!(elements.contains(&"Deployment/shop/web") && elements.contains(&"Deployment/stage/web"), "{elements:?}");
    let ids = ids(&analysed, &types);
    for namespace in ["shop", "stage"] {
        let id = format!("privileged-container@Deployment/{namespace}/web#server");
        assert!(ids.contains(&id), "{id} is not among {ids:#?}");
    }
}

#[test]
fn one_name_of_two_kinds_is_two_elements() {
    let types = catalogue();
    let two = format!("{}---\n{}", SHOP[0], SHOP[0].replace("kind: Deployment", "kind: StatefulSet"));
    let ids = ids(&Analysed::new(&two, &types), &types);
    for kind in ["Deployment", "StatefulSet"] {
        let id = format!("privileged-container@{kind}/shop/web#server");
        assert!(ids.contains(&id), "{id} is not among {ids:#?}");
    }
}

#[test]
fn one_kind_in_two_groups_is_two_kinds() {
    let policy = |group: &str| {
        format!(
            "apiVersion: {group}/v1\nkind: AuthorizationPolicy\nmetadata: {{ name: all, namespace: shop }}\nspec: {{ rules: [{{}}] }}\n"
        )
    };
    let two = format!("{}---\n{}", policy("security.istio.io"), policy("policy.example.com"));
    let analysed = Analysed::new(&two, &catalogue());
    assert_eq!(analysed.complaints, Vec::<String>::new(), "one of the two is taken for the other");
    let controls: Vec<&str> = analysed.model.controls().map(|(_, c)| analysed.model.text(c.identity)).collect();
    assert_eq!(controls, ["AuthorizationPolicy.security.istio.io/shop/all"]);
    // And of the same group they are the same.
    let same = format!(
        "{}---\n{}",
        policy("security.istio.io"),
        policy("security.istio.io").replace("rules: [{}]", "rules: []")
    );
    assert_eq!(Analysed::new(&same, &catalogue()).complaints.len(), 1);
}

#[test]
fn the_version_is_no_part_of_identity() {
    let types = catalogue();
    let policy = |version: &str| {
        format!(
            "apiVersion: security.istio.io/{version}\nkind: AuthorizationPolicy\nmetadata: {{ name: all, namespace: shop }}\nspec: {{ rules: [{{}}] }}\n"
        )
    };
    let of = |version: &str| ids(&Analysed::new(&policy(version), &types), &types);
    assert!(!of("v1").is_empty());
    assert_eq!(of("v1"), of("v1beta1"));
}

#[test]
fn the_order_of_objects_changes_no_id() {
    let types = catalogue();
    let first = shop(&types);
    let mut documents = SHOP.to_vec();
    for _ in 1..documents.len() {
        documents.rotate_left(1);
        assert_eq!(ids(&Analysed::new(&joined(&documents), &types), &types), first, "{}", joined(&documents));
    }
    documents.reverse();
    assert_eq!(ids(&Analysed::new(&joined(&documents), &types), &types), first);
}

#[test]
fn labels_images_and_lines_change_no_id() {
    let types = catalogue();
    let first = shop(&types);
    let text = joined(&SHOP);
    let changed = [
        ("labels", text.replace("app: web", "app.kubernetes.io/name: web-2")),
        (
            "an image",
            text.replace(
                "registry.example/web:1.2",
                "mirror.example/library/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ),
        ),
        ("a version", text.replace("postgres:17.2", "postgres:18.0")),
        ("lines", format!("# a comment\n\n\n{}", text.replace("spec:\n", "spec:\n  # another one\n\n"))),
        ("a password", text.replace("change-me", "changed")),
        ("an annotation", text.replace("metadata: { name: web,", "metadata: { annotations: { team: one }, name: web,")),
    ];
    for (what, text) in changed {
        let now = ids(&Analysed::new(&text, &types), &types);
        assert_eq!(now, first, "{what}");
    }
}

#[test]
fn another_object_changes_no_id_of_the_others() {
    let types = catalogue();
    let first = shop(&types);
    let before = SHOP[0].replace("name: web", "name: aaa").replace("app: web", "app: aaa");
    let more = ids(&Analysed::new(&format!("{before}---\n{}", joined(&SHOP)), &types), &types);
    let lost: Vec<&String> = first.difference(&more).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn hashes_of_generated_configuration_change_no_id() {
    let types = catalogue();
    let of = |hash: &str| {
        let text = format!(
            "{}          envFrom: [{{ secretRef: {{ name: db-{hash} }} }}]\n---\napiVersion: v1\nkind: Secret\nmetadata: {{ name: db-{hash}, namespace: shop }}\nstringData: {{ password: change-me }}\n",
            SHOP[2]
        );
        let analysed = Analysed::new(&text, &types);
        let stores: Vec<String> =
            analysed.model.elements().map(|(_, e)| analysed.model.text(e.identity).to_owned()).collect();
        assert!(stores.contains(&"Secret/shop/db".to_owned()), "{stores:?}");
        ids(&analysed, &types)
    };
    assert_eq!(of("42mhb4tg6k"), of("m9dfh2c5bt"));
}
