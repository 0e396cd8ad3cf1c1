//! Every file of the catalogue does what its `## Tests` say: one test per file, listed at run time.
//!
//! A block of manifests is analysed on its own. Lines that end in `# threat: <id>` must be evidence of an open threat,
//! `# mitigated: <id>` of a mitigated one; a block `expect` names subjects and states, and controls where
//! it matters. An open threat of the file's own
//! type that neither states is a failure, so a block with no expectation must stay silent.

mod blocks;
mod mappings;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use blocks::{Block, Expected};
use kubestride_analysis::{State, Threat};
use kubestride_conformance::{Analysed, CatalogFile};
use kubestride_template::ThreatType;
use libtest_mimic::{Arguments, Failed, Trial};

/// Answers that no manifest can show, by type and control. Each needs a reason.
const NEVER_SHOWN: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let vocabulary = kubestride_stencils::vocabulary();
    let types = Arc::new(kubestride_conformance::types(&vocabulary));
    let tables = Arc::new(mappings::Tables::load());
    let mut trials: Vec<Trial> = Vec::new();
    for file in kubestride_conformance::files() {
        let (types, tables) = (types.clone(), tables.clone());
        trials.push(Trial::test(file.name.clone(), move || {
            let threat_type = file.parse(&kubestride_stencils::vocabulary()).map_err(Failed::from)?;
            let mut wrong = Vec::new();
            names(&file, &threat_type, &mut wrong);
            text(&threat_type, &mut wrong);
            examples(&threat_type, &types, &mut wrong);
            if let Some(tables) = tables.as_ref() {
                tables.check(&threat_type.mappings, &mut wrong);
            }
            if wrong.is_empty() { Ok(()) } else { Err(Failed::from(wrong.join("\n"))) }
        }));
    }
    let types = types.clone();
    trials.push(Trial::test("every type is in the program", move || embedded(&types)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The program embeds exactly the types that are in the folder.
fn embedded(types: &[ThreatType]) -> Result<(), Failed> {
    let ids = |types: &[ThreatType]| types.iter().map(|t| t.id.clone()).collect::<Vec<_>>();
    let (folder, program) = (ids(types), ids(&kubestride_catalogue::threats(&kubestride_stencils::vocabulary())));
    if folder == program { Ok(()) } else { Err(format!("folder: {folder:?}\nprogram: {program:?}").into()) }
}

fn names(file: &CatalogFile, threat_type: &ThreatType, wrong: &mut Vec<String>) {
    let expected = format!("{}/{}.md", threat_type.category.as_str(), threat_type.id);
    if file.name != expected {
        wrong.push(format!("the file must be {expected}"));
    }
}

fn text(threat_type: &ThreatType, wrong: &mut Vec<String>) {
    let sections = &threat_type.sections;
    let all = [
        ("Why it matters", &sections.why),
        ("Mitigation", &sections.mitigation),
        ("Verify", &sections.verify),
        ("Tests", &sections.tests),
        ("References", &sections.references),
    ];
    for (heading, text) in all {
        if text.trim().is_empty() {
            wrong.push(format!("`## {heading}` is empty"));
        }
    }
    if !has_command(&sections.verify) {
        wrong.push("`## Verify` names no command in backquotes".to_owned());
    }
    if !sections.references.contains("https://") {
        wrong.push("`## References` has no address".to_owned());
    }
    if threat_type.mappings.is_empty() {
        wrong.push("`maps-to` is empty".to_owned());
    }
}

/// Whether something in backquotes begins with a program that is called with arguments.
fn has_command(text: &str) -> bool {
    let programs = [
        "kubectl",
        "curl",
        "etcdctl",
        "istioctl",
        "openssl",
        "psql",
        "redis-cli",
        "mongosh",
        "nc",
        "nmap",
        "cosign",
        "crictl",
        "kubestride",
    ];
    text.split('`').skip(1).any(|code| {
        code.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|w| programs.contains(&w)) && words.next().is_some()
        })
    })
}

fn examples(threat_type: &ThreatType, types: &[ThreatType], wrong: &mut Vec<String>) {
    let blocks = match blocks::parse(&threat_type.sections.tests) {
        Ok(blocks) => blocks,
        Err(message) => {
            wrong.push(message);
            return;
        }
    };
    let (mut firing, mut silent) = (0, 0);
    let mut in_place: BTreeSet<usize> = BTreeSet::new();
    for (number, block) in blocks.iter().enumerate() {
        let analysed = Analysed::in_scope(block.scope, &block.manifests, types);
        let mut say = |message: String| wrong.push(format!("block {}: {message}", number + 1));
        for complaint in &analysed.complaints {
            say(format!("the manifests are not sound: {complaint}"));
        }
        let own: Vec<&Threat> = analysed.analysis.threats.iter().filter(|t| id(t, types) == threat_type.id).collect();
        let open = own.iter().filter(|t| t.computed.is_open()).count();
        firing += usize::from(open > 0);
        silent += usize::from(own.is_empty() && !block.states_anything());
        for threat in &own {
            in_place.extend(threat.controls.iter().map(|c| c.mitigation));
            rendered(threat_type, threat, &analysed, &mut say);
        }
        block_holds(block, &analysed, types, &threat_type.id, &mut say);
    }
    if firing == 0 {
        wrong.push("no block gives an open threat".to_owned());
    }
    if silent == 0 {
        wrong.push("no block stays silent".to_owned());
    }
    for (position, mitigation) in threat_type.mitigated_by.iter().enumerate() {
        let excepted = NEVER_SHOWN.contains(&(threat_type.id.as_str(), mitigation.control.as_str()));
        if excepted && in_place.contains(&position) {
            wrong.push(format!("`{}` can be shown after all: take it off NEVER_SHOWN", mitigation.control));
        }
        if !in_place.contains(&position) && !excepted {
            wrong.push(format!("no block shows the control `{}`", mitigation.control));
        }
    }
}

