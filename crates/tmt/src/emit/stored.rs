//! A threat as the tool stores it.

use super::Xml;

/// Everything that is stored of a threat.
pub(crate) struct Stored<'a> {
    /// TMT's key.
    pub(crate) key: &'a str,
    /// Its number in lists.
    pub(crate) number: u32,
    /// GUIDs of diagram, source, flow and target.
    pub(crate) guids: [&'a str; 4],
    /// The id of its type.
    pub(crate) rule: &'a str,
    /// The name of the flow.
    pub(crate) interaction: &'a str,
    /// Title, category, its meaning, description.
    pub(crate) texts: [&'a str; 4],
    /// What can be done, where the template has a property for it.
    pub(crate) mitigation: Option<&'a str>,
    /// The word of the tool.
    pub(crate) state: &'a str,
    /// Empty where nobody gave one.
    pub(crate) justification: &'a str,
    /// The word of the tool.
    pub(crate) priority: &'a str,
    /// Who changed it; empty where nobody did.
    pub(crate) by: &'a str,
    /// When; empty where nobody did.
    pub(crate) at: &'a str,
}

impl Stored<'_> {
    /// Writes the entry of `ThreatInstances`.
    pub(crate) fn write(&self, xml: &mut Xml) {
        let [diagram, source, flow, target] = self.guids;
        let [title, category, meaning, description] = self.texts;
        xml.text.push_str("<a:KeyValueOfstringThreatpc_P0_PhOB>");
        xml.leaf("a:Key", self.key);
        xml.text.push_str("<a:Value xmlns:b=\"http://schemas.datacontract.org/2004/07/ThreatModeling.KnowledgeBase\">");
        match self.by {
            "" => xml.nil("b:ChangedBy"),
            by => xml.leaf("b:ChangedBy", by),
        }
        xml.leaf("b:DrawingSurfaceGuid", diagram);
        xml.leaf("b:FlowGuid", flow);
        xml.leaf("b:Id", &self.number.to_string());
        xml.leaf("b:InteractionKey", &format!("{source}:{flow}:{target}"));
        xml.nil("b:InteractionString");
        xml.leaf("b:ModifiedAt", if self.at.is_empty() { "0001-01-01T00:00:00" } else { self.at });
        xml.leaf("b:Priority", self.priority);
        xml.text.push_str("<b:Properties>");
        let justification = Some(self.justification).filter(|j| !j.is_empty());
        let properties = [
            ("Title", Some(title)),
            ("UserThreatCategory", Some(category)),
            ("UserThreatShortDescription", Some(meaning)),
            ("UserThreatDescription", Some(description)),
            ("StateInformation", justification),
            ("InteractionString", Some(self.interaction)),
            ("PossibleMitigations", self.mitigation),
            ("Priority", Some(self.priority)),
        ];
        for (key, value) in properties.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            xml.text.push_str("<a:KeyValueOfstringstring>");
            xml.leaf("a:Key", key);
            xml.leaf("a:Value", value);
            xml.text.push_str("</a:KeyValueOfstringstring>");
        }
        xml.text.push_str("</b:Properties>");
        xml.leaf("b:SourceGuid", source);
        xml.leaf("b:State", self.state);
        xml.nil("b:StateInformation");
        xml.leaf("b:TargetGuid", target);
        xml.nil("b:Title");
        xml.leaf("b:TypeId", self.rule);
        xml.leaf("b:Upgraded", "false");
        xml.nil("b:UserThreatCategory");
        xml.nil("b:UserThreatDescription");
        xml.nil("b:UserThreatShortDescription");
        xml.leaf("b:Wide", "false");
        xml.text.push_str("</a:Value></a:KeyValueOfstringThreatpc_P0_PhOB>");
    }
}
