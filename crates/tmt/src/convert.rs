//! From a model file to a model of ours, and from that to threats with what people decided about them.

use std::collections::{BTreeMap, BTreeSet};

use kubestride_analysis::{Analysis, Decision, Rating, Severity, Threat, Wording, analyse};
use kubestride_model::{
    BoundaryId, BoundaryKind, Builder, Confidence, ElementId, ElementKind, Evidence, FlowDraft, FlowId, FlowKind,
    Model, Origin, Role, StencilId, SubjectRef, Value,
};
use kubestride_source::{Diagnostic, FileId, Span};
use kubestride_template::filter::{Lists, imported_attribute};
use kubestride_template::{Impact, ThreatType};

use crate::emit::{ACCEPTED, COMPUTED};
use crate::geometry::{crosses_border, crosses_line};
use crate::rules;
use crate::surface::{Area, Line, Shape, ShapeKind, Surface, Thing};
use crate::threats::{Instance, State};
use crate::tm7::Tm7;
use crate::triage::New;

/// A model file as a model and the types of threats of its template.
#[derive(Debug)]
pub struct Converted {
    /// The data-flow diagram. Elements, flows and boundaries have their GUIDs as identities.
    pub model: Model,
    /// The types of threats of the template inside.
    pub types: Vec<ThreatType>,
    /// What could not be taken over.
    pub diagnostics: Vec<Diagnostic>,
}

/// The threats of a model file.
#[derive(Debug)]
pub struct Generated<'t> {
    /// What the template generates, with what people decided; decisions about threats that are not generated any more
    /// are marked as stale.
    pub analysis: Analysis,
    /// Decisions about flows or types that are gone.
    pub lost: Vec<&'t Instance>,
}

/// Makes a model of a model file.
pub fn convert(tm7: &Tm7, file: FileId) -> Converted {
    let place = Span::new(file, 0, 0);
    let mut diagnostics = Vec::new();
    let mut vocabulary = rules::vocabulary(&tm7.knowledge);
    let types = rules::threat_types(&tm7.knowledge, place, &mut vocabulary, &mut diagnostics);
    for (generic, role) in [
        ("GE.P", Role::Process),
        ("GE.EI", Role::External),
        ("GE.DS", Role::Store),
        ("GE.DF", Role::Flow),
        ("GE.TB.L", Role::Boundary),
        ("GE.TB.B", Role::Boundary),
        (DIAGRAM, Role::Boundary),
    ] {
        if vocabulary.find_stencil(generic).is_none() {
            vocabulary.stencils.push(rules::stencil(generic, role, None));
        }
    }
    let things =
        tm7.surfaces.iter().flat_map(|s| s.shapes.iter().map(|s| &s.thing).chain(s.lines.iter().map(|l| &l.thing)));
    let names: BTreeSet<&str> = things.flat_map(|t| &t.properties).map(|p| key(&p.name, &p.display)).collect();
    names.into_iter().for_each(|name| imported_attribute(name, &mut vocabulary));
    let stencils: BTreeMap<String, StencilId> =
        vocabulary.stencils.iter().enumerate().map(|(i, s)| (s.name.to_string(), StencilId(i as u16))).collect();
    let attributes = vocabulary.attributes.iter().enumerate();
    let attributes = attributes.map(|(i, a)| (a.name.to_string(), kubestride_model::AttributeId(i as u16))).collect();
    rules::name_for_people(&mut vocabulary, &tm7.knowledge);
    let mut drawing =
        Drawing { builder: Builder::new(vocabulary), stencils, attributes, file, diagnostics, known: BTreeSet::new() };
    tm7.surfaces.iter().for_each(|surface| drawing.surface(surface));
    Converted { model: drawing.builder.finish(), types, diagnostics: drawing.diagnostics }
}

/// The stencil of a diagram itself.
const DIAGRAM: &str = "Diagram";

/// The name that a property has in filters; properties of the tool itself have only one for people.
fn key<'t>(name: &'t str, display: &'t str) -> &'t str {
    if name.is_empty() { display } else { name }
}

struct Drawing {
    builder: Builder,
    stencils: BTreeMap<String, StencilId>,
    attributes: BTreeMap<String, kubestride_model::AttributeId>,
    file: FileId,
    diagnostics: Vec<Diagnostic>,
    /// GUIDs that are taken.
    known: BTreeSet<String>,
}

