//! Files, directories and standard input.

mod common;

use common::{DEPLOYMENT, World, objects};
use kubestride_input::{Options, Render};

fn options() -> Options {
    Options { render: Render::Never, ..Options::default() }
}

#[test]
fn directories_are_read_in_order() {
    let world = World::new();
    for name in ["d/b.yaml", "d/a/x.yml", "d/a.json", "d/.git/x.yaml", "d/node_modules/x.yaml", "d/vendor/x.yaml"] {
        let text = if name.ends_with("json") { "{\"kind\": \"Secret\"}" } else { "kind: Pod\n---\nkind: Service\n" };
        world.file(name, text);
    }
    world.file("d/readme.md", "no");
    let loaded = world.load(&["d"], &options());
    assert_eq!(world.files(&loaded), ["d/a/x.yml", "d/a.json", "d/b.yaml"]);
    let input = loaded.inputs.first().expect("an input");
    assert_eq!((input.kind, input.files, input.documents), ("directory", 3, 5));
}

#[test]
fn links_in_circles_are_followed_once() {
    let world = World::new();
    world.file("d/a/x.yaml", DEPLOYMENT);
    std::os::unix::fs::symlink(world.path("d"), world.path("d/a/loop")).expect("a link");
    std::os::unix::fs::symlink(world.path("d/a/x.yaml"), world.path("d/again.yaml")).expect("a link");
    std::os::unix::fs::symlink(world.path("nothing"), world.path("d/gone.yaml")).expect("a link");
    let loaded = world.load(&["d", "d/a/x.yaml"], &options());
    assert_eq!(world.files(&loaded), ["d/a/x.yaml"]);
    assert_eq!(world.codes(&loaded), ["unreadable"]);
}

#[test]
fn what_is_not_there_is_an_error() {
    let world = World::new();
    world.file("empty/readme.md", "");
    world.file("blank.yaml", "# nothing\n");
    let loaded = world.load_with(&["no.yaml", "empty", "blank.yaml", "-"], &options(), b"");
    assert_eq!(
        world.said(&loaded),
        "error no-such-input: there is no file or directory no.yaml ()\n\
         error no-manifests: there are no manifests in empty ()\n\
         error no-manifests: there are no manifests in blank.yaml ()\n\
         error no-manifests: there are no manifests in standard input ()\n"
    );
}

#[test]
fn content_says_what_is_json() {
    let world = World::new();
    world.file("a", "{\"kind\": \"Pod\"}");
    world.file("b.txt", "kind: Pod");
    world.file("c.conf", "{kind: Pod}");
    world.file("d.yaml", "{\"kind\": \"Pod\"}");
    world.file("e", "\u{feff}kind: Pod");
    let utf16: Vec<u8> = "\u{feff}kind: Pod\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    world.file("f.yaml", utf16);
    let loaded =
        world.load_with(&["a", "b.txt", "c.conf", "d.yaml", "e", "f.yaml", "-"], &options(), b"{\"kind\": \"Pod\"}\n");
    assert_eq!(
        world.codes(&loaded).iter().filter(|code| **code != "duplicate-object").count(),
        0,
        "{}",
        world.said(&loaded)
    );
    assert_eq!(loaded.inputs.iter().map(|input| input.documents).collect::<Vec<_>>(), [1; 7]);
}

#[test]
fn invalid_utf8_costs_its_documents_only() {
    let world = World::new();
    world.file("a.yaml", b"kind: Pod\n---\nkind: Secret\nx: \xc3\xa4\xff\xfe\n---\nkind: Service\n");
    let loaded = world.load(&["a.yaml"], &options());
    let input = loaded.inputs.first().expect("an input");
    assert_eq!(input.documents, 2);
    let said = world.said(&loaded);
    assert!(said.starts_with("error invalid-utf8: a.yaml is not valid UTF-8 at line 4, column 5 "), "{said}");
    assert_eq!(world.codes(&loaded).len(), 1);
    let place = loaded.diagnostics.first().and_then(|d| d.span).and_then(|span| loaded.sources.location(span));
    assert_eq!(place.map(|place| (place.line, place.column)), Some((4, 5)));
}

