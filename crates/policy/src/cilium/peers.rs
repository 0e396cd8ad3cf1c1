//! Who a rule is about, to plain types.

use kubestride_manifest::{Field, LabelSelector, Labels, Service};
use kubestride_source::Span;
use kubestride_yaml::Value;

use super::read::{GROUP, Reader};
use super::{CiliumPeer, Entity, Name, PeerKind, Selector};
use crate::network::Block;

/// Kinds of peers, of which a rule may have one, and whether an empty list of them is about nobody; else it is as good
/// as none. Each has `from` or `to` in front.
const KINDS: [(&str, bool); 8] = [
    ("Endpoints", true),
    ("Entities", true),
    ("Nodes", true),
    ("CIDR", true),
    ("CIDRSet", true),
    ("Groups", false),
    ("Services", false),
    ("FQDNs", false),
];

/// The peers of a rule; none if it names no kind of them. `prefix` is `from` or `to`.
pub(super) fn peers(rule: Value<'_>, prefix: &str, reader: &mut Reader<'_>) -> Option<Vec<CiliumPeer>> {
    let mut found: Option<Vec<CiliumPeer>> = None;
    let mut kinds = 0;
    for (kind, empty_is_nobody) in KINDS {
        let key = format!("{prefix}{kind}");
        let items = reader.items(rule, &key);
        kinds += usize::from(!items.is_empty());
        if !items.is_empty() || (empty_is_nobody && rule.field(&key).is_some()) {
            let all = found.get_or_insert_default();
            for item in items {
                all.extend(peer(item, kind, reader));
            }
        }
    }
    if kinds > 1 {
        reader.refuse(rule.span(), "peers of several kinds are in one rule");
    }
    found
}

fn peer(value: Value<'_>, kind: &str, reader: &mut Reader<'_>) -> Vec<CiliumPeer> {
    let span = value.span();
    let one = |kind: PeerKind| vec![CiliumPeer { kind, span }];
    match kind {
        "Endpoints" => one(PeerKind::Endpoints(endpoints(value, reader))),
        "Entities" => match value.scalar_text().and_then(Entity::named) {
            Some(entity) => one(PeerKind::Entity(entity)),
            None => refused(span, "this entity is not known", reader),
        },
        "CIDR" => match value.scalar_text().and_then(|text| block(text, &[])) {
            Some(block) => one(PeerKind::Block(block)),
            None => refused(span, "this block of addresses is broken", reader),
        },
        "CIDRSet" => blocks(value, reader),
        "Services" => services(value, reader),
        "FQDNs" => names(value, reader),
        "Nodes" => {
            reader.unknown_peer(span);
            one(PeerKind::Nodes)
        }
        _ => {
            reader.unknown_peer(span);
            one(PeerKind::Addresses)
        }
    }
}

/// The selector of a peer.
pub(super) fn endpoints(value: Value<'_>, reader: &mut Reader<'_>) -> Selector {
    let selector = reader.selector(value);
    Selector::of_peer(&selector, reader.namespace)
}

fn refused(span: Span, why: &str, reader: &mut Reader<'_>) -> Vec<CiliumPeer> {
    reader.refuse(span, why);
    vec![CiliumPeer { kind: PeerKind::Undetermined, span }]
}

/// An address is a block of its own.
fn block(text: &str, except: &[&str]) -> Option<Block> {
    let text = match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}/128"),
        (false, false) => format!("{text}/32"),
    };
    Block::with_exceptions(&text, except.iter().copied())
}

/// `CIDRRule`: a block, or those of groups that are chosen by name or by labels.
fn blocks(value: Value<'_>, reader: &mut Reader<'_>) -> Vec<CiliumPeer> {
    let span = value.span();
    reader.known(value, &["cidr", "cidrGroupRef", "cidrGroupSelector", "except"]);
    let except: Vec<&str> = reader.items(value, "except").into_iter().filter_map(Value::scalar_text).collect();
    let (texts, known): (Vec<&str>, bool) =
        match (value.text("cidr"), value.text("cidrGroupRef"), value.field("cidrGroupSelector")) {
            (Some(cidr), None, None) => (vec![cidr], true),
            (None, Some(name), None) => reader.groups(|object| object.name() == name),
            (None, None, Some(selector)) => {
                let selector = reader.selector(selector);
                reader.groups(|object| selector.matches(&object.label_set()))
            }
            _ => return refused(span, "it is not one block or group of addresses", reader),
        };
    if !known {
        reader.unknown_peer(span);
        return vec![CiliumPeer { kind: PeerKind::Addresses, span }];
    }
    let mut found = Vec::new();
    for text in texts {
        match block(text, &except) {
            Some(block) => found.push(CiliumPeer { kind: PeerKind::Block(block), span }),
            None => found.extend(refused(span, "this block of addresses is broken", reader)),
        }
    }
    found
}

