//! A template's stencils as a vocabulary, and its types of threats as ours.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use kubestride_model::{Role, StencilDef, StencilId, Vocabulary};
use kubestride_source::{Diagnostic, Span};
use kubestride_template::filter::{Filter, Operand, Root, Test, import, imported_attribute};
use kubestride_template::{Actor, Category, Impact, Likelihood, Sections, SubjectKind, TextTemplate, ThreatType};

use crate::knowledge::{Knowledge, Rule};

/// The type that everything is.
const ROOT: &str = "ROOT";

/// The property that takes a flow out of generation.
pub(crate) const OUT_OF_SCOPE: &str = "Out Of Scope";

/// Most levels of inheritance that are followed.
const MOST_LEVELS: usize = 64;

/// The stencils of a template, by id, parents first.
pub(crate) fn vocabulary(knowledge: &Knowledge) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    vocabulary.stencils.push(stencil(ROOT, Role::Process, None));
    let by_id: BTreeMap<&str, &str> = knowledge.elements.iter().map(|e| (e.id.as_str(), e.parent.as_str())).collect();
    for element in &knowledge.elements {
        let lineage = std::iter::successors(Some(element.id.as_str()), |id| by_id.get(id).copied());
        let lineage: Vec<&str> = lineage.take_while(|id| *id != ROOT && !id.is_empty()).take(MOST_LEVELS).collect();
        let role = lineage.iter().find_map(|id| role(id)).unwrap_or(Role::Process);
        let mut parent = Some(StencilId(0));
        for id in lineage.into_iter().rev() {
            parent = vocabulary.find_stencil(id).or_else(|| {
                vocabulary.stencils.push(stencil(id, role, parent));
                vocabulary.find_stencil(id)
            });
        }
    }
    imported_attribute(OUT_OF_SCOPE, &mut vocabulary);
    vocabulary
}

pub(crate) fn stencil(name: &str, role: Role, parent: Option<StencilId>) -> StencilDef {
    StencilDef {
        name: Cow::Owned(name.to_owned()),
        role,
        parent,
        attributes: Cow::Borrowed(&[]),
        doc: Cow::Borrowed(""),
    }
}

/// What the generic stencils stand for.
pub(crate) fn role(generic: &str) -> Option<Role> {
    match generic {
        "GE.P" => Some(Role::Process),
        "GE.EI" | "GE.A" => Some(Role::External),
        "GE.DS" => Some(Role::Store),
        "GE.DF" => Some(Role::Flow),
        "GE.TB" | "GE.TB.L" | "GE.TB.B" => Some(Role::Boundary),
        _ => None,
    }
}

