//! Tiers: how policies of several kinds decide one after the other.
//!
//! Policies stand in tiers, and tiers in an order. In a tier the first rule that is about a connection decides: it lets
//! the connection through, stops it, or passes it on to the next tier. What no rule of a tier is about is stopped if a
//! policy of the tier isolates the pod, and goes on to the next tier else. What is left at the end gets through.
//!
//! This is how Calico describes its tiers, among which it has places for all policies of Kubernetes:
//! <https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy>.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kubestride_manifest::Labels;

use super::asked::Asked;
use super::{Declared, Direction, End, Match, PodMatcher, PortSet};
use crate::{Cited, Family, Pod};

/// The order of the tier in which NetworkPolicies are.
pub(crate) const DEFAULT_TIER: f64 = 1_000_000.0;
/// Its name.
pub(crate) const DEFAULT_NAME: &str = "default";
/// The order of the tiers of administrators, before and after.
pub(crate) const ADMIN_TIER: f64 = 1_000.0;
pub(crate) const BASELINE_TIER: f64 = 10_000_000.0;
/// The order of NetworkPolicies in their tier.
pub(crate) const NETWORK_POLICY_ORDER: f64 = 1_000.0;

/// What a rule does with connections that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// They get through, whatever comes later.
    Allow,
    /// They do not.
    Deny,
    /// The next tier decides.
    Pass,
}

/// A connection, seen from one of its ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    /// The pod whose policies are asked.
    pub(crate) subject: &'q Pod<'q>,
    /// The other end.
    pub(crate) peer: End<'q>,
    /// One of both: who is called.
    pub(crate) target: End<'q>,
    /// Whether the subject is called, or calls.
    pub(crate) direction: Direction,
}

impl Question<'_> {
    /// The named ports of who is called.
    pub(crate) fn named_ports(&self) -> &[crate::PodPort<'_>] {
        match &self.target {
            End::Pod(pod) => pod.ports,
            End::SomePod | End::Outside(_) | End::Host(_) | End::SomeHost => &[],
        }
    }
}

/// A policy in a tier.
pub(crate) trait Member: Debug + Send + Sync {
    /// Whose kind of policy it is.
    fn family(&self) -> Family;

    /// The policy as the source of an answer.
    fn cite(&self) -> Cited;

    /// The namespace whose pods it can be for; none if it can be for pods of all.
    fn namespace(&self) -> Option<&str>;

    /// Its place in the tier: lower ones are asked first.
    fn order(&self) -> f64;

    /// Its name, by which policies of the same order are asked.
    fn name(&self) -> &str {
        ""
    }

    /// Whether it is for a pod.
    fn selects(&self, pod: &Pod<'_>) -> Match;

    /// All pods that it can be for, and perhaps others; none if labels do not tell.
    fn candidates(&self) -> Option<PodMatcher> {
        None
    }

    /// For how many pods it is.
    fn subjects(&self) -> Subjects {
        Subjects::Chosen
    }

    /// Whether it is for all pods of a namespace, whatever their labels are.
    fn covers(&self, _namespace: &str, _namespace_labels: &Labels<'_>) -> Match {
        Match::No
    }

    /// Whether it isolates the pods that it is for.
    fn isolates(&self, direction: Direction) -> bool;

    /// Whether it stops what it does not let through by name: it isolates the pods that it is for, or a rule stops
    /// everybody.
    fn stops_others(&self, direction: Direction) -> bool {
        self.isolates(direction)
    }

    /// Whether its kind of policy has rules that deny.
    fn can_deny(&self) -> bool {
        true
    }

    /// Says to `decision` what each of its rules does, in order. It is asked only about pods that it selects, or may
    /// select: `selected` is never [`Match::No`].
    fn ask(&self, question: &Question<'_>, selected: Match, decision: &mut Decision);

    /// The rule because of which everybody gets through, on some port at least.
    fn open_rule(&self, direction: Direction) -> Option<Cited>;

    /// The rule because of which everybody gets through in some direction on all ports.
    fn admits_everyone(&self) -> Option<Cited> {
        None
    }

    /// The rule that lets questions to DNS (port 53) go to any address outside of the cluster.
    fn dns_to_anywhere(&self) -> Option<Cited> {
        None
    }

    /// Whether a rule lets everybody through, on some port at least; unknown if only a rule that is not understood may.
    fn lets_others(&self, direction: Direction) -> Match;

    /// What it asks about pods, of both ends of a connection. Two pods that are alike in that, and in their namespace as
    /// far as the policy is for one, must be alike to all that the policy says.
    fn asks(&self, asked: &mut Asked) {
        asked.everything();
    }

    /// The places where what they mean for addresses changes, see [`super::Block::edges`].
    fn edges(&self) -> Vec<u64>;

    /// Who talks to whom, by rules that name both.
    fn declared(&self) -> Declared {
        Declared::default()
    }
}

/// For how many pods a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// All of its namespace; all of the cluster if it has none.
    All,
    /// Those that it chooses.
    Chosen,
    /// None: it is for nodes.
    NoPods,
}

/// Policies that are asked together.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) order: f64,
    pub(crate) name: String,
    /// Whether what no rule is about goes on to the next tier even if policies isolate the pod.
    pub(crate) passes: bool,
    members: Vec<Box<dyn Member>>,
    /// Positions of the members for one namespace, and of those for all.
    by_namespace: BTreeMap<String, Vec<usize>>,
    everywhere: Vec<usize>,
}

