//! Addresses in files of settings: JSON and YAML as trees, everything else (properties, INI, TOML, nginx, scripts) line
//! by line. A host and its port may stand in two entries beside each other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use kubestride_source::FileId;
use kubestride_yaml::visitor::{self, PathPart};
use kubestride_yaml::{Kind, Limits, Tree, Value};

use crate::address::{self, Address};
use crate::alertmanager;
use crate::traffic;

/// An address in a text, with the key that it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The key, after the one above it and a dot where there is one; may be empty.
    pub(crate) key: String,
    /// Its range is in the whole text.
    pub(crate) address: Address,
    /// A port that stands apart from the host.
    pub(crate) port: Option<u16>,
    /// It is an item of a list and has nothing but a name: people list hosts that they are, trust or describe, too.
    pub(crate) listed: bool,
}

/// The range of an address of which the exact place cannot be told. It is not of any text.
pub(crate) const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

/// More than any file of settings has; what is larger is data.
const LIMITS: Limits = Limits { max_depth: 64, max_nodes: 100_000 };

/// Most lines of one text that are looked at for what nginx passes requests to.
const MAX_PASSES: usize = 1_000;

/// All addresses of a text.
pub(crate) fn find(text: &str) -> Vec<Setting> {
    let trees = trees(text);
    if trees.is_empty() {
        return lines(text);
    }
    let mut found = Vec::new();
    for tree in trees.iter().filter(|tree| !is_description(tree.root())) {
        let mut own = Vec::new();
        visitor::walk(tree.root(), &mut |path, value| of_collection(path, value, &mut own));
        let unused = alertmanager::unused(tree.root());
        let is_unused = |key: &str| key.strip_prefix("global.").is_some_and(|key| unused.contains(&key));
        found.extend(own.into_iter().filter(|setting| !is_unused(&setting.key)));
    }
    found.sort_by_key(|s| s.address.range.start);
    found
}

/// The documents of a text, if it is JSON or YAML throughout.
fn trees(text: &str) -> Vec<Tree> {
    let text: Arc<str> = Arc::from(without_comments(text).as_ref());
    let documents = kubestride_yaml::read(FileId(u32::MAX), &text, &LIMITS);
    let trees: Vec<Tree> = documents.into_iter().filter_map(|d| d.tree).collect();
    let is_collection = |tree: &Tree| matches!(tree.root().kind(), Kind::Mapping | Kind::Sequence);
    if trees.iter().all(is_collection) { trees } else { Vec::new() }
}

/// JSON as .NET and JavaScript tools take it, with blanks in place of comments.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with(['{', '[', '/']) || !text.contains("/") {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        let end = match (byte, next) {
            (b'\\', _) if quoted => at + 2,
            (b'"', _) => {
                quoted = !quoted;
                at + 1
            }
            (b'/', Some(b'/')) if !quoted => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                blank(&mut bytes, at..end)
            }
            (b'/', Some(b'*')) if !quoted => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = at + rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |i| i + 2);
                blank(&mut bytes, at..end)
            }
            _ => at + 1,
        };
        at = end;
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Puts blanks into a range, but for the ends of lines, and says where it ends.
fn blank(bytes: &mut [u8], range: Range<usize>) -> usize {
    let end = range.end;
    for byte in bytes.get_mut(range).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
    end
}

/// Whether a document describes something for people to look at: a dashboard of Grafana, an API. What it links to is not
/// called.
fn is_description(root: Value<'_>) -> bool {
    let has = |key: &str| root.get(key).is_some();
    root.get("panels").is_some_and(|panels| panels.kind() == Kind::Sequence) || has("openapi") || has("swagger")
}

