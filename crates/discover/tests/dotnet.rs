//! Addresses as applications on .NET, and gateways in front of them, are told them.

mod shown;

use shown::{app, flows, pods, service};

fn env(variables: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| format!("{{name: '{name}', value: '{value}'}}");
    format!("env: [{}]", variables.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[test]
fn variables_that_hold_sections_are_read() {
    let servers = [("sql", "mssql", 1433), ("bus", "rabbitmq", 5672), ("hot", "redis", 6379)];
    let servers: String =
        servers.iter().map(|(n, image, p)| pods(n, image, *p, "", "") + &service(n, *p, "")).collect();
    let cases: [(&str, &str, &[&str]); 12] = [
        ("ConnectionStrings__Orders", "Server=tcp:sql,1433;Database=o;User Id=x", &["shop -> sql:1433 certain"]),
        ("ConnectionString", "hot", &["shop -> hot:6379 likely"]),
        ("DPConnectionString", "hot", &["shop -> hot:6379 likely"]),
        ("ConnectionStrings__redis", "hot:6379,password=p,abortConnect=false", &["shop -> hot:6379 certain"]),
        ("EventBusConnection", "bus", &["shop -> bus:5672 likely"]),
        ("RabbitMQ__HostName", "bus", &["shop -> bus:5672 likely"]),
        ("Redis__Configuration", "hot", &["shop -> hot:6379 likely"]),
        ("Mail__Configuration", "hot", &[]),
        ("REDIS_DATABASE", "hot", &[]),
        ("services__bus__http__0", "http://bus:5672", &["shop -> bus:5672 certain"]),
        ("ReverseProxy__Clusters__a__Destinations__b__Address", "http://bus:5672/", &["shop -> bus:5672 certain"]),
        ("ASPNETCORE_URLS", "http://+:8080;http://0.0.0.0:80", &[]),
    ];
    for (name, value, expected) in cases {
        assert_eq!(flows(&(app("shop", 80, &env(&[(name, value)])) + &servers)), expected, "{name}={value}");
    }
}

#[test]
fn variables_are_put_into_others_but_for_secret_ones() {
    let variables = [("BASE", "sql"), ("DB", "pg://u:$(PASSWORD)@$(BASE):5432/x"), ("PASSWORD", "a@cart:1")];
    let text = app("shop", 80, &env(&variables)) + &app("sql", 5432, "") + &app("cart", 1, "");
    assert_eq!(flows(&text), ["shop -> sql:5432 certain"]);
}

#[test]
fn hosts_that_browsers_call_are_not_called_by_the_workload() {
    let lines = |name: &str, url: &str| flows(&app("shop", 80, &env(&[(name, url)])));
    assert_eq!(lines("PaymentUrl", "https://pay.example/v1"), ["shop -> external/pay.example:443 likely"]);
    for name in ["SpaClient", "PicBaseUrl", "IdentityUrlExternal"] {
        assert_eq!(lines(name, "https://shop.example/x"), ["shop -> external/shop.example:443 possible"], "{name}");
    }
    assert!(lines("CallBackUrl", "https://shop.example/x").is_empty());
}

#[test]
fn mounted_settings_are_read_as_trees() {
    let map = |file: &str, text: &str| {
        let text = text.replace('\n', "\n    ");
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  {file}: |\n    {text}\n")
    };
    let gateway = pods("edge", "edge", 80, "", "volumes: [{name: v, configMap: {name: m}}]");
    let all = gateway + &app("orders", 81, "") + &app("cart", 82, "");
    let of = |file: &str, text: &str| flows(&(all.clone() + &map(file, text)));
    let routes = r#"{"Routes": [{"DownstreamHostAndPorts": [{"Host": "orders", "Port": 81}]}], // old
 "GlobalConfiguration": {"BaseUrl": "https://api.example"}}"#;
    assert_eq!(of("ocelot.json", routes), ["edge -> orders:81 likely"]);
    let hosts = "smtp: {host: smtp.example, port: 25}\nvirtual: {hosts: [shop.example]}\nservice: shop.v1.Orders";
    let expected = ["edge -> external/shop.example possible", "edge -> external/smtp.example:25 likely"];
    assert_eq!(of("hosts.yaml", hosts), expected);
    let clusters = "static_resources:
  listeners: [{address: {socket_address: {address: 0.0.0.0, port_value: 80}}}]
  clusters:
  - load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: orders, port_value: 81}}}}]}]}
  - hosts: [{socket_address: {address: cart, port_value: 82}}]";
    assert_eq!(of("envoy.yaml", clusters), ["edge -> cart:82 likely", "edge -> orders:81 likely"]);
}

