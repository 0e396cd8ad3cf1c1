//! The template of a model: its types of elements and of threats.
//!
//! A `.tb7` file is one; every `.tm7` file carries one whole in its `KnowledgeBase`, where the same things have other
//! names (`Id` and `ParentId` for `ID` and `ParentElement`).

use std::collections::BTreeMap;

use crate::xml::Xml;

/// A template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// The template's name, such as `SDL TM Knowledge Base (Core)`.
    pub name: String,
    /// Its version, which is no key: the same one occurs with different content.
    pub version: String,
    /// Stencils, generic ones first.
    pub elements: Vec<ElementType>,
    /// Categories in order.
    pub categories: Vec<Category>,
    /// Types of threats in order.
    pub threats: Vec<Rule>,
    /// Priorities that a person can choose from.
    pub priorities: Vec<String>,
}

/// A stencil.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElementType {
    /// Such as `SE.P.TMCore.WinApp`, or a GUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// The id of the stencil that it inherits from; `ROOT` at the top.
    pub parent: String,
    /// Whether it is one of the generic ones.
    pub generic: bool,
    /// What can be set on it, without what it inherits.
    pub attributes: Vec<AttributeType>,
}

/// An attribute of a stencil.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeType {
    /// As filters write it.
    pub name: String,
    /// For people.
    pub display: String,
    /// Whether its value is the stencil's and cannot be chosen.
    pub fixed: bool,
    /// The values; the first is the default.
    pub values: Vec<String>,
}

/// A category of threats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Category {
    /// One letter in most templates.
    pub id: String,
    /// Such as `Spoofing`.
    pub name: String,
    /// What it means, in a sentence.
    pub short: String,
}

/// A type of threat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// Such as `S1`, or a GUID.
    pub id: String,
    /// With placeholders: `Spoofing the {source.Name} Process`.
    pub title: String,
    /// The id of its category.
    pub category: String,
    /// When it applies.
    pub include: String,
    /// When it does not apply although `include` holds.
    pub exclude: String,
    /// With placeholders.
    pub description: String,
    /// Default values of other properties by name, such as `Priority` and `PossibleMitigations`.
    pub properties: BTreeMap<String, String>,
}

impl Knowledge {
    /// Reads a `KnowledgeBase` element of a `.tm7` or a `.tb7` file.
    pub fn read(root: Xml<'_, '_>) -> Self {
        let mut knowledge = Self::default();
        if let Some(manifest) = root.child("Manifest") {
            let field = |attribute: &str, child: &str| {
                manifest.attribute(attribute).unwrap_or_else(|| manifest.child_text(child).into_owned())
            };
            knowledge.name = field("name", "Name");
            knowledge.version = field("version", "Version");
        }
        for (list, generic) in [("GenericElements", true), ("StandardElements", false)] {
            let types = root.child(list).into_iter().flat_map(Xml::children);
            knowledge.elements.extend(types.map(|element| element_type(element, generic)));
        }
        let of = |list: &str| root.child(list).into_iter().flat_map(Xml::children);
        knowledge.categories = of("ThreatCategories").map(category).collect();
        knowledge.threats = of("ThreatTypes").map(rule).collect();
        let data = root.child("ThreatMetaData").and_then(|d| d.child("PropertiesMetaData"));
        let priority = data.into_iter().flat_map(Xml::children).find(|d| d.child_text("Name") == "Priority");
        knowledge.priorities = priority.map(values).unwrap_or_default();
        knowledge
    }

    /// The template that a file is (`.tb7`) or holds (`.tm7`), by the file's root.
    pub fn of(root: Xml<'_, '_>) -> Option<Self> {
        let own = if root.name() == "KnowledgeBase" { Some(root) } else { root.child("KnowledgeBase") };
        own.map(Self::read)
    }

    /// The stencil with this id.
    pub fn element(&self, id: &str) -> Option<&ElementType> {
        self.elements.iter().find(|e| e.id == id)
    }

    /// The category with this id.
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|c| c.id == id)
    }
}

fn either(element: Xml<'_, '_>, names: [&str; 2]) -> String {
    names.iter().find_map(|name| element.child(name)).map(|c| c.text().into_owned()).unwrap_or_default()
}

fn element_type(element: Xml<'_, '_>, generic: bool) -> ElementType {
    let attributes = element.child("Attributes").into_iter().flat_map(Xml::children);
    ElementType {
        id: either(element, ["Id", "ID"]),
        name: element.child_text("Name").into_owned(),
        parent: either(element, ["ParentId", "ParentElement"]),
        generic,
        attributes: attributes
            .map(|attribute| AttributeType {
                name: attribute.child_text("Name").into_owned(),
                display: attribute.child_text("DisplayName").into_owned(),
                fixed: attribute.child_text("Mode") == "Static",
                values: attribute
                    .child("AttributeValues")
                    .into_iter()
                    .flat_map(Xml::children)
                    .map(|v| v.text().into_owned())
                    .collect(),
            })
            .collect(),
    }
}

fn category(element: Xml<'_, '_>) -> Category {
    Category {
        id: element.child_text("Id").into_owned(),
        name: element.child_text("Name").into_owned(),
        short: element.child_text("ShortDescription").into_owned(),
    }
}

/// The values of a datum that are not marked as none.
fn values(datum: Xml<'_, '_>) -> Vec<String> {
    let values = datum.child("Values").into_iter().flat_map(Xml::children);
    values.filter(|v| !v.is_nil()).map(|v| v.text().into_owned()).collect()
}

fn rule(element: Xml<'_, '_>) -> Rule {
    let filters = element.child("GenerationFilters");
    let filter = |name: &str| filters.map(|f| f.child_text(name).into_owned()).unwrap_or_default();
    let data = element.child("PropertiesMetaData").into_iter().flat_map(Xml::children);
    let properties = data.filter_map(|datum| {
        let value = values(datum).into_iter().next()?;
        Some((datum.child_text("Name").into_owned(), value))
    });
    Rule {
        id: either(element, ["Id", "ID"]),
        title: element.child_text("ShortTitle").into_owned(),
        category: element.child_text("Category").into_owned(),
        include: filter("Include"),
        exclude: filter("Exclude"),
        description: element.child_text("Description").into_owned(),
        properties: properties.collect(),
    }
}
