//! What AuthorizationPolicies declare about who calls whom.

use kubestride_source::Span;

use super::{About, Action, AuthorizationPolicy, AuthorizationRule, Test};
use crate::Cited;

/// A service account that an AuthorizationPolicy lets through, which says that its author expects it to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSource {
    /// The namespace of the caller.
    pub namespace: String,
    /// The name of its service account.
    pub service_account: String,
    /// The ports that it may use; all if there are none.
    pub ports: Vec<u16>,
    /// Where it is named.
    pub cited: Cited,
}

impl AuthorizationPolicy {
    /// The service accounts that an allowing policy names, without patterns: `cluster.local/ns/shop/sa/web`.
    pub fn declared_sources(&self) -> Vec<DeclaredSource> {
        let rules = self.rules.iter().filter(|_| self.action == Action::Allow);
        rules.flat_map(|rule| self.sources_of(rule)).collect()
    }

    fn sources_of(&self, rule: &AuthorizationRule) -> Vec<DeclaredSource> {
        let positive = |test: &&Test| !test.negated;
        let ports = rule.to.iter().flatten().filter(positive).filter(|test| test.about == About::Port);
        let ports: Vec<u16> = ports.flat_map(|test| &test.values).filter_map(|(port, _)| number(port)).collect();
        let declare = |(account, span): ((&str, &str), Span)| DeclaredSource {
            namespace: account.0.to_owned(),
            service_account: account.1.to_owned(),
            ports: ports.clone(),
            cited: self.cite_at(span),
        };
        let named = rule.from.iter().flatten().filter(positive).flat_map(|test| {
            test.values.iter().filter_map(|(value, span)| Some((self.account(test.about, value)?, *span)))
        });
        named.map(declare).collect()
    }

    /// Namespace and name of the one service account that a value means.
    fn account<'v>(&'v self, about: About, value: &'v str) -> Option<(&'v str, &'v str)> {
        let (namespace, account) = match about {
            About::Principal => value.split_once("/ns/")?.1.split_once("/sa/")?,
            About::ServiceAccount => value.split_once('/').unwrap_or((&self.namespace, value)),
            _ => return None,
        };
        let exact = |text: &str| !text.is_empty() && !text.contains(['*', '/']);
        (exact(namespace) && exact(account)).then_some((namespace, account))
    }
}

/// A port from 1 to 65535.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| *number > 0)
}
