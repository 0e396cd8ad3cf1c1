//! Rules to plain types.

use kubestride_manifest::Field;
use kubestride_source::Span;
use kubestride_yaml::{Kind, Value};

use super::surroundings::{Surroundings, blocks};
use super::{Entity, Named, Port, Protocol, Rule, Scope, Selector, Who};
use crate::doubts::Doubts;
use crate::network::{Action, Block, Direction, Match};

const OF_RULE: &str = "whom the rule is about is not known";
const OF_PORTS: &str = "which ports the rule is about is not known";

const FIELDS: [&str; 10] =
    ["action", "ipVersion", "protocol", "icmp", "notProtocol", "notICMP", "source", "destination", "http", "metadata"];

const OF_ENTITY: [&str; 10] = [
    "nets",
    "selector",
    "namespaceSelector",
    "services",
    "ports",
    "domains",
    "notNets",
    "notSelector",
    "notPorts",
    "serviceAccounts",
];

/// Reads the selector in a field; none if it is not set, which an empty text is, too.
pub(super) fn selector<'a>(
    value: impl Field<'a>,
    key: &str,
    of_scopes: bool,
    limits: &str,
    doubts: &mut Doubts,
) -> Option<Selector> {
    let value = value.field(key).filter(|value| value.as_str() != Some(""))?;
    Some(Selector::read(value, of_scopes, limits, doubts))
}

/// Reads a rule; none if it decides nothing.
pub(super) fn rule(
    value: Value<'_>,
    direction: Direction,
    namespace: Option<&str>,
    surroundings: &Surroundings,
    doubts: &mut Doubts,
) -> Option<Rule> {
    let before = doubts.count();
    if value.kind() != Kind::Mapping {
        doubts.add("a rule must be a mapping", value.span(), OF_RULE);
        return Some(Rule::unknown(value.span()));
    }
    doubts.knows(value, &FIELDS, OF_RULE);
    let action = match value.text("action") {
        Some("Log") => return None,
        Some("Allow") => Action::Allow,
        Some("Deny") => Action::Deny,
        Some("Pass") => Action::Pass,
        _ => {
            let span = value.field("action").map_or(value.span(), Value::span);
            doubts.add("this action is not known", span, "what the rule does is not known");
            // As a doubtful rule it may do either.
            Action::Pass
        }
    };
    let protocol = protocol(value, "protocol", doubts);
    let not_protocol = self::protocol(value, "notProtocol", doubts);
    let icmp = matches!(protocol, Some(Protocol::Other { icmp: true }));
    for field in ["icmp", "notICMP"].into_iter().filter_map(|key| value.field(key)) {
        if !icmp {
            doubts.add("messages of ICMP are chosen without that protocol", field.span(), OF_RULE);
        }
    }
    let version = value.field("ipVersion");
    if let Some(version) = version.filter(|v| !matches!(v.as_i64(), Some(4 | 6))) {
        doubts.add("this version of IP is not known", version.span(), OF_RULE);
    }
    let source = entity(value.field("source"), namespace, surroundings, doubts);
    let destination = entity(value.field("destination"), namespace, surroundings, doubts);
    let has_ports = |entity: &Entity| !entity.ports.is_empty() || !entity.not_ports.is_empty();
    if (has_ports(&source) || has_ports(&destination)) && !matches!(protocol, Some(Protocol::Ported(_))) {
        doubts.add("ports need a protocol that has ports", value.span(), OF_PORTS);
    }
    if !destination.domains.is_empty() && (direction, action) != (Direction::Egress, Action::Allow) {
        doubts.add("domains are for rules that let something out", value.span(), OF_RULE);
    }
    if let Some(domains) = value.field("source").field("domains") {
        doubts.add("domains are for destinations", domains.span(), OF_RULE);
    }
    if let Some(http) = value.field("http") {
        let of_tcp = matches!(protocol, None | Some(Protocol::Ported("TCP")));
        if !of_tcp || (direction, action) != (Direction::Ingress, Action::Allow) {
            doubts.add("requests of HTTP are chosen where they cannot be", http.span(), OF_RULE);
        }
    }
    let doubtful = doubts.count() > before;
    Some(Rule {
        action,
        // Rules about requests are about TCP; they let connections through, and then some requests.
        protocol: protocol.or(value.field("http").map(|_| Protocol::Ported("TCP"))),
        not_protocol,
        of_ipv6: version.and_then(Value::as_i64) == Some(6),
        source,
        destination,
        doubtful,
        span: value.span(),
    })
}

impl Rule {
    /// A rule that may do anything.
    pub(super) fn unknown(span: Span) -> Self {
        Self {
            action: Action::Pass,
            protocol: None,
            not_protocol: None,
            of_ipv6: false,
            source: Entity::default(),
            destination: Entity::default(),
            doubtful: true,
            span,
        }
    }
}

fn protocol(value: Value<'_>, key: &str, doubts: &mut Doubts) -> Option<Protocol> {
    let value = value.field(key)?;
    let read = value.scalar_text().and_then(Protocol::read);
    if read.is_none() {
        doubts.add("this protocol is not known", value.span(), OF_PORTS);
    }
    read
}

