//! A template of Threat Modeling Tool on a model of Kubernetes: our kinds as the template's stencils, what we know as its
//! attributes, Services as processes between callers and workloads.

use std::collections::BTreeMap;

use kubestride_model::{
    AttributeId, BoundaryId, BoundaryKind, Builder, Confidence, ElementId, ElementKind, Evidence, Flow, FlowDraft,
    FlowId, Model, Origin, Role, StencilId, SubjectRef, Value,
};
use kubestride_source::{Diagnostic, Span};
use kubestride_stencils::attributes::{AUTHENTICATION, ENCRYPTION, PRIVILEGED, RUN_AS};
use kubestride_stencils::values::{Authentication, Encryption, RunAs, YesNo};
use kubestride_template::ThreatType;
use kubestride_template::filter::imported_attribute;

use crate::knowledge::{ElementType, Knowledge};
use crate::rules;

/// A model in the words of a template.
#[derive(Debug)]
pub struct Applied {
    /// The same elements, flows and boundaries, with Services between them.
    pub model: Model,
    /// The template's types of threats.
    pub types: Vec<ThreatType>,
    /// Filters that are not understood, names of the mapping that nothing has, and a template that fits nothing.
    pub diagnostics: Vec<Diagnostic>,
}

/// Names of ours that templates have other names for. What is not here is looked up by its own name.
const OTHER_NAMES: [(&str, &[&str]); 12] = [
    ("StatefulSet", &["Deployment"]),
    ("ReplicaSet", &["Deployment"]),
    ("ReplicationController", &["Deployment"]),
    ("Job", &["Pod"]),
    ("CronJob", &["Pod"]),
    ("Secret", &["Secrets Store", "Secret"]),
    ("Volume claim", &["File System", "Cloud Storage"]),
    ("External volume", &["Cloud Storage", "File System"]),
    ("Host path", &["File System"]),
    ("API user", &["Privileged User", "Human User"]),
    ("Internet", &["Human User"]),
    ("External host", &["External Web Service"]),
];

/// Applies a template. `mapping` names for some of our stencils and attributes those of the template.
pub fn apply(model: &Model, knowledge: &Knowledge, mapping: &BTreeMap<String, String>, place: Span) -> Applied {
    let mut diagnostics = Vec::new();
    let mut vocabulary = rules::vocabulary(knowledge);
    let types = rules::threat_types(knowledge, place, &mut vocabulary, &mut diagnostics);
    for name in knowledge.elements.iter().flat_map(|e| &e.attributes).map(|a| &a.name) {
        imported_attribute(name, &mut vocabulary);
    }
    let ids = |names: &mut dyn Iterator<Item = String>| names.enumerate().map(|(i, n)| (n, i as u16)).collect();
    let stencils: BTreeMap<String, u16> = ids(&mut vocabulary.stencils.iter().map(|s| s.name.to_string()));
    let attributes: BTreeMap<String, u16> = ids(&mut vocabulary.attributes.iter().map(|a| a.name.to_string()));
    let by_name = |e: &ElementType| (plain(&e.name), e.id.clone());
    let names = knowledge.elements.iter().rev().map(by_name).collect();
    rules::name_for_people(&mut vocabulary, knowledge);
    let mut this = Applying {
        from: model,
        knowledge,
        mapping,
        names,
        stencils,
        attributes,
        builder: Builder::new(vocabulary),
        specific: 0,
    };
    this.run();
    let specific = this.specific;
    let model_of = this.builder.finish();
    diagnostics.extend(unknown_names(model, knowledge, mapping));
    if specific == 0 {
        let message = "the template has no stencil for anything in the input: everything became its generic process, store, \
                       external interactor or flow, and threats about other stencils cannot be found";
        diagnostics.push(Diagnostic::warning("template-fits-nothing", message));
    }
    Applied { model: model_of, types, diagnostics }
}

/// Lines of a mapping whose names are neither here nor there.
fn unknown_names(model: &Model, knowledge: &Knowledge, mapping: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let vocabulary = model.vocabulary();
    let is_ours =
        |name: &str| vocabulary.stencils.iter().any(|s| s.name == name) || vocabulary.find_attribute(name).is_some();
    let attributes = || knowledge.elements.iter().flat_map(|e| &e.attributes);
    let is_theirs = |name: &str| {
        knowledge.elements.iter().any(|e| e.id == name || plain(&e.name) == plain(name))
            || attributes().any(|a| a.name == name || a.display == name)
    };
    let mut out = Vec::new();
    for (ours, theirs) in mapping {
        if !is_ours(ours) {
            out.push(format!("the mapping names {ours:?}, which is no stencil or attribute of ours"));
        }
        if !is_theirs(theirs) {
            out.push(format!("the mapping names {theirs:?}, which is no stencil or attribute of the template"));
        }
    }
    out.into_iter().map(|message| Diagnostic::warning("unknown-name", message)).collect()
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    let words = name.to_ascii_lowercase().replace("trust boundary", "boundary");
    words.chars().filter(char::is_ascii_alphanumeric).collect()
}

