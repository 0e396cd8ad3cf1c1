//! Pictures of real applications: what can be counted about them, and those of the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kubestride_conformance::{corpus, kubestride, say, workspace};
use kubestride_diagram::{Options, View, layout, measure};
use kubestride_model::{BoundaryKind, Model};

/// The pictures in `docs`, and what draws them.
const PICTURES: [(&str, &[&str]); 2] = [("online-shop.svg", &[]), ("online-shop-orders.svg", &["--focus", "orders"])];

#[test]
fn pictures_of_the_documentation_are_those_of_this_version() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, options) in PICTURES {
        let new = folder.path().join(name);
        let mut arguments = vec!["analyze", "examples/online-shop", "--date", "2026-11-01", "-q", "-o"];
        let path = new.to_str().expect("a path");
        arguments.push(path);
        arguments.extend(options);
        let run = kubestride(arguments, 2, Duration::from_secs(60)).expect("it ends in time");
        assert_eq!(run.status, Some(0), "{}", run.messages);
        let committed = workspace().join("docs").join(name);
        let same = fs::read(&committed).ok() == fs::read(&new).ok();
        assert!(same, "docs/{name} is of another version: run `make pictures` and look at it");
    }
}

#[test]
fn pictures_of_real_applications_can_be_read() {
    let Some(truth) = corpus("truth", "pictures of applications") else { return };
    let Some(kubeflow) = corpus("corpus/kubeflow", "pictures of applications") else { return };
    let mut folders: Vec<PathBuf> = fs::read_dir(&truth).expect("truth").map(|e| e.expect("a folder").path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    let mut inputs: Vec<PathBuf> = folders.iter().map(|f| f.join("manifests")).collect();
    inputs.push(kubeflow);
    say("view                                            shapes  lines  crossings/line  bends/line");
    for input in inputs {
        let model = model(&input);
        let namespaces = model.boundaries().filter(|(_, b)| b.kind == BoundaryKind::Namespace);
        let mut views = vec![(String::new(), View::Whole)];
        views.extend(namespaces.map(|(id, b)| (model.text(b.name).to_owned(), View::Boundary(id))));
        for (name, view) in views {
            let drawing = layout(&model, &Options { view, ..Options::default() });
            let measures = measure(&drawing);
            let bad = (measures.texts_on_texts, measures.texts_on_shapes, measures.lines_through_shapes);
            assert_eq!(bad, (0, 0, 0), "{} {name}: {measures:?}", input.display());
            let each = |count: usize| count as f64 / measures.lines.max(1) as f64;
            let of = input.iter().rev().take(2).map(|part| part.to_string_lossy()).collect::<Vec<_>>();
            say(&format!(
                "{:<47} {:>6} {:>6} {:>15.2} {:>11.2}",
                format!("{} {name}", of.join(" of ")),
                drawing.shapes.len(),
                measures.lines,
                each(measures.crossings),
                each(measures.bends)
            ));
        }
    }
}

fn model(folder: &Path) -> Model {
    let loaded = kubestride_input::load(&[folder.to_owned()], &kubestride_input::Options::default());
    let options = kubestride_discover::Options {
        scope: kubestride_discover::Scope::Application,
        namespace: "default".to_owned(),
        kubernetes: kubestride_policy::pod_security::Version::NEWEST,
    };
    kubestride_discover::discover(&loaded.manifests, &options).model
}
