//! Values that nobody may see, planted wherever manifests can hold them and searched for in all that the tool writes.
//!
//! `«place»` in a manifest stands for the canary of that place, `«b64 place»` for its base64. A canary is a value that
//! begins with `cnry` and ends with `yrnc`, each beside its place, so that a part of it tells as well where it is from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use kubestride_source::Span;

/// Files of the input that are sound.
const SOUND: &[(&str, &str)] = &[
    (
        "secrets.yaml",
        r#"
{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {note: «namespace-annotation»}}}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
type: Opaque
data: {password: «b64 secret-data», url: «b64 postgres://app:{}@db:5432/shop secret-data-url»}
stringData:
  token: «secret-string-data»
  dsn: postgres://app:«secret-dsn»@db:5432/shop
  escapes: "a\t«secret-escapes»\x41\
    «secret-folded»"
  single: 'it''s «secret-single»'
  block: |
    «secret-block»
    host: db
    password: «secret-block-second»
  folded: >-
    «secret-folded-block»
      deeper «secret-folded-second»
stringdata: {host: «secret-misspelt»}
immutable: «secret-immutable»
---
apiVersion: v1
kind: Secret
metadata: {name: robot, namespace: shop, annotations: {kubernetes.io/service-account.name: web}}
type: kubernetes.io/service-account-token
data: {token: «b64 account-token», ca.crt: «b64 account-certificate»}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: inner, namespace: shop}, stringData: {key: «list-secret»}}
- «list-item»
---
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: sealed, namespace: shop}
spec: {encryptedData: {password: «sealed-secret»}, template: {data: {name: «sealed-template»}}}
---
apiVersion: shop.example/v1
kind: Warehouse
metadata: {name: main, namespace: shop}
spec: {name: «custom-name», password: «custom-password», host: «custom-host», env: [{name: A, value: «custom-env»}]}
"#,
    ),
    (
        "config.yaml",
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  DB_URL: postgres://app:«config-url»@db:5432/shop
  DB_PASSWORD: «config-password»
  application.properties: |
    spring.datasource.url=jdbc:postgresql://db:5432/shop?user=a&password=«config-jdbc»
    spring.datasource.password=«config-properties»
    broker.password=«config-address».x:5672
    # old: «config-comment»
  settings.json: |
    {"db": {"host": "db:5432", "password": "«config-json»"}, "dsn": "app:«config-json-dsn»@tcp(db:3306)/shop"}
  settings.yaml: |
    redis: {url: "redis://:«config-yaml-url»@db:6379", password: «config-yaml»}
    key: |
      -----BEGIN PRIVATE KEY-----
      «config-key»
binaryData: {blob: «b64 config-binary»}
"#,
    ),
    (
        "web.yaml",
        r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"apiVersion":"v1","kind":"Secret","stringData":{"password":"«last-applied»","url":"http://a:«last-applied-url»@b:80/"}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {vault.example/token: «pod-annotation»}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        command: [sh, -c, "export TOKEN=«script-export»; mysql -h db -P 3306 -p«script-password» && curl -u a:«script-user» http://db:80"]
        args:
        - --password=«argument-value»
        - --dsn=app:«argument-dsn»@tcp(db:3306)/shop
        - --cache=redis://:«argument-url»@db:6379/0
        - --token
        - «argument-apart»
        - --secret=«argument-address».x:8080
        - |
          echo «argument-script»
          nc -z db 5432
        - {«argument-key»: «argument-map»}
        env:
        - {name: PASSWORD, value: «env-value»}
        - {name: DATABASE_URL, value: 'postgres://user:«env-postgres»@db:5432/x'}
        - {name: REDIS_URL, value: 'redis://:«env-redis»@db:6379/0'}
        - {name: AMQP_URL, value: 'amqp://user:«env-amqp»@db:5672/'}
        - {name: MYSQL_DSN, value: 'user:«env-mysql»@tcp(db:3306)/x'}
        - {name: JDBC_URL, value: 'jdbc:postgresql://db:5432/x?user=a&password=«env-jdbc»'}
        - {name: SQLSERVER_URL, value: 'jdbc:sqlserver://db:1433;user=a;password=p@«env-sqlserver»'}
        - {name: ORACLE_URL, value: 'jdbc:oracle:thin:a/«env-oracle»@//db:1521/x'}
        - {name: AT_URL, value: 'postgres://user:p@«env-at-sign»@db:5432/x'}
        - {name: DIGITS_URL, value: 'http://user:12/«env-slash»@db:80/x'}
        - {name: QUERY_URL, value: 'redis://user:12?«env-question»@db:6379/0'}
        - {name: HOOK_URL, value: 'https://hooks.example/a/«env-path»?token=«env-query»#«env-fragment»'}
        - {name: TOKEN_URL, value: 'http://db/?token=«env-token»'}
        - {name: USER_URL, value: 'https://«env-user»@git.example/x.git'}
        - {name: LIBPQ, value: 'host=db port=5432 user=a password=«env-libpq»'}
        - {name: API_SECRET, value: «env-address».x:8080}
        - {name: BLOCK, value: "first «env-lines»\n\nhttp://u:«env-lines-url»@db:80\n"}
        - name: TEXT
          value: |
            «env-block»
            url: http://u:«env-block-url»@db:80
        - {name: MAPPED, value: {host: «env-mapping»}}
        - {name: A, value: &anchor «env-anchor»}
        - {name: B, value: *anchor}
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: db}}]
        livenessProbe:
          httpGet: {path: '/x?key=«probe-path»', port: 80, httpHeaders: [{name: Authorization, value: Bearer «probe-header»}]}
        lifecycle: {preStop: {exec: {command: [curl, 'http://a:«hook-command»@db:80']}}}
        volumeMounts: [{name: settings, mountPath: /s}, {name: db, mountPath: /d}]
      - name: robot
        image: robot:«image-password»@registry.example/web:1
        env: {host: «env-no-list», key: «env-no-list-key», PASSWORD: «env-no-list-password»}
      volumes:
      - {name: settings, configMap: {name: settings}}
      - {name: db, secret: {secretName: db}}
      - {name: disk, csi: {driver: d.example, volumeAttributes: {password: «volume-attribute»}}}
