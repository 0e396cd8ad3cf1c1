//! Templates as files of their own, `.tb7`: the same content as in a model under other names and in another order.

use std::fmt::Write as _;

use crate::emit::guid;
use crate::write::escaped;
use crate::xml::Xml;

/// Writes the `KnowledgeBase` of a model as a template file.
pub fn tb7(knowledge: Xml<'_, '_>) -> String {
    let mut out = Lines { text: String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"), depth: 0 };
    out.open(
        "KnowledgeBase xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"",
    );
    if let Some(manifest) = knowledge.child("Manifest") {
        let field = |name: &str| escaped(&manifest.child_text(name)).replace('"', "&quot;");
        out.line(&format!(
            "<Manifest name=\"{}\" id=\"{}\" version=\"{}\" author=\"{}\" />",
            field("Name"),
            field("Id"),
            field("Version"),
            field("Author")
        ));
    }
    if let Some(data) = knowledge.child("ThreatMetaData") {
        out.open("ThreatMetaData");
        out.leaf("IsPriorityUsed", &data.child_text("IsPriorityUsed"));
        out.leaf("IsStatusUsed", &data.child_text("IsStatusUsed"));
        data_of(&mut out, data);
        out.close("ThreatMetaData");
    }
    for list in ["GenericElements", "StandardElements"] {
        out.open(list);
        for element in knowledge.child(list).into_iter().flat_map(Xml::children) {
            stencil(&mut out, element);
        }
        out.close(list);
    }
    out.open("ThreatCategories");
    for category in knowledge.child("ThreatCategories").into_iter().flat_map(Xml::children) {
        out.open("ThreatCategory");
        for field in ["Name", "Id", "ShortDescription", "LongDescription"] {
            out.leaf(field, &category.child_text(field));
        }
        out.close("ThreatCategory");
    }
    out.close("ThreatCategories");
    out.open("ThreatTypes");
    for threat in knowledge.child("ThreatTypes").into_iter().flat_map(Xml::children) {
        out.open("ThreatType");
        out.open("GenerationFilters");
        let filters = threat.child("GenerationFilters");
        for filter in ["Include", "Exclude"] {
            out.leaf(filter, &filters.map(|f| f.child_text(filter)).unwrap_or_default());
        }
        out.close("GenerationFilters");
        for field in ["Id", "ShortTitle", "Category", "Description"] {
            out.leaf(field, &threat.child_text(field));
        }
        data_of(&mut out, threat);
        out.close("ThreatType");
    }
    out.close("ThreatTypes");
    out.close("KnowledgeBase");
    out.text
}

fn stencil(out: &mut Lines, element: Xml<'_, '_>) {
    out.open("ElementType");
    let fields = [
        ("Name", "Name"),
        ("ID", "Id"),
        ("Description", "Description"),
        ("ParentElement", "ParentId"),
        ("Image", "ImageSource"),
        ("Hidden", "Hidden"),
        ("Representation", "Representation"),
    ];
    for (name, field) in fields {
        out.leaf(name, &element.child_text(field));
    }
    out.leaf("StrokeThickness", "0");
    out.leaf("ImageLocation", &element.child_text("ImageLocation"));
    out.open("Attributes");
    for attribute in element.child("Attributes").into_iter().flat_map(Xml::children) {
        out.open("Attribute");
        out.leaf("Id", &guid("attribute", &attribute.child_text("Name")));
        out.leaf("IsInherited", "false");
        for field in ["Name", "DisplayName", "Mode", "Type", "Inheritance"] {
            out.leaf(field, &attribute.child_text(field));
        }
        out.open("AttributeValues");
        let values = attribute.child("AttributeValues").into_iter().flat_map(Xml::children);
        values.for_each(|value| out.leaf("Value", &value.text()));
        out.close("AttributeValues");
        out.close("Attribute");
    }
    out.close("Attributes");
    out.open("StencilConstraints");
    out.open("StencilConstraint");
    out.leaf("SelectedStencilType", "Any");
    out.leaf("SelectedStencilConnection", "Any");
    out.close("StencilConstraint");
    out.close("StencilConstraints");
    out.close("ElementType");
}

/// The properties that threats have, with their values.
fn data_of(out: &mut Lines, around: Xml<'_, '_>) {
    out.open("PropertiesMetaData");
    for datum in around.child("PropertiesMetaData").into_iter().flat_map(Xml::children) {
        out.open("ThreatMetaDatum");
        for field in ["Name", "Label", "HideFromUI"] {
            out.leaf(field, &datum.child_text(field));
        }
        if let Some(values) = datum.child("Values").filter(|values| !values.is_nil()) {
            out.open("Values");
            for value in values.children() {
                if value.is_nil() {
                    out.line("<Value xsi:nil=\"true\" />");
                } else {
                    out.leaf("Value", &value.text());
                }
            }
            out.close("Values");
        }
        out.leaf("Id", &datum.child_text("Id"));
        out.leaf("AttributeType", &datum.child_text("AttributeType"));
        out.close("ThreatMetaDatum");
    }
    out.close("PropertiesMetaData");
}

/// XML that is laid out for people.
struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(self.depth));
    }

    fn open(&mut self, tag: &str) {
        self.line(&format!("<{tag}>"));
        self.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(&format!("</{tag}>"));
    }

    fn leaf(&mut self, tag: &str, text: &str) {
        match text {
            "" => self.line(&format!("<{tag} />")),
            text => self.line(&format!("<{tag}>{}</{tag}>", escaped(text))),
        }
    }
}
