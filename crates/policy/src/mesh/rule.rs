//! Rules of AuthorizationPolicies, and what they say about a caller.

use kubestride_source::Span;

use super::pattern::{self, TrustDomain};
use crate::Match;

/// A rule: it fits a request if one source, one operation and all conditions do.
#[derive(Debug, Clone)]
pub struct AuthorizationRule {
    /// `from[].source`; anybody if there are none.
    pub from: Vec<Vec<Test>>,
    /// `to[].operation`; anything if there are none.
    pub to: Vec<Vec<Test>>,
    /// `when`.
    pub when: Vec<Test>,
    /// Where it stands.
    pub span: Span,
}

/// A field of a source or an operation, or a condition.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is looked at.
    pub about: About,
    /// One of these must fit, each with its place.
    pub values: Vec<(String, Span)>,
    /// None of them may fit: `notPrincipals` and the like.
    pub negated: bool,
}

/// What a test looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// `cluster.local/ns/shop/sa/web`, as the certificate of the caller says.
    Principal,
    /// The namespace of the caller, as its certificate says.
    Namespace,
    /// The service account of the caller, as its certificate says: `shop/web`, or `web` of the policy's own namespace.
    ServiceAccount,
    /// The port of the target.
    Port,
    /// A token of the request.
    Token,
    /// Addresses, which manifests do not tell.
    Address,
    /// What a request looks like: host, path, method, headers.
    Request,
    /// A field that is not known.
    Unknown,
}

/// Who calls, as far as the proxy of the target knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity<'a> {
    /// Nobody in particular: plain text.
    None,
    /// This namespace and service account.
    Account(&'a str, &'a str),
    /// Another proxy in between, or it is not known.
    Unknown,
}

/// What a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) identity: Identity<'a>,
    pub(super) port: Option<u16>,
    /// The rule is enforced by a ztunnel, which sees connections and no requests.
    pub(super) ztunnel: bool,
    /// How identities of the mesh begin.
    pub(super) trust: &'a TrustDomain,
    /// What tests say that a request can be made to pass or to fail; none if any request may come.
    pub(super) of_requests: Option<Match>,
}

impl AuthorizationRule {
    /// Whether it fits every request.
    pub fn fits_all(&self) -> bool {
        let anybody = |tests: &Vec<Test>| !tests.is_empty() && tests.iter().all(Test::is_every_address);
        (self.from.is_empty() || self.from.iter().any(anybody)) && self.to.is_empty() && self.when.is_empty()
    }

    /// Whether it fits requests. `namespace` is that of its policy; `allows` says whether the policy allows.
    pub(super) fn fit(&self, request: &Request<'_>, namespace: &str, allows: bool) -> Match {
        // "Within an ALLOW policy, rules matching HTTP attributes are omitted. This will be more restrictive than requested."
        if request.ztunnel && allows && self.tests().any(Test::needs_request) {
            return Match::No;
        }
        let test = |test: &Test| test.fit(request, namespace);
        let any = |list: &[Vec<Test>]| match list.is_empty() {
            true => Match::Yes,
            false => Match::any(list.iter().map(|tests| Match::all(tests.iter().map(test)))),
        };
        any(&self.from).min(any(&self.to)).min(Match::all(self.when.iter().map(test)))
    }

    /// Whether it fits requests with a token only.
    pub(super) fn needs_token(&self, request: &Request<'_>, namespace: &str) -> bool {
        self.demands(request, namespace, &|test| !test.negated && test.about == About::Token)
    }

    /// Whether a condition holds for one of its `when`, or for each source that may fit.
    fn demands(&self, request: &Request<'_>, namespace: &str, holds: &dyn Fn(&Test) -> bool) -> bool {
        let may_fit = |tests: &&Vec<Test>| tests.iter().all(|t| t.fit(request, namespace) != Match::No);
        let of_source = |tests: &Vec<Test>| tests.iter().any(holds);
        let named = !self.from.is_empty() && self.from.iter().filter(may_fit).all(of_source);
        named || self.when.iter().any(holds)
    }

    /// All tests of all its parts.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.from.iter().chain(&self.to).flatten().chain(&self.when)
    }

    /// Whether it lets every identity of the mesh do everything: a source that asks for any identity, or only says who is
    /// not meant.
    pub fn admits_any_identity(&self) -> bool {
        let is_caller = |t: &Test| matches!(t.about, About::Principal | About::Namespace | About::ServiceAccount);
        let wide = |test: &Test| {
            is_caller(test) && (test.negated || test.values.iter().any(|(value, _)| pattern::is_everybody(value)))
        };
        self.to.is_empty()
            && self.when.is_empty()
            && self.from.iter().any(|tests| !tests.is_empty() && tests.iter().all(wide))
    }
}

impl Test {
    /// Whether it looks at what only a request has.
    fn needs_request(&self) -> bool {
        matches!(self.about, About::Token | About::Request)
    }

    /// Whether it fits requests without a token, and no others.
    pub(super) fn is_no_token(&self) -> bool {
        self.negated && self.about == About::Token && self.values.iter().any(|(value, _)| value == "*")
    }

    fn is_every_address(&self) -> bool {
        let every = |(value, _): &(String, Span)| is_every_address(value);
        self.about == About::Address && !self.negated && self.values.iter().any(every)
    }

    /// Whether some requests pass it and others fail it.
    fn divides(&self) -> bool {
        let everything = |(value, _): &(String, Span)| matches!(value.as_str(), "*" | "/*");
        match self.about {
            About::Request => !self.values.iter().any(everything),
            About::Token => true,
            _ => false,
        }
    }

    fn fit(&self, request: &Request<'_>, namespace: &str) -> Match {
        // "DENY policy with HTTP attributes is enforced without the HTTP rules. This will be more restrictive than requested."
        if request.ztunnel && self.needs_request() {
            return Match::Yes;
        }
        if let Some(fit) = request.of_requests.filter(|_| self.divides()) {
            return fit;
        }
        let one = |value: &str| match (self.about, request.identity) {
            (About::Port, _) => match (value.parse::<u16>(), request.port) {
                (Ok(number), Some(port)) => Match::from(number == port),
                _ => Match::Unknown,
            },
            (About::Address, _) if is_every_address(value) => Match::Yes,
            (About::Token | About::Address | About::Request | About::Unknown, _) | (_, Identity::Unknown) => {
                Match::Unknown
            }
            // "These mTLS-only fields will never match when the traffic is plain text."
            (_, Identity::None) => Match::No,
            (About::Principal, Identity::Account(of, account)) => {
                pattern::principal(value, request.trust, request.ztunnel, of, account)
            }
            (About::Namespace, Identity::Account(of, _)) => Match::from(pattern::matches(value, of)),
            (About::ServiceAccount, Identity::Account(of, account)) => {
                Match::from(value.split_once('/').unwrap_or((namespace, value)) == (of, account))
            }
        };
        let fit = Match::any(self.values.iter().map(|(value, _)| one(value)));
        if self.negated { fit.negated() } else { fit }
    }
}

/// Whether a block holds all addresses of a family.
fn is_every_address(block: &str) -> bool {
    matches!(block, "0.0.0.0/0" | "::/0")
}