impl Tier {
    pub(crate) fn new(order: f64, name: &str, passes: bool, mut members: Vec<Box<dyn Member>>) -> Self {
        members.sort_by(|a, b| {
            let by_name = || (a.name(), a.cite()).cmp(&(b.name(), b.cite()));
            a.order().total_cmp(&b.order()).then_with(by_name)
        });
        let (mut by_namespace, mut everywhere): (BTreeMap<String, Vec<usize>>, _) = (BTreeMap::new(), Vec::new());
        for (at, member) in members.iter().enumerate() {
            match member.namespace() {
                Some(name) => by_namespace.entry(name.to_owned()).or_default().push(at),
                None => everywhere.push(at),
            }
        }
        Self { order, name: name.to_owned(), passes, members, by_namespace, everywhere }
    }

    /// Further policies, each in its place.
    pub(crate) fn add(&mut self, members: Vec<Box<dyn Member>>) {
        let all = std::mem::take(&mut self.members).into_iter().chain(members).collect();
        *self = Self::new(self.order, &self.name, self.passes, all);
    }

    /// Takes some of the policies out.
    pub(crate) fn take(&mut self, wanted: &dyn Fn(&dyn Member) -> bool) -> Vec<Box<dyn Member>> {
        let all = std::mem::take(&mut self.members);
        let (taken, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|member| wanted(member.as_ref()));
        *self = Self::new(self.order, &self.name, self.passes, kept);
        taken
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &dyn Member> {
        self.members.iter().map(AsRef::as_ref)
    }

    /// The members that are for a pod, or may be, in order.
    pub(crate) fn selecting<'t>(&'t self, pod: &'t Pod<'_>) -> impl Iterator<Item = (&'t dyn Member, Match)> {
        let mut own = self.by_namespace.get(pod.namespace).map(Vec::as_slice).unwrap_or_default();
        let mut wide = self.everywhere.as_slice();
        let both = std::iter::from_fn(move || {
            let from = match (own.first(), wide.first()) {
                (Some(a), Some(b)) if a > b => &mut wide,
                (None, _) => &mut wide,
                (Some(_), _) => &mut own,
            };
            let (first, rest) = from.split_first()?;
            *from = rest;
            self.members.get(*first)
        });
        both.map(|member| (member.as_ref(), member.selects(pod))).filter(|(_, selected)| *selected != Match::No)
    }

    /// What its policies say about what is left of a decision.
    pub(crate) fn ask(&self, question: &Question<'_>, decision: &mut Decision) {
        decision.allowed_here = PortSet::none();
        let mut isolated = Match::No;
        for (member, selected) in self.selecting(question.subject) {
            member.ask(question, selected, decision);
            if member.isolates(question.direction) {
                isolated = isolated.max(selected);
            }
        }
        if !self.passes && isolated != Match::No && !decision.left.is_empty() {
            if decision.explains {
                let isolating = self.selecting(question.subject).filter(|(m, _)| m.isolates(question.direction));
                for (member, selected) in isolating {
                    decision.reasons.push(Reason {
                        cited: member.cite(),
                        ports: decision.left.clone(),
                        // Whether the policy is for the pod may not be known.
                        effect: if selected == Match::Yes { Effect::Isolates } else { Effect::Undetermined },
                        names: false,
                    });
                }
            }
            match isolated {
                Match::Yes => decision.left = PortSet::none(),
                _ => decision.maybe_denied = decision.maybe_denied.union(&decision.left),
            }
        }
        decision.left = decision.left.union(&std::mem::take(&mut decision.passed));
    }
}

