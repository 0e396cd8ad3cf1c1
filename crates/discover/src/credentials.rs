//! Whether a value in plain text is a credential.
//!
//! A false alarm costs more than a missed one: names of files, references, switches and lengths are not credentials,
//! nor is a variable that is empty or refers to another one.

use crate::address;

/// Words that, as the end of a variable's name, say that its value is secret.
const SECRET_WORDS: [&str; 15] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "CREDENTIALS",
    "PWD",
    "PASS",
    // As Redis calls them.
    "REQUIREPASS",
    "MASTERAUTH",
];

/// Values that are settings rather than secrets.
const SETTINGS: [&str; 12] =
    ["true", "false", "yes", "no", "on", "off", "none", "null", "disabled", "enabled", "required", "optional"];

/// Directives of nginx, which hand requests on.
const PASSED_ON: [&str; 5] = ["PROXY_PASS", "GRPC_PASS", "FASTCGI_PASS", "UWSGI_PASS", "SCGI_PASS"];

fn upper(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '-' | '.') { '_' } else { c.to_ascii_uppercase() }).collect()
}

/// Whether a variable's name says that its value is secret.
fn is_secret_name(name: &str) -> bool {
    let name = upper(name);
    // `PWD` alone is the working directory.
    name != "PWD" && !PASSED_ON.contains(&name.as_str()) && SECRET_WORDS.iter().any(|word| ends_with(&name, word))
}

/// Whether the last words of a name, with `_` between them, are these.
pub(crate) fn ends_with(name: &str, words: &str) -> bool {
    name.strip_suffix(words).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// Whether a name says that its value may be secret, so that it is not looked at for addresses. This errs on the side of
/// secrets: `clientSecret` may be the name of one.
pub(crate) fn may_be_secret(name: &str) -> bool {
    is_secret_name(&words_of(name))
}

/// The words of a name in upper case, with `_` between them.
pub(crate) fn words_of(name: &str) -> String {
    let mut words = String::new();
    let mut last_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && last_lower {
            words.push('_');
        }
        last_lower = c.is_ascii_lowercase();
        words.push(c);
    }
    upper(&words)
}

/// Whether a value can be a secret at all.
pub(crate) fn can_be_secret(value: &str) -> bool {
    let value = value.trim();
    let reference =
        value.starts_with("$(") || value.starts_with("${") || value.starts_with('$') || value.starts_with("{{");
    let path = value.starts_with('/') || value.starts_with("./") || value.starts_with("file:");
    let number = value.len() < 6 && value.parse::<f64>().is_ok();
    let name = value.starts_with("http://") || value.starts_with("https://");
    !value.is_empty()
        && !reference
        && !path
        && !number
        && !name
        && !value.starts_with('<')
        && !SETTINGS.contains(&value.to_ascii_lowercase().as_str())
}

/// Values that somebody has still to fill in, or that a tool encrypts or replaces.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let marks = [
        "change-me",
        "changeme",
        "change_me",
        "replace",
        "placeholder",
        "example",
        "todo",
        "your-",
        "your_",
        "xxx",
        "dummy",
    ];
    text.is_empty()
        || text.starts_with("ENC[")
        || (text.starts_with('<') && text.ends_with('>'))
        || text.starts_with("${")
        || text.starts_with("$(")
        || text.starts_with("{{")
        || text.contains("<path:")
        || marks.iter().any(|m| lower.contains(m))
}

/// Whether a parameter of a URL is a password: `?user=a&password=…`, `;password=…`.
pub(crate) fn in_parameters(url: &str) -> bool {
    url.split(['?', '&', ';']).skip(1).filter_map(|pair| pair.split_once('=')).any(|(key, value)| {
        let is_password = ["password", "pwd", "passwd"].iter().any(|name| key.eq_ignore_ascii_case(name));
        is_password && can_be_secret(value.trim_end_matches(['"', '\'', ',']))
    })
}

/// Whether a URL in a value carries a password.
pub(crate) fn in_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    if in_parameters(rest) && !address::find(value).is_empty() {
        return true;
    }
    let Some((user, _)) = rest.split_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| can_be_secret(password))
        && address::find(value).iter().any(|a| a.credential)
}

/// Whether an environment variable holds a credential.
pub(crate) fn in_variable(name: &str, value: &str) -> bool {
    (is_secret_name(name) && can_be_secret(value)) || in_url(value) || is_private_key(value)
}

fn is_private_key(value: &str) -> bool {
    value.contains("-----BEGIN") && value.contains("PRIVATE KEY-----")
}

/// The position of the first argument that holds a credential: `--password=x`, or `x` after `--password`.
pub(crate) fn in_arguments(arguments: &[&str]) -> Option<usize> {
    for (index, argument) in arguments.iter().enumerate() {
        let flag = |text: &str| text.starts_with('-').then(|| text.trim_start_matches('-').to_owned());
        if let Some((name, value)) = argument.split_once('=')
            && flag(name).is_some_and(|n| is_secret_name(&n))
            && can_be_secret(value)
        {
            return Some(index);
        }
        let before = index.checked_sub(1).and_then(|i| arguments.get(i)).filter(|b| !b.contains('='));
        let named = before.and_then(|b| flag(b)).is_some_and(|n| is_secret_name(&n));
        if (named && !argument.starts_with('-') && can_be_secret(argument)) || in_url(argument) {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_hold_credentials_only_if_name_and_value_say_so() {
        let table = [
            ("DB_PASSWORD", "tr0ub4dor", true),
            ("POSTGRES_PASSWORD", "accounts-pwd", true),
            ("API_KEY", "sk-0123456789", true),
            ("DATABASE_URL", "postgres://shop:tr0ub4dor@db/shop", true),
            ("DB_PASSWORD", "$(FROM_SECRET)", false),
            ("DB_PASSWORD_FILE", "/run/secrets/db", false),
            ("DB_PASSWORD", "/run/secrets/db", false),
            ("PASSWORD", "", false),
            ("ALLOW_EMPTY_PASSWORD", "yes", false),
            ("TOKEN_TTL", "3600", false),
            ("TOKEN", "3600", false),
            ("PWD", "/app/data", false),
            ("DATABASE_URL", "postgres://db/shop", false),
            ("BYPASS", "tr0ub4dor", false),
            ("TOKEN", "https://issuer.example/token", false),
        ];
        for (name, value, expected) in table {
            assert_eq!(in_variable(name, value), expected, "{name}={value}");
        }
    }

    #[test]
    fn arguments_hold_credentials_behind_secret_flags() {
        assert_eq!(in_arguments(&["run", "--password=tr0ub4dor"]), Some(1));
        assert_eq!(in_arguments(&["run", "--password", "tr0ub4dor"]), Some(2));
        assert_eq!(in_arguments(&["run", "--password", "$(DB_PASSWORD)"]), None);
        assert_eq!(in_arguments(&["run", "--password-file=/x"]), None);
        assert_eq!(in_arguments(&["redis-server", "--requirepass", "tr0ub4dor"]), Some(2));
        assert_eq!(in_arguments(&["redis-server", "--requirepass", "$(PASSWORD)"]), None);
    }
}
