//! Names with a star.

use crate::Match;

/// The trust domain of a mesh whose operator chose none. In policies it "is a pointer to the local trust domain and its
/// aliases".
pub(super) const TRUST_DOMAIN: &str = "cluster.local";

/// How identities of the mesh begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrustDomain {
    /// Nothing says.
    Unknown,
    /// This one, and others that policies may name instead.
    Known { own: String, aliases: Vec<String> },
}

impl TrustDomain {
    pub(super) fn known<'n>(own: &str, aliases: impl Iterator<Item = &'n String>) -> Self {
        TrustDomain::Known { own: own.to_owned(), aliases: aliases.cloned().collect() }
    }
}

/// Exact, prefix (`abc*`), suffix (`*abc`) and presence (`*`) match.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => !text.is_empty(),
        (Some(suffix), _) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => pattern == text,
    }
}

/// Whether a pattern fits the identity of a service account. Ztunnels look at identities as they are; whether aliases are
/// written out for them is not said.
pub(super) fn principal(pattern: &str, trust: &TrustDomain, ztunnel: bool, namespace: &str, account: &str) -> Match {
    match trust {
        TrustDomain::Unknown => in_some_domain(pattern, namespace, account),
        TrustDomain::Known { own, aliases } => {
            let rest = format!("ns/{namespace}/sa/{account}");
            if matches(pattern, &format!("{own}/{rest}")) {
                return Match::Yes;
            }
            // Only whole identities have their trust domain replaced.
            let named = pattern.split_once('/').filter(|_| pattern.split('/').count() == 5);
            let stands_for_own = |domain: &str| {
                let fits = |known: &String| match domain.strip_prefix('*') {
                    Some(suffix) => known.ends_with(suffix),
                    None => known == domain,
                };
                domain == TRUST_DOMAIN || fits(own) || aliases.iter().any(fits)
            };
            match named {
                Some((domain, names)) if stands_for_own(domain) && matches(names, &rest) => {
                    if ztunnel {
                        Match::Unknown
                    } else {
                        Match::Yes
                    }
                }
                _ => Match::No,
            }
        }
    }
}

/// The same where the trust domain of the mesh is not known: another one than the usual may be that of the mesh or of another
/// one.
fn in_some_domain(pattern: &str, namespace: &str, account: &str) -> Match {
    if matches(pattern, &format!("{TRUST_DOMAIN}/ns/{namespace}/sa/{account}")) {
        return Match::Yes;
    }
    let Some(start) = pattern.find("/ns/") else {
        // The beginning of a trust domain, or something that no identity of any domain ends in.
        return if pattern.ends_with('*') { Match::Unknown } else { Match::No };
    };
    let (domain, rest) = pattern.split_at(start);
    if domain == TRUST_DOMAIN || domain == "*" {
        return Match::No;
    }
    match matches(rest, &format!("/ns/{namespace}/sa/{account}")) {
        true => Match::Unknown,
        false => Match::No,
    }
}

/// Whether a pattern fits every principal or every namespace of a mesh.
pub(super) fn is_everybody(pattern: &str) -> bool {
    ["*", "cluster.local/*", "cluster.local/ns/*", "*/ns/*"].contains(&pattern)
}

#[cfg(test)]
mod tests {
    use super::{TrustDomain, matches, principal};
    use crate::Match;

    /// "Exact match: "abc" will match on value "abc". Prefix match: "abc*" will match on value "abc" and "abcd". Suffix
    /// match: "*abc" will match on value "abc" and "xabc". Presence match: "*" will match when value is not empty."
    #[test]
    fn stars_stand_at_one_end() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc*", "abc", true),
            ("abc*", "abcd", true),
            ("*abc", "abc", true),
            ("*abc", "xabc", true),
            ("*abc", "abcx", false),
            ("*", "x", true),
            ("*", "", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn trust_domains_that_are_not_known_leave_it_open() {
        for (pattern, expected) in [
            ("cluster.local/ns/shop/sa/web", Match::Yes),
            ("cluster.local/ns/shop/*", Match::Yes),
            ("*/ns/shop/sa/web", Match::Yes),
            ("*/sa/web", Match::Yes),
            ("*", Match::Yes),
            ("corp/ns/shop/sa/web", Match::Unknown),
            ("corp/*", Match::Unknown),
            ("corp/ns/shop/sa/db", Match::No),
            ("cluster.local/ns/shop/sa/db", Match::No),
            ("*/ns/cart/sa/web", Match::No),
            ("*/sa/db", Match::No),
            ("web", Match::No),
        ] {
            assert_eq!(principal(pattern, &TrustDomain::Unknown, false, "shop", "web"), expected, "{pattern}");
        }
    }

    /// "Only generate configuration if the extracted trust domain from the policy is part of the trust domain list, or if the
    /// extracted/existing trust domain is cluster.local, which is a pointer to the local trust domain and its aliases."
    #[test]
    fn trust_domains_that_are_known_decide() {
        let corp = TrustDomain::known("corp", ["old".to_owned()].iter());
        for (pattern, at_proxies, at_ztunnels) in [
            ("corp/ns/shop/sa/web", Match::Yes, Match::Yes),
            ("corp/ns/shop/*", Match::Yes, Match::Yes),
            ("corp/*", Match::Yes, Match::Yes),
            ("*/ns/shop/sa/web", Match::Yes, Match::Yes),
            ("*", Match::Yes, Match::Yes),
            ("old/ns/shop/sa/web", Match::Yes, Match::Unknown),
            ("*ld/ns/shop/sa/web", Match::Yes, Match::Unknown),
            ("cluster.local/ns/shop/sa/web", Match::Yes, Match::Unknown),
            ("cluster.local/ns/shop/*", Match::No, Match::No),
            ("old/ns/shop/sa/db", Match::No, Match::No),
            ("other/ns/shop/sa/web", Match::No, Match::No),
            ("other/*", Match::No, Match::No),
        ] {
            assert_eq!(principal(pattern, &corp, false, "shop", "web"), at_proxies, "{pattern}");
            assert_eq!(principal(pattern, &corp, true, "shop", "web"), at_ztunnels, "{pattern}");
        }
    }
}
