//! Policies of KubeArmor: what they do with running processes.
//!
//! An action is blocked, recorded or allowed. A single rule that allows something makes a list of what is allowed out of
//! its class (files, network, capabilities): what happens to everything else is the default posture, which namespaces
//! set by annotations and KubeArmor itself by its configuration; without either it is recorded only.
//!
//! <https://docs.kubearmor.io/kubearmor/documentation/security_policy_specification>,
//! <https://docs.kubearmor.io/kubearmor/documentation/default_posture>

mod posture;
mod read;
mod selector;

use std::collections::BTreeMap;

use kubestride_manifest::{Labels, Manifests};
use kubestride_source::{Diagnostic, Span};

use posture::Postures;
use selector::Selector;

/// What rules are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Programs that are started.
    Process,
    /// Files that are opened.
    File,
    /// Protocols that are spoken.
    Network,
    /// Capabilities that are used.
    Capabilities,
    /// System calls. They are recorded, whatever the action says.
    Syscalls,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It may be done, and what no rule allows may not.
    Allow,
    /// It may be done, and is recorded.
    Audit,
    /// It may not be done.
    Block,
}

/// What happens in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It is recorded.
    Alerts,
    /// It is stopped.
    Blocks,
}

/// How it comes that a policy only records what it seems to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recorded {
    /// The posture for what is not allowed is to alert.
    ByPosture,
    /// System calls are never stopped.
    SystemCalls,
    /// Nothing says what the posture is.
    PostureUnknown,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub class: Class,
    /// What it says.
    pub action: Action,
    /// The path or the directory (which ends in `/`) that it names, if it names one.
    pub path: Option<String>,
    /// The capability that it names, if it names one, as the kernel writes it without `CAP_`.
    pub capability: Option<String>,
    /// Of a directory: what is below it, at any depth.
    pub recursive: bool,
    /// Reading is meant to go on.
    pub read_only: bool,
    /// It is about some programs or the owner of the file only.
    pub narrow: bool,
    /// Where it stands.
    pub span: Span,
    /// Where its action is set: in the rule, its section or the policy. None: it blocks because nothing is set.
    pub action_span: Option<Span>,
}

/// Which pods a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Those of its namespace.
    Namespaced,
    /// Those of namespaces that it names.
    Cluster,
    /// None: the processes of nodes.
    Host,
    /// Traffic of pods or nodes, by address and volume.
    Network,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct RuntimePolicy {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; none for those of the cluster.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// Its rules.
    pub rules: Vec<Rule>,
    selector: Selector,
}

/// The directory of the token of the service account, as the kernel sees it in images where `/var/run` is a link.
const TOKEN: &str = "/run/secrets/kubernetes.io/serviceaccount/";

/// All policies of the input.
#[derive(Debug, Default)]
pub struct RuntimePolicies {
    policies: Vec<RuntimePolicy>,
    /// Positions of the policies for pods of one namespace.
    policies_of: BTreeMap<String, Vec<usize>>,
    /// Positions of the policies for pods of several namespaces.
    wide: Vec<usize>,
    global: Postures,
    namespaces: BTreeMap<String, Postures>,
    diagnostics: Vec<Diagnostic>,
}

impl RuntimePolicies {
    /// Reads all policies and postures; `default` is the namespace of objects that name none.
    pub fn read(manifests: &Manifests, default: &str) -> Self {
        let mut all = Self::default();
        read::policies(manifests, default, &mut all);
        posture::read(manifests, &mut all);
        all.policies.sort_by(|a, b| a.identity.cmp(&b.identity));
        for (at, policy) in all.policies.iter().enumerate() {
            match (policy.kind, &policy.namespace) {
                (Kind::Host, _) | (Kind::Namespaced, None) => {}
                (Kind::Namespaced, Some(own)) => all.policies_of.entry(own.clone()).or_default().push(at),
                (Kind::Cluster | Kind::Network, _) => all.wide.push(at),
            }
        }
        all
    }

