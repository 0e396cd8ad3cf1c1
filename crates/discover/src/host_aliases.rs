//! Names for which a pod has an address of its own (`hostAliases`): its resolver asks nobody else about them.
//! <https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/>

use std::net::{IpAddr, Ipv4Addr};

use kubestride_manifest::PodSpec;

use crate::address;
use crate::claims::Party;
use crate::resolve::Resolved;
use crate::world::World;

/// Where the metadata service of a cloud is found.
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// The address that a pod has for a host name.
pub(crate) fn address_of(pod: PodSpec<'_>, host: &str) -> Option<IpAddr> {
    let named = pod.field("hostAliases")?.items().find(|alias| {
        let names = alias.get("hostnames").into_iter().flat_map(|n| n.items());
        names.filter_map(|name| name.as_str()).any(|name| address::normal(name) == host)
    })?;
    named.get("ip")?.as_str()?.parse().ok()
}

/// What is found at an address.
pub(crate) fn behind<'w, 'a>(world: &'w World<'a>, ip: IpAddr) -> Resolved<'w, 'a> {
    let is = |text: Option<&str>| text.and_then(|text| text.parse().ok()) == Some(ip);
    match world.services.iter().find(|service| is(service.service.cluster_ip_text())) {
        Some(service) => Resolved::Service(service),
        None if ip == METADATA => Resolved::Outside(Party::Metadata),
        None => Resolved::Outside(Party::Host(ip.to_string())),
    }
}
