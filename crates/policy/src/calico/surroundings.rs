//! What policies refer to: namespaces, service accounts, Services and network sets of the input, and the labels that
//! Calico gives to endpoints.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_manifest::{Field, Labels, Manifests, NAMESPACE_NAME, Object, PortRef};
use kubestride_yaml::Value;

use super::selector::NAMESPACE;
use super::{Named, Port, Scope, Selector, Who};
use crate::doubts::Doubts;
use crate::network::{Block, End, Label, Match, PortSet};
use crate::{Namespaces, Pod};

const ORCHESTRATOR: &str = "projectcalico.org/orchestrator";
pub(super) const ACCOUNT: &str = "projectcalico.org/serviceaccount";
/// The name of a namespace or a service account, as a label of it.
pub(super) const NAME: &str = "projectcalico.org/name";

/// Endpoints have the labels of their namespace and of their service account, too, under these prefixes.
const OF_NAMESPACE: &str = "pcns.";
const OF_ACCOUNT: &str = "pcsa.";

/// Where objects of `crd.projectcalico.org` may keep labels that they have beside their own.
const METADATA: &str = "projectcalico.org/metadata";

/// How many network sets are compared with how many bytes of policies; more are left unknown, so that time is bounded.
const MOST: u64 = 300_000_000;

type Owned = BTreeMap<String, String>;

/// All that policies refer to.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Namespaces whose objects are in the input: all their labels are known.
    namespaces: BTreeMap<String, Owned>,
    accounts: BTreeMap<Named, Owned>,
    services: BTreeMap<Named, ServiceView>,
    pub(super) sets: Vec<NetworkSet>,
    /// Whether there are too many network sets to say which of them are meant.
    too_many: bool,
}

/// A NetworkSet or a GlobalNetworkSet.
#[derive(Debug)]
pub(super) struct NetworkSet {
    namespace: Option<String>,
    labels: Owned,
    /// Whether it may have labels that are not known.
    incomplete: bool,
    pub(super) nets: Vec<Block>,
    domains: Vec<String>,
    /// Whether part of it is not understood.
    doubtful: bool,
}

/// What of a Service tells its endpoints.
#[derive(Debug)]
struct ServiceView {
    /// The labels of its pods; none if its endpoints are made by somebody else.
    selector: Option<Owned>,
    /// Protocols and ports of its endpoints.
    ports: Vec<(String, Port)>,
    /// Whether it is but another name.
    alias: bool,
}

