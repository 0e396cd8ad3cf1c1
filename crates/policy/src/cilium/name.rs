//! Names of hosts in `toFQDNs`.

/// `FQDNSelector`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// In small letters, without a dot at its end. In a pattern `*` stands for any characters but dots.
    text: String,
    is_pattern: bool,
}

impl Name {
    /// `matchName`.
    pub fn exact(text: &str) -> Self {
        Self { text: plain(text), is_pattern: false }
    }

    /// `matchPattern`.
    pub fn pattern(text: &str) -> Self {
        Self { text: plain(text), is_pattern: true }
    }

    /// The name, if it is one and no pattern.
    pub fn host(&self) -> Option<&str> {
        (!self.is_pattern).then_some(&self.text)
    }

    /// Whether all names fit.
    pub fn is_everything(&self) -> bool {
        self.is_pattern && self.text == "*"
    }

    /// Whether a host has such a name.
    pub fn fits(&self, host: &str) -> bool {
        let host = plain(host);
        if !self.is_pattern {
            return self.text == host;
        }
        if self.is_everything() {
            return true;
        }
        match self.text.strip_prefix("**.") {
            // Any number of names in front, but one at least.
            Some(end) => host.match_indices('.').any(|(at, _)| {
                let behind = host.get(at + 1..).unwrap_or_default();
                at > 0 && same_labels(end, behind)
            }),
            None => same_labels(&self.text, &host),
        }
    }
}

fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

fn same_labels(pattern: &str, host: &str) -> bool {
    pattern.split('.').count() == host.split('.').count()
        && pattern.split('.').zip(host.split('.')).all(|(pattern, label)| label_fits(pattern, label))
}

/// Whether the parts between the stars are in a label, in their order, the first and the last at its ends.
fn label_fits(pattern: &str, label: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == label };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(label) = label.strip_prefix(first) else { return false };
    let Some(mut label) = label.strip_suffix(last) else { return false };
    middle.split('*').all(|part| match label.split_once(part) {
        Some((_, behind)) => {
            label = behind;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::Name;

    /// The examples of the documentation of `toFQDNs.matchPattern`, and some more.
    #[test]
    fn patterns_fit_as_documented() {
        let table = [
            ("*.cilium.io", "sub.cilium.io", true),
            ("*.cilium.io", "cilium.io", false),
            ("*.cilium.io", "sub.sub.cilium.io", false),
            ("part*ial.com", "partial.com", true),
            ("part*ial.com", "part-extra-ial.com", true),
            ("part*ial.com", "part.ial.com", false),
            ("**.cilium.io", "app.cilium.io", true),
            ("**.cilium.io", "test.app.cilium.io", true),
            ("**.cilium.io", "cilium.io", false),
            ("*", "any.name.at.all", true),
            ("A*b*C.io.", "axxbyyc.io", true),
            ("a*b*c.io", "axxc.io", false),
            ("aa*aa.io", "aaa.io", false),
        ];
        for (pattern, host, expected) in table {
            assert_eq!(Name::pattern(pattern).fits(host), expected, "{pattern} {host}");
        }
        assert!(Name::exact("API.example.com").fits("api.example.com."));
        assert!(!Name::exact("*.example.com").fits("api.example.com"), "a name has no stars");
    }
}
