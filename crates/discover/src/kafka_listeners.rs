//! What the listeners of a Kafka of Strimzi say about the connections to them.
//! <https://strimzi.io/docs/operators/latest/configuring#type-GenericKafkaListener-reference>

use kubestride_manifest::Object;
use kubestride_model::{AttributeId, Value as ModelValue};
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::{Authentication, Encryption};
use kubestride_yaml::Value;

use crate::claims::{Learned, Note, Party};
use crate::world::World;

/// The listeners of a resource with their ports.
pub(crate) fn listeners<'a>(object: Object<'a>) -> impl Iterator<Item = (Value<'a>, Option<u16>)> {
    let list = object.spec().and_then(|s| s.get("kafka")?.get("listeners"));
    let port = |listener: &Value<'a>| u16::try_from(listener.get("port")?.as_i64()?).ok();
    list.into_iter().flat_map(|l| l.items()).map(move |listener| (listener, port(&listener)))
}

/// The attributes of a connection to a port of a Kafka.
pub(crate) fn learned(world: &World<'_>, target: &Party, port: Option<u16>) -> Vec<Learned> {
    let Party::Workload(at) = target else { return Vec::new() };
    let Some(workload) = world.workloads.get(*at) else { return Vec::new() };
    if workload.operated.is_none_or(|kind| kind.kind != "Kafka") {
        return Vec::new();
    }
    let found = listeners(workload.object()).find(|(_, own)| own.is_some() && *own == port);
    let said = found.map(|(listener, _)| says(listener)).unwrap_or_default();
    said.into_iter().map(|(attribute, value, note)| (attribute, value, vec![note])).collect()
}

/// What a listener says about encryption, and about how clients are known.
pub(crate) fn says(listener: Value<'_>) -> Vec<(AttributeId, ModelValue, Note)> {
    let mut said = Vec::new();
    if let Some((place, tls)) = listener.get("tls").and_then(|tls| Some((tls, tls.as_bool()?))) {
        let value = if tls { Encryption::Encrypted } else { Encryption::Plain };
        said.push((
            attr::ENCRYPTION.id,
            attr::ENCRYPTION.value(value),
            Note::stated(place.span(), "tls of the listener"),
        ));
    }
    let stated = listener.get("authentication").and_then(|a| a.get("type"));
    let by = match stated.map(|kind| kind.as_str()) {
        None if listener.get("authentication").is_none() => Authentication::None,
        Some(Some("tls")) => Authentication::MutualTls,
        Some(Some("oauth")) => Authentication::Token,
        Some(Some("scram-sha-512")) => Authentication::Credential,
        _ => return said,
    };
    let note = match stated {
        Some(kind) => Note::stated(kind.span(), "authentication of the listener"),
        None => Note::default(listener.span(), "a listener without authentication asks clients for nothing"),
    };
    said.push((attr::AUTHENTICATION.id, attr::AUTHENTICATION.value(by), note));
    said
}
