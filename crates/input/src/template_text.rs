//! Tells templates of Helm from YAML, without parsing either.
//!
//! `{{ … }}` is ordinary text in quotes, in block scalars and within words: Argo workflows and Prometheus alerts are
//! full of it. Only where YAML would begin to read a value does it mean that a template engine has yet to run, since
//! a flow mapping whose first key is a flow mapping occurs in no manifest.

/// Whether `text` is a template, not YAML.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") && Scanner::default().scan(text)
}

/// What goes on from one line to the next.
#[derive(Default)]
struct Scanner {
    /// The quote that is open.
    quote: Option<char>,
    /// Open brackets.
    flow: usize,
    /// How far lines are indented at least that go on with the open block scalar, or with words without quotes.
    text: Option<usize>,
}

impl Scanner {
    fn scan(&mut self, text: &str) -> bool {
        text.split(['\n', '\r']).any(|line| self.line(line))
    }

    /// Whether there is a template in `line`.
    fn line(&mut self, line: &str) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.starts_with("---") || line.starts_with("...") {
            *self = Self::default();
        }
        if let Some(least) = self.text {
            if indent >= least || line.trim().is_empty() {
                return false;
            }
            self.text = None;
        }
        let content = line.get(indent..).unwrap_or("");
        if self.quote.is_none() && self.flow == 0 {
            if content.starts_with("{{") {
                return true;
            }
            if let Some(least) = block_start(line) {
                self.text = Some(least);
                return false;
            }
        }
        self.tokens(line, indent)
    }

    fn tokens(&mut self, line: &str, indent: usize) -> bool {
        // Whether a value may begin here.
        let mut fresh = true;
        // Whether the value is words, and whether there was a key before it.
        let (mut words, mut keyed) = (false, false);
        let mut before = ' ';
        let mut rest = line.get(indent..).unwrap_or("").chars();
        while let Some(c) = rest.next() {
            let next = rest.clone().next();
            let blank_next = next.is_none_or(|next| next == ' ' || next == '\t');
            if let Some(quote) = self.quote {
                if c == '\\' && quote == '"' {
                    rest.next();
                } else if c == quote {
                    if quote == '\'' && next == Some('\'') {
                        rest.next();
                    } else {
                        self.quote = None;
                        fresh = false;
                    }
                }
                before = c;
                continue;
            }
            match c {
                ' ' | '\t' => {}
                '#' if before == ' ' || before == '\t' => return false,
                '"' | '\'' if fresh => self.quote = Some(c),
                '{' if fresh && next == Some('{') => return true,
                '{' | '[' if fresh => self.flow += 1,
                '}' | ']' if self.flow > 0 => {
                    self.flow -= 1;
                    fresh = false;
                }
                ',' if self.flow > 0 => fresh = true,
                ':' if blank_next || (self.flow > 0 && matches!(before, '"' | '\'')) => {
                    (fresh, words, keyed) = (true, false, true);
                }
                '-' | '?' if fresh && blank_next => {}
                // Anchors and tags stand before the value.
                '&' | '!' if fresh => {
                    while rest.clone().next().is_some_and(|next| next != ' ' && next != '\t') {
                        rest.next();
                    }
                }
                _ => {
                    words |= fresh;
                    fresh = false;
                }
            }
            before = c;
        }
        if words && self.flow == 0 && self.quote.is_none() {
            self.text = Some(least_indent(line, keyed));
        }
        false
    }
}

/// If `line` ends in the head of a block scalar: how far its lines are indented at least.
fn block_start(line: &str) -> Option<usize> {
    let mut head = line.trim_end();
    if let Some(comment) = head.find(" #") {
        head = head.get(..comment)?.trim_end();
    }
    let rest = head.trim_end_matches(|c: char| c == '+' || c == '-' || c.is_ascii_digit());
    if rest.len() + 2 < head.len() {
        return None;
    }
    let rest = rest.strip_suffix(['|', '>'])?;
    let lead = rest.trim_end();
    let introduced =
        lead.is_empty() || (lead.len() < rest.len() && (lead.ends_with([':', '-', '?']) || is_property(lead)));
    if !introduced || quote_before(lead) {
        return None;
    }
    if lead.starts_with("---") {
        return Some(0);
    }
    Some(least_indent(line, lead.ends_with(':') || lead.contains(": ")))
}