/// The types of threats that can be generated. Names of filters that the template does not know are added to the
/// vocabulary: nothing has them, so tests on them are false.
pub(crate) fn threat_types(
    knowledge: &Knowledge,
    place: Span,
    vocabulary: &mut Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<ThreatType> {
    let mut types = Vec::new();
    let mut seen = BTreeSet::new();
    for rule in &knowledge.threats {
        if !seen.insert(rule.id.as_str()) {
            let message = format!("threat type {} is given twice; the first one counts", rule.id);
            diagnostics.push(Diagnostic::warning("duplicate-type", message).at(place));
            continue;
        }
        match when(rule, place, vocabulary) {
            Ok(when) => types.push(threat_type(knowledge, rule, when)),
            Err(message) => {
                let message = format!("the filter of threat type {} is not understood: {message}", rule.id);
                diagnostics.push(Diagnostic::warning("filter", message).at(place));
            }
        }
    }
    types
}

/// Include and not Exclude, for flows that are in scope.
fn when(rule: &Rule, place: Span, vocabulary: &mut Vocabulary) -> Result<Filter, String> {
    let mut parsed = |text: &str| import(text, place, vocabulary).map_err(|e| e.message);
    let include = rule.include.trim();
    let include = if include.is_empty() || is_for_people(rule) { None } else { Some(parsed(include)?) };
    let exclude = if rule.exclude.trim().is_empty() { None } else { Some(parsed(rule.exclude.trim())?) };
    let flow = |attribute| Operand { root: Root::Flow, workload: false, enclosing: None, attribute };
    let out_of_scope = vocabulary.find_attribute(OUT_OF_SCOPE);
    let in_scope = Filter::Not(Box::new(Filter::Test(Test::Text(flow(out_of_scope), "true".to_owned()))));
    let Some(mut when) = include else {
        // An empty Include never fires.
        return Ok(Filter::And(Box::new(in_scope.clone()), Box::new(Filter::Not(Box::new(in_scope)))));
    };
    if let Some(exclude) = exclude {
        when = Filter::And(Box::new(when), Box::new(Filter::Not(Box::new(exclude))));
    }
    Ok(Filter::And(Box::new(in_scope), Box::new(when)))
}

/// Types for threats that people write themselves; they never generate.
pub(crate) fn is_for_people(rule: &Rule) -> bool {
    let words: Vec<&str> = rule.include.split_whitespace().collect();
    matches!(words.as_slice(), [source, is, "'ROOT'"] if source.eq_ignore_ascii_case("source") && is.eq_ignore_ascii_case("is"))
}

fn threat_type(knowledge: &Knowledge, rule: &Rule, when: Filter) -> ThreatType {
    let category = knowledge.category(&rule.category);
    let name = category.map_or(rule.category.as_str(), |c| c.name.as_str());
    let property = |name: &str| rule.properties.get(name).cloned().unwrap_or_default();
    ThreatType {
        id: rule.id.clone(),
        title: TextTemplate::import(&rule.title),
        title_text: rule.title.clone(),
        category: stride(name),
        category_name: Some(name.to_owned()),
        subject: SubjectKind::Flow,
        actor: Actor::Insider,
        when,
        mitigated_by: Vec::new(),
        folds: Vec::new(),
        impact: impact(&property("Priority")),
        likelihood: Likelihood::High,
        mappings: Vec::new(),
        description: TextTemplate::import(&rule.description),
        sections: Sections {
            why: category.map(|c| c.short.clone()).unwrap_or_default(),
            mitigation: property("PossibleMitigations"),
            references: property("Reference"),
            ..Sections::default()
        },
    }
}

/// The category of STRIDE with this name, however it is written.
fn stride(name: &str) -> Category {
    let letters: String = name.chars().filter(|c| c.is_ascii_alphabetic()).collect::<String>().to_ascii_lowercase();
    match letters.as_str() {
        "spoofing" => Category::Spoofing,
        "tampering" => Category::Tampering,
        "repudiation" => Category::Repudiation,
        "informationdisclosure" => Category::InformationDisclosure,
        "denialofservice" => Category::DenialOfService,
        "elevationofprivilege" | "elevationofprivileges" => Category::ElevationOfPrivilege,
        _ => Category::Other,
    }
}

/// Priority is free text; the tool's own words, and `High` where it says nothing.
pub(crate) fn impact(priority: &str) -> Impact {
    match priority.trim().to_ascii_lowercase().as_str() {
        "low" => Impact::Low,
        "medium" => Impact::Medium,
        "critical" | "very high" => Impact::Critical,
        _ => Impact::High,
    }
}

/// Names stencils as people read them, once no filter that names them by id is to be read any more.
pub(crate) fn name_for_people(vocabulary: &mut Vocabulary, knowledge: &Knowledge) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for stencil in &mut vocabulary.stencils {
        if let Some(element) = knowledge.element(&stencil.name).filter(|e| !e.name.is_empty()) {
            stencil.doc = std::mem::replace(&mut stencil.name, Cow::Owned(element.name.clone()));
        }
        if !taken.insert(stencil.name.to_string()) {
            stencil.name = Cow::Owned(format!("{} ({})", stencil.name, stencil.doc));
        }
    }
}