/// What a rule or a policy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A rule lets the ports through.
    Allows,
    /// A rule stops them.
    Denies,
    /// A rule passes them on.
    Passes,
    /// The policy isolates the pod, and no rule is about them.
    Isolates,
    /// Whether the rule is about them, manifests do not tell.
    Undetermined,
}

/// Why ports get through or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The rule, or the policy.
    pub cited: Cited,
    /// The ports that it decided about.
    pub ports: PortSet,
    /// What it did.
    pub effect: Effect,
    /// Whether it names its peers; else it is about everybody.
    pub names: bool,
}

/// How far rules have decided about the ports of who is called.
#[derive(Debug)]
pub(crate) struct Decision {
    /// What gets through.
    allowed: PortSet,
    /// Of that, what rules of the current tier let through.
    allowed_here: PortSet,
    /// What no rule was about yet.
    left: PortSet,
    /// What the rules of the current tier pass on to the next.
    passed: PortSet,
    /// What a rule may have let through, or stopped, of which it is not known whether it is about the peer.
    maybe_allowed: PortSet,
    maybe_denied: PortSet,
    explains: bool,
    reasons: Vec<Reason>,
}

/// A rule and whether it is about a connection.
pub(crate) struct Ruling<'r> {
    pub(crate) action: Action,
    /// Whether it is about the peer.
    pub(crate) matched: Match,
    /// Whether it is not known if another rule is asked first.
    pub(crate) contested: bool,
    /// On which ports.
    pub(crate) ports: &'r dyn Fn() -> PortSet,
    /// Whether it names its peers.
    pub(crate) names: bool,
    pub(crate) cited: &'r dyn Fn() -> Cited,
}

impl Decision {
    /// Nothing is decided. With `explains`, reasons are kept.
    pub(crate) fn new(explains: bool) -> Self {
        Self {
            allowed: PortSet::none(),
            allowed_here: PortSet::none(),
            left: PortSet::all(),
            passed: PortSet::none(),
            maybe_allowed: PortSet::none(),
            maybe_denied: PortSet::none(),
            explains,
            reasons: Vec::new(),
        }
    }

    /// Takes what a rule is about out of what is left.
    pub(crate) fn rule(&mut self, ruling: &Ruling<'_>) {
        if ruling.matched == Match::No {
            return;
        }
        let ports = (ruling.ports)();
        let about = ports.intersection(&self.left);
        // Several rules may let the same ports through; all of them are reasons.
        let reason = match ruling.action {
            Action::Allow => about.union(&ports.intersection(&self.allowed_here)),
            Action::Deny | Action::Pass => about.clone(),
        };
        if reason.is_empty() {
            return;
        }
        let effect = match (ruling.matched, ruling.action) {
            (Match::Yes, Action::Allow) => Effect::Allows,
            (Match::Yes, Action::Deny) => Effect::Denies,
            (Match::Yes, Action::Pass) => Effect::Passes,
            _ => Effect::Undetermined,
        };
        if self.explains {
            self.reasons.push(Reason { cited: (ruling.cited)(), ports: reason, effect, names: ruling.names });
        }
        if effect == Effect::Undetermined {
            // A rule that passes on may lead to either end.
            if ruling.action != Action::Deny {
                self.maybe_allowed = self.maybe_allowed.union(&about);
            }
            if ruling.action != Action::Allow {
                self.maybe_denied = self.maybe_denied.union(&about);
            }
            return;
        }
        if ruling.contested {
            self.maybe_allowed = self.maybe_allowed.union(&about);
            self.maybe_denied = self.maybe_denied.union(&about);
        }
        self.left = self.left.difference(&about);
        match ruling.action {
            Action::Allow => {
                self.allowed = self.allowed.union(&about);
                self.allowed_here = self.allowed_here.union(&about);
            }
            Action::Pass => self.passed = self.passed.union(&about),
            Action::Deny => {}
        }
    }

    /// Whether nothing is left for further tiers.
    pub(crate) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// What gets through at the end, and of which ports that is not known.
    pub(crate) fn finish(self) -> (PortSet, PortSet, Vec<Reason>) {
        let allowed = self.allowed.union(&self.left);
        let unknown = self.maybe_allowed.difference(&allowed).union(&self.maybe_denied.intersection(&allowed));
        (allowed, unknown, self.reasons)
    }
}