impl Drawing {
    fn surface(&mut self, surface: &Surface) {
        let name = if surface.name.is_empty() { "Diagram" } else { &surface.name };
        let evidence = self.builder.evidence(Origin::Stated, None, "a diagram of the file");
        let stencil = self.stencil(DIAGRAM, DIAGRAM);
        let page = self.builder.boundary(&surface.guid, name, BoundaryKind::Drawn, stencil, None, evidence);
        let borders = self.borders(surface, page);
        let mut lines = Vec::new();
        for line in surface.lines.iter().filter(|l| l.is_boundary) {
            if let Some(id) = self.boundary(&line.thing, page) {
                lines.push((line, id));
            }
        }
        let mut elements: BTreeMap<&str, ElementId> = BTreeMap::new();
        // A text is no element, unless a flow was drawn to it: then the tool generates for it as well.
        let ends: BTreeSet<&str> = surface.lines.iter().flat_map(|l| [l.source.as_str(), l.target.as_str()]).collect();
        let drawn = |s: &&Shape| s.kind != ShapeKind::Annotation || ends.contains(s.thing.guid.as_str());
        for shape in surface.shapes.iter().filter(drawn) {
            let around = shape.area.and_then(|a| innermost(&borders, &a)).unwrap_or(page);
            if let Some(id) = self.element(shape, around) {
                elements.insert(&shape.thing.guid, id);
            }
        }
        for line in surface.lines.iter().filter(|l| !l.is_boundary) {
            let Some(flow) = self.flow(line, &elements) else { continue };
            let Some(curve) = &line.curve else { continue };
            let mut crossed: Vec<BoundaryId> =
                borders.iter().filter(|(area, _)| crosses_border(curve, area)).map(|(_, id)| *id).collect();
            let meets = |other: &Line| other.curve.as_ref().is_some_and(|other| crosses_line(curve, other));
            crossed.extend(lines.iter().filter(|(other, _)| meets(other)).map(|(_, id)| *id));
            self.builder.set_crossings(flow, crossed);
        }
    }

    /// Borders with their areas, the largest first; a border inside another has that one as parent.
    fn borders(&mut self, surface: &Surface, page: BoundaryId) -> Vec<(Area, BoundaryId)> {
        let mut drawn: Vec<(&Shape, Area)> =
            surface.shapes.iter().filter(|s| s.kind == ShapeKind::Border).filter_map(|s| Some((s, s.area?))).collect();
        drawn.sort_by(|(_, a), (_, b)| (b.width * b.height).total_cmp(&(a.width * a.height)));
        let mut borders: Vec<(Area, BoundaryId)> = Vec::new();
        for (shape, area) in drawn {
            let parent = innermost(&borders, &area).unwrap_or(page);
            if let Some(id) = self.boundary(&shape.thing, parent) {
                borders.push((area, id));
            }
        }
        borders
    }

    fn boundary(&mut self, thing: &Thing, parent: BoundaryId) -> Option<BoundaryId> {
        let stencil = self.stencil(&thing.stencil, &thing.generic);
        if !self.is_new(thing) {
            return None;
        }
        let evidence = self.evidence(thing);
        let id = self.builder.boundary(&thing.guid, &thing.name, BoundaryKind::Drawn, stencil, Some(parent), evidence);
        self.properties(thing, SubjectRef::Boundary(id), evidence);
        Some(id)
    }

    fn element(&mut self, shape: &Shape, around: BoundaryId) -> Option<ElementId> {
        let kind = match shape.kind {
            ShapeKind::Process => ElementKind::Process,
            ShapeKind::External | ShapeKind::Annotation => ElementKind::External,
            ShapeKind::Store => ElementKind::Store,
            ShapeKind::Border => return None,
        };
        let thing = &shape.thing;
        let stencil = self.stencil(&thing.stencil, &thing.generic);
        if !self.is_new(thing) {
            return None;
        }
        let evidence = self.evidence(thing);
        let id = self.builder.element(&thing.guid, &thing.name, kind, stencil, around, evidence);
        self.properties(thing, SubjectRef::Element(id), evidence);
        Some(id)
    }