/// `Service`: by name, or by labels; of all namespaces if none is given.
fn services(value: Value<'_>, reader: &mut Reader<'_>) -> Vec<CiliumPeer> {
    let span = value.span();
    reader.known(value, &["k8sService", "k8sServiceSelector"]);
    let (by_name, by_labels) = (value.field("k8sService"), value.field("k8sServiceSelector"));
    if by_name.is_none() && by_labels.is_none() {
        return refused(span, "it chooses no Service", reader);
    }
    let selector = by_labels.field("selector").map(|selector| reader.selector(selector));
    let namespace = by_labels.or(by_name).text("namespace").filter(|name| !name.is_empty());
    let default = reader.default_namespace;
    let chosen = |service: &Service<'_>| {
        let in_namespace = namespace.is_none_or(|n| service.object.effective_namespace(default) == Some(n));
        let fits = match (by_labels, by_name) {
            (Some(_), _) => selector.as_ref().is_some_and(|s| s.matches(&service.object.label_set())),
            (None, named) => named.text("serviceName") == Some(service.object.name()),
        };
        in_namespace && fits
    };
    let all = reader.manifests.by_kind("Service").filter_map(|object| object.service());
    let found: Vec<CiliumPeer> =
        all.filter(chosen).map(|service| CiliumPeer { kind: behind(&service, default), span }).collect();
    if found.is_empty() {
        reader.unknown_peer(span);
        return vec![CiliumPeer { kind: PeerKind::Undetermined, span }];
    }
    found
}

/// The selector of a Service chooses endpoints. Without one it stands for addresses, which are never those of pods.
fn behind(service: &Service<'_>, default_namespace: &str) -> PeerKind {
    let labels = Labels::read(service.object.spec().field("selector"));
    let namespace = service.object.effective_namespace(default_namespace).unwrap_or(default_namespace);
    if labels.is_empty() { PeerKind::Addresses } else { PeerKind::Endpoints(Selector::of_service(&labels, namespace)) }
}

/// `FQDNSelector`.
fn names(value: Value<'_>, reader: &mut Reader<'_>) -> Vec<CiliumPeer> {
    let span = value.span();
    reader.known(value, &["matchName", "matchPattern"]);
    let (name, pattern) = (value.field("matchName"), value.field("matchPattern"));
    let text =
        |value: Option<Value<'_>>| value?.scalar_text().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    match (text(name), text(pattern)) {
        (Some(text), None) => {
            vec![CiliumPeer { kind: PeerKind::Name(Name::exact(&text)), span: name.map_or(span, Value::span) }]
        }
        (None, Some(text)) => vec![CiliumPeer { kind: PeerKind::Name(Name::pattern(&text)), span }],
        _ => refused(span, "it is not one name or pattern", reader),
    }
}

impl<'a> Reader<'a> {
    /// The addresses of the groups that are chosen; not known if there are none.
    fn groups(&self, chosen: impl Fn(&kubestride_manifest::Object<'a>) -> bool) -> (Vec<&'a str>, bool) {
        let groups: Vec<_> = self.manifests.by_custom_kind(GROUP, "CiliumCIDRGroup").filter(chosen).collect();
        let texts = groups.iter().flat_map(|group| group.spec().list("externalCIDRs").collect::<Vec<_>>());
        (texts.filter_map(Value::scalar_text).collect(), !groups.is_empty())
    }

    /// A selector of labels. What of it is not understood is refused.
    pub(super) fn selector(&mut self, value: Value<'_>) -> LabelSelector {
        self.known(value, &["matchLabels", "matchExpressions"]);
        let selector = LabelSelector::read(value);
        if selector.diagnostics().next().is_some() {
            self.refuse(value.span(), "this selector is broken");
        }
        selector
    }
}
