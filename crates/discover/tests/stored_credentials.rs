//! Credentials in ConfigMaps: in single values and in files of settings.

mod shown;

use kubestride_model::SubjectRef;
use shown::{app, flows, model};

fn config_map(key: &str, text: &str) -> String {
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  {key}: |\n{indented}")
}

fn holds(key: &str, text: &str) -> bool {
    let model = model(&config_map(key, text));
    let attribute = model.vocabulary().find_attribute("holdsCredential").expect("an attribute");
    let is = |(id, _): &(kubestride_model::ElementId, &kubestride_model::Element)| {
        model.identity_of(SubjectRef::Element(*id)) == "ConfigMap/default/m"
    };
    let (store, _) = model.elements().find(is).expect("the ConfigMap");
    let values = model.values(SubjectRef::Element(store));
    values.iter().any(|(a, v)| *a == attribute && model.value_text(attribute, *v) == "Yes")
}

#[test]
fn files_of_settings_hold_credentials() {
    for (key, line) in [
        ("application.properties", "spring.datasource.password=tr0ub4dor"),
        ("application.properties", "spring.datasource.url=jdbc:mysql://db:3306/x?user=a&password=tr0ub4dor"),
        ("app.yaml", "  clientSecret: 'tr0ub4dor'"),
        ("app.yaml", "url: amqp://shop:tr0ub4dor@queue:5672"),
        ("settings.json", "  \"ApiKey\": \"tr0ub4dor\","),
        ("settings.json", "  \"Db\": \"Server=db;Database=x;User Id=sa;Password=tr0ub4dor\","),
        ("redis.conf", "requirepass tr0ub4dor"),
        ("config", "DB_PASSWORD=tr0ub4dor"),
        ("server.key", "-----BEGIN PRIVATE KEY-----"),
    ] {
        assert!(holds(key, &format!("# one\n{line}\nother: value\n")), "{line}");
    }
}

#[test]
fn names_of_credentials_alone_are_none() {
    for (key, line) in [
        ("application.properties", "# spring.datasource.password=tr0ub4dor"),
        ("application.properties", "spring.datasource.password=${DB_PASSWORD}"),
        ("application.properties", "spring.datasource.password="),
        ("application.properties", "spring.datasource.password=changeme"),
        ("application.properties", "password.min.length=12345678"),
        ("application.properties", "url=jdbc:mysql://db:3306/x?user=a&password=${PASSWORD}"),
        ("messages.properties", "login.password=Kennwort"),
        ("app.yaml", "password: Enter your password"),
        ("app.yaml", "password_file: /run/secrets/db"),
        ("app.yaml", "existingSecret: shop-db"),
        ("app.yaml", "password: {secretKeyRef: {name: a, key: b}}"),
        ("app.yaml", "password: config.db.password"),
        ("app.yaml", "url: amqp://queue:5672"),
        ("run.sh", "PASSWORD=tr0ub4dor"),
        ("main.py", "password = 'tr0ub4dor'"),
        ("ca.crt", "-----BEGIN CERTIFICATE-----"),
    ] {
        assert!(!holds(key, &format!("# one\n{line}\nother: value\n")), "{line}");
    }
}

#[test]
fn a_password_in_a_parameter_is_in_the_address() {
    let with = |url: &str| {
        let text = app("shop", 80, &format!("env: [{{name: DB_URL, value: '{url}'}}]")) + &app("db", 3306, "");
        assert_eq!(flows(&text), ["shop -> db:3306 certain"]);
        let model = model(&text);
        let attribute = model.vocabulary().find_attribute("credentialInAddress").expect("an attribute");
        let (id, _) = model.flows().find(|(_, f)| !f.implicit && f.port == Some(3306)).expect("a flow");
        model.values(SubjectRef::Flow(id)).iter().any(|(a, _)| *a == attribute)
    };
    assert!(with("jdbc:mysql://db:3306/x?user=a&password=tr0ub4dor"));
    assert!(with("jdbc:sqlserver://db:3306;user=a;password=tr0ub4dor"));
    assert!(!with("jdbc:mysql://db:3306/x?user=a&password="));
    assert!(!with("jdbc:mysql://db:3306/x?user=a&password=$(PASSWORD)"));
}
