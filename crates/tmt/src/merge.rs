//! Three versions of a model file made one: what only one side changed is taken over, what both changed is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::write::{Patches, renumbered};
use crate::xml::{Tree, Xml};

/// A part that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which part: the list, the GUID or key, and the field.
    pub part: String,
    /// What the thing is called, of which the part is one field.
    pub of: Option<String>,
    /// What our side has; nothing where it was removed.
    pub ours: Option<String>,
    /// What their side has.
    pub theirs: Option<String>,
}

/// Merges what their side changed since the base into our side's text. Where both changed the same, ours stays, and the
/// conflict is named.
pub fn merge(base: &Tree<'_>, ours: &Tree<'_>, theirs: &Tree<'_>) -> (String, Vec<Conflict>) {
    let mut merge = Merge { patches: Patches::default(), conflicts: Vec::new(), next: next_object(ours) };
    let roots = [base.root(), ours.root(), theirs.root()];
    merge.fields("model", &roots.map(|r| r.child("MetaInformation")));
    merge.fields("Notes", &roots.map(|r| r.child("Notes")));
    merge.diagrams(roots);
    merge.list("ThreatInstances", &roots.map(|r| r.child("ThreatInstances")));
    merge.whole("KnowledgeBase", roots.map(|r| r.child("KnowledgeBase")));
    (merge.patches.apply(ours.text()), merge.conflicts)
}

/// Diagrams by GUID.
fn diagrams<'t, 'a>(root: Xml<'t, 'a>) -> BTreeMap<String, Xml<'t, 'a>> {
    let all = root.child("DrawingSurfaceList").into_iter().flat_map(Xml::children);
    all.map(|diagram| (diagram.child_text("Guid").into_owned(), diagram)).collect()
}

/// The number of the next object that the file does not use.
fn next_object(tree: &Tree<'_>) -> u32 {
    let ids = tree.text().split("z:Id=\"i").skip(1).filter_map(|rest| rest.split_once('"')?.0.parse::<u32>().ok());
    ids.max().unwrap_or(0).saturating_add(1)
}

struct Merge {
    patches: Patches,
    conflicts: Vec<Conflict>,
    next: u32,
}

/// The values of an element by path; entries of lists are named by their key, name or position.
fn leaves(xml: Xml<'_, '_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    collect(xml, String::new(), &mut out);
    out
}

fn collect(xml: Xml<'_, '_>, path: String, out: &mut BTreeMap<String, String>) {
    let named = named(xml);
    if named.is_empty() {
        out.insert(path, xml.text().into_owned());
        return;
    }
    for (name, child) in named {
        collect(child, format!("{path}/{name}"), out);
    }
}

/// The children of an element, each with a name that no other has.
fn named<'t, 'a>(xml: Xml<'t, 'a>) -> Vec<(String, Xml<'t, 'a>)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let name = |child| {
        let name = entry_name(child);
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        (if *count > 1 { format!("{name}#{count}") } else { name }, child)
    };
    xml.children().map(name).collect()
}

/// What tells an entry from its siblings.
fn entry_name(xml: Xml<'_, '_>) -> String {
    let own = ["Key", "Name", "DisplayName"].iter().map(|n| xml.child_text(n)).find(|text| !text.is_empty());
    own.map_or_else(|| xml.name().to_owned(), |own| format!("{}[{own}]", xml.name()))
}

/// The element at a path of [`leaves`].
fn at<'t, 'a>(xml: Xml<'t, 'a>, path: &str) -> Option<Xml<'t, 'a>> {
    let Some(rest) = path.strip_prefix('/') else { return Some(xml) };
    for (name, child) in named(xml) {
        match rest.strip_prefix(&name) {
            Some("") => return Some(child),
            Some(deeper) if deeper.starts_with('/') => return at(child, deeper),
            _ => {}
        }
    }
    None
}

impl Merge {
    /// Diagrams: added, removed and changed ones.
    fn diagrams(&mut self, roots: [Xml<'_, '_>; 3]) {
        let [base, ours, theirs] = roots.map(diagrams);
        let guids: BTreeSet<&String> = base.keys().chain(theirs.keys()).collect();
        let mut added = String::new();
        for guid in guids {
            let sides = [base.get(guid).copied(), ours.get(guid).copied(), theirs.get(guid).copied()];
            let name = format!("DrawingSurfaceList/{guid}");
            let header = |diagram: Xml<'_, '_>| Some(diagram.child_text("Header").into_owned());
            match sides {
                [None, None, Some(new)] => added.push_str(&self.copied(new)),
                [Some(old), Some(own), None] if leaves(old) == leaves(own) => {
                    self.patches.replace(own.range(), String::new());
                }
                [Some(_), Some(own), None] => self.conflict(name, header(own), None),
                [Some(old), None, Some(new)] if leaves(old) != leaves(new) => self.conflict(name, None, header(new)),
                [_, Some(_), Some(_)] => {
                    for field in ["Header", "Properties"] {
                        self.fields(&format!("{name}/{field}"), &sides.map(|s| s?.child(field)));
                    }
                    for list in ["Borders", "Lines"] {
                        self.list(list, &sides.map(|s| s?.child(list)));
                    }
                }
                _ => {}
            }
        }
        self.add(roots[1].child("DrawingSurfaceList"), "DrawingSurfaceList", added);
    }

