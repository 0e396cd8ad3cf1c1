//! NetworkPolicies that the API server refuses because they are not valid. What is refused is no policy: it isolates
//! nobody, whatever else it says.
//!
//! Fields that are not known are none of its business: they are dropped or refused, depending on how objects are sent.
//!
//! Source: `ValidateNetworkPolicySpec` of <https://github.com/kubernetes/kubernetes> (`pkg/apis/networking/validation`),
//! `ValidateLabelSelector` and `IsValidPortName` of `k8s.io/apimachinery`.

use kubestride_manifest::{Field, Object};
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::address::Cidr;

/// Why something is refused, and where it stands.
type Refusal = (&'static str, Span);

/// The first reason for which an object is refused; none if it is taken.
pub(super) fn refused(object: Object<'_>) -> Option<Refusal> {
    let spec = object.spec()?;
    let types: Vec<Value<'_>> = spec.list("policyTypes").collect();
    if let Some(value) = types.iter().find(|value| !is_one_of(**value, &["Ingress", "Egress"])) {
        return Some(("a policy type is `Ingress` or `Egress`", value.span()));
    }
    if let Some(value) = types.get(2) {
        return Some(("there are at most two policy types", value.span()));
    }
    let rules = ["ingress", "egress"].into_iter().zip(["from", "to"]).find_map(|(direction, peers)| {
        spec.list(direction).find_map(|rule| {
            let ports = rule.list("ports").find_map(port);
            ports.or_else(|| rule.list(peers).find_map(peer))
        })
    });
    spec.field("podSelector").and_then(selector).or(rules)
}

fn port(value: Value<'_>) -> Option<Refusal> {
    if let Some(protocol) = value.field("protocol").filter(|value| !is_one_of(*value, &["TCP", "UDP", "SCTP"])) {
        return Some(("a protocol is `TCP`, `UDP` or `SCTP`", protocol.span()));
    }
    let end = value.field("endPort");
    let Some(port) = value.field("port") else {
        return end.map(|end| ("`endPort` needs a `port`", end.span()));
    };
    let in_range = |number: i64| (1..=i64::from(u16::MAX)).contains(&number);
    match port.kind() {
        Kind::Int if !port.as_i64().is_some_and(in_range) => Some(("ports are from 1 to 65535", port.span())),
        Kind::Int => {
            let end = end.filter(|end| end.kind() == Kind::Int)?;
            let fits = |last: i64| in_range(last) && port.as_i64().is_some_and(|first| first <= last);
            (!end.as_i64().is_some_and(fits)).then(|| ("`endPort` is less than `port`, or no port", end.span()))
        }
        Kind::Str if is_placeholder(port) => None,
        Kind::Str if end.is_some() => end.map(|end| ("`endPort` needs a number as `port`", end.span())),
        Kind::Str if !port.as_str().is_some_and(is_port_name) => Some((
            "a port in quotes is a name: at most 15 of `a-z`, `0-9` and `-`, and one letter at least",
            port.span(),
        )),
        _ => None,
    }
}

fn peer(value: Value<'_>) -> Option<Refusal> {
    let selectors = ["podSelector", "namespaceSelector"].into_iter().filter_map(|key| value.field(key));
    let mut selectors = selectors.peekable();
    match value.field("ipBlock") {
        Some(_) if selectors.peek().is_some() => Some(("`ipBlock` stands alone, without selectors", value.span())),
        Some(cidr) => block(cidr),
        // With a field that is not known, it may be something that comes.
        None if value.entries().all(|entry| entry.value.is_null()) && is_mapping(value) => {
            Some(("a peer is pods, namespaces or a block of addresses", value.span()))
        }
        None => selectors.find_map(selector),
    }
}

fn block(value: Value<'_>) -> Option<Refusal> {
    if value.list("except").chain(value.field("cidr")).any(is_placeholder) {
        return None;
    }
    let Some(cidr) = value.text("cidr").and_then(Cidr::parse) else {
        return Some(("`cidr` is no block of addresses", value.field("cidr").unwrap_or(value).span()));
    };
    let within = |except: &Value<'_>| {
        let except = except.scalar_text().and_then(Cidr::parse);
        except.is_some_and(|except| cidr.is_strictly_around(except))
    };
    let broken = value.list("except").find(|except| !within(except))?;
    Some(("an exception is a block of addresses within `cidr`, and smaller", broken.span()))
}

fn selector(value: Value<'_>) -> Option<Refusal> {
    value.list("matchExpressions").find_map(|expression| {
        let values = expression.list("values").next();
        let refusal = |why, at: Option<Value<'_>>| Some((why, at.unwrap_or(expression).span()));
        match expression.text("operator") {
            _ if expression.text("key").is_none_or(str::is_empty) => refusal("an expression needs a key", None),
            Some("In" | "NotIn") if values.is_none() => refusal("`In` and `NotIn` need values", None),
            Some("Exists" | "DoesNotExist") if values.is_some() => {
                refusal("`Exists` and `DoesNotExist` have no values", values)
            }
            Some("In" | "NotIn" | "Exists" | "DoesNotExist") => None,
            _ => refusal("this operator does not exist", expression.field("operator")),
        }
    })
}

fn is_one_of(value: Value<'_>, known: &[&str]) -> bool {
    is_placeholder(value) || value.scalar_text().is_some_and(|text| known.contains(&text))
}

fn is_mapping(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::Mapping | Kind::Null)
}

/// Whether something else will stand here when the object is sent.
fn is_placeholder(value: Value<'_>) -> bool {
    value.scalar_text().is_some_and(|text| text.contains(['$', '{']))
}

/// `IsValidPortName`, by RFC 6335: no hyphen at an end or beside another.
fn is_port_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let hyphens = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    name.len() <= 15 && name.bytes().all(known) && name.bytes().any(|b| b.is_ascii_lowercase()) && !hyphens
}
