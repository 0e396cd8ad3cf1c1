//! Decisions written back into a model file.

use std::collections::BTreeSet;

use crate::emit::{self, Stored};
use crate::threats::State;
use crate::write::{Patches, escaped};
use crate::xml::{Tree, Xml};

/// What to change about one threat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// TMT's key of the threat.
    pub key: String,
    /// The new state.
    pub state: Option<State>,
    /// The new justification.
    pub justification: Option<String>,
    /// The new priority.
    pub priority: Option<String>,
    /// Who changed it.
    pub by: String,
    /// When, as the tool writes it: `2026-11-23T19:50:00.0000000+00:00`.
    pub at: String,
}

/// A threat that the template generates and the file does not store yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct New {
    /// TMT's key.
    pub key: String,
    /// The id of its type.
    pub rule: String,
    /// GUIDs of diagram, source, flow and target.
    pub guids: [String; 4],
    /// The name of the flow.
    pub interaction: String,
    /// Title, category, its meaning, description.
    pub texts: [String; 4],
    /// Its priority.
    pub priority: String,
}

/// Changes to threats that the file does not store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model stores no threat {0}; name it by its number (the column Id of the CSV) or by its id in the JSON output"
)]
pub struct Missing(pub String);

/// The text of a model file with changed threats. Only the changed fields of the changed threats are written.
///
/// Threats that the template generates and that are not stored yet (`new`) are stored when they are decided.
///
/// # Errors
/// A threat that is neither stored nor generated.
pub fn triage(tree: &Tree<'_>, changes: &[Change], new: &[New]) -> Result<String, Missing> {
    let mut patches = Patches::default();
    let list = tree.root().child("ThreatInstances");
    let numbers = list.into_iter().flat_map(Xml::children).filter_map(|pair| pair.child("Value"));
    let mut next =
        numbers.filter_map(|v| v.child_text("Id").parse::<u32>().ok()).max().map_or(0, |n| n.saturating_add(1));
    let mut added = String::new();
    let stored: Vec<Xml<'_, '_>> = tree.root().child("ThreatInstances").into_iter().flat_map(Xml::children).collect();
    let mut seen = BTreeSet::new();
    for change in changes {
        let before = patches.len();
        let is = |pair: &&Xml<'_, '_>| {
            pair.child_text("Key") == change.key
                || pair.child("Value").is_some_and(|v| v.child_text("Id") == change.key)
        };
        let found = stored.iter().find(is);
        let Some(value) = found.and_then(|pair| pair.child("Value")) else {
            let new = new.iter().find(|new| new.key == change.key).ok_or_else(|| Missing(change.key.clone()))?;
            if !seen.insert((usize::MAX, new.key.as_str())) {
                continue;
            }
            added.push_str(&stored_anew(new, change, next));
            next = next.saturating_add(1);
            continue;
        };
        // A threat may be named twice, by its number and by its key.
        if !seen.insert((value.range().start, "")) {
            continue;
        }
        let set = |name: &str, text: &str, patches: &mut Patches| {
            if let Some(field) = value.child(name).filter(|field| field.text() != text) {
                patches.set_text(field, text);
            }
            // Titles, priorities and justifications stand in a list of properties as well.
            let properties = value.child("Properties").into_iter().flat_map(Xml::children);
            for property in properties.filter(|p| p.child_text("Key") == name) {
                if let Some(field) = property.child("Value").filter(|field| field.text() != text) {
                    patches.set_text(field, text);
                }
            }
        };
        if let Some(state) = change.state {
            set("State", state.as_str(), &mut patches);
        }
        if let Some(justification) = &change.justification {
            justify(value, justification, &mut patches);
        }
        if let Some(priority) = &change.priority {
            set("Priority", priority, &mut patches);
        }
        if patches.len() > before {
            let mut set = |name: &str, text: &str| {
                if let Some(field) = value.child(name) {
                    patches.set_text(field, text);
                }
            };
            set("ChangedBy", &change.by);
            set("ModifiedAt", &change.at);
        }
    }
    if let Some(list) = list.filter(|_| !added.is_empty()) {
        if list.is_empty_tag() {
            let name = list.qualified_name();
            let arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays";
            patches.replace(list.range(), format!("<{name} xmlns:a=\"{arrays}\">{added}</{name}>"));
        } else {
            let end = list.content().end;
            patches.replace(end..end, added);
        }
    }
    Ok(patches.apply(tree.text()))
}

/// A threat that was not stored yet, with what is decided about it.
fn stored_anew(new: &New, change: &Change, number: u32) -> String {
    let mut xml = emit::Xml::default();
    let stored = Stored {
        key: &new.key,
        number,
        guids: new.guids.each_ref().map(String::as_str),
        rule: &new.rule,
        interaction: &new.interaction,
        texts: new.texts.each_ref().map(String::as_str),
        mitigation: None,
        state: change.state.unwrap_or_default().as_str(),
        justification: change.justification.as_deref().unwrap_or(""),
        priority: change.priority.as_ref().unwrap_or(&new.priority),
        by: &change.by,
        at: &change.at,
    };
    stored.write(&mut xml);
    xml.text
}

/// The tool keeps justifications among the properties of a threat, behind the description; old files in a field.
fn justify(value: Xml<'_, '_>, text: &str, patches: &mut Patches) {
    const NAME: &str = "StateInformation";
    let field = value.child(NAME).filter(|field| !field.text().is_empty());
    let properties = || value.child("Properties").into_iter().flat_map(Xml::children);
    let property = properties().find(|p| p.child_text("Key") == NAME).and_then(|p| p.child("Value"));
    match (property, field) {
        (Some(old), _) | (None, Some(old)) if old.text() == text => {}
        (Some(old), _) | (None, Some(old)) => patches.set_text(old, text),
        (None, None) => {
            let before = properties().find(|p| p.child_text("Key") == "UserThreatDescription").or(properties().last());
            let Some(before) = before else { return };
            let name = before.qualified_name();
            let prefix = name.rsplit_once(':').map_or(String::new(), |(prefix, _)| format!("{prefix}:"));
            let text = escaped(text);
            let new =
                format!("<{name}><{prefix}Key>{NAME}</{prefix}Key><{prefix}Value>{text}</{prefix}Value></{name}>");
            patches.replace(before.range().end..before.range().end, new);
        }
    }
}
