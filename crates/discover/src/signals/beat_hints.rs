//! Pods that say by annotations how a Beat is to reach them, and the Beats that are told to look for such hints.
//! <https://www.elastic.co/docs/reference/beats/metricbeat/configuration-autodiscover-hints>

use std::sync::Arc;

use kubestride_model::{Confidence, FlowKind};
use kubestride_source::{FileId, Span};
use kubestride_yaml::{Limits, Value, read};

use super::config_files::mounted_files;
use super::{Each, Signal};
use crate::claims::{Claims, FlowClaim, Note, Party};
use crate::world::{WorkloadInfo, World};

pub(crate) struct BeatHints;

/// Texts with more than this are not configuration.
const LIMITS: Limits = Limits { max_depth: 64, max_nodes: 200_000 };

/// The Beats that call what they discover, with the word of their hints and the hint without which they do nothing.
const BEATS: [(&str, &str, &str); 2] = [("metricbeat", "metrics", "module"), ("heartbeat", "monitor", "type")];

impl Signal for BeatHints {
    fn name(&self) -> &'static str {
        "beat-hints"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            mounted_files(world, workload, |_, entry| {
                if !entry.text.contains("autodiscover") || !entry.text.contains("hints") {
                    return;
                }
                let documents = read(FileId(u32::MAX), &Arc::from(entry.text.as_ref()), &LIMITS);
                for tree in documents.into_iter().filter_map(|d| d.tree) {
                    for (beat, word, needed) in BEATS {
                        let providers = at(tree.root(), &format!("{beat}.autodiscover.providers"));
                        for provider in providers.into_iter().flat_map(|p| p.items()).filter(follows_hints) {
                            discovered(world, index, provider, (word, needed), claims);
                        }
                    }
                }
            });
        }))
    }
}

/// A setting by its path, of which a key may hold several parts: `hints.enabled` is `hints: {enabled: …}`.
fn at<'t>(value: Value<'t>, path: &str) -> Option<Value<'t>> {
    value.entries().find_map(|entry| match path.strip_prefix(entry.key)? {
        "" => Some(entry.value),
        rest => at(entry.value, rest.strip_prefix('.')?),
    })
}

fn follows_hints(provider: &Value<'_>) -> bool {
    let resource = at(*provider, "resource").and_then(|r| r.as_str()).unwrap_or("pod");
    let enabled = at(*provider, "hints.enabled").and_then(|e| e.scalar_text()) == Some("true");
    enabled && resource == "pod" && at(*provider, "type").and_then(|t| t.as_str()) == Some("kubernetes")
}

fn discovered(world: &World<'_>, index: usize, provider: Value<'_>, (word, needed): (&str, &str), claims: &mut Claims) {
    let prefix = at(provider, "prefix").and_then(|p| p.as_str()).unwrap_or("co.elastic");
    let namespace = at(provider, "namespace").and_then(|n| n.as_str());
    for (target, pod) in world.workloads.iter().enumerate().filter(|(target, _)| *target != index) {
        if namespace.is_some_and(|n| n != pod.namespace) {
            continue;
        }
        for (port, span) in hinted(pod, &format!("{prefix}.{word}/"), needed) {
            let note = Note::stated(span, "a hint for the Beat that looks for hints".to_owned());
            let (source, to) = (Party::Workload(index), Party::Workload(target));
            let mut claim = FlowClaim::new(source, to, FlowKind::Traffic, note);
            (claim.port, claim.target_port) = (port, port);
            claim.confidence = Confidence::Likely;
            claims.flows.push(claim);
        }
    }
}

/// The ports under which a pod asks to be called, and where it says so.
fn hinted(pod: &WorkloadInfo<'_>, prefix: &str, needed: &str) -> Vec<(Option<u16>, Span)> {
    let hint = |name: &str| {
        let found = pod.workload.template.annotations().find(|a| a.key.strip_prefix(prefix) == Some(name));
        found.and_then(|a| Some((a.value.scalar_text()?, a.value.span())))
    };
    let Some((hosts, span)) = hint("hosts") else { return Vec::new() };
    if hint(needed).is_none() || hint("enabled").is_some_and(|(enabled, _)| enabled == "false") {
        return Vec::new();
    }
    // Hosts with a name of their own are not the pod.
    let own = hosts.split(',').filter_map(|host| host.split_once("${data.host}").map(|(_, rest)| rest));
    let port = |rest: &str| rest.strip_prefix(':')?.split('/').next()?.trim().parse().ok();
    own.map(|rest| (port(rest), span)).collect()
}
