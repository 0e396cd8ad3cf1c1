//! Variables that say whether TLS is used with the host in a variable beside them: `DB_SSLMODE` beside `DB_HOST`.

use crate::address::{self, Address};

/// Ends of names of variables with a host.
const HOSTS: [&str; 10] =
    ["HOSTNAME", "HOST_NAME", "HOST", "ADDRESS", "ADDR", "SERVER", "ENDPOINT", "URL", "URI", "DSN"];
/// Ends of the names of variables beside them.
const ENDS: [&str; 12] = [
    "SSLMODE",
    "SSL_MODE",
    "TLS_MODE",
    "SSL",
    "TLS",
    "USE_SSL",
    "USE_TLS",
    "ENABLE_SSL",
    "ENABLE_TLS",
    "SSL_ENABLED",
    "TLS_ENABLED",
    "REQUIRE_SSL",
];

/// The name of the variable that says whether TLS is used with the address in a variable, and what it says; none if
/// the address says it itself. What clients of PostgreSQL take from everywhere is in `PGSSLMODE`.
/// <https://www.postgresql.org/docs/current/libpq-envars.html>
pub(crate) fn beside<'v>(
    name: &str,
    address: &Address,
    mut variables: impl Iterator<Item = (&'v str, &'v str)>,
) -> Option<(&'v str, bool)> {
    let scheme = address.scheme.as_deref().unwrap_or("");
    if address.tls.is_some() || crate::technology::protocol_of_scheme(scheme).1.is_some() {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let stem = HOSTS.iter().find_map(|end| upper.strip_suffix(end));
    let postgres = matches!(scheme, "postgres" | "postgresql");
    variables.find_map(|(other, text)| {
        let other_upper = other.to_ascii_uppercase();
        let end = stem.filter(|stem| !stem.is_empty()).and_then(|stem| other_upper.strip_prefix(stem));
        let fits = end.is_some_and(|end| ENDS.contains(&end)) || (postgres && other == "PGSSLMODE");
        Some((other, address::switches_tls(text.trim()).filter(|_| fits)?))
    })
}