fn entity(
    value: Option<Value<'_>>,
    namespace: Option<&str>,
    surroundings: &Surroundings,
    doubts: &mut Doubts,
) -> Entity {
    let Some(value) = value else { return Entity::default() };
    if value.kind() != Kind::Mapping {
        doubts.add("this must be a mapping", value.span(), OF_RULE);
        return Entity::default();
    }
    doubts.knows(value, &OF_ENTITY, OF_RULE);
    let labels = selector(value, "selector", false, OF_RULE, doubts);
    let not_labels = selector(value, "notSelector", false, OF_RULE, doubts);
    let namespaces = selector(value, "namespaceSelector", true, OF_RULE, doubts);
    let of_accounts = value.field("serviceAccounts");
    if let Some(accounts) = of_accounts {
        doubts.knows(accounts, &["names", "selector"], OF_RULE);
    }
    let accounts = texts(of_accounts, "names", doubts);
    let account_labels = selector(of_accounts, "selector", false, OF_RULE, doubts);
    let chooses = labels.is_some() || !accounts.is_empty() || account_labels.is_some() || namespaces.is_some();
    // In a policy of one namespace, what is not selected is meant of that namespace only, too.
    let chooses = chooses || (namespace.is_some() && not_labels.is_some());
    let scope = match (namespaces, namespace) {
        (Some(namespaces), _) => Scope::Selected(namespaces),
        (None, Some(namespace)) => Scope::Namespace(namespace.to_owned()),
        (None, None) => Scope::Anywhere,
    };
    let with_sets = |who: Who| Who { sets: surroundings.sets_of(&who), ..who };
    let who = chooses.then(|| with_sets(Who { scope, labels, accounts, account_labels, sets: Vec::new() }));
    let not_who = not_labels.map(|labels| {
        let (accounts, sets) = (Vec::new(), Vec::new());
        with_sets(Who { scope: Scope::Anywhere, labels: Some(labels), accounts, account_labels: None, sets })
    });
    let (nets, not_nets) = (blocks(value, "nets", OF_RULE, doubts), blocks(value, "notNets", OF_RULE, doubts));
    Entity {
        who,
        not_who,
        everywhere: everywhere(&nets, &not_nets),
        nets,
        not_nets,
        ports: ports(value, "ports", doubts),
        not_ports: ports(value, "notPorts", doubts),
        service: service(value, namespace, doubts),
        domains: texts(Some(value), "domains", doubts),
    }
}

/// Whether `nets` without `notNets` name nobody, for what comes in and for what goes out; none if both are empty.
fn everywhere(nets: &[Block], not_nets: &[Block]) -> Option<[Match; 2]> {
    if nets.is_empty() && not_nets.is_empty() {
        return None;
    }
    let all = Block::of_cidr("0.0.0.0/0").filter(|_| nets.is_empty());
    let both = [Direction::Ingress, Direction::Egress];
    // Small ones name somebody, whatever is left out of them, and of large ones there are few.
    let mut large: Vec<&Block> = Vec::new();
    for net in nets.iter().chain(&all) {
        if both.iter().any(|direction| net.is_everybody(*direction) != Match::No) && !large.contains(&net) {
            large.push(net);
        }
    }
    let left: Vec<Block> = large.into_iter().map(|net| net.clone().without(not_nets)).collect();
    Some(both.map(|direction| Match::any(left.iter().map(|net| net.is_everybody(direction)))))
}

fn texts(value: Option<Value<'_>>, key: &str, doubts: &mut Doubts) -> Vec<String> {
    let Some(list) = value.field(key) else { return Vec::new() };
    if list.kind() != Kind::Sequence || list.items().any(|item| item.scalar_text().is_none()) {
        doubts.add("this must be a list of texts", list.span(), OF_RULE);
    }
    list.items().filter_map(Value::scalar_text).map(str::to_owned).collect()
}

fn ports(value: Value<'_>, key: &str, doubts: &mut Doubts) -> Vec<Port> {
    let Some(list) = value.field(key) else { return Vec::new() };
    if list.kind() != Kind::Sequence {
        doubts.add("ports must be a list", list.span(), OF_PORTS);
    }
    let mut found = Vec::new();
    for item in list.items() {
        match item.scalar_text().filter(|_| !item.is_null()).and_then(Port::read) {
            Some(port) => found.push(port),
            None => doubts.add("this is no port", item.span(), OF_PORTS),
        }
    }
    found
}

fn service(value: Value<'_>, namespace: Option<&str>, doubts: &mut Doubts) -> Option<Named> {
    let value = value.field("services")?;
    doubts.knows(value, &["name", "namespace"], OF_RULE);
    let text = |key| value.text(key).filter(|text| !text.is_empty());
    match (text("namespace").or(namespace), text("name")) {
        (Some(namespace), Some(name)) => Some(Named { namespace: namespace.to_owned(), name: name.to_owned() }),
        _ => {
            doubts.add("this does not tell which Service is meant", value.span(), OF_RULE);
            None
        }
    }
}
