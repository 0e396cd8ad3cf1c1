//! `EndpointSelector`: labels of pods, of their namespaces, and those that Cilium gives.

use kubestride_manifest::{LabelSelector, Labels, NAMESPACE_NAME, Requirement, RequirementTest};

use crate::network::asked::Asked;
use crate::network::{End, Label, Match, NamedPods, NamespaceMatcher, PodMatcher};

/// Labels that Cilium gives to endpoints.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
const CLUSTER: &str = "io.cilium.k8s.policy.cluster";

/// Which endpoints are meant. All of its conditions must hold.
#[derive(Debug, Clone)]
pub struct Selector {
    /// Labels of pods and of their namespaces.
    pub pods: PodMatcher,
    accounts: Vec<RequirementTest>,
    /// Of the name of the cluster, which is not known.
    cluster: Vec<RequirementTest>,
    /// Of labels that endpoints have which are no pods, such as `reserved:world`.
    reserved: Vec<(String, RequirementTest)>,
    /// Of labels from sources that are not known.
    others: usize,
}

/// Where a label comes from.
enum Key<'k> {
    Namespace,
    OfNamespace(&'k str),
    Account,
    Cluster,
    Reserved(&'k str),
    OfPod(&'k str),
    Other,
}

impl<'k> Key<'k> {
    /// `k8s:key`, `any:key` or `key` are labels of pods; those of other sources have the source in front.
    fn parse(key: &'k str) -> Self {
        let key = match key.strip_prefix('$').or_else(|| key.strip_prefix("reserved.")) {
            Some(reserved) => return Self::Reserved(reserved),
            None => key,
        };
        let key = match key.split_once(':') {
            Some(("reserved", key)) => return Self::Reserved(key),
            Some(("k8s" | "any" | "", key)) => key,
            Some(_) => return Self::Other,
            None => key,
        };
        match key {
            NAMESPACE => Self::Namespace,
            SERVICE_ACCOUNT => Self::Account,
            CLUSTER => Self::Cluster,
            key => key.strip_prefix(NAMESPACE_LABELS).map_or(Self::OfPod(key), Self::OfNamespace),
        }
    }
}

impl Selector {
    /// Reads the selector of a peer. It is for endpoints of the policy's namespace unless it asks for a namespace; in a
    /// policy of the cluster, for those that have one. Neither holds where it asks for a reserved label.
    pub(super) fn of_peer(selector: &LabelSelector, namespace: Option<&str>) -> Self {
        let mut read = Self::read(selector);
        let asks = |wanted: fn(&Key<'_>) -> bool| selector.requirements.iter().any(|r| wanted(&Key::parse(&r.key)));
        if !read.reserved.is_empty() || asks(|key| matches!(key, Key::Namespace)) {
            return read;
        }
        match namespace {
            Some(_) if asks(|key| matches!(key, Key::OfNamespace(_))) => {}
            Some(own) => read.pods.namespaces = NamespaceMatcher::Named(own.to_owned()),
            None => read.ask_of_namespace(NAMESPACE_NAME, RequirementTest::Exists),
        }
        read
    }

    /// Reads `endpointSelector`, which in a policy of a namespace is for endpoints of that; none if it asks for others.
    pub(super) fn of_subject(selector: &LabelSelector, namespace: Option<&str>) -> Option<Self> {
        let Some(own) = namespace else { return Some(Self::read(selector)) };
        let mut plain = selector.clone();
        let fits = |r: &Requirement| r.test.holds(Some(own)) == Some(true);
        if !plain.requirements.iter().filter(|r| matches!(Key::parse(&r.key), Key::Namespace)).all(fits) {
            return None;
        }
        plain.requirements.retain(|r| !matches!(Key::parse(&r.key), Key::Namespace));
        let mut read = Self::read(&plain);
        // Labels of its own namespace stay a condition beside its name, which only a selector of labels can hold.
        match &mut read.pods.namespaces {
            NamespaceMatcher::Labelled(labels) if !labels.is_everything() => {
                let test = RequirementTest::In(vec![own.to_owned()]);
                labels.requirements.push(Requirement { key: NAMESPACE_NAME.to_owned(), test });
            }
            namespaces => *namespaces = NamespaceMatcher::Named(own.to_owned()),
        }
        Some(read)
    }

    /// The endpoints behind a Service.
    pub(super) fn of_service(labels: &Labels<'_>, namespace: &str) -> Self {
        let mut read = Self::read(&LabelSelector::from_labels(labels));
        read.pods.namespaces = NamespaceMatcher::Named(namespace.to_owned());
        read
    }

    fn read(selector: &LabelSelector) -> Self {
        let everything = LabelSelector::everything;
        let pods = PodMatcher { namespaces: NamespaceMatcher::Labelled(everything()), pods: everything() };
        let (accounts, cluster, reserved) = (Vec::new(), Vec::new(), Vec::new());
        let mut read = Self { pods, accounts, cluster, reserved, others: 0 };
        for Requirement { key, test } in &selector.requirements {
            let test = test.clone();
            match Key::parse(key) {
                Key::Namespace => read.ask_of_namespace(NAMESPACE_NAME, test),
                Key::OfNamespace(key) => read.ask_of_namespace(key, test),
                Key::Account => read.accounts.push(test),
                Key::Cluster => read.cluster.push(test),
                Key::Reserved(key) => read.reserved.push((key.to_owned(), test)),
                Key::OfPod(key) => read.pods.pods.requirements.push(Requirement { key: key.to_owned(), test }),
                Key::Other => read.others += 1,
            }
        }
        read
    }

    fn ask_of_namespace(&mut self, key: &str, test: RequirementTest) {
        if let NamespaceMatcher::Labelled(labels) = &mut self.pods.namespaces {
            labels.requirements.push(Requirement { key: key.to_owned(), test });
        }
    }

    /// Whether it is for all pods of all namespaces.
    pub fn is_everybody(&self) -> bool {
        self.asks_for_labels_only() && self.pods.is_everybody()
    }

    /// Whether it is for all pods of `namespace`, or of all if none is given.
    pub(super) fn is_all_of(&self, namespace: Option<&str>) -> bool {
        let own = match (&self.pods.namespaces, namespace) {
            (NamespaceMatcher::Named(name), Some(own)) => name == own,
            (NamespaceMatcher::Labelled(labels), None) => labels.is_everything(),
            _ => false,
        };
        own && self.pods.pods.is_everything() && self.asks_for_labels_only()
    }

    /// Whether it is for all pods of a namespace, whatever their labels are.
    pub(super) fn covers(&self, namespace: &str, namespace_labels: &Labels<'_>) -> bool {
        let whatever = self.pods.pods.is_everything() && self.asks_for_labels_only();
        whatever && self.pods.matches_labels(namespace, namespace_labels, &Labels::default())
    }

    fn asks_for_labels_only(&self) -> bool {
        self.accounts.is_empty() && self.cluster.is_empty() && self.reserved.is_empty() && self.others == 0
    }

    /// The pods that it names; none if it is about others, too, or if manifests do not tell.
    pub(super) fn named(&self) -> Option<NamedPods> {
        let known = self.cluster.is_empty() && self.reserved.is_empty() && self.others == 0;
        let named = NamedPods { labels: self.pods.clone(), service_accounts: self.accounts.clone() };
        known.then_some(named)
    }

    /// Whether it names pods, not whole namespaces.
    pub(super) fn names_pods(&self) -> bool {
        !self.pods.pods.is_everything() || !self.accounts.is_empty()
    }

    /// What it asks about pods. All of them are of one cluster, and have no reserved labels.
    pub(super) fn asks(&self, asked: &mut Asked) {
        asked.pods(&self.pods);
        if !self.accounts.is_empty() {
            asked.accounts();
        }
    }

    /// Whether an end is meant.
    pub(crate) fn is(&self, end: &End<'_>) -> Match {
        match end {
            // They have the labels of their node, which is that of the pod or another one.
            End::Pod(pod) if pod.host_network => {
                let (host, other) = (self.is_without_pods(&["host"]), self.is_without_pods(&["remote-node"]));
                if host == other { host } else { Match::Unknown }
            }
            End::Pod(pod) => {
                let others = self.others(Label::Is(pod.service_account), Label::Present, &[]);
                Match::from(self.pods.matches(pod)).min(others)
            }
            End::SomePod => self.pods.is(end).min(self.others(Label::Present, Label::Present, &[])),
            End::Outside(_) | End::Host(_) | End::SomeHost => self.is_without_pods(&["world"]),
        }
    }

    /// Whether something that is no pod is meant, of which it is known which reserved labels it has.
    fn is_without_pods(&self, reserved: &[&str]) -> Match {
        let none = Labels::default();
        let pods = Match::from(self.pods.matches_labels("", &none, &none));
        pods.min(self.others(Label::Missing, Label::Missing, reserved))
    }

    /// Whether the conditions hold that are not about labels of pods and namespaces.
    fn others(&self, account: Label<'_>, cluster: Label<'_>, reserved: &[&str]) -> Match {
        let of_reserved = |(key, test): &(String, RequirementTest)| {
            let held = match key.as_str() {
                key if reserved.contains(&key) => Label::Is(""),
                // Nodes and hosts outside may be where the API server is.
                "kube-apiserver" if !reserved.is_empty() => Label::Unknown,
                // Clusters with both families have these instead of `world`.
                "world-ipv4" | "world-ipv6" if reserved.contains(&"world") => Label::Unknown,
                _ => Label::Missing,
            };
            held.meets(test)
        };
        let accounts = self.accounts.iter().map(|test| account.meets(test));
        let clusters = self.cluster.iter().map(|test| cluster.meets(test));
        let others = (0..self.others).map(|_| Match::Unknown);
        Match::all(accounts.chain(clusters).chain(self.reserved.iter().map(of_reserved)).chain(others))
    }
}
