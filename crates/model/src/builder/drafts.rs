//! What is set on subjects while a model is built.

use crate::{AttributeId, Evidence, SubjectRef, Value};

/// What is set on one subject while building.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// In order of the attributes.
    pub(super) values: Vec<(AttributeId, Value, Several)>,
    pub(super) evidence: Several,
}

/// Pieces of evidence: seldom more than one.
#[derive(Debug, Default)]
pub(super) struct Several {
    pub(super) first: Option<Evidence>,
    pub(super) more: Vec<Evidence>,
}

impl From<Evidence> for Several {
    fn from(first: Evidence) -> Self {
        Self { first: Some(first), more: Vec::new() }
    }
}

impl Several {
    pub(super) fn add(&mut self, evidence: Evidence) {
        match self.first {
            None => self.first = Some(evidence),
            Some(first) if first == evidence || self.more.contains(&evidence) => {}
            Some(_) => self.more.push(evidence),
        }
    }
}

/// The drafts of all subjects, a list for each kind of them.
#[derive(Debug, Default)]
pub(super) struct Drafts([Vec<Draft>; 6]);

impl Drafts {
    fn place(subject: SubjectRef) -> (usize, usize) {
        match subject {
            SubjectRef::Element(id) => (0, id.index()),
            SubjectRef::Container(id) => (1, id.index()),
            SubjectRef::Flow(id) => (2, id.index()),
            SubjectRef::Boundary(id) => (3, id.index()),
            SubjectRef::Control(id) => (4, id.index()),
            SubjectRef::Name(id) => (5, id.index()),
        }
    }

    pub(super) fn get(&self, subject: SubjectRef) -> Option<&Draft> {
        let (kind, at) = Self::place(subject);
        self.0.get(kind)?.get(at)
    }

    /// The draft of a subject that was added to the builder.
    pub(super) fn of(&mut self, subject: SubjectRef) -> Option<&mut Draft> {
        let (kind, at) = Self::place(subject);
        let drafts = self.0.get_mut(kind)?;
        if drafts.len() <= at {
            drafts.resize_with(at + 1, Draft::default);
        }
        drafts.get_mut(at)
    }
}
