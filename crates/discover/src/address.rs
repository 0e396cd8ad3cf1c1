//! Addresses in configuration text: URLs, DSNs, `host:port` pairs and lists of them.
//!
//! An address is more than a word that looks like a host: it has a scheme, a port, a dotted name, or a key that says it
//! is one. Whether a name without any of these is an address is for the caller to decide, who knows the key and the
//! Services.

use std::ops::Range;

use crate::{connection_string, credentials};

/// An address found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Host name or IP address, lower case, without the trailing dot.
    pub(crate) host: String,
    /// The port that is written.
    pub(crate) port: Option<u16>,
    /// The scheme before `://`, lower case; of `jdbc:postgresql://` the second part.
    pub(crate) scheme: Option<String>,
    /// Whether a password stands before the host.
    pub(crate) credential: bool,
    /// Whether a parameter says that TLS is off or on.
    pub(crate) tls: Option<bool>,
    /// Where host and port stand in the text.
    pub(crate) range: Range<usize>,
}

/// All addresses in a text that is one value: an environment value, an argument, a line of a file.
pub(crate) fn find(text: &str) -> Vec<Address> {
    if let Some(found) = connection_string::find(text) {
        return found;
    }
    let (mut found, covered) = urls(text);
    let mut covered = covered.into_iter().peekable();
    let mut token = 0..0;
    let mut last_at = None;
    for (range, word) in words(text) {
        if range.start >= token.end {
            token = range.start..token_end(text, range.start);
            last_at = text.get(token.clone()).and_then(|t| t.rfind('@')).map(|at| token.start + at);
        }
        while covered.next_if(|url| url.end <= range.start).is_some() {}
        let in_url = covered.peek().is_some_and(|url| url.start < range.end);
        // Words of a URL that is already known are not looked at again: its password may hold anything, as may what
        // stands before the `@` of a DSN without a scheme.
        if word.contains("://") || in_url || last_at.is_some_and(|at| at >= range.end) {
            continue;
        }
        // The name of a variable and its default: `${DB_PORT:5432}`.
        let is_variable = text.get(..range.start).is_some_and(|before| before.ends_with("${"));
        if let Some((host, port, inner)) = host_port(word)
            && !is_variable
            && !is_named_secret(text, range.start)
        {
            let credential = has_password(word.get(..inner.start.saturating_sub(1)).unwrap_or(""));
            let range = range.start + inner.start..range.start + inner.end;
            found.push(Address { host, port, scheme: None, credential, tls: None, range });
        }
    }
    found.sort_by_key(|a| a.range.start);
    found
}

/// Whether the text as a whole is one host name, with or without a port.
pub(crate) fn bare(text: &str) -> Option<Address> {
    let trimmed = text.trim().trim_matches(['"', '\'']);
    let start = text.find(trimmed)?;
    let (host, port) = match trimmed.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok().filter(|p| *p > 0)?)),
        None => (trimmed, None),
    };
    // `HTTP_Server On` has a switch where others have a host.
    let switch = ["on", "off", "true", "false", "yes", "no", "none", "enabled", "disabled", "default", "auto"];
    let is_switch = switch.contains(&host.to_ascii_lowercase().as_str());
    (is_host(host) && !is_switch && !(port.is_none() && is_other_name(host))).then(|| Address {
        host: normal(host),
        port,
        scheme: None,
        credential: false,
        tls: None,
        range: start..start + trimmed.len(),
    })
}

/// Ends of the names of files, without those that are top-level domains too.
const FILES: [&str; 21] = [
    "cfg",
    "conf",
    "crt",
    "csv",
    "dll",
    "exe",
    "html",
    "ini",
    "jar",
    "js",
    "json",
    "lock",
    "log",
    "pem",
    "properties",
    "sock",
    "sqlite",
    "toml",
    "txt",
    "xml",
    "yaml",
];

/// Whether a dotted name is one of a file, or of a class or service in code: `settings.json`, `shop.v1.Orders`.
fn is_other_name(host: &str) -> bool {
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    let is_class =
        last.starts_with(|c: char| c.is_ascii_uppercase()) && last.contains(|c: char| c.is_ascii_lowercase());
    is_class || last == "yml" || FILES.contains(&last)
}

