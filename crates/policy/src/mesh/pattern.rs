//! Names with a star.

use crate::Match;

/// The trust domain of a mesh whose operator chose none. Istio takes it for the mesh's own in policies as well.
const TRUST_DOMAIN: &str = "cluster.local";

/// Exact, prefix (`abc*`), suffix (`*abc`) and presence (`*`) match.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => !text.is_empty(),
        (Some(suffix), _) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => pattern == text,
    }
}

/// Whether a pattern fits the identity of a service account. Another trust domain than the usual one may be that of the
/// mesh or of another one.
pub(super) fn principal(pattern: &str, namespace: &str, account: &str) -> Match {
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
    use super::{matches, principal};
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
            assert_eq!(principal(pattern, "shop", "web"), expected, "{pattern}");
        }
    }
}
