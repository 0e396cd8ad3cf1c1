//! Addresses in environment variables: plain values, single keys of ConfigMaps and Secrets, and whole ConfigMaps and
//! Secrets by `envFrom`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kubestride_manifest::{Container, EnvSourceKind, Object};
use kubestride_model::Confidence;
use kubestride_source::Span;
use kubestride_stencils::attributes as attr;
use kubestride_stencils::values::Encryption;
use kubestride_yaml::Value;

use super::{Each, Signal};
use crate::address::{self, Address};
use crate::claims::{Claims, Note};
use crate::credentials;
use crate::expand::{Syntax, expand};
use crate::secret_data;
use crate::settings::{self, Setting};
use crate::tls_settings;
use crate::traffic::{self, Finding};
use crate::world::World;

pub(crate) struct Environment;

/// A variable of a container with the place of its value.
pub(super) struct Variable<'a> {
    name: String,
    text: Cow<'a, str>,
    /// The value in the source, if it stands there as it is.
    value: Option<Value<'a>>,
    span: Span,
    /// What says so, for people.
    from: String,
    inside: Confidence,
}

impl Signal for Environment {
    fn name(&self) -> &'static str {
        "environment"
    }

    fn each<'w, 'a>(&self, world: &'w World<'a>) -> Option<Each<'w, 'a>> {
        Some(Box::new(move |index, workload, claims| {
            for container in &workload.containers {
                let variables = variables(world, index, container);
                claim_variables(world, index, container.name(), &variables, claims);
            }
        }))
    }
}

/// All variables of a container; those named one by one override those taken whole.
pub(super) fn variables<'a>(world: &World<'a>, index: usize, container: &Container<'a>) -> Vec<Variable<'a>> {
    let Some(workload) = world.workloads.get(index) else { return Vec::new() };
    let namespace = workload.namespace.as_str();
    let mut out: BTreeMap<String, Variable<'a>> = BTreeMap::new();
    for whole in container.env_from() {
        let object = match whole.kind {
            EnvSourceKind::ConfigMap => world.config_map(namespace, whole.name),
            EnvSourceKind::Secret => world.secret(namespace, whole.name),
            EnvSourceKind::Field | EnvSourceKind::Resource => None,
        };
        let Some(object) = object else { continue };
        let directory = world.directories.get(whole.kind, namespace, whole.name);
        for (at, entry) in data(object).into_iter().enumerate() {
            let name = format!("{}{}", whole.prefix, entry.key);
            let inside = directory.map_or(Confidence::Likely, |d| d.confidence(world, index, at));
            let from = format!("{} of {} {}, taken whole", entry.key, object.kind(), object.name());
            let (text, value, span) = (entry.text, entry.value, entry.span);
            out.insert(name.clone(), Variable { name, text, value, span, from, inside });
        }
    }
    for variable in container.env() {
        let name = variable.name.to_owned();
        if let Some(value) = variable.value {
            let Some(text) = value.scalar_text() else { continue };
            let (from, inside) = (name.clone(), Confidence::Certain);
            let span = value.span();
            let text = expand(text, Syntax::Kubernetes, &|name| {
                out.get(name).filter(|_| !credentials::may_be_secret(name)).map(|v| v.text.to_string())
            });
            // What comes from other variables stands elsewhere.
            let value = Some(value).filter(|_| matches!(text, Cow::Borrowed(_)));
            out.insert(name.clone(), Variable { name, text, value, span, from, inside });
        } else if let Some(source) = &variable.source {
            let object = match source.kind {
                EnvSourceKind::ConfigMap => world.config_map(namespace, source.name),
                EnvSourceKind::Secret => world.secret(namespace, source.name),
                EnvSourceKind::Field | EnvSourceKind::Resource => None,
            };
            let entry = object.and_then(|o| data(o).into_iter().find(|e| e.key == source.key));
            let (Some(object), Some(entry)) = (object, entry) else { continue };
            let from = format!("{name}, which is {} of {} {}", entry.key, object.kind(), object.name());
            let inside = Confidence::Certain;
            let (text, value, span) = (entry.text, entry.value, entry.span);
            out.insert(name.clone(), Variable { name, text, value, span, from, inside });
        }
    }
    out.into_values().collect()
}

