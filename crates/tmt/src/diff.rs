//! What changed between two model files, in terms of the model.

use std::collections::{BTreeMap, BTreeSet};

use crate::surface::{Shape, ShapeKind, Surface, Thing};
use crate::threats::Instance;
use crate::tm7::Tm7;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What happened.
    pub kind: Kind,
    /// `element`, `flow`, `boundary`, `threat`, `diagram`, `model` or `template`.
    pub what: &'static str,
    /// Its name and its GUID or key.
    pub name: String,
    /// The GUID or key.
    pub id: String,
    /// For changes: what of it, and from what to what.
    pub detail: String,
}

/// What happened to a part of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Something about it is different.
    Changed,
}

impl Kind {
    /// The sign in front of a line.
    pub fn sign(self) -> char {
        match self {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
        }
    }
}

/// All changes from one model to another. Where something stands in a diagram is one change, however far it moved.
pub fn diff(from: &Tm7, to: &Tm7) -> Vec<Difference> {
    let mut out = Vec::new();
    let meta = [
        ("name", &from.meta.name, &to.meta.name),
        ("owner", &from.meta.owner, &to.meta.owner),
        ("reviewer", &from.meta.reviewer, &to.meta.reviewer),
        ("contributors", &from.meta.contributors, &to.meta.contributors),
        ("description", &from.meta.description, &to.meta.description),
        ("assumptions", &from.meta.assumptions, &to.meta.assumptions),
        ("external dependencies", &from.meta.dependencies, &to.meta.dependencies),
    ];
    for (field, old, new) in meta.into_iter().filter(|(_, old, new)| old != new) {
        out.push(changed("model", "", "", arrow(field, old, new)));
    }
    if from.knowledge != to.knowledge {
        let versions = (&from.knowledge.version, &to.knowledge.version);
        // The version is no key: the same one occurs with different content.
        let same = versions.0 == versions.1;
        let detail = if same { "content".to_owned() } else { arrow("version", versions.0, versions.1) };
        out.push(changed("template", &to.knowledge.name, "", detail));
    }
    let diagrams = |model: &Tm7| model.surfaces.iter().map(|s| (s.guid.clone(), s.clone())).collect::<BTreeMap<_, _>>();
    let named = |surface: &Surface| surface.name.clone();
    pairs("diagram", &diagrams(from), &diagrams(to), named, &mut out, |old, new| {
        if old.name == new.name { Vec::new() } else { vec![arrow("name", &old.name, &new.name)] }
    });
    for borders in [false, true] {
        let of = |model: &Tm7| -> BTreeMap<String, Shape> {
            let shapes = model.surfaces.iter().flat_map(|s| &s.shapes);
            let wanted = shapes.filter(|s| (s.kind == ShapeKind::Border) == borders);
            wanted.map(|s| (s.thing.guid.clone(), s.clone())).collect()
        };
        let what = if borders { "boundary" } else { "element" };
        pairs(
            what,
            &of(from),
            &of(to),
            |s| s.thing.name.clone(),
            &mut out,
            |old, new| {
                let mut details = things(&old.thing, &new.thing);
                if old.area != new.area {
                    details.push("place or size".to_owned());
                }
                details
            },
        );
    }
    for boundary in [false, true] {
        let of = |model: &Tm7| {
            let lines = model.surfaces.iter().flat_map(|s| &s.lines).filter(|l| l.is_boundary == boundary);
            lines.map(|l| (l.thing.guid.clone(), l.clone())).collect::<BTreeMap<_, _>>()
        };
        let what = if boundary { "boundary" } else { "flow" };
        pairs(
            what,
            &of(from),
            &of(to),
            |l| l.thing.name.clone(),
            &mut out,
            |old, new| {
                let mut details = things(&old.thing, &new.thing);
                for (field, a, b) in [("source", &old.source, &new.source), ("target", &old.target, &new.target)] {
                    if a != b {
                        details.push(arrow(field, &name_of(from, a), &name_of(to, b)));
                    }
                }
                if old.curve != new.curve {
                    details.push("course".to_owned());
                }
                details
            },
        );
    }
    let threats = |model: &Tm7| model.threats.iter().map(|t| (t.key.clone(), t.clone())).collect::<BTreeMap<_, _>>();
    let title = |t: &Instance| t.property("Title").to_owned();
    pairs("threat", &threats(from), &threats(to), title, &mut out, |old, new| {
        let mut details = Vec::new();
        if old.state != new.state {
            details.push(arrow("state", old.state.title(), new.state.title()));
        }
        if old.justification != new.justification {
            details.push(arrow("justification", &old.justification, &new.justification));
        }
        if old.priority != new.priority {
            details.push(arrow("priority", &old.priority, &new.priority));
        }
        let keys: BTreeSet<&String> = old.properties.keys().chain(new.properties.keys()).collect();
        for key in keys.into_iter().filter(|key| !["Priority", "StateInformation"].contains(&key.as_str())) {
            if old.property(key) != new.property(key) {
                details.push(arrow(key, old.property(key), new.property(key)));
            }
        }
        details
    });
    out
}

/// The name of the shape with this GUID.
fn name_of(model: &Tm7, guid: &str) -> String {
    let mut shapes = model.surfaces.iter().flat_map(|s| &s.shapes);
    shapes.find(|s| s.thing.guid == guid).map_or_else(|| guid.to_owned(), |s| s.thing.name.clone())
}

fn arrow(field: &str, old: &str, new: &str) -> String {
    format!("{field}: {old:?} → {new:?}")
}

fn changed(what: &'static str, name: &str, id: &str, detail: String) -> Difference {
    Difference { kind: Kind::Changed, what, name: name.to_owned(), id: id.to_owned(), detail }
}

/// What of a shape or line is different, apart from where it is.
fn things(old: &Thing, new: &Thing) -> Vec<String> {
    let mut details = Vec::new();
    if old.name != new.name {
        details.push(arrow("name", &old.name, &new.name));
    }
    if old.stencil != new.stencil {
        details.push(arrow("stencil", &old.stencil, &new.stencil));
    }
    let values = |thing: &Thing| -> BTreeMap<String, String> {
        let all = thing.properties.iter().filter(|p| p.display != "Name");
        all.map(|p| (p.display.clone(), p.value.clone())).collect()
    };
    let (old, new) = (values(old), values(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let value = |of: &BTreeMap<String, String>| of.get(name).cloned().unwrap_or_default();
        if value(&old) != value(&new) {
            details.push(arrow(name, &value(&old), &value(&new)));
        }
    }
    details
}

fn pairs<T>(
    what: &'static str,
    from: &BTreeMap<String, T>,
    to: &BTreeMap<String, T>,
    name: impl Fn(&T) -> String,
    out: &mut Vec<Difference>,
    details: impl Fn(&T, &T) -> Vec<String>,
) {
    let one = |kind, id: &String, item: &T, detail| Difference { kind, what, name: name(item), id: id.clone(), detail };
    for (id, old) in from {
        match to.get(id) {
            None => out.push(one(Kind::Removed, id, old, String::new())),
            Some(new) => out.extend(details(old, new).into_iter().map(|detail| one(Kind::Changed, id, new, detail))),
        }
    }
    let added = to.iter().filter(|(id, _)| !from.contains_key(*id));
    out.extend(added.map(|(id, new)| one(Kind::Added, id, new, String::new())));
}
