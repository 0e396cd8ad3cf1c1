//! What policies of Calico declare about who talks to whom.

use kubestride_manifest::{LabelSelector, NAMESPACE_NAME, RequirementTest};

use super::selector::NAMESPACE;
use super::surroundings::{ACCOUNT, NAME};
use super::{Entity, Policy, Port, Protocol, Rule, Scope, Selector, Who};
use crate::network::{
    Action, DeclaredPeer, Direction, Match, NamedPods, NamespaceMatcher, PodMatcher, PortRange, Ports,
};

/// Labels of namespaces that have their name.
const NAMES: [&str; 2] = [NAME, NAMESPACE_NAME];

impl Policy {
    /// The pods that rules name which let something through. A policy for all pods declares nothing about any of them,
    /// and neither does a rule for all, or for all that have some label.
    pub fn declared_peers(&self) -> Vec<DeclaredPeer> {
        let mut declared = Vec::new();
        let Some(selected) = self.subject.pods().filter(names_pods) else { return declared };
        if self.doubtful || self.for_hosts {
            return declared;
        }
        for direction in [Direction::Ingress, Direction::Egress] {
            let side = self.side(direction);
            let rules = side.rules.iter().filter(|_| side.applies == Match::Yes);
            for rule in rules {
                let Some(peer) = rule.named_pods(direction) else { continue };
                declared.push(DeclaredPeer {
                    policy: self.identity.clone(),
                    selected: selected.clone(),
                    direction,
                    peer,
                    ports: rule.declared_ports(),
                    span: rule.span,
                });
            }
        }
        declared
    }

    /// The pods that it can be for, and perhaps others; none if selectors of Kubernetes cannot say it.
    pub(super) fn subject_labels(&self) -> Option<PodMatcher> {
        let named = self.subject.pods().filter(|_| !self.for_hosts)?;
        let namespaces = match named.labels.namespaces {
            // Of namespaces that are elsewhere, labels are not known.
            NamespaceMatcher::Labelled(_) => NamespaceMatcher::Labelled(LabelSelector::everything()),
            named => named,
        };
        Some(PodMatcher { namespaces, ..named.labels })
    }
}

/// Whether some value of a label, or the name of an account, is asked for.
fn names_pods(named: &NamedPods) -> bool {
    let of_labels = named.labels.pods.requirements.iter().map(|one| &one.test);
    of_labels.chain(&named.service_accounts).any(|test| matches!(test, RequirementTest::In(_)))
}

impl Rule {
    fn named_pods(&self, direction: Direction) -> Option<NamedPods> {
        let peer = self.peer(direction);
        let plain = self.action == Action::Allow && !self.doubtful && self.own(direction).is_anybody();
        let only_pods = Entity { who: None, ports: Vec::new(), ..peer.clone() };
        let plain = plain && only_pods.is_anybody() && self.ports_can_be_said();
        peer.who.as_ref().filter(|_| plain)?.pods().filter(names_pods)
    }

    fn ports_can_be_said(&self) -> bool {
        let plain = |entity: &Entity| entity.not_ports.is_empty();
        let protocol = !matches!(self.protocol, Some(Protocol::Other { .. })) && self.not_protocol.is_none();
        protocol && plain(&self.source) && plain(&self.destination) && self.source.ports.is_empty()
    }

    fn declared_ports(&self) -> Vec<PortRange> {
        let Some(Protocol::Ported(protocol)) = self.protocol else { return Vec::new() };
        let range = |ports| PortRange { protocol: protocol.to_owned(), ports };
        if self.destination.ports.is_empty() {
            return vec![range(Ports::All)];
        }
        let of = |port: &Port| match port {
            Port::Numbers(first, last) => range(Ports::Numbers(*first, *last)),
            Port::Name(name) => range(Ports::Name(name.clone())),
        };
        self.destination.ports.iter().map(of).collect()
    }
}

impl Who {
    /// The same as selectors of Kubernetes, if they can say it.
    fn pods(&self) -> Option<NamedPods> {
        let mut service_accounts = Vec::new();
        if !self.accounts.is_empty() {
            service_accounts.push(RequirementTest::In(self.accounts.clone()));
        }
        for one in self.account_labels.as_ref().map_or(Some(Vec::new()), Selector::requirements)? {
            // Labels of accounts are not among those of pods.
            service_accounts.push((one.key == NAME).then_some(one.test)?);
        }
        let mut pods = LabelSelector::everything();
        let mut namespace = None;
        for one in self.labels.as_ref().map_or(Some(Vec::new()), Selector::requirements)? {
            match (one.key.as_str(), &one.test) {
                (NAMESPACE, RequirementTest::In(values)) => match values.as_slice() {
                    [name] => namespace = Some(name.clone()),
                    _ => return None,
                },
                (NAMESPACE, RequirementTest::Exists) => {}
                (ACCOUNT, _) => service_accounts.push(one.test),
                (key, _) if ["projectcalico.org/", "pcns.", "pcsa."].iter().any(|own| key.starts_with(own)) => {
                    return None;
                }
                _ => pods.requirements.push(one),
            }
        }
        let namespaces = match (&self.scope, namespace) {
            (Scope::Namespace(own), None) => NamespaceMatcher::Named(own.clone()),
            (Scope::Anywhere, None) => NamespaceMatcher::Labelled(LabelSelector::everything()),
            (Scope::Anywhere, Some(name)) => NamespaceMatcher::Named(name),
            (Scope::Selected(selector), None) => namespaces(selector)?,
            (Scope::Namespace(_) | Scope::Selected(_), Some(_)) => return None,
        };
        Some(NamedPods { labels: PodMatcher { namespaces, pods }, service_accounts })
    }
}

fn namespaces(selector: &Selector) -> Option<NamespaceMatcher> {
    let requirements = selector.requirements()?;
    if let [one] = requirements.as_slice()
        && let (true, RequirementTest::In(values)) = (NAMES.contains(&one.key.as_str()), &one.test)
    {
        let [name] = values.as_slice() else { return None };
        return Some(NamespaceMatcher::Named(name.clone()));
    }
    if requirements.iter().any(|one| one.key.starts_with("projectcalico.org/")) {
        return None;
    }
    let mut labels = LabelSelector::everything();
    labels.requirements = requirements;
    Some(NamespaceMatcher::Labelled(labels))
}
