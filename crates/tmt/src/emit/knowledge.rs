//! Our stencils and those of our threat types that the tool can generate, as its template.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubestride_model::{AttributeId, Model, Role, StencilId, Value};
use kubestride_template::filter::{ExportNames as _, export, read_attributes};
use kubestride_template::{Category, SubjectKind, ThreatType};

use super::Xml;
use super::names::{Ours, generic, guid};

/// Our threat types in the language of the tool.
#[derive(Default)]
pub(crate) struct Rules {
    /// `Include` by position of the type.
    pub(crate) include: BTreeMap<usize, String>,
    /// `Exclude` by position of the type: where a more precise type stands for it.
    pub(crate) exclude: BTreeMap<usize, String>,
    /// Attributes that rules read of elements, and of flows.
    pub(crate) of_elements: BTreeSet<AttributeId>,
    pub(crate) of_flows: BTreeSet<AttributeId>,
    /// Why types are not in the file.
    pub(crate) left_out: Vec<String>,
}

/// The types that the tool's language can say, with the attributes that they read.
pub(crate) fn rules(model: &Model, types: &[ThreatType]) -> Rules {
    let mut rules = Rules::default();
    let mut why: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (index, threat_type) in types.iter().enumerate() {
        let told = if threat_type.subject == SubjectKind::Flow {
            export(&threat_type.when, model.vocabulary(), &Ours(model.vocabulary()))
        } else {
            Err("the tool knows threats of flows only".to_owned())
        };
        match told {
            Ok(include) => {
                let mut read = Vec::new();
                read_attributes(&threat_type.when, &mut read);
                for (attribute, of_flow) in read {
                    if of_flow {
                        rules.of_flows.insert(attribute)
                    } else {
                        rules.of_elements.insert(attribute)
                    };
                }
                rules.include.insert(index, include);
            }
            Err(reason) => why.entry(reason).or_default().push(&threat_type.id),
        }
    }
    for (index, threat_type) in types.iter().enumerate() {
        let folding =
            rules.include.iter().filter(|(i, _)| types.get(**i).is_some_and(|t| t.folds.contains(&threat_type.id)));
        let folding: Vec<String> = folding.map(|(_, include)| format!("({include})")).collect();
        if !folding.is_empty() && rules.include.contains_key(&index) {
            rules.exclude.insert(index, folding.join(" or "));
        }
    }
    let listed = |(reason, ids): (String, Vec<&str>)| {
        format!("{} types of threats are not in the template, because {reason}: {}", ids.len(), ids.join(", "))
    };
    rules.left_out = why.into_iter().map(listed).collect();
    rules
}

/// Values that a shape can have for an attribute, the default first.
pub(crate) fn choices(model: &Model, attribute: AttributeId) -> Vec<String> {
    let Some(definition) = model.vocabulary().attribute(attribute) else { return Vec::new() };
    let mut values: Vec<String> = definition.domain.names().iter().map(ToString::to_string).collect();
    let default = match definition.default {
        Value::Choice(at) => values.get(usize::from(at)).cloned(),
        _ => None,
    };
    match default.and_then(|d| values.iter().position(|v| *v == d)) {
        Some(at) => {
            let first = values.remove(at);
            values.insert(0, first);
        }
        None => values.insert(0, "Unknown".to_owned()),
    }
    values
}

/// The name of our template.
pub(crate) const NAME: &str = "kubestride: Kubernetes";