/// What a selector is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'i> {
    Pod(&'i Pod<'i>),
    /// A pod of which nothing more is known.
    SomePod,
    /// Any pod of a namespace, which has these labels.
    AnyOf(&'i str, &'i Labels<'i>),
    /// A host, which may have an endpoint with labels.
    Host,
    Set(&'i NetworkSet),
}

fn owned(labels: &Labels<'_>) -> Owned {
    labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Surroundings {
    /// Reads them. `objects` gives the Calico objects of a kind.
    pub(super) fn read<'a>(
        manifests: &'a Manifests,
        default_namespace: &str,
        objects: &dyn Fn(&'static str) -> Vec<Object<'a>>,
        found: &mut Vec<kubestride_source::Diagnostic>,
    ) -> Self {
        let named = |object: &Object<'_>| Named {
            namespace: object.namespace().unwrap_or(default_namespace).to_owned(),
            name: object.name().to_owned(),
        };
        let known = Namespaces::read(manifests);
        let declared: BTreeSet<&str> = manifests.by_kind("Namespace").map(|object| object.name()).collect();
        let namespaces = declared.into_iter().map(|name| (name.to_owned(), owned(&known.labels(name)))).collect();
        let accounts = manifests.by_kind("ServiceAccount").map(|o| (named(&o), owned(&o.label_set()))).collect();
        let services = manifests.by_kind("Service").map(|o| (named(&o), ServiceView::read(o))).collect();
        let mut sets: Vec<(String, NetworkSet)> = Vec::new();
        for kind in ["NetworkSet", "GlobalNetworkSet"] {
            for object in objects(kind) {
                let identity = object.identity(default_namespace);
                let mut doubts = Doubts::new(identity.clone());
                let namespace = (kind == "NetworkSet").then(|| named(&object).namespace);
                sets.push((identity, NetworkSet::read(object, namespace, &mut doubts)));
                found.extend(doubts.finish());
            }
        }
        sets.sort_by(|a, b| a.0.cmp(&b.0));
        let policies = ["NetworkPolicy", "GlobalNetworkPolicy"].into_iter().flat_map(objects);
        let specs = policies.filter_map(|object| object.spec()).map(Value::span);
        let bytes: u64 = specs.map(|span| u64::from(span.end - span.start)).sum();
        let too_many = bytes.saturating_mul(sets.len() as u64) > MOST;
        if too_many {
            let message = "there are too many network sets and rules: which addresses a selector means is not known";
            found.push(kubestride_source::Diagnostic::warning("too-many-sets", message));
        }
        Self { namespaces, accounts, services, too_many, sets: sets.into_iter().map(|(_, set)| set).collect() }
    }

    /// The network sets that are meant, or may be.
    pub(super) fn sets_of(&self, who: &Who) -> Vec<(usize, Match)> {
        if self.too_many {
            return Vec::new();
        }
        let matched = |(at, set)| (at, who.is_item(Item::Set(set), self));
        self.sets.iter().enumerate().map(matched).filter(|(_, matched)| *matched != Match::No).collect()
    }

    /// A label of a namespace.
    fn namespace_label<'l>(&'l self, namespace: &'l str, own: Option<&'l str>, key: &str) -> Label<'l> {
        match (key, own) {
            (NAME | NAMESPACE_NAME, _) => Label::Is(namespace),
            (_, Some(value)) => Label::Is(value),
            (_, None) => match self.namespaces.get(namespace) {
                Some(labels) => labels.get(key).map_or(Label::Missing, |value| Label::Is(value)),
                None => Label::Unknown,
            },
        }
    }

    /// A label of a service account.
    fn account_label<'l>(&'l self, pod: &'l Pod<'l>, key: &str) -> Label<'l> {
        if key == NAME {
            return Label::Is(pod.service_account);
        }
        let account = Named { namespace: pod.namespace.to_owned(), name: pod.service_account.to_owned() };
        match self.accounts.get(&account) {
            Some(labels) => labels.get(key).map_or(Label::Missing, |value| Label::Is(value)),
            None => Label::Unknown,
        }
    }

    /// Whether an end is an endpoint of a Service.
    pub(super) fn is_behind(&self, service: &Named, end: &End<'_>) -> Match {
        let Some(view) = self.services.get(service) else { return Match::Unknown };
        match (end, &view.selector) {
            _ if view.alias => Match::No,
            (End::SomePod, _) | (_, None) => Match::Unknown,
            (End::Outside(_) | End::Host(_) | End::SomeHost, Some(_)) => Match::No,
            (End::Pod(pod), Some(wanted)) => {
                let has = |(key, value): (&String, &String)| pod.labels.get(key) == Some(value);
                (pod.namespace == service.namespace && wanted.iter().all(has)).into()
            }
        }
    }

    /// The ports of an endpoint of a Service; all if they are not known.
    pub(super) fn ports_behind(&self, service: &Named, end: &End<'_>) -> PortSet {
        let view = self.services.get(service).filter(|view| view.selector.is_some());
        let (Some(view), End::Pod(pod)) = (view, end) else { return PortSet::all() };
        let set = |(protocol, port): &(String, Port)| port.set(protocol, pod.ports);
        view.ports.iter().fold(PortSet::none(), |all, port| all.union(&set(port)))
    }
}

