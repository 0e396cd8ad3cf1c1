//! What a file that is written over holds already: places, decisions, texts about the model, and what people drew
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::surface::{Area, Curve, Thing};
use crate::threats::Instance;
use crate::tm7::Tm7;
use crate::xml::{Tree, Xml};

/// The parts of a file that are kept.
#[derive(Debug, Default)]
pub struct Existing {
    pub(crate) areas: BTreeMap<String, Area>,
    pub(crate) curves: BTreeMap<String, Curve>,
    /// What people changed about threats, by key.
    pub(crate) decisions: BTreeMap<String, Instance>,
    /// The numbers of threats, by key.
    pub(crate) numbers: BTreeMap<String, u32>,
    /// What people took out of scope, by GUID, with why.
    pub(crate) out_of_scope: BTreeMap<String, String>,
    /// Shapes and lines of the diagram as they stand in the file, by GUID.
    pub(crate) shapes: Vec<(String, String)>,
    pub(crate) lines: Vec<(String, String)>,
    /// Diagrams that hold nothing of ours, as they stand in the file.
    pub(crate) diagrams: Vec<String>,
    /// Threats as they stand in the file.
    pub(crate) threats: Vec<(Instance, String)>,
    /// GUID and name of our diagram.
    pub(crate) page: Option<(String, String)>,
    /// `MetaInformation` and `Notes` as they stand in the file.
    pub(crate) about: Option<String>,
    /// The name of the model.
    pub name: Option<String>,
    /// The name of the template, if it is not ours.
    pub foreign_template: Option<String>,
}

impl Existing {
    /// What a file holds.
    pub fn read(tree: &Tree<'_>, tm7: &Tm7) -> Self {
        let mut existing = Self::default();
        for surface in &tm7.surfaces {
            let shapes = surface.shapes.iter().filter_map(|s| Some((s.thing.guid.clone(), s.area?)));
            existing.areas.extend(shapes);
            existing.curves.extend(surface.lines.iter().filter_map(|l| Some((l.thing.guid.clone(), l.curve?))));
            let things = surface.shapes.iter().map(|s| &s.thing).chain(surface.lines.iter().map(|l| &l.thing));
            existing.out_of_scope.extend(things.filter_map(taken_out));
        }
        existing.name = Some(tm7.meta.name.clone()).filter(|name| !name.is_empty());
        let template = &tm7.knowledge.name;
        existing.foreign_template = (template != super::knowledge::NAME).then(|| template.clone());
        for instance in &tm7.threats {
            if let Ok(number) = instance.number.parse() {
                existing.numbers.insert(instance.key.clone(), number);
            }
            if instance.is_touched() {
                existing.decisions.insert(instance.key.clone(), instance.clone());
            }
        }
        let root = tree.root();
        let raw = |part: Xml<'_, '_>| tree.text().get(part.range()).unwrap_or("").to_owned();
        for surface in root.child("DrawingSurfaceList").into_iter().flat_map(Xml::children) {
            let all = |list: &str| surface.child(list).into_iter().flat_map(Xml::children).collect::<Vec<_>>();
            let pairs = |list: &str| all(list).into_iter().map(|p| (p.child_text("Key").into_owned(), raw(p)));
            let (shapes, lines): (Vec<_>, Vec<_>) = (pairs("Borders").collect(), pairs("Lines").collect());
            let guid = surface.child_text("Guid").into_owned();
            if !is_ours(&guid) && !shapes.iter().chain(&lines).any(|(guid, _)| is_ours(guid)) {
                existing.diagrams.push(raw(surface));
                continue;
            }
            existing.page.get_or_insert((guid, surface.child_text("Header").into_owned()));
            existing.shapes.extend(shapes);
            existing.lines.extend(lines);
        }
        let threats = root.child("ThreatInstances").into_iter().flat_map(Xml::children);
        existing.threats = threats.filter_map(|p| Some((Instance::read(p)?, raw(p)))).collect();
        let about: String = ["MetaInformation", "Notes"].into_iter().filter_map(|n| root.child(n)).map(raw).collect();
        existing.about = Some(about).filter(|about| about.contains("<MetaInformation") && about.contains("<Notes"));
        existing
    }

    /// Shapes or lines that are none of ours.
    pub(crate) fn drawn_by_hand<'e>(
        list: &'e [(String, String)],
        ours: &'e BTreeSet<String>,
    ) -> impl Iterator<Item = &'e (String, String)> {
        list.iter().filter(|(guid, _)| !ours.contains(guid) && !is_ours(guid))
    }
}

/// Whether we made a GUID: ours have version 8.
pub(crate) fn is_ours(guid: &str) -> bool {
    guid.chars().nth(14) == Some('8')
}

/// What somebody took out of scope, and why.
fn taken_out(thing: &Thing) -> Option<(String, String)> {
    let reason = thing.properties.iter().find(|p| p.display == super::surface::REASON).map_or("", |p| &p.value);
    (thing.out_of_scope && reason != super::surface::ONLY_POSSIBLE).then(|| (thing.guid.clone(), reason.to_owned()))
}