    /// The policies that select pods with these labels in a namespace, by identity.
    fn selecting(&self, namespace: &str, labels: &Labels<'_>) -> Vec<&RuntimePolicy> {
        let own = self.policies_of.get(namespace).map(Vec::as_slice).unwrap_or_default();
        let mut positions: Vec<usize> = own.iter().chain(&self.wide).copied().collect();
        positions.sort_unstable();
        let near = positions.into_iter().filter_map(|at| self.policies.get(at));
        near.filter(|policy| policy.selects(namespace, labels)).collect()
    }

    /// The policies, by identity.
    pub fn policies(&self) -> &[RuntimePolicy] {
        &self.policies
    }

    /// What was not understood, and how that limits the answer.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What happens to what no rule of a class allows, where a rule allows something; and where that is said.
    pub fn posture(&self, namespace: Option<&str>, class: Class) -> (Effect, Option<Span>) {
        let own = namespace.and_then(|name| self.namespaces.get(name)).and_then(|p| p.of(class));
        let (effect, span) =
            own.or_else(|| self.global.of(class)).map_or((Effect::Alerts, None), |(e, s)| (e, Some(s)));
        // System calls are never stopped.
        if class == Class::Syscalls { (Effect::Alerts, span) } else { (effect, span) }
    }

    /// The strongest effect of a policy, and where it comes from. None if it has no rules.
    pub fn effect(&self, policy: &RuntimePolicy) -> Option<(Effect, Span, &'static str)> {
        let of = |rule: &Rule| {
            let place = rule.action_span.unwrap_or(rule.span);
            let silent = if rule.action_span.is_none() { "no action: it blocks" } else { "" };
            match rule.action {
                _ if rule.class == Class::Syscalls => (Effect::Alerts, place, "system calls are recorded only"),
                Action::Block => (Effect::Blocks, place, silent),
                Action::Audit => (Effect::Alerts, place, ""),
                Action::Allow => match self.posture(policy.namespace.as_deref(), rule.class) {
                    (Effect::Blocks, span) => {
                        (Effect::Blocks, span.unwrap_or(place), "the posture blocks everything else")
                    }
                    (Effect::Alerts, span) => {
                        (Effect::Alerts, span.unwrap_or(place), "everything else raises an alert, as the posture says")
                    }
                },
            }
        };
        // A list of what is allowed for a network policy is not about posture, and what it does is not known.
        let rules = policy.rules.iter().filter(|r| policy.kind != Kind::Network || r.action != Action::Allow);
        rules.map(of).reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// What a policy seems to stop and only records: everything beside what it allows, where the posture is to alert, or
    /// system calls. None if there is nothing of the kind; not known where nothing says what the posture is.
    pub fn only_recorded(&self, policy: &RuntimePolicy) -> Option<(Recorded, Span)> {
        if policy.kind == Kind::Network {
            return None;
        }
        let of = |rule: &Rule| match rule.action {
            Action::Block if rule.class == Class::Syscalls && rule.action_span.is_some() => {
                Some((Recorded::SystemCalls, rule.action_span?))
            }
            Action::Allow if rule.class != Class::Syscalls => {
                match self.posture(policy.namespace.as_deref(), rule.class) {
                    (Effect::Alerts, Some(said)) => Some((Recorded::ByPosture, said)),
                    (Effect::Alerts, None) => Some((Recorded::PostureUnknown, rule.action_span.unwrap_or(rule.span))),
                    (Effect::Blocks, _) => None,
                }
            }
            _ => None,
        };
        policy.rules.iter().filter_map(of).min_by_key(|(recorded, _)| *recorded)
    }

    /// The rule or the posture that keeps all processes of a pod from reading the token of its service account.
    pub fn token_guard(&self, namespace: &str, labels: &Labels<'_>) -> Option<Span> {
        let selecting = self.selecting(namespace, labels);
        let applying = || selecting.iter().filter(|p| p.is_for_all_containers());
        let rules = || applying().flat_map(|p| &p.rules).filter(|r| r.class == Class::File);
        let blocks = |r: &&Rule| r.action == Action::Block && !r.narrow && !r.read_only && r.covers(TOKEN);
        if let Some(rule) = rules().find(blocks) {
            return Some(rule.span);
        }
        let first = rules().find(|r| r.action == Action::Allow && !r.narrow)?;
        let (Effect::Blocks, _) = self.posture(Some(namespace), Class::File) else { return None };
        let mut matching = selecting.iter().flat_map(|p| &p.rules);
        let lets_read = |r: &Rule| r.class == Class::File && r.action != Action::Block && r.may_be_about(TOKEN);
        (!matching.any(lets_read)).then_some(first.span)
    }

    /// The rule that keeps all processes of a pod from reading and writing below a directory, or from writing there only
    /// where `writing` is asked for.
    pub fn directory_guard(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
        directory: &str,
        writing: bool,
    ) -> Option<Span> {
        let directory = format!("{}/", directory.trim_end_matches('/'));
        let blocks = |r: &&Rule| r.class == Class::File && (writing || !r.read_only) && r.covers(&directory);
        self.blocking(namespace, labels, blocks)
    }

    /// The rule that keeps all processes of a pod from using a capability, such as `NET_RAW`.
    pub fn capability_guard(&self, namespace: &str, labels: &Labels<'_>, capability: &str) -> Option<Span> {
        let blocks = |r: &&Rule| r.class == Class::Capabilities && r.capability.as_deref() == Some(capability);
        self.blocking(namespace, labels, blocks)
    }

    /// The first rule for all processes of a pod that blocks and fits.
    fn blocking(&self, namespace: &str, labels: &Labels<'_>, fits: impl Fn(&&Rule) -> bool) -> Option<Span> {
        let selecting = self.selecting(namespace, labels);
        let rules = selecting.iter().filter(|p| p.is_for_all_containers()).flat_map(|p| &p.rules);
        rules.filter(|r| r.action == Action::Block && !r.narrow).find(fits).map(|r| r.span)
    }

    /// The rule that keeps all processes of a pod from writing anywhere.
    pub fn write_guard(&self, namespace: &str, labels: &Labels<'_>) -> Option<Span> {
        let selecting = self.selecting(namespace, labels);
        let applying = selecting.into_iter().filter(|p| p.is_for_all_containers());
        let blocks = |r: &&Rule| {
            let of_files = r.class == Class::File && r.action == Action::Block && !r.narrow;
            of_files && r.read_only && r.recursive && r.path.as_deref() == Some("/")
        };
        applying.flat_map(|p| &p.rules).find(blocks).map(|r| r.span)
    }
}

impl RuntimePolicy {
    /// Whether it is about the pods with these labels, or a container of theirs.
    pub fn selects(&self, namespace: &str, labels: &Labels<'_>) -> bool {
        match self.kind {
            Kind::Host => false,
            Kind::Namespaced => {
                self.namespace.as_deref() == Some(namespace) && self.selector.matches(namespace, labels)
            }
            Kind::Cluster | Kind::Network => self.selector.matches(namespace, labels),
        }
    }

    /// Whether it is about all processes of the pods that it selects.
    fn is_for_all_containers(&self) -> bool {
        self.kind != Kind::Network && !self.selector.names_containers()
    }
}

impl Rule {
    /// Whether it is about everything in a directory.
    fn covers(&self, directory: &str) -> bool {
        self.recursive && self.path.as_deref().is_some_and(|path| directory.starts_with(path))
    }

    /// Whether it may be about something in a directory.
    fn may_be_about(&self, directory: &str) -> bool {
        self.path
            .as_deref()
            .is_none_or(|path| path.starts_with(directory) || (path.ends_with('/') && directory.starts_with(path)))
    }
}
