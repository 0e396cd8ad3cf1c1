//! Blocks of addresses.

use std::net::IpAddr;

use super::{Direction, End, Match};
use kubestride_manifest::Field;
use kubestride_yaml::Value;

/// Where pods have their addresses: RFC 1918 and RFC 6598.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// The same of IPv6: RFC 4193.
const PRIVATE_IPV6: &str = "fc00::/7";

/// `IPBlock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    cidr: Cidr,
    except: Vec<Cidr>,
}

/// Addresses with a common prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cidr {
    address: IpAddr,
    length: u32,
}

impl Block {
    /// Reads a block; none if part of it is broken.
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        Self::with_exceptions(value.text("cidr")?, value.list("except").map(|item| item.scalar_text().unwrap_or("")))
    }

    /// A block without exceptions; none if the text is broken.
    pub(crate) fn of_cidr(text: &str) -> Option<Self> {
        Some(Self { cidr: Cidr::parse(text)?, except: Vec::new() })
    }

    /// A block with exceptions; none if a text is broken.
    pub(crate) fn with_exceptions<'t>(text: &str, except: impl IntoIterator<Item = &'t str>) -> Option<Self> {
        let except = except.into_iter().map(Cidr::parse).collect::<Option<_>>()?;
        Some(Self { cidr: Cidr::parse(text)?, except })
    }

    /// The first addresses (IPv4) behind which something else may hold: where the block and its exceptions begin, and
    /// the first addresses behind their ends.
    pub fn edges(&self) -> impl Iterator<Item = u64> {
        [self.cidr]
            .into_iter()
            .chain(self.except.clone())
            .filter_map(Cidr::ends)
            .flat_map(|(first, last)| [u64::from(first), u64::from(last) + 1])
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.cidr.contains(address) && !self.except.iter().any(|except| except.contains(address))
    }

    /// Whether addresses are in it that pods may have: those of private networks. Whether a block is about pods at all
    /// depends on the network plugin.
    pub fn may_hold_pods(&self) -> bool {
        self.cidr.address.is_ipv6() && !self.except.iter().any(|except| except.holds(self.cidr))
            || PRIVATE.into_iter().filter_map(Cidr::parse).any(|private| {
                let common = if private.holds(self.cidr) { self.cidr } else { private };
                let overlap = private.holds(self.cidr) || self.cidr.holds(private);
                overlap && !self.except.iter().any(|except| except.holds(common))
            })
    }

    /// Whether all pods of a cluster may have their addresses in it: it holds as much of a private network as one node
    /// takes for its pods, by the defaults of `--node-cidr-mask-size-ipv4` and `-ipv6`. Clusters can be that small.
    fn may_hold_all_pods(&self) -> bool {
        let range = if self.is_ipv4() { 24 } else { 64 };
        let holds = |private: Cidr| {
            let common = if private.holds(self.cidr) { self.cidr } else { private };
            let left = Self { cidr: common, except: self.except.clone() }.share();
            (private.holds(self.cidr) || self.cidr.holds(private)) && left >= (-f64::from(range)).exp2()
        };
        // Of IPv6, pods may have any address.
        let of = if self.is_ipv4() { PRIVATE.as_slice() } else { &["::/0"] };
        of.iter().filter_map(|text| Cidr::parse(text)).any(holds)
    }

    /// Whether an end is in it. Of pods and of hosts of which only the name is known, that is not known.
    pub(crate) fn is(&self, end: &End<'_>) -> Match {
        match end {
            End::Outside(range) => self.contains(IpAddr::V4(range.0)).into(),
            End::Pod(_) | End::SomePod if self.may_hold_pods() => Match::Unknown,
            End::Pod(_) | End::SomePod => Match::No,
            End::Host(_) if self.is_anywhere() && self.except.is_empty() => Match::Yes,
            End::Host(_) => Match::Unknown,
        }
    }

    /// The same without the addresses of others.
    pub(crate) fn without(mut self, others: &[Self]) -> Self {
        // What others leave out is left in, so only those without exceptions take away for sure.
        self.except.extend(others.iter().filter(|other| other.except.is_empty()).map(|other| other.cidr));
        self
    }

    /// Whether it names nobody. Half of the addresses of a family is as good as all, for two such blocks are the usual way
    /// around a check for `/0`, and who lists exceptions names those that are kept out. For what comes in, everybody are
    /// the pods: if all private networks are left out, none is admitted; if some are, or if a smaller block may hold all
    /// pods, it depends on where pods have their addresses.
    pub fn is_everybody(&self, direction: Direction) -> Match {
        if self.share() < 0.5 {
            return if direction == Direction::Ingress && self.may_hold_all_pods() {
                Match::Unknown
            } else {
                Match::No
            };
        }
        let private: Vec<Cidr> = match self.is_ipv4() {
            true => PRIVATE.into_iter().filter_map(Cidr::parse).collect(),
            false => Cidr::parse(PRIVATE_IPV6).into_iter().collect(),
        };
        let left_out = private.iter().filter(|net| self.except.iter().any(|except| except.holds(**net))).count();
        match direction {
            Direction::Ingress if left_out == private.len() && self.is_ipv4() => Match::No,
            Direction::Ingress if left_out > 0 => Match::Unknown,
            Direction::Ingress | Direction::Egress => Match::Yes,
        }
    }

    /// Which share of the addresses of its family is in it.
    fn share(&self) -> f64 {
        let of = |cidr: &Cidr| (-f64::from(cidr.length)).exp2();
        let mut taken: Vec<Cidr> = Vec::new();
        let mut except: Vec<Cidr> =
            self.except.iter().copied().filter(|e| self.cidr.holds(*e) || e.holds(self.cidr)).collect();
        except.sort_by_key(|cidr| cidr.length);
        for cidr in except {
            if cidr.holds(self.cidr) {
                return 0.0;
            }
            if !taken.iter().any(|other| other.holds(cidr)) {
                taken.push(cidr);
            }
        }
        of(&self.cidr) - taken.iter().map(of).sum::<f64>()
    }

    /// Whether it is of IPv4.
    pub(crate) fn is_ipv4(&self) -> bool {
        self.cidr.address.is_ipv4()
    }

    /// Whether it holds all addresses of a family, save perhaps some exceptions.
    pub fn is_anywhere(&self) -> bool {
        self.cidr.length == 0
    }
}