pub(crate) fn normal(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Where the text that begins at `start` is interrupted by what no URL and no DSN holds.
fn token_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or("");
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|'));
    start + end.unwrap_or(rest.len())
}

/// Whether the value that begins at `start` has a name before it that says that it is secret: `password=x.y:80`.
fn is_named_secret(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or("").trim_end_matches([' ', '\t', '"', '\'', '=', ':', '>']);
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = before.trim_end_matches(in_name).len();
    credentials::may_be_secret(before.get(name..).unwrap_or(""))
}

/// Where the user and the password before a host end, at an `@`. An error if it cannot be told whether what stands
/// before an `@` is a host or a part of a password.
fn user_end(url: &str, scheme: &str) -> Result<Option<usize>, ()> {
    let path = url.find(['/', '?', '#', ';']).unwrap_or(url.len());
    let (authority, rest) = url.split_at(path);
    let in_authority = authority.rfind('@');
    // Drivers of databases take passwords with a slash, and parameters behind `;`.
    let in_password = match scheme {
        "http" | "https" => None,
        _ => url.get(..url.find(['?', ';']).unwrap_or(url.len())).and_then(|before| before.rfind('@')),
    };
    let user = in_authority.and_then(|at| authority.get(..at));
    if let Some(at) = in_password.filter(|_| user.is_none_or(|user| user.contains(':'))).or(in_authority) {
        return Ok(Some(at));
    }
    let port_fits = authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    let parameter = |rest: &str| rest.split([';', '@']).next().is_some_and(|first| first.contains('='));
    let is_host = match rest.strip_prefix(';') {
        Some(parameters) => port_fits && parameter(parameters),
        None if rest.starts_with('/') => port_fits,
        None => !authority.contains(':'),
    };
    if is_host || !rest.contains('@') { Ok(None) } else { Err(()) }
}

