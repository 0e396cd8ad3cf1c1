//! Addresses that are put together from variables.

use super::{app, flows};

#[test]
fn variables_in_variables_are_replaced() {
    let cart = app("cart", 7070, "");
    let env = |env: &str| flows(&(app("shop", 8080, &format!("env: [{env}]")) + &cart));
    let called = ["Deployment/default/shop -> Deployment/default/cart:7070 certain"];
    assert_eq!(env("{name: NAME, value: cart}, {name: CART_URL, value: 'http://$(NAME):7070'}"), called);
    // Kubernetes sets these only for Services that were there before the pod.
    let likely = ["Deployment/default/shop -> Deployment/default/cart:7070 likely"];
    assert_eq!(env("{name: URL, value: 'http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)'}"), likely);
    // Only what is set before counts.
    assert!(env("{name: CART_URL, value: 'http://$(NAME):7070'}, {name: NAME, value: cart}").is_empty());
    assert!(env("{name: NAME, value: cart}, {name: CART_URL, value: 'http://$$(NAME):7070'}").is_empty());
    // A password is never put where a host could be.
    let password = "{name: PASSWORD, value: x.example.org}, {name: LOGIN_URL, value: 'http://$(PASSWORD):80'}";
    assert!(env(password).is_empty());
}

#[test]
fn pages_to_which_browsers_are_sent_may_not_be_called_by_the_workload() {
    let env =
        |name: &str| flows(&app("shop", 8080, &format!("env: [{{name: {name}, value: 'https://id.example.org/x'}}]")));
    for name in ["AUTH_LOGIN_URL", "SELF_SERVICE_RETURN_URL", "RECOVERY_UI_URL"] {
        assert_eq!(env(name), ["Deployment/default/shop -> external/id.example.org:443 possible"], "{name}");
    }
    assert_eq!(env("TOKEN_URL"), ["Deployment/default/shop -> external/id.example.org:443 likely"]);
}

#[test]
fn variables_in_arguments_scripts_and_files_are_replaced() {
    let cart = app("cart", 7070, "");
    let container = |more: &str| app("shop", 8080, &format!("env: [{{name: NAME, value: cart}}], {more}")) + &cart;
    let called = |sure: &str| [format!("Deployment/default/shop -> Deployment/default/cart:7070 {sure}")];
    assert_eq!(flows(&container("args: ['--upstream=$(NAME):7070']")), called("certain"));
    assert_eq!(flows(&container("args: [sh, -c, 'wait ${NAME}:7070 && run']")), called("likely"));
    let file = |text: &str| {
        let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {f: 'endpoint: TEXT'}\n";
        let volumes = "    spec:\n      volumes: [{name: v, configMap: {name: m}}]\n";
        container("command: [run]").replacen("    spec:\n", volumes, 1) + &map.replace("TEXT", text)
    };
    assert_eq!(flows(&file("${env:NAME}:7070")), called("likely"));
    assert_eq!(flows(&file("${OTHER:-cart}:7070")), called("likely"));
    assert!(flows(&file("${env:OTHER}:7070")).is_empty());
}

#[test]
fn passwords_with_signs_of_addresses_are_no_hosts() {
    for value in ["bot:pa@s3cr3t.w0rd:80/zz@db.example.com:5432/x", "bot:80/zz@db.example.com:5432"] {
        let called = flows(&app("shop", 8080, &format!("env: [{{name: DB_ADDR, value: '{value}'}}]")));
        assert_eq!(called, Vec::<String>::new(), "{value}");
    }
}

#[test]
fn the_host_that_an_ingress_leads_to_a_workload_by_is_its_own() {
    let env = "env: [{name: DOMAIN_URL, value: 'https://shop.example.org/x'}]";
    let path = |to: &str| format!("{{path: /{to}, backend: {{service: {{name: {to}, port: {{number: 80}}}}}}}}");
    let routed = |paths: &str| {
        let ingress = format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i}}\nspec: {{rules: [{{host: shop.example.org, http: {{paths: [{paths}]}}}}]}}\n"
        );
        let mut found = flows(&(app("shop", 80, env) + &app("cart", 80, "") + &ingress));
        found.retain(|f| f.starts_with("Deployment"));
        found
    };
    assert!(routed(&path("shop")).is_empty());
    // What is behind the host besides may be called.
    let called = ["Deployment/default/shop -> external/shop.example.org:443 likely"];
    assert_eq!(routed(&path("cart")), called);
    assert_eq!(routed(&format!("{}, {}", path("shop"), path("cart"))), called);
    assert_eq!(routed(&format!("{}, {}", path("shop"), path("absent"))), called);
}