/// How far the lines are indented at least that go on with the value which begins in `line`: more than its key, which
/// may stand behind the dashes of lists, or else more than the last dash.
fn least_indent(line: &str, keyed: bool) -> usize {
    let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let mut at = spaces(line);
    let mut dash = at;
    while let Some(more) = line.get(at..).and_then(|rest| rest.strip_prefix("- ")) {
        dash = at;
        at += 2 + spaces(more);
    }
    1 + if keyed { at } else { dash }
}

/// Whether the last word is an anchor or a tag.
fn is_property(lead: &str) -> bool {
    lead.rsplit([' ', '\t']).next().is_some_and(|word| word.starts_with(['&', '!']))
}

/// Whether the value before the bar is in quotes, which then go on: `a: "b |`.
fn quote_before(lead: &str) -> bool {
    [": \"", ": '", "- \"", "- '"].iter().any(|start| {
        lead.rfind(start).is_some_and(|at| {
            let quote = start.chars().next_back().unwrap_or('"');
            lead.get(at + start.len()..).is_some_and(|inside| !inside.contains(quote))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::is_template;

    #[test]
    fn templates() {
        for text in [
            "{{- if .Values.a }}\na: 1\n{{- end }}\n",
            "a:\n  {{ include \"x\" . }}\n",
            "a: {{ .Values.a }}\n",
            "a: {{- .Values.a }}\n",
            "- {{ .Values.a }}\n",
            "- a: [{{ .Values.a }}]\n",
            "a: [b, {{ .Values.a }}]\n",
            "a: {b: {{ .Values.a }}}\n",
            "a: |\n  text {{ x }}\nb: {{ c }}\n",
            "a: \"x\"\nb: {{ c }}\n",
            "a: it's\nb: {{ c }}\n",
            "a: &x {{ c }}\n",
            "a: 'it''s'\nb: {{ c }}\n",
            "a: \"\\\"\"\nb: {{ c }}\n",
            "# it's\n{{ c }}\n",
            "a: 1\r\nb: {{ c }}\r\n",
            "- a: |\n    {{ x }}\n  b: {{ c }}\n",
            "a:\n  name: b\n  {{- if x }}\n",
            "- a: b\n  {{ x }}\n",
            "- - |\n    x\n  - {{ y }}\n",
            "a: b # c\n{{ y }}\n",
        ] {
            assert!(is_template(text), "{text:?}");
        }
    }

    #[test]
    fn ordinary_yaml() {
        for text in [
            "a: 1\n",
            "a: \"{{ x }}\"\n",
            "a: '{{ x }}'\n",
            "a: say {{ x }}\n",
            "args: [echo, \"{{inputs.parameters.message}}\"]\n",
            "a: |\n  {{- if x }}\n  y\n  {{- end }}\n",
            "a: |-\n\n  {{ x }}\n\n    {{ y }}\nb: 1\n",
            "a: >2-\n  {{ x }}\n",
            "a: &x |\n  {{ x }}\n",
            "- |\n  {{ x }}\n",
            "- - |\n    {{ x }}\n",
            "- a: | # why\n    {{ x }}\n  b: 1\n",
            "a: \"x\n  {{ y }}\n  z\"\n",
            "a: 1 # {{ x }}\n",
            "# {{ x }}\na: 1\n",
            "a: {b: {c: d}}\n",
            "a: { {} : b}\n",
            "{\"a\":{\"b\":\"{{x}}\"}}\n",
            "--- |\n{{ x }}\n",
            "a: x{{ y }}\n",
            "a: high load on\n  {{ x }} and\n\n  {{ y }}\n",
            "- a: high load on\n    {{ x }}\n",
            "- high load on\n  {{ x }}\n",
        ] {
            assert!(!is_template(text), "{text:?}");
        }
    }
}
