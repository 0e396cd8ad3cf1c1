//! Generated clusters are like real ones: flows and threats of a workload are within a fifth of Online Boutique's.

use std::sync::Arc;

use kubestride_conformance::corpus;
use kubestride_discover::{Options, Scope, discover};
use kubestride_gen::{Size, write};
use kubestride_manifest::Manifests;
use kubestride_model::ElementKind;
use kubestride_policy::pod_security::Version;
use kubestride_source::FileId;
use kubestride_template::filter::Lists;
use kubestride_yaml::{Limits, read};

/// Flows that are drawn, and open threats, for each workload.
fn density(text: &str) -> (f64, f64) {
    let mut manifests = Manifests::new();
    for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
        manifests.add(document.tree.expect("a document"), 0);
    }
    manifests.finish("default");
    let options = Options { scope: Scope::Application, namespace: "default".to_owned(), kubernetes: Version::NEWEST };
    let model = discover(&manifests, &options).model;
    let types = kubestride_catalogue::threats(model.vocabulary());
    let analysis = kubestride_analysis::analyse(&model, &types, &Lists::default());
    let workloads = manifests.objects().filter(|o| o.workload().is_some()).count() as f64;
    assert!(model.elements().any(|(_, e)| e.kind == ElementKind::Process));
    let flows = model.flows().filter(|(_, f)| !f.implicit).count() as f64;
    let open = analysis.threats.iter().filter(|t| t.state().is_open()).count() as f64;
    (flows / workloads, open / workloads)
}

#[test]
fn workloads_have_as_many_flows_and_threats_as_real_ones() {
    let Some(folder) = corpus("truth/online-boutique/manifests/release", "generated clusters") else { return };
    let text = std::fs::read_to_string(folder.join("kubernetes-manifests.yaml")).expect("Online Boutique");
    let (flows, threats) = density(&text);
    for (objects, seed) in [(100, 1), (1000, 1), (1000, 2)] {
        let mut out = Vec::new();
        write(Size { objects, seed }, &mut out).expect("written");
        let (own_flows, own_threats) = density(&String::from_utf8(out).expect("text"));
        for (what, own, real) in [("flows", own_flows, flows), ("threats", own_threats, threats)] {
            let ratio = own / real;
            assert!((0.8..=1.2).contains(&ratio), "{objects} objects: {what} {own:.2}, Online Boutique {real:.2}");
        }
    }
}