"#,
    ),
    (
        "network.yaml",
        r#"
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop, annotations: {prometheus.io/param_token: «service-annotation»}}
spec: {selector: {app: db}, ports: [{name: sql, port: 5432}, {name: mysql, port: 3306}, {name: redis, port: 6379}]}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
---
apiVersion: v1
kind: Service
metadata: {name: legacy, namespace: shop}
spec: {type: ExternalName, externalName: 'user:«external-name»@db.example'}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/server-snippet: |
      proxy_set_header Authorization "Basic «ingress-snippet»";
    nginx.ingress.kubernetes.io/auth-url: https://a:«ingress-auth»@auth.example/?key=«ingress-auth-key»
    nginx.ingress.kubernetes.io/auth-type: basic
spec:
  rules:
  - {host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: check}
webhooks:
- {name: a.shop.example, clientConfig: {url: 'https://u:«webhook-url»@hook.example/x?t=«webhook-query»', caBundle: «b64 webhook-bundle»}}
- {name: b.shop.example, clientConfig: {service: {name: web, namespace: shop}, caBundle: «webhook-bundle-plain»}}
"#,
    ),
    (
        "typed.yaml",
        r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: typed, namespace: shop, labels: «wrong-labels», annotations: {a: [«wrong-annotation»], b: 12}}
spec:
  replicas: «wrong-replicas»
  template:
    metadata: {annotations: «wrong-annotations»}
    spec:
      hostNetwork: «wrong-flag»
      containers:
      - name: c
        image: [«wrong-image»]
        command: «wrong-command»
        args: {host: «wrong-arguments»}
        env: [{name: A, value: [«wrong-env»]}, «wrong-env-item»]
        ports: [{containerPort: «wrong-port»}]
        securityContext: {runAsUser: «wrong-user», capabilities: «wrong-capabilities»}
        resources: {limits: «wrong-limits»}
---
{apiVersion: v1, kind: Secret, metadata: {name: wrong, namespace: shop}, data: «wrong-data», stringData: [«wrong-string-data»]}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: wrong, namespace: shop}, data: «wrong-config»}
---
{apiVersion: v1, kind: Secret, metadata: {name: twice, namespace: shop}, stringData: {a: «duplicate-first», a: «duplicate-last», ? «duplicate-key» : 1, ? «duplicate-key» : 2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: odd, namespace: shop}, spec: {containers: [{name: c, args: [&«anchor-name» x, !«tag-name» y]}]}}
"#,
    ),
    (
        "live.json",
        r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "live", "namespace": "shop"},
