//! Threat types as rules: those that fire, with their text.

use std::collections::BTreeMap;

use kubestride_analysis::Severity;
use kubestride_template::ThreatType;

use super::log::{Configuration, Help, Message, Rule, RuleProperties};
use crate::Report;
use crate::text::{capital, flat, generic};

/// The threat types that fire, with the worst severity among their threats; their order is the order of the rules.
pub(crate) struct Rules(BTreeMap<usize, Severity>);

impl Rules {
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let mut rules = BTreeMap::new();
        for threat in report.analysis.threats.iter().filter(|t| t.threat_type < report.types.len()) {
            let worst = rules.entry(threat.threat_type).or_insert(threat.rating.severity);
            *worst = threat.rating.severity.max(*worst);
        }
        Self(rules)
    }

    /// The position of a threat type among the rules.
    pub(crate) fn index(&self, threat_type: usize) -> usize {
        self.0.range(..threat_type).count()
    }

    pub(crate) fn descriptors<'r>(&self, report: &Report<'r>) -> Vec<Rule<'r>> {
        let with_type = |(index, worst): (&usize, &Severity)| Some(rule(report.types.get(*index)?, *worst));
        self.0.iter().filter_map(with_type).collect()
    }
}

fn rule(threat_type: &ThreatType, worst: Severity) -> Rule<'_> {
    let sections = &threat_type.sections;
    let markdown = format!(
        "{}\n\n## Mitigation\n\n{}\n\n## Verify\n\n{}\n\n## References\n\n{}\n",
        sections.why, sections.mitigation, sections.verify, sections.references
    );
    let mut tags = vec!["security".to_owned(), threat_type.category_title().to_owned()];
    for mapping in &threat_type.mappings {
        tags.extend(mapping.ids.iter().map(|id| format!("{}:{id}", mapping.scheme.key())));
    }
    Rule {
        id: &threat_type.id,
        name: pascal_case(&threat_type.id),
        short_description: Message { text: generic(threat_type) },
        full_description: Message { text: flat(&sections.why) },
        help: Help { text: format!("{}\n\n{}", sections.why, sections.mitigation), markdown },
        default_configuration: Configuration { level: level(worst) },
        properties: RuleProperties { tags, security_severity: security_severity(worst) },
    }
}

/// SARIF's word for a severity.
pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// A number in the ranges by which code scanning services name severities.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.0",
        Severity::High => "7.5",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
    }
}

fn pascal_case(id: &str) -> String {
    id.split('-').map(capital).collect()
}
