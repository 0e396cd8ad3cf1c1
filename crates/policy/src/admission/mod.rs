//! Policies of admission engines: Kyverno, Gatekeeper, Sigstore's policy controller, and ValidatingAdmissionPolicy.
//!
//! What a policy enforces is found out by asking it: its rules are put to pods that are made for the purpose (module
//! `probe`), one that nothing is wrong with and many with one thing wrong each. A rule that lets the first pass and
//! refuses one of the others checks for what is wrong with that one, whatever its author called it. Rules in a language,
//! or with parts, that are not understood check nothing as far as is known.

mod cel;
mod gatekeeper;
mod images;
mod kyverno;
mod native;
mod probe;
mod reach;

use std::collections::BTreeSet;

use kubestride_manifest::Manifests;
use kubestride_source::{Diagnostic, Span};

use crate::Cited;
pub use images::ImageRule;
pub use probe::{Check, Refused};
pub use reach::{Namespace, Reach};

/// Who enforces a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// Kyverno.
    Kyverno,
    /// OPA Gatekeeper.
    Gatekeeper,
    /// The API server itself.
    ApiServer,
    /// The policy controller of Sigstore.
    Sigstore,
}

/// What happens to an object that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is refused.
    Denies,
    /// It is let in, and somebody is told.
    Reports,
    /// Nothing: the rule is not in force.
    Nothing,
    /// The policy says something that is not understood, or it is said elsewhere.
    Unknown,
}

/// A part of a policy with one action.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it stands.
    pub span: Span,
    /// What it refuses, or reports.
    pub refuses: Refused,
    /// For images that it verifies.
    pub images: Option<ImageRule>,
    /// To which pods it applies.
    pub reach: Reach,
    /// What it does, unless an override says otherwise.
    pub action: Action,
    /// Where the action is set; none if it is the default.
    pub action_span: Option<Span>,
    /// Other actions for some namespaces; the first that applies counts.
    pub overrides: Vec<(Action, Reach)>,
}

impl Rule {
    /// What it does in a namespace to which it applies.
    pub fn action_in(&self, namespace: &Namespace<'_>) -> Action {
        for (action, reach) in &self.overrides {
            match reach.meets(namespace) {
                Some(true) => return *action,
                Some(false) => {}
                None => return Action::Unknown,
            }
        }
        self.action
    }

    /// Whether it refuses what it checks in all pods of a namespace.
    pub fn denies_in(&self, namespace: &Namespace<'_>) -> bool {
        self.action_in(namespace) == Action::Denies && self.reach.covers(namespace)
    }
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// The namespace that it is for; none for the cluster.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// Who enforces it.
    pub engine: Engine,
    /// Its parts. Those that change or make objects are not among them.
    pub rules: Vec<Rule>,
}

impl Policy {
    /// Everything that it checks, whatever it does about it.
    pub fn checks(&self) -> BTreeSet<Check> {
        let mut checks = self.rules.iter().fold(Refused::default(), |all, rule| all.and(rule.refuses)).checks();
        if self.rules.iter().any(|rule| rule.images.is_some()) {
            checks.insert(Check::Signatures);
        }
        checks
    }

    /// What it does, if all of its rules do the same everywhere.
    pub fn actions(&self) -> BTreeSet<Action> {
        let of =
            |rule: &Rule| rule.overrides.iter().map(|(action, _)| *action).chain([rule.action]).collect::<Vec<_>>();
        self.rules.iter().flat_map(of).collect()
    }
}

/// All policies of the input.
#[derive(Debug, Default)]
pub struct AdmissionPolicies {
    policies: Vec<Policy>,
    diagnostics: Vec<Diagnostic>,
}

impl AdmissionPolicies {
    /// Reads all policies; `default` is the namespace of objects that name none.
    pub fn read(manifests: &Manifests, default: &str) -> Self {
        let mut all = Self::default();
        kyverno::read(manifests, default, &mut all);
        gatekeeper::read(manifests, default, &mut all);
        native::read(manifests, default, &mut all);
        images::read(manifests, default, &mut all);
        all.policies.sort_by(|a, b| a.identity.cmp(&b.identity));
        all
    }

    /// The policies, by identity.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What of them was not understood, and how that limits the answer.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What policies of engines that are there refuse in a namespace, each with the rules that do.
    pub fn refused(&self, namespace: &Namespace<'_>, is_there: impl Fn(Engine) -> bool) -> Vec<(Check, Vec<Cited>)> {
        let policies = self.policies.iter().filter(|p| is_there(p.engine));
        let denying: Vec<(&Policy, &Rule)> = policies
            .flat_map(|p| p.rules.iter().map(move |r| (p, r)))
            .filter(|(_, rule)| rule.denies_in(namespace))
            .collect();
        let all = denying.iter().fold(Refused::default(), |all, (_, rule)| all.and(rule.refuses));
        let by = |check: Check| {
            let partly = denying.iter().filter(|(_, rule)| rule.refuses.meets(check));
            partly.map(|(p, rule)| Cited { identity: p.identity.clone(), span: rule.span }).collect()
        };
        all.checks().into_iter().map(|check| (check, by(check))).collect()
    }

    fn warn(&mut self, code: &'static str, message: String, span: Span) {
        self.diagnostics.push(Diagnostic::warning(code, message).at(span));
    }
}
