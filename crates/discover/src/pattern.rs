//! Patterns of Prometheus' relabelling: the part of RE2 that rules use, always anchored at both ends.
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

use std::collections::BTreeSet;

/// A pattern that was understood.
#[derive(Debug)]
pub(crate) struct Pattern {
    alternatives: Vec<Vec<Piece>>,
}

#[derive(Debug)]
struct Piece {
    atom: Atom,
    least: usize,
    most: usize,
}

#[derive(Debug)]
enum Atom {
    Any,
    Char(char),
    /// Ranges of characters; whether those in them fit or all others.
    Set(Vec<(char, char)>, bool),
    Group(Pattern),
}

/// Longer patterns and deeper ones are not read, and matching gives up after so many steps.
const MAX_LENGTH: usize = 512;
const MAX_DEPTH: usize = 8;
const MAX_STEPS: usize = 50_000;

impl Pattern {
    /// Reads a pattern; none if it has something that is not read here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0 };
        let pattern = parser.alternatives(0)?;
        (parser.at == chars.len()).then_some(pattern)
    }

    /// Whether the whole text fits; none if that takes too long to find out.
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        let chars: Vec<char> = text.chars().collect();
        let mut matcher = Matcher { text: &chars, steps: 0 };
        let ends = matcher.pattern(self, 0)?;
        Some(ends.contains(&chars.len()))
    }
}

struct Parser<'c> {
    chars: &'c [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn alternatives(&mut self, depth: usize) -> Option<Pattern> {
        let mut alternatives = vec![Vec::new()];
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    alternatives.push(Vec::new());
                }
                '^' | '$' => self.at += 1,
                _ => {
                    let atom = self.atom(depth)?;
                    let (least, most) = self.times()?;
                    alternatives.last_mut()?.push(Piece { atom, least, most });
                }
            }
        }
        Some(Pattern { alternatives })
    }

    fn atom(&mut self, depth: usize) -> Option<Atom> {
        let c = self.peek()?;
        self.at += 1;
        match c {
            '.' => Some(Atom::Any),
            '(' if depth < MAX_DEPTH => {
                if self.eat('?') && !self.eat(':') {
                    return None;
                }
                let group = self.alternatives(depth + 1)?;
                self.eat(')').then_some(Atom::Group(group))
            }
            '[' => self.set(),
            '\\' => {
                let escaped = self.peek()?;
                self.at += 1;
                Self::class(escaped)
            }
            '(' | ')' | '*' | '+' | '?' | '{' | '}' | ']' => None,
            c => Some(Atom::Char(c)),
        }
    }

    fn class(escaped: char) -> Option<Atom> {
        let word = || vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
        match escaped {
            'd' => Some(Atom::Set(vec![('0', '9')], true)),
            'D' => Some(Atom::Set(vec![('0', '9')], false)),
            'w' => Some(Atom::Set(word(), true)),
            'W' => Some(Atom::Set(word(), false)),
            c if c.is_ascii_punctuation() => Some(Atom::Char(c)),
            _ => None,
        }
    }

    fn set(&mut self) -> Option<Atom> {
        let fits = !self.eat('^');
        let mut ranges = Vec::new();
        loop {
            let mut first = self.peek()?;
            self.at += 1;
            match first {
                ']' if !ranges.is_empty() => return Some(Atom::Set(ranges, fits)),
                '[' => return None,
                '\\' => {
                    match Self::class(self.peek()?)? {
                        Atom::Set(class, true) => {
                            self.at += 1;
                            ranges.extend(class);
                            continue;
                        }
                        Atom::Char(c) => first = c,
                        _ => return None,
                    }
                    self.at += 1;
                }
                _ => {}
            }
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            if is_range {
                self.at += 1;
                let last = self.peek()?;
                self.at += 1;
                ranges.push((first, last));
            } else {
                ranges.push((first, first));
            }
        }
    }

    fn times(&mut self) -> Option<(usize, usize)> {
        let times = match self.peek() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            Some('{') => return None,
            _ => return Some((1, 1)),
        };
        self.at += 1;
        // Whether it takes few or many makes no difference to whether the whole fits.
        self.eat('?');
        Some(times)
    }
}

struct Matcher<'c> {
    text: &'c [char],
    steps: usize,
}

impl Matcher<'_> {
    /// Where a match that begins at a place may end, in order.
    fn pattern(&mut self, pattern: &Pattern, start: usize) -> Option<Vec<usize>> {
        let mut ends = Vec::new();
        for pieces in &pattern.alternatives {
            let mut reached = vec![start];
            for piece in pieces {
                reached = self.piece(piece, reached)?;
            }
            ends.extend(reached);
        }
        ends.sort_unstable();
        ends.dedup();
        Some(ends)
    }

    fn piece(&mut self, piece: &Piece, starts: Vec<usize>) -> Option<Vec<usize>> {
        let mut ends = if piece.least == 0 { starts.iter().copied().collect() } else { BTreeSet::new() };
        let mut reached = starts;
        let mut times = 0;
        while times < piece.most && !reached.is_empty() {
            let mut next = Vec::new();
            for start in &reached {
                next.extend(self.atom(&piece.atom, *start)?);
            }
            next.sort_unstable();
            next.dedup();
            times += 1;
            if times >= piece.least {
                next.retain(|end| ends.insert(*end));
            }
            reached = next;
        }
        Some(ends.into_iter().collect())
    }

    fn atom(&mut self, atom: &Atom, start: usize) -> Option<Vec<usize>> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return None;
        }
        let fits = |test: &dyn Fn(char) -> bool| match self.text.get(start) {
            Some(c) if test(*c) => vec![start + 1],
            _ => Vec::new(),
        };
        Some(match atom {
            Atom::Any => fits(&|c| c != '\n'),
            Atom::Char(expected) => fits(&|c| c == *expected),
            Atom::Set(ranges, within) => {
                fits(&|c| ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) == *within)
            }
            Atom::Group(pattern) => return self.pattern(pattern, start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_fit_whole_texts() {
        let table = [
            ("true", "true", true),
            ("true", "true ", false),
            ("a|bc|", "bc", true),
            ("a|bc|", "", true),
            ("default;kubernetes;https", "default;kubernetes;https", true),
            (".*-metrics?", "http-metric", true),
            (".+", "", false),
            ("(.+?)(?::\\d+)?;(\\d+)", "10.0.0.1:80;9100", true),
            ("(.+?)(?::\\d+)?;(\\d+)", "10.0.0.1:80;", false),
            ("[a-z0-9.-]+", "a-1.b", true),
            ("[^a]b", "ab", false),
            ("^a\\.b$", "a.b", true),
            ("(a|b(c|d))*", "abcbda", true),
        ];
        for (pattern, text, expected) in table {
            let parsed = Pattern::parse(pattern).expect("a pattern that is read");
            assert_eq!(parsed.matches(text), Some(expected), "{pattern} on {text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for pattern in ["a{2}", "(?i)a", "\\bx", "(", "a)", "[", "[]", "*", &"(".repeat(300), &"a".repeat(600)] {
            assert!(Pattern::parse(pattern).is_none(), "{pattern}");
        }
        let slow = Pattern::parse("((.*)*)*x").expect("a pattern that is read");
        assert_eq!(slow.matches(&"a".repeat(2000)), None);
    }
}