#[test]
fn words_that_say_that_nothing_is_called_are_whole_words() {
    let with = |name: &str| {
        let env = format!("env: [{{name: {name}, value: 'http://cart:80'}}]");
        !flows(&(app("shop", 80, &env) + &app("cart", 80, ""))).is_empty()
    };
    let called =
        ["LOGOUT_URL", "ICONIC_URL", "BINDER_URL", "PUBLICATIONS_URL", "UNBIND_HOST", "logoutUrl", "SILICON_HOST"];
    for name in called {
        assert!(with(name), "{name}");
    }
    let not_called = [
        "LOGO_URL",
        "logoUrl",
        "APP_LOGO",
        "ORIGINS",
        "ALLOWED_ORIGINS",
        "CALLBACK_URLS",
        "REDIRECTURL",
        "SERVER_PUBLICBASEURL",
        "KAFKA_ADVERTISED_LISTENERS",
        "GF_SERVER_ROOT_URL",
        "publicUrl",
        "HTTP_NO_PROXY",
    ];
    for name in not_called {
        assert!(!with(name), "{name}");
    }
}

#[test]
fn routes_of_other_kinds_name_workloads_too() {
    let env = "env: [{name: DOMAIN_URL, value: 'https://shop.example.org/x'}]";
    let object = |group: &str, kind: &str, spec: String| {
        format!("---\napiVersion: {group}\nkind: {kind}\nmetadata: {{name: r}}\nspec: {{{spec}}}\n")
    };
    let gateway = |kind: &'static str| {
        move |to: &str| {
            let spec = format!(
                "parentRefs: [{{name: g}}], hostnames: [Shop.example.org], rules: [{{backendRefs: [{{name: {to}, port: 80}}]}}]"
            );
            object("gateway.networking.k8s.io/v1", kind, spec)
        }
    };
    let virtual_service = |gateways: &'static str| {
        move |to: &str| {
            let spec =
                format!("hosts: [shop.example.org]{gateways}, http: [{{route: [{{destination: {{host: {to}}}}}]}}]");
            object("networking.istio.io/v1", "VirtualService", spec)
        }
    };
    let openshift =
        |to: &str| object("route.openshift.io/v1", "Route", format!("host: shop.example.org, to: {{name: {to}}}"));
    let routed = |route: &dyn Fn(&str) -> String, to: &str| {
        let mut found = flows(&(app("shop", 80, env) + &app("cart", 80, "") + &route(to)));
        found.retain(|f| f.starts_with("Deployment"));
        found
    };
    let called = ["Deployment/default/shop -> external/shop.example.org:443 likely"];
    let in_from_outside = virtual_service(", gateways: [edge]");
    let (http, grpc, tls) = (gateway("HTTPRoute"), gateway("GRPCRoute"), gateway("TLSRoute"));
    let all: [&dyn Fn(&str) -> String; 5] = [&http, &grpc, &tls, &openshift, &in_from_outside];
    for route in all {
        assert!(routed(route, "shop").is_empty(), "{}", route("shop"));
        assert_eq!(routed(route, "cart"), called);
        assert_eq!(routed(route, "absent"), called);
    }
    // In the mesh alone it is no name by which anybody outside knows it.
    assert_eq!(routed(&virtual_service(""), "shop"), called);
}

#[test]
fn lists_of_urls_may_carry_names_and_any_separator() {
    let list = "x.fr;http://shop:80,x.it;http://cart.default:80";
    let text = app("web", 80, &format!("env: [{{name: PORTALS, value: \"{list}\"}}]"));
    let text = text + &app("shop", 80, "") + &app("cart", 80, "");
    let to = |name: &str| format!("Deployment/default/web -> Deployment/default/{name}:80 certain");
    assert_eq!(flows(&text), [to("cart"), to("shop")]);
}

#[test]
fn a_service_of_another_namespace_is_not_outside_though_its_namespace_is_not_in_the_input() {
    let text = |host: &str| app("web", 80, &format!("env: [{{name: LOG_URL, value: \"http://{host}:5341\"}}]"));
    assert_eq!(flows(&text("seq.logging")), ["Deployment/default/web -> Service/logging/seq:5341 possible"]);
    assert_eq!(flows(&text("seq.dev")), ["Deployment/default/web -> external/seq.dev:5341 likely"]);
}

#[test]
fn names_of_vocabularies_and_licences_are_called_by_nobody() {
    let env = "env: [{name: SCHEMA_NS, value: 'http://www.w3.org/2001/XMLSchema'}, \
               {name: TERMS, value: 'see http://www.apache.org/licenses/LICENSE-2.0'}]";
    assert!(flows(&app("web", 80, env)).is_empty());
}