    /// Puts new entries at the end of our list; a conflict if there is no such list.
    fn add(&mut self, list: Option<Xml<'_, '_>>, part: &str, added: String) {
        match list {
            _ if added.is_empty() => {}
            Some(list) => self.append(list, added),
            None => self.conflict(part.to_owned(), None, Some("new entries".to_owned())),
        }
    }

    /// Entries of a list by key: added, removed and changed ones.
    fn list(&mut self, part: &str, sides: &[Option<Xml<'_, '_>>; 3]) {
        let [base, ours, theirs] = sides.map(|side| {
            let all = side.into_iter().flat_map(Xml::children);
            all.map(|pair| (pair.child_text("Key").into_owned(), pair)).collect::<BTreeMap<_, _>>()
        });
        let keys: BTreeSet<&String> = base.keys().chain(theirs.keys()).collect();
        let mut added = String::new();
        for key in keys {
            let name = format!("{part}/{key}");
            match (base.get(key), ours.get(key), theirs.get(key)) {
                (None, None, Some(new)) => added.push_str(&self.copied(*new)),
                (Some(old), Some(own), None) if leaves(*old) == leaves(*own) => {
                    self.patches.replace(own.range(), String::new());
                }
                (Some(_), Some(own), None) => self.conflict(name, Some(title(*own)), None),
                (Some(old), None, Some(new)) if leaves(*old) != leaves(*new) => {
                    self.conflict(name, None, Some(title(*new)));
                }
                (old, Some(own), Some(new)) => self.fields(&name, &[old.copied(), Some(*own), Some(*new)]),
                _ => {}
            }
        }
        self.add(sides[1], part, added);
    }

    /// Puts entries at the end of a list, which may be written as one tag.
    fn append(&mut self, list: Xml<'_, '_>, added: String) {
        if list.is_empty_tag() {
            let attributes: String = list
                .attributes()
                .iter()
                .map(|(n, v)| format!(" {n}=\"{}\"", crate::write::escaped_attribute(v)))
                .collect();
            let name = list.qualified_name();
            self.patches.replace(list.range(), format!("<{name}{attributes}>{added}</{name}>"));
        } else {
            let end = list.content().end;
            self.patches.replace(end..end, added);
        }
    }

    /// An entry of the other file, with a number of its own for its object.
    fn copied(&mut self, pair: Xml<'_, '_>) -> String {
        renumbered(pair.source(), || {
            self.next = self.next.saturating_add(1);
            format!("i{}", self.next.saturating_sub(1))
        })
    }

    /// Values of one element, field by field.
    fn fields(&mut self, part: &str, sides: &[Option<Xml<'_, '_>>; 3]) {
        let [base, ours, theirs] = sides;
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
        let old = base.map(leaves).unwrap_or_default();
        let (own, new) = (leaves(*ours), leaves(*theirs));
        if own == new {
            return;
        }
        let same_shape = own.keys().eq(new.keys());
        if !same_shape {
            // Fields were added or removed: that can only be taken over as a whole.
            if old == own {
                let text = self.copied(*theirs);
                self.patches.replace(ours.range(), text);
            } else if old != new {
                self.conflict(part.to_owned(), Some(title(*ours)), Some(title(*theirs)));
            }
            return;
        }
        for (path, their_value) in &new {
            let our_value = own.get(path);
            if our_value == Some(their_value) || old.get(path) == Some(their_value) {
                continue;
            }
            if old.get(path) == our_value {
                if let Some(leaf) = at(*ours, path) {
                    self.patches.set_text(leaf, their_value);
                }
            } else {
                self.conflict(format!("{part}{path}"), our_value.cloned(), Some(their_value.clone()));
                if let Some(conflict) = self.conflicts.last_mut() {
                    conflict.of = Some(title(*ours));
                }
            }
        }
    }

    /// A part that is taken over as a whole or not at all.
    fn whole(&mut self, part: &str, sides: [Option<Xml<'_, '_>>; 3]) {
        let [Some(base), Some(ours), Some(theirs)] = sides else { return };
        let [old, own, new] = [base, ours, theirs].map(leaves);
        if old == own && own != new {
            let text = self.copied(theirs);
            self.patches.replace(ours.range(), text);
        } else if old != new && own != new {
            let version = |xml: Xml<'_, '_>| xml.child("Manifest").map(|m| m.child_text("Version").into_owned());
            self.conflict(part.to_owned(), version(ours), version(theirs));
        }
    }

    fn conflict(&mut self, part: String, ours: Option<String>, theirs: Option<String>) {
        self.conflicts.push(Conflict { part, of: None, ours, theirs });
    }
}

/// What an entry is called, for people.
fn title(pair: Xml<'_, '_>) -> String {
    let all = leaves(pair);
    let named = |suffix: &str| all.iter().find(|(path, _)| path.contains(suffix)).map(|(_, value)| value.clone());
    named("[Title]/Value").or_else(|| named("[Name]/Value")).unwrap_or_else(|| pair.child_text("Key").into_owned())
}