"data": {"a": "«b64 json-data»"}, "stringData": {"b": "\u0041\"«json-string»\"\n«json-second»"}}"#,
    ),
];

/// Files whose documents do not parse, and one in which a sound one follows.
const BROKEN: &[(&str, &str)] = &[
    ("tab.yaml", "kind: Secret\nstringData:\n\tpassword: «tab»\n"),
    ("tab-value.yaml", "kind: Secret\nstringData:\n  password:\n\t\t«tab-value»\n"),
    ("quote.yaml", "kind: Secret\nstringData:\n  password: \"«unclosed-quote»\n"),
    ("after-quote.yaml", "kind: Secret\nstringData:\n  password: 'a'«after-quote»\n"),
    ("escape.yaml", "kind: Secret\nstringData: {password: \"\\q«bad-escape»\"}\n"),
    (
        "bracket.yaml",
        "kind: Secret\nstringData: {password: «unclosed-bracket»\n---\nkind: Secret\ndata: [«unclosed-list»\n",
    ),
    ("wrong-bracket.yaml", "kind: Secret\nstringData: {password: «wrong-bracket»]\n"),
    ("colon.yaml", "kind: Secret\nstringData:\n  password: a: «second-colon»\n"),
    ("indent.yaml", "kind: Secret\nstringData:\n    password: x\n  «wrong-indent»: «wrong-indent-value»\n"),
    ("no-colon.yaml", "kind: Secret\nstringData:\n  password\n  «no-colon»\n  token: x\n"),
    ("indicator.yaml", "kind: Secret\nstringData:\n  password: @«indicator»\n  other: %«percent»\n"),
    ("alias.yaml", "kind: Secret\nstringData:\n  password: *«unknown-alias»\n"),
    ("tag.yaml", "%TAG ! «tag-directive»\n--- !«bad-tag»%zz\nkind: Secret\n"),
    ("block.yaml", "kind: Secret\nstringData:\n  password: |9x\n    «bad-block»\n"),
    ("key.yaml", "kind: Secret\n? {«complex-key»: x}\n: «complex-value»\n"),
    ("control.yaml", "kind: Secret\nstringData: {password: \"«control»\u{1}\"}\n"),
    (
        "bomb.yaml",
        "a: &a [«bomb», «bomb», «bomb»]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n\
         d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nkind: Secret\nstringData: {a: *e}\n",
    ),
    ("template.yaml", "kind: Secret\nstringData:\n  password: {{ .Values.password | default \"«template»\" }}\n"),
    ("bare.yaml", "«bare-text»\n---\n- «bare-item»\n---\npassword: «bare-value»\n"),
    ("no-kind.yaml", "apiVersion: v1\nmetadata: {name: x}\nstringData: {password: «no-kind»}\n"),
    ("quote.json", "{\"kind\": \"Secret\", \"stringData\": {\"password\": \"«json-quote»\n"),
    ("comma.json", "{\"kind\": \"Secret\", \"stringData\": {\"password\": \"«json-comma»\",}}\n"),
    ("word.json", "{\"kind\": \"Secret\", \"stringData\": {\"password\": «json-word»}}\n"),
    ("after.json", "{\"kind\": \"Secret\"} «json-after»\n"),
    (
        "bytes.yaml",
        "kind: Secret\nstringData: {password: «bad-bytes»\u{fffd}«bad-bytes-after»}\n---\nkind: List\nitems: []\n",
    ),
    (
        "sound.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {name: sound}, spec: {containers: [{name: c, image: 'a:1', args: [«after-broken»]}]}}\n",
    ),
];

