//! What the input cannot tell.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{AttributeId, Model, SubjectRef};
use kubestride_template::filter::Read;

/// One question that is open, for all the subjects it is open for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undetermined {
    /// What is not known.
    pub attribute: AttributeId,
    /// Of whom.
    pub subjects: BTreeSet<SubjectRef>,
    /// The threat types that depend on it, as positions in the list of threat types.
    pub threat_types: BTreeSet<usize>,
}

/// Collects unknown reads by attribute. Attributes that no file and no statement could answer are left out.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    by_attribute: BTreeMap<AttributeId, Undetermined>,
}

impl Collector {
    pub(crate) fn add(&mut self, model: &Model, threat_type: usize, reads: &[Read]) {
        for (subject, attribute) in reads.iter().filter_map(|(s, a)| Some((*s, (*a)?))) {
            if model.vocabulary().attribute(attribute).is_none_or(|a| a.answered_by.is_empty()) {
                continue;
            }
            let entry = self.by_attribute.entry(attribute).or_insert_with(|| Undetermined {
                attribute,
                subjects: BTreeSet::new(),
                threat_types: BTreeSet::new(),
            });
            entry.subjects.insert(subject);
            entry.threat_types.insert(threat_type);
        }
    }

    pub(crate) fn finish(self) -> Vec<Undetermined> {
        self.by_attribute.into_values().collect()
    }
}
