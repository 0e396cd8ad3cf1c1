//! Flows of Hubble, as `hubble observe -o jsonpb` writes them:
//! <https://github.com/cilium/cilium/blob/main/api/v1/flow/flow.proto>

use serde_json::Value;

use super::{End, Line, text};

/// Verdicts of connections that took place.
const PASSED: [&str; 5] = ["FORWARDED", "REDIRECTED", "TRACED", "TRANSLATED", "AUDIT"];
/// Port of DNS.
const DNS: u16 = 53;

pub(super) fn line(flow: &Value) -> Line {
    if text(flow, "verdict") == "DROPPED" {
        return Line::Refused;
    }
    if !PASSED.contains(&text(flow, "verdict")) {
        return Line::Other;
    }
    if flow.get("is_reply").and_then(Value::as_bool) == Some(true) {
        return Line::Ordinary;
    }
    let l4 = flow.get("l4");
    let of = |protocol: &'static str| Some((protocol, l4?.get(protocol)?));
    let Some((protocol, ports)) = ["TCP", "UDP", "SCTP"].into_iter().find_map(of) else { return Line::Ordinary };
    let port = ports.get("destination_port").and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok());
    let (source, target) = (end(flow, "source"), end(flow, "destination"));
    match (source, target) {
        (Some(source), Some(target)) if port != Some(DNS) => {
            Line::Connection(Box::new((source, target, port, protocol)))
        }
        _ => Line::Ordinary,
    }
}

/// One end; none for nodes, health checks and the like.
fn end(flow: &Value, side: &str) -> Option<End> {
    let endpoint = flow.get(side)?;
    let labels = || endpoint.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if labels().any(|l| l == "reserved:kube-apiserver") {
        return Some(End::ApiServer);
    }
    let pod = text(endpoint, "pod_name");
    if !pod.is_empty() {
        let workload = endpoint.get("workloads").and_then(Value::as_array).and_then(|w| w.first());
        let workload = workload.map(|w| (text(w, "kind").to_owned(), text(w, "name").to_owned()));
        let namespace = text(endpoint, "namespace").to_owned();
        return Some(End::Pod { namespace, pod: pod.to_owned(), workload });
    }
    if !labels().any(|l| l.starts_with("reserved:world")) {
        return None;
    }
    let names = flow.get(format!("{side}_names")).and_then(Value::as_array);
    let name = names.and_then(|n| n.first()).and_then(Value::as_str);
    let address = || flow.get("IP").map(|ip| text(ip, side)).filter(|ip| !ip.is_empty());
    match name.or_else(|| if side == "destination" { address() } else { None }) {
        Some(host) => Some(End::Host(host.trim_end_matches('.').to_ascii_lowercase())),
        None => Some(End::World),
    }
}