/// What stands in for helm and kustomize; the input of both is the directory that is its last argument or its third.
const RENDERER: &str = r#"#!/bin/sh
echo "Error: secret «stderr» in templates/a.yaml:1:«stderr-place»: https://u:«stderr-url»@db:80" >&2
printf '%s\n' "b64 «b64 stderr-encoded»" "Chart.yaml:«stderr-line»" "«stderr-file»:1" >&2
cat <<'END'
---
# Source: chart/templates/secret.yaml
# «rendered-comment»
{apiVersion: v1, kind: Secret, metadata: {name: rendered}, stringData: {password: «rendered»}}
---
kind: Secret
stringData: {password: «rendered-broken»
END
"#;

/// Directories for renderers.
const RENDERED: &[(&str, &str)] = &[
    (
        "kustomize/kustomization.yaml",
        "resources: [a.yaml]\nsecretGenerator: [{name: a, literals: [password=«literal»]}]\n",
    ),
    ("kustomize/a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {password: «resource»}}\n"),
    (
        "remote/kustomization.yaml",
        "resources:\n- https://u:«remote-base»@git.example/x?ref=v1&token=«remote-query»\n- git::https://u:p?«remote-mark»@git.example/x\n\
         - «remote-missing»://x\ncomponents: ['ssh://u:p#«remote-hash»@git.example/x']\n",
    ),
    (
        "merged/kustomization.yaml",
        "resources: [a.yaml]\nsecretGenerator: [{<<: {a: 1}, literals: [password=«merged»]}]\n",
    ),
    ("broken/kustomization.yaml", "resources: [a.yaml]\nsecretGenerator: [{literals: [password=«broken-literal»]\n"),
    ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\nannotations: {token: «chart-annotation»}\n"),
    ("chart/values.yaml", "password: «chart-value»\n"),
    ("chart/templates/a.yaml", "kind: Secret\nstringData: {password: «chart-template»}\n"),
    (
        "needy/Chart.yaml",
        "apiVersion: v2\nname: needy\nversion: 1.0.0\ndependencies: [{name: x, version: 1, repository: 'https://u:«chart-repository»@charts.example'}]\n",
    ),
    ("broken-chart/Chart.yaml", "apiVersion: v2\nname: [«broken-chart»\n"),
];

/// Places whose values are structure or names, and shown if they look like it.
const NAMES: [&str; 5] = ["duplicate-key", "wrong-image", "wrong-port", "wrong-replicas", "wrong-user"];

/// What a canary is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Like a password, with characters that other encodings write in other ways.
    Password,
    /// A plain word, which could be a name.
    Word,
}

const FORMS: [Form; 2] = [Form::Password, Form::Word];

/// The begin, the middle and the end of the canary of a place.
fn parts(place: &str, form: Form) -> [String; 3] {
    match form {
        Form::Password => [format!("cnry-{place}"), "-7Qz!x/9&k".to_owned(), format!("{place}-yrnc")],
        Form::Word => {
            let place = place.replace('-', "Q");
            [format!("cnry{place}"), "x".to_owned(), format!("{place}yrnc")]
        }
    }
}

/// A manifest with its canaries in place, whose places are added to `places`.
fn plant(text: &str, form: Form, places: &mut BTreeSet<String>) -> String {
    let mut out = String::new();
    let mut pieces = text.split('«');
    out.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let (mark, rest) = piece.split_once('»').expect("a mark that ends");
        let (words, place) = mark.rsplit_once(' ').unwrap_or(("", mark));
        let canary = parts(place, form).concat();
        match words.strip_prefix("b64").map(str::trim) {
            None => out.push_str(&canary),
            Some("") => out.push_str(&base64::engine::general_purpose::STANDARD.encode(canary)),
            Some(text) => out.push_str(&base64::engine::general_purpose::STANDARD.encode(text.replace("{}", &canary))),
        }
        places.insert(place.to_owned());
        out.push_str(rest);
    }
    out
}

/// What to look for: how it is encoded, and the bytes.
fn needles(place: &str, form: Form) -> Vec<(&'static str, String)> {
    let [begin, middle, end] = parts(place, form);
    let mut out = Vec::new();
    for text in [format!("{begin}{middle}{end}"), begin, end] {
        let percent = |plain: &str, upper: bool| -> String {
            let one = |b: u8| match plain.contains(char::from(b)) || b.is_ascii_alphanumeric() {
                true => char::from(b).to_string(),
                false if upper => format!("%{b:02X}"),
                false => format!("%{b:02x}"),
            };
            text.bytes().map(one).collect()
        };
        for plain in ["-_.~", "-_.~!/&", ""] {
            out.extend([("URL-encoded", percent(plain, true)), ("url-encoded", percent(plain, false))]);
        }
        let html = text.replace('&', "&amp;").replace('/', "&#x2F;").replace('!', "&#33;");
        let json = text.replace('/', "\\/").replace('&', "\\u0026");
        out.extend([("HTML-escaped", html), ("HTML-escaped", text.replace('&', "&amp;"))]);
        out.extend([("JSON-escaped", json), ("JSON-escaped", text.replace('&', "\\u0026"))]);
        for skip in 0..3 {
            // Of three alignments the characters are kept that do not depend on what stands around.
            let padded = [&b"\0\0"[..skip], text.as_bytes()].concat();
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&padded);
                let (first, last) = ((skip * 8).div_ceil(6), padded.len() * 8 / 6);
                out.push(("base64", encoded.get(first..last).expect("its characters").to_owned()));
            }
        }
        out.extend([("hexadecimal", text.bytes().map(|b| format!("{b:02x}")).collect())]);
        out.extend([("plain", text.to_ascii_lowercase()), ("plain", text)]);
    }
    out.reverse();
    out
}