    fn flow(&mut self, line: &Line, elements: &BTreeMap<&str, ElementId>) -> Option<FlowId> {
        let thing = &line.thing;
        let end = |guid: &str| elements.get(guid).copied();
        let (Some(source), Some(target)) = (end(&line.source), end(&line.target)) else {
            let message = format!("the flow {} ({}) does not connect two elements", thing.name, thing.guid);
            self.diagnostics.push(Diagnostic::warning("dangling-flow", message).at(self.at(thing)));
            return None;
        };
        let stencil = self.stencil(&thing.stencil, &thing.generic);
        if !self.is_new(thing) {
            return None;
        }
        let evidence = self.evidence(thing);
        let draft = FlowDraft {
            identity: Some(&thing.guid),
            source,
            target,
            kind: FlowKind::Traffic,
            stencil,
            access: None,
            port: None,
            protocol: &thing.name,
            via: None,
            confidence: Confidence::Certain,
            implicit: false,
        };
        let id = self.builder.flow(draft, evidence);
        self.properties(thing, SubjectRef::Flow(id), evidence);
        Some(id)
    }

    fn is_new(&mut self, thing: &Thing) -> bool {
        let new = !thing.guid.is_empty() && self.known.insert(thing.guid.clone());
        if !new {
            let message = format!("the GUID {} of {} is given twice; the first one counts", thing.guid, thing.name);
            self.diagnostics.push(Diagnostic::warning("duplicate-guid", message).at(self.at(thing)));
        }
        new
    }

    fn stencil(&self, id: &str, generic: &str) -> StencilId {
        let known = self.stencils.get(id).or_else(|| self.stencils.get(generic));
        known.copied().unwrap_or(StencilId(0))
    }

    fn properties(&mut self, thing: &Thing, subject: SubjectRef, evidence: Evidence) {
        let of_the_tool = ["Name", rules::OUT_OF_SCOPE, crate::emit::REASON];
        for property in thing.properties.iter().filter(|p| !of_the_tool.contains(&p.display.as_str())) {
            let name = key(&property.name, &property.display);
            let display = Some(property.display.as_str()).filter(|display| *display != name);
            for attribute in [Some(name), display].into_iter().flatten().filter_map(|n| self.attributes.get(n)) {
                let value = Value::Text(self.builder.intern(&property.value));
                self.builder.set(subject, *attribute, value, evidence);
            }
        }
        if thing.out_of_scope
            && let Some(attribute) = self.attributes.get(rules::OUT_OF_SCOPE)
        {
            let value = Value::Text(self.builder.intern("true"));
            self.builder.set(subject, *attribute, value, evidence);
        }
    }

    /// Where a thing is in the file.
    fn at(&self, thing: &Thing) -> Span {
        let place = thing.place as u32;
        Span::new(self.file, place, place)
    }

    fn evidence(&mut self, thing: &Thing) -> Evidence {
        let at = self.at(thing);
        self.builder.evidence(Origin::Stated, Some(at), "drawn here")
    }
}

/// The smallest border that holds the middle of an area. Borders come largest first.
fn innermost(borders: &[(Area, BoundaryId)], area: &Area) -> Option<BoundaryId> {
    borders.iter().rev().find(|(border, _)| border.holds(area.middle())).map(|(_, id)| *id)
}

