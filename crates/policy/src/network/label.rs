//! What is known of a label that a selector asks for.

use kubestride_manifest::RequirementTest;

use crate::Match;

/// What is known of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'l> {
    /// It has this value.
    Is(&'l str),
    /// It is not there.
    Missing,
    /// It is there, with a value that is not known.
    Present,
    /// Whether it is there is not known.
    Unknown,
}

impl Label<'_> {
    /// Whether it fulfils what a requirement asks.
    pub fn meets(self, test: &RequirementTest) -> Match {
        match (self, test) {
            (Self::Is(value), test) => Match::known(test.holds(Some(value))),
            (Self::Missing, test) => Match::known(test.holds(None)),
            (Self::Present, RequirementTest::Exists) => Match::Yes,
            (Self::Present, RequirementTest::DoesNotExist) => Match::No,
            (Self::Present | Self::Unknown, _) => Match::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_label_decides_as_far_as_it_goes() {
        use Match::{No, Unknown, Yes};
        let tests = [
            RequirementTest::In(vec!["a".to_owned()]),
            RequirementTest::NotIn(vec!["a".to_owned()]),
            RequirementTest::Exists,
            RequirementTest::DoesNotExist,
            RequirementTest::Unknown,
        ];
        for (label, expected) in [
            (Label::Is("a"), [Yes, No, Yes, No, Unknown]),
            (Label::Is("b"), [No, Yes, Yes, No, Unknown]),
            (Label::Missing, [No, Yes, No, Yes, Unknown]),
            (Label::Present, [Unknown, Unknown, Yes, No, Unknown]),
            (Label::Unknown, [Unknown; 5]),
        ] {
            assert_eq!(tests.each_ref().map(|test| label.meets(test)), expected, "{label:?}");
        }
    }
}