impl Item<'_> {
    fn label<'l>(&'l self, key: &str, around: &'l Surroundings) -> Label<'l> {
        if let Some(key) = key.strip_prefix(OF_NAMESPACE) {
            return self.namespace_label(key, around);
        }
        if let Some(key) = key.strip_prefix(OF_ACCOUNT) {
            return self.account_label(key, around);
        }
        let of = |value: Option<&'l str>| value.map_or(Label::Missing, Label::Is);
        match (self, key) {
            (Self::Pod(pod), NAMESPACE) => Label::Is(pod.namespace),
            (Self::Pod(pod), ACCOUNT) => Label::Is(pod.service_account),
            (Self::AnyOf(namespace, _), NAMESPACE) => Label::Is(namespace),
            (Self::Pod(_) | Self::SomePod | Self::AnyOf(..), ORCHESTRATOR) => Label::Is("k8s"),
            (Self::Pod(pod), _) => of(pod.labels.get(key)),
            (Self::SomePod, NAMESPACE) | (Self::SomePod | Self::AnyOf(..), ACCOUNT) => Label::Present,
            (Self::Host, NAMESPACE | ACCOUNT) => Label::Missing,
            (Self::SomePod | Self::AnyOf(..) | Self::Host, _) => Label::Unknown,
            (Self::Set(set), NAMESPACE) => of(set.namespace.as_deref()),
            (Self::Set(set), _) => match set.labels.get(key) {
                None if set.incomplete => Label::Unknown,
                value => of(value.map(String::as_str)),
            },
        }
    }

    fn namespace_label<'l>(&'l self, key: &str, around: &'l Surroundings) -> Label<'l> {
        match self {
            Self::Pod(pod) => around.namespace_label(pod.namespace, pod.namespace_labels.get(key), key),
            Self::AnyOf(namespace, labels) => around.namespace_label(namespace, labels.get(key), key),
            Self::SomePod if matches!(key, NAME | NAMESPACE_NAME) => Label::Present,
            Self::SomePod => Label::Unknown,
            Self::Host => Label::Missing,
            Self::Set(set) => match &set.namespace {
                Some(namespace) => around.namespace_label(namespace, None, key),
                None => Label::Missing,
            },
        }
    }

    fn account_label<'l>(&'l self, key: &str, around: &'l Surroundings) -> Label<'l> {
        match self {
            Self::Pod(pod) => around.account_label(pod, key),
            Self::SomePod | Self::AnyOf(..) if key == NAME => Label::Present,
            Self::SomePod | Self::AnyOf(..) => Label::Unknown,
            Self::Host | Self::Set(_) => Label::Missing,
        }
    }

    fn is_namespaced(&self) -> Match {
        match self {
            Self::Pod(_) | Self::SomePod | Self::AnyOf(..) => Match::Yes,
            Self::Host => Match::No,
            Self::Set(set) => set.namespace.is_some().into(),
        }
    }
}

impl Who {
    /// Whether an item is meant.
    pub(super) fn is_item(&self, item: Item<'_>, around: &Surroundings) -> Match {
        let named = |label: Label<'_>, names: &[String]| match label {
            Label::Is(value) => names.iter().any(|name| name == value).into(),
            Label::Missing => Match::No,
            Label::Present | Label::Unknown => Match::Unknown,
        };
        let scope = match &self.scope {
            Scope::Anywhere => Match::Yes,
            Scope::Namespace(name) => named(item.label(NAMESPACE, around), std::slice::from_ref(name)),
            Scope::Selected(selector) => {
                selector.matches(&|key| item.namespace_label(key, around), item.is_namespaced())
            }
        };
        let labels = |selector: &Selector| selector.matches(&|key| item.label(key, around), Match::Yes);
        let of_account = |selector: &Selector| selector.matches(&|key| item.account_label(key, around), Match::Yes);
        let names =
            if self.accounts.is_empty() { Match::Yes } else { named(item.label(ACCOUNT, around), &self.accounts) };
        Match::all([
            scope,
            self.labels.as_ref().map_or(Match::Yes, labels),
            self.account_labels.as_ref().map_or(Match::Yes, of_account),
            names,
        ])
    }

    /// Whether an end is meant, as an endpoint or as part of a network set.
    pub(super) fn is(&self, end: &End<'_>, around: &Surroundings) -> Match {
        let own = match end {
            // It has the address of its node, whose endpoint, if there is one, may have any labels.
            End::Pod(pod) if pod.host_network => self.is_item(Item::Host, around).min(Match::Unknown),
            End::Pod(pod) => self.is_item(Item::Pod(pod), around),
            End::SomePod => self.is_item(Item::SomePod, around),
            // Who asks for what is outside of all namespaces means a network set, which is then elsewhere.
            End::Outside(_) | End::Host(_) | End::SomeHost if self.sets.is_empty() && self.names_global() => {
                Match::Unknown
            }
            End::Outside(_) | End::Host(_) | End::SomeHost => Match::No,
        };
        let part =
            |(at, matched): &(usize, Match)| around.sets.get(*at).map_or(Match::No, |set| set.holds(end).min(*matched));
        if around.too_many {
            return own.max(Match::Unknown);
        }
        own.max(Match::any(self.sets.iter().map(part)))
    }

    fn names_global(&self) -> bool {
        matches!(&self.scope, Scope::Selected(selector) if selector.names_global())
    }
}

