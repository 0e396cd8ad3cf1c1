//! What to do first: threats with one common fix, ranked by how much risk the fix removes.

use std::collections::BTreeMap;

use kubestride_template::ThreatType;

use crate::{Analysis, Severity};

/// The open threats of one type, which one kind of change answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Position in the list of threat types.
    pub threat_type: usize,
    /// Positions in [`Analysis::threats`].
    pub threats: Vec<usize>,
    /// The worst severity among them.
    pub worst: Severity,
    /// The sum of their weights.
    pub weight: u32,
}

/// The fixes that are left to do: the worst first, and among equally bad ones those that remove most risk.
pub fn fixes(analysis: &Analysis, types: &[ThreatType]) -> Vec<Fix> {
    let mut by_type: BTreeMap<usize, Fix> = BTreeMap::new();
    for (index, threat) in analysis.threats.iter().enumerate().filter(|(_, t)| t.state().is_open()) {
        let severity = threat.rating.severity;
        let fix = by_type.entry(threat.threat_type).or_insert_with(|| Fix {
            threat_type: threat.threat_type,
            threats: Vec::new(),
            worst: severity,
            weight: 0,
        });
        fix.threats.push(index);
        fix.worst = fix.worst.max(severity);
        fix.weight += severity.weight();
    }
    let mut fixes: Vec<Fix> = by_type.into_values().collect();
    let id = |fix: &Fix| types.get(fix.threat_type).map(|t| t.id.clone());
    fixes.sort_by(|a, b| b.worst.cmp(&a.worst).then(b.weight.cmp(&a.weight)).then_with(|| id(a).cmp(&id(b))));
    fixes
}
