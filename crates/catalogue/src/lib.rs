//! The built-in threat types, checked and embedded at build time.
//!
//! There is no list to edit: every file in `catalog/threats/` is a threat type. The build script has parsed and
//! type-checked each of them, so reading them again here cannot fail.

use kubestride_model::Vocabulary;
use kubestride_source::FileId;
use kubestride_template::ThreatType;

include!(concat!(env!("OUT_DIR"), "/threats.rs"));

/// All built-in threat types, sorted by id. `vocabulary` is that of the crate `stencils`.
pub fn threats(vocabulary: &Vocabulary) -> Vec<ThreatType> {
    let mut threats: Vec<ThreatType> =
        THREATS.iter().filter_map(|(_, text)| ThreatType::parse(FileId(u32::MAX), text, vocabulary).ok()).collect();
    threats.sort_by(|a, b| a.id.cmp(&b.id));
    threats
}

/// The text of every file: path below `catalog/`, content.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    THREATS.iter().copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_embedded_file_parses() {
        let vocabulary = kubestride_stencils::vocabulary();
        assert_eq!(super::threats(&vocabulary).len(), super::files().count());
    }
}