/// How many bytes of a needle are looked up at once.
const KEY: usize = 8;

/// Looks for many needles at once.
struct Search {
    by_start: BTreeMap<[u8; KEY], Vec<(String, &'static str, String)>>,
}

impl Search {
    fn new(places: &BTreeSet<String>, form: Form) -> Self {
        let mut by_start: BTreeMap<[u8; KEY], Vec<_>> = BTreeMap::new();
        for place in places.iter().filter(|place| form == Form::Password || !NAMES.contains(&place.as_str())) {
            for (encoding, needle) in needles(place, form) {
                // What is shorter would be found by chance; every place has longer parts as well.
                if let Some(key) = needle.as_bytes().first_chunk() {
                    by_start.entry(*key).or_default().push((place.clone(), encoding, needle));
                }
            }
        }
        Self { by_start }
    }

    /// `place (encoding) in name: what is around it` of all that is found in a text.
    fn find(&self, name: &str, text: &[u8]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for (at, key) in text.windows(KEY).enumerate() {
            let candidates = <&[u8; KEY]>::try_from(key).ok().and_then(|key| self.by_start.get(key));
            for (place, encoding, needle) in candidates.into_iter().flatten() {
                if text[at..].starts_with(needle.as_bytes()) {
                    found.entry(place).or_insert((encoding, at));
                }
            }
        }
        let around =
            |at: usize| String::from_utf8_lossy(&text[at.saturating_sub(80)..(at + 120).min(text.len())]).into_owned();
        found
            .iter()
            .map(|(place, (encoding, at))| format!("{place} ({encoding}) in {name}: …{}…", around(*at)))
            .collect()
    }
}

const OUTPUTS: [&str; 10] =
    ["r.json", "r.sarif", "r.csv", "r.md", "r.html", "r.svg", "r.png", "r.mmd", "r.dot", "flows.tsv"];

/// What a call of the tool wrote, by name.
type Written = Vec<(String, Vec<u8>)>;

/// Calls the tool on paths below a folder with the stand-ins in `tools`.
fn analyze(folder: &Path, inputs: &[&str], options: &[&str], stdin: Stdio) -> Written {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubestride"));
    command.arg("analyze").args(options).args(inputs).current_dir(folder).stdin(stdin);
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.join("tools").display()));
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    for name in OUTPUTS {
        command.arg("-o").arg(out.path().join(name));
    }
    let output = command.output().expect("kubestride runs");
    assert_ne!(output.status.code(), None, "{inputs:?} {options:?}");
    assert_ne!(output.status.code(), Some(101), "{}", String::from_utf8_lossy(&output.stderr));
    let mut written = vec![("standard output".to_owned(), output.stdout), ("messages".to_owned(), output.stderr)];
    // Nothing is written where no object is found.
    written.extend(OUTPUTS.iter().filter_map(|name| Some(((*name).to_owned(), fs::read(out.path().join(name)).ok()?))));
    for (name, _) in &mut written {
        *name = format!("{name} of {} {}", inputs.join(" "), options.join(" "));
    }
    written
}

/// All lines of all files as snippets show them, with all that is read as an address.
fn masked(paths: &[std::path::PathBuf]) -> Vec<u8> {
    let mut loaded = kubestride_input::load(paths, &kubestride_input::Options::default());
    let options = kubestride_discover::Options {
        scope: kubestride_discover::Scope::Application,
        namespace: "default".to_owned(),
        kubernetes: kubestride_policy::pod_security::Version::NEWEST,
    };
    let addresses = kubestride_discover::discover(&loaded.manifests, &options).addresses;
    loaded.sources.reveal(addresses);
    let mut out = String::new();
    for (file, _) in loaded.sources.files() {
        let all = Span::new(file, 0, u32::try_from(loaded.sources.text(file).len()).expect("a short text"));
        for line in loaded.sources.snippet(all, 0, u32::MAX - 1).expect("a snippet").lines {
            out.push_str(&line.text);
            out.push('\n');
        }
    }
    out.into_bytes()
}