/// `scheme://[user[:password]@]host[:port][,host[:port]…][/path][?parameters]`, and where the parts of URLs stand, in
/// order, that hold no other addresses.
fn urls(text: &str) -> (Vec<Address>, Vec<Range<usize>>) {
    let mut found = Vec::new();
    let mut covered = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("://")).map(|i| from + i) {
        let before = text.get(..at).unwrap_or("");
        let scheme_start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .map_or(0, |i| i + before.get(i..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
        let scheme = before.get(scheme_start..).unwrap_or("").to_ascii_lowercase();
        let scheme = without_lookup(&scheme).to_owned();
        // `dns:///host:port`, as gRPC writes it, has its host where a path would be.
        let empty_authority = text.get(at + 3..).is_some_and(|r| r.starts_with('/')) && scheme != "file";
        let authority_start = at + 3 + usize::from(empty_authority);
        let end = token_end(text, authority_start);
        let end = next_in_list(text, authority_start..end).unwrap_or(end);
        let whole = text.get(authority_start..end).unwrap_or("");
        from = end;
        let Ok(userinfo) = user_end(whole, &scheme) else {
            covered.push(at..end);
            continue;
        };
        let hosts_start = userinfo.map_or(0, |i| i + 1);
        let hosts = whole.get(hosts_start..).unwrap_or("");
        let hosts_end = hosts.find(['/', '?', '#', ';', ')', ']', '}', '\\']).unwrap_or(hosts.len());
        let hosts_end = path_variable(hosts).map_or(hosts_end, |at| at.min(hosts_end));
        // `[::1]` starts with what would end a host.
        let list = hosts.get(..hosts_end).unwrap_or("");
        covered.push(at..authority_start + hosts_start);
        let tls = parameter(whole);
        let credential = has_password(whole.get(..userinfo.unwrap_or(0)).unwrap_or(""))
            || credentials::in_parameters(whole.get(hosts_start..).unwrap_or(""));
        let mut offset = authority_start + hosts_start;
        for part in list.split(',') {
            let part_trimmed = without_srv(part.trim_start_matches("tcp("));
            let (host, port) = match part_trimmed.rsplit_once(':') {
                Some((host, port)) => match port.parse::<u16>() {
                    Ok(port) if port > 0 => (host, Some(port)),
                    _ => (part_trimmed.split(':').next().unwrap_or(""), None),
                },
                None => (part_trimmed, None),
            };
            if !scheme.is_empty() && is_host(host) {
                let start = offset + (part.len() - part_trimmed.len());
                let len = host.len() + port.map_or(0, |_| part_trimmed.len() - host.len());
                covered.push(start..start + len);
                found.push(Address {
                    host: normal(host),
                    port,
                    scheme: Some(scheme.clone()),
                    credential,
                    tls,
                    range: start..start + len,
                });
            }
            offset += part.len() + 1;
        }
    }
    (found, covered)
}

/// Where a URL of a list ends: before the separator in front of the next one, or in front of that one's name, as in
/// `http://a:80;http://b:80` and `one=http://a:80,two=http://b:80`. Where users are named, a separator may be a part of a
/// password.
fn next_in_list(text: &str, url: Range<usize>) -> Option<usize> {
    let own = text.get(url.clone())?;
    if own.contains('@') {
        return None;
    }
    let rest = text.get(url.start..)?;
    // A bar ends the URL, too, but not the name that is before it.
    let limit = if rest.get(own.len()..)?.starts_with('|') { rest.len() } else { own.len() };
    let next = rest.get(..limit)?.find("://")?;
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let separates = |before: &str| before.ends_with([';', ',', '|']);
    let scheme = rest.get(..next)?.trim_end_matches(in_name);
    let before = scheme.strip_suffix([';', ',', '|', '='])?;
    let name = before.trim_end_matches(in_name);
    let cut = if separates(name) { name.len() - 1 } else { before.len() };
    (separates(name) || separates(scheme)).then_some(url.start + cut.min(own.len()))
}

/// Where a variable of nginx stands that holds a path, with its slash: `http://cart.shop.svc$request_uri`.
/// <https://nginx.org/en/docs/http/ngx_http_core_module.html#variables>
fn path_variable(hosts: &str) -> Option<usize> {
    let variables = ["$request_uri", "$uri", "$document_uri"];
    variables.iter().filter_map(|variable| hosts.find(variable)).min()
}

/// Whether the part before `@` holds a password, or a token in place of a user name and password.
fn has_password(user: &str) -> bool {
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// Names of parameters that are about TLS, without signs.
const TLS_PARAMETERS: [&str; 7] = ["encrypt", "requiressl", "securityprotocol", "ssl", "sslmode", "tls", "usessl"];

/// What the parameters of a DSN say about TLS.
pub(crate) fn parameter(url: &str) -> Option<bool> {
    let separator = |c: char| matches!(c, '?' | '&' | ';' | ',' | '"' | '\'') || c.is_whitespace();
    let mut all = url.split(separator).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        TLS_PARAMETERS.iter().any(|name| key.eq_ignore_ascii_case(name)).then(|| switches_tls(value))?
    });
    let first = all.next();
    // One that leaves it off is enough.
    if all.any(|on| !on) { Some(false) } else { first }
}

/// What a setting that is about TLS says. `allow` and `prefer` go on without it where the server has none.
pub(crate) fn switches_tls(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "disable" | "disabled" | "allow" | "prefer" | "preferred" | "optional" => Some(false),
        "false" | "0" | "no" | "off" | "none" | "plaintext" | "sasl_plaintext" => Some(false),
        "require" | "required" | "verify-ca" | "verify_ca" | "verifyca" | "verify-full" | "verifyfull" => Some(true),
        "verify_identity" | "no-verify" | "skip-verify" | "strict" | "mandatory" | "ssl" | "sasl_ssl" => Some(true),
        "true" | "1" | "yes" | "on" => Some(true),
        _ => None,
    }
}

