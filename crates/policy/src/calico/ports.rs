//! The ports that a rule is about.

use super::{Port, Protocol, Rule, Surroundings};
use crate::PodPort;
use crate::network::{End, PortSet};

const PORTED: [&str; 3] = ["SCTP", "TCP", "UDP"];

impl Protocol {
    /// By name, in any case, or by number; none if there is no such protocol.
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "TCP" | "6" => Self::Ported("TCP"),
            "UDP" | "17" => Self::Ported("UDP"),
            "SCTP" | "132" => Self::Ported("SCTP"),
            "ICMP" | "ICMPV6" | "1" | "58" => Self::Other { icmp: true },
            "UDPLITE" => Self::Other { icmp: false },
            number => {
                let number: u8 = number.parse().ok()?;
                (number > 0).then_some(Self::Other { icmp: false })?
            }
        })
    }

    fn ports(self) -> PortSet {
        match self {
            Self::Ported(name) => PortSet::protocol(name),
            Self::Other { .. } => PortSet::none(),
        }
    }
}

impl Port {
    /// By number, range (`6040:6050`) or name; none if it is none of them.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let number = text.parse().ok()?;
            return Some(Self::Numbers(number, number));
        }
        if let Some((first, last)) = text.split_once(':') {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            return (first <= last).then_some(Self::Numbers(first, last));
        }
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        (text.len() <= 128 && text.chars().all(of_name)).then(|| Self::Name(text.to_owned()))
    }

    /// The ports of one protocol of a receiver with these named ports.
    pub(super) fn set(&self, protocol: &str, named: &[PodPort<'_>]) -> PortSet {
        match self {
            Self::Numbers(first, last) => PortSet::range(protocol, *first, *last),
            Self::Name(name) => {
                let fits = |port: &&PodPort<'_>| port.name == name && port.protocol == protocol;
                let ports = named.iter().filter(fits).map(|port| PortSet::range(protocol, port.number, port.number));
                ports.fold(PortSet::none(), |all, port| all.union(&port))
            }
        }
    }

    fn is_name(&self) -> bool {
        matches!(self, Self::Name(_))
    }
}

impl Rule {
    /// The ports of who is called that the rule is about, and those of which that is not known.
    pub(super) fn ports(&self, target: &End<'_>, around: &Surroundings) -> (PortSet, PortSet) {
        if self.doubtful {
            return (PortSet::all(), PortSet::none());
        }
        let named = target.pod().map_or(&[] as &[_], |pod| pod.ports);
        let of = |ports: &[Port]| {
            let all = ports.iter().flat_map(|port| PORTED.map(|protocol| port.set(protocol, named)));
            all.fold(PortSet::none(), |all, set| all.union(&set))
        };
        let mut certain = self.protocol.map_or_else(PortSet::all, Protocol::ports);
        if let Some(protocol) = self.not_protocol {
            certain = certain.difference(&protocol.ports());
        }
        if let Some(service) = &self.destination.service {
            certain = certain.intersection(&around.ports_behind(service, target));
        }
        let mut possible = PortSet::none();
        // What a pod calls its ports of which nothing is known is not known.
        let unknown_names = matches!(target, End::SomePod);
        let Self { destination, .. } = self;
        if !destination.ports.is_empty() {
            if unknown_names && destination.ports.iter().any(Port::is_name) {
                possible = certain.clone();
            }
            certain = certain.intersection(&of(&destination.ports));
        }
        let unwanted = of(&destination.not_ports);
        certain = certain.difference(&unwanted);
        possible = possible.difference(&unwanted);
        if unknown_names && destination.not_ports.iter().any(Port::is_name) {
            possible = possible.union(&certain);
            certain = PortSet::none();
        }
        let possible = possible.difference(&certain);
        (certain, possible)
    }
}
