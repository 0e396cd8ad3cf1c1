//! Models that are empty, huge or malicious.

mod common;

use common::Sketch;
use kubestride_diagram::{Options, SvgOptions, layout, svg};
use kubestride_model::{BoundaryKind, ElementKind, FlowKind, Model};

fn written(model: &Model) -> String {
    let options = SvgOptions { style: true, title: "Picture".to_owned(), ..SvgOptions::default() };
    let mut out = Vec::new();
    svg(&layout(model, &Options::default()), &options, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_model_of_nothing_is_a_picture_of_nothing() {
    let text = written(&Sketch::new().builder.finish());
    assert!(text.starts_with("<svg ") && text.trim_end().ends_with("</svg>"));
}

#[test]
fn one_element_that_talks_to_itself() {
    let mut s = Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let only = s.element("Pod/a/b", "b", ElementKind::Process, cluster);
    s.flow(only, only, FlowKind::Traffic, "TCP", Some(7000));
    let text = written(&s.builder.finish());
    assert!(text.contains("TCP 7000") && text.contains("<ellipse"));
}

#[test]
fn hostile_names_are_only_text() {
    let mut s = Sketch::new();
    let name = "</text><script>alert(1)</script>\"'&\u{202e}\u{0}\u{1b}[31m<a href=\"javascript:x\">";
    let cluster = s.boundary(name, name, BoundaryKind::Cluster, None);
    let a = s.element(&format!("a{name}"), name, ElementKind::Process, cluster);
    let b = s.element(&format!("b{name}"), &"x".repeat(253), ElementKind::Store, cluster);
    let c = s.element("c", "c", ElementKind::Process, cluster);
    s.flow(a, b, FlowKind::Traffic, name, Some(1));
    s.flow(c, b, FlowKind::Traffic, "TCP", Some(2));
    let text = written(&s.builder.finish());
    for bad in ["<script", "<a ", "\u{202e}", "\u{0}", "\u{1b}", "javascript:x\">"] {
        assert!(!text.contains(bad), "{bad:?} is in the picture");
    }
    assert!(text.contains("&lt;script&gt;"));
}

#[test]
fn links_lead_nowhere_else() {
    let mut s = Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    s.element("a", "a", ElementKind::Process, cluster);
    let mut options = SvgOptions::default();
    options.links.insert("a".to_owned(), "javascript:alert(1)".to_owned());
    let mut out = Vec::new();
    svg(&layout(&s.builder.finish(), &Options::default()), &options, &mut out).expect("a vector takes everything");
    assert!(!String::from_utf8_lossy(&out).contains("javascript"));
}

#[test]
fn five_hundred_flows_between_two_elements_are_one_line() {
    let mut s = Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let a = s.element("a", "a", ElementKind::Process, cluster);
    let b = s.element("b", "b", ElementKind::Process, cluster);
    (1..=500).for_each(|port| s.flow(a, b, FlowKind::Traffic, "TCP", Some(port)));
    let drawing = layout(&s.builder.finish(), &Options::default());
    assert_eq!(drawing.lines.len(), 1);
    assert_eq!(drawing.labels[0].text, "500 flows");
}

/// `elements` in `namespaces`, each talking to three others.
fn large(elements: usize, namespaces: usize) -> Model {
    let mut s = Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let spaces: Vec<_> = (0..namespaces)
        .map(|i| s.boundary(&format!("Namespace/n{i}"), &format!("n{i}"), BoundaryKind::Namespace, Some(cluster)))
        .collect();
    let all: Vec<_> = (0..elements)
        .map(|i| s.element(&format!("Deployment/{i}"), &format!("d{i}"), ElementKind::Process, spaces[i % namespaces]))
        .collect();
    let mut dice = common::Dice::new(7);
    for (i, a) in all.iter().enumerate() {
        for _ in 0..3 {
            let b = all[dice.below(elements)];
            s.flow(*a, b, FlowKind::Traffic, "HTTP", Some(80 + (i % 3) as u16));
        }
    }
    s.builder.finish()
}

#[test]
fn large_models_become_an_overview() {
    for (elements, namespaces) in [(5000, 1), (5000, 40), (3000, 1000)] {
        let drawing = layout(&large(elements, namespaces), &Options::default());
        assert!(drawing.overview && !drawing.shapes.is_empty());
        assert!(drawing.shapes.len() <= 151, "{} boxes", drawing.shapes.len());
    }
}

#[test]
fn a_dense_model_is_drawn() {
    let mut s = Sketch::new();
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let all: Vec<_> =
        (0..20).map(|i| s.element(&format!("e{i}"), &format!("e{i}"), ElementKind::Process, cluster)).collect();
    for a in &all {
        for b in &all {
            s.flow(*a, *b, FlowKind::Traffic, "TCP", Some(80));
        }
    }
    let drawing = layout(&s.builder.finish(), &Options::default());
    assert_eq!(drawing.lines.len(), 400);
}