/// Writes files with their canaries; gives the places.
fn write(folder: &Path, files: &[(&str, &str)], form: Form) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        // U+FFFD stands for a byte that is no UTF-8.
        let planted = plant(text, form, &mut places);
        let bytes = planted.split('\u{fffd}').map(str::as_bytes).collect::<Vec<_>>().join(&[0xff][..]);
        fs::write(&path, bytes).expect("a file");
    }
    places
}

/// Puts stand-ins for helm and kustomize in place that end with `status`.
fn renderers(folder: &Path, status: u8, form: Form) -> BTreeSet<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let script = format!("{RENDERER}exit {status}\n");
    let places = write(folder, &[("tools/helm", &script), ("tools/kustomize", &script)], form);
    for tool in ["tools/helm", "tools/kustomize"] {
        fs::set_permissions(folder.join(tool), fs::Permissions::from_mode(0o755)).expect("a program");
    }
    places
}

/// Calls the tool in every way of `options` on every one of `inputs`; what of the canaries it showed.
fn shown(folder: &Path, inputs: &[&str], ways: &[&[&str]], places: &BTreeSet<String>, form: Form) -> Vec<String> {
    let search = Search::new(places, form);
    let mut found = search.find("all lines", &masked(&[folder.join("in")]));
    for input in inputs {
        for options in ways {
            let written = analyze(folder, &[input], options, Stdio::null());
            for (name, text) in &written {
                found.extend(search.find(name, text));
            }
        }
    }
    found
}

const WAYS: [&[&str]; 4] =
    [&[], &["-v"], &["-q", "--scope", "cluster"], &["-v", "--format", "json", "--scope", "fragment"]];

#[test]
fn sound_manifests_keep_their_values() {
    for form in FORMS {
        let folder = tempfile::tempdir().expect("a folder");
        let places = write(&folder.path().join("in"), SOUND, form);
        let found = shown(folder.path(), &["in"], &WAYS, &places, form);
        assert!(found.is_empty(), "{form:?}\n{}", found.join("\n"));
    }
}

#[test]
fn broken_manifests_keep_their_values() {
    for form in FORMS {
        let folder = tempfile::tempdir().expect("a folder");
        let places = write(&folder.path().join("in"), BROKEN, form);
        let found = shown(folder.path(), &["in"], &WAYS, &places, form);
        assert!(found.is_empty(), "{form:?}\n{}", found.join("\n"));
    }
}

#[test]
fn renderers_that_talk_are_not_repeated() {
    const INPUTS: [&str; 8] =
        ["in", "in/kustomize", "in/remote", "in/merged", "in/broken", "in/chart", "in/needy", "in/broken-chart"];
    const WAYS: [&[&str]; 3] = [&[], &["-v", "--render", "network"], &["-v", "--render", "never"]];
    for form in FORMS {
        for status in [0, 1] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut places = write(&folder.path().join("in"), RENDERED, form);
            places.extend(renderers(folder.path(), status, form));
            let found = shown(folder.path(), &INPUTS, &WAYS, &places, form);
            assert!(found.is_empty(), "{form:?}, status {status}\n{}", found.join("\n"));
        }
    }
}

/// The search finds what is there: a canary that is planted in a name, which is shown, in every output that has names.
#[test]
fn a_canary_in_a_name_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: «name»}\nspec: {containers: [{name: c, image: a:1}]}\n";
    let places = write(&folder.path().join("in"), &[("a.yaml", manifest)], Form::Word);
    let search = Search::new(&places, Form::Word);
    let written = analyze(folder.path(), &["in"], &[], Stdio::null());
    for name in ["r.json", "r.sarif", "r.csv", "r.md", "r.html", "r.svg"] {
        let (_, text) = written.iter().find(|(written, _)| written.starts_with(name)).expect("an output");
        assert!(!search.find(name, text).is_empty(), "{name}");
    }
}