/// Title and description have no holes.
fn rendered(threat_type: &ThreatType, threat: &Threat, analysed: &Analysed, say: &mut impl FnMut(String)) {
    let title = threat_type.title.render(&analysed.model, threat.subject);
    let description = threat_type.description.render(&analysed.model, threat.subject);
    for (what, text) in [("title", title), ("description", description)] {
        if ["Unknown", "  ", "``", "{", " ."].iter().any(|hole| text.contains(hole)) || text.trim().is_empty() {
            say(format!("the {what} for {} has a hole: {text}", analysed.subject(threat)));
        }
    }
}

/// What the block states is there, and no open threat of type `own` beside it.
fn block_holds(block: &Block, analysed: &Analysed, types: &[ThreatType], own: &str, say: &mut impl FnMut(String)) {
    let threats = &analysed.analysis.threats;
    let mut stated: BTreeSet<usize> = BTreeSet::new();
    for mark in &block.marks {
        let fits = |t: &Threat| is_state(t, mark.open) && analysed.lines(t).contains(&mark.line);
        let found = matching(threats, types, &mark.id, fits);
        if found.is_empty() {
            let word = if mark.open { "open" } else { "mitigated" };
            let others = described(threats, types, &mark.id, analysed);
            say(format!("line {}: no {word} {} has its evidence here; there are: {others}", mark.line, mark.id));
        }
        stated.extend(found);
    }
    for Expected { id, subject, open, controls } in &block.expected {
        let fits = |t: &Threat| {
            let in_place = controls.as_ref().is_none_or(|wanted| *wanted == controls_of(t, types));
            is_state(t, *open) && subject_fits(analysed.subject(t), subject) && in_place
        };
        let found = matching(threats, types, id, fits);
        if found.is_empty() {
            let word = if *open { "open" } else { "mitigated" };
            let others = described(threats, types, id, analysed);
            say(format!("no {word} {id} for {subject}; there are: {others}"));
        }
        stated.extend(found);
    }
    for (index, threat) in threats.iter().enumerate() {
        if id(threat, types) == own && threat.computed.is_open() && !stated.contains(&index) {
            let subject = analysed.subject(threat);
            say(format!("not stated: open {own} for {subject}, lines {:?}", analysed.lines(threat)));
        }
    }
}

fn id<'t>(threat: &Threat, types: &'t [ThreatType]) -> &'t str {
    types.get(threat.threat_type).map_or("", |t| &t.id)
}

/// The names of the controls in place.
fn controls_of(threat: &Threat, types: &[ThreatType]) -> Vec<String> {
    let answers = types.get(threat.threat_type).map_or(&[][..], |t| &t.mitigated_by);
    threat.controls.iter().filter_map(|c| answers.get(c.mitigation)).map(|m| m.control.clone()).collect()
}

fn is_state(threat: &Threat, open: bool) -> bool {
    if open { threat.computed.is_open() } else { threat.computed == State::Mitigated }
}

fn matching(threats: &[Threat], types: &[ThreatType], wanted: &str, fits: impl Fn(&Threat) -> bool) -> Vec<usize> {
    let all = threats.iter().enumerate();
    all.filter(|(_, t)| id(t, types) == wanted && fits(t)).map(|(index, _)| index).collect()
}

/// Flows may be named without their end.
fn subject_fits(subject: &str, wanted: &str) -> bool {
    subject == wanted || (wanted.contains("->") && subject.strip_prefix(wanted).is_some_and(|end| end.starts_with(':')))
}

fn described(threats: &[Threat], types: &[ThreatType], wanted: &str, analysed: &Analysed) -> String {
    let all: Vec<String> = threats
        .iter()
        .filter(|t| id(t, types) == wanted)
        .map(|t| {
            let controls = controls_of(t, types);
            format!(
                "{} {} lines {:?} controls {controls:?}",
                t.computed.as_str(),
                analysed.subject(t),
                analysed.lines(t)
            )
        })
        .collect();
    if all.is_empty() { "none".to_owned() } else { all.join("; ") }
}