impl NetworkSet {
    fn read(object: Object<'_>, namespace: Option<String>, doubts: &mut Doubts) -> Self {
        let limits = "which addresses are in it is not known";
        let before = doubts.count();
        let spec = object.spec();
        if let Some(spec) = spec {
            doubts.knows(spec, &["nets", "allowedEgressDomains"], limits);
        }
        Self {
            namespace,
            labels: owned(&object.label_set()),
            incomplete: object.annotation(METADATA).is_some(),
            nets: blocks(spec, "nets", limits, doubts),
            domains: spec.list("allowedEgressDomains").filter_map(Value::as_str).map(str::to_owned).collect(),
            doubtful: doubts.count() > before,
        }
    }

    fn holds(&self, end: &End<'_>) -> Match {
        let named = Match::any(self.domains.iter().map(|domain| is_named(domain, end)));
        let doubt = if self.doubtful { Match::Unknown } else { Match::No };
        hold(&self.nets, end).max(named).max(doubt)
    }
}

impl ServiceView {
    fn read(object: Object<'_>) -> Self {
        let service = object.service();
        let selector = service.and_then(|s| s.selector()).map(|entries| {
            let pair = |value: Option<&str>| value.unwrap_or_default().to_owned();
            entries.map(|entry| (entry.key.to_owned(), pair(entry.value.scalar_text()))).collect()
        });
        let ports = service.into_iter().flat_map(|s| s.ports().collect::<Vec<_>>()).map(|port| {
            let of_pod = match port.target_port {
                PortRef::Number(number) => Port::Numbers(number, number),
                PortRef::Name(name) => Port::Name(name.to_owned()),
            };
            (port.protocol.to_owned(), of_pod)
        });
        Self { selector, ports: ports.collect(), alias: service.is_some_and(|s| s.external_name().is_some()) }
    }
}

/// Reads a list of blocks or single addresses.
pub(super) fn blocks<'a>(value: impl Field<'a>, key: &str, limits: &str, doubts: &mut Doubts) -> Vec<Block> {
    let Some(list) = value.field(key) else { return Vec::new() };
    if list.items().next().is_none() && !list.is_empty() {
        doubts.add("this is no list", list.span(), limits);
    }
    let mut found = Vec::new();
    for item in list.items() {
        let text = item.as_str().unwrap_or_default();
        let whole = if text.contains(':') { 128 } else { 32 };
        let block = if text.contains('/') { Block::of_cidr(text) } else { Block::of_cidr(&format!("{text}/{whole}")) };
        match block {
            Some(block) => found.push(block),
            None => doubts.add("this is no block of addresses", item.span(), limits),
        }
    }
    found
}

/// Whether an end is in one of several blocks. Addresses of pods are not known, but that they are some address of IPv4.
pub(super) fn hold(blocks: &[Block], end: &End<'_>) -> Match {
    Match::any(blocks.iter().map(|block| match end {
        End::Pod(_) | End::SomePod if block.is_anywhere() && block.is_ipv4() => Match::Yes,
        end => block.is(end),
    }))
}

/// Whether an end has a domain name. One `*` stands for one or more parts of a name.
pub(super) fn is_named(domain: &str, end: &End<'_>) -> Match {
    let host = match end {
        End::Pod(_) | End::SomePod => return Match::No,
        // Which addresses a name has is not known.
        End::Outside(_) | End::SomeHost => return Match::Unknown,
        End::Host(host) => host.to_ascii_lowercase(),
    };
    let domain = domain.to_ascii_lowercase();
    match domain.split_once('*') {
        None => (host == domain).into(),
        Some((_, end)) if end.contains('*') => Match::Unknown,
        Some((front, back)) => {
            let inside = host.strip_prefix(front).and_then(|rest| rest.strip_suffix(back));
            inside.is_some_and(|inside| !inside.is_empty()).into()
        }
    }
}
