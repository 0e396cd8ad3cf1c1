//! Texts of the input and of the catalogue on one line.

use kubestride_template::ThreatType;

/// The text on one line: line ends and tabs become spaces; what a terminal, a page or a spreadsheet could take for a
/// command, and marks that turn the direction of reading, become U+FFFD.
pub(crate) fn one_line(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(visible).collect()
}

/// A paragraph that is wrapped in its file, on one line and without the marks of code.
pub(crate) fn flat(markdown: &str) -> String {
    let words = markdown.split_whitespace().map(|word| word.replace('`', ""));
    one_line(&words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The title of a type without a subject.
pub(crate) fn generic(threat_type: &ThreatType) -> String {
    let of = if threat_type.is_foreign() { without_subject } else { of_any_subject };
    of(&threat_type.title_text)
}

/// A title of another template, which may be about anything: of `Spoofing the {source.Name} Process` remains "Spoofing
/// the … Process".
fn without_subject(title: &str) -> String {
    let mut parts = title.split('{');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push('…');
        out.push_str(part.split_once('}').map_or("", |(_, after)| after));
    }
    capital(&one_line(&out))
}

/// A title of the catalogue: of `{source.Name} talks to {target.Name}` remains "A workload talks to another workload".
fn of_any_subject(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    let mut rest = title;
    let mut caller_named = false;
    while let Some((before, after)) = rest.split_once('{') {
        let (reference, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        rest = after;
        let root = reference.split('.').next().unwrap_or("");
        // What stands before it may say already what it is: `namespace {boundary.Name}`.
        let kind = ["namespace", "Namespace", "Service"].into_iter().find(|kind| out.trim_end().ends_with(kind));
        if let Some(kind) = kind {
            out.truncate(out.trim_end().len() - kind.len());
            out.push_str(&format!("a {}", if kind == "Service" { kind } else { "namespace" }));
            continue;
        }
        out.push_str(match root.to_ascii_lowercase().as_str() {
            "target" if caller_named => "another workload",
            "source" | "target" | "element" => "a workload",
            "container" if reference.contains("workload") => "a workload",
            "container" => "a container",
            "flow" => "a flow",
            "boundary" => "the cluster",
            "control" => "a control",
            "name" => "a Service",
            _ => reference,
        });
        caller_named |= root.eq_ignore_ascii_case("source");
    }
    out.push_str(rest);
    capital(&one_line(&out))
}

/// The text with a capital letter at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_terminals_are_not_kept() {
        assert_eq!(one_line("a\tb\r\nc\u{1b}[2J\u{202e}d"), "a b  c\u{fffd}[2J\u{fffd}d");
    }

    #[test]
    fn titles_lose_their_references() {
        assert_eq!(of_any_subject("{container.Name} in {target.Name} runs"), "A container in a workload runs");
        assert_eq!(of_any_subject("{source.Name} talks to {target.Name}"), "A workload talks to another workload");
        assert_eq!(
            of_any_subject("Connections into namespace {boundary.Name} pass"),
            "Connections into a namespace pass"
        );
        assert_eq!(of_any_subject("Namespace {boundary.Name} is open"), "A namespace is open");
        assert_eq!(of_any_subject("Logs of {boundary.Name} are {off"), "Logs of the cluster are off");
        assert_eq!(without_subject("Spoofing the {source.Name} Process"), "Spoofing the … Process");
        assert_eq!(of_any_subject("nothing to replace"), "Nothing to replace");
    }

    #[test]
    fn paragraphs_are_joined() {
        assert_eq!(flat("Set `runAsUser`\nin the  pod."), "Set runAsUser in the pod.");
    }
}