/// The parts of a text between white space, quotes, commas, `=`, brackets and the like, with their places.
fn words(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let separator = |c: char| {
        c.is_whitespace()
            || matches!(c, ',' | '=' | '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | ';' | '|' | '<' | '>' | '`')
    };
    text.split(separator).scan(0, move |at, word| {
        let start = *at;
        let separator_len =
            text.get(start + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        *at = start + word.len() + separator_len;
        Some((start..start + word.len(), word))
    })
}

/// `host:port` with a host name before it, maybe `user@` and a path after it; or a dotted name of a Service.
///
/// The range is that of host and port in the word, so that what stands before `@` is not part of it.
fn host_port(word: &str) -> Option<(String, Option<u16>, Range<usize>)> {
    let (whole, path) = word.split_once('/').unwrap_or((word, ""));
    if path.contains('@') {
        // What stands before it may be a password with a slash.
        return None;
    }
    let word = without_srv(without_lookup(whole.rsplit('@').next()?));
    let start = whole.len() - word.len();
    match word.split_once(':') {
        Some((host, port)) => {
            let digits = port.find(|c: char| !c.is_ascii_digit()).map_or(port, |end| port.get(..end).unwrap_or(""));
            let port: u16 = digits.parse().ok().filter(|p| *p > 0)?;
            // What follows the port must not go on, as in `image:1.2` or a time.
            let rest = word.get(host.len() + 1 + digits.len()..)?;
            let named = host.chars().any(|c| c.is_ascii_alphabetic()) || is_ip(host);
            (rest.is_empty() && is_host(host) && named).then(|| (normal(host), Some(port), start..whole.len()))
        }
        None => (is_host(word) && is_cluster_name(word)).then(|| (normal(word), None, start..whole.len())),
    }
}

/// What says how a name is looked up, before it: `dns+cart:80`, `dnssrv+_http._tcp.cart.shop.svc`, as Thanos and its
/// relatives write it.
fn without_lookup(text: &str) -> &str {
    let lookups = ["dns+", "dnssrv+", "dnssrvnoa+"];
    lookups.iter().find_map(|lookup| text.strip_prefix(lookup)).unwrap_or(text)
}

/// The host of a name of a service record (RFC 2782): `cart.shop.svc` of `_http._tcp.cart.shop.svc`.
fn without_srv(name: &str) -> &str {
    let host = name.strip_prefix('_').and_then(|n| n.split_once("._tcp.").or_else(|| n.split_once("._udp.")));
    host.map_or(name, |(_, host)| host)
}

/// A name that only a Service can have: `x.ns.svc`, `x.ns.svc.cluster.local`.
fn is_cluster_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.ends_with(".svc") || host.contains(".svc.") || host.ends_with(".cluster.local")
}

fn is_ip(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

/// Whether a text can be a host name (RFC 1123) or an IP address, and is not this machine or a wildcard.
pub(crate) fn is_host(host: &str) -> bool {
    if is_ip(host) {
        return !matches!(host, "0.0.0.0" | "::" | "::1") && !host.starts_with("127.");
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |l: &str| {
        let bytes = l.as_bytes();
        let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_';
        !l.is_empty()
            && l.len() <= 63
            && bytes.iter().all(plain)
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let local = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    let alphabetic = host.chars().any(|c| c.is_ascii_alphabetic());
    host.len() <= 253 && !local && alphabetic && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one = |a: &Address| {
            let scheme = a.scheme.as_deref().map(|s| format!("{s}://")).unwrap_or_default();
            let port = a.port.map(|p| format!(":{p}")).unwrap_or_default();
            let credential = if a.credential { " with credential" } else { "" };
            format!("{scheme}{}{port}{credential} at {}", a.host, &text[a.range.clone()])
        };
        find(text).iter().map(one).collect()
    }

    #[test]
    fn addresses_are_found_where_people_write_them() {
        let table: &[(&str, &[&str])] = &[
            ("redis-cart:6379", &["redis-cart:6379 at redis-cart:6379"]),
            (
                "http://orders.shop.svc.cluster.local:8080/v1?x=1",
                &["http://orders.shop.svc.cluster.local:8080 at orders.shop.svc.cluster.local:8080"],
            ),
            (
                "postgresql://user:pa/ss@ledger-db:5432/db?sslmode=disable",
                &["postgresql://ledger-db:5432 with credential at ledger-db:5432"],
            ),
            ("jdbc:mysql://a:3306,b:3307/db", &["mysql://a:3306 at a:3306", "mysql://b:3307 at b:3307"]),
            (
                "kafka-0.kafka:9092,kafka-1.kafka:9092",
                &["kafka-0.kafka:9092 at kafka-0.kafka:9092", "kafka-1.kafka:9092 at kafka-1.kafka:9092"],
            ),
            ("--redis=cache:6379 --listen=0.0.0.0:80 --at=localhost:1", &["cache:6379 at cache:6379"]),
            (
                "dns:///prices.shop.svc.cluster.local:9090",
                &["dns://prices.shop.svc.cluster.local:9090 at prices.shop.svc.cluster.local:9090"],
            ),
            ("file:///etc/shop:80", &[]),
            ("12:30", &[]),
            ("registry.example/shop/cart:1.2.3", &[]),
            ("user@db.shop.svc", &["db.shop.svc at db.shop.svc"]),
            ("amqp://shop@queue:5672", &["amqp://queue:5672 at queue:5672"]),
            ("https://[::1]:80/", &[]),
            ("nothing here", &[]),
            ("dns+a:1,dnssrv+_grpc._tcp.b.ns.svc", &["a:1 at a:1", "b.ns.svc at b.ns.svc"]),
            ("dnssrvnoa+http://_h._tcp.c.ns.svc/x", &["http://c.ns.svc at c.ns.svc"]),
            ("http://a:1;http://b:2/x", &["http://a:1 at a:1", "http://b:2 at b:2"]),
            ("http://a:1,http://b:2", &["http://a:1 at a:1", "http://b:2 at b:2"]),
            ("one=http://a:1,two=https://b/c", &["http://a:1 at a:1", "https://b at b"]),
            ("x.fr;http://a:1,x.it;http://b:2", &["http://a:1 at a:1", "http://b:2 at b:2"]),
            ("x.fr|http://a:1,x.it|http://b:2", &["http://a:1 at a:1", "http://b:2 at b:2"]),
            ("http://a:1/login?next=http://b:2", &["http://a:1 at a:1"]),
            ("http://a:1,b:2|mqtt://c", &["http://a:1 at a:1", "http://b:2 at b:2", "mqtt://c at c"]),
            ("http://a:1,b=c:2", &["http://a:1 at a:1", "c:2 at c:2"]),
            ("proxy_pass http://a.ns.svc$request_uri;", &["http://a.ns.svc at a.ns.svc"]),
            ("proxy_pass http://a:81$uri;", &["http://a:81 at a:81"]),
            ("proxy_pass http://a$backend;", &[]),
            ("${DB_HOST}:${DB_PORT:5432}", &[]),
            ("jdbc:sqlserver://db:1433;user=a;password=p@ss.x:80", &["sqlserver://db:1433 with credential at db:1433"]),
            ("postgres://u:p@s.s:1/w@db:5432/x", &["postgres://db:5432 with credential at db:5432"]),
            ("redis://user:12#p@db:6379", &["redis://db:6379 with credential at db:6379"]),
            ("git+ssh://git@code.example/x@v1", &["git+ssh://code.example at code.example"]),
            ("https://cdn.example/npm/@x/y", &["https://cdn.example at cdn.example"]),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), *expected, "{text}");
        }
    }

    #[test]
    fn passwords_are_not_addresses() {
        for text in [
            "http://user:pa/ss@db:80",
            "redis://user:12?p@db:6379",
            "redis://user:12;p@db:6379",
            "--password s.t:80",
            r#"{"clientSecret": "s.t:80"}"#,
            "auth.token: s.t:80",
        ] {
            assert!(shown(text).is_empty(), "{text}: {:?}", shown(text));
        }
        assert_eq!(shown("host=db password=s.t:80"), ["tcp://db with credential at db"]);
        for text in ["user:a,s.t:80,b@tcp(db:3306)/x", "user:a=s.t:80@tcp(db:3306)/x", "mysql://u:a=s.t:80,b@db:3306/x"]
        {
            let found = shown(text);
            assert!(found.len() == 1 && found.iter().all(|a| a.ends_with("db:3306")), "{text}: {found:?}");
        }
    }

    #[test]
    fn names_of_files_and_of_services_in_code_are_no_hosts() {
        let is = |text: &str| bare(text).map(|a| a.host);
        for text in ["settings.json", "shop.v1.Orders", "org.example.Server", "on"] {
            assert_eq!(is(text), None, "{text}");
        }
        assert_eq!(is("Orders").as_deref(), Some("orders"));
        assert_eq!(is("SHOP.EXAMPLE").as_deref(), Some("shop.example"));
        assert_eq!(is("cart.Shop:80").as_deref(), Some("cart.shop"));
    }

    #[test]
    fn parameters_say_whether_tls_is_used() {
        let tls = |text| find(text).first().and_then(|a| a.tls);
        assert_eq!(tls("postgres://db/x?sslmode=disable"), Some(false));
        assert_eq!(tls("postgres://db/x?sslmode=verify-full"), Some(true));
        assert_eq!(tls("postgres://db/x"), None);
    }
}
