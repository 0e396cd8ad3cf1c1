//! Connections one after the other, in order: those of one source at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::classes::{Answer, Classes};
use super::{Connection, Workload};
use crate::network::{PortSet, Range};

/// A connection whose parts belong to somebody else, see [`Connection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'l> {
    /// The network in which it is, beside the primary one of its ends.
    pub network: Option<&'l str>,
    /// One end.
    pub source: &'l str,
    /// The other end.
    pub target: &'l str,
    /// Ports of the target's pods that are allowed.
    pub ports: &'l PortSet,
    /// Ports of which it is not known whether they are allowed.
    pub unknown: &'l PortSet,
}

impl Line<'_> {
    /// The connection with parts of its own.
    pub fn to_connection(&self) -> Connection {
        Connection {
            network: self.network.map(str::to_owned),
            source: self.source.to_owned(),
            target: self.target.to_owned(),
            ports: self.ports.clone(),
            unknown: self.unknown.clone(),
        }
    }
}

/// `source => target : ports`.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.source, " => ", self.target, " : "] {
            f.write_str(part)?;
        }
        self.ports.fmt(f)
    }
}

/// `source => target : ports`.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, target, ports, unknown, .. } = self;
        Line { network: None, source, target, ports, unknown }.fmt(f)
    }
}

/// The names of a workload that is wanted at an end; everybody if there are none.
pub(super) struct Wanted(Option<[String; 2]>);

impl Wanted {
    pub(super) fn new(workload: Option<&Workload<'_>>) -> Self {
        Self(workload.map(|workload| [workload.name.clone(), workload.plain_name()]))
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|own| own == name))
    }

    fn is_everybody(&self) -> bool {
        self.0.is_none()
    }
}

/// All connections of the networks of one name.
pub(super) struct Lines<'c> {
    pub(super) network: Option<&'c str>,
    /// The workloads of each of them.
    pub(super) classes: Vec<Classes<'c>>,
    /// Addresses outside.
    pub(super) ranges: &'c [Range],
    /// Connections whose source is something else.
    pub(super) entries: Vec<Connection>,
}

impl Lines<'_> {
    /// Says them in order, one line for each pair: a workload whose pods have different labels is there several times.
    pub(super) fn each<E>(
        mut self,
        from: &Wanted,
        to: &Wanted,
        write: &mut dyn FnMut(&Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let outgoing = if to.is_everybody() { self.ranges } else { &[] };
        let incoming = if from.is_everybody() { self.ranges } else { &[] };
        let incoming: Vec<BTreeMap<String, _>> =
            self.classes.iter_mut().map(|own| own.callers_outside(incoming)).collect();
        let entries = std::mem::take(&mut self.entries).into_iter();
        let entries = entries.filter(|entry| from.is(&entry.source) && to.is(&entry.target));
        let entries = entries.filter(|entry| !entry.ports.is_empty() || !entry.unknown.is_empty());
        let mut others: BTreeMap<String, Vec<(String, Answer)>> = BTreeMap::new();
        for Connection { source, target, ports, unknown, .. } in entries {
            others.entry(source).or_default().push((target, Answer { ports, unknown }));
        }

        let workloads = self.classes.iter().flat_map(|own| own.ends.iter().map(|(name, _)| name));
        let mut sources: BTreeSet<String> = workloads.filter(|name| from.is(name)).cloned().collect();
        sources.extend(incoming.iter().flat_map(|ranges| ranges.keys()).cloned());
        sources.extend(others.keys().cloned());
        for source in &sources {
            for own in &mut self.classes {
                let called: Vec<usize> = own.called(source).collect();
                own.ask(&called, outgoing);
            }
            let mut row: Vec<(Cow<'_, str>, &Answer)> = Vec::new();
            for (own, incoming) in self.classes.iter().zip(&incoming) {
                for class in own.called(source) {
                    let others = own.ends.iter().filter(|(target, _)| target != source && to.is(target));
                    let answered = others.filter_map(|(target, at)| Some((target.into(), own.answer(class, *at)?)));
                    row.extend(answered);
                    row.extend(own.to_outside(class).map(|(range, answer)| (range.to_string().into(), answer)));
                }
                for (class, place) in incoming.get(source).into_iter().flatten() {
                    let Some(answer) = own.answer_at(*place) else { continue };
                    row.extend(own.members(*class).filter(|name| to.is(name)).map(|name| (name.into(), answer)));
                }
            }
            let own = others.get(source).into_iter().flatten();
            row.extend(own.map(|(target, answer)| (target.into(), answer)));
            row.sort_by(|a, b| a.0.cmp(&b.0));
            for same in row.chunk_by(|a, b| a.0 == b.0) {
                self.write(source, same, write)?;
            }
        }
        Ok(())
    }

    /// Writes what several pods of one name may do as one.
    fn write<E>(
        &self,
        source: &str,
        same: &[(Cow<'_, str>, &Answer)],
        write: &mut dyn FnMut(&Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(((target, first), others)) = same.split_first() else { return Ok(()) };
        let network = self.network;
        if others.is_empty() {
            return write(&Line { network, source, target, ports: &first.ports, unknown: &first.unknown });
        }
        let all = others.iter().fold((*first).clone(), |all, (_, other)| Answer {
            ports: all.ports.union(&other.ports),
            unknown: all.unknown.union(&other.unknown),
        });
        write(&Line { network, source, target, ports: &all.ports, unknown: &all.unknown })
    }
}
