//! Tokens that pods hold, what they can do with them, and identities in the cloud.

mod shown;

use kubestride_model::{FlowKind, Model, SubjectRef};
use kubestride_stencils::Attribute;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{self, CloudIdentity, YesNo};
use shown::model;

/// A pod with these fields beside its containers, in which `account` is replaced by what the ServiceAccount has.
fn pod(account: &str, metadata: &str, spec: &str, container: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: web{account}}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: web{metadata}}}, spec: {{serviceAccountName: web{spec}, containers: \
         [{{name: c, image: registry.example/web:1{container}}}]}}}}
"
    )
}

/// A role with one rule, bound to a service account everywhere.
fn right(account: &str, resource: &str, verb: &str) -> String {
    format!(
        "---
{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {account}}}, rules: [{{apiGroups: \
         [''], resources: [{resource}], verbs: [{verb}]}}]}}
---
{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {{name: {account}}}, roleRef: \
         {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {account}}}, subjects: [{{kind: \
         ServiceAccount, name: {account}, namespace: default}}]}}
"
    )
}

fn web(model: &Model) -> SubjectRef {
    let elements = model.elements().map(|(id, _)| SubjectRef::Element(id));
    elements.into_iter().find(|id| model.identity_of(*id) == "Pod/default/web").expect("the pod")
}

fn holds<D>(model: &Model, attribute: Attribute<D>, value: kubestride_model::Value) -> bool {
    model.value(web(model), attribute.id) == Some(value)
}

/// The flow from the pod to the API server.
fn calls(model: &Model) -> Option<SubjectRef> {
    let of_web = |source| SubjectRef::Element(source) == web(model);
    let mut flows = model.flows().filter(|(_, flow)| flow.kind == FlowKind::Api && of_web(flow.source));
    flows.next().map(|(id, _)| SubjectRef::Flow(id))
}

fn token_volume(audience: &str, mounted: bool) -> (String, String) {
    let volume = format!(
        ", automountServiceAccountToken: false, volumes: [{{name: t, projected: {{sources: [{{serviceAccountToken: \
         {{path: token{audience}}}}}]}}}}]"
    );
    let mount = if mounted { ", volumeMounts: [{name: t, mountPath: /run/token}]" } else { "" };
    (volume, mount.to_owned())
}

#[test]
fn a_token_is_mounted_unless_somebody_says_otherwise() {
    let with = |audience: &str, mounted: bool| {
        let (volume, mount) = token_volume(audience, mounted);
        pod("", "", &volume, &mount)
    };
    let place = "/var/run/secrets/kubernetes.io/serviceaccount";
    let covered = format!(", volumeMounts: [{{name: none, mountPath: {place}}}]");
    let table = [
        (pod("", "", "", ""), true),
        (pod("}, automountServiceAccountToken: false, x-unused: {", "", "", ""), false),
        (pod("", "", ", automountServiceAccountToken: false", ""), false),
        // The pod over the service account.
        (
            pod("}, automountServiceAccountToken: false, x-unused: {", "", ", automountServiceAccountToken: true", ""),
            true,
        ),
        (
            pod("}, automountServiceAccountToken: true, x-unused: {", "", ", automountServiceAccountToken: false", ""),
            false,
        ),
        (pod("", "", ", automountServiceAccountToken: null", ""), true),
        // A projected volume for the API server, which must be mounted.
        (with("", true), true),
        (with("", false), false),
        (with(", expirationSeconds: 600", true), true),
        (with(", audience: vault", true), false),
        (with(", audience: 'https://kubernetes.default.svc.cluster.local'", true), true),
        (with(", audience: 'https://kubernetes.default.svc'", true), true),
        (with(", audience: 'https://kubernetes.default.svc.example'", true), true),
        (with(", audience: 'https://kubernetes.defaults.example'", true), false),
        (with(", audience: sts.amazonaws.com", true), false),
        // An empty directory in its place, as was done before there was a field.
        (pod("", "", ", volumes: [{name: none, emptyDir: {}}]", &covered), false),
        (pod("", "", ", volumes: [{name: none, emptyDir: {}}]", &covered.replace("serviceaccount", "other")), true),
    ];
    for (text, expected) in table {
        let value = if expected { YesNo::Yes } else { YesNo::No };
        let model = model(&format!("{text}{}", right("web", "secrets", "get")));
        assert!(holds(&model, attr::TOKEN_MOUNTED, attr::TOKEN_MOUNTED.value(value)), "{text}");
        assert_eq!(calls(&model).is_some(), expected, "rights are used with a token: {text}");
    }
}

const TOKEN: &str = "---
{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {name: t, annotations: \
                     {kubernetes.io/service-account.name: admin}}}
";

