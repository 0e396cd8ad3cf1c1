//! Ports that lead somewhere, and ports that do not.

use super::{app, flows};

fn ingress(port: &str) -> String {
    format!(
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: i}}
spec: {{defaultBackend: {{service: {{name: web, port: {port}}}}}}}
"
    )
}

#[test]
fn an_ingress_lets_in_only_by_a_port_that_the_service_has() {
    let entered = |port: &str| !flows(&(app("web", 80, "") + &ingress(port))).is_empty();
    assert!(entered("{number: 80}") && entered("{name: web}") && entered("{name: use-annotation}"));
    assert!(!entered("{number: 9999}") && !entered("{name: other}"));
    // Controllers take the target port as well.
    let behind =
        app("web", 8080, "").replace("ports: [{name: web, port: 8080}]", "ports: [{port: 80, targetPort: 8080}]");
    assert!(!flows(&(behind + &ingress("{number: 8080}"))).is_empty());
}

#[test]
fn a_service_lets_in_only_by_a_port_that_a_container_has() {
    let service = |target: &str| {
        let own = format!("type: LoadBalancer, ports: [{{name: web, port: 80, targetPort: {target}}}]");
        app("web", 8080, "").replace("ports: [{name: web, port: 8080}]", &own)
    };
    let open = ["external/internet -> Deployment/default/web:80 certain"];
    assert_eq!(flows(&service("main")), open);
    assert_eq!(flows(&service("9090")), open);
    assert!(flows(&service("other")).is_empty());
}