impl Cidr {
    /// Whether all addresses of another are in it.
    fn holds(self, other: Self) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// Whether another is a part of it, and smaller.
    pub(super) fn is_strictly_around(self, other: Self) -> bool {
        self.length < other.length && self.holds(other)
    }

    /// First and last address of IPv4.
    fn ends(self) -> Option<(u32, u32)> {
        let IpAddr::V4(address) = self.address else { return None };
        let mask = u32::MAX.checked_shr(self.length).unwrap_or(0);
        Some((u32::from(address) & !mask, u32::from(address) | mask))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.trim().split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok()?;
        (length <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, length })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let differ = u32::from(mine) ^ u32::from(other);
                differ.checked_shr(32 - self.length).unwrap_or(0) == 0
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let differ = u128::from(mine) ^ u128::from(other);
                differ.checked_shr(128 - self.length).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;

    #[test]
    fn prefixes_decide() {
        let table = [
            ("0.0.0.0/0", "169.254.169.254", true),
            ("169.254.0.0/16", "169.254.169.254", true),
            ("169.254.169.254/32", "169.254.169.254", true),
            ("169.254.169.253/32", "169.254.169.254", false),
            ("10.0.0.0/8", "169.254.169.254", false),
            ("::/0", "169.254.169.254", false),
            ("fd00::/8", "fd00:ec2::254", true),
            ("fd00:ec2::/127", "fd00:ec2::254", false),
        ];
        for (cidr, address, expected) in table {
            let cidr_read = Cidr::parse(cidr).expect(cidr);
            assert_eq!(cidr_read.contains(address.parse().expect(address)), expected, "{cidr} {address}");
        }
        for broken in ["10.0.0.0", "10.0.0.0/33", "::/129", "x/8", "10.0.0.0/-1", ""] {
            assert!(Cidr::parse(broken).is_none(), "{broken}");
        }
    }
}