#[test]
fn limits() {
    let world = World::new();
    world.file("d/a.yaml", DEPLOYMENT);
    let large = std::fs::File::create(world.path("d/b.yaml")).expect("a file");
    large.set_len(1 << 30).expect("a sparse file");
    world.file("d/c.yaml", "kind: Pod\n");
    let loaded = world.load(&["d"], &options());
    assert_eq!(world.files(&loaded), ["d/a.yaml", "d/c.yaml"]);
    assert_eq!(world.said(&loaded), "error too-large: d/b.yaml was not read: it is larger than 256 MiB ()\n");

    let small = Options { max_total_bytes: DEPLOYMENT.len() as u64 + 2, ..options() };
    let loaded = world.load(&["d/a.yaml", "d/c.yaml"], &small);
    assert_eq!(world.codes(&loaded), ["too-large"]);

    let few = Options { max_files: 1, ..options() };
    assert!(world.codes(&world.load(&["d/a.yaml", "d/c.yaml"], &few)).contains(&"too-many-files"));
    assert!(world.codes(&world.load(&["d"], &few)).contains(&"too-many-files"));

    let narrow = Options { max_file_bytes: 4, ..options() };
    assert_eq!(world.codes(&world.load_with(&["-"], &narrow, b"kind: Pod")), ["too-large"]);
}

#[test]
fn only_regular_files_are_opened() {
    let world = World::new();
    let status = std::process::Command::new("mkfifo").arg(world.path("pipe.yaml")).status().expect("mkfifo");
    assert!(status.success());
    let loaded = world.load(&["pipe.yaml"], &options());
    assert_eq!(world.codes(&loaded), ["not-a-file"]);
}

#[test]
fn templates_are_named_and_not_parsed() {
    let world = World::new();
    world.file("a.yaml", "{{- if .Values.x }}\nkind: Pod\n{{- end }}\n");
    world.file("b.yaml", "kind: ConfigMap\ndata:\n  x: |\n    {{ .x }}\n  y: \"{{ y }}\"\n");
    world.file("chart/Chart.yaml", "name: chart\n");
    world.file("chart/values.yaml", "a: 1\n");
    world.file("chart/templates/x.yaml", "kind: Pod\nname: a{{ .Values.x }}\n");
    world.file("chart/crds/x.yaml", "kind: CustomResourceDefinition\n");
    world.file("chart/charts/sub/Chart.yaml", "name: sub\n");
    world.file("chart/charts/sub/templates/deep/y.yaml", "kind: Pod\n");
    let loaded = world.load(&["a.yaml", "b.yaml", "chart", "chart/templates/x.yaml"], &options());
    assert_eq!(world.files(&loaded), ["b.yaml", "chart/crds/x.yaml"]);
    assert_eq!(world.codes(&loaded), ["unrendered-helm"; 3]);
    let said = world.said(&loaded);
    assert!(said.contains("chart/templates/x.yaml, chart/charts/sub/templates/deep/y.yaml"), "{said}");
}

#[test]
fn many_equal_messages_are_folded() {
    let world = World::new();
    world.file("a.yaml", "kind: Pod\n---\na: [\n---\n".repeat(30));
    let loaded = world.load(&["a.yaml"], &options());
    assert!(
        world.said(&loaded).contains("10 more of `yaml-syntax` in a.yaml are not shown"),
        "{}",
        world.said(&loaded)
    );
    assert_eq!(loaded.inputs.first().map(|input| input.documents), Some(30));
}

#[test]
fn repeated_objects_are_told() {
    let world = World::new();
    world.file("d/a.yaml", DEPLOYMENT);
    world.file("d/b.yaml", DEPLOYMENT);
    let loaded = world.load(&["d"], &options());
    assert_eq!(loaded.diagnostics.len(), 1, "{}", world.said(&loaded));
    assert!(objects(&loaded) >= 1);
}

#[test]
fn order_does_not_depend_on_threads() {
    let world = World::new();
    for index in 0..200 {
        world.file(&format!("d/{index:03}.yaml"), format!("kind: Pod\nmetadata: {{name: p{index}}}\n---\nx: [\n"));
    }
    let first = world.load(&["d"], &options());
    for _ in 0..5 {
        let next = world.load(&["d"], &options());
        assert_eq!(next.diagnostics, first.diagnostics);
        assert_eq!(world.files(&next), world.files(&first));
    }
}