/// Writes the template.
pub(crate) fn write(xml: &mut Xml, model: &Model, types: &[ThreatType], rules: &Rules) {
    let id = xml.object();
    let _ = write!(
        xml.text,
        "<KnowledgeBase z:Id=\"{id}\" xmlns:a=\"http://schemas.datacontract.org/2004/07/ThreatModeling.KnowledgeBase\" \
         xmlns:z=\"http://schemas.microsoft.com/2003/10/Serialization/\"><a:GenericElements>"
    );
    for (generic, name, what, shape, picture) in GENERIC {
        let attributes = match generic {
            "GE.P" | "GE.EI" | "GE.DS" => Some(&rules.of_elements),
            "GE.DF" => Some(&rules.of_flows),
            _ => None,
        };
        element(xml, model, &Stencil { id: generic, name, what, parent: "ROOT", shape, picture }, attributes);
    }
    xml.text.push_str("</a:GenericElements><a:Manifest>");
    xml.leaf("a:Author", "kubestride");
    xml.leaf("a:Id", &guid("template", "kubernetes"));
    xml.leaf("a:Name", NAME);
    xml.leaf("a:Version", "1.0.0.0");
    xml.text.push_str("</a:Manifest><a:StandardElements>");
    let vocabulary = model.vocabulary();
    let names = Ours(vocabulary);
    for (index, stencil) in vocabulary.stencils.iter().enumerate() {
        let id = names.stencil(StencilId(index as u16));
        let (Some(own), true) = (generic(stencil.role), id.starts_with("KS.")) else { continue };
        let parent = stencil.parent.map_or_else(|| own.to_owned(), |parent| names.stencil(parent));
        let Some((.., shape, picture)) = GENERIC.iter().find(|g| g.0 == own) else { continue };
        let what = Stencil { id: &id, name: &stencil.name, what: &stencil.doc, parent: &parent, shape, picture };
        element(xml, model, &what, None);
    }
    xml.text.push_str("</a:StandardElements><a:ThreatCategories>");
    for category in Category::STRIDE {
        xml.text.push_str("<a:ThreatCategory><a:IsExtension>false</a:IsExtension>");
        xml.leaf("a:Id", letter(category));
        xml.text.push_str("<a:LongDescription/>");
        xml.leaf("a:Name", category.title());
        xml.leaf("a:ShortDescription", meaning(category));
        xml.text.push_str("</a:ThreatCategory>");
    }
    xml.text.push_str("</a:ThreatCategories><a:ThreatMetaData><IsPriorityUsed>true</IsPriorityUsed>");
    xml.text.push_str("<IsStatusUsed>true</IsStatusUsed><PropertiesMetaData>");
    datum(xml, "Title", "Title", false, &[""], 0);
    datum(xml, "UserThreatCategory", "Category", false, &Category::STRIDE.map(Category::title), 0);
    datum(xml, "UserThreatShortDescription", "Short Description", true, &Category::STRIDE.map(meaning), 1);
    datum(xml, "UserThreatDescription", "Description", false, &[""], 0);
    datum(xml, "StateInformation", "Justification", false, &[""], 0);
    datum(xml, "InteractionString", "Interaction", false, &[""], 0);
    datum(xml, "PossibleMitigations", "Possible Mitigation(s)", false, &[""], 0);
    datum(xml, "Priority", "Priority", false, &["High", "Medium", "Low"], 1);
    xml.text.push_str("</PropertiesMetaData></a:ThreatMetaData><a:ThreatTypes>");
    for (index, include) in &rules.include {
        let Some(threat_type) = types.get(*index) else { continue };
        xml.text.push_str("<a:ThreatType><a:IsExtension>false</a:IsExtension>");
        xml.leaf("a:Category", letter(threat_type.category));
        let description = plain(&threat_type.description.source(vocabulary));
        xml.leaf("a:Description", &description);
        xml.text.push_str("<a:GenerationFilters>");
        xml.leaf("a:Exclude", rules.exclude.get(index).map_or("", String::as_str));
        xml.leaf("a:Include", include);
        xml.text.push_str("</a:GenerationFilters>");
        xml.leaf("a:Id", &threat_type.id);
        xml.text.push_str("<a:PropertiesMetaData>");
        datum(xml, "UserThreatShortDescription", "Short Description", true, &[meaning(threat_type.category)], 1);
        datum(xml, "UserThreatDescription", "Description", false, &[&description], 0);
        datum(
            xml,
            "PossibleMitigations",
            "Possible Mitigation(s)",
            false,
            &[threat_type.sections.mitigation.trim()],
            0,
        );
        datum(xml, "Priority", "Priority", false, &[priority(threat_type)], 1);
        xml.text.push_str("</a:PropertiesMetaData><a:RelatedCategory i:nil=\"true\"/>");
        xml.leaf("a:ShortTitle", &plain(&threat_type.title_text));
        xml.text.push_str("</a:ThreatType>");
    }
    xml.text.push_str("</a:ThreatTypes></KnowledgeBase>");
}

/// The tool replaces names only; what stands for another value becomes the word for it.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (inner, next) = after.split_once('}').unwrap_or((after, ""));
        match inner.rsplit_once('.') {
            Some((_, "Name")) => out.push_str(&format!("{{{inner}}}")),
            Some((_, word)) => out.push_str(word),
            None => out.push_str(inner),
        }
        rest = next;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn priority(threat_type: &ThreatType) -> &'static str {
    use kubestride_template::Impact;
    match threat_type.impact {
        Impact::Critical | Impact::High => "High",
        Impact::Medium => "Medium",
        Impact::Low => "Low",
    }
}

struct Stencil<'a> {
    id: &'a str,
    name: &'a str,
    what: &'a str,
    parent: &'a str,
    shape: &'a str,
    picture: &'a [u8],
}

