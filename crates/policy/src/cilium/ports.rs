//! `toPorts` and `icmps` to plain types.

use kubestride_manifest::Field;
use kubestride_yaml::{Kind, Value};

use super::read::Reader;
use crate::network::{PortRange, Ports};

/// Protocols with ports. Without a protocol a rule is for all of them.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
/// Protocols without ports.
const OTHERS: [&str; 4] = ["ICMP", "ICMPV6", "VRRP", "IGMP"];

const FIELDS: [&str; 6] = ["ports", "rules", "terminatingTLS", "originatingTLS", "serverNames", "listener"];

/// What a rule says about ports.
#[derive(Default)]
pub(super) struct OnPorts {
    /// Broken ones if it is about ICMP only.
    pub(super) ports: Vec<PortRange>,
    /// Whether only some requests get through.
    pub(super) some_requests: bool,
    /// Whether only some names may be asked for.
    pub(super) some_names: bool,
}

/// The ports of a rule; none if it says nothing about them.
pub(super) fn ports(rule: Value<'_>, denies: bool, reader: &mut Reader<'_>) -> Option<OnPorts> {
    let items = reader.items(rule, "toPorts");
    if !reader.items(rule, "icmps").is_empty() {
        if !items.is_empty() {
            reader.refuse(rule.span(), "ports and types of ICMP are in one rule");
        }
        let none = PortRange { protocol: String::new(), ports: Ports::None };
        return Some(OnPorts { ports: vec![none], ..OnPorts::default() });
    }
    if items.is_empty() {
        return None;
    }
    let mut found = OnPorts::default();
    for item in items {
        reader.known(item, if denies { &["ports"] } else { &FIELDS });
        let ports = reader.items(item, "ports");
        if ports.is_empty() {
            reader.refuse(item.span(), "no port is named");
            found.ports.extend(PROTOCOLS.map(|p| PortRange { protocol: p.to_owned(), ports: Ports::All }));
        }
        for one in ports {
            found.ports.extend(port(one, reader));
        }
        if limits_requests(item) {
            found.some_requests = true;
            reader.some_requests(item.span());
        }
        found.some_names |= limits_names(item);
    }
    Some(found)
}

/// Whether there are conditions for requests. An empty one holds for all; names that are asked for are another matter.
fn limits_requests(item: Value<'_>) -> bool {
    let rules = item.field("rules");
    let holds_always = |rule: Value<'_>| rule.is_null() || rule.entries().next().is_none();
    let limited = |key: &str| rules.list(key).next().is_some() && !rules.list(key).any(holds_always);
    limited("http")
        || limited("kafka")
        || rules.field("l7proto").is_some()
        || item.list("serverNames").next().is_some()
        || item.field("listener").is_some()
}

/// Whether there are conditions for names that are asked for, and not all names fulfil one.
fn limits_names(item: Value<'_>) -> bool {
    let names = || item.field("rules").list("dns");
    names().next().is_some() && !names().any(|name| name.text("matchPattern") == Some("*"))
}

fn port(value: Value<'_>, reader: &mut Reader<'_>) -> Vec<PortRange> {
    reader.known(value, &["port", "endPort", "protocol"]);
    let protocol = value.text("protocol").unwrap_or("ANY").to_ascii_uppercase();
    let any = matches!(protocol.as_str(), "" | "ANY");
    if OTHERS.contains(&protocol.as_str()) {
        return vec![PortRange { protocol, ports: Ports::None }];
    }
    if !any && !PROTOCOLS.contains(&protocol.as_str()) {
        reader.refuse(value.span(), "this protocol is not known");
    }
    let text = value.field("port").and_then(Value::scalar_text).unwrap_or_default();
    let ports = if text.contains(|c: char| c.is_ascii_alphabetic()) {
        // The end of a range is ignored with a name.
        let name = Ports::Name(text.to_ascii_lowercase());
        return vec![PortRange { protocol: if any { String::new() } else { protocol }, ports: name }];
    } else {
        numbers(text, value.field("endPort"))
    };
    let ports = ports.unwrap_or_else(|| {
        reader.refuse(value.span(), "this port is broken");
        Ports::None
    });
    let protocols = if any { PROTOCOLS.map(str::to_owned).to_vec() } else { vec![protocol] };
    protocols.into_iter().map(|protocol| PortRange { protocol, ports: ports.clone() }).collect()
}

/// Zero is any port, and no end of a range.
fn numbers(first: &str, last: Option<Value<'_>>) -> Option<Ports> {
    let first: u16 = first.parse().ok()?;
    let last: u16 = match last {
        Some(last) if last.kind() != Kind::Sequence => last.scalar_text()?.parse().ok()?,
        Some(_) => return None,
        None => 0,
    };
    match (first, last) {
        (0, _) => Some(Ports::All),
        (first, 0) => Some(Ports::Numbers(first, first)),
        (first, last) => (first <= last).then_some(Ports::Numbers(first, last)),
    }
}
