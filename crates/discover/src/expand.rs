//! Variables inside other texts: `$(NAME)` as Kubernetes replaces it in variables and arguments, `${NAME}` as programs
//! and shells do in files and scripts.

use std::borrow::Cow;

/// Who replaces the variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `$(NAME)`; `$$(NAME)` stays as it is. <https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>
    Kubernetes,
    /// `${NAME}`, `${NAME:-default}`, `${NAME:default}`, `$NAME`, and `${env:NAME}` of the OpenTelemetry Collector.
    Shell,
}

/// Longer results are not read: a variable may hold a whole file.
const MAX: usize = 64 * 1024;

/// The text with its variables replaced; what `value_of` does not know stays. Borrowed if nothing was replaced.
pub(crate) fn expand<'t>(text: &'t str, syntax: Syntax, value_of: &dyn Fn(&str) -> Option<String>) -> Cow<'t, str> {
    let mut out = String::new();
    let (mut rest, mut replaced) = (text, false);
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (value, taken) = match reference(from, syntax) {
            Some((name, default, taken)) => (value_of(name).or_else(|| default.map(str::to_owned)), taken),
            None => (None, escape(from)),
        };
        let (token, after) = from.split_at(taken);
        replaced |= value.is_some();
        out.push_str(value.as_deref().unwrap_or(token));
        rest = after;
        if out.len() > MAX {
            return Cow::Borrowed(text);
        }
    }
    out.push_str(rest);
    if replaced && out.len() <= MAX { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

/// How much of a text that begins with `$` but not with a variable is taken as it stands.
fn escape(text: &str) -> usize {
    if text.starts_with("$$") { 2 } else { 1 }
}

/// Name, default and length of the variable that a text begins with.
fn reference(text: &str, syntax: Syntax) -> Option<(&str, Option<&str>, usize)> {
    let inner = text.strip_prefix('$')?;
    if syntax == Syntax::Kubernetes {
        let (name, _) = inner.strip_prefix('(')?.split_once(')')?;
        return is_name(name).then_some((name, None, name.len() + 3));
    }
    if let Some(braced) = inner.strip_prefix('{') {
        let (whole, _) = braced.split_once('}')?;
        let named = whole.strip_prefix("env:").unwrap_or(whole);
        let (name, default) = named.split_once(':').map_or((named, None), |(name, d)| (name, Some(d)));
        let default = default.map(|d| d.strip_prefix(['-', '=']).unwrap_or(d));
        return is_name(name).then_some((name, default, whole.len() + 3));
    }
    let length = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let name = inner.get(..length)?;
    is_name(name).then_some((name, None, length + 1))
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_their_reader_does_it() {
        let known = |name: &str| (name == "HOST").then(|| "cart".to_owned());
        let table = [
            (Syntax::Kubernetes, "http://$(HOST):80/$(OTHER)", "http://cart:80/$(OTHER)"),
            (Syntax::Kubernetes, "$$(HOST) $HOST ${HOST} $(", "$$(HOST) $HOST ${HOST} $("),
            (Syntax::Shell, "${HOST}:80 ${env:HOST}:81 $HOST:82", "cart:80 cart:81 cart:82"),
            (Syntax::Shell, "${A:-x}:1 ${B:y}:2 ${C}:3 $(HOST)", "x:1 y:2 ${C}:3 $(HOST)"),
            (Syntax::Shell, "$1 $ ${} é$HOSTé", "$1 $ ${} écarté"),
        ];
        for (syntax, text, expected) in table {
            assert_eq!(expand(text, syntax, &known), expected, "{text}");
        }
    }

    #[test]
    fn results_stay_short() {
        let long = |_: &str| Some("x".repeat(MAX));
        assert_eq!(expand("$(A)$(A)", Syntax::Kubernetes, &long), "$(A)$(A)");
    }
}
