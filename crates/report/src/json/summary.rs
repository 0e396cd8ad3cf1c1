//! The numbers.

use kubestride_analysis::{Severity, State};
use serde::Serialize;

use super::parts::element;
use crate::Report;
use crate::summary::{CategoryCount, Counts, Summary};

/// The `summary` of the document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Numbers<'a> {
    elements: usize,
    processes: usize,
    externals: usize,
    stores: usize,
    flows: usize,
    implicit_flows: usize,
    boundaries: usize,
    threats: usize,
    open: BySeverity,
    states: ByState,
    categories: Vec<Category>,
    workloads: Vec<Workload<'a>>,
}

#[derive(Serialize)]
struct BySeverity {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ByState {
    not_started: usize,
    needs_investigation: usize,
    not_applicable: usize,
    mitigated: usize,
    accepted: usize,
}

#[derive(Serialize)]
struct Category {
    category: &'static str,
    open: usize,
    total: usize,
}

#[derive(Serialize)]
struct Workload<'a> {
    id: &'a str,
    open: BySeverity,
    mitigated: usize,
}

impl From<Counts> for BySeverity {
    fn from(counts: Counts) -> Self {
        Self {
            critical: counts.of(Severity::Critical),
            high: counts.of(Severity::High),
            medium: counts.of(Severity::Medium),
            low: counts.of(Severity::Low),
        }
    }
}

impl<'a> Numbers<'a> {
    pub(crate) fn of(report: &Report<'a>) -> Self {
        let summary = Summary::of(report);
        let category = |c: &CategoryCount| Category { category: c.category.title(), open: c.open, total: c.total };
        let workloads = summary.workloads.iter().map(|w| Workload {
            id: element(report.model, w.workload),
            open: w.open.into(),
            mitigated: w.mitigated,
        });
        Self {
            elements: summary.elements(),
            processes: summary.processes,
            externals: summary.externals,
            stores: summary.stores,
            flows: summary.flows,
            implicit_flows: summary.implicit_flows,
            boundaries: summary.boundaries,
            threats: summary.threats(),
            open: summary.open.into(),
            states: ByState {
                not_started: summary.in_state(State::NotStarted),
                needs_investigation: summary.in_state(State::NeedsInvestigation),
                not_applicable: summary.in_state(State::NotApplicable),
                mitigated: summary.in_state(State::Mitigated),
                accepted: summary.in_state(State::Accepted),
            },
            categories: summary.categories.iter().map(category).collect(),
            workloads: workloads.collect(),
        }
    }
}
