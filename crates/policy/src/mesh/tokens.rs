//! Whether requests need a token.

use super::{About, Mesh, RequestAuthentication};
use crate::{Cited, Pod};

/// What becomes of a request without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenCheck {
    /// Tokens are not looked at.
    None,
    /// Tokens that are there are checked; a request without one is let through.
    IfPresent(Cited),
    /// A policy asks for a token, for some requests at least.
    Demanded(Cited),
    /// Policies for gateways or Services may ask for one.
    Undetermined,
}

impl Mesh {
    /// What becomes of requests to a pod that hold no token.
    ///
    /// "A request that does not contain any authentication credentials will be accepted but will not have any authenticated
    /// identity": an AuthorizationPolicy must ask for one.
    pub fn token_check(&self, pod: &Pod<'_>) -> TokenCheck {
        let of = |name: &str| self.tokens_of.get(name).map(Vec::as_slice).unwrap_or_default();
        let checks = |at: &&usize| self.tokens.get(**at).is_some_and(|policy| policy.checks && policy.selects(pod));
        let first =
            of(pod.namespace).iter().chain(self.config.roots.iter().flat_map(|root| of(root))).filter(checks).min();
        let Some(checking) = first.and_then(|at| self.tokens.get(*at)) else { return TokenCheck::None };
        let asking = |about| about == About::Token;
        let policies = self.authorizations_for(pod.namespace).filter(|policy| !policy.dry_run);
        let mut undetermined = false;
        for policy in policies {
            let rule = policy.rules.iter().find(|rule| rule.tests().any(|test| asking(test.about)));
            match rule {
                Some(rule) if policy.selects(pod) => return TokenCheck::Demanded(policy.cite_at(rule.span)),
                Some(_) => undetermined |= policy.is_unclear || !policy.targets.is_empty(),
                None => undetermined |= policy.is_unclear,
            }
        }
        match undetermined {
            true => TokenCheck::Undetermined,
            false => TokenCheck::IfPresent(checking.cited.clone()),
        }
    }
}

impl RequestAuthentication {
    /// Whether it is for the proxies of `pod`.
    pub fn selects(&self, pod: &Pod<'_>) -> bool {
        !self.has_targets
            && (self.namespace == pod.namespace || self.is_everywhere)
            && self.workloads.as_ref().is_none_or(|selector| selector.matches(pod.labels))
    }
}
