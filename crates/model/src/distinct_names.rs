//! Names for people that tell elements apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Element, ElementKind, Symbol, Symbols};

/// For each element its name, or where others are called so too, the shortest of `Kind name`, `namespace/name` and `Kind
/// namespace/name` that tells all of them apart. Stores have names of their own: nobody takes them for who uses them.
pub(crate) fn distinct_names(elements: &[Element], symbols: &mut Symbols) -> Vec<Symbol> {
    let mut names: Vec<Symbol> = elements.iter().map(|e| e.name).collect();
    let mut namesakes: BTreeMap<(bool, Symbol), Vec<usize>> = BTreeMap::new();
    for (at, element) in elements.iter().enumerate() {
        namesakes.entry((element.kind == ElementKind::Store, element.name)).or_default().push(at);
    }
    for group in namesakes.into_values().filter(|group| group.len() > 1) {
        let of = |form: Form| -> Vec<String> {
            let members = group.iter().filter_map(|at| elements.get(*at));
            members.map(|e| named(form, symbols.text(e.identity), symbols.text(e.name))).collect()
        };
        let differ = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        let chosen = [Form::Kind, Form::Namespace].into_iter().map(of).find(differ);
        let chosen = chosen.unwrap_or_else(|| of(Form::Both));
        for (at, name) in group.iter().zip(chosen) {
            if let Some(slot) = names.get_mut(*at) {
                *slot = symbols.intern(&name);
            }
        }
    }
    names
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Kind,
    Namespace,
    Both,
}

/// The name in a form. What has no kind and namespace, such as a host outside, has its name alone.
fn named(form: Form, identity: &str, name: &str) -> String {
    let mut parts = identity.splitn(3, '/');
    let (Some(kind), Some(namespace), Some(last)) = (parts.next(), parts.next(), parts.next()) else {
        return name.to_owned();
    };
    if last != name {
        return name.to_owned();
    }
    // Without the group: `Kafka.kafka.strimzi.io`.
    let kind = kind.split('.').next().unwrap_or(kind);
    match form {
        Form::Kind => format!("{kind} {name}"),
        Form::Namespace => format!("{namespace}/{name}"),
        Form::Both => format!("{kind} {namespace}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{BoundaryKind, Builder, ElementKind, Origin, StencilId, SubjectRef, Vocabulary};

    fn names(elements: &[(&str, &str, ElementKind)]) -> Vec<String> {
        let mut builder = Builder::new(Vocabulary::default());
        let evidence = builder.evidence(Origin::Stated, None, "");
        let cluster = builder.boundary("cluster", "cluster", BoundaryKind::Cluster, StencilId(0), None, evidence);
        for (identity, name, kind) in elements {
            builder.element(identity, name, *kind, StencilId(0), cluster, evidence);
        }
        let model = builder.finish();
        model.elements().map(|(id, _)| model.name_of(SubjectRef::Element(id))).collect()
    }

    fn process(identity: &str) -> (&str, &str, ElementKind) {
        (identity, identity.rsplit('/').next().unwrap_or(identity), ElementKind::Process)
    }

    #[test]
    fn what_is_called_alike_is_told_apart_in_the_shortest_way() {
        let of = |identities: &[&str]| names(&identities.iter().map(|i| process(i)).collect::<Vec<_>>());
        assert_eq!(of(&["Deployment/shop/a", "Deployment/shop/b"]), ["a", "b"]);
        assert_eq!(of(&["Kibana/shop/a", "Logs.example.org/shop/a"]), ["Kibana a", "Logs a"]);
        assert_eq!(of(&["Deployment/live/a", "Deployment/test/a"]), ["live/a", "test/a"]);
        assert_eq!(
            of(&["Deployment/live/a", "Deployment/test/a", "Job/test/a"]),
            ["Deployment live/a", "Deployment test/a", "Job test/a"]
        );
        // Hosts outside have neither kind nor namespace, and drawn elements nothing but a number.
        assert_eq!(of(&["Deployment/shop/a", "external/a"]), ["Deployment a", "a"]);
        assert_eq!(names(&[("1", "a", ElementKind::Process), ("2", "a", ElementKind::Process)]), ["a", "a"]);
    }

    #[test]
    fn stores_are_not_taken_for_workloads() {
        let store = ("Secret/shop/a", "a", ElementKind::Store);
        assert_eq!(names(&[process("Deployment/shop/a"), store]), ["a", "a"]);
        assert_eq!(names(&[("ConfigMap/shop/a", "a", ElementKind::Store), store]), ["ConfigMap a", "Secret a"]);
    }
}