/// The scalars right in a mapping, and those in a sequence that is right in it.
fn of_collection(path: &[PathPart<'_>], value: Value<'_>, found: &mut Vec<Setting>) {
    let above = path.iter().rev().find_map(|part| match part {
        PathPart::Key(key) => Some(*key),
        PathPart::Index(_) => None,
    });
    let full = |key: &str| above.map_or_else(|| key.to_owned(), |above| format!("{above}.{key}"));
    if path.is_empty() {
        value.items().for_each(|item| of_scalar("", item, None, found));
    }
    let ports = Ports::of(value);
    for entry in value.entries() {
        match entry.value.kind() {
            Kind::Sequence => {
                let first = found.len();
                for item in entry.value.items() {
                    of_scalar(&full(entry.key), item, None, found);
                }
                for setting in found.iter_mut().skip(first) {
                    setting.listed = setting.address.scheme.is_none() && setting.address.port.is_none();
                }
            }
            Kind::Str => of_scalar(&full(entry.key), entry.value, ports.beside(entry.key), found),
            _ => {}
        }
    }
}

fn of_scalar(key: &str, value: Value<'_>, port: Option<u16>, found: &mut Vec<Setting>) {
    let Some(text) = value.as_str() else { return };
    let settings = if text.contains('\n') {
        lines(text)
    } else {
        let addresses = traffic::addresses(key, text);
        addresses.into_iter().map(|address| Setting { key: key.to_owned(), address, port, listed: false }).collect()
    };
    for mut setting in settings {
        // Exact or none: what stands around an address may be secret.
        let exact = value.subspan(setting.address.range.clone());
        setting.address.range = exact.map_or(NOWHERE, |span| span.start as usize..span.end as usize);
        found.push(setting);
    }
}

/// The ports of a mapping that stand beside hosts: `host` and `port`, `SmtpServer` and `SmtpPort`, `address` and
/// `port_value`.
struct Ports<'t> {
    /// By what stands before `port` in the plain key, the first of each.
    by_stem: BTreeMap<String, Value<'t>>,
}

impl<'t> Ports<'t> {
    fn of(mapping: Value<'t>) -> Self {
        let mut by_stem = BTreeMap::new();
        for entry in mapping.entries() {
            let key = plain(entry.key);
            let stem = ["port", "portvalue", "portnumber"].into_iter().find_map(|end| key.strip_suffix(end));
            if let Some(stem) = stem {
                by_stem.entry(stem.to_owned()).or_insert(entry.value);
            }
        }
        Self { by_stem }
    }

    /// The port beside the host under `key`.
    fn beside(&self, key: &str) -> Option<u16> {
        if self.by_stem.is_empty() {
            return None;
        }
        let key = plain(key);
        let ends = ["hostname", "host", "address", "addr", "server", "endpoint", "name", "service", "url"];
        let stem = ends.into_iter().find_map(|end| key.strip_suffix(end))?;
        self.by_stem.get(stem)?.scalar_text()?.parse().ok().filter(|port| *port > 0)
    }
}

/// A key as it is compared.
fn plain(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The key and the value of a line: `key: value`, `key = value`, `Key value`, `"key": "value",`.
fn key_value(line: &str) -> Option<(&str, &str, usize)> {
    let trimmed = line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']);
    let start = line.len() - trimmed.len();
    let end = trimmed.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let key = trimmed.get(..end)?;
    let rest = trimmed.get(end..)?;
    if rest.starts_with("://") {
        return None;
    }
    let value = rest.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
    let value_start = start + end + (rest.len() - value.len());
    let value = value.trim_end().trim_end_matches([',', ';', '"', '\'']);
    (!key.is_empty() && !value.is_empty()).then_some((key, value, value_start))
}

fn lines(text: &str) -> Vec<Setting> {
    let mut at = 0;
    let mut lines: Vec<(usize, &str)> = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push((at, line.trim_end_matches(['\n', '\r'])));
        at += line.len();
    }
    let is_pass = |line: &&str| line.starts_with("proxy_pass ") || line.starts_with("grpc_pass ");
    let passes: Vec<&str> = lines.iter().map(|(_, line)| line.trim_start()).filter(is_pass).take(MAX_PASSES).collect();
    let mut found = Vec::new();
    for (at, (start, line)) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with("//") || trimmed.starts_with(';') {
            continue;
        }
        let pair = key_value(line);
        let key = pair.map_or("", |(key, ..)| key);
        let mut addresses = address::find(line);
        if addresses.is_empty()
            && let Some(mut address) = passed_variable(&passes, line)
        {
            address.range = start + address.range.start..start + address.range.end;
            let port = address.port;
            found.push(Setting { key: "proxy_pass".to_owned(), address, port, listed: false });
            continue;
        }
        if let Some((key, value, offset)) = pair
            && addresses.is_empty()
            && traffic::is_address_key(key)
            && let Some(mut address) = address::bare(value)
        {
            address.range = offset + address.range.start..offset + address.range.end;
            addresses.push(address);
        }
        for mut address in addresses {
            address.range = start + address.range.start..start + address.range.end;
            let port = address.port.or_else(|| port_nearby(&lines, at));
            found.push(Setting { key: key.to_owned(), address, port, listed: false });
        }
    }
    found
}