struct Applying<'m> {
    /// How many things have a stencil of the template that is not a generic one.
    specific: usize,
    from: &'m Model,
    knowledge: &'m Knowledge,
    mapping: &'m BTreeMap<String, String>,
    /// Ids of the template's stencils by name.
    names: BTreeMap<String, String>,
    stencils: BTreeMap<String, u16>,
    attributes: BTreeMap<String, u16>,
    builder: Builder,
}

impl Applying<'_> {
    fn run(&mut self) {
        let model = self.from;
        let mut boundaries: BTreeMap<BoundaryId, BoundaryId> = BTreeMap::new();
        for (id, boundary) in model.boundaries().filter(|(_, b)| b.kind != BoundaryKind::Workload) {
            let stencil = self.stencil(boundary.stencil, None);
            let parent = boundary.parent.and_then(|p| boundaries.get(&p)).copied();
            let (identity, name) = (model.text(boundary.identity), model.text(boundary.name));
            let evidence = self.evidence(SubjectRef::Boundary(id));
            boundaries.insert(id, self.builder.boundary(identity, name, boundary.kind, stencil.0, parent, evidence));
        }
        let around = |id: BoundaryId| model.enclosing(id).find_map(|(b, _)| boundaries.get(&b)).copied();
        let mut elements: BTreeMap<ElementId, ElementId> = BTreeMap::new();
        for (id, element) in model.elements() {
            let Some(boundary) = around(element.boundary) else { continue };
            let (stencil, chosen) = self.stencil(element.stencil, None);
            let evidence = self.evidence(SubjectRef::Element(id));
            let (identity, name) = (model.text(element.identity), model.text(element.name));
            let new = self.builder.element(identity, name, element.kind, stencil, boundary, evidence);
            let known = self.known_of_element(id);
            self.values(SubjectRef::Element(new), &chosen, Some(SubjectRef::Element(id)), &known, evidence);
            elements.insert(id, new);
        }
        let service = self.names.get("service").cloned();
        for (id, flow) in model.flows().filter(|(_, f)| !f.implicit && f.confidence > Confidence::Possible) {
            let (Some(source), Some(target)) = (elements.get(&flow.source), elements.get(&flow.target)) else {
                continue;
            };
            let through = flow.via.map(|via| model.text(via)).filter(|via| via.starts_with("Service/"));
            match (through, &service) {
                (Some(via), Some(stencil)) => {
                    let Some(boundary) = around(model.element(flow.target).boundary) else { continue };
                    let between = self.service(via, stencil, boundary, id);
                    self.flow(id, flow, *source, between);
                    self.flow(id, flow, between, *target);
                }
                _ => self.flow(id, flow, *source, *target),
            }
        }
    }

    /// A Service as the process that it is in such templates.
    fn service(&mut self, identity: &str, stencil: &str, boundary: BoundaryId, flow: FlowId) -> ElementId {
        if let Some(known) = self.builder.find_element(identity) {
            return known;
        }
        let evidence = self.evidence(SubjectRef::Flow(flow));
        let name = identity.rsplit('/').next().unwrap_or(identity);
        let id = StencilId(self.stencils.get(stencil).copied().unwrap_or(0));
        let new = self.builder.element(identity, name, ElementKind::Process, id, boundary, evidence);
        self.values(SubjectRef::Element(new), stencil, None, &[], evidence);
        new
    }

    fn flow(&mut self, id: FlowId, flow: &Flow, source: ElementId, target: ElementId) {
        let model = self.from;
        let protocol = model.text(flow.protocol);
        let (stencil, chosen) = self.stencil(flow.stencil, Some(protocol));
        let evidence = self.evidence(SubjectRef::Flow(id));
        let draft = FlowDraft {
            identity: None,
            source,
            target,
            kind: flow.kind,
            stencil,
            access: flow.access,
            port: flow.port,
            protocol,
            via: None,
            confidence: flow.confidence,
            implicit: false,
        };
        let new = self.builder.flow(draft, evidence);
        let known = self.known_of_flow(id);
        self.values(SubjectRef::Flow(new), &chosen, Some(SubjectRef::Flow(id)), &known, evidence);
    }

    /// The template's stencil for one of ours: by the mapping, by name, by other names, by what it is a kind of.
    fn stencil(&mut self, ours: StencilId, protocol: Option<&str>) -> (StencilId, String) {
        let vocabulary = self.from.vocabulary();
        let lineage = vocabulary.lineage(ours).filter_map(|id| vocabulary.stencil(id));
        let role = vocabulary.stencil(ours).map_or(Role::Process, |s| s.role);
        let mut wanted: Vec<String> = Vec::new();
        for stencil in lineage {
            wanted.extend(self.mapping.get(stencil.name.as_ref()).cloned());
            wanted.extend(protocol.map(str::to_owned));
            wanted.push(stencil.name.to_string());
            let others = OTHER_NAMES.iter().filter(|(name, _)| *name == stencil.name).flat_map(|(_, others)| *others);
            wanted.extend(others.map(ToString::to_string));
        }
        let generic = match role {
            Role::External => "GE.EI",
            Role::Store => "GE.DS",
            Role::Flow => "GE.DF",
            Role::Boundary => "GE.TB.B",
            _ => "GE.P",
        };
        let of_role = |id: &&String| {
            let kinds = self.lineage(id);
            kinds.iter().filter_map(|e| rules::role(&e.id)).any(|r| r == role)
        };
        let known = |name: &String| {
            self.names.get(&plain(name)).or_else(|| self.stencils.get_key_value(name).map(|(id, _)| id))
        };
        let chosen = wanted.iter().filter_map(known).find(of_role).cloned();
        self.specific += usize::from(chosen.as_ref().is_some_and(|id| id != generic));
        let chosen = chosen.unwrap_or_else(|| generic.to_owned());
        (StencilId(self.stencils.get(&chosen).copied().unwrap_or(0)), chosen)
    }

    /// A stencil and those that it inherits from.
    fn lineage(&self, id: &str) -> Vec<&ElementType> {
        let first = self.knowledge.element(id);
        std::iter::successors(first, |e| self.knowledge.element(&e.parent)).take(64).collect()
    }

    /// The template's attributes with their defaults, and with what is known instead.
    fn values(
        &mut self,
        subject: SubjectRef,
        stencil: &str,
        own: Option<SubjectRef>,
        known: &[(&str, &str)],
        evidence: Evidence,
    ) {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for element in self.lineage(stencil).into_iter().rev() {
            for attribute in &element.attributes {
                if let Some(first) = attribute.values.first() {
                    values.insert(attribute.name.clone(), first.clone());
                }
            }
        }
        for (name, value) in known {
            let name = self.mapping.get(*name).map_or(*name, String::as_str);
            // What we know of this flow says more than what is usual for its protocol.
            if let Some(slot) = values.get_mut(name) {
                *slot = (*value).to_owned();
            }
        }
        // An attribute of ours by its own name.
        for (name, slot) in &mut values {
            let known = own.zip(self.from.vocabulary().find_attribute(name));
            let value = known.and_then(|(own, id)| Some((id, self.from.value(own, id)?)));
            if let Some((id, value)) = value.filter(|(_, value)| *value != Value::Unknown) {
                *slot = self.from.value_text(id, value);
            }
        }
        for (name, value) in values {
            if let Some(id) = self.attributes.get(&name) {
                let value = Value::Text(self.builder.intern(&value));
                self.builder.set(subject, AttributeId(*id), value, evidence);
            }
        }
    }

    /// What we know of an element, in the words that the templates of the tool share.
    fn known_of_element(&self, id: ElementId) -> Vec<(&'static str, &'static str)> {
        let model = self.from;
        let mut known = Vec::new();
        let containers: Vec<SubjectRef> = model.containers_of(id).map(|(c, _)| SubjectRef::Container(c)).collect();
        let any =
            |attribute: AttributeId, value: Value| containers.iter().any(|c| model.value(*c, attribute) == Some(value));
        let all = |attribute: AttributeId, value: Value| {
            !containers.is_empty() && containers.iter().all(|c| model.value(*c, attribute) == Some(value))
        };
        if any(PRIVILEGED.id, PRIVILEGED.value(YesNo::Yes)) {
            known.push(("runningAs", "Kernel"));
        } else if any(RUN_AS.id, RUN_AS.value(RunAs::Root)) {
            known.push(("runningAs", "Administrator"));
        } else if all(RUN_AS.id, RUN_AS.value(RunAs::NonRoot)) {
            known.push(("runningAs", "Standard User Without Elevation"));
        }
        if model.element(id).stencil == kubestride_stencils::stencil::SECRET {
            known.push(("storesCredentials", "Yes"));
        }
        known
    }

    fn known_of_flow(&self, id: FlowId) -> Vec<(&'static str, &'static str)> {
        let value = |attribute: AttributeId| self.from.value(SubjectRef::Flow(id), attribute);
        let mut known = Vec::new();
        match value(ENCRYPTION.id) {
            Some(v) if [Encryption::Encrypted, Encryption::Mesh].map(|e| ENCRYPTION.value(e)).contains(&v) => {
                known.extend([("providesConfidentiality", "Yes"), ("providesIntegrity", "Yes")]);
            }
            Some(v) if v == ENCRYPTION.value(Encryption::Plain) => {
                known.extend([("providesConfidentiality", "No"), ("providesIntegrity", "No")]);
            }
            _ => {}
        }
        match value(AUTHENTICATION.id) {
            Some(v) if v == AUTHENTICATION.value(Authentication::MutualTls) => {
                known.extend([("authenticatesSource", "Yes"), ("authenticatesDestination", "Yes")]);
            }
            Some(v) if v == AUTHENTICATION.value(Authentication::None) => known.push(("authenticatesSource", "No")),
            Some(Value::Choice(_)) => known.push(("authenticatesSource", "Yes")),
            _ => {}
        }
        known
    }

    fn evidence(&mut self, subject: SubjectRef) -> Evidence {
        match self.from.evidence_of(subject).first() {
            Some(first) => self.builder.evidence(first.origin, first.span, self.from.text(first.note)),
            None => self.builder.evidence(Origin::Stated, None, ""),
        }
    }
}
