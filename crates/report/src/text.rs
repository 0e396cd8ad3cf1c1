//! Texts of the input and of the catalogue on one line.

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

/// A title of the catalogue without a subject: `{container.Name} in {target.Name}` is about any `container in target`.
pub(crate) fn generic(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    let mut rest = title;
    while let Some((before, after)) = rest.split_once('{') {
        let (reference, after) = after.split_once('}').unwrap_or((after, ""));
        let mut words = reference.split('.').filter(|w| !w.eq_ignore_ascii_case("name"));
        out.push_str(before);
        out.push_str(words.next_back().unwrap_or(reference));
        rest = after;
    }
    out.push_str(rest);
    one_line(&out)
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
        assert_eq!(generic("{container.Name} in {target.Name} runs"), "container in target runs");
        assert_eq!(generic("{flow.port} of {target.namespace.Name} {"), "port of namespace ");
        assert_eq!(generic("nothing to replace"), "nothing to replace");
    }

    #[test]
    fn paragraphs_are_joined() {
        assert_eq!(flat("Set `runAsUser`\nin the  pod."), "Set runAsUser in the pod.");
    }
}
