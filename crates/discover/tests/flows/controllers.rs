//! Controllers call what custom resources name.

use super::{app, flows};

/// The flows of a controller with this image and a resource.
fn called(image: &str, more: &str, resource: &str) -> Vec<String> {
    let pod = format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: ctl{more}}}
spec: {{containers: [{{name: c, image: '{image}'}}]}}
---
"
    );
    flows(&(pod + resource + "\n" + &app("vault", 8200, "")))
}

fn resource(kind: &str, spec: &str) -> String {
    let (version, kind) = kind.rsplit_once('/').expect("group, version and kind");
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: r}}\nspec: {spec}")
}

#[test]
fn controllers_call_what_their_resources_name() {
    let rows = [
        (
            "example/cert-manager-controller:v1",
            "cert-manager.io/v1/ClusterIssuer",
            "{acme: {server: 'https://acme.example.org/directory'}}",
            "external/acme.example.org:443 likely",
        ),
        (
            "example/cert-manager-controller:v1",
            "cert-manager.io/v1/Issuer",
            "{vault: {server: 'http://vault:8200', path: pki}}",
            "Deployment/default/vault:8200 likely",
        ),
        (
            "example/external-secrets@sha256:0",
            "external-secrets.io/v1/SecretStore",
            "{provider: {azurekv: {vaultUrl: 'https://v.example.org'}}}",
            "external/v.example.org:443 likely",
        ),
        (
            "example/external-secrets",
            "external-secrets.io/v1/SecretStore",
            "{provider: {aws: {service: SecretsManager, region: eu-west-1}}}",
            "external/secretsmanager.eu-west-1.amazonaws.com:443 possible",
        ),
        (
            "example/source-controller",
            "source.toolkit.fluxcd.io/v1/GitRepository",
            "{url: 'ssh://git@git.example.org/x'}",
            "external/git.example.org likely",
        ),
        (
            "example/source-controller",
            "source.toolkit.fluxcd.io/v1/Bucket",
            "{endpoint: 'b.example.org:9000'}",
            "external/b.example.org:9000 likely",
        ),
        (
            "example/notification-controller",
            "notification.toolkit.fluxcd.io/v1/Provider",
            "{address: 'https://chat.example.org/x'}",
            "external/chat.example.org:443 likely",
        ),
        (
            "example/image-reflector-controller",
            "image.toolkit.fluxcd.io/v1/ImageRepository",
            "{image: registry.example.org/a/b}",
            "external/registry.example.org likely",
        ),
    ];
    for (image, kind, spec, expected) in rows {
        let found = called(image, "", &resource(kind, spec));
        assert_eq!(found, [format!("Pod/default/ctl -> {expected}")], "{kind} {spec}");
        assert!(called("example/other", "", &resource(kind, spec)).is_empty(), "{kind}");
    }
    let unread = resource("source.toolkit.fluxcd.io/v1/GitRepository", "{ref: {branch: 'a.example.org:80'}, url: ''}");
    assert!(called("example/source-controller", "", &unread).is_empty());
}

#[test]
fn parts_of_one_image_are_told_apart() {
    let application = resource(
        "argoproj.io/v1alpha1/Application",
        "{sources: [{repoURL: 'git@git.example.org:a/b.git'}], destination: {server: 'https://c.example.org:6443'}}",
    );
    let part = |name: &str| {
        called("example/argocd:v2", &format!(", labels: {{app.kubernetes.io/name: {name}}}"), &application)
    };
    assert_eq!(part("argocd-repo-server"), ["Pod/default/ctl -> external/git.example.org likely"]);
    assert_eq!(part("argocd-application-controller"), ["Pod/default/ctl -> external/c.example.org:6443 likely"]);
    assert!(part("argocd-server").is_empty());
    let repository = "apiVersion: v1
kind: Secret
metadata: {name: r, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: 'https://git.example.org/a', password: 'x.example.org:80'}";
    let labels = ", labels: {app.kubernetes.io/name: argocd-repo-server}";
    let expected = ["Pod/default/ctl -> external/git.example.org:443 likely"];
    assert_eq!(called("example/argocd", labels, repository), expected);
}