impl Converted {
    /// Generates threats from the template, and takes over what people decided.
    pub fn generate<'t>(&self, tm7: &'t Tm7) -> Generated<'t> {
        let mut analysis = analyse(&self.model, &self.types, &Lists::default());
        let mut stored: BTreeMap<&str, &Instance> = tm7.threats.iter().map(|t| (t.key.as_str(), t)).collect();
        for threat in &mut analysis.threats {
            if let Some(instance) = stored.remove(self.key(threat).as_str()) {
                decide(threat, instance, false);
                self.forget_old_names(threat, instance);
            }
        }
        let flows: BTreeMap<&str, FlowId> =
            self.model.flows().map(|(id, flow)| (self.model.text(flow.identity), id)).collect();
        let mut lost = Vec::new();
        for instance in tm7.threats.iter().filter(|i| stored.contains_key(i.key.as_str())) {
            if !instance.is_touched() {
                continue;
            }
            let threat_type = self.types.iter().position(|t| t.id == instance.rule);
            match (threat_type, flows.get(instance.flow.as_str())) {
                (Some(threat_type), Some(flow)) => analysis.threats.push(self.stale(threat_type, *flow, instance)),
                _ => lost.push(instance),
            }
        }
        analysis
            .threats
            .sort_by_key(|t| (!t.state().is_open(), std::cmp::Reverse(t.rating.severity), t.threat_type, t.subject));
        Generated { analysis, lost }
    }

    /// Stored texts of a threat that nobody touched are those of its type again if a shape was renamed since.
    fn forget_old_names(&self, threat: &mut Threat, instance: &Instance) {
        let SubjectRef::Flow(flow) = threat.subject else { return };
        let Some(threat_type) = self.types.get(threat.threat_type).filter(|_| !instance.is_touched()) else { return };
        let flow = self.model.flow(flow);
        let names = [flow.source, flow.target].map(|id| self.model.text(self.model.element(id).name));
        let renamed = |stored: &String, now: String| names.iter().any(|n| now.contains(n) && !stored.contains(n));
        let Some(wording) = &mut threat.wording else { return };
        let title = || threat_type.title.render(&self.model, threat.subject);
        wording.title.take_if(|stored| renamed(stored, title()));
        let description = || threat_type.description.render(&self.model, threat.subject);
        wording.description.take_if(|stored| renamed(stored, description()));
    }

    /// TMT's key of a threat: its type, and the GUIDs of source, flow and target.
    pub fn key(&self, threat: &Threat) -> String {
        let id = self.types.get(threat.threat_type).map_or("", |t| t.id.as_str());
        threat.interaction_key(&self.model, id)
    }

    /// Everything about a generated threat that a file stores of it.
    pub fn new_instance(&self, threat: &Threat) -> Option<New> {
        let threat_type = self.types.get(threat.threat_type)?;
        let SubjectRef::Flow(id) = threat.subject else { return None };
        let (model, flow) = (&self.model, self.model.flow(id));
        let page = model.enclosing(model.element(flow.source).boundary).last()?.1;
        let text = |symbol| model.text(symbol).to_owned();
        Some(New {
            key: self.key(threat),
            rule: threat_type.id.clone(),
            guids: [
                text(page.identity),
                text(model.element(flow.source).identity),
                text(flow.identity),
                text(model.element(flow.target).identity),
            ],
            interaction: text(flow.protocol),
            texts: [
                threat_type.title.render(model, threat.subject),
                threat_type.category_title().to_owned(),
                threat_type.sections.why.clone(),
                threat_type.description.render(model, threat.subject),
            ],
            priority: threat.rating.severity.priority().to_owned(),
        })
    }

    fn stale(&self, threat_type: usize, flow: FlowId, instance: &Instance) -> Threat {
        let mut threat = Threat {
            threat_type,
            subject: SubjectRef::Flow(flow),
            rating: Rating::plain(severity(&instance.priority)),
            computed: kubestride_analysis::State::NotStarted,
            decision: None,
            number: None,
            wording: None,
            controls: Vec::new(),
            evidence: Vec::new(),
        };
        decide(&mut threat, instance, true);
        threat
    }
}

fn severity(priority: &str) -> Severity {
    match rules::impact(priority) {
        Impact::Low => Severity::Low,
        Impact::Medium => Severity::Medium,
        Impact::High => Severity::High,
        Impact::Critical => Severity::Critical,
    }
}

/// Priority, state and justification as they are stored.
fn decide(threat: &mut Threat, instance: &Instance, stale: bool) {
    use kubestride_analysis::State as Ours;
    threat.number = instance.number.parse().ok();
    if !instance.priority.is_empty() {
        threat.rating = Rating::plain(severity(&instance.priority));
    }
    threat.wording = Some(Box::new(Wording {
        title: Some(instance.property("Title")).filter(|t| !t.is_empty()).map(str::to_owned),
        description: Some(instance.property("UserThreatDescription")).filter(|t| !t.is_empty()).map(str::to_owned),
        priority: Some(instance.priority.clone()).filter(|p| !p.is_empty()),
        justification: Some(instance.justification.clone()).filter(|j| j.starts_with(COMPUTED)),
    }));
    if instance.is_computed() {
        // What controls give, as we wrote it: nobody decided it.
        threat.computed = Ours::Mitigated;
        return;
    }
    let state = match instance.state {
        State::NeedsInvestigation if instance.justification.starts_with(ACCEPTED) => Ours::Accepted,
        State::AutoGenerated if instance.justification.is_empty() => return,
        state => state.into(),
    };
    let never = instance.modified.starts_with("0001-");
    threat.decision = Some(Decision {
        state,
        justification: instance.justification.trim_start_matches(ACCEPTED).trim().to_owned(),
        by: instance.changed_by.clone(),
        at: if never { String::new() } else { instance.modified.clone() },
        stale,
    });
}
