//! Credentials in files of settings that stand in ConfigMaps, line by line.
//!
//! Only names that say it plainly count, and only in files of settings: what programs and texts for people do with such
//! words is not known.

use std::ops::Range;

use crate::credentials;

/// Ends of the names of settings that are secret. `secret` and `token` alone are often names of something.
const WORDS: [&str; 13] = [
    "ACCESS_TOKEN",
    "API_KEY",
    "API_TOKEN",
    "APIKEY",
    "AUTH_TOKEN",
    "CLIENT_SECRET",
    "MASTERAUTH",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATE_KEY",
    "REQUIREPASS",
    "SECRET_KEY",
];
/// Ends of the names of files of settings.
const FILES: [&str; 12] =
    ["cfg", "cnf", "conf", "config", "env", "ini", "json", "key", "pem", "properties", "toml", "yaml"];
/// Files that hold what users see.
const TEXTS: [&str; 4] = ["messages", "i18n", "labels", "translations"];

/// Where the first credential of a file stands; none if it holds none.
pub(crate) fn find(name: &str, text: &str) -> Option<Range<usize>> {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let of_settings = ending.is_none_or(|ending| ending == "yml" || FILES.contains(&ending));
    if !of_settings || TEXTS.iter().any(|start| name.starts_with(start)) || text.starts_with("#!") {
        return None;
    }
    let mut at = 0;
    text.split_inclusive('\n').find_map(|line| {
        let start = at;
        at += line.len();
        holds(line.trim()).then(|| start..start + line.trim_end().len())
    })
}

fn holds(line: &str) -> bool {
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return false;
    }
    let is_key = line.starts_with("-----BEGIN") && line.ends_with("PRIVATE KEY-----");
    if is_key || credentials::in_url(line) {
        return true;
    }
    // A connection string stands in one value.
    let parts = line.split(';').skip(1).filter_map(|part| part.split_once('='));
    let mut of_string = parts.filter(|_| line.matches(';').count() > 1);
    of_string.any(|(key, value)| is(key.trim(), value)) || pair(line).is_some_and(|(key, value)| is(key, value))
}

/// The name and the value of a line: `key: value`, `key = value`, `key value`, `"key": "value",`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches("- ").trim_start_matches(['"', '\'']);
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let (key, rest) = line.split_at(end);
    Some((key, rest.trim_start_matches(['"', '\'', ' ', '\t']).trim_start_matches([':', '='])))
}

fn is(key: &str, value: &str) -> bool {
    let key = credentials::words_of(key);
    let value = value.trim().trim_end_matches([',', ';']).trim_matches(['"', '\'']);
    WORDS.iter().any(|word| credentials::ends_with(&key, word))
        && credentials::can_be_secret(value)
        && !is_for_people(value)
}

/// Whether a value is a text, an expression, or a name of where the credential is found.
fn is_for_people(value: &str) -> bool {
    let mut letters = value.chars();
    let is_word = letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase);
    let is_expression = value.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}'));
    let is_name = value.rsplit_once('.').is_some_and(|(_, last)| credentials::may_be_secret(last));
    is_word || is_expression || is_name || credentials::is_placeholder(value)
}
