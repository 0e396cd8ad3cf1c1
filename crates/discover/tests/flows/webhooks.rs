//! What the API server calls.

use super::{app, flows};

#[test]
fn the_url_of_a_webhook_can_be_a_service_or_a_host_outside() {
    let table: [(&str, &[&str]); 5] = [
        ("https://guard.default.svc/validate", &["apiserver -> Deployment/default/guard:443 certain"]),
        ("https://guard.other.svc:8443/validate", &["apiserver -> Service/other/guard:8443 certain"]),
        ("https://guard.example.com/validate?key=abc", &["apiserver -> external/guard.example.com:443 certain"]),
        ("https://localhost:8443/validate", &[]),
        ("https://127.0.0.1:8443/validate", &[]),
    ];
    for (url, expected) in table {
        let text = format!(
            "---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: guard}}
webhooks: [{{name: a.example.com, clientConfig: {{url: '{url}'}}}}]
{}",
            app("guard", 443, "")
        );
        let found: Vec<String> = flows(&text).into_iter().filter(|flow| flow.starts_with("apiserver")).collect();
        assert_eq!(found, expected, "{url}");
    }
}
