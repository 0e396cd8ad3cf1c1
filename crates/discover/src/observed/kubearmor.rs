//! Network logs and alerts of KubeArmor, as `karmor logs --json` writes them:
//! <https://github.com/kubearmor/KubeArmor/blob/main/protobuf/kubearmor.proto>

use serde_json::Value;

use super::{End, Line, text};

pub(super) fn line(log: &Value) -> Line {
    if text(log, "Operation") != "Network" {
        return Line::Ordinary;
    }
    if text(log, "Action") == "Block" {
        return Line::Refused;
    }
    let owner = log.get("Owner");
    let workload =
        owner.map(|o| (text(o, "Ref").to_owned(), text(o, "Name").to_owned())).filter(|(_, n)| !n.is_empty());
    let (namespace, pod) = (text(log, "NamespaceName").to_owned(), text(log, "PodName").to_owned());
    let own = End::Pod { namespace, pod, workload };
    // `remoteip=10.0.0.7 port=5432 protocol=TCP`, and `kprobe=tcp_connect` or `tcp_accept`.
    let resource = text(log, "Resource");
    let field = |key: &str| resource.split_whitespace().find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
    let Some(remote) = field("remoteip").or_else(|| field("domainname")) else { return Line::Ordinary };
    let port = field("port").and_then(|p| p.parse().ok());
    let protocol = if field("protocol").is_some_and(|p| p.eq_ignore_ascii_case("UDP")) { "UDP" } else { "TCP" };
    let remote = End::Host(remote.to_ascii_lowercase());
    if text(log, "Data").contains("tcp_accept") {
        // The port of an accepted connection is that of the caller.
        return Line::Connection(Box::new((remote, own, None, protocol)));
    }
    Line::Connection(Box::new((own, remote, port, protocol)))
}