#[test]
fn a_secret_can_hold_the_token_of_another_account() {
    let volume = |source: &str| format!(", automountServiceAccountToken: false, volumes: [{{name: t, {source}}}]");
    let no_token = ", automountServiceAccountToken: false";
    let table = [
        (pod("", "", &volume("secret: {secretName: t}"), ""), TOKEN.to_owned(), true),
        (pod("", "", &volume("projected: {sources: [{secret: {name: t}}]}"), ""), TOKEN.to_owned(), true),
        (pod("", "", no_token, ", envFrom: [{secretRef: {name: t}}]"), TOKEN.to_owned(), true),
        (
            pod("", "", no_token, ", env: [{name: T, valueFrom: {secretKeyRef: {name: t, key: token}}}]"),
            TOKEN.to_owned(),
            true,
        ),
        (pod("", "", no_token, ""), TOKEN.to_owned(), false),
        (pod("", "", &volume("secret: {secretName: u}"), ""), TOKEN.to_owned(), false),
        (pod("", "", &volume("secret: {secretName: t}"), ""), TOKEN.replace("service-account-token", "tls"), false),
        (pod("", "", &volume("secret: {secretName: t}"), ""), TOKEN.replace("admin", "nobody"), false),
    ];
    for (text, secret, expected) in table {
        let model = model(&format!("{text}{secret}{}", right("admin", "nodes/proxy", "get")));
        let can = calls(&model).is_some_and(|flow| {
            model.value(flow, attr::CAN_PROXY_NODES.id) == Some(attr::CAN_PROXY_NODES.value(values::Scope::Cluster))
        });
        assert_eq!(can, expected, "{text}{secret}");
    }
}

#[test]
fn two_tokens_give_what_either_gives() {
    let text = pod("", "", ", volumes: [{name: t, secret: {secretName: t}}]", "");
    let model =
        model(&format!("{text}{TOKEN}{}{}", right("admin", "nodes/proxy", "get"), right("web", "secrets", "get")));
    let flow = calls(&model).expect("calls");
    for attribute in [attr::CAN_PROXY_NODES, attr::CAN_READ_SECRETS] {
        assert_eq!(model.value(flow, attribute.id), Some(attribute.value(values::Scope::Cluster)));
    }
}

#[test]
fn rights_cite_the_rule_and_the_binding() {
    let text = format!("{}{}", pod("", "", "", ""), right("web", "secrets", "get"));
    let model = model(&text);
    let flow = calls(&model).expect("calls");
    let evidence = model.value_evidence(flow, attr::CAN_READ_SECRETS.id);
    let at = |span: kubestride_source::Span| &text[span.start as usize..span.end as usize];
    let found: Vec<&str> = evidence.iter().filter_map(|e| e.span.map(at)).collect();
    let rule = "{apiGroups: [''], resources: [secrets], verbs: [get]}";
    assert_eq!(found, [rule, "{kind: ServiceAccount, name: web, namespace: default}"]);
}

