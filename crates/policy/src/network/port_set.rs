//! Sets of ports, protocol by protocol.

use std::fmt;

/// First and last port of every protocol.
const FIRST: u16 = 1;
const LAST: u16 = u16::MAX;

/// Protocols of `networking.k8s.io`, in the order of outputs.
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// Ports of SCTP, TCP and UDP.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSet {
    /// For each of [`PROTOCOLS`], ranges in order that neither touch nor overlap.
    ranges: [Vec<(u16, u16)>; 3],
}

impl PortSet {
    /// No port at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every port of every protocol.
    pub fn all() -> Self {
        Self { ranges: [const { (FIRST, LAST) }; 3].map(|all| vec![all]) }
    }

    /// Ports from the first to the last of one protocol; nothing for protocols that policies do not know.
    pub fn range(protocol: &str, first: u16, last: u16) -> Self {
        let mut set = Self::none();
        for (name, ranges) in PROTOCOLS.iter().zip(&mut set.ranges) {
            if *name == protocol && first <= last && last >= FIRST {
                ranges.push((first.max(FIRST), last));
            }
        }
        set
    }

    /// Every port of one protocol.
    pub fn protocol(protocol: &str) -> Self {
        Self::range(protocol, FIRST, LAST)
    }

    /// Whether no port is in it.
    pub fn is_empty(&self) -> bool {
        self.ranges.iter().all(Vec::is_empty)
    }

    /// Whether every port is in it.
    pub fn is_all(&self) -> bool {
        self.ranges.iter().all(|ranges| *ranges == [(FIRST, LAST)])
    }

    /// Whether a port is in it.
    pub fn contains(&self, protocol: &str, port: u16) -> bool {
        let own = PROTOCOLS.iter().zip(&self.ranges).filter(|(name, _)| **name == protocol);
        own.flat_map(|(_, ranges)| ranges).any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// What is in one of both.
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, |a, b| {
            let mut all: Vec<(u16, u16)> = a.iter().chain(b).copied().collect();
            all.sort_unstable();
            let mut out: Vec<(u16, u16)> = Vec::new();
            for (first, last) in all {
                match out.last_mut() {
                    Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                    _ => out.push((first, last)),
                }
            }
            out
        })
    }

    /// What is in both.
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |a, b| {
            let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
            pairs.filter(|(first, last)| first <= last).collect()
        })
    }

    /// What is in this and not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, |a, b| {
            let mut out = Vec::new();
            for (first, last) in a {
                let mut from = u32::from(*first);
                for (start, end) in b.iter().filter(|(start, end)| start <= last && end >= first) {
                    if from < u32::from(*start) {
                        out.push((from as u16, start - 1));
                    }
                    from = from.max(u32::from(*end) + 1);
                }
                if from <= u32::from(*last) {
                    out.push((from as u16, *last));
                }
            }
            out
        })
    }

    fn combined(&self, other: &Self, with: impl Fn(&[(u16, u16)], &[(u16, u16)]) -> Vec<(u16, u16)>) -> Self {
        let mut set = Self::none();
        for ((out, a), b) in set.ranges.iter_mut().zip(&self.ranges).zip(&other.ranges) {
            *out = with(a, b);
        }
        set
    }
}

/// `All Connections`, or `TCP 80,443-445,UDP 53`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("All Connections");
        }
        if self.is_empty() {
            return f.write_str("No Connections");
        }
        let mut separator = "";
        for (name, ranges) in PROTOCOLS.iter().zip(&self.ranges).filter(|(_, ranges)| !ranges.is_empty()) {
            let words = ranges.iter().map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            });
            write!(f, "{separator}{name} {}", words.collect::<Vec<_>>().join(","))?;
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::PortSet;

    #[test]
    fn sets_are_written_by_protocol() {
        let web = PortSet::range("TCP", 80, 80).union(&PortSet::range("TCP", 443, 445));
        assert_eq!(web.union(&PortSet::range("UDP", 53, 53)).to_string(), "TCP 80,443-445,UDP 53");
        assert_eq!(PortSet::all().to_string(), "All Connections");
        assert_eq!(PortSet::protocol("TCP").to_string(), "TCP 1-65535");
        assert_eq!(PortSet::range("ICMP", 1, 2), PortSet::none());
    }

    /// Every operation, against sets of single ports.
    #[test]
    fn operations_agree_with_single_ports() {
        let mut seed = 7_u32;
        let mut next = |below: u16| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as u16 % below
        };
        let edges = [1, 2, 3, 10, 11, 12, 100, 65_533, 65_534, 65_535];
        let mut random = || {
            let mut set = PortSet::none();
            for _ in 0..next(4) {
                let (a, b) = (edges[usize::from(next(10))], edges[usize::from(next(10))]);
                set = set.union(&PortSet::range("TCP", a.min(b), a.max(b)));
            }
            set
        };
        for _ in 0..2_000 {
            let (a, b) = (random(), random());
            for port in edges {
                let (in_a, in_b) = (a.contains("TCP", port), b.contains("TCP", port));
                assert_eq!(a.union(&b).contains("TCP", port), in_a || in_b, "{a} + {b}: {port}");
                assert_eq!(a.intersection(&b).contains("TCP", port), in_a && in_b, "{a} & {b}: {port}");
                assert_eq!(a.difference(&b).contains("TCP", port), in_a && !in_b, "{a} - {b}: {port}");
            }
            assert_eq!(a.difference(&b).union(&a.intersection(&b)), a, "{a} and {b}: one form for one set");
        }
    }
}
