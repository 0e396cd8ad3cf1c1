//! Addresses that kustomize would fetch from, and how they are shown.

use std::path::Path;

use crate::walk::shown;

/// Whether kustomize would fetch this.
pub(crate) fn is_remote(path: &str) -> bool {
    let path = path.trim().to_lowercase();
    let starts = ["git@", "git::", "gh:", "github.com/", "github.com:", "gitlab.com/", "bitbucket.org/"];
    path.contains("://")
        || starts.iter().any(|start| path.starts_with(start))
        || path.contains("?ref=")
        || path.contains("?version=")
        || path.contains("?timeout=")
        || path.contains("?submodules=")
        || path.contains(".git/")
        || path.ends_with(".git")
}

/// Host and path of an address, or a path, as it may be shown.
pub(crate) fn without_credentials(path: &str) -> String {
    let path = path.trim();
    let path = path.split(['?', '#']).next().unwrap_or("");
    let path = path.rsplit_once("://").map_or(path, |(_, rest)| rest);
    let path = path.rsplit_once('@').map_or(path, |(_, rest)| rest);
    let short: String = path.chars().take(100).collect();
    format!("`{}`", shown(Path::new(&short)))
}

#[cfg(test)]
mod tests {
    use super::{is_remote, without_credentials};

    #[test]
    fn remote_places() {
        for path in [
            "https://example.com/a.yaml",
            "ssh://git@example.com/a",
            "git@github.com:a/b",
            "github.com/a/b?ref=v1",
            "a/b?ref=v1",
            "git::https://example.com/a",
            "example.com/a.git//b",
        ] {
            assert!(is_remote(path), "{path}");
        }
        for path in ["a.yaml", "../base", ".gitlab/x.yaml", "./github.com.yaml"] {
            assert!(!is_remote(path), "{path}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let table = [
            ("https://user:canary@example.com/a?token=canary", "`example.com/a`"),
            ("git::https://oauth2:canary@example.com/a//b?ref=x", "`example.com/a//b`"),
            ("git@github.com:a/b", "`github.com:a/b`"),
            ("https://user:can/ary@example.com/a", "`example.com/a`"),
            ("../base", "`../base`"),
        ];
        for (path, expected) in table {
            assert_eq!(without_credentials(path), expected);
        }
    }
}