/// The stencils that the tool has in every template: id, name, description, how it is drawn, icon of ours.
#[rustfmt::skip]
const GENERIC: [(&str, &str, &str, &str, &[u8]); 6] = [
    ("GE.P", "Generic Process", "Anything that runs code.", "Ellipse", include_bytes!("../../assets/process.png")),
    ("GE.EI", "Generic External Interactor", "Any party outside the modelled system.", "Rectangle", include_bytes!("../../assets/external.png")),
    ("GE.DS", "Generic Data Store", "Anything that keeps data.", "ParallelLines", include_bytes!("../../assets/store.png")),
    ("GE.DF", "Generic Data Flow", "Data that moves in one direction.", "Line", include_bytes!("../../assets/flow.png")),
    ("GE.TB.L", "Generic Trust Line Boundary", "A trust boundary as an arc.", "LineBoundary", include_bytes!("../../assets/boundary.png")),
    ("GE.TB.B", "Generic Trust Border Boundary", "A trust boundary as a border.", "BorderBoundary", include_bytes!("../../assets/boundary.png")),
];

pub(crate) fn letter(category: Category) -> &'static str {
    match category {
        Category::Spoofing => "S",
        Category::Tampering => "T",
        Category::Repudiation => "R",
        Category::InformationDisclosure => "I",
        Category::DenialOfService => "D",
        Category::ElevationOfPrivilege | Category::Other => "E",
    }
}

pub(crate) fn meaning(category: Category) -> &'static str {
    match category {
        Category::Spoofing => "Somebody claims to be somebody else.",
        Category::Tampering => "Somebody changes what he should not.",
        Category::Repudiation => "Somebody denies what he did, and nobody can show it.",
        Category::InformationDisclosure => "Somebody reads what he should not.",
        Category::DenialOfService => "Somebody keeps others from using it.",
        Category::ElevationOfPrivilege | Category::Other => "Somebody gains rights.",
    }
}

fn element(xml: &mut Xml, model: &Model, stencil: &Stencil<'_>, attributes: Option<&BTreeSet<AttributeId>>) {
    xml.text.push_str("<a:ElementType><a:IsExtension>false</a:IsExtension>");
    match attributes.filter(|a| !a.is_empty()) {
        None => xml.text.push_str("<a:Attributes/>"),
        Some(attributes) => {
            xml.text.push_str("<a:Attributes>");
            for id in attributes {
                attribute(xml, model, *id);
            }
            xml.text.push_str("</a:Attributes>");
        }
    }
    xml.text.push_str(
        "<a:AvailableToBaseModels xmlns:b=\"http://schemas.datacontract.org/2004/07/ThreatModeling.ExternalStorage.OM\"/>",
    );
    xml.nil("a:Behavior");
    xml.leaf("a:Description", stencil.what);
    xml.leaf("a:Hidden", "false");
    xml.leaf("a:Id", stencil.id);
    xml.leaf("a:ImageLocation", "Before label");
    xml.leaf("a:ImageSource", &STANDARD.encode(stencil.picture));
    xml.nil("a:ImageStream");
    xml.leaf("a:Name", stencil.name);
    xml.leaf("a:ParentId", stencil.parent);
    xml.leaf("a:Representation", stencil.shape);
    xml.nil("a:Shape");
    xml.text.push_str(
        "<a:StencilConstraints><a:StencilConstraint><a:IsExtension>false</a:IsExtension>\
         <a:SelectedStencilConnection>Any</a:SelectedStencilConnection><a:SelectedStencilType>Any\
         </a:SelectedStencilType></a:StencilConstraint></a:StencilConstraints></a:ElementType>",
    );
}

fn attribute(xml: &mut Xml, model: &Model, id: AttributeId) {
    let Some(definition) = model.vocabulary().attribute(id) else { return };
    xml.text.push_str(
        "<a:Attribute><a:IsExtension>false</a:IsExtension><a:AttributeValues \
         xmlns:b=\"http://schemas.datacontract.org/2004/07/ThreatModeling.Interfaces\">",
    );
    choices(model, id).iter().for_each(|value| xml.leaf("b:Value", value));
    xml.text.push_str("</a:AttributeValues>");
    xml.leaf("a:DisplayName", &definition.name);
    xml.text.push_str("<a:Inheritance>Virtual</a:Inheritance><a:Mode>Dynamic</a:Mode>");
    xml.leaf("a:Name", &definition.name);
    xml.text.push_str("<a:Type>List</a:Type></a:Attribute>");
}

fn datum(xml: &mut Xml, name: &str, label: &str, hidden: bool, values: &[&str], kind: u8) {
    xml.text.push_str("<ThreatMetaDatum>");
    xml.leaf("Name", name);
    xml.leaf("Label", label);
    xml.leaf("HideFromUI", if hidden { "true" } else { "false" });
    xml.text.push_str("<Values xmlns:b=\"http://schemas.microsoft.com/2003/10/Serialization/Arrays\">");
    values.iter().for_each(|value| xml.leaf("b:string", value));
    xml.text.push_str("</Values>");
    xml.leaf("Id", &guid("datum", name));
    xml.leaf("AttributeType", &kind.to_string());
    xml.text.push_str("</ThreatMetaDatum>");
}

/// Whether a stencil's role is drawn at all.
pub(crate) fn is_drawn(role: Role) -> bool {
    generic(role).is_some()
}