#[test]
fn identities_of_the_cloud_are_found_where_pods_ask_for_them() {
    use CloudIdentity::{Aws, Azure, Google, None as Nobody};
    let annotated = |key: &str| pod(&format!(", annotations: {{{key}: some}}"), "", "", "");
    let token = |audience: &str| {
        let (volume, mount) = token_volume(&format!(", audience: '{audience}'"), true);
        pod("", "", &volume, &mount)
    };
    let env = |names: &[&str]| {
        let all: Vec<String> = names.iter().map(|name| format!("{{name: {name}, value: some}}")).collect();
        pod("", "", "", &format!(", env: [{}]", all.join(", ")))
    };
    let association = |name: &str| {
        format!(
            "{}---
{{apiVersion: eks.services.k8s.aws/v1alpha1, kind: PodIdentityAssociation, metadata: {{name: a}}, spec: \
             {{namespace: default, serviceAccount: {name}}}}}
",
            pod("", "", "", "")
        )
    };
    let client = ", annotations: {azure.workload.identity/client-id: some}";
    let uses = ", labels: {azure.workload.identity/use: 'true'}";
    let table = [
        (pod("", "", "", ""), Nobody),
        (annotated("eks.amazonaws.com/role-arn"), Aws),
        (annotated("iam.gke.io/gcp-service-account"), Google),
        (annotated("eks.amazonaws.com/role-arn").replace("some", "''"), Nobody),
        // The webhook of Azure asks for a label of the pod; its first versions for one of the account.
        (pod(client, "", "", ""), Nobody),
        (pod(client, uses, "", ""), Azure),
        (pod(client, &uses.replace("true", "false"), "", ""), Nobody),
        (pod(&format!("{client}{uses}"), "", "", ""), Azure),
        (pod("", uses, "", ""), Nobody),
        // Agents on the node look at pods.
        (pod("", ", annotations: {iam.amazonaws.com/role: some}", "", ""), Aws),
        (annotated("iam.amazonaws.com/role"), Nobody),
        (pod("", ", labels: {aadpodidbinding: some}", "", ""), Azure),
        (token("sts.amazonaws.com"), Aws),
        (token("pods.eks.amazonaws.com"), Aws),
        (token("api://AzureADTokenExchange"), Azure),
        (token("shop.svc.id.goog"), Google),
        (token("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"), Google),
        (token("https://iam.googleapis.com/projects/1"), Google),
        (token("vault"), Nobody),
        (env(&["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"]), Aws),
        (env(&["AWS_ROLE_ARN"]), Nobody),
        (env(&["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]), Aws),
        (env(&["AZURE_FEDERATED_TOKEN_FILE"]), Azure),
        (association("web"), Aws),
        (association("other"), Nobody),
    ];
    for (text, expected) in table {
        let model = model(&text);
        assert!(holds(&model, attr::CLOUD_IDENTITY, attr::CLOUD_IDENTITY.value(expected)), "{expected:?}: {text}");
    }
}

#[test]
fn the_group_of_masters_may_do_everything() {
    for (group, expected) in [("system:masters", values::Scope::Cluster), ("team", values::Scope::No)] {
        let text = right("web", "pods", "get")
            .replace("kind: ServiceAccount, name: web, namespace: default", &format!("kind: Group, name: '{group}'"));
        let model = model(&text);
        let (id, _) = model.flows().find(|(_, flow)| flow.kind == FlowKind::Api).expect("calls of the group");
        let value = model.value(SubjectRef::Flow(id), attr::CAN_EVERYTHING.id);
        assert_eq!(value, Some(attr::CAN_EVERYTHING.value(expected)), "{group}");
    }
}

#[test]
fn a_binding_to_a_group_is_not_said_to_name_the_account() {
    let of_group = |group: &str| {
        let bound = right("web", "pods", "get")
            .replace("kind: ServiceAccount, name: web, namespace: default", &format!("kind: Group, name: '{group}'"));
        pod("", "", "", "") + &bound
    };
    let table = [
        (
            of_group("system:serviceaccounts"),
            "ClusterRoleBinding/web names the group system:serviceaccounts, which its service account is in",
        ),
        (pod("", "", "", "") + &right("web", "pods", "get"), "ClusterRoleBinding/web names its service account"),
    ];
    for (text, expected) in table {
        let model = model(&text);
        let of =
            |subject: SubjectRef| model.evidence_of(subject).iter().map(|e| model.text(e.note)).collect::<Vec<_>>();
        assert_eq!(calls(&model).map(of).unwrap_or_default(), [expected]);
    }
}

#[test]
fn paths_that_everybody_may_read_are_no_power() {
    let table = [
        ("/healthz", "get", false),
        ("/version/", "get", false),
        ("/openid/v1/jwks", "get", false),
        ("/apis/*", "get", false),
        ("/metrics", "get", true),
        ("'*'", "get", true),
        ("/healthz", "'*'", true),
    ];
    for (path, verb, expected) in table {
        let text =
            right("web", "x", verb).replace("apiGroups: [''], resources: [x]", &format!("nonResourceURLs: [{path}]"));
        let model = model(&text);
        let (id, _) = model.controls().next().expect("the binding");
        let value = model.value(SubjectRef::Control(id), attr::GRANTS_POWER.id);
        let power = attr::GRANTS_POWER.value(if expected { YesNo::Yes } else { YesNo::No });
        assert_eq!(value, Some(power), "{verb} {path}");
    }
}

#[test]
fn images_are_pulled_with_the_login_of_the_pod_or_of_its_account() {
    let of_account = "}, imagePullSecrets: [{name: of-account}], x-unused: {";
    let table = [
        (pod("", "", "", ""), vec![]),
        (pod("", "", ", imagePullSecrets: [{name: of-pod}]", ""), vec!["of-pod"]),
        (pod(of_account, "", "", ""), vec!["of-account"]),
        // The account's are given to pods that name none.
        (pod(of_account, "", ", imagePullSecrets: [{name: of-pod}]", ""), vec!["of-pod"]),
        // Which of two registries the login is for is not known.
        (pod(of_account, "", ", initContainers: [{name: i, image: other.example/web}]", ""), vec![]),
    ];
    for (text, expected) in table {
        let model = model(&text);
        let supply = model.flows().filter(|(_, flow)| flow.kind == FlowKind::Supply);
        let evidence = supply.flat_map(|(id, _)| model.evidence_of(SubjectRef::Flow(id)).to_vec());
        let at = |span: kubestride_source::Span| text[span.start as usize..span.end as usize].to_owned();
        let found: Vec<String> =
            evidence.filter(|e| model.text(e.note).contains("pulled with")).filter_map(|e| e.span.map(at)).collect();
        assert_eq!(found, expected, "{text}");
    }
}
