//! Traffic that was seen: exports of Hubble and telemetry of KubeArmor, one JSON object a line. Names, ports and
//! protocols are taken over; URLs, headers and whatever else was recorded are not.

mod hubble;
mod kubearmor;

use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{FlowKind, Origin};
use kubestride_source::{Diagnostic, FileId, Span};
use serde_json::Value;

use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::resolve::{Resolved, resolve};
use crate::world::World;

/// A connection that was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    source: End,
    target: End,
    /// The port of the target.
    port: Option<u16>,
    /// `TCP`, `UDP` or `SCTP`.
    protocol: &'static str,
    /// Where it was first recorded.
    span: Span,
}

/// One end of a connection, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// A pod, and the workload that it belongs to where that was recorded: its kind and name.
    Pod { namespace: String, pod: String, workload: Option<(String, String)> },
    /// A host name or an address.
    Host(String),
    /// Somebody outside the cluster.
    World,
    /// The API server.
    ApiServer,
}

/// Source, target, port of the target, protocol.
type Connection = (End, End, Option<u16>, &'static str);

/// What a line holds.
enum Line {
    Connection(Box<Connection>),
    /// A connection that was refused: it is none.
    Refused,
    /// Answers, name lookups, probes: every pod has them.
    Ordinary,
    /// Something else, or a form that is not known.
    Other,
}

/// All connections of a text, each once, and what was left out.
pub fn read(file: FileId, name: &str, text: &str) -> (Vec<Observation>, Vec<Diagnostic>) {
    let mut seen: BTreeMap<Connection, Span> = BTreeMap::new();
    let (mut lines, mut refused, mut other) = (0usize, 0usize, None);
    let mut others = 0usize;
    let mut at = 0u32;
    for line in text.split_inclusive('\n') {
        let span = Span::new(file, at, at + line.trim_end().len() as u32);
        at += line.len() as u32;
        if line.trim().is_empty() {
            continue;
        }
        lines += 1;
        let read = serde_json::from_str::<Value>(line).ok().map_or(Line::Other, |value| one(&value));
        match read {
            Line::Connection(connection) => {
                seen.entry(*connection).or_insert(span);
            }
            Line::Refused => refused += 1,
            Line::Ordinary => {}
            Line::Other => {
                others += 1;
                other.get_or_insert(span);
            }
        }
    }
    let connection = |((source, target, port, protocol), span)| Observation { source, target, port, protocol, span };
    let observations: Vec<Observation> = seen.into_iter().map(connection).collect();
    let mut diagnostics = Vec::new();
    if let Some(span) = other {
        let message =
            format!("{others} of {lines} lines of {name} are no flow of Hubble and no network log of KubeArmor");
        diagnostics.push(Diagnostic::warning("unknown-observation", message).at(span));
    }
    if refused > 0 {
        let message = format!("{refused} connections of {name} were refused; they are no flows");
        diagnostics.push(Diagnostic::note("refused-connections", message));
    }
    (observations, diagnostics)
}

fn one(value: &Value) -> Line {
    let flow = value.get("flow").unwrap_or(value);
    if flow.get("verdict").is_some() {
        hubble::line(flow)
    } else if value.get("Operation").is_some() {
        kubearmor::line(value)
    } else {
        Line::Other
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// Claims what was seen of the workloads of the input. Says how many connections are about others.
pub(crate) fn claim(world: &World<'_>, observations: &[Observation], claims: &mut Claims) -> usize {
    let mut strangers = 0;
    // Who comes in from outside is seen behind the way in that the manifests show.
    let ways_in: BTreeMap<Party, FlowClaim> = {
        let exposures = claims.flows.iter().filter(|c| c.kind == FlowKind::Exposure);
        exposures.rev().map(|c| (c.target.clone(), c.clone())).collect()
    };
    let mut pairs = BTreeSet::new();
    for seen in observations {
        let (Some(source), Some(target)) = (party(world, &seen.source), party(world, &seen.target)) else {
            strangers += 1;
            continue;
        };
        let is_workload = |party: &Party| matches!(party, Party::Workload(_));
        if source == target || !(is_workload(&source) || is_workload(&target)) {
            continue;
        }
        let note = Note { origin: Origin::Observed, span: Some(seen.span), text: "seen at run time".to_owned() };
        let kind = match (&source, &target) {
            (Party::Internet | Party::Host(_), _) => FlowKind::Exposure,
            (_, Party::ApiServer) => FlowKind::Api,
            _ => FlowKind::Traffic,
        };
        let source = if kind == FlowKind::Exposure { Party::Internet } else { source };
        if !pairs.insert((source.clone(), target.clone(), kind, seen.port)) {
            continue;
        }
        let mut claim = FlowClaim::new(source, target, kind, note);
        match kind {
            FlowKind::Exposure => {
                let known = ways_in.get(&claim.target);
                claim.via = known.and_then(|k| k.via.clone());
                claim.port = known.and_then(|k| k.port);
                claim.target_port = seen.port;
            }
            // Rights at the API are claimed on its flow, which has one port.
            FlowKind::Api => claim.port = Some(443),
            _ => (claim.port, claim.target_port) = (seen.port, seen.port),
        }
        claim.protocol = Some(seen.protocol.to_owned());
        claims.flows.push(claim);
    }
    strangers
}

/// Whom an end means; none if the input does not hold it.
fn party(world: &World<'_>, end: &End) -> Option<Party> {
    match end {
        End::ApiServer => Some(Party::ApiServer),
        End::World => Some(Party::Internet),
        End::Host(host) => {
            let service = world.services.iter().find(|s| s.service.cluster_ip_text() == Some(host.as_str()));
            match service.map(|s| s.workloads.as_slice()) {
                Some([workload]) => Some(Party::Workload(*workload)),
                Some(_) => None,
                None => match resolve(world, "", host) {
                    Resolved::Service(service) => match service.workloads.as_slice() {
                        [workload] => Some(Party::Workload(*workload)),
                        _ => None,
                    },
                    Resolved::Made { workload, .. } => Some(Party::Workload(workload)),
                    Resolved::ApiServer => Some(Party::ApiServer),
                    Resolved::Outside(party) if !is_private(host) => Some(party),
                    _ => None,
                },
            }
        }
        End::Pod { namespace, pod, workload } => {
            let here = world.pods.in_namespace(namespace);
            let named = |at: &&usize| {
                world.workloads.get(**at).is_some_and(|w| {
                    let name = w.object().name();
                    match workload {
                        Some((kind, of)) => of == name && (kind.is_empty() || kind == w.object().kind()),
                        // Pods are called after what they belong to.
                        None => pod.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
                    }
                })
            };
            let longest = |at: &&usize| world.workloads.get(**at).map_or(0, |w| w.object().name().len());
            here.iter().filter(named).max_by_key(longest).map(|at| Party::Workload(*at))
        }
    }
}

/// Whether an address is of a private network: of a pod or a node, as likely as not.
fn is_private(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_unspecified(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
        Err(_) => false,
    }
}
