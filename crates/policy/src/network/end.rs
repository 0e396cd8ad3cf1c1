//! Who can be at an end of a connection.

use std::fmt;
use std::net::Ipv4Addr;

use crate::Pod;

/// An end of a connection.
#[derive(Debug, Clone, Copy)]
pub enum End<'e> {
    /// Pods.
    Pod(Pod<'e>),
    /// A pod of which nothing is known but that it is one, such as one of an ingress controller.
    SomePod,
    /// Addresses outside, which all policies treat alike.
    Outside(Range),
    /// A host outside, by its name. Which address it has is not known.
    Host(&'e str),
    /// A host outside of which neither name nor address is known.
    SomeHost,
}

/// Addresses of IPv4 outside of the cluster, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range(pub Ipv4Addr, pub Ipv4Addr);

/// `0.0.0.0-255.255.255.255[External]`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}[External]", self.0, self.1)
    }
}

impl<'e> End<'e> {
    /// The pod, if it is one of which something is known.
    pub fn pod(&self) -> Option<&Pod<'e>> {
        match self {
            Self::Pod(pod) => Some(pod),
            Self::SomePod | Self::Outside(_) | Self::Host(_) | Self::SomeHost => None,
        }
    }
}

impl Range {
    /// All addresses, parted so that no part crosses one of these edges: addresses at which something else begins.
    pub fn parts(edges: impl IntoIterator<Item = u64>) -> Vec<Self> {
        const END: u64 = 1 << 32;
        let mut edges: Vec<u64> = edges.into_iter().chain([0, END]).collect();
        edges.sort_unstable();
        edges.dedup();
        let address = |number: u64| Ipv4Addr::from(number as u32);
        let part = |(first, next): (&u64, &u64)| Range(address(*first), address(next - 1));
        edges.iter().zip(edges.iter().skip(1)).map(part).collect()
    }

    /// Whether another range begins where this one ends.
    pub fn touches(&self, next: &Self) -> bool {
        u32::from(self.1).checked_add(1) == Some(u32::from(next.0))
    }
}