#[test]
fn sidecars_of_dapr_call_what_components_and_configurations_name() {
    let annotated = |name: &str, more: &str| {
        format!(
            "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {{dapr.io/enabled: 'true', dapr.io/app-id: {name}-id, dapr.io/config: c}}}}
    spec: {{containers: [{{name: c, image: example/{name}, {more}}}]}}
"
        )
    };
    let objects = "---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.rabbitmq, metadata: [{name: host, value: 'amqp://bus:5672'}]}
scopes: [shop-id]
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: mail}
spec: {type: bindings.smtp, metadata: [{name: host, secretKeyRef: {name: s, key: h}}, {name: port, value: '25'}]}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {h: mail}
---
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec: {tracing: {zipkin: {endpointAddress: 'http://traces.default.svc.cluster.local:9411/api/v2/spans'}}}
";
    let servers = app("bus", 5672, "") + &app("mail", 25, "") + &app("traces", 9411, "") + &app("plain", 80, "");
    let invoking = "env: [{name: URL, value: 'http://localhost:3500/v1.0/invoke/cart-id/method/x'}]";
    let found = flows(&(annotated("shop", invoking) + &annotated("cart", "") + objects + &servers));
    let expected = [
        "cart -> mail:25 likely",
        "cart -> traces:9411 likely",
        "shop -> bus:5672 likely",
        "shop -> cart likely",
        "shop -> mail:25 likely",
        "shop -> traces:9411 likely",
    ];
    assert_eq!(found, expected);
}

#[test]
fn init_containers_wait_for_what_the_workload_needs() {
    let init = |script: &str| {
        let pod = format!("initContainers: [{{name: i, image: example/wait, command: [sh, -c, '{script}']}}]");
        flows(&(pods("shop", "shop", 80, "", &pod) + &app("db", 5432, "")))
    };
    for script in [
        "until nc -z -w 2 db 5432; do sleep 1; done",
        "until nslookup db.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do sleep 2; done",
        "until getent hosts db; do sleep 2; done",
        "until pg_isready -h db -p 5432; do sleep 2; done",
        "until mysqladmin ping -h db; do sleep 2; done",
    ] {
        assert_eq!(init(script), ["shop -> db:5432 likely"], "{script}");
    }
    assert!(init("echo db is not called").is_empty());
}

#[test]
fn a_service_of_a_shared_list_calls_the_stores_in_it_but_perhaps_not_its_fellows() {
    let map = "---
apiVersion: v1
kind: ConfigMap
metadata: {name: all}
data: {USERS_URL: 'http://users:80', ORDERS_URL: 'http://orders:81', Bus__Host: bus}
";
    let whole = "envFrom: [{configMapRef: {name: all}}]";
    let bus = pods("bus", "rabbitmq", 5672, "", "") + &service("bus", 5672, "");
    let expected = [
        "orders -> bus:5672 likely",
        "orders -> users:80 possible",
        "shop -> bus:5672 likely",
        "shop -> orders:81 likely",
        "shop -> users:80 likely",
    ];
    let text = app("shop", 82, whole) + &app("orders", 81, whole) + &app("users", 80, "") + &bus + map;
    assert_eq!(flows(&text), expected);
}

#[test]
fn a_list_that_most_get_is_not_what_each_of_them_calls() {
    let map = "---
apiVersion: v1
kind: ConfigMap
metadata: {name: all}
data: {USERS_URL: 'http://users:80', ORDERS_URL: 'http://orders:81', Bus__Host: bus}
";
    let whole = "envFrom: [{configMapRef: {name: all}}]";
    let bus = pods("bus", "rabbitmq", 5672, "", "") + &service("bus", 5672, "");
    let text = |clients: &[&str], orders: &str| {
        let clients: String = clients.iter().map(|name| app(name, 82, whole)).collect();
        flows(&(clients + &app("orders", 81, orders) + &app("users", 80, "") + &bus + map))
    };
    let of_shop = |all: Vec<String>| -> Vec<String> { all.into_iter().filter(|f| f.starts_with("shop ")).collect() };
    let sure = ["shop -> bus:5672 likely", "shop -> orders:81 likely", "shop -> users:80 likely"];
    let unsure = ["shop -> bus:5672 likely", "shop -> orders:81 possible", "shop -> users:80 possible"];
    assert_eq!(of_shop(text(&["shop", "a", "b"], whole)), sure);
    assert_eq!(of_shop(text(&["shop", "a", "b", "c"], whole)), unsure);
    // Where none of those that are listed get it, it was made for those that do.
    assert_eq!(of_shop(text(&["shop", "a", "b", "c"], "")), sure);
}
