//! Threat generation.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{Model, SubjectRef};
use kubestride_template::filter::{Evaluator, Lists, Truth};
use kubestride_template::{Effect, ThreatType};

use crate::cite::cite;
use crate::severity::rate;
use crate::threat::subjects;
use crate::undetermined::Collector;
use crate::{AppliedControl, State, Threat, Undetermined};

/// The threats of a model.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// Open ones first, the most severe first, then by type and subject.
    pub threats: Vec<Threat>,
    /// Questions that the input leaves open.
    pub undetermined: Vec<Undetermined>,
}

/// Evaluates every threat type for every subject of its kind.
pub fn analyse(model: &Model, types: &[ThreatType], lists: &Lists) -> Analysis {
    let evaluator = Evaluator::new(model, lists);
    let mut threats = Vec::new();
    let mut open_questions = Collector::default();
    for (index, threat_type) in types.iter().enumerate() {
        for subject in subjects(model, threat_type.subject) {
            let result = evaluator.evaluate(&threat_type.when, subject);
            match result.truth {
                Truth::True => threats.push(threat(&evaluator, model, threat_type, index, subject, &result.reads)),
                Truth::Unknown => open_questions.add(model, index, &result.reads),
                Truth::False => {}
            }
        }
    }
    fold(&mut threats, types);
    threats.sort_by(|a, b| {
        let key = |t: &Threat| (!t.computed.is_open(), std::cmp::Reverse(t.rating.severity), t.threat_type);
        // Within one kind of subject, ids are in the order of identities.
        key(a).cmp(&key(b)).then(a.subject.cmp(&b.subject))
    });
    Analysis { threats, undetermined: open_questions.finish() }
}

fn threat(
    evaluator: &Evaluator<'_>,
    model: &Model,
    threat_type: &ThreatType,
    index: usize,
    subject: SubjectRef,
    reads: &[kubestride_template::filter::Read],
) -> Threat {
    let mut controls = Vec::new();
    for (position, mitigation) in threat_type.mitigated_by.iter().enumerate() {
        let result = evaluator.evaluate(&mitigation.when, subject);
        if result.truth == Truth::True {
            let evidence = cite(model, &result.reads);
            controls.push(AppliedControl { mitigation: position, effect: mitigation.effect, evidence });
        }
    }
    let mitigated = controls.iter().any(|c| c.effect == Effect::Mitigates);
    let lowered = controls.iter().any(|c| c.effect == Effect::Lowers);
    // What decided may be a type test alone; then the subject itself is the evidence.
    let mut evidence = cite(model, reads);
    if evidence.is_empty() {
        evidence = cite(model, &[(subject, None)]);
    }
    Threat {
        threat_type: index,
        subject,
        rating: rate(model, threat_type, subject, lowered),
        computed: if mitigated { State::Mitigated } else { State::NotStarted },
        decision: None,
        number: None,
        wording: None,
        controls,
        evidence,
    }
}

/// Drops threats that a more precise one on the same subject stands for. A mitigated threat stands for nothing open.
fn fold(threats: &mut Vec<Threat>, types: &[ThreatType]) {
    let position: BTreeMap<&str, usize> = types.iter().enumerate().map(|(i, t)| (t.id.as_str(), i)).collect();
    let mut folded: BTreeSet<(usize, SubjectRef, bool)> = BTreeSet::new();
    for threat in threats.iter() {
        let Some(threat_type) = types.get(threat.threat_type) else { continue };
        let mut waiting: Vec<&str> = threat_type.folds.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            let Some(index) = position.get(id).copied().filter(|i| seen.insert(*i)) else { continue };
            folded.insert((index, threat.subject, false));
            if threat.computed.is_open() {
                folded.insert((index, threat.subject, true));
            }
            waiting.extend(types.get(index).into_iter().flat_map(|t| t.folds.iter().map(String::as_str)));
        }
    }
    threats.retain(|t| !folded.contains(&(t.threat_type, t.subject, t.computed.is_open())));
}