/// The value of a variable by name.
pub(super) fn value_of(variables: &[Variable<'_>], name: &str) -> Option<String> {
    // A password is not put where it could be taken for a part of an address.
    let own = variables.iter().find(|v| v.name == name && !credentials::may_be_secret(name));
    own.map(|v| v.text.trim().to_owned())
}

/// The entries of a ConfigMap or a Secret as texts.
fn data(object: Object<'_>) -> Vec<secret_data::Entry<'_>> {
    secret_data::entries(object)
}

fn claim_variables(world: &World<'_>, index: usize, container: &str, variables: &[Variable<'_>], claims: &mut Claims) {
    let text_of = |name: &str| variables.iter().find(|v| v.name == name).map(|v| v.text.trim());
    for variable in variables {
        for Setting { key, address, port, .. } in settings_of(variable, &text_of) {
            let place = variable.value.and_then(|v| v.subspan(address.range.clone()));
            let text = format!("container {container} has {}", variable.from);
            let finding = Finding {
                key: &key,
                port,
                inside: variable.inside,
                outside: Confidence::Likely.min(variable.inside),
                place,
                note: Note::stated(place.unwrap_or(variable.span), text),
            };
            let before = claims.flows.len();
            traffic::claim(world, index, &address, &finding, claims);
            let others = variables.iter().map(|v| (v.name.as_str(), &*v.text));
            if let Some((name, tls)) = tls_settings::beside(&variable.name, &address, others)
                && let Some(setting) = variables.iter().find(|v| v.name == name)
            {
                let note = Note::stated(setting.span, format!("container {container} has {}", setting.from));
                let value = attr::ENCRYPTION.value(if tls { Encryption::Encrypted } else { Encryption::Plain });
                for claim in claims.flows.iter_mut().skip(before) {
                    claim.attributes.retain(|(attribute, ..)| *attribute != attr::ENCRYPTION.id);
                    claim.attributes.push((attr::ENCRYPTION.id, value, note.clone()));
                }
            }
        }
    }
}

/// The addresses of a variable: of its value, or of the settings in it if it is JSON.
fn settings_of<'t>(variable: &Variable<'_>, text_of: &dyn Fn(&str) -> Option<&'t str>) -> Vec<Setting> {
    if variable.text.trim_start().starts_with('{') {
        return settings::find(&variable.text);
    }
    let key = variable.name.as_str();
    let mut addresses = traffic::addresses(key, &variable.text);
    if addresses.is_empty() && traffic::is_address_key(key) {
        addresses.extend(host_list(&variable.text));
    }
    let port = sibling_port(key, text_of);
    let setting = |address: Address| Setting { key: key.to_owned(), address, port, listed: false };
    addresses.into_iter().map(setting).collect()
}

/// Names without ports in a list: `cache-0,cache-1`.
fn host_list(text: &str) -> Vec<Address> {
    if !text.contains([',', ';']) {
        return Vec::new();
    }
    let mut at = 0;
    let mut out = Vec::new();
    for part in text.split([',', ';']) {
        if let Some(mut address) = address::bare(part) {
            address.range = at + address.range.start..at + address.range.end;
            out.push(address);
        }
        at += part.len() + 1;
    }
    out
}

/// The port that belongs to a host variable: `DB_PORT` beside `DB_HOST`, `PGPORT` beside `PGHOST`.
fn sibling_port<'t>(name: &str, text_of: &dyn Fn(&str) -> Option<&'t str>) -> Option<u16> {
    let upper = name.to_ascii_uppercase();
    let ends = ["HOSTNAME", "HOST_NAME", "HOST", "ADDRESS", "ADDR", "SERVER", "ENDPOINT", "SERVICE"];
    let end = ends.into_iter().find(|end| upper.ends_with(end))?;
    let stem = name.get(..name.len() - end.len())?;
    let port = if name == upper { "PORT" } else { "port" };
    [format!("{stem}{port}"), format!("{name}_{port}"), format!("{stem}Port"), format!("{stem}_PORT")]
        .iter()
        .find_map(|n| text_of(n)?.parse().ok().filter(|p| *p > 0))
}