/// The host in a variable of nginx to which requests are handed on: `set $next cart;` and `proxy_pass http://$next:80;`.
fn passed_variable(passes: &[&str], line: &str) -> Option<Address> {
    let set = line.trim_start().strip_prefix("set ")?.trim_start().strip_prefix('$')?;
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (name, value) = set.split_at(set.find(|c| !in_name(c))?);
    let value = value.trim().trim_end_matches(';');
    let (scheme, rest) = passes.iter().find_map(|pass| {
        let (scheme, variable) = pass.split_once("://$")?;
        let rest = variable.strip_prefix(name).filter(|rest| !rest.starts_with(in_name))?;
        Some((scheme.rsplit(' ').next()?, rest))
    })?;
    let mut address = address::bare(value)?;
    let digits = rest.strip_prefix(':').and_then(|r| r.split(|c: char| !c.is_ascii_digit()).next());
    let port = digits.and_then(|d| d.parse().ok()).filter(|p| *p > 0);
    (address.port, address.scheme) = (address.port.or(port), Some(scheme.to_owned()));
    let start = line.rfind(value)?;
    address.range = start + address.range.start..start + address.range.end;
    Some(address)
}

/// A port on its own line just after or before the host.
fn port_nearby(lines: &[(usize, &str)], at: usize) -> Option<u16> {
    let near = [at + 1, at.wrapping_sub(1), at + 2];
    near.into_iter().filter_map(|i| lines.get(i)).find_map(|(_, line)| {
        let (key, value, _) = key_value(line)?;
        key.to_ascii_lowercase().ends_with("port").then(|| value.parse().ok())?.filter(|p| *p > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one = |s: Setting| {
            let port = s.address.port.or(s.port).map(|p| format!(":{p}")).unwrap_or_default();
            format!("{} = {}{port} at {}", s.key, s.address.host, text.get(s.address.range).unwrap_or("?"))
        };
        find(text).into_iter().map(one).collect()
    }

    #[test]
    fn hosts_and_ports_belong_together_where_they_stand_in_one_mapping() {
        let json = r#"{ "Routes": [ { "Targets": [ { "Host": "orders", "Port": 81 }, {"Port": 82, "Host": "cart"} ] } ],
            "Mail": { "SmtpServer": "mail", "User": "x", "SmtpPort": 1025 }, "Name": "orders" }"#;
        let expected = ["Targets.Host = orders:81 at orders", "Targets.Host = cart:82 at cart"];
        assert_eq!(shown(json), [&expected[..], &["Mail.SmtpServer = mail:1025 at mail"]].concat());
        let yaml = "clusters:\n- hosts: [{socket_address: {address: orders, port_value: 80}}]\n- hosts:\n  - cart:82\n";
        assert_eq!(
            shown(yaml),
            ["socket_address.address = orders:80 at orders", "clusters.hosts = cart:82 at cart:82"]
        );
    }

    #[test]
    fn comments_in_json_are_left_out() {
        let json = "{ // see http://docs.example/x\n \"Url\": \"http://cart/\", /* \"Url\": \"http://old/\" */\n}";
        assert_eq!(shown(json), ["Url = cart at cart"]);
    }

    #[test]
    fn other_files_are_read_line_by_line() {
        let ini = "[db]\nhost = orders-db\nport = 5432\n; host = old\n";
        assert_eq!(shown(ini), ["host = orders-db:5432 at orders-db"]);
        let nginx = "upstream a {\n  server cart:80;\n}\nset $next http://orders:81;\n";
        assert_eq!(shown(nginx), ["server = cart:80 at cart:80", "set = orders:81 at orders:81"]);
        let variable = |pass: &str| shown(&format!("set $next cart;\nserver_name a;\n{pass};\n"));
        assert_eq!(variable("proxy_pass http://$next:82/x"), ["proxy_pass = cart:82 at cart"]);
        assert_eq!(variable("grpc_pass grpc://$next"), ["proxy_pass = cart at cart"]);
        assert!(variable("proxy_pass http://$next_one:82").is_empty());
        assert!(variable("return 307 https://$next").is_empty());
        let nested = "a: |\n  host = cart\n  port = 82\n";
        assert_eq!(shown(nested), ["host = cart:82 at cart"]);
    }

    #[test]
    fn a_place_is_exact_or_none() {
        let escaped = r#"{"Db": "Server=orders;Password=a\"b;Database=x"}"#;
        assert_eq!(shown(escaped), ["Db = orders at ?"]);
    }

    #[test]
    fn what_describes_is_not_read() {
        assert!(shown(r#"{"panels": [{"url": "http://cart/"}], "schemaVersion": 1}"#).is_empty());
        assert!(shown("openapi: 3.0.0\nservers: [{url: 'http://cart/'}]\n").is_empty());
    }
}
