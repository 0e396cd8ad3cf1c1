//! A part of CEL, in which ValidatingAdmissionPolicy and Kyverno's newer policies say what they ask.
//!
//! Read are literals, fields, lists, the usual operators, optional fields, the macros over lists, and functions of texts.
//! What needs more is not understood. As in CEL, a side of `&&` or `||` that decides makes up for one that fails.
//!
//! <https://github.com/google/cel-spec/blob/master/doc/langdef.md>

mod eval;
mod parse;
mod token;

use kubestride_manifest::Field;
use kubestride_yaml::Value;

use super::probe::Refused;
use eval::{Failed, Scene, Term};
use parse::Expression;

/// Most expressions of one list that are read.
const MAX_EXPRESSIONS: usize = 50;

/// The pods that a policy refuses, as far as its expressions are understood.
pub(super) fn refuses(spec: Value<'_>) -> Refused {
    refuses_of(spec, "validations")
}

/// The same, where the expressions stand in a list of another name.
pub(super) fn refuses_of(spec: Value<'_>, list: &str) -> Refused {
    if ["matchConditions", "variables", list].iter().any(|list| spec.list(list).nth(MAX_EXPRESSIONS).is_some()) {
        return Refused::default();
    }
    let read = |list: &str| -> Option<Vec<(String, Expression)>> {
        let one =
            |v: Value<'_>| Some((v.text("name").unwrap_or("").to_owned(), parse::expression(v.text("expression")?)?));
        spec.list(list).map(one).collect()
    };
    // A variable that is not understood matters only where it is used.
    let variables = |v: Value<'_>| Some((v.text("name")?.to_owned(), parse::expression(v.text("expression")?)));
    let variables: Vec<(String, Option<Expression>)> = spec.list("variables").filter_map(variables).collect();
    let validations: Vec<Option<Expression>> =
        spec.list(list).map(|v| parse::expression(v.text("expression")?)).collect();
    let Some(conditions) = read("matchConditions") else { return Refused::default() };
    let fails_open = spec.text("failurePolicy") == Some("Ignore");
    Refused::by(|pod| {
        let scene = Scene::new(pod, &variables);
        for (_, condition) in &conditions {
            match scene.value(condition) {
                Ok(Term::Bool(true)) => {}
                Ok(Term::Bool(false)) => return Some(true),
                _ => return None,
            }
        }
        let verdicts = validations.iter().map(|validation| match scene.value(validation.as_ref()?) {
            Ok(Term::Bool(holds)) => Some(holds),
            // What cannot be evaluated is refused, unless the policy says otherwise.
            Err(Failed::Error) => Some(fails_open),
            Ok(_) | Err(Failed::Unknown) => None,
        });
        let verdicts: Vec<Option<bool>> = verdicts.collect();
        if verdicts.contains(&Some(false)) { Some(false) } else { verdicts.iter().all(Option::is_some).then_some(true) }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubestride_source::FileId;
    use kubestride_yaml::{Limits, read};

    use super::*;

    fn evaluate(expression: &str) -> String {
        let text: Arc<str> = Arc::from(
            "{spec: {hostPID: true, replicas: 3, containers: [{name: a, image: 'r/a:1'}, {name: b, image: b}]}}",
        );
        let documents = read(FileId(0), &text, &Limits::default());
        let tree = documents.first().and_then(|d| d.tree.as_ref()).expect("a document");
        let variables = vec![
            ("names".to_owned(), parse::expression("object.spec.containers.map(c, c.name)")),
            ("loop".to_owned(), parse::expression("variables.loop")),
        ];
        let scene = Scene::new(tree.root(), &variables);
        match parse::expression(expression).map(|e| format!("{:?}", scene.value(&e))) {
            Some(text) => text,
            None => "not read".to_owned(),
        }
    }

    #[test]
    fn expressions_mean_what_the_language_says() {
        let holds = [
            "object.spec.hostPID",
            "!has(object.spec.hostIPC)",
            "!has(object.spec.hostIPC) || object.spec.hostIPC == false",
            "object.spec.replicas >= 3 && object.spec.replicas < 4",
            "object.spec.containers.all(c, c.name in ['a', \"b\"])",
            "object.spec.containers.exists(c, c.image.startsWith('r/'))",
            "size(object.spec.containers) == 2 && object.spec.containers.size() == 2",
            "object.spec.?hostNetwork.orValue(false) == false",
            "object.spec.?securityContext.?runAsNonRoot.orValue(true)",
            "object.?spec.hostPID.orValue(false)",
            "object.spec.containers.filter(c, c.name == 'a').size() == 1",
            "variables.names == ['a', 'b'] && 'a' in variables.names",
            "(has(object.spec.initContainers) ? object.spec.initContainers : []).all(c, false)",
            "(object.spec.containers + object.spec.?initContainers.orValue([])).all(c, c.image.contains('b') || c.image.endsWith(':1'))",
            "object.spec.containers[0].name == 'a' && object['spec'].replicas != 4",
            // One side decides.
            "true || object.spec.absent == 1",
            "object.spec.absent == 1 || true",
            "request.operation == 'CREATE' && oldObject == null",
        ];
        for expression in holds {
            assert_eq!(evaluate(expression), "Ok(Bool(true))", "{expression}");
        }
        for expression in
            ["object.spec.absent == 1", "object.spec.containers[7].name == 'x'", "object.spec.hostPID + 1 == 2"]
        {
            assert_eq!(evaluate(expression), "Err(Error)", "{expression}");
        }
        for expression in [
            "params.x == 1",
            "quantity('1Gi') == 1",
            "object.spec.containers.exists_one(c, true)",
            "variables.loop",
            "variables.none",
        ] {
            assert_eq!(evaluate(expression), "Err(Unknown)", "{expression}");
        }
        for expression in ["", "object.", "a b", "{'a': 1}", "'open", "1 +", &"(".repeat(500), &"!".repeat(5000)] {
            assert_eq!(evaluate(expression), "not read", "{expression}");
        }
    }

    #[test]
    fn costly_expressions_are_given_up() {
        let mut expression = "true".to_owned();
        for depth in 0..25 {
            expression = format!("object.spec.containers.all(c{depth}, {expression})");
        }
        assert_eq!(evaluate(&expression), "Err(Unknown)");
        for (first, twice) in [("'x'", "a + a"), ("['x']", "a + a"), ("'x'", "[a, a]")] {
            let expression = format!("[{first}]{}", format!(".map(a, {twice})").repeat(18));
            assert!(evaluate(&expression) == "Err(Unknown)", "{twice}");
            assert!(evaluate(&format!("[{first}].map(a, {twice})")).starts_with("Ok"), "{twice}");
        }
    }
}
