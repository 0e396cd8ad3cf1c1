//! Addresses in commands and arguments, also of init containers that wait for what the workload needs.

use std::borrow::Cow;

use kubestride_model::Confidence;
use kubestride_yaml::Value;

use super::environment::{value_of, variables};
use super::{Each, Signal};
use crate::address;
use crate::claims::{Claims, Note};
use crate::expand::{Syntax, expand};
use crate::traffic::{self, Finding};
use crate::world::World;

pub(crate) struct Arguments;

impl Signal for Arguments {
    fn name(&self) -> &'static str {
        "arguments"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            for container in &workload.containers {
                let words: Vec<Value<'_>> = container.command().chain(container.args()).collect();
                let refers = words.iter().any(|w| w.as_str().is_some_and(|t| t.contains('$')));
                let variables = if refers { variables(world, index, container) } else { Vec::new() };
                let value_of = |name: &str| value_of(&variables, name);
                claim_words(world, index, container.name(), &words, Confidence::Certain, &value_of, claims);
            }
        }))
    }
}

/// Claims what the command and the arguments of a container lead to, at most as sure as `most`. `value_of` gives the
/// values of variables.
pub(super) fn claim_words(
    world: &World<'_>,
    index: usize,
    container: &str,
    words: &[Value<'_>],
    most: Confidence,
    value_of: &dyn Fn(&str) -> Option<String>,
    claims: &mut Claims,
) {
    // A program that makes certificates is given the names that are in them.
    let certifies = words.iter().any(|w| w.as_str().is_some_and(|t| t.starts_with("--secret-name")));
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| words.get(i)).and_then(|w| w.as_str());
        let of_certificate = |w: &str| w.trim_start_matches('-').split('=').next() == Some("host");
        if certifies && (word.as_str().is_some_and(of_certificate) || before.is_some_and(of_certificate)) {
            continue;
        }
        let word = Word { value: *word, before: before.unwrap_or(""), most, value_of };
        claim_word(world, index, container, &word, claims);
    }
}

/// The name of the flag of an argument: `redis` of `--redis=cache:6379`, or of `--redis` before `cache:6379`.
fn flag<'t>(text: &'t str, before: &'t str) -> &'t str {
    let name = |word: &'t str| word.strip_prefix('-').map(|w| w.trim_start_matches('-'));
    match text.split_once('=') {
        Some((flag, _)) => name(flag).unwrap_or(flag),
        None => name(before).filter(|n| !n.contains('=')).unwrap_or(""),
    }
}

/// An argument, the one before it, and what the variables in it stand for.
struct Word<'w> {
    value: Value<'w>,
    before: &'w str,
    /// How sure a flow can be.
    most: Confidence,
    value_of: &'w dyn Fn(&str) -> Option<String>,
}

fn claim_word(world: &World<'_>, index: usize, container: &str, word: &Word<'_>, claims: &mut Claims) {
    let Some(written) = word.value.as_str() else { return };
    // A script has no flags; its lines are looked at as they are.
    let script = written.contains('\n') || written.contains(' ');
    let text = expand(written, Syntax::Kubernetes, word.value_of);
    let text = if script { Cow::Owned(expand(&text, Syntax::Shell, word.value_of).into_owned()) } else { text };
    let as_written = *text == *written;
    let text = &*text;
    let key = flag(text, word.before);
    let key = if script { "" } else { key };
    let mut addresses = address::find(text);
    if addresses.is_empty() {
        let value_start = if script { 0 } else { text.find('=').map_or(0, |i| i + 1) };
        let value = text.get(value_start..).unwrap_or("");
        let is_value = !script && !value.starts_with('-') && traffic::is_address_key(key);
        if let Some(mut address) = address::bare(value).filter(|_| is_value) {
            address.range = value_start + address.range.start..value_start + address.range.end;
            addresses.push(address);
        }
    }
    let direct = addresses.len();
    if script {
        addresses.extend(of_options(text));
    }
    for (at, address) in addresses.into_iter().enumerate() {
        // What a command is told to be a host is one.
        let key = if at < direct { key } else { "host" };
        let place = word.value.subspan(address.range.clone()).filter(|_| as_written);
        let note = Note::stated(place.unwrap_or(word.value.span()), format!("an argument of container {container}"));
        let inside = if script { Confidence::Likely } else { Confidence::Certain }.min(word.most);
        let finding = Finding { key, port: None, inside, outside: Confidence::Likely.min(word.most), place, note };
        traffic::claim(world, index, &address, &finding, claims);
    }
}

/// Most words behind a command that are looked at.
const MAX_BEHIND: usize = 200;

/// Commands that take a host as their first argument.
const LOOKUPS: [&str; 5] = ["nslookup", "dig", "ping", "host", "getent"];

/// Hosts behind the options that clients of databases and `nc` have, and those that scripts wait for: `-h db -p 5432`,
/// `nc -z db 5432`, `until nslookup db`.
fn of_options(script: &str) -> Vec<address::Address> {
    let mut out = Vec::new();
    for line in script.lines() {
        let words: Vec<&str> =
            line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '"' | '\'' | '(' | ')')).collect();
        let port = words.iter().skip_while(|w| **w != "-p" && **w != "--port").nth(1).copied();
        for (at, word) in words.iter().enumerate() {
            let behind = || words.iter().skip(at + 1).take(MAX_BEHIND).copied();
            let next = |n: usize| words.get(at + n).copied().unwrap_or("");
            let (host, port) = match *word {
                "-h" | "--host" => (next(1), port),
                "nc" | "ncat" | "netcat" => {
                    // Behind options, some of which take a number.
                    let plain: Vec<&str> = behind().filter(|w| !w.starts_with('-') && !w.is_empty()).collect();
                    let is_number = |word: &str| word.parse::<u16>().is_ok();
                    let pair = plain.windows(2).find_map(|pair| match pair {
                        [host, port] if !is_number(host) && is_number(port) => Some((*host, Some(*port))),
                        _ => None,
                    });
                    pair.unwrap_or(("", None))
                }
                lookup if LOOKUPS.contains(&lookup) => {
                    let skipped = |w: &&str| w.starts_with('-') || w.is_empty() || matches!(*w, "hosts" | "ahosts");
                    (behind().find(|w| !skipped(w)).unwrap_or(""), None)
                }
                _ => continue,
            };
            // `db.$(cat …/namespace).svc.cluster.local` is a Service of the pod's own namespace.
            let host = host.split('$').next().unwrap_or(host).trim_end_matches('.');
            if let Some(mut address) = address::bare(host) {
                let start = host.as_ptr() as usize - script.as_ptr() as usize;
                address.range = start..start + host.len();
                address.port = port.and_then(|p| p.parse::<u16>().ok());
                out.push(address);
            }
        }
    }
    out
}
